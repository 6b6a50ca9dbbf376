"""What an audit says: a breach, and how two figures are compared to find one.

A figure may be off by 1e-5 and 1e-6 of its size: a solver satisfies its rows to 1e-7 after it has
scaled them, and a plan rounds values to 1e-9 and money to 1e-6 CNY.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Figure = Array | float
When = str | Sequence[str]

ABSOLUTE, RELATIVE = 1e-5, 1e-6
WHOLE = 1e-6  # how far from a whole number a state may lie
OVERLAP_MW = 1e-6  # as small as this a flow counts as none where two exclude each other
FLOW = 1.001e-6  # a flow of the schedule, which is rounded, as small as this is none
AT = 2e-5  # as near as this a figure is at its limit
PLAN = "plan"  # stands for the component where a breach is of the plan as a whole


@dataclass(frozen=True)
class Breach:
    """One rule that a plan breaks: by which component, when (empty: over all), and by how much."""

    component: str
    rule: str
    time: str
    amount: float
    unit: str
    message: str

    def __str__(self) -> str:
        when = f" at {self.time}" if self.time else ""
        return f"{self.component}: {self.rule}{when}: {self.message}"


class Findings:
    """The breaches found so far; `times` names the steps."""

    def __init__(self, times: Sequence[str]) -> None:
        self._times = times
        self._breaches: list[Breach] = []

    def of(self, component: str) -> Notes:
        """Return where the breaches of a component are noted."""
        return Notes(component, self._times, self._breaches)

    def sorted(self) -> list[Breach]:
        """Return the breaches by component, rule and time."""
        return sorted(set(self._breaches), key=lambda b: (b.component, b.rule, b.time, b.message))


@dataclass(frozen=True)
class Notes:
    """The findings on one component."""

    component: str
    times: Sequence[str]
    breaches: list[Breach]

    def add(
        self, rule: str, message: str, *, when: str = "", amount: float = 1.0, unit: str = ""
    ) -> None:
        """Note a breach that no comparison of figures found."""
        self.breaches.append(Breach(self.component, rule, when, amount, unit, message))

    def equal(
        self, rule: str, what: str, value: Figure, right: Figure, unit: str = "",
        *, when: When | None = None, size: Figure = 0.0, slack: Figure = 0.0,
    ) -> None:  # fmt: skip
        """Note where `value` is not `right`; `size` of the terms where they cancel out."""
        off = np.abs(np.subtract(value, right))
        self._note(rule, f"{what} {{}}, should be {{}} ({{}} off)",
                   off, value, right, unit, when, size, slack)  # fmt: skip

    def at_most(
        self, rule: str, what: str, value: Figure, limit: Figure, unit: str = "",
        *, when: When | None = None, size: Figure = 0.0, slack: Figure = 0.0,
    ) -> None:  # fmt: skip
        """Note where `value` is above `limit`."""
        over = np.subtract(value, limit)
        self._note(rule, f"{what} {{}}, at most {{}} ({{}} over)",
                   over, value, limit, unit, when, size, slack)  # fmt: skip

    def at_least(
        self, rule: str, what: str, value: Figure, limit: Figure, unit: str = "",
        *, when: When | None = None, size: Figure = 0.0, slack: Figure = 0.0,
    ) -> None:  # fmt: skip
        """Note where `value` is below `limit`."""
        short = np.subtract(limit, value)
        self._note(rule, f"{what} {{}}, at least {{}} ({{}} short)",
                   short, value, limit, unit, when, size, slack)  # fmt: skip

    def whole(self, rule: str, what: str, value: Array, *, when: When | None = None) -> None:
        """Note where `value` is no whole number."""
        off = np.abs(value - np.round(value))
        self._note(rule, f"{what} {{}}, should be the whole {{}} ({{}} off)",
                   off, value, np.round(value), "", when, None, WHOLE)  # fmt: skip

    def _note(
        self, rule: str, words: str, by: Figure, value: Figure, limit: Figure,
        unit: str, when: When | None, size: Figure | None, slack: Figure,
    ) -> None:  # fmt: skip
        with np.errstate(invalid="ignore"):  # what is no number breaks every rule
            if size is not None:
                scale = np.maximum(np.maximum(np.abs(value), np.abs(limit)), size)
                slack = ABSOLUTE + RELATIVE * scale + slack
            wrong = np.atleast_1d(~(by <= slack))
        if not wrong.any():
            return
        labels = self.times if when is None else when
        values, limits, amounts = (
            np.broadcast_to(np.asarray(x, dtype=float), wrong.shape) for x in (value, limit, by)
        )
        for i in np.flatnonzero(wrong).tolist():
            shown = (_shown(x, unit) for x in (values[i], limits[i], amounts[i]))
            time = labels if isinstance(labels, str) else labels[i]
            message = words.format(*shown)
            self.breaches.append(
                Breach(self.component, rule, time, float(amounts[i]), unit, message)
            )


def _shown(value: float, unit: str) -> str:
    return f"{value:.8g} {unit}".rstrip()
