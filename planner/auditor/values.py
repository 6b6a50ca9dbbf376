"""What a kWh earned by origin and use, the green shares, and the worst hours, from the tables.

Sold, a kWh is worth the revenue of its origin per kWh; in compute it is worth what tokens and
jobs earned in the step per kWh that compute drew in it, whatever its origin. Less than 1e-6 MWh has
no value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.auditor.breach import Array
from planner.auditor.columns import sold_origins
from planner.auditor.files import sums
from planner.auditor.reading import Plan

LEAST_MWH = 1e-6
TOKENS = ("tokens", "input_tokens", "job")
WORST = 5
LEAST_CNY = 0.005


def values(plan: Plan) -> dict[str, Any]:
    """Return value_cny_per_kwh, value_by_use_cny_per_kwh and uplift as they should be."""
    compute = _by_step(plan, "compute")
    earned, total = _token_revenue(plan), sum(compute.values(), np.zeros(plan.clock.steps))
    rate = np.divide(earned, total, out=np.zeros(plan.clock.steps), where=total > 1e-9)
    sold, sales = _sales(plan)
    by_origin: dict[str, dict[str, float]] = {}
    foregone = 0.0
    for o in plan.origins:
        by_origin[o] = {}
        if sold[o] > LEAST_MWH:
            by_origin[o]["export"] = sales[o] / sold[o] / 1000
        if compute[o].sum() > LEAST_MWH:
            by_origin[o]["compute"] = float((rate * compute[o]).sum() / compute[o].sum() / 1000)
        price = _sale_price(plan, o)
        foregone += 0.0 if price is None else float((price * compute[o]).sum())
    drawn, exported = float(total.sum()), sum(sold.values())
    computed = float(earned.sum()) / drawn / 1000 if drawn > LEAST_MWH else None
    sale = foregone / drawn / 1000 if drawn > LEAST_MWH and foregone else None
    by_use = {
        "compute": computed,
        "export": sum(sales.values()) / exported / 1000 if exported > LEAST_MWH else None,
        "compute_at_sale_price": sale,
    }
    rounded = [None if x is None else round(x, 6) for x in (computed, sale)]
    known = rounded[0] and rounded[1] and rounded[1] > 0
    uplift = rounded[0] / rounded[1] if known and rounded[0] and rounded[1] else None
    return {"value_cny_per_kwh": by_origin, "value_by_use_cny_per_kwh": by_use, "uplift": uplift}


def _by_step(plan: Plan, use: str) -> dict[str, Array]:
    """Return MWh of a use by origin and step."""
    table, steps = plan.files.allocation, plan.allocation_steps
    found = {}
    for o in plan.origins:
        rows = ((table["origin"] == o) & (table["use"] == use)).to_numpy() & (steps >= 0)
        mwh = table["mwh"].to_numpy()[rows]
        by_step = np.bincount(steps[rows], weights=mwh, minlength=plan.clock.steps)
        found[o] = np.asarray(by_step, dtype=float)
    return found


def _token_revenue(plan: Plan) -> Array:
    """Return what tokens and jobs earned in every step, CNY, as the ledger has it."""
    ledger, services = plan.files.ledger, [part.name for part in plan.of_kind("service", "job")]
    rows = ledger["line"].isin(TOKENS) & ledger["component"].isin(services)
    by_period = ledger[rows].groupby("period")["amount_cny"].sum().to_dict()
    return np.array([by_period.get(stamp, 0.0) for stamp in plan.clock.stamps])


def _sales(plan: Plan) -> tuple[dict[str, float], dict[str, float]]:
    """Return MWh sold and what they earned, CNY, by origin."""
    ledger, grids = plan.files.ledger, [part.name for part in plan.of_kind("grid")]
    by_line = ledger[ledger["component"].isin(grids)].groupby("line")["amount_cny"].sum()
    sold = {o: float(mwh.sum()) for o, mwh in _by_step(plan, "export").items()}
    return sold, {o: float(by_line.get(f"export[{o}]", 0.0)) for o in plan.origins}


def _sale_price(plan: Plan, origin: str) -> Array | None:
    """Return the best price at which energy of an origin could be sold, CNY/MWh."""
    prices = []
    for grid in plan.of_kind("grid"):
        if grid.series("export_limit_mw").any() and origin in sold_origins(plan, grid):
            prices.append(grid.by_origin("export_price_cny_per_mwh", origin))
    known = [price for price in prices if price is not None]
    return np.max(known, axis=0) if known else None


def green(plan: Plan) -> dict[str, float | None]:
    """Return the official shares of renewable energy as they should be; none where it is pooled.

    Own use is what was available less what was exported and curtailed: losses of storage count as
    use. NDRC/NEA 650 (2025).
    """
    if plan.origins == ("pooled",):
        return {}
    mwh = sums(plan.files.allocation, "origin", "use", "mwh")
    mine = {use: amount for (origin, use), amount in mwh.items() if origin == "renewable"}
    available = sum(mine.values())
    exported, curtailed = mine.get("export", 0.0), mine.get("curtailed", 0.0)
    used = available - exported - curtailed
    drawn = sum(amount for (_, use), amount in mwh.items() if use in ("compute", "load"))
    own = mine.get("compute", 0.0) + mine.get("load", 0.0)
    shares = {
        "self_use_share": (used, available),
        "load_share": (own, drawn),
        "official_load_share": (used, drawn),
        "export_share": (exported, available),
        "curtailed_share": (curtailed, available),
    }
    return {name: a / b if b > 1e-9 else None for name, (a, b) in shares.items()}


def worst_hours(plan: Plan) -> list[float]:
    """Return the largest penalties of a step, CNY, the costliest first."""
    ledger, stamps = plan.files.ledger, set(plan.clock.stamps)
    rows = ~ledger["cash"] & (ledger["amount_cny"] < -LEAST_CNY) & ledger["period"].isin(stamps)
    return sorted((-ledger.loc[rows, "amount_cny"]).tolist(), reverse=True)[:WORST]
