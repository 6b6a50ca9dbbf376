"""Ties: one plan among many that earn the same, whatever the solver's path to it."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import planner
from planner.solver.compiler import program_of
from planner.solver.rounds import optimise
from planner.solver.solution import Solution
from planner.solver.tidying import Tidying
from tests.support import build

SEEDS = 3
CENT = 0.01


def solved(site: dict[str, Any], hours: float, **solver: Any) -> tuple[pd.DataFrame, Solution]:
    """Return the schedule and the solution of a site."""
    scenario = build.scenario(site, hours, solver=solver)
    program = program_of(scenario)
    solution = optimise(program, scenario.solver)
    return program.schedule_at(solution.x), solution


def power(schedule: pd.DataFrame, name: str, out: str, into: str) -> np.ndarray[Any, Any]:
    """Return the net power of a component, MW by step."""
    sums = [schedule.filter(regex=rf"^{name}\.{flow}\b").sum(axis=1) for flow in (out, into)]
    return (sums[0] - sums[1]).to_numpy()


def movement(schedule: pd.DataFrame) -> float:
    """Return how far battery and exchange move in all, MW."""
    flows = ("battery", "discharge_mw", "charge_mw"), ("grid", "import_mw", "export_mw")
    return sum(float(np.abs(np.diff(power(schedule, *flow))).sum()) for flow in flows)


@cache
def tied_site(seed: int) -> dict[str, Any]:
    """Return a site with wind, a battery, a load, a unit and prices in blocks of several steps."""
    rnd = random.Random(seed)
    high, low = rnd.choice([(500, 300), (400, 400), (600, 200)])
    blocks = [rnd.choice([low, high]) for _ in range(3) for _ in range(4)]
    resale = rnd.random() < 0.5
    return {
        "grid": build.grid(
            import_limit_mw=rnd.choice([0, 50]), export_limit_mw=120, resale=resale,
            import_price_cny_per_mwh=[price + rnd.choice([0, 20]) for price in blocks],
            export_price_cny_per_mwh=blocks,
        ),
        "wind": build.renewable(*(rnd.randint(10, 60) for _ in range(12))),
        "town": build.load(*(rnd.randint(5, 25) for _ in range(12))),
        "battery": build.battery(
            capacity_mwh=60, charge_power_mw=30, discharge_power_mw=30,
            charge_efficiency=rnd.choice([1, 0.9]), discharge_efficiency=1,
            initial={"energy_mwh": {"renewable": 20, "grid": 10}},
            ending=rnd.choice(["same_as_start", {"at_least_mwh": 0}]),
        ),
    }  # fmt: skip


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(50))
def test_every_seed_of_the_solver_gives_the_same_plan(seed: int):
    site = tied_site(seed)
    schedules, solutions = zip(*(solved(site, 12, seed=s) for s in range(SEEDS)), strict=True)
    chosen, untidy = schedules[0], solved(site, 12, tidy=False)
    for schedule, solution in zip(schedules[1:], solutions[1:], strict=True):
        assert solution.bound == pytest.approx(solutions[0].bound, abs=CENT)
        assert (schedule - chosen).abs().to_numpy().max() < 1e-6
    assert movement(chosen) <= movement(untidy[0]) + 1e-6
    flows = "battery.charge_mw", "battery.discharge_mw"
    both = [chosen.filter(regex=rf"^{flow}\b").sum(axis=1) for flow in flows]
    assert np.minimum(*both).max() < 1e-6


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(50))
def test_a_battery_without_gain_rests(seed: int):
    """One price for import and export, in every step: storing earns nothing, whatever it costs."""
    rnd = random.Random(seed)
    price = rnd.choice([0, 1, 50, 333.33])
    site = {
        "grid": build.grid(import_limit_mw=20, export_limit_mw=20, resale=True,
                           import_price_cny_per_mwh=price, export_price_cny_per_mwh=price),
        "town": build.load(*(rnd.randint(0, 9) for _ in range(6))),
        "wind": build.renewable(*(rnd.randint(0, 15) for _ in range(6))),
        "battery": build.battery(
            charge_efficiency=rnd.choice([1, 0.9]), discharge_efficiency=1,
            initial={"energy_mwh": 4},
        ),
    }  # fmt: skip
    schedule, _ = solved(site, 6)
    assert power(schedule, "battery", "discharge_mw", "charge_mw") == pytest.approx(0, abs=1e-6)


CHATTER = {
    "grid": build.grid(import_limit_mw=0, export_limit_mw=120, resale=True,
                       import_price_cny_per_mwh=600,
                       export_price_cny_per_mwh=[300] * 8 + [500] * 16),
    "wind": build.renewable(
        *[60 * pu for pu in (0.30, 0.31, 0.35, 0.33, 0.36, 0.41, 0.38, 0.44, 0.47, 0.43, 0.5, 0.52,
                            0.49, 0.55, 0.51, 0.48, 0.53, 0.5, 0.46, 0.44, 0.42, 0.4, 0.41, 0.39)]
    ),
    "battery": build.battery(capacity_mwh=60, charge_power_mw=30, discharge_power_mw=30,
                             charge_efficiency=1, discharge_efficiency=1,
                             initial={"energy_mwh": {"renewable": 40}},
                             ending={"at_least_mwh": 0}),
}  # fmt: skip


def test_a_battery_charges_and_discharges_evenly():
    """20 MWh in 2 h are 10 MW, 60 MWh in 4 h are 15 MW; the wind earns 15,710 CNY less 300 x 20."""
    plan = build.solve(CHATTER, 6, step_min=15)
    assert plan.summary["objective_cny"] == pytest.approx(93210.00, abs=CENT)
    net = power(plan.schedule, "battery", "discharge_mw", "charge_mw")
    assert net == pytest.approx([-10.0] * 8 + [15.0] * 16, abs=1e-6)


def test_movement_may_cost_a_share_of_turnover():
    """Prices 1 CNY apart every other hour: chasing them earns 10 CNY of a turnover of 10,000."""
    prices = [100 + t % 2 for t in range(10)]
    site = {
        "grid": build.grid(import_limit_mw=0, export_limit_mw=20, import_price_cny_per_mwh=500,
                           export_price_cny_per_mwh=prices),
        "wind": build.renewable(*[10] * 10),
        "battery": build.battery(charge_efficiency=1, discharge_efficiency=1, charge_power_mw=2,
                                 discharge_power_mw=2, initial={"energy_mwh": {"renewable": 4}}),
    }  # fmt: skip
    chasing = build.solve(site, 10)
    smooth = build.solve(site, 10, solver={"smoothing_cost_share": 2e-3})
    lost = chasing.summary["objective_cny"] - smooth.summary["objective_cny"]
    assert lost == pytest.approx(10, abs=CENT)
    assert lost <= 2e-3 * chasing.summary["turnover_cny"]
    assert movement(smooth.schedule) == pytest.approx(0, abs=1e-6)
    assert smooth.summary["status"] == "optimal"


@pytest.mark.parametrize("share", [1e-3, 5e-3, 0.02])
@pytest.mark.parametrize("rise", [5, 20, 60])
def test_a_smooth_plan_has_no_reason_that_it_contradicts(rise: int, share: float):
    """A ramp that limits the most profitable plan has a price, and none where it leaves room."""
    prices = [100 + rise * (t % 4) for t in range(12)]
    site = {
        "grid": build.grid(import_limit_mw=20, export_limit_mw=20, resale=True,
                           import_price_cny_per_mwh=prices, export_price_cny_per_mwh=prices),
        "battery": build.battery(ramp_mw_per_h=3, cycles_per_day=1, initial={"energy_mwh": 4}),
    }  # fmt: skip
    plan = build.solve(site, 12, solver={"smoothing_cost_share": share})  # passes its audit
    net = power(plan.schedule, "battery", "discharge_mw", "charge_mw")
    steep = np.abs(np.diff(net, prepend=0.0)) > 3 - 1e-5
    ramping = plan.reasons[plan.reasons["code"] == "ramping"]
    limited = plan.schedule.index[steep | np.append(steep[1:], False)]
    assert set(ramping["time"]) <= set(limited)


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_that_cannot_be_tidied_has_its_origins_by_the_rule(
    seed: int, monkeypatch: pytest.MonkeyPatch
):
    """The LPs tried before leave the session confined: the rule starts from the program."""
    site = tied_site(seed)
    _, tidied = solved(site, 12)
    tidy = Tidying.tidy

    def in_vain(self: Tidying, loss_share: float) -> None:
        assert tidy(self, loss_share)

    monkeypatch.setattr(Tidying, "tidy", in_vain)
    _, untidy = solved(site, 12)
    assert untidy.ranges is not None
    assert set(untidy.ranges) == set(tidied.ranges or {})


def test_compute_draws_no_energy_that_earns_nothing():
    """Surplus wind costs nothing, and is not burnt by idle nodes that could sleep."""
    plan = planner.solve(planner.load("scenarios/tiny_wake"))
    untidy = planner.solve(planner.load("scenarios/tiny_wake", set={"solver.tidy": False}))
    drawn, most = (
        sum(p.schedule[c].sum() for c in p.schedule if ".draw_mw" in c) for p in (plan, untidy)
    )
    assert drawn <= most + 1e-9


def test_smoothing_that_turns_over_less_keeps_the_gap_of_its_own_turnover():
    """Smoothed by a tenth of 16,000 CNY, the plan turns over less: the loss is a tenth of that."""
    site = {
        "grid": build.grid(import_limit_mw=0, export_limit_mw=20, import_price_cny_per_mwh=600,
                           export_price_cny_per_mwh=[0, 0, 1600, 1600]),
        "wind": build.renewable(2, 2, 3, 3),
        "battery": build.battery(charge_efficiency=1, discharge_efficiency=1),
    }  # fmt: skip
    smooth = build.solve(site, 4, solver={"smoothing_cost_share": 0.1}).summary
    assert smooth["solving"]["tidied"]
    assert smooth["gap"] <= 0.1 + 1e-3
    assert "least" in smooth["green"]
    assert not build.solve(site, 4, solver={"tidy": False}).summary["solving"]["tidied"]
