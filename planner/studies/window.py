"""A window of a horizon: its best plan, the state after its executed steps, and its lookahead.

Steps keep their absolute numbers and series are never cut, so that the schedules of windows can be
concatenated. The lookahead of a window is the schedule of the steps after it in the LP relaxation
of the horizon, for the rules over the horizon; the relaxation also bounds the profit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from planner.components.component import Component
from planner.diagnosis.infeasible import optimise_or_explain
from planner.errors import Problem
from planner.message import Message
from planner.scenario.scenario import Scenario
from planner.solver.compiler import program_of
from planner.solver.program import Program
from planner.solver.rounds import optimise_uninterrupted
from planner.solver.solution import Solution
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.schedule import columns_by_component


@dataclass(frozen=True, eq=False)
class WindowPlan:
    """The best plan of a window; its schedule has a row per step and the columns of a plan's."""

    schedule: pd.DataFrame
    solution: Solution
    program: Program

    @property
    def profit_cny(self) -> float:
        """The sum of the window's ledger."""
        return -self.program.objective(self.solution.x)


def solve_window(scenario: Scenario, window: Window) -> WindowPlan:
    """Find the most profitable plan of a window.

    Raises:
        InfeasibleError: no plan satisfies the scenario in the window.
        NoPlanError: the time limit struck before a first plan.
        KeyboardInterrupt: Ctrl-C, also where a plan was found before.
    """
    program = program_of(scenario, window)
    solution = optimise_uninterrupted(program)
    return WindowPlan(program.schedule_at(solution.x), solution, program)


def advance(scenario: Scenario, schedule: pd.DataFrame, executed: Window) -> Scenario:
    """Return the scenario at the state after some steps; `schedule` has their rows."""
    columns = columns_by_component(schedule)
    components = {
        name: component.after(columns.get(name, {}), executed, scenario.horizon)
        for name, component in scenario.components.items()
    }
    return scenario.revised({"components": components})


Lookahead = pd.DataFrame
"""The schedule of the horizon in its relaxation; empty without a relaxation."""


def relaxation(scenario: Scenario) -> tuple[float, Lookahead]:
    """Return the bound of the profit and the lookahead from the LP relaxation of the horizon.

    It has no limit of time: that of the scenario is for windows.

    Raises:
        InfeasibleError: the relaxation is infeasible or unbounded.
    """
    unlimited = {"relax": True, "time_limit_s": math.inf}
    settings = scenario.solver.revised(unlimited)
    program = program_of(scenario.revised({"solver": settings}))
    solution = optimise_or_explain(program)
    kinds = {name: type(component) for name, component in scenario.components.items()}
    columns = {
        column: values
        for column, values in program.columns(solution.x).items()
        if kinds[column.partition(".")[0]].with_lookahead is not Component.with_lookahead
    }
    return -solution.bound, pd.DataFrame(columns)


def with_lookahead(
    scenario: Scenario, window: Window, lookahead: Lookahead, *, firm: bool
) -> Scenario:
    """Return a scenario whose components know the lookahead of a window; as `Component` does."""
    if window.last == scenario.horizon.steps:
        return scenario
    horizon, columns = scenario.horizon, columns_by_component(lookahead)
    components = {
        name: component.with_lookahead(columns.get(name, {}), window, horizon, firm=firm)
        for name, component in scenario.components.items()
    }
    return scenario.revised({"components": components})


def lookaheads(scenario: Scenario, window: Window, lookahead: Lookahead) -> list[Scenario]:
    """Return the scenarios to plan a window of, in turn: with a firm lookahead, then a loose one.

    Only the first for a window that reaches the end of the horizon.
    """
    firmness = (True,) if window.last == scenario.horizon.steps else (True, False)
    return [with_lookahead(scenario, window, lookahead, firm=firm) for firm in firmness]


def lookahead_warnings(scenario: Scenario) -> list[Message]:
    """Return a warning for every rule over the horizon that windows keep without a lookahead."""
    return [
        Message(
            "{path}: without a bound every window only saw what came before it",
            path=f"components.{name}.{field}",
        )
        for name, component in scenario.components.items()
        for field in component.over_horizon
        if getattr(component, field)
    ]


def length_problems(horizon: Horizon, **hours: float) -> list[Problem]:
    """Return what is wrong with lengths of windows, by the names of their options."""
    problems = []
    for name, length_h in hours.items():
        if not (math.isfinite(length_h) and length_h > 0):
            message = Message("must be more than 0 hours, is {value:g}", value=length_h)
            problems.append(Problem(message, name))
        elif (steps := length_h / horizon.step_h) < 0.5 or abs(steps - round(steps)) > 1e-9:
            message = Message(
                "must be a whole number of {minutes} min steps, is {value:g}",
                minutes=horizon.step_min, value=length_h,
            )  # fmt: skip
            problems.append(Problem(message, name))
    return problems
