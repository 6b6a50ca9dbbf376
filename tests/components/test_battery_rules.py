"""Rules that a battery may have: ramp, starts, least powers, origins, targets, energy not for sale.

Unless said otherwise it holds 10 MWh, moves 4 MW without losses and begins empty
(see `tests.support.build.battery`).
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import planner
from planner.auditor.audit import audit_files
from tests.components.test_battery import earned, two_prices
from tests.support import golden
from tests.support.audited import stored
from tests.support.build import *
from tests.support.windows import advance, best_of

DAY = "2026-07-15"
LINE = {"kind": "line", "from_node": "site", "to_node": "east", "capacity_mw": 9}


def trade(*prices: float, **fields: Any) -> planner.Plan:
    """Trade on two prices an hour."""
    return solve({"grid": two_prices(*prices), "battery": battery(**fields)}, len(prices))


def moved(plan: planner.Plan, flow: str) -> list[float]:
    """Return charge or discharge of all origins, MW by step."""
    columns = plan.schedule.filter(regex=rf"^battery\.{flow}_mw\[")
    return [round(mw, 6) + 0.0 for mw in columns.sum(axis=1)]


def net(plan: planner.Plan) -> list[float]:
    """Return discharge less charge, MW by step."""
    flows = zip(moved(plan, "discharge"), moved(plan, "charge"), strict=True)
    return [out - into for out, into in flows]


def codes(plan: planner.Plan) -> list[str]:
    """Return the codes of the battery's reasons."""
    table = plan.reasons
    return list(table.loc[table["component"] == "battery", "code"])


# ramp


def test_power_changes_by_the_ramp() -> None:
    # from 0: -2 MW, then 0, then 2; without the ramp it would buy 4 and sell 4
    plan = trade(10, 30, 50, ramp_mw_per_h=2)
    assert net(plan) == [-2, 0, 2]
    assert earned(plan) == 2 * (50 - 10)
    assert codes(plan)[:2] == ["ramping", "ramping"]


def test_the_ramp_begins_with_the_power_before_the_horizon() -> None:
    plan = trade(10, 50, 50, ramp_mw_per_h=4, initial={"energy_mwh": 0, "power_mw": -4})
    assert net(plan) == [-4, 0, 4]
    with pytest.raises(planner.InfeasibleError, match="ramp_mw_per_h 1 MW/h at most, from initial"):
        trade(10, 50, ramp_mw_per_h=1, initial={"energy_mwh": 0, "power_mw": 4})


@pytest.mark.parametrize("available", [0, 0.25])
def test_the_power_may_fall_with_what_is_available(available: float) -> None:
    fields = {"initial": {"energy_mwh": 9, "power_mw": 4}, "ending": {"at_least_mwh": 0}}
    plan = trade(50, 90, ramp_mw_per_h=0.5, available=[1, available], **fields)
    assert net(plan) == [4, 4 * available]
    first = trade(90, ramp_mw_per_h=0.5, available=available, **fields)
    assert net(first) == [4 * available]


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(60))
def test_a_ramp_holds_at_every_step_and_the_audit_agrees(seed: int) -> None:
    """Random prices, steps, ramps and pasts."""
    rnd = random.Random(seed)
    step_min = rnd.choice([5, 10, 15, 20, 30, 60])
    ramp, before = rnd.choice([1, 2, 5, 30]), rnd.uniform(-0.5, 0.5)
    prices = [rnd.uniform(-20, 60) for _ in range(6)]
    cell = battery(
        ramp_mw_per_h=ramp,
        charge_efficiency=0.9,
        initial={"energy_mwh": 5, "power_mw": before},
        ending={"at_least_mwh": 2, "at_most_mwh": 9},
        available=[rnd.choice([0.2, 1, 1]) for _ in prices],
    )
    site = {"grid": two_prices(*prices), "battery": cell}
    plan = solve(site, len(prices) * step_min / 60, step_min=step_min)
    change = np.abs(np.diff([before, *net(plan)]))
    limits = 4 * np.array([max(abs(before) / 4, cell["available"][0]), *cell["available"]])
    fall = np.maximum(-np.diff(limits), 0.0)
    fall[0] = max(0.0, abs(before) - limits[1])
    assert (change <= ramp * step_min / 60 + fall + 1e-6).all()
    files = stored(plan)
    assert audit_files(files) == []
    if change.max() > 1e-3 and not fall.any():
        tight = dict(files.scenario["components"]["battery"])
        tight["ramp_mw_per_h"] = float(change.max()) * 60 / step_min - 1e-3
        files.scenario["components"]["battery"] = tight
        assert {breach.rule for breach in audit_files(files)} == {"ramp"}


