"""The demand charge as meters know it: on the highest average over intervals of the clock.

Unless said otherwise a MW of peak costs 100 CNY, energy is free, and the load is all that imports.
"""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

import planner
from tests.support import golden
from tests.support.build import *
from tests.support.windows import advance, best_of, earned_by_step

CHARGED = {
    "demand_charge_cny_per_mw_month": 100, "import_price_cny_per_mwh": 0, "import_limit_mw": 50,
    "export_limit_mw": 0, "export_price_cny_per_mwh": 0,
}  # fmt: skip


def site(*mw: float, **fields: Any) -> dict[str, Any]:
    return {"grid": grid(**(CHARGED | fields)), "city": load(*mw)}


def at(clock: str, day: str = "2026-07-15") -> str:
    return f"{day}T{clock}:00+08:00"


def charge(mw: list[float], step_min: int, start: str = at("00:00"), **fields: Any) -> float:
    """Return the demand charge of a load, CNY."""
    plan = solve(site(*mw, **fields), len(mw) * step_min / 60, step_min=step_min, start=start)
    return -total(plan, "grid", "demand_charge")


@pytest.mark.parametrize(
    ("mw", "step_min", "fields", "peak_mw"),
    [
        ([3, 0, 0], 5, {}, 1),
        ([3, 0, 0, 0, 6, 0], 5, {}, 2),
        ([3, 0, 0, 0, 6, 0], 5, {"demand_interval_min": 30}, 1.5),
        ([3, 0, 0, 0, 6, 0], 5, {"demand_interval_min": 10}, 3),
        ([3, 0, 0, 0, 6, 0], 5, {"demand_interval_min": 5}, 6),
        ([3, 0, 0, 0, 6, 0], 5, {"expected_peak_mw": 1.5}, 0.5),
        ([3, 0, 0, 0, 6, 0], 5, {"peak_so_far_mw": 5}, 0),
        # 0:10 to 0:20 lies 5 min in each of two quarter hours
        ([0, 6, 0], 10, {}, 2),
        ([3, 6, 0], 10, {}, 4),
        # of 0:20 to 0:40, 10 min lie in each of two quarter hours
        ([0, 6, 0], 20, {}, 4),
        ([6, 0, 0], 20, {}, 6),
        # a step of an interval or more is its own average
        ([3, 5], 15, {}, 5),
        ([3, 5], 60, {}, 5),
        ([3, 5], 60, {"peak_so_far_mw": 4}, 1),
        ([3, 5], 60, {"peak_so_far_mw": {"2026-07": 4.5}}, 0.5),
        ([3, 5], 60, {"expected_peak_mw": 3, "peak_so_far_mw": 4}, 1),
        ([3, 5], 30, {}, 5),
    ],
)
def test_a_meter_averages_over_its_interval(
    mw: list[float], step_min: int, fields: dict[str, Any], peak_mw: float
):
    assert charge(mw, step_min, **fields) == pytest.approx(100 * peak_mw)


def test_what_was_imported_in_the_interval_before_the_horizon_counts():
    # 0.5 MWh from 0:00 to 0:05 are 2 MW of the quarter hour; 3 MW for 5 min are one more
    begun = {"initial": {"interval_mwh": 0.5}}
    assert charge([3, 0], 5, at("00:05"), **begun) == pytest.approx(300)
    assert charge([0, 0, 12], 5, at("00:05"), **begun) == pytest.approx(400)
    assert charge([3, 0], 5, at("00:05")) == pytest.approx(100)
    # 0:30 to 0:45 is begun at 0:40, and 0:45 to 1:00 lies in the same step
    assert charge([3], 20, at("00:40"), **begun) == pytest.approx(300)


@pytest.mark.parametrize(
    ("so_far", "charged_mw"),
    [(0, 3 + 5), ({"2026-07": 2, "2026-08": 1}, 1 + 4), (2, 1 + 5)],
)
def test_every_month_has_a_peak_of_its_own(so_far: object, charged_mw: float):
    # a number is the peak of the month that has begun, not of the next
    plan = solve(site(3, 5, peak_so_far_mw=so_far), 2, start=at("23:00", "2026-07-31"))
    lines = plan.ledger[plan.ledger["line"] == "demand_charge"]
    assert lines["period"].tolist() == ["2026-07", "2026-08"]
    assert lines["amount_cny"].sum() == -100 * charged_mw


