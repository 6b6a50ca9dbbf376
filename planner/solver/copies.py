"""The copies of the hull in a session: of the modes of a step that matter, as they are needed.

A step has a planned mode p; its copy is what the others leave: x - sum_m x_m, of weight
1 - sum_m w_m. With the right-hand sides b_m and the bounds l_m, u_m of the block of the step,

    copy        A x_m <= b_m w_m                       l_m w_m <= x_m <= u_m w_m      every m but p
    remainder   A (x - sum_m x_m) <= b_p (1 - sum_m w_m)                 its bounds likewise
    states      on_k + sum_m (p_k - m_k) w_m = p_k
    weights     sum_m w_m <= 1

where only the modes added so far count. A step without copies has the rows of the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.solver.highs import Session
from planner.solver.hull import TIGHT, Hull
from planner.solver.program import Flags, Indices
from planner.timeseries.series import Array

NO_ROW = -1


class _NewRows(NamedTuple):
    """Rows as entries: their limits and, for each entry, row, column and value."""

    lower: Array
    upper: Array
    entries: tuple[Array, Indices, Indices]


class Copies:
    """The copies in a session of the hull's program.

    planned: the mode that each step is planned in; shape (steps,).
    active: the modes of each step that have a copy, the planned one where it has any other.
    """

    def __init__(self, session: Session, hull: Hull, planned: Indices) -> None:
        self.session, self.hull, self.planned = session, hull, planned
        self.active = np.zeros((hull.modes, hull.length), dtype=bool)
        self._bounds = [hull.mode_bounds(mode) for mode in range(hull.modes)]
        block, count = hull.block, len(hull.program.cost)
        self._bound_up = np.zeros(count, dtype=bool)  # in a row of a block; others need no copy
        self._bound_up[hull.block_columns[block.matrix.indices]] = True
        self._remainder = np.full(len(block.steps), NO_ROW)
        self._upper, self._lower = np.full(count, NO_ROW), np.full(count, NO_ROW)
        self._links = np.full((len(hull.states), hull.length), NO_ROW)
        self._weights = np.full(hull.length, NO_ROW)
        self._rows = len(hull.program.row_lower)

    def add(self, wanted: Flags) -> bool:
        """Add copies of modes by step, shape (modes, steps); return whether any was missing."""
        hull = self.hull
        wanted = wanted & ~self.active
        wanted[self.planned, np.arange(hull.length)] = False
        new = np.flatnonzero(wanted.any(axis=0) & (self._weights == NO_ROW))
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
        return np.asarray(self._weights != NO_ROW)

    @property
    def relaxes(self) -> bool:
        """Whether the program is a relaxation: no step is confined to some of its modes."""
        every = (self.active | self.hull.excluded).all(axis=0)
        return bool((every | ~self.covered).all())

    def _in_steps(self, steps: Indices) -> tuple[Indices, Indices]:
        """Return the rows of the blocks of some steps, and their columns."""
        hull, chosen = self.hull, np.zeros(self.hull.length, dtype=bool)
        chosen[steps] = True
        rows = np.flatnonzero(chosen[hull.block.steps])
        columns = hull.block_columns[chosen[hull.steps[hull.block_columns]]]
        return rows, columns[self._bound_up[columns]]

    def _planned_values(self, at: Indices, of_mode: Any) -> Any:
        """Return values of rows or columns in the planned mode of their steps."""
        values = np.stack([of_mode(mode) for mode in range(self.hull.modes)])
        return values[self.planned[at], np.arange(len(at))]

    def _add_remainders(self, steps: Indices) -> None:
        """Add the rows of the planned modes of steps, as yet without copies."""
        hull, session = self.hull, self.session
        rows, columns = self._in_steps(steps)
        at = hull.block.steps[rows]
        low = self._planned_values(at, lambda mode: hull.sides[mode][0][rows])
        high = self._planned_values(at, lambda mode: hull.sides[mode][1][rows])
        matrix = self._widened(hull.block.matrix[rows], hull.block_columns)
        at = hull.steps[columns]
        least = self._planned_values(at, lambda mode: self._bounds[mode][0].lower[columns])
        most = self._planned_values(at, lambda mode: self._bounds[mode][0].upper[columns])
        by_rows = self._planned_values(at, lambda mode: self._bounds[mode][1][columns])
        above = columns[~by_rows & np.isfinite(most)]
        below = columns[np.isfinite(least)]
        units = range(len(hull.states))
        linked = [(unit, step) for unit in units for step in steps if hull.states[unit][step] >= 0]
        states = np.array([hull.states[unit][step] for unit, step in linked], dtype=int)
        planned = np.array([float(hull.on(self.planned[step], unit)) for unit, step in linked])
        numbers = self._numbers(len(rows), len(above), len(below), len(linked), len(steps))
        self._remainder[rows], self._upper[above], self._lower[below] = numbers[:3]
        for (unit, step), number in zip(linked, numbers[3], strict=True):
            self._links[unit, step] = number
        self._weights[steps] = numbers[4]
        ones = self._widened(
            sparse.identity(len(above) + len(below) + len(states), format="csr"),
            np.concatenate([above, below, states]),
        )
        empty = sparse.csr_array((len(steps), session.columns))
        infinite = np.full(len(columns), np.inf)
        session.extend(
            sparse.csr_array(sparse.vstack([matrix, ones, empty])),
            np.concatenate([
                low, -infinite[: len(above)], least[np.isfinite(least)], planned,
                np.full(len(steps), -np.inf),
            ]),
            np.concatenate([
                high, most[~by_rows & np.isfinite(most)], infinite[: len(below)], planned,
                np.ones(len(steps)),
            ]),
        )  # fmt: skip

    def _add_copies(self, mode: int, steps: Indices) -> None:
        """Add the copies of a mode for steps that have a remainder."""
        hull, session = self.hull, self.session
        rows, columns = self._in_steps(steps)
        (least, most), by_rows = self._bounds[mode]
        columns = columns[np.maximum(np.abs(least[columns]), np.abs(most[columns])) > TIGHT]
        count, first = len(columns), session.columns
        place = np.full(len(hull.program.cost), NO_ROW)
        place[columns] = first + np.arange(count)
        weight = np.full(hull.length, NO_ROW)
        weight[steps] = first + count + np.arange(len(steps))
        width = first + count + len(steps)
        # the copy's own rows
        entries = sparse.coo_array(hull.block.matrix[rows])
        owner = place[hull.block_columns[entries.col]]
        present = owner != NO_ROW
        low, high = (side[rows] for side in hull.sides[mode])
        limit = np.where(np.isfinite(high), high, low)
        above = columns[~by_rows[columns] & np.isfinite(most[columns])]
        below = columns[np.isfinite(least[columns]) & (least[columns] != 0)]
        own = _stacked(width, [
            _NewRows(
                np.where(np.isfinite(low), 0.0, -np.inf), np.where(np.isfinite(high), 0.0, np.inf),
                (
                    np.append(entries.data[present], -limit),
                    np.append(entries.row[present], np.arange(len(rows))),
                    np.append(owner[present], weight[hull.block.steps[rows]]),
                ),
            ),
            _bounded(place[above], weight[hull.steps[above]], most[above], is_upper=True),
            _bounded(place[below], weight[hull.steps[below]], least[below], is_upper=False),
        ])  # fmt: skip
        # and what it takes from the remainder
        remainder = self._remainder[rows]
        planned_low, planned_high = (
            self._planned_values(hull.block.steps[rows], lambda m, k=k: hull.sides[m][k][rows])
            for k in range(2)
        )
        planned_limit = np.where(np.isfinite(planned_high), planned_high, planned_low)
        planned_least, planned_most = (
            self._planned_values(
                hull.steps[hull.block_columns],
                lambda m, k=k: self._bounds[m][0][k][hull.block_columns],
            )
            for k in range(2)
        )
        of_block = hull.block_columns
        in_steps = weight[hull.steps[of_block]] != NO_ROW
        parts = [
            (-entries.data[present], remainder[entries.row[present]], owner[present]),
            (planned_limit, remainder, weight[hull.block.steps[rows]]),
        ]
        for number, planned in ((self._upper, planned_most), (self._lower, planned_least)):
            limited = in_steps & (number[of_block] != NO_ROW)
            chosen = of_block[limited]
            weights = weight[hull.steps[chosen]]
            parts.append((planned[limited], number[chosen], weights))
            copied = columns[number[columns] != NO_ROW]
            parts.append((np.full(len(copied), -1.0), number[copied], place[copied]))
        for unit in range(len(hull.states)):
            linked = steps[self._links[unit][steps] != NO_ROW]
            planned = np.array([hull.on(self.planned[step], unit) for step in linked], dtype=float)
            change = planned - hull.on(mode, unit)
            parts.append((change, self._links[unit][linked], weight[linked]))
        parts.append((np.ones(len(steps)), self._weights[steps], weight[steps]))
        values, numbers, owners = (np.concatenate(each) for each in zip(*parts, strict=True))
        into = sparse.csc_array(
            (values, (numbers, owners - first)), shape=(self._rows, width - first)
        )
        lowest = np.where(least[columns] < 0, -np.inf, 0.0)
        session.extend(own[0], own[1], own[2], into, np.append(lowest, np.zeros(len(steps))))
        self._rows += own[0].shape[0]

    def _numbers(self, *counts: int) -> list[Indices]:
        """Return the numbers of the next rows of the session, part by part."""
        ends = np.cumsum([self._rows, *counts])
        self._rows = int(ends[-1])
        return [np.arange(a, b) for a, b in pairwise(ends)]

    def _widened(self, matrix: Any, columns: Indices) -> Any:
        """Return a matrix over some columns as one over all of the session."""
        entries = sparse.coo_array(matrix)
        shape = entries.shape[0], self.session.columns
        return sparse.csr_array((entries.data, (entries.row, columns[entries.col])), shape=shape)


def _bounded(columns: Indices, weights: Indices, limits: Array, *, is_upper: bool) -> _NewRows:
    """Return rows that keep columns within limits times their weights."""
    count = len(columns)
    zero, infinite = np.zeros(count), np.full(count, np.inf)
    rows = np.arange(count)
    entries = (
        np.append(np.ones(count), -limits), np.append(rows, rows), np.append(columns, weights)
    )  # fmt: skip
    lower, upper = (-infinite, zero) if is_upper else (zero, infinite)
    return _NewRows(lower, upper, entries)


def _stacked(width: int, parts: Iterable[_NewRows]) -> tuple[Any, Array, Array]:
    matrices, lower, upper = [], [], []
    for part in parts:
        values, rows, columns = part.entries
        shape = len(part.lower), width
        matrices.append(sparse.csr_array((values, (rows, columns)), shape=shape))
        lower.append(part.lower)
        upper.append(part.upper)
    return (
        sparse.csr_array(sparse.vstack(matrices)), np.concatenate(lower), np.concatenate(upper)
    )  # fmt: skip
