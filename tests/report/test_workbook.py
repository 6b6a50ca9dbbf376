"""The workbook: every number that of the CSV, texts that stay texts, and sheets as people use them.

Plans are small: an hour-by-hour site that trades and stores, and one that starts at 22:30.
"""

from __future__ import annotations

import datetime as dt
import gettext
import re
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import planner
from planner.errors import PlanError
from planner.language.language import Language, language
from planner.report.net_rows import net_rows
from planner.report.workbook import tables as workbook_tables
from planner.report.workbook.cells import (
    DATE,
    MONEY,
    Book,
    harmless,
    unit_format,
    wide_enough,
    without_minus_zero,
)
from planner.report.workbook.rows import (
    moment_cell,
    number_cells,
    sum_cells,
    text_cell,
    truth_cell,
)
from planner.report.workbook.workbook import write_workbook
from tests.support.build import HANGS_S, battery, grid, load, renewable, solve

NAMES = ["Summary", "Charts", "Schedule", "Allocation", "Ledger"]


def site(hours: int = 3) -> dict[str, Any]:
    prices = [10.1, 50.7, 30.3][:hours]
    return {
        "grid": grid(import_price_cny_per_mwh=prices, export_price_cny_per_mwh=prices),
        "battery": battery(charge_efficiency=0.9),
        "sun": renewable(*[7.3, 2.2, 11.9][:hours]),
        "town": load(*[3.3, 5.7, 1.1][:hours]),
    }


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    return solve(site(), 3, description="<r>=1+1</r>", vat="excluded")


@pytest.fixture(scope="module")
def quarters() -> planner.Plan:
    """Two hours in quarters from 22:30: six steps of one day, two of the next."""
    start = "2026-07-15T22:30:00+08:00"
    supply = [1.1, 2.2, 3.3, 4.4, 5.5, 6.6, 7.7, 8.8]
    parts = {"grid": grid(), "sun": renewable(*supply), "town": load(*[2.5] * 8)}
    return solve(parts, 2, step_min=15, start=start)


def book(plan: planner.Plan, folder: Path, lang: str = "en", **how: Any) -> Any:
    path = folder / "schedule.xlsx"
    write_workbook(plan, path, language(lang))
    return openpyxl.load_workbook(path, **how)


def rows(sheet: Any, first: int) -> list[list[Any]]:
    """The cells from a row on, counted from 1."""
    return [list(row) for row in sheet.iter_rows(min_row=first, values_only=True)]


def naive(plan: planner.Plan) -> list[dt.datetime]:
    return list(pd.DatetimeIndex(plan.schedule.index).tz_localize(None).to_pydatetime())


