"""A comparison of two plans as people see it on a terminal."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.report.comparison import Comparison
from planner.units import label

TOP = 15  # rows of a table, unless all are asked for


def show_comparison(found: Comparison, console: Console, top: int = TOP) -> None:
    """Print what differs between two plans; `top` rows of each table."""
    plain: dict[str, Any] = {"highlight": False, "soft_wrap": True}
    console.print(f"A: {escape(found.a)}", **plain)
    console.print(f"B: {escape(found.b)}", **plain)
    for note in found.notes:
        console.print(f"[yellow]note[/] {escape(note)}", **plain)
    if found.equal:
        console.print("the two plans are equal in inputs, money, figures and hours", **plain)
        return
    change = found.profit_b_cny - found.profit_a_cny
    console.print(
        f"profit {found.profit_a_cny:,.2f} in A, {found.profit_b_cny:,.2f} in B:"
        f" [bold]{change:+,.2f}[/] CNY",
        **plain,
    )
    _table(console, "Inputs", found.inputs, top, "no input differs")
    _table(console, "Money by line [CNY]", found.money, top, "no ledger line differs")
    _table(console, "Figures", found.figures, top, "no figure differs")
    if found.hours_unknown:
        return
    _table(console, "Hours by money moved [CNY]", found.hours, top, "no hour differs")
    named = found.columns.assign(column=found.columns["column"].map(label))
    _table(console, "Schedule, where a column differs most", named, top, "the schedules are equal")


def _table(console: Console, title: str, frame: pd.DataFrame, top: int, none: str) -> None:
    if frame.empty:
        console.print(none, highlight=False)
        return
    left = len(frame) - top
    table = Table(
        title=title, title_justify="left", caption=f"and {left} more" if left > 0 else None
    )
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        heading = {"a": "A", "b": "B"}.get(name, name.removesuffix("_cny").replace("_", " "))
        table.add_column(heading, justify="right" if numeric else "left")
    for row in frame.head(top).itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        if value != value:
            return "–"
        return f"{value:,.2f}" if abs(value) >= 1000 else f"{value + 0.0:.4g}"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M")
    text = str(value)
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
