"""What a component contributes to the sums of its site: flows, costs, uses and meters.

What a component says of prices: which fields have one, what tokens earn, why it does what it does.

Prices are those of the LP with the integers and directions of the plan fixed; they hold for these
commitments and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from planner.timeseries.series import Array

Expression = Any  # a Pyomo expression, variable or number
ByStep = Callable[[int], Expression]


class Balance(NamedTuple):
    """A sum over the site, zero in every step: power by origin, tokens, or what jobs hold."""

    kind: str
    name: str
    origin: str | None = None


class Meter(NamedTuple):
    """A quantity that rules may sum: MW or the like by step, at a node and by origin if it has."""

    quantity: str
    node: str | None = None
    origin: str | None = None


class Line(NamedTuple):
    """A line of the ledger. `use` and `origin` say which energy a revenue belongs to."""

    name: str
    cash: bool = True
    use: str | None = None
    origin: str | None = None

    def __str__(self) -> str:
        return self.name if self.origin is None else f"{self.name}[{self.origin}]"


class Exclusive(NamedTuple):
    """Two flows in MW that may not both be positive in a step, and the switch between them.

    The component's own rows bound `first` by `switch` and `second` by `1 - switch`; the switch is
    declared continuous in 0..1 and becomes binary only in the steps where a plan overlaps.
    """

    switch: Any
    first: ByStep
    second: ByStep


class Tidy:
    """Ranks of the tidying solves, in their order; each minimises its sum."""

    RENEWABLE_TO_COMPUTE = 1
    STORAGE_THROUGHPUT = 2
    WAKE_UPS = 3
    FUEL = 4


Period = int | str | None  # a step, a month such as "2026-07", or None for once
Amounts = Mapping[Period, Expression]


@dataclass(frozen=True)
class Terms:
    """What one component contributes to the site's sums.

    flows: by balance, positive into it (MW, Mtok/h, nodes or kW by step).
    costs: ledger line -> {period: CNY spent}; part of the objective.
    reported: the same for money that is shown but never optimised.
    uses: (use, origin) -> MW by step for the allocation table.
    injected: origin -> MW by step that the component brings to the site (availability).
    meters: MW by step that rules may sum.
    exclusive: pairs of flows that exclude each other.
    tidy: rank -> expression to be minimised once the profit is settled.
    """

    flows: Mapping[Balance, ByStep] = field(default_factory=dict)
    costs: Mapping[Line, Amounts] = field(default_factory=dict)
    reported: Mapping[Line, Amounts] = field(default_factory=dict)
    uses: Mapping[tuple[str, str], ByStep] = field(default_factory=dict)
    injected: Mapping[str, ByStep] = field(default_factory=dict)
    meters: Mapping[Meter, ByStep] = field(default_factory=dict)
    exclusive: Sequence[Exclusive] = ()
    tidy: Mapping[int, Expression] = field(default_factory=dict)


class Meters:
    """All meters of a site, for the components that are built last."""

    def __init__(self) -> None:
        self._all: dict[Meter, dict[str, ByStep]] = {}

    def add(self, component: str, meters: Mapping[Meter, ByStep]) -> None:
        """Take the meters of one component."""
        for meter, by_step in meters.items():
            self._all.setdefault(meter, {})[component] = by_step

    def by_component(
        self, quantity: str, *, node: str | None = None, origin: str | None = None
    ) -> dict[str, list[ByStep]]:
        """Return the meters of a quantity by component; None means any node or origin."""
        found: dict[str, list[ByStep]] = {}
        for meter, by_component in self._all.items():
            fits = meter.quantity == quantity and node in (None, meter.node)
            if fits and origin in (None, meter.origin):
                for component, by_step in by_component.items():
                    found.setdefault(component, []).append(by_step)
        return found

    def total(self, quantity: str, *, node: str | None = None, origin: str | None = None) -> ByStep:
        """Return the sum of a quantity over all components, by step."""
        parts = [
            part
            for parts in self.by_component(quantity, node=node, origin=origin).values()
            for part in parts
        ]
        return lambda t: sum(part(t) for part in parts)


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
