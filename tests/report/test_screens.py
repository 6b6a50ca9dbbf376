"""Pages measured as a browser lays them out, at three widths and in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from planner.language.language import language
from planner.report.comparison.compare import compare
from planner.report.comparison.page import comparison_page
from planner.report.plan_page.page import plan_page
from planner.report.sweep_page.page import sweep_page
from planner.sweeps.analysis.analyses import analyse
from tests.report.test_sweep_page import lost, made
from tests.support.build import grid, load, renewable, solve
from tests.support.pages import small
from tests.support.screen import chromium, opened, scrolled_through

pytestmark = pytest.mark.screen
WIDTHS = (390, 768, 1280)
LONG = "a_wind_farm_with_a_rather_long_name"


def site(sale: float, sun: float) -> Any:
    """A day of hours; amounts of ten thousands of CNY beside names of many letters."""
    parts = {
        LONG: renewable(*[0.0, sun, sun, 4.5] * 6, capacity_mw=20_000),
        "a_market_of_electricity": grid(export_limit_mw=1e5, export_price_cny_per_mwh=sale),
        "campus_and_halls": load(*[500.0] * 24),
    }
    return solve(parts, 24)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name and language."""
    target = tmp_path_factory.mktemp("screens")
    a, b = site(301.5, 100), site(287.25, 95)
    sweeps = {"grid": analyse(lost(made("grid")[0], [1, 2]), made("grid")[1])}
    for kind in ("one_at_a_time", "sobol", "one axis"):
        sweeps[kind.replace(" ", "_")] = analyse(*made(kind))
    cases, sweep = made("far apart")
    cases.loc[2, "status"] = "time_limit"
    sweeps["far_apart"] = analyse(cases, sweep)
    plan = small()
    found = {}
    for code in ("en", "zh"):
        words = language(code)
        texts = {name: sweep_page(one, words) for name, one in sweeps.items()}
        texts["worse"] = comparison_page(compare(a, b), words, (a, b))
        texts["better"] = comparison_page(compare(b, a), words, (b, a))
        texts["plan"] = plan_page(plan, words)
        for name, text in texts.items():
            found[f"{name}_{code}"] = target / f"{name}_{code}.html"
            found[f"{name}_{code}"].write_text(text, encoding="utf-8")
    return found


# Boxes of the texts that one sees; `within` are rectangles that cut them off.
TEXTS = """(selector) => [...document.querySelectorAll(selector)].flatMap((box) => {
    const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (!node.textContent.trim() || !node.parentElement.checkVisibility()) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const r of range.getClientRects())
            if (r.width > 1) found.push([node.data.trim(), r.left, r.top, r.right, r.bottom]);
    }
    return [found];
})"""
# Names of bars and the amounts beside them, and the box of their chart.
BARS = """() => [...document.querySelectorAll('.figure')].filter((figure) =>
    figure.querySelector('.bars')).map((figure) => {
    const box = figure.getBoundingClientRect();
    const texts = [...figure.querySelectorAll('.bartext, .annotation-text, .ytick text')];
    return [box.left, box.right, texts.map((text) => {
        const r = text.getBoundingClientRect();
        return [text.textContent, r.left, r.top, r.right, r.bottom];
    })];
})"""
UNHINTED = """() => [...document.querySelectorAll('body *')].filter((box) => {
    const style = getComputedStyle(box);
    if (box.closest('.figure') || !/auto|scroll/.test(style.overflowX)) return false;
    if (box.scrollWidth <= box.clientWidth + 1 || !box.checkVisibility()) return false;
    const hint = box.previousElementSibling;
    return !(box.classList.contains('more-right') && hint?.classList.contains('sideways')
        && hint.checkVisibility());
}).map((box) => box.outerHTML.slice(0, 120))"""
BROKEN_FIGURES = """() => [...document.querySelectorAll('td.number, dd, .exact')].filter((cell) => {
    if (!cell.checkVisibility() || cell.matches('.stacked dd, :has(br)')) return false;
    const range = document.createRange();
    range.selectNodeContents(cell);
    return new Set([...range.getClientRects()].map((r) => Math.round(r.top / 8))).size > 1;
}).map((cell) => cell.textContent)"""
COVERED = """(id) => {
    const heading = document.getElementById(id);
    heading.scrollIntoView();
    const r = heading.getBoundingClientRect();
    const bar = document.getElementById('bar')?.getBoundingClientRect();
    const under = bar && bar.height && r.top < bar.bottom - 1 && r.bottom > bar.top
        && !(bar.top >= r.bottom);
    return under || r.top < 0;
}"""


