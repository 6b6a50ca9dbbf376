"""Loads, renewables and nodes; energy and money that add up in every plan."""

from __future__ import annotations

from pathlib import Path

import pytest

import planner
from tests.support import golden
from tests.support.build import *

# load


def test_load_is_served():
    plan = solve({"grid": grid(), "city": load(5, 6)}, 2)
    assert column(plan, "city.draw_mw[grid]") == [5, 6]
    assert plan.summary["figures"]["city"] == {"demand_mwh": 11, "shed_mwh": 0}


def test_load_that_must_be_served_and_cannot_be():
    with pytest.raises(planner.InfeasibleError):
        solve({"grid": grid(import_limit_mw=4), "city": load(5)})


def test_load_is_shed_at_its_price():
    site = {"grid": grid(import_limit_mw=4), "city": load(5, shed_cost_cny_per_mwh=900)}
    plan = solve(site)
    assert plan.summary["objective_cny"] == -4 * 40 - 1 * 900
    assert plan.summary["cash_profit_cny"] == -160
    assert plan.summary["figures"]["city"]["shed_mwh"] == 1
    cheap = {"grid": grid(), "city": load(5, shed_cost_cny_per_mwh=30)}
    assert profit(cheap) == -5 * 30  # cheaper than buying at 40


# renewable


def test_what_is_not_worth_selling_is_curtailed():
    plan = solve({"sun": renewable(8, 8), "grid": market(30, -5)}, 2)
    assert column(plan, "sun.power_mw") == [8, 0]
    assert column(plan, "sun.curtailed_mw") == [0, 8]
    assert plan.summary["figures"]["sun"] == {"available_mwh": 16, "curtailed_mwh": 8}


def test_what_must_be_taken_is():
    site = {"sun": renewable(8, 8, must_take_pu=[0.03, 0.02]), "grid": market(-5, -5)}
    assert profit(site, 2) == -5 * (3 + 2)


def test_cost_decides_what_is_taken():
    site = {"sun": renewable(8, cost_cny_per_mwh=12), "grid": market(30)}
    plan = solve(site)
    assert total(plan, "sun", "variable") == -8 * 12
    assert profit({**site, "grid": market(11)}) == 0


def test_levelized_cost_is_reported_only():
    plan = solve({"sun": renewable(8, levelized_cost_cny_per_mwh=200), "grid": market(-1)})
    assert plan.summary["objective_cny"] == 0
    assert plan.summary["outside_objective_cny"]["sun"]["levelized"] == -1600


def test_must_take_beyond_what_is_available_is_an_error():
    site = {"sun": renewable(8, 2, must_take_pu=0.03), "grid": market(1, 1)}
    with pytest.raises(planner.ScenarioError, match=r"must_take_pu: .* at 07-15 01:00"):
        scenario(site, 2)


# nodes and origins


def test_nodes_balance_apart():
    here = {"sun": renewable(8), "city": load(3)}
    there = {
        "wind": renewable(2, node="hill"),
        "village": load(5, node="hill", shed_cost_cny_per_mwh=100),
    }
    plan = solve(here | there)
    assert column(plan, "sun.curtailed_mw") == [5]
    assert column(plan, "village.shed_mw") == [3]


def test_thermal_energy_stays_thermal():
    plan = solve({"unit": thermal(must_run=True), "sun": renewable(5), "city": load(30)})
    assert used(plan, "load", "thermal") + used(plan, "load", "renewable") == 30
    assert used(plan, "load", "thermal") >= 25


# energy and money add up


