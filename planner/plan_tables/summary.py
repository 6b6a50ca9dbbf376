"""The summary of a plan: status, totals, key figures, shares and values of energy.

The value of a kWh sold to the grid is its revenue; the value of a kWh used by compute is the
revenue of tokens and jobs in a step over the compute energy of that step, the same for all origins.
A kWh or less has no value.
The uplift is the value in compute over what the same energy would earn at the sale price of its
hour.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from planner.components.registry import packages_of, uses_of
from planner.components.terms import stored_at_start
from planner.fields import measurable
from planner.message import Message
from planner.plan_tables.shares import (
    Ranges,
    by_pair,
    carbon_summary,
    green_shares,
    sums,
)
from planner.scenario.scenario import Scenario
from planner.timeseries.schedule import columns_by_component
from planner.timeseries.series import Array
from planner.version import planner_version

KINDS_FROM = "kinds_from"  # kind -> the package beside the planner that brings it
SOURCES = "sources"  # published figures by name -> title and licence, where they are known
WORST_HOURS = 5
SAME_SHARE = 1e-5  # shares that differ by less are the same
HALF_FEN = 0.005


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
    ranges: Ranges | None,
    solving: Mapping[str, Any],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Return the summary of a plan; plain values only, ready for JSON.

    Args:
        scenario: the scenario of the plan.
        schedule: its schedule.
        allocation: its allocation.
        ledger: its ledger.
        reported: the same for money outside the objective.
        compute: revenue of tokens and jobs, CNY by step.
        export: revenue of sales, CNY by origin.
        status: how solving ended.
        objective: the profit, CNY.
        bound: a proven upper bound of it.
        ranges: as in `green_shares`.
        solving: size of the program, and rounds.
        seconds: runtimes by stage.
    """
    turnover = float(ledger["amount_cny"].abs().sum())
    cash = float(ledger.loc[ledger["cash"], "amount_cny"].sum())
    horizon, uses = scenario.horizon, uses_of(scenario.components.values())
    packages = packages_of(scenario.components.values())
    energy = by_pair(allocation, "origin", "use", "mwh")
    mwh, columns = sums(energy), columns_by_component(schedule)
    stored_mwh = stored_at_start((c.storage() for c in scenario.components.values()), "renewable")
    figures = {}
    for name, component in scenario.components.items():
        values = component.figures(columns.get(name, {}), horizon)
        if values:
            figures[name] = {key: round(float(v), 6) + 0.0 for key, v in values.items()}
    green = green_shares(mwh, uses, stored_mwh, ranges)
    by_part = [component.published_sources() for component in scenario.components.values()]
    sources = {name: source for part in by_part for name, source in part.items()}
    return {
        "name": scenario.name,
        "description": scenario.description,
        "status": status,
        "objective_cny": round(objective, 6) + 0.0,
        **proof(objective, bound, turnover),
        "turnover_cny": round(turnover, 6),
        "cash_profit_cny": round(cash, 6) + 0.0,
        "non_cash_cny": round(float(ledger["amount_cny"].sum()) - cash, 6) + 0.0,
        "net_after_outside_cny": round(cash + float(reported["amount_cny"].sum()), 6) + 0.0,
        "vat": scenario.vat,
        "currency": scenario.currency,
        **horizon.summary,
        "ledger_cny": _by_line(ledger),
        "outside_objective_cny": _by_line(reported),
        "components": {name: c.kind for name, c in scenario.components.items()},
        **({KINDS_FROM: {kind: package.name for kind, package in packages.items()}}
           if packages else {}),
        **({SOURCES: sources} if sources else {}),
        "figures": figures,
        "allocation_mwh": _tree(mwh, 9),
        **_values(scenario, energy, compute, export),
        "green": green,
        "carbon": carbon_summary(columns, mwh, uses, horizon.step_h),
        "worst_hours": _worst(ledger),
        "warnings": [*scenario.warnings(), *_undecided_targets(scenario, figures, green)],
        "solving": dict(solving),
        "runtimes_s": {name: round(value, 4) for name, value in seconds.items()},
        "versions": _versions() | dict(packages.values()) | {"python": platform.python_version()},
    }  # fmt: skip


@cache
def _versions() -> dict[str, str]:
    return {"planner": planner_version()} | {name: version(name) for name in ("highspy", "pyomo")}


