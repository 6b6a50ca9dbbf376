"""Random sites with every market rule of the grid: audits, halved steps, windows in a row."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest

import planner
from tests.support.build import battery, grid, load, renewable, scenario, solve
from tests.support.windows import advance, best_of, earned_by_step

HOURS, BEGINS = 8, "2026-07-31T20:00:00+08:00"  # a day and a month end after step 4


def site(seed: int) -> dict[str, dict[str, Any]]:
    """A site with a limited, declaring, responding grid and a contract."""
    rnd = random.Random(seed)

    def series(low: float, high: float) -> list[float]:
        return [float(rnd.randint(round(low), round(high))) for _ in range(HOURS)]

    swing = rnd.random() < 0.5
    past: dict[str, float] = {"exchange_mw": 20}
    if swing:
        past |= {"highest_today_mw": 22, "lowest_today_mw": 14}
    declared: Any = "decide" if rnd.random() < 0.5 else series(-20, 40)
    connection = grid(
        import_limit_mw=60,
        export_limit_mw=40,
        import_price_cny_per_mwh=series(20, 90),
        export_price_cny_per_mwh=series(0, 80),
        self_use_charge_cny_per_mwh=rnd.choice([0, 4]),
        demand_charge_cny_per_mw_month=rnd.choice([0, 50]),
        peak_so_far_mw=21,
        ramp_mw_per_h=rnd.choice([15, 30]),
        max_swing_share=0.7 if swing else None,
        initial=past,
        declaration={
            "exchange_mw": declared,
            "band_share": 0.1,
            "over_cost_cny_per_mwh": rnd.choice([10, 60]),
            "under_cost_cny_per_mwh": rnd.choice([5, 40]),
        },
        real_time_price_cny_per_mwh=series(10, 110),
        response=[
            {"hours": ["21-23"], "baseline_mw": series(15, 70), "reward_cny_per_mwh": 80,
             "max_mw": 12},
            {"hours": ["1-3"], "dates": ["08-01"], "baseline_mw": 25, "reward_cny_per_mwh": 55,
             "max_mw": 9},
        ],
        fixed_cny_per_month=9000,
    )  # fmt: skip
    return {
        "grid": connection,
        "battery": battery(
            capacity_mwh=40, charge_power_mw=15, discharge_power_mw=15, charge_efficiency=0.9,
            wear_cny_per_mwh=2, initial={"energy_mwh": 20},
        ),
        "sun": renewable(*series(0, 40)),
        "city": load(*series(15, 50), shed_cost_cny_per_mwh=300),
        "deal": {"kind": "contract", "mw": series(-9, 9), "price_cny_per_mwh": series(10, 90)},
    }  # fmt: skip


@functools.cache
def plan_of(seed: int) -> planner.Plan:
    return solve(site(seed), HOURS, start=BEGINS)  # `solve` audits


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 12))]


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", SEEDS)
def test_plans_pass_their_audit_and_halved_steps_earn_no_less(seed: int):
    coarse = plan_of(seed)
    data = _finer(site(seed))
    fine = solve(data, HOURS, start=BEGINS, step_min=30)
    # any hourly plan can be run in half hours, but for the ramp, which half a step halves
    data["grid"]["ramp_mw_per_h"] *= 2
    free = solve(data, HOURS, start=BEGINS, step_min=30)
    whole = coarse.summary["objective_cny"]
    assert free.summary["objective_cny"] >= whole - 1e-3
    assert free.summary["objective_cny"] >= fine.summary["objective_cny"] - 1e-3


def _finer(data: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    def halved(value: Any) -> Any:
        if isinstance(value, list) and len(value) == HOURS:
            return [half for each in value for half in (each, each)]
        if isinstance(value, dict):
            return {key: halved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [halved(item) for item in value]
        return value

    return {name: halved(part) for name, part in data.items()}


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(4))
def test_two_windows_in_a_row_earn_what_the_horizon_earns(seed: int):
    parts = site(seed)
    parts["grid"]["demand_charge_cny_per_mw_month"] = 0
    plan = solve(parts, HOURS, start=BEGINS)
    for last in (2, 4, 5):
        rest = best_of(advance(plan, 1, last), last + 1)
        whole = plan.summary["objective_cny"]
        assert earned_by_step(plan, last) + rest == pytest.approx(whole, rel=1e-6, abs=1e-3)


def test_the_random_sites_use_every_rule():
    plans = [plan_of(seed) for seed in range(6)]
    lines = {line for plan in plans for line in plan.summary["ledger_cny"]["grid"]}
    assert {"import", "deviation", "over", "under", "response", "demand_charge"} <= lines
    amounts = [plan.summary["ledger_cny"]["grid"] for plan in plans]
    for line in ("deviation", "over", "under", "response"):
        assert any(abs(found[line]) > 1 for found in amounts), line


def test_a_scenario_with_every_rule_reads_back(tmp_path: Any):
    plan = plan_of(1)
    assert planner.read_plan(plan.write(tmp_path / "plan")) == plan
    assert scenario(site(1), HOURS, start=BEGINS) == plan.scenario
