"""A program without its running totals: rows hold the sums that the totals stand for.

A component declares running totals X[t] = X[t-1] + f[t](x) as its `counters`. In the other rows,

    sum_t a[t] X[t]    is    X[0] sum_t a[t] + sum_s (sum_{t >= s} a[t]) f[s](x)

A limit on a total's last point becomes a row over all steps, the difference of two points one over
the steps between them. Then no column has a range that grows with the horizon, and what joins two
steps is the state of a store or a unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from planner.solver.implied_bounds import Bounds, extremes
from planner.solver.program import Duals, Indices, Program
from planner.timeseries.series import Array

NONE = -1  # of columns and points
ZERO = 1e-12  # a sum of coefficients that cancel


@dataclass(frozen=True)
class Total:
    """A running total: its column by step, the row that raises it there, and its factor in it."""

    columns: Indices
    rows: Indices
    factors: Array


@dataclass(frozen=True)
class WithoutTotals:
    """A program, the same without its running totals, and the way back.

    columns, rows: of the original, those that the program keeps.
    """

    original: Program
    program: Program
    totals: tuple[Total, ...]
    columns: Indices
    rows: Indices

    def point(self, x: Array) -> Array:
        """Return a point as one of the original."""
        whole = np.zeros(len(self.original.cost))
        whole[self.columns] = x
        activity = self.original.matrix @ whole
        for total in self.totals:
            added = (self.original.row_lower - activity)[total.rows] / total.factors
            whole[total.columns] = np.cumsum(added)
        return whole

    def duals(self, duals: Duals) -> Duals:
        """Return duals as those of the original."""
        original = self.original
        rows, columns = np.zeros(len(original.row_lower)), np.zeros(len(original.cost))
        fixed = np.zeros(len(columns), dtype=bool)
        rows[self.rows], columns[self.columns] = duals.rows, duals.columns
        fixed[self.columns] = duals.fixed
        valued = original.matrix.T @ rows
        for total in self.totals:
            rows[total.rows] = -np.cumsum(valued[total.columns][::-1])[::-1] / total.factors
        return Duals(self.point(duals.x), rows, columns, fixed)


def without_totals(program: Program) -> WithoutTotals:
    """Return a program without the running totals that its components declare.

    A total stays where one of its points may not be free: it has a limit or a cost of its own.
    """
    matrix = sparse.csr_array(program.matrix)
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    totals = []
    for name, component in program.scenario.components.items():
        for counter in component.counters:
            by_step, _ = program.schedule.get(f"{name}.{counter}", (np.array([NONE]), None))
            total = _total(program, matrix, by_step)
            if total is not None:
                matrix, shift = _substituted(matrix, lower, total)
                lower, upper = lower - shift, upper - shift
                totals.append(total)
    columns, rows = np.ones(len(program.cost), dtype=bool), np.ones(len(lower), dtype=bool)
    for total in totals:
        columns[total.columns], rows[total.rows] = False, False
    number = np.where(columns, np.cumsum(columns) - 1, NONE)
    reduced = replace(
        program,
        matrix=matrix,
        row_lower=lower,
        row_upper=upper,
        switches=number[program.switches],
        states=tuple(np.where(state == NONE, NONE, number[state]) for state in program.states),
        schedule={
            name: (np.where(index == NONE, NONE, number[index]), constant)
            for name, (index, constant) in program.schedule.items()
            if columns[index[index != NONE]].all()
        },
    )
    kept = np.flatnonzero(columns), np.flatnonzero(rows)
    return WithoutTotals(program, reduced.restricted(rows, columns), tuple(totals), *kept)


def _total(program: Program, matrix: Any, columns: Indices) -> Total | None:
    """Return the running total that columns by step are, None if they are none."""
    steps = len(columns)
    if (columns == NONE).any() or program.cost[columns].any():
        return None
    entries = sparse.coo_array(matrix[:, columns])
    count, rows, points = matrix.shape[0], entries.row, entries.col
    last, factors = np.full(count, NONE), np.zeros(count)
    np.maximum.at(last, rows, points)
    at_last = points == last[rows]
    factors[rows[at_last]] = entries.data[at_last]
    balance = np.bincount(rows, entries.data, count)  # 0 where X[t] and X[t-1] are subtracted
    raises = (np.bincount(rows, minlength=count) == np.minimum(last + 1, 2)) & (
        program.row_lower == program.row_upper
    )
    earlier = np.full(count, NONE)
    earlier[rows[~at_last]] = points[~at_last]
    raises &= np.where(last > 0, (earlier == last - 1) & (balance == 0), last == 0)
    of_point = np.flatnonzero(raises)
    if not np.array_equal(np.sort(last[of_point]), np.arange(steps)):
        return None
    in_order = of_point[np.argsort(last[of_point])]
    total = Total(columns, in_order, factors[in_order])
    return total if _is_free(program, matrix, total) else None


def _is_free(program: Program, matrix: Any, total: Total) -> bool:
    """Return whether the points of a total have no limits but its rows, and are in no report."""
    columns = total.columns
    if np.isfinite(program.column_upper[columns]).any() or program.reports[:, columns].nnz:
        return False
    lower = program.column_lower[columns]
    if not np.isfinite(lower).any():
        return True
    added, start = _added(program.row_lower, matrix, total)
    entries = sparse.coo_array(added)
    bounds = Bounds(program.column_lower, program.column_upper)
    least, _ = extremes(entries.col, entries.data, bounds)
    rises = start + np.bincount(entries.row, least, len(start))
    return bool((np.cumsum(rises) >= lower).all())


def _added(sides: Array, matrix: Any, total: Total) -> tuple[Any, Array]:
    """Return what each step adds to a total: coefficients of the columns, and constants."""
    own = np.zeros(matrix.shape[1])
    own[total.columns] = 1.0
    others = matrix[total.rows] @ sparse.diags_array(1.0 - own)
    added = sparse.csr_array(sparse.diags_array(-1 / total.factors) @ others)
    added.eliminate_zeros()
    return added, sides[total.rows] / total.factors


def _substituted(matrix: Any, sides: Array, total: Total) -> tuple[Any, Array]:
    """Return the rows with the sums that a total stands for, and by how much their sides shift."""
    added, constants = _added(sides, matrix, total)
    of_total = sparse.csr_array(matrix[:, total.columns])
    of_total.sort_indices()
    weights = _sums_from(of_total)
    keep = np.ones(matrix.shape[1])
    keep[total.columns] = 0.0
    replaced = sparse.csr_array(matrix @ sparse.diags_array(keep) + weights @ added)
    replaced.eliminate_zeros()
    return replaced, weights @ constants


def _sums_from(coefficients: Any) -> Any:
    """Return, for each row, the sum of its coefficients from each point on; sparse by row."""
    indptr, points, values = coefficients.indptr, coefficients.indices, coefficients.data
    running = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    row_of = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    sums = running[:-1] - running[indptr[row_of + 1]]  # from each entry to the end of its row
    is_first = np.ones(len(points), dtype=bool)
    is_first[1:] = row_of[1:] != row_of[:-1]
    before = np.where(is_first, NONE, np.append(NONE, points[:-1]))
    lengths = np.where(np.abs(sums) > ZERO, points - before, 0)
    starts = np.repeat(points - lengths + 1, lengths)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows, entries = np.repeat(row_of, lengths), np.repeat(sums, lengths)
    return sparse.csr_array((entries, (rows, starts + within)), shape=coefficients.shape)
