"""Prices of energy and of tokens, and what a MWh and a Mtok are worth at the margin.

Marginal values stand here where the plan has prices (`planner solve --prices`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.language import Language
from planner.report.charts import Chart
from planner.report.charts.panels import (
    Panel,
    chart_over_time,
    columns_of,
    stepped,
    table_over_time,
)
from planner.report.charts.style import BLACK, CYCLE, DASHES, ORIGIN_COLOURS, PURPLE, SKY, text
from planner.report.charts.view import LEAST, View
from planner.series import Array

EARNING = ("tokens", "input_tokens", "job")  # lines of the ledger that compute earns
MWH, MTOK, KWH = "CNY/MWh", "CNY/Mtok", "CNY/kWh"


def prices_chart(view: View, words: Language) -> Chart | None:
    """Return the chart, None where nothing has a price."""
    panels = [
        _energy(view, words), _margins(view, words), _tokens(view, words), _earned(view, words)
    ]  # fmt: skip
    panels = [panel for panel in panels if panel.traces]
    if not panels:
        return None
    entries = sum(bool(t.get("showlegend", True)) for panel in panels for t in panel.traces)
    said = words("Prices hold over their step, with or without VAT as the scenario says.")
    if view.prices("value_cny_per_mwh"):
        said += " " + words(
            "Marginal values hold for the starts, stops and directions of this plan, one unit more"
            " or less at a time."
        )
    return Chart(
        key="prices",
        title=words("Prices"),
        figure=chart_over_time(panels, view.clock, entries),
        table=table_over_time(view.clock, words, columns_of(panels)),
        said=f"{said} {view.clock.said(words)}".strip(),
        over_time=True,
    )


def _add(view: View, panel: Panel, label: str, values: Array, line: dict[str, Any]) -> None:
    """Add a price, whose steps without one stay empty."""
    drawn = view.clock.known(values)
    if np.isfinite(drawn).any():
        trace = stepped(
            view.clock, drawn, text(label), panel.unit, line={"shape": "hv", "width": 2} | line
        )
        panel.add(trace, f"{label} [{panel.unit}]", drawn)


def _energy(view: View, words: Language) -> Panel:
    panel = Panel(words("Price of energy at the grid"), words(MWH), 150)
    grids = view.of_kind("grid")
    for number, (name, part) in enumerate(grids.items()):
        dash = DASHES[number % len(DASHES)]
        label = words("{grid}: import", grid=name)
        if part.import_limit_mw.any():
            bought = view.series(part.import_price_cny_per_mwh)
            _add(view, panel, label, bought, {"color": BLACK, "dash": dash, "width": 2.4})
        sold = {o: part.sale_price(o) for o in view.origins}
        offers = {o: view.series(price) for o, price in sold.items() if price is not None}
        if len({price.tobytes() for price in offers.values()}) == 1:
            label = words("{grid}: export", grid=name)
            price = next(iter(offers.values()))
            _add(view, panel, label, price, {"color": SKY, "dash": DASHES[(number + 1) % 6]})
        else:
            for origin, price in offers.items():
                label = words("{grid}: export from {origin}", grid=name, origin=words.term(origin))
                look = {"color": ORIGIN_COLOURS[origin], "dash": DASHES[(number + 1) % 6]}
                _add(view, panel, label, price, look)
        if part.real_time_price_cny_per_mwh is not None:
            label = words("{grid}: real time", grid=name)
            price = view.series(part.real_time_price_cny_per_mwh)
            _add(view, panel, label, price, {"color": PURPLE, "dash": "dot"})
    return panel


def _margins(view: View, words: Language) -> Panel:
    panel = Panel(words("Value of one MWh more"), words(MWH), 150)
    found = view.prices("value_cny_per_mwh")
    nodes = list(dict.fromkeys(node for node, _ in found))
    for (node, origin), values in found.items():
        number = nodes.index(node)
        label = words("value, {origin}", origin=words.term(origin))
        if len(nodes) > 1:
            label = words("value at {node}, {origin}", node=node, origin=words.term(origin))
        dash = {"renewable": "solid", "thermal": "dash", "grid": "dot"}.get(origin, "solid")
        width = (2.0, 3.2)[number % 2]
        look = {"color": ORIGIN_COLOURS.get(origin, BLACK), "dash": dash, "width": width}
        _add(view, panel, label, values, look)
    return panel


def _tokens(view: View, words: Language) -> Panel:
    panel = Panel(words("Price of output tokens and break-even"), words(MTOK), 160)
    even = view.prices("break_even_cny_per_mtok")
    for number, (name, part) in enumerate(view.of_kind("service").items()):
        colour = CYCLE[number % len(CYCLE)]
        if part.market is not None:
            for step, offer in enumerate(part.market, start=1):
                label = words("{service}: price of step {step}", service=name, step=step)
                look = {"color": colour, "dash": DASHES[step % len(DASHES)], "width": 1.4}
                _add(view, panel, label, view.series(offer.price_cny_per_mtok), look)
        else:
            label = words("{service}: price", service=name)
            _add(view, panel, label, view.series(part.price_cny_per_mtok), {"color": colour})
        if (name, "") in even:
            label = words("{service}: break-even", service=name)
            _add(view, panel, label, even[name, ""], {"color": colour, "dash": "dot"})
    return panel


def _earned(view: View, words: Language) -> Panel:
    """What compute earned in a step over the energy it drew; no figure where it drew none."""
    panel = Panel(words("What a kWh in compute earns"), words(KWH), 100)
    clock, drawn = view.clock, view.clock.flow(view.used("compute")) * view.clock.hours
    if drawn.max(initial=0.0) <= LEAST:
        return panel
    money = clock.flow(view.earned(EARNING)) * clock.counts
    none = np.full(len(drawn), np.nan)
    rate = np.divide(money, drawn * 1000, out=none, where=drawn > LEAST)
    label = words("earned by compute")
    line = {"shape": "hv", "width": 2, "color": BLACK}
    trace = stepped(clock, rate, label, panel.unit, line=line)
    panel.add(trace, f"{label} [{panel.unit}]", rate)
    return panel
