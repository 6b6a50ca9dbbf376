"""Write the pictures of the documentation: `make pictures`. Needs Chromium.

Solves the Huainan plan and two shipped sweeps, opens their pages in a browser without a network,
and writes screenshots to docs/pictures/*.png. Finished cases are not solved again, so a second run
takes seconds.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import planner
from planner.language.language import language
from planner.report.plan_page.page import plan_page
from planner.report.sweep_page.report_sweep import report_sweep
from planner.studies.sweep import sweep

ROOT = Path(__file__).parent.parent
TARGET = Path(__file__).parent / "pictures"
SCENARIOS = ROOT / "scenarios"
MAX_BYTES = 250_000
CHART_SCALE = 1.5  # device pixels per CSS pixel; whole screens have 1
HOUR = 14  # the step whose reasons the panel shows


def main() -> None:
    """Write every picture and print its size."""
    TARGET.mkdir(exist_ok=True)
    plan = planner.prices(planner.load(SCENARIOS / "huainan")).plan
    pages = ROOT / "plans" / "pictures"
    pages.mkdir(parents=True, exist_ok=True)
    for lang in ("en", "zh"):
        (pages / f"{lang}.html").write_text(plan_page(plan, language(lang)), encoding="utf-8")
    folders = {}
    for name in ("token_price", "coal_and_carbon"):
        folders[name] = pages / name
        sweep(SCENARIOS / "sweeps" / f"{name}.yaml", folders[name])
        report_sweep(folders[name])
    with open_browser() as browser:
        _write_plan(browser, pages)
        with opened(browser, folders["token_price"] / "report.html") as page:
            write_chart(page, "#figure-curve", "sweep_curve")
        with opened(browser, folders["coal_and_carbon"] / "report.html", 1280, 720, 1) as page:
            _write_screen(page, "sweep")
        with opened(browser, folders["coal_and_carbon"] / "report.html") as page:
            write_chart(page, "#figure-tornado-0", "sweep_tornado")
            write_chart(page, "#figure-map-0", "sweep_map")
    for path in sorted(TARGET.glob("*.png")):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB")
        if path.stat().st_size > MAX_BYTES:
            sys.exit(f"{path.name} is larger than {MAX_BYTES / 1000:.0f} kB")


def _write_plan(browser: Any, pages: Path) -> None:
    with opened(browser, pages / "en.html", 1280, 720, 1) as page:
        _write_screen(page, "plan")
    with opened(browser, pages / "en.html") as page:
        write_chart(page, "#figure-supply", "supply")
    with opened(browser, pages / "en.html", 1280, 720, 1) as page:
        page.click("#ask")
        page.wait_for_selector("#why-body section")
        page.select_option("#why-hour", index=HOUR)
        _wait_for(page, "#figure-supply")
        page.locator("#title-supply").evaluate("title => title.scrollIntoView()")  # below the bar
        _write_screen(page, "why")
    with opened(browser, pages / "zh.html", 1280, 720, 1) as page:
        _write_screen(page, "plan_zh")


def write_chart(page: Any, figure: str, name: str) -> None:
    """Write a chart with its title, which the bar at the top of the screen would cover."""
    page.add_style_tag(content="#bar { position: static; }")
    _wait_for(page, figure)
    section = page.locator(figure).locator("xpath=ancestor::section[1]")
    section.screenshot(path=TARGET / f"{name}.png", animations="disabled")


def _wait_for(page: Any, figure: str) -> None:
    page.locator(figure).scroll_into_view_if_needed()
    page.locator(f"{figure} .main-svg").first.wait_for(state="attached")
    page.wait_for_timeout(400)


def _write_screen(page: Any, name: str) -> None:
    page.screenshot(path=TARGET / f"{name}.png", animations="disabled")


@contextmanager
def open_browser() -> Iterator[Any]:
    """Open Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("make pictures needs Chromium: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Any, file: Path, width: int = 960, height: int = 720, scale: float = CHART_SCALE
) -> Iterator[Any]:
    """Open a page without a network, in its light colours."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale, offline=True,
        color_scheme="light", reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
    try:
        yield page
    finally:
        context.close()


if __name__ == "__main__":  # sweeps start processes that import this file
    main()
