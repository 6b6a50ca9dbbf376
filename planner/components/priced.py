"""What a component says of prices: which fields have one, what tokens earn, why it does what it does.

Prices are those of the LP with the integers and directions of the plan fixed; they hold for these
commitments and no others.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from planner.horizon import Frozen, Horizon
from planner.series import Array

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
    reason: str


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
        found = self.energy.get((node, origin))
        return self.none() if found is None else found

    def row(self, name: str, *index: Any) -> Array:
        """Return what one more on the right-hand side of a row of this component earns, CNY."""
        return self.rows(self.name, name, index)

    def tonne(self, *, imported: bool = False) -> tuple[Array, Array]:
        """Return what a tonne of a unit, or of import, costs: its price, and what budgets make."""
        price, budget = 0.0 * np.nan_to_num(self.none()), 0.0 * np.nan_to_num(self.none())
        for name, other in self.components.items():
            if other.kind == "carbon":
                price = price + (other.price_imports or not imported) * other.price_cny_per_tco2
                budget = budget - np.nan_to_num(self.rows(name, "emitted_tco2_rises", ()))
        return price, budget

    def none(self) -> Array:
        """Return no price in any step."""
        return np.full(len(next(iter(self.energy.values()), np.zeros(0))), np.nan)


class Priced(Frozen):
    """The part of a component that speaks of prices; by default it says nothing."""

    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Quantities whose next unit has a price: the dotted paths of the fields that make it up, moved
    together by one unit each. `*` stands for every entry of a list or mapping, one price for each.
    Fields that change what multiplies a quantity to be decided do not belong here."""

    def sells(self, values: Mapping[str, Array], horizon: Horizon) -> Tokens | None:  # noqa: ARG002
        """Return what it sells by the Mtok; None where it sells no tokens."""
        return None

    def why(
        self,
        values: Mapping[str, Array],  # noqa: ARG002
        prices: StepPrices,  # noqa: ARG002
        horizon: Horizon,  # noqa: ARG002
    ) -> Iterable[Reason]:
        """Yield why it decides as it does, for each of its main decisions in every step.

        `values` holds its schedule columns (without the component's name) over the horizon.
        """
        return ()


def versus(first: float, second: float) -> str:
    """Return how one price stands to another: <, = or >."""
    if abs(first - second) <= NEAR * max(1.0, abs(first), abs(second)):
        return "="
    return "<" if first < second else ">"


def token_money(price: float) -> str:
    """Return a price of a Mtok to three digits; tokens cost from a tenth of a CNY upwards."""
    return f"{float(price) + 0.0:.3g}" if abs(price) < 100 else money(price)


def money(price: float) -> str:
    """Return a price to a tenth, without a tenth that is none: 871.9, 552."""
    text = f"{round(float(price), 1) + 0.0:.1f}"
    return text.removesuffix(".0")
