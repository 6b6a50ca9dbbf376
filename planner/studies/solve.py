"""The most profitable plan of a scenario, of one future or several, or with a fixed schedule."""

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
from planner.studies.solve_stochastic import solve_stochastic
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
        scenario: the scenario to plan; with `uncertainty` it gets a `StochasticPlan`. Also the path
            of its file or folder, or a mapping such as `Scenario.from_mapping` takes.
        fixed: the schedule to keep, see `planner.studies.settle.solve_fixed`.
        until: the end of the fixed steps; None for all of the schedule.
        out: the plan folder to write: an `Output`, or its path.
        end_values: a plan of a longer horizon, or its folder, that says what stored energy and
            waiting work are worth at the end; the same as solving what `planner.with_end_values`
            returns.

    Returns:
        The plan, with its status, bound and gap in `summary`, and a plan for each future in
        `members`.

    Raises:
        InfeasibleError: no plan satisfies the scenario, or its profit is unbounded; the message and
            `diagnosis` hold the conflict and what would make a plan possible.
        NoPlanError: the time limit struck before a first plan.
        PlanError: the plan fails its own audit, or its folder cannot be written.
        ScenarioError: a scenario with several members comes with `fixed` or `end_values`, or these
            have no values for its end.
        KeyboardInterrupt: Ctrl-C before a first plan; later the plan so far is returned.
    """
    scenario = scenario_of(scenario)
    if end_values is not None:
        scenario = with_end_values(scenario, end_values)
    if scenario.uncertainty is not None and fixed is None:
        return solve_stochastic(scenario, out)
    if fixed is None:
        return solve_single(scenario, out)
    plan = solve_fixed(scenario, fixed, until)
    publish(plan, out)
    return plan


def solve_single(scenario: Scenario, out: Out = None) -> Plan:
    """Find the most profitable plan of a scenario with one member. Raises as `solve`."""
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
