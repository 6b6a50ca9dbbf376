"""The longest run of a unit, its starts in a day, and what a start reaches, by sums in the head.

Unless said otherwise a unit gives 100 MW at 10 CNY/MWh or nothing.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

import planner
from planner.scenario.uncertainty.members import require_one_member
from planner.timeseries.horizon import Window
from planner.timeseries.schedule import columns_of
from tests.components.test_reasons import reasons_of
from tests.support import golden
from tests.support.build import column, load, market, scenario, solve, thermal

FULL = {"min_power_mw": 100, "curve": [{"power_mw": 100, "fuel_gj_per_h": 100}]}
RAN_2_H = {"on": True, "power_mw": 100, "hours": 2}


def on(*prices: float, start: str = "2026-07-15T00:00:00+08:00", **fields: Any) -> list[float]:
    site = {"unit": thermal(**(FULL | fields)), "grid": market(*prices)}
    return column(solve(site, len(prices), start=start), "unit.on")


def test_a_run_ends_after_its_longest_time() -> None:
    """Five hours pay 2 000 each, the third one least: it is given up."""
    assert on(30, 30, 25, 30, 30, max_up_h=2) == [1, 1, 0, 1, 1]


def test_the_past_counts_for_the_longest_run() -> None:
    assert on(30, 25, 30, max_up_h=3, initial=RAN_2_H) == [1, 0, 1]
    assert on(40, 30, 30, max_up_h=2, initial=RAN_2_H) == [0, 1, 1]
    # longer than the limit before the horizon: it stops at once, and that is no error
    assert on(40, 30, 30, max_up_h=2, initial=RAN_2_H | {"hours": 9}) == [0, 1, 1]


def test_an_outage_ends_a_run_too() -> None:
    assert on(30, 30, 30, 30, 30, max_up_h=2, available=[1, 1, 0, 1, 1]) == [1, 1, 0, 1, 1]


def test_half_hours_are_steps_of_the_longest_run() -> None:
    site = {"unit": thermal(**FULL, max_up_h=1), "grid": market(30, 30, 20, 30)}
    assert column(solve(site, 2, step_min=30), "unit.on") == [1, 1, 0, 1]


def test_starts_in_a_local_day() -> None:
    """Two good hours apart, one start: the better hour is taken."""
    assert on(30, -99, 40, max_starts_per_day=1) == [0, 0, 1]
    assert on(30, -99, 40, max_starts_per_day=2) == [1, 0, 1]
    assert on(30, 40, max_starts_per_day=0) == [0, 0]


def test_starts_before_the_horizon_count_on_its_first_day_only() -> None:
    once = {"on": False, "hours": 100, "starts_today": 1}
    start = "2026-07-15T22:00:00+08:00"
    prices = (30, -99, 30, -99, 29)  # the day ends after the second hour
    assert on(*prices, start=start, max_starts_per_day=2, initial=once) == [1, 0, 1, 0, 1]
    assert on(*prices, start=start, max_starts_per_day=1, initial=once) == [0, 0, 1, 0, 0]


def test_a_unit_that_is_on_has_started_before() -> None:
    assert on(30, 30, max_starts_per_day=0, initial=RAN_2_H) == [1, 1]


# what windows hand on; `test_twin` compares plans with every pattern of states


def random_unit(rnd: random.Random) -> dict[str, Any]:
    running, most = rnd.random() < 0.5, rnd.choice([None, 1, 2])
    return thermal(
        **FULL,
        max_up_h=rnd.choice([None, 1, 2, 3]),
        max_starts_per_day=most,
        startups=[{"off_h": 0, "cost_cny": rnd.choice([0, 700])}],
        initial={
            "on": running,
            "power_mw": 100 if running else 0,
            "hours": rnd.choice([1, 2, 3]),
            "starts_today": rnd.choice([0, 1]) if most else 0,
        },
    )


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", range(3))
def test_the_advanced_state_knows_the_run_and_the_starts(seed: int) -> None:
    """Cut after every hour: what is left of the plan is the best of what is left."""
    rnd = random.Random(100 + seed)
    prices = [float(rnd.choice([0, 5, 12, 18, 25])) for _ in range(6)]
    unit = random_unit(rnd)
    site = {"unit": unit, "grid": market(*prices)}
    plan = solve(site, 6, start="2026-07-15T21:00:00+08:00")
    states = columns_of(plan.schedule, "unit")
    for k in range(1, 6):
        executed = {name: values[:k] for name, values in states.items()}
        before = plan.scenario.components["unit"]
        initial = before.after(executed, Window(1, k), plan.scenario.horizon).initial
        pattern = [round(x) for x in [before.initial.on, *states["on"][:k]]]
        starts = [b and not a for a, b in itertools.pairwise(pattern)]
        today = sum(starts[3:k]) if k >= 3 else before.initial.starts_today + sum(starts)
        assert (initial.on, initial.starts_today) == (bool(pattern[-1]), today)
        rest = scenario(
            {"unit": unit | {"initial": initial.model_dump()}, "grid": market(*prices[k:])},
            6 - k, start=f"2026-07-{15 + (21 + k) // 24}T{(21 + k) % 24:02d}:00:00+08:00",
        )  # fmt: skip
        require_one_member(rest)
        earned = sum(
            100 * (prices[t] - 10) * pattern[t + 1] - starts[t] * unit["startups"][0]["cost_cny"]
            for t in range(k)
        )
        best = planner.solve(rest).summary["objective_cny"]
        assert earned + best == pytest.approx(plan.summary["objective_cny"], abs=1e-3), k


def test_operation_that_broke_a_limit_can_go_on() -> None:
    """Three starts where two are allowed: the day has none left, and the next windows go on."""
    case = scenario({"unit": thermal(**FULL, max_starts_per_day=2), "grid": market(*[30] * 6)}, 6)
    states = columns_of(planner.solve(case).schedule, "unit")
    broken = states | {"on": states["on"][:5] * 0 + [1, 0, 1, 0, 1]}
    initial = case.components["unit"].after(broken, Window(1, 5), case.horizon).initial
    assert initial.starts_today == 2


def test_a_roll_of_one_window_is_the_plan() -> None:
    prices = [30, -5, 30, -5, 30, -5, 30, -5]
    site = {"unit": thermal(**FULL, max_up_h=3, max_starts_per_day=2), "grid": market(*prices)}
    case = scenario(site, 8)
    whole = planner.solve(case)
    rolled = planner.roll(case, window_h=8, advance_h=2)
    assert rolled.summary["objective_cny"] == whole.summary["objective_cny"]
    assert planner.roll(case, window_h=4, advance_h=2).summary["figures"]["unit"]["starts"] <= 2


# reasons


def test_a_forced_stop_and_a_forbidden_start_are_explained() -> None:
    fields = {"max_up_h": 2, "max_starts_per_day": 1, "initial": RAN_2_H | {"starts_today": 0}}
    site = {"unit": thermal(**FULL, **fields), "grid": market(30, 40, 40, 30)}
    assert reasons_of(solve(site, 4), "unit", "run") == [
        "must_stop: price 30 > 10 fuel per MWh at min_power_mw; max_up_h 2",
        "starts: mean price 40 > 10 fuel and start, over 2 steps",
        "at_maximum: price 40 > 10 fuel",
        "must_stop: price 30 > 10 fuel per MWh at min_power_mw; max_up_h 2",
    ]
    site["unit"] |= {"max_up_h": 1}
    assert reasons_of(solve(site, 4), "unit", "run")[3] == (
        "starts_used: price 30 > 10 fuel per MWh at min_power_mw; max_starts_per_day 1"
    )


# what is wrong


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_up_h": 2, "min_up_h": 3}, "max_up_h: must be min_up_h 3 or more, is 2"),
        ({"max_up_h": 0}, "max_up_h: must be above 0"),
        ({"max_up_h": 1.5}, "max_up_h: must be a whole number of 60 min steps, is 1.5"),
        ({"max_starts_per_day": 1.5}, "max_starts_per_day: must be a whole number, is 1.5"),
        ({"max_starts_per_day": -1}, "max_starts_per_day"),
        (
            {"max_starts_per_day": 1, "initial": {"on": False, "hours": 1, "starts_today": 2}},
            "initial.starts_today: may not exceed max_starts_per_day 1, is 2",
        ),
        ({"initial": {"on": False, "hours": 1, "starts_today": 0.5}}, "must be a whole number"),
    ],
)
def test_errors_name_the_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(planner.ScenarioError, match=message):
        scenario({"unit": thermal(**fields), "grid": market(30)})


def test_warns_of_a_start_of_today_that_is_not_counted() -> None:
    unit = thermal(**FULL, max_starts_per_day=1, initial=RAN_2_H)
    late = scenario({"unit": unit, "grid": market(30)}, start="2026-07-15T02:00:00+08:00")
    assert any("initial.starts_today is 0" in text for text in late.warnings())
    early = scenario({"unit": unit, "grid": market(30)}, start="2026-07-15T01:00:00+08:00")
    assert not any("starts_today" in text for text in early.warnings())


def diagnosis_of(components: dict[str, Any], hours: float) -> tuple[str, list[dict[str, Any]]]:
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(components, hours)
    return str(caught.value), [change["set"] for change in caught.value.diagnosis["changes"]]


def test_a_unit_that_must_run_and_must_stop_is_reported_before_a_solve() -> None:
    site = {"unit": thermal(**FULL, must_run=True, max_up_h=4), "grid": market(*[30] * 6)}
    text, changes = diagnosis_of(site, 6)
    assert "must be on for 6 h without a stop (must_run true)" in text
    assert {"components.unit.must_run": True} not in changes
    assert {"components.unit.max_up_h": 6.0} in changes
    # an outage between lets it rest
    rested = site["unit"] | {"available": [1, 1, 1, 0, 1, 1]}
    assert column(solve(site | {"unit": rested}, 6), "unit.on") == [1, 1, 1, 0, 1, 1]


def test_a_load_that_outlasts_the_longest_run() -> None:
    ran = RAN_2_H | {"power_mw": 50}
    site = {"unit": thermal(max_up_h=4, initial=ran), "city": load(50, 50, 50)}
    text, changes = diagnosis_of(site, 3)
    assert "unit must go off at 02:00 at the latest (max_up_h 4, on for 2 h)" in text
    assert {"components.unit.max_up_h": 5.0} in changes


@pytest.mark.slow
def test_a_load_that_takes_more_starts_than_a_day_has() -> None:
    site = {"unit": thermal(max_starts_per_day=1), "city": load(50, 0, 50), "sink": market(0, 0, 0)}
    site["sink"] |= {"export_limit_mw": [99, 0, 99]}
    text, changes = diagnosis_of(site, 3)
    assert "max_starts_per_day 1" in text
    assert {"components.unit.max_starts_per_day": 2.0} in changes


# what a start reaches


@pytest.mark.parametrize("step_min", [60, 15])
def test_a_start_and_a_stop_reach_the_minimum_or_a_step_of_ramp(step_min: int) -> None:
    """54 units: the first hour of a start, and the last before a stop, at prices of 30 and -99."""
    hours, prices = 3 * step_min / 60, [-99, 30, -99]
    ramps = {"startup_ramp_mw": None, "shutdown_ramp_mw": None}
    cases = list(itertools.product((0, 10, 40), (20, 60, 200), (20, 60, 200)))
    units = {
        f"unit_{k}": thermal(
            min_power_mw=low,
            curve=[{"power_mw": 0, "fuel_gj_per_h": 0}, {"power_mw": 100, "fuel_gj_per_h": 100}],
            ramp_up_mw_per_h=up, ramp_down_mw_per_h=down, **ramps,
        )
        for k, (low, up, down) in enumerate(cases)
    }  # fmt: skip
    site = units | {"grid": market(*prices, export_limit_mw=99999)}
    plan = solve(site, hours, step_min=step_min)
    step_h = step_min / 60
    for k, (low, up, down) in enumerate(cases):
        reached = min(100, max(low, up * step_h), max(low, down * step_h))
        assert column(plan, f"unit_{k}.power_mw") == [0, reached, 0], (low, up, down)


def test_a_unit_without_a_minimum_gives_power_in_its_first_step() -> None:
    """The shipped case start_default: 50 MW in both hours for 1 CNY/MWh."""
    unit = thermal(
        min_power_mw=0, startup_ramp_mw=None, fuel_price_cny_per_gj=1,
        curve=[{"power_mw": 0, "fuel_gj_per_h": 0}, {"power_mw": 100, "fuel_gj_per_h": 100}],
    )  # fmt: skip
    plan = solve({"u": unit, "d": load(50, 50)}, 2)
    assert column(plan, "u.power_mw") == [50, 50]
    assert plan.summary["objective_cny"] == -100


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("given", "text"),
    [(None, "startup_ramp_mw ≥ 50 (not given, so 40)"), (45, "startup_ramp_mw ≥ 50 (is 45)")],
)
def test_where_the_start_is_too_slow_the_mend_names_its_field(given: Any, text: str) -> None:
    unit = thermal(startup_ramp_mw=given, ramp_up_mw_per_h=40)
    message, changes = diagnosis_of({"u": unit, "d": load(50, 50)}, 2)
    assert text in message
    assert {"components.u.startup_ramp_mw": 50.0} in changes
    mended = {"u": unit | {"startup_ramp_mw": 50}, "d": load(50, 50)}
    assert column(solve(mended, 2), "u.power_mw") == [50, 50]


def test_golden_thermal_duty() -> None:
    unit = thermal(
        max_up_h=3, max_starts_per_day=2, min_up_h=2, startup_ramp_mw=None, shutdown_ramp_mw=None,
        ramp_up_mw_per_h=30, ramp_down_mw_per_h=50,
        initial={"on": True, "power_mw": 60, "hours": 2, "starts_today": 1},
    )  # fmt: skip
    case = scenario({"unit": unit, "city": load(50, 0, 70)}, 3, start="2026-07-15T22:00:00+08:00")
    golden.check("thermal_duty", case)
