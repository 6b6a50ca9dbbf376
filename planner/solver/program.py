"""A model as arrays: what the solver takes, and how a solution becomes columns and money again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from planner.components.terms import Balance
from planner.scenario.scenario import Scenario
from planner.solver.model import Cost
from planner.timeseries.horizon import Window
from planner.timeseries.schedule import VALUE_DECIMALS
from planner.timeseries.series import Array

Indices = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Family = tuple[str, str, tuple[Any, ...]]  # component, name of the row, index before the step
NO_STEP, NO_FAMILY = 0, -1  # of rows and columns that no component declares


@dataclass(frozen=True)
class Duals:
    """An optimum of an LP and its prices: what the minimum grows by as a row or a bound rises.

    x, columns: shape (columns,); rows: shape (rows,). `held` marks the columns that were fixed for
    the LP, integers and directions; their reduced costs are no price of a bound of the program.
    """

    x: Array
    rows: Array
    columns: Array
    held: Flags


@dataclass(frozen=True)
class Program:
    """A mixed-integer linear program as arrays: minimise cost @ x + offset.

    Rows read row_lower <= matrix @ x <= row_upper. `integer` marks integer columns; `switches`
    holds columns that stand for a direction and are integer only where asked for, with the report
    rows of the two flows in MW they keep apart. `reports @ x + report_offset` values every quantity
    a plan shows; `ledger_rows` are those whose sum is the objective. `schedule` gives, for every
    schedule column, the columns of the program by step, or -1 and the constant it has there.
    `row_steps` and `column_steps` name the step of each row and column, 0 where it has none;
    `row_families` the number of its name in `families`, and `balances` that of each balance.
    """

    scenario: Scenario
    window: Window
    matrix: Any
    row_lower: Array
    row_upper: Array
    column_lower: Array
    column_upper: Array
    integer: Flags
    cost: Array
    offset: float
    switches: Indices
    first_flow: Indices
    second_flow: Indices
    reports: Any
    report_offset: Array
    ledger_rows: Indices
    tidy_rows: tuple[int, ...]
    costs: dict[int, Cost]
    uses: dict[tuple[str, str], Indices]
    injected: dict[str, Indices]
    row_steps: Indices
    column_steps: Indices
    schedule: dict[str, tuple[Indices, Array]]
    schedule_rows: dict[str, Indices]
    row_families: Indices
    families: dict[Family, int]
    balances: dict[Balance, int]

    def values(self, x: Array) -> Array:
        """Return the value of every report row at a solution."""
        return np.asarray(self.reports @ x + self.report_offset)

    def turnover(self, x: Array) -> float:
        """Return the sum of absolute ledger amounts at a solution, CNY."""
        return float(np.abs(self.values(x)[self.ledger_rows]).sum())

    def by_step(self, family: int | None, duals: Duals) -> Array:
        """Return the duals of the rows of one name by step; NaN where it has no row."""
        rows = np.flatnonzero((self.row_families == family) & (self.row_steps > 0))
        by_step = np.full(len(self.window), np.nan)
        steps = self.row_steps[rows] - self.window.first
        by_step[steps] = 0.0
        np.add.at(by_step, steps, duals.rows[rows])  # a row with two sides is held as two
        return by_step

    def violation(self, x: Array) -> float:
        """Return how far a point misses rows, bounds and integrality, relative to their size."""
        activity = self.matrix @ x
        size = np.maximum(1.0, abs(self.matrix) @ np.abs(x))
        worst = [
            np.max((self.row_lower - activity) / size, initial=0.0),
            np.max((activity - self.row_upper) / size, initial=0.0),
            np.max((self.column_lower - x) / np.maximum(1.0, np.abs(x)), initial=0.0),
            np.max((x - self.column_upper) / np.maximum(1.0, np.abs(x)), initial=0.0),
            np.max(np.abs(x - np.round(x))[self.integer], initial=0.0),
        ]
        return float(max(worst))

    @property
    def times(self) -> pd.DatetimeIndex:
        """The starts of the window's steps."""
        return self.scenario.horizon.starts[self.window.first - 1 : self.window.last]

    def columns(self, x: Array) -> dict[str, Array]:
        """Return every schedule column over the window's steps, in the components' order."""
        result = {
            name: np.where(index >= 0, x[index] if x.size else 0.0, constant)
            for name, (index, constant) in self.schedule.items()
        }
        values = self.values(x)
        result |= {name: values[rows] for name, rows in self.schedule_rows.items()}
        order = {name: place for place, name in enumerate(self.scenario.components)}
        return dict(sorted(result.items(), key=lambda item: order[item[0].partition(".")[0]]))

    def schedule_at(self, x: Array, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the schedule at a point, or some columns of it: a row a step, rounded as in plans.

        Args:
            x: the point; shape (columns,).
            names: the columns wanted, in this order [all].
        """
        columns = self.columns(x)
        rounded = {
            name: np.round(columns[name], VALUE_DECIMALS) + 0.0  # no negative zeros
            for name in (columns if names is None else names)
        }
        return pd.DataFrame(rounded, index=self.times)

    @property
    def all_integer(self) -> Flags:
        """The integer columns, every switch among them."""
        integer = self.integer.copy()
        integer[self.switches] = True
        return integer

    @property
    def feasibility(self) -> Program:
        """The program with nothing to minimise."""
        return replace(self, cost=np.zeros(len(self.cost)), offset=0.0)

    def with_rows(
        self, matrix: Any, lower: Any, upper: Any, steps: Indices | int = NO_STEP
    ) -> Program:
        """Return the program with more rows: lower <= matrix @ x <= upper.

        Args:
            matrix: shape (rows, columns).
            lower: one a row, or one for all.
            upper: likewise.
            steps: the step of each row.
        """
        more = sparse.csr_array(matrix)
        count = more.shape[0]
        return replace(
            self,
            matrix=sparse.csc_array(sparse.vstack([self.matrix, more])),
            row_lower=np.append(self.row_lower, np.broadcast_to(lower, count)),
            row_upper=np.append(self.row_upper, np.broadcast_to(upper, count)),
            row_steps=np.append(self.row_steps, np.broadcast_to(steps, count)),
            row_families=np.append(self.row_families, np.full(count, NO_FAMILY)),
        )

    def with_columns(self, matrix: Any, lower: Any, upper: Any, cost: Any) -> Program:
        """Return the program with more columns, continuous and of no step.

        Args:
            matrix: their coefficients in the rows; shape (rows, columns).
            lower: one a column, or one for all.
            upper: likewise.
            cost: likewise.
        """
        more = sparse.csc_array(matrix)
        count = more.shape[1]
        unreported = sparse.csr_array((self.reports.shape[0], count))
        return replace(
            self,
            matrix=sparse.csc_array(sparse.hstack([self.matrix, more])),
            column_lower=np.append(self.column_lower, np.broadcast_to(lower, count)),
            column_upper=np.append(self.column_upper, np.broadcast_to(upper, count)),
            integer=np.append(self.integer, np.zeros(count, dtype=bool)),
            cost=np.append(self.cost, np.broadcast_to(cost, count)),
            reports=sparse.csr_array(sparse.hstack([self.reports, unreported])),
            column_steps=np.append(self.column_steps, np.full(count, NO_STEP)),
        )
