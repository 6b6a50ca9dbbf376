"""A thermal unit: every family of rows against a sum one can do in the head.

Unless said otherwise the unit gives 20 to 100 MW at 10 CNY/MWh (see `tests.support.build.thermal`).
"""

from __future__ import annotations

import numpy as np
import pytest

import planner
from tests.support import golden
from tests.support.build import column, load, market, profit, scenario, solve, thermal, total

OFF_LONG = {"on": False, "hours": 100}
ON_LONG = {"on": True, "power_mw": 20, "hours": 100}
AT_FULL = {"on": True, "power_mw": 100, "hours": 100}


def run(*prices: float, **fields: object) -> planner.Plan:
    """Sell the unit's power at one price an hour."""
    return solve({"unit": thermal(**fields), "grid": market(*prices)}, len(prices))


def power(plan: planner.Plan) -> list[float]:
    return column(plan, "unit.power_mw")


def earned(plan: planner.Plan) -> float:
    return round(float(plan.summary["objective_cny"]), 4)


def test_runs_when_the_price_is_above_its_fuel():
    plan = run(5, 30)
    assert power(plan) == [0, 100]
    assert earned(plan) == 100 * (30 - 10)


def test_stays_on_at_minimum_power_when_a_start_costs_more():
    plan = run(30, 5, 30, startups=[{"off_h": 0, "cost_cny": 1000}])
    assert power(plan) == [100, 20, 100]
    assert earned(plan) == 2 * 100 * 20 - 20 * 5 - 1000


def test_node_sees_what_the_auxiliaries_leave():
    plan = run(30, auxiliary_share=0.1)
    assert power(plan) == [100]
    assert column(plan, "grid.export_mw[thermal]") == [90]
    assert earned(plan) == 90 * 30 - 100 * 10


# ramps


def test_ramp_up_from_the_past():
    plan = run(30, 30, 30, ramp_up_mw_per_h=30, initial=ON_LONG)
    assert power(plan) == [50, 80, 100]


def test_ramp_down_from_the_past():
    plan = run(5, 5, 5, ramp_down_mw_per_h=30, initial=AT_FULL, must_run=True)
    assert power(plan) == [70, 40, 20]


def test_ramps_are_per_hour_whatever_the_step():
    site = {"unit": thermal(ramp_up_mw_per_h=30, initial=ON_LONG), "grid": market(30, 30)}
    assert power(solve(site, 1, step_min=30)) == [35, 50]


def test_start_is_limited_also_in_the_first_step():
    assert power(run(30, 30, startup_ramp_mw=40)) == [40, 100]


def test_a_start_reaches_the_minimum_or_a_step_of_ramp_by_default():
    assert power(run(30, 30, startup_ramp_mw=None, ramp_up_mw_per_h=10)) == [20, 30]
    assert power(run(30, 30, startup_ramp_mw=None, ramp_up_mw_per_h=60)) == [60, 100]
    assert power(run(30, 30, startup_ramp_mw=None)) == [100, 100]


def test_start_ramp_is_cut_by_the_ramp_above_minimum():
    assert power(run(30, 30, startup_ramp_mw=60, ramp_up_mw_per_h=15)) == [35, 50]


def test_stop_is_limited_in_the_step_before():
    assert power(run(30, 30, -99, shutdown_ramp_mw=40, initial=AT_FULL)) == [100, 40, 0]


def test_stop_is_limited_by_the_power_before_the_first_step():
    assert power(run(-99, -99, shutdown_ramp_mw=40, initial=AT_FULL)) == [20, 0]
    at_40 = AT_FULL | {"power_mw": 40}
    assert power(run(-99, -99, shutdown_ramp_mw=40, initial=at_40)) == [0, 0]


