"""What was scarce: limits that are reached and have a price, not limits that are merely reached."""

from __future__ import annotations

from typing import Any

import pytest

import planner
from planner.language.language import language
from planner.report.plan_sections import binding
from tests.support import compute
from tests.support.build import battery, grid, load, renewable, scenario, thermal

FLAT = [{"power_mw": 0, "fuel_gj_per_h": 0}, {"power_mw": 100, "fuel_gj_per_h": 100}]


def bound(site: dict[str, Any], hours: int = 1) -> list[tuple[str, str, float]]:
    plan = planner.solve(scenario(site, hours))
    rows = binding(plan, language("en")).rows
    return [(row[0], row[1], row[2].value) for row in rows]


def imported(fuel: float, demand: float) -> dict[str, Any]:
    """10 MW at 40 from the grid, the rest from coal."""
    coal = thermal(min_power_mw=0, curve=FLAT, fuel_price_cny_per_gj=fuel)
    return {"grid": grid(import_limit_mw=10, export_limit_mw=0), "unit": coal, "t": load(demand)}


@pytest.mark.parametrize("fuel", [41, 60, 90])
def test_an_import_limit_above_which_coal_is_dearer_binds(fuel: float) -> None:
    assert bound(imported(fuel, 12)) == [("grid", "import at limit", 1)]


@pytest.mark.parametrize("demand", [10, 12])
def test_a_limit_that_is_merely_reached_does_not(demand: float) -> None:
    """Coal at 40 is as good as the grid: another MW of import is worth nothing."""
    assert bound(imported(40, demand)) == []


def test_limits_of_a_battery_and_of_a_fleet() -> None:
    """4 MW charged at 10 for 50, where 5 could be sold; one node for 9 of 20 Mtok/h, for 2 h."""
    prices = [10, 50]
    market = grid(resale=True, import_price_cny_per_mwh=prices, export_price_cny_per_mwh=prices)
    assert bound({"grid": market, "bat": battery(discharge_power_mw=5)}, 2) == [
        ("bat", "charges at limit", 1)
    ]
    site = compute.site(gpu=compute.fleet(1), chat=compute.chat(20))
    assert bound(site, 2) == [("chat", "no capacity", 2)]


def test_nothing_binds_where_nothing_is_wanted_more() -> None:
    assert bound({"grid": grid(), "sun": renewable(5), "t": load(5)}) == []
