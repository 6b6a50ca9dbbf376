"""The copies of the hull in a session: of the modes of a step that matter, as they are needed.

A step has a planned mode p; its copy is what the others leave: x - sum_m x_m, of weight
1 - sum_m w_m. With the right-hand sides b_m and the bounds l_m, u_m of the block of the step,

    copy        A x_m <= b_m w_m                       l_m w_m <= x_m <= u_m w_m      every m but p
    remainder   A (x - sum_m x_m) <= b_p (1 - sum_m w_m)                 its bounds likewise
    states      on_k + sum_m (p_k - m_k) w_m = p_k
    weights     sum_m w_m <= 1

where only the modes added so far count. A step without copies has the rows of the program. Upper
bounds that the rows of the block imply by themselves are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.solver.hull import TIGHT, Hull
from planner.solver.program import NO_INDICES, Flags, Indices
from planner.solver.session import Session
from planner.solver.state_schedule import is_on
from planner.timeseries.series import Array

NONE = -1  # of rows and columns


class _MatrixEntries(NamedTuple):
    """Entries of a matrix: the row, the column and the value of each."""

    rows: Indices
    columns: Indices
    values: Array


class _NewRows(NamedTuple):
    """Rows by their limits and entries."""

    lower: Array
    upper: Array
    entries: _MatrixEntries


NO_ENTRIES = _MatrixEntries(NO_INDICES, NO_INDICES, np.zeros(0))


class _RowNumbers(NamedTuple):
    """The rows of a session that the remainder of steps has: NONE where it has none.

    block: by row of the block. upper, lower: by column of the program. states: by unit and step.
    weights: by step.
    """

    block: Indices
    upper: Indices
    lower: Indices
    states: Indices
    weights: Indices


class Copies:
    """The copies in a session of the hull's program.

    planned: the mode that each step is planned in; shape (steps,).
    active: the modes of each step that have a copy, the planned one where it has any other.
    """

    def __init__(self, session: Session, hull: Hull, planned: Indices) -> None:
        self.session, self.hull, self.planned = session, hull, planned
        self.active = np.zeros((hull.modes, hull.length), dtype=bool)
        columns, steps = len(hull.program.cost), hull.length
        self._bounds = [hull.mode_bounds(mode) for mode in range(hull.modes)]
        self._coupled = np.zeros(columns, dtype=bool)  # others need no copy
        self._coupled[hull.block_columns[hull.block.matrix.indices]] = True
        self._count = len(hull.program.row_lower)
        self._numbers = _RowNumbers(*(
            np.full(shape, NONE)
            for shape in (
                len(hull.block.steps), columns, columns, (len(hull.states), steps), steps
            )
        ))  # fmt: skip

    def add(self, wanted: Flags) -> bool:
        """Add copies of modes by step, shape (modes, steps); return whether any was missing."""
        wanted = wanted & ~self.active
        wanted[self.planned, np.arange(self.hull.length)] = False
        new = np.flatnonzero(wanted.any(axis=0) & ~self.covered)
        if new.size:
            self._add_remainders(new)
        for mode in np.flatnonzero(wanted.any(axis=1)):
            self._add_copies(int(mode), np.flatnonzero(wanted[mode]))
        self.active |= wanted
        self.active[self.planned[new], new] = True
        return bool(wanted.any())

    @property
    def covered(self) -> Flags:
        """The steps that have copies."""
        return np.asarray(self.active.any(axis=0))

    @property
    def relaxes(self) -> bool:
        """Whether the program is a relaxation: no step is confined to some of its modes."""
        every = (self.active | self.hull.excluded).all(axis=0)
        return bool((every | ~self.covered).all())

    def _in_steps(self, steps: Indices) -> tuple[Indices, Indices, _MatrixEntries]:
        """Return the rows of the blocks of some steps, the columns they couple, and the entries."""
        hull = self.hull
        chosen = np.zeros(hull.length, dtype=bool)
        chosen[steps] = True
        columns = hull.block_columns[chosen[hull.steps[hull.block_columns]]]
        rows = np.flatnonzero(chosen[hull.block.steps])
        entries = sparse.coo_array(hull.block.matrix[rows])
        block = _MatrixEntries(entries.row, hull.block_columns[entries.col], entries.data)
        return rows, columns[self._coupled[columns]], block

    def _in_planned_mode(self, steps: Indices, of_mode: Callable[[int], Any]) -> Any:
        """Return values, one per entry of `steps`, in the planned mode of its step."""
        values = np.stack([of_mode(mode) for mode in range(self.hull.modes)])
        return values[self.planned[steps], np.arange(len(steps))]

    def _sides(self, rows: Indices) -> tuple[Array, Array]:
        """Return the limits of rows of blocks in the planned modes."""
        steps, sides = self.hull.block.steps[rows], self.hull.sides
        low = self._in_planned_mode(steps, lambda mode: sides[mode][0][rows])
        return low, self._in_planned_mode(steps, lambda mode: sides[mode][1][rows])

    def _planned_bounds(self, columns: Indices) -> tuple[Array, Array]:
        """Return the bounds of columns in the planned modes."""
        steps, bounds = self.hull.steps[columns], self._bounds
        low = self._in_planned_mode(steps, lambda mode: bounds[mode][0].lower[columns])
        return low, self._in_planned_mode(steps, lambda mode: bounds[mode][0].upper[columns])

    def _add_remainders(self, steps: Indices) -> None:
        """Add the rows of the planned modes of steps, as yet without copies."""
        hull = self.hull
        rows, columns, block = self._in_steps(steps)
        least, most = self._planned_bounds(columns)
        implied = self._in_planned_mode(
            hull.steps[columns], lambda mode: self._bounds[mode][1][columns]
        )
        above, below = ~implied & np.isfinite(most), np.isfinite(least)
        every = np.array(hull.states)
        units, at = np.nonzero(every[:, steps] >= 0)
        states, planned = every[units, steps[at]], is_on(self.planned[steps[at]], units)
        parts = [
            _NewRows(*self._sides(rows), block),
            _single(columns[above], -np.inf, most[above]),
            _single(columns[below], least[below], np.inf),
            _single(states, planned.astype(float), planned.astype(float)),
            _NewRows(np.full(len(steps), -np.inf), np.ones(len(steps)), NO_ENTRIES),
        ]
        blocks, upper, lower, links, weights = self._extend(parts, self.session.columns)
        numbers = self._numbers
        numbers.block[rows], numbers.upper[columns[above]] = blocks, upper
        numbers.lower[columns[below]], numbers.weights[steps] = lower, weights
        numbers.states[units, steps[at]] = links

    def _add_copies(self, mode: int, steps: Indices) -> None:
        """Add the copies of a mode for steps that have a remainder."""
        hull, first = self.hull, self.session.columns
        rows, columns, block = self._in_steps(steps)
        (least, most), implied = self._bounds[mode]
        columns = columns[np.maximum(np.abs(least[columns]), np.abs(most[columns])) > TIGHT]
        copy, weight = np.full(len(hull.program.cost), NONE), np.full(hull.length, NONE)
        copy[columns] = first + np.arange(len(columns))
        weight[steps] = first + len(columns) + np.arange(len(steps))
        block = block._replace(columns=copy[block.columns])
        block = _MatrixEntries(*(part[block.columns != NONE] for part in block))
        low, high = (side[rows] for side in hull.sides[mode])
        weights = weight[hull.block.steps[rows]]
        above = columns[~implied[columns] & np.isfinite(most[columns])]
        below = columns[np.isfinite(least[columns]) & (least[columns] != 0)]
        parts = [
            _NewRows(
                np.where(np.isfinite(low), 0.0, -np.inf), np.where(np.isfinite(high), 0.0, np.inf),
                _MatrixEntries(
                    np.append(block.rows, np.arange(len(rows))), np.append(block.columns, weights),
                    np.append(block.values, -_limit(low, high)),
                ),
            ),
            _weighed(copy[above], weight[hull.steps[above]], most[above], -np.inf, 0.0),
            _weighed(copy[below], weight[hull.steps[below]], least[below], 0.0, np.inf),
        ]  # fmt: skip
        taken = self._taken(mode, steps, rows, block, copy, weight)
        width = first + len(columns) + len(steps)
        into = sparse.csc_array(
            (taken.values, (taken.rows, taken.columns - first)), shape=(self._count, width - first)
        )
        lowest = np.append(np.where(least[columns] < 0, -np.inf, 0.0), np.zeros(len(steps)))
        self._extend(parts, width, into, lowest)

    def _taken(
        self, mode: int, steps: Indices, rows: Indices, block: _MatrixEntries, copy: Indices,
        weight: Indices,
    ) -> _MatrixEntries:  # fmt: skip
        """Return what copies of a mode take from the remainders of their steps."""
        hull, numbers = self.hull, self._numbers
        in_blocks = numbers.block[rows]
        parts = [
            _MatrixEntries(in_blocks[block.rows], block.columns, -block.values),
            _MatrixEntries(in_blocks, weight[hull.block.steps[rows]], _limit(*self._sides(rows))),
            _MatrixEntries(numbers.weights[steps], weight[steps], np.ones(len(steps))),
        ]
        limited = hull.block_columns[weight[hull.steps[hull.block_columns]] != NONE]
        for number, bounds in zip(
            (numbers.lower, numbers.upper), self._planned_bounds(limited), strict=True
        ):
            has_row = number[limited] != NONE
            of_rows = limited[has_row]
            weights = weight[hull.steps[of_rows]]
            parts.append(_MatrixEntries(number[of_rows], weights, bounds[has_row]))
            taken = of_rows[copy[of_rows] != NONE]
            parts.append(_MatrixEntries(number[taken], copy[taken], np.full(len(taken), -1.0)))
        for unit in range(len(hull.states)):
            linked = steps[numbers.states[unit, steps] != NONE]
            change = is_on(self.planned[linked], unit) - is_on(mode, unit)
            parts.append(_MatrixEntries(numbers.states[unit, linked], weight[linked], change))
        return _joined(parts)

    def _extend(
        self, parts: Sequence[_NewRows], width: int, into: Any = None, least: Array | float = 0.0
    ) -> list[Indices]:
        """Add rows to the session, and columns up to its new width; return the numbers of rows."""
        starts = np.cumsum([0, *(len(part.lower) for part in parts)])
        rows, columns, values = _joined([
            part.entries._replace(rows=start + part.entries.rows)
            for start, part in zip(starts[:-1], parts, strict=True)
        ])  # fmt: skip
        matrix = sparse.csr_array((values, (rows, columns)), shape=(int(starts[-1]), width))
        lower, upper = (np.concatenate([part[side] for part in parts]) for side in range(2))
        self.session.extend(matrix, lower, upper, into, least)
        numbers = [self._count + np.arange(a, b) for a, b in pairwise(starts)]
        self._count += int(starts[-1])
        return numbers


def _limit(low: Array, high: Array) -> Array:
    """Return the limit of rows that have one, or two that are equal."""
    return np.where(np.isfinite(high), high, low)


def _joined(parts: Sequence[_MatrixEntries]) -> _MatrixEntries:
    return _MatrixEntries(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _single(columns: Indices, lower: Array | float, upper: Array | float) -> _NewRows:
    """Return a row for each column, within limits."""
    count = len(columns)
    low, high = np.broadcast_to(lower, count), np.broadcast_to(upper, count)
    return _NewRows(low, high, _MatrixEntries(np.arange(count), columns, np.ones(count)))


def _weighed(
    columns: Indices, weights: Indices, factor: Array, low: float, high: float
) -> _NewRows:
    """Return a row for each column less a factor of its weight, within limits."""
    rows, count = np.arange(len(columns)), len(columns)
    return _NewRows(
        np.full(count, low), np.full(count, high),
        _MatrixEntries(
            np.append(rows, rows), np.append(columns, weights), np.append(np.ones(count), -factor)
        ),
    )  # fmt: skip
