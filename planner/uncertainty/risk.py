"""How much the bad futures weigh: the mean of the worst profits beside the mean of all.

CVaR of profit with the share a is the mean profit in the worst a of all futures by probability:

    CVaR = max over eta of  eta - (1/a) sum_i p_i max(eta - profit_i, 0)

(Rockafellar & Uryasev 2000). Three futures of probability 0.25, 0.25 and 0.5 that earn -10, 20 and
40: with a = 0.5 the worst half is the first two, (-10 + 20) / 2 = 5; with a = 0.25 it is -10; with
a = 1 it is the mean, 22.5. What is planned for is (1 - weight) mean + weight CVaR.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from planner.components.base import Fraction
from planner.horizon import Frozen


class Risk(Frozen):
    """How much the bad futures weigh."""

    cvar_share: Annotated[float, Field(gt=0, le=1)]
    """Share of the futures, by probability, that counts as the bad ones: 0.1 is the worst tenth."""
    weight: Fraction
    """Weight of their mean profit; that of the mean profit of all futures is 1 - weight."""


def mean(probabilities: Sequence[float], profits: Sequence[float]) -> float:
    """Return the expected profit, CNY."""
    return float(np.dot(probabilities, profits))


def cvar(probabilities: Sequence[float], profits: Sequence[float], share: float) -> float:
    """Return the mean of the worst profits, so many of them by probability, CNY."""
    order = np.argsort(profits, kind="stable")
    sizes, found = np.asarray(probabilities)[order], np.asarray(profits)[order]
    before = np.concatenate([[0.0], np.cumsum(sizes)[:-1]])
    taken = np.clip(share - before, 0.0, sizes)
    return float(np.dot(taken, found) / taken.sum())


def worth(probabilities: Sequence[float], profits: Sequence[float], risk: Risk | None) -> float:
    """Return what is planned for: the mean, or mean and CVaR by their weights, CNY."""
    expected = mean(probabilities, profits)
    if risk is None:
        return expected
    bad = cvar(probabilities, profits, risk.cvar_share)
    return (1 - risk.weight) * expected + risk.weight * bad
