"""The results of a stochastic plan as sections: its members, and what is decided for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from planner.components.component import Component
from planner.language.language import Language
from planner.language.section import Quantity, Row, Section
from planner.plan_tables.stochastic import StochasticTables
from planner.report.plan_sections import quantity_label
from planner.timeseries.schedule import columns_by_component
from planner.timeseries.series import Array
from planner.units import unit

ALWAYS = ("probability", "profit_cny", "alone_cny", "base_cny")


def members_section(members: Sequence[Mapping[str, Any]], words: Language) -> Section:
    """Return a row for each member, without the columns that are zero for all."""
    titles = {
        "probability": words("probability"),
        "profit_cny": words("profit [CNY]"),
        "alone_cny": words("planned alone [CNY]"),
        "base_cny": words("with the decisions of the base scenario [CNY]"),
        "unserved_mtok": words("tokens not served [Mtok]"),
        "shed_mwh": words("shed [MWh]"),
        "export_mwh": words("export [MWh]"),
        "starts": words("starts of thermal units"),
    }
    names = [name for name in titles if name in ALWAYS or any(row[name] for row in members)]
    return Section(
        words("Members"),
        (words("member"), *(titles[name] for name in names)),
        tuple((row["name"], *(row[name] for name in names)) for row in members),
    )


def decided_section(plan: StochasticTables, words: Language) -> Section:
    """Return what is decided before the future is known, the same for all members."""
    columns = columns_by_component(plan.here_and_now)
    step_h = float(plan.scenario.horizon.step_h)
    rows = [
        (name, *row)
        for name, quantities in columns.items()
        for row in _decisions(plan.scenario.components[name], quantities, step_h, words)
    ]
    heads = (words("component"), words("decision"), words("value"))
    return Section(words("Decided now, the same for all members"), heads, tuple(rows), labels=2)


def _decisions(
    part: Component, quantities: Mapping[str, Array], step_h: float, words: Language
) -> Iterator[Row]:
    """Yield the hours of states, starts, nodes, and energy declared; columns by quantity."""
    for state in part.states:
        values = _total(quantities, state.column)
        if values is None:
            continue
        if state.most is not None:
            yield words("nodes awake, mean"), Quantity(float(values.mean()), words("nodes"))
            continue
        yield words.term(state.first), Quantity(float(values.sum() * step_h), "h")
        if (begun := _total(quantities, state.begins)) is not None:
            yield words("number of starts"), float(begun.sum())
    for quantity, values in quantities.items():
        if unit(quantity) == "MW":
            energy = Quantity(float(values.sum() * step_h), "MWh")
            yield quantity_label(quantity, words), energy


def _total(quantities: Mapping[str, Array], name: str) -> Array | None:
    """Return the sum of the columns of a quantity over its indices; None where there is none."""
    columns = [values for key, values in quantities.items() if key.partition("[")[0] == name]
    return np.sum(columns, axis=0) if columns else None
