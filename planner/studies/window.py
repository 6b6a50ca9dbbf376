"""A part of a horizon: its best plan, and the scenario after some of its steps.

Steps keep their absolute numbers and series are never cut, so that what parts of a horizon decide
can be put together as it is.

What windows of a long horizon count on: the LP relaxation of the whole, and its bound.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.diagnosis.infeasible import infeasible, unbounded
from planner.errors import NoPlanError
from planner.scenario.scenario import Scenario
from planner.solver.model import assemble
from planner.solver.pinning import pin
from planner.solver.program import Program, compile_program
from planner.solver.rounds import PointlessError, Solution, UnboundedError, optimise
from planner.studies.kept import Kept
from planner.timeseries.horizon import Window
from planner.timeseries.schedule import columns_of
from planner.timeseries.series import Array


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
    return Part(program.schedule_at(solution.x), solution, program)


def advance(scenario: Scenario, schedule: pd.DataFrame, kept: Window) -> Scenario:
    """Return the scenario after the steps of a window, whose schedule (its rows) is given."""
    components = {
        name: component.after(columns_of(schedule, name), kept, scenario.horizon)
        for name, component in scenario.components.items()
    }
    return scenario.model_copy(update={"components": components})


Ahead = Mapping[str, Mapping[str, Array]]
"""By component, the columns over the horizon that it counts on; empty without a relaxation."""


def relaxation(scenario: Scenario, kept: Kept) -> tuple[float, Ahead]:
    """Return a bound of the profit, and what components do in the relaxation of the horizon."""
    found = kept.read("relaxation", {"bound_cny", "ahead"})
    if found is None:
        found = _relaxed(scenario)
        gc.collect()  # the model of the whole horizon, before the windows begin
        kept.add("relaxation", found)
    ahead = {
        name: {column: np.array(values) for column, values in columns.items()}
        for name, columns in found["ahead"].items()
    }
    return float(found["bound_cny"]), ahead


def _relaxed(scenario: Scenario) -> dict[str, Any]:
    """Solve the relaxation; only what some component counts on is kept of its schedule."""
    settings = scenario.solver.model_copy(update={"relax": True})
    program = compile_program(assemble(scenario))
    try:
        solution = optimise(program, settings)
    except UnboundedError:
        raise unbounded(program) from None
    except PointlessError:
        raise infeasible(scenario) from None
    except NoPlanError:
        raise NoPlanError(
            f"the LP relaxation of the whole horizon takes more than {settings.time_limit_s:g} s;"
            " try a longer --time-limit, or --no-bound to do without it"
        ) from None
    table = pd.DataFrame(program.columns(solution.x))
    ahead = {
        name: {column: values.tolist() for column, values in columns_of(table, name).items()}
        for name, component in scenario.components.items()
        if "counting_on" in type(component).__dict__
    }
    return {"bound_cny": -solution.bound, "ahead": ahead}


def counting(scenario: Scenario, window: Window, ahead: Ahead, *, firm: bool) -> Scenario:
    """Return a scenario whose components count on what is done after a window."""
    if window.last == scenario.horizon.steps:
        return scenario
    components = {
        name: component.counting_on(ahead.get(name, {}), window, scenario.horizon, firm=firm)
        for name, component in scenario.components.items()
    }
    return scenario.model_copy(update={"components": components})


def uncounted(scenario: Scenario) -> list[str]:
    """Return a warning for every rule over the horizon that the windows could not count ahead."""
    return [
        f"components.{name}.{field}: without a bound every window only saw what came before it"
        for name, component in scenario.components.items()
        for field in component.over_horizon
        if getattr(component, field)
    ]
