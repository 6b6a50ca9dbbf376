"""What batteries hold, by origin, and how they are charged and discharged."""

from __future__ import annotations

from typing import Any

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import BLACK, ORIGIN_COLOURS, PURPLE, text
from planner.report.charts.view import LEAST, View

PATTERNS = {"renewable": "", "thermal": "\\", "grid": ".", "pooled": ""}


def storage_chart(view: View, words: Language) -> Chart | None:
    """Stored energy by origin, MWh, charge and discharge, MW."""
    panels: list[Panel] = []
    for name, part in view.of_kind("battery").items():
        panels += [_energy(view, words, name, part), _power(view, words, name)]
    if not panels:
        return None
    sentence = words(
        "Stored energy moves evenly between the ends of the steps. Charge above zero, discharge"
        " below, measured at the node."
    )
    chart = chart_over_time("storage", words("Storage"), sentence, panels, words)
    chart.figure["layout"] |= {"barmode": "overlay", "bargap": 0}
    return chart


def _energy(view: View, words: Language, name: str, part: Any) -> Panel:
    clock, columns = view.clock, view.values[name]
    divisor, unit = words.scale("MWh", float(part.capacity_mwh))
    title = words("{battery}: stored energy", battery=text(name))
    panel = Panel(clock, title, unit, 150, name, {"rangemode": "tozero"})
    start_mwh = {"pooled": part.initial.total(), **part.initial.by_origin()}
    for origin in ORIGIN_COLOURS:
        if (column := f"energy_mwh[{origin}]") not in columns:
            continue
        start, ends = start_mwh[origin] / divisor, clock.state(columns[column]) / divisor
        if max(start, ends.max()) * divisor <= LEAST:
            continue
        label, end = words("stored"), words("stored at the end")
        if origin != "pooled":
            label = words("from {origin}", origin=words.term(origin))
            end = words("stored at the end, from {origin}", origin=words.term(origin))
        style = ORIGIN_COLOURS[origin], PATTERNS[origin]
        panel.area(
            label, ends, f"{name} energy", style, origin, start=start,
            column=f"{name}: {end} [{unit}]",
        )  # fmt: skip
    limits = {
        "capacity": (words("capacity"), part.capacity_mwh, "dash"),
        "least": (words("least energy"), part.min_energy_mwh, "dot"),
    }
    for group, (label, mwh, dash) in limits.items():
        if mwh:
            panel.level(label, mwh / divisor, group, width=1.6, dash=dash, color=BLACK)
    return panel


def _power(view: View, words: Language, name: str) -> Panel:
    clock = view.clock
    title = words("{battery}: charge and discharge", battery=text(name))
    panel = Panel(clock, title, "MW", 100, name, {"zeroline": True})
    charge, discharge = (
        clock.flow(view.total(name, quantity)) for quantity in ("charge_mw", "discharge_mw")
    )
    panel.bars(words("charge"), charge + 0.0, "charge", (PURPLE, "/"))
    panel.bars(words("discharge"), 0.0 - discharge, "discharge", (PURPLE, ""))
    return panel
