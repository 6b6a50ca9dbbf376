"""What the summary of a plan says of its year: the gap by month, and the prices of rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from planner.plan.plan import Plan
from planner.solver.program import Duals, Program
from planner.studies.year_search import YearSearch
from planner.units import CNY, in_currency, price_unit, unit


def year_summary(search: YearSearch, program: Program, plan: Plan, duals: Duals) -> dict[str, Any]:
    """Return the windows, months and rules of a year.

    Args:
        search: the finished search.
        program: of the whole horizon.
        plan: its best plan.
        duals: of the plan's LP, over the program.
    """
    assert search.plan is not None
    months = plan.scenario.horizon.months
    firsts, lasts = np.array([(w.first, w.last) for w in search.cuts]).T
    missing = search.excess(search.plan.x)
    missing_cny = {
        month: _cny(missing[(firsts >= steps[0]) & (lasts <= steps[-1])].sum())
        for month, steps in months.items()
    }
    profits = plan.ledger.groupby(plan.ledger["period"].str[:7])["amount_cny"].sum()
    whole = plan.summary["bound_cny"] - plan.summary["objective_cny"]
    return {
        "windows": len(search.cuts),
        "months": [
            {"month": month, "profit_cny": _cny(profits.get(month, 0.0)),
             "missing_cny": missing_cny[month]}
            for month in months
        ],
        "shared_cny": _cny(whole - sum(missing_cny.values())),
        "rule_prices": _rule_prices(program, duals),
    }  # fmt: skip


def _cny(value: Any) -> float:
    return round(float(value), 2) + 0.0


def _rule_prices(program: Program, duals: Duals) -> list[dict[str, Any]]:
    """Return the price of each rule over the horizon: what a unit more of its limit is worth."""
    names = {number: family for family, number in program.families.items()}
    at_end = {int(index[-1]): name for name, (index, _) in program.schedule.items()}
    matrix = sparse.csr_array(program.matrix)
    prices = []
    for row in program.end_rows.tolist():
        component, rule, _ = names[program.row_families[row]]
        totals = [at_end[column] for column in matrix[[row]].indices if column in at_end]
        per = unit(totals[0].partition("[")[0]) if totals else None
        symbol = in_currency(price_unit(per) if per else CNY, program.scenario.currency)
        price = {"value": round(abs(float(duals.rows[row])), 6), "unit": symbol}
        prices.append({"component": component, "rule": rule, **price})
    return prices
