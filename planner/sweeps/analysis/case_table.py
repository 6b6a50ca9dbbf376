"""The table of cases as analyses read it, and the base of every analysis.

A row of `cases` is a case: `case`, a column for each axis, `status`, `message` and the figures of
its plan. A case without a plan has no figures; no analysis fills them in, and each counts them.
Where a case leaves an axis as in the base scenario, the value of the axis is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Problem, ScenarioError, did_you_mean, wrong
from planner.fields import ROUNDING
from planner.language.section import text
from planner.message import Message

SOLVED = ("optimal", "time_limit", "relaxed")
"""The statuses of a case that has a plan."""

OUTPUT = "objective_cny"


def require_columns(cases: pd.DataFrame, names: Sequence[str], what: str) -> None:
    """Raise unless the table has these columns.

    Raises:
        ScenarioError: the unknown names, each with the closest known one.
    """
    known = [str(name) for name in cases.columns]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ScenarioError(
            Problem(
                Message("the cases have no such column{hint}", hint=did_you_mean(name, known)),
                name,
                what,
            )
            for name in unknown
        )


def numbers(cases: pd.DataFrame, output: str) -> pd.Series:
    """Return an output by row of the table; NaN where the case has no plan or no such figure.

    Raises:
        ScenarioError: the cases have no such column, or it holds texts.
    """
    require_columns(cases, [output], "output")
    try:
        values = pd.to_numeric(cases[output]).astype(float)
    except (TypeError, ValueError):
        raise wrong(output, Message("holds texts, not numbers"), file="output") from None
    finite = values.where(np.isfinite(values))
    return finite.where(cases["status"].isin(SOLVED))


def is_number(value: object) -> bool:
    """Return whether a value of an axis is a number; labels of bundles are texts."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def canonical(column: pd.Series, base: object) -> pd.Series:
    """Return the values of an axis with those that differ by rounding alone made equal.

    Those next to `base`, the value of the axis in the base case, become it.
    """
    if not pd.api.types.is_float_dtype(column):
        return column
    tried = np.unique(column.dropna())
    starts = np.diff(tried, prepend=-np.inf) > ROUNDING * np.abs(tried)
    values = tried[starts][np.cumsum(starts) - 1]
    if is_number(base):
        values[np.isclose(values, float(base), rtol=ROUNDING, atol=0)] = base  # type: ignore[arg-type]
    return column.map(dict(zip(tried, values, strict=True)))


def standing_at(cases: pd.DataFrame, values: Mapping[str, Any]) -> pd.Series:
    """Return which rows have these axes at these values."""
    here = pd.Series(True, index=cases.index)
    for axis, value in values.items():
        here &= cases[axis].isna() if pd.isna(value) else cases[axis] == value
    return here


def levels(column: pd.Series) -> list[Any]:
    """Return the different values of an axis: numbers in order, texts as they first appear.

    Missing ones, of cases that leave the axis as in the base scenario, are left out.
    """
    tried = list(dict.fromkeys(column.dropna().tolist()))
    return sorted(tried) if all(is_number(value) for value in tried) else tried


def middles(cases: pd.DataFrame, axes: Iterable[str]) -> dict[str, Any]:
    """Return the middle one of the values of each axis; axes without any are left out."""
    tried = {axis: levels(cases[axis]) for axis in axes}
    return {axis: values[(len(values) - 1) // 2] for axis, values in tried.items() if values}


def base_row(cases: pd.DataFrame, axes: Sequence[str], base: Mapping[str, Any] | None) -> Any:
    """Return the index of the row with every axis at its base value; None where there is none.

    Without `base` it is the row of case 0, as one_at_a_time numbers its cases.
    """
    values = {"case": 0} if base is None else {axis: base.get(axis) for axis in axes}
    rows = cases.index[standing_at(cases, values)]
    return rows[0] if len(rows) else None


def _first_line(message: str) -> str:
    return message.partition("\n")[0] if "\n" in message else message


def failures(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the number of cases without a plan by status and message, and the first of each.

    Columns: status, message, cases, first_case.
    """
    lost = cases[~cases["status"].isin(SOLVED)]
    first_lines = lost["message"].fillna("").map(_first_line)
    grouped = lost.assign(message=first_lines).groupby(["status", "message"], sort=False)["case"]
    counted = grouped.agg(cases="size", first_case="min").reset_index()
    return counted.sort_values("cases", ascending=False, kind="stable", ignore_index=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class Analysis:
    """An analysis of the cases of a sweep.

    table: its result. output: the figure it explains; empty where it explains several.
    note: a caution for its readers. columns: those of a narrow table; empty for all.
    """

    table: pd.DataFrame
    output: str = ""
    note: str = ""
    columns: tuple[str, ...] = ()

    def plain(self) -> Any:
        """Return the analysis as plain data, ready for JSON."""
        return records(self.table)


@dataclass(frozen=True, eq=False, kw_only=True)
class AxisCurve(Analysis):
    """The outputs along the only axis that varies: case, the axis, status, then the outputs."""

    axis: str


@dataclass(frozen=True, eq=False, kw_only=True)
class BreakEvenCurve(Analysis):
    """Both sides of a break-even condition at the values solved; the note is the result.

    search: the content of breakeven.json.
    """

    search: Mapping[str, Any]

    def plain(self) -> Any:
        """Return the content of breakeven.json."""
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


def value_text(value: Any) -> str:
    """Return a value of an axis as a text; a missing one is that of the base scenario."""
    return Message("as in the base") if pd.isna(value) else text(plain_value(value))
