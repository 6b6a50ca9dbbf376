"""Prices against what they claim: the profit that one unit more or less would bring.

With integers and directions fixed the profit is concave in a right-hand side, so every
price lies between what a unit less costs and what a unit more brings, measured by solving again.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
from planner.components.component import Component
from planner.scenario.paths import places, value_at, with_value
from planner.solver.compiler import program_of
from planner.solver.program import Duals, Program
from planner.solver.session import Session
from planner.studies.prices import NO_PRICES, RELAXED
from planner.studies.solve import solve_program
from tests.support import compute, full_site
from tests.support.build import (
    HANGS_S,
    battery,
    carbon,
    green_rule,
    grid,
    load,
    market,
    renewable,
    reserve,
    scenario,
    thermal,
)
from tests.support.sites import random_site

SIDE = 1e-3  # how far a field is moved for a difference
SLACK = 1e-4  # of a price, for the tolerances of two solves divided by SIDE


def fixed_profit(program: Program, duals: Duals) -> float:
    """The best profit of a program with the integers and directions of a plan, -inf for none."""
    session = Session(program, threads=1, seed=0)
    fixed = np.flatnonzero(duals.fixed)
    session.bounds(fixed, duals.x[fixed], duals.x[fixed])
    result = session.run(time_limit_s=HANGS_S)
    return -np.inf if result.x is None else -result.objective


def sides(base: float, more: float, less: float, side: float) -> tuple[float, float]:
    return (more - base) / side, (base - less) / side


def between(low: float, price: float, high: float, size: float) -> bool:
    slack = SLACK * max(1.0, size)
    return low - slack <= price <= high + slack


class Priced:
    """A scenario, its prices, and the LP behind them."""

    def __init__(self, found: planner.Scenario) -> None:
        self.scenario = found
        self.prices = planner.prices(found)
        _, self.program, self.solution = solve_program(found)
        assert self.solution.duals is not None
        self.duals = self.solution.duals
        self.base = fixed_profit(self.program, self.duals)

    def profit(self, changed: planner.Scenario) -> float:
        program = program_of(changed)
        assert program.matrix.shape == self.program.matrix.shape
        return fixed_profit(program, self.duals)

    def value(
        self, component: str, quantity: str, index: str = "", step: int | None = None
    ) -> float:
        table = self.prices.table
        rows = table[
            (table["component"] == component)
            & (table["quantity"] == quantity)
            & (table["index"] == index)
        ]
        if step is None:
            return float(rows.loc[rows["time"].isna(), "value"].iloc[0])
        when = self.scenario.horizon.starts[step - 1]
        return float(rows.loc[rows["time"] == when, "value"].iloc[0])

    def once(self, component: str, quantity: str, index: str) -> float:
        table = self.prices.table
        name = f"{index}|once" if index else "once"
        rows = table[
            (table["component"] == component)
            & (table["quantity"] == quantity)
            & (table["index"] == name)
        ]
        return float(rows["value"].sum())


def moved(found: planner.Scenario, paths: list[Any], by: Any) -> planner.Scenario:
    for path in paths:
        found = with_value(found, path, value_at(found, path) + by)
    return found


def check_fields(case: Priced, steps: list[int]) -> int:
    """Check every field that has a price, over the horizon and in some steps; return how many."""
    checked = 0
    for name, component in case.scenario.components.items():
        for quantity, paths in component.priced.items():
            groups: dict[str, list[Any]] = {}
            for path in paths:
                for index, below in places(component, path):
                    groups.setdefault(index, []).append(("components", name, *below))
            for index, group in groups.items():
                values = [value_at(case.scenario, path) for path in group]
                if values[0] is None:
                    continue
                per_h = quantity.endswith("mtok_per_h")
                hours = case.scenario.horizon.hours if per_h else 1.0
                side = SIDE
                more, less = (case.profit(moved(case.scenario, group, s)) for s in (side, -side))
                low, high = sides(case.base, more, less, side)
                if quantity == "expected_peak_mw":  # max(so far, expected) bends the other way
                    low, high = min(low, high), max(low, high)
                if "so_far" in quantity and not values[0]:  # nothing so far cannot be less
                    high = np.inf
                price = case.value(name, quantity, index) * hours
                size = abs(case.base) * 1e-5 + abs(price)
                assert between(low, price, high, size), (name, quantity, index, low, price, high)
                checked += 1
                if not isinstance(values[0], np.ndarray):
                    continue
                for step in steps:
                    bump = np.zeros(case.scenario.horizon.steps)
                    bump[step - 1] = side
                    more, less = (
                        case.profit(moved(case.scenario, group, s * bump)) for s in (1, -1)
                    )
                    low, high = sides(case.base, more, less, side)
                    price = case.value(name, quantity, index, step)
                    if per_h:  # a Mtok in this step counts toward min_served_share too
                        price += case.once(name, quantity, index)
                        price *= case.scenario.horizon.step_h
                    assert between(low, price, high, size), (
                        name, quantity, index, step, low, price, high,
                    )  # fmt: skip
                    checked += 1
    return checked


def check_energy(case: Priced, steps: list[int]) -> None:
    """Check the value of a MWh: put 1 MW more or less into a balance."""
    program, step_h = case.program, case.scenario.horizon.step_h
    for balance, family in program.balances.items():
        if balance.kind != "power" or balance.origin not in program.injected:
            continue
        for step in steps:
            rows = (program.row_families == family) & (program.row_steps == step)
            if not rows.any():
                continue
            found = []
            for sign in (1, -1):
                bump = np.where(rows, -sign * SIDE, 0.0)  # what is put in is on the left
                changed = dataclasses.replace(
                    program,
                    row_lower=program.row_lower + bump,
                    row_upper=program.row_upper + bump,
                )
                found.append(fixed_profit(changed, case.duals))
            low, high = sides(case.base, *found, SIDE)
            price = case.value(balance.name, "value_cny_per_mwh", str(balance.origin), step)
            size = abs(case.base) * 1e-5 + abs(price)
            assert between(low, price * step_h, high, size), (balance, step, low, price, high)


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_of_random_sites_lie_between_the_one_sided_derivatives(seed: int) -> None:
    case = Priced(scenario(random_site(seed, 8), 8))
    steps = random.Random(seed).sample(range(1, 9), 3)
    assert check_fields(case, steps) >= 8 + 3 * 5
    check_energy(case, steps)


@pytest.mark.slow
def test_prices_of_a_site_with_everything_lie_between_the_one_sided_derivatives(
    tmp_path: Path,
) -> None:
    changes = {
        "components.grid.demand_charge_cny_per_mw_month": 5000,
        "components.chat.min_served_share": 0.9,
    }
    case = Priced(planner.load(full_site.write(tmp_path), set=changes))
    assert check_fields(case, [2, 9, 11]) >= 12 + 3 * 8
    check_energy(case, [2, 9, 11])


# convex: no unit, no battery, no way back to the grid; every price is that of the scenario itself
CONVEX: dict[str, Any] = {
    "grid": grid(
        import_limit_mw=6, export_limit_mw=0, import_price_cny_per_mwh=[100, 300, 200],
        demand_charge_cny_per_mw_month=40, expected_peak_mw=2,
    ),
    "sun": renewable(3, 0, 1),
    "town": load(2, 4, 1, shed_cost_cny_per_mwh=900),
    "fleet": compute.fleet(5),
    "chat": compute.chat([18, 36, 9], 20, unserved_cost_cny_per_mtok=3),
    "more": compute.market((9, 15), (9, 4)),
}  # fmt: skip


@pytest.mark.few(1)
@pytest.mark.parametrize("trace", [True, False])
def test_prices_of_a_convex_scenario_are_those_of_solving_it_again(trace: bool) -> None:
    parts = CONVEX if trace else CONVEX | {"grid": CONVEX["grid"] | {"resale": True}}
    found = scenario(parts, 3, trace=trace, solver={"gap": 1e-9})
    case = Priced(found)

    def profit(changed: planner.Scenario) -> float:
        return float(planner.solve(changed).summary["objective_cny"])

    base = profit(found)
    fields = {
        "grid": [("import_limit_mw",), ("expected_peak_mw",)], "sun": [("capacity_mw",)],
        "town": [("demand_mw",)], "fleet": [("nodes",)], "chat": [("demand_mtok_per_h",)],
        "more": [("market", 0, "mtok_per_h"), ("market", 1, "mtok_per_h")],
    }  # fmt: skip
    for name, paths in fields.items():
        for path in paths:
            more, less = (
                profit(moved(found, [("components", name, *path)], s)) for s in (SIDE, -SIDE)
            )
            low, high = sides(base, more, less, SIDE)
            quantity = f"{path[0]}_{path[-1]}" if len(path) > 1 else path[0]
            index = str(path[1]) if len(path) > 1 else ""
            price = case.value(name, quantity, index)
            price *= 3 if quantity.endswith("mtok_per_h") else 1
            assert between(low, price, high, 10 + abs(price)), (name, path, low, price, high)


def value(p: planner.Prices, name: str, step: int) -> float:
    return float(p.hourly[name].iloc[step - 1])


def total(p: planner.Prices, component: str, quantity: str, index: str = "") -> float:
    rows = p.totals
    mine = rows[(rows["component"] == component) & (rows["quantity"] == quantity)]
    return float(mine.loc[mine["index"] == index, "value"].iloc[0])


def test_energy_bought_at_100_is_worth_100() -> None:
    """Half-hour steps: a MWh is a MWh, whatever the step."""
    site = {"grid": grid(import_price_cny_per_mwh=[100, 150]), "town": load(5, 5)}
    found = planner.prices(scenario(site, 1, step_min=30))
    assert [value(found, "site.value_cny_per_mwh[grid]", t) for t in (1, 2)] == [100, 150]
    assert total(found, "site", "value_cny_per_mwh", "grid") == 125
    # a MW more of load for half an hour each: 0.5 x 100 + 0.5 x 150
    assert total(found, "town", "demand_mw") == -125


def test_the_green_premium_is_what_green_energy_sells_for_above_the_rest() -> None:
    """Sun sells at 60, coal at 35; each serves nothing else."""
    unit = thermal(initial={"on": True, "power_mw": 100, "hours": 9})
    sale = grid(
        import_limit_mw=0, export_limit_mw=300,
        export_price_cny_per_mwh={"renewable": 60, "thermal": 35},
    )  # fmt: skip
    found = planner.prices(scenario({"sun": renewable(50), "coal": unit, "grid": sale}))
    assert value(found, "site.value_cny_per_mwh[renewable]", 1) == 60
    assert value(found, "site.value_cny_per_mwh[thermal]", 1) == 35
    assert value(found, "site.green_premium_cny_per_mwh[thermal]", 1) == 25
    # 100 MW burn 10 CNY/MWh and sell for 35: another MW of the unit earns 25; of 100 MW sun at
    # half its power 0.5 x 60 = 30
    assert total(found, "coal", "max_power_mw") == pytest.approx(25)
    assert total(found, "sun", "capacity_mw") == pytest.approx(30)
    assert total(found, "grid", "export_limit_mw") == 0


def test_a_battery_between_two_prices() -> None:
    """Bought at 10, sold at 50 with 0.5 in: power limits the buying to 4 MW, of which 2 MWh stay.

    A MW more of both powers buys 1 MWh for 10 and sells 0.5 MWh for 50: 25 - 10 = 15. Capacity is
    not full: 0. Stored energy is worth 50, energy at the node 10, then 50.
    """
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    cell = battery(charge_efficiency=0.5)
    site = {"grid": grid(resale=True, **prices), "battery": cell}
    found = planner.prices(scenario(site, 2))
    assert value(found, "site.value_cny_per_mwh[grid]", 1) == 10
    assert value(found, "site.value_cny_per_mwh[grid]", 2) == 50
    assert [value(found, "battery.power_mw", t) for t in (1, 2)] == [15, 0]
    assert total(found, "battery", "power_mw") == 15
    assert total(found, "battery", "capacity_mwh") == 0
    # with 1 MWh of capacity only: a MWh more needs 2 MWh for 20 and sells for 50
    small = planner.prices(scenario(site | {"battery": cell | {"capacity_mwh": 1}}, 2))
    assert total(small, "battery", "capacity_mwh") == 30
    assert total(small, "battery", "power_mw") == 0


def test_a_node_is_worth_what_it_would_answer() -> None:
    """Ten nodes are taken; another answers 9 Mtok for 20 each with 1 MWh for 100: 80."""
    site = compute.site(fleet=compute.fleet(10), chat=compute.chat(180))
    found = planner.prices(scenario(site))
    assert total(found, "fleet", "nodes") == pytest.approx(80)
    # no node to answer it: one more Mtok asked for is worth nothing, and breaks even at its price
    assert total(found, "chat", "demand_mtok_per_h") == pytest.approx(0)
    assert total(found, "chat", "break_even_cny_per_mtok") == pytest.approx(20)


def test_the_demand_charge_and_reserve_have_their_price() -> None:
    """8 MW of load must be bought, 5 are expected: 40 for each MW between; reserve costs 7."""
    site = {
        "grid": grid(demand_charge_cny_per_mw_month=40, expected_peak_mw=5),
        "town": load(8),
        "hold": reserve(up_mw=3000, shortfall_cost_cny_per_mwh=7),
    }
    found = planner.prices(scenario(site))
    assert total(found, "grid", "expected_peak_mw") == 40
    assert total(found, "hold", "up_mw") == -7
    # a MW more of import limit is a MW more of reserve
    assert total(found, "grid", "import_limit_mw") == 7


KWH_PER_MTOK = 1000 / 9  # a node at work: 1 MW for 9 Mtok/h


def even(**more: Any) -> tuple[planner.Prices, dict[str, Any]]:
    site = compute.site(fleet=compute.fleet(10), chat=compute.chat(18, **more))
    return planner.prices(scenario(site)), site


def answered(site: Mapping[str, Any], price: float) -> float:
    changed = dict(site) | {"chat": site["chat"] | {"price_cny_per_mtok": price}}
    return float(planner.solve(scenario(changed)).schedule["chat.answered_mtok_per_h"].iloc[0])


@pytest.mark.parametrize(
    ("more", "off"),
    [
        ({}, 0.0),
        # 2 tokens in per token out, half cached: 1 at 3 and 1 at 0.5 pay 3.5
        ({"input_per_output": 2, "cached_share": 0.5, "price_input_cny_per_mtok": 3,
          "price_cached_cny_per_mtok": 0.5}, 3.5),
        ({"unserved_cost_cny_per_mtok": 4}, 4.0),
    ],
)  # fmt: skip
def test_break_even_is_energy_less_what_is_earned_beside(more: dict[str, Any], off: float) -> None:
    """0.1 CNY/kWh x 111.1 kWh per Mtok = 11.11; just below it none is answered, just above all."""
    found, site = even(**more)
    right = 0.1 * KWH_PER_MTOK - off
    assert total(found, "chat", "break_even_cny_per_mtok") == pytest.approx(right, abs=1e-5)
    assert total(found, "chat", "price_cny_per_mtok") == 20
    assert answered(site, right - 0.01) == 0
    assert answered(site, right + 0.01) == 18


def test_work_that_nobody_answers_breaks_even_where_it_would_begin_to_pay() -> None:
    """At 5 nothing is answered; 0.1 CNY/kWh x 111.1 kWh per Mtok say that 11.11 is needed."""
    site = compute.site(fleet=compute.fleet(10), chat=compute.chat(18, 5))
    found = planner.prices(scenario(site))
    right = 0.1 * KWH_PER_MTOK
    assert total(found, "chat", "break_even_cny_per_mtok") == pytest.approx(right, abs=1e-5)
    assert answered(site, right - 0.01) == 0
    assert answered(site, right + 0.01) == 18


def test_energy_that_does_not_flow_is_worth_what_its_best_user_would_pay() -> None:
    """No sun shines; a MWh of it would save the 40 of the grid rather than sell for 30."""
    found = planner.prices(scenario({"grid": grid(), "sun": renewable(0), "town": load(5)}))
    assert value(found, "site.value_cny_per_mwh[renewable]", 1) == 40


def test_a_market_breaks_even_against_what_it_sells_for() -> None:
    site = compute.site(fleet=compute.fleet(10), more=compute.market((9, 15), (9, 12), (9, 4)))
    found = planner.prices(scenario(site))
    assert total(found, "more", "price_cny_per_mtok") == pytest.approx(13.5)
    assert total(found, "more", "break_even_cny_per_mtok") == pytest.approx(100 / 9, abs=1e-5)
    # another Mtok sold at 15 for 11.11 of energy
    assert total(found, "more", "market_mtok_per_h", "0") == pytest.approx(15 - 100 / 9, abs=1e-5)
    assert total(found, "more", "market_mtok_per_h", "2") == 0


def test_a_field_of_a_share_over_the_horizon_counts_once() -> None:
    """Half of what is wanted must be answered at a loss: 0.5 x (11.11 - 5) for a Mtok more."""
    chat = compute.chat([18, 18], 5, min_served_share=0.5)
    found = planner.prices(scenario(compute.site(fleet=compute.fleet(10), chat=chat), 2))
    right = -0.5 * (100 / 9 - 5)
    assert total(found, "chat", "demand_mtok_per_h") == pytest.approx(right, abs=1e-5)
    once = found.table[found.table["index"] == "once"]
    assert once["value"].tolist() == pytest.approx([right], abs=1e-5)


def test_nested_fields_and_lists_have_prices_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A component names what lies below a field; here what a battery holds at the start."""
    from planner.components.battery.battery import Battery

    monkeypatch.setattr(Battery, "priced", {"energy_mwh": ("initial.energy_mwh",)})
    site = {
        "grid": market(30),
        "battery": battery(initial={"energy_mwh": 3}, ending={"at_least_mwh": 0}),
    }
    site["grid"] |= {"resale": True}
    site["grid"]["export_price_cny_per_mwh"] = [20, 30]
    site["grid"]["import_price_cny_per_mwh"] = [20, 30]
    found = planner.prices(scenario(site, 2))
    assert total(found, "battery", "energy_mwh") == 30
    # it is there once, before the first step, and is no price of that step
    assert "battery.energy_mwh" not in found.hourly


