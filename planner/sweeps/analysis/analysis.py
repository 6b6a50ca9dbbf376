"""One analysis of a sweep: a table made of its cases, ready to be drawn and written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class Analysis:
    """An analysis of the cases of a sweep.

    table: what it found. output: the figure it explains; empty where it is about several.
    note: what a reader has to know, in words.
    columns: those that a narrow table keeps; all where none are named.
    """

    table: pd.DataFrame
    output: str = ""
    note: str = ""
    columns: tuple[str, ...] = ()

    def plain(self) -> Any:
        """Return the analysis as plain data, ready for JSON."""
        return records(self.table)


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve(Analysis):
    """The outputs along the only axis that moves: case, the axis, status, then the outputs."""

    axis: str


@dataclass(frozen=True, eq=False, kw_only=True)
class BreakEvenCurve(Analysis):
    """Both sides of a break-even condition at the values solved; the note tells what was found.

    search: breakeven.json as it stands.
    """

    search: Mapping[str, Any]

    def plain(self) -> Any:
        """Return what breakeven.json holds."""
        return self.search


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain data."""
    return [plain_row(row) for row in table.to_dict("records")]


def plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the cells of a row by name as plain data."""
    return {str(key): plain_value(value) for key, value in row.items()}


def plain_value(value: Any) -> Any:
    """Return a value as JSON knows it: None for a number that is missing or infinite."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
