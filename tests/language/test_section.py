"""Sections: cells by their type, sums, and the renderers that need no plan."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest
from rich.console import Console

from planner.auditor.findings import Findings
from planner.language.language import language
from planner.language.section import Cell, Quantity, Section, percent, table_html, text
from planner.message import Message
from planner.report.terminal.tables import print_notes, table

EN, ZH = language("en"), language("zh")
FIGURE = Findings(()).of("plan").figure


@pytest.mark.parametrize(
    ("cell", "english", "chinese"),
    [
        ("x", "x", "x"), (True, "true", "true"), (None, "–", "–"), (float("nan"), "–", "–"),
        (3, "3", "3"), (12345.6, "12,346", "12,346"), (0.5, "0.5", "0.5"),
        (Quantity(0.125, "0..1"), "12.5%", "12.5%"), (Quantity(0.0, "0..1", 2), "0.00%", "0.00%"),
        (Quantity(None, "CNY"), "–", "–"), (Quantity(160.0, "CNY"), "160 CNY", "160 元"),
        (Quantity(23_701_714.0, "CNY"), "23,701,714 CNY", "2,370.2 万元"),
        (Quantity(4.3691, "CNY/kWh", 3), "4.369 CNY/kWh", "4.369 元/kWh"),
        (Quantity(19.06, "", 1), "19.1", "19.1"), (Quantity(2.0), "2", "2"),
        (Quantity(0.0004, "", 3), "0.0004", "0.0004"), (Quantity(-0.0, "", 2), "0", "0"),
        (pd.Timestamp("2026-07-15 13:45+08:00"), "2026-07-15 13:45", "2026-07-15 13:45"),
        (Quantity(1.5, "MW", signed=True), "+1.5 MW", "+1.5 MW"),
        (Quantity(-1.5, "CNY", 2, signed=True), "-1.50 CNY", "-1.50 元"),
    ],
)  # fmt: skip
def test_a_cell_reads_by_its_type(cell: Cell, english: str, chinese: str) -> None:
    assert text(cell, EN) == english
    assert text(cell, ZH) == chinese


def test_a_share_that_is_not_nothing_does_not_read_as_nothing() -> None:
    assert [percent(share) for share in (None, 0.0, -0.25, 0.00001)] == [
        "–", "0.0%", "-25.0%", "0.001%",
    ]  # fmt: skip


def energy() -> Section:
    rows = (("sun", 1200.0, 34.56, 1234.56), ("grid", None, 0.25, 0.25))
    total = ("total", 1200.0, 34.81, 1234.81)
    return Section("Energy", ("origin", "load", "loss", "total"), rows, "MWh", total=total,
                   across=True)  # fmt: skip


def test_amounts_of_a_section_line_up() -> None:
    """1200 has four digits before the point; 0.25 would read as nothing and keeps its own."""
    scaled = energy().scaled(EN)
    assert scaled.heading(EN) == "Energy [MWh]"
    assert [[text(cell, EN) for cell in row] for row in scaled.every_row()] == [
        ["sun", "1,200", "35", "1,235"],
        ["grid", "–", "0.25", "0.25"],
        ["total", "1,200", "35", "1,235"],
    ]
    assert energy().scaled(ZH).heading(ZH) == "Energy [万kWh]"
    assert text(energy().scaled(ZH).rows[0][1], ZH) == "120.0"


@pytest.mark.parametrize(
    ("amounts", "shown"), [((999, -0.5), ["999.00", "-0.50"]), ((1000.0, -0.6), ["1,000", "-1"])]
)
def test_money_shows_cents_below_a_thousand(amounts: tuple[float, ...], shown: list[str]) -> None:
    rows = tuple(("", amount) for amount in amounts)
    scaled = Section("", ("", "amount"), rows, "CNY").scaled(EN)
    assert [text(row[1]) for row in scaled.rows] == shown


def test_quantities_of_a_unit_are_read_in_one_unit() -> None:
    """500 MWh are 50 of 10,000 kWh, so that 2 MWh read 0.2 and none reads 0 of them."""
    cells = [*(Quantity(mwh, "MWh") for mwh in (500.0, 2.0, 0.0)), Quantity(0.5, "0..1")]
    rows = tuple((cell,) for cell in cells)
    chinese = [text(row[0], ZH) for row in Section("", (), rows).scaled(ZH).rows]
    assert chinese == ["50 万kWh", "0.2 万kWh", "0 万kWh", "50.0%"]
    assert Section("", (), rows).scaled(EN).rows == rows


def test_columns_of_numbers_stand_right() -> None:
    assert energy().numeric() == [False, True, True, True]
    assert Section("", ("a", "b"), ()).numeric() == [False, False]


def test_a_terminal_shows_texts_as_they_are() -> None:
    rows = (("[red]x[/]\x1b", Quantity(1.5, "MW")), ("b", 2))
    console = Console(file=io.StringIO(), width=60)
    console.print(table(Section("a [b]", ("name", "value"), rows, total=("all", 3)), EN))
    print_notes(["[b] now"], console, EN)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("a [b]", "[red]x[/]\\x1b", "1.5 MW", "note [b] now"):
        assert part in shown
    lines = [line.split("│")[2].strip() for line in shown.splitlines() if line.startswith("│")]
    assert lines == ["1.5 MW", "2", "3"]


def test_html_is_escaped_and_needs_neither_heads_nor_title() -> None:
    bare = table_html(Section("", (), (("a<b", None), ("c", 1.5))), EN)
    assert bare == (
        '<table><tbody><tr><th scope="row">a&lt;b</th><td></td></tr>'
        '<tr><th scope="row">c</th><td>1.5</td></tr></tbody></table>'
    )
    whole = table_html(energy(), EN)
    assert whole.startswith('<table><caption>Energy [MWh]</caption><thead><tr><th scope="col">')
    assert whole.endswith("<td>34.81</td><td>1,234.8</td></tr></tbody></table>")


ZEROS = [-(10.0**power) for power in range(-12, -2)] + [-0.0, 0.0, -4e-3, -0.5, 0.4, 1e-9]


@pytest.mark.parametrize("value", ZEROS)
@pytest.mark.parametrize("unit", ["", "CNY", "MWh", "0..1", "CNY/kWh", "1/day"])
@pytest.mark.parametrize("code", ["en", "zh"])
def test_no_zero_has_a_sign(value: float, unit: str, code: str) -> None:
    words = language(code)
    for decimals in (None, 0, 1, 2, 4):
        for signed in (False, True):
            shown = text(Quantity(value, unit, decimals, signed), words)
            assert not re.match(r"[+-][0.,]*(?![0-9.])", shown), shown
    for shown in (text(value, words), words.amount(value, unit), percent(value)):
        assert not re.match(r"[+-][0.,]*(?![0-9.])", shown), shown
    scaled = Section("t", ("a", "b"), (("x", value), ("y", -2000.0)), "CNY").scaled(words)
    assert not re.match(r"[+-][0.,]*(?![0-9.])", text(scaled.rows[0][1], words))


@pytest.mark.parametrize("value", ZEROS)
def test_no_zero_of_a_message_or_an_audit_has_a_sign(value: float) -> None:
    for form in ("", ":g", ":.2f", ":.6g", ":,.0f", ":.1%"):
        shown = Message(f"is {{value{form}}}", value=value).places["value"]
        assert not re.match(r"-[0.,]*(?![0-9.e])", shown), shown
    for unit in ("", "CNY", "MW"):
        assert not FIGURE(value, unit).startswith("-0 ")
        assert FIGURE(value, unit) != "-0"
