"""Elastic programs (Chinneck 2008): which rows to miss, or which fields to buy, to have a point.

The effect of a scenario field on the program is measured, not written down: the field is moved a
little, the program compiled again, and the difference of the arrays per unit is the effect. Most
fields act in a straight line, so it is exact; only at a kink, such as max(peak_so_far_mw,
expected_peak_mw), it is the upward slope. The slacks of an elastic program are then bought in
fields, step by step, instead of in rows; `least_miss` buys them in rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from planner.solver.compiler import compile_program
from planner.solver.highs import Session
from planner.solver.model import Model, assemble
from planner.solver.program import Indices, Program
from planner.timeseries.series import Array

KEPT = 1e-6  # of its size: how far a point may miss a new row and still keep it
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Shift:
    """What moves in a program per unit of a field; limits that are infinite do not move."""

    matrix: Any
    row_lower: Array
    row_upper: Array
    column_lower: Array
    column_upper: Array
    cost: Array
    offset: float


def shift_of(program: Program, moved: Program, amount: float) -> Shift | None:
    """Measure what `amount` moved; None where the program has another shape."""
    if moved.matrix.shape != program.matrix.shape:
        return None

    def gap(name: str) -> Array:
        new, old = getattr(moved, name), getattr(program, name)
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(old), (new - old) / amount, 0.0)

    return Shift(
        (moved.matrix - program.matrix).tocsr() / amount,
        gap("row_lower"), gap("row_upper"), gap("column_lower"), gap("column_upper"),
        gap("cost"), (moved.offset - program.offset) / amount,
    )  # fmt: skip


def aligned(program: Program, moved: Program, model: Model, x: Array) -> Program | None:
    """Return the moved program with the rows and columns of the first, in its order.

    A row that only the moved one has is left out where the point `x` keeps it: it limits nothing.
    None where a row or column is gone, a column is new, or a new row would forbid the point.
    """
    if moved.matrix.shape == program.matrix.shape:
        return moved
    first = assemble(program.scenario, program.window)
    compile_program(first)
    rows, columns = _matched(_rows(first), _rows(model)), _matched(_columns(first), _columns(model))
    if rows is None or columns is None or len(columns) < len(model.columns):
        return None
    matrix = sparse.csr_array(moved.matrix)[:, columns]
    new = np.setdiff1d(np.arange(matrix.shape[0]), rows)
    activity = matrix[new] @ x
    slack = KEPT * np.maximum(1.0, np.abs(activity))
    low, high = moved.row_lower[new] - slack, moved.row_upper[new] + slack
    if not ((low <= activity) & (activity <= high)).all():
        return None
    return replace(
        moved, matrix=sparse.csc_array(matrix[rows]),
        row_lower=moved.row_lower[rows], row_upper=moved.row_upper[rows],
        column_lower=moved.column_lower[columns], column_upper=moved.column_upper[columns],
        cost=moved.cost[columns],
    )  # fmt: skip


def _rows(model: Model) -> list[Key]:
    return [(*_name(row), side) for row, side in model.rows]


def _columns(model: Model) -> list[Key]:
    return [_name(column) for column in model.columns]


def _name(part: Any) -> Key:
    owner = part.parent_component()
    return owner.parent_block().index(), owner.local_name, part.index()


def _matched(wanted: list[Key], given: list[Key]) -> Indices | None:
    """Return where each of the wanted stands in the given; None where one does not."""
    place = {key: i for i, key in enumerate(given)}
    if len(place) < len(given) or not all(key in place for key in wanted):
        return None
    return np.array([place[key] for key in wanted], dtype=np.int64)


FINE = 1e-6
EVEN = 0.01  # weight of a slack's peak beside its sum: of equal sums the even one is meant


@dataclass(frozen=True)
class Effects:
    """What one unit of a field does: to rows and to bounds of columns, with the step of each."""

    rows: Array
    row_steps: Indices
    lower: Array
    upper: Array
    column_steps: Indices


@dataclass(frozen=True)
class Slack:
    """A field that may be bought: its effects, value by step, limits, and price per unit."""

    effects: Effects
    value: Array
    least: float
    most: float
    price: float


def effects_of(program: Program, moved: Program, amount: float) -> Effects | None:
    """Measure how far one unit of a field relaxes each row and moves each bound.

    None where the field does nothing, or multiplies quantities so that no constant is its effect.
    Where it multiplies columns between 0 and 1 the effect is that of a column at 1.
    """
    shift = shift_of(program, moved, amount)
    if shift is None:
        return None
    difference = shift.matrix
    rows = np.where(np.isfinite(program.row_upper), shift.row_upper, shift.row_lower)
    difference.data[np.abs(difference.data) < FINE] = 0.0
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
    result = Effects(
        rows, program.row_steps, shift.column_lower, shift.column_upper, program.column_steps
    )
    some = max(np.abs(part).max(initial=0.0) for part in (rows, result.lower, result.upper))
    return result if some > FINE else None


def least_slack(
    program: Program, slacks: Sequence[Slack], time_limit_s: float
) -> list[Array] | None:
    """Return the cheapest changes of the fields, by step, that leave a point; None for none."""
    width = program.matrix.shape[1]
    rows = sparse.hstack([_spread(s, s.effects.rows, s.effects.row_steps) for s in slacks])
    lowers = [_spread(s, s.effects.lower, s.effects.column_steps) for s in slacks]
    uppers = [_spread(s, s.effects.upper, s.effects.column_steps) for s in slacks]
    lower, upper = (sparse.csr_array(sparse.hstack(parts)) for parts in (lowers, uppers))
    low, high = (np.flatnonzero(np.diff(part.indptr)) for part in (lower, upper))
    pick = sparse.eye_array(width, format="csr")
    sizes = [len(s.value) for s in slacks]
    flat = sparse.eye_array(sum(sizes))
    unused = sparse.csc_array((len(program.row_lower), len(slacks)))
    limits = sparse.block_array(
        [
            [pick[low], -lower[low], lower[low], None],
            [pick[high], -upper[high], upper[high], None],
            [None, flat, flat, -_peak_of(sizes)],
        ]
    )
    column_lower, column_upper = program.column_lower.copy(), program.column_upper.copy()
    column_lower[low], column_upper[high] = -np.inf, np.inf
    opened = replace(program, column_lower=column_lower, column_upper=column_upper)
    value = np.concatenate([s.value for s in slacks])
    room_up = np.concatenate([np.maximum(s.most - s.value, 0.0) for s in slacks])
    room_down = np.concatenate([np.maximum(s.value - s.least, 0.0) for s in slacks])
    price = np.repeat([s.price for s in slacks], sizes)
    peak_price = np.array([EVEN * s.price for s in slacks])
    no_limit = np.full(len(slacks), np.inf)
    no_more, no_less = np.full(len(low), np.inf), np.full(len(high) + len(value), -np.inf)
    elastic = opened.feasibility.with_columns(
        sparse.hstack([-rows, rows, unused]),
        0.0,
        np.concatenate([room_up, room_down, no_limit]),
        np.concatenate([price, price, peak_price]),
    ).with_rows(
        limits,
        np.concatenate([program.column_lower[low], no_less]),
        np.concatenate([no_more, program.column_upper[high], np.zeros(len(value))]),
    )
    session = Session(elastic, threads=1, seed=0)
    session.integrality(elastic.all_integer)
    result = session.run(time_limit_s=time_limit_s, absolute_gap=1e-6)
    if result.x is None:
        return None
    up, down = result.x[width : width + len(value)], result.x[width + len(value) :][: len(value)]
    change = np.where(np.abs(up - down) > FINE, up - down, 0.0)
    return list(np.split(change, np.cumsum(sizes)[:-1]))


def _spread(slack: Slack, effect: Array, steps_of: Indices) -> sparse.csc_array:
    """Return which row or column the slack of which step moves, and how far."""
    steps = len(slack.value)
    moved = np.flatnonzero(np.abs(effect) > FINE)
    step = np.maximum(steps_of[moved] - 1, 0) if steps > 1 else np.zeros(len(moved), dtype=int)
    return sparse.csc_array((effect[moved], (moved, step)), shape=(len(effect), steps))


def _peak_of(sizes: Sequence[int]) -> sparse.csc_array:
    """Return which field each slack belongs to; shape (slacks, fields)."""
    fields = np.repeat(np.arange(len(sizes)), sizes)
    slacks = np.arange(len(fields))
    return sparse.csc_array(
        (np.ones(len(fields)), (slacks, fields)), shape=(len(fields), len(sizes))
    )


def least_miss(
    program: Program, rows: Indices, price: Array, time_limit_s: float
) -> tuple[Array, Array, Array] | None:
    """Return the point that misses some rows most cheaply, and how far it is below and above each.

    Args:
        program: all else of it holds; what it minimises is left aside.
        rows: those that may be missed.
        price: of each, for every unit that it is missed by.
        time_limit_s: None is returned where it strikes first, and where there is no such point.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    (height, width), count = program.matrix.shape, len(rows)
    miss = sparse.csc_array((np.ones(count), (rows, np.arange(count))), (height, count))
    elastic = program.feasibility.with_columns(
        sparse.hstack([miss, -miss]), 0.0, np.inf, np.concatenate([price, price])
    )
    session = Session(elastic, threads=1, seed=0)
    session.integrality(elastic.all_integer & (elastic.column_upper > elastic.column_lower))
    x = session.run(time_limit_s=time_limit_s, absolute_gap=1e-6).x
    if session.stopped:
        raise KeyboardInterrupt
    return None if x is None else (x[:width], x[width : width + count], x[width + count :])


def row_sizes(program: Program) -> Array:
    """Return the largest coefficient of every row."""
    return np.asarray(np.maximum(1e-12, abs(program.matrix).max(axis=1).toarray().ravel()))
