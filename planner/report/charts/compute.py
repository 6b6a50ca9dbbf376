"""What is answered of what is wanted, by service, and where the nodes of each fleet are."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import (
    BLACK,
    BLUE,
    CYCLE,
    GREY,
    ORANGE,
    PALE,
    SKY,
    VERMILLION,
    shades,
    text,
)
from planner.report.charts.view import LEAST, View

POINT_COLOURS = (BLUE, "#007A5A", "#8A4B08", "#9C4F7F", *CYCLE)  # one a model of a fleet
FROM_ZERO = {"rangemode": "tozero"}


def compute_chart(view: View, words: Language) -> Chart | None:
    """Tokens answered and wanted by service, Mtok/h, and nodes by what they do."""
    services, fleets = view.of_kind("service"), view.of_kind("fleet")
    panels = [_service(view, words, name, part) for name, part in services.items()]
    panels += [
        _waiting(view, words, name, part)
        for name, part in services.items()
        if "waiting_mtok" in view.values[name]
    ]
    panels += [_fleet(view, words, name, part) for name, part in fleets.items()]
    if not panels:
        return None
    sentence = words(
        "Answered and wanted tokens by service; batch work may be answered after its arrival. Nodes"
        " by what they do: decoding nodes stand at operating points, the darker the faster."
    )
    return chart_over_time("compute", words("Compute: tokens and nodes"), sentence, panels, words)


def _service(view: View, words: Language, name: str, part: Any) -> Panel:
    clock = view.clock
    panel = Panel(clock, text(name), words("Mtok/h"), 105, name, FROM_ZERO)
    answered = clock.flow(view.values[name]["answered_mtok_per_h"])
    panel.area(words("answered"), answered, name, (SKY, ""), "answered")
    wanted = clock.flow(view.series(part.wanted()))
    if (share := float(part.headroom_share)) > 0:
        panel.line(
            words("wanted with headroom"), wanted * (1 + share), "headroom",
            width=1.6, dash="dot", color=VERMILLION,
        )  # fmt: skip
    panel.line(words("wanted"), wanted, "wanted", width=1.6, dash="dash", color=BLACK)
    return panel


def _waiting(view: View, words: Language, name: str, part: Any) -> Panel:
    """Batch work that waits: a state, which moves evenly within a step."""
    title = words("{service}: waiting", service=text(name))
    panel = Panel(view.clock, title, words("Mtok"), 70, name, FROM_ZERO)
    waiting = view.clock.state(view.values[name]["waiting_mtok"])
    panel.line(
        words("waiting"), waiting, "waiting", start=part.initial.waiting_mtok, color=ORANGE,
        column=f"{name}: {words('waiting at the end')} [Mtok]",
    )  # fmt: skip
    return panel


def _fleet(view: View, words: Language, name: str, part: Any) -> Panel:
    clock, columns = view.clock, view.values[name]
    title = words("{fleet}: nodes", fleet=text(name))
    panel = Panel(clock, title, words("nodes"), 150, name, FROM_ZERO)

    def add(values: Any, label: str, colour: str, shape: str, group: str, entry: str) -> None:
        nodes = clock.flow(values)
        if np.abs(nodes).max() > LEAST:
            area = panel.area(label, nodes, name, (colour, shape))
            area |= {"legendgroup": group, "name": entry}

    for number, (model, serving) in enumerate(part.serves.items()):
        colour = POINT_COLOURS[number % len(POINT_COLOURS)]
        working = shades(colour, len(serving.points) - 1)
        for point, shade in zip(reversed(serving.points), [*reversed(working), ""], strict=True):
            values = columns[f"nodes[{model}|{point.key}]"]
            if point.tokens_per_s:
                speed = words("{model} at {speed} tokens/s", model=model, speed=point.key)
                entry = text(words("decoding {model}", model=model))
                add(values, speed, shade, "", f"decoding {text(model)}", entry)
            else:
                idle = words("{model} awake, idle", model=model)
                add(values, idle, PALE, "", "idle", words("awake, idle"))
        reading = columns.get(f"prefill_nodes[{model}]")
        if reading is not None:
            label = words("{model} reading input", model=model)
            add(reading, label, ORANGE, "/", "reading", words("reading input"))
    if "job_nodes" in columns:
        add(columns["job_nodes"], words("on jobs"), "#CC79A7", "\\", "jobs", words("on jobs"))
    add(columns["asleep"], words("asleep"), "#FFFFFF", ".", "asleep", words("asleep"))
    available = clock.flow(part.nodes * view.series(part.available_pu))
    panel.line(words("available"), available, "available", width=1.5, dash="dash", color=GREY)
    return panel
