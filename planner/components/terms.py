"""What a component contributes to the sums of its site, and what it declares of itself.

Terms are flows, costs, uses and meters by step; the rest is what charts and studies ask of a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from planner.timeseries.series import Array

Expression = Any  # a Pyomo expression, variable or number
ByStep = Callable[[int], Expression]


def of(variable: Any, index: Any) -> ByStep:
    """Return a variable at an index before the step."""
    return lambda t: variable[index, t]


def minus(variable: Any, index: Any) -> ByStep:
    """Return a variable at an index before the step, with its sign turned."""
    return lambda t: -variable[index, t]


def sum_of(variable: Any, indices: Iterable[Any]) -> ByStep:
    """Return the sum of a variable over indices before the step."""
    return lambda t: sum(variable[index, t] for index in indices)


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


class Use(NamedTuple):
    """A use of energy: its place among others, and whether it is what loads and compute draw."""

    order: int = 100
    drawn: bool = False


class State(NamedTuple):
    """A state of a component and its opposite, by step.

    column: 1 in the first and 0 in the second; where nothing flows a direction may be either.
    first, second: what they are called; no second where the opposite is rest.
    zero_without_first, zero_without_second: quantities, over all indices, that are 0 outside it.
    whole: whether the column alone says it; a direction goes by what flows.
    begins: quantity by kind of start, 1 in the step in which the first begins.
    most: the most the column can be, by step, where it is a number such as nodes and no switch.
    order: its place among the states of others, from what commits a site longest.
    """

    column: str
    first: str
    second: str = ""
    zero_without_first: tuple[str, ...] = ()
    zero_without_second: tuple[str, ...] = ()
    whole: bool = False
    begins: str = ""
    most: Callable[[Any], Array] | None = None
    order: int = 100


class Source(NamedTuple):
    """What is brought to the site: a word such as pv or import, and the origin of its energy."""

    name: str
    origin: str


class Connection(NamedTuple):
    """A connection of a node to a market: its limits in MW and prices in CNY/MWh by step.

    What a sale earns depends on the origin: `sale_price`. `declares`: whether it declares its
    exchange before the future is known.
    """

    node: str
    import_limit_mw: Array
    export_limit_mw: Array
    import_price_cny_per_mwh: Array
    real_time_price_cny_per_mwh: Array | None
    declares: bool


class PowerStore(NamedTuple):
    """How a store at a node gives power back: what it loses, and what must be left at the end."""

    node: str
    leak_per_h: float
    charge_efficiency: float
    discharge_efficiency: float
    min_end_mwh: float


class Storage(NamedTuple):
    """A store of energy: its limits, and what it holds when the horizon begins: pooled, by origin.

    The columns energy_mwh, charge_mw and discharge_mw are its schedule. `battery` says how power
    comes back from it; None where it serves a use of its own.
    """

    capacity_mwh: float
    least_mwh: float
    start_mwh: Mapping[str, float]
    battery: PowerStore | None = None


class TokenDemand(NamedTuple):
    """What a service is asked for by step, and what it is paid.

    headroom_share: capacity kept beyond the work wanted. waiting_mtok: work that waits when the
    horizon begins. prices_cny_per_mtok: one, or of a `market` one for each of its steps.
    """

    wanted_mtok_per_h: Array
    headroom_share: float
    waiting_mtok: float
    prices_cny_per_mtok: tuple[Array, ...]
    market: bool


class NodeUse(NamedTuple):
    """What some nodes of a fleet do, and the column that counts them.

    tokens_per_s names the operating point of nodes that decode.
    """

    column: str
    doing: Literal["decoding", "idle", "reading", "job", "asleep"]
    model: str = ""
    tokens_per_s: str = ""


class Target(NamedTuple):
    """A share that a field of a component asks for, and what became of it in a plan.

    figure: the key figure that it is measured by. quantity: what it is a share of.
    wanted: None where nothing is asked. reached: None where there is nothing to have a share of.
    most: whether `wanted` is a ceiling. counts_more: whether what lies outside the horizon counts.
    """

    field: str
    figure: str
    quantity: Literal["energy", "tokens"]
    wanted: float | None
    reached: float | None
    most: bool = False
    kept: bool = True
    counts_more: bool = False


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
