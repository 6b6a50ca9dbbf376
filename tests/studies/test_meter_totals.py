"""Totals as meters know them: accepted wherever a schedule is read, never written."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.components.registry import KINDS
from planner.solver.compiler import program_of
from planner.solver.meter_totals import sums_of
from tests.support.build import battery, grid, load, renewable, scenario, thermal
from tests.support.full_site import write

ORIGINS = ("renewable", "thermal", "grid")


def by_hand(schedule: pd.DataFrame, name: str) -> pd.Series[float]:
    """Return the sum of a quantity over its index."""
    return schedule[[c for c in schedule if str(c).startswith(f"{name}[")]].sum(axis=1)


@cache
def mixed(seed: int) -> planner.Plan:
    random = np.random.default_rng(seed)
    prices = (random.integers(5, 90, 6) * 10.0).tolist()
    parts = {
        "store": battery(charge_efficiency=0.95, discharge_efficiency=0.9),
        "market": grid(resale=True, import_price_cny_per_mwh=prices,
                       export_price_cny_per_mwh=[0.9 * price for price in prices]),
        "pv": renewable(*random.integers(0, 15, 6).tolist()),
        "town": load(*random.integers(3, 12, 6).tolist()),
        "unit": thermal(min_power_mw=2, max_power_mw=8, auxiliary_share=0.1,
                        fuel_price_cny_per_gj=40, curve=[{"power_mw": 2, "fuel_gj_per_h": 20},
                               {"power_mw": 8, "fuel_gj_per_h": 70}]),
    }  # fmt: skip
    return planner.solve(scenario(parts, 6))


def metered(schedule: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "store.power_mw": by_hand(schedule, "store.discharge_mw")
        - by_hand(schedule, "store.charge_mw"),
        "store.energy_mwh": by_hand(schedule, "store.energy_mwh"),
        "market.exchange_mw": schedule["market.import_mw"] - by_hand(schedule, "market.export_mw"),
        "unit.net_mw": 0.9 * schedule["unit.power_mw"],
    })  # fmt: skip


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(8))
def test_totals_settle_to_the_money_of_the_full_schedule(seed: int):
    plan = mixed(seed)
    totals = metered(plan.schedule)
    settled = planner.settle(plan.scenario, totals)
    assert settled.breaches == ()
    whole = planner.settle(plan.scenario, plan)
    assert settled.plan.summary["objective_cny"] == pytest.approx(
        whole.plan.summary["objective_cny"], abs=1e-3
    )
    pd.testing.assert_frame_equal(metered(settled.plan.schedule), totals, rtol=0, atol=1e-6)
    assert list(settled.plan.schedule) == list(plan.schedule)  # totals are not written
    assert settled.plan.summary["warnings"][-1] == (
        "origins of store.energy_mwh, market.exchange_mw, store.power_mw are filled in: renewable"
        " first"
    )


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(8))
def test_a_total_that_breaks_a_limit_is_missed_by_its_excess(seed: int):
    plan = mixed(seed)
    totals = metered(plan.schedule)[["store.power_mw"]]
    totals.iloc[2] = -4.25
    (breach,) = (
        breach
        for breach in planner.settle(plan.scenario, totals, tolerance=1e-3).breaches
        if breach.rule == "charge_limit"
    )
    assert breach.missed == pytest.approx(0.25, abs=1e-6)


def test_a_total_is_the_net_of_both_directions():
    # 3 MW out: the battery discharges 3 and charges nothing; 3 MWh are sold at 50
    site = scenario({"store": battery(initial={"energy_mwh": 5}, ending={"at_least_mwh": 0}),
                     "market": grid(export_price_cny_per_mwh=50, resale=True)}, 1)  # fmt: skip
    given = pd.DataFrame({"store.power_mw": [3.0]}, index=site.horizon.starts)
    plan = planner.settle(site, given).plan
    assert plan.schedule["store.discharge_mw[grid]"].tolist() == [3]
    assert by_hand(plan.schedule, "store.charge_mw").tolist() == [0]
    assert plan.summary["objective_cny"] == pytest.approx(150)
    fixed = planner.solve(site, fixed=given)
    assert fixed.summary["objective_cny"] == pytest.approx(150)
    assert fixed.summary["warnings"][-1].startswith("origins of store.power_mw are filled in")


def test_a_total_beside_its_parts_is_kept_or_contradicts_them():
    site = mixed(0).scenario
    schedule = mixed(0).schedule
    both = schedule.join(metered(schedule))
    settled = planner.settle(site, both)
    assert settled.breaches == ()
    assert not any("filled in" in text for text in settled.plan.summary["warnings"])
    both.iloc[1, both.columns.get_loc("market.exchange_mw")] += 0.5
    (breach,) = planner.settle(site, both).breaches
    value = both["market.exchange_mw"].iloc[1]
    assert breach.text == (
        f"market.exchange_mw is {value:.6g} and can only be {value - 0.5:.6g}, at 01:00-02:00"
    )
    # printed digits are no contradiction
    assert (
        planner.settle(site, both.assign(**metered(schedule)).round(4), tolerance=1e-3).breaches
        == ()
    )


def test_a_total_moved_for_its_rounding_is_noted():
    # sold is 0.001 MW more than the battery gives: one of the two moves
    site = scenario({"store": battery(initial={"energy_mwh": 5}, ending={"at_least_mwh": 0}),
                     "market": grid(export_price_cny_per_mwh=50, resale=True)}, 1)  # fmt: skip
    totals = {"store.power_mw": [3.0], "market.exchange_mw": [-3.001]}
    plan = planner.settle(
        site, pd.DataFrame(totals, index=site.horizon.starts), tolerance=0.01
    ).plan
    assert any("1 given values are moved" in note for note in plan.summary["warnings"])
    assert plan.summary["objective_cny"] == pytest.approx(150, abs=0.051)


def test_every_indexed_quantity_has_its_sum(tmp_path: Path):
    site = planner.load(write(tmp_path))
    program = program_of(site)
    sums = sums_of(program)
    indexed = {c.partition("[")[0] for c in (*program.schedule, *program.schedule_rows) if "[" in c}
    assert indexed <= set(sums)
    assert {"battery.power_mw", "grid.exchange_mw", "coal.net_mw"} <= set(sums)
    assert not set(sums) & {*program.schedule, *program.schedule_rows}
    for name, component in site.components.items():
        for total, factors in component.totals().items():
            assert sums[f"{name}.{total}"].factors, f"{name}.{total}"
            assert all(factors.values())
    assert {type(part).__name__ for part in site.components.values()} == {
        entry.component.__name__ for entry in KINDS.values()
    }


def test_an_unknown_column_is_answered_with_the_forms():
    site = mixed(0).scenario
    given = metered(mixed(0).schedule).rename(columns={"store.power_mw": "store.powr_mw"})
    with pytest.raises(planner.ScenarioError) as caught:
        planner.settle(site, given)
    text = str(caught.value)
    assert "did you mean store.power_mw?" in text
    assert "and market.exchange_mw, store.power_mw, unit.net_mw" in text.replace("\n", " ")


def test_a_file_of_totals_is_settled_and_fixed_by_the_commands(tmp_path: Path):
    file = tmp_path / "meters.csv"
    file.write_text("time,battery.power_mw\n2026-07-15T00:00:00+08:00,-2\n")
    result = CliRunner().invoke(
        app, ["settle", "scenarios/tiny_arbitrage", "--schedule", str(file)]
    )
    assert result.exit_code == 0, result.output
    assert "origins of battery.power_mw are filled in" in result.output
    result = CliRunner().invoke(
        app, ["solve", "scenarios/tiny_arbitrage", "--fix", str(file), "--out", str(tmp_path / "p")]
    )
    assert result.exit_code == 0, result.output
    assert "battery.power_mw" not in (tmp_path / "p" / "schedule.csv").read_text()
