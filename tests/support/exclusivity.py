"""Random sites in which charging and discharging, or importing and exporting, at once would pay."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np

import planner
from planner.solver.compiler import program_of
from planner.solver.program import Program
from tests.support import build
from tests.support.sites import random_site


def tempting_site(seed: int, hours: int) -> dict[str, dict[str, Any]]:
    """Return a random site with negative prices and export above import, two batteries in it."""
    rnd = random.Random(1000 + seed)
    parts = random_site(seed, hours)
    dip = [rnd.choice([0, 0, 60, 130]) for _ in range(hours)]
    grid = parts["grid"]
    for field, step in (("import_price_cny_per_mwh", 1.0), ("export_price_cny_per_mwh", 0.9)):
        prices = grid[field]
        for series in prices.values() if isinstance(prices, dict) else [prices]:
            series[:] = [price - step * down for price, down in zip(series, dip, strict=True)]
    if seed % 3 == 0:
        grid |= {"resale": True}
        grid["export_price_cny_per_mwh"]["grid"] = [price - 5 for price in parts_price(grid)]
    parts["store"] = build.battery(
        capacity_mwh=25, charge_power_mw=10, discharge_power_mw=12, charge_efficiency=0.8,
        discharge_efficiency=0.85, initial={"energy_mwh": 12},
        ending={"value_cny_per_mwh": rnd.choice([0, 20])},
    )  # fmt: skip
    if seed % 2:
        parts["sun"] |= {"must_take_pu": parts["sun"]["availability_pu"]}
    return parts


def parts_price(grid: dict[str, Any]) -> list[float]:
    """Return the import price of a grid by step."""
    return list(grid["import_price_cny_per_mwh"])


def program(seed: int, hours: int, **solver: Any) -> Program:
    """Compile a tempting site."""
    scenario: planner.Scenario = build.scenario(tempting_site(seed, hours), hours, solver=solver)
    return program_of(scenario)


def with_every_binary(of: Program) -> Program:
    """Return the full program: every direction a binary from the start."""
    switched = np.isin(np.arange(len(of.integer)), of.switches)
    return replace(of, integer=of.integer | switched)
