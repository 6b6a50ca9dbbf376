"""The convex hull of the states of units, step by step: a bound from prices, and its copies.

Let m be a mode, the state of every unit in a step: 2^K of them for K units. Rows whose columns all
lie in one step, but for states of that step, are the block of that step, with a right-hand side
b_m for each mode. Rows that hold states alone (minimum times, starts) are the schedule of the
states. All other rows join steps. With prices y of the joining rows, c' = c - A'y,

    bound(y) = y b + sum_t min over modes of [v_m(t)] as the schedule of the states allows
    v_m(t)   = min c' x_t  over the block of step t in mode m

is a lower bound of the program for any y of the signs that the rows allow: 0 or more where b is the
least that a row may be, 0 or less where it is the most (Lagrangian relaxation). The greatest is the
optimum of the program in which every step has a copy for each mode (the two copies of a unit that
is on or off):

    x_t = sum_m x_m,t     on_k,t = sum_m m_k w_m,t     sum_m w_m,t = 1     A_t x_m,t <= b_m w_m,t

Joining rows that hold states of other steps are relaxed to rows of the block as well, with those
columns at their bounds: a ceiling that falls before a stop is a ceiling.

`Hull` evaluates the bound: a small LP per mode and step, all steps of a mode as one. `Copies` makes
the program with copies, but only of the modes of a step that matter: the bound tells which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.solver.highs import LP_ITERATIONS
from planner.solver.implied_bounds import Bounds, entries_of, implied_bounds, propagated
from planner.solver.linear_program import LinearProgram
from planner.solver.program import NO_STEP, Flags, Indices, Program
from planner.solver.session import Session
from planner.solver.state_schedule import StateSchedule
from planner.timeseries.series import Array

NO_COLUMN = -1
BLOCK_PASSES = 3
TIGHT = 1e-6  # a bound or weight that is closer is the same
PREFERENCE = 1e-8  # of a mode among equals, relative to the cost of a block


class ModeBound(NamedTuple):
    """A bound of a program, and the modes that attain it.

    value: -inf where the prices give none. weights: of each mode by step; shape (modes, steps).
    values: of the block of each mode and step at the prices; likewise.
    """

    value: float
    weights: Array
    values: Array


@dataclass(frozen=True)
class StepRows:
    """The rows over one step each, without the states: one-sided or equalities.

    shares: the coefficient of the state of each unit in a row. steps: of the rows, from 0.
    """

    matrix: Any
    lower: Array
    upper: Array
    shares: Array
    steps: Indices


class Hull:
    """The hull of a program over its states.

    states: columns by step of each unit. committed: the columns of their schedule. modes: the
    number of modes. excluded: modes that no step allows; shape (modes, steps).
    """

    def __init__(
        self, program: Program, states: Sequence[Indices], settings: Mapping[str, Any]
    ) -> None:
        self.program, self.states, self._settings = program, states, settings
        self.schedule = StateSchedule(program, states, settings, weighed=True)
        self.modes, self.length = self.schedule.modes, self.schedule.length
        self.committed = self.schedule.committed
        self.steps = np.where(
            program.column_steps == NO_STEP, -1, program.column_steps - program.window.first
        )
        self.bounds = implied_bounds(program)
        self._is_state = np.zeros(len(program.cost), dtype=bool)
        for state in self.states:
            self._is_state[state[state >= 0]] = True
        self.block_columns = np.flatnonzero(~self.committed & (self.steps >= 0))
        self._free = np.flatnonzero(~self.committed & (self.steps < 0))
        self._classify()
        self.sides = [self._sides(mode) for mode in range(self.modes)]
        self.excluded = self._contradicting_bounds()
        self._solvers: list[Session | None] = [None] * self.modes

    def on(self, mode: Any, unit: Any) -> Any:
        """Return the state of a unit in a mode, or of each of several."""
        return mode >> unit & 1

    def states_of(self, weights: Array) -> Array:
        """Return the states that weights of modes by step make up; shape (units, steps)."""
        modes, units = np.arange(self.modes), np.arange(len(self.states))
        return np.asarray(self.on(modes, units[:, None]) @ weights)

    def _contradicting_bounds(self) -> Flags:
        """Return the modes by step that the bounds of states forbid."""
        excluded = np.zeros((self.modes, self.length), dtype=bool)
        for unit, state in enumerate(self.states):
            present = np.flatnonzero(state >= 0)
            low, high = (bound[state[present]] for bound in self.bounds)
            for mode in range(self.modes):
                on = self.on(mode, unit)
                excluded[mode, present] |= (on < low - TIGHT) | (on > high + TIGHT)
        return excluded

    def _classify(self) -> None:
        program, steps = self.program, self.steps
        matrix = sparse.csr_array(program.matrix)
        entries = entries_of(matrix, program.row_lower, program.row_upper)
        rows, columns, count = entries.rows, entries.columns, matrix.shape[0]
        is_foreign = self.committed & ~self._is_state | (steps < 0)
        first, last = np.full(count, self.length), np.full(count, -1)
        np.minimum.at(first, rows, np.where(steps[columns] < 0, self.length, steps[columns]))
        np.maximum.at(last, rows, steps[columns])
        foreign = np.bincount(rows[is_foreign[columns]], minlength=count) > 0
        scheduling = np.zeros(count, dtype=bool)
        scheduling[self.schedule.rows] = True
        in_step = (first == last) & ~foreign & ~scheduling
        self.joining = np.flatnonzero(~in_step & ~scheduling)
        self._joining_matrix = matrix[self.joining]
        self._joining_transposed = sparse.csr_array(self._joining_matrix.T)
        implied = self._implied(program.row_steps - program.window.first)
        own = np.flatnonzero(in_step)
        lower = np.concatenate([program.row_lower[own], implied[1]])
        upper = np.concatenate([program.row_upper[own], implied[2]])
        at = np.concatenate([first[own], implied[3]])
        both = np.isfinite(lower) & np.isfinite(upper) & (lower != upper)
        rows_of = np.concatenate([np.arange(len(lower)), np.flatnonzero(both)])
        whole = sparse.csr_array(sparse.vstack([matrix[own], implied[0]]))[rows_of]
        lower, upper = lower[rows_of], upper[rows_of]
        doubled = np.arange(len(rows_of)) >= len(both)
        upper[doubled], lower[np.flatnonzero(both)] = np.inf, -np.inf
        steps_of = at[rows_of]
        self._entries = entries_of(whole, lower, upper)
        self.block = StepRows(
            matrix=sparse.csr_array(whole[:, self.block_columns]),
            lower=lower,
            upper=upper,
            shares=np.array([self._shares(whole, state[steps_of]) for state in self.states]),
            steps=steps_of,
        )

    def _shares(self, matrix: Any, columns: Indices) -> Array:
        """Return the coefficient of one column in each row; 0 where there is none."""
        rows = np.flatnonzero(columns != NO_COLUMN)
        chosen = sparse.csr_array((np.ones(len(rows)), (rows, columns[rows])), shape=matrix.shape)
        return np.asarray(matrix.multiply(chosen).sum(axis=1), dtype=float)

    def _implied(self, row_steps: Indices) -> tuple[Any, Array, Array, Indices]:
        """Return what joining rows with a state imply for the columns of their own step.

        Rows, their limits and steps; the other columns are at the bounds that leave most room.
        """
        program, (low, high) = self.program, self.bounds
        steps = row_steps[self.joining]
        entries = sparse.coo_array(self._joining_matrix)
        rows, columns, values = entries.row, entries.col, entries.data
        own = self.steps[columns] == steps[rows]
        own &= ~self.committed[columns] | self._is_state[columns]
        count, positive = len(steps), values > 0
        least = values * np.where(positive, low[columns], high[columns])
        most = values * np.where(positive, high[columns], low[columns])
        with np.errstate(invalid="ignore"):
            upper = program.row_upper[self.joining] - np.bincount(rows[~own], least[~own], count)
            lower = program.row_lower[self.joining] - np.bincount(rows[~own], most[~own], count)
            upper[~(np.bincount(rows[own], most[own], count) > upper + TIGHT)] = np.inf
            lower[~(np.bincount(rows[own], least[own], count) < lower - TIGHT)] = -np.inf
        of_states = np.bincount(rows[own & self._is_state[columns]], minlength=count) > 0
        limited = np.isfinite(upper) | np.isfinite(lower)
        used = np.flatnonzero(limited & (steps >= 0) & of_states)
        part = sparse.csr_array((values[own], (rows[own], columns[own])), shape=entries.shape)
        return part[used], lower[used], upper[used], steps[used]

    def _sides(self, mode: int) -> tuple[Array, Array]:
        """Return the limits of the rows of all blocks in a mode."""
        shift = np.zeros(len(self.block.steps))
        for unit, state in enumerate(self.states):
            value = np.full(self.length, float(self.on(mode, unit)))
            present = state >= 0
            bounds = self.bounds.lower[state[present]], self.bounds.upper[state[present]]
            value[present] = np.clip(value[present], *bounds)
            shift += self.block.shares[unit] * value[self.block.steps]
        return self.block.lower - shift, self.block.upper - shift

    def mode_bounds(self, mode: int) -> tuple[Bounds, Flags]:
        """Return the bounds of columns in a mode, and which upper ones rows imply by themselves."""
        low, high = self.bounds.lower.copy(), self.bounds.upper.copy()
        for unit, state in enumerate(self.states):
            present = state[state >= 0]
            value = np.clip(float(self.on(mode, unit)), low[present], high[present])
            low[present] = high[present] = value
        bounds = propagated(self._entries, Bounds(low, high), BLOCK_PASSES)
        unlimited = np.where(self._is_state, bounds.upper, np.inf)
        by_rows = propagated(self._entries, Bounds(bounds.lower, unlimited), BLOCK_PASSES + 1)
        room = TIGHT * np.maximum(1.0, np.abs(bounds.upper))
        return bounds, by_rows.upper <= bounds.upper + room

    def bound(
        self, prices: Array, lower: Array, upper: Array, preferred: Indices | None = None
    ) -> ModeBound:
        """Return the bound for prices of rows, where states are confined to some bounds.

        Args:
            prices: by row of the program; those of joining rows count.
            lower: bounds of the program's columns; those of the schedule of states count.
            upper: likewise.
            preferred: the mode of each step that is chosen among equals; the bound is less by what
                this needs, a millionth of the blocks' costs at most.
        """
        program, joining = self.program, self.joining
        row_lower, row_upper = program.row_lower[joining], program.row_upper[joining]
        y = prices[joining]
        y = np.where(np.where(y > 0, np.isfinite(row_lower), np.isfinite(row_upper)), y, 0.0)
        at = np.where(y > 0, row_lower, row_upper)
        value = program.offset + float(y[y != 0] @ at[y != 0])
        cost = program.cost - self._joining_transposed @ y
        free = cost[self._free]
        at = np.where(free > 0, self.bounds.lower[self._free], self.bounds.upper[self._free])
        value += float(free[free != 0] @ at[free != 0])
        values = self._block_values(cost[self.block_columns])
        if not np.isfinite(value) or values is None:
            none = np.zeros((self.modes, self.length))
            return ModeBound(-np.inf, none, none)
        if preferred is not None:
            steps = np.arange(self.length)
            values[preferred, steps] -= PREFERENCE * np.abs(values).max(axis=0)
        result, weights = self.schedule.best(cost, values, lower, upper, self.excluded)
        if result.status != "optimal":
            infeasible = result.status == "infeasible"
            return ModeBound(np.inf if infeasible else -np.inf, weights, values)
        return ModeBound(value + result.objective, weights, values)

    def _block_values(self, cost: Array) -> Array | None:
        """Return the least cost of every mode in every step; None where there is none."""
        values = np.zeros((self.modes, self.length))
        steps = self.steps[self.block_columns]
        for mode in range(self.modes):
            solver = self._solvers[mode]
            if solver is None:
                solver = self._solvers[mode] = self._block_solver(mode)
            solver.cost(cost)
            result = solver.run(iterations=LP_ITERATIONS)
            if result.status == "infeasible":
                self._exclude(mode)
                solver = self._solvers[mode] = self._block_solver(mode)
                solver.cost(cost)
                result = solver.run(iterations=LP_ITERATIONS)
            if result.x is None or result.status != "optimal":
                return None
            values[mode] = np.bincount(steps, cost * result.x, self.length)
        return values

    def _block_solver(self, mode: int) -> Session:
        """Return the LP of all blocks in a mode, without those of excluded steps."""
        block, columns = self.block, self.block_columns
        lower, upper = self.sides[mode]
        left_out = self.excluded[mode][block.steps]
        return Session(
            LinearProgram(
                sparse.csc_array(block.matrix),
                np.where(left_out, -np.inf, lower), np.where(left_out, np.inf, upper),
                self.bounds.lower[columns], self.bounds.upper[columns], np.zeros(len(columns)),
            ), **self._settings,
        )  # fmt: skip

    def _exclude(self, mode: int) -> None:
        """Exclude a mode from the steps whose blocks it contradicts."""
        block, columns = self.block, self.block_columns
        lower, upper = self.sides[mode]
        rows, count = block.matrix.shape
        unit = sparse.identity(rows, format="csc")
        zero, infinite = np.zeros(2 * rows), np.full(2 * rows, np.inf)
        elastic = Session(
            LinearProgram(
                sparse.csc_array(sparse.hstack([block.matrix, unit, -unit])), lower, upper,
                np.append(self.bounds.lower[columns], zero),
                np.append(self.bounds.upper[columns], infinite),
                np.append(np.zeros(count), np.ones(2 * rows)),
            ), **self._settings,
        )  # fmt: skip
        x = elastic.run(iterations=LP_ITERATIONS).x
        if x is not None:
            missed = x[count : count + rows] + x[count + rows :]
            self.excluded[mode] |= np.bincount(block.steps, missed, self.length) > TIGHT
