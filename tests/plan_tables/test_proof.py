"""The gaps between a profit and its bound: of the turnover, and of the profit."""

from __future__ import annotations

import pytest

from planner.plan_tables.summary import proof
from tests.support import build


@pytest.mark.parametrize(
    ("profit", "bound", "gap", "of_profit"),
    [
        (100, 101, 0.001, 0.01),
        (-100, -99, 0.001, 0.01),  # of a loss, its amount
        (0.5, 1, 0.0005, 1),  # no least profit as there is a least turnover
        (0.01, 10.01, 0.01, 1000),
        (100, 100, 0, 0),
        (100, 99.9999999, 0, 0),
        (0.004, 10, 0.009996, None),  # 0.00 CNY
        (-0.004, 0, 0.000004, None),
        (0.0, 0, 0, None),
        (0.0049999999, 0.005, 0, 0),  # the summary rounds it to half a fen
    ],
)
def test_one_difference_is_a_share_of_turnover_and_of_profit(
    profit: float, bound: float, gap: float, of_profit: float | None
) -> None:
    """The turnover is 1,000 CNY."""
    found = proof(profit, bound, 1000)
    assert found["bound_cny"] == round(bound, 6)
    assert found["gap"] == pytest.approx(gap)
    assert found["gap_of_profit"] == (None if of_profit is None else pytest.approx(of_profit))


def test_without_a_bound_there_is_no_gap() -> None:
    assert proof(100, None, 1000) == {"bound_cny": None, "gap": None, "gap_of_profit": None}


def test_a_plan_that_moves_no_money_has_no_gap_of_profit() -> None:
    idle = build.solve({"sun": build.renewable(1)}, 1).summary
    assert (idle["objective_cny"], idle["gap"], idle["gap_of_profit"]) == (0, 0, None)
    shed = build.load(1, shed_cost_cny_per_mwh=100)
    lost = build.solve({"town": shed, "sun": build.renewable(0)}, 1).summary
    assert (lost["objective_cny"], lost["gap"], lost["gap_of_profit"]) == (-100, 0, 0)
