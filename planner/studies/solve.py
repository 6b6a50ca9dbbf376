"""The most profitable plan of a scenario, or of those that keep a fixed schedule."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd

from planner.diagnosis.infeasible import infeasible, obvious_contradictions, optimise_or_explain
from planner.plan.plan import Plan
from planner.scenario.scenario import Scenario, ScenarioLike, scenario_of
from planner.scenario.uncertainty.members import require_one_member
from planner.solver.program import Program
from planner.solver.solution import Solution
from planner.studies.end_values import with_end_values
from planner.studies.settle import solve_fixed, timed_program
from planner.studies.to_plan import Out, publish, to_plan


def solve(
    scenario: ScenarioLike,
    fixed: Plan | pd.DataFrame | str | Path | None = None,
    until: str | datetime | None = None,
    out: Out = None,
    end_values: Plan | str | Path | None = None,
) -> Plan:
    """Find the most profitable plan of a scenario; with `fixed`, one that keeps a schedule.

    Args:
        scenario: the scenario to plan; also the path of its file or folder, or a mapping such as
            `Scenario.from_mapping` takes.
        fixed: the schedule to keep, see `planner.studies.settle.solve_fixed`.
        until: the end of the fixed steps; None for all of the schedule.
        out: the plan folder to write: an `Output`, or its path.
        end_values: a plan of a longer horizon, or its folder, that says what stored energy and
            waiting work are worth at the end, see `planner.with_end_values`.

    Returns:
        The plan, with its status, bound and gap in `summary`.

    Raises:
        InfeasibleError: no plan satisfies the scenario, or its profit is unbounded; the message and
            `diagnosis` hold the conflict and what would make a plan possible.
        NoPlanError: the time limit struck before a first plan.
        PlanError: the plan fails its own audit, or its folder cannot be written.
        ScenarioError: the scenario has several members, or `end_values` none for its end.
        KeyboardInterrupt: Ctrl-C before a first plan; later the plan so far is returned.
    """
    scenario = scenario_of(scenario)
    if end_values is not None:
        scenario = with_end_values(scenario, end_values)
    if fixed is not None:
        plan = solve_fixed(scenario, fixed, until)
    else:
        plan, _, _ = solve_program(scenario)
    publish(plan, out)
    return plan


def solve_program(scenario: Scenario) -> tuple[Plan, Program, Solution]:
    """Return the best plan, to be published, its program and its solution. Raises as `solve`."""
    require_one_member(scenario)
    if contradictions := obvious_contradictions(scenario):
        raise infeasible(scenario, contradictions)
    program, seconds = timed_program(scenario)
    solution = optimise_or_explain(program)
    plan = to_plan(program, solution, seconds | solution.seconds)
    return plan, program, solution
