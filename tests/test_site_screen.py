"""The site of the documentation in Chromium, from the file system; `make site` builds it before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.screen import chromium

pytestmark = pytest.mark.screen
SITE = Path(__file__).parent.parent / "site"
PAGES = ("index", "tutorial", "first_plan", "scenario", "commands", "api", "gallery", "promises")


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """A page without a network; `complaints` gathers errors of scripts and failed requests."""
    if not (SITE / "zh" / "index.html").exists():
        pytest.skip("make site has not been run")
    with chromium() as browser:
        page = browser.new_context(offline=True).new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("requestfailed", lambda request: _complain(page, request))
        yield page


def _complain(page: Any, request: Any) -> None:
    if request.failure != "net::ERR_ABORTED":  # which is a page left before all had loaded
        page.complaints.append(request.url)


@pytest.mark.parametrize("folder", [SITE, SITE / "zh"], ids=lambda folder: folder.name)
def test_pages_are_no_wider_than_the_screen(page: Any, folder: Path) -> None:
    for name in PAGES:
        page.goto((folder / f"{name}.html").as_uri())
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(f"document.documentElement.scrollWidth === {width}")
    assert page.complaints == []


@pytest.mark.parametrize(
    ("home", "words", "page_found"),
    [
        ("index.html", "EVPI", "uncertainty"),
        ("zh/index.html", "转售", "zh/tutorial"),
        ("zh/index.html", "demand charge", "zh/tariff"),
    ],
)
def test_the_search_finds_words(page: Any, home: str, words: str, page_found: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto((SITE / home).as_uri())
    page.click(".md-search__input")
    page.keyboard.insert_text(words)
    page.keyboard.press("End")  # text that is inserted presses no key
    link = page.locator(f".md-search-result__link[href*='/{page_found}.html']").first
    link.wait_for(timeout=60_000)
    assert page.complaints == []


def test_each_page_leads_to_its_other_language_and_back(page: Any) -> None:
    page.goto((SITE / "scenarios" / "huainan" / "index.html").as_uri())
    page.click("text=中文")
    page.wait_for_url((SITE / "zh" / "scenarios" / "huainan" / "index.html").as_uri())
    page.click("text=English")
    page.wait_for_url((SITE / "scenarios" / "huainan" / "index.html").as_uri())


def test_the_notebook_draws_its_chart(page: Any) -> None:
    page.goto((SITE / "zh" / "first_plan.html").as_uri())
    page.locator(".plotly-graph-div .main-svg").first.wait_for(timeout=60_000)
    assert page.complaints == []
