"""The first sheet of a workbook: what a plan comes to, from its summary.

Columns: component, label, value, unit; the matrices of energy spread to the right from the value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from planner.plan_tables.tables import USES, PlanTables
from planner.report.workbook.cells import MONEY, Book, Sheet, number_format, width
from planner.report.workbook.tables import MOST_DAYS, bare_label, days, ledger_fits
from planner.units import unit

LAST = 9  # the last column of the matrices
GAP = "0.0000%"
RATE = "0.000"


class Summary:
    """The summary sheet, written from the top."""

    def __init__(self, book: Book, plan: PlanTables):
        self.book, self.words, self.plan = book, book.words, plan
        self.summary: dict[str, Any] = plan.summary
        self.sheet: Sheet = book.sheet(book.words("Summary"))
        self.row = 0

    def write(self) -> None:
        """Write every section."""
        self._page()
        self.sheet.text(0, 0, self.summary["name"], bold=True, font_size=16)
        self.sheet.text(1, 0, self.summary["description"], italic=True)
        self.row = 2
        self._head()
        self._energy()
        self._ledger()
        self._figures()
        self._green()
        self._carbon()
        self._worst()
        self._notes()
        self._versions()

    def _page(self) -> None:
        sheet = self.sheet.sheet
        known = [width(name) for name in self.summary["components"]]
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

    def _title(self, text: str, *heads: str) -> None:
        """Begin a section: an empty row, then its title; `heads` stand over the values."""
        self.row += 1
        style: dict[str, Any] = {"bold": True, "bg_color": "#DCE6EC"}
        cells = [text, "", *heads]
        for column in range(LAST + 1):
            said = cells[column] if column < len(cells) else ""
            right = column == 2 or (column > 2 and len(heads) > 2)
            align: dict[str, Any] = (
                {"align": "right"} if right else {"indent": int(column == 3), "align": "left"}
            )
            self.sheet.text(self.row, column, said, **style, **align)
        self.row += 1

    def _line(
        self, component: str, label: str, value: Any, shown: str = "", measured: str | None = None,
        **style: Any,
    ) -> None:  # fmt: skip
        """Write a row: component, label, a number or a text, its unit."""
        if component:
            self.sheet.text(self.row, 0, component, **style)
        self.sheet.text(self.row, 1, label, **style)
        if isinstance(value, str):
            self.sheet.text(self.row, 2, value, align="right", **style)
        elif value is not None:
            self.sheet.number(self.row, 2, float(value), shown, **style)
        if measured and measured != "0..1":  # shares are shown as per cent
            self.sheet.text(self.row, 3, self.words(measured), indent=1, align="left", **style)
        self.row += 1

    def _figure(self, component: str, name: str, value: float | None) -> None:
        """Write a figure by its name, which ends in its unit."""
        measured = unit(name)
        label = bare_label(self.book, name)
        shown = number_format(name, () if value is None else (value,))
        self._line(component, label, value, shown, measured)

    def _head(self) -> None:
        words, summary = self.words, self.summary
        self._title(words("Result"), words("value"), words("unit"))
        self._line("", words("status"), status(self.book, summary["status"]), bold=True)
        self._line("", words("proven gap, of turnover"), summary["gap"], GAP)
        self._line("", words("profit"), summary["objective_cny"], MONEY, "CNY", bold=True)
        self._line("", words("profit, at most"), summary["bound_cny"], MONEY, "CNY")
        self._line("", words("of it cash"), summary["cash_profit_cny"], MONEY, "CNY")
        self._line("", words("of it penalties, no cash"), summary["non_cash_cny"], MONEY, "CNY")
        if summary["outside_objective_cny"]:
            said = words("cash after costs outside the plan's reach")
            self._line("", said, summary["net_after_outside_cny"], MONEY, "CNY")
        self._line("", words("turnover"), summary["turnover_cny"], MONEY, "CNY")
        vat = words("included") if summary["vat"] == "included" else words.term(summary["vat"])
        self._line("", words("value added tax in prices"), vat)
        start = dt.datetime.fromisoformat(summary["start"])
        offset = f"{start:%z}"
        said = words("start, local time {offset}", offset=f"{offset[:3]}:{offset[3:5]}")
        self.sheet.text(self.row, 1, said)
        self.sheet.moment(self.row, 2, start.replace(tzinfo=None))
        self.row += 1
        self._line("", words("length"), summary["hours"], "0.##", "h")
        self._line("", words("length of a step"), summary["step_min"], "0", "min")
        by_use = summary["value_by_use_cny_per_kwh"]
        rate = (RATE, "CNY/kWh")
        self._line("", words("a kWh in compute earns, gross"), by_use["compute"], *rate)
        self._line("", words("a kWh sold to the grid earns"), by_use["export"], *rate)
        said = words("the compute kWh would earn on the grid")
        self._line("", said, by_use["compute_at_sale_price"], *rate)
        self._line("", words("uplift of compute over grid sale"), summary["uplift"], "0.0", "times")

    def _energy(self) -> None:
        words = self.words
        mwh: dict[str, dict[str, float]] = self.summary["allocation_mwh"]
        uses = [use for use in USES if any(use in by_use for by_use in mwh.values())]
        if not uses:
            return
        heads = [*map(words.term, uses), words("total")]
        self._title(f"{words('Where the energy went')} [{words('MWh')}]", *heads)
        first = self.row
        for origin, by_use in mwh.items():
            self.sheet.text(self.row, 1, words.term(origin))
            for at, use in enumerate(uses, 2):
                if use in by_use:
                    self.sheet.number(self.row, at, by_use[use], "#,##0.000")
            self._sum(self.row, 2 + len(uses), (self.row, 2), (self.row, 1 + len(uses)),
                      sum(by_use.values()), "#,##0.000")  # fmt: skip
            self.row += 1
        self.sheet.text(self.row, 1, words("total"), bold=True)
        totals = [sum(by_use.get(use, 0.0) for by_use in mwh.values()) for use in uses]
        for at, value in enumerate([*totals, sum(totals)], 2):
            self._sum(self.row, at, (first, at), (self.row - 1, at), value, "#,##0.000")
        self.row += 1
        values = self.summary["value_cny_per_kwh"]
        if not any(values.values()):
            return
        self._title(
            f"{words('What a kWh earned')} [{words('CNY/kWh')}]", *map(words.term, uses), ""
        )
        for origin, earned in values.items():
            self.sheet.text(self.row, 1, words.term(origin))
            for at, use in enumerate(uses, 2):
                if use in earned:
                    self.sheet.number(self.row, at, earned[use], RATE)
            self.row += 1

    def _sum(
        self, row: int, column: int, first: tuple[int, int], last: tuple[int, int],
        value: float, shown: str,
    ) -> None:  # fmt: skip
        cells = f"{xl_rowcol_to_cell(*first)}:{xl_rowcol_to_cell(*last)}"
        self.sheet.formula(row, column, f"=SUM({cells})", value, shown)

    def _ledger(self) -> None:
        words, found = self.words, self.summary["ledger_cny"]
        self._title(words("Profit by line"), words("amount"), words("unit"))
        first, total = self.row, 0.0
        for component, lines in found.items():
            for line, amount in lines.items():
                self._line(component, self.words.term(line), amount, MONEY, "CNY")
                total += amount
        if self.row > first:
            self.sheet.text(self.row, 1, words("profit"), bold=True)
            self._sum(self.row, 2, (first, 2), (self.row - 1, 2), total, MONEY)
            self.sheet.text(self.row, 3, words("CNY"), indent=1, align="left", bold=True)
            self.row += 1
        for component, lines in self.summary["outside_objective_cny"].items():
            for line, amount in lines.items():
                said = words("{line} (outside the plan)", line=self.words.term(line))
                self._line(component, said, amount, MONEY, "CNY", italic=True)

    def _figures(self) -> None:
        words = self.words
        if not self.summary["figures"]:
            return
        self._title(words("Key figures"), words("value"), words("unit"))
        for component, figures in self.summary["figures"].items():
            for name, value in figures.items():
                self._figure(component, name, value)

    def _green(self) -> None:
        shares = self.summary["green"]
        if not any(value is not None for value in shares.values()):
            return
        self._title(self.words("Renewable energy"), self.words("value"))
        for name, value in shares.items():
            self._line("", green(self.book, name), value, "0.0%")

    def _carbon(self) -> None:
        found = {k: v for k, v in self.summary["carbon"].items() if isinstance(v, int | float)}
        if not found:
            return
        self._title(self.words("Carbon"), self.words("value"), self.words("unit"))
        for name, value in found.items():
            self._figure("", name, value)

    def _worst(self) -> None:
        words, found = self.words, self.summary["worst_hours"]
        if not found:
            return
        self._title(words("What was scarce, at worst"), words("cost"), words("unit"))
        for hour in found:
            moment = dt.datetime.fromisoformat(hour["time"]).replace(tzinfo=None)
            self._line(hour["component"], self.words.term(hour["line"]), hour["cost_cny"],
                       MONEY, "CNY")  # fmt: skip
            self.sheet.sheet.set_column(4, 4, 17)
            self.sheet.moment(self.row - 1, 4, moment)

    def _notes(self) -> None:
        words = self.words
        notes = [*map(words.sentence, self.summary["warnings"])]
        all_days = len(days(self.plan))
        if all_days > MOST_DAYS:
            notes.append(words(
                "the first {first} of {all} days have a sheet of their own and are in the charts;"
                " the other sheets hold all of them", first=MOST_DAYS, all=all_days,
            ))  # fmt: skip
        if not ledger_fits(self.plan):
            notes.append(words("the ledger has more rows than a sheet; it is in ledger.csv"))
        if notes:
            self._title(words("Notes"))
        for note in notes:
            self.sheet.text(self.row, 1, note)
            self.row += 1

    def _versions(self) -> None:
        found: Mapping[str, str] = self.summary["versions"]
        self._title(self.words("Made with"), self.words("version"))
        for name, version in found.items():
            self._line("", name, version)


def status(book: Book, code: str) -> str:
    """Return the status of a plan for people."""
    words = book.words
    return {
        "optimal": words("optimal"),
        "time_limit": words("time limit"),
        "interrupted": words("interrupted"),
        "relaxed": words("LP relaxation: a bound, not a schedule that can be run"),
    }.get(code, code)


def green(book: Book, name: str) -> str:
    """Return what a share of renewable energy is a share of."""
    words = book.words
    return {
        "self_use_share": words("own use / available"),
        "load_share": words("renewable drawn / drawn by load and compute"),
        "official_load_share": words("own use / drawn (official formula)"),
        "export_share": words("exported / available"),
        "curtailed_share": words("curtailed / available"),
    }.get(name, words.term(name))