@pytest.mark.parametrize(("reserve_mw", "powers"), [(20, [0, 0]), (21, [20, 0])])
def test_reserve_offered_before_the_first_step_keeps_a_unit_from_stopping(
    reserve_mw: float, powers: list[float]
):
    """20 MW and the reserve may be 40 MW before a stop."""
    offering = ON_LONG | {"power_mw": 20, "reserve_mw": reserve_mw}
    assert power(run(-99, -99, shutdown_ramp_mw=40, initial=offering)) == powers


def test_reserve_before_the_first_step_fits_the_power():
    for initial, wrong in (
        (AT_FULL | {"power_mw": 90, "reserve_mw": 11}, "must be max_power_mw less .* 10, or less"),
        ({"on": False, "hours": 9, "reserve_mw": 1}, "must be 0 for a unit that is off, is 1"),
    ):
        with pytest.raises(planner.ScenarioError, match=f"initial.reserve_mw.*{wrong}"):
            run(30, initial=initial)


@pytest.mark.parametrize(("start_mw", "stop_mw"), [(60, 40), (40, 60), (40, 40)])
def test_start_and_stop_within_one_step_keep_both_limits(start_mw: float, stop_mw: float):
    plan = run(-99, 30, -99, startup_ramp_mw=start_mw, shutdown_ramp_mw=stop_mw)
    assert power(plan) == [0, 40, 0]


@pytest.mark.parametrize("min_up_h", [1, 2])
def test_start_and_stop_ramps_with_either_form_of_the_ceiling(min_up_h: float):
    plan = run(-99, 30, 30, 30, -99, startup_ramp_mw=60, shutdown_ramp_mw=40, min_up_h=min_up_h)
    assert power(plan) == [0, 60, 100, 40, 0]


def test_rising_minimum_uses_up_the_ramp():
    plan = run(30, 30, min_power_mw=[20, 50], ramp_up_mw_per_h=30, initial=ON_LONG)
    assert power(plan) == [50, 80]
    plan = run(5, 5, min_power_mw=[50, 20], ramp_down_mw_per_h=40, initial=AT_FULL, must_run=True)
    assert power(plan) == [60, 20]


# least times


def test_unit_on_for_3_of_its_8_hours_must_run_5_more():
    plan = run(*[-99] * 8, min_up_h=8, initial={"on": True, "power_mw": 20, "hours": 3})
    assert column(plan, "unit.on") == [1, 1, 1, 1, 1, 0, 0, 0]


def test_unit_off_for_2_of_its_6_hours_must_rest_4_more():
    plan = run(*[30] * 6, min_down_h=6, initial={"on": False, "hours": 2})
    assert column(plan, "unit.on") == [0, 0, 0, 0, 1, 1]


def test_least_time_on_holds_within_the_horizon():
    # an hour at 100 MW earns 2000; each hour more at 20 MW costs 20 * (10 + 9)
    plan = run(-9, 30, -9, -9, -9, min_up_h=3)
    assert sum(column(plan, "unit.on")) == 3
    assert earned(plan) == 2000 - 2 * 20 * 19


def test_least_time_off_holds_within_the_horizon():
    # off for one bad hour means off for three: two good hours are lost, so it stays on
    assert power(run(30, -50, 30, 30, min_down_h=3, initial=AT_FULL)) == [100, 20, 100, 100]
    assert power(run(30, -50, -50, -50, 30, min_down_h=3, initial=AT_FULL)) == [100, 0, 0, 0, 100]


def test_times_that_are_no_whole_steps_are_rounded_up():
    plan = run(*[-99] * 4, min_up_h=1.5, initial={"on": True, "power_mw": 20, "hours": 1})
    assert column(plan, "unit.on") == [1, 0, 0, 0]


def test_warns_of_times_longer_than_half_the_horizon():
    warnings = scenario({"unit": thermal(min_up_h=3), "grid": market(30, 30)}, 2).warnings()
    assert any("min_up_h" in text for text in warnings)


# kinds of start

STARTUPS = [
    {"off_h": 0, "cost_cny": 100},
    {"off_h": 4, "cost_cny": 500},
    {"off_h": 8, "cost_cny": 1000},
]


