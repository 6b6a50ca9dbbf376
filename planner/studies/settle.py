"""A schedule that is given: its money and its breaches, or the best plan that keeps it.

What is given is pinned, and the rest of the site is dispatched around it as profitably as it can
be. `settle` takes any schedule by the scenario's own rules: where it breaks some, only the rows it
breaks give way, by what it misses, and they are named. `solve_fixed` plans on from what has
happened or was declared, and has no plan where that breaks a rule.
"""

from __future__ import annotations

import datetime as dt
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from planner.diagnosis.breaches import Breach, breaches
from planner.errors import InfeasibleError, Problem, ScenarioError
from planner.fields import LARGEST
from planner.plan.plan import Plan
from planner.scenario.scenario import Scenario
from planner.scenario.uncertainty.members import require_one_member
from planner.solver.compiler import compile_program
from planner.solver.model import Model, assemble
from planner.solver.pinning import Pinned, known_columns, pin
from planner.solver.rounds import InfeasibleProgramError, Solution, optimise
from planner.studies.to_plan import require_audit, to_plan
from planner.timeseries.schedule import checked_schedule, read_schedule, require_columns

TOLERANCE = 1e-5
"""How far a given value may move, MW, MWh, nodes or Mtok/h: what printing it has rounded."""


def given_schedule(
    scenario: Scenario, schedule: Plan | pd.DataFrame | str | Path
) -> tuple[pd.DataFrame, str]:
    """Return the steps of a schedule that lie in the horizon, and what messages call it.

    Raises:
        ScenarioError: it cannot be read, or no row of it lies in the horizon.
    """
    if isinstance(schedule, Plan):
        name = schedule.scenario.name
        return checked_schedule(schedule.schedule, scenario.horizon, name), name
    if isinstance(schedule, pd.DataFrame):
        return checked_schedule(schedule, scenario.horizon, "schedule"), "schedule"
    return read_schedule(schedule, scenario.horizon), str(schedule)


@dataclass(frozen=True)
class PinnedSolution:
    """The best solution around a schedule that is pinned; None where it contradicts the rules."""

    model: Model
    pinned: Pinned
    solution: Solution | None
    seconds: dict[str, float]


def solve_pinned(
    scenario: Scenario, given: pd.DataFrame, source: str, tolerance: float
) -> PinnedSolution:
    """Find the best solution around what is given.

    Values are pinned as they are if they can be, else within the tolerance.
    """
    began = time.perf_counter()
    model = assemble(scenario)
    built = time.perf_counter()
    program = compile_program(model)
    require_columns(given, set(known_columns(program)), source)
    seconds = {"build_s": built - began, "compile_s": time.perf_counter() - built}
    for room in (0.0, tolerance):
        pinned = pin(program, given, room)
        if not pinned.misfits:
            with suppress(InfeasibleProgramError):
                solution = optimise(pinned.program, scenario.solver)
                return PinnedSolution(model, pinned, solution, seconds | solution.seconds)
    return PinnedSolution(model, pinned, None, seconds)


def solve_fixed(
    scenario: Scenario,
    schedule: Plan | pd.DataFrame | str | Path,
    until: str | dt.datetime | None = None,
) -> Plan:
    """Find the most profitable plan that keeps a schedule as it is up to a time.

    Args:
        scenario: the site and its horizon.
        schedule: as in `settle`; the columns it names are kept, all else stays free.
        until: the end of what is fixed, the start of the first free step; by default all of the
            schedule is fixed.

    Raises:
        InfeasibleError: no plan keeps it; the message tells what it breaks.
        ScenarioError: the schedule cannot be read, or the time is no start of a step.
        NoPlanError, PlanError: as `solve`.
    """
    require_one_member(scenario)
    given, source = given_schedule(scenario, schedule)
    given = given[given.index < _moment(scenario, until)] if until is not None else given
    around = solve_pinned(scenario, given, source, TOLERANCE)
    if around.solution is None:
        broken, _ = breaches(around.model, around.pinned, scenario.solver.time_limit_s)
        texts = [breach.text for breach in broken]
        lines = ["no plan keeps what is fixed; it breaks", *(f"  - {text}" for text in texts)]
        diagnosis = {"status": "infeasible", "name": scenario.name, "fixed_breaks": texts}
        raise InfeasibleError("\n".join(lines), diagnosis)
    plan = to_plan(around.pinned.program, around.solution, around.seconds)
    size = {"columns": len(given.columns), "steps": len(given)}
    plan = replace(plan, summary=plan.summary | {"fixed": size})
    require_audit(plan)
    return plan


