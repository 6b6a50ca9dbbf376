"""The compressed data of the panel "Why at an hour": reasons, and the values around them.

Each text is stored once and referred to by its number; the numbers are stored as differences, and
values as integers of their last digit. A year with thirteen components fits in half a megabyte.
Steps at the end of the horizon that do not fit in `MOST` are left out, with a note on the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.fields import Frozen
from planner.language.language import Language
from planner.plan_tables.tables import PlanTables
from planner.report.charts.view import View
from planner.report.plan_sections import quantity_label
from planner.report.template import packed_json
from planner.timeseries.series import Array
from planner.units import unit

MOST = 1_600_000  # characters of the packed text
DIGITS = 5  # of the largest value of a row
ROWS = 8  # of a component, at most
ASIDE = (None, "CNY", "GJ/h", "kW", "tCO2")  # units of columns that follow from the others

LabelledValues = tuple[str, str, Array]  # label, unit, a value for each step


def packed_reasons(plan: PlanTables, words: Language) -> tuple[str, int]:
    """Return the packed data of the panel and the number of steps it covers; 0 without reasons."""
    if plan.reasons.empty:
        return "", 0
    steps = plan.scenario.horizon.steps
    while True:
        text = packed_json(_reasons(plan, words, steps))
        if len(text) <= MOST or steps < 2:
            return text, steps
        steps = int(steps * min(0.9, MOST / len(text)))


def _reasons(plan: PlanTables, words: Language, steps: int) -> dict[str, Any]:
    view = View(plan)
    texts: dict[str, int] = {}

    def number(text: str) -> int:
        return texts.setdefault(text, len(texts))

    step_of = pd.Series(np.arange(len(plan.schedule)), index=plan.schedule.index)
    why = plan.reasons.assign(step=step_of.reindex(plan.reasons["time"]).to_numpy())
    why = why[why["step"] < steps]
    grouped: dict[str, list[dict[str, Any]]] = {}
    for (name, decision), part in why.groupby(["component", "decision"], sort=False):
        at = part["step"].to_numpy(dtype=int)
        columns = {}
        for column, translated in (("code", words.term), ("reason", words.sentence)):
            codes, unique = pd.factorize(part[column])
            numbers = np.full(steps, -1)
            numbers[at] = np.array([number(translated(str(text))) for text in unique])[codes]
            columns[column] = np.diff(numbers, prepend=0).tolist()
        by_step = {"decision": words.term(str(decision)), **columns}
        grouped.setdefault(str(name), []).append(by_step)
    prices = _prices(view, words)
    components = [
        {
            "name": plan.titled(name),
            "kind": words.term(plan.summary["components"].get(name, "")),
            "decisions": decisions,
            "rows": _rows([*_values(view, name, words), *prices.get(name, ())], steps),
        }
        for name, decisions in grouped.items()
    ]
    site = _rows(prices.get("site", ()), steps)
    return {"texts": list(texts), "components": components, "site": site}


def _rows(series: Iterable[LabelledValues], steps: int) -> list[dict[str, Any]]:
    """Return the first values as integers of their last digit; a single one if all are equal."""
    rows = []
    for label, per, every in series:
        values = every[:steps]
        finite = np.isfinite(values)
        largest = float(np.abs(values[finite]).max(initial=0.0))
        digits = DIGITS - int(np.ceil(np.log10(largest))) if largest > 0 else 0
        decimals = min(max(digits, 0), 6)
        scaled = np.round(np.nan_to_num(values) * 10.0**decimals).astype(np.int64).tolist()
        known = [n if ok else None for n, ok in zip(scaled, finite, strict=True)]
        if len(set(known)) == 1:
            known = known[:1]
        rows.append({"label": label, "unit": per, "decimals": decimals, "values": known})
    return rows


def _values(view: View, name: str, words: Language) -> Iterator[LabelledValues]:
    """Yield the columns of a component, summed over origins, and its series that vary."""
    columns, part = view.values[name], view.components[name]
    states = {state.column for state in part.states if state.most is None}
    quantities = dict.fromkeys(
        bare
        for bare, bracket, _ in (column.partition("[") for column in columns)
        if not bare.startswith("reserve")
        and (unit(bare) not in ASIDE or (bare in states and not bracket))
    )
    sums = ((bare, view.total(name, bare)) for bare in quantities)
    rows = [(bare, values) for bare, values in sums if np.abs(values).max() > 0]
    rows += _varying_series(part, view.clock.steps)
    for bare, values in rows[:ROWS]:
        yield quantity_label(bare, words), words(unit(bare) or ""), values


def _varying_series(component: Frozen, steps: int) -> Iterator[tuple[str, Array]]:
    """Yield the series of a component that vary: prices, limits, demand."""
    for field in type(component).model_fields:
        value = getattr(component, field)
        parts: Mapping[str, Any] = {"": value}
        if isinstance(value, Frozen):
            parts = {f"[{key}]": getattr(value, key) for key in type(value).model_fields}
        for index, series in parts.items():
            if (
                isinstance(series, np.ndarray)
                and series.shape == (steps,)
                and np.ptp(series) > 0
                and unit(field)
            ):
                yield f"{field}{index}", series


def _prices(view: View, words: Language) -> dict[str, list[LabelledValues]]:
    """Return the marginal prices of every component and of the site by step."""
    by_component: dict[str, list[LabelledValues]] = {}
    for (name, quantity, index), (per, values) in view.priced.items():
        if not np.abs(np.nan_to_num(values)).max():
            continue
        label = quantity_label(f"{quantity}[{index}]" if index else quantity, words)
        if "_cny_per_" not in quantity:
            label = words("one more unit: {quantity}", quantity=label)
        by_component.setdefault(name, []).append((label, words(per), values))
    return by_component
