"""A section of a result: a table with typed cells that every output renders.

Plans, simulations, sweeps and comparisons return their results as sections; terminal, page,
notebook and workbook only render them. A cell holds a value, never a formatted text:

    str, bool, None       a text, a truth value, nothing
    int, float            a number in the unit of the section, or of the head of its column
    Quantity              a number with a unit of its own; a share has the unit 0..1
    pd.Timestamp          a local time

Notebooks show sections as small HTML tables without scripts or styles, so that they follow the
notebook's theme; texts are English, or in the language set by the variable PLANNER_LANG.
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
from planner.local_time import clock_text
from planner.message import unsigned_zero

SHARE = "0..1"


@dataclass(frozen=True)
class Quantity:
    """A number with its unit; without `decimals`, they follow from its size.

    signed: whether a value above zero has a plus sign.
    """

    value: float | None
    unit: str = ""
    decimals: int | None = None
    signed: bool = False


Cell: TypeAlias = str | bool | float | Quantity | pd.Timestamp | None
Row: TypeAlias = tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """A table of a result, in a language.

    title, heads: translated; `heads` is empty where a table needs none.
    rows: as many cells each as there are heads; the first `labels` cells name the row.
    unit: of every bare number, where they all have the same.
    total: the sums over `rows`. after: rows below the total that it does not include.
    across: whether the last cell of a row is the sum of the cells before it.
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
        """Return for each column whether it holds numbers, which are aligned right."""
        if not self.rows:
            return [False] * len(self.heads)
        return [
            not any(isinstance(cell, str | bool | pd.Timestamp) for cell in column)
            for column in zip(*self.every_row(), strict=True)
        ]

    def every_row(self) -> Iterator[Row]:
        """Yield the rows, the total and the rows after it."""
        yield from self.rows
        if self.total is not None:
            yield self.total
        yield from self.after

    def scaled(self, words: Language) -> Section:
        """Return the section with all amounts of a unit in the unit that suits the largest.

        Bare numbers also get the decimals that suit the largest of them, so that they line up: four
        digits of it, of money the cents below 1000 CNY.
        """
        part = slice(None, -1) if self.across else slice(None)
        numbers = [cell for row in (*self.rows, *self.after) for cell in row[part]]
        largest = max((abs(cell) for cell in numbers if isinstance(cell, int | float)), default=0.0)
        divisor, unit = words.scale(self.unit, largest)
        if self.unit == "CNY":
            decimals = money_decimals(divisor, largest)
        else:
            decimals = decimals_of(largest / divisor)
        scales = self._scales(words)

        def scaled_cell(cell: Cell) -> Cell:
            if isinstance(cell, int | float):
                return Quantity(cell / divisor, "", decimals)
            if isinstance(cell, Quantity) and cell.value is not None and cell.unit in scales:
                by, unit = scales[cell.unit]
                return replace(cell, value=cell.value / by, unit=unit)
            return cell

        def cells(row: Row) -> Row:
            return tuple(map(scaled_cell, row))

        return replace(
            self,
            unit=unit,
            rows=tuple(map(cells, self.rows)),
            total=None if self.total is None else cells(self.total),
            after=tuple(map(cells, self.after)),
        )

    def _scales(self, words: Language) -> dict[str, tuple[float, str]]:
        """Return the divisor and the unit in which the quantities of each unit are read."""
        largest: dict[str, float] = {}
        for cell in (cell for row in self.every_row() for cell in row):
            if isinstance(cell, Quantity) and cell.unit != SHARE and cell.value is not None:
                largest[cell.unit] = max(largest.get(cell.unit, 0.0), abs(cell.value))
        return {unit: words.scale(unit, amount) for unit, amount in largest.items() if unit}


def decimals_of(largest: float) -> int:
    """Return the decimals of amounts of a table, which give the largest four digits."""
    return min(max(3 - math.floor(math.log10(max(largest, 1e-6))), 0), 3)


def money_decimals(divisor: float, largest_cny: float) -> int:
    """Return the decimals of amounts that a divisor brings from CNY to the unit of their table."""
    return 0 if divisor == 1.0 and largest_cny >= 1000 else 2


def text(cell: Cell, words: Language = ENGLISH) -> str:
    """Return a cell as text; numbers of tables are formatted here and nowhere else."""
    if isinstance(cell, Quantity):
        return _quantity(cell, words)
    if cell is None or cell != cell:
        return "–"
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int | float):
        return number(float(cell))
    if isinstance(cell, pd.Timestamp):
        return clock_text(cell, "%Y-%m-%d %H:%M")
    return str(cell)


def percent(share: float | None, decimals: int = 1) -> str:
    """Return a share in percent, with more decimals where a share above zero would read 0%."""
    if share is None:
        return "–"
    while share and abs(share) < 0.5 * 10.0 ** -(decimals + 2) and decimals < 6:
        decimals += 1
    return unsigned_zero(f"{share:.{decimals}%}")


def _quantity(cell: Quantity, words: Language) -> str:
    value, unit, decimals = cell.value, cell.unit, cell.decimals
    if value is None or value != value:
        return "–"
    sign = "+" if cell.signed and value > 0 else ""
    if unit == SHARE:
        text = percent(value, 1 if decimals is None else decimals)
    elif decimals is None:
        text = words.amount(value, unit)
    else:
        small = abs(value) < 0.5 * 10.0**-decimals  # which would read 0
        digits = number(value) if small else f"{value:,.{decimals}f}"
        text = f"{digits} {words(unit)}"
    return unsigned_zero(f"{sign}{text}".rstrip())


def reader_language() -> Language:
    """Return the language set by PLANNER_LANG, English by default."""
    code = os.environ.get("PLANNER_LANG", "en")
    return language(code if code in LANGUAGES else "en")


def section_html(name: str, sentence: str, *parts: str) -> str:
    """Return a name with a sentence, and the parts below them."""
    head = f"<p><strong>{escape(name)}</strong> {escape(sentence)}</p>"
    return f"<section>{head}{''.join(parts)}</section>"


def table_html(section: Section, words: Language) -> str:
    """Return a section as an HTML table."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in section.heads)
    title = f"<caption>{escape(section.heading(words))}</caption>" if section.title else ""
    head = f"<thead><tr>{heads}</tr></thead>" if heads else ""
    rows = "".join(_row(row, section.labels, words) for row in section.every_row())
    return f"<table>{title}{head}<tbody>{rows}</tbody></table>"


def _row(row: Row, labels: int, words: Language) -> str:
    texts = [escape("" if cell is None else text(cell, words)) for cell in row]
    names = "".join(f'<th scope="row">{cell}</th>' for cell in texts[:labels])
    values = "".join(f"<td>{cell}</td>" for cell in texts[labels:])
    return f"<tr>{names}{values}</tr>"
