"""A comparison of two plans as people see it on a terminal."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.language.language import ENGLISH, Language
from planner.report.comparison.compare import TINY, Comparison

TOP = 15  # rows of a table, unless all are asked for


def show_comparison(
    found: Comparison, console: Console, top: int = TOP, words: Language = ENGLISH
) -> None:
    """Print what differs between two plans; `top` rows of each table."""
    plain: dict[str, Any] = {"highlight": False, "soft_wrap": True}
    console.print(f"A: {escape(found.a)}", **plain)
    console.print(f"B: {escape(found.b)}", **plain)
    for note in found.notes:
        console.print(f"[yellow]{words('note')}[/] {escape(words.sentence(note))}", **plain)
    if found.equal:
        said = words("the two plans are equal in inputs, money, figures and hours")
        console.print(said, **plain)
        return
    change = found.profit_b_cny - found.profit_a_cny
    said = words("profit {a} in A, {b} in B: {change} CNY", a=f"{found.profit_a_cny:,.2f}",
                 b=f"{found.profit_b_cny:,.2f}", change=f"[bold]{change:+,.2f}[/]")  # fmt: skip
    console.print(said, **plain)
    cny = words("CNY")
    for title, frame, none in (
        (words("Inputs"), _inputs(found.inputs, words), words("no input differs")),
        (words("Money by line [{money}]", money=cny), found.money, words("no ledger line differs")),
        (words("Figures"), found.figures, words("no figure differs")),
    ):
        _table(console, title, _said(frame, words), top, none, words)
    if found.hours_unknown:
        return
    title = words("Hours by money moved [{money}]", money=cny)
    _table(console, title, found.hours, top, words("no hour differs"), words)
    named = found.columns.assign(column=found.columns["column"].map(words.label))
    title = words("Schedule, where a column differs most")
    _table(console, title, named, top, words("the schedules are equal"), words)


def _inputs(frame: pd.DataFrame, words: Language) -> pd.DataFrame:
    """Return what differs in inputs, with what is not a value itself in words."""
    if words.code == "en":
        return frame
    return frame.assign(**{side: frame[side].map(words.sentence) for side in ("a", "b")})


def _said(frame: pd.DataFrame, words: Language) -> pd.DataFrame:
    """Return a table with its lines, figures and paths in words."""
    if words.code == "en" or frame.empty:
        return frame
    told = {"line": words.term, "figure": words.path, "path": words.path}
    return frame.assign(**{name: frame[name].map(told[name]) for name in told if name in frame})


def _table(
    console: Console, title: str, frame: pd.DataFrame, top: int, none: str, words: Language
) -> None:
    if frame.empty:
        console.print(none, highlight=False)
        return
    left = len(frame) - top
    more = words("and {n} more", n=left) if left > 0 else None
    table = Table(title=escape(title), title_justify="left", caption=more)
    named = {"a": "A", "b": "B", "difference": words("difference"),
             "columns": words("columns that differ")}  # fmt: skip
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        bare = name.removesuffix("_cny")
        heading = named.get(bare) or words.term(bare)
        table.add_column(heading, justify="right" if numeric else "left")
    for row in frame.head(top).itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        if value != value:
            return "–"
        if abs(value) < TINY:  # what a solver leaves behind
            return "0"
        return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M")
    text = str(value)
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
