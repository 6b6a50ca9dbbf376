"""The pages of a stochastic plan and of a simulation as a browser shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.language.language import language
from planner.report.whole_page import report_whole
from tests.studies.test_simulate import ERRING, random_site
from tests.studies.test_solve_stochastic import coal_or_not
from tests.support.build import scenario
from tests.support.screen import Visit, chromium, grave, opened, scrolled_through, visited

pytestmark = pytest.mark.screen
KINDS = ("stochastic", "simulation")
LANGUAGES = ("en", "zh")
WIDTHS = (390, 768, 1280)
FIGURES = {"stochastic": 3, "simulation": 5}
PARTS = {"stochastic": "members/dear", "simulation": "plans/deterministic"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    target = tmp_path_factory.mktemp("wholes")
    site = scenario(random_site(), 8, start="2026-07-15T20:00:00+08:00", forecast=ERRING)
    planner.simulate(site, target / "simulation", every_h=4, window_h=8, members=2)
    planner.solve_stochastic(coal_or_not()).write(target / "stochastic")
    return {kind: target / kind for kind in KINDS}


@pytest.fixture(scope="module")
def seen(browser: Any, folders: dict[str, Path]) -> dict[tuple[str, str], Visit]:
    """What a visit of each page in each language found."""
    visits = {}
    for kind, folder in folders.items():
        for lang in reversed(LANGUAGES):  # English stays
            (file,) = report_whole(folder, language(lang))
            visits[kind, lang] = visited(browser, file, WIDTHS)
    return visits


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_is_drawn_and_nothing_scrolls_sideways(
    seen: dict[tuple[str, str], Visit], kind: str, lang: str
) -> None:
    visit = seen[kind, lang]
    assert visit.figures == FIGURES[kind]
    assert visit.complaints == []
    assert visit.lang == lang
    assert visit.first_bottom <= 800
    assert all(wide <= width for width, wide in visit.wide.items()), visit.wide


@pytest.mark.parametrize("kind", KINDS)
def test_it_leads_to_its_parts_and_they_lead_back(
    browser: Any, folders: dict[str, Path], kind: str
) -> None:
    with opened(browser, folders[kind] / "report.html") as page:
        page.click(f'.first a[href="{PARTS[kind]}/report.html"]')
        page.wait_for_url(f"**/{PARTS[kind]}/report.html")
        page.click('header a[href="../../report.html"]')
        page.wait_for_url(f"**/{kind}/report.html")
        assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_keeps_people_out(
    browser: Any, folders: dict[str, Path], kind: str, scheme: str
) -> None:
    file = folders[kind] / "report.html"
    with opened(browser, file, color_scheme=scheme, bypass_csp=True) as page:
        scrolled_through(page)
        assert grave(page) == []