@pytest.mark.parametrize(
    ("off_before_h", "peak_hour", "cost"),
    [(3, 1, 100), (3, 2, 500), (3, 5, 500), (3, 6, 1000), (4, 1, 500), (8, 1, 1000), (99, 1, 1000)],
)
def test_start_costs_what_the_hours_off_say_from_before_the_horizon_on(
    off_before_h: float, peak_hour: int, cost: float
):
    prices = [-99.0] * 6
    prices[peak_hour - 1] = 40
    plan = run(*prices, startups=STARTUPS, initial={"on": False, "hours": off_before_h})
    assert total(plan, "unit", "start") == -cost
    assert earned(plan) == 3000 - cost


@pytest.mark.parametrize(("hours_off", "cost"), [(1, 100), (3, 100), (4, 500), (7, 500), (8, 1000)])
def test_start_costs_what_the_hours_off_say_within_the_horizon(hours_off: int, cost: float):
    prices = [40.0, *[-999.0] * hours_off, 40.0]
    assert total(run(*prices, startups=STARTUPS, initial=AT_FULL), "unit", "start") == -cost


def test_stop_has_its_cost():
    plan = run(-99, -99, shutdown_cost_cny=70, initial=ON_LONG)
    assert earned(plan) == -70


# outages


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"min_up_h": 8, "initial": {"on": True, "power_mw": 100, "hours": 1}},
        {"must_run": True},
        {"shutdown_ramp_mw": 20, "ramp_down_mw_per_h": 10},
        {"ending": "same_as_start", "available": [1, 0, 1, 0]},
        {"ending": "on", "available": [1, 0, 1, 0]},
    ],
)
def test_outage_holds_whatever_else_does(more: dict[str, object]):
    options: dict[str, object] = {"available": [1, 0, 1, 1], "initial": AT_FULL} | more
    on = [1.0 if part else 0.0 for part in options["available"]]  # type: ignore[attr-defined]
    plan = run(30, 30, 30, 30, **options)
    assert column(plan, "unit.on") == on
    assert power(plan)[:3] == [100, 0, 100]


@pytest.mark.parametrize(
    "more",
    [
        {"min_up_h": 8, "initial": {"on": True, "power_mw": 100, "hours": 1}},
        {"must_run": True},
        {"shutdown_ramp_mw": 20, "ramp_down_mw_per_h": 10},
    ],
)
def test_outage_in_the_first_step(more: dict[str, object]):
    plan = run(30, 30, **({"available": [0, 1], "initial": AT_FULL} | more))
    assert power(plan) == [0, 100]


def test_unit_started_just_before_an_outage_need_not_serve_its_time():
    plan = run(-99, 30, 30, -99, available=[1, 1, 0, 1], min_up_h=4)
    assert power(plan) == [0, 100, 0, 0]


def test_no_start_during_an_outage_makes_the_next_one_cheaper():
    cold = {"on": False, "hours": 20}
    plan = run(-99, -99, 40, available=[1, 0, 1], startups=STARTUPS, initial=cold)
    assert total(plan, "unit", "start") == -1000


def test_least_time_off_holds_after_an_outage_also_for_a_unit_that_must_run():
    options = {"available": [1, 0, 1, 1, 1], "min_down_h": 3, "initial": AT_FULL}
    assert power(run(50, 30, 30, 30, 30, **options)) == [100, 0, 0, 0, 100]
    assert power(run(*[5] * 5, must_run=True, **options)) == [20, 0, 0, 0, 20]


def test_unit_that_must_run_rests_from_its_past_first():
    plan = run(*[5] * 4, must_run=True, min_down_h=3, initial={"on": False, "hours": 1})
    assert power(plan) == [0, 0, 20, 20]


def test_capacity_below_the_minimum_is_an_outage():
    assert power(run(30, 30, 30, available=[0.5, 0.1, 1])) == [50, 0, 100]


