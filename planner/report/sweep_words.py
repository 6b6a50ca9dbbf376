"""What tables, charts and the page of a sweep call its outputs, axes, designs and columns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.language import Language

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
