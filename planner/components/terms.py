"""What a component contributes to its site, and what it describes itself with.

Terms are flows, costs, uses and meters by step; the other values describe a component to charts and
studies: states, storage, connection, demand for tokens, targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, NamedTuple

from planner.timeseries.series import Array

Expression = Any  # a linear expression, variable or number
ByStep = Callable[[int], Expression]


def of(variable: Any, *index: Any) -> ByStep:
    """Return a variable by step: variable[t], or variable[index, t]."""
    return lambda t: variable[(*index, t)] if index else variable[t]


def minus(variable: Any, index: Any) -> ByStep:
    """Return -variable[index, t] by step."""
    return lambda t: -variable[index, t]


def sum_of(variable: Any, indices: Iterable[Any]) -> ByStep:
    """Return the sum of variable[index, t] over indices, by step."""
    return lambda t: sum(variable[index, t] for index in indices)


class Balance(NamedTuple):
    """A sum over the site that is zero in every step: power by origin, tokens, nodes of jobs."""

    kind: str
    name: str
    origin: str | None = None


class Meter(NamedTuple):
    """A quantity by step, such as MW, that rules may sum; with its node and origin, if any."""

    quantity: str
    node: str | None = None
    origin: str | None = None


class Line(NamedTuple):
    """A line of the ledger; `use` and `origin` are those of the energy that earns it."""

    name: str
    cash: bool = True
    use: str | None = None
    origin: str | None = None

    def __str__(self) -> str:
        return self.name if self.origin is None else f"{self.name}[{self.origin}]"


class Use(NamedTuple):
    """A use of energy: its order of display; whether loads or compute draw it, or it is lost."""

    order: int = 100
    drawn: bool = False
    lost: bool = False


class State(NamedTuple):
    """An operating state of a component and its opposite, by step.

    column: 1 in the first state and 0 in the second; a direction without flow may be either.
    first, second: their names; no second where the opposite is rest.
    zero_without_first, zero_without_second: quantities that are 0 outside the state, at any index.
    whole: whether the column alone determines the state; a direction depends on the flow.
    begins: quantity by kind of start, 1 in the step in which the first state begins.
    most: upper limit of the column by step, where it counts nodes and is no switch.
    order: order of display; states that commit the site longest come first.
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
    """A source of energy: a word such as pv or import, and the origin it counts as."""

    name: str
    origin: str


class Connection(NamedTuple):
    """A connection of a node to a market: its limits in MW and prices in CNY/MWh by step.

    export_price_cny_per_mwh: None where it differs by origin; see `Component.sale_price`.
    declares: whether the exchange is declared, so that deviations pay the real-time price.
    """

    node: str
    import_limit_mw: Array
    export_limit_mw: Array
    import_price_cny_per_mwh: Array
    export_price_cny_per_mwh: Array | None
    real_time_price_cny_per_mwh: Array | None
    declares: bool


class Link(NamedTuple):
    """A way for power from one node to another, of which a part arrives.

    The meter sent_mw of a component is what it sends from a node, by origin.
    """

    start: str
    end: str
    arriving_share: float


class PowerStore(NamedTuple):
    """How a store returns power to a node: its losses, and the least energy at the end."""

    node: str
    leak_per_h: float
    charge_efficiency: float
    discharge_efficiency: float
    min_end_mwh: float


class Storage(NamedTuple):
    """A store of energy: its limits, and its initial energy by origin, `pooled` among them.

    The columns energy_mwh, charge_mw and discharge_mw are its schedule. `battery` is None where it
    returns no power and serves a use of its own.
    """

    capacity_mwh: float
    least_mwh: float
    start_mwh: Mapping[str, float]
    battery: PowerStore | None = None


def stored_at_start(stores: Iterable[Storage | None], origin: str) -> float:
    """Return the energy of an origin that stores hold when the horizon begins, MWh."""
    return sum(store.start_mwh.get(origin, 0.0) for store in stores if store is not None)


class AtEnd(NamedTuple):
    """Energy or work that a component leaves for later steps, and what one more is worth then."""

    amount: float
    worth_cny: float


class TokenDemand(NamedTuple):
    """The demand for tokens of a service by step, and its prices.

    headroom_share: capacity kept free, relative to the demand. waiting_mtok: work in the queue when
    the horizon begins. prices_cny_per_mtok: one, or one for each block of a `market`.
    """

    wanted_mtok_per_h: Array
    headroom_share: float
    waiting_mtok: float
    prices_cny_per_mtok: tuple[Array, ...]
    market: bool


