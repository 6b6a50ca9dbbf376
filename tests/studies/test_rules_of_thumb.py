"""Rules of thumb, by hand: what they do in each step, what they keep and what they break."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import planner
from planner.solver.compiler import program_of
from tests.support import build, compute, full_site
from tests.support.build import column, scenario, total


def run(rule: str, components: dict[str, Any], hours: float, **more: Any) -> planner.Plan:
    """Run a rule; its plan keeps every rule of the scenario and has passed its audit."""
    plan = planner.rule_of_thumb(scenario(components, hours, **more), rule)
    assert plan.summary["breaches"] == []
    assert plan.summary["status"] == "settled"
    return plan


def sold_first() -> dict[str, Any]:
    """10 MW of sun, a grid that takes 6 at 30 CNY/MWh, and tokens: 180 CNY for each MWh."""
    return {
        "sun": build.renewable(10),
        "grid": build.grid(import_limit_mw=0, export_limit_mw=6),
        "fleet": compute.fleet(),
        "chat": compute.chat(demand=72, price=20),
    }


def test_grid_first_sells_what_the_grid_takes_and_computes_with_the_rest() -> None:
    plan = run("grid_first", sold_first(), 1)
    # 6 MWh at 30, and the other 4 answer 36 Mtok at 20.
    assert plan.summary["objective_cny"] == pytest.approx(6 * 30 + 36 * 20, abs=1e-3)


def test_compute_first_answers_all_it_can_and_sells_the_rest() -> None:
    plan = run("compute_first", sold_first(), 1)
    # 8 MWh answer all 72 Mtok, 2 are sold.
    assert plan.summary["objective_cny"] == pytest.approx(72 * 20 + 2 * 30, abs=1e-3)


def test_compute_first_pays_any_price_for_energy() -> None:
    plan = run("compute_first", compute.site(grid_price=500, fleet=compute.fleet(), chat=compute.chat(18)), 1)  # fmt: skip  # noqa: E501
    # 18 Mtok earn 360 and need 2 MWh at 500: a loss that a plan would not make.
    assert plan.summary["objective_cny"] == pytest.approx(360 - 1000, abs=1e-3)


def test_grid_first_sells_nothing_below_zero() -> None:
    parts = {"sun": build.renewable(10), "grid": build.market(-5)}
    assert run("grid_first", parts, 1).summary["objective_cny"] == 0


def test_the_battery_charges_in_the_lowest_third_of_the_span_and_discharges_in_the_highest() -> (
    None
):
    # Span 10 to 40: valley up to 20, peak from 30; 25 lies between.
    prices = [10, 20, 25, 40, 30]
    grid = build.grid(import_price_cny_per_mwh=prices, export_price_cny_per_mwh=prices, resale=True)
    plan = run("tariff_battery", {"grid": grid, "battery": build.battery()}, 5)
    assert column(plan, "battery.charge_mw[grid]") == [4, 4, 0, 0, 0]
    assert column(plan, "battery.discharge_mw[grid]") == [0, 0, 0, 4, 4]
    assert plan.summary["objective_cny"] == pytest.approx(4 * (40 + 30 - 10 - 20), abs=1e-3)


def test_the_battery_stays_above_what_its_ending_asks_for_and_within_its_cycles() -> None:
    prices = [40, 40, 10]
    grid = build.grid(import_price_cny_per_mwh=prices, export_price_cny_per_mwh=prices, resale=True)
    full = build.battery(initial={"energy_mwh": 8}, ending={"at_least_mwh": 6})
    plan = run("tariff_battery", {"grid": build.grid(), "battery": full}, 2)  # one price: no peak
    assert column(plan, "battery.discharge_mw[grid]") == [0, 0]
    plan = run("tariff_battery", {"grid": grid, "battery": full}, 3)
    assert column(plan, "battery.discharge_mw[grid]") == [2, 0, 0]
    full |= {"ending": {"value_cny_per_mwh": 0}, "cycles_per_day": 0.5}
    plan = run("tariff_battery", {"grid": grid, "battery": full}, 3)
    assert column(plan, "battery.discharge_mw[grid]") == [4, 1, 0]  # 5 MWh a day


def test_an_idle_battery_makes_up_for_its_leak_in_the_last_step() -> None:
    leaky = build.battery(initial={"energy_mwh": 8}, leak_per_h=0.25)
    parts = {"grid": build.grid(resale=True), "battery": leaky}
    plan = run("grid_first", parts, 2)
    # 8 become 6 and 4.5: 3.5 are missing.
    assert column(plan, "battery.charge_mw[grid]") == [0, 3.5]


def test_a_unit_that_is_on_stays_on_and_one_that_is_off_starts_for_tokens() -> None:
    on = build.thermal(initial={"on": True, "power_mw": 20, "hours": 5})
    grid = build.market(5, 5)
    plan = run("compute_first", {"coal": on, "grid": grid}, 2)
    # 20 MW at 10, sold at 5: the unit is not stopped, as a plan would.
    assert plan.summary["objective_cny"] == pytest.approx(2 * 20 * (5 - 10), abs=1e-3)
    off = {"coal": build.thermal(), "grid": grid, "fleet": compute.fleet(30)}
    assert column(run("compute_first", off, 2), "coal.on") == [0, 0]
    off["chat"] = compute.chat([0, 18])
    assert column(run("compute_first", off, 2), "coal.on") == [0, 1]


def test_an_outage_stops_a_unit_that_is_on() -> None:
    on = build.thermal(initial={"on": True, "power_mw": 20, "hours": 5}, available=[1, 0, 1])
    plan = run("compute_first", {"coal": on, "grid": build.market(5, 5, 5)}, 3)
    assert column(plan, "coal.on") == [1, 0, 0]


def test_batch_work_is_answered_first_in_first_out_within_its_deadline() -> None:
    parts = {
        "sun": build.renewable(1, 1, 1),
        "fleet": compute.fleet(),
        "work": compute.batch([18, 9, 0], deadline_h=1),
    }
    plan = run("compute_first", parts, 3)
    # 9 Mtok can be answered in an hour: half of the first 18 at once, the others in their last
    # hour, and what came then in the hour after it.
    assert column(plan, "work.answered_mtok_per_h") == [9, 9, 9]
    assert column(plan, "work.waiting_mtok") == [9, 9, 0]
    assert total(plan, "work", "tokens") == pytest.approx(27 * 20, abs=1e-3)


def test_the_exchange_of_the_day_before_is_declared() -> None:
    declared = {
        "import_price_cny_per_mwh": 30, "export_price_cny_per_mwh": 30, "export_limit_mw": 100,
        "real_time_price_cny_per_mwh": 20, "declaration": {"exchange_mw": "decide"},
    }  # fmt: skip
    parts = {"grid": build.grid(**declared), "town": build.load(*[4.0] * 24, 6.0)}
    plan = run("compute_first", parts, 25)
    # On the first day all is bought in real time; then 4 are declared at 30 and 2 more cost 20.
    assert column(plan, "grid.declared_import_mw") == [0] * 24 + [4]
    assert plan.summary["objective_cny"] == pytest.approx(-(24 * 4 * 20 + 4 * 30 + 2 * 20))


def test_what_a_rule_of_thumb_cannot_keep_is_named_not_raised() -> None:
    empty = {"grid": build.market(10, 20), "battery": build.battery(ending={"at_least_mwh": 3})}
    plan = planner.rule_of_thumb(scenario(empty, 2), "grid_first")
    (breach,) = plan.summary["breaches"]
    assert (breach["components"], breach["rule"]) == (["battery"], "ending")
    assert breach["missed"] == pytest.approx(3, abs=1e-3)
    green = {
        "sun": build.renewable(10, 10),
        "grid": build.market(10, 10),
        "town": build.load(5, 5),
        "rule": build.green_rule(max_export_share=0.1),
    }
    # Half of the sun is sold in the first hour before the rule is seen; it cannot be taken back,
    # and what else the horizon asks for is kept all the same.
    green["battery"] = build.battery(ending={"at_least_mwh": 2})
    plan = planner.rule_of_thumb(scenario(green, 2), "grid_first")
    assert [b["rule"] for b in plan.summary["breaches"]] == ["export"]
    assert plan.summary["figures"]["battery"]["energy_at_end_mwh"] == pytest.approx(2)


def test_a_load_that_nobody_can_serve_is_named_too() -> None:
    dark = {"sun": build.renewable(5, 0), "grid": build.market(10, 10), "town": build.load(2, 2)}
    plan = planner.rule_of_thumb(scenario(dark, 2), "compute_first")
    assert [b["rule"] for b in plan.summary["breaches"]] == ["demand"]


def test_a_battery_gives_way_where_a_load_needs_it() -> None:
    battery = build.battery(initial={"energy_mwh": 4}, ending={"value_cny_per_mwh": 0})
    plan = run(
        "grid_first", {"battery": battery, "town": build.load(3), "sun": build.renewable(0)}, 1
    )
    assert column(plan, "battery.discharge_mw[grid]") == [3]


def test_an_unknown_rule_is_told_in_words() -> None:
    with pytest.raises(planner.ScenarioError, match="did you mean grid_first"):
        planner.rule_of_thumb(scenario({"grid": build.grid()}, 1), "grid_frist")


def test_rows_of_the_whole_horizon_are_the_known_ones(tmp_path: Path) -> None:
    """A new component with such a row must say whether a step may leave it to the last one."""
    kept = {"mandatory", "swing_so_far"}
    served = compute.site(fleet=compute.fleet(), chat=compute.chat(min_served_share=0.5))
    sites = [
        planner.load(full_site.write(tmp_path)),
        planner.load("scenarios/two_sites"),
        scenario(served | {"coal": build.thermal(ending="off"), "b": build.battery()}, 2),
    ]
    for site in sites:
        program = program_of(site)
        once = {
            (name, row)
            for (name, row, _), number in program.families.items()
            if (program.row_steps[program.row_families == number] == 0).any()
        }
        assert all(row in site.components[name].end_rows.keys() | kept for name, row in once)
