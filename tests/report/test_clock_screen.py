"""The page of a plan over a change of the clock, as a browser shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.language.language import ENGLISH
from planner.report.plan_page.page import plan_page
from tests.support.build import battery, load
from tests.support.screen import chromium, opened, point
from tests.test_clock_changes import at, bought, solve

pytestmark = pytest.mark.screen
AXIS = "document.querySelector('#figure-supply')._fullLayout.xaxis"
HOURS = "[...document.querySelectorAll('#why-hour option')].map(option => option.textContent)"


def test_days_hours_and_ticks_are_those_of_the_clock(tmp_path: Path) -> None:
    """From noon on for 85 h: the second day has 25 hours, and 02:00 twice."""
    prices = {"hours": [10 + h for h in range(24)]}
    parts = bought(prices) | {"cell": battery(), "town": load(*[2] * 85)}
    page_file = tmp_path / "report.html"
    plan = solve(parts, at("2026-10-24T12:00:00+02:00", 85))
    page_file.write_text(plan_page(plan, ENGLISH), encoding="utf-8")
    with chromium() as browser, opened(browser, page_file, 1280, 1400) as page:
        x, y = point(page, "supply", 15.5)  # the second 02:00
        page.mouse.move(x - 2, y)
        page.mouse.move(x, y)
        page.wait_for_selector("#figure-supply .hoverlayer text")
        texts = page.locator("#figure-supply .hoverlayer text").all_text_contents()
        assert "2026-10-25 02:00+01:00" in texts
        page.mouse.click(x, y)
        page.wait_for_selector("#why:not([hidden])")
        assert page.locator("#why-title").text_content() == "Why at 10-25 02:00+01:00"
        hours = page.evaluate(HOURS)
        assert (len(hours), hours[2:5]) == (25, ["02:00+02:00", "02:00+01:00", "03:00"])
        page.select_option("#why-day", "2026-10-26")
        page.wait_for_function("document.querySelector('#why-hour').options.length === 24")
        page.keyboard.press("Escape")
        page.select_option("#day", "2026-10-25")
        page.wait_for_function(f"{AXIS}.range[1] === '2026-10-26T01:00:00.000'")
        assert page.evaluate(f"{AXIS}.ticktext")[0] == "00:00<br>10-25"
        assert "03:00" in page.evaluate(f"{AXIS}.ticktext")
        page.click("#day-after")
        page.wait_for_function(f"{AXIS}.range[0] === '2026-10-26T01:00:00.000'")
        page.click("#reset")
        page.wait_for_function(f"{AXIS}.range[0] === '2026-10-24T12:00:00.000'")
        assert page.evaluate(f"{AXIS}.ticktext")[0] == "12:00<br>10-24"
        assert page.complaints == []
