"""Prices of rules from offers of windows: two windows, two offers each, one rule."""

from __future__ import annotations

import numpy as np
import pytest

from planner.solver.rule_prices import RulePrices

EMPTY = np.zeros(0)


def emissions(budget: float, base: float = 0.0) -> RulePrices:
    """Two windows emit 8 t each; the first saves 4 t for 6 CNY, the second for 4 CNY.

    base: what each offer costs besides.
    """
    master = RulePrices(2, np.array([-np.inf]), np.array([budget]))
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


@pytest.mark.parametrize(("budget", "chosen"), [(20, [0, 2]), (14, [0, 3]), (10, [1, 3])])
def test_one_offer_of_each_window_is_chosen(budget: float, chosen: list[int]):
    assert emissions(budget, base=100).choose().tolist() == chosen


def test_a_least_amount_has_a_price_above_nothing():
    master = RulePrices(2, np.array([6.0]), np.array([np.inf]))
    for window, cost in ((0, 5.0), (1, 7.0)):
        master.offer(window, 50, np.array([0.0]))
        master.offer(window, 50 + cost, np.array([4.0]))
    # 4 from the first window at 5/4 each, 2 from the second at 7/4
    assert master.price() == pytest.approx([7 / 4])
    assert master.value == pytest.approx(100 + 5 + 3.5)
    assert master.choose().tolist() == [1, 3]


def test_offers_that_cannot_keep_a_rule_still_have_a_price():
    master = emissions(3, base=100)
    (price,) = master.price()
    assert price < -6 / 4  # above what any saving costs, so that more is asked for
    assert master.choose().tolist() == [1, 3]  # short by the least


def test_an_offer_that_costs_more_and_saves_less_changes_nothing():
    master, same = emissions(10, base=100), emissions(10, base=100)
    same.offer(0, 110, np.array([6.0]))
    assert same.price() == pytest.approx(master.price())
    assert same.value == pytest.approx(master.value)
    assert same.choose().tolist() == [1, 3]


def test_the_order_of_offers_has_no_meaning():
    master, turned = emissions(10, base=100), emissions(10, base=100)
    for part in (turned.costs, turned.added, turned.window_of):
        part.reverse()
    assert turned.price() == pytest.approx(master.price())
    assert sorted((3 - turned.choose()).tolist()) == [1, 3]


def test_prices_follow_the_money():
    master, dear = emissions(10, base=100), emissions(10, base=100)
    dear.costs = [2 * cost for cost in dear.costs]
    assert dear.price() == pytest.approx(2 * master.price())


def test_without_rules_each_window_takes_its_cheapest():
    master = RulePrices(2, EMPTY, EMPTY)
    for window, cost in ((0, 3.0), (0, 2.0), (1, -5.0), (1, 0.0)):
        master.offer(window, cost, EMPTY)
    assert master.price().size == 0
    assert master.value == pytest.approx(-3)
    assert master.choose().tolist() == [1, 2]


TOO_LOW = "the penalty of a shortage is below the price: costs of offers are small"


@pytest.mark.parametrize(
    "base", [pytest.param(0.0, marks=pytest.mark.xfail(reason=TOO_LOW)), 100.0, -100.0]
)
def test_what_is_the_same_in_all_offers_does_not_change_a_price(base: float):
    assert emissions(10, base).price() == pytest.approx([-6 / 4])