def test_must_run_runs_at_a_loss():
    plan = run(5, 5, must_run=True)
    assert power(plan) == [20, 20]
    assert earned(plan) == -2 * 20 * 5


# ends


@pytest.mark.parametrize(
    ("ending", "initial", "last"),
    [
        ("free", AT_FULL, 0),
        ("on", AT_FULL, 1),
        ("on", OFF_LONG, 1),
        ("same_as_start", AT_FULL, 1),
        ("same_as_start", OFF_LONG, 0),
        ("off", AT_FULL, 0),
    ],
)
def test_ending_at_bad_prices(ending: str, initial: dict[str, object], last: float):
    assert column(run(-99, -99, ending=ending, initial=initial), "unit.on")[-1] == last


@pytest.mark.parametrize(
    ("ending", "initial", "last"),
    [("off", AT_FULL, 0), ("same_as_start", OFF_LONG, 0), ("free", OFF_LONG, 1)],
)
def test_ending_at_good_prices(ending: str, initial: dict[str, object], last: float):
    assert column(run(30, 30, ending=ending, initial=initial), "unit.on")[-1] == last


# fuel

NOT_CONVEX = [(20, 50), (40, 120), (60, 130), (80, 210), (100, 215)]
CONVEX = [(20, 50), (40, 60), (60, 80), (100, 160)]


def curve(points: list[tuple[float, float]]) -> list[dict[str, float]]:
    return [{"power_mw": mw, "fuel_gj_per_h": gj} for mw, gj in points]


@pytest.mark.parametrize("points", [CONVEX, NOT_CONVEX])
def test_fuel_is_exact_at_any_power(points: list[tuple[float, float]]):
    powers = [20.0, 27.0, 40.0, 55.0, 60.0, 71.0, 80.0, 93.0, 100.0]
    plan = solve({"unit": thermal(curve=curve(points)), "city": load(*powers)}, len(powers))
    burnt = np.interp(powers, *zip(*points, strict=True))
    assert column(plan, "unit.fuel_gj_per_h") == pytest.approx(burnt.tolist(), abs=1e-6)
    assert earned(plan) == pytest.approx(-10 * burnt.sum(), abs=1e-3)


@pytest.mark.parametrize("price", [5, 8, 12, 18, 22, 26, 31, 37, 45])
def test_curve_that_is_not_convex_against_every_breakpoint(price: float):
    # between two points the profit is linear, so the best power is a point (or to be off)
    best = max(0.0, *(price * mw - 10 * gj for mw, gj in NOT_CONVEX))
    assert earned(run(price, curve=curve(NOT_CONVEX))) == pytest.approx(best, abs=1e-4)


def test_shared_load_on_two_units_with_curves_that_are_not_convex():
    # every MW of the one unit, the rest from the other
    powers = np.arange(20, 101, 1.0)
    burnt = dict(zip(powers, np.interp(powers, *zip(*NOT_CONVEX, strict=True)), strict=True))
    best = min(burnt[mw] + burnt[130 - mw] for mw in powers if 30 <= mw <= 100)
    unit = thermal(curve=curve(NOT_CONVEX))
    assert profit({"a": unit, "b": unit, "city": load(130)}) == pytest.approx(-10 * best)


def test_curve_of_one_point():
    options = {"min_power_mw": 60, "max_power_mw": 60, "curve": curve([(60, 90)])}
    ramps = {"startup_ramp_mw": None, "shutdown_ramp_mw": None}
    plan = run(10, 20, **options, **ramps)
    assert power(plan) == [0, 60]
    assert earned(plan) == 60 * 20 - 90 * 10


