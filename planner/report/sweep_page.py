"""report.html of a sweep folder: one file that opens without a network, each chart with its table.

A policy in the page keeps it from loading anything from outside.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from planner.answers import Answers
from planner.report import figures_sweep as figures

BEST = 20  # rows of the case table on the page; cases.csv has them all
MOST_TABLE = 200
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #222; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-size: 13px; } .wide { overflow-x: auto; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
summary { cursor: pointer; color: #0072B2; } .note { border-left: 4px solid #E69F00;
  padding: .3rem .8rem; background: #fdf6e6; }
@media print { details { display: block; } summary { display: none; } }
"""
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:"
)


def sweep_page(found: Answers) -> str:
    """Return the page of a sweep."""
    title = html.escape(found.sweep.name)
    parts = "\n".join(_parts(found))
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head>\n"
        f"<body><h1>{title}</h1>\n{parts}\n</body></html>\n"
    )


def _parts(found: Answers) -> Iterator[str]:
    sweep, cases = found.sweep, found.cases
    factors = [n for n, a in sweep.varied.items() if a.kind.startswith("scale")]
    if sweep.description:
        yield _text(sweep.description)
    gap = f", largest gap {cases['gap'].max():.1e}" if "gap" in cases and found.solved else ""
    yield _text(
        f"{len(cases)} cases by design {sweep.design} of {sweep.base}; {found.solved} have a"
        f" plan{gap}. Axes: {', '.join(found.axes) or 'none'}."
    )
    if not found.failures.empty:
        lost = len(cases) - found.solved
        yield _note(f"{lost} cases have no plan; no chart fills them in.")
        yield _table(found.failures)
    for note in found.notes:
        yield _note(note)
    if found.baseline:
        yield _section("Base case", None, pd.DataFrame([found.baseline]))
    if found.break_even is not None:
        points = pd.DataFrame(found.break_even["points"])
        yield _section("Break-even", figures.break_even_figure(found.break_even), points,
                       said=found.break_even["text"])  # fmt: skip
    if found.curve is not None and len(found.curve):
        axis = str(found.curve.columns[1])
        figure = figures.curve_figure(found.curve, axis, found.outputs, factor=axis in factors)
        yield _section(f"Along {axis}", figure, found.curve)
    if found.cost_curve is not None and len(found.cost_curve):
        yield _section(
            f"What each further step of {found.cost_axis} costs",
            figures.cost_figure(found.cost_curve), found.cost_curve,
            said="Differences of profit between neighbouring cases, over those of the renewable"
            " energy that load and compute draw. Grey: the solver's gap hides the sign.",
        )  # fmt: skip
    for output, table in found.tornados.items():
        lost_ends = int(table["without_plan"].sum())
        said = "Each axis alone, from its lowest to its highest value, the others at their base."
        if lost_ends:
            said += (
                f" {lost_ends} of these cases have no plan: their ends are named, without a bar."
            )
        figure = figures.tornado_figure(table, output, factors)
        yield _section(f"Tornado: {output}", figure, table, said=said)
    for output, indices in found.indices.items():
        said = (
            f"Shares of the variance from {indices.blocks} blocks of cases, with"
            f" {indices.confidence:.0%} confidence. First order: the axis alone; total order: with"
            f" its interactions. {indices.note}"
        )
        yield _section(f"Sobol indices: {output}", figures.indices_figure(indices), indices.table,
                       said=said)  # fmt: skip
    for output, grid in found.maps.items():
        held = ", ".join(f"{name} = {value}" for name, value in grid.at.items())
        said = f"{grid.missing} of {grid.values.size} places are empty." if grid.missing else ""
        said += f" Other axes: {held}." if held else ""
        table = grid.values.reset_index()
        yield _section(f"Map: {output}", figures.map_figure(grid, factors), table, said=said)
    if found.front is not None and len(found.front):
        columns = ["case", *found.axes, *found.directions]
        figure = figures.pareto_figure(cases, found.front, found.directions)
        ways = " and ".join(f"{way} {name}" for name, way in found.directions.items())
        yield _section("Pareto front", figure, found.front[columns], said=f"Wanted: {ways}.")
    if found.solved > 1 and found.axes and found.curve is None:
        output = found.outputs[0]
        figure = figures.scatter_figure(cases, found.axes, output, factors)
        shown = found.best[["case", *found.axes, output]].head(MOST_TABLE)
        said = (
            f"Every n-th case is drawn, {figures.MOST_POINTS} at most."
            if len(cases) > figures.MOST_POINTS
            else ""
        )
        yield _section(f"All cases: {output}", figure, shown, said=said)
    columns = ["case", *sweep.axes, "status", "gap", *found.outputs]
    there = [name for name in columns if name in found.best]
    yield _section(
        f"Cases by {found.outputs[0]}", None, found.best[there].head(BEST),
        said=f"The first {BEST}; cases.csv holds all of them with every figure.",
    )  # fmt: skip


def _section(title: str, figure: go.Figure | None, table: pd.DataFrame, said: str = "") -> str:
    """Return a heading, a chart and the table behind it."""
    text = f"<section><h2>{html.escape(title)}</h2>"
    if said.strip():
        text += _text(said.strip())
    if figure is None:
        return f"{text}{_table(table)}</section>"
    chart = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True}
    )
    rows = f"{len(table)} rows" if len(table) != 1 else "1 row"
    behind = f"<details><summary>The table behind it ({rows})</summary>{_table(table)}</details>"
    return f"{text}{chart}{behind}</section>"


def _table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{figures.titled(str(name))}</th>" for name in frame.columns)
    rows = "".join(
        f"<tr>{''.join(_cell(value) for value in row)}</tr>"
        for row in frame.astype(object).itertuples(index=False, name=None)
    )
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "<td></td>"
    if isinstance(value, float):
        text = f"{value:,.2f}" if abs(value) >= 1000 else f"{value + 0.0:.6g}"
        return f'<td class="number">{text}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="number">{value}</td>'
    return f"<td>{html.escape(str(value))}</td>"


def _text(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>'
