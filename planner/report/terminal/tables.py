"""Sections and notes on a terminal; texts from outside are shown without markup."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from planner.language.language import Language
from planner.language.section import Section, text
from planner.message import printable


def safe(text: str) -> str:
    """Return a text with its markup escaped and control characters spelt out."""
    return escape(printable(text))


def table(section: Section, words: Language, caption: str | None = None) -> Group:
    """Return a section as a table, with a line between its rows and their total."""
    rows = Table(caption=caption, show_header=any(section.heads))
    numeric = section.numeric()
    for head, right in zip(section.heads or [""] * len(numeric), numeric, strict=True):
        rows.add_column(safe(head), justify="right" if right else "left", overflow="fold")
    for at, row in enumerate(section.every_row()):
        if at == len(section.rows):
            rows.add_section()
        rows.add_row(*(safe(text(cell, words)) for cell in row))
    title = printable(section.heading(words))  # not of the table, which would wrap it to its width
    return Group(*([Text(title, style="italic")] if title else []), rows)


def print_notes(notes: Iterable[str], console: Console, words: Language) -> None:
    """Print the notes that readers of a result must know."""
    for note in notes:
        line = f"[yellow]{words('note')}[/] {safe(words.sentence(note))}"
        console.print(line, highlight=False, soft_wrap=True)


def print_frame(
    title: str, frame: pd.DataFrame, console: Console, words: Language, most: int
) -> None:
    """Print at most `most` rows of a table whose columns are headed in the language."""
    rows = frame.head(most).astype(object).itertuples(index=False, name=None)
    section = Section(title, tuple(map(str, frame.columns)), tuple(rows))
    console.print(table(section, words, more_rows(len(frame), most, words)))


def more_rows(count: int, most: int, words: Language) -> str | None:
    """Return how many rows a table leaves out below the first `most`; None where it has all."""
    return words("and {n} more", n=count - most) if count > most else None
