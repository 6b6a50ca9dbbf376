"""The page of a curve: its picture, its points and where they are from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from planner.errors import Problem, ScenarioError
from planner.fleets.curve import Curve
from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.style import BLUE, FROM_ZERO, GREEN, ORANGE, PLAIN, axis, frame, text
from planner.report.curve_page.node_curve import (
    NodePoint,
    facts_section,
    points_section,
    replica_kw,
)
from planner.report.declaration import unwritable
from planner.report.template import MOST_ROWS, drawn, fill, rows_of

SUFFIX = ".html"
HEIGHT_PX = 360


class CurveLine(NamedTuple):
    """A quantity over tokens per second."""

    name: str
    values: Sequence[float | None]
    colour: str
    symbol: str
    dash: str = "solid"


def curve_page(name: str, curve: Curve, points: list[NodePoint], words: Language, out: Path) -> str:
    """Return the page of a curve for a file.

    Raises:
        ScenarioError: the file cannot be written.
    """
    if messages := unwritable(out, [SUFFIX], []):
        raise ScenarioError([Problem(message, path="--out") for message in messages])
    section = points_section(curve, points, words)
    table = pd.DataFrame(section.rows, columns=list(section.heads))
    return fill(
        "curve.html",
        words,
        name,
        cautions=[],
        facts=facts_section(name, curve, words).rows[1:],
        notes=[words.sentence(message) for message in curve.cautions()],
        charts=[drawn(chart) for chart in _charts(curve, points, table, words)],
        rows=rows_of(table),
        most_rows=MOST_ROWS,
    )


def _charts(
    curve: Curve, points: list[NodePoint], table: pd.DataFrame, words: Language
) -> list[Chart]:
    """Return the power and the times of a curve, each over tokens per second."""
    power = words("kW at the wall") if curve.measured == "wall" else words("GPU kW")
    times = words("Time between tokens")
    if any(of.point.first_token_ms is not None for of in points):
        times = words("Time between tokens and to the first token")
    lines = {
        "power": (words("Power of a replica"), words("kW"), [
            CurveLine(power, [replica_kw(of.point) for of in points], BLUE, "circle"),
            CurveLine(words("its part of the node, at the wall"), [_part_kw(of) for of in points],
                      ORANGE, "diamond", "dash"),
        ]),
        "times": (times, "ms", [
            CurveLine(words("ms between tokens"), [of.point.inter_token_ms for of in points],
                      BLUE, "circle"),
            CurveLine(words("ms to the first token"), [of.point.first_token_ms for of in points],
                      GREEN, "square", "dash"),
        ]),
    }  # fmt: skip
    caption = words(
        "Points by ascending load, joined in that order: where a line turns back, more requests"
        " were answered with fewer tokens."
    )
    charts = []
    for key, (title, unit, every) in lines.items():
        drawn_lines = [line for line in every if any(value is not None for value in line.values)]
        if not drawn_lines:
            continue
        figure = _figure(points, drawn_lines, unit, words)
        charts.append(Chart(key=key, title=title, figure=figure, table=table, caption=caption))
    return charts


def _part_kw(of: NodePoint) -> float | None:
    """Return the part of a node's power that falls on one replica."""
    if of.node_kw is None or of.point.node_kw is not None:
        return None
    return of.node_kw / of.replicas


def _figure(
    points: list[NodePoint], lines: Sequence[CurveLine], unit: str, words: Language
) -> dict[str, Any]:
    """Return lines with a marker at each point."""
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "name": text(line.name),
            "x": [of.point.tokens_per_s for of in points], "y": list(line.values),
            "line": {"color": line.colour, "dash": line.dash, "width": 1.8},
            "marker": {"symbol": line.symbol, "size": 8, "color": line.colour},
            "hovertemplate": f"%{{x:,.4~r}} {text(words('tokens/s'))}<br>%{{y:,.4~r}} {text(unit)}"
                             f"<extra>{text(line.name)}</extra>",
        }
        for line in lines
    ]  # fmt: skip
    layout = frame(HEIGHT_PX, len(lines)) | {
        "hovermode": "closest",
        "xaxis": axis(words("tokens/s"), nticks=6, **FROM_ZERO, **PLAIN),
        "yaxis": axis(unit, **FROM_ZERO, **PLAIN),
    }
    return {"data": data, "layout": layout}
