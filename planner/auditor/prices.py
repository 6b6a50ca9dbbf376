"""Whether prices.csv and why.csv are whole and agree with the schedule and the summary.

prices.csv:

time, component, number, twice   each row is a step or the horizon, of a component or a node, a
               number, and stands there once
QUANTITY.total the price over the horizon is the mean of its steps where it is one per MWh or Mtok
               (weighted with what is answered for the prices of a service), else their sum, with
               what belongs to no step (`once`)
green_premium  value of renewable energy less that of the other origin, in every step
price          the actual price of a service is that of the scenario
summary.prices every total stands in the summary, and nothing else does

That the prices are right follows from no table: it takes the model.

why.csv, where what it says a component does is what the schedule says it does:

time, component, decision   each stands for a step, a component, and a decision its kind takes; a
               decision that is told at all is told in every step, once
CODE           the code agrees with the schedule: who discharges gives power, who is full holds all
               it can, who is at a limit is there

The figures of the reasons are prices; they follow from no table and are not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.findings import PLAN, Findings
from planner.auditor.plan_files import PRICES, WHY, as_times, groups
from planner.auditor.reading import Plan

ONCE = "once"
ROUNDED = 2e-6
OF_A_SERVICE = ("break_even_cny_per_mtok", "price_cny_per_mtok")
PER_AMOUNT = ("_cny_per_mwh", "_cny_per_mtok", "mtok_per_h")  # what is priced by the MWh or Mtok

Lines = dict[tuple[str, str, str], dict[int, float]]  # by step from 0 on, the horizon is -1


def check_prices(plan: Plan, found: Findings) -> None:
    """Note what is wrong with the prices of a plan; most plans have none."""
    table, said = plan.files.prices, plan.files.summary.get("prices")
    if table is None or said is None:
        if table is not None or said is not None:
            found.of(PLAN).add(
                "prices", f"{PRICES} and the summary must both have prices, or neither"
            )
        return
    lines = _lines(plan, table, found)
    if lines is None:
        return
    totals: dict[str, dict[str, float]] = {}
    for (component, quantity, index), values in lines.items():
        if index.split("|")[-1] == ONCE:
            continue
        if -1 not in values:
            found.of(component).add(f"{quantity}.total", "has no price over the horizon")
            continue
        name = f"{quantity}[{index}]" if index else quantity
        totals.setdefault(component, {})[name] = values[-1]
        by_step = {step: value for step, value in values.items() if step >= 0}
        once = lines.get((component, quantity, f"{index}|{ONCE}".lstrip("|")), {}).get(-1, 0.0)
        if by_step:
            right = _total(plan, component, quantity, by_step) + once
            slack = ROUNDED * (len(by_step) if not quantity.endswith(PER_AMOUNT) else 1)
            what = f"{name} over the horizon is"
            note = found.of(component)
            note.equal(f"{quantity}.total", what, values[-1], right, when="", slack=slack)
    _check_premium(plan, lines, found)
    _check_price(plan, lines, found)
    _check_summary(said, totals, found)


def _lines(plan: Plan, table: pd.DataFrame, found: Findings) -> Lines | None:
    texts = table["time"]
    given = (texts != "").to_numpy()
    steps = np.full(len(table), -1)
    steps[given] = plan.clock.index.get_indexer(as_times(texts[given], plan.files.folder / PRICES))
    if (steps[given] < 0).any():
        found.of(PLAN).add("prices.time", f"{texts[given][steps[given] < 0].iloc[0]} is no step")
        return None
    values = table["value"].to_numpy()
    if not np.isfinite(values).all():
        found.of(PLAN).add("prices.number", "a price is no number")
        return None
    flows = (flow for part in plan.parts.values() for flow in plan.audit(part).flows(plan, part))
    nodes = {node for node, _, _ in flows}
    for name in sorted(set(table["component"]) - plan.parts.keys() - nodes):
        found.of(name).add("prices.component", "is neither a component nor a node")
    if table.duplicated(["time", "component", "quantity", "index"]).any():
        found.of(PLAN).add("prices.twice", "a price stands there twice")
    lines: Lines = {}
    columns = (table[name].to_numpy() for name in ("component", "quantity", "index"))
    for *key, step, value in zip(*columns, steps.tolist(), values.tolist(), strict=True):
        lines.setdefault(tuple(key), {})[step] = value
    return lines


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


def _check_premium(plan: Plan, lines: Lines, found: Findings) -> None:
    for (node, quantity, other), values in lines.items():
        if quantity != "green_premium_cny_per_mwh":
            continue
        own, of = (lines.get((node, "value_cny_per_mwh", o), {}) for o in ("renewable", other))
        for step, value in values.items():
            right = own.get(step, np.nan) - of.get(step, np.nan)
            when = plan.clock.times[step] if step >= 0 else ""
            found.of(node).equal("green_premium", f"premium over {other} is", value, right,
                                 "CNY/MWh", when=when, slack=ROUNDED)  # fmt: skip


def _check_price(plan: Plan, lines: Lines, found: Findings) -> None:
    for part in plan.parts.values():
        price = plan.audit(part).token_price(part)
        if price is None:
            continue
        for step, value in lines.get((part.name, "price_cny_per_mtok", ""), {}).items():
            if step >= 0:
                right, when = float(price[step]), plan.clock.times[step]
                note = found.of(part.name)
                note.equal("price", "price is", value, right, "CNY/Mtok", when=when, slack=ROUNDED)


def _check_summary(said: Any, totals: Mapping[str, Mapping[str, float]], found: Findings) -> None:
    listed = said.get("totals") if isinstance(said, Mapping) else None
    if not isinstance(listed, Mapping) or not str(said.get("hold") or ""):
        found.of(PLAN).add("summary.prices", "must hold what the prices hold for, and their totals")
        return
    flat = {
        (name, quantity): value
        for name, of in listed.items()
        for quantity, value in (of.items() if isinstance(of, Mapping) else [("", of)])
    }
    right = {(name, quantity): x for name, of in totals.items() for quantity, x in of.items()}
    for name, quantity in sorted(flat.keys() ^ right.keys()):
        where = "summary" if (name, quantity) in right else PRICES
        found.of(name).add("summary.prices", f"{quantity} is missing in the {where}")
    for key in flat.keys() & right.keys():
        value = flat[key]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        found.of(key[0]).equal("summary.prices", f"{key[1]} is", value if number else np.nan,
                               right[key], when="", slack=ROUNDED)  # fmt: skip


def check_why(plan: Plan, found: Findings) -> None:
    """Note every row of why.csv that the schedule does not bear out."""
    table = plan.files.why
    if table is None or not len(table):
        return
    steps = plan.clock.index.get_indexer(as_times(table["time"], plan.files.folder / WHY))
    if (steps < 0).any():
        text = table["time"].iloc[int(np.flatnonzero(steps < 0)[0])]
        found.of(PLAN).add("why.time", f"{text} is the start of no step")
        return
    for (name, decision), rows in groups(table, "component", "decision").items():
        part, note, own_steps = plan.parts.get(name), found.of(name), steps[rows].tolist()
        known = {} if part is None else plan.audit(part).codes(plan, part)
        if decision not in known:
            note.add("why", f"no such component takes a decision {decision!r}")
            continue
        if len(own_steps) != plan.clock.steps or len(set(own_steps)) != len(own_steps):
            counted = f"{len(own_steps)} of {plan.clock.steps} steps"
            note.add("why", f"{decision} stands for {counted}, each once")
        for code, at in zip(table["code"].to_numpy()[rows].tolist(), own_steps, strict=True):
            allowed = known[decision].get(code)
            when = plan.clock.times[at]
            if allowed is None:
                note.add("why", f"{decision} knows no code {code!r}", when=when)
            elif not allowed[at]:
                message = f"{decision} is said to be {code}, the schedule says otherwise"
                note.add(f"why.{code}", message, when=when)
