"""Audit of the summary: every total follows from the tables and the scenario.

    objective_cny, turnover_cny, cash_profit_cny, non_cash_cny, net_after_outside_cny
                 sums of the ledger, to 1e-6 of the turnover and 1e-6 CNY a row
    bound_cny    upper bound of the profit of any plan: at least the objective
    gap          bound less objective, relative to turnover; within `solver.gap`, and what smoothing
                 may cost, where the status is optimal
    gap_of_profit    the same difference, relative to the profit or loss; none where it is 0
    status       optimal, work_limit, time_limit, interrupted, relaxed (exactly when `solver.relax`
                 asks) or settled: a given schedule, whose bound and gaps may be unknown
    ledger_cny, allocation_mwh, outside_objective_cny, figures   totals by component, line, origin
    value_cny_per_kwh, value_by_use_cny_per_kwh, uplift   revenue of a kWh by origin and use: sold,
                 that of its origin; in compute, the revenue of compute in the step per kWh that it
                 drew, whatever the origin. A kWh or less has no value
    green        the official shares of renewable energy, and the range of each that the energy of
                 the same meters could have by another attribution to its origins
    carbon       emissions, and emission factors of a MWh and a Mtok
    worst_hours  the five costliest penalties
    year         the profit of each month, and how far it may be below the bound: with what belongs
                 to no month, the whole
    name, description, vat, currency, start, hours, step_min, timezone, components   equal to the
                 scenario

Runtimes, versions, size and warnings of the solver, and sources of curves, follow from nothing and
are not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from planner.auditor.findings import PLAN, Array, Findings, Notes, Whole, measurable, number
from planner.auditor.reading import Line, Plan
from planner.auditor.shares import ROUNDED, carbon, check_ranges, green
from planner.auditor.tables import outside
from planner.errors import as_written
from planner.message import Message

STATUS = ("optimal", "work_limit", "time_limit", "interrupted", "relaxed", "settled")
SUM = 1e-6  # of the turnover: how far a sum of money may be off, besides the rounding of its parts
TIDYING_CNY, TIDYING = 0.01, 1e-7  # profit that tidying may give away, absolute or relative
WORST = 5
MIN_CNY = 0.005


def values(plan: Plan) -> dict[str, Any]:
    """Return value_cny_per_kwh, value_by_use_cny_per_kwh and uplift as they should be."""
    compute, revenue = _by_origin(plan, "compute"), [line for line in plan.lines if line.use]
    earned = _compute_revenue(plan, revenue)
    total = plan.sum(compute.values())
    rate = np.divide(earned, total, out=np.zeros(plan.clock.steps), where=total > 1e-9)
    sold, sales = _sales(plan, revenue)
    by_origin: dict[str, dict[str, float]] = {}
    forgone = 0.0
    for o in plan.origins:
        by_origin[o] = {}
        if measurable(sold[o]):
            by_origin[o]["export"] = sales[o] / sold[o] / 1000
        if measurable(compute[o].sum()):
            by_origin[o]["compute"] = float((rate * compute[o]).sum() / compute[o].sum() / 1000)
        price = _sale_price(plan, o)
        forgone += 0.0 if price is None else float((price * compute[o]).sum())
    drawn, exported = float(total.sum()), sum(sold.values())
    computed = float(earned.sum()) / drawn / 1000 if measurable(drawn) else None
    sale = forgone / drawn / 1000 if measurable(drawn) and forgone else None
    by_use = {
        "compute": computed,
        "export": sum(sales.values()) / exported / 1000 if measurable(exported) else None,
        "compute_at_sale_price": sale,
    }
    of_compute, of_sale = (round(x or 0.0, 6) for x in (computed, sale))
    uplift = of_compute / of_sale if of_compute and of_sale > 0 else None
    return {"value_cny_per_kwh": by_origin, "value_by_use_cny_per_kwh": by_use, "uplift": uplift}


def _by_origin(plan: Plan, use: str) -> dict[str, Array]:
    """Return MWh of a use by origin and step."""
    zero = np.zeros(plan.clock.steps)
    return {o: plan.allocation.by_step.get((o, use), zero) for o in plan.origins}


def _compute_revenue(plan: Plan, revenue: list[Line]) -> Array:
    """Return the revenue of compute by step, CNY, from the ledger."""
    names = dict.fromkeys((line.component, line.name) for line in revenue if line.use == "compute")
    booked = plan.ledger.by_step
    return plan.sum(booked[name] for name in names if name in booked)


def _sales(plan: Plan, revenue: list[Line]) -> tuple[dict[str, float], dict[str, float]]:
    """Return MWh sold and their revenue, CNY, by origin."""
    earned = dict.fromkeys(plan.origins, 0.0)
    for line in revenue:
        if line.use == "export":
            earned[line.origin] += plan.ledger.totals.get((line.component, line.name), 0.0)
    return {o: float(mwh.sum()) for o, mwh in _by_origin(plan, "export").items()}, earned


def _sale_price(plan: Plan, origin: str) -> Array | None:
    """Return the best price at which energy of an origin could be sold, CNY/MWh."""
    prices = [plan.audit(part).sale_price(plan, part) for part in plan.parts.values()]
    known = [by_origin[origin] for by_origin in prices if origin in by_origin]
    return np.max(known, axis=0) if known else None


def worst_hours(plan: Plan) -> list[float]:
    """Return the largest penalties of a step, CNY, the costliest first."""
    rows, costs = _penalties(plan)
    of_steps = costs[(costs > MIN_CNY) & (plan.ledger.steps[rows] >= 0)]
    return sorted(of_steps.tolist(), reverse=True)[:WORST]


def _penalties(plan: Plan) -> tuple[Whole, Array]:
    """Return the rows of the ledger that cost something and are not cash, and their costs, CNY."""
    cash, amounts = (plan.files.ledger[name].to_numpy() for name in ("cash", "amount_cny"))
    rows = np.flatnonzero(~cash & (amounts < 0))
    return rows, -amounts[rows]


def check_summary(plan: Plan, findings: Findings) -> None:
    """Note every total of the summary that does not follow from the tables."""
    note, summary = findings.of(PLAN), plan.files.summary
    _check_scenario(plan, note)
    _check_money(plan, note)
    totals = _tree(plan.ledger.totals)
    _compare(note, "ledger_cny", summary.get("ledger_cny"), totals, "CNY")
    money = "outside_objective_cny"
    _compare(note, money, summary.get(money), outside(plan), "CNY")
    mwh = _tree(plan.allocation.totals)
    _compare(note, "allocation_mwh", summary.get("allocation_mwh"), mwh, "MWh")
    figures = {name: plan.audit(part).figures(plan, part) for name, part in plan.parts.items()}
    _compare(note, "figures", summary.get("figures"), figures)
    for name, expected in values(plan).items():
        off = _slack(name, expected, summary)
        _compare(note, name, summary.get(name), expected, slack=off)
    _compare(note, "green", _without(summary.get("green"), "least", "most"), green(plan))
    check_ranges(plan, note)
    emissions, slack = carbon(plan)
    _compare(note, "carbon", summary.get("carbon"), emissions, slack=slack)
    _check_worst(plan, note)


def _without(tree: Any, *names: str) -> Any:
    """Return a mapping of the summary without some of its entries; anything else as it is."""
    if not isinstance(tree, Mapping):
        return tree
    return {name: value for name, value in tree.items() if name not in names}


def _tree(sums_by_pair: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    tree: dict[str, dict[str, float]] = {}
    for (first, second), amount in sums_by_pair.items():
        tree.setdefault(first, {})[second] = amount
    return tree


def _check_scenario(plan: Plan, note: Notes) -> None:
    """Note what the summary repeats of the scenario and repeats wrongly."""
    scenario, summary = plan.files.scenario, plan.files.summary
    repeated = {name: scenario.get(name) for name in ("name", "description", "vat", "currency")}
    repeated |= {"start": plan.clock.stamps[0], "step_min": plan.clock.step_min}
    repeated["timezone"] = scenario["horizon"].get("timezone")
    repeated |= {"components": {name: part.kind for name, part in plan.parts.items()}}
    for name, expected in repeated.items():
        value = summary.get(name)
        if value != expected:
            message = Message(
                "is {value}, should be {expected} as in the scenario",
                value=_written(value), expected=_written(expected),
            )  # fmt: skip
            note.add(name, message)
    _compare(note, "hours", summary.get("hours"), plan.clock.hours, "h")
    status = summary.get("status")
    relax = bool((scenario.get("solver") or {}).get("relax"))
    if status not in STATUS:
        message = Message(
            "must be one of {kinds}, is {value}", kinds=", ".join(STATUS), value=as_written(status)
        )
        note.add("status", message)
    elif (status == "relaxed") != relax:
        message = Message(
            "is {value}, but solver.relax is {relax}", value=status, relax=as_written(relax)
        )
        note.add("status", message)


def _written(value: Any) -> str:
    """Return a value of the summary as text, a mapping with its keys and values."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_written(part)}" for key, part in value.items())
    return as_written(value)


