"""What is answered of what is wanted, by service, and where the nodes of each fleet are."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import (
    Panel,
    area,
    chart_over_time,
    columns_of,
    legend_once,
    points,
    stepped,
    table_over_time,
)
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


def compute_chart(view: View, words: Language) -> Chart | None:
    """Return the chart, None where there is neither a service nor a fleet."""
    services, fleets = view.of_kind("service"), view.of_kind("fleet")
    panels = [_service(view, words, name, part) for name, part in services.items()]
    panels += [
        _waiting(view, words, name, part)
        for name, part in services.items()
        if "waiting_mtok" in view.values[name]
    ]
    panels += [_fleet(view, words, name, part) for name, part in fleets.items()]
    panels = [panel for panel in panels if panel.traces]
    if not panels:
        return None
    entries = legend_once(panels)
    said = words(
        "Answered and wanted tokens by service; batch work may be answered after its arrival. Nodes"
        " by what they do: decoding nodes stand at operating points, the darker the faster."
    )
    return Chart(
        key="compute",
        title=words("Compute: tokens and nodes"),
        figure=chart_over_time(panels, view.clock, entries),
        table=table_over_time(view.clock, words, columns_of(panels)),
        said=f"{said} {view.clock.said(words)}".strip(),
        over_time=True,
    )


def _service(view: View, words: Language, name: str, part: Any) -> Panel:
    clock, shown = view.clock, text(name)
    panel = Panel(shown, words("Mtok/h"), height=105, axis={"rangemode": "tozero"})
    answered = clock.flow(view.values[name]["answered_mtok_per_h"])
    trace = area(
        stepped(clock, answered, words("answered"), words("Mtok/h"), legendgroup="answered"),
        name, SKY,
    )  # fmt: skip
    panel.add(trace, f"{name}: {words('answered')} [{words('Mtok/h')}]", answered)
    if (share := float(part.headroom_share)) > 0:
        needed = clock.flow(view.series(part.wanted())) * (1 + share)
        line = {"shape": "hv", "width": 1.6, "dash": "dot", "color": VERMILLION}
        trace = stepped(
            clock, needed, words("wanted with headroom"), words("Mtok/h"), line=line,
            legendgroup="headroom",
        )  # fmt: skip
        panel.add(trace, f"{name}: {words('wanted with headroom')} [{words('Mtok/h')}]", needed)
    wanted = clock.flow(view.series(part.wanted()))
    line = {"shape": "hv", "width": 1.6, "dash": "dash", "color": BLACK}
    trace = stepped(
        clock, wanted, words("wanted"), words("Mtok/h"), line=line, legendgroup="wanted"
    )
    panel.add(trace, f"{name}: {words('wanted')} [{words('Mtok/h')}]", wanted)
    return panel


def _waiting(view: View, words: Language, name: str, part: Any) -> Panel:
    """Batch work that waits: a state, which moves evenly within a step."""
    clock = view.clock
    panel = Panel(
        words("{service}: waiting", service=text(name)),
        words("Mtok"),
        70,
        axis={"rangemode": "tozero"},
    )
    waiting = clock.state(view.values[name]["waiting_mtok"])
    both = np.append(part.initial.waiting_mtok, waiting)
    line = {"shape": "linear", "width": 2, "color": ORANGE}
    trace = points(clock, both, words("waiting"), words("Mtok"), line=line, legendgroup="waiting")
    end = words("waiting at the end")
    panel.add(trace, f"{name}: {end} [Mtok]", waiting)
    return panel


def _fleet(view: View, words: Language, name: str, part: Any) -> Panel:
    clock, columns = view.clock, view.values[name]
    unit = words("nodes")
    panel = Panel(
        words("{fleet}: nodes", fleet=text(name)), unit, 150, axis={"rangemode": "tozero"}
    )

    def add(values: Any, said: str, colour: str, shape: str, group: str, entry: str) -> None:
        drawn = clock.flow(values)
        if np.abs(drawn).max() <= LEAST:
            return
        trace = area(stepped(clock, drawn, text(said), unit), name, colour, shape)
        key = {"legendgroup": group, "name": entry}
        panel.add(trace | key, f"{name}: {said} [{unit}]", drawn)

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
            said = words("{model} reading input", model=model)
            add(reading, said, ORANGE, "/", "reading", words("reading input"))
    if "job_nodes" in columns:
        add(columns["job_nodes"], words("on jobs"), "#CC79A7", "\\", "jobs", words("on jobs"))
    add(columns["asleep"], words("asleep"), "#FFFFFF", ".", "asleep", words("asleep"))
    available = clock.flow(part.nodes * view.series(part.available_pu))
    line = {"shape": "hv", "width": 1.5, "dash": "dash", "color": GREY}
    trace = stepped(clock, available, words("available"), unit, line=line, legendgroup="available")
    panel.add(trace, f"{name}: {words('available')} [{unit}]", available)
    return panel
