"""A battery: every family of rows against a sum one can do in the head.

Unless said otherwise it holds 10 MWh, moves 4 MW without losses and begins empty
(see `tests.support.build.battery`).
"""

from __future__ import annotations

import pytest

import planner
from tests.support import golden
from tests.support.build import *

FUEL = [{"power_mw": 4, "fuel_gj_per_h": 4}, {"power_mw": 100, "fuel_gj_per_h": 100}]


def two_prices(*prices: float, **fields: object) -> dict[str, object]:
    """A grid that sells and buys at the same price, one an hour, and takes its own energy back."""
    both = list(prices)
    return grid(import_price_cny_per_mwh=both, export_price_cny_per_mwh=both, resale=True, **fields)


def trade(*prices: float, **fields: object) -> planner.Plan:
    """Trade on two prices an hour."""
    return solve({"grid": two_prices(*prices), "battery": battery(**fields)}, len(prices))


def earned(plan: planner.Plan) -> float:
    return round(float(plan.summary["objective_cny"]), 4)


def test_buy_4_sell_4_earn_160():
    plan = trade(10, 50)
    assert column(plan, "battery.charge_mw[grid]") == [4, 0]
    assert column(plan, "battery.discharge_mw[grid]") == [0, 4]
    assert column(plan, "battery.energy_mwh[grid]") == [4, 0]
    assert earned(plan) == 4 * 50 - 4 * 10 == 160


def test_each_way_has_its_efficiency():
    # charge 4 MWh, keep 3.2, deliver 1.6
    plan = trade(10, 50, charge_efficiency=0.8, discharge_efficiency=0.5)
    assert column(plan, "battery.energy_mwh[grid]") == [3.2, 0]
    assert column(plan, "battery.discharge_mw[grid]") == [0, 1.6]
    assert earned(plan) == 1.6 * 50 - 4 * 10
    assert used(plan, "loss", "grid") == pytest.approx(4 - 1.6)


def test_leaks_by_the_hour():
    # 4 MWh in; half is lost in each hour after
    options = {"initial": {"energy_mwh": 8}, "ending": {"at_least_mwh": 0}}
    plan = trade(10, 10, 90, leak_per_h=0.5, **options)
    # 8 leaks to 4, takes 4; 8 leaks to 4, takes 4; 8 leaks to 4 and is sold
    assert column(plan, "battery.energy_mwh[grid]") == [8, 8, 0]
    assert earned(plan) == 4 * 90 - 8 * 10


def test_leak_does_not_depend_on_the_step():
    site = {
        "grid": two_prices(*[0] * 4, import_limit_mw=0, export_limit_mw=0),
        "battery": battery(leak_per_h=0.19, initial={"energy_mwh": 10}, ending={"at_least_mwh": 0}),
    }
    assert column(solve(site, 2, step_min=30), "battery.energy_mwh[grid]") == pytest.approx(
        [9, 8.1, 7.29, 6.561]
    )


def test_holds_no_more_than_its_capacity_and_no_less_than_its_minimum():
    options = {"min_energy_mwh": 3, "initial": {"energy_mwh": 5}, "ending": {"at_least_mwh": 0}}
    assert column(trade(50, 50, **options), "battery.energy_mwh[grid]")[-1] == 3
    wide = options | {"discharge_power_mw": 9}
    assert column(trade(1, 2, 50, **wide), "battery.energy_mwh[grid]") == [9, 10, 3]


def test_power_that_is_available():
    plan = trade(10, 50, available=[0.5, 1])
    assert column(plan, "battery.charge_mw[grid]") == [2, 0]
    assert earned(trade(10, 50, available=[1, 0.25])) == 1 * 40
    assert earned(trade(10, 50, available=0)) == 0


def test_wear_is_paid_per_mwh_discharged():
    plan = trade(10, 50, wear_cny_per_mwh=15, discharge_efficiency=0.5)
    assert total(plan, "battery", "wear") == -15 * 2
    assert earned(plan) == 2 * 50 - 4 * 10 - 2 * 15
    assert earned(trade(10, 50, wear_cny_per_mwh=41)) == 0


# cycles a day


def test_cycles_per_day_limit_what_is_discharged():
    # half a cycle of 10 MWh a day is 5 MWh: 4 at 50 and 1 at 40
    plan = trade(10, 50, 10, 40, cycles_per_day=0.5)
    assert earned(plan) == 4 * 40 + 1 * 30


def test_cycles_count_what_was_discharged_today():
    initial = {"energy_mwh": 0, "discharged_today_mwh": 3}
    assert earned(trade(10, 50, cycles_per_day=0.5, initial=initial)) == 2 * 40


