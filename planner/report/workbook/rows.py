"""Rows of a sheet as the XML that XlsxWriter writes for them.

A year has two million cells, and XlsxWriter, which takes one at a time, needs three times as long
for them: 14 s of a processor for 5 s. Here a cell is its XML after the reference, empty where there
is none, so that a text or a time is put together once for all rows.

For that `RowSheet.write_columns` and `style` use members of XlsxWriter that are not public: it has
no public way to add rows of XML, nor to tell the number of a format. A test compares the bytes with
those of its public methods, so that a version that changes these members fails there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

SIXTEEN_DIGITS = 1e7  # below it, sixteen digits distinguish all values rounded to 1e-9
EPOCH = dt.datetime(1899, 12, 30)  # of the dates of spreadsheets after February 1900
DAY = dt.timedelta(days=1)
ESCAPED = re.compile("_x[0-9a-fA-F]{4}_")  # stands for a character, unless its _ is escaped too


class RowSheet(Worksheet):  # type: ignore[misc]  # XlsxWriter ships no types
    """A worksheet that also takes rows of cells, where rows go to disk as they are written."""

    def write_columns(self, first: int, columns: Sequence[Iterable[str]]) -> None:
        """Write columns of cells from row `first` on, below all that is written already."""
        self._write_single_row(first)
        starts = [f'<c r="{xl_col_to_name(column)}' for column in range(len(columns))]
        row = first
        for row, cells in enumerate(zip(*columns, strict=True), first + 1):
            at = f'{row}"'
            xml = [start + at + cell for start, cell in zip(starts, cells, strict=True) if cell]
            self.fh.write(f'<row r="{at}>{"".join(xml)}</row>')
        if row > first:
            self._check_dimensions(first, 0)
            self._check_dimensions(row - 1, len(columns) - 1)
            self.previous_row = row


def style(form: Any) -> str:
    """Return the attribute of a cell with a format."""
    return "" if form is None else f' s="{form._get_xf_index()}"'


def number_cells(values: Iterable[float], form: Any) -> Iterator[str]:
    """Yield a cell for each number, with all its digits; none for NaN."""
    begin = f"{style(form)}><v>"
    for value in values:
        if value != value:
            yield ""
        elif -SIXTEEN_DIGITS < value < SIXTEEN_DIGITS:
            yield f"{begin}{value:.16G}</v></c>"
        else:
            yield f"{begin}{value!r}</v></c>"


def moment_cell(moment: dt.datetime, form: Any) -> str:
    """Return the cell of a local time."""
    return f"{style(form)}><v>{(moment - EPOCH) / DAY:.16G}</v></c>"


def truth_cell(value: bool) -> str:
    """Return the cell of a truth value."""
    return f' t="b"><v>{int(value)}</v></c>'


def text_cell(text: str) -> str:
    """Return the cell of a text without control characters."""
    if not text:
        return ""
    space = ' xml:space="preserve"' if text != text.strip() else ""
    written = escape(ESCAPED.sub(r"_x005F\g<0>", text), quote=False)
    return f' t="inlineStr"><is><t{space}>{written}</t></is></c>'


def sum_cells(
    columns: Sequence[int], first: int, values: Iterable[float], form: Any
) -> Iterator[str]:
    """Yield for each row from `first` on the formula of the sum of some columns, and its value."""
    begin, names = f"{style(form)}><f>SUM(", [xl_col_to_name(column) for column in columns]
    for row, value in enumerate(values, first + 1):
        cells = ",".join([f"{name}{row}" for name in names])
        yield f"{begin}{cells})</f><v>{value}</v></c>"
