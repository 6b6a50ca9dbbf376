"""Charts of a workbook, native to the spreadsheet, which refer to its other sheets.

    energy by origin, energy by use    stacked, storage below zero while it is discharged: both
                                       reach the same height
    tokens                             answered and not answered by service: together the demand
    energy in storage                  by origin

A chart without columns is left out.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

from planner.plan_tables.tables import PlanTables
from planner.report.charts.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    ORIGIN_COLOURS,
    PURPLE,
    SKY,
    USE_STYLES,
    YELLOW,
    styles_of,
)
from planner.report.workbook.cells import Book, Sheet, local_times
from planner.report.workbook.tables import MOST_DAYS, SheetTable

ANSWERED = (ORANGE, SKY, GREEN, PURPLE, BLUE, YELLOW)
MISSED = ("#A03000", "#C86A40", "#E0A080")
WIDE, HIGH = 1120, 380  # pixels
ROWS = 21  # of the sheet, for each chart
TICKS = 12


def write_charts(
    book: Book, plan: PlanTables, sheet: Sheet, schedule: SheetTable, allocation: SheetTable
) -> None:
    """Put the charts on their sheet; the tables hold their data."""
    words = book.words
    sheet.text(0, 0, plan.title, bold=True, font_size=16)
    sheet.sheet.hide_gridlines(2)
    sheet.sheet.set_row(0, 24)
    sheet.sheet.set_paper(9)  # A4
    sheet.sheet.fit_to_pages(1, 1)
    dates = [time.date() for time in local_times(plan.schedule.index)]
    steps = sum((date - dates[0]).days < MOST_DAYS for date in dates)  # of the first days
    step = words("MWh per {n} min", n=plan.scenario.horizon.step_min)
    of_plan = plan.allocation["origin"].unique()
    origins = [(f"{name}_mwh", ORIGIN_COLOURS.get(name, GREY)) for name in of_plan]
    styles = styles_of(plan.uses, USE_STYLES)
    uses = [(f"{name}_mwh", styles[name][0]) for name in plan.uses]
    row = 2
    for title, axis, table, series in (
        (words("Energy by origin"), step, allocation, origins),
        (words("Energy by use"), step, allocation, uses),
        (words("Tokens: answered and not answered"), words("Mtok/h"), schedule, _tokens(schedule)),
        (words("Energy in storage"), words("MWh"), schedule, _stored(schedule)),
    ):
        if series:
            chart = _chart(book, title, axis, table, series, steps)
            sheet.sheet.insert_chart(row, 0, chart, {"object_position": 2})
            row += ROWS


def _tokens(table: SheetTable) -> list[tuple[str, str]]:
    """Return the columns of services: tokens answered, then tokens not answered."""
    answered, missed = (
        [name for name in table.columns if name.endswith(ends)]
        for ends in (".answered_mtok_per_h", (".unserved_mtok_per_h", ".refused_mtok_per_h"))
    )
    return [*zip(answered, cycle(ANSWERED)), *zip(missed, cycle(MISSED))]


def _stored(table: SheetTable) -> list[tuple[str, str]]:
    energy = [n for n in table.columns if n.partition("[")[0].endswith(".energy_mwh")]
    origins = [n.partition("[")[2].removesuffix("]") for n in energy]
    if len(energy) == len(set(origins)):  # one storage: its origins have colours of their own
        colours = [ORIGIN_COLOURS.get(origin, ANSWERED[0]) for origin in origins]
        return list(zip(energy, colours, strict=True))
    return list(zip(energy, cycle(ANSWERED)))


def _chart(
    book: Book, title: str, axis: str, table: SheetTable, series: list[tuple[str, str]], steps: int
) -> Any:
    chart = book.chart("column", "stacked")
    last = table.first + steps - 1
    for name, colour in series:
        column = table.columns[name]
        chart.add_series(
            {
                "name": [table.sheet, table.labels, column],
                "categories": [table.sheet, table.first, 0, last, 0],
                "values": [table.sheet, table.first, column, last, column],
                "fill": {"color": colour},
                "border": {"none": True},
                "gap": 0 if steps > 1 else 200,
            }
        )
    every = max(1, -(-steps // TICKS))
    font = {"size": 9}
    chart.set_title({"name": title, "name_font": {"size": 13}, "overlay": False})
    chart.set_x_axis(
        {
            "text_axis": True, "num_format": "mm-dd hh:mm", "label_position": "low",
            "interval_unit": every, "interval_tick": every, "num_font": font,
        }
    )  # fmt: skip
    chart.set_y_axis(
        {
            "name": axis, "name_font": font, "num_font": font, "num_format": "#,##0.##",
            "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9", "width": 0.5}},
        }
    )  # fmt: skip
    chart.set_legend({"position": "bottom", "font": font})
    chart.set_size({"width": WIDE, "height": HIGH})
    return chart
