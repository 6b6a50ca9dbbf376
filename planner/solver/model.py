"""The Pyomo model of a scenario: a block per component, a balance per node and origin.

`assemble` builds the model and gathers every quantity that a plan reports: ledger lines, uses,
schedule expressions. `compiler` turns both into arrays over the same columns; the objective is the
sum of the ledger's rows.

Rows declared here:
    balance     sum of flows = 0       for every balance (node and origin, or service) and step

`Linear` reads the coefficients of an expression, quickly for the shapes that components write, and
by Pyomo's own walker otherwise. A reported quantity is most often a variable, or a number times a
variable: a dictionary entry here instead of a row of the compiled program.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, NamedTuple

import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, SumExpression
from pyomo.repn import generate_standard_repn

from planner.components.component import Site, Time
from planner.components.terms import Balance, Line, Meters, Period, Terms
from planner.scenario.scenario import Scenario
from planner.timeseries.horizon import Window


class Linear:
    """A constant and the coefficient of each variable that is not fixed."""

    __slots__ = ("coefficients", "constant", "variables")

    def __init__(self, expression: Any) -> None:
        self.constant = 0.0
        self.coefficients: dict[int, float] = {}
        self.variables: list[Any] = []
        self._add(expression, 1.0)

    def _add(self, expression: Any, factor: float) -> None:
        kind = expression.__class__
        if kind is float or kind is int:
            self.constant += factor * expression
        elif kind is MonomialTermExpression and expression.args[0].__class__ is float:
            self._variable(expression.args[1], factor * expression.args[0])
        elif kind is LinearExpression or kind is SumExpression:
            for part in expression.args:
                self._add(part, factor)
        elif expression.is_variable_type():
            self._variable(expression, factor)
        elif expression.is_named_expression_type():
            self._add(expression.expr, factor)
        else:
            form = generate_standard_repn(expression, compute_values=True)
            if not form.is_linear():
                raise TypeError(f"{expression} is not linear")
            self.constant += factor * form.constant
            for coefficient, variable in zip(form.linear_coefs, form.linear_vars, strict=True):
                self._variable(variable, factor * coefficient)

    def _variable(self, variable: Any, factor: float) -> None:
        if variable.fixed:
            self.constant += factor * variable.value
            return
        key = id(variable)
        if key not in self.coefficients:
            self.variables.append(variable)
            self.coefficients[key] = factor
        else:
            self.coefficients[key] += factor


_building = RLock()  # all threads share the collector, and what Pyomo keeps in its modules


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Pause the garbage collector: a year builds in half the time and compiles in two thirds.

    One thread at a time builds; the others wait.
    """
    with _building:
        enabled = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if enabled:
                gc.enable()


@dataclass(frozen=True)
class Cost:
    """A ledger line of a component and period; `reported` money is not in the objective."""

    component: str
    line: Line
    period: Period
    reported: bool


class Movement(NamedTuple):
    """A power whose movement is to be small: its order, and its row in every step.

    before_mw: just before the window, where that is known.
    """

    order: int
    rows: list[int]
    before_mw: float | None


@dataclass
class Reports:
    """Every quantity that a plan reports: an expression per row, and the rows of each quantity."""

    expressions: list[Any] = field(default_factory=list)
    costs: dict[int, Cost] = field(default_factory=dict)
    uses: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    injected: dict[str, list[int]] = field(default_factory=dict)
    schedule: dict[str, list[int]] = field(default_factory=dict)
    switches: list[tuple[Any, int, int]] = field(default_factory=list)
    moves: list[Movement] = field(default_factory=list)

    def add(self, expression: Any) -> int:
        """Add an expression and return its row."""
        self.expressions.append(expression)
        return len(self.expressions) - 1

    def add_terms(self, component: str, terms: Terms, window: Window) -> None:
        """Add the terms of a component."""
        for lines, reported in ((terms.costs, False), (terms.reported, True)):
            for line, amounts in lines.items():
                for period, spent in amounts.items():
                    self.costs[self.add(spent)] = Cost(component, line, period, reported)
        for key, by_step in terms.uses.items():
            self.uses.setdefault(key, []).extend(self.add(by_step(t)) for t in window)
        for origin, by_step in terms.injected.items():
            self.injected.setdefault(origin, []).extend(self.add(by_step(t)) for t in window)
        for pair in terms.exclusive:
            for t in window:
                rows = self.add(pair.first(t)), self.add(pair.second(t))
                self.switches.append((pair.switch[t], *rows))
        for power in terms.moves:
            rows_by_step = [self.add(power.mw(t)) for t in window]
            self.moves.append(Movement(power.order, rows_by_step, power.before_mw))