def test_a_ramp_that_never_leads_to_the_least_power_is_an_error() -> None:
    fields = {"ramp_mw_per_h": 6, "min_discharge_power_mw": 2}
    site = {"grid": two_prices(10, 50), "battery": battery(**fields)}
    assert scenario(site, 2).components
    with pytest.raises(planner.ScenarioError, match=r"must be 8 MW/h or more.*step of 15 min"):
        scenario(site, 0.5, step_min=15)


# starts and least powers


def test_every_start_costs() -> None:
    # 4 MWh at 40 twice, less four starts; with 100 a start nothing pays
    plan = trade(10, 50, 10, 50, start_cost_cny=50)
    assert earned(plan) == 2 * 4 * 40 - 4 * 50
    assert total(plan, "battery", "start") == -200
    assert earned(trade(10, 50, start_cost_cny=100)) == 0
    # a pause would be a second start: charge 2 MWh an hour at the price of 20 rather than pause
    plan = trade(10, 21, 10, 50, 50, start_cost_cny=50)
    assert column(plan, "battery.charge_on") == [1, 1, 1, 0, 0]
    assert column(plan, "battery.charge_start") == [1, 0, 0, 0, 0]
    assert moved(plan, "charge")[1] == 0.004  # 0.1 % of the most, so that it is no pause
    assert total(plan, "battery", "start") == -100


def test_what_it_did_before_the_horizon_is_no_start() -> None:
    for power_mw, starts in ((0, 2), (-1, 1), (1, 2)):
        initial = {"energy_mwh": 0, "power_mw": power_mw}
        plan = trade(10, 50, start_cost_cny=10, initial=initial)
        assert total(plan, "battery", "start") == -10 * starts


def test_an_outage_ends_a_start() -> None:
    plan = trade(10, 10, 10, 90, 90, 90, start_cost_cny=1, available=[1, 0, 1, 1, 1, 1])
    assert column(plan, "battery.charge_on") == [1, 0, 1, 0, 0, 0]
    assert total(plan, "battery", "start") == -3


def test_it_charges_with_the_least_power_or_not_at_all() -> None:
    # 3 MWh fit: 3 MW would do, 4 MW is too much
    assert earned(trade(10, 50, capacity_mwh=3, min_charge_power_mw=3)) == 3 * 40
    plan = trade(10, 50, capacity_mwh=3, min_charge_power_mw=4)
    assert net(plan) == [0, 0]
    assert codes(plan)[0] == "not_started"
    # half of it is available, and half of the least power is enough
    assert net(trade(10, 50, capacity_mwh=2, min_charge_power_mw=4, available=0.5)) == [-2, 2]


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(60))
def test_least_powers_and_starts_are_those_of_the_schedule(seed: int) -> None:
    """Counted from the powers alone, whatever the solver's binaries say."""
    rnd = random.Random(seed)
    least = rnd.choice([0.0, 0.5, 1.5]), rnd.choice([0.0, 0.5, 2.5])
    cost, before = rnd.choice([0, 2, 20]), rnd.choice([-1.0, 0.0, 1.0])
    prices = [rnd.choice([5, 10, 20, 40, 41, 60]) for _ in range(7)]
    cell = battery(
        capacity_mwh=rnd.choice([3, 7.3, 10]),
        min_charge_power_mw=least[0],
        min_discharge_power_mw=least[1],
        start_cost_cny=cost,
        discharge_efficiency=0.95,
        initial={"energy_mwh": 2, "power_mw": before},
        ending={"value_cny_per_mwh": rnd.choice([-5, 0, 30])},
    )
    plan = solve({"grid": two_prices(*prices), "battery": cell}, len(prices))
    starts = 0
    for way, sign, low in (("charge", -1, least[0]), ("discharge", 1, least[1])):
        power = np.array(moved(plan, way))
        assert (power[power > 1e-6] >= low - 1e-6).all()
        on = np.concatenate([[sign * before > 0], power > 1e-6])
        starts += int((on[1:] & ~on[:-1]).sum())
    assert total(plan, "battery", "start") == pytest.approx(-cost * starts)


