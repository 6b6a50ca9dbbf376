"""Where the energy of the horizon came from and where it went, as flows from left to right.

Left what brings energy in, in the middle its origin, right its uses as allocation.csv has them.
Energy that goes through storage keeps its origin and stands at its use; storage itself takes only
what is stored at the end and was not at the start. What was stored before and used now comes from
the left.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.style import (
    GREY,
    NUMBER,
    ORIGIN_COLOURS,
    OTHER,
    USE_STYLES,
    frame,
    text,
)
from planner.report.charts.supply import SUPPLY_STYLES, sides, stored
from planner.report.charts.view import View

LEAST_MWH = 1e-6
USE_ORDER = ("compute", "load", "export", "storage", "curtailed", "loss")


def allocation_chart(view: View, words: Language) -> Chart | None:
    """Energy from its origin to its use over the horizon, MWh."""
    links = _links(view)
    if not links:
        return None
    mwh = {key: value for key, value in links.items() if value > LEAST_MWH}
    names = list(dict.fromkeys(node for link in mwh for node in link))
    place = {node: i for i, node in enumerate(names)}
    inflow = {n: sum(v for (_, b), v in mwh.items() if b == n) for n in names}
    outflow = {n: sum(v for (a, _), v in mwh.items() if a == n) for n in names}
    total = {node: max(inflow[node], outflow[node]) for node in names}
    divisor, unit = words.scale("MWh", max(total.values()))
    values = view.plan.summary.get("value_cny_per_kwh", {})
    charged_mwh, discharged_mwh = (
        float(sum(power.sum() for power in way.values()) * view.step_h) for way in stored(view)
    )
    labels = [
        text(_label(words, node))
        + (f" {_short(total[node] / divisor)}" if node[0] != "origin" else "")
        for node in names
    ]
    layout = frame(430) | {"hovermode": "closest"}
    layout["margin"] |= {"t": 12, "b": 12}
    figure = {
        "data": [
            {
                "type": "sankey", "arrangement": "snap", "valueformat": NUMBER,
                "valuesuffix": f" {unit}", "orientation": "h",
                "textfont": {"size": 11},
                "node": {
                    "label": labels, "color": [_colour(node) for node in names],
                    "pad": 18, "thickness": 14, "line": {"width": 0.5, "color": GREY},
                    "hovertemplate": f"%{{label}} {unit}<extra></extra>",
                },
                "link": {
                    "source": [place[a] for a, _ in mwh], "target": [place[b] for _, b in mwh],
                    "value": [value / divisor for value in mwh.values()],
                    "color": [_faded(_link_colour(a, b)) for a, b in mwh],
                    "customdata": [
                        text(_hover(words, values, a, b)) for a, b in mwh
                    ],
                    "hovertemplate": "%{customdata}: %{value}<extra></extra>",
                },
            }
        ],
        "layout": layout,
    }  # fmt: skip
    return Chart(
        key="allocation",
        title=words("Where the energy came from and where it went"),
        figure=figure,
        table=_table(words, mwh, values),
        caption=words(
            "Over the whole horizon, in {unit}. Energy that went through a battery keeps its origin"
            " and stands at its use; of each origin, storage takes only what more is stored at"
            " the end than at the start. In batteries {charged} were charged and {discharged}"
            " discharged.",
            unit=unit,
            charged=words.amount(charged_mwh, "MWh"),
            discharged=words.amount(discharged_mwh, "MWh"),
        ),
    )


Node = tuple[str, str]  # a side, in, origin or use, and a word


def _links(view: View) -> dict[tuple[Node, Node], float]:
    """Return MWh from what brings energy in to its origin, and from there to its uses."""
    step_h = view.step_h
    links: dict[tuple[Node, Node], float] = {}
    for (source, origin), power in sides(view)[0].items():
        if source != "discharge":
            links[("in", source), ("origin", origin)] = float(power.sum() * step_h)
    out = {key: float(values.sum() * step_h) for key, values in view.used_mw.items()}
    for origin in view.origins:
        if (released := -out.get((origin, "storage"), 0.0)) > LEAST_MWH:
            links[("in", "stored_before"), ("origin", origin)] = released
    for use in (*USE_ORDER, *dict.fromkeys(u for _, u in out if u not in USE_ORDER)):
        for origin in view.origins:
            if (mwh := out.get((origin, use), 0.0)) > LEAST_MWH:
                links[("origin", origin), ("use", use)] = mwh
    return links


def _label(words: Language, node: Node) -> str:
    word = node[1]
    if word == "stored_before":
        return words("stored before")
    if node == ("use", "storage"):
        return words("stored at the end")
    return words("grid energy") if node == ("origin", "grid") else words.term(word)


def _short(value: float) -> str:
    """Return four significant digits, and thousands in full."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _colour(node: Node) -> str:
    side, word = node
    if side == "origin":
        return ORIGIN_COLOURS.get(word, GREY)
    if side == "in":
        return SUPPLY_STYLES.get(word, OTHER)[0]
    return USE_STYLES.get(word, OTHER)[0]


def _link_colour(a: Node, b: Node) -> str:
    return _colour(a if a[0] == "origin" else b)


def _faded(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.45)"


def _hover(words: Language, values: Any, a: Node, b: Node) -> str:
    link = f"{_label(words, a)} → {_label(words, b)}"
    worth = values.get(a[1], {}).get(b[1]) if a[0] == "origin" else None
    return link if worth is None else f"{link} ({worth:.3f} {words('CNY/kWh')})"


def _table(words: Language, mwh: dict[tuple[Node, Node], float], values: Any) -> pd.DataFrame:
    worth = [
        values.get(a[1], {}).get(b[1], float("nan")) if a[0] == "origin" else float("nan")
        for a, b in mwh
    ]
    return pd.DataFrame(
        {
            words("from"): [_label(words, a) for a, _ in mwh],
            words("to"): [_label(words, b) for _, b in mwh],
            f"{words('energy')} [MWh]": list(mwh.values()),
            f"{words('earned')} [{words('CNY/kWh')}]": worth,
        }
    )
