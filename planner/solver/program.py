"""A mixed-integer program as arrays, with the reports that value its points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from planner.components.terms import Balance
from planner.scenario.scenario import Scenario
from planner.solver.model import Cost, ExclusivePair, Movement
from planner.timeseries.horizon import Window
from planner.timeseries.schedule import VALUE_DECIMALS
from planner.timeseries.series import Array

Indices = np.ndarray[Any, np.dtype[np.integer[Any]]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Family = tuple[str, str, tuple[Any, ...]]  # component, name of the row, index before the step
NO_INDICES: Indices = np.zeros(0, dtype=np.int64)
NO_STEP, NO_FAMILY = 0, -1  # of rows and columns that no component declares
OVERLAP_MW = 1e-6  # less power in the other direction is none
BINDING = 1e-6  # of its size: a row with less room binds


@dataclass(frozen=True)
class Duals:
    """An optimum of an LP with its duals and reduced costs, as derivatives of the minimum.

    x, columns (reduced costs): shape (columns,); rows (duals): shape (rows,). `fixed` marks the
    columns fixed for the LP, integers and directions, whose reduced costs price no bound of the
    program.
    """

    x: Array
    rows: Array
    columns: Array
    fixed: Flags


class Units(NamedTuple):
    """The units a program is solved in, powers of two: of MW, MWh, Mtok and nodes; per CNY."""

    size: float = 1.0
    money: float = 1.0


OWN_UNITS = Units()


@dataclass(frozen=True)
class Program:
    """A mixed-integer linear program as arrays: minimise cost @ x + offset.

    Rows are row_lower <= matrix @ x <= row_upper. `integer` marks integer columns; `switches` are
    the columns that choose a direction, integer only on demand, with the report rows of the two
    flows in MW that they keep apart. `reports @ x + report_offset` evaluates every quantity of a
    plan; the sum of its `ledger_rows` is the objective. `schedule` holds, for every schedule
    column, the columns of the program by step, or -1 and the constant there. `row_steps` and
    `column_steps` are the steps of rows and columns, 0 where they have none; `row_families` numbers
    the names of rows as `families` and `balances` do, `column_families` those of columns as
    `variable_families` does. `pairs` says for each switch what its two flows are. `states` holds,
    for every state that a component declares, its column by step, or -1 where it is constant.
    `every_point` says whether it has the operating points that no plan needs.
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
    moves: tuple[Movement, ...]
    costs: tuple[Cost, ...]
    uses: dict[tuple[str, str], Indices]
    injected: dict[str, Indices]
    row_steps: Indices
    column_steps: Indices
    schedule: dict[str, tuple[Indices, Array]]
    schedule_rows: dict[str, Indices]
    row_families: Indices
    families: dict[Family, int]
    balances: dict[Balance, int]
    column_families: Indices
    variable_families: tuple[Family, ...]
    pairs: tuple[ExclusivePair, ...]
    states: tuple[Indices, ...] = ()
    every_point: bool = False
    units: Units = OWN_UNITS

    def objective(self, x: Array) -> float:
        """Return the value of the objective at a point, CNY: the cost, or less the profit."""
        return float(self.cost @ x + self.offset)

    def values(self, x: Array) -> Array:
        """Return the value of every report row at a solution."""
        return np.asarray(self.reports @ x + self.report_offset)

    def sum_by_step(self, values: Array, rows: Indices) -> Array:
        """Return the sum of the values of report rows in every step; shape (steps,)."""
        return np.asarray(values[rows].reshape(-1, len(self.window)).sum(axis=0))

    def total(self, reports: Iterable[Indices]) -> Array:
        """Return the coefficients of the sum of report rows; shape (columns,)."""
        rows = np.concatenate([NO_INDICES, *reports])
        return np.asarray(self.reports[rows].sum(axis=0))

    def variables(self, name: str) -> Indices:
        """Return the columns of the program that a schedule column is a value of, by step."""
        columns, _ = self.schedule.get(name, (NO_INDICES, None))
        return columns[columns >= 0]

    def directions(self, x: Array) -> Array:
        """Return 0 or 1 for every switch: the direction of the larger flow, if idle as rounded."""
        values = self.values(x)
        first, second = values[self.first_flow], values[self.second_flow]
        idle = np.maximum(first, second) <= OVERLAP_MW
        return np.where(idle, np.round(x[self.switches]), first > second)

    def overlaps(self, x: Array) -> Flags:
        """Return the switches whose two flows are both above 0."""
        values = self.values(x)
        both = np.minimum(values[self.first_flow], values[self.second_flow])
        return np.asarray(both > OVERLAP_MW)

    def turnover(self, x: Array) -> float:
        """Return the sum of absolute ledger amounts at a solution, CNY."""
        return float(np.abs(self.values(x)[self.ledger_rows]).sum())

    def by_step(self, family: int | None, duals: Duals) -> Array:
        """Return the dual of a family's row in every step; NaN where it has no row."""
        rows = np.flatnonzero((self.row_families == family) & (self.row_steps > 0))
        by_step = np.full(len(self.window), np.nan)
        steps = self.row_steps[rows] - self.window.first
        by_step[steps] = 0.0
        np.add.at(by_step, steps, duals.rows[rows])  # a range is compiled to two rows
        return by_step

    def binds(self, x: Array) -> Flags:
        """Return the rows that a point keeps without room to spare."""
        activity = self.matrix @ x
        size = np.maximum(1.0, abs(self.matrix) @ np.abs(x))
        room = np.minimum(activity - self.row_lower, self.row_upper - activity)
        return np.asarray(room <= BINDING * size)

    def violation(self, x: Array) -> float:
        """Return the largest violation of a row, bound or integer at a point, relative to size."""
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
        """Return every schedule column over the window's steps, ordered by component."""
        result = {
            name: np.where(index >= 0, x[index] if x.size else 0.0, constant)
            for name, (index, constant) in self.schedule.items()
        }
        values = self.values(x)
        result |= {name: values[rows] for name, rows in self.schedule_rows.items()}
        order = {name: place for place, name in enumerate(self.scenario.components)}
        return dict(sorted(result.items(), key=lambda item: order[item[0].partition(".")[0]]))

    def schedule_at(self, x: Array, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the schedule at a point, one row per step, rounded as in plans.

        Args:
            x: the point; shape (columns,).
            names: the schedule columns to return, in this order [all].
        """
        columns = self.columns(x)
        rounded = {
            name: np.round(columns[name], VALUE_DECIMALS) + 0.0  # no negative zeros
            for name in (columns if names is None else names)
        }
        return pd.DataFrame(rounded, index=self.times)

    @property
    def end_rows(self) -> Indices:
        """The rows that limit the end of the horizon, or totals over it."""
        components = self.scenario.components
        ends = [
            number
            for (component, row, _), number in self.families.items()
            if component and row in components[component].end_rows
        ]
        return np.flatnonzero(np.isin(self.row_families, ends) & (self.row_steps == NO_STEP))

    @property
    def all_integer(self) -> Flags:
        """The integer columns with every switch."""
        integer = self.integer.copy()
        integer[self.switches] = True
        return integer

    @property
    def feasibility(self) -> Program:
        """The program with a zero objective."""
        return replace(self, cost=np.zeros(len(self.cost)), offset=0.0)

    def with_bounds(self, columns: Any, lower: Any = None, upper: Any = None) -> Program:
        """Return the program with other bounds of some columns.

        Args:
            columns: an index of the columns, as of an array.
            lower: one per column, or one for all [unchanged].
            upper: likewise.
        """
        return replace(
            self,
            column_lower=_with_values(self.column_lower, columns, lower),
            column_upper=_with_values(self.column_upper, columns, upper),
        )

    def with_row_bounds(self, rows: Any, lower: Any = None, upper: Any = None) -> Program:
        """Return the program with other bounds of some rows, as `with_bounds` of columns."""
        return replace(
            self,
            row_lower=_with_values(self.row_lower, rows, lower),
            row_upper=_with_values(self.row_upper, rows, upper),
        )

    def covering(self, x: Array) -> Program:
        """Return the program with rows and bounds that give way to a point, by what it misses."""
        activity = self.matrix @ x
        return replace(
            self,
            row_lower=np.minimum(self.row_lower, activity),
            row_upper=np.maximum(self.row_upper, activity),
            column_lower=np.minimum(self.column_lower, x),
            column_upper=np.maximum(self.column_upper, x),
        )

    def part(self, columns: Flags, x: Array) -> Program:
        """Return the program over some of its columns, the others fixed at a point within bounds.

        Rows without any of these columns are left out. Reports keep their places; the columns of
        `schedule` and `switches` are those of the whole program and do not apply.
        """
        rest = np.where(columns, 0.0, x)
        fixed = self.matrix @ rest
        whole = replace(
            self,
            row_lower=self.row_lower - fixed,
            row_upper=self.row_upper - fixed,
            offset=self.offset + float(self.cost @ rest),
            report_offset=self.report_offset + self.reports @ rest,
        )
        rows = np.diff(sparse.csr_array(self.matrix[:, columns]).indptr) > 0
        return whole.restricted(rows, columns)

    def restricted(self, rows: Flags, columns: Flags) -> Program:
        """Return the program over some of its rows and columns, the other columns at 0.

        Reports keep their places; `schedule`, `switches` and `states` number the columns of the
        whole program.
        """
        return replace(
            self,
            matrix=sparse.csc_array(sparse.csr_array(self.matrix)[rows][:, columns]),
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
            row_steps=self.row_steps[rows],
            row_families=self.row_families[rows],
            column_lower=self.column_lower[columns],
            column_upper=self.column_upper[columns],
            integer=self.integer[columns],
            cost=self.cost[columns],
            reports=sparse.csr_array(self.reports[:, columns]),
            column_steps=self.column_steps[columns],
            column_families=self.column_families[columns],
        )

    def with_rows(
        self, matrix: Any, lower: Any, upper: Any, steps: Indices | int = NO_STEP
    ) -> Program:
        """Return the program with more rows: lower <= matrix @ x <= upper.

        Args:
            matrix: shape (rows, columns).
            lower: one per row, or one for all.
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
        """Return the program with more columns, continuous and without a step.

        Args:
            matrix: their coefficients in the rows; shape (rows, columns).
            lower: one per column, or one for all.
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
            column_families=np.append(self.column_families, np.full(count, NO_FAMILY)),
        )


def _with_values(values: Array, places: Any, new: Any) -> Array:
    if new is None:
        return values
    changed = values.copy()
    changed[places] = new
    return changed
