"""Who runs when: a row for each unit, battery, grid, line, job and fleet.

Every state has its colour, its pattern and, where there is room, its word in the bar. Of long
horizons units and jobs are drawn as they are; of what changes its direction many times a day the
state is drawn that holds for most of each block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import MINUTE_MS
from planner.report.charts.style import (
    BLACK,
    BLUE,
    GREEN,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    axis,
    frame,
    marker,
    shades,
    text,
)
from planner.report.charts.view import LEAST, View
from planner.timeseries.series import Array

ROW_PX, BAR = 34, 0.72
# state: colour, pattern, colour of the word in the bar
STATES = {
    "on": (VERMILLION, "", "#FFFFFF"),
    "charging": (PURPLE, "/", BLACK), "discharging": (PURPLE, "", BLACK),
    "importing": (BLUE, "", "#FFFFFF"), "exporting": (SKY, "\\", BLACK),
    "forward": (GREEN, "", "#FFFFFF"), "backward": (YELLOW, "x", BLACK),
    "running": ("#8A4B08", "", "#FFFFFF"),
}  # fmt: skip
AWAKE = dict(zip(("awake_0_25", "awake_25_50", "awake_50_75", "awake_75_100"),
                 shades("#8C8C8C", 4), strict=True))  # fmt: skip
AWAKE_LABELS = dict(zip(AWAKE, ("≤ 25 %", "25–50 %", "50–75 %", "> 75 %"), strict=True))
START_MARKS = ("triangle-up", "square", "diamond", "star")


@dataclass(frozen=True, eq=False)
class Row:
    """One row: which state holds in each step, -1 for none."""

    name: str
    states: tuple[str, ...]
    codes: np.ndarray
    exact: bool = False


Stretch = tuple[Row, tuple[int, int, int]]  # of a row: code, first step, step after the last


def rows_of(view: View) -> Iterator[Row]:
    """Yield the rows of a plan, in the order of what commits a site longest."""

    def row(name: str, first: Array, second: Array, states: tuple[str, str]) -> Row:
        codes = np.where(first > LEAST, 0, np.where(second > LEAST, 1, -1))
        return Row(name, states, codes)

    for name in view.of_kind("thermal"):
        on = view.values[name]["on"] > 0.5
        yield Row(name, ("on",), np.where(on, 0, -1), exact=True)
    for name in view.of_kind("battery"):
        ways = view.total(name, "charge_mw"), view.total(name, "discharge_mw")
        yield row(name, *ways, ("charging", "discharging"))
    for name in view.of_kind("grid"):
        ways = view.total(name, "import_mw"), view.total(name, "export_mw")
        yield row(name, *ways, ("importing", "exporting"))
    for name in view.of_kind("line"):
        ways = view.total(name, "forward_mw"), view.total(name, "backward_mw")
        yield row(name, *ways, ("forward", "backward"))
    for name in view.of_kind("job"):
        running = view.values[name]["running"] > 0.5
        yield Row(name, ("running",), np.where(running, 0, -1), exact=True)
    for name, part in view.of_kind("fleet").items():
        awake = view.total(name, "awake")
        nodes = np.maximum(part.nodes * view.series(part.available_pu), LEAST)
        quarter = np.clip(np.ceil(awake / nodes * 4 - 1e-6) - 1, 0, 3).astype(int)
        yield Row(name, tuple(AWAKE), np.where(awake > LEAST, quarter, -1))


def spans(codes: np.ndarray) -> list[tuple[int, int, int]]:
    """Return (code, first step, step after the last) of every run of a state, gaps left out."""
    cuts = np.flatnonzero(np.diff(codes)) + 1
    edges = [0, *map(int, cuts), len(codes)]
    return [(int(codes[a]), a, b) for a, b in pairwise(edges) if codes[a] >= 0]


def _by_block(view: View, row: Row) -> np.ndarray:
    """Return the codes as drawn: of long horizons what holds for most of each block."""
    clock = view.clock
    if row.exact or not clock.blocked:
        return row.codes
    counts = [clock.sums(row.codes == code) for code in range(-1, len(row.states))]
    return np.repeat(np.argmax(counts, axis=0) - 1, clock.counts)


def commitment_chart(view: View, words: Language) -> Chart | None:
    """Who runs when: units, batteries, grids, lines, jobs and fleets."""
    rows = list(rows_of(view))
    if not rows:
        return None
    clock = view.clock
    stretches = [(row, span) for row in rows for span in spans(_by_block(view, row))]
    states = list(dict.fromkeys(state for row in rows for state in row.states))
    data = []
    for state in states:
        in_state = [(row, span) for row, span in stretches if row.states[span[0]] == state]
        if in_state:
            data.append(_bars(view, words, state, in_state))
    marks, starts = _starts(view, words)
    layout = frame(60 + ROW_PX * len(rows), 2 * (len(data) + len(marks)))  # long: one in a row
    layout["margin"]["t"] = 8
    names = [text(row.name) for row in rows]
    layout |= {
        "barmode": "overlay", "bargap": 1 - BAR, "hovermode": "closest",
        "uniformtext": {"mode": "hide", "minsize": 10},
        "xaxis": axis(**clock.axis()),
        "yaxis": axis(
            type="category", categoryorder="array", categoryarray=names[::-1],
            range=[-0.5, len(rows) - 0.5], fixedrange=True, showgrid=False,
        ),
    }  # fmt: skip
    if not data:  # rows of nothing at all: no state ever holds
        return None
    sentence = words("A blank is a time at rest.")
    if clock.blocked:
        sentence += " " + words(
            "Units and jobs are drawn as they are; of the others the state that holds for most of"
            " each {hours} h.",
            hours=clock.block_hours,
        )
    return Chart(
        key="commitment",
        title=words("Commitment: who runs when"),
        figure={"data": data + marks, "layout": layout},
        table=_table(view, words, stretches, starts),
        said=sentence,
        over_time=True,
    )


def _word(words: Language, state: str) -> str:
    """Return a state for people."""
    awake = {
        "awake_0_25": words("awake up to 25 %"), "awake_25_50": words("awake 25 to 50 %"),
        "awake_50_75": words("awake 50 to 75 %"), "awake_75_100": words("awake over 75 %"),
    }  # fmt: skip
    return awake[state] if state in awake else words.term(state)


def _bars(view: View, words: Language, state: str, stretches: list[Stretch]) -> dict[str, Any]:
    """Return the bars of one state in all rows."""
    clock, word = view.clock, _word(words, state)
    colour, shape, ink = STATES.get(state, (AWAKE.get(state, BLACK), "", BLACK))
    begins = [span[1] for _, span in stretches]
    lasts = np.array([span[2] - span[1] for _, span in stretches])
    label = AWAKE_LABELS.get(state, word)
    ends = clock.at([span[2] for _, span in stretches]).strftime("%m-%d %H:%M")
    hours = [f"{count * clock.step_min / 60:g}" for count in lasts]
    return {
        "type": "bar", "orientation": "h", "name": word, "width": BAR,
        "y": [text(row.name) for row, _ in stretches],
        "base": clock.iso(begins), "x": lasts * clock.step_min * MINUTE_MS,
        "customdata": [[end, long] for end, long in zip(ends, hours, strict=True)],
        "marker": marker((colour, shape), edge="#FFFFFF"),
        "text": [label] * len(stretches), "textposition": "inside", "insidetextanchor": "middle",
        "textangle": 0, "constraintext": "both", "textfont": {"color": ink, "size": 11},
        "hovertemplate": (
            "%{y}<br>" + word + ": %{base|%m-%d %H:%M} – %{customdata[0]}, %{customdata[1]} h"
            "<extra></extra>"
        ),
    }  # fmt: skip


def start_words(words: Language, kinds: int) -> list[str]:
    """Return what starts are called, from the shortest rest to the longest."""
    if kinds == 1:
        return [words("start")]
    if kinds == 2:
        return [words("hot start"), words("cold start")]
    if kinds == 3:
        return [words("hot start"), words("warm start"), words("cold start")]
    return [words("start, kind {kind}", kind=i) for i in range(kinds)]


def _starts(view: View, words: Language) -> tuple[list[dict[str, Any]], list[tuple[str, str, int]]]:
    """Return a marker trace for each kind of start, and the starts: unit, kind, step."""
    starts: list[tuple[str, str, int]] = []
    for name, part in view.of_kind("thermal").items():
        said = start_words(words, len(part.startups))
        kinds = np.array([view.values[name][f"start_kind[{i}]"] for i in range(len(said))])
        steps = np.flatnonzero(view.values[name]["start"] > 0.5)
        starts += [(name, said[int(np.argmax(kinds[:, step]))], int(step)) for step in steps]
    marks = []
    order = [words("start"), words("hot start"), words("warm start"), words("cold start")]
    found = sorted({kind for _, kind, _ in starts}, key=lambda k: (*order, k).index(k))
    for kind in found:
        mine = [(name, step) for name, of, step in starts if of == kind]
        symbol = START_MARKS[order.index(kind)] if kind in order else "circle"
        marks.append(
            {
                "type": "scatter", "mode": "markers", "name": kind,
                "x": view.clock.iso([step for _, step in mine]),
                "y": [text(name) for name, _ in mine],
                "marker": {
                    "symbol": symbol, "size": 12, "color": YELLOW,
                    "line": {"width": 1.5, "color": BLACK},
                },
                "cliponaxis": False,
                "hovertemplate": "%{y}<br>" + kind + ": %{x|%m-%d %H:%M}<extra></extra>",
            }
        )  # fmt: skip
    return marks, starts


def _table(
    view: View,
    words: Language,
    stretches: list[Stretch],
    starts: list[tuple[str, str, int]],
) -> pd.DataFrame:
    clock = view.clock
    kinds = {(name, step): kind for name, kind, step in starts}
    begins = clock.at([a for _, (_, a, _) in stretches]).strftime("%Y-%m-%d %H:%M")
    ends = clock.at([b for _, (_, _, b) in stretches]).strftime("%Y-%m-%d %H:%M")
    return pd.DataFrame(
        {
            words("component"): [row.name for row, _ in stretches],
            words("state"): [_word(words, row.states[code]) for row, (code, _, _) in stretches],
            words("from"): list(begins),
            words("to"): list(ends),
            f"{words('length')} [h]": [(b - a) * clock.step_min / 60 for _, (_, a, b) in stretches],
            words("start"): [kinds.get((row.name, a), "") for row, (_, a, _) in stretches],
        }
    )