@dataclass
class Model:
    """The Pyomo model of a window of a scenario, with every reported quantity.

    Compiling sets `columns`, the Pyomo variables, and `rows`, the (constraint, side) of each.
    """

    scenario: Scenario
    window: Window
    pyomo: pyo.ConcreteModel
    terms: dict[str, list[Terms]]
    reports: Reports
    balances: list[Balance]
    columns: list[Any] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)

    def block(self, name: str) -> Any:
        """Return the Pyomo block of a component."""
        return self.pyomo.part[name]


@no_garbage_collection()
def assemble(scenario: Scenario, window: Window | None = None) -> Model:
    """Build the model of a window (the whole horizon by default), components in name order."""
    window = window or scenario.horizon.window
    m = pyo.ConcreteModel()
    time = Time(m, scenario.horizon, window)
    m.part = pyo.Block(list(scenario.components))
    sites = {
        name: Site(name, scenario.horizon, scenario.components, scenario.trace, time)
        for name in scenario.components
    }
    terms: dict[str, list[Terms]] = {}
    meters = Meters()
    for name, component in scenario.components.items():
        terms[name] = [component.build(m.part[name], sites[name])]
        meters.add(name, terms[name][0].meters)
    for name, component in scenario.components.items():
        terms[name].append(component.couple(m.part[name], sites[name], meters))
    balances = _balance(m, terms)
    return Model(scenario, window, m, terms, _gather(m, terms, window), balances)


def _gather(m: pyo.ConcreteModel, terms: Mapping[str, list[Terms]], window: Window) -> Reports:
    reports = Reports()
    for name, parts in terms.items():
        for part in parts:
            reports.add_terms(name, part, window)
        for expression in m.part[name].component_objects(pyo.Expression, sort=False):
            for index, data in expression.items():
                column = column_name(name, expression.local_name, outer_index(index))
                reports.schedule.setdefault(column, []).append(reports.add(data))
    return reports


def _balance(m: pyo.ConcreteModel, terms: Mapping[str, list[Terms]]) -> list[Balance]:
    """Declare the balance rows; return the balances in the order of their first index."""
    flows: dict[Balance, list[Any]] = {}
    for parts in terms.values():
        for part in parts:
            for balance, by_step in part.flows.items():
                flows.setdefault(balance, []).append(by_step)
    balances = list(flows)
    m.balance = pyo.Constraint(
        range(len(balances)),
        m.steps,
        rule=lambda _, k, t: sum(by_step(t) for by_step in flows[balances[k]]) == 0,
    )
    return balances


def outer_index(index: Any) -> tuple[Any, ...]:
    """Return an index without its last part, the step."""
    return index[:-1] if isinstance(index, tuple) else ()


def last_index(index: Any) -> Any:
    """Return the last part of an index: the step, if it has one."""
    return index[-1] if isinstance(index, tuple) else index


def column_name(component: str, name: str, outer: tuple[Any, ...]) -> str:
    """Name a schedule column: battery.charge_mw[grid]."""
    inside = f"[{'|'.join(map(str, outer))}]" if outer else ""
    return f"{component}.{name}{inside}"
