"""The page of a plan as a browser shows it."""

from __future__ import annotations

import io
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.language.language import language
from tests.support.pages import NASTY, small, tiled
from tests.support.screen import (
    WIDTHS,
    Visit,
    chromium,
    grave,
    near_drawn_s,
    opened,
    point,
    scrolled_through,
    visited,
)
from tests.support.years import as_year

pytestmark = pytest.mark.screen
HUAINAN = Path(__file__).parent.parent.parent / "scenarios" / "huainan" / "scenario.yaml"
OVER_TIME = ("supply", "storage", "prices")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    return planner.prices(planner.load(HUAINAN, {"solver.gap": 0.02})).plan


@pytest.fixture(scope="module")
def folder(plan: planner.Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plan.write(tmp_path_factory.mktemp("plans") / "huainan")


@pytest.fixture(scope="module")
def files(folder: Path, plan: planner.Plan, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Pages by name: two days, the same in Chinese, a week of quarter hours, a year of hours."""
    from planner.report.plan_page.page import plan_page

    target = tmp_path_factory.mktemp("pages")
    months = {f"2026-{month:02}": 1e5 / month for month in range(1, 13)}
    year = as_year(tiled(plan, 8760, 60), months, shared_cny=2e4)
    plans = {"week": tiled(plan, 168, 15), "year": year}
    texts = {name: plan_page(made, language("en")) for name, made in plans.items()}
    texts["zh"] = plan_page(plan, language("zh"))
    texts["nasty"] = plan_page(small(name=NASTY, description=NASTY), language("en"))
    for name, text in texts.items():
        (target / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: target / f"{name}.html" for name in texts} | {"en": folder / "report.html"}


@pytest.fixture(scope="module")
def seen(browser: Any, files: Any) -> dict[str, Visit]:
    """What a visit of every page found; the long ones are not looked at in every width."""
    few = {"week": (1280,), "year": (1280,)}
    return {name: visited(browser, file, few.get(name, WIDTHS)) for name, file in files.items()}


@pytest.mark.parametrize("name", ["en", "zh", "week", "year", "nasty"])
def test_every_chart_is_drawn_without_complaint(seen: Any, name: str) -> None:
    assert seen[name].figures >= 5
    assert seen[name].complaints == []
    assert seen[name].lang == ("zh" if name == "zh" else "en")


@pytest.mark.parametrize("name", ["en", "zh"])
def test_the_first_screen_needs_no_scrolling(seen: Any, name: str) -> None:
    assert seen[name].first_bottom <= 800


@pytest.mark.parametrize("name", ["en", "zh", "week", "year", "nasty"])
def test_no_page_scrolls_sideways(seen: Any, name: str) -> None:
    """With every table and the panel open."""
    assert all(wide <= width for width, wide in seen[name].wide.items()), seen[name].wide


def test_texts_of_the_scenario_do_nothing(seen: Any) -> None:
    assert seen["nasty"].heading == NASTY
    assert seen["nasty"].asked == []


def test_pointing_at_a_chart_says_values_with_units_of_that_step(
    browser: Any, files: Any, plan: planner.Plan
) -> None:
    """A little before 15:00 it is still the step of 14:00; every chart shows the same moment."""
    with opened(browser, files["en"], 1280, 1400) as page:
        begin, _ = point(page, "supply", 14)
        x, y = point(page, "supply", 14.9)
        page.mouse.move(x - 2, y)
        page.mouse.move(x, y)
        page.wait_for_selector("#figure-supply .hoverlayer text")
        texts = page.locator("#figure-supply .hoverlayer text").all_text_contents()
        assert texts[0] == "2026-07-15 14:00"
        pv = next(text for text in texts if text.startswith("pv: "))
        assert pv.endswith(" MW")
        available = plan.schedule[["pv.power_mw", "pv.curtailed_mw"]].iloc[14].sum()
        assert float(pv.split()[1]) == pytest.approx(available, rel=1e-3)
        marks = page.locator(".figure > .mark")
        assert marks.count() >= 2
        assert marks.first.bounding_box()["x"] == pytest.approx(begin, abs=2)


def ranges(page: Any) -> set[tuple[str, ...]]:
    """The ranges of the time axes that are drawn, to the minute."""
    found = page.evaluate("""() => [...document.querySelectorAll('.over-time')]
        .filter(figure => figure._fullLayout)
        .map(figure => figure._fullLayout.xaxis.range.map(x => String(x).replace('T', ' ')))""")
    return {tuple(text[:16].ljust(16, "0") for text in pair) for pair in found}


def test_zooming_one_chart_zooms_all_and_a_double_click_resets(browser: Any, files: Any) -> None:
    with opened(browser, files["en"], 1280, 1600) as page:
        scrolled_through(page)
        (whole,) = ranges(page)
        left, y = point(page, "supply", 12)
        right, _ = point(page, "supply", 24)
        page.mouse.move(left, y)
        page.mouse.down()
        page.mouse.move((left + right) / 2, y)
        page.mouse.move(right, y)
        page.mouse.up()
        page.wait_for_timeout(600)
        scrolled_through(page)
        page.wait_for_timeout(300)
        (zoomed,) = ranges(page)
        assert zoomed[0].startswith(("2026-07-15 12:0", "2026-07-15 11:5"))
        x, y = point(page, "storage", 18)
        page.mouse.dblclick(x, y)
        for _ in range(20):  # a busy machine is late
            page.wait_for_timeout(300)
            if ranges(page) == {whole}:
                break
            scrolled_through(page)
        assert ranges(page) == {whole}


def test_days_are_chosen_and_turned(browser: Any, files: Any) -> None:
    with opened(browser, files["week"], 1280, 1600) as page:
        scrolled_through(page)
        page.select_option("#day", "2026-07-17")
        page.click("#day-after")
        page.wait_for_timeout(300)
        scrolled_through(page)
        page.wait_for_timeout(300)
        assert ranges(page) == {("2026-07-18 00:00", "2026-07-19 00:00")}
        assert page.input_value("#day") == "2026-07-18"
        page.click("#day-before")
        assert page.input_value("#day") == "2026-07-17"
        page.click("#reset")
        assert page.input_value("#day") == ""


def told(page: Any) -> dict[str, str]:
    """The code and reason of every component in the panel."""
    parts = page.locator("#why-body section")
    found = {}
    for i in range(parts.count()):
        name = parts.nth(i).locator("h3").inner_text().split()[0]
        found[name] = " | ".join(parts.nth(i).locator(".reason").all_inner_texts())
    return found


def assert_told(page: Any, plan: planner.Plan, step: int) -> None:
    at = plan.schedule.index[step]
    mine = plan.reasons[plan.reasons["time"] == at]
    found = told(page)
    assert len(mine) > 0
    for row in mine.itertuples():
        assert language("en").term(str(row.code)) in found[str(row.component)]
        assert str(row.reason) in found[str(row.component)]
    assert f"{at:%H:%M}" in page.inner_text("#why-title")


def test_clicking_an_hour_tells_why(browser: Any, files: Any, plan: planner.Plan) -> None:
    with opened(browser, files["en"], 1280, 900) as page:
        for key, step in zip(OVER_TIME, (14, 3, 40), strict=True):
            x, y = point(page, key, step + 0.8)
            page.mouse.move(x - 5, y)
            page.mouse.move(x, y)
            page.mouse.click(x, y)
            page.wait_for_function(
                "time => document.getElementById('why-title').textContent.includes(time)",
                arg=f"{plan.schedule.index[step]:%H:%M}",
            )
            assert_told(page, plan, step)
        assert page.complaints == []


def test_hours_are_chosen_with_the_keyboard_too(
    browser: Any, files: Any, plan: planner.Plan
) -> None:
    with opened(browser, files["en"]) as page:
        page.focus("#ask")
        page.keyboard.press("Enter")
        page.wait_for_selector("#why-body section")
        assert page.evaluate("document.activeElement.id") == "why-title"
        page.select_option("#why-day", "2026-07-16")
        page.select_option("#why-hour", label="09:00")
        assert_told(page, plan, 33)
        page.focus("#why-close")
        page.keyboard.press("ArrowRight")
        assert_told(page, plan, 34)
        page.keyboard.press("ArrowLeft")
        assert_told(page, plan, 33)
        page.keyboard.press("Escape")
        assert page.locator("#why").is_hidden()
        assert page.evaluate("document.activeElement.id") == "ask"


def test_a_day_chosen_in_the_panel_has_its_own_hours(
    browser: Any, files: Any, plan: planner.Plan
) -> None:
    """The hours to choose from are those of the day chosen, whichever the panel showed before."""
    with opened(browser, files["en"]) as page:
        page.click("#ask")
        page.wait_for_selector("#why-body section")
        for day, step in (("2026-07-15", 23), ("2026-07-16", 47), ("2026-07-15", 23)):
            page.select_option("#why-day", day)
            page.select_option("#why-hour", label="23:00")
            assert page.input_value("#why-hour") == str(step)
            assert_told(page, plan, step)


def test_a_scarce_hour_leads_to_its_reasons(browser: Any, files: Any, plan: planner.Plan) -> None:
    with opened(browser, files["en"]) as page:
        step = int(page.locator("button.hour").first.get_attribute("data-step"))
        page.locator("button.hour").first.click()
        page.wait_for_selector("#why-body section")
        assert_told(page, plan, step)


def test_reasons_of_a_year_are_those_of_the_hour(browser: Any, files: Any) -> None:
    with opened(browser, files["year"]) as page:
        page.click("#ask")
        page.wait_for_selector("#why-body section")
        page.select_option("#why-day", "2027-02-03")
        page.select_option("#why-hour", label="23:00")
        made = tiled(planner.read_plan(files["en"].parent), 8760, 60)
        step = int(made.schedule.index.get_loc("2027-02-03 23:00"))
        assert_told(page, made, step)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_table_is_copied_with_tabs(browser: Any, files: Any, allowed: bool) -> None:
    rights = {"permissions": ["clipboard-read", "clipboard-write"]}
    with opened(browser, files["en"], **rights) as page:
        if not allowed:  # as where the page may not use the clipboard: the older way is taken
            page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(0); }")
        page.locator("summary").first.click()
        button = page.locator("button.copy").first
        button.click()
        said = button.locator("xpath=../span")
        page.wait_for_function("node => node.textContent === 'Copied'", arg=said.element_handle())
        lines = page.evaluate("navigator.clipboard.readText()").splitlines()
        assert len(lines) == 49
        assert lines[0].split("\t")[0] == "time"
        assert lines[15].split("\t")[0] == "2026-07-15 14:00"
        assert len({line.count("\t") for line in lines}) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_print_holds_every_chart(browser: Any, files: Any, scheme: str) -> None:
    import pypdf

    with opened(browser, files["en"], color_scheme=scheme) as page:
        document = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        assert 3 <= len(document.pages) <= 12
        text = " ".join(sheet.extract_text() for sheet in document.pages)
        text = unicodedata.normalize("NFKC", text)  # without ligatures
        for title in page.locator("h3[id^=title-]").all_inner_texts():
            assert title in text
        assert page.locator(".waiting").count() == 0
        assert document.pages[0].mediabox.width == pytest.approx(595, abs=2)
        widths = page.evaluate("""() => [...document.querySelectorAll('.figure .main-svg')]
            .map(svg => svg.clientWidth)""")
        assert max(widths) > 0
        assert page.complaints == []


@pytest.mark.parametrize(("name", "scheme"), [("en", "light"), ("week", "light"), ("zh", "dark")])
def test_nothing_keeps_people_out(browser: Any, files: Any, name: str, scheme: str) -> None:
    with opened(browser, files[name], color_scheme=scheme, bypass_csp=True) as page:
        page.locator("summary").first.click()
        page.click("#ask")
        page.wait_for_selector("#why-body section")
        assert grave(page) == []


@pytest.mark.parametrize("name", ["en", "week", "year"])
def test_the_charts_near_the_screen_are_drawn(browser: Any, files: Any, name: str) -> None:
    """Without scrolling; `benchmarks/pages.py` has the seconds that it takes."""
    with opened(browser, files[name]) as page:
        assert near_drawn_s(page) > 0
        assert page.complaints == []


def test_without_scripts_the_tables_are_there(browser: Any, files: Any, tmp_path: Path) -> None:
    shutil.copy(files["en"], tmp_path / "report.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("noscript p").is_visible()
    page.locator("summary").first.click()
    assert page.locator("details table").first.is_visible()
    assert page.locator("#bar").is_hidden()
    context.close()