def _moment(scenario: Scenario, until: str | dt.datetime) -> pd.Timestamp:
    """Read a time: with an offset, or in that of the horizon."""
    horizon = scenario.horizon
    try:
        moment = pd.Timestamp(until)
    except ValueError:
        text = f"must be a time such as {horizon.starts[0]:%Y-%m-%dT%H:%M}, is {str(until)!r}"
        raise ScenarioError([Problem(text, path="until")]) from None
    moment = moment.tz_localize(horizon.zone) if moment.tz is None else moment
    end = horizon.starts[-1] + pd.Timedelta(minutes=horizon.step_min)
    if moment not in horizon.starts and moment != end:
        text = (
            f"must be the start of a step, {horizon.starts[0].isoformat()} to {end.isoformat()},"
            f" is {until}"
        )
        raise ScenarioError([Problem(text, path="until")])
    return moment


@dataclass(frozen=True, eq=False)
class Settlement:
    """A schedule with its money, and the rules it breaks.

    plan: its tables; status "settled", bound and gap None unless a bound was given. A plan with
        breaches does not pass its audit.
    breaches: the rules it breaks, none where it keeps them all.
    """

    plan: Plan
    breaches: tuple[Breach, ...]


def settle(
    scenario: Scenario,
    schedule: Plan | pd.DataFrame | str | Path,
    *,
    tolerance: float = TOLERANCE,
    bound_cny: float | None = None,
) -> Settlement:
    """Settle a schedule with the rules and the money of a scenario.

    Args:
        scenario: the site and its horizon.
        schedule: a plan, a table indexed by the starts of steps, a CSV file or a plan folder; any
            of the columns of a plan's schedule, in any of the horizon's steps; other rows are left
            out.
        tolerance: how far a given value may move where the values as printed contradict each other.
        bound_cny: a proven upper bound of the profit, where one is known.

    Raises:
        ScenarioError: the schedule cannot be read, has no row in the horizon or columns that the
            scenario has not, or the tolerance is no number of 0 or more.
        NoPlanError: the time limit struck.
        PlanError: the settlement of a schedule that keeps the rules fails its audit.
        KeyboardInterrupt: Ctrl-C.
    """
    require_one_member(scenario)
    if not 0 <= tolerance <= LARGEST:
        text = f"must be 0 or more and finite, is {tolerance:g}"
        raise ScenarioError([Problem(text, path="tolerance")])
    given, source = given_schedule(scenario, schedule)
    exact = scenario.solver.model_copy(update={"relax": False})
    scenario = scenario.model_copy(update={"solver": exact})
    around = solve_pinned(scenario, given, source, tolerance)
    program, solution, broken = around.pinned.program, around.solution, list[Breach]()
    if solution is None:
        broken, program = breaches(around.model, around.pinned, scenario.solver.time_limit_s)
        solution = optimise(program, scenario.solver)
    if solution.status == "interrupted":
        raise KeyboardInterrupt
    plan = to_plan(program, solution, around.seconds | solution.seconds, whole=not broken)
    plan = plan.settled(bound_cny, {"breaches": [_plain(breach) for breach in broken]})
    if not broken:
        require_audit(plan)
    return Settlement(plan, tuple(broken))


def _plain(breach: Breach) -> dict[str, Any]:
    return asdict(breach) | {"components": list(breach.components)}
