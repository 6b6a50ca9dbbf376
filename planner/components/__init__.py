"""The registry: every kind of component. A new one costs its file and one word here."""

from __future__ import annotations

from typing import get_args

from planner.components.base import Component
from planner.components.battery import Battery
from planner.components.carbon import Carbon
from planner.components.contract import Contract
from planner.components.fleet import Fleet
from planner.components.green_rule import GreenRule
from planner.components.grid import Grid
from planner.components.job import Job
from planner.components.line import PowerLine
from planner.components.load import Load
from planner.components.renewable import Renewable
from planner.components.reserve import Reserve
from planner.components.service import Service
from planner.components.thermal import Thermal

AnyComponent = (
    Battery
    | Carbon
    | Contract
    | Fleet
    | GreenRule
    | Grid
    | Job
    | Load
    | PowerLine
    | Renewable
    | Reserve
    | Service
    | Thermal
)


def kind_of(component: type[Component]) -> str:
    """Return the word that names a component class in scenario files."""
    annotation = component.model_fields["kind"].annotation
    assert get_args(annotation), annotation
    word: str = get_args(annotation)[0]
    return word


KINDS: dict[str, type[Component]] = {kind_of(cls): cls for cls in get_args(AnyComponent)}

__all__ = ["KINDS", "AnyComponent", "Component", "kind_of"]
