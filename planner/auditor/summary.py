"""Whether every total of the summary follows from the tables and the scenario.

    objective_cny, turnover_cny, cash_profit_cny, non_cash_cny, net_after_outside_cny
                 sums of the ledger, to 1e-6 of the turnover
    bound_cny    no plan can earn more: at least the objective
    gap          what is missing to the bound, relative to turnover; within `solver.gap` where the
                 status is optimal
    status       optimal, time_limit, interrupted, relaxed (exactly when `solver.relax` asks) or
                 settled: a given schedule, whose bound and gap may be unknown
    ledger_cny, allocation_mwh, outside_objective_cny, figures   totals by component, line, origin
    value_cny_per_kwh, value_by_use_cny_per_kwh, uplift   what a kWh earned by origin and use
    green        the official shares of renewable energy
    carbon       emissions, and what a MWh and a Mtok carry of them
    worst_hours  the five costliest penalties
    name, description, vat, start, hours, step_min, components   as the scenario says

What solving was like (runtimes, versions, size, warnings) follows from nothing and is not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from planner.auditor.breach import PLAN, Findings
from planner.auditor.carbon import carbon
from planner.auditor.figures import figures_of
from planner.auditor.files import sums
from planner.auditor.ledger import outside
from planner.auditor.reading import Plan
from planner.auditor.values import green, values, worst_hours

STATUS = ("optimal", "time_limit", "interrupted", "relaxed", "settled")
SUM = 1e-6  # of the turnover: how far a sum of rounded money may be off
TIDYING_CNY, TIDYING = 0.01, 1e-7  # what tidying may give away of the profit, absolute or relative
ROUNDED = 1e-6  # shares and values per kWh are rounded to it
FINE = 1e-8  # emissions are rounded to less


def check_summary(plan: Plan, found: Findings) -> None:
    """Note every total of the summary that is not what the tables make it."""
    _check_said(plan, found)
    _check_money(plan, found)
    summary = plan.files.summary
    totals = _tree(sums(plan.files.ledger, "component", "line", "amount_cny"))
    _compare(found, "ledger_cny", summary.get("ledger_cny"), totals, "CNY")
    money = "outside_objective_cny"
    _compare(found, money, summary.get(money), outside(plan), "CNY")
    mwh = _tree(sums(plan.files.allocation, "origin", "use", "mwh"))
    _compare(found, "allocation_mwh", summary.get("allocation_mwh"), mwh, "MWh")
    figures = {name: figures_of(plan, part) for name, part in plan.parts.items()}
    _compare(found, "figures", summary.get("figures"), figures)
    for name, right in (values(plan) | {"green": green(plan)}).items():
        _compare(found, name, summary.get(name), right, slack=_slack(name, right, summary))
    _compare(found, "carbon", summary.get("carbon"), carbon(plan), slack=FINE)
    _check_worst(plan, found)


def _tree(sums_by_pair: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    tree: dict[str, dict[str, float]] = {}
    for (first, second), amount in sums_by_pair.items():
        tree.setdefault(first, {})[second] = amount
    return tree


def _check_said(plan: Plan, found: Findings) -> None:
    """Note what the summary repeats of the scenario and repeats wrongly."""
    scenario, summary = plan.files.scenario, plan.files.summary
    said = {name: scenario.get(name) for name in ("name", "description", "vat")}
    said |= {"start": plan.clock.stamps[0], "step_min": plan.clock.step_min}
    said |= {"components": {name: part.kind for name, part in plan.parts.items()}}
    for name, right in said.items():
        if summary.get(name) != right:
            found.add(PLAN, name, f"is {summary.get(name)!r}, the scenario says {right!r}")
    _compare(found, "hours", summary.get("hours"), plan.clock.hours, "h")
    status, solver = summary.get("status"), scenario.get("solver") or {}
    if status not in STATUS:
        found.add(PLAN, "status", f"must be one of {', '.join(STATUS)}, is {status!r}")
    elif (status == "relaxed") != bool(solver.get("relax")):
        found.add(PLAN, "status", f"is {status}, and solver.relax is {bool(solver.get('relax'))}")


def _check_money(plan: Plan, found: Findings) -> None:
    ledger, summary = plan.files.ledger, plan.files.summary
    amounts = ledger["amount_cny"].to_numpy()
    turnover, total = float(np.abs(amounts).sum()), float(amounts.sum())
    cash = float(amounts[ledger["cash"].to_numpy()].sum())
    aside = sum(amount for lines in outside(plan).values() for amount in lines.values())
    slack = SUM * max(turnover, 1.0)
    for name, right, size in (
        ("objective_cny", total, 0.0),
        ("turnover_cny", turnover, 0.0),
        ("cash_profit_cny", cash, 0.0),
        ("non_cash_cny", total - cash, 0.0),
        ("net_after_outside_cny", cash + aside, abs(aside)),
    ):
        _exact(found, name, summary.get(name), right, slack + SUM * size, "CNY")
    if summary.get("status") == "settled" and summary.get("bound_cny") is None:
        if summary.get("gap") is not None:
            found.add(PLAN, "gap", "is given, and no bound is known")
        return
    objective, bound = (_number(summary.get(name)) for name in ("objective_cny", "bound_cny"))
    short = objective - bound
    if not short <= ROUNDED + 1e-9 * turnover:
        message = f"is {bound:.12g} CNY, below the objective of {objective:.12g} CNY"
        found.add(PLAN, "bound_cny", message, amount=short, unit="CNY")
    gap = max(-short, 0.0) / max(turnover, 1.0)
    slack = 3 * ROUNDED / max(turnover, 1.0) + 1e-6 * gap + 1e-11
    _exact(found, "gap", summary.get("gap"), gap, slack)
    if summary.get("status") == "optimal":
        wanted = _number((plan.files.scenario.get("solver") or {}).get("gap"))
        loose = max(TIDYING_CNY / max(turnover, 1.0), TIDYING) + 1e-6 * wanted
        if not gap <= wanted + loose:
            message = f"is {gap:.6g} in an optimal plan, solver.gap is {wanted:.6g}"
            found.add(PLAN, "gap", message, amount=gap - wanted)


def _check_worst(plan: Plan, found: Findings) -> None:
    said, right = plan.files.summary.get("worst_hours"), worst_hours(plan)
    ledger = plan.files.ledger
    rows = said if isinstance(said, list) and all(isinstance(x, Mapping) for x in said) else []
    if said != rows or len(rows) != len(right):
        found.add(PLAN, "worst_hours", f"should be {len(right)} steps, are {len(rows)}")
        return
    booked = {
        (row.component, row.line, row.period): -float(row.amount_cny)  # type: ignore[arg-type]
        for row in ledger[~ledger["cash"] & (ledger["amount_cny"] < 0)].itertuples()
    }  # fmt: skip
    for row, cost in zip(rows, right, strict=True):
        key = (row.get("component"), row.get("line"), row.get("time"))
        when = str(row.get("time"))
        _exact(found, "worst_hours", row.get("cost_cny"), cost, 0.011, "CNY", when)
        _exact(found, "worst_hours", row.get("cost_cny"), booked.get(key, 0.0), 0.011, "CNY", when)


def _slack(name: str, right: Any, summary: Mapping[str, Any]) -> float:
    """Return what rounding makes of a figure; the uplift divides two that are rounded."""
    if name != "uplift" or not right:
        return 2 * ROUNDED
    by_use = summary.get("value_by_use_cny_per_kwh")
    sale = abs(_number(by_use.get("compute_at_sale_price") if isinstance(by_use, Mapping) else 0.0))
    return 1e-3 + 3 * ROUNDED * float(right) / max(sale, ROUNDED)


def _compare(
    found: Findings, path: str, said: Any, right: Any, unit: str = "", slack: float = ROUNDED
) -> None:
    """Note where a part of the summary is not what it should be: a figure, or a tree of figures.

    A zero may be left out of the totals of money and energy.
    """
    if isinstance(right, Mapping):
        if not isinstance(said, Mapping):
            found.add(PLAN, path, "is missing")
            return
        for key in sorted(right.keys() | said.keys()):
            if key not in said and not _empty(right[key], path):
                found.add(PLAN, f"{path}.{key}", f"is missing, should be {right[key]}")
            elif key not in right:
                found.add(PLAN, f"{path}.{key}", f"is {said[key]}, should not be there")
            elif key in said:
                _compare(found, f"{path}.{key}", said[key], right[key], unit, slack)
    elif right is None:
        if said is not None:
            found.add(PLAN, path, f"is {said}, should be null")
    else:
        _exact(found, path, said, float(right), slack + SUM * abs(float(right)), unit)


def _empty(right: Any, path: str) -> bool:
    return (
        path.startswith(("ledger", "allocation")) and not isinstance(right, Mapping) and not right
    )


def _exact(
    found: Findings,
    name: str,
    said: Any,
    right: float,
    slack: float,
    unit: str = "",
    when: str = "",
) -> None:
    """Compare one figure of the summary, to `slack`."""
    value = _number(said)
    if not abs(value - right) <= slack:
        message = f"is {value:.12g} {unit}, should be {right:.12g} {unit}".replace(
            " ,", ","
        ).rstrip()
        found.add(PLAN, name, message, amount=abs(value - right), unit=unit, when=when)


def _number(value: Any) -> float:
    """Return a number, or what breaks every comparison."""
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
    )
