"""Every field of green rules and carbon matters: a change of it changes the plan.

Of 90 MW of sun that must be taken a city takes 20 and 70 are sold: every share is missed, at 500
CNY/MWh. For carbon a unit of 60 MW at 10 CNY and 0.9 tCO2/MWh and the grid at 40 CNY and 0.6 feed
100 MW, or they are shed at 200. A field without a case fails.
"""

from __future__ import annotations

from typing import Any

import pytest

from planner.components.registry import KINDS
from tests.components.test_electrical_fields import _fields
from tests.support.build import carbon, green_rule, grid, load, market, renewable, solve, thermal

SUNNY = {"sun": renewable(90, must_take_pu=0.9), "city": load(20), "grid": market(50)}
SMOKY = {
    "coal": thermal(emission_tco2_per_gj=0.9, allowance_tco2_per_mwh=0.8, available=0.6),
    "grid": grid(import_emission_tco2_per_mwh=0.6),
    "city": load(100, shed_cost_cny_per_mwh=200),
}
ENERGY = {
    "available_mwh": 50, "used_mwh": 30, "exported_mwh": 10, "load_mwh": 40,
    "load_renewable_mwh": 20,
}  # fmt: skip
SHARES = {"min_self_use_share": 0.8, "min_load_share": 0.8, "max_export_share": 0.1}
CHANGES: dict[str, dict[str, Any]] = {  # field: what it becomes
    "min_self_use_share": {"min_self_use_share": 0.9},
    "min_load_share": {"min_load_share": 0.9},
    "max_export_share": {"max_export_share": 0.2},
    "penalty_cny_per_mwh": {"penalty_cny_per_mwh": 501},
    "so_far": {"so_far": {}},
    "ahead": {"ahead": ENERGY},
} | {
    f"{part}.{name}": {part: ENERGY | {name: ENERGY[name] + 1}}
    for part in ("so_far", "ahead")
    for name in ENERGY
}
PRICED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # field: before and after
    "price_cny_per_tco2": ({}, {"price_cny_per_tco2": 20}),
    "budget_tco2": ({}, {"budget_tco2": 50}),
    "so_far_tco2": ({"budget_tco2": 50}, {"budget_tco2": 50, "so_far_tco2": 6}),
    "price_imports": (
        {"price_cny_per_tco2": 50},
        {"price_cny_per_tco2": 50, "price_imports": True},
    ),
}


def earned(site: dict[str, Any], **rule: Any) -> float:
    return float(solve(site | {"rule": rule}).summary["objective_cny"])


@pytest.mark.parametrize("path", CHANGES)
def test_field_of_a_green_rule_matters(path: str) -> None:
    before = green_rule(**SHARES, penalty_cny_per_mwh=500, so_far=ENERGY)
    if path.startswith("ahead."):
        before |= {"ahead": ENERGY}
    after = before | CHANGES[path]
    assert earned(SUNNY, **before) != pytest.approx(earned(SUNNY, **after), abs=1e-6)


@pytest.mark.parametrize("path", PRICED)
def test_field_of_carbon_matters(path: str) -> None:
    before, after = (carbon(**fields) for fields in PRICED[path])
    assert earned(SMOKY, **before) != pytest.approx(earned(SMOKY, **after), abs=1e-6)


def test_every_field_has_a_case() -> None:
    assert set(CHANGES) == {
        p.partition(".")[2] for p in _fields(KINDS["green_rule"].component, "rule")
    }
    assert set(PRICED) == {p.partition(".")[2] for p in _fields(KINDS["carbon"].component, "rule")}