def test_a_relaxed_scenario_is_priced_as_it_is() -> None:
    found = planner.prices(scenario(random_site(1, 6), 6, solver={"relax": True}))
    assert found.hold == RELAXED
    assert found.plan.reasons.empty


def test_where_the_lp_has_no_optimum_there_are_no_prices(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("planner.solver.rounds.settle", lambda *_: None)
    site = {"grid": grid(), "town": load(3, 4)}
    found = planner.prices(scenario(site, 2))
    assert found.hold == NO_PRICES
    assert found.table.empty
    assert found.plan.reasons.empty
    folder = found.plan.write(tmp_path / "plan")
    assert planner.read_plan(folder) == found.plan
    assert planner.audit(folder) == []


def test_prices_are_read_back_equal_and_audited(tmp_path: Path) -> None:
    found = planner.prices(scenario(random_site(3, 6), 6))
    folder = found.plan.write(tmp_path / "plan")
    assert planner.read_plan(folder) == found.plan
    assert planner.audit(folder) == []
    totals = found.plan.summary["prices"]["totals"]
    assert totals["grid"]["import_limit_mw"] == total(found, "grid", "import_limit_mw")


def test_every_priced_path_leads_to_a_field() -> None:
    from planner.components.registry import KINDS

    for cls, *_ in KINDS.values():
        assert issubclass(cls, Component)
        for quantity, paths in cls.priced.items():
            for path in paths:
                assert path.split(".")[0] in cls.model_fields, (cls, quantity)


def test_the_price_of_a_rule_is_what_keeping_it_costs_by_the_mwh() -> None:
    """100 MW from coal at 10, or from sun at 30 CNY/MWh, of which 60 % must be sun: 20 a MWh."""
    site = {
        "coal": thermal(),
        "sun": renewable(100, cost_cny_per_mwh=30),
        "city": load(100),
        "rule": green_rule(min_load_share=0.6),
    }
    found = planner.prices(scenario(site, 1))
    assert total(found, "rule", "so_far_load_renewable_mwh") == pytest.approx(20)
    assert value(found, "site.green_premium_cny_per_mwh[thermal]", 1) == pytest.approx(20)


def test_what_was_exported_so_far_earns_nothing_where_the_rule_asks_for_own_use() -> None:
    """One MWh more of export, and taken with it, leaves own use as it is: it is worth nothing."""
    site = {
        "grid": grid(export_price_cny_per_mwh=[50, 90]),
        "sun": renewable(0, 40, cost_cny_per_mwh=30),
        "city": load(30, 30),
        "rule": green_rule(min_self_use_share=1, penalty_cny_per_mwh=20),
    }
    found = planner.prices(scenario(site, 2))
    assert total(found, "rule", "so_far_used_mwh") == pytest.approx(20)
    assert total(found, "rule", "so_far_exported_mwh") == pytest.approx(0)


def test_energy_that_does_not_flow_is_not_worth_more_than_the_load_that_is_shed() -> None:
    """Response pays 450 beside the 100 that are saved; a MWh more would serve the load, for 500."""
    event = {"hours": ["0-24"], "baseline_mw": 5, "reward_cny_per_mwh": 450, "max_mw": 9}
    site = {
        "grid": grid(import_price_cny_per_mwh=100, export_limit_mw=0, response=[event]),
        "city": load(5, shed_cost_cny_per_mwh=500),
    }
    found = planner.prices(scenario(site, 1))
    assert value(found, "site.value_cny_per_mwh[grid]", 1) == pytest.approx(500)


def test_a_node_where_only_lines_end_has_its_price() -> None:
    """40 CNY at the grid are 40 CNY at the town, and between the two lines."""
    wire = {"kind": "line", "capacity_mw": 10}
    site = {
        "grid": grid(node="west"),
        "one": wire | {"from_node": "west", "to_node": "middle"},
        "two": wire | {"from_node": "middle", "to_node": "east"},
        "city": load(5, node="east"),
    }
    found = planner.prices(scenario(site, 1))
    assert value(found, "middle.value_cny_per_mwh[grid]", 1) == pytest.approx(40)


def test_the_price_of_a_budget_is_what_the_next_tonne_saves() -> None:
    """Coal at 10 and 0.8 tCO2/MWh, else sun at 30: the next of 40 tCO2 lets 1.25 MWh change."""
    site = {
        "coal": thermal(emission_tco2_per_gj=0.8),
        "sun": renewable(100, cost_cny_per_mwh=30),
        "city": load(100),
        "co2": carbon(budget_tco2=40),
    }
    found = planner.prices(scenario(site, 1))
    assert found.plan.schedule["coal.power_mw"].iloc[0] == pytest.approx(50)
    assert total(found, "co2", "budget_tco2") == pytest.approx(1.25 * 20)


def test_a_plan_is_audited_once_with_its_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    audited: list[set[str]] = []

    def audit(folder: str) -> list[Any]:
        audited.append({path.name for path in Path(folder).iterdir()})
        return planner.audit(folder)

    monkeypatch.setattr("planner.studies.to_plan.audit", audit)
    planner.prices(scenario({"grid": grid(), "town": load(5)}))
    assert ["prices.csv" in names for names in audited] == [True]
