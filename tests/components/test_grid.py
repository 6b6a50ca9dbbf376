"""The grid connection: two prices, origins, one direction at a time, charges by the month.

Unless said otherwise it sells at 40 and buys at 30 CNY/MWh (see `tests.support.build.grid`).
"""

from __future__ import annotations

import pytest

import planner
from tests.support import golden
from tests.support.build import *


def test_two_prices():
    assert profit({"grid": grid(), "city": load(5)}) == -5 * 40
    assert profit({"grid": grid(), "sun": renewable(5)}) == 5 * 30
    assert profit({"grid": grid(), "sun": renewable(5), "city": load(3)}) == 2 * 30


def test_limits():
    site = {"grid": grid(import_limit_mw=[3, 9], export_limit_mw=[9, 2])}
    plan = solve(site | {"sun": renewable(8, 8)}, 2)
    assert column(plan, "grid.export_mw[renewable]") == [8, 2]
    plan = solve(site | {"city": load(8, 8, shed_cost_cny_per_mwh=99)}, 2)
    assert column(plan, "grid.import_mw") == [3, 8]


def test_price_by_origin():
    site = {
        "grid": grid(export_price_cny_per_mwh={"renewable": 50, "thermal": 20}),
        "sun": renewable(5),
        "unit": thermal(must_run=True),
        "city": load(10),
    }
    # the load takes coal power, all green power is sold; the unit's other 90 MW earn 10 each
    plan = solve(site)
    assert used(plan, "load", "thermal") == 10
    assert total(plan, "grid", "export[renewable]") == 5 * 50
    assert plan.summary["objective_cny"] == pytest.approx(5 * 50 + 90 * 20 - 100 * 10)


def test_grid_energy_is_sold_again_only_with_resale():
    site = {
        "grid": grid(import_price_cny_per_mwh=[10, 99], export_price_cny_per_mwh=[0, 50]),
        "battery": battery(),
    }
    assert profit(site, 2) == 0
    site["grid"]["resale"] = True
    assert profit(site, 2) == 4 * 40
    by_origin = {"renewable": [0, 90], "thermal": [0, 90], "grid": [0, 20]}
    site["grid"]["export_price_cny_per_mwh"] = by_origin
    assert profit(site, 2) == 4 * 10


# one direction at a time


def test_does_not_buy_and_sell_at_once_where_selling_pays_more():
    site = {"grid": grid(export_price_cny_per_mwh=60, resale=True)}
    assert profit(site) == 0
    # own energy could be sold at 60 while the load buys at 40: it must not
    own = {"grid": grid(export_price_cny_per_mwh=60), "sun": renewable(5), "city": load(5)}
    assert profit(own) == 0


def test_does_not_buy_and_sell_at_once_under_negative_prices():
    # paid 20 to buy, pays 10 to sell: a cycle would earn 10 a MWh up to the limit
    prices = {"import_price_cny_per_mwh": -20, "export_price_cny_per_mwh": -10, "resale": True}
    assert profit({"grid": grid(**prices)}) == 0
    assert profit({"grid": grid(**prices), "city": load(5)}) == 5 * 20


# charges


def test_self_use_charge_on_own_energy_that_is_drawn():
    site = {
        "grid": grid(self_use_charge_cny_per_mwh=7, export_limit_mw=0),
        "sun": renewable(5),
        "city": load(8),
    }
    plan = solve(site)
    assert total(plan, "grid", "self_use[renewable]") == -5 * 7
    assert plan.summary["objective_cny"] == -5 * 7 - 3 * 40  # imports pay their fees in the price


def test_self_use_charge_by_origin_decides_who_serves():
    charge = {"renewable": 25, "grid": 3}
    site = {
        "grid": grid(self_use_charge_cny_per_mwh=charge, import_price_cny_per_mwh=20),
        "sun": renewable(5),
        "city": load(5),
    }
    # green energy in the load: 25; from the grid: 23, and green energy is sold at 30 - not at once
    assert profit(site) == -5 * 23  # curtails the sun
    site["grid"]["import_limit_mw"] = 2
    assert profit(site) == -2 * 23 - 3 * 25


def test_self_use_charge_may_change_by_the_hour():
    site = {
        "grid": grid(self_use_charge_cny_per_mwh=[1, 2], export_limit_mw=0),
        "sun": renewable(5, 5),
        "city": load(5, 5),
    }
    assert profit(site, 2) == -5 * 1 - 5 * 2