def _check_money(plan: Plan, note: Notes) -> None:
    ledger, summary = plan.files.ledger, plan.files.summary
    amounts = ledger["amount_cny"].to_numpy()
    turnover, total = float(np.abs(amounts).sum()), float(amounts.sum())
    cash = float(amounts[ledger["cash"].to_numpy()].sum())
    aside = sum(amount for by_line in outside(plan).values() for amount in by_line.values())
    slack = SUM * max(turnover, 1.0) + ROUNDED * len(ledger)
    for name, expected, size in (
        ("objective_cny", total, 0.0),
        ("turnover_cny", turnover, 0.0),
        ("cash_profit_cny", cash, 0.0),
        ("non_cash_cny", total - cash, 0.0),
        ("net_after_outside_cny", cash + aside, abs(aside)),
    ):
        _exact(note, name, summary.get(name), expected, slack + SUM * size, "CNY")
    if summary.get("status") == "settled" and summary.get("bound_cny") is None:
        for name in ("gap", "gap_of_profit"):
            if summary.get(name) is not None:
                note.add(name, Message("has a value, but no bound is known"))
        return
    objective, bound = (number(summary.get(name)) for name in ("objective_cny", "bound_cny"))
    short = objective - bound
    if not short <= ROUNDED + 1e-9 * turnover:
        message = Message(
            "is {value}, below the objective of {other}",
            value=note.figure(bound, "CNY", 12), other=note.figure(objective, "CNY", 12),
        )  # fmt: skip
        note.add("bound_cny", message, amount=short, unit="CNY")
    of_profit, slack = gap_of_profit(objective, bound)
    _compare(note, "gap_of_profit", summary.get("gap_of_profit"), of_profit, slack=slack)
    gap = max(-short, 0.0) / max(turnover, 1.0)
    slack = 3 * ROUNDED / max(turnover, 1.0) + 1e-6 * gap + 1e-11
    _exact(note, "gap", summary.get("gap"), gap, slack)
    if summary.get("status") == "optimal":
        solver = plan.files.scenario.get("solver") or {}
        max_gap = number(solver.get("gap")) + number(solver.get("smoothing_cost_share", 0.0))
        slack = max(TIDYING_CNY / max(turnover, 1.0), TIDYING) + 1e-6 * max_gap
        if not gap <= max_gap + slack:
            message = Message(
                "is {gap:.6g} in an optimal plan, solver.gap is {limit:.6g}", gap=gap, limit=max_gap
            )
            note.add("gap", message, amount=gap - max_gap)
    if "year" in summary:
        _check_year(note, summary["year"], ledger, bound - objective)


