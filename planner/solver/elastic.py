"""Elastic programs (Chinneck 2008): the cheapest slacks of rows or fields for a feasible point.

`least_miss` gives slacks to rows, `least_slack` to fields of the scenario, step by step. The effect
of a field on the program is measured: the field is perturbed, the program compiled again, and the
difference of the arrays per unit of the field is its effect. For a field that acts linearly this is
exact; at a kink, such as max(peak_so_far_mw, expected_peak_mw), it is the upward slope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from planner.solver.budget import Budget
from planner.solver.linear_program import LinearProgram
from planner.solver.program import Flags, Indices, Program
from planner.solver.scaling import rescaled
from planner.solver.session import Session
from planner.timeseries.series import Array

ROW_TOLERANCE = 1e-6  # of its size: a point that misses a row by less satisfies it
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Shift(LinearProgram):
    """The derivative of a program with respect to a field; infinite limits stay."""


def shift_of(program: Program, perturbed: Program, amount: float) -> Shift | None:
    """Return the shift from a program to its perturbation by `amount`; None if shapes differ."""
    if perturbed.matrix.shape != program.matrix.shape:
        return None

    def per_unit(name: str) -> Array:
        new, old = getattr(perturbed, name), getattr(program, name)
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(old), (new - old) / amount, 0.0)

    return Shift(
        (perturbed.matrix - program.matrix).tocsr() / amount,
        per_unit("row_lower"), per_unit("row_upper"),
        per_unit("column_lower"), per_unit("column_upper"),
        per_unit("cost"), (perturbed.offset - program.offset) / amount,
    )  # fmt: skip


def aligned(program: Program, perturbed: Program, x: Array) -> Program | None:
    """Return a perturbed program with the rows and columns of the program, in its order.

    A row that only the perturbed program has is left out where the point `x` satisfies it. None
    where a row or column is missing, a column is new, or a new row cuts off the point.

    Args:
        program: the program before the perturbation.
        perturbed: the program after it.
        x: a point of the program.
    """
    if perturbed.matrix.shape == program.matrix.shape:
        return perturbed
    rows = _positions(_row_keys(program), _row_keys(perturbed))
    columns = _positions(_column_keys(program), _column_keys(perturbed))
    if rows is None or columns is None or len(columns) < len(perturbed.cost):
        return None
    matrix = sparse.csr_array(perturbed.matrix)[:, columns]
    new = np.setdiff1d(np.arange(matrix.shape[0]), rows)
    activity = matrix[new] @ x
    slack = ROW_TOLERANCE * np.maximum(1.0, np.abs(activity))
    low, high = perturbed.row_lower[new] - slack, perturbed.row_upper[new] + slack
    if not ((low <= activity) & (activity <= high)).all():
        return None
    return replace(
        perturbed, matrix=sparse.csc_array(matrix[rows]),
        row_lower=perturbed.row_lower[rows], row_upper=perturbed.row_upper[rows],
        column_lower=perturbed.column_lower[columns], column_upper=perturbed.column_upper[columns],
        cost=perturbed.cost[columns],
    )  # fmt: skip


def _row_keys(program: Program) -> list[Key]:
    """Return the name, the step and the limited side of each row."""
    families, high = list(program.families), np.isfinite(program.row_upper)
    parts = zip(program.row_families.tolist(), program.row_steps.tolist(), high, strict=True)
    return [(families[family], step, side) for family, step, side in parts]


def _column_keys(program: Program) -> list[Key]:
    """Return the name and the step of each column."""
    families = program.variable_families
    parts = zip(program.column_families.tolist(), program.column_steps.tolist(), strict=True)
    return [(families[family], step) for family, step in parts]


def _positions(keys: list[Key], others: list[Key]) -> Indices | None:
    """Return the position of each key among others that are unique; None if one is missing."""
    place = {key: i for i, key in enumerate(others)}
    if len(place) < len(others) or not all(key in place for key in keys):
        return None
    return np.array([place[key] for key in keys], dtype=np.int64)


MIN_EFFECT = 1e-6  # a smaller effect of a field, or change of it, is none
PEAK_WEIGHT = 0.01  # of a slack's peak beside its sum: of equal sums the even one is chosen


@dataclass(frozen=True)
class Effects:
    """The effect of one unit of a field on rows and on bounds of columns."""

    rows: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Slack:
    """A field that may change: its effects, value by step, upper limit, and price per unit."""

    effects: Effects
    value: Array
    max_value: float
    price: float


def effects_of(program: Program, perturbed: Program, amount: float) -> Effects | None:
    """Return how far one unit of a field relaxes each row and shifts each bound.

    None where the field has no effect, or multiplies quantities so that its effect is no constant.
    Where it multiplies columns between 0 and 1 the effect is that of a column at 1.
    """
    shift = shift_of(program, perturbed, amount)
    if shift is None:
        return None
    difference = shift.matrix
    rows = np.where(np.isfinite(program.row_upper), shift.row_upper, shift.row_lower)
    difference.data[np.abs(difference.data) < MIN_EFFECT] = 0.0
    difference.eliminate_zeros()
    touched = np.flatnonzero(np.diff(difference.indptr))
    for row in touched.tolist():
        part = slice(difference.indptr[row], difference.indptr[row + 1])
        columns, data = difference.indices[part], difference.data[part]
        unit_box = (program.column_lower[columns] >= 0) & (program.column_upper[columns] <= 1)
        if not unit_box.all():
            return None
        if program.row_lower[row] == program.row_upper[row]:
            rows[row] -= data.sum()
        elif np.isfinite(program.row_upper[row]):
            rows[row] += np.maximum(-data, 0.0).sum()
        else:
            rows[row] -= np.maximum(data, 0.0).sum()
    result = Effects(rows, shift.column_lower, shift.column_upper)
    largest = max(np.abs(part).max(initial=0.0) for part in (rows, result.lower, result.upper))
    return result if largest > MIN_EFFECT else None


def least_slack(program: Program, slacks: Sequence[Slack], budget: Budget) -> list[Array] | None:
    """Return the cheapest changes of fields, by step, that allow a feasible point, else None."""
    width = program.matrix.shape[1]
    row_steps, column_steps = program.row_steps, program.column_steps
    rows, lower, upper = (
        sparse.csr_array(sparse.hstack(parts))
        for parts in (
            [_spread(s, s.effects.rows, row_steps) for s in slacks],
            [_spread(s, s.effects.lower, column_steps) for s in slacks],
            [_spread(s, s.effects.upper, column_steps) for s in slacks],
        )
    )
    low, high = (np.flatnonzero(np.diff(part.indptr)) for part in (lower, upper))
    pick = sparse.eye_array(width, format="csr")
    sizes = [len(s.value) for s in slacks]
    flat = sparse.eye_array(sum(sizes))
    unused = sparse.csc_array((len(program.row_lower), len(slacks)))
    limits = sparse.block_array(
        [
            [pick[low], -lower[low], lower[low], None],
            [pick[high], -upper[high], upper[high], None],
            [None, flat, flat, -sparse.block_diag([np.ones((size, 1)) for size in sizes])],
        ]
    )
    opened = program.with_bounds(low, lower=-np.inf).with_bounds(high, upper=np.inf)
    value = np.concatenate([s.value for s in slacks])
    most = np.repeat([s.max_value for s in slacks], sizes)
    price = np.array([s.price for s in slacks])
    no_limit = np.full(len(slacks), np.inf)
    no_more, no_less = np.full(len(low), np.inf), np.full(len(high) + len(value), -np.inf)
    elastic = opened.feasibility.with_columns(
        sparse.hstack([-rows, rows, unused]),
        0.0,
        np.concatenate([np.maximum(most - value, 0.0), np.maximum(value, 0.0), no_limit]),
        np.concatenate([np.repeat(price, sizes), np.repeat(price, sizes), PEAK_WEIGHT * price]),
    ).with_rows(
        limits,
        np.concatenate([program.column_lower[low], no_less]),
        np.concatenate([no_more, program.column_upper[high], np.zeros(len(value))]),
    )
    x = budget.point(Session(elastic), elastic.all_integer, absolute_gap=1e-6)
    if x is None:
        return None
    _, up, down, _ = np.split(x, width + np.cumsum([0, len(value), len(value)]))
    change = np.where(np.abs(up - down) > MIN_EFFECT, up - down, 0.0)
    return list(np.split(change, np.cumsum(sizes)[:-1]))


def _spread(slack: Slack, effect: Array, steps_of: Indices) -> sparse.csc_array:
    """Return the effect of a field on rows or bounds by the step of its slack."""
    steps = len(slack.value)
    shifted = np.flatnonzero(np.abs(effect) > MIN_EFFECT)
    step = np.maximum(steps_of[shifted] - 1, 0) if steps > 1 else np.zeros(len(shifted), dtype=int)
    return sparse.csc_array((effect[shifted], (shifted, step)), shape=(len(effect), steps))


def least_miss(
    program: Program,
    rows: Indices,
    price: Array,
    time_limit_s: float,
    most: Array | float = np.inf,
    precision: float = 1e-6,
) -> tuple[Array, Array, Array] | None:
    """Return the point with the cheapest slacks of some rows, and the slacks below and above.

    None where there is no such point, or the time limit strikes first.

    Args:
        program: its other rows and its bounds hold; its objective is left out.
        rows: those that get a slack; a row may have several.
        price: of a unit of slack, by row.
        time_limit_s: of the solver.
        most: the largest slack, by row or of each.
        precision: of the price of all slacks.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    (height, width), count = program.matrix.shape, len(rows)
    miss = sparse.csc_array((np.ones(count), (rows, np.arange(count))), (height, count))
    limits = np.broadcast_to(most, count)
    elastic = program.feasibility.with_columns(
        sparse.hstack([miss, -miss]), 0.0, np.tile(limits, 2), np.tile(price, 2)
    )
    solved = rescaled(elastic)
    session = Session(solved.program)
    integer = elastic.all_integer & (elastic.column_upper > elastic.column_lower)
    session.integrality(integer)
    x = session.run(time_limit_s=time_limit_s, absolute_gap=precision).x
    if x is not None and integer.any() and not session.spent.stopped:
        x = _exact(session, integer, x, time_limit_s)
    if session.spent.stopped:
        raise KeyboardInterrupt
    if x is None:
        return None
    point, below, above = np.split(solved.point(x), [width, width + count])
    return point, below, above


def _exact(session: Session, integer: Flags, x: Array, time_limit_s: float) -> Array:
    """Return the best point with the integers of another rounded, free of their tolerance."""
    columns = np.flatnonzero(integer)
    whole = np.round(x[columns])
    session.integrality(np.zeros(len(x), dtype=bool))
    session.bounds(columns, whole, whole)
    best = session.run(time_limit_s=time_limit_s).x
    return x if best is None else best


def row_sizes(program: Program) -> Array:
    """Return the largest coefficient of every row."""
    return np.asarray(np.maximum(1e-12, abs(program.matrix).max(axis=1).toarray().ravel()))
