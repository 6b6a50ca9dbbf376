"""Heat maps of days and hours of the day, for horizons of four days or more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.clock import TICK_FORMATS
from planner.report.charts.style import (
    BLUE,
    NUMBER,
    SUPPLY_STYLES,
    USE_STYLES,
    VERMILLION,
    axis,
    frame,
    menu,
    text,
)
from planner.report.charts.supply import by_name, sides
from planner.report.charts.view import LEAST, View
from planner.report.plan_sections import paragraph
from planner.timeseries.series import Array

LEAST_DAYS = 4
MOST_CELLS = 10_000  # of one map; above it, hours are drawn instead of shorter steps
DIVERGING = [[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]]


def heat_chart(view: View, words: Language) -> Chart | None:
    """Days and hours of the day, for horizons of four days or more."""
    if view.clock.steps * view.step_h < LEAST_DAYS * 24:
        return None
    if not (quantities := _quantities(view, words)):
        return None
    clock = view.clock
    steps = clock.local(np.arange(clock.steps + 1)).tz_localize(None)
    midnight, end = steps[0].normalize(), steps[-1].ceil("D")
    cells = (end - midnight) // pd.Timedelta(minutes=clock.step_min)
    hourly = cells > MOST_CELLS and clock.step_min < 60
    minutes = 60 if hourly else clock.step_min
    starts = pd.date_range(midnight, end, freq=f"{minutes}min", inclusive="left")
    hours = minutes / 60
    data = []
    columns: dict[str, Any] = {}
    for number, (name, unit, values, state) in enumerate(quantities):
        by_cell = pd.Series(values, steps[:-1]).resample(f"{minutes}min")
        filled = (by_cell.last() if state else by_cell.mean()).reindex(starts)
        columns[f"{name} [{unit}]"] = filled.to_numpy()
        z = filled.to_numpy().reshape(-1, 1440 // minutes).T
        both = bool(np.nanmin(z) < 0 < np.nanmax(z))
        data.append(
            {
                "type": "heatmap", "z": z, "visible": number == 0, "name": text(name),
                "x0": f"{midnight:%Y-%m-%d}", "dx": 86_400_000, "y0": hours / 2, "dy": hours,
                "colorscale": DIVERGING if both else "Cividis", **({"zmid": 0} if both else {}),
                "colorbar": {
                    "title": {"text": unit, "side": "right", "font": {"size": 12}},
                    "thickness": 14, "len": 1.0, "orientation": "h",
                    "y": 1.0, "yanchor": "bottom", "x": 0.5,
                },
                "hovertemplate": (
                    f"%{{x|%Y-%m-%d}}, {words('hour')} %{{y:.2f}}<br>{text(name)}:"
                    f" %{{z:{NUMBER}}} {unit}<extra></extra>"
                ),
                "hoverongaps": False,
            }
        )  # fmt: skip
    names = [text(name) for name, *_ in quantities]
    choices = {name: [other == name for other in names] for name in names}
    layout = frame(470)
    layout["margin"]["t"] = 110
    layout |= {
        "xaxis": axis(type="date", tickformatstops=TICK_FORMATS),
        "yaxis": axis(words("hour of the day"), range=[24, 0], tickvals=[0, 4, 8, 12, 16, 20, 24]),
        "updatemenus": [menu("dropdown", "down", {"b": 66, "t": 0}, choices)],
    }  # fmt: skip
    times = starts.strftime("%Y-%m-%d %H:%M")
    table = pd.DataFrame({words("time"): times, **columns}).dropna(how="all", subset=list(columns))
    return Chart(
        key="heat",
        title=words("Days and hours of the day"),
        figure={"data": data, "layout": layout},
        table=table.reset_index(drop=True),
        caption=paragraph(
            words,
            words(
                "Each cell is an hour: the mean of its steps, for stored energy the value at its"
                " end."
                if hourly
                else "Each cell is a step; stored energy is the value at its end."
            ),
            words("Where the clock is set back, a cell is the mean of both steps of its time.")
            if clock.changes
            else "",
        ),
    )


def _quantities(view: View, words: Language) -> list[tuple[str, str, Array, bool]]:
    """Return name, unit, values by step, and whether they are states, without those always 0."""
    incoming, outgoing = (by_name(side) for side in sides(view))
    none = np.zeros(view.clock.steps)
    sources = [source.name for source in view.sources.values() if source.origin == "renewable"]
    renewable = sum((incoming.get(source, none) for source in dict.fromkeys(sources)), none)
    exchange = view.every("import_mw") - view.every("export_mw")
    energy = view.every("energy_mwh")
    divisor, unit = words.scale("MWh", float(energy.max(initial=0.0)))
    quantities = [
        (words("renewable energy available"), "MW", renewable, False),
        (words("power of compute"), "MW", view.used("compute"), False),
        (words("net import (export below zero)"), "MW", exchange, False),
        (words("power of thermal units"), "MW", incoming.get("thermal", none), False),
        (words("stored energy"), unit, energy / divisor, True),
    ]
    quantities += [
        (words.term(name), "MW", power, False)
        for name, power in (incoming | outgoing).items()
        if name not in {*SUPPLY_STYLES, *USE_STYLES, *sources}
    ]
    for name, connection in view.connections.items():
        label = words("import price of {grid}", grid=view.plan.titled(name))
        price = view.series(connection.import_price_cny_per_mwh)
        quantities.append((label, words("CNY/MWh"), price, False))
    return [quantity for quantity in quantities if np.abs(quantity[2]).max() > LEAST]
