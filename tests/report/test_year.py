"""The year of a plan as page, terminal, workbook and notebook show it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

import planner
from planner.language.language import language
from planner.language.section import Quantity
from planner.report.charts.registry import CHARTS
from planner.report.charts.view import View
from planner.report.plan_page.page import plan_page
from planner.report.terminal.plan import show
from planner.report.workbook.workbook import write_workbook
from planner.report.year_sections import months, rule_prices, steps, work_text, year_sections
from tests.support.build import battery, grid, solve
from tests.support.years import as_year

EN, ZH = language("en"), language("zh")
TITLES = ("Gap by month", "Prices of rules over the horizon", "Plan and bound as they improved")


@pytest.fixture(scope="module")
def plain() -> planner.Plan:
    """4 MWh bought at 10 are sold at 50: a profit of 160 and a turnover of 240."""
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    return solve({"grid": grid(resale=True, **prices), "battery": battery()}, 2)


@pytest.fixture(scope="module")
def plan(plain: planner.Plan) -> planner.Plan:
    """No plan earns more than 16 CNY above this one: 10 in July, 4 in August, 2 by its rules."""
    return as_year(plain, {"2026-07": 10.0, "2026-08": 4.0}, shared_cny=2.0)


def shown(plan: planner.Plan, code: str = "en") -> str:
    console = Console(file=io.StringIO(), width=120)
    show(plan, console, language(code))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_months_and_what_belongs_to_none_are_the_gap(plan: planner.Plan) -> None:
    section = months(plan, EN)
    assert section.rows == (
        ("2026-07", 80.0, 10.0, Quantity(10 / 16, "0..1")),
        ("2026-08", 80.0, 4.0, Quantity(4 / 16, "0..1")),
        ("rules, peaks and windows of several months", None, 2.0, Quantity(2 / 16, "0..1")),
    )
    assert section.total == ("total", 160.0, 16.0, Quantity(1.0, "0..1"))


def test_money_of_no_month_is_in_the_row_of_the_horizon(plan: planner.Plan) -> None:
    july = [{"month": "2026-07", "profit_cny": 190.0, "missing_cny": 16.0}]
    year = plan.summary["year"] | {"months": july, "shared_cny": 0.0}
    whole = type(plan)(**vars(plan) | {"summary": plan.summary | {"year": year}})
    assert months(whole, EN).rows[1][:3] == (
        "rules, peaks and windows of several months",
        -30.0,
        0.0,
    )


def test_a_plan_without_a_gap_has_no_parts_of_it(plain: planner.Plan) -> None:
    section = months(as_year(plain, {"2026-07": 0.0}), EN)
    assert section.rows == (("2026-07", 160.0, 0.0, Quantity(None, "0..1")),)


def test_rules_have_prices_and_the_log_its_gaps(plan: planner.Plan) -> None:
    year = plan.summary["year"]
    assert rule_prices(plan, EN).rows == (
        ("battery", "state at the end", Quantity(82.5), "CNY/MWh"),
        ("battery", "state at the end, at most", Quantity(0.0125), "CNY/MWh"),
    )
    bounds, planned = steps(year, EN).rows
    assert bounds[:3] == ("bounds of windows", None, 192.0)
    gaps = Quantity(16 / 240, "0..1", 4), Quantity(16 / 160, "0..1", 4)
    assert planned == ("plan of the year", 160.0, 176.0, *gaps)
    works = ("prices", "rules", "bounds", "plan", "refinement", "tidying")
    assert not {work_text(work, ZH) for work in works} & {work_text(work, EN) for work in works}


def test_the_chart_puts_the_months_end_to_end(plan: planner.Plan) -> None:
    made = CHARTS["gap"].chart(View(plan), EN)
    assert made is not None
    bars = {trace["name"]: (list(trace["base"]), list(trace["x"])) for trace in made.figure["data"]}
    assert bars == {
        "month": ([0, 10], [10, 4]),
        "rules, peaks and windows of several months": ([14], [2]),
        "sum": ([0], [16]),
    }
    assert made.table["left open [CNY]"].tolist() == [10, 4, 2, 16]


def test_every_output_has_the_year(plan: planner.Plan, tmp_path: Path) -> None:
    page, text, notebook = plan_page(plan, EN), shown(plan), plan._repr_html_()
    write_workbook(plan, tmp_path / "plan.xlsx", EN)
    sheet: Any = openpyxl.load_workbook(tmp_path / "plan.xlsx").worksheets[0]
    cells = {str(cell.value) for row in sheet.iter_rows() for cell in row}
    for title in TITLES:
        assert title in page
        assert title in text
        assert title in notebook
        assert any(cell.startswith(title) for cell in cells)
    assert "Plan and bound are put together from those of 2 windows." in page
    assert page.count('id="figure-gap"') == 1
    assert "work limit, gap 6.6667% of turnover 240 CNY, 10.0000% of the profit" in text
    word = re.search(r'<p class="word">.*</span> (.*)</p>', page)
    assert word is not None
    assert word[1] == "The work is done, the gap is not reached"


def test_the_year_speaks_chinese(plan: planner.Plan) -> None:
    text, page = shown(plan, "zh"), plan_page(plan, ZH)
    for title in ("各月间隙", "跨期规则的价格", "计划与上界的改进过程"):
        assert title in text
        assert title in page
    assert not [title for title in TITLES if title in text + page]


def test_without_a_year_nothing_is_shown(plain: planner.Plan) -> None:
    assert year_sections(plain, EN) == ()
    assert CHARTS["gap"].chart(View(plain), EN) is None
    assert "The year" not in plan_page(plain, EN)
    assert not [title for title in TITLES if title in shown(plain) + plain._repr_html_()]


def test_the_audit_accepts_the_plan_of_a_year(plain: planner.Plan, tmp_path: Path) -> None:
    plan = as_year(plain, {"2026-07": 10.0}, shared_cny=2.0)
    folder = plan.write(tmp_path / "plan", page=False)
    assert planner.audit(folder) == []
    assert planner.read_plan(folder) == plan
