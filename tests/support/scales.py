"""The same site in other units: all its money, or everything that has a size, times a factor."""

from __future__ import annotations

from typing import Any

import planner
from planner.scenario.plain_data import plain_scenario
from planner.units import SUFFIXES

SIZES = {
    "_mw", "_mwh", "_mw_per_h", "_gj_per_h", "_tco2", "_mtok", "_mtok_per_h", "mtok_per_h",
}  # fmt: skip
COUNTS = {"nodes", "spare_nodes", "awake", "asleep", "woken", "it_kw"}
OF_A_SITE = {"_cny", "_cny_per_month"}  # money that a larger site pays more of


def scaled(scenario: planner.Scenario, money: float = 1, size: float = 1) -> planner.Scenario:
    """Return a scenario with its money, and its powers, energies and counts, multiplied."""
    data = plain_scenario(scenario)
    data["components"] = _scaled(data["components"], 1.0, money, size)
    return planner.Scenario.from_mapping(data)


def factor(name: str, money: float, size: float) -> float | None:
    """Return what a quantity is multiplied by; None where its name has no unit."""
    bare = name.partition("[")[0]
    if bare in COUNTS:
        return size
    suffix = next((suffix for suffix in SUFFIXES if bare.endswith(suffix)), None)
    if suffix is None:
        return None
    if "_cny" in suffix:
        return money * size if suffix in OF_A_SITE and bare != "wake_cost_cny" else money
    return size if suffix in SIZES else 1.0


def _scaled(value: Any, by: float, money: float, size: float) -> Any:
    if isinstance(value, dict):
        factors = {key: factor(str(key), money, size) for key in value}
        return {
            key: _scaled(item, by if factors[key] is None else factors[key], money, size)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_scaled(item, by, money, size) for item in value]
    return value * by if isinstance(value, int | float) and not isinstance(value, bool) else value
