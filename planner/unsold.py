"""Energy that nothing can use: nodes that are fed and have nowhere for it to go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.components.base import Component


def unsold_energy(parts: Mapping[str, Component]) -> Iterator[str]:
    """Warn of nodes that are fed and have nowhere for the energy to go."""
    components = parts.values()
    fed = {key[1] for c in components for key in c.supplies() if key[0] == "power"}
    used = {node for c in components for node in c.absorbs()}
    for node in sorted(fed - used):
        yield f"node {node!r} is fed, but nothing there can use or sell the energy"