# origins


def test_it_is_charged_only_from_what_is_listed() -> None:
    site = {"grid": two_prices(10, 50), "sun": renewable(1, 0), "battery": battery()}
    assert used(solve(site, 2), "export", "grid") == 3
    green = battery(charge_from=["renewable"])
    plan = solve({**site, "battery": green}, 2)
    assert moved(plan, "charge") == [1, 0]
    assert codes(plan)[0] == "charges"
    dark = solve({**site, "sun": renewable(0, 0), "battery": green}, 2)
    assert codes(dark)[0] == "origin_not_allowed"
    with pytest.raises(planner.ScenarioError, match="charge_from: needs `trace: true`"):
        scenario({**site, "battery": green}, 2, trace=False)
    every = battery(charge_from=["grid", "thermal", "renewable"])
    assert scenario({**site, "battery": every}, 2, trace=False)


def test_an_origin_that_makes_a_plan_impossible_is_named() -> None:
    cell = battery(charge_from=["renewable"], ending={"at_least_mwh": 2})
    with pytest.raises(planner.InfeasibleError) as caught:
        solve({"sun": renewable(0), "grid": grid(resale=True), "battery": cell})
    assert "only with energy of charge_from renewable" in str(caught.value)
    assert "charge_from: [renewable, thermal, grid]" in str(caught.value)


# energy that is not for sale


def test_what_it_discharges_is_used_on_the_site() -> None:
    # 3 MW of load instead of 4 MW sold at 60
    city, store = load(0, 3), battery(discharge_to_grid=False)
    site = {"grid": two_prices(10, 60), "battery": store, "city": city}
    plan = solve(site, 2)
    assert moved(plan, "discharge") == [0, 3]
    assert codes(plan)[1] == "own_use_only"
    # what the sun gives meanwhile may be sold
    plan = solve({**site, "sun": renewable(0, 5)}, 2)
    assert column(plan, "grid.export_mw[renewable]") == [0, 5]
    pooled = solve(site, 2, trace=False)
    assert moved(pooled, "discharge") == [0, 3]


def test_without_use_on_the_site_it_never_discharges() -> None:
    site = {"grid": two_prices(10, 60), "battery": battery(discharge_to_grid=False)}
    assert net(solve(site, 2)) == [0, 0]
    assert any("it can never discharge" in text for text in scenario(site, 2).warnings())


def test_it_is_not_sold_beyond_a_line_nor_through_another_battery() -> None:
    store = battery(discharge_to_grid=False)
    ends = {"grid": two_prices(10, 60, node="east"), "battery": store, "cable": LINE}
    assert earned(solve(ends, 2)) == 0
    # a load at the far end may use it: 2 MWh at 60 saved, less 2 / 0.8 bought, and lost in between
    plan = solve({**ends, "cable": LINE | {"loss_share": 0.2}, "farm": load(0, 2, node="east")}, 2)
    assert moved(plan, "discharge") == [0, 2.5]
    assert column(plan, "battery.unsold_mw[cable|site|grid]") == [0, 2.5]
    assert earned(plan) == pytest.approx(-10 * 2.5 / 0.8)
    # discharging in the second hour into a battery that sells in the third
    other = battery(charge_power_mw=1, available=[0, 1, 1])
    beside = {"grid": two_prices(10, 20, 60), "battery": store, "other": other}
    assert earned(solve(beside, 3)) == 1 * (60 - 20)
    barred = solve({**beside, "other": other | {"discharge_to_grid": False}}, 3)
    assert earned(barred) == 0


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(60))
def test_energy_that_is_not_for_sale_is_used_somewhere(seed: int) -> None:
    """On one node: never more than the load draws; on two, the audit follows it over the line."""
    rnd = random.Random(seed)
    prices = [rnd.choice([-5, 10, 30, 60]) for _ in range(4)]
    demand = [rnd.choice([0, 1, 3]) for _ in prices]
    cell = battery(discharge_to_grid=False, initial={"energy_mwh": 3}, ending={"at_least_mwh": 0})
    site: dict[str, Any] = {"grid": two_prices(*prices), "battery": cell, "city": load(*demand)}
    if seed % 2:
        site |= {"cable": LINE | {"loss_share": 0.1}, "farm": load(*demand[::-1], node="east")}
        site["second"] = cell | {"node": "east", "discharge_to_grid": rnd.random() < 0.5}
    plan = solve(site, len(prices))
    files = stored(plan)
    assert audit_files(files) == []
    if not seed % 2:
        assert (np.array(moved(plan, "discharge")) <= np.array(demand) + 1e-6).all()
        free = site | {"battery": cell | {"discharge_to_grid": True}}
        sold = solve(free, len(prices))
        if (np.array(moved(sold, "discharge")) > np.array(demand) + 1e-3).any():
            files = stored(sold)
            files.scenario["components"]["battery"]["discharge_to_grid"] = False
            assert "own_use" in {breach.rule for breach in audit_files(files)}


