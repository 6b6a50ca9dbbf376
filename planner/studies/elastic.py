"""An elastic copy of a program: it may buy the effects of scenario fields, step by step.

How the program answers to a field is measured, not written down: the field is moved a little, the
program compiled again, and what moved in it is the effect of the field (an elastic program in the
sense of Chinneck 2008, with slacks in fields instead of rows).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from planner.program import Flags, Indices, Program
from planner.series import Array
from planner.solver import Session
from planner.studies.moved import shift_of

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
    peaks = _peak_of(sizes)
    flat = sparse.eye_array(sum(sizes))
    matrix = sparse.csc_array(
        sparse.block_array(
            [
                [program.matrix, -rows, rows, None],
                [pick[low], -lower[low], lower[low], None],
                [pick[high], -upper[high], upper[high], None],
                [None, flat, flat, -peaks],
            ]
        )
    )
    column_lower, column_upper = program.column_lower.copy(), program.column_upper.copy()
    column_lower[low], column_upper[high] = -np.inf, np.inf
    no_more, no_less = np.full(len(low), np.inf), np.full(len(high), -np.inf)
    value = np.concatenate([s.value for s in slacks])
    room_up = np.concatenate([np.maximum(s.most - s.value, 0.0) for s in slacks])
    room_down = np.concatenate([np.maximum(s.value - s.least, 0.0) for s in slacks])
    price = np.repeat([s.price for s in slacks], sizes)
    peak_price = np.array([EVEN * s.price for s in slacks])
    new = 2 * len(value) + len(slacks)
    elastic = replace(
        program,
        matrix=matrix,
        row_lower=np.concatenate(
            [program.row_lower, program.column_lower[low], no_less, np.full(len(value), -np.inf)]
        ),
        row_upper=np.concatenate(
            [program.row_upper, no_more, program.column_upper[high], np.zeros(len(value))]
        ),
        column_lower=np.concatenate([column_lower, np.zeros(new)]),
        column_upper=np.concatenate(
            [column_upper, room_up, room_down, np.full(len(slacks), np.inf)]
        ),
        cost=np.concatenate([0.0 * program.cost, price, price, peak_price]),
        offset=0.0,
    )
    session = Session(elastic, threads=1, seed=0)
    session.integrality(np.concatenate([every_integer(program), np.zeros(new, dtype=bool)]))
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
    every = np.arange(len(fields))
    return sparse.csc_array(
        (np.ones(len(fields)), (every, fields)), shape=(len(fields), len(sizes))
    )


def every_integer(program: Program) -> Flags:
    """Return the integer columns, every switch among them."""
    every = program.integer.copy()
    every[program.switches] = True
    return every
