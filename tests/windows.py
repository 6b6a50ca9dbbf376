"""A horizon in parts: what its first steps earned, the state after them, the best of the rest."""

from __future__ import annotations

import planner
from planner.horizon import Window
from planner.model import assemble
from planner.program import compile_program
from planner.studies.single import optimise


def advance(plan: planner.Plan, first: int, last: int) -> planner.Scenario:
    """Return the plan's scenario after the steps first..last."""
    kept, horizon = Window(first, last), plan.scenario.horizon
    components = {}
    for name, component in plan.scenario.components.items():
        values = {
            column.removeprefix(f"{name}."): plan.schedule[column].to_numpy()[first - 1 : last]
            for column in plan.schedule
            if column.startswith(f"{name}.")
        }
        components[name] = component.after(values, kept, horizon)
    return plan.scenario.model_copy(update={"components": components})


def best_of(scenario: planner.Scenario, first: int, last: int | None = None) -> float:
    """Return the best profit of the steps first..last, by default to the end, CNY."""
    window = Window(first, scenario.horizon.steps if last is None else last)
    program = compile_program(assemble(scenario, window))
    return -float(program.cost @ optimise(program, scenario.solver).x + program.offset)


def earned_by_step(plan: planner.Plan, steps: int) -> float:
    """Return what the first steps of a plan earned by the step, CNY; nothing by month or once."""
    times = {moment.isoformat() for moment in plan.schedule.index[:steps]}
    return float(plan.ledger.loc[plan.ledger["period"].isin(times), "amount_cny"].sum())