# energy at a time


def test_targets_hold_at_their_times() -> None:
    # 2 MWh at most at 01:00; 3 MWh at 02:00, of which 1 is bought at 50 and sold at 20
    targets = [
        {"time": f"{DAY} 02:00", "at_least_mwh": 3},
        {"time": f"{DAY}T01:00:00+08:00", "at_most_mwh": 2},
    ]
    plan = trade(10, 50, 20, energy_targets=targets)
    assert column(plan, "battery.energy_mwh[grid]") == [2, 3, 0]
    assert earned(plan) == -2 * 10 - 1 * 50 + 3 * 20
    assert codes(plan) == ["charges", "charges_for_target", "discharges"]
    assert plan.reasons["reason"].iloc[1].endswith("30 of it for the target at 07-15 02:00")
    at_end = trade(10, 50, energy_targets=[{"time": "2026-07-15 02:00", "at_least_mwh": 0}])
    assert earned(at_end) == 160


def test_a_target_keeps_energy_in_store() -> None:
    target = {"time": f"{DAY} 02:00", "at_least_mwh": 4}
    initial = {"energy_mwh": 4}
    cell = battery(energy_targets=[target], initial=initial, ending={"at_least_mwh": 0})
    plan = solve({"grid": two_prices(50, 60, import_limit_mw=0), "battery": cell}, 2)
    assert net(plan) == [0, 0]
    assert codes(plan)[1] == "held_for_target"


@pytest.mark.parametrize(
    ("time", "message"),
    [
        (f"{DAY} 00:30", "must be the start of a step: 2026-07-15 00:00 or 2026-07-15 01:00"),
        (f"{DAY} 03:00", "must lie in the horizon, 2026-07-15 00:00 to 2026-07-15 02:00"),
        ("2026-07-14T15:00:00+00:00", "must lie in the horizon"),
        ("noon", "must be a time such as 2026-07-15 18:00, is 'noon'"),
        (18, "must be a time such as"),
    ],
)
def test_a_wrong_time_is_an_error_that_says_what_is_right(time: Any, message: str) -> None:
    cell = battery(energy_targets=[{"time": time, "at_least_mwh": 1}])
    with pytest.raises(planner.ScenarioError, match=rf"energy_targets\[0\].time: {message}"):
        scenario({"grid": market(1, 1), "battery": cell}, 2)


FULL = {"initial": {"energy_mwh": 9}}


@pytest.mark.parametrize(
    ("targets", "fields", "message"),
    [
        ([{"time": f"{DAY} 01:00", "at_least_mwh": 5}], {},
         "must hold 5 MWh at 07-15 01:00 .* and can reach 4 MWh, charging all the time"),
        ([{"time": f"{DAY} 01:00", "at_most_mwh": 1}, {"time": f"{DAY} 02:00", "at_least_mwh": 6}],
         {}, "must hold 6 MWh at 07-15 02:00 .* and can reach 5 MWh"),
        ([{"time": f"{DAY} 01:00", "at_least_mwh": 3}, {"time": f"{DAY} 01:00", "at_most_mwh": 2}],
         {}, "must hold 3 MWh or more and 2 MWh or less at 07-15 01:00"),
        ([{"time": f"{DAY} 01:00", "at_most_mwh": 2}], FULL,
         "still holds 5 MWh, discharging all the time"),
        ([], FULL | {"ending": {"at_most_mwh": 0}}, "must end with 0 MWh or less and still"),
    ],
)  # fmt: skip
def test_targets_out_of_reach_are_explained(targets: Any, fields: Any, message: str) -> None:
    with pytest.raises(planner.InfeasibleError, match=message):
        trade(10, 50, energy_targets=targets, **fields)


