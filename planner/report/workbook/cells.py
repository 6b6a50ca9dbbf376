"""Cells of a workbook: texts that stay texts, numbers in full, a number format for each unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from planner.files.csv_file import begins_formula
from planner.language.language import Language
from planner.language.titles import width
from planner.local_time import occurs_twice
from planner.message import JOINERS
from planner.report.workbook.rows import SIXTEEN_DIGITS, RowSheet

RICH = "<r>"  # the beginning of a text that XlsxWriter takes for markup
LONGEST_TEXT = 32_767  # of a cell
LONGEST_NAME = 31  # of a sheet
MOST_ROWS = 1_048_576  # of a sheet

MONEY = "#,##0.00;[Red]-#,##0.00"
HEAD = "#EDEDED"
DATE = "yyyy-mm-dd hh:mm"
# The number format of each unit; cells hold all digits.
FORMATS = {
    None: "#,##0.00", "MW": "0.000", "MWh": "#,##0.000", "CNY": MONEY, "0..1": "0.0%",
    "CNY/kWh": "0.0000", "tCO2": "#,##0.000", "tCO2/MWh": "0.0000", "tCO2/Mtok": "0.000000",
    "MW/MW": "0.000", "h": "#,##0.00",
}  # fmt: skip
OTHER, WHOLE = "#,##0.0", "#,##0"


@lru_cache(maxsize=4096)  # a ledger repeats its texts in every step
def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, without control characters."""
    shown = (c if c.isprintable() or c in JOINERS else " " for c in text)
    plain = "".join(shown)
    mark = begins_formula(plain.lstrip()) or plain.startswith(RICH)
    return (f"'{plain}" if mark else plain)[:LONGEST_TEXT]


def unit_format(own_unit: str | None, values: Iterable[float]) -> str:
    """Return the number format of a unit; counts that are all integers have no decimals."""
    if own_unit is None and all(float(value).is_integer() for value in values):
        return WHOLE
    return FORMATS.get(own_unit, OTHER)


def without_minus_zero(form: str) -> str:
    """Return a number format in which what rounds to zero has no minus; other formats as they are.

    A part of it holds for negative numbers, one for zero, the last one for the others.
    """
    positive, _, negative = form.partition(";")
    if "0" not in positive or positive.startswith(DATE):
        return form
    decimals = len(positive.rstrip("%").partition(".")[2])
    of_share = 2 if positive.endswith("%") else 0
    half = f"{0.5 * 10.0 ** -(decimals + of_share):.{decimals + of_share + 1}f}"
    zero = f"{0:.{decimals}f}{'%' if of_share else ''}"
    colour, _, negative = (negative or f"-{positive}").rpartition("]")
    colour = f"{colour}]" if colour else ""
    return f'{colour}[<=-{half}]{negative};[<{half}]"{zero}";{positive}'


