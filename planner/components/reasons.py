"""Reasons for the decisions of components, and the prices that they rest on.

Prices are duals of the LP with the integers and directions of the plan fixed; they hold for these
commitments and no others. Two prices that read the same earn the same, and the reason says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from planner.fields import NOTHING
from planner.message import Message, MessageList, template
from planner.timeseries.series import Array

NEAR = 1e-4  # relative: prices closer than this are equal
LEAST_PRICE = 0.01  # CNY; lower ones are compared as if they were as high
FLOW = NOTHING
LIMIT = 1e-5  # a flow or a state as near to its limit as this is at it
ALSO = template("also {words}")

StepText = Callable[[int], Message]
"""The message of each step, from 0; made for the steps that it is shown in."""

RowPrices = Callable[[str, str, tuple[Any, ...]], Array]


class Tokens(NamedTuple):
    """The tokens that a service sells, by step.

    answered: Mtok/h. price: CNY/Mtok. beside: what a Mtok earns beside its price, CNY: the price of
    its input, and the penalty that answering avoids.
    """

    answered: Array
    price: Array
    beside: Array


class PricePair(NamedTuple):
    """The templates of a comparison of two prices.

    different: with the places first, than (< or >) and second. equal: with the place first.
    """

    different: str
    equal: str


EARNS_THE_SAME = "both earn the same"  # ends each `equal`: a limit is then worth nothing


class Reason(NamedTuple):
    """The reason for a decision of a component in a step (from 1): a code, and its figures."""

    step: int
    decision: str
    code: str
    message: Message


@dataclass(frozen=True)
class StepPrices:
    """The prices that a component sees, each of shape (steps,); NaN where there is none.

    energy: value of a MWh by node and origin. supply: cost of one more MWh there, inf without a
    source. tokens: marginal cost of a Mtok by service. injected: MW brought to the site by origin.
    rows: dual of a row by component, name and index before the step, as the profit of one more on
    its right-hand side, CNY.
    """

    name: str
    components: Mapping[str, Any]
    origins: tuple[str, ...]
    energy: Mapping[tuple[str, str], Array]
    supply: Mapping[tuple[str, str], Array]
    tokens: Mapping[str, Array]
    injected: Mapping[str, Array]
    rows: RowPrices

    def at(self, node: str, origin: str) -> Array:
        """Return the value of a MWh of an origin at a node, CNY/MWh."""
        return self.energy.get((node, origin), self.none())

    def row(self, name: str, *index: Any) -> Array:
        """Return the dual of a row of this component: profit of one more on its right side, CNY."""
        return self.rows(self.name, name, index)

    def tonne(self, *, imported: bool = False) -> tuple[Array, Array]:
        """Return the price of a tonne emitted, by units or by import, and the dual of budgets."""
        price, budget = self.zero(), self.zero()
        for name, other in self.components.items():
            parts = other.tonne_price(replace(self, name=name), imported=imported)
            price, budget = price + parts[0], budget + parts[1]
        return price, budget

    def zero(self) -> Array:
        """Return a price of 0 in every step."""
        return np.zeros(len(self.none()))

    def none(self) -> Array:
        """Return NaN in every step: no price."""
        return np.full(len(next(iter(self.energy.values()), np.zeros(0))), np.nan)


def money(price: float) -> str:
    """Format a price to one decimal, without a trailing .0: 871.9, 552."""
    text = f"{round(float(price), 1) + 0.0:.1f}"
    return text.removesuffix(".0")


def token_money(price: float) -> str:
    """Format a price of a Mtok to three significant digits below 100 CNY."""
    return f"{float(price) + 0.0:.3g}" if abs(price) < 100 else money(price)


def versus(first: Array, second: Array, text: Callable[[float], str] = money) -> np.ndarray:
    """Return <, = or > by step for two prices; = also where they read the same."""
    near = np.abs(first - second) <= NEAR * np.maximum(
        LEAST_PRICE, np.maximum(np.abs(first), np.abs(second))
    )
    alike = [x == x and text(x) == text(y) for x, y in zip(first, second, strict=True)]
    return np.where(near | alike, "=", np.where(first < second, "<", ">"))


class PriceComparison:
    """Two prices compared by step: "price 552 < 871.9 on site".

    signs: <, = or > by step.
    """

    def __init__(
        self,
        wording: PricePair,
        first: Array,
        second: Array,
        text: Callable[[float], str] = money,
        **places: Sequence[Any],
    ) -> None:
        """Compare the prices; `places` fill the other places of the templates, by step."""
        self.signs = versus(first, second, text)
        self._wording, self._first, self._second = wording, first, second
        self._text, self._places = text, places

    def message(self, t: int) -> Message:
        """Return the message of a step, from 0."""
        values = {name: by_step[t] for name, by_step in self._places.items()}
        values |= {"first": self._text(self._first[t])}
        if self.signs[t] == "=":
            return Message(self._wording.equal, **values)
        values |= {"than": self.signs[t], "second": self._text(self._second[t])}
        return Message(self._wording.different, **values)


def also(text: StepText, other: Message) -> StepText:
    """Return the message of each step with another message after it."""
    return lambda t: MessageList("; ", (text(t), other))


def also_others(
    text: StepText, unexplained: np.ndarray, others: Sequence[Sequence[str]]
) -> StepText:
    """Return the message of each step and, where it does not explain what is done, other rules."""

    def with_others(t: int) -> Message:
        if not (unexplained[t] and others[t]):
            return text(t)
        return MessageList("; ", (text(t), Message(ALSO, words=", ".join(others[t]))))

    return with_others


def acting_rules(acting: Mapping[str, np.ndarray], prices: StepPrices) -> list[list[str]]:
    """Return by step the rules that act in it; where none does, those of the site on exchange."""
    of_site = [name for name, part in prices.components.items() if part.affects_exchange]
    return [
        [rule for rule, acts in acting.items() if acts[t]] or of_site
        for t in range(len(prices.none()))
    ]


def has_price(prices: StepPrices, row: str, *index: Any, lasting: bool = False) -> np.ndarray:
    """Return by step whether a row of the component has a price; `lasting`: or that of the next."""
    priced = np.abs(np.nan_to_num(prices.row(row, *index))) > NEAR
    return priced | np.append(priced[1:], False) if lasting else priced


def first_that_holds(
    decision: str, table: Sequence[tuple[Any, str, Message | StepText]]
) -> Iterator[Reason]:
    """Yield the reason of each step: that of the first row of a table whose condition holds.

    A row: condition by step, code, and message, one for all steps or one for each. The condition of
    the last row is True.
    """
    holds = np.broadcast_arrays(*(condition for condition, _, _ in table))
    for t, row in enumerate(np.argmax(holds, axis=0).tolist()):
        _, code, message = table[row]
        message = message if isinstance(message, Message) else message(t)
        yield Reason(t + 1, decision, code, message)