def test_a_target_that_the_site_cannot_meet_is_named() -> None:
    target = {"time": f"{DAY} 02:00", "at_least_mwh": 6}
    site = {"sun": renewable(2, 3), "battery": battery(energy_targets=[target])}
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(site, 2)
    assert "must hold 6 MWh or more at 07-15 02:00 (energy_targets)" in str(caught.value)
    assert "energy_targets[0].at_least_mwh" in str(caught.value)


def test_the_end_has_two_limits_and_a_price_that_may_be_negative() -> None:
    start = {"energy_mwh": 5}
    both = trade(-50, -50, initial=start, ending={"at_least_mwh": 6, "at_most_mwh": 7})
    assert both.summary["figures"]["battery"]["energy_at_end_mwh"] == 7
    low = trade(90, 10, initial=start, ending={"at_most_mwh": 7})
    assert low.summary["figures"]["battery"]["energy_at_end_mwh"] == 0
    # paid 5 for every MWh that it takes out
    plan = trade(-4, initial=start, ending={"value_cny_per_mwh": -5})
    assert earned(plan) == 4 * 1
    assert total(plan, "battery", "end_value") == 20


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_charge_power_mw": 5}, "min_charge_power_mw: may not exceed charge_power_mw"),
        ({"min_discharge_power_mw": 5}, "min_discharge_power_mw: may not exceed discharge_power"),
        ({"charge_from": []}, "charge_from"),
        ({"charge_from": ["sun"]}, "charge_from"),
        ({"energy_targets": [{"time": DAY}]}, "must hold at_least_mwh, at_most_mwh or both"),
        ({"energy_targets": [{"time": DAY, "at_least_mwh": 1}]}, "for the start of the horizon"),
        ({"energy_targets": [{"time": f"{DAY} 01:00", "at_least_mwh": 11}]}, "capacity_mwh"),
        ({"ending": {"at_least_mwh": 3, "at_most_mwh": 2}}, "may not exceed at_most_mwh"),
        ({"ending": {"at_least_mwh": None}}, "must hold at_least_mwh, at_most_mwh or both"),
        ({"min_energy_mwh": 2, "initial": {"energy_mwh": 2}, "ending": {"at_most_mwh": 1}},
         "must be min_energy_mwh 2 or more"),
    ],
)  # fmt: skip
def test_errors_name_the_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"grid": market(1), "battery": battery(**fields)})


# what windows hand on


def test_power_and_targets_are_handed_on() -> None:
    targets = [{"time": f"{DAY} 0{hour}:00", "at_most_mwh": 8} for hour in (1, 2, 3)]
    plan = trade(10, 20, 40, 50, ramp_mw_per_h=2, energy_targets=targets)
    left = advance(plan, 1, 2).components["battery"]
    assert left.initial.power_mw == pytest.approx(net(plan)[1], abs=1e-6)
    assert [target.point for target in left.energy_targets] == [3]
    assert advance(trade(10, 50), 1, 1).components["battery"].initial.power_mw == -4


@pytest.mark.few(5)
@pytest.mark.parametrize("seed", range(12))
def test_two_parts_earn_what_the_whole_earns(seed: int) -> None:
    rnd = random.Random(seed)
    prices = [rnd.choice([5, 10, 20, 40, 60]) for _ in range(8)]
    cell = battery(
        ramp_mw_per_h=3,
        start_cost_cny=4,
        min_charge_power_mw=1,
        energy_targets=[{"time": f"{DAY} 05:00", "at_least_mwh": 3, "at_most_mwh": 6}],
        ending={"at_least_mwh": 0},
    )
    plan = solve({"grid": two_prices(*prices), "battery": cell}, 8)
    for k in (2, 5, 6):
        rows = plan.ledger["period"].isin({t.isoformat() for t in plan.schedule.index[:k]})
        first = float(plan.ledger.loc[rows, "amount_cny"].sum())
        parts = first + best_of(advance(plan, 1, k), k + 1)
        assert parts == pytest.approx(earned(plan), abs=1e-4), f"cut after step {k}"


