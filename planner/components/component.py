"""What every component is: a frozen value that knows its own mathematics.

`build` receives an empty Pyomo block and a `Site`, declares variables and rows, and returns its
`Terms`: what it puts into which balance, what it costs, how its energy is used, what it meters.
The model sums the terms and knows no component by name. What others ask of a kind (its uses, its
states, which of its rows hold at the end) it declares as well, so that no other package keeps a
list of kinds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Self

import numpy as np

from planner.components.late import pyo
from planner.components.reasons import StepPrices, Tokens
from planner.components.terms import (
    ByStep,
    Connection,
    Meters,
    NodeUse,
    Source,
    State,
    Storage,
    Target,
    Terms,
    TokenDemand,
    Use,
)
from planner.fields import Frozen, value_text
from planner.message import Message, places_of
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array

ORIGINS = ("renewable", "thermal", "grid")
POOLED = ("pooled",)

Values = Mapping[str, Array]
Supply = tuple[str, str]  # ("power", node) or ("model", name): what a component may offer or need


class Time:
    """The window's steps and points as Pyomo sets; series by absolute step number."""

    def __init__(self, model: pyo.ConcreteModel, horizon: Horizon, window: Window) -> None:
        self.horizon = horizon
        self.window = window
        self.first, self.last = window.first, window.last
        self.step_h = horizon.step_h
        self._model = model
        model.steps = pyo.RangeSet(self.first, self.last)
        self.steps = model.steps
        self.points = self.back(1)

    def back(self, steps: int) -> Any:
        """Return the steps or points of the window with so many before it: its fixed past."""
        name = f"back_{steps}"
        if not hasattr(self._model, name):
            self._model.add_component(name, pyo.RangeSet(self.first - steps, self.last))
        return getattr(self._model, name)

    def of(self, series: Array) -> dict[int, float]:
        """Return a series as plain floats by step of the window."""
        part = series[self.first - 1 : self.last].tolist()
        return dict(zip(range(self.first, self.last + 1), part, strict=True))

    def days(self) -> list[list[int]]:
        """The steps of each local day inside the window."""
        return self._inside(self.horizon.days)

    def months(self) -> dict[str, list[int]]:
        """The steps of each local month inside the window."""
        groups = self.horizon.months
        inside = {month: self._inside([steps]) for month, steps in groups.items()}
        return {month: parts[0] for month, parts in inside.items() if parts}

    def _inside(self, groups: list[list[int]]) -> list[list[int]]:
        near = [group for group in groups if group[0] <= self.last and group[-1] >= self.first]
        return [[t for t in group if self.first <= t <= self.last] for group in near]


