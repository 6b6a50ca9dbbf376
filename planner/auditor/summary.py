"""Whether every total of the summary follows from the tables and the scenario.

    objective_cny, turnover_cny, cash_profit_cny, non_cash_cny, net_after_outside_cny
                 sums of the ledger, to 1e-6 of the turnover
    bound_cny    no plan can earn more: at least the objective
    gap          what is missing to the bound, relative to turnover; within `solver.gap` where the
                 status is optimal
    status       optimal, time_limit, interrupted, relaxed (exactly when `solver.relax` asks) or
                 settled: a given schedule, whose bound and gap may be unknown
    ledger_cny, allocation_mwh, outside_objective_cny, figures   totals by component, line, origin
    value_cny_per_kwh, value_by_use_cny_per_kwh, uplift   what a kWh earned by origin and use: sold,
                 the revenue of its origin; in compute, what compute earned in the step per kWh that
                 it drew, whatever the origin. Less than 1e-6 MWh has no value
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

from planner.auditor.findings import PLAN, Array, Findings, Notes
from planner.auditor.plan_files import groups, sums
from planner.auditor.reading import Line, Plan
from planner.auditor.shares import carbon, green
from planner.auditor.tables import lines, outside

STATUS = ("optimal", "time_limit", "interrupted", "relaxed", "settled")
SUM = 1e-6  # of the turnover: how far a sum of rounded money may be off
TIDYING_CNY, TIDYING = 0.01, 1e-7  # what tidying may give away of the profit, absolute or relative
ROUNDED = 1e-6  # shares and values per kWh are rounded to it
FINE = 1e-8  # emissions are rounded to less
LEAST_MWH = 1e-6
WORST = 5
LEAST_CNY = 0.005


def values(plan: Plan) -> dict[str, Any]:
    """Return value_cny_per_kwh, value_by_use_cny_per_kwh and uplift as they should be."""
    compute, revenue = _by_step(plan, "compute"), [line for line in lines(plan) if line.use]
    earned = _compute_revenue(plan, revenue)
    total = sum(compute.values(), np.zeros(plan.clock.steps))
    rate = np.divide(earned, total, out=np.zeros(plan.clock.steps), where=total > 1e-9)
    sold, sales = _sales(plan, revenue)
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


def _compute_revenue(plan: Plan, revenue: list[Line]) -> Array:
    """Return what compute earned in every step, CNY, as the ledger has it."""
    names = {(line.component, line.name) for line in revenue if line.use == "compute"}
    by_line = groups(plan.files.ledger, "component", "line")
    rows = [row for name in names for row in by_line.get(name, ())]
    by_period = plan.files.ledger.iloc[rows].groupby("period")["amount_cny"].sum().to_dict()
    return np.array([by_period.get(stamp, 0.0) for stamp in plan.clock.stamps])


def _sales(plan: Plan, revenue: list[Line]) -> tuple[dict[str, float], dict[str, float]]:
    """Return MWh sold and what they earned, CNY, by origin."""
    booked = sums(plan.files.ledger, "component", "line", "amount_cny")
    earned = dict.fromkeys(plan.origins, 0.0)
    for line in revenue:
        if line.use == "export":
            earned[line.origin] += booked.get((line.component, line.name), 0.0)
    return {o: float(mwh.sum()) for o, mwh in _by_step(plan, "export").items()}, earned


def _sale_price(plan: Plan, origin: str) -> Array | None:
    """Return the best price at which energy of an origin could be sold, CNY/MWh."""
    prices = [plan.audit(part).sale_price(plan, part) for part in plan.parts.values()]
    known = [by_origin[origin] for by_origin in prices if origin in by_origin]
    return np.max(known, axis=0) if known else None


def worst_hours(plan: Plan) -> list[float]:
    """Return the largest penalties of a step, CNY, the costliest first."""
    ledger, stamps = plan.files.ledger, set(plan.clock.stamps)
    rows = ~ledger["cash"] & (ledger["amount_cny"] < -LEAST_CNY) & ledger["period"].isin(stamps)
    return sorted((-ledger.loc[rows, "amount_cny"]).tolist(), reverse=True)[:WORST]


def check_summary(plan: Plan, found: Findings) -> None:
    """Note every total of the summary that is not what the tables make it."""
    note = found.of(PLAN)
    _check_said(plan, note)
    _check_money(plan, note)
    summary = plan.files.summary
    totals = _tree(sums(plan.files.ledger, "component", "line", "amount_cny"))
    _compare(note, "ledger_cny", summary.get("ledger_cny"), totals, "CNY")
    money = "outside_objective_cny"
    _compare(note, money, summary.get(money), outside(plan), "CNY")
    mwh = _tree(sums(plan.files.allocation, "origin", "use", "mwh"))
    _compare(note, "allocation_mwh", summary.get("allocation_mwh"), mwh, "MWh")
    figures = {name: plan.audit(part).figures(plan, part) for name, part in plan.parts.items()}
    _compare(note, "figures", summary.get("figures"), figures)
    for name, right in (values(plan) | {"green": green(plan)}).items():
        _compare(note, name, summary.get(name), right, slack=_slack(name, right, summary))
    _compare(note, "carbon", summary.get("carbon"), carbon(plan), slack=FINE)
    _check_worst(plan, note)


def _tree(sums_by_pair: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    tree: dict[str, dict[str, float]] = {}
    for (first, second), amount in sums_by_pair.items():
        tree.setdefault(first, {})[second] = amount
    return tree


def _check_said(plan: Plan, note: Notes) -> None:
    """Note what the summary repeats of the scenario and repeats wrongly."""
    scenario, summary = plan.files.scenario, plan.files.summary
    said = {name: scenario.get(name) for name in ("name", "description", "vat")}
    said |= {"start": plan.clock.stamps[0], "step_min": plan.clock.step_min}
    said |= {"components": {name: part.kind for name, part in plan.parts.items()}}
    for name, right in said.items():
        if summary.get(name) != right:
            note.add(name, f"is {summary.get(name)!r}, the scenario says {right!r}")
    _compare(note, "hours", summary.get("hours"), plan.clock.hours, "h")
    status, solver = summary.get("status"), scenario.get("solver") or {}
    if status not in STATUS:
        note.add("status", f"must be one of {', '.join(STATUS)}, is {status!r}")
    elif (status == "relaxed") != bool(solver.get("relax")):
        note.add("status", f"is {status}, and solver.relax is {bool(solver.get('relax'))}")


def _check_money(plan: Plan, note: Notes) -> None:
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
        _exact(note, name, summary.get(name), right, slack + SUM * size, "CNY")
    if summary.get("status") == "settled" and summary.get("bound_cny") is None:
        if summary.get("gap") is not None:
            note.add("gap", "is given, and no bound is known")
        return
    objective, bound = (_number(summary.get(name)) for name in ("objective_cny", "bound_cny"))
    short = objective - bound
    if not short <= ROUNDED + 1e-9 * turnover:
        message = f"is {bound:.12g} CNY, below the objective of {objective:.12g} CNY"
        note.add("bound_cny", message, amount=short, unit="CNY")
    gap = max(-short, 0.0) / max(turnover, 1.0)
    slack = 3 * ROUNDED / max(turnover, 1.0) + 1e-6 * gap + 1e-11
    _exact(note, "gap", summary.get("gap"), gap, slack)
    if summary.get("status") == "optimal":
        wanted = _number((plan.files.scenario.get("solver") or {}).get("gap"))
        loose = max(TIDYING_CNY / max(turnover, 1.0), TIDYING) + 1e-6 * wanted
        if not gap <= wanted + loose:
            message = f"is {gap:.6g} in an optimal plan, solver.gap is {wanted:.6g}"
            note.add("gap", message, amount=gap - wanted)


def _check_worst(plan: Plan, note: Notes) -> None:
    said, right = plan.files.summary.get("worst_hours"), worst_hours(plan)
    ledger = plan.files.ledger
    rows = said if isinstance(said, list) and all(isinstance(x, Mapping) for x in said) else []
    if said != rows or len(rows) != len(right):
        note.add("worst_hours", f"should be {len(right)} steps, are {len(rows)}")
        return
    booked = {
        (row.component, row.line, row.period): -float(row.amount_cny)  # type: ignore[arg-type]
        for row in ledger[~ledger["cash"] & (ledger["amount_cny"] < 0)].itertuples()
    }  # fmt: skip
    for row, cost in zip(rows, right, strict=True):
        key = (row.get("component"), row.get("line"), row.get("time"))
        when = str(row.get("time"))
        _exact(note, "worst_hours", row.get("cost_cny"), cost, 0.011, "CNY", when)
        _exact(note, "worst_hours", row.get("cost_cny"), booked.get(key, 0.0), 0.011, "CNY", when)


def _slack(name: str, right: Any, summary: Mapping[str, Any]) -> float:
    """Return what rounding makes of a figure; the uplift divides two that are rounded."""
    if name != "uplift" or not right:
        return 2 * ROUNDED
    by_use = summary.get("value_by_use_cny_per_kwh")
    sale = abs(_number(by_use.get("compute_at_sale_price") if isinstance(by_use, Mapping) else 0.0))
    return 1e-3 + 3 * ROUNDED * float(right) / max(sale, ROUNDED)


def _compare(
    note: Notes, path: str, said: Any, right: Any, unit: str = "", slack: float = ROUNDED
) -> None:
    """Note where a part of the summary is not what it should be: a figure, or a tree of figures.

    A zero may be left out of the totals of money and energy.
    """
    if isinstance(right, Mapping):
        if not isinstance(said, Mapping):
            note.add(path, "is missing")
            return
        for key in sorted(right.keys() | said.keys()):
            if key not in said and not _empty(right[key], path):
                note.add(f"{path}.{key}", f"is missing, should be {right[key]}")
            elif key not in right:
                note.add(f"{path}.{key}", f"is {said[key]}, should not be there")
            elif key in said:
                _compare(note, f"{path}.{key}", said[key], right[key], unit, slack)
    elif right is None:
        if said is not None:
            note.add(path, f"is {said}, should be null")
    else:
        _exact(note, path, said, float(right), slack + SUM * abs(float(right)), unit)


def _empty(right: Any, path: str) -> bool:
    return (
        path.startswith(("ledger", "allocation")) and not isinstance(right, Mapping) and not right
    )


def _exact(
    note: Notes,
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
        note.add(name, message, amount=abs(value - right), unit=unit, when=when)


def _number(value: Any) -> float:
    """Return a number, or what breaks every comparison."""
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
    )
