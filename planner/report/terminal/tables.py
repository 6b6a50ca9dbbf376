"""Sections and notes as a terminal shows them, without markup in what comes from outside."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.language.language import Language, printable
from planner.language.section import Cell, Section, text


def safe(text: str) -> str:
    """Return a text that shows as it is: no markup in it, control characters spelt out."""
    return escape(printable(text))


def table(section: Section, words: Language, caption: str | None = None) -> Table:
    """Return a section as a table; a line divides the rows from their total and what follows."""
    title = safe(section.heading(words)) or None
    shown = Table(
        title=title, title_justify="left", caption=caption, show_header=any(section.heads)
    )
    numeric = section.numeric()
    for head, right in zip(section.heads or [""] * len(numeric), numeric, strict=True):
        shown.add_column(safe(head), justify="right" if right else "left", overflow="fold")
    for at, row in enumerate(section.every_row()):
        if at == len(section.rows):
            shown.add_section()
        shown.add_row(*(_cell(cell, words) for cell in row))
    return shown


def print_notes(notes: Iterable[str], console: Console, words: Language) -> None:
    """Print sentences that a reader must know."""
    for note in notes:
        shown = f"[yellow]{words('note')}[/] {safe(words.sentence(note))}"
        console.print(shown, highlight=False, soft_wrap=True)


def _cell(cell: Cell, words: Language) -> str:
    if isinstance(cell, tuple):
        return "\n".join(_cell(part, words) for part in cell)
    return safe(text(cell, words))


def print_frame(
    title: str, frame: pd.DataFrame, console: Console, words: Language, most: int
) -> None:
    """Print the first rows of a table that is headed as people read it."""
    rows = frame.head(most).astype(object).itertuples(index=False, name=None)
    section = Section(title, tuple(map(str, frame.columns)), tuple(rows))
    more = words("and {n} more", n=len(frame) - most) if len(frame) > most else None
    console.print(table(section, words, more))
