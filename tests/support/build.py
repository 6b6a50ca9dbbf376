"""Scenarios and plans from plain dicts, so that a test shows its sum and nothing else.

from tests.support.build import profit, solve

plan = solve({"grid": {...}, "battery": {...}}, hours=2)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import planner

__all__ = [
    "battery", "carbon", "column", "green_rule", "grid", "load", "market", "profit", "renewable",
    "reserve", "scenario", "solve", "thermal", "total", "used",
]  # fmt: skip

START = "2026-07-15T00:00:00+08:00"
HANGS_S = 600  # what runs longer than this, on any machine, hangs
EXACT = {"gap": 0.0, "time_limit_s": 3600.0}

Data = Mapping[str, Any]


def scenario(
    components: Mapping[str, Data],
    hours: float = 1,
    step_min: int = 60,
    start: str = START,
    solver: Data | None = None,
    **top: Any,
) -> planner.Scenario:
    """Check components and make a scenario of them; the gap is 0 unless `solver` says otherwise."""
    horizon = {"start": start, "hours": hours, "step_min": step_min}
    data = {"name": "test", "horizon": horizon, "solver": EXACT | dict(solver or {})}
    plain = {name: dict(component) for name, component in components.items()}
    return planner.Scenario.from_mapping(data | top | {"components": plain})


def solve(components: Mapping[str, Data], hours: float = 1, **more: Any) -> planner.Plan:
    """Solve components over some hours; `more` as in `scenario`."""
    return planner.solve(scenario(components, hours, **more))


def profit(components: Mapping[str, Data], hours: float = 1, **more: Any) -> float:
    """Return the best profit of components over some hours, CNY; `more` as in `scenario`."""
    return float(solve(components, hours, **more).summary["objective_cny"])


def column(plan: planner.Plan, name: str) -> list[float]:
    """Return a schedule column rounded to 1e-6, as a list to compare with."""
    return [round(value, 6) + 0.0 for value in plan.schedule[name].tolist()]


def total(plan: planner.Plan, component: str, line: str) -> float:
    """Return the amount of a ledger line over the horizon, CNY, revenue positive."""
    ledger = plan.ledger
    rows = ledger[(ledger["component"] == component) & (ledger["line"] == line)]
    return float(rows["amount_cny"].sum())


def used(plan: planner.Plan, use: str, origin: str) -> float:
    """Return the MWh of an origin that went to a use, over the horizon."""
    table = plan.allocation
    return float(table.loc[(table["use"] == use) & (table["origin"] == origin), "mwh"].sum())


def thermal(**fields: Any) -> dict[str, Any]:
    """A unit of 20 to 100 MW that burns 10 CNY/MWh, without ramps or times, rested for 100 h."""
    return {
        "kind": "thermal",
        "min_power_mw": 20,
        "max_power_mw": 100,
        "curve": [
            {"power_mw": 20, "fuel_gj_per_h": 20},
            {"power_mw": 100, "fuel_gj_per_h": 100},
        ],
        "fuel_price_cny_per_gj": 10,
        "ramp_up_mw_per_h": 1000,
        "ramp_down_mw_per_h": 1000,
        "startup_ramp_mw": 100,
        "shutdown_ramp_mw": 100,
        "min_up_h": 0,
        "min_down_h": 0,
        "startups": [{"off_h": 0, "cost_cny": 0}],
        "initial": {"on": False, "hours": 100},
    } | fields


def battery(**fields: Any) -> dict[str, Any]:
    """An empty battery of 10 MWh and 4 MW without losses that must end as it began."""
    return {
        "kind": "battery",
        "capacity_mwh": 10,
        "charge_power_mw": 4,
        "discharge_power_mw": 4,
        "charge_efficiency": 1,
        "discharge_efficiency": 1,
        "initial": {"energy_mwh": 0},
        "ending": "same_as_start",
    } | fields


def grid(**fields: Any) -> dict[str, Any]:
    """A grid of 1000 MW each way that sells at 40 and buys at 30 CNY/MWh."""
    return {
        "kind": "grid",
        "import_limit_mw": 1000,
        "export_limit_mw": 1000,
        "import_price_cny_per_mwh": 40,
        "export_price_cny_per_mwh": 30,
    } | fields


def market(*prices: float, **fields: Any) -> dict[str, Any]:
    """A grid that only buys, at one price a step."""
    prices_by_step = list(prices)
    return (
        grid(
            import_limit_mw=0,
            import_price_cny_per_mwh=prices_by_step,
            export_price_cny_per_mwh=prices_by_step,
        )
        | fields
    )


def load(*demand_mw: float, **fields: Any) -> dict[str, Any]:
    """A load with one demand a step."""
    return {"kind": "load", "demand_mw": list(demand_mw)} | fields


def renewable(*power_mw: float, **fields: Any) -> dict[str, Any]:
    """A plant of 100 MW with so many MW available in each step."""
    return {
        "kind": "renewable",
        "technology": "pv",
        "capacity_mw": 100,
        "availability_pu": [power / 100 for power in power_mw],
    } | fields


def reserve(**fields: Any) -> dict[str, Any]:
    """A requirement for reserve."""
    return {"kind": "reserve"} | fields


def green_rule(**fields: Any) -> dict[str, Any]:
    """A rule on renewable energy."""
    return {"kind": "green_rule"} | fields


def carbon(**fields: Any) -> dict[str, Any]:
    """A price or a budget for emissions."""
    return {"kind": "carbon"} | fields
