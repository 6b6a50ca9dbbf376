"""Findings of an audit: breaches, and how two figures are compared to find them.

A figure may be off by 1e-5 and 1e-6 of its size: a solver satisfies its rows to 1e-7 after it has
scaled them, and a plan rounds values to 1e-9 and money to 1e-6 CNY.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

import numpy as np

from planner.message import Message, MessageList, template, unsigned_zero

Array = np.ndarray[Any, np.dtype[np.float64]]
Whole = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Figure = Array | float
When = str | Sequence[str]

ABSOLUTE, RELATIVE = 1e-5, 1e-6
NOTHING = 1e-6  # MW, MWh, tCO2, or of a state to a whole number: so little is none
FLOW = NOTHING + 1e-9  # up to here a flow of the schedule, which is rounded, is none
AT = 2 * ABSOLUTE  # as near as this a figure is at its limit
LEAST_MWH = 1e-3  # or Mtok: there is no share and no value of so little
PLAN = "plan"  # stands for the component in a breach of the plan as a whole

UNITS = {
    "CNY": Message("CNY"), "CNY/MWh": Message("CNY/MWh"), "CNY/Mtok": Message("CNY/Mtok"),
    "Mtok": Message("Mtok"), "Mtok/h": Message("Mtok/h"), "nodes": Message("nodes"),
    "starts": Message("starts"), "stops": Message("stops"),
}  # fmt: skip
"""Units that other languages write in other letters."""


@dataclass(frozen=True)
class Breach:
    """One rule that a plan breaks: by which component, when (empty: over all), and by how much."""

    component: str
    rule: str
    time: str
    amount: float
    unit: str
    message: Message

    def __str__(self) -> str:
        return self.with_place()

    def with_place(self) -> Message:
        """Return the message after component, rule and time."""
        rule = self.rule
        if self.time:
            rule = Message("{rule} at {time}", rule=self.rule, time=self.time)
        return MessageList(": ", (self.component, rule, self.message))


@dataclass(frozen=True)
class Findings:
    """The breaches of a plan; `times` are the labels of its steps."""

    times: Sequence[str]
    relaxed: bool = False
    currency: str = "CNY"
    breaches: list[Breach] = field(default_factory=list)

    def of(self, component: str) -> Notes:
        """Return the notes on a component."""
        return Notes(component, self.times, self.relaxed, self.currency, self.breaches)

    def sorted(self) -> list[Breach]:
        """Return the breaches by component, rule and time."""
        return sorted(set(self.breaches), key=lambda b: (b.component, b.rule, b.time, b.message))


class Tolerance(TypedDict, total=False):
    """When figures hold, and how far they may be off.

    when: the labels of the figures; the steps if left out. size: of the terms of which a figure is
    the sum, where they cancel out. slack: what it may be off besides.
    """

    when: When | None
    size: Figure
    slack: Figure


@dataclass(frozen=True)
class Notes:
    """The findings on one component; `what` is a phrase that a figure completes: `power is`."""

    component: str
    times: Sequence[str]
    relaxed: bool
    currency: str
    breaches: list[Breach]

    def add(
        self, rule: str, message: Message, *, when: str = "", amount: float = 1.0, unit: str = ""
    ) -> None:
        """Note a breach that no comparison of figures found."""
        unit = unit.replace("CNY", self.currency)
        self.breaches.append(Breach(self.component, rule, when, amount, unit, message))

    def figure(self, value: float, unit: str, digits: int = 8) -> str:
        """Return a figure with its unit."""
        text = unsigned_zero(f"{value:.{digits}g}")
        unit = unit.replace("CNY", self.currency)
        return MessageList(" ", (text, UNITS.get(unit, unit))) if unit else text

    def equal(
        self, rule: str, what: Message, value: Figure, expected: Figure, unit: str = "",
        **tolerance: Unpack[Tolerance],
    ) -> None:  # fmt: skip
        """Note where `value` is not `expected`."""
        self._compare(
            rule, template("{what} {value}, should be {limit} ({amount} off)"), what,
            value, expected, np.abs(np.subtract(value, expected)), unit, **tolerance,
        )  # fmt: skip

    def at_most(
        self, rule: str, what: Message, value: Figure, limit: Figure, unit: str = "",
        **tolerance: Unpack[Tolerance],
    ) -> None:  # fmt: skip
        """Note where `value` is above `limit`."""
        self._compare(
            rule, template("{what} {value}, at most {limit} ({amount} over)"), what,
            value, limit, np.subtract(value, limit), unit, **tolerance,
        )  # fmt: skip

    def at_least(
        self, rule: str, what: Message, value: Figure, limit: Figure, unit: str = "",
        **tolerance: Unpack[Tolerance],
    ) -> None:  # fmt: skip
        """Note where `value` is below `limit`."""
        self._compare(
            rule, template("{what} {value}, at least {limit} ({amount} short)"), what,
            value, limit, np.subtract(limit, value), unit, **tolerance,
        )  # fmt: skip

    def whole(self, rule: str, what: Message, value: Array) -> None:
        """Note where `value` is no whole number; in a relaxed plan it need not be one."""
        if not self.relaxed:
            nearest = np.round(value)
            self._add_each(
                rule, template("{what} {value}, should be the whole {limit} ({amount} off)"), what,
                value, nearest, np.abs(value - nearest), "", NOTHING, None,
            )  # fmt: skip

    def binary(self, rule: str, column: str, value: Array) -> None:
        """Note where a state is neither 0 nor 1; in a relaxed plan it may lie between."""
        self.at_most(rule, column_is(column), value, 1.0)
        self.whole(rule, column_is(column), value)

    def exclusive(self, rule: str, what: Message, first: Array, second: Array) -> None:
        """Note where two flows exceed 0 MW at once; in a relaxed plan both may."""
        if not self.relaxed:
            self.at_most(rule, what, np.minimum(first, second), NOTHING, "MW")

    def _compare(
        self, rule: str, wording: str, what: Message, value: Figure, limit: Figure, amount: Figure,
        unit: str, *, when: When | None = None, size: Figure = 0.0, slack: Figure = 0.0,
    ) -> None:  # fmt: skip
        with np.errstate(invalid="ignore"):
            scale = np.maximum(np.maximum(np.abs(value), np.abs(limit)), size)
            allowed = ABSOLUTE + RELATIVE * scale + slack
        self._add_each(rule, wording, what, value, limit, amount, unit, allowed, when)

    def _add_each(
        self, rule: str, wording: str, what: Message, value: Figure, limit: Figure, amount: Figure,
        unit: str, allowed: Figure, when: When | None,
    ) -> None:  # fmt: skip
        with np.errstate(invalid="ignore"):  # what is no number breaks every rule
            broken = np.atleast_1d(~(amount <= allowed))
        if not broken.any():
            return
        labels = self.times if when is None else when
        figures = {
            name: np.broadcast_to(np.asarray(x, dtype=float), broken.shape)
            for name, x in (("value", value), ("limit", limit), ("amount", amount))
        }
        for i in np.flatnonzero(broken).tolist():
            time = labels if isinstance(labels, str) else labels[i]
            texts = {name: self.figure(x[i], unit) for name, x in figures.items()}
            message = Message(wording, what=what, **texts)
            self.add(rule, message, when=time, amount=float(figures["amount"][i]), unit=unit)


def number(value: object) -> float:
    """Return a number of a file; NaN, which breaks every comparison, for anything else."""
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
    )


def measurable(amount: Any) -> Any:
    """Return whether an amount of energy or tokens has shares and a value per unit."""
    return np.round(amount, 9) > LEAST_MWH


def column_is(column: str) -> Message:
    """Return the phrase for a value of a column."""
    return Message("{name} is", name=column)
