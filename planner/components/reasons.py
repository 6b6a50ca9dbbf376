"""Why components decide as they do: the prices they see, and reasons made of them.

Prices are those of the LP with the integers and directions of the plan fixed; they hold for these
commitments and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from planner.message import Message
from planner.timeseries.series import Array

NEAR = 1e-4  # of a price: how near two count as the same
FLOW = 1e-6  # a flow as small as this is none
LIMIT = 1e-5  # as near as this a flow is at its limit, and so is a state

RowPrices = Callable[[str, str, tuple[Any, ...]], Array]


class Tokens(NamedTuple):
    """What a service sells, by step: Mtok/h answered, its price, and what a Mtok earns beside it.

    Beside the price: what its input pays, and the penalty that answering avoids. CNY/Mtok.
    """

    answered: Array
    price: Array
    beside: Array


class Reason(NamedTuple):
    """Why a component decides as it does in a step (counted from 1): a code, and its figures."""

    step: int
    decision: str
    code: str
    message: Message


@dataclass(frozen=True)
class StepPrices:
    """The prices of every step as one component sees them; each of shape (steps,), NaN for none.

    energy: value of a MWh at a node, by node and origin. tokens: what answering one more Mtok of a
    service costs. injected: MW brought to the site, by origin. rows: what one more on the right
    side of a row earns, CNY, by component, name and index before the step.
    """

    name: str
    components: Mapping[str, Any]
    origins: tuple[str, ...]
    energy: Mapping[tuple[str, str], Array]
    tokens: Mapping[str, Array]
    injected: Mapping[str, Array]
    rows: RowPrices

    def at(self, node: str, origin: str) -> Array:
        """Return the value of a MWh of an origin at a node, CNY/MWh."""
        value = self.energy.get((node, origin))
        return self.none() if value is None else value

    def row(self, name: str, *index: Any) -> Array:
        """Return what one more on the right-hand side of a row of this component earns, CNY."""
        return self.rows(self.name, name, index)

    def tonne(self, *, imported: bool = False) -> tuple[Array, Array]:
        """Return what a tonne of a unit, or of import, costs: its price, and what budgets make."""
        price, budget = self.zero(), self.zero()
        for name, other in self.components.items():
            parts = other.tonne_price(replace(self, name=name), imported=imported)
            price, budget = price + parts[0], budget + parts[1]
        return price, budget

    def zero(self) -> Array:
        """Return a price of 0 in every step."""
        return np.zeros(len(self.none()))

    def none(self) -> Array:
        """Return no price in any step."""
        return np.full(len(next(iter(self.energy.values()), np.zeros(0))), np.nan)


def versus(first: Array, second: Array) -> np.ndarray:
    """Return how prices stand to others: <, = or >."""
    near = np.abs(first - second) <= NEAR * np.maximum(
        1.0, np.maximum(np.abs(first), np.abs(second))
    )
    return np.where(near, "=", np.where(first < second, "<", ">"))


def money(price: float) -> str:
    """Return a price to a tenth, without a tenth that is none: 871.9, 552."""
    text = f"{round(float(price), 1) + 0.0:.1f}"
    return text.removesuffix(".0")


def token_money(price: float) -> str:
    """Return a price of a Mtok to three digits; tokens cost from a tenth of a CNY upwards."""
    return f"{float(price) + 0.0:.3g}" if abs(price) < 100 else money(price)


def compared(
    template: str, first: Array, second: Array, text: Callable[[float], str] = money
) -> list[Message]:
    """Return a message for every step on how two prices stand to each other: 552 < 871.9.

    The template has the places {first}, {than} and {second}.
    """
    rows = zip(first, versus(first, second), second, strict=True)
    return [Message(template, first=text(a), than=sign, second=text(b)) for a, sign, b in rows]


def first_that_holds(
    decision: str, table: Sequence[tuple[Any, str, Message | Sequence[Message]]]
) -> Iterator[Reason]:
    """Yield for every step the first row of a table that holds; the last one always does.

    A row: whether it holds by step, the code, and the message: by step, or one for all.
    """
    holds = np.broadcast_arrays(*(condition for condition, _, _ in table))
    for t, row in enumerate(np.argmax(holds, axis=0).tolist()):
        _, code, message = table[row]
        message = message if isinstance(message, Message) else message[t]
        yield Reason(t + 1, decision, code, message)
