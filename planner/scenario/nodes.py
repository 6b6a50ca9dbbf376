"""The nodes of a scenario, and what is connected to each, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np

from planner.components.component import Component
from planner.scenario.scenario import Scenario
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

Role = Literal["supply", "storage", "use", "connection", "line"]


class Attached(NamedTuple):
    """A component at a node: its role there, and the largest of its sizes over the horizon.

    sizes: `supply_mw`, `draw_mw`, `capacity_mwh`, `import_mw` and `export_mw`, those it has.
    to: the node at the other end of a line.
    """

    node: str
    role: Role
    name: str
    sizes: dict[str, float]
    to: str = ""


def attached(scenario: Scenario) -> list[Attached]:
    """Return what is connected to the nodes of a scenario, node by node, supply first."""
    roles = list(Role.__args__)  # type: ignore[attr-defined]
    rows = [
        row
        for name, part in scenario.components.items()
        for row in _of(name, part, scenario.horizon)
    ]
    return sorted(rows, key=lambda row: (row.node, roles.index(row.role), row.name))


def at_no_node(scenario: Scenario) -> dict[str, list[str]]:
    """Return the names of the other components by kind: services and jobs first, rules last."""
    at_nodes = {row.name for row in attached(scenario)}
    parts = [(n, part) for n, part in scenario.components.items() if n not in at_nodes]
    by_kind: dict[str, list[str]] = {}
    for name, part in sorted(parts, key=lambda pair: not pair[1].demands()):
        by_kind.setdefault(part.kind, []).append(name)
    return by_kind


def _of(name: str, part: Component, horizon: Horizon) -> Iterator[Attached]:
    """Yield a component at each of its nodes."""
    supply, draw = _most(part.max_supply_mw(horizon)), _most(part.max_draw_mw(horizon))
    if links := part.links():
        for link in links:
            yield Attached(link.start, "line", name, {"supply_mw": supply[link.end]}, link.end)
    elif market := part.connection():
        limits = {"import_mw": market.import_limit_mw, "export_mw": market.export_limit_mw}
        yield Attached(market.node, "connection", name, _most(limits))
    else:
        store = part.storage()
        capacity = {} if store is None else {"capacity_mwh": store.capacity_mwh}
        for node in dict.fromkeys([*supply, *draw]):
            role: Role = "supply" if node in supply else "use"
            of_node = {"supply_mw": supply.get(node), "draw_mw": draw.get(node)}
            sizes = {key: mw for key, mw in of_node.items() if mw is not None and np.isfinite(mw)}
            yield Attached(node, "storage" if store else role, name, capacity | sizes)


def _most(by_key: Mapping[str, Array]) -> dict[str, float]:
    return {key: float(np.max(mw)) for key, mw in by_key.items()}
