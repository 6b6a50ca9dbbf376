"""A horizon cut in two earns what it earns whole.

The first steps of the best plan, then every component advanced by `after`, then the best plan of
the rest: if the advanced state forgets something the second part earns more than it may, and if it
invents something it earns less. This is what makes rolling plans and simulation right.
"""

from __future__ import annotations

import random

import pytest

import planner
from tests.support.build import battery, grid, load, reserve, scenario, solve, thermal
from tests.support.sites import CHARGE, VALUE, random_site
from tests.support.windows import advance, best_of, earned_by_step

HOURS = 14
BEGINS = "2026-07-31T17:00:00+08:00"  # a day and a month end within the horizon


def earned_until(plan: planner.Plan, k: int, advanced: planner.Scenario) -> float:
    """Return what the first k steps earned; what is counted once by its change of state."""
    by_step = earned_by_step(plan, k)
    cell, connection = plan.scenario.components["battery"], plan.scenario.components["grid"]
    change = sum(advanced.components["battery"].initial.by_origin().values()) - sum(
        cell.initial.by_origin().values()
    )
    value = VALUE * change if hasattr(cell.ending, "value_cny_per_mwh") else 0.0
    imports, peaks = plan.schedule["grid.import_mw"].iloc[:k], 0.0
    for month, so_far in (("2026-07", connection.peak_so_far_mw), ("2026-08", 0.0)):
        paid = max(so_far, connection.expected_peak_mw)
        inside = imports[imports.index.strftime("%Y-%m") == month]
        peaks += max(paid, *inside, 0.0) - paid
    return float(by_step + value - CHARGE * peaks)


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", range(6))
def test_two_parts_earn_what_the_whole_earns(seed: int):
    plan = solve(random_site(seed, HOURS), HOURS, start=BEGINS)
    whole = plan.summary["objective_cny"]
    for k in random.Random(seed).sample(range(1, HOURS), 3):
        advanced = advance(plan, 1, k)
        parts = earned_until(plan, k, advanced) + best_of(advanced, k + 1)
        assert parts == pytest.approx(whole, rel=1e-6, abs=1e-3), f"cut after step {k}"


@pytest.mark.parametrize("seed", [1, 4])
def test_advancing_twice_is_advancing_once(seed: int):
    plan = solve(random_site(seed, HOURS), HOURS, start=BEGINS)
    for k in (3, 7, 9):
        once = advance(plan, 1, 10)
        half = advance(plan, 1, k)
        rest = advance(
            planner.Plan(half, plan.schedule, plan.allocation, plan.ledger, {}), k + 1, 10
        )
        for name, component in once.components.items():
            again = rest.components[name]
            if name == "battery":
                assert again.initial.discharged_today_mwh == pytest.approx(
                    component.initial.discharged_today_mwh, abs=1e-9
                )
                assert again.initial.by_origin() == component.initial.by_origin()
            elif name == "unit":
                # the age of a state matters up to the longest of its times
                assert again.initial.revised({"hours": 1.0}) == component.initial.revised(
                    {"hours": 1.0}
                )
                assert again.initial.hours == component.initial.hours
            elif name == "green":  # sums in another order
                assert again.so_far.model_dump() == pytest.approx(component.so_far.model_dump())
                assert again.revised({"so_far": component.so_far}) == component
            elif name == "ets":
                assert again.so_far_tco2 == pytest.approx(component.so_far_tco2)
            else:
                assert again == component


def test_same_as_start_means_the_first_start():
    site = {
        "unit": thermal(ending="same_as_start"),
        "battery": battery(initial={"energy_mwh": 3}),
        "grid": grid(resale=True),
    }
    advanced = advance(solve(site, 3), 1, 2).components
    assert advanced["unit"].initial.on
    assert advanced["unit"].ending == "off"
    assert advanced["battery"].ending.at_least_mwh == 3


def test_reserve_of_the_last_hour_keeps_the_next_window_from_stopping_at_once():
    """Of a unit that earns nothing: 5 MW of reserve in the first hour are too much to stop then."""
    parts = {
        "unit": thermal(shutdown_ramp_mw=20, initial={"on": True, "hours": 9, "power_mw": 20}),
        "spinning": reserve(up_mw=[5, 0, 0], providers=["unit"]),
        "grid": grid(export_price_cny_per_mwh=-50),
    }
    site = scenario(parts, 3)
    rolled = planner.roll(site, 1, 1)
    assert rolled.schedule["unit.on"].tolist() == [1, 1, 0]
    assert planner.solve(site).schedule["unit.on"].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("begins", "last", "spent"), [("16", 3, 10 + 6), ("16", 8, 0), ("16", 9, 2), ("00", 3, 10 + 6)]
)
def test_what_was_discharged_today_is_counted_from_local_midnight(
    begins: str, last: int, spent: float
):
    cell = battery(
        capacity_mwh=100,
        initial={"energy_mwh": 50, "discharged_today_mwh": 10},
        ending={"at_least_mwh": 0},
    )
    site = {"battery": cell, "grid": grid(import_limit_mw=0, export_limit_mw=0)}
    start = f"2026-07-15T{begins}:00:00+08:00"
    plan = solve({**site, "city": load(*[2] * 10)}, 10, start=start)
    advanced = advance(plan, 1, last)
    assert advanced.components["battery"].initial.discharged_today_mwh == pytest.approx(spent)


def test_scenario_of_the_tests_is_not_trivial():
    assert scenario(random_site(0, HOURS), HOURS, start=BEGINS).horizon.months.keys() == {
        "2026-07",
        "2026-08",
    }
