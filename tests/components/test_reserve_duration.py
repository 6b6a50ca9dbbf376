"""Reserve means the same at every step length: it lasts duration_h and is there in response_min."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import golden
from tests.support.build import battery, column, grid, load, reserve, scenario, solve, thermal
from tests.support.compute import batch, fleet, serving, site
from tests.support.compute import market as token_market

STEPS_MIN = (5, 10, 15, 30, 60)
PENALTY = 1000.0
Situation = tuple[dict[str, dict[str, Any]], float]  # components, and the MW that are short


def hold(up_mw: Any, provider: str, **fields: Any) -> dict[str, Any]:
    """A requirement on one component, whose shortfall has a price."""
    more = {"providers": [provider], "shortfall_cost_cny_per_mwh": PENALTY}
    return reserve(up_mw=up_mw, **more, **fields)


def of_battery(rnd: random.Random) -> Situation:
    """A battery at rest that nothing can charge: its energy, less the losses, over the duration."""
    energy, least, power = rnd.uniform(1, 9), rnd.uniform(0, 1), rnd.uniform(1, 6)
    out, hours, up = rnd.uniform(0.7, 1), rnd.choice([0.25, 0.5, 1, 2, 4]), rnd.uniform(1, 8)
    cell = battery(
        discharge_power_mw=power, min_energy_mwh=least, discharge_efficiency=out,
        charge_power_mw=0, initial={"energy_mwh": energy},
    )  # fmt: skip
    parts = {"x": cell, "grid": grid(import_limit_mw=5, export_limit_mw=0), "town": load(5)}
    parts["town"]["demand_mw"] = 5
    offered = min(power, out * (energy - least) / hours)
    return parts | {"hold": hold(up, "x", duration_h=hours)}, max(up - offered, 0.0)


def of_thermal(rnd: random.Random) -> Situation:
    """A unit at constant power: its headroom, or its ramp over the response."""
    power, ramp, up = rnd.uniform(20, 90), rnd.uniform(5, 60), rnd.uniform(5, 60)
    minutes = rnd.choice([5, 10, 15, 30, 60, 90])
    unit = thermal(
        must_run=True, ramp_up_mw_per_h=ramp,
        initial={"on": True, "power_mw": power, "hours": 9},
    )  # fmt: skip
    parts = {"x": unit, "town": {"kind": "load", "demand_mw": power}}
    offered = min(100 - power, ramp * minutes / 60)
    return parts | {"hold": hold(up, "x", response_min=minutes)}, max(up - offered, 0.0)


def of_fleet(rnd: random.Random) -> Situation:
    """Steady batch work on 1 MW nodes of 9 Mtok/h: all of it, or what its deadline lets wait."""
    work, deadline_h, hours = (
        rnd.uniform(5, 40),
        rnd.choice([1, 2, 3]),
        rnd.choice([0.5, 1, 1.5, 2]),
    )
    up = rnd.uniform(0.5, 5)
    parts = site(x=fleet(10), work=batch(work, 20, deadline_h))
    offered = work / 9 * min(1.0, deadline_h / hours)
    return parts | {"hold": hold(up, "x", duration_h=hours)}, max(up - offered, 0.0)


def of_grid(rnd: random.Random) -> Situation:
    """A connection: the import that is free, however long and however soon."""
    drawn, up = rnd.uniform(1, 9), rnd.uniform(1, 20)
    parts = {"x": grid(import_limit_mw=10), "town": {"kind": "load", "demand_mw": drawn}}
    fields = {"duration_h": rnd.choice([0.5, 8]), "response_min": rnd.choice([1, 90])}
    return parts | {"hold": hold(up, "x", **fields)}, max(up - (10 - drawn), 0.0)


VARIANTS = [
    (make, seed) for make in (of_battery, of_thermal, of_fleet, of_grid) for seed in range(14)
]


@pytest.mark.few(4)
@pytest.mark.parametrize(("make", "seed"), VARIANTS)
def test_every_step_length_is_as_short_and_costs_the_same(
    make: Callable[[random.Random], Situation], seed: int
) -> None:
    parts, short_mw = make(random.Random(seed))
    objectives = []
    for step_min in (STEPS_MIN[seed % 4], 60):
        summary = solve(parts, 2, step_min=step_min).summary
        shortfall = summary["figures"]["hold"]["shortfall_mwh"]
        assert shortfall == pytest.approx(2 * short_mw, abs=1e-5), step_min
        objectives.append(summary["objective_cny"])
    assert objectives[0] == pytest.approx(objectives[1], abs=1e-3)


@pytest.mark.parametrize("step_min", STEPS_MIN)
def test_a_megawatt_hour_behind_six_megawatts(step_min: int) -> None:
    """1 MWh lasts an hour at 1 MW: 5 of 6 MW are short in every step."""
    cell = battery(
        capacity_mwh=1, charge_power_mw=6, discharge_power_mw=6, initial={"energy_mwh": 1}
    )
    parts = {
        "grid": grid(import_limit_mw=5, export_limit_mw=0, import_price_cny_per_mwh=10),
        "town": {"kind": "load", "demand_mw": 5},
        "r": hold(6, "battery"),
        "battery": cell,
    }
    plan = solve(parts, step_min=step_min)
    assert set(column(plan, "r.shortfall_mw")) == {5.0}
    assert plan.summary["objective_cny"] == pytest.approx(-5 * 10 - 5 * PENALTY)


def test_the_energy_is_there_at_both_ends_of_a_step() -> None:
    """An empty battery that charges 4 MWh in the hour offers none in it, and 4 MW in the next."""
    parts = {
        "grid": grid(import_limit_mw=4, import_price_cny_per_mwh=10, export_limit_mw=0),
        "x": battery(ending={"value_cny_per_mwh": 11}),
        "hold": hold(4, "x"),
        "town": load(0, 0),
    }
    assert column(solve(parts, 2), "hold.shortfall_mw") == [4, 0]


def test_reserves_of_different_durations_share_the_energy() -> None:
    """6 MWh feed 2 MW for 2 hours and 4 MW for half an hour; a MW more of either is short."""
    parts = {
        "grid": grid(import_limit_mw=0, export_limit_mw=0),
        "x": battery(discharge_power_mw=9, initial={"energy_mwh": 6}),
        "town": load(0),
        "slow": hold(2, "x", duration_h=2),
        "fast": hold(4, "x", duration_h=0.5),
    }
    assert solve(parts).summary["objective_cny"] == 0
    parts["fast"]["up_mw"] = 5
    assert solve(parts).summary["objective_cny"] == pytest.approx(-0.25 * PENALTY)
    # a quarter of a MW less for 2 hours leaves the energy of one for half an hour


def test_reserves_of_different_responses_share_the_ramp() -> None:
    """60 MW/h give 10 MW in 10 minutes and 30 MW in 30, those 10 among them: 10 of 40 are short."""
    unit = thermal(
        must_run=True, ramp_up_mw_per_h=60, initial={"on": True, "power_mw": 20, "hours": 9}
    )
    parts = {
        "x": unit,
        "town": load(20),
        "soon": hold(15, "x", response_min=10),
        "late": hold(25, "x", response_min=30),
    }
    plan = solve(parts)
    (soon,), (late,) = (column(plan, f"{name}.shortfall_mw") for name in ("soon", "late"))
    assert soon + late == pytest.approx(10)
    assert soon >= 5


def test_a_unit_that_rises_has_the_rest_of_its_ramp() -> None:
    """It rises by 20 of 30 MW/h: half an hour gives 5 MW; while it falls, 15 MW and no more."""
    unit = thermal(
        must_run=True, ramp_up_mw_per_h=30, initial={"on": True, "power_mw": 20, "hours": 9}
    )
    parts = {"x": unit, "town": load(40, 20), "hold": hold(50, "x", response_min=30)}
    assert column(solve(parts, 2), "hold.provided_mw") == [5, 15]


# fleets: 2 nodes of 1 MW answer 18 Mtok in the first hour, and are asked for 2 MW


def provided(work: dict[str, Any], nodes: Any = 10, hours: int = 3, **fields: Any) -> float:
    """Return the MW that pausing gives in the first of some hours; only that one is cheap."""
    prices = [0, *[1000] * (hours - 1)]
    parts = site(prices, x=fleet(10, available_pu=nodes), work=work)
    up = [2, *[0] * (hours - 1)]
    plan = solve(parts | {"hold": hold(up, "x", **fields)}, hours)
    return column(plan, "hold.provided_mw")[0]


@pytest.mark.parametrize(
    ("deadline_h", "available", "duration_h", "mw"),
    [
        (0, 1, 1, 0),  # due in its own hour
        (1, 1, 1, 0),  # a call at the end of the first hour lasts to the end of the second
        (2, 1, 1, 2),  # caught up with in the third hour, on nodes that sleep
        (2, [1, 1, 0.1], 1, 1),  # ... one of which is left: 9 Mtok of 18
        (2, [1, 1, 0], 1, 0),
        (2, 1, 0.5, 2),
        (3, [1, 0, 0], 1, 2),  # due after the horizon
        (2, 1, 2, 0),  # lasts to the end of the third hour
        (3, 1, 2, 1),  # counted as 18 Mtok/h for 2 hours, of which 18 may wait
    ],
)
def test_work_that_pauses_still_meets_its_deadline(
    deadline_h: float, available: Any, duration_h: float, mw: float
) -> None:
    """18 Mtok arrive in the first hour: slack after hours 1, 2, 3 is 18 until the deadline."""
    work = batch([18, 0, 0], 60, deadline_h)
    nodes = available if isinstance(available, list) else 1
    assert provided(work, nodes, duration_h=duration_h) == pytest.approx(mw)


def test_nodes_have_to_wake_before_they_catch_up() -> None:
    """A call of an hour and an hour of waking end after the third hour: too late."""
    parts = site(
        [0, 1000, 1000], x=fleet(10, wake_min=60, initial={"awake": {"chatty": 10}}),
        work=batch([18, 0, 0], 60, 2),
    )  # fmt: skip
    plan = solve(parts | {"hold": hold([2, 0, 0], "x")}, 3)
    assert column(plan, "hold.provided_mw")[0] == pytest.approx(0)


def test_market_work_gives_way_to_work_that_is_late() -> None:
    """One node, sold out to the market in every hour but the first: its hours catch up 9 Mtok."""
    parts = site(
        [0, 0, 0], x=fleet(1), work=batch([9, 0, 0], 60, 2),
        open=token_market(([0, 9, 9], 50)),
    )  # fmt: skip
    plan = solve(parts | {"hold": hold([1, 0, 0], "x")}, 3)
    assert column(plan, "hold.provided_mw")[0] == pytest.approx(1)


def test_two_fleets_put_off_no_more_together_than_may_wait() -> None:
    """18 Mtok on two fleets of one node; 9 Mtok can be caught up with in the third hour."""
    one = fleet(1, available_pu=[1, 1, 1])
    two = fleet(1, available_pu=[1, 1, 0])
    parts = site([0, 1000, 1000], x=one, y=two, work=batch([18, 0, 0], 60, 2))
    ask = hold([2, 0, 0], "x") | {"providers": ["x", "y"]}
    assert column(solve(parts | {"hold": ask}, 3), "hold.provided_mw")[0] == pytest.approx(1)


def test_input_is_caught_up_with_on_nodes_that_read() -> None:
    """Of two nodes in the third hour, one decodes 9 Mtok and one reads 18: a MW of each is late."""
    reading = {"chatty": serving(prefill={"tokens_per_s": 5000, "node_kw": 1000})}
    work = batch([9, 0, 0], 200, 2, input_per_output=2)
    for left, mw in ((0.2, 2), (0.1, 1)):
        parts = site(
            [0, 1000, 1000], x=fleet(10, available_pu=[1, 1, left], serves=reading), work=work
        )
        plan = solve(parts | {"hold": hold([2, 0, 0], "x")}, 3)
        assert column(plan, "hold.provided_mw")[0] == pytest.approx(mw)


def test_golden_pausing() -> None:
    """Reserves of half an hour and an hour; nodes wake for half an hour."""
    nodes = fleet(serves={"chatty": serving()}, wake_min=30, spare_nodes=1)
    parts = site(
        x=nodes, work=batch([18, 9, 0], 60, 2), open=token_market((9, 12)),
        soon=hold(1, "x", duration_h=0.5), long=hold(1, "x"),
    )  # fmt: skip
    golden.check("pausing", scenario(parts, 3))
