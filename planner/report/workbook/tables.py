"""The tables of a plan as sheets: schedule, allocation, ledger, and a sheet a day.

Schedule, allocation and ledger have two rows of heads: the column names of their CSV, and labels
with units. Above them is, where a sum makes sense, the sum of the rows that a filter shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from planner.language.titles import width
from planner.local_time import end_texts, occurs_twice
from planner.plan_tables.shares import by_pair
from planner.plan_tables.tables import PlanTables
from planner.report.net_rows import net_rows
from planner.report.plan_sections import column_label, line_label, without_unit
from planner.report.plan_texts import clock_name
from planner.report.workbook.cells import (
    HEAD,
    MONEY,
    MOST_ROWS,
    Book,
    Sheet,
    date_format,
    harmless,
    local_times,
    unit_format,
    wide_enough,
)
from planner.report.workbook.rows import (
    moment_cell,
    number_cells,
    sum_cells,
    text_cell,
    truth_cell,
)
from planner.timeseries.series import Array
from planner.units import unit

MOST_DAYS = 31  # with a sheet of their own
MWH = "#,##0.000"
TIME = 24  # how wide a column of times is


@dataclass(frozen=True)
class SheetTable:
    """The place of a table, for charts: its sheet, the rows of its labels and its first step."""

    sheet: str
    labels: int
    first: int
    columns: dict[str, int]


def write_schedule(book: Book, plan: PlanTables) -> SheetTable:
    """Write the schedule: a row for each step, a column for each quantity."""
    words, sheet = book.words, book.sheet(book.words("Schedule"))
    schedule = plan.schedule
    columns = [str(name) for name in schedule.columns]
    values = schedule.to_numpy(dtype=float)
    forms = [unit_format(unit(name), of) for name, of in zip(columns, values.T, strict=True)]
    least = [TIME, *map(wide_enough, values.T, forms)]
    labels = [time_label(book, plan), *(column_label(name, plan, words) for name in columns)]
    sheet.header(0, ["time", *columns], labels, least)
    cells = [_moments(book, schedule.index)]
    for form, of in zip(forms, values.T, strict=True):
        cells.append(number_cells(of.tolist(), book.format(num_format=form)))
    sheet.sheet.write_columns(2, cells)
    _finish(sheet, 2, 1, len(schedule) + 1, len(columns))
    return SheetTable(sheet.name, 1, 2, {name: at for at, name in enumerate(columns, 1)})


def time_label(book: Book, plan: PlanTables) -> str:
    """Return the head of a column of local times."""
    name = clock_name(plan.summary)
    return book.words("start of step, local time {offset}", offset=name)


def write_allocation(book: Book, plan: PlanTables) -> SheetTable:
    """Write MWh by step: columns by origin and use, then the sums by origin and by use."""
    words, sheet = book.words, book.sheet(book.words("Allocation"))
    parts = by_pair(plan.allocation, "origin", "use", "mwh")
    origins = list(dict.fromkeys(origin for origin, _ in parts))
    names = [f"{origin}.{use}_mwh" for origin, use in parts]
    labels = [f"{words.term(origin)} → {words.term(use)} [{words('MWh')}]" for origin, use in parts]
    columns = list(parts.values())
    places: list[list[int]] = []
    for by, name in [*((0, origin) for origin in origins), *((1, use) for use in plan.uses)]:
        places.append([at for at, key in enumerate(parts) if key[by] == name])
        columns.append(np.sum([columns[at] for at in places[-1]], axis=0))
        names.append(f"{name}_mwh")
        labels.append(f"{words.term(name)} [{words('MWh')}]")
    steps = len(plan.schedule)
    first, last = 3, steps + 2
    _head_sum(sheet, 0)
    for at, column in enumerate(columns, 1):
        sheet.visible_sum(0, at, first, last, float(column.sum()), MWH)
    least = [wide_enough([column.sum()], MWH) for column in columns]
    sheet.header(1, ["time", *names], [time_label(book, plan), *labels], [TIME, *least])
    cells = [_moments(book, plan.schedule.index)]
    cells += [number_cells(mwh.tolist(), book.format(num_format=MWH)) for mwh in parts.values()]
    bold = book.format(num_format=MWH, bold=True)
    for summands, sums in zip(places, columns[len(parts) :], strict=True):
        cells.append(sum_cells([at + 1 for at in summands], first, sums.tolist(), bold))
    sheet.sheet.write_columns(first, cells)
    _finish(sheet, first, 1, last, len(names))
    return SheetTable(sheet.name, 2, first, {name: at for at, name in enumerate(names, 1)})


def _moments(book: Book, times: Any) -> Iterator[str]:
    return (
        moment_cell(moment, book.format(num_format=date_format(time)))
        for moment, time in zip(local_times(times), pd.DatetimeIndex(times), strict=True)
    )


def ledger_fits(plan: PlanTables) -> bool:
    """Return whether a sheet has rows enough for the ledger."""
    return len(plan.ledger) + 3 <= MOST_ROWS


def write_ledger(book: Book, plan: PlanTables) -> None:
    """Write the ledger, a row for each amount."""
    ledger, words = plan.ledger, book.words
    sheet = book.sheet(words("Ledger"))
    first, last = 3, max(len(ledger) + 2, 3)
    _head_sum(sheet, 3)
    sheet.visible_sum(0, 4, first, last, float(ledger["amount_cny"].sum()), MONEY)
    names = [*ledger.columns, "label"]
    labels = [words("component"), words("line"), time_label(book, plan), words("cash"),
              f"{words('amount')} [{words('CNY')}]", words("label")]  # fmt: skip
    sheet.header(1, names, labels, [18, 18, TIME, 22, 18, 24], (0, 1, 5))

    def text(value: str) -> str:
        return text_cell(harmless(value))

    zone = plan.scenario.horizon.zone

    def period(value: str) -> str:
        if "T" not in value:
            return text(value)
        (cell,) = _moments(book, [pd.Timestamp(value).tz_convert(zone)])
        return cell

    def cells(name: str, cell: Callable[[Any], str]) -> list[str]:
        of_value = {value: cell(value) for value in ledger[name].unique()}
        return [of_value[value] for value in ledger[name].tolist()]

    def label(component: str, line: str) -> str:
        return text(f"{plan.titled(component)}{words(': ')}{line_label(line, words)}")

    money = number_cells(ledger["amount_cny"].tolist(), book.format(num_format=MONEY))
    pairs = [*zip(ledger["component"].tolist(), ledger["line"].tolist(), strict=True)]
    label_of = {pair: label(*pair) for pair in set(pairs)}
    sheet.sheet.write_columns(first, [
        cells("component", text), cells("line", text), cells("period", period),
        cells("cash", truth_cell), money, [label_of[pair] for pair in pairs],
    ])  # fmt: skip
    _finish(sheet, first, 2, last, 5)


def days(plan: PlanTables) -> list[pd.Timestamp]:
    """Return the local days of a plan, in order."""
    return list(pd.DatetimeIndex(plan.schedule.index).tz_localize(None).normalize().unique())


def write_days(book: Book, plan: PlanTables) -> None:
    """Write a sheet for each of the first days: a row a quantity, a column an interval.

    Intervals are headed by their end, 00:15..24:00; those outside the horizon stay empty. A day on
    which the clock changes has the intervals that it lasts; those of an hour that occurs twice are
    headed with their offset.
    """
    step_min, zone = plan.scenario.horizon.step_min, plan.scenario.horizon.zone
    index = pd.DatetimeIndex(plan.schedule.index)
    rows = _day_rows(book, plan)
    of_day = index.tz_localize(None).normalize()
    for day in days(plan)[:MOST_DAYS]:
        steps = np.flatnonzero(of_day == day)
        begin, after = (
            midnight.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
            for midnight in (day, day + pd.Timedelta(days=1))
        )
        starts = pd.date_range(begin, after, freq=f"{step_min}min", inclusive="left")
        before = int(starts.get_indexer(index[steps[:1]])[0])
        ends = [
            end + start.isoformat()[-6:] if occurs_twice(start) else end
            for start, end in zip(starts, end_texts(starts, step_min), strict=True)
        ]
        _write_day(book.sheet(f"{day:%Y-%m-%d}"), rows, steps, before, ends)


@dataclass(frozen=True)
class DayRow:
    """A row of a day sheet; `values` of shape (steps,), in one number format for all days.

    A row without a name is the head of a group; it has no values.
    """

    name: str
    label: str
    values: Array
    bold: bool = False

    @cached_property
    def form(self) -> str:
        """The number format."""
        return unit_format(unit(self.name), self.values)


def _write_day(sheet: Sheet, rows: list[DayRow], steps: Any, before: int, ends: list[str]) -> None:
    """Write the steps of a day, `before` intervals after midnight."""
    book, words = sheet.book, sheet.book.words
    head = [words("quantity"), words("label"), words("unit"), *ends]
    sheet.texts(0, head[:3], bold=True, bg_color=HEAD)
    sheet.texts(0, head[3:], 3, bold=True, bg_color=HEAD, align="right")
    wide = 0
    for row, quantity in enumerate(rows, 1):
        style: dict[str, Any] = {"bold": True} if quantity.bold else {}
        if not quantity.name:
            sheet.texts(row, ["", quantity.label, *[""] * (1 + len(ends))], bg_color=HEAD, **style)
            continue
        sheet.text(row, 0, quantity.name, font_color="#606060", **style)
        sheet.text(row, 1, quantity.label, **style)
        sheet.text(row, 2, words(unit(quantity.name) or ""), **style)
        values = quantity.values[steps].tolist()
        wide = max(wide, wide_enough(values, quantity.form))
        formats = [book.format(num_format=quantity.form, **style)] * len(values)
        sheet.numbers(row, 3 + before, values, formats)
    sheet.sheet.freeze_panes(1, 3)
    sheet.sheet.set_column(0, 0, min(max(width(row.name) for row in rows), 34) + 1)
    sheet.sheet.set_column(1, 1, min(max(width(row.label) for row in rows), 44) + 1)
    sheet.sheet.set_column(2, 2, 10)
    sheet.sheet.set_column(3, 2 + len(ends), wide)
    _page(sheet, len(ends) // 24)
    sheet.sheet.repeat_rows(0)
    sheet.sheet.repeat_columns(0, 2)


def _day_rows(book: Book, plan: PlanTables) -> list[DayRow]:
    """Return what meters show, then the schedule, a group for each component."""
    words, schedule = book.words, plan.schedule
    rows = [DayRow(row.name, row.label, row.values, bold=True) for row in net_rows(plan, words)]
    owner = ""
    for column in map(str, schedule.columns):
        name = column.partition(".")[0]
        if name != owner:
            kind = words.term(plan.summary["components"].get(name, ""))
            head = words("{name} ({kind})", name=plan.titled(name), kind=kind)
            rows.append(DayRow("", head, np.empty(0), bold=True))
            owner = name
        label = without_unit(column_label(column, plan, words), column)
        rows.append(DayRow(column, label, schedule[column].to_numpy(dtype=float)))
    return rows


def _head_sum(sheet: Sheet, column: int) -> None:
    sheet.text(0, column, sheet.book.words("sum of the rows shown"), bold=True)


def _finish(sheet: Sheet, first: int, frozen: int, last: int, columns: int) -> None:
    """Freeze the head, filter by the row of labels, and print on wide pages."""
    sheet.sheet.freeze_panes(first, frozen)
    sheet.sheet.autofilter(first - 1, 0, last, columns)
    _page(sheet, -(-columns // 12))
    sheet.sheet.repeat_rows(first - 2, first - 1)
    sheet.sheet.repeat_columns(0)


def _page(sheet: Sheet, wide: int) -> None:
    sheet.sheet.set_landscape()
    sheet.sheet.set_paper(8)  # A3
    sheet.sheet.fit_to_pages(max(wide, 1), 0)
