"""The schedule of the states of units: the rows that hold states alone, as a small LP.

Its columns are the states, the integers that rows of nothing but integers join to them (starts and
stops), and columns whose rows hold, beside their like, such columns only (kinds of starts). Minimum
times make its vertices whole, with few exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from planner.solver.highs import LP_ITERATIONS, Result
from planner.solver.implied_bounds import WHOLE
from planner.solver.linear_program import LinearProgram
from planner.solver.program import NO_STEP, Flags, Indices, Program
from planner.solver.session import Session
from planner.timeseries.series import Array


class StateSchedule:
    """The schedule of some states of a program, on request with weights of their modes by step.

    A mode is a set of states that are 1, as a binary number; its weight in a step is the share of
    it in the schedule, so that states are sums of weights.

    columns: of the program. rows: of the program, over these columns alone.
    """

    def __init__(
        self,
        program: Program,
        states: Sequence[Indices],
        session: Session,
        *,
        weighed: bool = False,
    ) -> None:
        self.program, self.states = program, states
        self.modes, self.length = 1 << len(states) if weighed else 0, len(program.window)
        self.committed = _committed_columns(program, states)
        self.columns = np.flatnonzero(self.committed)
        matrix = sparse.csr_array(program.matrix)
        outside = sparse.csr_array(matrix[:, ~self.committed])
        self.rows = np.flatnonzero((np.diff(outside.indptr) == 0) & (np.diff(matrix.indptr) > 0))
        self._session = session.beside(self._linear_program(matrix))

    def _linear_program(self, matrix: Any) -> LinearProgram:
        """Return the rows of the schedule; with weights, also that these sum to 1 and to states."""
        program, columns, every = self.program, self.columns, np.arange(self.modes)
        size, each_step = self.modes * self.length, sparse.eye_array(self.length, format="csr")
        each_column = sparse.eye_array(len(program.cost), format="csr")[:, columns]
        parts = [[matrix[self.rows][:, columns], sparse.csr_array((len(self.rows), size))]]
        sides = [np.zeros(0)]
        if self.modes:
            parts.append([None, sparse.kron(np.ones((1, self.modes)), each_step, "csr")])
            sides.append(np.ones(self.length))
        for unit, state in enumerate(self.states if self.modes else ()):
            present = np.flatnonzero(state >= 0)
            weights = sparse.kron(is_on(every, unit)[None], each_step, "csr")[present]
            parts.append([-each_column[state[present]], weights])
            sides.append(np.zeros(len(present)))
        side = np.concatenate(sides)
        return LinearProgram(
            sparse.csc_array(sparse.block_array(parts, format="csr")),
            np.concatenate([program.row_lower[self.rows], side]),
            np.concatenate([program.row_upper[self.rows], side]),
            np.append(program.column_lower[columns], np.zeros(size)),
            np.append(program.column_upper[columns], np.ones(size)),
            np.zeros(len(columns) + size),
        )

    def best(
        self, cost: Array, values: Array, lower: Array, upper: Array, excluded: Flags | None = None
    ) -> tuple[Result, Array]:
        """Return the best schedule, and the weights of modes by step.

        Args:
            cost: of the program's columns.
            values: the cost of each mode by step; shape (modes, steps).
            lower: bounds of the program's columns.
            upper: likewise.
            excluded: modes by step that may not be.
        """
        columns, session = self.columns, self._session
        most = np.ones(values.size)
        if excluded is not None:
            most[excluded.ravel()] = 0.0
        count = len(columns)
        session.bounds(np.arange(count), lower[columns], upper[columns])
        session.bounds(np.arange(count, count + values.size), np.zeros(values.size), most)
        session.cost(np.concatenate([cost[columns], values.ravel()]))
        result = session.run(iterations=LP_ITERATIONS)
        if result.x is None or result.status != "optimal":
            return result, np.zeros(values.shape)
        return result, result.x[count:].reshape(values.shape)

    def prices(self) -> Array:
        """Return the duals of the schedule's rows at the schedule that was just the best."""
        duals = self._session.duals()
        return np.zeros(len(self.rows)) if duals is None else duals.rows[: len(self.rows)]

    def nearest(self, wanted: Array, threshold: float, lower: Array, upper: Array) -> Array | None:
        """Return a whole schedule in which states above a threshold are rather 1.

        Args:
            wanted: the states; shape (units, steps).
            threshold: 0 to 1.
            lower: bounds of the program's columns.
            upper: likewise.
        """
        cost = np.zeros(len(self.program.cost))
        for state, values in zip(self.states, wanted, strict=True):
            present = state >= 0
            cost[state[present]] = threshold - values[present]
        result, _ = self.best(cost, np.zeros((self.modes, self.length)), lower, upper)
        if result.x is None or result.status != "optimal":
            return None
        x = np.zeros(len(cost))
        x[self.committed] = result.x[: len(self.columns)]
        states = np.array([np.where(state >= 0, x[state], 0.0) for state in self.states])
        whole = np.round(states)
        return whole if np.abs(states - whole).max(initial=0.0) < WHOLE else None


def is_on(mode: Any, unit: Any) -> Any:
    """Return the state of a unit in a mode; arrays broadcast."""
    return mode >> unit & 1


def _committed_columns(program: Program, states: Sequence[Indices]) -> Flags:
    """Return the columns of the schedule of some states."""
    entries = sparse.coo_array(program.matrix)
    rows, columns, count = entries.row, entries.col, entries.shape[0]
    committed = np.zeros(len(program.cost), dtype=bool)
    for state in states:
        committed[state[state >= 0]] = True
    integer = program.integer.copy()
    integer[program.switches] = False
    pure = np.bincount(rows[~integer[columns]], minlength=count) == 0
    shared = pure[rows]
    graph = sparse.csr_array(
        (np.ones(shared.sum()), (rows[shared], columns[shared])), shape=entries.shape
    )
    _, labels = connected_components(graph.T @ graph, directed=False)
    committed |= np.isin(labels, labels[committed])
    near = committed | integer
    touched = np.bincount(rows[near[columns]], minlength=count) > 0
    joined = near.copy()
    joined[columns[touched[rows]]] = True
    joined[program.switches] = False
    joined &= (program.column_steps != NO_STEP) & ~committed
    return committed | _closed(joined, committed, entries)


def _closed(joined: Flags, committed: Flags, entries: Any) -> Flags:
    """Return those of the joined columns whose rows hold no other columns than them."""
    rows, columns, count = entries.row, entries.col, entries.shape[0]
    while True:
        foreign = np.bincount(rows[~(committed | joined)[columns]], minlength=count) > 0
        mixed = np.zeros(len(joined), dtype=bool)
        mixed[columns[foreign[rows]]] = True
        if not (joined & mixed).any():
            return joined
        joined = joined & ~mixed
