"""report.html of a sweep folder: one file that opens without a network, each chart with its table.

A policy in the page keeps it from loading anything from outside.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from planner.answers import Answers
from planner.language import ENGLISH, Language
from planner.report import figures_sweep as figures
from planner.report.sweep_words import (
    design_text,
    failed,
    status_text,
    told,
    wanted_text,
    with_axes,
)

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


def sweep_page(found: Answers, words: Language = ENGLISH) -> str:
    """Return the page of a sweep in a language."""
    title = html.escape(found.sweep.name)
    parts = "\n".join(_parts(found, words))
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="{words.code}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head>\n"
        f"<body><h1>{title}</h1>\n{parts}\n</body></html>\n"
    )


def _parts(found: Answers, words: Language) -> Iterator[str]:
    sweep, cases = found.sweep, found.cases
    factors = [n for n, a in sweep.varied.items() if a.kind.startswith("scale")]
    if sweep.description:
        yield _text(sweep.description)
    gap = (
        words(", largest gap {gap}", gap=f"{cases['gap'].max():.1e}")
        if "gap" in cases and found.solved
        else ""
    )
    axes = words(", ").join(told(name, words) for name in found.axes) or words("none")
    yield _text(
        words("{n} cases by design {design} of {base}; {solved} have a plan{gap}. Axes: {axes}.",
              n=len(cases), design=design_text(sweep.design, words), base=sweep.base,
              solved=found.solved, gap=gap, axes=axes)
    )  # fmt: skip
    if not found.failures.empty:
        lost = len(cases) - found.solved
        yield _note(words("{n} cases have no plan; no chart fills them in.", n=lost))
        yield _table(failed(found.failures, words), words)
    for note in found.notes:
        yield _note(words.sentence(note))
    if found.baseline:
        yield _section(words("Base case"), None, pd.DataFrame([found.baseline]), words)
    if found.break_even is not None:
        points = pd.DataFrame(found.break_even["points"])
        figure = figures.break_even_figure(found.break_even, words)
        yield _section(words("Break-even"), figure, points, words,
                       said=words.sentence(found.break_even["text"]))  # fmt: skip
    if found.curve is not None and len(found.curve):
        axis = str(found.curve.columns[1])
        figure = figures.curve_figure(
            found.curve, axis, found.outputs, words, factor=axis in factors
        )
        yield _section(words("Along {axis}", axis=told(axis, words)), figure, found.curve, words)
    if found.cost_curve is not None and len(found.cost_curve):
        title = words("What each further step of {axis} costs", axis=told(found.cost_axis, words))
        said = words(
            "Differences of profit between neighbouring cases, over those of the renewable"
            " energy that load and compute draw. Grey: the solver's gap hides the sign."
        )
        figure = figures.cost_figure(found.cost_curve, words)
        yield _section(title, figure, found.cost_curve, words, said=said)
    for output, table in found.tornados.items():
        lost_ends = int(table["without_plan"].sum())
        said = words(
            "Each axis alone, from its lowest to its highest value, the others at their base."
        )
        if lost_ends:
            said += words(
                " {n} of these cases have no plan: their ends are named, without a bar.",
                n=lost_ends,
            )
        figure = figures.tornado_figure(table, output, factors, words)
        title = words("Tornado: {output}", output=told(output, words))
        yield _section(title, figure, with_axes(table, words), words, said=said)
    for output, indices in found.indices.items():
        said = words(
            "Shares of the variance from {blocks} blocks of cases, with {confidence} confidence."
            " First order: the axis alone; total order: with its interactions.",
            blocks=indices.blocks,
            confidence=f"{indices.confidence:.0%}",
        )
        if indices.note:
            said += f" {words.sentence(indices.note)}"
        figure = figures.indices_figure(indices, words)
        title = words("Sobol indices: {output}", output=told(output, words))
        yield _section(title, figure, with_axes(indices.table, words), words, said=said)
    for output, grid in found.maps.items():
        held = ", ".join(f"{told(name, words)} = {value}" for name, value in grid.at.items())
        said = (
            words("{n} of {size} places are empty.", n=grid.missing, size=grid.values.size)
            if grid.missing
            else ""
        )
        said += words(" Other axes: {held}.", held=held) if held else ""
        table = grid.values.reset_index()
        figure = figures.map_figure(grid, factors, words)
        title = words("Map: {output}", output=told(output, words))
        yield _section(title, figure, table, words, said=said)
    if found.front is not None and len(found.front):
        columns = ["case", *found.axes, *found.directions]
        figure = figures.pareto_figure(cases, found.front, found.directions, words)
        ways = words(" and ").join(
            wanted_text(name, way, words) for name, way in found.directions.items()
        )
        said = words("Wanted: {ways}.", ways=ways)
        yield _section(words("Pareto front"), figure, found.front[columns], words, said=said)
    if found.solved > 1 and found.axes and found.curve is None:
        output = found.outputs[0]
        figure = figures.scatter_figure(cases, found.axes, output, factors, words)
        shown = found.best[["case", *found.axes, output]].head(MOST_TABLE)
        said = (
            words("Every n-th case is drawn, {most} at most.", most=figures.MOST_POINTS)
            if len(cases) > figures.MOST_POINTS
            else ""
        )
        title = words("All cases: {output}", output=told(output, words))
        yield _section(title, figure, shown, words, said=said)
    columns = ["case", *sweep.axes, "status", "gap", *found.outputs]
    there = [name for name in columns if name in found.best]
    title = words("Cases by {output}", output=told(found.outputs[0], words))
    said = words("The first {n}; cases.csv holds all of them with every figure.", n=BEST)
    yield _section(title, None, found.best[there].head(BEST), words, said=said)


def _section(
    title: str, figure: go.Figure | None, table: pd.DataFrame, words: Language, said: str = ""
) -> str:
    """Return a heading, a chart and the table behind it."""
    text = f"<section><h2>{html.escape(title)}</h2>"
    if said.strip():
        text += _text(said.strip())
    if figure is None:
        return f"{text}{_table(table, words)}</section>"
    chart = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True}
    )
    one = len(table) == 1
    rows = words("1 row") if one else words("{n} rows", n=len(table))
    summary = words("The table behind it ({rows})", rows=rows)
    behind = f"<details><summary>{summary}</summary>{_table(table, words)}</details>"
    return f"{text}{chart}{behind}</section>"


def _table(frame: pd.DataFrame, words: Language) -> str:
    def cells(row: Iterable[Any]) -> Iterator[str]:
        for name, value in zip(frame.columns, row, strict=True):
            yield _cell(status_text(str(name), value, words))

    head = "".join(f"<th>{figures.titled(str(name), words)}</th>" for name in frame.columns)
    rows = "".join(
        f"<tr>{''.join(cells(row))}</tr>"
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
