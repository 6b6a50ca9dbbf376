"""The main flows of plans that share their steps: exchange, stored energy, compute, tokens.

Members of a stochastic plan are shown as a band from the lowest to the highest of them with their
median, policies of a simulation as a line each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.components.terms import Storage
from planner.language.language import Language
from planner.report.charts.panels import Panel
from planner.report.charts.style import CYCLE, INK, SKY, chart_scale
from planner.report.charts.view import LEAST, View
from planner.timeseries.series import Array

BAND_FILL = "rgba(86,180,233,0.35)"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
FLOW_PX = 130


@dataclass(frozen=True, eq=False)
class Flow:
    """A quantity of several plans over time.

    by_plan: its values by step, shape (T,), by the name of the plan.
    starts: of a state, its value before the horizon by plan; None for a flow.
    """

    title: str
    unit: str
    by_plan: Mapping[str, Array]
    starts: Mapping[str, float] | None = None


def main_flows(views: Mapping[str, View], words: Language) -> list[Flow]:
    """Return the main flows, without those always 0 in all plans."""

    def answered(view: View) -> Array:
        services = [n for n, part in view.components.items() if part.token_demand() is not None]
        by_index = view.by_index("answered_mtok_per_h", services)
        return sum(by_index.values(), np.zeros(view.clock.steps))

    flows = [
        Flow(words("net import (export below zero)"), "MW",
             {n: v.every("import_mw") - v.every("export_mw") for n, v in views.items()}),
        Flow(words("stored energy"), "MWh", {n: v.every("energy_mwh") for n, v in views.items()},
             {n: _stored_at_start(v) for n, v in views.items()}),
        Flow(words("power of compute"), "MW", {n: v.used("compute") for n, v in views.items()}),
        Flow(words("tokens answered"), "Mtok/h", {n: answered(v) for n, v in views.items()}),
    ]  # fmt: skip
    return [flow for flow in flows if _largest(flow) > LEAST]


def cumulated_profit(views: Mapping[str, View], words: Language) -> Flow:
    """Return the profit of each plan up to the end of each step."""
    return Flow(
        words("profit, cumulated from the start"), "CNY",
        {name: np.cumsum(view.earned()) for name, view in views.items()},
        dict.fromkeys(views, 0.0),
    )  # fmt: skip


def band(flow: Flow, probabilities: Sequence[float], view: View, words: Language) -> Panel:
    """Return a panel with the lowest, the median and the highest of the plans at every block.

    The median is the least value that half of the probability does not exceed. A single plan is a
    line.
    """
    panel, divisor, by_block = _panel(flow, view, words)
    values = np.array([*by_block.values()]) / divisor
    starts = None if flow.starts is None else np.array([*flow.starts.values()]) / divisor
    edges = [
        (words("lowest"), values.min(0), None if starts is None else float(starts.min()), "least"),
        (words("highest"), values.max(0), None if starts is None else float(starts.max()), "most"),
        (
            words("median of the members") if len(values) > 1 else next(iter(by_block)),
            median(values, probabilities),
            None if starts is None else float(median(starts[:, None], probabilities)[0]),
            "median",
        ),
    ]
    column = "{flow}: {name} [{unit}]"
    for name, drawn, start, group in edges if len(values) > 1 else edges[2:]:
        label = column.format(flow=flow.title, name=name, unit=panel.unit)
        look = {"width": 2, "color": INK} if group == "median" else {"width": 0.8, "color": SKY}
        trace = panel.line(name, drawn, group, start=start, column=label, **look)
        if group == "most":
            trace |= {"fill": "tonexty", "fillcolor": BAND_FILL}
    return panel


def median(values: Array, probabilities: Sequence[float]) -> Array:
    """Return the median by probability of each column; shape (N, B) to (B,)."""
    order = np.argsort(values, axis=0, kind="stable")
    reached = np.cumsum(np.asarray(probabilities, dtype=float)[order], axis=0)
    first = (reached >= 0.5 * reached[-1] - 1e-9).argmax(axis=0)
    return np.asarray(np.take_along_axis(values, order, axis=0)[first, np.arange(values.shape[1])])


def lines(flow: Flow, labels: Mapping[str, str], view: View, words: Language) -> Panel:
    """Return a panel with a line for each plan, by the label of the plan."""
    panel, divisor, by_block = _panel(flow, view, words)
    for at, (name, values) in enumerate(by_block.items()):
        start = None if flow.starts is None else flow.starts[name] / divisor
        panel.line(
            labels[name], values / divisor, name, start=start, width=1.8, **look_of(at),
            column=f"{flow.title}: {labels[name]} [{panel.unit}]",
        )  # fmt: skip
    return panel


def look_of(at: int) -> dict[str, Any]:
    """Return the colour and the dash of a line by its place among others."""
    return {"color": CYCLE[at % len(CYCLE)], "dash": DASHES[at % len(DASHES)]}


def _panel(flow: Flow, view: View, words: Language) -> tuple[Panel, float, dict[str, Array]]:
    divisor, unit = chart_scale(flow.unit, _largest(flow), words)
    panel = Panel(view.clock, flow.title, unit, FLOW_PX, axis={"zeroline": True})
    blocks = view.clock.flow if flow.starts is None else view.clock.state
    return panel, divisor, {name: blocks(values) for name, values in flow.by_plan.items()}


def _largest(flow: Flow) -> float:
    return max(float(np.abs(values).max(initial=0.0)) for values in flow.by_plan.values())


def _stored_at_start(view: View) -> float:
    stores: list[Storage | None] = [part.storage() for part in view.components.values()]
    return sum(sum(store.start_mwh.values()) for store in stores if store is not None)
