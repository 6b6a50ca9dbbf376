"""The energy of the horizon as flows from left to right: source, origin, use.

The uses are those of allocation.csv. Energy that goes through storage keeps its origin and counts
towards its use; storage itself takes only the increase in stored energy from start to end. What was
stored before and is used now comes from the left.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.language.section import Quantity, decimals_of
from planner.language.section import text as cell_text
from planner.report.charts.chart import Chart
from planner.report.charts.style import (
    GREY,
    NUMBER,
    ORIGIN_COLOURS,
    OTHER,
    frame,
    rgb,
    text,
)
from planner.report.charts.supply import sides, stored
from planner.report.charts.view import LEAST, View

USE_ORDER = ("compute", "load", "export", "storage", "curtailed", "loss")

Node = tuple[str, str]  # a side, in, origin or use, and a word
Links = dict[tuple[Node, Node], float]


def allocation_chart(view: View, words: Language) -> Chart | None:
    """Energy from its origin to its use over the horizon, MWh."""
    mwh = {key: value for key, value in _links(view).items() if value > LEAST}
    if not mwh:
        return None
    charged_mwh, discharged_mwh = (
        float(sum(power.sum() for power in way.values()) * view.step_h) for way in stored(view)
    )
    rates = view.plan.summary.get("value_cny_per_kwh", {})
    earned = [rates.get(a[1], {}).get(b[1]) if a[0] == "origin" else None for a, b in mwh]
    totals = _totals(mwh)
    divisor, unit = words.scale("MWh", max(totals.values()))
    layout = frame(430) | {"hovermode": "closest"}
    layout["margin"] |= {"t": 12, "b": 12}
    flows = _sankey(view, words, mwh, totals, earned, divisor, unit)
    return Chart(
        key="allocation",
        title=words("Where the energy came from and where it went"),
        figure={"data": [flows], "layout": layout},
        table=pd.DataFrame(
            {
                words("flow from"): [_label(words, a) for a, _ in mwh],
                words("flow to"): [_label(words, b) for _, b in mwh],
                f"{words('energy')} [MWh]": list(mwh.values()),
                f"{words('earned')} [{words('CNY/kWh')}]": pd.Series(earned, dtype=float),
            }
        ),
        caption=words(
            "Whole horizon, in {unit}. Energy that passed through a battery keeps its origin and"
            " counts towards its final use; storage is only the increase in stored energy of each"
            " origin from start to end. Batteries charged {charged} and discharged {discharged}.",
            unit=unit,
            charged=words.amount(charged_mwh, "MWh"),
            discharged=words.amount(discharged_mwh, "MWh"),
        ),
        broad=672,
    )


def _totals(mwh: Links) -> dict[Node, float]:
    """Return the energy through each node."""
    return {
        node: max(sum(value for link, value in mwh.items() if link[end] == node) for end in (0, 1))
        for node in dict.fromkeys(node for link in mwh for node in link)
    }


def _sankey(
    view: View, words: Language, mwh: Links, totals: dict[Node, float], earned: list[float | None],
    divisor: float, unit: str,
) -> dict[str, Any]:  # fmt: skip
    decimals = decimals_of(max(totals.values()) / divisor)
    amounts = [Quantity(total / divisor, unit, decimals) for total in totals.values()]
    labels = [
        text(_label(words, node)) + ("" if node[0] == "origin" else f" {cell_text(amount, words)}")
        for node, amount in zip(totals, amounts, strict=True)
    ]
    place = {node: i for i, node in enumerate(totals)}
    return {
        "type": "sankey", "arrangement": "snap", "valueformat": NUMBER, "valuesuffix": f" {unit}",
        "orientation": "h", "textfont": {"size": 11},
        "node": {
            "label": labels, "color": [_colour(view, node) for node in totals],
            "pad": 18, "thickness": 14, "line": {"width": 0.5, "color": GREY},
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": [place[a] for a, _ in mwh], "target": [place[b] for _, b in mwh],
            "value": [value / divisor for value in mwh.values()],
            "color": [
                "rgba({},{},{},0.45)".format(*rgb(_colour(view, a if a[0] == "origin" else b)))
                for a, b in mwh
            ],
            "customdata": [
                text(_hover(words, *link, rate)) for link, rate in zip(mwh, earned, strict=True)
            ],
            "hovertemplate": "%{customdata}: %{value}<extra></extra>",
        },
    }  # fmt: skip


def _links(view: View) -> Links:
    """Return MWh from each source to its origin, and from the origin to its uses."""
    step_h = view.step_h
    links: Links = {}
    for (source, origin), power in sides(view)[0].items():
        if source != "discharge":
            links[("in", source), ("origin", origin)] = float(power.sum() * step_h)
    out = {key: float(values.sum() * step_h) for key, values in view.used_mw.items()}
    for origin in view.origins:
        if (released := -out.get((origin, "storage"), 0.0)) > LEAST:
            links[("in", "stored_before"), ("origin", origin)] = released
    for use in (*USE_ORDER, *dict.fromkeys(u for _, u in out if u not in USE_ORDER)):
        for origin in view.origins:
            if (mwh := out.get((origin, use), 0.0)) > LEAST:
                links[("origin", origin), ("use", use)] = mwh
    return links


def _label(words: Language, node: Node) -> str:
    word = node[1]
    if word == "stored_before":
        return words("stored before")
    if node == ("use", "storage"):
        return words("stored at the end")
    return words("grid energy") if node == ("origin", "grid") else words.term(word)


def _colour(view: View, node: Node) -> str:
    side, word = node
    if side == "origin":
        return ORIGIN_COLOURS.get(word, GREY)
    if side == "in":
        return view.source_styles.get(word, OTHER)[0]
    return view.use_styles.get(word, OTHER)[0]


def _hover(words: Language, a: Node, b: Node, rate: float | None) -> str:
    link = f"{_label(words, a)} → {_label(words, b)}"
    earned = "" if rate is None else f" ({cell_text(Quantity(rate, 'CNY/kWh', 3), words)})"
    return link + earned
