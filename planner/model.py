"""From a scenario to arrays: one block per component, one balance per node and origin, one objective.

`assemble` builds the Pyomo model and gathers every reported quantity; `Model.compile` turns it into
the arrays of a linear program with some integer columns. Everything reported (ledger lines, uses,
schedule expressions) is compiled beside the objective as a row over the same columns, so that the
ledger and the objective are one thing: the objective is the sum of the ledger's rows.

Rows declared here:
    balance     sum of flows = 0       for every balance (node and origin, or service) and step
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy import sparse

from planner.components.base import Balance, Exclusive, Line, Meters, Period, Site, Terms, Time
from planner.errors import InfeasibleError
from planner.horizon import Window
from planner.scenario import Scenario
from planner.series import Array


@dataclass(frozen=True)
class Cost:
    """A row of the ledger before it has an amount."""

    component: str
    line: Line
    period: Period
    reported: bool


@dataclass(frozen=True)
class Program:
    """A mixed-integer linear program as arrays: minimise cost @ x + offset.

    Rows read row_lower <= matrix @ x <= row_upper. `integer` marks integer columns; `switches`
    holds columns that stand for a direction and are integer only where asked for, with the rows of
    `reports` that give the two flows in MW they keep apart.
    """

    matrix: Any
    row_lower: Array
    row_upper: Array
    column_lower: Array
    column_upper: Array
    integer: np.ndarray[Any, np.dtype[np.bool_]]
    cost: Array
    offset: float
    switches: np.ndarray[Any, np.dtype[np.int64]]
    first_flow: np.ndarray[Any, np.dtype[np.int64]]
    second_flow: np.ndarray[Any, np.dtype[np.int64]]
    reports: Any
    report_offset: Array
    ledger_rows: np.ndarray[Any, np.dtype[np.int64]]
    tidy_rows: list[int]

    def values(self, x: Array) -> Array:
        """Return the value of every report row at a solution."""
        return np.asarray(self.reports @ x + self.report_offset)

    def turnover(self, x: Array) -> float:
        """Return the sum of absolute ledger amounts at a solution, CNY."""
        return float(np.abs(self.values(x)[self.ledger_rows]).sum())


@dataclass
class Model:
    """A scenario's window as a Pyomo model with its terms, and how to read values back."""

    scenario: Scenario
    window: Window
    pyomo: pyo.ConcreteModel
    terms: dict[str, list[Terms]]
    reports: list[Any] = field(default_factory=list)
    costs: dict[int, Cost] = field(default_factory=dict)
    uses: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    injected: dict[str, list[int]] = field(default_factory=dict)
    expressions: dict[str, list[int]] = field(default_factory=dict)
    tidy: list[int] = field(default_factory=list)
    switches: list[tuple[Any, int, int]] = field(default_factory=list)
    columns: list[Any] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)

    def _report(self, expression: Any) -> int:
        self.reports.append(expression)
        return len(self.reports) - 1

    def _gather(self) -> None:
        steps = list(self.window)
        tidy: dict[int, list[Any]] = {}
        for name, parts in self.terms.items():
            for terms in parts:
                for lines, reported in ((terms.costs, False), (terms.reported, True)):
                    for line, amounts in lines.items():
                        for period, spent in amounts.items():
                            self.costs[self._report(spent)] = Cost(name, line, period, reported)
                for key, by_step in terms.uses.items():
                    self.uses.setdefault(key, []).extend(self._report(by_step(t)) for t in steps)
                for origin, by_step in terms.injected.items():
                    rows = [self._report(by_step(t)) for t in steps]
                    self.injected.setdefault(origin, []).extend(rows)
                for pair in terms.exclusive:
                    self._switch(pair, steps)
                for rank, expression in terms.tidy.items():
                    tidy.setdefault(rank, []).append(expression)
            for expression in self.block(name).component_objects(pyo.Expression, sort=False):
                by_index: dict[Any, list[int]] = {}
                for index, data in expression.items():
                    by_index.setdefault(_outer(index), []).append(self._report(data))
                for outer, rows in by_index.items():
                    self.expressions[_column(name, expression.local_name, outer)] = rows
        self.tidy = [self._report(sum(tidy[rank])) for rank in sorted(tidy)]

    def _switch(self, pair: Exclusive, steps: list[int]) -> None:
        for t in steps:
            rows = self._report(pair.first(t)), self._report(pair.second(t))
            self.switches.append((pair.switch[t], *rows))

    def block(self, name: str) -> Any:
        """Return the Pyomo block of a component."""
        return self.pyomo.part[name]

    def compile(self) -> Program:
        """Turn the model into arrays.

        Raises:
            InfeasibleError: a row contradicts itself without any decision in it.
        """
        reports = self.reports
        self.pyomo.report = pyo.Objective(range(len(reports)), rule=lambda _, i: reports[i])
        try:
            form = LinearStandardFormCompiler().write(self.pyomo, mixed_form=True)
        except InfeasibleConstraintException as error:
            raise InfeasibleError(f"no plan exists: {error}") from None
        finally:
            self.pyomo.del_component(self.pyomo.report)
        self.columns, self.rows = form.columns, form.rows
        kinds = np.array([row.bound_type for row in form.rows], dtype=int)
        rhs = np.asarray(form.rhs, dtype=float)
        lower, upper, integer = _bounds(form.columns)
        at = {id(column): i for i, column in enumerate(form.columns)}
        report_rows = sparse.csr_array(form.c)
        ledger = [i for i, cost in self.costs.items() if not cost.reported]
        cost = np.zeros(len(form.columns))
        offset = np.asarray(form.c_offset, dtype=float)
        if ledger:
            cost = np.asarray(report_rows[ledger].sum(axis=0)).ravel()
        used = [(at[id(s)], a, b) for s, a, b in self.switches if id(s) in at]
        switches = np.array(used, dtype=np.int64).reshape(-1, 3)
        return Program(
            matrix=sparse.csc_array(form.A),
            row_lower=np.where(kinds == 1, -np.inf, rhs),
            row_upper=np.where(kinds == -1, np.inf, rhs),
            column_lower=lower,
            column_upper=upper,
            integer=integer,
            cost=cost,
            offset=float(offset[ledger].sum()),
            switches=switches[:, 0],
            first_flow=switches[:, 1],
            second_flow=switches[:, 2],
            reports=report_rows,
            report_offset=offset,
            ledger_rows=np.array(ledger, dtype=np.int64),
            tidy_rows=self.tidy,
        )

    def schedule(self, x: Array, reports: Array) -> dict[str, Array]:
        """Return every schedule column over the window's steps, in the components' order."""
        found: dict[int, float] = {
            id(column): value for column, value in zip(self.columns, x.tolist(), strict=True)
        }
        result: dict[str, Array] = {}
        first, last = self.window.first, self.window.last
        for name in self.terms:
            for variable in self.block(name).component_objects(pyo.Var, sort=False):
                if not _by_step(variable, last):
                    continue
                grouped: dict[Any, Array] = {}
                for index, data in variable.items():
                    t = index[-1] if isinstance(index, tuple) else index
                    if first <= t <= last:
                        array = grouped.setdefault(_outer(index), np.zeros(len(self.window)))
                        value = found.get(id(data))
                        array[t - first] = _unused(data) if value is None else value
                for outer, array in grouped.items():
                    result[_column(name, variable.local_name, outer)] = array
            prefix = f"{name}."
            for column, rows in self.expressions.items():
                if column.startswith(prefix):
                    result[column] = reports[rows]
        return result


