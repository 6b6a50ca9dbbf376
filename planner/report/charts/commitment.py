"""Commitment: a row of states for each unit, battery, grid, line, job and fleet.

Every state has a colour, a pattern and, where there is room, its name in the bar. In long horizons
units and jobs are drawn step by step; for components that change direction many times a day, the
state that holds for most of each block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from planner.components.component import Component
from planner.components.terms import State
from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.clock import MINUTE_MS
from planner.report.charts.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    axis,
    folded,
    frame,
    marker,
    shades,
)
from planner.report.charts.view import LEAST, View
from planner.report.plan_sections import paragraph

ROW_PX, LINE_PX, BAR = 34, 18, 0.72
# state: colour, pattern, colour of its name in the bar
STATES = {
    "on": (VERMILLION, "", "#FFFFFF"),
    "charging": (PURPLE, "/", BLACK), "discharging": (PURPLE, "", BLACK),
    "importing": (BLUE, "", "#FFFFFF"), "exporting": (SKY, "\\", BLACK),
    "forward": (GREEN, "", "#FFFFFF"), "backward": (YELLOW, "x", BLACK),
    "running": ("#8A4B08", "", "#FFFFFF"),
}  # fmt: skip
OTHER_STATE = (GREY, "", BLACK)
# share of the maximum: the name in the bar, and its colour
SHARES = {"0_25": "≤ 25 %", "25_50": "25–50 %", "50_75": "50–75 %", "75_100": "> 75 %"}
SHARE_COLOURS = dict(zip(SHARES, shades("#8C8C8C", len(SHARES)), strict=True))
START_MARKS = ("triangle-up", "square", "diamond", "star")


@dataclass(frozen=True, eq=False)
class StateRow:
    """One row: the state of each step as an index of `states`, -1 for none.

    exact: whether it is drawn step by step also in long horizons.
    """

    name: str
    states: tuple[str, ...]
    codes: np.ndarray
    exact: bool = False


class Stretch(NamedTuple):
    """A state of a row from a step to the step after its last."""

    row: str
    state: str
    first: int
    after: int


def rows_of(view: View) -> Iterator[StateRow]:
    """Yield the rows of a plan, the longest commitments first."""
    states = [
        (name, part, state) for name, part in view.components.items() for state in part.states
    ]
    for name, part, state in sorted(states, key=lambda entry: entry[-1].order):
        column = view.total(name, state.column)
        label = _row_label(view.plan.titled(name), part, state)
        if state.most is not None:
            most = np.maximum(view.series(state.most(part)), LEAST)
            quarter = np.clip(np.ceil(column / most * 4 - 1e-6) - 1, 0, 3).astype(int)
            names = tuple(f"{state.first}_{share}" for share in SHARES)
            yield StateRow(label, names, np.where(column > LEAST, quarter, -1))
            continue
        names = tuple(filter(None, (state.first, state.second)))
        if state.whole or not state.zero_without_first:
            codes = np.where(column > 0.5, 0, 1 if state.second else -1)
        else:
            first, second = (
                sum((view.total(name, flow) for flow in flows), 0.0 * column) > LEAST
                for flows in (state.zero_without_first, state.zero_without_second)
            )
            codes = np.where(first, 0, np.where(second, 1, -1))
        yield StateRow(label, names, codes, exact=state.whole)


def _row_label(title: str, part: Component, state: State) -> str:
    """Return the label of a row: the component, with the state where it has several."""
    return title if len(part.states) == 1 else f"{title}: {state.column}"


def spans(codes: np.ndarray) -> list[tuple[int, int, int]]:
    """Return (code, first step, step after the last) of every run of a state, without gaps."""
    cuts = np.flatnonzero(np.diff(codes)) + 1
    edges = [0, *map(int, cuts), len(codes)]
    return [(int(codes[a]), a, b) for a, b in pairwise(edges) if codes[a] >= 0]


def _by_block(view: View, row: StateRow) -> np.ndarray:
    """Return the codes as drawn: in long horizons, the one that holds for most of each block."""
    clock = view.clock
    if row.exact or not clock.blocked:
        return row.codes
    counts = [clock.sums(row.codes == code) for code in range(-1, len(row.states))]
    return np.repeat(np.argmax(counts, axis=0) - 1, clock.counts)


def commitment_chart(view: View, words: Language) -> Chart | None:
    """States of units, batteries, grids, lines, jobs and fleets over time."""
    rows = list(rows_of(view))
    clock = view.clock
    stretches = [
        Stretch(row.name, row.states[code], first, after)
        for row in rows
        for code, first, after in spans(_by_block(view, row))
    ]
    if not stretches:  # no state ever holds
        return None
    states = dict.fromkeys(state for row in rows for state in row.states)
    in_state = ([one for one in stretches if one.state == state] for state in states)
    data = [_bars(view, words, part) for part in in_state if part]
    marks, starts = _starts(view, words)
    names = [folded(row.name) for row in rows]
    row_px = max(ROW_PX, *(LINE_PX * (name.count("<br>") + 1) for name in names))
    layout = frame(60 + row_px * len(rows), 2 * (len(data) + len(marks)))  # long: one in a row
    layout["margin"]["t"] = 8
    layout |= {
        "barmode": "overlay", "bargap": 1 - BAR, "hovermode": "closest",
        "uniformtext": {"mode": "hide", "minsize": 10},
        "xaxis": axis(**clock.axis()),
        "yaxis": axis(
            type="category", categoryorder="array", categoryarray=names[::-1],
            range=[-0.5, len(rows) - 0.5], fixedrange=True, showgrid=False,
        ),
    }  # fmt: skip
    caption = words("Blank: at rest.")
    if clock.blocked:
        drawn = words(
            "Units and jobs are drawn step by step; for all others, the state that holds for most"
            " of each {hours} h.",
            hours=clock.block_hours,
        )
        caption = paragraph(words, caption, drawn)
    return Chart(
        key="commitment",
        title=words("Commitment"),
        figure={"data": data + marks, "layout": layout},
        table=_table(view, words, stretches, starts),
        caption=caption,
        over_time=True,
    )


def _share(state: str) -> str:
    """Return the share of the maximum in the name of a state: 0_25 in awake_0_25, or nothing."""
    return next((share for share in SHARES if state.endswith(f"_{share}")), "")


def _state_label(words: Language, state: str) -> str:
    if share := _share(state):
        return f"{words.term(state.removesuffix(share) + 'share')} {SHARES[share]}"
    return words.term(state)


def _bars(view: View, words: Language, stretches: list[Stretch]) -> dict[str, Any]:
    """Return the bars of one state in all rows."""
    clock, state = view.clock, stretches[0].state
    name, share = _state_label(words, state), _share(state)
    look = (SHARE_COLOURS[share], "", BLACK) if share else STATES.get(state, OTHER_STATE)
    colour, shape, ink = look
    rows, _, first, after = zip(*stretches, strict=True)
    lasts = np.subtract(after, first)
    begins, ends = (clock.texts(steps, "%m-%d %H:%M") for steps in (first, after))
    hours = [f"{count * clock.step_min / 60:g}" for count in lasts]
    return {
        "type": "bar", "orientation": "h", "name": name, "width": BAR,
        "y": list(map(folded, rows)),
        "base": clock.iso(first), "x": lasts * clock.step_min * MINUTE_MS,
        "customdata": list(zip(begins, ends, hours, strict=True)),
        "marker": marker((colour, shape), edge="#FFFFFF"),
        "text": [SHARES.get(share, name)] * len(rows),
        "textposition": "inside", "insidetextanchor": "middle",
        "textangle": 0, "constraintext": "both", "textfont": {"color": ink, "size": 11},
        "hovertemplate": (
            "%{y}<br>" + name + ": %{customdata[0]} – %{customdata[1]}, %{customdata[2]} h"
            "<extra></extra>"
        ),
    }  # fmt: skip


def start_labels(words: Language, kinds: int) -> list[str]:
    """Return the labels of starts, from the shortest rest to the longest."""
    hot, warm, cold = words("hot start"), words("warm start"), words("cold start")
    known = {1: [words("start")], 2: [hot, cold], 3: [hot, warm, cold]}
    return known.get(kinds) or [words("start, kind {kind}", kind=i) for i in range(kinds)]


def _starts(view: View, words: Language) -> tuple[list[dict[str, Any]], list[tuple[str, str, int]]]:
    """Return a trace of markers for each kind of start, and the starts: unit, kind, step."""
    starts: list[tuple[str, str, int]] = []
    for name, part in view.components.items():
        for state in part.states:
            by_kind = view.by_index(state.begins, [name]) if state.begins else {}
            if not by_kind:
                continue
            kinds, labels = np.array(list(by_kind.values())), start_labels(words, len(by_kind))
            steps = np.flatnonzero(kinds.sum(axis=0) > 0.5)
            row = _row_label(view.plan.titled(name), part, state)
            starts += [(row, labels[int(np.argmax(kinds[:, t]))], int(t)) for t in steps]
    marks = []
    symbols = dict(
        zip((*start_labels(words, 1), *start_labels(words, 3)), START_MARKS, strict=True)
    )
    order = list(symbols)
    for kind in sorted({kind for _, kind, _ in starts}, key=lambda k: (*order, k).index(k)):
        of_kind = [(name, step) for name, label, step in starts if label == kind]
        marks.append(
            {
                "type": "scatter", "mode": "markers", "name": kind,
                "x": view.clock.iso([step for _, step in of_kind]),
                "y": [folded(name) for name, _ in of_kind],
                "marker": {
                    "symbol": symbols.get(kind, "circle"), "size": 12, "color": YELLOW,
                    "line": {"width": 1.5, "color": BLACK},
                },
                "cliponaxis": False,
                "text": view.clock.texts([step for _, step in of_kind], "%m-%d %H:%M"),
                "hovertemplate": "%{y}<br>" + kind + ": %{text}<extra></extra>",
            }
        )  # fmt: skip
    return marks, starts


def _table(
    view: View, words: Language, stretches: list[Stretch], starts: list[tuple[str, str, int]]
) -> pd.DataFrame:
    clock = view.clock
    kinds = {(row, step): kind for row, kind, step in starts}
    rows, states, first, after = zip(*stretches, strict=True)
    begins, ends = (clock.texts(steps, "%Y-%m-%d %H:%M") for steps in (first, after))
    return pd.DataFrame(
        {
            words("component"): rows,
            words("state"): [_state_label(words, state) for state in states],
            words("from"): begins,
            words("to"): ends,
            f"{words('length')} [h]": np.subtract(after, first) * clock.step_min / 60,
            words("start"): [kinds.get(key, "") for key in zip(rows, first, strict=True)],
        }
    )
