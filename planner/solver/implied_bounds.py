"""Bounds of columns that follow from rows: the finite limits that copies of a step need.

A row `sum a x <= b` limits each of its columns by what the others take at least (interval
propagation). Where that leaves a column without an upper bound that costs nothing to keep small
(its cost is 0 or more, and to raise it only loosens one-sided rows or tightens others), some
optimum has no more of it than its rows may ask for at worst: the peak of a month is no more than
the most that can be imported.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.solver.program import Flags, Indices, Program
from planner.timeseries.series import Array

PASSES = 6  # over all rows; what they leave infinite is followed along the steps
LAST_PASSES = 3  # with the columns limited that no optimum needs more of
LEAST_CHANGE = 1e-6  # relative: a bound that moves by less stays
WHOLE = 1e-6  # an integer that is closer to a whole number is that number


class RowEntries(NamedTuple):
    """The nonzeros of rows, and the limits of these."""

    rows: Indices
    columns: Indices
    values: Array
    lower: Array
    upper: Array


class Bounds(NamedTuple):
    """Lower and upper bounds of columns."""

    lower: Array
    upper: Array

    @property
    def infinite(self) -> Flags:
        """Whether a column has no finite bound on some side."""
        return np.asarray(~(np.isfinite(self.lower) & np.isfinite(self.upper)))


def entries_of(matrix: Any, lower: Array, upper: Array) -> RowEntries:
    """Return the entries of a sparse matrix and the limits of its rows."""
    entries = sparse.coo_array(matrix)
    return RowEntries(entries.row, entries.col, entries.data, lower, upper)


def extremes(columns: Indices, values: Array, bounds: Bounds) -> tuple[Array, Array]:
    """Return the least and the most of coefficient times column, one per entry."""
    lower, upper = values * bounds.lower[columns], values * bounds.upper[columns]
    return np.minimum(lower, upper), np.maximum(lower, upper)


def confined(entries: RowEntries, own: Flags, bounds: Bounds) -> RowEntries:
    """Return rows over some of their entries, the others at the bounds that leave most room."""
    rows, columns, values, lower, upper = entries
    least, most = extremes(columns[~own], values[~own], bounds)
    lower = lower - np.bincount(rows[~own], most, len(lower))
    upper = upper - np.bincount(rows[~own], least, len(upper))
    return RowEntries(rows[own], columns[own], values[own], lower, upper)


def implied_bounds(program: Program) -> Bounds:
    """Return bounds that some optimum of a program keeps."""
    entries = entries_of(program.matrix, program.row_lower, program.row_upper)
    bounds = propagated(entries, Bounds(program.column_lower, program.column_upper), PASSES)
    part = entries
    for _ in range(2 * len(program.window)):  # along stores and counters, a step at a time
        part = _of_infinite(part, bounds)
        further = propagated(part, bounds, 1)
        if further is bounds:
            break
        bounds = further
    low, high = propagated(entries, _no_more_than_needed(program, entries, bounds), LAST_PASSES)
    low = np.where(program.integer, np.ceil(low - WHOLE), low)
    high = np.where(program.integer, np.floor(high + WHOLE), high)
    return Bounds(np.minimum(low, high), high)


def _of_infinite(entries: RowEntries, bounds: Bounds) -> RowEntries:
    """Return the rows that hold a column without a finite bound."""
    chosen = np.zeros(len(entries.lower), dtype=bool)
    chosen[entries.rows[bounds.infinite[entries.columns]]] = True
    number, of_chosen = np.cumsum(chosen) - 1, chosen[entries.rows]
    return RowEntries(
        number[entries.rows[of_chosen]], entries.columns[of_chosen], entries.values[of_chosen],
        entries.lower[chosen], entries.upper[chosen],
    )  # fmt: skip


def propagated(entries: RowEntries, bounds: Bounds, passes: int) -> Bounds:
    """Return the bounds after some passes over the rows; the same object if none is tighter."""
    columns = entries.columns
    for _ in range(passes):
        low, high = bounds
        least, most = _implied(entries, bounds)
        higher, lower = low.copy(), high.copy()
        np.maximum.at(higher, columns, least)
        np.minimum.at(lower, columns, most)
        with np.errstate(invalid="ignore"):
            up = ~(higher <= low + LEAST_CHANGE * np.maximum(1.0, np.abs(low))) & (higher > low)
            down = ~(lower >= high - LEAST_CHANGE * np.maximum(1.0, np.abs(high))) & (lower < high)
        if not (up.any() or down.any()):
            break
        low, high = np.where(up, higher, low), np.where(down, lower, high)
        bounds = Bounds(np.minimum(low, high), high)
    return bounds


def _implied(entries: RowEntries, bounds: Bounds) -> tuple[Array, Array]:
    """Return, for each entry, the least and the most that its row leaves for its column."""
    rows, values, lower, upper = entries.rows, entries.values, entries.lower, entries.upper
    least, most = _others(entries, bounds)
    with np.errstate(invalid="ignore"):
        room, need = upper[rows] - least, lower[rows] - most
    positive = values > 0
    return np.where(positive, need, room) / values, np.where(positive, room, need) / values


def _others(entries: RowEntries, bounds: Bounds) -> tuple[Array, Array]:
    """Return, for each entry, the least and the most activity of the other columns of its row."""
    rows, columns, values, lower, _ = entries
    count, positive = len(lower), values > 0
    low, high = bounds.lower[columns], bounds.upper[columns]
    sums = []
    for ends, infinite in (
        (np.where(positive, low, high), -np.inf),
        (np.where(positive, high, low), np.inf),
    ):
        is_finite = np.isfinite(ends)
        part = values * np.where(is_finite, ends, 0.0)
        rest = np.bincount(rows, part, count)[rows] - part
        unlimited = np.bincount(rows, ~is_finite, count)[rows] - ~is_finite
        sums.append(np.where(unlimited > 0.5, infinite, rest))
    return sums[0], sums[1]


def _no_more_than_needed(program: Program, entries: RowEntries, bounds: Bounds) -> Bounds:
    """Limit columns that no optimum needs more of than their rows ask for at worst."""
    rows, columns, values, lower, upper = entries
    on_both_sides = np.isfinite(lower) & np.isfinite(upper)
    may_stay_small = (program.cost >= 0) & np.isfinite(bounds.lower) & ~np.isfinite(bounds.upper)
    may_stay_small &= ~program.all_integer
    may_stay_small[columns[on_both_sides[rows]]] = False
    least, most = _others(entries, bounds)
    positive = values > 0
    asks = np.where(positive, np.isfinite(lower[rows]), np.isfinite(upper[rows]))
    with np.errstate(invalid="ignore"):
        wanted = np.where(positive, lower[rows] - least, upper[rows] - most) / values
    needed = bounds.lower.copy()
    np.maximum.at(needed, columns[asks], wanted[asks])
    high = np.where(may_stay_small, np.maximum(needed, bounds.lower), bounds.upper)
    return Bounds(bounds.lower, high)