def _check_year(note: Notes, year: Any, ledger: Any, missing: float) -> None:
    """Note months whose profit is not that of the ledger, and a gap by month that is not whole."""
    of_month = ledger["amount_cny"].groupby(ledger["period"].str[:7]).sum()
    months = year.get("months", ()) if isinstance(year, Mapping) else ()
    if not months:
        note.add("year.months", Message("is missing"))
        return
    for month in months:
        name, profit = month.get("month"), month.get("profit_cny")
        expected = float(of_month.get(name, 0.0))
        _exact(note, f"year.months.{name}.profit_cny", profit, expected, MIN_CNY * 2, "CNY")
    total = sum(number(month.get("missing_cny")) for month in months)
    slack = MIN_CNY * (len(months) + 2)
    _exact(note, "year.shared_cny", year.get("shared_cny"), missing - total, slack, "CNY")


def gap_of_profit(objective: float, bound: float) -> tuple[float | None, float]:
    """Return the gap relative to a profit or loss, and how far it may be off; None where it is 0.

    Both amounts are rounded, and so less than half a fen counts as 0.
    """
    profit = abs(objective)
    if profit < MIN_CNY:
        return None, 0.0
    gap = max(bound - objective, 0.0) / profit
    return gap, 3 * ROUNDED * (1 + gap) / profit + 1e-11


