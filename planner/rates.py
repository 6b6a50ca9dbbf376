"""The prices of every step, read from the duals of a program's LP: of energy, of tokens, of rows.

The minimum grows by a row's dual as its right side rises by one. A balance of power whose right
side rises by 1 MW must find Δ MWh more, so a MWh is worth dual / Δ; a Mtok more costs dual / Δ too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.components.priced import StepPrices
from planner.program import Duals, Program
from planner.series import Array


def energy_values(program: Program, duals: Duals) -> dict[tuple[str, str], Array]:
    """Return the value of a MWh by node and origin, CNY/MWh by step, NaN where nothing can flow."""
    return {
        (balance.name, str(balance.origin)): _per_unit(program, duals, number)
        for balance, number in program.balances.items()
        if balance.kind == "power"
    }


def token_costs(program: Program, duals: Duals) -> dict[str, Array]:
    """Return what answering one more Mtok of each service costs, CNY/Mtok by step."""
    return {
        balance.name: _per_unit(program, duals, number)
        for balance, number in program.balances.items()
        if balance.kind == "tokens"
    }


def _per_unit(program: Program, duals: Duals, family: int) -> Array:
    return program.by_step(family, duals) / program.scenario.horizon.step_h


def injected_origins(program: Program) -> list[str]:
    """Return the origins that something on the site brings in."""
    return [origin for origin in program.scenario.site().origins if origin in program.injected]


def step_prices(program: Program, duals: Duals) -> StepPrices:
    """Return the prices of every step, as no component in particular sees them."""
    steps = len(program.window)
    values = program.values(duals.x)
    injected = {
        origin: values[rows].reshape(-1, steps).sum(axis=0)
        for origin, rows in program.injected.items()
    }

    def rows(component: str, name: str, index: tuple[Any, ...]) -> Array:
        family = program.families.get((component, name, index))
        if family is None:
            return np.full(steps, np.nan)
        return -program.by_step(family, duals)

    return StepPrices(
        "", program.scenario.components, program.scenario.site().origins,
        energy_values(program, duals), token_costs(program, duals), injected, rows,
    )  # fmt: skip
