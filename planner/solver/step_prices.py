"""The prices of every step, read from the duals of a program's LP: of energy, of tokens, of rows.

The minimum grows by a row's dual as its right side rises by one. A balance of power whose right
side rises by 1 MW must find Δ MWh more, so a MWh is worth dual / Δ; a Mtok more costs dual / Δ too.

Where nothing flows, any figure between what the cheapest source would cost and what the best user
would pay is a dual. Reduced costs tell these ends: a MWh is worth what its best user would pay, and
a Mtok costs what the cheapest fleet would spend on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from planner.components.reasons import StepPrices
from planner.solver.program import Duals, Program
from planner.timeseries.series import Array

GIVES, TAKES = 1, -1  # the sign of what puts into a balance, and of what takes out of it


def energy_values(program: Program, duals: Duals) -> dict[tuple[str, str], Array]:
    """Return the value of a MWh by node and origin, CNY/MWh by step, NaN where nothing can flow."""
    matrix = sparse.csr_array(program.matrix)
    return {
        (balance.name, str(balance.origin)): _per_unit(program, duals, number)
        - _idle(program, duals, matrix, number, TAKES)
        for balance, number in program.balances.items()
        if balance.kind == "power"
    }


def token_costs(program: Program, duals: Duals) -> dict[str, Array]:
    """Return what answering one more Mtok of each service costs, CNY/Mtok by step."""
    matrix = sparse.csr_array(program.matrix)
    return {
        balance.name: _per_unit(program, duals, number)
        + _idle(program, duals, matrix, number, GIVES)
        for balance, number in program.balances.items()
        if balance.kind == "tokens"
    }


def _per_unit(program: Program, duals: Duals, family: int) -> Array:
    return program.by_step(family, duals) / program.scenario.horizon.step_h


def _idle(program: Program, duals: Duals, matrix: Any, family: int, side: int) -> Array:
    """Return by how much the price may move before one side of a balance would begin to flow.

    0 where it flows. Of the columns on that side, those that may move at all count.
    """
    rows = np.flatnonzero((program.row_families == family) & (program.row_steps > 0))
    part = matrix[rows]
    lower, upper = program.column_lower[part.indices], program.column_upper[part.indices]
    movable = (side * part.data > 0) & (upper > lower)
    ratio = np.where(movable, duals.columns[part.indices] / np.abs(part.data), np.inf)
    moves = np.zeros(len(program.window))
    if rows.size:
        least = np.minimum.reduceat(ratio, part.indptr[:-1])
        step = program.row_steps[rows] - program.window.first
        moves[step] = np.where(np.isfinite(least), np.maximum(least, 0.0), 0.0)
    return moves / program.scenario.horizon.step_h


def injected_origins(program: Program) -> list[str]:
    """Return the origins that something on the site brings in."""
    return [origin for origin in program.scenario.site().origins if origin in program.injected]


def step_prices(program: Program, duals: Duals, x: Array) -> StepPrices:
    """Return the prices of every step, as no component in particular sees them.

    `x` is the point they are told for: of equal optima, not always the one that has the duals.
    """
    steps = len(program.window)
    values = program.values(x)
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
