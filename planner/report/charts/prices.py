"""Prices of energy and of tokens, and what a MWh and a Mtok are worth at the margin.

A panel for each grid, node and service, so that each has a scale of its own. Marginal values stand
here where the plan has prices (`planner solve --prices`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import (
    Panel,
    chart_over_time,
    columns_of,
    legend_once,
    stepped,
    table_over_time,
)
from planner.report.charts.style import (
    BLACK,
    BLUE,
    ORANGE,
    ORIGIN_COLOURS,
    PURPLE,
    SKY,
    VERMILLION,
    text,
)
from planner.report.charts.view import LEAST, View
from planner.timeseries.series import Array

EARNING = ("tokens", "input_tokens", "job")  # lines of the ledger that compute earns
ORIGIN_DASHES = {"renewable": "solid", "thermal": "dash", "grid": "dot", "pooled": "solid"}
PANEL_PX, LOW_PX = 150, 90
FROM_ZERO = {"rangemode": "tozero"}


def prices_chart(view: View, words: Language) -> Chart | None:
    """Return the chart, None where nothing has a price."""
    made = [*_grids(view, words), *_values(view, words), *_services(view, words)]
    panels = [panel for panel in [*made, _earned(view, words)] if panel.traces]
    if not panels:
        return None
    vat = {
        "included": words("Prices of the scenario include VAT."),
        "excluded": words("Prices of the scenario exclude VAT."),
    }
    said = vat[view.plan.scenario.vat]
    if view.prices("value_cny_per_mwh"):
        said += " " + words(
            "Values of one MWh more and break-even prices hold for the starts, stops and directions"
            " of this plan."
        )
    return Chart(
        key="prices",
        title=words("Prices"),
        figure=chart_over_time(panels, view.clock, legend_once(panels)),
        table=table_over_time(view.clock, words, columns_of(panels)),
        said=f"{said} {view.clock.said(words)}".strip(),
        over_time=True,
    )


def _add(
    view: View, panel: Panel, whose: str, name: str, values: Array, line: dict[str, Any]
) -> None:
    """Add a price, whose steps without one stay empty; `name` stands in the legend."""
    drawn = view.clock.known(values)
    if np.isfinite(drawn).any():
        look = {"shape": "hv", "width": 2} | line
        trace = stepped(view.clock, drawn, text(name), panel.unit, line=look, legendgroup=name)
        panel.add(trace, f"{whose}: {name} [{panel.unit}]", drawn)


def _grids(view: View, words: Language) -> Iterator[Panel]:
    for name, part in view.of_kind("grid").items():
        panel = Panel(
            words("{grid}: prices", grid=text(name)), words("CNY/MWh"), PANEL_PX, axis=FROM_ZERO
        )
        if part.import_limit_mw.any():
            bought = view.series(part.import_price_cny_per_mwh)
            _add(view, panel, name, words("import"), bought, {"color": BLACK, "width": 2.4})
        sold = {o: part.sale_price(o) for o in view.origins}
        offers = {o: view.series(price) for o, price in sold.items() if price is not None}
        if len({price.tobytes() for price in offers.values()}) == 1:
            price = next(iter(offers.values()))
            _add(view, panel, name, words("export"), price, {"color": ORANGE, "dash": "dash"})
        else:
            for origin, price in offers.items():
                said = words("export from {origin}", origin=words.term(origin))
                dash = {"renewable": "dash", "thermal": "dashdot"}.get(origin, "longdash")
                look = {"color": ORIGIN_COLOURS[origin], "dash": dash}
                _add(view, panel, name, said, price, look)
        if part.real_time_price_cny_per_mwh is not None:
            price = view.series(part.real_time_price_cny_per_mwh)
            _add(view, panel, name, words("real time"), price, {"color": PURPLE, "dash": "dot"})
        yield panel


def _values(view: View, words: Language) -> Iterator[Panel]:
    """Values of one MWh more: a panel a node, a line an origin."""
    found = view.prices("value_cny_per_mwh")
    nodes = list(dict.fromkeys(node for node, _ in found))
    for node in nodes:
        title = words("Value of one MWh more")
        if len(nodes) > 1:
            title = words("Value of one MWh more at {node}", node=text(node))
        panel = Panel(title, words("CNY/MWh"), PANEL_PX, axis=FROM_ZERO)
        for (at, origin), values in found.items():
            if at == node:
                name = words("value, {origin}", origin=words.term(origin))
                dash, width = ORIGIN_DASHES.get(origin, "solid"), 3 if origin == "thermal" else 2
                look = {"color": ORIGIN_COLOURS.get(origin, BLACK), "dash": dash, "width": width}
                _add(view, panel, node, name, values, look)
        yield panel


def _services(view: View, words: Language) -> Iterator[Panel]:
    """Prices of output tokens; of a market one line a price step, the first the darkest."""
    even = view.prices("break_even_cny_per_mtok")
    for name, part in view.of_kind("service").items():
        title = words("{service}: price of output tokens", service=text(name))
        panel = Panel(title, words("CNY/Mtok"), LOW_PX, axis=FROM_ZERO)
        if part.market is None:
            price = view.series(part.price_cny_per_mtok)
            _add(view, panel, name, words("token price"), price, {"color": BLUE})
        for step, offer in enumerate(part.market or (), start=1):
            price = view.series(offer.price_cny_per_mtok)
            said = words("price of market step {step}", step=step)
            look = {"color": BLUE if step % 2 else SKY, "width": 1.4}
            _add(view, panel, name, said, price, look)
            panel.traces[-1] |= {"legendgroup": "market", "name": words("prices of market steps")}
        if (name, "") in even:
            look = {"color": VERMILLION, "dash": "dot"}
            _add(view, panel, name, words("break-even"), even[name, ""], look)
        yield panel


def _earned(view: View, words: Language) -> Panel:
    """What compute earned in a step over the energy it drew; no figure where it drew none."""
    panel = Panel(words("What a kWh in compute earns"), words("CNY/kWh"), 100, axis=FROM_ZERO)
    clock, drawn = view.clock, view.clock.flow(view.used("compute")) * view.clock.hours
    if drawn.max(initial=0.0) <= LEAST:
        return panel
    money = clock.flow(view.earned(EARNING)) * clock.counts
    none = np.full(len(drawn), np.nan)
    rate = np.divide(money, drawn * 1000, out=none, where=drawn > LEAST)
    line = {"shape": "hv", "width": 2, "color": BLACK}
    name = words("earned by a kWh in compute")
    trace = stepped(clock, rate, name, panel.unit, line=line, legendgroup="earned")
    panel.add(trace, f"{name} [{panel.unit}]", rate)
    return panel
