"""The registry: every kind of component. A new one costs its file and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, get_args

from planner.components.battery import reasons as battery
from planner.components.battery.battery import Battery
from planner.components.carbon import Carbon
from planner.components.component import Component, Values
from planner.components.contract import Contract
from planner.components.fleet.fleet import Fleet
from planner.components.green_rule import GreenRule
from planner.components.grid import reasons as grid
from planner.components.grid.grid import Grid
from planner.components.job import Job
from planner.components.line import PowerLine
from planner.components.load import Load
from planner.components.reasons import Reason, StepPrices
from planner.components.renewable import Renewable
from planner.components.reserve import Reserve
from planner.components.service import reasons as service
from planner.components.service.service import Service
from planner.components.terms import Use
from planner.components.thermal import reasons as thermal
from planner.components.thermal.thermal import Thermal
from planner.timeseries.horizon import Horizon

Reasons = Callable[[Any, Values, StepPrices, Horizon], Iterable[Reason]]


def no_reasons(*_: Any) -> list[Reason]:
    """Return no reasons, for a kind that takes no decisions."""
    return []


class Kind(NamedTuple):
    """A kind of component: its class, and what explains its decisions.

    `reasons(component, values, prices, horizon)` yields a reason for each main decision in every
    step; `values`: its schedule columns without the component's name, each of shape (steps,).
    """

    component: type[Component]
    reasons: Reasons = no_reasons


def kind_of(component: type[Component]) -> str:
    """Return the word that names a component class in scenario files."""
    annotation = component.model_fields["kind"].annotation
    assert get_args(annotation), annotation
    word: str = get_args(annotation)[0]
    return word


KINDS: dict[str, Kind] = {
    kind_of(kind.component): kind
    for kind in (
        Kind(Battery, battery.reasons),
        Kind(Carbon),
        Kind(Contract),
        Kind(Fleet),
        Kind(GreenRule),
        Kind(Grid, grid.reasons),
        Kind(Job),
        Kind(Load),
        Kind(PowerLine),
        Kind(Renewable),
        Kind(Reserve),
        Kind(Service, service.reasons),
        Kind(Thermal, thermal.reasons),
    )
}


def every_use() -> dict[str, Use]:
    """Return the uses of energy of all kinds, in the order of their display."""
    return uses_of(kind.component for kind in KINDS.values())


def uses_of(components: Iterable[Component | type[Component]]) -> dict[str, Use]:
    """Return the uses of energy of some components, in the order of their display."""
    uses = {name: use for component in components for name, use in component.uses.items()}
    return dict(sorted(uses.items(), key=lambda item: (item[1].order, item[0])))
