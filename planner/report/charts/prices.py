"""Prices of energy and of tokens, and the marginal values of a MWh and a Mtok.

Each grid, node and service has a panel with a scale of its own. Marginal values are shown where the
plan has them (`planner solve --prices`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from planner.fields import measurable
from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import (
    BLACK,
    BLUE,
    FROM_ZERO,
    GREY,
    ORANGE,
    ORIGIN_COLOURS,
    PURPLE,
    SKY,
    VERMILLION,
)
from planner.report.charts.view import View
from planner.report.plan_sections import paragraph, vat_text
from planner.timeseries.series import Array

ORIGIN_DASHES = {"renewable": "solid", "thermal": "dash", "grid": "dot", "pooled": "solid"}
PANEL_PX, LOW_PX = 150, 90


def prices_chart(view: View, words: Language) -> Chart | None:
    """Prices of energy and tokens, and marginal values where the plan has them."""
    parts = (_grids, _values, _services, _earned)
    panels = [panel for part in parts for panel in part(view, words) if panel.traces]
    if not panels:
        return None
    caption = vat_text(view.plan.scenario.vat, words)
    if view.prices("value_cny_per_mwh"):
        fixed = words(
            "Values of one more MWh and break-even prices hold with the starts, stops and"
            " directions of this plan fixed."
        )
        caption = paragraph(words, caption, fixed)
    return chart_over_time("prices", words("Prices"), caption, panels, words)


def _add(panel: Panel, name: str, values: Array, **look: Any) -> None:
    """Add a price, with gaps in steps without one; a price without any step is left out."""
    price = panel.clock.flow(values)
    if np.isfinite(price).any():
        panel.line(name, price, name, **look)


def _grids(view: View, words: Language) -> Iterator[Panel]:
    for name, connection in view.connections.items():
        shown = view.plan.titled(name)
        title = words("{grid}: prices", grid=shown)
        panel = Panel(view.clock, title, words("CNY/MWh"), PANEL_PX, shown, FROM_ZERO)
        if connection.import_limit_mw.any():
            bought = view.series(connection.import_price_cny_per_mwh)
            _add(panel, words("import"), bought, color=BLACK, width=2.4)
        sold = {origin: view.components[name].sale_price(origin) for origin in view.origins}
        offers = {o: view.series(price) for o, price in sold.items() if price is not None}
        if len({price.tobytes() for price in offers.values()}) == 1:
            price = next(iter(offers.values()))
            _add(panel, words("export"), price, color=ORANGE, dash="dash")
        else:
            for origin, price in offers.items():
                label = words("export from {origin}", origin=words.term(origin))
                dash = {"renewable": "dash", "thermal": "dashdot"}.get(origin, "longdash")
                _add(panel, label, price, color=ORIGIN_COLOURS.get(origin, GREY), dash=dash)
        if connection.real_time_price_cny_per_mwh is not None:
            price = view.series(connection.real_time_price_cny_per_mwh)
            _add(panel, words("real time"), price, color=PURPLE, dash="dot")
        yield panel


def _values(view: View, words: Language) -> Iterator[Panel]:
    """Yield the values of one more MWh: a panel for each node, a line for each origin."""
    by_node = view.prices("value_cny_per_mwh")
    nodes = list(dict.fromkeys(node for node, _ in by_node))
    for node in nodes:
        title = words("Value of one more MWh")
        if len(nodes) > 1:
            title = words("Value of one more MWh at {node}", node=node)
        panel = Panel(view.clock, title, words("CNY/MWh"), PANEL_PX, node, FROM_ZERO)
        for (at, origin), values in by_node.items():
            if at == node:
                label = words("value, {origin}", origin=words.term(origin))
                dash, width = ORIGIN_DASHES.get(origin, "solid"), 3 if origin == "thermal" else 2
                colour = ORIGIN_COLOURS.get(origin, BLACK)
                _add(panel, label, values, color=colour, dash=dash, width=width)
        yield panel


def _services(view: View, words: Language) -> Iterator[Panel]:
    """Yield the prices of output tokens; a market has a line for each of its price steps."""
    even = view.prices("break_even_cny_per_mtok")
    for name, part in view.components.items():
        if (demand := part.token_demand()) is None:
            continue
        shown = view.plan.titled(name)
        title = words("{service}: price of output tokens", service=shown)
        panel = Panel(view.clock, title, words("CNY/Mtok"), LOW_PX, shown, FROM_ZERO)
        for step, series in enumerate(demand.prices_cny_per_mtok, start=1):
            price = view.series(series)
            if not demand.market:
                _add(panel, words("token price"), price, color=BLUE)
                continue
            label = words("price of market step {step}", step=step)
            _add(panel, label, price, color=BLUE if step % 2 else SKY, width=1.4)
            panel.traces[-1] |= {"legendgroup": "market", "name": words("prices of market steps")}
        if (name, "") in even:
            _add(panel, words("break-even"), even[name, ""], color=VERMILLION, dash="dot")
        yield panel


def _earned(view: View, words: Language) -> Iterator[Panel]:
    """Yield the income of compute in a step over the energy it drew; gaps where it drew none."""
    clock = view.clock
    title = words("Income of a kWh in compute")
    panel = Panel(clock, title, words("CNY/kWh"), 100, axis=FROM_ZERO)
    energy_mwh = clock.flow(view.used("compute")) * clock.hours
    if measurable(energy_mwh.max(initial=0.0)):
        earns = [part.earns.items() for part in view.components.values()]
        lines = {line for pairs in earns for line, use in pairs if use == "compute"}
        kwh = np.where(measurable(energy_mwh), energy_mwh * 1000, np.nan)
        rate = clock.sums(view.earned(lines)) / kwh
        panel.line(words("income of a kWh"), rate, "earned", color=BLACK)
    yield panel
