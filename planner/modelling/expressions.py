"""Linear expressions under construction, by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from planner.modelling.declared import Entries
from planner.modelling.linear import Linear
from planner.modelling.vectors import Whole, numbers_of


class Expressions:
    """Linear expressions under construction, by row."""

    def __init__(self) -> None:
        self.count = 0
        self._entries: list[tuple[Whole, Any, Any]] = []
        self._constants: list[tuple[Whole, Any]] = []

    def add(self, rows: Whole, value: Any) -> None:
        """Add an expression by row, or one for a single row."""
        if not isinstance(value, Linear):
            self._constants.append((rows, numbers_of(value)))
            return
        self._constants.append((rows, value.constant))
        self._entries += [(rows, *part) for part in value.parts]
        for columns, coefficients in value.sums:
            by_row = np.repeat(rows, len(columns))
            terms = np.tile(columns, len(rows)), np.tile(coefficients, len(rows))
            self._entries.append((by_row, *terms))

    def done(self) -> Entries:
        """Return the expressions; of a row, its terms in the order of writing."""
        constants = np.zeros(self.count)
        for some, constant in self._constants:
            constants[some] = constant
        rows, columns, coefficients = (
            joined([for_all(entry[k], len(entry[0])) for entry in self._entries], dtype)
            for k, dtype in ((0, np.int32), (1, np.int32), (2, float))
        )
        self._entries.clear()  # which are as large
        return Entries(rows, columns, coefficients, constants)


def for_all(value: Any, count: int) -> Any:
    """Return a value by row: its own, or the same for all."""
    return value if getattr(value, "ndim", 0) else np.full(count, value)


def joined(parts: Sequence[Any], dtype: type) -> Any:
    """Return arrays one after the other."""
    return np.concatenate([np.zeros(0, dtype), *parts], dtype=dtype)
