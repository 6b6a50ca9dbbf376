"""The commitment against a twin that shares nothing with it.

The twin writes out every on-off sequence in plain Python, keeps those that the least times allow,
prices the starts by counting the hours off, and finds the best powers of a sequence with a small LP
over gross powers. It is right because it is slow.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import planner
from tests.support.build import load, market, reserve, solve, thermal

SHED, SHORT = 70.0, 25.0
START, TODAY_H = "2026-07-15T21:00:00+08:00", 3


@dataclass(frozen=True)
class Case:
    """Units that sell at a price an hour, or serve a load that may be shed, and hold reserve."""

    hours: int
    units: tuple[dict[str, Any], ...]
    prices: tuple[float, ...]
    demand: tuple[float, ...]
    hold: float

    def site(self) -> dict[str, dict[str, Any]]:
        site = {f"unit_{i}": unit for i, unit in enumerate(self.units)}
        site["grid"] = market(*self.prices)
        site["city"] = load(*self.demand, shed_cost_cny_per_mwh=SHED)
        if self.hold:
            site["hold"] = reserve(up_mw=self.hold, shortfall_cost_cny_per_mwh=SHORT)
            site["hold"]["providers"] = [f"unit_{i}" for i in range(len(self.units))]
        return site


def random_case(seed: int, *, duty: bool) -> Case:
    """Return the case of a seed; with `duty` its units have limits on their runs and starts."""
    rnd = random.Random(seed)
    two = seed % 4 == 3
    hours = rnd.choice([3, 4]) if two else rnd.choice([5, 6])
    return Case(
        hours,
        tuple(_random_unit(rnd, hours) | (_duty(rnd) if duty else {}) for _ in range(1 + two)),
        tuple(rnd.choice([-20.0, 0.0, 8.0, 15.0, 30.0]) for _ in range(hours)),
        tuple(rnd.choice([0.0, 0.0, 30.0, 60.0, 110.0]) for _ in range(hours)),
        rnd.choice([0.0, 15.0, 40.0]),
    )


def _random_unit(rnd: random.Random, hours: int) -> dict[str, Any]:
    low = [rnd.choice([20.0, 20.0, 30.0]) for _ in range(hours)]
    on = rnd.random() < 0.5
    slopes = sorted(rnd.choice([6.0, 9.0, 12.0, 20.0]) for _ in range(2))
    fuel = [rnd.choice([100.0, 250.0])]
    fuel += [fuel[0] + 40 * slopes[0], fuel[0] + 40 * slopes[0] + 40 * slopes[1]]
    costs = sorted(rnd.choice([0.0, 100.0, 300.0, 700.0]) for _ in range(3))
    off_h = [0.0, rnd.choice([1.0, 2.0]), rnd.choice([3.0, 4.0])]
    return thermal(
        min_power_mw=low,
        curve=[
            {"power_mw": mw, "fuel_gj_per_h": gj}
            for mw, gj in zip((20, 60, 100), fuel, strict=True)
        ],
        fuel_price_cny_per_gj=1,
        ramp_up_mw_per_h=rnd.choice([15.0, 30.0, 200.0]),
        ramp_down_mw_per_h=rnd.choice([15.0, 30.0, 200.0]),
        startup_ramp_mw=rnd.choice([30.0, 50.0, 100.0]),
        shutdown_ramp_mw=rnd.choice([30.0, 50.0, 100.0]),
        min_up_h=rnd.choice([0.0, 1.0, 2.0, 3.0]),
        min_down_h=rnd.choice([0.0, 1.0, 2.0, 4.0]),
        startups=[{"off_h": h, "cost_cny": cost} for h, cost in zip(off_h, costs, strict=True)],
        shutdown_cost_cny=rnd.choice([0.0, 40.0]),
        available=[rnd.choice([1.0, 1.0, 1.0, 1.0, 0.7, 0.0]) for _ in range(hours)],
        initial={
            "on": on,
            "power_mw": rnd.choice([low[0], 50.0, 70.0]) if on else 0.0,
            "hours": rnd.choice([1.0, 2.0, 3.0, 9.0]),
        },
        ending=rnd.choice(["free", "free", "same_as_start"]),
    )


def _duty(rnd: random.Random) -> dict[str, Any]:
    on, most = rnd.random() < 0.5, rnd.choice([None, 1, 2])
    past = {"on": on, "power_mw": 50 if on else 0, "hours": rnd.choice([1.0, 2.0, 9.0])}
    return {
        "min_up_h": rnd.choice([0.0, 2.0]),
        "max_up_h": rnd.choice([None, 2.0, 3.0]),
        "max_starts_per_day": most,
        "initial": past | {"starts_today": rnd.choice([0, 1]) if most else 0},
    }


def allowed(unit: dict[str, Any], hours: int) -> Iterator[tuple[bool, ...]]:
    """Yield the sequences that the past, all times, starts, outages and the ending allow."""
    longest, most = unit.get("max_up_h") or 99, unit.get("max_starts_per_day") or 99
    least = {True: max(1, unit["min_up_h"]), False: max(1, unit["min_down_h"])}
    out = [part == 0 for part in unit["available"]]
    for states in itertools.product([False, True], repeat=hours):
        state, age, fine = unit["initial"]["on"], unit["initial"]["hours"], True
        starts = [unit["initial"].get("starts_today", 0), 0]  # before and after midnight
        for t, (on, broken) in enumerate(zip(states, out, strict=True)):
            fine &= not (on and broken)
            if on != state:
                fine &= age >= least[state] or (state and broken)  # an outage trips at any age
                state, age = on, 0
                starts[t >= TODAY_H] += on
            age += 1
            fine &= not on or age <= longest
        fine &= max(starts) <= most
        if unit["ending"] == "same_as_start" and not out[-1]:
            fine &= states[-1] == unit["initial"]["on"]
        if fine:
            yield states


def switching_cost(unit: dict[str, Any], states: tuple[bool, ...]) -> float:
    state, age, cost = unit["initial"]["on"], unit["initial"]["hours"], 0.0
    for on in states:
        if on and not state:
            cost += max(s["cost_cny"] for s in unit["startups"] if s["off_h"] <= age)
        if state and not on:
            cost += unit["shutdown_cost_cny"]
        state, age = on, (age + 1 if on == state else 1)
    return cost


def dispatch(case: Case, states: tuple[tuple[bool, ...], ...]) -> float | None:
    """Return the best profit of given sequences before switching costs, or None."""
    hours, count = case.hours, len(case.units)
    # columns by hour: power, fuel and reserve of every unit, then sold, shed, short
    width = 3 * count + 3
    cost = np.zeros(hours * width)
    below: list[tuple[dict[int, float], float]] = []
    equal: list[tuple[dict[int, float], float]] = []
    bounds: list[tuple[float, float | None]] = []
    for t in range(hours):
        at = t * width
        sold, shed, short = at + 3 * count, at + 3 * count + 1, at + 3 * count + 2
        cost[sold], cost[shed], cost[short] = -case.prices[t], SHED, SHORT
        balance = {sold: -1.0, shed: 1.0}
        for u in range(count):
            balance[at + 3 * u] = 1.0
            cost[at + 3 * u + 1] = 1.0
            bounds += _unit_bounds(case.units[u], states[u], t, case.hold > 0)
            below += _unit_rows(case.units[u], states[u], t, at + 3 * u, width)
        equal.append((balance, case.demand[t]))
        below.append(({short: -1.0} | {at + 3 * u + 2: -1.0 for u in range(count)}, -case.hold))
        bounds += [(0.0, None), (0.0, case.demand[t]), (0.0, None)]
    a_ub, b_ub = _dense(below, len(cost))
    a_eq, b_eq = _dense(equal, len(cost))
    planned = linprog(cost, a_ub, b_ub, a_eq, b_eq, bounds)
    return -float(planned.fun) if planned.status == 0 else None


def _unit_bounds(
    unit: dict[str, Any], states: tuple[bool, ...], t: int, holds: bool
) -> list[tuple[float, float | None]]:
    if not states[t]:
        return [(0.0, 0.0)] * 3
    top = unit["max_power_mw"] * unit["available"][t]
    return [(unit["min_power_mw"][t], top), (0.0, None), (0.0, None if holds else 0.0)]


def _unit_rows(
    unit: dict[str, Any], states: tuple[bool, ...], t: int, power: int, width: int
) -> list[tuple[dict[int, float], float]]:
    """Return rows (coefficients, right side) that read sum <= right side."""
    low, before = unit["min_power_mw"], unit["initial"]
    rise, fall = unit["ramp_up_mw_per_h"], unit["ramp_down_mw_per_h"]
    was = states[t - 1] if t else before["on"]
    last_low = low[t - 1] if t else low[0]
    last = power - width
    rows: list[tuple[dict[int, float], float]] = []
    if states[t]:
        with_reserve = {power: 1.0, power + 2: 1.0}
        rows.append((with_reserve, unit["max_power_mw"] * unit["available"][t]))
        rows.append(({power + 2: 1.0}, rise))  # within an hour, also while the unit falls
        points = unit["curve"]
        for a, b in itertools.pairwise(points):
            slope = (b["fuel_gj_per_h"] - a["fuel_gj_per_h"]) / (b["power_mw"] - a["power_mw"])
            rows.append(
                ({power: slope, power + 1: -1.0}, slope * a["power_mw"] - a["fuel_gj_per_h"])
            )
        trips = t + 1 < len(states) and unit["available"][t + 1] == 0
        if t + 1 < len(states) and not states[t + 1] and not trips:
            rows.append((with_reserve, unit["shutdown_ramp_mw"]))
        if not was:
            rows.append((with_reserve, min(unit["startup_ramp_mw"], low[t] + rise)))
        elif t:
            rows.append((with_reserve | {last: -1.0}, rise))
            rows.append(({power: -1.0, last: 1.0}, fall))
        else:
            rows.append((with_reserve, before["power_mw"] + rise))
            rows.append(({power: -1.0}, fall - before["power_mw"]))
    elif was and unit["available"][t] > 0:  # a stop that is no trip
        most = min(unit["shutdown_ramp_mw"], last_low + fall)
        if t:
            rows.append(({last: 1.0}, most))
        else:
            rows.append(({}, most - before["power_mw"]))
    return rows


def _dense(rows: list[tuple[dict[int, float], float]], width: int) -> tuple[Any, Any]:
    matrix, right = np.zeros((len(rows), width)), np.zeros(len(rows))
    for i, (coefficients, value) in enumerate(rows):
        right[i] = value
        for column, factor in coefficients.items():
            matrix[i, column] = factor
    return matrix, right


def best_of_all(case: Case) -> float | None:
    best = None
    sequences = [list(allowed(unit, case.hours)) for unit in case.units]
    for states in itertools.product(*sequences):
        earned = dispatch(case, states)
        if earned is not None:
            spent = sum(map(switching_cost, case.units, states))
            best = max(best, earned - spent) if best is not None else earned - spent
    return best


# Once a start and a stop in one step of an outage passed for a rest: 47, 65, 119, 195, 386, 486.
# In 90, HiGHS 1.15.1 claimed -4200 while start and stop were continuous; -4110 is right.
SEEDS = [*range(34), 47, 65, 90, 119, 195, 386, 486]


@pytest.mark.few(24)
@pytest.mark.parametrize(
    ("seed", "duty"), [(seed, duty) for seed in reversed(SEEDS) for duty in (False, True)]
)
def test_commitment_against_brute_force(seed: int, duty: bool):
    case = random_case(seed, duty=duty)
    best = best_of_all(case)
    if best is None:
        with pytest.raises(planner.InfeasibleError):
            solve(case.site(), case.hours, start=START)
        return
    planned = solve(case.site(), case.hours, start=START).summary["objective_cny"]
    assert planned == pytest.approx(best, rel=1e-6, abs=1e-3)