@pytest.mark.parametrize(
    ("times", "prices", "bound", "best"),
    [
        # looser in any one of ceiling, stay_on, stay_off and kind_window: 1179.19 and more
        ((3, 4), [40, -30, -5, -30, 25, 5, -30, 25, 5, 5, -30, 40], 1167.5, 100),
        # looser in ceiling_start and ceiling_stop: 6925
        ((1, 2), [5, -30, 60, 5, 5, -30, 5, 5, -30, 40, 25, 40], 6914.285714, 6025),
    ],
)
def test_relaxation_is_as_tight_as_it_was(
    times: tuple[float, float], prices: list[float], bound: float, best: float
):
    unit = thermal(
        ramp_up_mw_per_h=35,
        ramp_down_mw_per_h=45,
        startup_ramp_mw=30,
        shutdown_ramp_mw=40,
        min_up_h=times[0],
        min_down_h=times[1],
        startups=STARTUPS,
    )
    site = {"unit": unit, "grid": market(*prices)}
    relaxed = solve(site, len(prices), solver={"relax": True})
    assert relaxed.summary["status"] == "relaxed"
    assert earned(relaxed) == pytest.approx(bound, abs=1e-4)
    assert profit(site, len(prices)) == pytest.approx(best, abs=1e-4)


# figures and errors


def test_emission_and_allowance_are_reported():
    plan = run(30, emission_tco2_per_gj=0.1, allowance_tco2_per_mwh=0.8, auxiliary_share=0.05)
    figures = plan.summary["figures"]["unit"]
    assert figures["emission_tco2"] == pytest.approx(0.1 * 100)
    assert figures["allowance_tco2"] == pytest.approx(0.8 * 95)
    assert (figures["starts"], figures["on_h"], figures["gross_mwh"]) == (1, 1, 100)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_power_mw": 120}, "min_power_mw: may not exceed max_power_mw"),
        ({"curve": curve([(20, 20), (90, 90)])}, "curve: covers 20 to 90 MW"),
        ({"curve": curve([(20, 20), (20, 30)])}, "power_mw must ascend"),
        ({"startup_ramp_mw": 10}, "startup_ramp_mw: must be min_power_mw 20 or more"),
        ({"startups": [{"off_h": 1, "cost_cny": 1}]}, "startups: must begin with off_h: 0"),
        ({"startups": STARTUPS[::-1]}, "startups: must begin"),
        (
            {"startups": [{"off_h": 0, "cost_cny": 9}, {"off_h": 2, "cost_cny": 8}]},
            "costs may not fall",
        ),
        (
            {"initial": {"on": True, "power_mw": 5, "hours": 1}},
            "initial.power_mw: must lie between",
        ),
        ({"initial": {"on": False, "power_mw": 5, "hours": 1}}, "initial.power_mw: must be 0"),
        ({"initial": {"on": False, "hours": 0.5}}, "must be a step"),
        ({"fuel_price_cny_per_gj": 0}, "must be above 0"),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], message: str):
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"unit": thermal(**fields), "grid": market(30)})


# golden


def test_golden_thermal():
    unit = thermal(
        min_power_mw=[20, 30, 20],
        ramp_up_mw_per_h=25,
        ramp_down_mw_per_h=30,
        startup_ramp_mw=40,
        shutdown_ramp_mw=50,
        min_up_h=3,
        min_down_h=2,
        startups=STARTUPS[:2],
        shutdown_cost_cny=7,
        variable_cost_cny_per_mwh=2,
        auxiliary_share=0.1,
        initial={"on": True, "power_mw": 60, "hours": 2},
        ending="on",
    )
    golden.check("thermal", scenario({"unit": unit, "city": load(50, 60, 70)}, 3))


def test_golden_thermal_without_times_and_not_convex():
    unit = thermal(
        curve=curve(NOT_CONVEX[:3] + NOT_CONVEX[-1:]),
        startup_ramp_mw=60,
        shutdown_ramp_mw=40,
        available=[1, 0, 0.9],
        must_run=True,
    )
    golden.check("thermal_not_convex", scenario({"unit": unit, "city": load(50, 0, 70)}, 3))