def test_cycles_begin_again_at_local_midnight():
    site = {
        "grid": two_prices(10, 50, 10, 50),
        "battery": battery(
            cycles_per_day=0.2, initial={"energy_mwh": 0, "discharged_today_mwh": 1}
        ),
    }
    # 22:00 and 23:00 belong to the first day (1 of 2 MWh left), the rest to the next
    assert profit(site, 4, start="2026-07-15T22:00:00+08:00") == pytest.approx((1 + 2) * 40)


def test_cycles_are_of_the_usable_energy():
    plan = trade(10, 50, cycles_per_day=0.5, min_energy_mwh=4, initial={"energy_mwh": 4})
    assert earned(plan) == 3 * 40


# ends


@pytest.mark.parametrize(
    ("ending", "left_mwh", "money"),
    [
        ({"at_least_mwh": 0}, 0, 200),
        ({"at_least_mwh": 3}, 3, 50),
        ("same_as_start", 4, 0),
        ({"value_cny_per_mwh": 60}, 4, 0),
        ({"value_cny_per_mwh": 40}, 0, 4 * 50 - 4 * 40),
    ],
)
def test_ending(ending: object, left_mwh: float, money: float):
    options = {"import_limit_mw": 0}
    site = {
        "grid": two_prices(50, **options),
        "battery": battery(initial={"energy_mwh": 4}, ending=ending),
    }
    plan = solve(site)
    assert column(plan, "battery.energy_mwh[grid]") == [left_mwh]
    assert earned(plan) == money


def test_end_value_is_no_cash():
    plan = trade(10, ending={"value_cny_per_mwh": 25})
    assert earned(plan) == 4 * 25 - 4 * 10
    assert plan.summary["cash_profit_cny"] == -40
    assert plan.summary["non_cash_cny"] == 100


# energy by origin


def test_origin_is_kept_through_storage():
    # the sun charges 3 MWh in the morning, the load takes them in the evening, the rest is bought
    site = {
        "sun": renewable(3, 0),
        "battery": battery(),
        "city": load(0, 4),
        "grid": grid(export_limit_mw=0),
    }
    plan = solve(site, 2)
    assert column(plan, "battery.energy_mwh[renewable]") == [3, 0]
    assert used(plan, "load", "renewable") == 3
    assert used(plan, "load", "grid") == 1
    assert earned(plan) == -40


def test_grid_energy_is_not_sold_again_through_the_battery():
    own = {"renewable": 1, "thermal": 2, "grid": 3}
    prices = grid(
        import_price_cny_per_mwh=[1, 99], export_price_cny_per_mwh=[0, 50], export_limit_mw=99
    )
    cell = battery(initial={"energy_mwh": own}, ending={"at_least_mwh": 0}, discharge_power_mw=9)
    plan = solve({"grid": prices, "battery": cell}, 2)
    assert earned(plan) == (1 + 2) * 50
    assert used(plan, "export", "grid") == 0
    again = solve({"grid": prices | {"resale": True}, "battery": cell}, 2)
    assert earned(again) == 9 * 50 - (9 - 6) * 1


def test_initial_number_is_energy_from_the_grid():
    site = {"grid": market(50), "battery": battery(initial={"energy_mwh": 4})}
    site["battery"]["ending"] = {"at_least_mwh": 0}
    assert profit(site) == 0
    green = {"energy_mwh": {"renewable": 4}}
    assert profit({**site, "battery": site["battery"] | {"initial": green}}) == 200


def test_end_is_of_the_total_whatever_the_origin():
    site = {
        "grid": grid(import_price_cny_per_mwh=[5, 5], export_price_cny_per_mwh=[50, 0]),
        "battery": battery(initial={"energy_mwh": {"renewable": 4}}),
    }
    plan = solve(site, 2)  # sell the green 4 MWh, fill up from the grid
    assert earned(plan) == 4 * 50 - 4 * 5
    assert column(plan, "battery.energy_mwh[grid]")[-1] == 4


def test_pooled_energy_earns_the_same_where_origins_do_not_matter():
    site = {
        "grid": two_prices(10, 50, 20, 60),
        "battery": battery(initial={"energy_mwh": {"renewable": 2, "grid": 1}}),
    }
    pooled = solve(site, 4, trace=False)
    assert earned(pooled) == earned(solve(site, 4))
    assert "battery.energy_mwh[pooled]" in pooled.schedule


# one direction at a time


def test_never_charges_and_discharges_at_once_under_negative_prices():
    # full after an hour; to take in 4 MW more (and let out 1) would earn 150 in each later hour
    plan = trade(-50, -50, -50, capacity_mwh=2, charge_efficiency=0.5, discharge_efficiency=0.5)
    charge = plan.schedule["battery.charge_mw[grid]"]
    discharge = plan.schedule["battery.discharge_mw[grid]"]
    assert (charge * discharge).max() == 0
    assert earned(plan) == 4 * 50 - 1 * 50 + 4 * 50