def proof(objective: float, bound: float | None, turnover: float) -> dict[str, float | None]:
    """Return the bound of a profit and its gaps to it; None where no bound is known.

    `gap_of_profit` is relative to the profit or, below 0, the loss; None where that is 0.00 CNY.
    """
    if bound is None:
        return dict.fromkeys(("bound_cny", "gap", "gap_of_profit"))
    profit = abs(round(objective, 6))  # as the summary has it
    return {
        "bound_cny": round(bound, 6) + 0.0,
        "gap": gap_of(objective, bound, turnover),
        "gap_of_profit": None if profit < HALF_FEN else _share(bound - objective, profit),
    }


def gap_of(objective: float, bound: float, turnover: float) -> float:
    """Return (bound - objective) over turnover."""
    return _share(bound - objective, max(turnover, 1.0))


def _share(difference: float, whole: float) -> float:
    """Return a share to 1e-12; differences of 1e-6 CNY are none."""
    return round(difference / whole, 12) if difference > 1e-6 else 0.0


def _undecided_targets(
    scenario: Scenario, figures: Mapping[str, Mapping[str, float]], green: Mapping[str, Any]
) -> Iterator[Message]:
    """Yield the required shares that the same meter values reach by one attribution only."""
    for name, component in scenario.components.items():
        for target in component.targets(figures.get(name, {})):
            low, high = (green.get(end, {}).get(target.figure) for end in ("least", "most"))
            known = target.wanted is not None and not target.counts_more and low is not None
            if known and low < target.wanted - SAME_SHARE and high > target.wanted + SAME_SHARE:
                yield Message(
                    "{name}: whether {field} {share:g} is kept depends on how energy is attributed"
                    " to its origins: the same meter values allow {least:g} to {most:g}",
                    name=name, field=target.field, share=target.wanted, least=low, most=high,
                )  # fmt: skip


def _by_line(ledger: pd.DataFrame) -> dict[str, dict[str, float]]:
    return _tree(sums(by_pair(ledger, "component", "line", "amount_cny")), 6)


def _tree(sums: Mapping[tuple[str, str], float], decimals: int) -> dict[str, dict[str, float]]:
    tree: dict[str, dict[str, float]] = {}
    for (first, second), amount in sums.items():
        tree.setdefault(first, {})[second] = round(amount, decimals) + 0.0
    return tree


def _values(
    scenario: Scenario, mwh: Mapping[tuple[str, str], Array], compute: Array,
    export: Mapping[str, float],
) -> dict[str, Any]:  # fmt: skip
    """Return the value of a kWh by origin and use, and the uplift of compute over grid sale."""
    nothing = np.zeros(scenario.horizon.steps)
    origins, parts = scenario.site().origins, scenario.components.values()
    drawn = {origin: mwh.get((origin, "compute"), nothing) for origin in origins}
    sold = {origin: float(mwh.get((origin, "export"), nothing).sum()) for origin in origins}
    total = np.asarray(sum(drawn.values()))
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(total > 1e-9, compute / total, 0.0)
    by_origin: dict[str, dict[str, float]] = {}
    foregone = 0.0
    for origin in origins:
        values = {
            "export": _per_kwh(export.get(origin, 0.0), sold[origin]),
            "compute": _per_kwh((rate * drawn[origin]).sum(), drawn[origin].sum()),
        }
        by_origin[origin] = {use: value for use, value in values.items() if value is not None}
        prices = [p for part in parts if (p := part.sale_price(origin)) is not None]
        if prices:
            foregone += float((np.max(prices, axis=0) * drawn[origin]).sum())
    computed = _per_kwh(compute.sum(), total.sum())
    sale = _per_kwh(foregone, total.sum()) if foregone else None
    return {
        "value_cny_per_kwh": by_origin,
        "value_by_use_cny_per_kwh": {
            "compute": computed,
            "export": _per_kwh(sum(export.values()), sum(sold.values())),
            "compute_at_sale_price": sale,
        },
        "uplift": round(computed / sale, 3) if computed and sale and sale > 0 else None,
    }


def _per_kwh(cny: float, mwh: float) -> float | None:
    return round(float(cny / mwh / 1000), 6) + 0.0 if measurable(mwh) else None


def _worst(ledger: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the largest penalties of a step: what was short, and what it cost."""
    cash, amounts = ledger["cash"].to_numpy(), ledger["amount_cny"].to_numpy()
    rows = np.flatnonzero(~cash & (amounts < -HALF_FEN))
    worst = ledger.iloc[rows[np.argsort(amounts[rows], kind="stable")]].itertuples()
    of_steps = (row for row in worst if "T" in str(row.period))
    return [
        {"time": row.period, "component": row.component, "line": row.line,
         "cost_cny": round(-float(row.amount_cny), 2)}  # type: ignore[arg-type]
        for row in islice(of_steps, WORST_HOURS)
    ]  # fmt: skip
