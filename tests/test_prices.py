"""Prices against what they claim: the profit that one unit more or less would bring.

The LP with the integers and directions of the plan fixed is concave in a right-hand side, so every
price lies between what one unit less costs and what one unit more brings, measured by solving again.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
from planner.components.base import Component
from planner.model import assemble
from planner.program import Duals, Program, compile_program
from planner.series import Array
from planner.solver import Session
from planner.studies.moved import places, value_at, with_value
from planner.studies.prices import NONE, RELAXED
from planner.studies.single import solve_program
from tests import compute, full_site
from tests.build import battery, grid, load, market, renewable, reserve, scenario, thermal
from tests.sites import random_site

SIDE = 1e-3  # how far a field is moved for a difference
SLACK = 1e-4  # of a price, for the tolerances of two solves divided by SIDE


def fixed_profit(program: Program, duals: Duals) -> float:
    """The best profit of a program with the integers and directions of a plan, -inf for none."""
    session = Session(program, threads=1, seed=0)
    held = np.flatnonzero(duals.held)
    session.bounds(held, duals.x[held], duals.x[held])
    result = session.run(time_limit_s=60)
    return -np.inf if result.x is None else -result.objective


def sides(base: float, more: float, less: float, side: float) -> tuple[float, float]:
    return (more - base) / side, (base - less) / side


def between(low: float, price: float, high: float, size: float) -> bool:
    slack = SLACK * max(1.0, size)
    return low - slack <= price <= high + slack


class Priced:
    """A scenario, its prices, and the LP behind them."""

    def __init__(self, found: planner.Scenario) -> None:
        self.scenario = found
        self.prices = planner.prices(found)
        _, self.program, self.solution = solve_program(found)
        assert self.solution.duals is not None
        self.duals = self.solution.duals
        self.base = fixed_profit(self.program, self.duals)

    def profit(self, changed: planner.Scenario) -> float:
        program = compile_program(assemble(changed))
        assert program.matrix.shape == self.program.matrix.shape
        return fixed_profit(program, self.duals)

    def value(self, component: str, quantity: str, index: str = "", step: int | None = None) -> float:
        table = self.prices.table
        rows = table[
            (table["component"] == component)
            & (table["quantity"] == quantity)
            & (table["index"] == index)
        ]
        if step is None:
            return float(rows.loc[rows["time"].isna(), "value"].iloc[0])
        when = self.scenario.horizon.starts[step - 1]
        return float(rows.loc[rows["time"] == when, "value"].iloc[0])

    def once(self, component: str, quantity: str, index: str) -> float:
        table = self.prices.table
        name = f"{index}|once" if index else "once"
        rows = table[
            (table["component"] == component)
            & (table["quantity"] == quantity)
            & (table["index"] == name)
        ]
        return float(rows["value"].sum())


def moved(found: planner.Scenario, paths: list[Any], by: Any) -> planner.Scenario:
    for path in paths:
        found = with_value(found, path, value_at(found, path) + by)
    return found


def check_fields(case: Priced, steps: list[int]) -> int:
    """Check every field that has a price, over the horizon and in some steps; return how many."""
    checked = 0
    for name, component in case.scenario.components.items():
        for quantity, paths in component.priced.items():
            groups: dict[str, list[Any]] = {}
            for path in paths:
                for index, below in places(component, tuple(path.split("."))):
                    groups.setdefault(index, []).append((name, *below))
            for index, group in groups.items():
                values = [value_at(case.scenario, path) for path in group]
                if values[0] is None:
                    continue
                per_h = quantity.endswith("mtok_per_h")
                hours = case.scenario.horizon.hours if per_h else 1.0
                side = SIDE
                more, less = (case.profit(moved(case.scenario, group, s)) for s in (side, -side))
                low, high = sides(case.base, more, less, side)
                if quantity == "expected_peak_mw":  # max(so far, expected) bends the other way
                    low, high = min(low, high), max(low, high)
                price = case.value(name, quantity, index) * hours
                size = abs(case.base) * 1e-5 + abs(price)
                assert between(low, price, high, size), (name, quantity, index, low, price, high)
                checked += 1
                if not isinstance(values[0], np.ndarray):
                    continue
                for step in steps:
                    bump = np.zeros(case.scenario.horizon.steps)
                    bump[step - 1] = side
                    more, less = (
                        case.profit(moved(case.scenario, group, s * bump)) for s in (1, -1)
                    )
                    low, high = sides(case.base, more, less, side)
                    price = case.value(name, quantity, index, step)
                    if per_h:  # a Mtok in this step counts toward min_served_share too
                        price += case.once(name, quantity, index)
                        price *= case.scenario.horizon.step_h
                    assert between(low, price, high, size), (
                        name, quantity, index, step, low, price, high,
                    )  # fmt: skip
                    checked += 1
    return checked


def check_energy(case: Priced, steps: list[int]) -> None:
    """Check the value of a MWh: put 1 MW more or less into a balance."""
    program, step_h = case.program, case.scenario.horizon.step_h
    for balance, family in program.balances.items():
        if balance.kind != "power" or balance.origin not in program.injected:
            continue
        for step in steps:
            rows = (program.row_families == family) & (program.row_steps == step)
            if not rows.any():
                continue
            found = []
            for sign in (1, -1):
                bump = np.where(rows, -sign * SIDE, 0.0)  # what is put in is on the left
                changed = dataclasses.replace(
                    program,
                    row_lower=program.row_lower + bump,
                    row_upper=program.row_upper + bump,
                )
                found.append(fixed_profit(changed, case.duals))
            low, high = sides(case.base, *found, SIDE)
            price = case.value(balance.name, "value_cny_per_mwh", str(balance.origin), step)
            size = abs(case.base) * 1e-5 + abs(price)
            assert between(low, price * step_h, high, size), (balance, step, low, price, high)


@pytest.mark.parametrize("seed", range(6))
def test_prices_of_random_sites_lie_between_the_one_sided_derivatives(seed: int) -> None:
    case = Priced(scenario(random_site(seed, 8), 8))
    steps = random.Random(seed).sample(range(1, 9), 3)
    assert check_fields(case, steps) >= 8 + 3 * 5
    check_energy(case, steps)


def test_prices_of_a_site_with_everything_lie_between_the_one_sided_derivatives(
    tmp_path: Path,
) -> None:
    changes = {
        "components.grid.demand_charge_cny_per_mw_month": 5000,
        "components.chat.min_served_share": 0.9,
    }
    case = Priced(planner.load(full_site.write(tmp_path), set=changes))
    assert check_fields(case, [2, 9, 11]) >= 12 + 3 * 8
    check_energy(case, [2, 9, 11])
