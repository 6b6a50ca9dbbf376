"""A model as arrays: what the solver takes, and how a solution becomes columns and money again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy import sparse

from planner.components.terms import Balance
from planner.errors import InfeasibleError
from planner.scenario.scenario import Scenario
from planner.solver.model import (
    Cost,
    Linear,
    Model,
    column_name,
    no_garbage_collection,
    outer_index,
)
from planner.timeseries.horizon import Window
from planner.timeseries.schedule import VALUE_DECIMALS
from planner.timeseries.series import Array

Indices = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Family = tuple[str, str, tuple[Any, ...]]  # component, name of the row, index before the step
Key = TypeVar("Key")
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


def compile_program(model: Model) -> Program:
    """Turn a model into arrays; the Pyomo model may be dropped afterwards.

    Raises:
        InfeasibleError: a row contradicts itself without any decision in it.
    """
    with no_garbage_collection():
        return _compile(model)


def _compile(model: Model) -> Program:
    reports = model.reports
    rows = [Linear(expression) for expression in reports.expressions]
    form = _compiled(model.pyomo)
    columns = list(form.columns)
    at = {id(column): i for i, column in enumerate(columns)}
    for row in rows:  # a variable that no row holds is still a decision
        for variable in row.variables:
            if id(variable) not in at:
                at[id(variable)] = len(columns)
                columns.append(variable)
    model.columns, model.rows = columns, form.rows
    matrix = sparse.csc_array(form.A)
    matrix.resize((matrix.shape[0], len(columns)))
    report_rows, report_offset = _report_rows(rows, at, len(columns))
    ledger = np.array([i for i, c in reports.costs.items() if not c.reported], dtype=np.int64)
    kinds = np.array([row.bound_type for row in form.rows], dtype=int)
    rhs = np.asarray(form.rhs, dtype=float)
    lower, upper, integer = _bounds(columns)
    row_families, families = _families(model, [row for row, _ in form.rows])
    used = [(at[id(s)], a, b) for s, a, b in reports.switches if id(s) in at]
    switches = np.array(used, dtype=np.int64).reshape(-1, 3)
    return Program(
        scenario=model.scenario,
        window=model.window,
        matrix=matrix,
        row_lower=np.where(kinds == 1, -np.inf, rhs),
        row_upper=np.where(kinds == -1, np.inf, rhs),
        column_lower=lower,
        column_upper=upper,
        integer=integer,
        cost=np.asarray(report_rows[ledger].sum(axis=0)).ravel()
        if ledger.size
        else np.zeros_like(lower),
        offset=float(report_offset[ledger].sum()),
        switches=switches[:, 0],
        first_flow=switches[:, 1],
        second_flow=switches[:, 2],
        reports=report_rows,
        report_offset=report_offset,
        ledger_rows=ledger,
        tidy_rows=tuple(reports.tidy),
        costs=reports.costs,
        uses=_indices(reports.uses),
        injected=_indices(reports.injected),
        row_steps=_steps([row for row, _ in form.rows], model.window),
        column_steps=_steps(columns, model.window),
        schedule=_schedule(model, at),
        schedule_rows=_indices(reports.schedule),
        row_families=row_families,
        families=families,
        balances={
            balance: families[key]
            for k, balance in enumerate(model.balances)
            if (key := ("", "balance", (k,))) in families
        },
    )


def _compiled(m: pyo.ConcreteModel) -> Any:
    """Compile the rows; the objective comes from the ledger's rows afterwards."""
    try:
        return LinearStandardFormCompiler().write(m, mixed_form=True)
    except InfeasibleConstraintException as error:
        raise InfeasibleError(f"no plan exists: {error}") from None


def _report_rows(rows: list[Linear], at: dict[int, int], width: int) -> tuple[Any, Array]:
    sizes = [len(row.coefficients) for row in rows]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    count = int(starts[-1])
    data = np.fromiter((c for row in rows for c in row.coefficients.values()), float, count)
    index = np.fromiter((at[key] for row in rows for key in row.coefficients), np.int64, count)
    matrix = sparse.csr_array((data, index, starts), shape=(len(rows), width))
    return matrix, np.array([row.constant for row in rows], dtype=float)


def _bounds(columns: list[Any]) -> tuple[Array, Array, Flags]:
    pairs = [column.bounds for column in columns]
    lower = np.array([-np.inf if low is None else low for low, _ in pairs], dtype=float)
    upper = np.array([np.inf if high is None else high for _, high in pairs], dtype=float)
    integer = np.array([not column.is_continuous() for column in columns], dtype=bool)
    return lower, upper, integer


def _schedule(model: Model, at: dict[int, int]) -> dict[str, tuple[Indices, Array]]:
    """Return where the program holds each schedule column; fixed and unused parts are constants."""
    first, last, steps = model.window.first, model.window.last, len(model.window)
    result: dict[str, tuple[Indices, Array]] = {}
    for name in model.scenario.components:
        for variable in model.block(name).component_objects(pyo.Var, sort=False):
            for index, data in variable.items():
                t = index[-1] if isinstance(index, tuple) else index
                if not isinstance(t, int):
                    break  # not by step, such as the peak of a month
                if not first <= t <= last:
                    continue
                column = column_name(name, variable.local_name, outer_index(index))
                if column not in result:
                    result[column] = np.full(steps, -1, dtype=np.int64), np.zeros(steps)
                place, constant = result[column]
                place[t - first] = at.get(id(data), -1)
                if place[t - first] < 0:
                    constant[t - first] = data.value if data.fixed else data.lb or 0.0
    return result


def _steps(parts: list[Any], window: Window) -> Indices:
    """Return the step that ends the index of each row or column, 0 where none does."""
    indices = (part.index() for part in parts)
    last = (index[-1] if isinstance(index, tuple) else index for index in indices)
    inside = range(window.first, window.last + 1)
    return np.array([t if isinstance(t, int) and t in inside else 0 for t in last], dtype=np.int64)


def _families(model: Model, rows: list[Any]) -> tuple[Indices, dict[Family, int]]:
    """Return the number of the name that each row goes by, and the number of every name."""
    numbers: dict[tuple[int, tuple[Any, ...]], int] = {}
    owners: dict[int, Any] = {}
    family_of = np.empty(len(rows), dtype=np.int64)
    for i, row in enumerate(rows):
        owner = row.parent_component()
        key = id(owner), outer_index(row.index())
        family_of[i] = numbers.setdefault(key, len(numbers))
        owners[key[0]] = owner
    blocks = {id(model.block(name)): name for name in model.scenario.components}
    names = {
        key: (blocks.get(id(owner.parent_block()), ""), str(owner.local_name))
        for key, owner in owners.items()
    }
    return family_of, {(*names[key], outer): number for (key, outer), number in numbers.items()}


def _indices(rows: Mapping[Key, Sequence[int]]) -> dict[Key, Indices]:
    return {key: np.array(numbers, dtype=np.int64) for key, numbers in rows.items()}
