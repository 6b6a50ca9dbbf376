"""Magnitudes that one scenario mixes: a solver works with about nine digits.

Each field counts with its largest value, for a small value of a series (dawn) does no harm. Money
is compared with money, power and energy with power and energy, tokens with tokens.

Energy that nothing can use: nodes that are fed and have nowhere for it to go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.components.component import ORIGINS, Component
from planner.fields import Frozen

WIDEST = 1e9
QUANTITIES = {
    "prices and costs": re.compile(r".*_cny(_per_.*)?"),
    "powers and energies": re.compile(r"(?!.*_(cny|tco2)_).*_mwh?"),
    "tokens": re.compile(r"(?!.*_cny_).*mtok(_per_h)?"),
}


def mixed_scales(components: Mapping[str, Frozen]) -> Iterator[str]:
    """Yield a warning for each quantity whose fields differ by more than a billion."""
    found = [
        (size, path)
        for name, component in components.items()
        for size, path in _sizes(component, f"components.{name}")
        if size > 0
    ]
    for quantity, unit in QUANTITIES.items():
        mine = [(size, path) for size, path in found if unit.fullmatch(_named(path))]
        if not mine:
            continue
        (least, small), (most, large) = min(mine), max(mine)
        if most / least > WIDEST:
            yield (
                f"{small} ({least:g}) and {large} ({most:g}) differ by more than {WIDEST:g}:"
                f" {quantity} so far apart make the solver inexact; is a unit wrong?"
            )


def _sizes(value: Any, path: str) -> Iterator[tuple[float, str]]:
    """Yield the largest size of every number below a value, and its path."""
    if isinstance(value, Frozen):
        for name in type(value).model_fields:
            yield from _sizes(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _sizes(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _sizes(item, f"{path}[{i}]")
    elif isinstance(value, np.ndarray):
        yield float(np.abs(value).max(initial=0.0)), path
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield abs(float(value)), path


def _named(path: str) -> str:
    """Return the part of a path that ends in a unit: by origin and by month it is the one above."""
    parts = path.split(".")
    above = parts[-1] in ORIGINS or parts[-1][:4].isdigit()
    return parts[-2 if above and len(parts) > 3 else -1]


def unsold_energy(parts: Mapping[str, Component]) -> Iterator[str]:
    """Warn of nodes that are fed and have nowhere for the energy to go."""
    components = parts.values()
    fed = {key[1] for c in components for key in c.supplies() if key[0] == "power"}
    used = {node for c in components for node in c.absorbs()}
    for node in sorted(fed - used):
        yield f"node {node!r} is fed, but nothing there can use or sell the energy"
