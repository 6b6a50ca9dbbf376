"""The page of a curve: its picture, its points and where they are from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Problem, ScenarioError
from planner.fleets.curve import Curve
from planner.language.language import Language
from planner.message import Message
from planner.report.charts.chart import Chart
from planner.report.charts.style import BLUE, FROM_ZERO, ORANGE, PLAIN, axis, frame, text
from planner.report.curve_page.node_curve import (
    NodePoint,
    facts_section,
    points_section,
    power_head,
    replica_kw,
)
from planner.report.declaration import unwritable
from planner.report.template import MOST_ROWS, drawn, fill, rows_of

SUFFIXES = (".html", ".yaml")
HEIGHT_PX = 360
STYLES = ((BLUE, "circle", "solid"), (ORANGE, "diamond", "dash"))


def curve_page(
    name: str,
    curve: Curve,
    points: list[NodePoint],
    cautions: list[Message],
    words: Language,
    out: Path,
) -> str:
    """Return the page of a curve for a file.

    Raises:
        ScenarioError: the file cannot be written.
    """
    if messages := unwritable(out, SUFFIXES, []):
        raise ScenarioError([Problem(message, path="--out") for message in messages])
    section = points_section(curve, points, words)
    table = pd.DataFrame(section.rows, columns=list(section.heads))
    return fill(
        "curve.html",
        words,
        name,
        cautions=[],
        facts=facts_section(name, curve, words).rows[1:],
        notes=[words.sentence(message) for message in cautions],
        charts=[drawn(chart) for chart in _charts(curve, points, table, words)],
        rows=rows_of(table),
        most_rows=MOST_ROWS,
    )


def _charts(
    curve: Curve, points: list[NodePoint], table: pd.DataFrame, words: Language
) -> list[Chart]:
    """Return the power and the times of a curve, each over tokens per second."""
    times = words("Time between tokens")
    if any(row.point.first_token_ms is not None for row in points):
        times = words("Time between tokens and to the first token")
    every = {
        "power": (words("Power of a replica"), words("kW"), {
            power_head(curve, words): [replica_kw(row.point) for row in points],
            words("its part of the node, at the wall"): [_part_kw(row) for row in points],
        }),
        "times": (times, "ms", {
            words("ms between tokens"): [row.point.inter_token_ms for row in points],
            words("ms to the first token"): [row.point.first_token_ms for row in points],
        }),
    }  # fmt: skip
    caption = words(
        "Points by ascending load, joined in that order: where a line turns back, more requests"
        " were answered with fewer tokens."
    )
    charts = []
    for key, (title, unit, lines) in every.items():
        data = [
            _line(name, unit, points, values, style, words)
            for (name, values), style in zip(lines.items(), STYLES, strict=True)
            if any(value is not None for value in values)
        ]
        if data:
            layout = frame(HEIGHT_PX, len(data)) | {
                "hovermode": "closest",
                "xaxis": axis(words("tokens/s"), nticks=6, **FROM_ZERO, **PLAIN),
                "yaxis": axis(unit, **FROM_ZERO, **PLAIN),
            }
            figure = {"data": data, "layout": layout}
            charts.append(Chart(key=key, title=title, figure=figure, table=table, caption=caption))
    return charts


def _part_kw(row: NodePoint) -> float | None:
    """Return the part of a node's power that falls on one replica."""
    if row.node_kw is None or row.point.node_kw is not None:
        return None
    return row.node_kw / row.replicas


def _line(
    name: str,
    unit: str,
    points: list[NodePoint],
    values: Sequence[float | None],
    style: tuple[str, str, str],
    words: Language,
) -> dict[str, Any]:
    """Return a line over tokens per second with a marker at each point."""
    colour, symbol, dash = style
    return {
        "type": "scatter", "mode": "lines+markers", "name": text(name),
        "x": [row.point.tokens_per_s for row in points], "y": list(values),
        "line": {"color": colour, "dash": dash, "width": 1.8},
        "marker": {"symbol": symbol, "size": 8, "color": colour},
        "hovertemplate": f"%{{x:,.4~r}} {text(words('tokens/s'))}<br>%{{y:,.4~r}} {text(unit)}"
                         f"<extra>{text(name)}</extra>",
    }  # fmt: skip
