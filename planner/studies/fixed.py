"""A plan in which part of the schedule is fixed: what has happened, or was declared, stays."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from planner.errors import InfeasibleError, Problem, ScenarioError
from planner.given import checked_schedule, demand_columns, read_schedule
from planner.model import Model, assemble
from planner.plan import Plan
from planner.program import compile_program
from planner.scenario import Scenario
from planner.studies.breaches import breaches
from planner.studies.pinned import Pinned, known_columns, pin
from planner.studies.single import PointlessError, Solution, demand_audit, optimise, to_plan
from planner.uncertainty.members import demand_one_future

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
class Kept:
    """What was solved to keep a schedule; no `solution` where it contradicts the rules."""

    model: Model
    pinned: Pinned
    solution: Solution | None
    seconds: dict[str, float]


def best_keeping(scenario: Scenario, given: pd.DataFrame, source: str, tolerance: float) -> Kept:
    """Find the best solution that keeps what is given.

    Values are kept as they are if they can be, else within the tolerance.
    """
    began = time.perf_counter()
    model = assemble(scenario)
    built = time.perf_counter()
    program = compile_program(model)
    demand_columns(given, set(known_columns(program)), source)
    seconds = {"build_s": built - began, "compile_s": time.perf_counter() - built}
    for room in (0.0, tolerance):
        pinned = pin(program, given, room)
        if not pinned.misfits:
            with suppress(PointlessError):
                found = optimise(pinned.program, scenario.solver)
                return Kept(model, pinned, found, seconds | found.seconds)
    return Kept(model, pinned, None, seconds)


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
    demand_one_future(scenario)
    given, source = given_schedule(scenario, schedule)
    given = given[given.index < _moment(scenario, until)] if until is not None else given
    kept = best_keeping(scenario, given, source, TOLERANCE)
    if kept.solution is None:
        told, _ = breaches(kept.model, kept.pinned, scenario.solver.time_limit_s)
        lines = ["no plan keeps what is fixed; it breaks", *(f"  - {b.text}" for b in told)]
        diagnosis = {"status": "infeasible", "name": scenario.name,
                     "fixed_breaks": [breach.text for breach in told]}  # fmt: skip
        raise InfeasibleError("\n".join(lines), diagnosis)
    plan = to_plan(kept.pinned.program, kept.solution, kept.seconds)
    said = {"columns": len(given.columns), "steps": len(given)}
    plan = replace(plan, summary=plan.summary | {"fixed": said})
    demand_audit(plan)
    return plan


def _moment(scenario: Scenario, until: str | dt.datetime) -> pd.Timestamp:
    """Read a time: with an offset, or in that of the horizon."""
    horizon = scenario.horizon
    try:
        moment = pd.Timestamp(until)
    except ValueError:
        said = f"must be a time such as {horizon.starts[0]:%Y-%m-%dT%H:%M}, is {str(until)!r}"
        raise ScenarioError([Problem(said, path="until")]) from None
    moment = moment.tz_localize(horizon.zone) if moment.tz is None else moment
    end = horizon.starts[-1] + pd.Timedelta(minutes=horizon.step_min)
    if moment not in horizon.starts and moment != end:
        said = (
            f"must be the start of a step, {horizon.starts[0].isoformat()} to {end.isoformat()},"
            f" is {until}"
        )
        raise ScenarioError([Problem(said, path="until")])
    return moment
