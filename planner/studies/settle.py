"""The settlement of a schedule: its money and breaches; and the best plan with a fixed schedule.

The schedule is pinned, and the rest of the site is dispatched around it for the most profit.
`settle` takes any schedule: where it breaks rules of the scenario, only the rows it breaks are
relaxed, by just what it misses, and reported; its values stay as given. `solve_fixed` plans on from
what has happened or was declared, and has no plan where that breaks a rule.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from planner.auditor.findings import Breach as Finding
from planner.diagnosis.breaches import Breach, breaches
from planner.diagnosis.wording import listed
from planner.errors import InfeasibleError, wrong
from planner.fields import LARGEST
from planner.log import logger
from planner.message import Message, MessageList
from planner.plan.plan import Plan, plan_as
from planner.plan_tables.stochastic import require_single
from planner.scenario.scenario import Scenario, ScenarioLike, scenario_of
from planner.scenario.uncertainty.members import require_one_member
from planner.solver.compiler import compile_program
from planner.solver.meter_totals import Sum, origins_left_open, sums_of
from planner.solver.model import assemble
from planner.solver.pinning import Pinned, best_kept, pin
from planner.solver.program import Program
from planner.solver.rounds import optimise
from planner.solver.solution import Solution
from planner.studies.to_plan import Out, failed_audit, publish, to_plan
from planner.timeseries.csv_table import step_start
from planner.timeseries.horizon import Horizon
from planner.timeseries.schedule import (
    checked_schedule,
    read_schedule,
    require_columns,
    without_counters,
)

LOG = logger(__name__)
MIN_NOTED_MOVE = 1e-6  # a smaller move is the solver's rounding
TOLERANCE = 1e-5
"""How far a pinned value may move, MW, MWh, nodes or Mtok/h: the rounding of printed values."""


def schedule_in_horizon(
    scenario: Scenario, schedule: Plan | pd.DataFrame | str | Path
) -> tuple[pd.DataFrame, str]:
    """Return the steps of a schedule in the horizon, and the name of the schedule for messages.

    Raises:
        ScenarioError: it cannot be read, or none of its rows is in the horizon.
    """
    if isinstance(schedule, Plan):
        name = schedule.scenario.name
        require_single(schedule, name)
        return checked_schedule(schedule.schedule, scenario.horizon, name), name
    if isinstance(schedule, pd.DataFrame):
        return checked_schedule(schedule, scenario.horizon, "schedule"), "schedule"
    return read_schedule(schedule, scenario.horizon), str(schedule)


def timed_program(
    scenario: Scenario, *, every_point: bool = False
) -> tuple[Program, dict[str, float]]:
    """Return the program of a scenario as `assemble` builds it, with the runtimes."""
    began = time.perf_counter()
    model = assemble(scenario, every_point=every_point)
    built = time.perf_counter()
    program = compile_program(model)
    compiled = time.perf_counter()
    rows, columns = program.matrix.shape
    LOG.info(Message(
        "{name}: {rows} rows and {columns} columns, {integers} of them integer, for {steps} steps"
        " ({seconds:.1f} s)",
        name=scenario.name, rows=rows, columns=columns, integers=int(program.integer.sum()),
        steps=scenario.horizon.steps, seconds=compiled - began,
    ))  # fmt: skip
    return program, {"build_s": built - began, "compile_s": compiled - built}


@dataclass(frozen=True)
class PinnedSolution:
    """The best solution with a schedule pinned; None where the schedule breaks a rule.

    program: with the values that the solution keeps.
    """

    pinned: Pinned
    program: Program
    solution: Solution | None
    seconds: dict[str, float]


def _exact(scenario: Scenario) -> Scenario:
    """Return a scenario to be solved with whole states."""
    settings = scenario.solver.revised({"relax": False})
    return scenario.revised({"solver": settings})


def solve_pinned(
    scenario: Scenario, schedule: pd.DataFrame, source: str, tolerance: float
) -> PinnedSolution:
    """Find the best solution with a schedule pinned: exactly if possible, else moved least."""
    # a schedule may give any state, and use any point
    program, seconds = timed_program(_exact(scenario), every_point=True)
    program = replace(program, scenario=scenario)
    require_columns(schedule, {*program.schedule, *program.schedule_rows}, sums_of(program), source)
    pinned = pin(program, schedule, tolerance)
    program, solution = best_kept(pinned, tolerance) or (program, None)
    return PinnedSolution(pinned, program, solution, seconds)


def solve_fixed(
    scenario: Scenario,
    schedule: Plan | pd.DataFrame | str | Path,
    until: str | dt.datetime | None = None,
) -> Plan:
    """Find the most profitable plan that keeps a schedule up to a time.

    Args:
        scenario: the site and its horizon.
        schedule: as in `settle`; its columns are fixed, all others stay free.
        until: the end of the fixed steps, the start of the first free one; by default all of the
            schedule is fixed.

    Raises:
        InfeasibleError: no plan keeps it; the message lists the rules it breaks.
        ScenarioError: the schedule cannot be read, or the time is no start of a step.
        NoPlanError, PlanError: as `solve`.
    """
    require_one_member(scenario)
    fixed, source = schedule_in_horizon(scenario, schedule)
    if until is not None:
        horizon = scenario.horizon
        end = horizon.starts[-1] + pd.Timedelta(minutes=horizon.step_min)
        starts = [*horizon.starts, end]
        fixed = fixed[fixed.index < step_start(starts, until, horizon.zone, "until")]
    around = solve_pinned(scenario, fixed, source, TOLERANCE)
    if around.solution is None:
        broken, _ = breaches(around.pinned, TOLERANCE)
        texts = [breach.text for breach in broken]
        head = Message("no plan keeps the fixed schedule; it breaks")
        diagnosis = {"status": "infeasible", "name": scenario.name, "fixed_breaks": texts}
        raise InfeasibleError(MessageList("\n", (head, *listed(texts))), diagnosis)
    plan = to_plan(around.program, around.solution, around.seconds | around.solution.seconds)
    size = {"columns": len(fixed.columns), "steps": len(fixed)}
    notes = _notes(plan, around, fixed, TOLERANCE)
    return replace(plan, summary=plan.summary | {"fixed": size} | notes)


def _notes(
    plan: Plan, around: PinnedSolution, schedule: pd.DataFrame, tolerance: float
) -> dict[str, list[Message]]:
    """Return the notes of a plan, with those on moved values and on origins that are left open."""
    notes = [*plan.summary["warnings"], *_coarse_rows(schedule, plan.scenario.horizon)]
    sums = sums_of(around.pinned.free)
    moves = {
        name: (sums.get(name, Sum({name: 1.0})).of(plan.schedule) - schedule[name]).abs()
        for name in map(str, schedule.columns)
    }
    for name, by_step in moves.items():  # a value further away is a breach
        moves[name] = by_step[(by_step > MIN_NOTED_MOVE) & (by_step <= tolerance + MIN_NOTED_MOVE)]
    count = sum(map(len, moves.values()))
    if count:
        name = max(moves, key=lambda name: np.nan_to_num(moves[name].max()))
        notes.append(Message(
            "{count} given values are moved for their rounding, by {most:.2g} at most ({name})",
            count=count, most=moves[name].max(), name=name,
        ))  # fmt: skip
    if names := origins_left_open(around.pinned.free, set(schedule.columns)):
        notes.append(
            Message("origins of {names} are filled in: renewable first", names=", ".join(names))
        )
    return {"warnings": notes}


def _coarse_rows(schedule: pd.DataFrame, horizon: Horizon) -> Iterator[Message]:
    """Yield a note on a schedule whose rows are further apart than the steps of the horizon."""
    apart = schedule.index.to_series().diff().min() / pd.Timedelta(minutes=1)
    if apart > horizon.step_min:
        yield Message(
            "the given schedule has a row every {minutes:g} min, for steps of {horizon} min: the"
            " steps between its rows are free",
            minutes=apart,
            horizon=horizon.step_min,
        )


@dataclass(frozen=True, eq=False, repr=False)
class Settlement(Plan):
    """A settled schedule: a plan with its money, and the rules it breaks.

    Its status is "settled"; bound and gap are None unless a bound was given. A plan with breaches
    does not pass its audit.

    breaches: the rules it breaks, empty where it keeps them all.
    """

    breaches: tuple[Breach, ...] = ()

    @property
    def plan(self) -> Plan:
        """The settlement itself, which is a plan."""
        return self


def settle(
    scenario: ScenarioLike,
    schedule: Plan | pd.DataFrame | str | Path,
    *,
    tolerance: float = TOLERANCE,
    bound_cny: float | None = None,
    out: Out = None,
) -> Settlement:
    """Settle a schedule with the rules and the money of a scenario.

    Args:
        scenario: the site and its horizon.
        schedule: a plan, a table indexed by the starts of steps, a CSV file or a plan folder; any
            of the columns of a plan's schedule, and sums of them (`planner.solver.meter_totals`),
            in any of the horizon's steps; other rows are left out.
        tolerance: how far a value may move where the values as printed contradict each other or a
            rule. Values are moved least, before money counts (`planner.solver.pinning`).
        bound_cny: a proven upper bound of the profit, where one is known.
        out: the plan folder to write: an `Output`, or its path.

    Raises:
        ScenarioError: the schedule cannot be read, has no row in the horizon or columns unknown to
            the scenario, or the tolerance is no number of 0 or more.
        NoPlanError: the time limit struck.
        PlanError: the settlement of a schedule that keeps the rules fails its audit.
        KeyboardInterrupt: Ctrl-C.
    """
    settlement, given = _unaudited(scenario_of(scenario), schedule, tolerance, bound_cny)

    def with_findings(findings: list[Finding]) -> Settlement:
        nonlocal settlement
        settlement = _settlement(settlement, _broken_by_audit(findings, given))
        return settlement

    publish(settlement, out, with_findings)
    return settlement


def _unaudited(
    scenario: Scenario,
    schedule: Plan | pd.DataFrame | str | Path,
    tolerance: float,
    bound_cny: float | None,
) -> tuple[Settlement, pd.DataFrame]:
    """Settle a schedule; return its steps in the horizon too. Raises as `settle`."""
    require_one_member(scenario)
    if not 0 <= tolerance <= LARGEST:
        raise wrong(
            "tolerance", Message("must be 0 or more and finite, is {value:g}", value=tolerance)
        )
    pinned, source = schedule_in_horizon(scenario, schedule)
    scenario = _exact(scenario)
    around = solve_pinned(scenario, pinned, source, tolerance)
    program, solution, broken = around.program, around.solution, list[Breach]()
    if solution is None:
        broken, program = breaches(around.pinned, tolerance)
        solution = optimise(program, scenario.solver)
    if solution.status == "interrupted":
        raise KeyboardInterrupt
    plan = to_plan(program, solution, around.seconds | solution.seconds, whole=not broken)
    plan = plan.settled(bound_cny, _notes(plan, around, pinned, tolerance))
    return _settlement(plan, broken), pinned


def _settlement(plan: Plan, broken: Sequence[Breach]) -> Settlement:
    breached = [asdict(breach) | {"components": list(breach.components)} for breach in broken]
    settlement = plan_as(Settlement, plan, breaches=tuple(broken))
    return replace(settlement, summary=plan.summary | {"breaches": breached})


def _broken_by_audit(findings: list[Finding], schedule: pd.DataFrame) -> list[Breach]:
    """Return what the audit of a settled plan found on components whose values were given.

    The program limits what profit presses down, such as fuel and starts, from below only: a given
    value may exceed what follows from the others.

    Raises:
        PlanError: it found something else.
    """
    given = {str(name).partition(".")[0] for name in schedule.columns}
    if any(finding.component not in given for finding in findings):
        raise failed_audit(findings)
    return [
        Breach((finding.component,), finding.rule, finding.time, finding.amount,
               finding.with_place())
        for finding in findings
    ]  # fmt: skip


def settle_executed(
    scenario: Scenario, rows: pd.DataFrame, bound_cny: float | None = None
) -> Settlement:
    """Settle the executed steps of a chain, to be published; counters are summed up anew.

    Without a limit of time: that of the scenario is for the plans of the chain. Raises as `settle`.
    """
    schedule, exact = without_counters(rows, scenario.components), _exact(scenario)
    settings = exact.solver.revised({"time_limit_s": math.inf})
    unlimited = exact.revised({"solver": settings})
    settlement, _ = _unaudited(unlimited, schedule, TOLERANCE, bound_cny)
    return replace(settlement, scenario=exact)
