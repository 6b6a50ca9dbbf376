"""Energy that is fed into a node and can never leave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.components.base import Component


def unsold_energy(components: Mapping[str, Component]) -> Iterator[str]:
    """Warn of nodes that are fed and have nowhere for the energy to go."""
    fed = {key[1] for c in components.values() for key in c.supplies() if key[0] == "power"}
    used = {node for c in components.values() for node in c.absorbs()}
    for node in sorted(fed - used):
        yield f"node {node!r} is fed, but nothing there can use or sell the energy"
