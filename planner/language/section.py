"""A section of a result: a table with typed cells that every output renders.

Plans, simulations, sweeps and comparisons say in sections what they come to; terminal, page,
notebook and workbook only render them. What a cell holds is a value, never a formatted text:

    str, bool, None       a text, a truth value, nothing
    int, float            a number, whose unit the title or the head of its column names
    Quantity              a number that says its unit itself; a share has the unit 0..1
    pd.Timestamp          a local time
    tuple of cells        one below the other

In notebooks they are small tables in HTML, without scripts or styles, whose look the notebook's
theme decides; texts are English, or of the language that the variable PLANNER_LANG names.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import TypeAlias

import pandas as pd

from planner.language.language import ENGLISH, LANGUAGES, Language, language, number

SHARE = "0..1"


@dataclass(frozen=True)
class Quantity:
    """A number with its unit; `decimals` follow from its size where they are not given."""

    value: float | None
    unit: str = ""
    decimals: int | None = None


Cell: TypeAlias = "str | bool | float | Quantity | pd.Timestamp | tuple[Cell, ...] | None"
Row: TypeAlias = tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """A table of a result, in a language.

    title, heads: as people read them; `heads` is empty where a table needs none.
    rows: as many cells each as there are heads; the first `labels` of them name the row.
    unit: of every bare number, where it is the same for all.
    total: a row of the sums over `rows`. after: rows below it that are not part of the sum.
    across: whether the last cell of a row is the sum of those before it.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    unit: str = ""
    labels: int = 1
    total: Row | None = None
    after: tuple[Row, ...] = ()
    across: bool = False

    def heading(self, words: Language) -> str:
        """Return the title with the unit."""
        return f"{self.title} [{words(self.unit)}]" if self.unit else self.title

    def numeric(self) -> list[bool]:
        """Return for each column whether it holds numbers, which stand right."""
        if not self.rows:
            return [False] * len(self.heads)
        return [all(map(_is_number, column)) for column in zip(*self.every_row(), strict=True)]

    def every_row(self) -> Iterator[Row]:
        """Yield the rows, the total and the rows after it."""
        yield from self.rows
        if self.total is not None:
            yield self.total
        yield from self.after

    def scaled(self, words: Language) -> Section:
        """Return the section in the unit in which its largest amount is read.

        All its amounts get the decimals that suit the largest, so that they line up: four digits of
        it, of money the cents below 1000 CNY.
        """
        part = slice(None, -1) if self.across else slice(None)
        amounts = [cell for row in (*self.rows, *self.after) for cell in row[part]]
        largest = max((abs(cell) for cell in amounts if isinstance(cell, int | float)), default=0.0)
        divisor, measured = words.scale(self.unit, largest)
        if self.unit == "CNY":
            decimals = 0 if divisor == 1.0 and largest >= 1000 else 2
        else:
            digits = math.floor(math.log10(max(largest / divisor, 1e-6)))
            decimals = min(max(3 - digits, 0), 3)

        def cells(row: Row) -> Row:
            return tuple(
                Quantity(cell / divisor, "", decimals) if isinstance(cell, int | float) else cell
                for cell in row
            )

        return replace(
            self,
            unit=measured,
            rows=tuple(map(cells, self.rows)),
            total=None if self.total is None else cells(self.total),
            after=tuple(map(cells, self.after)),
        )

    def above(self, other: Section) -> Section:
        """Return the section with every cell of another below that of the same row and column."""
        lower: dict[Cell, Row] = {row[0]: row[1:] for row in other.rows}

        def cells(row: Row) -> Row:
            below = lower.get(row[0], (None,) * (len(row) - 1))
            pairs = zip(row[1:], below, strict=True)
            return (row[0], *(cell if under is None else (cell, under) for cell, under in pairs))

        return replace(self, rows=tuple(map(cells, self.rows)))


def text(cell: Cell, words: Language = ENGLISH) -> str:
    """Return a cell as people read it; the only place where numbers of tables are formatted."""
    if isinstance(cell, tuple):
        return "\n".join(text(part, words) for part in cell)
    if isinstance(cell, Quantity):
        return _quantity(cell, words)
    if cell is None or cell != cell:
        return "–"
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int | float):
        return number(float(cell))
    if isinstance(cell, pd.Timestamp):
        return f"{cell:%Y-%m-%d %H:%M}"
    return str(cell)


def percent(share: float | None, decimals: int = 1) -> str:
    """Return a share in percent; what is not nothing never reads as nothing."""
    if share is None:
        return "–"
    shown = f"{share + 0.0:.{decimals}%}"
    while share and float(shown[:-1]) == 0 and decimals < 6:
        decimals += 1
        shown = f"{share:.{decimals}%}"
    return shown


def _quantity(cell: Quantity, words: Language) -> str:
    value, unit, decimals = cell.value, cell.unit, cell.decimals
    if value is None or value != value:
        return "–"
    if unit == SHARE:
        return percent(value, 1 if decimals is None else decimals)
    if decimals is None:
        return words.amount(value, unit).rstrip()
    small = abs(value) < 0.5 * 10.0**-decimals  # what is not nothing never reads as nothing
    shown = number(value) if small else f"{value:,.{decimals}f}"
    return f"{shown} {words(unit)}".rstrip()


def _is_number(cell: Cell) -> bool:
    return not isinstance(cell, str | bool | pd.Timestamp)


def reader_language() -> Language:
    """Return the language that PLANNER_LANG names, English by default."""
    code = os.environ.get("PLANNER_LANG", "en")
    return language(code if code in LANGUAGES else "en")


def section_html(name: str, said: str, *parts: str) -> str:
    """Return a heading with a sentence, and what stands below it."""
    head = f"<p><strong>{escape(name)}</strong> {escape(said)}</p>"
    return f"<section>{head}{''.join(parts)}</section>"


def table_html(section: Section, words: Language) -> str:
    """Return a section as a table; the first cells of a row name it."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in section.heads)
    title = f"<caption>{escape(section.heading(words))}</caption>" if section.title else ""
    head = f"<thead><tr>{heads}</tr></thead>" if heads else ""
    rows = "".join(_row(row, section.labels, words) for row in section.every_row())
    return f"<table>{title}{head}<tbody>{rows}</tbody></table>"


def _row(row: Row, labels: int, words: Language) -> str:
    shown = [escape("" if cell is None else text(cell, words)) for cell in row]
    names = "".join(f'<th scope="row">{cell}</th>' for cell in shown[:labels])
    values = "".join(f"<td>{cell}</td>" for cell in shown[labels:])
    return f"<tr>{names}{values}</tr>".replace("\n", "<br>")
