"""What windows of a long horizon count on: the LP relaxation of the whole, and its bound."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import NoPlanError
from planner.horizon import Window
from planner.model import assemble
from planner.program import compile_program
from planner.scenario import Scenario
from planner.series import Array
from planner.studies.infeasible import infeasible, unbounded
from planner.studies.kept import Kept
from planner.studies.single import PointlessError, UnboundedError, optimise
from planner.studies.windows import values_of

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
    columns = program.columns(solution.x, program.values(solution.x))
    table = pd.DataFrame(columns)
    ahead = {
        name: {column: values.tolist() for column, values in values_of(table, name).items()}
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