class _Exact(float):
    """A number that is written with all its digits, where XlsxWriter asks for sixteen."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


class Book:
    """A workbook in writing: its formats, its sheets and its language."""

    def __init__(self, path: str, words: Language, title: str, made: dt.datetime, scratch: str):
        # Rows go to disk as they are written, so that a year fits in memory; write them in order.
        options = {"constant_memory": True, "tmpdir": scratch}
        self.words = words
        self._book = xlsxwriter.Workbook(path, options)
        self._book.set_properties({"title": harmless(title)[:255], "created": made})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = set()

    def format(self, **properties: Any) -> Any:
        """Return the cell format of some properties, made once."""
        if "num_format" in properties:
            properties["num_format"] = without_minus_zero(properties["num_format"])
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top", **properties})
        return self._formats[key]

    def sheet(self, title: str) -> Sheet:
        """Add a sheet; characters that its name may not hold are replaced."""
        cleaned = "".join("-" if c in "[]:*?/\\" or not c.isprintable() else c for c in title)
        cleaned = cleaned.strip("' ")[:LONGEST_NAME] or "-"
        name, again = cleaned, 2
        while name.lower() in self._names:
            name = f"{cleaned[: LONGEST_NAME - 4]} {again}"
            again += 1
        self._names.add(name.lower())
        return Sheet(self, self._book.add_worksheet(name, RowSheet))

    def chart(self, kind: str, subtype: str) -> Any:
        """Return a new chart without series."""
        return self._book.add_chart({"type": kind, "subtype": subtype})

    def close(self) -> None:
        """Write the file.

        Raises:
            OSError: it cannot be written.
        """
        try:
            self._book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(*getattr(error.args[0], "args", error.args)) from error


class Sheet:
    """A sheet in writing, row by row from the top."""

    def __init__(self, book: Book, sheet: Any):
        self.book = book
        self.sheet = sheet
        self.name: str = sheet.get_name()

    def text(self, row: int, column: int, text: str, **properties: Any) -> None:
        """Write a text, which is no formula whatever it begins with."""
        form = self.book.format(**properties) if properties else None
        if text:
            self.sheet.write_string(row, column, harmless(text), form)
        else:
            self.sheet.write_blank(row, column, None, form)

    def texts(self, row: int, texts: Sequence[str], first: int = 0, **properties: Any) -> None:
        """Write texts side by side."""
        for column, text in enumerate(texts, first):
            self.text(row, column, text, **properties)

    def numbers(
        self, row: int, first: int, values: Iterable[float], formats: Iterable[Any]
    ) -> None:
        """Write plain floats side by side, each in its format."""
        write = self.sheet.write_number
        for column, (value, form) in enumerate(zip(values, formats, strict=True), first):
            if value == value:
                exact = value if -SIXTEEN_DIGITS < value < SIXTEEN_DIGITS else _Exact(value)
                write(row, column, exact, form)

    def moment(self, row: int, column: int, moment: pd.Timestamp) -> None:
        """Write a local time as a date of the spreadsheet."""
        form = self.book.format(num_format=date_format(moment))
        self.sheet.write_datetime(row, column, *local_times([moment]), form)

    def formula(self, row: int, column: int, formula: str, value: float, form: str) -> None:
        """Write a formula and its value."""
        bold = self.book.format(num_format=form, bold=True)
        self.sheet.write_formula(row, column, formula, bold, value)

    def visible_sum(
        self, row: int, column: int, first: int, last: int, value: float, form: str
    ) -> None:
        """Write the sum over the rows that a filter shows; `value` is that of all rows."""
        cells = f"{xl_rowcol_to_cell(first, column)}:{xl_rowcol_to_cell(last, column)}"
        self.formula(row, column, f"=SUBTOTAL(109,{cells})", value, form)

    def header(
        self,
        row: int,
        names: Sequence[str],
        labels: Sequence[str],
        least: Sequence[int],
        left: Sequence[int] = (0,),
    ) -> None:
        """Write two rows, the column names of a CSV and their labels, and set widths and heights.

        `least` holds the minimum width of each column, `left` the columns of texts; heads of
        numbers are aligned right, as the numbers are.
        """
        widths = [
            min(max(wide, width(name) // 3, width(label) // 3), 24)
            for name, label, wide in zip(names, labels, least, strict=True)
        ]
        for at, texts, points in ((row, names, 12), (row + 1, labels, 15)):
            lines = max(
                -(-width(t) * 6 // (5 * wide)) for t, wide in zip(texts, widths, strict=True)
            )
            self.sheet.set_row(at, points * min(lines, 6))
            small: dict[str, Any] = {"font_color": "#606060", "font_size": 9}
            style = {"bg_color": HEAD, "text_wrap": True} | (small if at == row else {"bold": True})
            for column, text in enumerate(texts):
                self.text(at, column, text, align="left" if column in left else "right", **style)
        for column, wide in enumerate(widths):
            self.sheet.set_column(column, column, wide)


def wide_enough(values: Any, form: str) -> int:
    """Return the width that the numbers of a column need; narrower cells show ####."""
    largest = max((abs(float(v)) for v in values if v == v), default=0.0)
    decimals = len(form.split(";")[0].rstrip("%").partition(".")[2])
    return max(len(f"{largest:,.{decimals}f}") + 3, 11)


def date_format(moment: dt.datetime) -> str:
    """Return the format of a local time, which shows its offset where the clock shows it twice."""
    return f'{DATE} "{moment.isoformat()[-6:]}"' if occurs_twice(moment) else DATE


def local_times(times: Any) -> list[dt.datetime]:
    """Return times as naive local times."""
    local: Any = pd.DatetimeIndex(times).tz_localize(None).to_pydatetime()
    return list(local)
