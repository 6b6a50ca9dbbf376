"""A unit that is on and idles for nothing: in an LP relaxation its states are constants."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

import planner
from planner.solver.compiler import program_of
from tests.support.build import column, grid, load, market, reserve, scenario, solve, thermal

HOURS = 8
RELAX = {"relax": True}
STATES = ("on", "start", "stop", "start_kind[0]")


def idler(**fields: Any) -> dict[str, Any]:
    """A unit of 0 to 100 MW at 10 CNY/MWh that is on at 20 MW."""
    curve = [{"power_mw": mw, "fuel_gj_per_h": mw} for mw in (0, 100)]
    initial = {"on": True, "power_mw": 20, "hours": 30}
    return thermal(**{"min_power_mw": 0, "curve": curve, "initial": initial} | fields)


def random_site(seed: int) -> dict[str, Any]:
    """Return a unit that idles for nothing, its reserve, and a grid and a load with it."""
    rnd = random.Random(seed)

    def series(low: int, high: int) -> list[float]:
        return [float(rnd.randint(low, high)) for _ in range(HOURS)]

    slopes = [rnd.randint(5, 14) for _ in range(3)]  # in some order: not every curve is convex
    lengths, points, fuel = (30, 40, 30), [0], [0.0]
    for slope, length in zip(
        slopes if rnd.random() < 0.3 else sorted(slopes), lengths, strict=True
    ):
        points.append(points[-1] + length)
        fuel.append(fuel[-1] + slope * length / 10)
    unit = idler(
        curve=[{"power_mw": mw, "fuel_gj_per_h": gj} for mw, gj in zip(points, fuel, strict=True)],
        max_power_mw=rnd.choice([100.0, series(60, 100)]),
        ramp_up_mw_per_h=rnd.choice([15, 40, 1000]),
        ramp_down_mw_per_h=rnd.choice([15, 40, 1000]),
        startup_ramp_mw=rnd.choice([None, 10, 100]),
        shutdown_ramp_mw=rnd.choice([None, 10, 100]),
        min_up_h=rnd.choice([0, 3, 40]),
        min_down_h=rnd.choice([0, 3]),
        startups=[{"off_h": 0, "cost_cny": 100}, {"off_h": 4, "cost_cny": 500}],
        shutdown_cost_cny=rnd.choice([0, 50]),
        available=[rnd.choice([1, 1, 0.8]) for _ in range(HOURS)],
        must_run=rnd.random() < 0.2,
        ending=rnd.choice(["free", "same_as_start", "on"]),
        max_starts_per_day=rnd.choice([None, 1]),
    )
    return {
        "unit": unit,
        "grid": grid(import_limit_mw=40, export_limit_mw=50,
                     import_price_cny_per_mwh=series(5, 30),
                     export_price_cny_per_mwh=series(0, 20)),
        "town": load(*series(10, 90), shed_cost_cny_per_mwh=300),
        "spin": reserve(up_mw=rnd.choice([0, 10, 30]), shortfall_cost_cny_per_mwh=90),
    }  # fmt: skip


def decided(site: dict[str, Any]) -> dict[str, Any]:
    """Return the site with a longest run that never binds: the unit has its states to decide."""
    return site | {"unit": site["unit"] | {"max_up_h": 1000}}


@pytest.mark.few(5)
@pytest.mark.parametrize("seed", list(range(40)))
def test_the_optimum_is_that_of_a_unit_with_its_states_to_decide(seed: int) -> None:
    site = random_site(seed)
    constant, free = (scenario(s, HOURS, solver=RELAX) for s in (site, decided(site)))
    fewer, more = program_of(constant).matrix.shape, program_of(free).matrix.shape
    assert fewer[0] < more[0]
    assert fewer[1] == more[1] - 5 * HOURS  # on, start, stop and two kinds of start
    plans = [planner.solve(one) for one in (constant, free)]  # audited
    profits = [plan.summary["objective_cny"] for plan in plans]
    assert profits[0] == pytest.approx(profits[1], abs=1e-4)
    assert list(plans[0].schedule) == list(plans[1].schedule)


def test_the_states_are_columns_of_the_schedule() -> None:
    plan = solve({"unit": idler(), "grid": market(30, 5, 30)}, 3, solver=RELAX)
    assert column(plan, "unit.power_mw") == [100, 0, 100]
    assert [column(plan, f"unit.{state}") for state in STATES] == [[1, 1, 1], *[[0, 0, 0]] * 3]
    assert plan.summary["objective_cny"] == pytest.approx(2 * 100 * 20)


@pytest.mark.parametrize(
    "fields",
    [
        {"min_power_mw": [0, 0, 10], "curve": [{"power_mw": 0, "fuel_gj_per_h": 0},
                                               {"power_mw": 100, "fuel_gj_per_h": 100}]},
        {"curve": [{"power_mw": 0, "fuel_gj_per_h": 1}, {"power_mw": 100, "fuel_gj_per_h": 100}]},
        {"available": [1, 0, 1]},
        {"max_up_h": 40},
        {"ending": "off"},
        {"initial": {"on": False, "hours": 9}},
    ],
)  # fmt: skip
def test_a_unit_with_something_to_decide_keeps_its_states(fields: dict[str, Any]) -> None:
    program = program_of(
        scenario({"unit": idler(**fields), "grid": market(30, 5, 30)}, 3, solver=RELAX)
    )
    assert program.variables("unit.on").size


def test_a_plan_with_whole_states_decides_them() -> None:
    program = program_of(scenario({"unit": idler(), "grid": market(30, 5, 30)}, 3))
    assert program.variables("unit.on").size == 3


@pytest.mark.parametrize("relax", [True, False])
def test_a_given_schedule_may_give_any_state(relax: bool) -> None:
    site = scenario({"unit": idler(), "grid": market(30, 5, 30)}, 3, solver={"relax": relax})
    given = pd.DataFrame({"unit.on": [1.0, 0.0, 0.0]}, index=site.horizon.starts)
    plan = planner.solve(site, fixed=given)
    assert column(plan, "unit.on") == [1, 0, 0]
    assert column(plan, "unit.power_mw") == [100, 0, 0]
    assert planner.settle(site, plan.schedule).breaches == ()
    given["unit.power_mw"] = [100.0, 0.0, 50.0]
    (breach,) = planner.settle(site, given).breaches
    assert breach.components == ("unit",)
    assert "gives nothing when off" in str(breach.text)


def test_the_maximum_has_the_same_price() -> None:
    site = random_site(3)
    by_variant = [
        planner.prices(scenario(s, HOURS, solver=RELAX)).hourly["unit.max_power_mw"].tolist()
        for s in (site, decided(site))
    ]
    assert by_variant[0] == pytest.approx(by_variant[1], abs=1e-6)


@pytest.mark.slow
def test_what_cannot_be_met_is_the_fault_of_the_same_rules() -> None:
    diagnoses = []
    for more in ({}, {"max_up_h": 1000}):
        site = {"unit": idler(ramp_up_mw_per_h=10, **more), "town": load(20, 80, 20)}
        with pytest.raises(planner.InfeasibleError) as error:
            solve(site, 3, solver=RELAX)
        diagnoses.append(error.value.diagnosis["conflict"])
    assert diagnoses[0] == diagnoses[1]
