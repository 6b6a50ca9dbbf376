"""The convex hull of the states of units, step by step: a bound from prices, and its copies.

Let m be a mode, the state of every unit in a step: 2^K of them for K units. Rows whose columns all
lie in one step are the block of that step; the mode fixes its states, which gives the block a
right-hand side b_m for each. Rows that hold states alone (minimum times, starts) are the schedule
of the states. All other rows join steps. With prices y of the joining rows, c' = c - A'y,

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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.solver.highs import LP_ITERATIONS, Result
from planner.solver.implied_bounds import (
    Bounds,
    confined,
    entries_of,
    extremes,
    implied_bounds,
    propagated,
)
from planner.solver.linear_program import LinearProgram
from planner.solver.program import NO_STEP, Flags, Indices, Program
from planner.solver.session import Session
from planner.solver.state_schedule import StateSchedule, is_on
from planner.timeseries.series import Array

BLOCK_PASSES = 3  # over the rows of all blocks, for the bounds of a mode
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
    """The rows over one step each: one-sided or equalities.

    matrix: over the columns of blocks. of_states: over the states. steps: of the rows, from 0.
    """

    matrix: Any
    of_states: Any
    lower: Array
    upper: Array
    steps: Indices


class Hull:
    """The hull of a program over its states.

    states: columns by step of each unit. modes, length: the numbers of modes and of steps.
    steps: of the program's columns, from 0; -1 where they have none. bounds: of these columns.
    block: the rows of all blocks, over the columns `block_columns`. sides: their limits by mode.
    excluded: modes that a step does not allow; shape (modes, steps).
    """

    def __init__(self, program: Program, states: Sequence[Indices], session: Session) -> None:
        """Divide the program; its LPs have sessions beside the one given."""
        self.program, self.states, self._session = program, states, session
        self.schedule = StateSchedule(program, states, session, weighed=True)
        self.modes, self.length = self.schedule.modes, self.schedule.length
        self.steps = np.where(
            program.column_steps == NO_STEP, -1, program.column_steps - program.window.first
        )
        self.bounds = implied_bounds(program)
        self._is_state = np.zeros(len(program.cost), dtype=bool)
        for state in self.states:
            self._is_state[state[state >= 0]] = True
        free = ~self.schedule.committed
        self.block_columns = np.flatnonzero(free & (self.steps >= 0))
        self._free = np.flatnonzero(free & (self.steps < 0))
        self._classify()
        self.sides = [self._sides(mode) for mode in range(self.modes)]
        self.excluded = self._contradicting_bounds()
        self._solvers = [self._block_solver(mode) for mode in range(self.modes)]

    def states_of(self, weights: Array) -> Array:
        """Return the states that weights of modes by step make up; shape (units, steps)."""
        modes, units = np.arange(self.modes), np.arange(len(self.states))
        return np.asarray(is_on(modes, units[:, None]) @ weights)

    def _contradicting_bounds(self) -> Flags:
        """Return the modes by step that the bounds of states forbid."""
        excluded = np.zeros((self.modes, self.length), dtype=bool)
        for unit, state in enumerate(self.states):
            present = np.flatnonzero(state >= 0)
            low, high = (bound[state[present]] for bound in self.bounds)
            for mode in range(self.modes):
                on = is_on(mode, unit)
                excluded[mode, present] |= (on < low - TIGHT) | (on > high + TIGHT)
        return excluded

    def _classify(self) -> None:
        """Divide the rows: those of blocks, those of the schedule, and those that join steps."""
        program, steps = self.program, self.steps
        matrix = sparse.csr_array(program.matrix)
        rows, columns, *_ = entries_of(matrix, program.row_lower, program.row_upper)
        count = matrix.shape[0]
        is_foreign = self.schedule.committed & ~self._is_state | (steps < 0)
        first, last = np.full(count, self.length), np.full(count, -1)
        np.minimum.at(first, rows, np.where(steps[columns] < 0, self.length, steps[columns]))
        np.maximum.at(last, rows, steps[columns])
        foreign = np.bincount(rows[is_foreign[columns]], minlength=count) > 0
        scheduling = np.zeros(count, dtype=bool)
        scheduling[self.schedule.rows] = True
        in_step = (first == last) & ~foreign & ~scheduling
        self._joining = np.flatnonzero(~in_step & ~scheduling)
        self._joining_matrix = matrix[self._joining]
        self._joining_transposed = sparse.csr_array(self._joining_matrix.T)
        own = np.flatnonzero(in_step)
        implied, least, most, at = self._implied()
        whole = sparse.csr_array(sparse.vstack([matrix[own], implied]))
        lower = np.append(program.row_lower[own], least)
        upper = np.append(program.row_upper[own], most)
        at = np.append(first[own], at)
        ranged = np.isfinite(lower) & np.isfinite(upper) & (lower != upper)  # these stand twice
        whole = sparse.csr_array(sparse.vstack([whole, whole[ranged]]))
        lower = np.append(np.where(ranged, -np.inf, lower), lower[ranged])
        upper = np.append(upper, np.full(ranged.sum(), np.inf))
        self._entries = entries_of(whole, lower, upper)
        self.block = StepRows(
            matrix=sparse.csr_array(whole[:, self.block_columns]),
            of_states=sparse.csr_array(whole[:, self._is_state]),
            lower=lower,
            upper=upper,
            steps=np.append(at, at[ranged]),
        )

    def _implied(self) -> tuple[Any, Array, Array, Indices]:
        """Return what joining rows with a state imply for the columns of their own step.

        Rows, their limits and steps; limits that the bounds of columns imply are left out.
        """
        program, joining = self.program, self._joining
        lower, upper = program.row_lower[joining], program.row_upper[joining]
        entries = entries_of(self._joining_matrix, lower, upper)
        steps = program.row_steps[joining] - program.window.first
        own = self.steps[entries.columns] == steps[entries.rows]
        own &= (~self.schedule.committed | self._is_state)[entries.columns]
        rows, columns, values, lower, upper = confined(entries, own, self.bounds)
        least, most = extremes(columns, values, self.bounds)
        count = len(steps)
        upper[~(np.bincount(rows, most, count) > upper + TIGHT)] = np.inf
        lower[~(np.bincount(rows, least, count) < lower - TIGHT)] = -np.inf
        of_states = np.bincount(rows[self._is_state[columns]], minlength=count) > 0
        limited = np.isfinite(upper) | np.isfinite(lower)
        used = np.flatnonzero(limited & (steps >= 0) & of_states)
        part = sparse.csr_array((values, (rows, columns)), shape=self._joining_matrix.shape)
        return part[used], lower[used], upper[used], steps[used]

    def _in_mode(self, mode: int) -> Bounds:
        """Return the bounds of columns with the states of a mode, as far as theirs allow these."""
        low, high = self.bounds.lower.copy(), self.bounds.upper.copy()
        for unit, state in enumerate(self.states):
            present = state[state >= 0]
            on = np.clip(float(is_on(mode, unit)), low[present], high[present])
            low[present] = high[present] = on
        return Bounds(low, high)

    def _sides(self, mode: int) -> tuple[Array, Array]:
        """Return the limits of the rows of all blocks in a mode."""
        shift = self.block.of_states @ self._in_mode(mode).lower[self._is_state]
        return self.block.lower - shift, self.block.upper - shift

    def mode_bounds(self, mode: int) -> tuple[Bounds, Flags]:
        """Return the bounds of columns in a mode, and which upper ones rows imply by themselves."""
        bounds = propagated(self._entries, self._in_mode(mode), BLOCK_PASSES)
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
            preferred: the mode of each step that is chosen among equals; it lowers the bound by
                `PREFERENCE` of the blocks' costs at most.
        """
        program, joining = self.program, self._joining
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
            result = self._cheapest(mode, cost)
            if result.status == "infeasible":
                self._exclude(mode)
                self._solvers[mode] = self._block_solver(mode)
                result = self._cheapest(mode, cost)
            if result.x is None or result.status != "optimal":
                return None
            values[mode] = np.bincount(steps, cost * result.x, self.length)
        return values

    def _cheapest(self, mode: int, cost: Array) -> Result:
        """Return the optimum of all blocks in a mode."""
        solver = self._solvers[mode]
        solver.cost(cost)
        return solver.run(iterations=LP_ITERATIONS)

    def _block_solver(self, mode: int) -> Session:
        """Return the LP of all blocks in a mode, without those of excluded steps."""
        block, columns = self.block, self.block_columns
        lower, upper = self.sides[mode]
        left_out = self.excluded[mode][block.steps]
        return self._session.beside(
            LinearProgram(
                sparse.csc_array(block.matrix),
                np.where(left_out, -np.inf, lower), np.where(left_out, np.inf, upper),
                self.bounds.lower[columns], self.bounds.upper[columns], np.zeros(len(columns)),
            )
        )  # fmt: skip

    def _exclude(self, mode: int) -> None:
        """Exclude a mode from the steps whose blocks it contradicts."""
        block, columns = self.block, self.block_columns
        lower, upper = self.sides[mode]
        rows, count = block.matrix.shape
        unit = sparse.identity(rows, format="csc")
        zero, infinite = np.zeros(2 * rows), np.full(2 * rows, np.inf)
        elastic = self._session.beside(
            LinearProgram(
                sparse.csc_array(sparse.hstack([block.matrix, unit, -unit])), lower, upper,
                np.append(self.bounds.lower[columns], zero),
                np.append(self.bounds.upper[columns], infinite),
                np.append(np.zeros(count), np.ones(2 * rows)),
            )
        )  # fmt: skip
        x = elastic.run(iterations=LP_ITERATIONS).x
        if x is not None:
            missed = x[count : count + rows] + x[count + rows :]
            self.excluded[mode] |= np.bincount(block.steps, missed, self.length) > TIGHT