def _check_worst(plan: Plan, note: Notes) -> None:
    rule, expected = "worst_hours", worst_hours(plan)
    listed = plan.files.summary.get(rule)
    rows = (
        listed if isinstance(listed, list) and all(isinstance(x, Mapping) for x in listed) else []
    )
    if listed != rows or len(rows) != len(expected):
        note.add(rule, Message("should be {n} steps, are {rows}", n=len(expected), rows=len(rows)))
        return
    penalties, costs = _penalties(plan)
    places = plan.files.ledger[["component", "line", "period"]].to_numpy()[penalties]
    booked = dict(zip(map(tuple, places), costs.tolist(), strict=True))
    for row, cost in zip(rows, expected, strict=True):
        time = str(row.get("time"))
        booked_cost = booked.get((row.get("component"), row.get("line"), row.get("time")), 0.0)
        for value in (cost, booked_cost):
            _exact(note, rule, row.get("cost_cny"), value, 0.011, "CNY", time)


def _slack(name: str, expected: Any, summary: Mapping[str, Any]) -> float:
    """Return the rounding error of a figure; the uplift divides two that are rounded."""
    if name != "uplift" or not expected:
        return 2 * ROUNDED
    by_use = summary.get("value_by_use_cny_per_kwh")
    sale = abs(number(by_use.get("compute_at_sale_price") if isinstance(by_use, Mapping) else 0.0))
    return 1e-3 + 3 * ROUNDED * float(expected) / max(sale, ROUNDED)


def _compare(
    note: Notes, path: str, value: Any, expected: Any, unit: str = "",
    slack: float | Mapping[str, Any] = ROUNDED,
) -> None:  # fmt: skip
    """Note where a figure of the summary, or one in a tree of figures, is not what is expected.

    slack: how far they may be off, one for all or a tree as theirs, ROUNDED where it names none.
    A zero may be left out of the totals of money and energy.
    """
    if isinstance(expected, Mapping):
        if not isinstance(value, Mapping):
            note.add(path, Message("is missing"))
            return
        for key in sorted(expected.keys() | value.keys()):
            inner = f"{path}.{key}"
            if key not in value:
                if not _may_be_left_out(expected[key], path):
                    text = _written(expected[key])
                    note.add(inner, Message("is missing, should be {expected}", expected=text))
            elif key not in expected:
                text = _written(value[key])
                note.add(inner, Message("is {value}, should not be there", value=text))
            else:
                below = slack.get(key, ROUNDED) if isinstance(slack, Mapping) else slack
                _compare(note, inner, value[key], expected[key], unit, below)
    elif expected is None:
        if value is not None:
            texts = {"value": _written(value), "expected": _written(None)}
            note.add(path, Message("is {value}, should be {expected}", **texts))
    elif isinstance(slack, float):
        _exact(note, path, value, float(expected), slack + SUM * abs(float(expected)), unit)


def _may_be_left_out(expected: Any, path: str) -> bool:
    return path.startswith(("ledger", "allocation")) and expected == 0


def _exact(
    note: Notes, rule: str, value: Any, expected: float, slack: float, unit: str = "",
    when: str = "",
) -> None:  # fmt: skip
    """Compare one figure of the summary, to `slack`."""
    actual = number(value)
    if not abs(actual - expected) <= slack:
        message = Message(
            "is {value}, should be {expected}",
            value=note.figure(actual, unit, 12), expected=note.figure(expected, unit, 12),
        )  # fmt: skip
        note.add(rule, message, amount=abs(actual - expected), unit=unit, when=when)
