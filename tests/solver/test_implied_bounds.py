"""Bounds of columns that rows imply: by hand, and without loss of the optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.solver.implied_bounds import Bounds, entries_of, implied_bounds, propagated
from planner.timeseries.horizon import Window
from tests.support.committed import SITES, UNITS, exact, program_named, room
from tests.support.programs import program

INFINITE = np.inf


def bounds_of(*arguments, **more) -> list[tuple[float, float]]:
    low, high = implied_bounds(program(*arguments, **more))
    return list(zip(low.round(9).tolist(), high.round(9).tolist(), strict=True))


def test_a_sum_limits_each_of_its_columns():
    """With x + y <= 3 and both 0 or more: each is 3 at most."""
    rows = [([1, 1], -INFINITE, 3)]
    assert bounds_of([-1, -1], rows, [INFINITE, INFINITE]) == [(0, 3), (0, 3)]


def test_what_the_others_take_at_least_counts():
    """With x + 2 y <= 10 and y >= 3: x is 10 - 6 = 4 at most, y is 5."""
    rows = [([1, 2], -INFINITE, 10), ([0, 1], 3, INFINITE)]
    assert bounds_of([-1, -1], rows, [INFINITE, INFINITE]) == [(0, 4), (3, 5)]


def test_a_row_asks_for_what_the_others_cannot_give():
    """With x + y >= 5 and y <= 2: x is 3 or more; as it costs, no optimum needs more than 5."""
    assert bounds_of([1, -1], [([1, 1], 5, INFINITE)], [INFINITE, 2]) == [(3, 5), (0, 2)]


def test_negative_lower_bounds_and_coefficients():
    """With x - y = 1 and -4 <= y <= 2: x lies in -3 to 3."""
    free = program([1, 0], [([1, -1], 1, 1)], [INFINITE, 2])
    free = free.with_bounds(slice(None), np.array([-INFINITE, -4]))
    low, high = implied_bounds(free)
    assert (low.tolist(), high.tolist()) == ([-3, -4], [3, 2])


def test_a_store_is_followed_along_its_steps():
    """The store starts with 5 and takes 2 a step at most: 7, 9, ..., 45 after 20 steps."""
    steps = 20
    rows = []
    for t in range(steps):
        row = np.zeros(2 * steps)
        row[t], row[steps + t] = 1, -1
        if t:
            row[t - 1] = -1
        begin = 0 if t else 5
        rows.append((list(row), begin, begin))
    store = program([-1] * (2 * steps), rows, [INFINITE] * steps + [2] * steps)
    store = replace(store, window=Window(1, steps))
    assert implied_bounds(store).upper[:steps].round(9).tolist() == list(range(7, 47, 2))


def test_a_peak_that_only_costs_is_what_its_rows_ask_for():
    """With peak >= import, import <= 60 and a price of the peak: 60 at most."""
    rows = [([1, -1], 0, INFINITE)]
    assert bounds_of([9, -1], rows, [INFINITE, 60]) == [(0, 60), (0, 60)]


@pytest.mark.parametrize("cost", [-1.0, 0.0])
def test_a_peak_without_a_price_is_limited_and_one_that_earns_is_not(cost: float):
    (_, high), _ = bounds_of([cost, -1], [([1, -1], 0, INFINITE)], [INFINITE, 60])
    assert high == (60 if cost == 0 else INFINITE)


def test_a_column_of_an_equality_may_be_needed_to_any_height():
    """With surplus - x = 0 and x unlimited: nothing bounds the two."""
    assert bounds_of([1, -2], [([1, -1], 0, 0)], [INFINITE, INFINITE])[0] == (0, INFINITE)


def test_bounds_of_integers_are_whole():
    """5 on <= 4: on is 0; 3 n <= 10: n is 3."""
    rows = [([5, 0], -INFINITE, 4), ([0, 3], -INFINITE, 10)]
    assert bounds_of([-1, -1], rows, [1, INFINITE], integer=[0, 1]) == [(0, 0), (0, 3)]


def test_what_follows_exactly_is_exact():
    """No margin is left that a solver's presolve would stumble over: 0 stays 0, 22 stays 22."""
    rows = [([1, 1, 0], 22, 22), ([0, 1, 0], -INFINITE, 0), ([1, 0, -1], 0, 0)]
    low, high = implied_bounds(program([1, 1, 1], rows, [INFINITE] * 3))
    assert low.tolist() == high.tolist() == [22, 0, 22]


def test_a_pass_without_a_change_returns_the_same_bounds():
    bounds = Bounds(np.zeros(2), np.ones(2))
    entries = entries_of(np.array([[1.0, 1.0]]), np.array([0.0]), np.array([2.0]))
    assert propagated(entries, bounds, 3) is bounds


def test_the_program_keeps_its_bounds():
    site = program_named("units 0")
    before = site.column_lower.copy(), site.column_upper.copy()
    implied_bounds(site)
    assert (site.column_lower == before[0]).all()
    assert (site.column_upper == before[1]).all()


@pytest.mark.few(2)
@pytest.mark.parametrize("name", [*UNITS, *SITES])
def test_they_cut_off_no_optimum(name: str):
    site = program_named(name)
    bounds = implied_bounds(site)
    assert (bounds.lower >= site.column_lower).all()
    assert (bounds.upper <= site.column_upper).all()
    best, confined = exact(site), exact(site.with_bounds(slice(None), *bounds))
    assert confined.status == best.status == "optimal"
    assert confined.objective == pytest.approx(best.objective, abs=room(best.objective))


@pytest.mark.parametrize("name", [*UNITS, *SITES])
def test_every_column_of_a_step_is_limited(name: str):
    """Copies of a step need it."""
    site = program_named(name)
    assert not implied_bounds(site).infinite[site.column_steps > 0].any()