@pytest.mark.parametrize("which", ["plan", "quarters"])
def test_every_number_is_that_of_the_tables(
    which: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    plan = request.getfixturevalue(which)
    equals_tables(plan, book(plan, tmp_path, data_only=True))


def equals_tables(plan: planner.Plan, found: Any) -> None:
    """Compare every sheet with the tables that the CSV are written from, cell by cell."""
    times = naive(plan)
    schedule = plan.schedule
    assert [cell.value for cell in found["Schedule"][1]] == ["time", *schedule.columns]
    values = schedule.to_numpy().tolist()
    expected = [[when, *row] for when, row in zip(times, values, strict=True)]
    assert rows(found["Schedule"], 3) == expected

    names = [cell.value for cell in found["Allocation"][2]]
    body = pd.DataFrame(rows(found["Allocation"], 4), columns=names)
    assert list(body["time"]) == times
    parts = plan.allocation.groupby(["origin", "use"])
    for (origin, use), part in parts:
        assert body[f"{origin}.{use}_mwh"].tolist() == part["mwh"].tolist()
    for by in ("origin", "use"):
        for name, part in plan.allocation.groupby(by):
            total = part.groupby("time")["mwh"].sum()
            assert np.allclose(body[f"{name}_mwh"], total, atol=1e-9), name
    assert len(names) == 1 + len(parts) + sum(
        plan.allocation[k].nunique() for k in ("origin", "use")
    )

    ledger = plan.ledger
    assert [cell.value for cell in found["Ledger"][2]][:5] == list(ledger.columns)
    told = rows(found["Ledger"], 4)
    for name, at in (("component", 0), ("line", 1), ("cash", 3), ("amount_cny", 4)):
        assert [row[at] for row in told] == ledger[name].tolist(), name
    periods = [
        dt.datetime.fromisoformat(p).replace(tzinfo=None) if "T" in p else p
        for p in ledger["period"]
    ]
    assert [row[2] for row in told] == periods
    assert found["Ledger"]["E1"].value == pytest.approx(ledger["amount_cny"].sum())
    equals_days(plan, found)


def equals_days(plan: planner.Plan, found: Any) -> None:
    """Compare the sheets of days with schedule and declaration, by day and end of interval."""
    step = plan.scenario.horizon.step_min
    net = {row.name: row.values for row in net_rows(plan, language("en"))}
    every = pd.concat([pd.DataFrame(net, plan.schedule.index), plan.schedule], axis=1)
    local = pd.DatetimeIndex(naive(plan))
    assert found.sheetnames[5:] == list(local.strftime("%Y-%m-%d").unique())
    for day in found.sheetnames[5:]:
        head = [cell.value for cell in found[day][1]]
        assert head[:3] == ["quantity", "label", "unit"]
        assert (head[3], head[-1]) == (f"{step // 60:02d}:{step % 60:02d}", "24:00")
        assert len(head) == 3 + 24 * 60 // step
        told = [row for row in rows(found[day], 2) if row[0]]  # the others head a component
        assert [row[0] for row in told] == [*net, *plan.schedule.columns]
        for row in told:
            expected: list[Any] = [None] * (24 * 60 // step)
            for moment, value in zip(local, every[row[0]].tolist(), strict=True):
                if f"{moment:%Y-%m-%d}" == day:
                    expected[(moment.hour * 60 + moment.minute) // step] = value
            assert row[3:] == expected, row[0]


def test_a_horizon_from_half_past_ten_fills_the_end_of_one_day_and_the_start_of_the_next(
    quarters: planner.Plan, tmp_path: Path
) -> None:
    found = book(quarters, tmp_path)
    last, first = found["2026-07-15"], found["2026-07-16"]
    row = next(row for row in rows(last, 1) if row[0] == "sun.power_mw")
    assert row[-7:] == [None, *quarters.schedule["sun.power_mw"].tolist()[:6]]
    at = [cell.value for cell in last[1]].index("22:45")
    assert (last.cell(1, at).value, row[at]) == ("22:30", quarters.schedule["sun.power_mw"].iloc[0])
    row = next(row for row in rows(first, 1) if row[0] == "sun.power_mw")
    assert row[3:6] == [*quarters.schedule["sun.power_mw"].tolist()[6:], None]


def test_what_is_declared_comes_first_import_positive(tmp_path: Path) -> None:
    declared = grid(declaration={"exchange_mw": -5}, real_time_price_cny_per_mwh=20)
    found = book(solve({"grid": declared, "sun": renewable(7)}), tmp_path)["2026-07-15"]
    first, second = rows(found, 2)[:2]
    assert first[:4] == [
        "grid.declared_exchange_mw", "grid: exchange declared day ahead, import positive", "MW", -5,
    ]  # fmt: skip
    assert second[:4] == ["grid.exchange_mw", "grid: exchange, import positive", "MW", -7]


def test_a_day_begins_with_what_meters_show_and_goes_on_by_component(
    plan: planner.Plan, tmp_path: Path
) -> None:
    """The exchange, the power and the energy of the battery, then the town; then the details."""
    told = rows(book(plan, tmp_path)["2026-07-15"], 2)
    names = [row[0] for row in told]
    assert names[:4] == [
        "grid.exchange_mw",
        "battery.power_mw",
        "battery.energy_mwh",
        "town.draw_mw",
    ]
    assert told[1][1:3] == ["battery: net power, discharge positive", "MW"]
    by_name = {row[0]: row[3:6] for row in told}
    charge, discharge = (
        plan.schedule.filter(like=f"battery.{way}_mw").sum(axis=1).to_numpy()
        for way in ("charge", "discharge")
    )
    assert by_name["battery.power_mw"] == pytest.approx(discharge - charge)
    assert [row[1] for row in told if row[0] is None] == [
        "battery (battery)", "grid (grid)", "sun (renewable)", "town (load)",
    ]  # fmt: skip
    heads = [at for at, name in enumerate(names) if name is None]
    owner = {name.partition(".")[0] for name in names[heads[0] + 1 : heads[1]]}
    assert owner == {"battery"}


def test_head_panes_filters_and_formats(plan: planner.Plan, tmp_path: Path) -> None:
    found = book(plan, tmp_path)
    assert found.sheetnames == [*NAMES, "2026-07-15"]
    frozen = {name: found[name].freeze_panes for name in found.sheetnames}
    assert frozen == {
        "Summary": "A2", "Charts": None, "Schedule": "B3", "Allocation": "B4", "Ledger": "C4",
        "2026-07-15": "D2",
    }  # fmt: skip
    wide = openpyxl.utils.get_column_letter(len(plan.schedule.columns) + 1)
    assert found["Schedule"].auto_filter.ref == f"A2:{wide}5"
    assert found["Ledger"].auto_filter.ref == f"A3:F{len(plan.ledger) + 3}"
    assert found["Schedule"]["A2"].value == "start of step, local time +08:00"
    assert found["Schedule"]["A3"].number_format == "yyyy-mm-dd hh:mm"
    heads = {cell.value: cell for cell in found["Schedule"][1]}
    below = found["Schedule"].cell
    assert below(3, heads["grid.import_mw"].column).number_format == without_minus_zero("0.000")
    assert below(2, heads["grid.import_mw"].column).value == "grid import [MW]"
    assert below(3, heads["battery.charging"].column).number_format == without_minus_zero("#,##0")
    assert found["Ledger"]["E4"].number_format == without_minus_zero(MONEY)
    labels = {row[1].value: row for row in found["Summary"].iter_rows()}
    assert labels["own use / available"][2].number_format == without_minus_zero("0.0%")


def test_the_summary_says_what_the_plan_comes_to(plan: planner.Plan, tmp_path: Path) -> None:
    told = rows(book(plan, tmp_path, data_only=True)["Summary"], 1)
    by_label = {row[1]: row[2:4] for row in told if row[0] is None and row[1]}
    summary = plan.summary
    assert by_label["status"] == ["optimal", None]
    assert by_label["proven gap, share of turnover"] == [summary["gap"], None]
    assert by_label["proven gap, share of profit"] == [summary["gap_of_profit"], None]
    assert by_label["upper bound of the profit"] == [summary["bound_cny"], "CNY"]
    assert by_label["turnover"] == [summary["turnover_cny"], "CNY"]
    assert by_label["value added tax in prices"] == ["excluded", None]
    assert by_label["start, local time +08:00"] == [naive(plan)[0], None]
    share, least = (
        part["self_use_share"] for part in (summary["green"], summary["green"]["least"])
    )
    assert by_label["own use / available"] == [share, least]
    profits = [row[2] for row in told if row[1] == "profit"]
    assert profits == [pytest.approx(summary["objective_cny"])] * 2  # itself, and the lines' sum
    assert ["town", "demand", summary["figures"]["town"]["demand_mwh"], "MWh"] in [
        row[:4] for row in told
    ]
    matrix = next(i for i, row in enumerate(told) if row[0] == "Where the energy went [MWh]")
    uses = [use for use in told[matrix][2:] if use]
    sun = dict(zip(uses, told[matrix + 1][2:], strict=False))
    energy = summary["allocation_mwh"]["renewable"]
    assert told[matrix + 1][1] == "renewable"
    assert {use: sun[use] for use in energy} == energy
    assert sun["total"] == pytest.approx(7.3 + 2.2 + 11.9)


def test_the_formulas_are_ours_and_stand_beside_their_value(
    plan: planner.Plan, tmp_path: Path
) -> None:
    formulas, values = book(plan, tmp_path), book(plan, tmp_path, data_only=True)
    seen = 0
    for sheet in formulas:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert re.fullmatch(
                        r"=SUM\([A-Z0-9:,]+\)|=SUBTOTAL\(109,[A-Z0-9:]+\)", cell.value
                    )
                    assert isinstance(values[sheet.title][cell.coordinate].value, int | float)
                    seen += 1
    assert seen > len(plan.schedule)
    assert formulas["Summary"]["A2"].value == "'<r>=1+1</r>"


def test_texts_stay_texts_and_fit(plan: planner.Plan, tmp_path: Path) -> None:
    odd = ["=1+1", "+x", "@x", "<r>y</r>", "a\x07b", "_x0041_", "x" * 40_000]
    columns = [*odd, *plan.schedule.columns[len(odd) :]]
    strange = replace(plan, schedule=plan.schedule.set_axis(columns, axis=1))
    told = [cell.value for cell in book(strange, tmp_path)["Schedule"][1]][1:8]
    spelt = "_x005F_x0041_"  # a file says so that these signs are no code for an A
    assert told == ["'=1+1", "'+x", "'@x", "'<r>y</r>", "a b", spelt, "x" * 32_767]


def test_charts_are_drawn_from_data_that_is_there(plan: planner.Plan, tmp_path: Path) -> None:
    found = book(plan, tmp_path)
    charts = found["Charts"]._charts
    assert len(charts) == 3  # by origin, by use, in storage; there are no tokens
    with zipfile.ZipFile(tmp_path / "schedule.xlsx") as files:
        texts = [files.read(n).decode() for n in files.namelist() if "charts/chart" in n]
    for text in texts:
        series = re.findall(r"<c:ser>.*?</c:ser>", text)
        assert series
        for one in series:
            label, times, values = re.findall(r"<c:f>(.*?)</c:f>", one)
            name, _, where = values.partition("!")
            cells = found[name][where.replace("$", "")]
            assert len(cells) == 3
            assert all(cell[0].value is not None for cell in cells)
            head = found[name][label.partition("!")[2].replace("$", "")]
            assert head.row == cells[0][0].row - 1
            assert head.column == cells[0][0].column
            column = found[name][times.partition("!")[2].replace("$", "")]
            assert [cell[0].value for cell in column] == naive(plan)


def test_pooled_energy_has_a_workbook_too(tmp_path: Path) -> None:
    parts = site()
    pooled = solve(parts | {"grid": parts["grid"] | {"resale": True}}, 3, trace=False)
    found = book(pooled, tmp_path, data_only=True)
    equals_tables(pooled, found)
    assert "pooled.load_mwh" in [cell.value for cell in found["Allocation"][2]]
    assert not [row for row in rows(found["Summary"], 1) if row[1] == "own use / available"]


def test_sheets_take_their_names_from_the_language(plan: planner.Plan, tmp_path: Path) -> None:
    class Chinese(gettext.NullTranslations):
        """Five sheets under two names, one of them too long and with signs no name may have."""

        def gettext(self, text: str) -> str:  # what the others say stays English
            return {"Summary": "摘要", "Charts": "摘要", "Schedule": "[计划]/" + "长" * 40}.get(
                text, text
            )

    words = Language("zh", Chinese())
    write_workbook(plan, tmp_path / "zh.xlsx", words)
    found = openpyxl.load_workbook(tmp_path / "zh.xlsx")
    assert found.sheetnames[:3] == ["摘要", "摘要 2", "-计划--" + "长" * 26]
    charts = zipfile.ZipFile(tmp_path / "zh.xlsx").read("xl/charts/chart3.xml").decode()
    assert "'-计划--长" in charts


def test_the_same_plan_gives_the_same_bytes(plan: planner.Plan, tmp_path: Path) -> None:
    first, second = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    for path in (first, second):
        write_workbook(plan, path, language("en"))
    assert first.read_bytes() == second.read_bytes()


def test_of_a_long_horizon_the_first_days_have_sheets_and_the_summary_says_so(
    plan: planner.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quarters: planner.Plan
) -> None:
    monkeypatch.setattr(workbook_tables, "MOST_DAYS", 1)
    monkeypatch.setattr("planner.report.workbook.workbook.MOST_DAYS", 1)
    monkeypatch.setattr("planner.report.workbook.charts.MOST_DAYS", 1)
    monkeypatch.setattr(workbook_tables, "MOST_ROWS", 5)
    found = book(quarters, tmp_path)
    assert found.sheetnames == [*NAMES[:4], "2026-07-15"]
    notes = [row[1] for row in rows(found["Summary"], 1)]
    assert any("cover the first 1 of 2 days" in str(note) for note in notes)
    assert "the ledger has more rows than a sheet; it is in ledger.csv" in notes
    text = zipfile.ZipFile(tmp_path / "schedule.xlsx").read("xl/charts/chart1.xml").decode()
    assert "$9</c:f>" in text  # six quarters before midnight, in rows 4 to 9
    assert "$10</c:f>" not in text


def test_large_numbers_keep_their_digits_and_none_stays_empty(tmp_path: Path) -> None:
    numbers = [123456789.123456789, 0.1 + 0.2, -1e15 - 1 / 3, float("nan"), 98765432.123456791]
    target = Book(str(tmp_path / "n.xlsx"), language("en"), "n", dt.datetime(2026, 1, 1), "/tmp")
    target.sheet("n").numbers(0, 0, numbers, [None] * len(numbers))
    target.close()
    row = [cell.value for cell in openpyxl.load_workbook(tmp_path / "n.xlsx")["n"][1]]
    assert [row[0], row[2], row[4]] == [numbers[0], numbers[2], numbers[4]]
    assert row[1] == pytest.approx(0.3, abs=1e-15)  # sixteen digits are enough for 1e-9
    assert row[3] is None


def test_rows_of_cells_are_the_bytes_that_xlsxwriter_writes_for_them(tmp_path: Path) -> None:
    """The fast way uses insides of XlsxWriter: a version that changes them fails here."""
    texts = ["", "a & <b>", ' "x" ', "_x0041_", "电池", "long " * 9_000]
    numbers = [0.0, -1e-9, 0.1 + 0.2, 9_999_999.123456789, float("nan"), 98765432.123456791]
    sums = [1.5, -0.0, 1e-7, 2.0, 3.0, 1 / 3]
    moments = [dt.datetime(2026, 2, 28, 23, minute) for minute in (0, 5, 10, 15, 20, 25)]

    def head(sheet: Any) -> tuple[Any, Any, Any]:
        sheet.header(0, ["time", "x"], ["time", "x"], [9, 9])
        return tuple(sheet.book.format(num_format=form) for form in (DATE, MONEY, "0.000"))

    def by_cell(sheet: Any) -> None:
        _, _, form = head(sheet)
        for row, (moment, number, text, sum_) in enumerate(
            zip(moments, numbers, texts, sums, strict=True), 2
        ):
            sheet.moment(row, 0, moment)
            sheet.numbers(row, 1, [number], [form])
            sheet.text(row, 2, text)
            sheet.sheet.write_boolean(row, 3, number == 0.0)
            sheet.formula(row, 27, f"=SUM(A{row + 1},AA{row + 1})", sum_, MONEY)

    def by_row(sheet: Any) -> None:
        date, _, form = head(sheet)
        bold = sheet.book.format(num_format=MONEY, bold=True)
        columns = [
            (moment_cell(moment, date) for moment in moments),
            number_cells(numbers, form),
            [text_cell(harmless(text)) for text in texts],
            [truth_cell(number == 0.0) for number in numbers],
            *[[""] * 6] * 23,
            sum_cells([0, 26], 2, sums, bold),
        ]
        sheet.sheet.write_columns(2, columns)

    for write in (by_cell, by_row):
        path = tmp_path / f"{write.__name__}.xlsx"
        book = Book(str(path), language("en"), "b", dt.datetime(2026, 1, 1), str(tmp_path))
        write(book.sheet("b"))
        by_cell(book.sheet("another"))
        book.close()
    assert (tmp_path / "by_cell.xlsx").read_bytes() == (tmp_path / "by_row.xlsx").read_bytes()


def test_a_file_that_cannot_be_written_is_told(plan: planner.Plan, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_workbook(plan, tmp_path / "none" / "x.xlsx", language("en"))
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match="file"):
        plan.write(tmp_path / "file" / "out", ("csv", "xlsx"))


def test_numbers_are_shown_by_their_unit_in_cells_wide_enough() -> None:
    assert unit_format("MW", [0.5]) == "0.000"
    assert unit_format("0..1", [0.5]) == "0.0%"
    assert unit_format(None, [1.0, 2.0]) == "#,##0"
    assert unit_format(None, [1.0, 2.5]) == "#,##0.00"
    assert unit_format("kW", [0.5]) == "#,##0.0"
    assert wide_enough([0.0, float("nan")], "0.000") == 11
    assert wide_enough([-48_893_599.3], "#,##0.0") == len("48,893,599.3") + 3
    assert harmless("battery.charge_mw[grid]") == "battery.charge_mw[grid]"


@pytest.mark.screen
def test_libreoffice_computes_the_same(
    plan: planner.Plan, quarters: planner.Plan, tmp_path: Path
) -> None:
    for name, one in (("plan", plan), ("quarters", quarters)):
        folder = tmp_path / name
        folder.mkdir()
        write_workbook(one, folder / "schedule.xlsx", language("en"))
        command = [
            "soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
            "--convert-to", "xlsx", "--outdir", str(folder / "again"),
            str(folder / "schedule.xlsx"),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=HANGS_S)
        again = openpyxl.load_workbook(folder / "again" / "schedule.xlsx", data_only=True)
        cells = [cell for sheet in again for row in sheet.iter_rows() for cell in row]
        assert not [cell.coordinate for cell in cells if cell.data_type == "e"]
        first = openpyxl.load_workbook(folder / "schedule.xlsx", data_only=True)
        for sheet in first:
            for row in sheet.iter_rows():
                for cell in row:
                    other = again[sheet.title][cell.coordinate].value
                    if isinstance(cell.value, float) and not isinstance(cell.value, bool):
                        assert other == pytest.approx(cell.value, rel=1e-12, abs=1e-9)
                    else:
                        assert other == cell.value or str(other) == str(cell.value)
        assert len(again["Charts"]._charts) == len(first["Charts"]._charts) > 1


def test_what_rounds_to_zero_has_no_minus() -> None:
    assert without_minus_zero("0.0%") == '[<=-0.0005]-0.0%;[<0.0005]"0.0%";0.0%'
    assert without_minus_zero(MONEY) == '[Red][<=-0.005]-#,##0.00;[<0.005]"0.00";#,##0.00'
    assert without_minus_zero("yyyy-mm-dd hh:mm") == "yyyy-mm-dd hh:mm"