@pytest.mark.parametrize(("hours", "execute"), [(6, 3), (4, 2)])
def test_a_rolled_plan_keeps_ramp_and_targets_as_a_whole(hours: float, execute: float) -> None:
    """It is audited as a whole; a target after a window is not out of reach at its end."""
    prices = [10, 60, 10, 60, 30, 50, 20, 40, 10, 60, 10, 60]
    cell = battery(
        ramp_mw_per_h=3,
        energy_targets=[
            {"time": f"{DAY} 08:00", "at_least_mwh": 9},
            {"time": f"{DAY} 10:00", "at_most_mwh": 4},
        ],
    )
    site = scenario({"grid": two_prices(*prices), "battery": cell}, 12)
    for bound in (True, False):
        plan = planner.roll(site, hours, execute, bound=bound)
        assert np.abs(np.diff([0, *net(plan)])).max() <= 3 + 1e-6
        energy = column(plan, "battery.energy_mwh[grid]")
        assert energy[7] >= 9 - 1e-6
        assert energy[9] <= 4 + 1e-6
        assert earned(plan) <= earned(planner.solve(site)) + 1e-6


# warnings, prices and the program


def test_energy_that_cannot_be_sold_is_explained() -> None:
    site = {
        "grid": market(300, 300),
        "b": battery(initial={"energy_mwh": 10}, ending={"at_least_mwh": 0}),
    }

    def warned(**change: Any) -> list[str]:
        return [str(text) for text in scenario({**site, **change}, 2).warnings()]

    (text,) = warned()
    assert "its 10 MWh of grid energy cannot be sold" in text
    assert "`initial: {energy_mwh: {renewable: 10}}`, or `resale: true`" in text
    empties = "the plan will empty the battery"
    assert empties in warned(grid=market(300, 300, resale=True))[0]
    green = site["b"] | {"initial": {"energy_mwh": {"renewable": 10}}}
    assert empties in warned(b=green)[0]
    assert profit({**site, "b": green}, 2) == 8 * 300
    assert empties in warned(city=load(1, 1))[0]


def test_prices_of_ramp_and_targets() -> None:
    target = {"time": f"{DAY} 02:00", "at_least_mwh": 3}
    site = {"grid": two_prices(10, 50, 20), "battery": battery(energy_targets=[target])}
    # 2 MWh bought at 10 and the third at 50 where 2 MW may be charged in the first hour
    site["battery"] |= {"available": [0.5, 1, 1]}
    totals = planner.prices(scenario(site, 3)).totals.set_index("quantity")["value"]
    assert totals["at_least_mwh"] == pytest.approx(20 - 50)
    steep = {"grid": two_prices(10, 30, 50), "battery": battery(ramp_mw_per_h=2)}
    found = planner.prices(scenario(steep, 3)).totals.set_index("quantity")
    assert found.loc["ramp_mw_per_h", "value"] == pytest.approx(50 - 10)
    assert found.loc["ramp_mw_per_h", "unit"] == "CNY/(MW/h)"


def test_golden_battery_with_every_rule() -> None:
    cell = battery(
        min_charge_power_mw=1,
        min_discharge_power_mw=0.5,
        available=[1, 0.5],
        ramp_mw_per_h=3,
        start_cost_cny=7,
        charge_from=["renewable", "grid"],
        discharge_to_grid=False,
        energy_targets=[{"time": f"{DAY} 01:00", "at_least_mwh": 2, "at_most_mwh": 5}],
        initial={"energy_mwh": {"renewable": 1, "grid": 3}, "power_mw": -0.5},
        ending={"at_least_mwh": 1, "at_most_mwh": 6},
    )
    site = {"battery": cell, "city": load(1, 2), "grid": two_prices(10, 50), "cable": LINE,
            "farm": load(1, 0, node="east")}  # fmt: skip
    golden.check("battery_rules", scenario(site, 2))
