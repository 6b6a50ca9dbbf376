"""The money and the breaches of a given schedule, by the scenario's own rules.

What is given is pinned and the rest of the site is dispatched around it as profitably as it can be.
A schedule that breaks rules is settled all the same: only the rows it breaks give way, by what it
misses, and they are named.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from planner.given import demand_columns, read_schedule
from planner.model import assemble
from planner.plan import Plan
from planner.program import compile_program
from planner.scenario import Scenario
from planner.studies.breaches import Breach, breaches
from planner.studies.pinned import known_columns, pin
from planner.studies.single import (
    PointlessError,
    Solution,
    demand_audit,
    optimise,
    to_plan,
)
from planner.uncertainty.members import demand_one_future

TOLERANCE = 1e-5
"""How far a given value may move, MW, MWh, nodes or Mtok/h: what printing it has rounded."""


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
            of the columns of a plan's schedule, in any of the horizon's steps.
        tolerance: how far a given value may move where the values as printed contradict each other.
        bound_cny: a proven upper bound of the profit, where one is known.

    Raises:
        ScenarioError: the schedule cannot be read, or has columns that the scenario has not.
        NoPlanError: the time limit struck.
        PlanError: the settlement of a schedule that keeps the rules fails its audit.
        KeyboardInterrupt: Ctrl-C.
    """
    demand_one_future(scenario)
    given, source = _given(scenario, schedule)
    scenario = scenario.model_copy(
        update={"solver": scenario.solver.model_copy(update={"relax": False})}
    )
    began = time.perf_counter()
    model = assemble(scenario)
    built = time.perf_counter()
    program = compile_program(model)
    demand_columns(given, set(known_columns(program)), source)
    seconds = {"build_s": built - began, "compile_s": time.perf_counter() - built}
    solution: Solution | None = None
    told: list[Breach] = []
    for room in (0.0, tolerance):
        pinned = pin(program, given, room)
        if not pinned.misfits:
            with suppress(PointlessError):
                solution = optimise(pinned.program, scenario.solver)
                break
    if solution is None:
        told, loose = breaches(model, pinned, scenario.solver.time_limit_s)
        pinned = replace(pinned, program=loose)
        solution = optimise(loose, scenario.solver)
    if solution.status == "interrupted":
        raise KeyboardInterrupt
    plan = to_plan(pinned.program, solution, seconds | solution.seconds, whole=not told)
    plan = plan.settled(bound_cny, {"breaches": [_plain(breach) for breach in told]})
    if not told:
        demand_audit(plan)
    return Settlement(plan, tuple(told))


def _plain(breach: Breach) -> dict[str, Any]:
    return asdict(breach) | {"components": list(breach.components)}


def _given(
    scenario: Scenario, schedule: Plan | pd.DataFrame | str | Path
) -> tuple[pd.DataFrame, str]:
    """Return the table of a schedule, and what messages call it."""
    if isinstance(schedule, Plan):
        return schedule.schedule, schedule.scenario.name
    if isinstance(schedule, pd.DataFrame):
        return schedule, "schedule"
    return read_schedule(schedule, scenario.horizon), str(schedule)
