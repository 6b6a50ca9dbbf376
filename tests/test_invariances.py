"""What holds for any site: wider limits never hurt, money scales, order does not matter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.build import battery, load, profit, renewable, solve, thermal
from tests.support.sites import random_site

HOURS = 6
START = "2026-07-15T15:00:00+08:00"

seeds = st.integers(min_value=0, max_value=10_000)
few = settings(max_examples=3, derandomize=True, deadline=None, database=None)

WIDER = [
    ("grid", "import_limit_mw"),
    ("grid", "export_limit_mw"),
    ("grid", "expected_peak_mw"),
    ("battery", "capacity_mwh"),
    ("battery", "charge_power_mw"),
    ("battery", "discharge_power_mw"),
    ("battery", "cycles_per_day"),
    ("unit", "ramp_up_mw_per_h"),
    ("unit", "ramp_down_mw_per_h"),
    ("unit", "startup_ramp_mw"),
    ("unit", "shutdown_ramp_mw"),
    ("ets", "budget_tco2"),
    ("green", "max_export_share"),
]


def best(site: dict[str, dict[str, Any]]) -> float:
    return profit(site, HOURS, start=START)


@few
@given(seed=seeds, which=st.sampled_from(WIDER), factor=st.sampled_from([1.1, 1.5, 3]))
def test_profit_never_falls_when_a_limit_is_widened(
    seed: int, which: tuple[str, str], factor: float
):
    site = random_site(seed, HOURS)
    component, field = which
    wider = site[component] | {field: site[component][field] * factor}
    assert best(site | {component: wider}) >= best(site) - 1e-3


@few
@given(seed=seeds)
def test_profit_never_falls_when_times_shorten(seed: int):
    site = random_site(seed, HOURS)
    shorter = site["unit"] | {"min_up_h": 1, "min_down_h": 1, "must_run": False}
    assert best(site | {"unit": shorter}) >= best(site) - 1e-3


@few
@given(seed=seeds)
def test_double_prices_double_the_profit(seed: int):
    site = random_site(seed, HOURS)
    assert best(doubled(site)) == pytest.approx(2 * best(site), rel=1e-7, abs=1e-3)


def doubled(data: Any, money: bool = False) -> Any:
    """Return plain data with every number doubled that stands in CNY."""
    if isinstance(data, dict):
        return {key: doubled(value, money or "_cny" in key) for key, value in data.items()}
    if isinstance(data, list):
        return [doubled(value, money) for value in data]
    return 2 * data if money and isinstance(data, int | float) else data


UNUSED = {
    "idle_load": load(*[0] * HOURS),
    "idle_sun": renewable(*[0] * HOURS),
    "idle_battery": battery(charge_power_mw=0, discharge_power_mw=0),
    "idle_unit": thermal(available=0),
}


@few
@given(seed=seeds, name=st.sampled_from(sorted(UNUSED)))
def test_an_unused_component_changes_nothing(seed: int, name: str):
    site = random_site(seed, HOURS)
    site["hold"] |= {"providers": ["unit", "battery", "grid"]}
    assert best({**site, name: UNUSED[name]}) == pytest.approx(best(site), rel=1e-7, abs=1e-3)


@few
@given(seed=seeds, order=st.permutations(sorted(random_site(0, HOURS))))
def test_the_order_of_components_changes_nothing(seed: int, order: list[str]):
    site = random_site(seed, HOURS)
    one = solve(site, HOURS, start=START)
    other = solve({name: site[name] for name in order}, HOURS, start=START)
    assert one.schedule.equals(other.schedule)
    assert one.ledger.equals(other.ledger)
    assert one.allocation.equals(other.allocation)


@few
@given(seed=seeds)
def test_ledger_sums_to_the_objective_and_uses_to_what_was_injected(seed: int):
    plan = solve(random_site(seed, HOURS), HOURS, start=START)
    objective = plan.summary["objective_cny"]
    assert plan.ledger["amount_cny"].sum() == pytest.approx(objective, rel=1e-6, abs=1e-3)
    schedule = plan.schedule
    sums = plan.allocation.groupby("origin")["mwh"].sum()
    sun = (schedule["sun.power_mw"] + schedule["sun.curtailed_mw"]).sum()
    assert sums["renewable"] == pytest.approx(sun, abs=1e-5)
    assert sums["thermal"] == pytest.approx(schedule["unit.power_mw"].sum(), abs=1e-5)
    assert sums["grid"] == pytest.approx(schedule["grid.import_mw"].sum(), abs=1e-5)
