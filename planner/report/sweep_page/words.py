"""What tables, charts and the page of a sweep call its outputs, axes, designs and columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import ENGLISH, Language, number
from planner.language.section import percent
from planner.sweeps.analysis.case_table import is_number, missing
from planner.units import unit

HEADINGS = frozenset({
    "case", "axis", "status", "message", "cases", "first", "first_case", "first_confidence",
    "total", "total_confidence", "base", "low", "high", "swing", "output_base", "output_low",
    "output_high", "change_low", "change_high", "status_low", "status_high", "without_plan",
    "from_case", "to_case", "from_value", "to_value", "share", "points", "hidden", "skipped",
    "gap", "value", "left", "right", "green_mwh", "abated_tco2", "cost_cny", "cost_cny_per_point",
})  # fmt: skip
"""Columns of the tables themselves; all others are named by the sweep."""


def told(name: str, words: Language) -> str:
    """Return an output or axis: its path in English, in words elsewhere."""
    return name if words.code == "en" else words.path(name)


def heading(name: str, words: Language) -> str:
    """Return the heading of a column."""
    return (words.known(name) if name in HEADINGS else None) or words.path(name)


def measured(name: str) -> str:
    """Return the unit of an output or axis; empty where it has none."""
    parts = name.split(".")
    own = parts[2:] if parts[0] in ("components", "figures") else parts
    last = own[-1:] if own else parts[-1:]
    inner = own[-2::-1] if parts[0] == "components" else parts[:1]
    return next((u for part in [*last, *inner] if (u := unit(part))), "")


def titled(name: str, words: Language = ENGLISH, *, factor: bool = False) -> str:
    """Return the name of an output or axis with its unit."""
    found = words("times the base") if factor else words(measured(name))
    said = heading(name, words)
    return f"{said} [{found}]" if found else said


def scaled(name: str, values: Iterable[Any], words: Language) -> tuple[float, str, str]:
    """Return the divisor, the unit and the title in which a chart shows values of an output."""
    finite = np.abs(np.array([v for v in values if v == v and v is not None], dtype=float))
    largest = float(finite.max(initial=0.0))
    divisor, found = words.scale(measured(name), largest)
    if divisor == 1.0 and measured(name) == "CNY" and largest >= 1e6:
        divisor, found = 1e6, words("million CNY")
    said = heading(name, words)
    return divisor, found, f"{said} [{found}]" if found else said


def amount(name: str, value: Any, words: Language) -> str:
    """Return a value of an output or axis with its unit, as people read it."""
    if missing(value):
        return "–"
    if not is_number(value):
        return str(value)
    found = measured(name)
    if found == "0..1":
        return percent(float(value))
    return words.amount(float(value), found) if found else number(float(value))


def short(value: Any, words: Language) -> str:
    """Return a value of an axis as a short text."""
    if missing(value):
        return words("as in the base")
    return f"{value:.6g}" if is_number(value) else str(value)


def ended(status: Any, words: Language) -> str:
    """Return how a case ended: as its table says it in English, in words elsewhere."""
    return words.known(str(status)) or str(status)


def design_text(design: str, words: Language) -> str:
    """Return the name of a design: that of the file in English, in words elsewhere."""
    return words.known(f"design.{design}") or design


def wanted_text(name: str, way: str, words: Language) -> str:
    """Return which way an output is wanted: max objective_cny."""
    said = words.known(way) or way
    return words("{way} {output}", way=said, output=told(name, words))


def failed(table: pd.DataFrame, words: Language) -> pd.DataFrame:
    """Return the table of cases without a plan; `first` is a case here, an index elsewhere."""
    return table if words.code == "en" else table.rename(columns={"first": "first_case"})


def status_text(column: str, value: Any, words: Language) -> Any:
    """Return a cell of a table: how a case ended in words, anything else as it is."""
    return words.known(str(value)) or value if str(column).startswith("status") else value


def with_axes(table: pd.DataFrame, words: Language) -> pd.DataFrame:
    """Return a table whose column `axis` is in words."""
    return table.assign(axis=[told(str(axis), words) for axis in table["axis"]])
