"""Hostile and odd input: told in words, shown as it is, obeyed by no terminal or spreadsheet."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.files import yaml_document as document
from planner.files.yaml_document import parse_yaml
from planner.language.language import language
from planner.report.terminal.plan import show
from planner.report.workbook.cells import harmless
from planner.report.workbook.workbook import write_workbook
from planner.timeseries import csv_text
from tests.support.build import battery, grid, scenario, solve
from tests.support.full_site import write
from tests.support.sites import random_site
from tests.timeseries.test_series import FILE, csv, error_of, hourly, read

ODD = "=cmd|' /C calc'!A0 [red]x[/] :bomb:"


# ---- tables


@pytest.mark.parametrize(
    ("stamp", "words"),
    [
        ("15/07/2026 01:00", "day or month first is ambiguous: format the column as yyyy-mm-dd"),
        ("7/15/2026 1:00 AM", "day or month first is ambiguous"),
        ("15.07.2026 01:00", "day or month first is ambiguous"),
        ("46218.0416667", "this is Excel's day number: format the column as yyyy-mm-dd hh:mm"),
        ("now", "time must be ISO 8601"),
        ("today", "time must be ISO 8601"),
        ("9999-12-31 24:00", "time must lie in the years 1800 to 2261, is '9999-12-31 24:00'"),
        ("0001-01-01", "time must lie in the years 1800 to 2261"),
        ("x" * 5000, "is 'xxxxx"),
    ],
)
def test_times_of_spreadsheets_are_explained(stamp: str, words: str, tmp_path: Path) -> None:
    message = error_of(FILE, csv(tmp_path, f"{stamp},1"))
    assert message.startswith("a.csv:2: time must")
    assert words in message
    assert len(message) < 400


def test_decimal_commas_are_read_or_explained(tmp_path: Path) -> None:
    rows = [f'{row.partition(",")[0]},"0,5"' for row in hourly(0, 1, 2, 3)]
    assert read(FILE, csv(tmp_path, *rows)) == [0.5] * 4
    rows = [f"{row},5" for row in hourly(0, 1, 2, 3)]
    assert "is 3, in the header 2; write 0.5 where" in error_of(FILE, csv(tmp_path, *rows))
    rows = [row.replace(",", ";") + ",5" for row in hourly(0, 1, 2, 3)]
    assert read(FILE, csv(tmp_path, *rows, header="time;mw")) == [0.5, 1.5, 2.5, 3.5]


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
def test_every_kind_of_line_ending_is_read(newline: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    good = write(tmp_path).read_text()
    content = (tmp_path / "data" / "site.csv").read_text()
    (tmp_path / "data" / "site.csv").write_bytes(content.replace("\n", newline).encode())
    (tmp_path / "scenario.yaml").write_bytes(b"\xef\xbb\xbf" + good.replace("\n", newline).encode())
    assert planner.load(tmp_path).components["pv"].availability_pu[5] == 0.05


def test_utf_16_is_known_by_its_mark(tmp_path: Path) -> None:
    csv(tmp_path, *hourly(0, 1, 2, 3), encoding="utf-16")
    assert read(FILE, tmp_path) == [0, 1, 2, 3]
    csv(tmp_path, *hourly(0, 1, 2, 3), encoding="utf-16-le")  # without a mark
    assert error_of(FILE, tmp_path) == (
        "a.csv:1: holds a null character; is it `encoding: utf-16-le`?"
    )


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    csv(tmp_path, *hourly(0, 1, 2, 3))
    assert csv_text.MAX_BYTES == 100_000_000
    monkeypatch.setattr(csv_text, "MAX_BYTES", 50)
    assert "a.csv is larger than 0 MB; keep the columns and years in use" in error_of(
        FILE, tmp_path
    )


def test_a_hundred_megabytes_are_refused_at_once(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as sparse:
        sparse.truncate(10**11)
    assert "a.csv is larger than 100 MB" in error_of(FILE, tmp_path)
    with (tmp_path / "scenario.yaml").open("wb") as sparse:
        sparse.truncate(10**11)
    with pytest.raises(planner.ScenarioError, match="is too large for a scenario"):
        planner.load(tmp_path)


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    assert error_of(FILE, tmp_path) == "a.csv is not a regular file"
    os.mkfifo(tmp_path / "scenario.yaml")
    for path in (tmp_path, tmp_path / "scenario.yaml", Path("/dev/zero")):
        with pytest.raises(planner.ScenarioError, match="is not a regular file"):
            planner.load(path)


# ---- documents


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a: "\\e[31m"', r"x:1: a: may not hold the control character '\x1b'"),
        ('a: "\\0"', "x:1: a: may not hold a null character"),
        ('a: "\\u202e"', r"x:1: a: may not hold the control character '\u202e'"),
        ('"a\\e": 1', r"x:1: a key may not hold the control character '\x1b'"),
        ('b: {"a\\n": 1}', r"x:1: b: a key may not hold the control character '\n'"),
    ],
)
def test_control_characters_are_refused(text: str, words: str) -> None:
    assert [str(problem) for problem in parse_yaml(text, "x").problems] == [words]


def test_texts_may_have_lines_and_tabs() -> None:
    assert parse_yaml("a: |\n  b\n  c\td\n", "x").data == {"a": "b\nc\td\n"}


def test_too_many_values_are_refused_before_they_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_VALUES", 1000)
    parse_yaml("x: [" + "1," * 900 + "1]", "x")
    for text in ("1," * 1100 + "1", "1," * 100_000 + "1"):
        with pytest.raises(planner.ScenarioError, match="too large or nested too deeply"):
            parse_yaml(f"x: [{text}]", "x")


# ---- what is shown


def odd_plan(name: str = ODD, model: str = ODD) -> planner.Plan:
    fleet = {
        "kind": "fleet", "nodes": 10, "pue": 1, "sleep_kw": 0,
        "serves": {model: {"points": [
            {"tokens_per_s": 0, "node_kw": 1}, {"tokens_per_s": 1000, "node_kw": 2},
        ]}},
    }  # fmt: skip
    chat = {"kind": "service", "model": model, "demand_mtok_per_h": 1, "price_cny_per_mtok": 5}
    parts = {"grid": grid(), "gpus": fleet, "chat": chat}
    return solve(parts, 2, name=name)


def test_markup_and_emoji_are_shown_as_they_are() -> None:
    text = StringIO()
    show(odd_plan("[red]x[/] :bomb: \x1b[31m"), Console(file=text, width=300, emoji=False))
    assert "[red]x[/] :bomb: \\x1b[31m" in text.getvalue()
    assert "\x1b" not in text.getvalue()


def test_the_command_line_shows_names_as_they_are(tmp_path: Path) -> None:
    file = write(tmp_path, ("name: full_site", f'name: "{ODD}"'))
    assert CliRunner().invoke(app, ["check", str(file)]).stdout.startswith(f"{ODD}: valid")
    header = "\x1b[31mtime,pv_pu,temperature_c"
    write(tmp_path, csv=f"{header}\n2026-07-15 00:00,1,1\n")
    told = CliRunner().invoke(app, ["check", str(file)])
    assert "\x1b" not in told.stderr
    assert r"has no column 'time'" in told.stderr


def test_no_cell_of_a_table_is_a_formula(tmp_path: Path) -> None:
    plan = odd_plan()
    out = plan.write(tmp_path / "out", ("csv", "xlsx"))
    assert planner.read_plan(out) == plan
    assert any(ODD in column for column in plan.schedule.columns)
    for name in ("schedule.csv", "allocation.csv", "ledger.csv", "series.csv"):
        if (out / name).exists():
            texts = pd.read_csv(out / name, header=None, dtype=str).stack()
            assert not [t for t in texts if t.startswith(("=", "+", "@", "-c"))]
    assert formulas(out / "schedule.xlsx") == []


def formulas(path: Path) -> list[Any]:
    """Every cell of a workbook that a spreadsheet would compute, but for our own sums of cells."""
    book = openpyxl.load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    found = [cell.value for cell in cells if cell.data_type == "f"]
    return [text for text in found if not re.fullmatch(r"=(SUM|SUBTOTAL)\([A-Z0-9:,]+\)", text)]


def test_a_workbook_neutralises_whatever_a_plan_holds(tmp_path: Path) -> None:
    plan = odd_plan()
    columns = ["=1+1", "+x", "-x", "@x", " =x", "a\x07b", *plan.schedule.columns[6:]]
    strange = replace(plan, schedule=plan.schedule.set_axis(columns, axis=1))
    write_workbook(strange, tmp_path / "schedule.xlsx", language("en"))
    assert formulas(tmp_path / "schedule.xlsx") == []
    assert [harmless(text) for text in columns[:6]] == [
        "'=1+1", "'+x", "'-x", "'@x", "' =x", "a b",
    ]  # fmt: skip
    assert harmless("battery.charge_mw[grid]") == "battery.charge_mw[grid]"


# ---- scales


def arbitrage(power: float, price: float) -> dict[str, dict[str, Any]]:
    prices = [10 * price, 50 * price]
    both = {"import_price_cny_per_mwh": prices, "export_price_cny_per_mwh": prices}
    trade = grid(resale=True, import_limit_mw=power, export_limit_mw=power, **both)
    cell = battery(capacity_mwh=10 * power, charge_power_mw=power, discharge_power_mw=power)
    return {"grid": trade, "battery": cell}


@pytest.mark.parametrize("price", [1e-6, 1, 1e5])
@pytest.mark.parametrize("power", [1e-3, 1, 1e5])
def test_tiny_and_huge_figures_solve_right(power: float, price: float) -> None:
    # buy at 10, sell at 50: 40 x price a MWh; the summary shows money to 1e-6 CNY
    earned = solve(arbitrage(power, price), 2).summary["objective_cny"]
    assert earned == pytest.approx(40 * power * price, rel=1e-7, abs=1e-6)


def test_tiny_and_huge_in_one_scenario_solve_right() -> None:
    small = {f"small_{k}": v | {"node": "b"} for k, v in arbitrage(1e-3, 1e-3).items()}
    plan = solve(arbitrage(1e5, 1e4) | small, 2)
    assert plan.summary["objective_cny"] == pytest.approx(40 * 1e9 + 40e-6, rel=1e-12)
    assert plan.schedule["small_battery.charge_mw[grid]"].iloc[0] == pytest.approx(1e-3)


def test_a_mix_of_magnitudes_is_warned_of_by_field() -> None:
    assert not [w for w in scenario(random_site(1, 6), 6).warnings() if "inexact" in w]
    parts = arbitrage(1, 1)
    parts["battery"] |= {"wear_cny_per_mwh": 1e-8}
    parts["grid"] |= {"import_limit_mw": 1e11}
    found = [w for w in scenario(parts, 2).warnings() if "inexact" in w]
    assert len(found) == 2
    assert "components.battery.wear_cny_per_mwh (1e-08) and components.grid." in found[0]
    assert "differ by more than 1e+09: prices and costs so far apart" in found[0]
    assert "components.grid.import_limit_mw (1e+11) differ" in found[1]
    assert "powers and energies so far apart make the solver inexact" in found[1]
