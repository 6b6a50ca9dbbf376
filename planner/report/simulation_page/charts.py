"""The charts of a simulation: profit by policy and day, forecasts beside actuals, operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.language.section import percent
from planner.plan_tables.simulation import PLANNING, SimulationTable
from planner.report.charts.chart import Chart
from planner.report.charts.dots import Dots, Level, dot_rows
from planner.report.charts.flows import cumulated_profit, lines, look_of, main_flows
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import (
    BLACK,
    BLUE,
    GREY,
    NUMBER,
    ORANGE,
    PLAIN,
    VERMILLION,
    axis,
    chart_scale,
    frame,
    text,
)
from planner.report.charts.view import View
from planner.report.plan_sections import paragraph
from planner.report.simulation_page.sections import (
    days_section,
    policy_rows,
    profit_by_day,
)
from planner.report.sweep_page.words import measured

DAY_MS = 86_400_000
FEW_DAYS = 14


def profits_chart(simulation: SimulationTable, words: Language) -> Chart:
    """Return the profit of each policy with its share of perfect foresight, and the LP bound."""
    table = simulation.table
    rows = {str(name): words.term(str(name)) for name in table["policy"]}
    captured = table["capture_share"].astype(float)
    shares = ["" if share != share else percent(share) for share in captured]
    profits = table["profit_cny"].astype(float)
    planning = table["policy"].isin(PLANNING)
    dots = [
        Dots(name, profits.where(own).tolist(), symbol, colour, shares)
        for name, own, symbol, colour in (
            (words("planned"), planning, "circle", BLUE),
            (words("rule of thumb"), ~planning, "square", ORANGE),
        )
        if own.any()
    ]
    levels = []
    if simulation.bound_cny is not None:
        levels.append(Level(words("LP bound"), simulation.bound_cny, GREY, "dash"))
    caption = words("Beside each dot is the profit as a share of that of perfect foresight, which"
                    " plans the same windows on the actuals.")  # fmt: skip
    if simulation.bound_cny is not None:
        caption = paragraph(words, caption, words("No operation that keeps the rules earns more"
                                                  " than the LP bound."))  # fmt: skip
    return Chart(
        "policies", words("Profit by policy"), dot_rows(rows, dots, levels, words),
        policy_rows(simulation, words), caption,
    )  # fmt: skip


def days_chart(simulation: SimulationTable, words: Language) -> Chart | None:
    """Return the profit of each day by policy; None for a single day."""
    section = days_section(simulation, words)
    days = list(profit_by_day(next(iter(simulation.plans.values()))).index)
    if len(days) < 2:
        return None
    few = len(days) <= FEW_DAYS
    amounts = np.array([row[1:] for row in section.rows[-len(days) :]], dtype=float)
    divisor, unit = chart_scale("CNY", float(np.abs(amounts).max()), words)
    data = [
        {
            "type": "scatter", "mode": "markers" if few else "lines",
            "name": text(words.term(name)), "x": days, "y": amounts[:, at] / divisor,
            "line": {"width": 1.8} | look_of(at),
            "marker": {"size": 10, "symbol": at % 25, "color": look_of(at)["color"]},
            "hovertemplate": f"%{{y:{NUMBER}}} {unit}",
        }
        for at, name in enumerate(simulation.plans)
    ]  # fmt: skip
    ticks: dict[str, Any] = {"dtick": DAY_MS} if few else {"nticks": FEW_DAYS}
    layout = frame(360, len(data)) | {
        "hovermode": "x unified",
        "xaxis": axis(type="date", tickformat="%m-%d\n%Y", hoverformat="%Y-%m-%d", **ticks),
        "yaxis": axis(unit, zeroline=True, **PLAIN),
    }
    day, *policies = section.heads
    heads = [day, *(f"{policy} [{words('CNY')}]" for policy in policies)]
    table = pd.DataFrame(list(section.rows), columns=heads)
    caption = words("The first row of the table is the whole profit; amounts of a month or of the"
                    " whole horizon belong to no day.")  # fmt: skip
    figure = {"data": data, "layout": layout}
    return Chart("days", section.title, figure, table, caption)


def operation_chart(views: Mapping[str, View], words: Language) -> Chart:
    """Return what was executed, by policy: the profit so far and the main flows."""
    view = next(iter(views.values()))
    labels = {name: words.term(name) for name in views}
    flows = [cumulated_profit(views, words), *main_flows(views, words)]
    panels = [lines(flow, labels, view, words) for flow in flows]
    caption = paragraph(
        words, words("The operation that was executed and settled on the actuals."),
        words("Amounts of a month or of the whole horizon belong to no step."),
    )  # fmt: skip
    return chart_over_time("operation", words("Executed operation"), caption, panels, words)


def forecast_charts(simulation: SimulationTable, view: View, words: Language) -> list[Chart]:
    """Return a chart for each series with a forecast: the forecast beside the actuals."""
    charts: list[Chart] = []
    if simulation.forecasts is None:
        return charts
    for number, (path, rows) in enumerate(simulation.forecasts.groupby("path", sort=False)):
        forecast, actual = (rows[name].to_numpy(dtype=float) for name in ("forecast", "actual"))
        divisor, unit = chart_scale(measured(str(path)), float(np.abs(actual).max()), words)
        panel = Panel(view.clock, "", unit, 170, axis={"zeroline": True})
        for name, values, colour, dash in (
            (words("actual"), actual, BLACK, "solid"),
            (words("forecast"), forecast, VERMILLION, "dash"),
        ):
            panel.line(
                name, view.clock.flow(values / divisor), name, width=1.8, color=colour, dash=dash,
                column=f"{name} [{unit}]" if unit else name,
            )  # fmt: skip
        title = words("Forecast and actual: {series}", series=words.path(str(path)))
        charts.append(chart_over_time(f"forecast-{number}", title, "", [panel], words))
    return charts