def test_fixed_payments_are_reported_only():
    site = {"grid": grid(fixed_cny_per_month=74_400), "city": load(5)}
    plan = solve(site)
    assert plan.summary["objective_cny"] == -200
    assert plan.summary["outside_objective_cny"]["grid"]["fixed"] == pytest.approx(-100)
    assert plan.summary["net_after_outside_cny"] == pytest.approx(-300)


def test_figures():
    plan = solve(
        {
            "grid": grid(import_emission_tco2_per_mwh=0.6),
            "sun": renewable(0, 9),
            "city": load(5, 2),
        },
        2,
    )
    assert plan.summary["figures"]["grid"] == {
        "import_mwh": 5,
        "export_mwh": 7,
        "peak_import_mw": 5,
        "import_emission_tco2": 3,
    }


def test_what_own_energy_and_fixed_payments_cost_per_kwh():
    charge = {"renewable": [30, 36]}
    connection = grid(
        self_use_charge_cny_per_mwh=charge, fixed_cny_per_month=744_000, export_limit_mw=0
    )
    site = {"grid": connection, "sun": renewable(1, 3), "city": load(5, 7)}
    site["unit"] = thermal(min_power_mw=2, max_power_mw=2, must_run=True, curve=[
        {"power_mw": 2, "fuel_gj_per_h": 2}])  # fmt: skip
    plan = solve(site, 2)
    figures = plan.summary["figures"]["grid"]
    # 1 MWh at 30 and 3 MWh at 36; 4 MWh of coal use the site free of charge
    assert figures["self_use_cny_per_kwh"] == pytest.approx((30 + 108) / 8 / 1000)
    # 1000 an hour; 2 MWh imported in each
    assert figures["fixed_cny_per_kwh"] == pytest.approx(2000 / 4 / 1000)
    assert column(plan, "grid.self_use_mw[renewable]") == [1, 3]
    assert column(plan, "grid.self_use_mw[thermal]") == [2, 2]
    # without own energy or import there is no price per kWh
    alone = solve({"grid": connection, "city": load(0, 0)}, 2).summary["figures"]["grid"]
    assert {"self_use_cny_per_kwh", "fixed_cny_per_kwh"} & alone.keys() == set()


def test_two_grids_may_not_charge_the_same_energy():
    charged = grid(self_use_charge_cny_per_mwh=7)
    site = {"feed": charged, "grid": charged, "city": load(5)}
    with pytest.raises(planner.ScenarioError, match="is charged by 'feed' already") as caught:
        scenario(site)
    (problem,) = caught.value.problems
    assert problem.path == "components.grid.self_use_charge_cny_per_mwh"
    scenario(site | {"feed": grid(node="far", self_use_charge_cny_per_mwh=7)})
    scenario(site | {"feed": grid()})


@pytest.mark.parametrize(
    ("fields", "top", "message"),
    [
        ({}, {"trace": False}, "resale: must be true"),
        (
            {"resale": True, "export_price_cny_per_mwh": {"renewable": 1, "thermal": 1, "grid": 1}},
            {"trace": False},
            "cannot differ by origin",
        ),
        ({"resale": True, "self_use_charge_cny_per_mwh": 1}, {"trace": False}, "own energy"),
        (
            {"resale": True, "export_price_cny_per_mwh": {"renewable": 1, "thermal": 1}},
            {},
            "export_price_cny_per_mwh.grid: is required",
        ),
        ({"peak_so_far_mw": {"July": 4}}, {}, "peak_so_far_mw"),
        ({"import_limit_mw": -1}, {}, "must be 0 or more"),
        ({"export_price_cny_per_mwh": {"renewable": 1}}, {}, "thermal: is required"),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], top: dict[str, object], message: str):
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"grid": grid(**fields), "city": load(1)}, **top)


def test_golden_grid():
    connection = grid(
        import_limit_mw=[5, 6],
        export_price_cny_per_mwh={"renewable": [50, 55], "thermal": 45},
        self_use_charge_cny_per_mwh={"renewable": 5},
        demand_charge_cny_per_mw_month=300,
        peak_so_far_mw={"2026-07": 2},
        expected_peak_mw=1,
        import_emission_tco2_per_mwh=0.6,
        fixed_cny_per_month=99,
    )
    site = {"grid": connection, "sun": renewable(4, 9), "city": load(6, 3), "hold": reserve()}
    golden.check("grid", scenario(site, 2, start="2026-07-31T23:00:00+08:00"))


def test_golden_grid_with_resale():
    golden.check("grid_resale", scenario({"grid": grid(resale=True), "market": market(5)}))
