"""The pages of sweeps and comparisons as a browser shows them."""

from __future__ import annotations

import dataclasses
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.language.language import language
from planner.report.sweep_page.page import sweep_page
from planner.report.sweep_page.report_sweep import report_sweep
from planner.sweeps.analysis.analyses import read_analyses
from planner.sweeps.result import write_cases
from tests.report.test_sweep_page import SWEEPS, folder, lost, made
from tests.support.build import grid, load, renewable, solve
from tests.support.pages import NASTY
from tests.support.screen import WIDTHS, Visit, chromium, grave, opened, scrolled_through, visited

pytestmark = pytest.mark.screen


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


def two_days(sale: float) -> Any:
    """48 hours with a sun that grows with the price at which it is sold."""
    sun = [0.0, 20.0, sale, 10.0] * 12
    parts = {"pv": renewable(*sun), "grid": grid(export_price_cny_per_mwh=sale),
             "campus": load(*[5.0] * 48)}  # fmt: skip
    return solve(parts, 48)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name: a sweep of each design, one with plans, lost cases and nasty words."""
    target = tmp_path_factory.mktemp("pages")
    found = {}
    for kind in SWEEPS:
        name = kind.replace(" ", "_")
        found[name] = folder(target / name, kind) / "report.html"
    two_days(30).write(found["grid"].parent / "plans" / "8")
    for name in found:
        report_sweep(found[name].parent)
    report_sweep(folder(target / "zh"), language("zh"))
    found["zh"] = target / "zh" / "report.html"
    nasty = folder(target / "nasty")
    write_cases(lost(made("grid")[0], [0, 3], NASTY), nasty)
    answers = read_analyses(nasty)
    answers = dataclasses.replace(answers, sweep=answers.sweep.revised({"name": NASTY}))
    found["nasty"] = nasty / "report.html"
    found["nasty"].write_text(sweep_page(answers, language("en"), nasty), encoding="utf-8")
    for name, sale in (("a", 30), ("b", 55)):
        two_days(sale).write(target / name)
    for lang in ("en", "zh"):
        found[f"compared_{lang}"] = target / f"compared_{lang}.html"
        arguments = ["compare", str(target / "a"), str(target / "b"), "--lang", lang]
        run = CliRunner().invoke(app, [*arguments, "--out", str(found[f"compared_{lang}"])])
        assert run.exit_code == 0, run.output
    return found


NAMES = [*(kind.replace(" ", "_") for kind in SWEEPS), "zh", "nasty", "compared_en", "compared_zh"]
FEW = ["grid", "nasty", "compared_en"]


@pytest.fixture(scope="module")
def seen(browser: Any, files: Any) -> dict[str, Visit]:
    """What a visit of every page found; a few of them are looked at in every width."""
    return {
        name: visited(browser, files[name], WIDTHS if name in FEW else (1280,)) for name in NAMES
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_is_drawn_without_complaint(seen: Any, name: str) -> None:
    assert seen[name].figures >= {"far_apart": 1, "one_axis": 2}.get(name, 3)
    assert seen[name].complaints == []
    assert seen[name].lang == ("zh" if "zh" in name else "en")


@pytest.mark.parametrize("name", ["grid", "zh", "compared_en"])
def test_the_first_screen_needs_no_scrolling(seen: Any, name: str) -> None:
    assert seen[name].first_bottom <= 800


@pytest.mark.parametrize("name", NAMES)
def test_no_page_scrolls_sideways(seen: Any, name: str) -> None:
    assert all(wide <= width for width, wide in seen[name].wide.items()), seen[name].wide


def test_texts_of_the_sweep_do_nothing(seen: Any) -> None:
    assert seen["nasty"].heading == NASTY
    assert seen["nasty"].asked == []


def test_a_case_leads_to_its_plan_from_table_and_chart(browser: Any, files: Any) -> None:
    """Case 8 is the best one, and the only one with a plan folder."""
    with opened(browser, files["grid"]) as page:
        page.click("#table-cases a")
        page.wait_for_url("**/plans/8/report.html")
        assert page.locator("#h-profit").is_visible()
    with opened(browser, files["grid"], 1280, 1200) as page:
        figure = page.locator("#figure-pareto")
        figure.scroll_into_view_if_needed()
        figure.locator(".main-svg").first.wait_for(state="attached")
        page.wait_for_timeout(300)
        x, y = page.evaluate("""() => {
            const figure = document.getElementById('figure-pareto');
            const { xaxis, yaxis } = figure._fullLayout;
            const box = figure.getBoundingClientRect();
            const trace = figure._fullData[1];
            return [box.left + xaxis._offset + xaxis.d2p(trace.x[0]),
                    box.top + yaxis._offset + yaxis.d2p(trace.y[0])];
        }""")
        page.mouse.move(x - 4, y)
        page.mouse.move(x, y)
        page.mouse.click(x, y)
        page.wait_for_url("**/plans/8/report.html")


def test_a_comparison_leads_to_both_plans(browser: Any, files: Any) -> None:
    for name in ("a", "b"):
        with opened(browser, files["compared_en"]) as page:
            page.click(f'header a[href="{name}/report.html"]')
            page.wait_for_url(f"**/{name}/report.html")
            assert page.locator("#h-profit").is_visible()


def test_charts_of_a_comparison_move_together(browser: Any, files: Any) -> None:
    with opened(browser, files["compared_en"], 1280, 2000) as page:
        scrolled_through(page)
        page.evaluate("""() => Plotly.relayout('figure-profit',
            {'xaxis.range': ['2026-01-01T06:00', '2026-01-01T12:00']})""")
        page.wait_for_timeout(400)
        ranges = page.evaluate("""() => [...document.querySelectorAll('.over-time')]
            .map(figure => figure._fullLayout.xaxis.range.map(x => String(x).slice(11, 13)))""")
        assert len(ranges) == 2
        assert ranges[0] == ranges[1] == ["06", "12"]


def test_a_table_is_copied_with_tabs(browser: Any, files: Any) -> None:
    rights = {"permissions": ["clipboard-read", "clipboard-write"]}
    with opened(browser, files["grid"], **rights) as page:
        page.click('button[data-table="table-cases"]')
        page.wait_for_function("""() => document.querySelector(
            'button[data-table="table-cases"] + [role=status]').textContent === 'Copied'""")
        lines = page.evaluate("navigator.clipboard.readText()").splitlines()
        assert len(lines) == 10
        assert lines[1].split("\t")[0] == "8"


@pytest.mark.parametrize("name", FEW)
def test_a_print_holds_every_chart(browser: Any, files: Any, name: str) -> None:
    import pypdf

    with opened(browser, files[name], color_scheme="dark") as page:
        document = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        text = " ".join(" ".join(sheet.extract_text() for sheet in document.pages).split())
        text = unicodedata.normalize("NFKC", text)  # ligatures
        for title in page.locator("h3[id^=title-]").all_inner_texts():
            assert title in text
        assert page.locator(".waiting").count() == 0
        assert len(document.pages) <= 14
        assert page.complaints == []


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("grid", "light"), ("sobol", "light"), ("compared_en", "light"), ("grid", "dark")],
)
def test_nothing_keeps_people_out(browser: Any, files: Any, name: str, scheme: str) -> None:
    with opened(browser, files[name], color_scheme=scheme, bypass_csp=True) as page:
        page.locator("summary").first.click()
        assert grave(page) == []
