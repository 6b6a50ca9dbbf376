"""The money and the breaches of a given schedule, by the scenario's own rules.

What is given is pinned and the rest of the site is dispatched around it as profitably as it can be.
A schedule that breaks rules is settled all the same: only the rows it breaks give way, by what it
misses, and they are named.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Problem, ScenarioError
from planner.horizon import LARGEST
from planner.plan import Plan
from planner.scenario import Scenario
from planner.studies.breaches import Breach, breaches
from planner.studies.fixed import TOLERANCE, best_keeping, given_schedule
from planner.studies.single import demand_audit, optimise, to_plan
from planner.uncertainty.members import demand_one_future


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
    demand_one_future(scenario)
    if not 0 <= tolerance <= LARGEST:
        said = f"must be 0 or more and finite, is {tolerance:g}"
        raise ScenarioError([Problem(said, path="tolerance")])
    given, source = given_schedule(scenario, schedule)
    exact = scenario.solver.model_copy(update={"relax": False})
    scenario = scenario.model_copy(update={"solver": exact})
    kept = best_keeping(scenario, given, source, tolerance)
    program, solution, told = kept.pinned.program, kept.solution, list[Breach]()
    if solution is None:
        told, program = breaches(kept.model, kept.pinned, scenario.solver.time_limit_s)
        solution = optimise(program, scenario.solver)
    if solution.status == "interrupted":
        raise KeyboardInterrupt
    plan = to_plan(program, solution, kept.seconds | solution.seconds, whole=not told)
    plan = plan.settled(bound_cny, {"breaches": [_plain(breach) for breach in told]})
    if not told:
        demand_audit(plan)
    return Settlement(plan, tuple(told))


def _plain(breach: Breach) -> dict[str, Any]:
    return asdict(breach) | {"components": list(breach.components)}