def test_an_interval_beyond_the_horizon_counts_what_is_known():
    assert charge([0, 0, 0, 6], 5) == pytest.approx(200)
    assert charge([0, 0, 0, 6, 6], 5) == pytest.approx(400)


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("hours", "peak_mw"),
    [
        (["0-1"], 2),
        (["1-2"], 6),
        (["0:15-0:45"], 1),
        (["0-0:15", "1:30-2"], 4),
        (["23-0:15"], 2),
        (["3-4"], 0),
        # within hours that begin off the clock of the meter the next interval is the first
        (["0:50-1:30"], 6),
        (["1:05-2"], 4),
    ],
)
def test_only_intervals_that_begin_in_the_hours_count(hours: list[str], peak_mw: float):
    mw = [2, 1, 1, 1, 6, 4, 4, 4]
    assert charge(mw, 15, demand_hours=hours) == pytest.approx(100 * peak_mw)
    threefold = [x for x in mw for _ in range(3)]
    assert charge(threefold, 5, demand_hours=hours) == pytest.approx(100 * peak_mw)


def test_an_hour_of_a_step_counts_where_an_interval_of_it_does():
    assert charge([5, 3], 60, demand_hours=["0:30-2"]) == pytest.approx(500)


def minutes(mw: list[float], step_min: int, start: str) -> pd.Series:
    """Return import minute by minute, by local time."""
    times = pd.date_range(start, periods=len(mw) * step_min, freq="min")
    return pd.Series([x for x in mw for _ in range(step_min)], times)


