"""A window of a horizon: its best plan, the scenario after some of its steps, what lies behind it.

Steps keep their absolute numbers and series are never cut, so that what windows decide can be put
together as it is. Behind a window lies what rules over the horizon may count on, its lookahead:
what components do there in the LP relaxation of the whole, which also bounds the profit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from planner.components.component import Component
from planner.diagnosis.infeasible import infeasible, unbounded
from planner.errors import NoPlanError, Problem
from planner.scenario.scenario import Scenario
from planner.solver.compiler import compile_program
from planner.solver.model import assemble
from planner.solver.pinning import pin
from planner.solver.program import Program
from planner.solver.rounds import InfeasibleProgramError, Solution, UnboundedError, optimise
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.schedule import columns_of


@dataclass(frozen=True, eq=False)
class WindowPlan:
    """The best plan of a window: a row a step, the columns of a plan's schedule."""

    schedule: pd.DataFrame
    solution: Solution
    program: Program

    @property
    def profit_cny(self) -> float:
        """The ledger of the window, summed."""
        return -float(self.program.cost @ self.solution.x + self.program.offset)


def solve_window(
    scenario: Scenario, window: Window, given: pd.DataFrame | None = None
) -> WindowPlan:
    """Find the most profitable plan of a window, with part of its schedule given.

    Raises:
        InfeasibleError: no plan satisfies the scenario in the window with what is given.
        NoPlanError: the time limit struck before a first plan.
    """
    program = compile_program(assemble(scenario, window))
    if given is not None:
        program = pin(program, given).program
    solution = optimise(program, scenario.solver)
    return WindowPlan(program.schedule_at(solution.x), solution, program)


def advance(scenario: Scenario, schedule: pd.DataFrame, kept: Window) -> Scenario:
    """Return the scenario after the steps of a window, whose schedule (its rows) is given."""
    components = {
        name: component.after(columns_of(schedule, name), kept, scenario.horizon)
        for name, component in scenario.components.items()
    }
    return scenario.model_copy(update={"components": components})


Lookahead = pd.DataFrame
"""What components do over the horizon, columns as in a schedule; empty without a relaxation."""


def relaxation(scenario: Scenario) -> tuple[float, Lookahead]:
    """Return a bound of the profit, and what components do in the LP relaxation of the horizon.

    Raises:
        InfeasibleError: the relaxation has no plan, or its profit has no bound.
        NoPlanError: the time limit struck.
    """
    settings = scenario.solver.model_copy(update={"relax": True})
    program = compile_program(assemble(scenario))
    try:
        solution = optimise(program, settings)
    except UnboundedError:
        raise unbounded(program) from None
    except InfeasibleProgramError:
        raise infeasible(scenario) from None
    except NoPlanError:
        raise NoPlanError(
            f"the LP relaxation of the whole horizon takes more than {settings.time_limit_s:g} s;"
            " try a longer --time-limit, or --no-bound to do without it"
        ) from None
    table = pd.DataFrame(program.columns(solution.x))
    counted = {
        name
        for name, component in scenario.components.items()
        if type(component).with_lookahead is not Component.with_lookahead
    }
    used = [column for column in table if str(column).partition(".")[0] in counted]
    return -solution.bound, table[used]


def with_lookahead(
    scenario: Scenario, window: Window, lookahead: Lookahead, *, firm: bool
) -> Scenario:
    """Return a scenario whose components count on what is done after a window."""
    if window.last == scenario.horizon.steps:
        return scenario
    horizon = scenario.horizon
    components = {
        name: component.with_lookahead(columns_of(lookahead, name), window, horizon, firm=firm)
        for name, component in scenario.components.items()
    }
    return scenario.model_copy(update={"components": components})


def lookaheads(scenario: Scenario, window: Window, lookahead: Lookahead) -> list[Scenario]:
    """Return the scenario as a window may be planned: firmly, then asking for no more than must be.

    There is nothing to choose for a window that reaches the end of the horizon.
    """
    ways = (True,) if window.last == scenario.horizon.steps else (True, False)
    return [with_lookahead(scenario, window, lookahead, firm=firm) for firm in ways]


def lookahead_warnings(scenario: Scenario) -> list[str]:
    """Return a warning for every rule over the horizon that windows keep without a lookahead."""
    return [
        f"components.{name}.{field}: without a bound every window only saw what came before it"
        for name, component in scenario.components.items()
        for field in component.over_horizon
        if getattr(component, field)
    ]


def length_problems(horizon: Horizon, **hours: float) -> list[Problem]:
    """Return what is wrong with lengths of windows, which are named as the options they are."""
    problems = []
    for name, length_h in hours.items():
        if not (math.isfinite(length_h) and length_h > 0):
            problems.append(Problem(f"must be more than 0 hours, is {length_h:g}", name))
        elif (steps := length_h / horizon.step_h) < 0.5 or abs(steps - round(steps)) > 1e-9:
            text = f"must be a whole number of {horizon.step_min} min steps, is {length_h:g}"
            problems.append(Problem(text, name))
    return problems
