"""Declarations realised as arrays: every rule is called with a vector of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from planner.modelling.declared import Columns, Entries, Rows, Run
from planner.modelling.expressions import Expressions, joined
from planner.modelling.index_sets import UnsupportedError, as_tuple, parts_of
from planner.modelling.linear import Linear, Relation
from planner.modelling.pyo import Block, Constraint, Expression, Indexed, Var
from planner.modelling.rules import ByStep, in_vectors
from planner.modelling.vectors import Floats, Steps, Whole, numbers_of, place_of, places_of


class Variable:
    """A variable: its columns are numbered from `first` on."""

    def __init__(self, component: str, name: str, first: int, declared: Var, block: Any) -> None:
        self.first, self.runs = first, list[Run]()
        self._by_step: dict[tuple[Any, ...], tuple[int, Whole]] = {}
        self._others: dict[tuple[Any, ...], int] = {}
        limits: list[tuple[Floats, Floats]] = []
        column, bounds = first, declared.bounds
        rule = bounds if callable(bounds) else lambda *_: bounds
        for outer, steps, keys in parts_of(declared.sets):
            if steps is not None:
                self._by_step[outer] = column, steps
                self.runs.append(Run(component, name, outer, column, len(steps), steps))
                limits.append(_limits(partial(rule, block, *outer), steps))
                column += len(steps)
            for key in keys:
                index = (*outer, *key)
                self._others[index] = column
                self.runs.append(Run(component, name, index, column, 1, None))
                low, high = rule(block, *index)
                limits.append((np.array([low], dtype=float), np.array([high], dtype=float)))
                column += 1
        self.count, domain = column - first, declared.domain
        lower, upper = (joined([pair[k] for pair in limits], float) for k in (0, 1))
        self._least = -np.inf if domain.low is None else domain.low
        self._most = np.inf if domain.high is None else domain.high
        self.lower, self.upper = np.fmax(lower, self._least), np.fmin(upper, self._most)
        self.integer = np.full(self.count, domain.integer)
        self.fixed = np.full(self.count, np.nan)

    def set_lower(self, place: int, value: float | None) -> None:
        """Set the lower bound of one of its columns, within its domain; None for no other."""
        self.lower[place] = self._least if value is None else max(value, self._least)

    def set_upper(self, place: int, value: float | None) -> None:
        """Set the upper bound, likewise."""
        self.upper[place] = self._most if value is None else min(value, self._most)

    def __getitem__(self, index: Any) -> Linear:
        key = as_tuple(index)
        last = key[-1]
        if isinstance(last, Steps):
            first, steps = self._by_step[key[:-1]]
            return Linear(((first + places_of(last.values, steps), 1.0),))
        if (run := self._by_step.get(key[:-1])) is None:
            return Linear(((self._others[key], 1.0),), 0.0, self)
        return Linear(((run[0] + place_of(last, run[1]), 1.0),), 0.0, self)


def _limits(rule: ByStep, steps: Whole) -> tuple[Floats, Floats]:
    """Return the bounds of a variable in some steps, NaN where there is none."""
    lower, upper = np.full(len(steps), np.nan), np.full(len(steps), np.nan)
    for places, pair in in_vectors(rule, steps):
        _set_limits((lower, upper), places, pair)
    return lower, upper


def _set_limits(sides: tuple[Floats, Floats], places: Whole, pair: tuple[Any, Any]) -> None:
    for side, limit, endless in zip(sides, pair, (np.inf, -np.inf), strict=True):
        if limit is not None:
            numbers = np.asarray(numbers_of(limit), dtype=float)
            if (np.isnan(numbers) | (numbers == endless)).any():
                raise UnsupportedError
            side[places] = numbers


class Reported:
    """An expression that a component declares, by step."""

    def __init__(self, component: str, name: str, declared: Expression, block: Any) -> None:
        self._by_step: dict[tuple[Any, ...], tuple[Linear, Whole]] = {}
        self._name = component, name
        for outer, steps, keys in parts_of(declared.sets):
            if keys or steps is None:
                raise UnsupportedError
            self._by_step[outer] = _merged(partial(declared.rule, block, *outer), steps), steps

    def __getitem__(self, index: Any) -> Linear:
        key = as_tuple(index)
        value, steps = self._by_step[key[:-1]]
        last = key[-1]
        at: Any
        if isinstance(last, Steps):
            if np.array_equal(last.values, steps):
                return value
            at = places_of(last.values, steps)
        else:
            at = place_of(last, steps)
        parts = tuple((columns[at], coefficients[at]) for columns, coefficients in value.parts)
        return Linear(parts, value.constant[at])

    def runs(self, first: int) -> Iterator[tuple[Run, Linear]]:
        """Yield the expressions with the rows that report them, `first` on."""
        for outer, (value, steps) in self._by_step.items():
            yield Run(*self._name, outer, first, len(steps), steps), value
            first += len(steps)


def _merged(rule: ByStep, steps: Whole) -> Linear:
    """Return an expression in some steps as one, with coefficients of 0 where a part has none."""
    parts: list[tuple[Whole, Floats]] = []
    constants = np.zeros(len(steps))
    for places, value in in_vectors(rule, steps):
        if not isinstance(value, Linear):
            constants[places] = numbers_of(value)
            continue
        constants[places] = value.constant
        summed = (pair for some in value.sums for pair in zip(*some, strict=True))
        for columns, coefficients in (*value.parts, *summed):
            all_columns = np.zeros(len(steps), dtype=np.int64)
            all_coefficients = np.zeros(len(steps))
            all_columns[places], all_coefficients[places] = columns, coefficients
            parts.append((all_columns, all_coefficients))
    return Linear(tuple(parts), constants)


class ArrayRows:
    """Rows under construction."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._bodies = Expressions()
        self._limits: list[tuple[Whole, tuple[Any, Any]]] = []

    def add(self, component: str, name: str, declared: Constraint, block: Any) -> None:
        """Add the rows of a declaration."""
        rule = declared.rule if callable(declared.rule) else lambda _: declared.rule
        for outer, steps, keys in parts_of(declared.sets):
            if steps is not None:
                self.runs.append(Run(component, name, outer, self._bodies.count, len(steps), steps))
                for places, value in in_vectors(partial(rule, block, *outer), steps):
                    self._add(places, value)
                self._bodies.count += len(steps)
            for key in keys:
                index = (*outer, *key)
                self.runs.append(Run(component, name, index, self._bodies.count, 1, None))
                self._add(np.zeros(1, dtype=np.int64), rule(block, *index))
                self._bodies.count += 1

    def _add(self, places: Whole, value: Any) -> None:
        if isinstance(value, tuple):
            low, body, high = value
        elif isinstance(value, Relation):
            low, body, high = value.low, value.body, value.high
        else:
            raise UnsupportedError
        rows = self._bodies.count + places
        self._bodies.add(rows, body)
        self._limits.append((rows, (low, high)))

    def done(self, components: Sequence[str]) -> Rows:
        """Return the rows, component by component."""
        low, high = np.full(self._bodies.count, -np.inf), np.full(self._bodies.count, np.inf)
        for rows, pair in self._limits:
            _set_limits((low, high), rows, pair)
        runs = sorted(self.runs, key=lambda run: components.index(run.component))
        before = joined([run.numbers for run in runs], np.int64)
        number = np.zeros(len(before), dtype=np.int32)
        number[before] = np.arange(len(before))
        first = np.cumsum([0, *(run.size for run in runs)]).tolist()
        runs = [run._replace(first=place) for run, place in zip(runs, first[:-1], strict=True)]
        bodies = self._bodies.done()
        bodies = replace(bodies, rows=number[bodies.rows], constants=bodies.constants[before])
        return Rows(runs, bodies, low[before], high[before])


