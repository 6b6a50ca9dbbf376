"""Warnings about a whole scenario: figures a billion apart, and energy that nothing can use.

A solver works with about nine digits. Each field counts with its largest value, for a small value
of a series (dawn) does no harm. Money is compared with money, power and energy with power and
energy, tokens with tokens. A node that is fed and has no use for the energy gets a warning too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.components.component import ORIGINS, Component
from planner.fields import Frozen, is_number
from planner.message import Message

MAX_RATIO = 1e9
QUANTITIES = {
    "prices and costs": re.compile(r".*_cny(_per_.*)?"),
    "powers and energies": re.compile(r"(?!.*_(cny|tco2)_).*_mwh?"),
    "tokens": re.compile(r"(?!.*_cny_).*mtok(_per_h)?"),
}


def mixed_scales(components: Mapping[str, Frozen]) -> Iterator[Message]:
    """Yield a warning for each quantity whose fields differ by more than a billion."""
    sizes = [
        (size, path)
        for name, component in components.items()
        for size, path in _sizes(component, f"components.{name}")
        if size > 0
    ]
    for quantity, unit in QUANTITIES.items():
        same_unit = [(size, path) for size, path in sizes if unit.fullmatch(_named(path))]
        if not same_unit:
            continue
        (least, small), (most, large) = min(same_unit), max(same_unit)
        if most / least > MAX_RATIO:
            yield Message(
                "{path} ({least:g}) and {other} ({most:g}) differ by more than {widest:g}:"
                " {kind} so far apart make the solver inexact; is a unit wrong?",
                path=small,
                least=least,
                other=large,
                most=most,
                widest=MAX_RATIO,
                kind=quantity,
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
    elif is_number(value):
        yield abs(float(value)), path


def _named(path: str) -> str:
    """Return the part of a path that ends in a unit: by origin and by month it is the one above."""
    parts = path.split(".")
    above = parts[-1] in ORIGINS or parts[-1][:4].isdigit()
    return parts[-2 if above and len(parts) > 3 else -1]


def unsold_energy(components: Mapping[str, Component]) -> Iterator[Message]:
    """Yield a warning for each node that is fed where nothing can use or sell the energy."""
    fed = {key[1] for c in components.values() for key in c.supplies() if key[0] == "power"}
    used = {node for c in components.values() for node in c.absorbs()}
    for node in sorted(fed - used):
        yield Message(
            "node {name!r} is fed, but nothing there can use or sell the energy", name=node
        )