@dataclass(frozen=True)
class Site:
    """The read-only view a component has of the rest of the scenario."""

    name: str
    horizon: Horizon
    components: Mapping[str, Component]
    trace: bool = True
    time: Time | None = None
    mentioned: frozenset[str] = frozenset()

    @property
    def clock(self) -> Time:
        """The window being built."""
        assert self.time is not None
        return self.time

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that energy is followed by."""
        return ORIGINS if self.trace else POOLED

    def origin(self, source: str) -> str:
        """Return the origin under which energy from `source` is followed."""
        return source if self.trace else POOLED[0]

    def reserves(self) -> list[str]:
        """The components that ask this one for reserve; it offers none where nobody asks."""
        return [
            name
            for name, component in self.components.items()
            if self.name in component.asks_reserve_of(self.components)
        ]

    def supply(self, key: Supply) -> list[float]:
        """Return what every supplier of `key` says of it; empty when nobody supplies it."""
        found = (component.supplies().get(key) for component in self.components.values())
        return [value for value in found if value is not None]


Complaint = tuple[tuple[str | int, ...], Message]  # path below the component, message


class Component(Frozen):
    """A part of the site. Subclasses carry a literal `kind` and their fields."""

    kind: str
    offers_reserve: ClassVar[bool] = False
    rules: ClassVar[Mapping[str, str]] = {}
    """Its rows and variable bounds that are rules of the scenario, with the templates that describe
    them (see `filled`); names with the same template are one rule. All other rows are physics or
    bookkeeping."""

    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Quantities whose next unit has a price: the dotted paths of the fields that make it up, moved
    together by one unit each. `*` stands for every entry of a list or mapping, one price for each.
    Fields that change what multiplies a quantity to be decided do not belong here."""
    counters: ClassVar[tuple[str, ...]] = ()
    """Columns of its schedule that only sum up others from where the window begins."""
    over_horizon: ClassVar[tuple[str, ...]] = ()
    """Fields that ask for something over a month or the horizon, where they are given."""
    remembers: ClassVar[tuple[str, ...]] = ()
    """Limits that decide how much of the past its `initial` must remember."""
    facts: ClassVar[frozenset[str]] = frozenset()
    """Fields that nobody can choose: the past, the weather, what a machine or customer is like."""
    end_rows: ClassVar[frozenset[str]] = frozenset()
    """Rows, one for a window, of what is asked for over the horizon or at its end."""
    uses: ClassVar[Mapping[str, Use]] = {}
    """The uses it puts energy to."""
    earns: ClassVar[Mapping[str, str]] = {}
    """Its ledger lines that are the revenue of a use, and the use."""
    states: ClassVar[tuple[State, ...]] = ()
    """The states it can be in, each with the column that says it."""
    affects_exchange: ClassVar[bool] = False
    """Whether its rows change what energy is worth to the exchange with the grid."""

    def describe_rule(self, rule: str, horizon: Horizon, steps: Sequence[int]) -> Message:
        """Return what a rule asks for in some steps, or (none) over the horizon."""
        return self.filled(self.rules[rule], steps)

    def filled(self, template: str, steps: Sequence[int], **values: str) -> Message:
        """Fill a template of a rule with values, and with fields of the component in some steps.

        {field} is read from the component, {field|other} from the first that is given.
        """
        for place in places_of(template):
            if place not in values:
                given = (attrgetter(path)(self) for path in place.split("|"))
                value = next((value for value in given if value is not None), None)
                values[place] = value_text(value, steps)
        return Message(template, **values)

    def supplies(self) -> dict[Supply, float]:
        """Return what it may supply: ("power", node) or ("model", name), with a figure of merit."""
        return {}

    def demands(self) -> dict[Supply, str]:
        """Return what somebody must supply for it to work, and the field that says so."""
        return {}

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        """Return the most power it could ever give to a node, by step."""
        return {}

    def must_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        """Return the power a node must give it whatever the plan, by step."""
        return {}

    def renewable_mwh(self, horizon: Horizon) -> float:
        """Return the renewable energy it has available over the horizon."""
        return 0.0

    def stored_renewable_mwh(self) -> float:
        """Return the energy of renewable origin that it holds when the horizon begins."""
        return 0.0

    def impossible(self, site: Site) -> Iterator[Message]:
        """Yield what it demands and cannot have whatever the rest of the site does."""
        yield from ()

    def absorbs(self) -> set[str]:
        """Return the nodes where it can use or sell energy."""
        return {name for what, name in self.demands() if what == "power"}

    def asks_reserve_of(self, components: Mapping[str, Component]) -> Collection[str]:
        """Return the components it asks for reserve."""
        return ()

    def check(self, site: Site) -> Iterator[Complaint]:
        """Yield what is wrong with it in view of the whole scenario."""
        yield from ()

    def warn(self, site: Site) -> Iterator[Message]:
        """Yield what a careful colleague would ask about."""
        yield from ()

    def build(self, b: pyo.Block, site: Site) -> Terms:
        """Declare its variables and rows in the empty block `b`; return its terms."""
        return Terms()

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        """Declare rows that need the meters of others; runs after every `build`."""
        return Terms()

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        """Return its key figures for the summary, named with their units.

        `values` holds its schedule columns (without the component's name) over the horizon.
        """
        return {}

    def sale_price(self, origin: str) -> Array | None:
        """Return the price at which it buys energy of an origin from the site, CNY/MWh, if any."""
        return None

    def tonne_price(
        self,
        prices: StepPrices,
        *,
        imported: bool,
    ) -> tuple[Array, Array]:
        """Return what it makes a tonne emitted cost, CNY by step: its price, and its budget's."""
        return prices.zero(), prices.zero()

    def source(self) -> Source | None:
        """Return what the energy that it brings to the site is; None where it brings none."""
        return None

    def connection(self) -> Connection | None:
        """Return the terms on which it exchanges energy with a market, if it does."""
        return None

    def storage(self) -> Storage | None:
        """Return what it holds of energy, if it stores any."""
        return None

    def token_demand(self) -> TokenDemand | None:
        """Return what is asked of it, if it sells tokens."""
        return None

    def node_uses(self) -> tuple[NodeUse, ...]:
        """Return what its nodes can do, from the fastest to those asleep; nothing without nodes."""
        return ()

    def targets(self, figures: Mapping[str, float]) -> Iterator[Target]:
        """Yield the shares it asks for, and what its key figures say became of them."""
        yield from ()

    def sells(self, values: Mapping[str, Array], horizon: Horizon) -> Tokens | None:
        """Return what it sells by the Mtok; None where it sells no tokens."""
        return None

    def here_and_now(self, *, awake: bool = False) -> tuple[str, ...]:
        """Return what of its schedule is decided before the future is known, nodes if `awake`."""
        return ()

    def stays(self, *, last: bool) -> tuple[str, ...]:
        """Return the state columns that stay 1 unless somebody decides otherwise, by `initial`.

        `last` says that the step is the last of the horizon.
        """
        return ()

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:
        """Return the same component with its `initial` advanced to the end of the kept window.

        `values` holds its schedule columns (without the component's name) over the kept steps.
        """
        return self

    def with_lookahead(
        self,
        values: Values,
        window: Window,
        horizon: Horizon,
        *,
        firm: bool,
    ) -> Self:
        """Return the same component for a window that leaves the rest of the horizon to later.

        Its rules count on what a relaxation of the horizon does after the window.

        Args:
            values: its schedule columns (without its name) over the horizon in that relaxation;
                empty where there is none.
            window: the steps to be planned; some of the horizon come after it.
            horizon: the whole horizon.
            firm: False where the window has no plan otherwise: what later windows may still make up
                for is then not demanded of this one.
        """
        return self


