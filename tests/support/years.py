"""Plans with the summary of a year, which nobody proved."""

from __future__ import annotations

import dataclasses
from typing import Any

import planner


def as_year(plan: planner.Plan, missing: dict[str, float], shared_cny: float = 0.0) -> planner.Plan:
    """Return a plan as the plan of a year whose bound lies above it by what is missing by month.

    The profit is spread evenly over the months. The plan has a battery, whose ending has prices.
    """
    summary = plan.summary
    profit, turnover = summary["objective_cny"], summary["turnover_cny"]
    above = sum(missing.values()) + shared_cny
    gaps = {"gap": above / turnover, "gap_of_profit": above / profit}
    year: dict[str, Any] = {
        "windows": 2,
        "months": [
            {"month": month, "profit_cny": profit / len(missing), "missing_cny": cny}
            for month, cny in missing.items()
        ],
        "shared_cny": shared_cny,
        "rule_prices": [
            {"component": "battery", "rule": "ending", "value": 82.5, "unit": "CNY/MWh"},
            {"component": "battery", "rule": "ending_most", "value": 0.0125, "unit": "CNY/MWh"},
        ],
        "steps": [
            {"work": "bounds", "profit_cny": None, "bound_cny": profit + 2 * above, "gap": None,
             "gap_of_profit": None},
            {"work": "plan", "profit_cny": profit, "bound_cny": profit + above, **gaps},
        ],
        "interrupted": False,
    }  # fmt: skip
    return dataclasses.replace(
        plan,
        summary=summary
        | gaps
        | {"status": "work_limit", "bound_cny": profit + above, "year": year},
    )
