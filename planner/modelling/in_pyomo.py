"""Declarations realised in Pyomo: the reference, and the way of whatever arrays cannot realise.

Components may declare Pyomo's own objects in its blocks, and any linear expression of Pyomo.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np
import pyomo.environ as pyomo
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, SumExpression
from pyomo.repn import generate_standard_repn

from planner.modelling.declared import Columns, Entries, Rows, Run
from planner.modelling.pyo import Block, Constraint, Expression, Indexed, Var
from planner.modelling.rules import ByStep
from planner.modelling.vectors import StepSet, Whole, without_gap

_BUILDING = RLock()


@contextmanager
def building() -> Iterator[None]:
    """Build and read a model alone: Pyomo keeps state in its modules.

    Garbage is not collected meanwhile: its objects are many and stay.
    """
    with _BUILDING:
        enabled = gc.isenabled()  # another thread may have paused it until now
        gc.disable()
        try:
            yield
        finally:
            if enabled:
                gc.enable()


UNDERSTOOD = {
    pyomo.Var, pyomo.Constraint, pyomo.Expression, pyomo.Block, pyomo.Set, pyomo.RangeSet,
    pyomo.Param, pyomo.BuildAction, pyomo.Objective,
}  # fmt: skip


class PyomoBlock:
    """A block of Pyomo that takes declarations as well."""

    def __init__(self, block: Any) -> None:
        self.__dict__["_block"] = block

    def __setattr__(self, name: str, declared: Any) -> None:
        self.add_component(name, declared)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._block, name)

    def add_component(self, name: str, declared: Any) -> None:
        """Declare by a name."""
        if not isinstance(declared, Indexed):
            setattr(self._block, name, declared)
            return
        declared.became = _in_pyomo(declared)
        self._block.add_component(name, declared.became)


def _in_pyomo(declared: Indexed) -> Any:
    sets = [_set(part) for part in declared.sets]
    if isinstance(declared, Var):
        domain = getattr(pyomo, declared.domain.name)
        return pyomo.Var(*sets, domain=domain, bounds=declared.bounds)
    if isinstance(declared, Expression):
        return pyomo.Expression(*sets, rule=declared.rule)
    assert isinstance(declared, Constraint)
    if callable(declared.rule):
        return pyomo.Constraint(*sets, rule=declared.rule)
    return pyomo.Constraint(*sets, expr=declared.rule)


def _set(part: Iterable[Any]) -> Any:
    if isinstance(part, StepSet) and without_gap(part.values):
        return pyomo.RangeSet(part[0], part[-1])
    return list(part)


class Coefficients:
    """The coefficients of the variables of an expression, and its constant."""

    def __init__(self, expression: Any) -> None:
        self.constant = 0.0
        self.coefficients: dict[int, float] = {}
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
        elif isinstance(expression, (int, float, np.number)):
            self.constant += factor * float(expression)
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
        key = id(variable)
        self.coefficients[key] = self.coefficients.get(key, 0.0) + factor


class PyomoDeclared:
    """Realises the declarations of all components in Pyomo."""

    def __init__(self, components: Iterable[str]) -> None:
        self.model = pyomo.ConcreteModel()
        self.model.part = pyomo.Block(list(components))
        self._reports: list[Coefficients] = []
        self._numbers: dict[int, int] = {}

    def block(self, component: str) -> Block:
        """Return the block of a component, or with "" that of the site."""
        return PyomoBlock(self._block(component))

    def columns(self) -> Columns:
        """Return all variables."""
        runs, data = self._read(pyomo.Var)
        self._numbers = {id(variable): number for number, variable in enumerate(data)}
        bounds = [variable.bounds for variable in data]
        return Columns(
            runs,
            np.array([-np.inf if low is None else low for low, _ in bounds], dtype=float),
            np.array([np.inf if high is None else high for _, high in bounds], dtype=float),
            np.array([not variable.is_continuous() for variable in data], dtype=bool),
            np.array([v.value if v.fixed else np.nan for v in data], dtype=float),
        )

    def rows(self) -> Rows:
        """Return all rows, those of the site before those of components."""
        kinds = self.model.collect_ctypes(active=True) - UNDERSTOOD
        if kinds:
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise TypeError(f"a component declares {names}, of which no program is made")
        runs, data = self._read(pyomo.Constraint)
        bounded = [row.to_bounded_expression(evaluate_bounds=True) for row in data]
        limits = np.array([(low, high) for low, _, high in bounded], dtype=float).reshape(-1, 2)
        low = np.where(np.isnan(limits[:, 0]), -np.inf, limits[:, 0])
        high = np.where(np.isnan(limits[:, 1]), np.inf, limits[:, 1])
        bodies = self._entries([Coefficients(body) for _, body, _ in bounded])
        return Rows(runs, bodies, low, high)

    def column(self, variable: Any, steps: Whole) -> Whole:
        """Return the columns of a variable in some steps."""
        return np.array([self._numbers[id(variable[t])] for t in steps.tolist()], dtype=np.int64)

    def report(self, by_step: ByStep, steps: Whole) -> Whole:
        """Report an expression in some steps; return its rows."""
        return np.array([self.report_once(by_step(t)) for t in steps.tolist()], dtype=np.int64)

    def report_once(self, value: Any) -> int:
        """Report an expression of no step; return its row."""
        self._reports.append(Coefficients(value))
        return len(self._reports) - 1

    def report_declared(self, component: str) -> Iterator[Run]:
        """Report the expressions that a component declares; yield their rows."""
        for name, data in self._components(component, pyomo.Expression):
            yield from _runs(component, name, list(data), len(self._reports))
            for expression in data.values():
                self.report_once(expression)

    def reports(self) -> Entries:
        """Return everything reported, in order."""
        return self._entries(self._reports)

    def _components(self, component: str, kind: type) -> Iterator[tuple[str, dict[Any, Any]]]:
        """Yield what a block and those inside it hold: name and data by index; active, no alias."""
        inside = self._block(component).component_objects(
            kind, active=True, sort=False, descend_into=bool(component)
        )
        for part in inside:
            if not part.is_reference():
                data = part.items()
                yield part.local_name, {i: one for i, one in data if getattr(one, "active", True)}

    def _block(self, component: str) -> Any:
        return self.model.part[component] if component else self.model

    def _read(self, kind: type) -> tuple[list[Run], list[Any]]:
        """Return all variables or rows, those of the site first."""
        runs: list[Run] = []
        data: list[Any] = []
        for component in ("", *self.model.part):
            for name, by_index in self._components(component, kind):
                runs += _runs(component, name, list(by_index), len(data))
                data += by_index.values()
        return runs, data

    def _entries(self, expressions: list[Coefficients]) -> Entries:
        sizes = [len(expression.coefficients) for expression in expressions]
        pairs = [pair for one in expressions for pair in one.coefficients.items()]
        return Entries(
            np.repeat(np.arange(len(sizes)), sizes),
            np.array([self._numbers[key] for key, _ in pairs], dtype=np.int64),
            np.array([coefficient for _, coefficient in pairs], dtype=float),
            np.array([expression.constant for expression in expressions], dtype=float),
        )


def _runs(component: str, name: str, indices: list[Any], first: int) -> Iterator[Run]:
    """Yield the runs of an indexed component of Pyomo: consecutive steps after the same index."""
    run: tuple[tuple[Any, ...], list[int]] | None = None
    for number, index in enumerate((*indices, None), first):
        key = index if isinstance(index, tuple) else (index,)
        is_step = number < first + len(indices) and isinstance(key[-1], int)
        if run is not None and not (is_step and run[0] == key[:-1]):
            outer, steps = run
            yield Run(component, name, outer, number - len(steps), len(steps), np.array(steps))
            run = None
        if is_step:
            run = run or (key[:-1], [])
            run[1].append(key[-1])
        elif number < first + len(indices):
            yield Run(component, name, () if index is None else key, number, 1, None)
