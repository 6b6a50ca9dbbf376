"""A line of the ledger as it should be, and the one that pays a price for a flow in every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.auditor.breach import Array
from planner.auditor.reading import Part, Plan

ONCE = "horizon"


@dataclass(frozen=True)
class Line:
    """A line of the ledger as it should be; `price` is the largest, for the tolerance."""

    component: str
    name: str
    amounts: Array
    periods: Sequence[str]
    price: float = 0.0
    cash: bool = True


def by_step(
    plan: Plan, part: Part, name: str, price: Array | float, flow: Array, *, cash: bool = True
) -> Line:
    """Return a line that pays a price for a flow in every step; negative prices are costs."""
    rate = np.asarray(price, dtype=float) * plan.clock.step_h
    largest = float(np.abs(rate).max())
    return Line(part.name, name, rate * flow, plan.clock.stamps, largest, cash)
