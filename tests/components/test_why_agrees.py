"""The reasons of a plan and its table say the same, on small sites of every kind that decides."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

import planner
from tests.support import compute
from tests.support.build import battery, grid, load, renewable, reserve, scenario, thermal

HOURS = 4
LEVELS = [
    {"name": "soft", "node_kw": 120, "wake_min": 6},
    {"name": "off", "node_kw": 10, "wake_min": 30, "wake_cost_cny": 15, "drain_min": 20},
]
AT = 1e-4
PRICE = re.compile(r"price (-?[\d.e+]+) (<|>|as)")
Site = dict[str, dict[str, Any]]


def series(rnd: random.Random, low: int, high: int) -> list[int]:
    return [rnd.randint(low, high) for _ in range(HOURS)]


def any_small_site(rnd: random.Random) -> Site:
    """A trading site with what chance adds, each part with limits that may bind."""
    buy = series(rnd, -20, 500)
    sell = [price - rnd.randint(0, 30) for price in buy]
    site: Site = {
        "grid": grid(
            import_limit_mw=rnd.choice([0, 8, 30]), export_limit_mw=rnd.choice([0, 5, 30]),
            import_price_cny_per_mwh=buy, export_price_cny_per_mwh=sell,
            resale=rnd.random() < 0.7, **rnd.choice([{}, {"ramp_mw_per_h": 6}]),
        ),
        "town": load(*series(rnd, 0, 6), shed_cost_cny_per_mwh=2000),
        "sun": renewable(*series(rnd, 0, 9)),
    }  # fmt: skip
    if rnd.random() < 0.7:
        site["bat"] = battery(
            charge_power_mw=rnd.choice([2, 5]), charge_efficiency=rnd.choice([1, 0.9]),
            wear_cny_per_mwh=rnd.choice([0, 20]),
            initial={"energy_mwh": rnd.choice([0, 6])}, ending={"at_least_mwh": 0},
            **rnd.choice([{}, {"cycles_per_day": 0.5}, {"ramp_mw_per_h": 3},
                          {"min_charge_power_mw": 1.5, "min_discharge_power_mw": 1},
                          {"start_cost_cny": 150}]),
        )  # fmt: skip
    if rnd.random() < 0.6:
        site["unit"] = thermal(
            min_power_mw=2, max_power_mw=10, fuel_price_cny_per_gj=rnd.randint(20, 300),
            curve=[{"power_mw": 2, "fuel_gj_per_h": 3}, {"power_mw": 10, "fuel_gj_per_h": 11}],
            ramp_up_mw_per_h=rnd.choice([3, 100]), startup_ramp_mw=rnd.choice([2, 10]),
            ramp_down_mw_per_h=rnd.choice([3, 100]), shutdown_ramp_mw=rnd.choice([2, 10]),
            startups=[{"off_h": 0, "cost_cny": rnd.choice([0, 800])}],
        )  # fmt: skip
        if rnd.random() < 0.4:
            site["spare"] = reserve(up_mw=2, providers=["unit"], shortfall_cost_cny_per_mwh=400)
    if rnd.random() < 0.8:
        sleep = rnd.choice([{}, {"sleep_kw": 90, "wake_min": 20}, {"sleep": LEVELS}])
        site["gpu"] = {**compute.fleet(rnd.choice([1, 2, 4])), **sleep}
        if "sleep" in sleep:
            del site["gpu"]["sleep_kw"]
        site["chat"] = compute.chat(
            rnd.randint(0, 20), rnd.randint(0, 60), min_served_share=rnd.choice([0, 0.4])
        )
        offers = [(rnd.randint(1, 9), rnd.choice([0.2, 5, 20, 40])) for _ in range(2)]
        site["spot"] = compute.market(*offers)
        site["night"] = compute.batch(rnd.randint(0, 12), rnd.choice([0.2, 10, 30]), deadline_h=2)
    return site


class Told:
    """What a reason says, beside the row of the table."""

    def __init__(self, plan: planner.Plan, reason: Any) -> None:
        self.row, self.name = plan.schedule.loc[reason.time], reason.component
        self.component = plan.scenario.components[self.name]
        self.step = plan.schedule.index.get_loc(reason.time)
        self.code, self.text = reason.code, reason.reason
        self.signs = [sign for _, sign in PRICE.findall(self.text)]
        self.explained = "also " in self.text or "every node" in self.text
        self.explained |= "these prices hold with the unit on" in self.text

    def of(self, quantity: str) -> float:
        own = [c for c in self.row.index if c.split("[")[0] == f"{self.name}.{quantity}"]
        return float(self.row[own].sum())

    def limit(self, field: str) -> float:
        value = getattr(self.component, field)
        return float(value[self.step] if hasattr(value, "__len__") else value)


def wrong_of_battery(told: Told) -> bool:
    charge, discharge, stored = map(told.of, ("charge_mw", "discharge_mw", "energy_mwh"))
    idle = charge < AT and discharge < AT
    at_a_loss = (charge > AT and ">" in told.signs) or (discharge > AT and "<" in told.signs)
    match told.code:
        case "full":
            return not idle or stored < told.limit("capacity_mwh") - AT
        case "empty":
            return not idle or stored > AT
        case "charges_at_limit":
            return abs(charge - told.limit("charge_power_mw")) > AT
        case "discharges_at_limit":
            return abs(discharge - told.limit("discharge_power_mw")) > AT
        case "idle":
            pays = re.search(r"< [-\d.]+ worth of storing|> [-\d.]+ stored value", told.text)
            return not idle or pays is not None
    return at_a_loss and not told.explained


def wrong_of_import(told: Told) -> bool:
    flow, limit = told.of("import_mw"), told.limit("import_limit_mw")
    match told.code:
        case "import_at_limit":
            return abs(flow - limit) > AT or (">" in told.signs and not told.explained)
        case "imports":
            return flow < AT or (">" in told.signs and not told.explained)
        case "closed":
            return limit > AT
        case "no_import":
            return flow > AT or "<" in told.signs
    return flow > AT


def wrong_of_export(told: Told) -> bool:
    flow, limit = told.of("export_mw"), told.limit("export_limit_mw")
    match told.code:
        case "export_at_limit":
            return abs(flow - limit) > AT or ("<" in told.signs and not told.explained)
        case "exports":
            return flow < AT or ("<" in told.signs and not told.explained)
        case "closed":
            return limit > AT
        case "better_on_site":
            return flow > AT or ">" in told.signs
    return flow > AT


def wrong_of_service(told: Told) -> bool:
    answered, wanted = told.of("answered_mtok_per_h"), told.component.wanted_mtok_per_h()[told.step]
    at_price = answered
    if told.component.arrivals_mtok_per_h is not None:
        at_price = answered = told.of("accepted_mtok_per_h")
    if told.component.market is not None:  # what is sold at the price that the reason names
        price = float(re.findall(r"price ([\d.]+)", told.text)[0]) if "price" in told.text else -1
        at_price = sum(
            told.row[f"{told.name}.sold_mtok_per_h[{i}]"]
            for i, offer in enumerate(told.component.market)
            if offer.price_cny_per_mtok[told.step] == pytest.approx(price)
        )
    refused = "does not pay" in told.text or ("<" in told.signs and not told.explained)
    if told.code.startswith("all_"):
        return answered < wanted - AT or ("<" in told.signs and not told.explained)
    if told.code == "nothing_wanted":
        return wanted > AT
    return answered > wanted - AT or (refused and at_price > AT)


def wrong_of_thermal(told: Told) -> bool:
    on, power = told.of("on") > 0.5, told.of("power_mw") + told.of("reserve_mw")
    low, high = told.limit("min_power_mw"), told.limit("max_power_mw")
    match told.code:
        case "at_maximum":
            return abs(power - high) > AT or ("<" in told.signs and not told.explained)
        case "at_minimum":
            return told.of("power_mw") > low + AT or (">" in told.signs and not told.explained)
        case "between":
            return not low < power < high or (told.signs != ["as"] and not told.explained)
        case "starts":
            return not on or ("<" in told.signs and not told.explained)
        case "ramps_up" | "ramps_down" | "must_run_on":
            return not on
    return on


def wrong_of_fleet(told: Told) -> bool:
    """Sleep pays or earns the same; where nodes idle it does not, nor would another level."""
    pays = re.findall(r"saves [-\d.e+]+ (<|>|)", told.text)
    would = re.findall(r"would save [-\d.e+]+ (<|>|)", told.text)
    asleep = told.of("asleep")
    wrong = "<" in pays or ">" in would or " more" in told.text
    match told.code:
        case "wakes" | "goes_to_sleep" | "idles" | "sleeps":
            return (wrong and not told.explained) or (told.code == "sleeps" and asleep < AT)
        case "all_awake":
            return asleep > 10 * AT
    return ">" not in would or not told.explained


WRONG = {
    ("battery", "power"): wrong_of_battery, ("grid", "import"): wrong_of_import,
    ("grid", "export"): wrong_of_export, ("thermal", "run"): wrong_of_thermal,
    ("service", "answer"): wrong_of_service, ("service", "accept"): wrong_of_service,
    ("service", "sell"): wrong_of_service, ("fleet", "sleep"): wrong_of_fleet,
}  # fmt: skip


@pytest.mark.few(8)
@pytest.mark.parametrize("seed", range(60))
def test_what_is_told_is_in_the_table(seed: int) -> None:
    site = any_small_site(random.Random(seed))
    plan = planner.solve(scenario(site, HOURS))
    assert not plan.reasons.empty
    contradictions = [
        f"{reason.time:%H:%M} {reason.component} {reason.code}: {reason.reason}"
        for reason in plan.reasons.itertuples()
        if WRONG[plan.scenario.components[reason.component].kind, reason.decision](
            Told(plan, reason)
        )
    ]
    assert not contradictions, contradictions


IN_PART = [
    ("sell", compute.market((12, 0.2)), "sold_mtok_per_h[0]"),
    ("accept", compute.batch(12, 0.2, deadline_h=0), "accepted_mtok_per_h"),
    ("answer", compute.chat(12, 0.2), "answered_mtok_per_h"),
]


@pytest.mark.parametrize(("decision", "work", "column"), IN_PART, ids=[ids for ids, *_ in IN_PART])
def test_what_is_sold_in_part_is_not_told_to_pay_too_little(
    decision: str, work: dict[str, Any], column: str
) -> None:
    """1 MW of sun answers 9 of 12 Mtok/h at 0.2; the rest would need 100 CNY/MWh from the grid."""
    site = {"grid": compute.grid(100), "sun": renewable(1), "gpu": compute.fleet(10), "work": work}
    plan = planner.solve(scenario(site, 1))
    assert plan.schedule[f"work.{column}"].tolist() == pytest.approx([9])
    reasons = plan.reasons[plan.reasons["component"] == "work"]
    assert reasons["decision"].tolist() == [decision]
    assert reasons["code"].tolist() == ["earns_the_same"]
    assert reasons["reason"].tolist() == ["price 0.2 as the break-even: both earn the same"]
