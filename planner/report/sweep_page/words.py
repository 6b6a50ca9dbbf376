"""The labels of outputs, axes, statuses and columns in the tables, charts and page of a sweep."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from planner.language.language import ENGLISH, Language
from planner.language.section import SHARE, Quantity, text
from planner.report.charts.style import chart_scale
from planner.sweeps.analysis.case_table import is_number, value_text
from planner.units import unit

HEADINGS = frozenset({
    "case", "axis", "status", "message", "cases", "first", "first_case", "first_confidence",
    "total", "total_confidence", "base", "low", "high", "swing", "output_base", "output_low",
    "output_high", "change_low", "change_high", "status_low", "status_high", "without_plan",
    "from_case", "to_case", "from_value", "to_value", "share", "hidden", "skipped", "gap",
    "gap_of_profit", "value", "left", "right", "green_mwh", "abated_tco2", "cost_cny",
    "cost_cny_per_mwh", "cost_cny_per_tco2", "percentage_points", "point_cost_cny",
})  # fmt: skip
"""Columns of the tables themselves; all others are named by the sweep."""
PERCENT = {"gap": 4, "gap_of_profit": 4, "share": 2}
"""Columns of shares that tables show in percent, and their decimals."""
OUTPUTS = ("figures", "green", "solving")  # heads of shares among the figures of a plan
CLEARER = {"points": "percentage_points", "cost_cny_per_point": "point_cost_cny"}
"""Columns of answers.json that tables name otherwise."""


def measured(name: str) -> str:
    """Return the unit of an output or axis; empty where it has none."""
    parts = name.split(".")
    own = parts[2:] if parts[0] in ("components", "figures") else parts
    last = own[-1:] if own else parts[-1:]
    inner = own[-2::-1] if parts[0] == "components" else parts[:1]
    return next((u for part in [*last, *inner] if (u := unit(part))), "")


def titled(name: str, words: Language = ENGLISH, *, factor: bool = False) -> str:
    """Return the label of an output, an axis or a column, with its unit."""
    name = CLEARER.get(name, name)
    if name in HEADINGS:
        return words.label(name)
    if is_percent(name):
        return words.path(name)
    own_unit = words("times the base") if factor else words(measured(name))
    label = words.path(name)
    return f"{label} [{own_unit}]" if own_unit else label


def scaled(name: str, values: ArrayLike, words: Language) -> tuple[float, str, str]:
    """Return the divisor, the unit and the title of a chart for values of an output."""
    if measured(name) == SHARE:
        return 0.01, "%", f"{words.path(name)} [%]"
    largest = float(np.nanmax(np.abs(np.asarray(values, dtype=float)), initial=0.0))
    divisor, scaled_unit = chart_scale(measured(name), largest, words)
    label = words.path(name)
    return divisor, scaled_unit, f"{label} [{scaled_unit}]" if scaled_unit else label


def amount(name: str, value: Any, words: Language) -> str:
    """Return a value of an output or axis with its unit, as people read it."""
    return text(Quantity(value, measured(name)) if is_number(value) else value, words)


def axis_text(value: Any, words: Language) -> str:
    """Return a value of an axis without its unit."""
    return words.sentence(value_text(value))


def is_percent(name: str) -> bool:
    """Return whether a figure is read in percent; axes keep the form that the scenario has."""
    return name in PERCENT or (measured(name) == SHARE and name.partition(".")[0] in OUTPUTS)


def status_text(status: Any, words: Language) -> str:
    """Return the status of a case in a language; in English the code itself."""
    return words.known(str(status)) or str(status)


def readable(table: pd.DataFrame, words: Language, factors: Collection[str] = ()) -> pd.DataFrame:
    """Return a table of a sweep as people read it: its heads and texts in a language."""
    columns: dict[Any, list[Any]] = {}
    across = table.columns.name  # the axis across: its values head the other columns
    for name, values in table.items():
        if is_percent(str(name)):
            decimals = PERCENT.get(str(name), 2)
            columns[name] = [Quantity(value, SHARE, decimals) for value in values]
        elif name == "axis":
            columns[name] = [words.path(axis) for axis in values]
        elif str(name).startswith("status"):
            columns[name] = [status_text(status, words) for status in values]
        elif name == "message":
            columns[name] = [words.sentence(message) for message in values]
        elif pd.api.types.is_bool_dtype(values):
            columns[name] = [words("yes") if value else words("no") for value in values]
    titles = [
        axis_text(name, words) if across is not None and at
        else titled(str(name), words, factor=name in factors)
        for at, name in enumerate(table.columns)
    ]  # fmt: skip
    return table.assign(**columns).set_axis(titles, axis=1)
