"""The base of every component: a frozen value that declares its own variables, rows and costs.

`build` receives an empty block and a `Site`, declares variables and rows, and returns its
`Terms`: flows into balances, costs, uses of energy, meters. The model sums the terms and knows no
component by name. Everything else that other packages need to know of a kind (its uses, its states,
its terminal constraints) is declared here as well, so that no other package keeps a list of kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import model_validator

from planner.components.completion import complete
from planner.components.reasons import StepPrices, Tokens
from planner.components.terms import (
    AtEnd,
    Connection,
    Link,
    Meters,
    NodeUse,
    Source,
    State,
    Storage,
    Target,
    Terms,
    TokenDemand,
    Use,
)  # fmt: skip
from planner.components.time import Time
from planner.fields import Frozen, Title, value_text
from planner.message import Message, places_of
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array

ORIGINS = ("renewable", "thermal", "grid")
POOLED = ("pooled",)

Values = Mapping[str, Array]  # its schedule columns, without the component's name
Latencies = tuple[float | None, float | None]  # ms: between tokens, and to the first
Supply = tuple[str, str]  # ("power", node) or ("model", name): what a component may offer or need


@dataclass(frozen=True)
class Site:
    """What a component may read of the rest of the scenario; `name` is its own."""

    name: str
    horizon: Horizon
    components: Mapping[str, Component]
    trace: bool = True
    time: Time | None = None
    mentioned: frozenset[str] = frozenset()
    relaxed: bool = False
    """Whether the LP relaxation is what is built."""
    every_point: bool = False
    """Whether a schedule is given that may use what no plan needs."""

    @property
    def clock(self) -> Time:
        """The window being built, of a site that has one."""
        assert self.time is not None
        return self.time

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of energy that balances tell apart."""
        return ORIGINS if self.trace else POOLED

    def origin(self, source: str) -> str:
        """Return the origin that balances count energy from `source` under."""
        return source if self.trace else POOLED[0]

    def supply(self, key: Supply) -> list[float]:
        """Return the figure of each supplier of `key`, as in `Component.supplies`."""
        supplies = (component.supplies() for component in self.components.values())
        return [figures[key] for figures in supplies if key in figures]


Complaint = tuple[tuple[str | int, ...], Message]  # path below the component, message


