"""Days beside hours of the day: what recurs every day and what does not, from four days on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.style import BLUE, NUMBER, PALE, VERMILLION, axis, frame
from planner.report.charts.supply import supplied
from planner.report.charts.view import LEAST, View
from planner.timeseries.series import Array

LEAST_DAYS = 4
MOST_CELLS = 10_000  # of one map; beyond, hours are drawn instead of shorter steps
DIVERGING = [[0, BLUE], [0.5, "#FFFFFF"], [1, VERMILLION]]


def heat_chart(view: View, words: Language) -> Chart | None:
    """Return the chart, None for horizons below four days."""
    if view.clock.steps * view.step_h < LEAST_DAYS * 24:
        return None
    quantities = _quantities(view, words)
    if not quantities:
        return None
    grid = _Days(view)
    data = []
    columns: dict[str, Array] = {}
    for number, (name, unit, values, state) in enumerate(quantities):
        label = f"{name} [{unit}]"
        z = grid.cells(values, state=state)
        columns[label] = z.T.ravel()
        both = bool(np.nanmin(z) < 0 < np.nanmax(z))
        data.append(
            {
                "type": "heatmap", "z": z, "visible": number == 0, "name": name,
                "x0": grid.first, "dx": 86_400_000, "y0": grid.hours / 2, "dy": grid.hours,
                "colorscale": DIVERGING if both else "Cividis", **({"zmid": 0} if both else {}),
                "colorbar": {
                    "title": {"text": unit, "side": "right", "font": {"size": 12}},
                    "thickness": 14, "len": 1.0, "orientation": "h",
                    "y": 1.0, "yanchor": "bottom", "x": 0.5,
                },
                "hovertemplate": (
                    f"%{{x|%Y-%m-%d}}, {words('hour')} %{{y:.2f}}<br>{name}: %{{z:{NUMBER}}} {unit}"
                    "<extra></extra>"
                ),
                "hoverongaps": False,
            }
        )  # fmt: skip
    layout = frame(470)
    layout["margin"]["t"] = 110
    layout |= {
        "xaxis": axis(type="date", tickformatstops=view.clock.axis()["tickformatstops"]),
        "yaxis": axis(words("hour of the day"), range=[24, 0], tickvals=[0, 4, 8, 12, 16, 20, 24]),
        "updatemenus": [_choice([name for name, *_ in quantities])],
    }  # fmt: skip
    table = pd.DataFrame({words("time"): grid.times, **columns})
    there = np.any([np.isfinite(v) for v in columns.values()], axis=0)
    return Chart(
        key="heat",
        title=words("Days and hours"),
        figure={"data": data, "layout": layout},
        table=table[there].reset_index(drop=True),
        said=grid.said(words),
    )


def _quantities(view: View, words: Language) -> list[tuple[str, str, Array, bool]]:
    """Return name, unit, values by step, and whether they are states; nothing that is always 0."""
    renewable = sum(
        (v for k, v in supplied(view).items() if k in ("pv", "wind")), np.zeros(view.clock.steps)
    )
    exchange = view.every("import_mw") - view.every("export_mw")
    energy = view.every("energy_mwh")
    divisor, unit = words.scale("MWh", float(energy.max(initial=0.0)))
    found = [
        (words("renewable energy available"), "MW", np.asarray(renewable), False),
        (words("power of compute"), "MW", view.used("compute"), False),
        (words("net import (export below zero)"), "MW", exchange, False),
        (
            words("power of thermal units"),
            "MW",
            supplied(view).get("thermal", renewable * 0),
            False,
        ),
        (words("stored energy"), unit, energy / divisor, True),
    ]
    for name, part in view.of_kind("grid").items():
        said = words("import price of {grid}", grid=name)
        found.append((said, words("CNY/MWh"), view.series(part.import_price_cny_per_mwh), False))
    return [entry for entry in found if np.abs(entry[2]).max() > LEAST]


class _Days:
    """The steps of a plan as a table of days and times of day."""

    def __init__(self, view: View) -> None:
        clock = view.clock
        minutes = clock.first.hour * 60 + clock.first.minute
        days = -(-(minutes + clock.steps * clock.step_min) // 1440)
        self.gathered = days * (1440 // clock.step_min) > MOST_CELLS and clock.step_min < 60
        self.before = minutes // clock.step_min
        self.by_day = 1440 // clock.step_min
        self.days = int(days)
        self.group = 60 // clock.step_min if self.gathered else 1
        self.hours = clock.step_min * self.group / 60
        self.midnight = clock.first.normalize()
        self.first = self.midnight.strftime("%Y-%m-%d")

    def cells(self, values: Array, *, state: bool) -> Array:
        """Return values by time of day and day; NaN outside of the horizon."""
        full = np.full(self.days * self.by_day, np.nan)
        full[self.before : self.before + len(values)] = values
        grid = full.reshape(self.days, self.by_day // self.group, self.group)
        if state:
            return np.asarray(grid[:, :, -1].T)
        count = np.isfinite(grid).sum(axis=2)
        none = np.full(count.shape, np.nan)
        return np.asarray(np.divide(np.nansum(grid, axis=2), count, out=none, where=count > 0).T)

    @property
    def times(self) -> list[str]:
        """The local start of every cell, day by day."""
        cells = self.days * self.by_day // self.group
        moments = pd.date_range(self.midnight, periods=cells, freq=f"{round(self.hours * 60)}min")
        return [str(moment) for moment in moments.strftime("%Y-%m-%d %H:%M")]

    def said(self, words: Language) -> str:
        """Return what a cell is."""
        if self.gathered:
            return words(
                "A cell is an hour: means of its steps, of stored energy the value at its end."
            )
        return words("A cell is a step; stored energy is that at its end.")


def _choice(names: list[str]) -> dict[str, Any]:
    """Return the list to choose a quantity from."""
    return {
        "type": "dropdown", "direction": "down", "x": 0, "xanchor": "left", "y": 1,
        "yanchor": "bottom", "pad": {"b": 66, "t": 0, "l": 0, "r": 0}, "showactive": True,
        "font": {"size": 12}, "bgcolor": "#F2F2F2", "bordercolor": PALE,
        "buttons": [
            {
                "label": name, "method": "restyle",
                "args": [{"visible": [i == number for i in range(len(names))]}],
            }
            for number, name in enumerate(names)
        ],
    }  # fmt: skip
