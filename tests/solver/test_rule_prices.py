"""Prices of rules from offers of windows: two windows, two offers each, one rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import sparse

from planner.solver.linear_program import LinearProgram
from planner.solver.rule_prices import RulePrices

EMPTY = np.zeros(0)


def master_of(
    lower: list[float], upper: list[float], penalties: Sequence[float] = ()
) -> RulePrices:
    """Return a master of two windows; a rule may be missed at each of some penalties."""
    count = len(penalties)
    columns = sparse.csr_array(np.ones((len(lower), count)))
    rules = LinearProgram(
        columns, np.array(lower), np.array(upper), np.zeros(count), np.full(count, np.inf),
        np.array(penalties),
    )  # fmt: skip
    return RulePrices(2, rules, dearer=10.0)


def emissions(budget: float, base: float = 0.0) -> RulePrices:
    """Two windows emit 8 t each; the first saves 4 t for 6 CNY, the second for 4 CNY.

    base: what each offer costs besides.
    """
    master = master_of([-np.inf], [budget])
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


@pytest.mark.parametrize(("penalties", "price", "value"), [((), 7 / 4, 3.5), ((1.5,), 1.5, 3.0)])
def test_a_least_amount_has_a_price_above_nothing(
    penalties: tuple[float, ...], price: float, value: float
):
    master = master_of([6.0], [np.inf], penalties)
    for window, cost in ((0, 5.0), (1, 7.0)):
        master.offer(window, 50, np.array([0.0]))
        master.offer(window, 50 + cost, np.array([4.0]))
    # 4 from the first window at 5/4 each, 2 from the second at 7/4, or missed at 3/2
    assert master.price() == pytest.approx([price])
    assert master.value == pytest.approx(100 + 5 + value)
    assert not master.is_short


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


def test_without_rules_each_window_takes_its_cheapest():
    master = master_of([], [])
    for window, cost in ((0, 3.0), (0, 2.0), (1, -5.0), (1, 0.0)):
        master.offer(window, cost, EMPTY)
    assert master.price().size == 0
    assert master.value == pytest.approx(-3)


@pytest.mark.parametrize("base", [0.0, 100.0, -100.0])
def test_what_is_the_same_in_all_offers_does_not_change_a_price(base: float):
    assert emissions(10, base).price() == pytest.approx([-6 / 4])
