"""The condition of a break-even, `LEFT = RIGHT`, evaluated on the summary of a plan.

Each side is a number, a figure of summary.json by its dotted path
(`value_by_use_cny_per_kwh.compute`, `objective_cny`, `ledger_cny.grid.import`), or one of ALIASES.
A kWh in compute counts with all its token revenue, a kWh sold with all its sale revenue.

A value per kWh is missing from a plan that puts no energy to that use. It then counts as below the
other side: a use that earned more would have got energy. Where both sides are missing, or any other
figure is, the sides cannot be compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.errors import did_you_mean, wrong
from planner.message import Message
from planner.scenario.plain_data import flat

ALIASES = {
    "profit": "objective_cny",
    "cash profit": "cash_profit_cny",
    "profit after outside costs": "net_after_outside_cny",
    "profit by compute": "value_by_use_cny_per_kwh.compute",
    "profit by export": "value_by_use_cny_per_kwh.export",
    "sale value of compute": "value_by_use_cny_per_kwh.compute_at_sale_price",
}
"""Readable names of figures; the sale value of compute: what the grid would pay for its energy."""

BY_ORIGIN = "value_cny_per_kwh"
MISSING_IS_LESS = ("value_by_use_cny_per_kwh.", f"{BY_ORIGIN}.")
OBJECTIVE, BOUND = "objective_cny", "bound_cny"


@dataclass(frozen=True)
class Reading:
    """Both sides of a condition in one plan.

    left, right: their values; None where the plan has no such figure.
    low, high: bounds of left - right within the solver's gap of a profit; infinite where the sides
        cannot be compared.
    """

    left: float | None
    right: float | None
    low: float
    high: float

    @property
    def sign(self) -> int | None:
        """1 where left is above, -1 where it is below, 0 where they are equal, None if unknown."""
        if self.low == self.high == 0:
            return 0
        if self.low > 0:
            return 1
        return -1 if self.high < 0 else None


@dataclass(frozen=True)
class Condition:
    """An equation of two sides, each a number or the path of a figure."""

    left: float | str
    right: float | str

    def read(self, summary: Mapping[str, Any]) -> Reading:
        """Return both sides in a plan."""
        figures = dict(flat(summary))
        (left, left_high), (right, right_high) = (
            _ends(side, figures) for side in (self.left, self.right)
        )
        less = [isinstance(side, str) and side.startswith(MISSING_IS_LESS)
                for side in (self.left, self.right)]  # fmt: skip
        if left is not None and right is not None:
            return Reading(left, right, left - right_high, left_high - right)
        if left is None and right is not None and less[0]:
            return Reading(left, right, -math.inf, -math.inf)
        if right is None and left is not None and less[1]:
            return Reading(left, right, math.inf, math.inf)
        return Reading(left, right, -math.inf, math.inf)

    def unknown(self, summary: Mapping[str, Any]) -> list[str]:
        """Return the paths that no plan of this scenario can have."""
        known = {name for name, _ in flat(summary)}
        for origin in summary.get(BY_ORIGIN, {}):  # a use without energy has no key there
            known |= {f"{BY_ORIGIN}.{origin}.{use}" for use in ("export", "compute")}
        sides = (self.left, self.right)
        return [side for side in sides if isinstance(side, str) and side not in known]


def parse_condition(text: str) -> Condition:
    """Return the condition of a text `LEFT = RIGHT`.

    Raises:
        ScenarioError: there is no = or more than one, or a side is empty.
    """
    sides = [" ".join(side.split()) for side in text.split("=")]
    if len(sides) != 2 or not all(sides):
        example = "profit by compute = profit by export"
        raise wrong("find.where", Message("must be LEFT = RIGHT, such as {name}, is {text!r}",
                                          name=example, text=text))  # fmt: skip
    if sides[0] == sides[1]:
        raise wrong("find.where", Message("both sides are the same"))
    return Condition(_side(sides[0]), _side(sides[1]))


def _side(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if not math.isfinite(number):
            raise wrong("find.where", Message("{text} is not a number", text=text))
        return number
    if text in ALIASES:
        return ALIASES[text]
    if " " in text:
        raise wrong("find.where", Message(
            "{text!r} is no name of a figure{hint} (there are {names})",
            text=text, hint=did_you_mean(text, ALIASES), names=", ".join(ALIASES),
        ))  # fmt: skip
    return text


def _ends(side: float | str, figures: Mapping[str, float | None]) -> tuple[float | None, float]:
    """Return the value of a side and its upper bound, which differs for the profit."""
    if not isinstance(side, str):
        return side, side
    value = figures.get(side)
    if value is None:
        return None, 0.0
    bound = figures.get(BOUND) if side == OBJECTIVE else None
    return value, value if bound is None else max(value, bound)
