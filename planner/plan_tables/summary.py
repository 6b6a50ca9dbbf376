"""The figures of a plan that people ask for first.

The value of a kWh: sold to the grid it is the revenue per kWh sold; in compute it is what
tokens and jobs earn in a step over the compute energy of that step, the same for every origin. The
uplift divides the latter by what the same energy would have earned at the sale price of its hour.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from planner.components.component import uses_of
from planner.plan_tables.shares import (
    by_pair,
    carbon_summary,
    energy_sums,
    green_shares,
    sums_by_pair,
)
from planner.scenario.scenario import Scenario
from planner.timeseries.schedule import values_of
from planner.timeseries.series import Array

WORST_HOURS = 5


def summarise(
    scenario: Scenario,
    schedule: pd.DataFrame,
    allocation: pd.DataFrame,
    ledger: pd.DataFrame,
    reported: pd.DataFrame,
    *,
    compute: Array,
    export: Mapping[str, float],
    status: str,
    objective: float,
    bound: float,
    solving: Mapping[str, Any],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Gather the summary of a plan; plain values only, ready for JSON."""
    turnover = float(ledger["amount_cny"].abs().sum())
    cash = float(ledger.loc[ledger["cash"], "amount_cny"].sum())
    outside = _by_line(reported)
    outside_total = float(reported["amount_cny"].sum())
    horizon, uses = scenario.horizon, uses_of(scenario.components.values())
    figures = {
        name: _plain(component.figures(values_of(schedule, name), horizon))
        for name, component in scenario.components.items()
    }
    return {
        "name": scenario.name,
        "description": scenario.description,
        "status": status,
        "objective_cny": round(objective, 6),
        "bound_cny": round(bound, 6),
        "gap": gap_of(objective, bound, turnover),
        "turnover_cny": round(turnover, 6),
        "cash_profit_cny": round(cash, 6),
        "non_cash_cny": round(float(ledger["amount_cny"].sum()) - cash, 6),
        "net_after_outside_cny": round(cash + outside_total, 6),
        "vat": scenario.vat,
        "start": horizon.starts[0].isoformat(),
        "hours": float(horizon.hours),
        "step_min": horizon.step_min,
        "ledger_cny": _by_line(ledger),
        "outside_objective_cny": outside,
        "components": {name: c.kind for name, c in scenario.components.items()},
        "figures": {name: found for name, found in figures.items() if found},
        "allocation_mwh": _allocated(allocation),
        **_values(scenario, allocation, compute, export),
        "green": green_shares(allocation, uses),
        "carbon": carbon_summary(schedule, allocation, uses, horizon.step_h),
        "worst_hours": _worst(ledger),
        "warnings": scenario.warnings(),
        "solving": dict(solving),
        "runtimes_s": {name: round(value, 4) for name, value in seconds.items()},
        "versions": _versions() | {"python": platform.python_version()},
    }


@cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("planner", "highspy", "pyomo")}


def gap_of(objective: float, bound: float, turnover: float) -> float:
    """Return (bound - objective) over turnover, to 1e-12; differences of 1e-6 CNY are none."""
    difference = bound - objective
    return round(difference / max(turnover, 1.0), 12) if difference > 1e-6 else 0.0


def _by_line(ledger: pd.DataFrame) -> dict[str, dict[str, float]]:
    result: dict[str, dict[str, float]] = {}
    for (component, line), amount in sums_by_pair(
        ledger, "component", "line", "amount_cny"
    ).items():
        result.setdefault(component, {})[line] = round(amount, 6)
    return result


def _allocated(allocation: pd.DataFrame) -> dict[str, dict[str, float]]:
    result: dict[str, dict[str, float]] = {}
    for (origin, use), mwh in energy_sums(allocation).items():
        result.setdefault(origin, {})[use] = round(mwh, 9)
    return result


def _values(
    scenario: Scenario, allocation: pd.DataFrame, compute: Array, export: Mapping[str, float]
) -> dict[str, Any]:
    """Return the value of a kWh by origin and use, and the uplift of compute over grid sale."""
    steps = scenario.horizon.steps
    by_origin: dict[str, dict[str, float]] = {}
    drawn: dict[str, Array] = {}
    every = by_pair(allocation, "origin", "use", "mwh")
    for origin in scenario.site().origins:
        used = {use: mwh for (of, use), mwh in every.items() if of == origin}
        drawn[origin] = used.get("compute", np.zeros(steps))
        by_origin[origin] = {}
        sold = float(used["export"].sum()) if "export" in used else 0.0
        if sold > 1e-6:
            by_origin[origin]["export"] = round(export.get(origin, 0.0) / sold / 1000, 6)
    total = np.asarray(sum(drawn.values()))
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(total > 1e-9, compute / total, 0.0)
    foregone = 0.0
    for origin, mwh in drawn.items():
        if mwh.sum() > 1e-6:
            by_origin[origin]["compute"] = round(float((rate * mwh).sum() / mwh.sum() / 1000), 6)
        prices = [
            price
            for component in scenario.components.values()
            if (price := component.sale_price(origin)) is not None
        ]
        if prices:
            foregone += float((np.max(prices, axis=0) * mwh).sum())
    result: dict[str, Any] = {"value_cny_per_kwh": by_origin}
    sold = float(allocation.loc[allocation["use"] == "export", "mwh"].sum())
    by_use: dict[str, float | None] = {
        "compute": round(float(compute.sum() / total.sum() / 1000), 6)
        if total.sum() > 1e-6
        else None,
        "export": round(sum(export.values()) / sold / 1000, 6) if sold > 1e-6 else None,
        "compute_at_sale_price": (
            round(foregone / float(total.sum()) / 1000, 6)
            if total.sum() > 1e-6 and foregone
            else None
        ),
    }
    computed, sale = by_use["compute"], by_use["compute_at_sale_price"]
    result["value_by_use_cny_per_kwh"] = by_use
    result["uplift"] = round(computed / sale, 3) if computed and sale and sale > 0 else None
    return result


def _worst(ledger: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the steps whose penalties cost most: what was scarce, and what that cost."""
    penalties = ledger[~ledger["cash"] & (ledger["amount_cny"] < -0.005)]
    penalties = penalties[penalties["period"].str.contains("T")]
    worst = penalties.sort_values("amount_cny", kind="stable").head(WORST_HOURS)
    return [
        {"time": row.period, "component": row.component, "line": row.line,
         "cost_cny": round(-float(row.amount_cny), 2)}  # type: ignore[arg-type]
        for row in worst.itertuples()
    ]  # fmt: skip


def _plain(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 6) + 0.0 for name, value in figures.items()}
