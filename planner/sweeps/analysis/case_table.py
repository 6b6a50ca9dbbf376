"""The table of cases as the answers read it: which rows hold a plan, and which row is the base.

A row of `cases` is a case: `case`, a column for each axis, `status`, `message` and the figures of
its plan. A case without a plan has no figures; no answer fills them in, each says what it lacks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Problem, ScenarioError, did_you_mean

SOLVED = ("optimal", "time_limit", "relaxed")
"""The statuses of a case that has a plan."""

OUTPUT = "objective_cny"
SAME = 1e-9  # relative; numbers of one axis that are the same value
LESS_IS_BETTER = ("tco2", "cost", "shed", "curtailed", "unserved", "refused", "shortfall", "import")


def demand_columns(cases: pd.DataFrame, names: Sequence[str], what: str) -> None:
    """Raise unless the table has these columns.

    Raises:
        ScenarioError: the unknown names, each with the closest known one.
    """
    known = [str(name) for name in cases.columns]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ScenarioError(
            Problem(f"the cases have no such column{did_you_mean(name, known)}", name, what)
            for name in unknown
        )


def numbers(cases: pd.DataFrame, output: str) -> pd.Series:
    """Return an output by row of the table; NaN where the case has no plan or no such figure.

    Raises:
        ScenarioError: the cases have no such column, or it holds words.
    """
    demand_columns(cases, [output], "output")
    try:
        values = pd.to_numeric(cases[output]).astype(float)
    except (TypeError, ValueError):
        raise ScenarioError([Problem("holds words, not numbers", output, "output")]) from None
    finite = values.where(np.isfinite(values))
    return finite.where(cases["status"].isin(SOLVED))


def is_number(value: object) -> bool:
    """Return whether a value of an axis is a number; labels of bundles are words."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def missing(value: object) -> bool:
    """Return whether an axis has no value of its own there: it is as in the base scenario."""
    return value is None or (is_number(value) and value != value)


def same(a: object, b: object) -> bool:
    """Return whether two values of an axis are the same."""
    if missing(a) or missing(b):
        return missing(a) and missing(b)
    if is_number(a) and is_number(b):
        return math.isclose(float(a), float(b), rel_tol=SAME)  # type: ignore[arg-type]
    return a == b


def equal(column: pd.Series, value: object) -> pd.Series:
    """Return which rows of an axis' column hold a value."""
    return column.map(lambda one: same(one, value)).astype(bool)


def levels(column: pd.Series) -> list[Any]:
    """Return the different values of an axis: numbers in order, words as they first appear.

    Where a case leaves the axis as in the base scenario, its value is missing and is left out.
    """
    tried = [value for value in dict.fromkeys(column.tolist()) if not missing(value)]
    if not all(is_number(value) for value in tried):
        return tried
    found: list[Any] = []
    for value in sorted(tried):
        if not found or not same(value, found[-1]):
            found.append(value)
    return found


def base_row(cases: pd.DataFrame, axes: Sequence[str], base: Mapping[str, Any] | None) -> Any:
    """Return the index of the row with every axis at its base value; None where there is none.

    Without `base` it is the row of case 0, as one_at_a_time numbers its cases.
    """
    if base is None:
        first = cases.index[cases["case"] == 0]
        return first[0] if len(first) else None
    here = pd.Series(True, index=cases.index)
    for axis in axes:
        here &= equal(cases[axis], base.get(axis))
    rows = cases.index[here]
    return rows[0] if len(rows) else None


def failures(cases: pd.DataFrame) -> pd.DataFrame:
    """Return how many cases have no plan, by status and message: status, message, cases, first."""
    lost = cases[~cases["status"].isin(SOLVED)]
    if lost.empty:
        return pd.DataFrame(columns=["status", "message", "cases", "first"])
    said = lost["message"] if "message" in lost else pd.Series("", index=lost.index)
    words = said.where(said.notna(), "").astype("str").str.split("\n").str[0]
    grouped = lost.assign(message=words).groupby(["status", "message"], sort=False)["case"]
    counted = grouped.agg(["size", "min"]).reset_index()
    counted.columns = pd.Index(["status", "message", "cases", "first"])
    return counted.sort_values("cases", ascending=False, kind="stable").reset_index(drop=True)


def direction(output: str) -> str:
    """Return which way an output is better, by its name: less of emission, cost or shed load."""
    word = output.rpartition(".")[2]
    return "min" if any(part in word for part in LESS_IS_BETTER) else "max"
