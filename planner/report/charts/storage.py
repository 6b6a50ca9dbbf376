"""Stored energy of batteries by origin, their charge and discharge, and what else is stored.

What a component leaves for later steps in another unit than MWh has a panel of its own. Work that
waits to be answered is drawn beside its tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.components.component import ORIGINS
from planner.components.terms import Storage
from planner.fields import Frozen, is_number
from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import BLACK, FROM_ZERO, GREY, ORIGIN_COLOURS, PURPLE
from planner.report.charts.view import LEAST, View
from planner.report.plan_sections import quantity_label
from planner.units import unit

PATTERNS = {"renewable": "", "thermal": "\\", "grid": ".", "pooled": ""}


def storage_chart(view: View, words: Language) -> Chart | None:
    """Stored energy by origin, MWh, charge and discharge, MW."""
    panels = [
        panel
        for name, part in view.components.items()
        if (store := part.storage()) is not None
        for panel in (_energy(view, words, name, store), _power(view, words, name))
    ]
    panels += _others(view, words)
    if not panels:
        return None
    caption = words(
        "Stored energy is interpolated between the ends of the steps. Charge is above zero,"
        " discharge below; both are measured at the node."
    )
    chart = chart_over_time("storage", words("Storage"), caption, panels, words)
    chart.figure["layout"] |= {"barmode": "overlay", "bargap": 0}
    return chart


def _energy(view: View, words: Language, name: str, store: Storage) -> Panel:
    divisor, unit = words.scale("MWh", store.capacity_mwh)
    shown = view.plan.titled(name)
    title = words("{battery}: stored energy", battery=shown)
    panel = Panel(view.clock, title, unit, 150, shown, FROM_ZERO)
    for origin, mwh in view.by_index("energy_mwh", [name]).items():
        start, ends = store.start_mwh.get(origin, 0.0) / divisor, view.clock.state(mwh) / divisor
        if max(start, ends.max()) * divisor <= LEAST:
            continue
        label, end = words("stored"), words("stored at the end")
        if origin in ORIGINS:
            label = words("from {origin}", origin=words.term(origin))
            end = words("stored at the end, from {origin}", origin=words.term(origin))
        style = ORIGIN_COLOURS.get(origin, GREY), PATTERNS.get(origin, "")
        panel.area(
            label, ends, f"{name} energy", style, origin, start=start,
            column=f"{shown}: {end} [{unit}]",
        )  # fmt: skip
    for group, label, limit_mwh, dash in (
        ("capacity", words("capacity"), store.capacity_mwh, "dash"),
        ("least", words("least energy"), store.least_mwh, "dot"),
    ):
        if limit_mwh:
            panel.level(label, limit_mwh / divisor, group, width=1.6, dash=dash, color=BLACK)
    return panel


def _power(view: View, words: Language, name: str) -> Panel:
    clock, shown = view.clock, view.plan.titled(name)
    title = words("{battery}: charge and discharge", battery=shown)
    panel = Panel(clock, title, "MW", 100, shown, {"zeroline": True})
    charge, discharge = (
        clock.flow(view.total(name, quantity)) for quantity in ("charge_mw", "discharge_mw")
    )
    panel.bars(words("charge"), charge + 0.0, "charge", (PURPLE, "/"))
    panel.bars(words("discharge"), 0.0 - discharge, "discharge", (PURPLE, ""))
    return panel


def _others(view: View, words: Language) -> Iterator[Panel]:
    """Yield a panel for each amount that is stored in another unit than MWh, or in no battery."""
    for name, part in view.components.items():
        shown = view.plan.titled(name)
        for column in part.carries:
            drawn = part.storage() if column == "energy_mwh" else part.token_demand()
            if drawn is not None or not view.has(name, column):
                continue
            label, measured = quantity_label(column, words), words(unit(column) or "")
            title = words("{name}: {quantity}", name=shown, quantity=label)
            panel = Panel(view.clock, title, measured, 100, shown, FROM_ZERO)
            ends = view.clock.state(view.total(name, column))
            initial: Any = getattr(part, "initial", None)
            known = isinstance(initial, Mapping | Frozen)
            start = dict(initial).get(column) if known else None
            panel.line(
                words("stored"), ends, "amount", start=start if is_number(start) else np.nan,
                color=PURPLE,
            )  # fmt: skip
            yield panel
