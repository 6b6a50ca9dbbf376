"""Small inputs that once misled, each with the answer that a reader can find in the head."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import planner
from planner.auditor.audit import audit_files
from planner.cli.app import app
from planner.errors import ScenarioError
from tests.support.audited import stored

CASES = Path(__file__).parent / "cases"


def solved(name: str, **changes: object) -> planner.Plan:
    """Return the plan of a case, audited."""
    plan = planner.solve(planner.load(CASES / f"{name}.yaml", set=changes))
    assert audit_files(stored(plan)) == []
    return plan


def profit_of(plan: planner.Plan) -> float:
    """Return the profit of a plan, CNY."""
    return float(plan.summary["objective_cny"])


def problems_of(name: str) -> list[str]:
    """Return what is wrong with a case, line by line."""
    with pytest.raises(ScenarioError) as error:
        planner.load(CASES / f"{name}.yaml")
    return str(error.value).splitlines()


def moved_mw(plan: planner.Plan, direction: str) -> pd.Series:
    """Return what a battery charges or discharges in each step, of every origin."""
    return plan.schedule.filter(like=f"battery.{direction}_mw[").sum(axis=1).round(6)


def test_every_case_has_its_test() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in CASES.glob("*.yaml") if f'"{path.stem}' not in tests] == []


def test_of_equally_good_plans_the_least_moving() -> None:
    """40 MWh left in 16 quarter hours at 500 CNY, and room for 20 more, of two hours at 300."""
    plan = solved("chatter")
    early = plan.schedule.index.hour < 17
    assert profit_of(plan) == pytest.approx(93_210)
    assert moved_mw(plan, "charge").tolist() == [10.0] * 8 + [0.0] * 16
    assert moved_mw(plan, "discharge")[early].eq(0).all()
    assert moved_mw(plan, "discharge")[~early].eq(15).all()


def test_what_gains_nothing_does_not_move() -> None:
    """At 50 CNY for buying and selling in every hour a battery earns nothing."""
    plan = solved("idle_storage")
    assert profit_of(plan) == pytest.approx(-6 * 50)
    assert moved_mw(plan, "charge").eq(0).all()
    assert moved_mw(plan, "discharge").eq(0).all()


def test_a_stated_rule_splits_what_ties_leave_open() -> None:
    """13 MWh of wind, 10 of coal, 15 used: wind is used in full, or only where coal is short."""
    green = solved("origin_ties").summary["green"]
    assert green["self_use_share"] == pytest.approx(13 / 13, abs=1e-6)
    assert green["least"]["self_use_share"] == pytest.approx(5 / 13, abs=1e-6)
    assert green["most"]["self_use_share"] == pytest.approx(13 / 13, abs=1e-6)


def test_the_meter_averages_a_quarter_hour() -> None:
    """3 MW for five of fifteen minutes are a peak of 1 MW, at 100 CNY."""
    assert profit_of(solved("quarter_hour_peak")) == pytest.approx(-100)


@pytest.mark.parametrize("step_min", [5, 15, 60])
def test_a_reserve_lasts_as_long_at_any_step(step_min: int) -> None:
    """1 MWh holds 1 MW for an hour: 5 of 6 MW are short, 1000 CNY each, and 50 are paid for 5 MWh.

    Whether the hour is cut or not.
    """
    plan = solved("reserve_duration", **{"horizon.step_min": step_min})
    assert profit_of(plan) == pytest.approx(-5 * 1000 - 50)


@pytest.mark.parametrize("tolerance", [1e-5, 1e-3, 0.05])
def test_a_schedule_is_settled_as_it_stands_at_every_tolerance(tolerance: float) -> None:
    """4.1 MW charged at 10 CNY, 0.1 more than it may; 2 MW sold at 50 and 2.1 at 9000."""
    scenario = planner.load(CASES / "settle_tolerance.yaml")
    settlement = planner.settle(scenario, CASES / "settle_tolerance.csv", tolerance=tolerance)
    assert profit_of(settlement.plan) == pytest.approx(-41 + 100 + 18_900)
    (breach,) = settlement.breaches
    assert breach.missed == pytest.approx(0.1)


def test_both_directions_at_once_are_named_and_nothing_renewable_has_no_share() -> None:
    scenario = planner.load(CASES / "settle_shares.yaml")
    settlement = planner.settle(scenario, CASES / "settle_shares.csv")
    (breach,) = settlement.breaches
    assert "charges 1 MW and discharges 1 MW at once" in breach.text
    green = settlement.plan.summary["green"]
    assert {green[key] for key in green if key.endswith("share")} == {None}


def test_a_month_outside_the_horizon_is_an_error() -> None:
    assert problems_of("wrong_month") == [
        f"{CASES / 'wrong_month.yaml'}:4: components.grid.peak_so_far_mw.2025-07:"
        " is no month of the horizon, which covers 2026-07"
    ]


def test_rounding_is_no_error() -> None:
    """3 MW x 0.3333333333333334 is 1 and a little: a share of 1."""
    scenario = planner.load(CASES / "rounding.yaml")
    assert scenario.components["sun"].availability_pu.tolist() == pytest.approx([0.5, 1])


def test_a_few_watts_in_the_evening_are_a_plan() -> None:
    """20 MWh bought at 500 CNY; 30 Wh of sun are spilled, or sold for a hundredth of a CNY."""
    assert profit_of(solved("night_spill")) == pytest.approx(-10_000, abs=0.02)


def test_the_first_megawatt_is_worth_what_it_earns() -> None:
    """1 MWh bought at 10 CNY in the first hour is worth 500 in the second: 490 a MW."""
    prices = planner.prices(planner.load(CASES / "first_megawatt.yaml"))
    of_battery = prices.first_units.query("component == 'bat'")
    assert of_battery["value"].tolist() == pytest.approx([490])


def test_a_unit_without_a_start_ramp_starts() -> None:
    """50 MW in each of two hours, at 1 CNY for a MWh."""
    assert profit_of(solved("start_default")) == pytest.approx(-100)


def test_energy_that_cannot_be_sold_is_told_with_what_to_write() -> None:
    warnings = [str(warning) for warning in planner.load(CASES / "two_origins.yaml").warnings()]
    assert any("write `initial: {energy_mwh: {renewable: 10}}`" in text for text in warnings)
    resold = solved("two_origins", **{"components.g.resale": True})
    assert profit_of(resold) == pytest.approx(10 * 300)


def test_nothing_sold_is_no_negative_zero() -> None:
    shown = CliRunner().invoke(app, ["solve", str(CASES / "two_origins.yaml")])
    assert shown.exit_code == 0
    assert "profit 0 CNY" in shown.stdout
    assert "Least and most" not in shown.stdout  # without shares
    assert re.findall(r"-0\b(?!\d)", shown.stdout.replace("2026-01-05", "")) == []


def test_errors_of_one_file_come_in_one_round() -> None:
    told = problems_of("three_rounds")
    fields = ["d.demand_mw", "b.ending.at_least_mwh", "b.initial.energy_mwh"]
    assert len(told) == len(fields)
    assert all(f"components.{field}: " in line for field, line in zip(fields, told, strict=True))