def billed(
    imported: pd.Series, length: int, begun_mwh: float, hours: tuple[int, int] | None
) -> dict[str, float]:
    """Return the peak of each month, from energy minute by minute."""
    mwh: dict[tuple[str, int, int], float] = {}
    for time, mw in imported.items():
        minute = time.hour * 60 + time.minute
        key = (f"{time:%Y-%m}", time.day, minute // length)
        mwh[key] = mwh.get(key, 0.0) + mw / 60
    mwh[next(iter(mwh))] += begun_mwh
    peaks: dict[str, float] = {}
    for (month, _, k), energy in mwh.items():
        if hours is None or hours[0] * 60 <= k * length < hours[1] * 60:
            peaks[month] = max(peaks.get(month, 0.0), energy / (length / 60))
    return peaks


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(60))
def test_the_charge_is_that_of_a_meter_minute_by_minute(seed: int):
    rnd = random.Random(seed)
    step_min = [5, 10, 15, 20, 30, 60][seed % 6]
    length = rnd.choice([5, 10, 15, 15, 15, 20, 30, 60])
    begins = pd.Timestamp("2026-07-31T22:00:00+08:00") + pd.Timedelta(
        minutes=step_min * rnd.randint(0, 180 // step_min)
    )
    start = begins.isoformat()
    mw = [float(rnd.choice([0, 0, rnd.randint(1, 20)])) for _ in range(rnd.randint(1, 9))]
    hours = rnd.choice([None, None, (0, 23), (23, 24)])
    fields: dict[str, Any] = {"demand_interval_min": length}
    begun_mwh = 0.0
    if (begins.hour * 60 + begins.minute) % length:
        begun_mwh = rnd.choice([0.0, 0.3, 2.0])
        fields["initial"] = {"interval_mwh": begun_mwh}
    if hours:
        fields["demand_hours"] = [f"{hours[0]}-{hours[1]}"]
    peaks = billed(minutes(mw, step_min, start), length, begun_mwh, hours)
    plan = solve(site(*mw, **fields), len(mw) * step_min / 60, step_min=step_min, start=start)
    assert -total(plan, "grid", "demand_charge") == pytest.approx(100 * sum(peaks.values()))
    figures = plan.summary["figures"]["grid"]
    assert figures["billed_peak_mw"] == pytest.approx(max(peaks.values(), default=0.0))
    assert figures["peak_import_mw"] == max(mw)


def shaved(**fields: Any) -> dict[str, Any]:
    """Return a site whose battery of 0.5 MWh moves load between steps of 5 or 10 min."""
    cell = battery(capacity_mwh=0.5, initial={"energy_mwh": 0.25}, ending={"at_least_mwh": 0})
    mw = [6, 0, 0, 3, 9, 1, 2, 2, 8, 8, 0, 5]
    prices = [5, 9, 1, 7, 20, 3, 11, 2, 8, 4, 30, 6]
    return site(*mw, import_price_cny_per_mwh=prices, **fields) | {"cell": cell}


@pytest.mark.few(2)
@pytest.mark.parametrize("step_min", [5, 10, 20])
@pytest.mark.parametrize("length", [15, 30])
def test_a_horizon_cut_within_an_interval_earns_what_it_earns_whole(step_min: int, length: int):
    initial = {"interval_mwh": 0.1}
    first = "23:40" if step_min == 20 else "23:50"
    parts = shaved(demand_interval_min=length, initial=initial, peak_so_far_mw=0.5)
    plan = solve(parts, step_min / 5, step_min=step_min, start=at(first, "2026-07-31"))
    for k in range(1, 12):
        advanced = advance(plan, 1, k)
        rows = plan.schedule["grid.import_mw"].iloc[:k].tolist()
        peaks = billed(minutes(rows, step_min, at(first, "2026-07-31")), length, 0.1, None)
        over = {m: mw - 0.5 * (m == "2026-07") for m, mw in peaks.items()}
        earned = earned_by_step(plan, k) - 100 * sum(max(0.0, mw) for mw in over.values())
        carried = advanced.components["grid"].peak_so_far_mw
        assert carried.get("2026-08", 0.0) == pytest.approx(peaks.get("2026-08", 0.0))
        rest = best_of(advanced, k + 1)
        assert earned + rest == pytest.approx(plan.summary["objective_cny"], abs=1e-4)


def test_the_interval_begun_is_carried_and_past_months_are_not():
    parts = site(3, 6, 0, 9, peak_so_far_mw=1)
    plan = solve(parts, 4 / 12, step_min=5, start=at("23:50", "2026-07-31"))
    states = [advance(plan, 1, k).components["grid"] for k in (1, 2, 3, 4)]
    assert [s.initial.interval_mwh for s in states] == pytest.approx([3 / 12, 0, 0, 9 / 12])
    assert [s.peak_so_far_mw for s in states] == [
        {"2026-07": 1}, {}, {"2026-08": 0}, {"2026-08": 3},
    ]  # fmt: skip
    # a part that has begun before the part is carried on
    again = advance(
        planner.Plan(advance(plan, 1, 3), plan.schedule, plan.allocation, plan.ledger, {}), 4, 4
    )
    assert again.components["grid"].initial.interval_mwh == pytest.approx(9 / 12)


@pytest.mark.parametrize("advance_min", [5, 10, 20, 35])
def test_windows_that_end_within_an_interval_pay_what_the_meter_finds(advance_min: int):
    mw = [6, 0, 0, 3, 9, 1, 2, 2, 8, 8, 0, 5]
    scene = scenario(site(*mw), 1, step_min=5, start=at("23:35", "2026-07-31"))
    plan = planner.roll(scene, 40 / 60, advance_min / 60)
    peaks = billed(minutes(mw, 5, at("23:35", "2026-07-31")), 15, 0.0, None)
    assert -total(plan, "grid", "demand_charge") == pytest.approx(100 * sum(peaks.values()))


@pytest.mark.parametrize("policy", ["perfect", "stochastic", "grid_first"])
def test_every_policy_pays_what_the_meter_finds(policy: str):
    start = at("23:40", "2026-07-31")
    forecast = {"components.city.demand_mw": {"ar1": {"error": 0.2}}}
    scene = scenario(shaved(), 1, 5, start, forecast=forecast)
    plan = planner.simulate(scene, policies=[policy], every_h=25 / 60, window_h=0.75, members=2)
    settled = plan.plans[policy]
    imported = settled.schedule["grid.import_mw"].tolist()
    peaks = billed(minutes(imported, 5, start), 15, 0.0, None)
    assert -total(settled, "grid", "demand_charge") == pytest.approx(100 * sum(peaks.values()))


def test_a_window_sees_the_peak_of_the_month_as_the_meter_does():
    # a MW on average for half an hour saves 15 CNY and costs 10, a quarter hour alone would not pay
    costs = {"import_price_cny_per_mwh": 0, "demand_charge_cny_per_mw_month": 10}
    unit = load(9, 0, 0, 9, 0, 0, shed_cost_cny_per_mwh=30)
    parts = {"grid": grid(**(CHARGED | costs)), "city": unit}
    scene = scenario(parts, 0.5, step_min=5)
    plan = planner.roll(scene, 0.25, 0.25)
    assert total(plan, "grid", "demand_charge") == pytest.approx(-30)
    assert plan.summary["objective_cny"] == pytest.approx(-30)
    alone = planner.roll(scene, 0.25, 0.25, bound=False)
    assert alone.summary["objective_cny"] == pytest.approx(-2 * 9 * 30 / 12)


def test_a_plan_goes_on_in_a_new_month(tmp_path):
    first = solve(
        site(3, 6, 0, 9, peak_so_far_mw={"2026-07": 4}), 4 / 12, step_min=5,
        start=at("23:50", "2026-07-31"),
    )  # fmt: skip
    first.write(tmp_path / "first")
    start = at("00:10", "2026-08-01")
    scene = scenario(
        site(9, 0), 2 / 12, step_min=5, start=start, initial_from=str(tmp_path / "first")
    )
    assert scene.components["grid"].initial.interval_mwh == pytest.approx(9 / 12)
    assert scene.components["grid"].peak_so_far_mw == {"2026-08": 3}
    # 9 MW for 10 of 15 min are 6 MW, of which 3 are paid
    assert total(planner.solve(scene), "grid", "demand_charge") == pytest.approx(-300)
    # a longer interval of the new contract: both steps of the plan have begun it
    hour = scenario(
        site(9, 0, demand_interval_min=60), 2 / 12, step_min=5, start=start,
        initial_from=str(tmp_path / "first"),
    )  # fmt: skip
    assert hour.components["grid"].initial.interval_mwh == pytest.approx(9 / 12)


def test_every_step_of_the_peak_interval_is_at_the_peak():
    plan = solve(site(3, 6, 0, 1, 2, 5), 0.5, step_min=5)
    codes = plan.reasons.query("decision == 'import'")["code"].tolist()
    assert codes == ["at_peak", "at_peak", "no_import", "imports", "imports", "imports"]


def test_a_battery_evens_out_only_what_the_meter_sees():
    cell = battery(initial={"energy_mwh": 0}, ending={"at_least_mwh": 0})
    even = site(6, 0, 0, 0, 0, 6, import_price_cny_per_mwh=1) | {"cell": cell}
    assert profit(even, 0.5, step_min=5) == pytest.approx(-200 - 1)  # 2 MW in both quarter hours


def test_a_site_with_a_demand_charge_is_repaired_where_it_has_no_plan():
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(site(3, 0, 0, import_limit_mw=2), 0.25, step_min=5)
    assert "components.grid.import_limit_mw ≥ 3" in str(caught.value)
    assert "demand_interval_min" not in str(caught.value)


def test_the_price_of_a_paid_megawatt_is_the_charge():
    prices = planner.prices(scenario(site(3, 0, 0, expected_peak_mw=0.5), 0.25, step_min=5))
    totals = prices.totals.query("quantity == 'expected_peak_mw'")
    assert totals["value"].tolist() == pytest.approx([100])


@pytest.mark.parametrize(
    ("step_min", "length", "warns"), [(15, 15, False), (5, 15, False), (20, 15, True),
                                      (60, 60, False), (60, 30, True)],
)  # fmt: skip
def test_steps_longer_than_the_interval_are_warned_of(step_min: int, length: int, warns: bool):
    scene = scenario(site(1, 1, 1, demand_interval_min=length), step_min / 20, step_min=step_min)
    texts = [text for text in scene.warnings() if "understate" in text]
    assert bool(texts) == warns
    assert all(f"{length} min averages" in text for text in texts)


@pytest.mark.parametrize("month", ["2025-07", "2026-06", "2026-08", "2027-07"])
@pytest.mark.parametrize("more", [{}, {"2026-07": 3}])
def test_a_month_outside_the_horizon_is_named(month: str, more: dict[str, float]):
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(site(3, peak_so_far_mw={month: 9} | more))
    (problem,) = caught.value.problems
    assert problem.path == f"components.grid.peak_so_far_mw.{month}"
    assert "2026-07" in str(problem)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"demand_interval_min": 7}, "demand_interval_min: must be 5, 10, 15, 20, 30 or 60, is 7"),
        ({"demand_hours": ["8"]}, "demand_hours.*must be hours such as 8-12"),
        ({"demand_hours": []}, "demand_hours"),
        ({"demand_hours": ["8:05-8:10"]}, "no interval of 15 min begins in '8:05-8:10'"),
        ({"initial": {"interval_mwh": 1}}, "interval_mwh: is of an interval that has begun"),
        ({"initial": {"interval_mwh": -1}}, "interval_mwh: must be 0 or more"),
    ],
)
def test_errors_name_the_field(fields: dict[str, Any], message: str):
    with pytest.raises(planner.ScenarioError, match=message):
        scenario(site(3, **fields))


def test_golden_demand_charge():
    fields = {
        "initial": {"interval_mwh": 0.5}, "demand_hours": ["23-24", "0:15-1"],
        "peak_so_far_mw": {"2026-08": 2},
    }  # fmt: skip
    start = at("23:40", "2026-07-31")
    golden.check("demand_charge", scenario(site(3, 6, 0, 4, 1, **fields), 5 / 6, 10, start))