def test_green_energy_is_not_exchanged_for_other_energy_at_zero_net_flow():
    # to sell the stored green 4 MWh at 90 while storing 4 MWh of coal power would earn 360
    site = {
        "grid": grid(export_price_cny_per_mwh={"renewable": 90, "thermal": 0}, import_limit_mw=0),
        "battery": battery(initial={"energy_mwh": {"renewable": 4}}),
        "unit": thermal(min_power_mw=4, must_run=True, curve=FUEL),
    }
    assert profit(site) == -4 * 10


# reserve


def test_reserve_needs_power_and_energy():
    # 4 MW may be promised with 4 MWh left: selling in the hour would leave less
    options = {"initial": {"energy_mwh": {"renewable": 4}}, "ending": {"at_least_mwh": 0}}
    site = {"grid": market(50), "battery": battery(**options)}
    assert profit(site) == 4 * 50
    hold = reserve(up_mw=3, providers=["battery"])
    assert profit({**site, "hold": hold}) == (4 - 3) * 50
    low = battery(**(options | {"discharge_power_mw": 3.5}))
    assert profit({**site, "battery": low, "hold": hold}) == 0.5 * 50


def test_reserve_energy_counts_the_way_out_and_the_minimum():
    options = {"initial": {"energy_mwh": 4}, "ending": {"at_least_mwh": 0}}
    site = {
        "grid": market(0),
        "battery": battery(min_energy_mwh=1, discharge_efficiency=0.5, **options),
        "hold": reserve(up_mw=4, shortfall_cost_cny_per_mwh=100),
    }
    site["hold"]["providers"] = ["battery"]
    assert profit(site) == -100 * (4 - 3 * 0.5)
    assert profit(site, 0.5, step_min=30) == -100 * (4 - 1.5) * 0.5  # half the time, as much power


def test_charging_counts_as_reserve_because_it_can_stop():
    site = {
        "grid": two_prices(10, 10),
        "battery": battery(
            discharge_power_mw=1,
            initial={"energy_mwh": 5},
            ending={"value_cny_per_mwh": 9.5},
            cycles_per_day=0,
        ),
    }
    assert profit(site, 2) == 0
    # 5 MW need 4 of charging; a MWh costs 0.5 more than it is worth
    hold = reserve(up_mw=[5, 0], providers=["battery"])
    assert profit({**site, "hold": hold}, 2) == pytest.approx(-4 * 0.5)


# figures and errors


def test_figures():
    figures = trade(10, 50, 10, 50, min_energy_mwh=2, initial={"energy_mwh": 2}).summary["figures"]
    assert figures["battery"] == {
        "discharged_mwh": 8,
        "cycles": 1,
        "cycles_per_day": 6,
        "energy_at_end_mwh": 2,
    }


def test_warns_of_an_end_without_value():
    warnings = scenario(
        {"grid": market(1), "battery": battery(ending={"at_least_mwh": 0})}
    ).warnings()
    assert any("will empty the battery" in text for text in warnings)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_energy_mwh": 11}, "min_energy_mwh: may not exceed capacity_mwh"),
        ({"initial": {"energy_mwh": 11}}, "initial.energy_mwh: must lie between"),
        ({"initial": {"energy_mwh": {"grid": 6, "renewable": 5}}}, "initial.energy_mwh: must lie"),
        ({"ending": {"at_least_mwh": 11}}, "ending.at_least_mwh: may not exceed capacity_mwh"),
        ({"ending": "empty"}, "ending"),
        (
            {"cycles_per_day": 0.1, "initial": {"energy_mwh": 0, "discharged_today_mwh": 2}},
            "exceeds the 1 MWh that cycles_per_day allows",
        ),
        ({"charge_efficiency": 0}, "charge_efficiency: must be 0.01 or more"),
        ({"node": "elsewhere"}, "nothing feeds node 'elsewhere'"),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], message: str):
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"grid": market(1), "battery": battery(**fields)})


def test_golden_battery():
    cell = battery(
        min_energy_mwh=1,
        available=[1, 0.5],
        charge_efficiency=0.9,
        discharge_efficiency=0.8,
        leak_per_h=0.01,
        wear_cny_per_mwh=3,
        cycles_per_day=0.5,
        initial={
            "energy_mwh": {"renewable": 1, "thermal": 2, "grid": 3},
            "discharged_today_mwh": 0.5,
        },
        ending={"value_cny_per_mwh": 20},
    )
    site = {"sun": renewable(3, 0), "battery": cell, "city": load(1, 2), "hold": reserve(up_mw=1)}
    golden.check("battery", scenario(site, 2))


def test_golden_battery_that_ends_as_it_began():
    site = {"battery": battery(initial={"energy_mwh": 3}), "grid": two_prices(10, 50)}
    golden.check("battery_pooled", scenario(site, 2, trace=False))
