"""Tokens answered and demanded by service, and the nodes of each fleet by activity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np

from planner.components.component import Component
from planner.components.terms import NodeUse, TokenDemand
from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import (
    BLACK,
    BLUE,
    CYCLE,
    FROM_ZERO,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    VERMILLION,
    Style,
    shades,
    text,
)
from planner.report.charts.view import LEAST, View

POINT_COLOURS = (BLUE, "#007A5A", "#8A4B08", "#9C4F7F", *CYCLE)  # one for each model of a fleet
Shades = dict[str, dict[str, list[str]]]  # by fleet and model
STYLES: dict[str, Style] = {
    "idle": (PALE, ""), "reading": (ORANGE, "/"), "job": (PURPLE, "\\"), "asleep": ("#FFFFFF", "."),
}  # fmt: skip
LEVELS: tuple[Style, ...] = (("#F2F2F2", "."), ("#FFFFFF", "x"), ("#FFFFFF", "+"), ("#FFFFFF", "."))


def compute_chart(view: View, words: Language) -> Chart | None:
    """Tokens answered and demanded by service, Mtok/h, and nodes by activity."""
    services, waiting, fleets = [], [], []
    shades_of = _shades(view)
    for name, part in view.components.items():
        if (demand := part.token_demand()) is not None:
            services.append(_service(view, words, name, demand))
            if view.has(name, "waiting_mtok"):
                waiting.append(_waiting(view, words, name, demand.waiting_mtok))
        if part.node_uses():
            fleets.append(_fleet(view, words, name, part, shades_of))
    panels = [*services, *waiting, *fleets]
    if not panels:
        return None
    caption = words(
        "Tokens answered and demanded by service; batch work may be answered after it arrives,"
        " and work that waited at the start is answered besides."
        " Nodes by activity: decoding nodes by operating point, the darker the faster."
    )
    return chart_over_time("compute", words("Compute: tokens and nodes"), caption, panels, words)


def _service(view: View, words: Language, name: str, demand: TokenDemand) -> Panel:
    clock, shown = view.clock, view.plan.titled(name)
    panel = Panel(clock, shown, words("Mtok/h"), 105, shown, FROM_ZERO)
    answered = clock.flow(view.values[name]["answered_mtok_per_h"])
    panel.area(words("answered"), answered, name, (SKY, ""), "answered")
    demanded = clock.flow(view.series(demand.wanted_mtok_per_h))
    if demand.headroom_share > 0:
        needed = demanded * (1 + demand.headroom_share)
        panel.line(
            words("demand with headroom"), needed, "headroom",
            width=1.6, dash="dot", color=VERMILLION,
        )  # fmt: skip
    panel.line(words("demand"), demanded, "demand", width=1.6, dash="dash", color=BLACK)
    return panel


def _waiting(view: View, words: Language, name: str, start_mtok: float) -> Panel:
    """Return the waiting batch work: a state, interpolated between the ends of the steps."""
    shown = view.plan.titled(name)
    title = words("{service}: waiting", service=shown)
    panel = Panel(view.clock, title, words("Mtok"), 70, shown, FROM_ZERO)
    waiting = view.clock.state(view.values[name]["waiting_mtok"])
    panel.line(
        words("waiting"), waiting, "waiting", start=start_mtok, color=ORANGE,
        column=f"{shown}: {words('waiting at the end')} [{words('Mtok')}]",
    )  # fmt: skip
    return panel


def _fleet(view: View, words: Language, name: str, part: Component, shades_of: Shades) -> Panel:
    clock, columns, shown = view.clock, view.values[name], view.plan.titled(name)
    title = words("{fleet}: nodes", fleet=shown)
    panel = Panel(clock, title, words("nodes"), 150, shown, FROM_ZERO)
    uses = [use for use in part.node_uses() if use.column in columns]
    for use, style in zip(uses, _styles(uses, shades_of[name]), strict=True):
        nodes = clock.flow(columns[use.column])
        if np.abs(nodes).max() > LEAST:
            label, group, entry = _texts(words, use)
            panel.area(label, nodes, name, style, group)["name"] = entry
    for state in part.states:
        if state.most is not None:
            most = clock.flow(view.series(state.most(part)))
            panel.line(words("available"), most, "available", width=1.5, dash="dash", color=GREY)
    return panel


def _shades(view: View) -> Shades:
    """Return the shades of each model's operating points, by fleet and model: dark to light.

    A model has one colour in all fleets.
    """
    points = {
        name: Counter(use.model for use in part.node_uses() if use.doing == "decoding")
        for name, part in view.components.items()
    }
    models = dict.fromkeys(model for counts in points.values() for model in counts)
    colours = dict(zip(models, cycle(POINT_COLOURS)))
    return {
        name: {model: shades(colours[model], count) for model, count in counts.items()}
        for name, counts in points.items()
    }


def _styles(uses: Sequence[NodeUse], shades_of: dict[str, list[str]]) -> Iterator[Style]:
    """Yield the style of each activity; of a model's operating points, the faster the darker."""
    left, levels = {model: [*of_model] for model, of_model in shades_of.items()}, cycle(LEVELS)
    for use in uses:
        if use.level:
            yield next(levels)
        else:
            yield (left[use.model].pop(), "") if use.doing == "decoding" else STYLES[use.doing]


def _texts(words: Language, use: NodeUse) -> tuple[str, str, str]:
    """Return the label of an activity, its group in the legend, and the entry of the group."""
    model = use.model
    match use.doing:
        case "decoding":
            label = words("{model} at {speed} tokens/s", model=model, speed=use.tokens_per_s)
            entry = text(words("decoding {model}", model=model))
            return label, f"decoding {text(model)}", entry
        case "idle":
            return words("{model} awake, idle", model=model), "idle", words("awake, idle")
        case "reading":
            return words("{model} reading input", model=model), "reading", words("reading input")
        case "job":
            return words("on jobs"), "jobs", words("on jobs")
        case "asleep":
            if use.level:
                label = words("asleep, {level}", level=use.level)
                return label, f"asleep {use.level}", label
            return words("asleep"), "asleep", words("asleep")
