"""Pages in Chromium, without a network: what they say on the console, where charts stand.

with chromium() as browser, opened(browser, file) as page:
    ...
assert page.complaints == []
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

READY = "html[data-ready]"
DRAWN = """() => [...document.querySelectorAll('.figure')]
    .every(figure => figure.querySelector('.main-svg'))"""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; without one the tests that ask for it fail, for nothing else asks for them."""
    from playwright import sync_api as playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("needs Chromium")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Any, file: Path, width: int = 1280, height: int = 800, **context: Any
) -> Iterator[Any]:
    """A page of a file; `complaints` gathers errors of scripts and requests that failed."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, offline=True, **context
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("requestfailed", lambda request: page.complaints.append(request.url))
    page.on(
        "console",
        lambda said: page.complaints.append(said.text) if said.type in ("error", "warning") else 0,
    )
    try:
        page.goto(file.as_uri())
        page.wait_for_selector(READY, state="attached")
        yield page
    finally:
        context.close()


def scrolled_through(page: Any) -> None:
    """Scroll to every chart, so that all are drawn."""
    for figure in page.locator(".figure").all():
        figure.scroll_into_view_if_needed()
        figure.locator(".main-svg").first.wait_for(state="attached")
    page.wait_for_function(DRAWN)


WIDTHS = (360, 768, 1280, 2560)


@dataclass(frozen=True)
class Visit:
    """What one visit of a page found, every chart drawn: `wide` is how far it scrolls sideways."""

    complaints: list[str]
    asked: list[str]
    figures: int
    first_bottom: float
    lang: str
    heading: str
    wide: dict[int, int]


def visited(browser: Any, file: Path, widths: tuple[int, ...] = WIDTHS) -> Visit:
    """Look at a page once, at every width; opening it and drawing its charts is what costs."""
    with opened(browser, file) as page:
        asked: list[str] = []
        page.on("dialog", lambda dialog: asked.append(dialog.message))
        bottom = page.evaluate("document.querySelector('.first').getBoundingClientRect().bottom")
        scrolled_through(page)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        if page.locator("#ask").count():
            page.click("#ask")
            page.wait_for_selector("#why-body section")
        wide = {}
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(400)  # charts are fitted a moment after
            wide[width] = page.evaluate("document.documentElement.scrollWidth")
        return Visit(
            page.complaints, asked, page.locator(".figure").count(), bottom,
            page.evaluate("document.documentElement.lang"),
            page.locator("h1").inner_text(), cast("dict[int, int]", wide),
        )  # fmt: skip


def grave(page: Any) -> list[Any]:
    """Return what axe finds serious or critical; charts are pictures with a label to it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page, context={"exclude": [[".figure"]]}).response["violations"]
    return [
        (v["id"], [n["html"] for n in v["nodes"]][:3])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


def point(page: Any, key: str, step: float, down: float = 0.5) -> tuple[float, float]:
    """Return where on the screen a moment (in steps) of a chart over time lies."""
    figure = page.locator(f"#figure-{key}")
    figure.scroll_into_view_if_needed()
    figure.locator(".main-svg").first.wait_for(state="attached")
    found = page.evaluate(
        """([key, step, down]) => {
            const figure = document.getElementById(`figure-${key}`);
            const clock = JSON.parse(document.getElementById('page-clock').textContent);
            const x = figure._fullLayout.xaxis, y = figure._fullLayout.yaxis;
            const box = figure.getBoundingClientRect();
            return [box.left + x._offset + x.d2p(clock.start + step * clock.step),
                    box.top + y._offset + down * y._length];
        }""",
        [key, step, down],
    )
    return found[0], found[1]


def near_drawn_s(page: Any) -> float:
    """Return the seconds from the start of loading until the charts near the screen were drawn."""
    page.wait_for_function("() => performance.getEntriesByName('near-drawn').length > 0")
    return float(page.evaluate("performance.getEntriesByName('near-drawn')[0].startTime / 1000"))
