"""What batteries hold, by origin, and how they are charged and discharged."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import (
    Panel,
    area,
    chart_over_time,
    columns_of,
    legend_once,
    points,
    table_over_time,
)
from planner.report.charts.style import (
    BLACK,
    NUMBER,
    ORIGIN_COLOURS,
    PURPLE,
    pattern,
    text,
)
from planner.report.charts.view import LEAST, View

PATTERNS = {"renewable": "", "thermal": "\\", "grid": ".", "pooled": ""}


def storage_chart(view: View, words: Language) -> Chart | None:
    """Return the chart, None where there is no battery."""
    panels: list[Panel] = []
    for name, part in view.of_kind("battery").items():
        panels += [_energy(view, words, name, part), _power(view, words, name)]
    if not panels:
        return None
    said = words(
        "Stored energy moves evenly between the ends of the steps. Charge above zero, discharge"
        " below, measured at the node."
    )
    figure = chart_over_time(panels, view.clock, legend_once(panels))
    figure["layout"] |= {"barmode": "overlay", "bargap": 0}
    return Chart(
        key="storage",
        title=words("Storage"),
        figure=figure,
        table=table_over_time(view.clock, words, columns_of(panels)),
        said=f"{said} {view.clock.said(words)}".strip(),
        over_time=True,
    )


def _energy(view: View, words: Language, name: str, part: Any) -> Panel:
    clock, columns = view.clock, view.values[name]
    divisor, unit = words.scale("MWh", float(part.capacity_mwh))
    panel = Panel(
        words("{battery}: stored energy", battery=text(name)), unit, 150,
        axis={"rangemode": "tozero"},
    )  # fmt: skip
    start = {"pooled": part.initial.total(), **part.initial.by_origin()}
    held = {o: columns[c] for o in ORIGIN_COLOURS if (c := f"energy_mwh[{o}]") in columns}
    for origin, values in held.items():
        ends = clock.state(values) / divisor
        drawn = np.append(start[origin] / divisor, ends)
        if drawn.max() * divisor <= LEAST:
            continue
        pooled = origin == "pooled"
        said = words("stored") if pooled else words("from {origin}", origin=words.term(origin))
        trace = points(clock, drawn, text(said), unit, legendgroup=origin)
        stacked = area(trace, f"{name} energy", ORIGIN_COLOURS[origin], PATTERNS[origin])
        end = words("stored at the end, from {origin}", origin=words.term(origin))
        end = words("stored at the end") if pooled else end
        panel.add(stacked, f"{name}: {end} [{unit}]", ends)
    limits = {
        "capacity": (words("capacity"), part.capacity_mwh, "dash"),
        "least": (words("least energy"), part.min_energy_mwh, "dot"),
    }
    for key, (said, mwh, dash) in limits.items():
        if mwh:
            line = {"shape": "linear", "width": 1.6, "dash": dash, "color": BLACK}
            trace = points(clock, np.full(2, mwh / divisor), said, unit, line=line, legendgroup=key)
            panel.traces.append(_ends(trace, clock.range))
    return panel


def _ends(trace: dict[str, Any], ends: list[str]) -> dict[str, Any]:
    """Return a trace that goes from the first moment to the last one."""
    return {key: v for key, v in trace.items() if key not in ("x0", "dx", "x")} | {"x": ends}


def _power(view: View, words: Language, name: str) -> Panel:
    clock = view.clock
    panel = Panel(
        words("{battery}: charge and discharge", battery=text(name)), "MW", 100,
        axis={"zeroline": True},
    )  # fmt: skip
    ways = (
        ("charge", words("charge"), "charge_mw", 1, PURPLE, "/"),
        ("discharge", words("discharge"), "discharge_mw", -1, PURPLE, ""),
    )
    for key, said, quantity, sign, colour, shape in ways:
        drawn = sign * clock.flow(view.total(name, quantity)) + 0.0
        bars = {
            "type": "bar", "name": said, "y": drawn, **clock.bars_x(), "legendgroup": key,
            "marker": {
                "color": colour, "line": {"width": 0},
                **({"pattern": pattern(shape, colour)} if shape else {}),
            },
            "hovertemplate": f"{said}: %{{y:{NUMBER}}} MW<extra></extra>",
        }  # fmt: skip
        panel.add(bars, f"{name}: {said} [MW]", drawn)
    return panel
