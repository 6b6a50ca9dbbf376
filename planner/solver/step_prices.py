"""Prices of energy, of tokens and of rows in every step, from the duals of a program's LP.

A row's dual is the derivative of the minimum with respect to its right-hand side. In a power
balance, 1 MW more on the right-hand side is Δ MWh more to supply in a step of Δ hours, so the value
of a MWh is dual / Δ; the cost of a Mtok is dual / Δ too.

Where nothing flows the dual is not unique: it lies anywhere between the cost of the cheapest source
and the willingness to pay of the best user. Reduced costs give the two ends. A MWh is valued at
what its best user would pay, and a Mtok at the cost of the cheapest fleet; whoever would draw more
pays what the cheapest source costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from planner.components.reasons import StepPrices
from planner.components.terms import Balance
from planner.solver.program import Duals, Program
from planner.timeseries.series import Array

GIVES, TAKES = 1, -1  # the sign of inflows to a balance and of outflows from it


def energy_values(program: Program, duals: Duals) -> dict[tuple[str, str], Array]:
    """Return the value of a MWh by node and origin, CNY/MWh by step, NaN where nothing can flow."""
    values = _values(program, duals, "power", TAKES)
    return {(balance.name, str(balance.origin)): value for balance, value in values}


def energy_costs(program: Program, duals: Duals) -> dict[tuple[str, str], Array]:
    """Return the cost of one more MWh by node and origin, CNY/MWh by step, inf without a source."""
    costs = _values(program, duals, "power", GIVES, without=np.inf)
    return {(balance.name, str(balance.origin)): cost for balance, cost in costs}


def token_costs(program: Program, duals: Duals) -> dict[str, Array]:
    """Return the marginal cost of answering a Mtok of each service, CNY/Mtok by step."""
    return {balance.name: cost for balance, cost in _values(program, duals, "tokens", GIVES)}


def _values(
    program: Program, duals: Duals, kind: str, side: int, without: float = 0.0
) -> Iterator[tuple[Balance, Array]]:
    """Yield the balances of a kind with the end of their price that one side pays.

    without: by how much the price changes where nothing can flow on that side.
    """
    matrix, step_h = sparse.csr_array(program.matrix), program.scenario.horizon.step_h
    for balance, number in program.balances.items():
        if balance.kind == kind:
            idle = _idle(program, duals, matrix, number, side, without)
            yield balance, program.by_step(number, duals) / step_h + side * idle


def _idle(
    program: Program, duals: Duals, matrix: Any, family: int, side: int, without: float
) -> Array:
    """Return the price change at which one side of a balance would begin to flow; 0 where it flows.

    The least reduced cost per unit among the columns on that side that are not fixed.
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
        moves[step] = np.where(np.isfinite(least), np.maximum(least, 0.0), without)
    return moves / program.scenario.horizon.step_h


def step_prices(program: Program, duals: Duals, x: Array) -> StepPrices:
    """Return the prices of every step, for no component in particular.

    `x` is the plan's point; among equal optima it need not be the vertex that the duals belong to.
    Where smoothing has moved it off the optimum, a rule that it keeps with room to spare has no
    price.
    """
    values = program.values(x)
    binding = replace(duals, rows=np.where(program.binds(x), duals.rows, 0.0))
    injected = {o: program.sum_by_step(values, rows) for o, rows in program.injected.items()}

    def rows(component: str, name: str, index: tuple[Any, ...]) -> Array:
        return -program.by_step(program.families.get((component, name, index)), binding)

    return StepPrices(
        "", program.scenario.components, program.scenario.site().origins,
        energy_values(program, duals), energy_costs(program, duals), token_costs(program, duals),
        injected, rows,
    )  # fmt: skip
