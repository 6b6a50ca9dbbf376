"""The worth of the first unit of what is at zero, against building it and solving again."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

import planner
from tests.support import compute
from tests.support.build import battery, grid, load, renewable, reserve, scenario, thermal

Site = dict[str, dict[str, Any]]
FLAT = [{"power_mw": 0, "fuel_gj_per_h": 0}, {"power_mw": 100, "fuel_gj_per_h": 100}]
SMALL = [{"power_mw": 2, "fuel_gj_per_h": 2}, {"power_mw": 9, "fuel_gj_per_h": 9}]


def coal(rnd: random.Random, **fields: Any) -> dict[str, Any]:
    price = rnd.randint(20, 90)
    return thermal(min_power_mw=0, curve=FLAT, fuel_price_cny_per_gj=price) | fields


def cable(**fields: Any) -> dict[str, Any]:
    return {"kind": "line", "from_node": "site", "to_node": "town", "capacity_mw": 0} | fields


def at_zero(rnd: random.Random, number: int) -> tuple[Site, str, dict[str, Any], str]:
    """A site, a component of it, its fields at zero with one unit more, and their price."""
    buy = [rnd.randint(1, 600) for _ in range(2)]
    sell = [max(price - rnd.randint(1, 30), 0) for price in buy]
    market = grid(
        import_limit_mw=20, export_limit_mw=20, resale=True,
        import_price_cny_per_mwh=buy, export_price_cny_per_mwh=sell,
    )  # fmt: skip
    town, costly = load(1, 1), {"node": "town", "shed_cost_cny_per_mwh": rnd.randint(20, 900)}
    site: Site = {"grid": market, "town": town}
    work = compute.chat(0, rnd.randint(1, 90))
    cases: list[tuple[Site, str, dict[str, Any], str]] = [
        (site | {"x": battery(charge_power_mw=0)}, "x", {"charge_power_mw": 1}, "power_mw"),
        (site | {"x": battery(charge_power_mw=0, discharge_power_mw=0, charge_efficiency=0.8)}, "x",
         {"charge_power_mw": 1, "discharge_power_mw": 1}, "power_mw"),
        (site | {"x": battery(discharge_power_mw=0, start_cost_cny=rnd.randint(0, 90))}, "x",
         {"discharge_power_mw": 1}, "power_mw"),
        (site | {"x": renewable(9, rnd.randint(0, 90), capacity_mw=0)}, "x", {"capacity_mw": 1},
         "capacity_mw"),
        ({"grid": market | {"import_limit_mw": 0}, "town": town, "coal": coal(rnd)}, "grid",
         {"import_limit_mw": 1}, "import_limit_mw"),
        ({"grid": market | {"import_limit_mw": [0, 20]}, "town": town, "coal": coal(rnd),
          "bat": battery()}, "grid", {"import_limit_mw": [1, 21]}, "import_limit_mw"),
        ({"grid": market | {"export_limit_mw": 0}, "town": town, "coal": coal(rnd)}, "grid",
         {"export_limit_mw": 1}, "export_limit_mw"),
        ({"grid": market, "town": town | costly, "x": cable()}, "x", {"capacity_mw": 1},
         "capacity_mw"),
        ({"grid": market, "town": town | costly, "coal": coal(rnd, node="town"), "x": cable()}, "x",
         {"capacity_mw": 1}, "capacity_mw"),
        (site | {"x": coal(rnd, max_power_mw=0)}, "x", {"max_power_mw": 1}, "max_power_mw"),
        (site | {"x": thermal(min_power_mw=2, max_power_mw=2, curve=SMALL, fuel_price_cny_per_gj=60,
                              startups=[{"off_h": 0, "cost_cny": rnd.randint(900, 1500)}])}, "x",
         {"max_power_mw": 3}, "max_power_mw"),
        (site | {"coal": coal(rnd), "x": reserve(up_mw=0, providers=["coal"])}, "x", {"up_mw": 1},
         "up_mw"),
        ({"grid": market, "x": load(0, 0)}, "x", {"demand_mw": [1, 1]}, "demand_mw"),
        ({"grid": market, "x": load(0, 3)}, "x", {"demand_mw": [1, 4]}, "demand_mw"),
        ({"grid": market, "x": compute.fleet(0), "chat": compute.chat(9, rnd.randint(1, 90))}, "x",
         {"nodes": 1}, "nodes"),
        ({"grid": market, "gpu": compute.fleet(2), "x": work}, "x", {"demand_mtok_per_h": 1},
         "demand_mtok_per_h"),
    ]  # fmt: skip
    return cases[number % len(cases)]


@pytest.mark.few(4)
@pytest.mark.parametrize("seed", range(64))
def test_the_worth_of_the_first_unit_is_what_building_it_earns(seed: int) -> None:
    site, name, fields, quantity = at_zero(random.Random(seed), seed)
    more = copy.deepcopy(site)
    more[name] |= fields
    profits = [planner.solve(scenario(s, 2)).summary["objective_cny"] for s in (site, more)]
    per = 2.0 if quantity.endswith("_per_h") else 1.0  # CNY/Mtok: 1 Mtok/h is 2 Mtok in 2 h
    first = planner.prices(scenario(site, 2)).plan.summary["prices"]["first_unit"]
    worth = first.get(name, {}).get(quantity)
    assert worth is not None
    assert worth["worth"] == pytest.approx((profits[1] - profits[0]) / per, abs=1e-4)
    assert worth["within"] == pytest.approx(0, abs=1e-4)
