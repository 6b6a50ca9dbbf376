"""A part of a horizon: its best plan, and the scenario after some of its steps.

Steps keep their absolute numbers and series are never cut, so that what parts of a horizon decide
can be put together as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.given import values_of
from planner.horizon import Window
from planner.model import assemble
from planner.plan import VALUE_DECIMALS
from planner.program import Program, compile_program
from planner.scenario import Scenario
from planner.series import Array
from planner.studies.pinned import pin
from planner.studies.single import Solution, optimise


@dataclass(frozen=True, eq=False)
class Part:
    """The best plan of a window: a row a step, the columns of a plan's schedule."""

    schedule: pd.DataFrame
    solution: Solution
    program: Program

    @property
    def profit_cny(self) -> float:
        """The ledger of the window, summed."""
        return -float(self.program.cost @ self.solution.x + self.program.offset)


def solve_window(scenario: Scenario, window: Window, given: pd.DataFrame | None = None) -> Part:
    """Find the most profitable plan of a window, with part of its schedule given.

    Raises:
        InfeasibleError: no plan satisfies the scenario in the window with what is given.
        NoPlanError: the time limit struck before a first plan.
    """
    program = compile_program(assemble(scenario, window))
    if given is not None:
        program = pin(program, given).program
    solution = optimise(program, scenario.solver)
    return Part(schedule_of(program, solution.x), solution, program)


def schedule_of(program: Program, x: Array) -> pd.DataFrame:
    """Return the schedule of a point: a row a step of the program's window, rounded as in plans."""
    columns = program.columns(x, program.values(x))
    times = program.scenario.horizon.starts[program.window.first - 1 : program.window.last]
    rounded = {name: np.round(values, VALUE_DECIMALS) + 0.0 for name, values in columns.items()}
    return pd.DataFrame(rounded, index=times)


def advance(scenario: Scenario, schedule: pd.DataFrame, kept: Window) -> Scenario:
    """Return the scenario after the steps of a window, whose schedule (its rows) is given."""
    components = {
        name: component.after(values_of(schedule, name), kept, scenario.horizon)
        for name, component in scenario.components.items()
    }
    return scenario.model_copy(update={"components": components})
