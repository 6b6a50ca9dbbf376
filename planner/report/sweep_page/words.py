"""What tables, charts and the page of a sweep call its outputs, axes, designs and columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import ENGLISH, Language
from planner.language.section import Quantity, text
from planner.sweeps.analysis.analyses import Analyses
from planner.sweeps.analysis.case_table import failures, is_number
from planner.units import unit

HEADINGS = frozenset({
    "case", "axis", "status", "message", "cases", "first", "first_case", "first_confidence",
    "total", "total_confidence", "base", "low", "high", "swing", "output_base", "output_low",
    "output_high", "change_low", "change_high", "status_low", "status_high", "without_plan",
    "from_case", "to_case", "from_value", "to_value", "share", "points", "hidden", "skipped",
    "gap", "value", "left", "right", "green_mwh", "abated_tco2", "cost_cny", "cost_cny_per_point",
})  # fmt: skip
"""Columns of the tables themselves; all others are named by the sweep."""


def path_text(name: str, words: Language) -> str:
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
    own_unit = words("times the base") if factor else words(measured(name))
    label = heading(name, words)
    return f"{label} [{own_unit}]" if own_unit else label


def scaled(name: str, values: Iterable[Any], words: Language) -> tuple[float, str, str]:
    """Return the divisor, the unit and the title in which a chart shows values of an output."""
    finite = np.abs(np.array([v for v in values if v == v and v is not None], dtype=float))
    largest = float(finite.max(initial=0.0))
    divisor, shown_unit = words.scale(measured(name), largest)
    if divisor == 1.0 and measured(name) == "CNY" and largest >= 1e6:
        divisor, shown_unit = 1e6, words("million CNY")
    label = heading(name, words)
    return divisor, shown_unit, f"{label} [{shown_unit}]" if shown_unit else label


def amount(name: str, value: Any, words: Language) -> str:
    """Return a value of an output or axis with its unit, as people read it."""
    return text(Quantity(value, measured(name)) if is_number(value) else value, words)


def short(value: Any, words: Language) -> str:
    """Return a value of an axis as a short text."""
    if pd.isna(value):
        return words("as in the base")
    return f"{value:.6g}" if is_number(value) else str(value)


def ended(status: Any, words: Language) -> str:
    """Return how a case ended: as its table says it in English, in words elsewhere."""
    return words.known(str(status)) or str(status)


def design_text(design: str, words: Language) -> str:
    """Return the name of a design: that of the file in English, in words elsewhere."""
    return words.known(f"design.{design}") or design


def wanted_text(name: str, direction: str, words: Language) -> str:
    """Return which way an output is wanted: max objective_cny."""
    way = words.known(direction) or direction
    return words("{way} {output}", way=way, output=path_text(name, words))


def failures_table(analyses: Analyses, words: Language) -> pd.DataFrame:
    """Return how many cases have no plan, by status and message, and the first case of each."""
    table = failures(analyses.cases)  # `first` is a case here, an index elsewhere
    return table if words.code == "en" else table.rename(columns={"first": "first_case"})


def readable(table: pd.DataFrame, words: Language, factors: Collection[str] = ()) -> pd.DataFrame:
    """Return a table of a sweep headed by titles, its statuses, axes and truth values in words."""
    shown = table.copy()
    for name in table.columns:
        if name == "axis":
            shown[name] = [path_text(str(axis), words) for axis in table[name]]
        elif str(name).startswith("status"):
            shown[name] = [words.known(str(status)) or status for status in table[name]]
        elif pd.api.types.is_bool_dtype(table[name]):
            shown[name] = [words("yes") if value else words("no") for value in table[name]]
    titles = [titled(str(name), words, factor=name in factors) for name in table.columns]
    return shown.set_axis(titles, axis=1)
