"""What the components of a site declare, as arrays: columns, rows and reported quantities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from planner.modelling.pyo import Block
from planner.modelling.rules import ByStep
from planner.modelling.vectors import Flags, Floats, Whole


class Run(NamedTuple):
    """Columns, rows or reports with consecutive numbers, `first` on.

    outer: their index without the step, or all of it where they have none.
    steps: the step of each, or None.
    """

    component: str
    name: str
    outer: tuple[Any, ...]
    first: int
    size: int
    steps: Whole | None

    @property
    def numbers(self) -> Whole:
        """The numbers of the run."""
        return np.arange(self.first, self.first + self.size)


@dataclass(frozen=True)
class Columns:
    """Variables. fixed: the value of each that is fixed, else NaN."""

    runs: Sequence[Run]
    lower: Floats
    upper: Floats
    integer: Flags
    fixed: Floats


@dataclass(frozen=True)
class Entries:
    """Linear expressions: coefficients of columns by row, with repetitions; constants by row.

    The terms of a row come in the order in which they were written.
    """

    rows: Whole
    columns: Whole
    coefficients: Floats
    constants: Floats


@dataclass(frozen=True)
class Rows:
    """Rows: low <= expression <= high, infinite where there is no limit."""

    runs: Sequence[Run]
    entries: Entries
    low: Floats
    high: Floats


class Declared(Protocol):
    """Receives what components declare, then says what it is as arrays."""

    def block(self, component: str) -> Block:
        """Return the block of a component, or with "" that of the site."""

    def columns(self) -> Columns:
        """Return all variables."""

    def rows(self) -> Rows:
        """Return all rows, those of the site before those of components."""

    def column(self, variable: Any, steps: Whole) -> Whole:
        """Return the columns of a variable in some steps."""

    def report(self, by_step: ByStep, steps: Whole) -> Whole:
        """Report an expression in some steps; return its rows."""

    def report_once(self, value: Any) -> int:
        """Report an expression of no step; return its row."""

    def report_declared(self, component: str) -> Iterator[Run]:
        """Report the expressions that a component declares; yield their rows."""

    def reports(self) -> Entries:
        """Return everything reported, in order."""