def overlaps(boxes: list[list[Any]]) -> list[tuple[str, str]]:
    """Texts that lie on each other by more than two pixels both ways."""
    return [
        (one[0], other[0])
        for i, one in enumerate(boxes)
        for other in boxes[:i]
        if min(one[3], other[3]) - max(one[1], other[1]) > 2
        and min(one[4], other[4]) - max(one[2], other[2]) > 2
    ]


PAGES = ("grid", "one_at_a_time", "sobol", "one_axis", "far_apart", "worse", "better", "plan")
NAMES = [f"{name}_{code}" for name in PAGES for code in ("en", "zh")]


Measured = Callable[[str], dict[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def measured(files: dict[str, Path]) -> Iterator[Measured]:
    """What one visit of a page finds at every width; opening a page is what costs."""
    with chromium() as browser:

        @cache
        def visit(name: str) -> dict[int, dict[str, Any]]:
            with opened(browser, files[name], reduced_motion="reduce") as page:
                scrolled_through(page)
                page.evaluate("document.querySelectorAll('details').forEach(x => x.open = true)")
                found = {width: measures(page, width) for width in WIDTHS}
                assert page.complaints == []
                return found

        yield visit


def measures(page: Any, width: int) -> dict[str, Any]:
    page.set_viewport_size({"width": width, "height": 844})
    page.wait_for_timeout(300)  # charts are fitted a moment after
    heads = page.evaluate("[...document.querySelectorAll('h2[id], h3[id]')].map(h => h.id)")
    return {
        "wide": page.evaluate("document.documentElement.scrollWidth"),
        "texts": page.evaluate(TEXTS, ".card:not(:has(.wide)), header"),
        "bars": page.evaluate(BARS),
        "unhinted": page.evaluate(UNHINTED),
        "broken": page.evaluate(BROKEN_FIGURES),
        "covered": [one for one in heads if page.evaluate(COVERED, one)],
        "headings": page.evaluate(
            "[...document.querySelectorAll('h1, h2, h3')].filter(h => h.checkVisibility())"
            ".map(h => h.textContent.trim())"
        ),
        "labels": page.evaluate(
            "[...document.querySelectorAll('h2, h3, dt, th, .figure text')].map(x => x.textContent)"
        ),
    }


every = pytest.mark.parametrize("width", WIDTHS)
each = pytest.mark.parametrize("name", NAMES)


@each
@every
def test_no_text_lies_on_another(measured: Measured, name: str, width: int) -> None:
    for boxes in measured(name)[width]["texts"]:
        assert overlaps(boxes) == []


@each
@every
def test_names_and_amounts_of_bars_lie_apart_and_within_their_chart(
    measured: Measured, name: str, width: int
) -> None:
    for left, right, boxes in measured(name)[width]["bars"]:
        assert overlaps(boxes) == []
        assert [box for box in boxes if box[1] < left - 1 or box[3] > right + 1] == []


@each
@every
def test_what_scrolls_sideways_says_so(measured: Measured, name: str, width: int) -> None:
    assert measured(name)[width]["unhinted"] == []
    assert measured(name)[width]["wide"] <= width


@each
@every
def test_no_figure_is_broken_into_lines(measured: Measured, name: str, width: int) -> None:
    assert measured(name)[width]["broken"] == []


@each
@every
def test_no_heading_is_under_the_bar(measured: Measured, name: str, width: int) -> None:
    assert measured(name)[width]["covered"] == []


@each
def test_every_heading_and_table_has_a_title_of_its_own(measured: Measured, name: str) -> None:
    headings = measured(name)[1280]["headings"]
    assert len(headings) == len(set(headings)), headings


@each
def test_labels_are_words_with_units(measured: Measured, name: str) -> None:
    """Names of a scenario stay as they are; of paths there is neither a dot nor a unit suffix."""
    key = re.compile(r"components\.|[a-z]_(mwh?|cny|tco2|per_[a-z]+|share)\b|\.[a-z]+_[a-z]")
    raw = [label for label in measured(name)[1280]["labels"] if key.search(label)]
    assert raw == []


@pytest.mark.parametrize("code", ["en", "zh"])
def test_only_a_better_plan_has_the_mark_of_a_better_one(files: Any, code: str) -> None:
    for name, look in (("worse", "worse"), ("better", "good")):
        text = files[f"{name}_{code}"].read_text(encoding="utf-8")
        (status,) = re.findall(r'<div class="status (\w+)">', text)
        assert status == look
        assert "✓" not in text.split("<main")[0].split("</style>")[1]
    text = files[f"far_apart_{code}"].read_text(encoding="utf-8")
    marks = re.findall(r'<span class="kept (\w+)" aria-hidden="true">(.)</span>', text)
    assert marks == [("yes", "✓"), ("open", "⚠")]  # proven ones, and one stopped at its limit