def running_total(b: pyo.Block, time: Time, name: str, start: float, added: ByStep) -> Any:
    """Declare a running total over the horizon in `b`; return the variable, indexed by point.

    A rule on its last point needs no row over all steps:

    X_rises     X[t] = X[t-1] + added[t]        X on points, fixed at the first: the past
    """
    total = pyo.Var(time.points)  # no bound: at 0 it would have a price of its own
    b.add_component(name, total)
    total[time.first - 1].fix(start)
    rises = pyo.Constraint(time.steps, rule=lambda _, t: total[t] == total[t - 1] + added(t))
    b.add_component(f"{name}_rises", rises)
    return total


def later(values: Values, window: Window) -> dict[str, Array]:
    """Return schedule columns after a window."""
    return {name: column[window.last :] for name, column in values.items()}


def summed(quantity: str, values: Values) -> Array:
    """Return the sum of a quantity of the schedule over its indices: origins, reserves, models."""
    parts = [values[name] for name in values if name.startswith(f"{quantity}[")]
    return np.asarray(np.sum(parts, axis=0))


def uses_of(components: Iterable[Component | type[Component]]) -> dict[str, Use]:
    """Return the uses that components put energy to, in their order."""
    uses = {name: use for component in components for name, use in component.uses.items()}
    return dict(sorted(uses.items(), key=lambda item: (item[1].order, item[0])))