class Component(Frozen):
    """A part of the site. Subclasses carry a literal `kind` and their fields."""

    kind: str
    also_called: ClassVar[str] = ""
    """Other words that people write for its kind, set apart by spaces."""
    follows: ClassVar[Mapping[str, str]] = {}
    """As of `Frozen`. Another field that is optional is a simpler form: one of the two is
    required."""
    title: Title | None = None
    """What people read instead of the name, in any script."""
    offers_reserve: ClassVar[bool] = False
    rules: ClassVar[Mapping[str, str]] = {}
    """Rows and variable bounds that are rules of the scenario: name -> template that describes it
    (see `filled`). Names with the same template are one rule; other rows are physics."""
    row_units: ClassVar[Mapping[str, str]] = {}
    """Units of rows of `rules` that are not those of a variable with the coefficient 1 or -1."""
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Quantities with a marginal price: name -> dotted paths of the fields that rise together by
    one unit. `*` is every entry of a list or mapping, with a price for each. A field that is the
    coefficient of a variable cannot be listed."""
    less_is_better: ClassVar[tuple[str, ...]] = ()
    """Figures of the summary of which less is better; of all others more is."""
    counters: ClassVar[tuple[str, ...]] = ()
    """Schedule columns that are running totals of other columns since the start of the window."""
    over_horizon: ClassVar[tuple[str, ...]] = ()
    """Fields that, where given, set a requirement or a charge for a month or the whole horizon."""
    carries: ClassVar[Mapping[str, str]] = {}
    """Schedule columns of what is left for later steps, in any unit -> the field that values it at
    the end of the horizon, "" for none."""
    remembers: ClassVar[tuple[str, ...]] = ()
    """Fields whose limits determine how much of the past its `initial` has to hold."""
    facts: ClassVar[frozenset[str]] = frozenset()
    """Fields that nobody can choose: the past, the weather, properties of machines and demand."""
    end_rows: ClassVar[Mapping[str, str]] = {}
    """Rows, one a window, on the end of the horizon or totals over it: name -> what they limit."""
    uses: ClassVar[Mapping[str, Use]] = {}
    """The uses of energy in its `Terms.uses`."""
    earns: ClassVar[Mapping[str, str]] = {}
    """Ledger lines that are the revenue of a use of energy: line -> use."""
    states: ClassVar[tuple[State, ...]] = ()
    """Its operating states, each with the schedule column that shows it."""
    affects_exchange: ClassVar[bool] = False
    """Whether its rows change the value of energy to a connection with the grid."""

    def following(self) -> dict[str, Any]:
        """Return the values of fields in `follows`, as far as the other fields decide them."""
        return {}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Give fields that follow from others their values; they do not count as fields set."""
        complete(self, self.follows, self.following)
        return self

    def describe_rule(self, rule: str, horizon: Horizon, steps: Sequence[int]) -> Message:
        """Return what a rule requires in `steps` (none: over the horizon), without a subject."""
        return self.filled(self.rules[rule], steps)

    def filled(self, template: str, steps: Sequence[int], **values: str) -> Message:
        """Fill a rule's template with values, and else with fields; a series by its range."""
        texts = {
            place: values[place] if place in values else value_text(attrgetter(place)(self), steps)
            for place in places_of(template)
        }
        return Message(template, **texts)

    def given(self, rule: str, values: Values, horizon: Horizon, places: Sequence[int]) -> str:
        """Return what a schedule does where it breaks a rule on switches, as `figures`; or ""."""
        return ""

    def defaults(self, horizon: Horizon) -> dict[str, float]:
        """Return the numbers that fields follow from others where they are not given."""
        return {}

    def supplies(self) -> dict[Supply, float]:
        """Return what it may supply, with a figure to judge it by.

        ("power", node): its most, MW. ("model", name): the least time between tokens, ms.
        ("tokens", name): its most, Mtok/h.
        """
        return {}

    def latencies(self, model: str) -> tuple[Latencies, ...]:
        """Return how fast it answers a model at each of its points; None where not known."""
        return tuple((ms, None) for key, ms in self.supplies().items() if key == ("model", model))

    def published_sources(self) -> dict[str, dict[str, str]]:
        """Return the published figures it rests on by name: title and licence, where known."""
        return {}

    def demands(self) -> dict[Supply, str]:
        """Return what other components must supply, and the name of the field that asks for it."""
        return {}

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        """Return the most power it could deliver, by node: MW, shape (steps,)."""
        return {}

    def max_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        """Return the most power it could draw or sell, by node: MW, shape (steps,)."""
        return {node: np.full(horizon.steps, np.inf) for node in self.absorbs()}

    def must_draw_mw(self, horizon: Horizon) -> dict[str, Array]:
        """Return the power it draws whatever the plan, by node: MW, shape (steps,)."""
        return {}

    def renewable_mwh(self, horizon: Horizon) -> float:
        """Return the renewable energy that it has available over the horizon, MWh."""
        return 0.0

    def impossible(self, site: Site) -> Iterator[Message]:
        """Yield why no site could schedule it: "must end with 8 MWh and can reach 6 MWh"."""
        yield from ()

    def absorbs(self) -> set[str]:
        """Return the nodes at which it can consume or sell energy."""
        return {name for what, name in self.demands() if what == "power"}

    def check(self, site: Site) -> Iterator[Complaint]:
        """Yield what is wrong with its fields in view of the rest of the scenario."""
        yield from ()

    def warn(self, site: Site) -> Iterator[Message]:
        """Yield warnings: what is allowed and probably not meant."""
        yield from ()

    def build(self, b: pyo.Block, site: Site) -> Terms:
        """Declare its variables and rows in the empty block `b`; return its terms."""
        return Terms()

    def couple(self, b: pyo.Block, site: Site, meters: Meters) -> Terms:
        """Declare rows on the meters of others, after every `build`; return the terms they add."""
        return Terms()

    def totals(self) -> dict[str, dict[str, float]]:
        """Return the sums that its meters show: name -> factor of each quantity of its schedule."""
        return {}

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        """Return its key figures for the summary: name with unit -> figure."""
        return {}

    def sale_price(self, origin: str) -> Array | None:
        """Return what it pays the site for energy of an origin, CNY/MWh by step, if it buys any."""
        return None

    def tonne_price(self, prices: StepPrices, *, imported: bool) -> tuple[Array, Array]:
        """Return its price of a tonne, `imported` or not, and its budget's dual: CNY by step."""
        return prices.zero(), prices.zero()

    def source(self) -> Source | None:
        """Return the source of the energy that it brings to the site; None if it brings none."""
        return None

    def connection(self) -> Connection | None:
        """Return its limits and prices if it connects the site to a market."""
        return None

    def links(self) -> tuple[Link, ...]:
        """Return the ways in which it carries power from one node to another, one a node."""
        return ()

    def storage(self) -> Storage | None:
        """Return its limits and initial energy if it stores energy."""
        return None

    def token_demand(self) -> TokenDemand | None:
        """Return its demand and prices if it sells tokens."""
        return None

    def node_uses(self) -> tuple[NodeUse, ...]:
        """Return what nodes of a fleet can be doing, from the fastest point to those asleep."""
        return ()

    def targets(self, figures: Mapping[str, float]) -> Iterator[Target]:
        """Yield the shares that it requires, with those reached according to its key figures."""
        yield from ()

    def sells(self, values: Mapping[str, Array], horizon: Horizon) -> Tokens | None:
        """Return the tokens it sells and what they earn; None if it sells none."""
        return None

    def here_and_now(self, *, awake: bool = False) -> tuple[str, ...]:
        """Return its first-stage columns; `awake`: whether nodes awake are decided here and now."""
        return ()

    def stays(self, *, last: bool) -> tuple[str, ...]:
        """Return the state columns that stay 1 unless decided otherwise; `last`: at the end."""
        return ()

    def with_memory_of(self, later: Component) -> Self:
        """Return it with those limits of a later one that say how much a state must hold."""
        if type(later) is not type(self):
            return self
        return self.revised({field: getattr(later, field) for field in later.remembers})

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        """Return the component with `initial` advanced to the end of the executed steps."""
        return self

    def remaining(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        """Return the component for a horizon that begins after the executed steps of a plan.

        As `after`, with the `values` of the whole plan: times that count from the start of the
        horizon count from the new one, and what the plan promised for later steps is given. Series
        keep the steps of the old horizon.
        """
        if not len(executed):
            ending = self.resolved_ending()
            return self if ending is None else self.revised({"ending": ending})
        until = {name: column[: executed.last] for name, column in values.items()}
        return self.after(until, executed, horizon)

    def written_after(self, steps: int) -> Self:
        """Return the component as it is written for a horizon that begins after some steps.

        Fields that would follow otherwise from the steps that are left are given; series keep the
        steps of the old horizon.
        """
        return self

    def resolved_ending(self) -> Any:
        """Return its `ending`, `same_as_start` as what it requires; None if it has no ending."""
        return None

    def with_end_values(self, at_end: Mapping[str, AtEnd], horizon: Horizon) -> Self:
        """Return the component with an `ending` that values what it `carries`, by index."""
        return self

    def with_lookahead(
        self, values: Values, window: Window, horizon: Horizon, *, firm: bool
    ) -> Self:
        """Return the component for a window that ends before the horizon does.

        Its terminal constraints and totals allow for what a relaxation does after the window.
        `values`: its schedule columns in the relaxation, each of shape (steps,); empty without one.
        `firm`: False if the window has no plan otherwise; what later windows can meet is dropped.
        """
        return self


def summed(quantity: str, values: Values) -> Array:
    """Return the sum of a quantity over its indices (origins, reserves, models), by step."""
    parts = [values[name] for name in values if name.startswith(f"{quantity}[")]
    return np.asarray(np.sum(parts, axis=0))