class ArrayBlock:
    """The block of a component: realises what is declared in it."""

    def __init__(self, realise: Callable[..., Any], component: str) -> None:
        self.__dict__.update(_realise=partial(realise, component))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def __setattr__(self, name: str, declared: Any) -> None:
        self.add_component(name, declared)

    def add_component(self, name: str, declared: Any) -> None:
        """Realise a declaration."""
        if not isinstance(declared, Indexed) or name in self.__dict__:
            raise UnsupportedError
        declared.became = self._realise(name, declared, self)
        self.__dict__[name] = declared.became

    def component(self, name: str) -> Any:
        """Return what a declaration became."""
        return self.__dict__[name]


class ArrayDeclared:
    """Realises the declarations of all components as arrays."""

    def __init__(self) -> None:
        self._width = 0
        self._components = [""]
        self._variables: dict[str, list[Variable]] = {}
        self._rows = ArrayRows()
        self._expressions: dict[str, list[Reported]] = {}
        self._reports = Expressions()

    def block(self, component: str) -> Block:
        """Return the block of a component, or with "" that of the site."""
        if component:
            self._components.append(component)
        return ArrayBlock(self.realised, component)

    def realised(self, component: str, name: str, declared: Indexed, block: ArrayBlock) -> Any:
        """Return what a declaration becomes."""
        if isinstance(declared, Var):
            variable = Variable(component, name, self._width, declared, block)
            self._width += variable.count
            self._variables.setdefault(component, []).append(variable)
            return variable
        if isinstance(declared, Expression):
            expression = Reported(component, name, declared, block)
            self._expressions.setdefault(component, []).append(expression)
            return expression
        assert isinstance(declared, Constraint)
        return self._rows.add(component, name, declared, block)

    def columns(self) -> Columns:
        """Return all variables."""
        variables = [
            variable for name in self._components for variable in self._variables.get(name, ())
        ]
        by_number = sorted(variables, key=lambda variable: variable.first)
        parts = [
            joined([getattr(variable, name) for variable in by_number], dtype)
            for name, dtype in (
                ("lower", float), ("upper", float), ("integer", bool), ("fixed", float)
            )
        ]  # fmt: skip
        return Columns([run for variable in variables for run in variable.runs], *parts)

    def rows(self) -> Rows:
        """Return all rows, those of the site before those of components."""
        return self._rows.done(self._components)

    def report(self, by_step: ByStep, steps: Whole) -> Whole:
        """Report an expression in some steps; return its rows."""
        first = self._reports.count
        for places, value in in_vectors(by_step, steps):
            self._reports.add(first + places, value)
        self._reports.count += len(steps)
        return np.arange(first, self._reports.count)

    def report_once(self, value: Any) -> int:
        """Report an expression of no step; return its row."""
        self._reports.add(np.array([self._reports.count]), value)
        self._reports.count += 1
        return self._reports.count - 1

    def report_declared(self, component: str) -> Iterator[Run]:
        """Report the expressions that a component declares; yield their rows."""
        for expression in self._expressions.get(component, ()):
            for run, value in expression.runs(self._reports.count):
                self._reports.add(run.numbers, value)
                self._reports.count += run.size
                yield run

    def reports(self) -> Entries:
        """Return everything reported, in order."""
        return self._reports.done()

    def column(self, variable: Any, steps: Whole) -> Whole:
        """Return the columns of a variable in some steps."""
        ((columns, _),) = variable[Steps(steps)].parts
        return np.asarray(columns)
