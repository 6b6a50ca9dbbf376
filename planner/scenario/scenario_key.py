"""The key of a scenario, a hash of all that its plan depends on: equal keys have equal plans.

The hash covers values, not how they are written: `availability_pu: 0.5` and a list of 0.5 have the
same key. Forecasts are left out, for a plan of the whole horizon does not know them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from planner.components.registry import packages_of
from planner.fields import Frozen
from planner.files.format_mark import planner_version
from planner.scenario.scenario import Scenario
from planner.scenario.scenario_file import ScenarioFile


@cache
def versions() -> dict[str, str]:
    """Return the versions of the packages that a plan depends on."""
    return {"planner": planner_version(), "highspy": version("highspy")}


def scenario_key(scenario: Scenario, digests: Mapping[str, bytes] | None = None) -> str:
    """Return the hash of a scenario and of the package versions.

    Args:
        scenario: the scenario.
        digests: the `digest` of components by name, where they are known already.
    """
    packages = packages_of(scenario.components.values())
    total = hashlib.sha256(repr([*versions().items(), *packages.values()]).encode())
    for name in ScenarioFile.model_fields:
        total.update(repr(getattr(scenario, name)).encode() + b";")
    known = digests or {}
    for name, component in scenario.components.items():
        total.update(name.encode() + b"\0" + (known.get(name) or digest(component)))
    return total.hexdigest()[:32]


def digest(value: Any) -> bytes:
    """Return the hash of every value below a value."""
    total = hashlib.sha256()
    _feed(total, value)
    return total.digest()


def _feed(total: Any, value: Any) -> None:
    """Feed every value below a value to a hash, with marks that separate neighbours."""
    if isinstance(value, np.ndarray):
        total.update(f"a{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Frozen):
        total.update(f"<{type(value).__name__}".encode())
        for name in type(value).model_fields:
            total.update(f".{name}=".encode())
            _feed(total, getattr(value, name))
        total.update(b">")
    elif isinstance(value, Mapping):
        total.update(b"{")
        for key in sorted(value, key=str):  # order has no meaning
            total.update(repr(key).encode() + b":")
            _feed(total, value[key])
        total.update(b"}")
    elif isinstance(value, tuple | list):
        total.update(f"({len(value)}".encode())
        for item in value:
            _feed(total, item)
    else:
        total.update(repr(value).encode() + b";")