class NodeUse(NamedTuple):
    """What some nodes of a fleet are doing, and the schedule column that counts them.

    tokens_per_s: the operating point of nodes that decode. level: that of nodes asleep, if several.
    """

    column: str
    doing: Literal["decoding", "idle", "reading", "job", "asleep"]
    model: str = ""
    tokens_per_s: str = ""
    level: str = ""


class Target(NamedTuple):
    """A share required by a field of a component, and the share that a plan reaches.

    figure: the key figure that measures it. quantity: what it is a share of.
    wanted: None where nothing is required. reached: None where the whole is 0.
    most: whether `wanted` is an upper limit. met: whether the plan satisfies it.
    counts_more: whether energy or tokens outside the horizon count toward it.
    """

    field: str
    figure: str
    quantity: Literal["energy", "tokens"]
    wanted: float | None
    reached: float | None
    most: bool = False
    met: bool = True
    counts_more: bool = False


class Exclusive(NamedTuple):
    """Two flows in MW that may not both be positive in a step, and the switch between them.

    The component's own rows bound `first` by `switch` and `second` by `1 - switch`; the switch is
    declared continuous in 0..1 and becomes binary only in the steps where a plan overlaps.
    both: template of what a schedule does that has {first} and {second} MW at once.
    """

    switch: Any
    first: ByStep
    second: ByStep
    both: str


class Moves(NamedTuple):
    """A power that moves no more than the profit asks for, and how much that matters.

    order: DISPATCHABLE matters most. mw: by step. before_mw: just before the horizon, where that is
    known.
    """

    order: int
    mw: ByStep
    before_mw: float | None = None


DISPATCHABLE, EXCHANGE, COMPUTE, WEATHER = range(4)  # thermal units and batteries first


Period = int | str | None  # a step, a month such as "2026-07", or None for once
Amounts = ByStep | Mapping[Period, Expression]


@dataclass(frozen=True)
class Terms:
    """What one component contributes to the balances, the objective and the accounts of a site.

    flows: by balance, positive into it (MW, Mtok/h, nodes or kW by step).
    costs: ledger line -> CNY spent by step, or {period: CNY spent}; part of the objective.
    reported: the same for money that is shown but never optimised.
    uses: (use, origin) -> MW by step for the allocation table.
    injected: origin -> MW by step that the component brings to the site (availability).
    meters: MW by step that rules may sum.
    exclusive: pairs of flows that exclude each other.
    moves: powers whose movement is least among plans of the same profit.
    """

    flows: Mapping[Balance, ByStep] = field(default_factory=dict)
    costs: Mapping[Line, Amounts] = field(default_factory=dict)
    reported: Mapping[Line, Amounts] = field(default_factory=dict)
    uses: Mapping[tuple[str, str], ByStep] = field(default_factory=dict)
    injected: Mapping[str, ByStep] = field(default_factory=dict)
    meters: Mapping[Meter, ByStep] = field(default_factory=dict)
    exclusive: Sequence[Exclusive] = ()
    moves: Sequence[Moves] = ()


class Meters:
    """The meters of all components of a site, which `Component.couple` reads."""

    def __init__(self) -> None:
        self._all: dict[Meter, dict[str, ByStep]] = {}

    def add(self, component: str, meters: Mapping[Meter, ByStep]) -> None:
        """Add the meters of a component."""
        for meter, by_step in meters.items():
            self._all.setdefault(meter, {})[component] = by_step

    def by_component(
        self, quantity: str, *, node: str | None = None, origin: str | None = None
    ) -> dict[str, list[ByStep]]:
        """Return the meters of a quantity by component; None means any node or origin."""
        matching: dict[str, list[ByStep]] = {}
        for meter, by_component in self._all.items():
            fits = meter.quantity == quantity and node in (None, meter.node)
            if fits and origin in (None, meter.origin):
                for component, by_step in by_component.items():
                    matching.setdefault(component, []).append(by_step)
        return matching

    def total(self, quantity: str, *, node: str | None = None, origin: str | None = None) -> ByStep:
        """Return the sum of a quantity over all components, by step."""
        by_component = self.by_component(quantity, node=node, origin=origin)
        parts = list(chain(*by_component.values()))
        return lambda t: sum(part(t) for part in parts)