def everything() -> dict[str, dict[str, object]]:
    """A site with every electrical kind, where every line of the ledger has an amount."""
    return {
        "grid": grid(
            import_limit_mw=60,
            export_limit_mw=80,
            import_price_cny_per_mwh=[20, 60, 90, 30, 70, 100],
            export_price_cny_per_mwh={
                "renewable": [10, 40, 70, 20, 50, 95],
                "thermal": [5, 35, 65, 15, 45, 90],
            },
            self_use_charge_cny_per_mwh=3,
            demand_charge_cny_per_mw_month=40,
            fixed_cny_per_month=1e5,
        ),
        "sun": renewable(0, 20, 60, 90, 30, 0, cost_cny_per_mwh=2, levelized_cost_cny_per_mwh=99),
        "unit": thermal(
            ramp_up_mw_per_h=40,
            ramp_down_mw_per_h=50,
            startup_ramp_mw=50,
            shutdown_ramp_mw=60,
            min_up_h=2,
            min_down_h=2,
            startups=[{"off_h": 0, "cost_cny": 200}, {"off_h": 4, "cost_cny": 400}],
            shutdown_cost_cny=20,
            variable_cost_cny_per_mwh=1,
            auxiliary_share=0.07,
            fuel_price_cny_per_gj=[30, 31, 32, 33, 32, 31],
        ),
        "battery": battery(
            capacity_mwh=40,
            min_energy_mwh=4,
            charge_power_mw=20,
            discharge_power_mw=18,
            charge_efficiency=0.93,
            discharge_efficiency=0.91,
            leak_per_h=0.01,
            wear_cny_per_mwh=4,
            cycles_per_day=1,
            initial={"energy_mwh": {"renewable": 3, "thermal": 4, "grid": 5}},
            ending={"value_cny_per_mwh": 40},
        ),
        "city": load(30, 50, 60, 70, 50, 40),
        "mill": load(9, 9, 9, 9, 9, 99, shed_cost_cny_per_mwh=300),
        "hold": reserve(up_mw=5, load_share=0.05, shortfall_cost_cny_per_mwh=50),
    }


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    return solve(everything(), 6)


def test_objective_is_the_sum_of_the_ledger(plan: planner.Plan):
    objective = plan.summary["objective_cny"]
    assert plan.ledger["amount_cny"].sum() == pytest.approx(objective, rel=1e-6, abs=1e-4)
    assert plan.summary["bound_cny"] == pytest.approx(objective, rel=1e-6)
    assert plan.summary["cash_profit_cny"] + plan.summary["non_cash_cny"] == pytest.approx(
        objective
    )
    by_line = sum(sum(lines.values()) for lines in plan.summary["ledger_cny"].values())
    assert by_line == pytest.approx(objective, rel=1e-6)


def test_uses_sum_to_what_was_injected_by_origin_and_step(plan: planner.Plan):
    table = plan.allocation.pivot_table(index="time", columns="origin", values="mwh", aggfunc="sum")
    schedule = plan.schedule
    sun = schedule["sun.power_mw"] + schedule["sun.curtailed_mw"]
    assert table["renewable"].tolist() == pytest.approx(sun.tolist(), abs=1e-6)
    net = 0.93 * schedule["unit.power_mw"]
    assert table["thermal"].tolist() == pytest.approx(net.tolist(), abs=1e-6)
    assert table["grid"].tolist() == pytest.approx(schedule["grid.import_mw"].tolist(), abs=1e-6)


def test_plan_written_and_read_back_is_equal(plan: planner.Plan, tmp_path: Path):
    assert planner.read_plan(plan.write(tmp_path / "plan")) == plan


def test_halving_the_step_changes_nothing_where_nothing_ramps_or_rests():
    site = everything()
    for name in ("ramp_up_mw_per_h", "ramp_down_mw_per_h"):
        site["unit"][name] = 1000
    site["unit"] |= {"startup_ramp_mw": 100, "shutdown_ramp_mw": 100, "min_power_mw": 0}
    site["unit"] |= {"curve": [{"power_mw": 0, "fuel_gj_per_h": 0}, site["unit"]["curve"][-1]]}  # type: ignore[index]
    site["battery"] |= {"leak_per_h": 0}  # what is charged in a step does not leak in it
    site["hold"] = reserve(up_mw=5, shortfall_cost_cny_per_mwh=50, providers=["grid", "unit"])
    whole = profit(constant(site), 2)
    assert whole != 0
    assert profit(constant(site), 2, step_min=30) == pytest.approx(whole, rel=1e-6)
    assert profit(constant(site), 2, step_min=10) == pytest.approx(whole, rel=1e-6)


def constant(data: object) -> dict[str, dict[str, object]]:
    """Return the components with the third value of every series held."""

    def hold(value: object) -> object:
        if isinstance(value, dict):
            return {key: hold(item) for key, item in value.items()}
        is_series = isinstance(value, list) and value and not isinstance(value[0], dict | str)
        return value[2] if is_series else value  # type: ignore[index]

    return hold(data)  # type: ignore[return-value]


# golden


def test_golden_load():
    golden.check("load", scenario({"grid": grid(), "city": load(5, 6, shed_cost_cny_per_mwh=9)}, 2))


def test_golden_renewable():
    sun = renewable(50, 20, must_take_pu=[0.1, 0], cost_cny_per_mwh=2, levelized_cost_cny_per_mwh=9)
    golden.check("renewable", scenario({"sun": sun, "grid": grid()}, 2))
