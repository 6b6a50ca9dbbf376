"""The workbook of a plan: summary, charts, schedule, allocation, ledger, and a sheet a day.

Numbers are those of the CSV files in the same units; only their formats differ. Equal plans give
equal bytes.

The first sheet is the summary: the sections of a plan. Its columns are component, label, value and
unit; sections with several columns of numbers extend to the right.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from xlsxwriter.utility import xl_range

from planner.language.section import SHARE, Cell, Quantity, Row, Section
from planner.language.titles import width
from planner.plan_tables.tables import PlanTables
from planner.report import plan_sections
from planner.report.plan_texts import range_text, rest_text
from planner.report.workbook.cells import Book, local_times, unit_format
from planner.report.workbook.charts import write_charts
from planner.report.workbook.tables import (
    MOST_DAYS,
    days,
    ledger_fits,
    write_allocation,
    write_days,
    write_ledger,
    write_schedule,
)
from planner.report.year_sections import year_sections

if TYPE_CHECKING:
    from planner.language.language import Language
    from planner.message import Message

VALUE, UNIT = 2, 3  # columns
LAST = 9  # the last column of the matrices
BAD = "#A32A00"
STATUS_AND_PROFIT = (0, 3)  # rows of the result, in bold


class SummarySheet:
    """The summary sheet, written from the top."""

    def __init__(self, book: Book, plan: PlanTables, cautions: Sequence[Message] = ()) -> None:
        self.cautions = cautions
        self.words, self.plan, self.summary = book.words, plan, plan.summary
        self.sheet = book.sheet(book.words("Summary"))
        self.row = 0

    def write(self) -> None:
        """Write every section."""
        summary, words = self.summary, self.words
        self._page()
        self.sheet.text(0, 0, self.plan.title, bold=True, font_size=16)
        self.row = 1
        for text in self.cautions:
            self.sheet.text(self.row, 0, words.sentence(text), bold=True, font_color=BAD)
            self.row += 1
        self.sheet.text(self.row, 0, summary["description"], italic=True)
        self.row += 1
        if rest := rest_text(summary, words):
            self._remark(rest)
        result = plan_sections.outcome(self.plan, words)
        accounts = plan_sections.accounts(self.plan, words)
        both = replace(result, rows=(*result.rows, *accounts.rows))
        self._section(both, bold=STATUS_AND_PROFIT)
        for section in (
            plan_sections.worth,
            plan_sections.energy,
            plan_sections.earned,
            plan_sections.ledger,
            plan_sections.figures,
        ):
            self._section(section(self.plan, words))
        self._section(green := plan_sections.green(self.plan, words))
        if green.heads and green.rows:
            self._remark(range_text(words))
        for section in (plan_sections.carbon, plan_sections.scarce, plan_sections.binding):
            self._section(section(self.plan, words))
        for of_year in year_sections(self.plan, words):
            self._section(of_year)
        sources = plan_sections.sources(self.plan, words)
        for row in sources.rows:
            self._remark(f"{sources.title}{words(': ')}{words(', ').join(map(str, row))}")
        self._notes()
        heads = ("", words("version"))
        self._section(Section(words("Made with"), heads, tuple(summary["versions"].items())))

    def _page(self) -> None:
        sheet = self.sheet.sheet
        known = [width(self.plan.titled(name)) for name in self.summary["components"]]
        sheet.set_column(0, 0, min(max([14, *known]), 30))
        sheet.set_column(1, 1, 46)
        sheet.set_column(2, 2, 18)
        sheet.set_column(3, LAST, 13)
        sheet.freeze_panes(1, 0)
        sheet.set_paper(9)  # A4
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        sheet.set_row(0, 24)

    def _section(self, section: Section, bold: Sequence[int] = ()) -> None:
        """Write a section; one with several columns of numbers has its unit in the title.

        Any other has the unit beside the number, and further cells to the right.
        """
        rows = list(section.every_row())
        if not rows:
            return
        matrix = sum(section.numeric()[section.labels :]) > 1
        heads = [*(section.heads[section.labels :] or [self.words("value")])]
        if not matrix and any(_unit(section, row) for row in rows):
            heads.insert(1, self.words("unit"))
        self._title(section.heading(self.words) if matrix else section.title, heads, matrix)
        first = self.row
        for at, row in enumerate(section.rows):
            self._row(section, row, matrix, **({"bold": True} if at in bold else {}))
        if section.total is not None:
            self._row(section, section.total, matrix, first, bold=True)
        for row in section.after:
            self._row(section, row, matrix, italic=True)

    def _title(self, text: str, heads: Sequence[str], matrix: bool) -> None:
        """Begin a section: an empty row, then its title, with the heads of its values."""
        self.row += 1
        style: dict[str, Any] = {"bold": True, "bg_color": "#DCE6EC"}
        cells = [text, "", *heads, *[""] * LAST][: LAST + 1]
        for column, cell in enumerate(cells):
            right = column == VALUE or (column > VALUE and matrix)
            align = (
                {"align": "right"} if right else {"indent": int(column == UNIT), "align": "left"}
            )
            self.sheet.text(self.row, column, cell, **style, **align)
        self.row += 1

    def _row(
        self, section: Section, row: Row, matrix: bool, first: int | None = None, **style: Any
    ) -> None:
        """Write labels and values; with `first`, each value is the sum over the rows from there."""
        labels, values = row[: section.labels], row[section.labels :]
        for column, label in enumerate(labels, VALUE - section.labels):
            if label:
                self.sheet.text(self.row, column, str(label), **style)
        for at, cell in enumerate(values):
            column = VALUE + at + (0 if matrix or at == 0 else 1)
            if first is not None:
                self._sum(column, (first, column, self.row - 1, column), cell, section)
            elif section.across and at == len(values) - 1:
                self._sum(column, (self.row, VALUE, self.row, column - 1), cell, section)
            else:
                self._cell(column, cell, section, **style)
        own_unit = _unit(section, row)
        if own_unit and not matrix:
            self.sheet.text(self.row, UNIT, self.words(own_unit), indent=1, align="left", **style)
        self.row += 1

    def _cell(self, column: int, cell: Cell, section: Section, **style: Any) -> None:
        if isinstance(cell, pd.Timestamp):
            if column > UNIT:
                self.sheet.sheet.set_column(column, column, 17)
            self.sheet.moment(self.row, column, cell)
        elif isinstance(cell, str):
            self.sheet.text(self.row, column, cell, align="right", **style)
        else:
            value, form = _number(cell, section)
            if value is not None:
                formats = [self.sheet.book.format(num_format=form, **style)]
                self.sheet.numbers(self.row, column, [float(value)], formats)

    def _sum(self, column: int, cells: Sequence[int], cell: Cell, section: Section) -> None:
        value, form = _number(cell, section)
        self.sheet.formula(self.row, column, f"=SUM({xl_range(*cells)})", value or 0.0, form)

    def _notes(self) -> None:
        words = self.words
        notes = [*map(words.sentence, self.summary["warnings"])]
        if (all_days := len(days(self.plan))) > MOST_DAYS:
            notes.append(words(
                "the charts and the sheets of single days cover the first {first} of {all} days;"
                " the other sheets hold all days", first=MOST_DAYS, all=all_days,
            ))  # fmt: skip
        if not ledger_fits(self.plan):
            notes.append(words("the ledger has more rows than a sheet; it is in ledger.csv"))
        if notes:
            self._title(words("Notes"), (), matrix=False)
        for note in notes:
            self._remark(note)

    def _remark(self, text: str) -> None:
        """Write a sentence in a row of its own."""
        self.sheet.text(self.row, 1, text)
        self.row += 1


def _unit(section: Section, row: Row) -> str:
    """Return the unit of the first value of a row; shares, in percent, have none."""
    cell = row[section.labels]
    own_unit = (cell.unit if isinstance(cell, Quantity) else "") or section.unit
    return "" if own_unit == SHARE else own_unit


def _number(cell: Cell, section: Section) -> tuple[float | None, str]:
    """Return the number of a cell and its format."""
    if not isinstance(cell, Quantity):
        assert cell is None or isinstance(cell, int | float)
        cell = Quantity(cell)
    if cell.decimals is None:
        return cell.value, unit_format(cell.unit or section.unit or None, [cell.value or 0.0])
    form = f"{0:.{cell.decimals}f}"
    return cell.value, f"{form}%" if cell.unit == SHARE else form


def write_workbook(
    plan: PlanTables, path: Path, words: Language, cautions: Sequence[Message] = ()
) -> None:
    """Write a plan as a workbook, in a language; `cautions` is at the top of its summary.

    Raises:
        OSError: the file cannot be written.
    """
    words = words.in_currency(plan.scenario.currency)
    made = local_times(plan.schedule.index[:1])[0]
    with tempfile.TemporaryDirectory(prefix="planner-") as scratch:
        book = Book(str(path), words, plan.title, made, scratch)
        SummarySheet(book, plan, cautions).write()
        charts = book.sheet(words("Charts"))
        schedule = write_schedule(book, plan)
        allocation = write_allocation(book, plan)
        if ledger_fits(plan):
            write_ledger(book, plan)
        write_days(book, plan)
        write_charts(book, plan, charts, schedule, allocation)
        book.close()
