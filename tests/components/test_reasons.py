"""Reasons: every code once, with its figures; the audit finds codes that the schedule refutes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import planner
from planner.auditor.audit import audit_files
from planner.auditor.plan_files import Files, read_files
from planner.auditor.prices import check_reasons
from planner.components.battery import reasons as of_battery
from planner.components.fleet import reasons as of_fleet
from planner.components.grid import reasons as of_grid
from planner.components.reasons import (
    PriceComparison,
    PricePair,
    first_that_holds,
    money,
    token_money,
    versus,
)
from planner.components.service import reasons as of_service
from planner.components.thermal import reasons as of_thermal
from planner.language.language import language
from planner.message import Message
from tests.support import compute, full_site
from tests.support.audited import Audit, audited_anew
from tests.support.build import (
    battery,
    carbon,
    green_rule,
    grid,
    load,
    renewable,
    reserve,
    scenario,
    solve,
    thermal,
)
from tests.support.sites import random_site

TAKEN = ["no_capacity: price 20 as the break-even: both earn the same, every node is taken"]


def reasons_of(plan: planner.Plan, component: str, decision: str) -> list[str]:
    """The code and the reason of every step."""
    table = plan.reasons
    rows = table[(table["component"] == component) & (table["decision"] == decision)]
    return [f"{row.code}: {row.reason}" for row in rows.itertuples()]


def trading(*prices: float, **more: Any) -> dict[str, Any]:
    """A grid that buys and sells at one price."""
    series = list(prices)
    both = {"import_price_cny_per_mwh": series, "export_price_cny_per_mwh": series}
    return grid(resale=True, **both, **more)


def cell(prices: list[float], **fields: Any) -> list[str]:
    """A battery beside a grid that trades at some prices, with pooled energy."""
    parts = {"grid": trading(*prices), "cell": battery(**fields)}
    return reasons_of(solve(parts, len(prices), trace=False), "cell", "power")


def test_a_battery_charges_and_discharges_as_far_as_it_may() -> None:
    """6 MW bought at 10; 4 MW sold at 50, the rest at 45, which is what a MWh more would bring."""
    assert cell([10, 50, 45], charge_power_mw=6, ending={"at_least_mwh": 0}) == [
        "charges_at_limit: price 10 < 45 worth of storing",
        "discharges_at_limit: price 50 > 45 stored value",
        "discharges: price 45 > 0 stored value",
    ]


def test_a_battery_fills_up_with_losses_and_wear() -> None:
    """3 MWh hold 6 MWh bought; kept, a MWh sells for 60 x 0.8 - 8: worth 40, half of it stored."""
    losses = {"charge_efficiency": 0.5, "discharge_efficiency": 0.8, "wear_cny_per_mwh": 10}
    fields = {"capacity_mwh": 3, "charge_power_mw": 8, **losses, "ending": {"at_least_mwh": 0}}
    assert cell([10, 60], **fields) == [
        "charges: price 10 < 20 worth of storing",
        "discharges: price 60 > 10 stored value",
    ]
    full = fields | {"initial": {"energy_mwh": 3}}
    assert cell([15, 60], **full)[0] == "full: price 15 < 20 worth of storing"


def test_a_battery_rests_where_neither_way_pays() -> None:
    fields = {"charge_efficiency": 0.5, "initial": {"energy_mwh": 3}}
    assert cell([50], **fields, ending={"value_cny_per_mwh": 60}) == [
        "idle: price 50 > 30 worth of storing; price 50 < 60 stored value"
    ]


def test_an_empty_battery_would_sell() -> None:
    assert cell([50, 40], ending={"at_least_mwh": 0}) == [
        "empty: price 50 > 40 stored value",
        "empty: price 40 > 0 stored value",
    ]


def test_a_battery_that_is_not_there() -> None:
    fields = {"available": [0, 1], "initial": {"energy_mwh": 4}, "ending": {"at_least_mwh": 0}}
    assert cell([50, 40], **fields) == [
        "unavailable: available is 0",
        "discharges_at_limit: price 40 > 0 stored value",
    ]


def test_a_battery_that_has_used_its_cycles() -> None:
    """0.4 cycles of 10 MWh are spent in the first step."""
    fields = {"cycles_per_day": 0.4, "initial": {"energy_mwh": 8}, "ending": {"at_least_mwh": 0}}
    assert cell([50, 45], **fields)[1] == "cycles_used: price 45 > 0 stored value"


def test_a_battery_held_for_reserve() -> None:
    """4 MWh are all the reserve there is, and feed it for an hour."""
    parts = {
        "grid": trading(50),
        "cell": battery(initial={"energy_mwh": 4}, ending={"at_least_mwh": 0}),
        "hold": reserve(up_mw=4, providers=["cell"]),
    }
    plan = solve(parts, 1, trace=False)
    assert reasons_of(plan, "cell", "power") == ["held_for_reserve: price 50 > 0 stored value"]


def test_a_battery_speaks_of_the_origin_that_it_moves() -> None:
    """Sun sells for 60, coal for 30: the sun in the store is what is sold."""
    sale = grid(import_limit_mw=0, export_price_cny_per_mwh={"renewable": 60, "thermal": 30})
    start = {"energy_mwh": {"renewable": 2, "thermal": 3}}
    parts = {"grid": sale, "cell": battery(initial=start, ending={"value_cny_per_mwh": 40})}
    assert reasons_of(solve(parts), "cell", "power") == ["discharges: price 60 > 40 stored value"]


def unit(prices: list[float], demand: float, **fields: Any) -> list[str]:
    """A unit that serves a load beside a grid, with pooled energy."""
    steps = len(prices)
    parts = {
        "grid": grid(import_price_cny_per_mwh=prices, export_limit_mw=0, resale=True),
        "town": load(*[demand] * steps),
        "coal": thermal(**fields),
    }
    return reasons_of(solve(parts, steps, trace=False), "coal", "run")


def test_a_unit_starts_runs_full_stops_and_rests() -> None:
    """Fuel is 10; started for 500 it gives 200 MWh in two hours: 10 + 2.5."""
    startups = [{"off_h": 0, "cost_cny": 500}]
    assert unit([5, 30, 30, 5, 6], 150, startups=startups) == [
        "off: price 5 < 10 fuel per MWh at min_power_mw",
        "starts: mean price 30 > 12.5 fuel and start, over 2 steps",
        "at_maximum: price 30 > 10 fuel",
        "stops: price 5 < 10 fuel per MWh at min_power_mw",
        "off: price 6 < 10 fuel per MWh at min_power_mw",
    ]


def test_a_unit_that_must_run_at_its_minimum_or_between() -> None:
    on = {"on": True, "power_mw": 20, "hours": 9}
    assert unit([5, 30], 50, must_run=True, initial=on) == [
        "at_minimum: price 5 < 10 fuel",
        "between: price 10 as fuel: both earn the same",
    ]


def test_a_unit_that_its_times_hold_off_or_on() -> None:
    """Off for an hour of three it may not start at 30. 100 MW at 30 and 20 at 5: 25.8."""
    times = {"min_down_h": 3, "min_up_h": 2, "initial": {"on": False, "hours": 1}}
    assert unit([30, 30, 30, 5], 150, **times) == [
        "must_rest: price 30 > 10 fuel per MWh at min_power_mw; min_down_h 3",
        "must_rest: price 30 > 10 fuel per MWh at min_power_mw; min_down_h 3",
        "starts: mean price 25.8 > 10 fuel and start, over 2 steps",
        "must_run_on: price 5 < 10 fuel; min_up_h 2",
    ]


def test_a_unit_that_ramps() -> None:
    """Net of 20 % own use and with other cost of 6, fuel of 10 is 16 / 0.8 = 20 at the node."""
    on = {"on": True, "power_mw": 20, "hours": 9}
    net = {"auxiliary_share": 0.2, "variable_cost_cny_per_mwh": 6}
    assert unit([30], 150, ramp_up_mw_per_h=30, initial=on, **net) == [
        "ramps_up: price 30 > 20 fuel"
    ]
    full = {"on": True, "power_mw": 100, "hours": 9}
    fields = {"ramp_down_mw_per_h": 30, "must_run": True, "initial": full}
    assert unit([5], 150, **fields) == ["ramps_down: price 5 < 10 fuel"]


def test_a_unit_in_an_outage() -> None:
    assert unit([30], 50, available=[0]) == ["outage: available is too small for min_power_mw"]


def test_the_margin_of_a_unit_is_that_of_its_segment() -> None:
    """10 up to 60 MW, 20 beyond: at 60 MW one more MWh would cost 20, the last one cost 10."""
    curve = [
        {"power_mw": 20, "fuel_gj_per_h": 20}, {"power_mw": 60, "fuel_gj_per_h": 60},
        {"power_mw": 100, "fuel_gj_per_h": 140},
    ]  # fmt: skip
    on = {"on": True, "power_mw": 60, "hours": 9}
    texts = unit([15, 30], 150, curve=curve, must_run=True, initial=on)
    assert texts == ["between: price 15 > 10 fuel", "at_maximum: price 30 > 20 fuel"]


def bought(parts: dict[str, Any], **more: Any) -> list[str]:
    return reasons_of(solve(parts, **more), "grid", "import")


def sold(parts: dict[str, Any], **more: Any) -> list[str]:
    return reasons_of(solve(parts, **more), "grid", "export")


def test_import_and_why_not() -> None:
    town = load(5, shed_cost_cny_per_mwh=500)
    dear = grid(import_price_cny_per_mwh=100, export_limit_mw=0, resale=True)
    assert bought({"grid": dear, "town": town}) == [
        "imports: price 100 as on site: both earn the same"
    ]
    narrow = {"grid": dear | {"import_limit_mw": 3}, "town": town}
    assert bought(narrow) == ["import_at_limit: price 100 < 500 on site"]
    charged = {"grid": dear | {"demand_charge_cny_per_mw_month": 40}, "town": town}
    expected = "at_peak: price 100 < 140 on site, at the peak of the month"
    assert bought(charged) == [expected]
    sunny = {"grid": dear, "town": town, "sun": renewable(9)}
    assert bought(sunny, trace=False) == ["no_import: price 100 > 0 on site"]
    shut = {"grid": dear | {"import_limit_mw": 0}, "town": town}
    assert bought(shut) == ["closed: import_limit_mw is 0"]


def test_what_else_than_the_price_decides_is_named() -> None:
    """Response pays more than buying is worth, leaving the band costs 30, exporting 100."""
    town = load(5, shed_cost_cny_per_mwh=500)
    event = {"hours": ["0-24"], "baseline_mw": 5, "reward_cny_per_mwh": 450, "max_mw": 9}
    cheap = grid(import_price_cny_per_mwh=100, export_limit_mw=0, response=[event])
    texts = bought({"grid": cheap, "town": town})
    assert texts == ["held: price 100 < 500 on site; also response"]
    market = {"exchange_mw": 2, "over_cost_cny_per_mwh": 30}
    declared = grid(export_limit_mw=0, real_time_price_cny_per_mwh=100, declaration=market)
    texts = bought({"grid": declared, "town": town})
    assert texts == ["imports: price 100 < 130 on site; also declaration"]
    green = green_rule(max_export_share=0, penalty_cny_per_mwh=100)
    texts = sold({"grid": grid(export_price_cny_per_mwh=90), "sun": renewable(9), "rule": green})
    assert texts == ["held: renewable price 90 > -10 on site; also rule"]


@pytest.mark.parametrize("rule", [{"price_cny_per_tco2": 20}, {"budget_tco2": 25}])
def test_carbon_is_part_of_what_fuel_and_import_cost(rule: dict[str, Any]) -> None:
    """Coal at 10 and half a tonne, purchase at 40: 50 MWh within the budget, or 10 + 20 / 2."""
    coal = thermal(emission_tco2_per_gj=0.5, initial={"on": True, "power_mw": 50, "hours": 9})
    parts = {"coal": coal, "grid": grid(export_limit_mw=0), "co2": carbon(**rule)}
    plan = solve(parts | {"town": load(120)})
    if "budget_tco2" in rule:  # a tonne is worth the 30 CNY that it saves on each of 2 MWh
        assert reasons_of(plan, "coal", "run") == ["between: price 40 as fuel: both earn the same"]
    else:
        assert reasons_of(plan, "coal", "run") == ["at_maximum: price 40 > 20 fuel"]
    imported = grid(export_limit_mw=0, import_emission_tco2_per_mwh=0.5)
    priced = carbon(price_cny_per_tco2=20, price_imports=True)
    texts = bought({"grid": imported, "town": load(9), "co2": priced})
    assert texts == ["imports: price 50 as on site: both earn the same"]


def test_export_and_why_not() -> None:
    sun, sale = renewable(10), grid(export_price_cny_per_mwh={"renewable": 30, "thermal": 20})
    assert sold({"grid": sale, "sun": sun}) == [
        "exports: renewable price 30 as on site: both earn the same"
    ]
    narrow = sale | {"export_limit_mw": 5}
    expected = ["export_at_limit: renewable price 30 > 0 on site"]
    assert sold({"grid": narrow, "sun": sun}) == expected
    needed = {"grid": sale, "sun": sun, "town": load(20)}
    assert sold(needed) == ["better_on_site: renewable price 30 < 40 on site"]
    night = {"grid": sale, "sun": renewable(0), "town": load(20)}
    assert sold(night) == ["nothing_to_sell: no energy that may be sold"]
    shut = {"grid": sale | {"export_limit_mw": 0}, "sun": sun}
    assert sold(shut) == ["closed: export_limit_mw is 0"]


def dropped(decision: str, hours: float = 1, nodes: float = 10, **service: Any) -> list[str]:
    parts = compute.site(fleet=compute.fleet(nodes), work=service)
    return reasons_of(solve(parts, hours), "work", decision)


def test_interactive_work_and_why_it_is_dropped() -> None:
    """A Mtok takes 0.111 MWh for 100: 11.1."""
    assert dropped("answer", **compute.chat(18)) == ["all_answered: price 20 > 11.1 break-even"]
    full = TAKEN
    assert dropped("answer", **compute.chat(180)) == full
    cheap = ["price_below_cost: price 5 does not pay"]
    assert dropped("answer", **compute.chat(18, 5)) == cheap
    # beside work that pays the cost is known; 4 of penalty are avoided by an answer: 11.11 - 4
    costly = compute.chat(18, 5, unserved_cost_cny_per_mtok=4)
    parts = compute.site(fleet=compute.fleet(10), work=costly, pays=compute.chat(18, 20))
    assert reasons_of(solve(parts), "work", "answer") == [
        "price_below_cost: price 5 < 7.11 break-even"
    ]
    assert dropped("answer", **compute.chat(0)) == ["nothing_wanted: no work is asked for"]


def test_batch_work_and_why_it_is_refused() -> None:
    fine = dropped("accept", 2, **compute.batch([18, 0], deadline_h=1))
    assert fine == [
        "all_accepted: price 20 > 11.1 break-even",
        "nothing_wanted: no work is asked for",
    ]
    full = dropped("accept", **compute.batch(180, deadline_h=0))
    assert full == [
        "no_capacity: price 20 as the break-even: both earn the same, every node is taken"
    ]
    cheap = dropped("accept", **compute.batch(18, 5, deadline_h=0))
    assert cheap == ["price_below_cost: price 5 does not pay"]


def test_batch_work_is_judged_in_its_best_step() -> None:
    """At 300 CNY/MWh it would break even at 33.3; it waits an hour for 100."""
    parts = compute.site([300, 100], fleet=compute.fleet(10), work=compute.batch([18, 0], 20, 1))
    assert (
        reasons_of(solve(parts, 2), "work", "accept")[0]
        == "all_accepted: price 20 > 11.1 break-even"
    )


def test_the_market_and_why_less_is_sold() -> None:
    all_of_it = dropped("sell", **compute.market((9, 20), (9, 15)))
    assert all_of_it == ["all_sold: price 17.5 > 11.1 break-even"]
    cheap = dropped("sell", **compute.market((9, 20), (9, 5)))
    assert cheap == ["price_below_cost: price 5 < 11.1 break-even"]
    full = dropped("sell", **compute.market((99, 20), (9, 15)))
    assert full == [
        "no_capacity: price 20 as the break-even: both earn the same, every node is taken"
    ]


def site_plan() -> planner.Plan:
    return planner.solve(scenario(random_site(2, 8), 8))


def test_every_plan_has_a_reason_for_every_decision_of_every_step(tmp_path: Path) -> None:
    plan = planner.solve(planner.load(full_site.write(tmp_path)))
    decisions = set(zip(plan.reasons["component"], plan.reasons["decision"], strict=True))
    assert decisions == {
        ("battery", "power"), ("coal", "run"), ("grid", "import"), ("grid", "export"),
        ("chat", "answer"), ("batch", "accept"), ("api", "sell"), ("gpus", "sleep"),
    }  # fmt: skip
    assert (plan.reasons.groupby(["component", "decision"]).size() == 12).all()
    assert not plan.reasons["reason"].str.contains("nan").any()


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(8))
def test_the_reasons_of_random_sites_are_borne_out(seed: int, tmp_path: Path) -> None:
    plan = planner.solve(scenario(random_site(seed, 10), 10))
    folder = plan.write(tmp_path / "plan")
    assert planner.audit(folder) == []
    assert planner.read_plan(folder) == plan
    assert not plan.reasons["reason"].str.contains("nan").any()


def test_a_relaxed_plan_has_no_reasons(tmp_path: Path) -> None:
    plan = planner.solve(scenario(random_site(2, 6), 6, solver={"relax": True}))
    assert plan.reasons.empty
    assert planner.read_plan(plan.write(tmp_path / "plan")) == plan


def changed(files: Files, component: str, decision: str, at: int, /, **to: str) -> Files:
    """Change a row of why.csv, of a step counted from 1."""
    assert files.why is not None
    why = files.why.copy()
    rows = why.index[(why["component"] == component) & (why["decision"] == decision)]
    for name, text in to.items():
        why.loc[rows[at - 1], name] = text
    return dataclasses.replace(files, why=why)


CODES = {
    ("battery", "power"): [
        "charges", "charges_at_limit", "discharges", "discharges_at_limit", "unavailable",
        "full", "empty", "held_for_reserve", "cycles_used", "idle",
    ],
    ("coal", "run"): [
        "starts", "stops", "must_stop", "off", "must_rest", "starts_used", "outage", "at_minimum",
        "must_run_on", "at_maximum", "ramps_up", "ramps_down", "between",
    ],
    ("grid", "import"): ["imports", "import_at_limit", "at_peak", "no_import", "held", "closed"],
    ("grid", "export"): [
        "exports", "export_at_limit", "better_on_site", "held", "nothing_to_sell", "closed",
    ],
    ("chat", "answer"): ["all_answered", "no_capacity", "price_below_cost", "nothing_wanted"],
    ("gpus", "sleep"): ["wakes", "goes_to_sleep", "held", "idles", "sleeps", "all_awake"],
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("why")
    half = [1] * 6 + [0] * 6
    change = {
        "components.grid.demand_charge_cny_per_mw_month": 10,
        "components.grid.export_price_cny_per_mwh.thermal": [380 - 200 * h for h in half],
        "components.chat.demand_mtok_per_h": {"scale": 6000},
        "components.town.demand_mw": [100 - 90 * h for h in half],
    }
    planner.solve(planner.load(full_site.write(folder), set=change)).write(folder / "plan")
    return read_files(folder / "plan")


@pytest.fixture(scope="module")
def audit_reasons(files: Files) -> Audit:
    return audited_anew(files, check_reasons)


def test_the_reasons_to_be_changed_are_good(files: Files) -> None:
    assert audit_files(files) == []


@pytest.mark.parametrize(
    ("component", "decision", "code"),
    [(*key, code) for key, codes in CODES.items() for code in codes],
)
def test_a_code_that_the_schedule_denies_is_a_breach(
    files: Files, audit_reasons: Audit, component: str, decision: str, code: str
) -> None:
    """Each code is put in every step; in some it is wrong, and there it is found by its name."""
    denied = 0
    for at in range(1, 13):
        breaches = audit_reasons(changed(files, component, decision, at, code=code))
        assert {(b.component, b.rule) for b in breaches} <= {(component, f"why.{code}")}
        denied += bool(breaches)
    assert denied


@pytest.mark.parametrize(
    ("to", "rule"),
    [
        ({"time": "2026-07-16T00:00:00+08:00"}, "why.time"),
        ({"time": "2026-07-15T04:00:00+08:00"}, "why"),
        ({"decision": "sleeps"}, "why"),
        ({"component": "nobody"}, "why"),
        ({"code": "dreams"}, "why"),
    ],
)
def test_what_no_component_does_is_a_breach(files: Files, to: dict[str, str], rule: str) -> None:
    assert rule in {b.rule for b in audit_files(changed(files, "battery", "power", 2, **to))}


def test_a_plan_folder_without_reasons_is_still_a_plan(files: Files) -> None:
    assert audit_files(dataclasses.replace(files, why=None)) == []


def test_the_table_is_plain(files: Files) -> None:
    assert files.why is not None
    assert list(files.why.columns) == ["time", "component", "decision", "code", "reason"]
    assert isinstance(files.why, pd.DataFrame)


def test_reasons_are_those_of_the_plan_and_not_of_another_with_the_same_profit():
    # with equal prices most hours, the settled optimum may import where the tidied plan does not
    prices = [20.0] * 48
    prices[2], prices[10], prices[23], prices[24] = 10.0, 30.0, 10.0, 50.0
    ways = {"import_price_cny_per_mwh": prices, "export_price_cny_per_mwh": prices}
    plan = solve({"cell": battery(capacity_mwh=4), "grid": grid(resale=True, **ways)}, 48)
    # 4 MWh bought at 10 and sold at 30, bought at 10 and sold at 50
    assert plan.summary["objective_cny"] == pytest.approx(240)


def test_the_first_row_that_holds_is_the_reason() -> None:
    """A fifth of CNY is as good as the same at 10,000; NaN stands nowhere near anything."""
    price, worth = np.array([10_000.0, 1.0, 3.0]), np.array([10_000.2, 2.0, np.nan])
    assert versus(price, worth).tolist() == ["=", "<", ">"]
    signs = versus(price, worth)
    table = [
        (signs == "<", "low", [Message(text) for text in "abc"].__getitem__),
        (signs == "=", "same", Message("same")),
        (True, "x", Message("")),
    ]
    texts = [(r.step, r.code, r.message) for r in first_that_holds("power", table)]
    assert texts == [(1, "same", "same"), (2, "low", "b"), (3, "x", "")]


def test_a_message_is_made_only_for_the_steps_that_show_it() -> None:
    asked: list[int] = []

    def text(t: int) -> Message:
        asked.append(t)
        return Message("x")

    table = [(np.array([True, False, True]), "a", text), (True, "b", text)]
    assert [reason.code for reason in first_that_holds("power", table)] == ["a", "b", "a"]
    assert asked == [0, 1, 2]


COMPARISONS = {
    name: part
    for module in (of_battery, of_fleet, of_grid, of_service, of_thermal)
    for name, part in vars(module).items()
    if isinstance(part, PricePair)
}


@pytest.mark.parametrize("seed", range(60))
def test_prices_that_read_the_same_earn_the_same(seed: int) -> None:
    """Equal prices, prices equal as printed, and different ones, in every comparison."""
    draw = np.random.default_rng(seed)
    first = float(draw.uniform(-200, 900) * 10 ** draw.uniform(-3, 1))
    apart = float(draw.choice([0.0, 1e-9, 1e-3, 0.03, 0.2, 30.0]) * draw.choice([-1, 1]))
    pair = np.array([first]), np.array([first + apart])
    text = token_money if seed % 2 else money
    alike = versus(*pair, text)[0] == "="
    assert alike or text(first) != text(first + apart)
    zh = language("zh")
    for comparison in COMPARISONS.values():
        message = PriceComparison(comparison, *pair, text, **_others(comparison)).message(0)
        assert message.endswith("both earn the same") == alike
        assert message.count(text(first)) >= 1
        assert not any(f"{sign} {text(first)} " in message for sign in "<=>") or not alike
        chinese = zh.sentence(str(message))
        assert chinese != message
        assert text(first) in chinese
        assert ("收益相同" in chinese) == alike


def _others(comparison: PricePair) -> dict[str, list[Any]]:
    values = {"origin": ["renewable"], "steps": [3], "hours": ["1.5"]}
    return {name: value for name, value in values.items() if f"{{{name}}}" in comparison.equal}


def test_a_battery_that_gains_nothing_says_that_it_rests() -> None:
    texts = cell([50, 50, 50], initial={"energy_mwh": 3})
    assert {text.partition(": ")[2] for text in texts if text.startswith("idle")} == {
        "charging now and discharging later earns the same as resting: it rests"
    }
