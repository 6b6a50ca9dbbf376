"""A linear program as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from planner.timeseries.series import Array


class LinearArrays(Protocol):
    """Minimise cost @ x + offset with rows and columns within limits, matrix @ x being the rows."""

    # ruff: noqa: D102
    @property
    def matrix(self) -> Any: ...
    @property
    def row_lower(self) -> Array: ...
    @property
    def row_upper(self) -> Array: ...
    @property
    def column_lower(self) -> Array: ...
    @property
    def column_upper(self) -> Array: ...
    @property
    def cost(self) -> Array: ...
    @property
    def offset(self) -> float: ...


@dataclass(frozen=True)
class LinearProgram:
    """The arrays of a linear program, without reports."""

    matrix: Any
    row_lower: Array
    row_upper: Array
    column_lower: Array
    column_upper: Array
    cost: Array
    offset: float = 0.0
