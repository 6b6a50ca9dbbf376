"""Prices of rules from offers of windows: two windows, two offers each, one rule."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from planner.solver.linear_program import LinearProgram
from planner.solver.rule_prices import RulePrices


def rule(lower: float, upper: float, missed_at: float | None = None) -> LinearProgram:
    """A rule; at a price a unit of it may be missed."""
    prices = np.array([] if missed_at is None else [missed_at])
    return LinearProgram(
        sparse.csc_array(np.full((1, len(prices)), -1.0)),
        np.array([lower]), np.array([upper]), 0 * prices, prices + np.inf, prices,
    )  # fmt: skip


def emissions(budget: float, base: float = 0.0, missed_at: float | None = None) -> RulePrices:
    """Two windows emit 8 t each; the first saves 4 t for 6 CNY, the second for 4 CNY.

    base: what each offer costs besides. missed_at: the price of a tonne above the budget.
    """
    master = RulePrices(2, rule(-np.inf, budget, missed_at))
    for window, saving in ((0, 6.0), (1, 4.0)):
        master.offer(window, base, np.array([8.0]))
        master.offer(window, base + saving, np.array([4.0]))
    return master


@pytest.mark.parametrize(
    ("budget", "price", "value"),
    [
        (20, 0, 0),  # to spare
        (14, 4 / 4, 2),  # half of the second window's saving
        (10, 6 / 4, 4 + 3),  # all of it, and half of the first one's
    ],
)
def test_the_price_is_what_the_last_tonne_saved_costs(budget: float, price: float, value: float):
    master = emissions(budget, base=100)
    assert master.price() == pytest.approx([-price])
    assert master.value == pytest.approx(200 + value)


def test_no_price_is_above_that_of_missing_a_rule():
    """At 1.2 CNY/t the first window's saving of 6/4 is too dear, the second one's 4/4 is not."""
    master = emissions(10, base=100, missed_at=1.2)
    assert master.price() == pytest.approx([-1.2])
    assert master.value == pytest.approx(200 + 4 + 2 * 1.2)
    assert not master.is_short


def test_a_least_amount_has_a_price_above_nothing():
    master = RulePrices(2, rule(6, np.inf))
    for window, cost in ((0, 5.0), (1, 7.0)):
        master.offer(window, 50, np.array([0.0]))
        master.offer(window, 50 + cost, np.array([4.0]))
    # 4 from the first window at 5/4 each, 2 from the second at 7/4
    assert master.price() == pytest.approx([7 / 4])
    assert master.value == pytest.approx(100 + 5 + 3.5)


def test_offers_that_cannot_keep_a_rule_still_have_a_price():
    master = emissions(3, base=100)
    (price,) = master.price()
    assert price < -6 / 4  # above what any saving costs, so that more is asked for
    assert master.is_short


def test_an_offer_that_costs_more_and_saves_less_changes_nothing():
    master, same = emissions(10, base=100), emissions(10, base=100)
    same.offer(0, 110, np.array([6.0]))
    assert same.price() == pytest.approx(master.price())
    assert same.value == pytest.approx(master.value)


def test_the_order_of_offers_has_no_meaning():
    master, turned = emissions(10, base=100), emissions(10, base=100)
    for part in (turned.costs, turned.added, turned.window_of):
        part.reverse()
    assert turned.price() == pytest.approx(master.price())


def test_prices_follow_the_money():
    master, dear = emissions(10, base=100), emissions(10, base=100)
    dear.costs = [2 * cost for cost in dear.costs]
    assert dear.price() == pytest.approx(2 * master.price())


@pytest.mark.parametrize("base", [0.0, 100.0, -100.0])
def test_what_is_the_same_in_all_offers_does_not_change_a_price(base: float):
    assert emissions(10, base).price() == pytest.approx([-6 / 4])