def assemble(scenario: Scenario, window: Window | None = None) -> Model:
    """Build the model of a window (the whole horizon by default), components in name order."""
    window = window or scenario.horizon.window
    with _no_garbage_collection():
        m = pyo.ConcreteModel()
        time = Time(m, scenario.horizon, window)
        names = list(scenario.components)
        m.part = pyo.Block(names)
        sites = {
            name: Site(name, scenario.horizon, scenario.components, scenario.trace, time)
            for name in names
        }
        model = Model(scenario, window, m, {name: [] for name in names})
        meters = Meters()
        for name, component in scenario.components.items():
            terms = component.build(m.part[name], sites[name])
            meters.add(name, terms.meters)
            model.terms[name].append(terms)
        for name, component in scenario.components.items():
            model.terms[name].append(component.couple(m.part[name], sites[name], meters))
        _balance(m, model.terms)
        model._gather()
    return model


def _balance(m: pyo.ConcreteModel, terms: Mapping[str, list[Terms]]) -> None:
    flows: dict[Balance, list[Any]] = {}
    for parts in terms.values():
        for part in parts:
            for balance, by_step in part.flows.items():
                flows.setdefault(balance, []).append(by_step)
    every = list(flows)
    m.balance = pyo.Constraint(
        range(len(every)),
        m.steps,
        rule=lambda _, k, t: sum(by_step(t) for by_step in flows[every[k]]) == 0,
    )


def _bounds(columns: list[Any]) -> tuple[Array, Array, np.ndarray[Any, np.dtype[np.bool_]]]:
    pairs = [column.bounds for column in columns]
    lower = np.array([-np.inf if low is None else low for low, _ in pairs], dtype=float)
    upper = np.array([np.inf if high is None else high for _, high in pairs], dtype=float)
    integer = np.array([not column.is_continuous() for column in columns], dtype=bool)
    return lower, upper, integer


def _by_step(variable: Any, last: int) -> bool:
    if not variable.is_indexed():
        return False
    index = next(iter(variable.keys()), None)
    return (index[-1] if isinstance(index, tuple) else index).__class__ is int and last > 0


def _unused(data: Any) -> float:
    """Return the value of a variable that no row holds: fixed, or free to rest at its bound."""
    if data.fixed:
        return float(data.value)
    return float(data.lb or 0.0)


def _outer(index: Any) -> tuple[Any, ...]:
    return index[:-1] if isinstance(index, tuple) else ()


def _column(component: str, name: str, outer: tuple[Any, ...]) -> str:
    inside = f"[{'|'.join(map(str, outer))}]" if outer else ""
    return f"{component}.{name}{inside}"


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Build with the collector paused: a year builds in less than half the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
