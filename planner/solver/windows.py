"""A program over a long horizon in windows: each is a program of its own, and their sum a bound.

A row belongs to the window of its step. A window has its own columns x, and copies z of those
columns of others that its rows hold. Given any price y of every row, a copy costs what its rows pay
for it, and its own window pays that back (variable splitting):

    min c x  over  A x >= b
        >=  sum_w  min (c_w - sum_v k_v) x_w + k_w z_w   over  A_w (x_w, z_w) >= b_w
    k_w = A_w' y_w, of the columns of others        v: the windows that copy a column of w

With the optimal y of an LP both sides are equal. Rows that join more than `MOST_SPAN_H` are rules
over the horizon: they are priced, y (b - A x), and leave the windows. A column without a step, such
as the peak of a month, has copies only; what no window pays of its cost counts at its least.

A window also keeps those rows of others that hold none but its columns and copies. Where all else
stays as it is at a point, the program of a window is exact: `between`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from scipy import sparse

from planner.solver.linear_program import LinearProgram
from planner.solver.model import Movement
from planner.solver.program import NO_INDICES, NO_STEP, Flags, Indices, Program
from planner.timeseries.horizon import Window
from planner.timeseries.series import Array

MOST_SPAN_H = 192.0  # between the first and the last step of a row of a window
ROUNDING = 1e-12  # of what prices pay for a column
NONE = -1  # of columns


@dataclass(frozen=True)
class WindowProgram:
    """The program of a window.

    rows, columns: of the whole program. own_rows, own_columns: whether they belong to the window;
    the others stand for those of other windows, or have no step.
    """

    program: Program
    rows: Indices
    columns: Indices
    own_rows: Flags
    own_columns: Flags


class Windows:
    """The windows of a program without running totals (`totals`).

    rules: its rows over the horizon. of_rules: their coefficients; shape (rules, columns).
    sharing: whether another row holds a column without a step; shape (rows,).
    """

    def __init__(self, program: Program, longest_h: float = MOST_SPAN_H) -> None:
        """Divide a program; a row without a step that spans more than `longest_h` is a rule."""
        self.program = program
        self._bare = program.scenario.revised({"components": {}})
        self._by_row = sparse.csr_array(program.matrix)
        self._by_column = sparse.csc_array(program.matrix)
        entries = sparse.coo_array(self._by_row)
        steps, count = program.column_steps[entries.col], len(program.row_lower)
        first, last = np.full(count, program.window.last + 1), np.full(count, NO_STEP)
        np.minimum.at(first, entries.row, np.where(steps == NO_STEP, first[entries.row], steps))
        np.maximum.at(last, entries.row, steps)
        stepless = program.row_steps == NO_STEP
        most_h = np.where(stepless, min(longest_h, MOST_SPAN_H), MOST_SPAN_H)
        spans_h = (last - first) * program.scenario.horizon.step_h
        over_horizon = (spans_h > most_h) | (last == NO_STEP)
        self.rules = np.flatnonzero(over_horizon)
        self.of_rules = self._by_row[self.rules]
        home = np.where(stepless, last, program.row_steps)
        self._home = np.where(over_horizon, NO_STEP, home)
        shared = np.bincount(entries.row[steps == NO_STEP], minlength=count) > 0
        self.sharing = shared & ~over_horizon
        self._used = sparse.csr_array(
            (np.ones(self._by_row.nnz), self._by_row.indices, self._by_row.indptr),
            shape=self._by_row.shape,
        )

    def rows_of(self, window: Window) -> Flags:
        """Return the rows of a window."""
        return (self._home >= window.first) & (self._home <= window.last)

    def columns_of(self, window: Window) -> Flags:
        """Return the columns of a window."""
        steps = self.program.column_steps
        return np.asarray((steps >= window.first) & (steps <= window.last))

    def rules_alone(self) -> LinearProgram:
        """Return the rules over the horizon, over the columns without a step."""
        program, rules = self.program, self.rules
        shared = program.column_steps == NO_STEP
        return LinearProgram(
            self.of_rules[:, shared],
            program.row_lower[rules], program.row_upper[rules],
            program.column_lower[shared], program.column_upper[shared], program.cost[shared],
        )  # fmt: skip

    def priced(self, window: Window, prices: Array) -> WindowProgram:
        """Return the program of a window with its seams and the rules priced.

        Args:
            window: any part of the horizon.
            prices: of all rows, those of rules of the sign that they allow; shape (rows,).

        Returns:
            A program without components in its scenario and without a schedule, which is small to
            send, and has no tidiest plan.
        """
        program, own_rows = self.program, self.rows_of(window)
        own_columns = self.columns_of(window)
        used = own_columns.copy()
        used[self._by_row[own_rows].indices] = True
        cost = np.where(
            own_columns,
            program.cost - self._by_column.T @ np.where(own_rows, 0.0, prices),
            self._by_column.T @ np.where(own_rows, prices, 0.0),
        )
        elsewhere = np.diff(self._by_row.indptr) - self._used @ used
        complete = (elsewhere == 0) & (self._home != NO_STEP)
        cut = self._cut_out(window, own_rows | complete, used)
        steps = program.column_steps[cut.columns]
        near = np.where(steps == NO_STEP, NO_STEP, np.clip(steps, window.first, window.last))
        priced = replace(
            cut.program, cost=cost[cut.columns], column_steps=near, schedule={}, scenario=self._bare
        )
        return replace(cut, program=priced)

    def violation(self, rows: Indices, x: Array) -> float:
        """Return the largest violation of some rows at a point, relative to their size."""
        matrix, program = self._by_row[rows], self.program
        activity, size = matrix @ x, np.maximum(1.0, abs(matrix) @ np.abs(x))
        missed = np.maximum(program.row_lower[rows] - activity, activity - program.row_upper[rows])
        return float(np.max(missed / size, initial=0.0))

    def constant(self, prices: Array) -> float:
        """Return what the bounds of the windows leave out of a bound of the program."""
        program, rules = self.program, self.rules
        sides = np.where(prices[rules] > 0, program.row_lower[rules], program.row_upper[rules])
        priced = prices[rules] != 0
        shared = np.flatnonzero(program.column_steps == NO_STEP)
        unpaid = program.cost[shared] - self._by_column[:, shared].T @ prices
        ends = np.where(unpaid > 0, program.column_lower[shared], program.column_upper[shared])
        counts = unpaid != 0
        return float(
            program.offset + prices[rules][priced] @ sides[priced] + unpaid[counts] @ ends[counts]
        )

    def affordable(self, prices: Array) -> Array:
        """Return the nearest prices that give a bound.

        They pay for a column without a step and without an upper limit no more than it costs, and
        for a rule nothing on the side on which it has no limit.
        """
        program, rules = self.program, self.rules
        sides = np.where(prices[rules] > 0, program.row_lower[rules], program.row_upper[rules])
        prices = prices.copy()
        prices[rules[np.isinf(sides)]] = 0.0
        shared = np.flatnonzero(program.column_steps == NO_STEP)
        shared = shared[np.isinf(program.column_upper[shared])]
        of_shared = self._by_column[:, shared]
        paid = of_shared.T @ prices
        factors = np.ones(len(shared))
        over = paid > program.cost[shared]
        factors[over] = (1 - ROUNDING) * program.cost[shared][over] / paid[over]
        by_row = np.ones(len(prices))
        entries = sparse.coo_array(of_shared)
        np.minimum.at(by_row, entries.row, factors[entries.col])
        return prices * by_row

    def between(self, window: Window, x: Array, prices: Array | None = None) -> WindowProgram:
        """Return the program of a window where all other columns are as at a point of the program.

        Columns without a step are free. Rules over the horizon have prices or, without any, stay as
        well kept as they are. The point is in it, also by what it misses its rows.
        """
        program, rules = self.program, self.rules
        free = self.columns_of(window) | (program.column_steps == NO_STEP)
        rest = np.where(free, 0.0, x)
        holding = np.diff(sparse.csr_array(self._by_column[:, free]).indptr) > 0
        cut = self._cut_out(window, holding, free, x)
        part = cut.program.covering(x[free])
        fixed, activity = (self._by_row @ point for point in (rest, x))
        lower, upper = (side.copy() for side in (program.row_lower, program.row_upper))
        kept = activity[rules] if prices is None else np.inf
        lower[rules] = np.where(np.isfinite(lower[rules]) & np.isfinite(kept), kept, -np.inf)
        upper[rules] = np.where(np.isfinite(upper[rules]), kept, np.inf)
        part = part.with_row_bounds(
            slice(None),
            (np.minimum(lower, activity) - fixed)[holding],
            (np.maximum(upper, activity) - fixed)[holding],
        )
        cost = part.cost
        if prices is not None:
            cost = cost - self.of_rules[:, free].T @ prices[rules]
        part = replace(part, cost=cost, offset=program.objective(rest))
        return replace(cut, program=part)

    def _cut_out(
        self, window: Window, rows: Flags, columns: Flags, x: Array | None = None
    ) -> WindowProgram:
        """Return the program over some rows and columns, with the reports on a window.

        `x` is the point before the window, where it is known.
        """
        program, reports = self.program, _WindowReports(self.program, window)
        number = np.append(np.where(columns, np.cumsum(columns) - 1, NONE), NONE)
        own_rows, own_columns = self.rows_of(window), self.columns_of(window)
        switching, within = own_columns[program.switches], reports.within
        cut = replace(
            program,
            window=window,
            matrix=self._by_row,
            row_steps=np.where(own_rows, self._home, NO_STEP),
            offset=0.0,
            switches=number[program.switches[switching]],
            first_flow=reports.numbers(program.first_flow[switching]),
            second_flow=reports.numbers(program.second_flow[switching]),
            pairs=tuple(compress(program.pairs, switching)),
            ledger_rows=reports.of_ledger(),
            moves=tuple(reports.move(move, x) for move in program.moves),
            costs=(),
            uses=reports.by_key(program.uses),
            injected=reports.by_key(program.injected),
            schedule={
                name: (number[index[within]], constant[within])
                for name, (index, constant) in program.schedule.items()
            },
            schedule_rows={},
            states=tuple(number[state[within]] for state in program.states),
        )
        kept = np.array(reports.kept, dtype=np.int64)
        cut = replace(cut, reports=program.reports[kept], report_offset=program.report_offset[kept])
        return WindowProgram(
            cut.restricted(rows, columns), np.flatnonzero(rows), np.flatnonzero(columns),
            own_rows[rows], own_columns[columns],
        )  # fmt: skip


class _WindowReports:
    """The report rows of a window, numbered as they are asked for.

    within: the places of its steps among all. kept: the numbers of the rows in the whole program.
    """

    def __init__(self, program: Program, window: Window) -> None:
        self.program = program
        first = program.window.first
        self.within = slice(window.first - first, window.last - first + 1)
        self.kept: list[int] = []

    def numbers(self, rows: Indices) -> Indices:
        """Return the numbers of rows of the whole program."""
        self.kept += rows.tolist()
        return np.arange(len(self.kept) - len(rows), len(self.kept))

    def in_steps(self, rows: Indices) -> Indices:
        """Return the numbers of rows by step, one or more for each step of the horizon."""
        by_step = rows.reshape(-1, len(self.program.window))
        return self.numbers(by_step[:, self.within].ravel())

    def by_key(self, rows: Mapping[Any, Indices]) -> dict[Any, Indices]:
        """Return `in_steps` of each part."""
        return {key: self.in_steps(numbers) for key, numbers in rows.items()}

    def of_ledger(self) -> Indices:
        """Return the numbers of the ledger's rows that belong to a step of the window."""
        steps = len(self.program.window)
        by_step = [
            self.in_steps(cost.rows)
            for cost in self.program.costs
            if not cost.reported and isinstance(cost.periods, range) and len(cost.rows) == steps
        ]
        return np.concatenate([NO_INDICES, *by_step])

    def move(self, move: Movement, x: Array | None) -> Movement:
        """Return a movement in the window, from the power before it where that is known."""
        at = self.within.start
        before_mw = move.before_mw if not at else None
        if at and x is not None:
            row = move.rows[at - 1]
            (mw,) = self.program.reports[[row]] @ x
            before_mw = float(mw + self.program.report_offset[row])
        return Movement(move.order, self.in_steps(move.rows), before_mw)
