"""Audit of prices.csv and why.csv: complete, and in line with the schedule and the summary.

prices.csv:

time, component, number, twice   each row is of a step or the horizon and of a component or a node,
               holds a number, and occurs once
QUANTITY.total the price over the horizon is the mean of its steps where it is one per MWh or Mtok
               (weighted with the tokens answered for the prices of a service), else their sum, with
               the part that belongs to no step (`once`)
green_premium  value of renewable energy less that of the other origin, in every step
price          the actual price of a service is that of the scenario
QUANTITY.first  the worth of a first unit is of the horizon, and known to within an amount
summary.prices the summary has every total and every worth of a first unit, and no other

Whether the prices are right follows from no table: that takes the model.

why.csv, where each reason must agree with the schedule:

time, component, decision   each row is of a step, a component, and a decision of its kind; a
               decision that has reasons has one for every step
CODE           the code agrees with the schedule: a battery that discharges gives power, a full one
               holds all it can, a flow at its limit equals it

The figures of the reasons are prices; they follow from no table and are not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.amounts import groups
from planner.auditor.findings import PLAN, Findings, Notes, column_is, number
from planner.auditor.plan_files import PRICES, SUMMARY, WHY, as_times
from planner.auditor.reading import Plan, column_of
from planner.message import Message

ONCE, FIRST = "once", "first"
ROUNDED = 2e-6
OF_A_SERVICE = ("break_even_cny_per_mtok", "price_cny_per_mtok")
PER_AMOUNT = ("_cny_per_mwh", "_cny_per_mtok", "mtok_per_h")  # priced per MWh or Mtok

Totals = dict[tuple[str, str], float]  # by component and quantity
Series = dict[tuple[str, str, str], dict[int, float]]  # by step from 0 on, the horizon is -1


def check_prices(plan: Plan, findings: Findings) -> None:
    """Note what is wrong with the prices of a plan; most plans have none."""
    table, summary = plan.files.prices, plan.files.summary.get("prices")
    if table is None or summary is None:
        if table is not None or summary is not None:
            message = Message(
                "{name} and the summary must both have prices, or neither", name=PRICES
            )
            findings.of(PLAN).add("prices", message)
        return
    series = _series(plan, table, findings)
    if series is None:
        return
    totals: Totals = {}
    first_units: Totals = {}
    for (component, quantity, index), values in series.items():
        *inside, part = index.split("|")
        note = findings.of(component)
        if part == FIRST:
            if [*values] != [-1]:
                message = Message("the worth of a first unit must be one for the horizon")
                note.add(f"{quantity}.first", message)
            name = column_of(quantity, *inside)
            first_units[component, name] = values.get(-1, np.nan)
        elif part != ONCE and -1 not in values:
            note.add(f"{quantity}.total", Message("has no price over the horizon"))
        elif part != ONCE:
            name = f"{quantity}[{index}]" if index else quantity
            totals[component, name] = values[-1]
            once = series.get((component, quantity, f"{index}|{ONCE}".lstrip("|")), {}).get(-1, 0.0)
            _check_total(plan, component, quantity, name, values, once, note)
    _check_premium(plan, series, findings)
    _check_price(plan, series, findings)
    _check_summary(summary, totals, first_units, findings)


def _check_total(
    plan: Plan, component: str, quantity: str, name: str, values: Mapping[int, float], once: float,
    note: Notes,
) -> None:  # fmt: skip
    by_step = {step: value for step, value in values.items() if step >= 0}
    if by_step:
        expected = _total(plan, component, quantity, by_step) + once
        slack = ROUNDED * (len(by_step) if not quantity.endswith(PER_AMOUNT) else 1)
        what = Message("{name} over the horizon is", name=name)
        note.equal(f"{quantity}.total", what, values[-1], expected, when="", slack=slack)


def _series(plan: Plan, table: pd.DataFrame, findings: Findings) -> Series | None:
    texts, note = table["time"], findings.of(PLAN)
    timed = (texts != "").to_numpy()
    steps = np.full(len(table), -1)
    steps[timed] = plan.clock.index.get_indexer(as_times(texts[timed], plan.files.folder / PRICES))
    if (steps[timed] < 0).any():
        time = texts[timed][steps[timed] < 0].iloc[0]
        note.add("prices.time", Message("{time} is the start of no step", time=time))
        return None
    values = table["value"].to_numpy()
    if not np.isfinite(values).all():
        note.add("prices.number", Message("a price is not a number"))
        return None
    flows = (flow for part in plan.parts.values() for flow in plan.audit(part).flows(plan, part))
    nodes = {node for node, _, _ in flows}
    for name in sorted(set(table["component"]) - plan.parts.keys() - nodes):
        findings.of(name).add("prices.component", Message("is neither a component nor a node"))
    if table.duplicated(["time", "component", "quantity", "index"]).any():
        note.add("prices.twice", Message("a price has more than one row"))
    series: Series = {}
    columns = (table[name].to_numpy() for name in ("component", "quantity", "index"))
    for *key, step, value in zip(*columns, steps.tolist(), values.tolist(), strict=True):
        series.setdefault(tuple(key), {})[step] = value
    return series


def _total(plan: Plan, component: str, quantity: str, by_step: Mapping[int, float]) -> float:
    steps, values = np.array(list(by_step)), np.array(list(by_step.values()))
    if not quantity.endswith(PER_AMOUNT):
        return float(values.sum())
    weights = np.ones(len(steps))
    if quantity in OF_A_SERVICE and component in plan.parts:
        answered = plan.parts[component].columns.get("answered_mtok_per_h")
        if answered is not None and answered[steps].sum() > 1e-9:
            weights = answered[steps]
    return float(values @ weights / weights.sum())


def _check_premium(plan: Plan, series: Series, findings: Findings) -> None:
    for (node, quantity, origin), values in series.items():
        if quantity != "green_premium_cny_per_mwh":
            continue
        green, other = (
            series.get((node, "value_cny_per_mwh", o), {}) for o in ("renewable", origin)
        )
        what = Message("premium over {origin} energy is", origin=origin)
        for step, value in values.items():
            expected = green.get(step, np.nan) - other.get(step, np.nan)
            when = plan.clock.times[step] if step >= 0 else ""
            findings.of(node).equal("green_premium", what, value, expected, "CNY/MWh",
                                    when=when, slack=ROUNDED)  # fmt: skip


def _check_price(plan: Plan, series: Series, findings: Findings) -> None:
    for part in plan.parts.values():
        price = plan.audit(part).token_price(part)
        if price is None:
            continue
        for step, value in series.get((part.name, "price_cny_per_mtok", ""), {}).items():
            if step >= 0:
                findings.of(part.name).equal(
                    "price", Message("price is"), value, float(price[step]), "CNY/Mtok",
                    when=plan.clock.times[step], slack=ROUNDED,
                )  # fmt: skip


def _check_summary(summary: Any, totals: Totals, first_units: Totals, findings: Findings) -> None:
    listed = summary.get("totals") if isinstance(summary, Mapping) else None
    if not isinstance(listed, Mapping) or not str(summary.get("hold") or ""):
        message = Message(
            "must have the totals of the prices, and under which conditions they hold"
        )
        findings.of(PLAN).add("summary.prices", message)
        return
    _check_listed(_by_pair(listed), totals, "", findings)
    worths = {}
    for (name, quantity), entry in _by_pair(summary.get("first_unit", {})).items():
        known = entry if isinstance(entry, Mapping) else {}
        worths[name, quantity] = known.get("worth")
        if not number(known.get("within")) >= 0:
            message = Message("the worth of a first unit must be known to within an amount")
            findings.of(name).add(f"{quantity.partition('[')[0]}.first", message)
    _check_listed(worths, first_units, f"[{FIRST}]", findings)


def _by_pair(tree: Any) -> dict[tuple[str, str], Any]:
    """Return the entries of the summary by component and quantity."""
    return {
        (name, quantity): entry
        for name, by_quantity in (tree.items() if isinstance(tree, Mapping) else ())
        for quantity, entry in (
            by_quantity.items() if isinstance(by_quantity, Mapping) else [("", by_quantity)]
        )
    }


def _check_listed(
    listed: Mapping[tuple[str, str], Any], expected: Totals, mark: str, findings: Findings
) -> None:
    """Note where the summary lists other figures than the table; names end in `mark`."""
    rule = "summary.prices"
    for name, quantity in sorted(listed.keys() ^ expected.keys()):
        file = SUMMARY if (name, quantity) in expected else PRICES
        message = Message("{name} is missing in {file}", name=quantity + mark, file=file)
        findings.of(name).add(rule, message)
    for name, quantity in listed.keys() & expected.keys():
        value, what = number(listed[name, quantity]), column_is(quantity + mark)
        findings.of(name).equal(rule, what, value, expected[name, quantity],
                                when="", slack=ROUNDED)  # fmt: skip


def check_reasons(plan: Plan, findings: Findings) -> None:
    """Note every row of why.csv that contradicts the schedule."""
    table = plan.files.why
    if table is None or not len(table):
        return
    steps = plan.clock.index.get_indexer(as_times(table["time"], plan.files.folder / WHY))
    if (steps < 0).any():
        time = table["time"].iloc[int(np.flatnonzero(steps < 0)[0])]
        findings.of(PLAN).add("why.time", Message("{time} is the start of no step", time=time))
        return
    codes = {name: plan.audit(part).codes(plan, part) for name, part in plan.parts.items()}
    for (name, decision), rows in groups(table, "component", "decision").items():
        possible, note = codes.get(name, {}).get(decision), findings.of(name)
        own_steps, own_codes = steps[rows], table["code"].to_numpy()[rows]
        if possible is None:
            note.add("why", Message("no component of this name decides {name}", name=decision))
            continue
        if len(own_steps) != plan.clock.steps or len(np.unique(own_steps)) != len(own_steps):
            message = Message(
                "{name} has {n} reasons, should have one for each of the {steps} steps",
                name=decision, n=len(own_steps), steps=plan.clock.steps,
            )  # fmt: skip
            note.add("why", message)
        for code in set(own_codes):
            at = own_steps[own_codes == code]
            rule = f"why.{code}"
            message = Message("the schedule contradicts {name} {text}", name=decision, text=code)
            if code not in possible:
                rule = "why"
                message = Message("{name} has no code {text}", name=decision, text=repr(code))
            else:
                at = at[~possible[code][at]]
            for step in at:
                note.add(rule, message, when=plan.clock.times[step])
