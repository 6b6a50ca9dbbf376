"""Two plans over time: the difference in profit, and the columns that differ most, A beside B."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.plan_tables.tables import PlanTables
from planner.report.charts.chart import Chart
from planner.report.charts.panels import (
    Clock,
    Panel,
    chart_over_time,
    columns_of,
    legend_once,
    points,
    stepped,
    table_over_time,
)
from planner.report.charts.style import BLACK, BLUE, NUMBER, ORANGE, SKY, VERMILLION, text
from planner.timeseries.series import Array
from planner.units import unit

MOST_COLUMNS = 6
STATES = ("energy_mwh", "waiting", "stored")  # what holds at the end of a step


def common_clock(a: PlanTables, b: PlanTables) -> tuple[Clock, pd.DatetimeIndex] | None:
    """Return the steps that two plans share; None where they share none or not in one piece."""
    step_min = a.scenario.horizon.step_min
    times = pd.DatetimeIndex(a.schedule.index).intersection(pd.DatetimeIndex(b.schedule.index))
    if not len(times) or step_min != b.scenario.horizon.step_min:
        return None
    if times[-1] - times[0] != pd.Timedelta(minutes=step_min * (len(times) - 1)):
        return None
    return Clock(times[0].tz_localize(None), len(times), step_min), times


def profit_chart(
    a: PlanTables, b: PlanTables, clock: Clock, times: pd.DatetimeIndex, words: Language
) -> Chart:
    """Return the difference in profit, B - A, by step and summed from the start."""
    one, two = (profit_by_step(plan, times) for plan in (a, b))
    by_block = np.add.reduceat(two - one, clock.cuts)
    so_far = np.cumsum(by_block)
    steps = Panel(words("B − A of each step"), words("CNY"), 170, axis={"zeroline": True})
    name = words("difference")
    for key, sign, said, colour in (
        ("more", 1, words("B earns more"), BLUE),
        ("less", -1, words("B earns less"), ORANGE),
    ):
        drawn = np.where(sign * by_block > 0, by_block, np.nan)
        steps.traces.append({
            "type": "bar", "name": said, "y": drawn, **clock.bars_x(), "legendgroup": key,
            "marker": {"color": colour, "line": {"width": 0}} | (
                {"pattern": {"shape": "/", "size": 7, "solidity": 0.22, "fgcolor": BLACK,
                             "fillmode": "overlay"}} if sign < 0 else {}),
            "hovertemplate": f"{name}: %{{y:{NUMBER}}} {words('CNY')}<extra></extra>",
        })  # fmt: skip
    total = Panel(words("Summed from the start"), words("CNY"), 120, axis={"zeroline": True})
    line = {"shape": "linear", "width": 2, "color": BLACK}
    said = words("summed")
    total.traces.append(points(clock, np.append(0.0, so_far), said, words("CNY"), legendgroup="sum",
                               line=line))  # fmt: skip
    panels = [steps, total]
    figure = chart_over_time(panels, clock, legend_once(panels))
    figure["layout"] |= {"barmode": "overlay", "bargap": 0}
    blocks = {"A": np.add.reduceat(one, clock.cuts), "B": np.add.reduceat(two, clock.cuts)}
    labels = {f"{side} [{words('CNY')}]": values for side, values in blocks.items()}
    labels[f"{name} [{words('CNY')}]"] = by_block
    labels[f"{said} [{words('CNY')}]"] = so_far
    note = words("Amounts that belong to a month or to the whole horizon are in no step; the table"
                 " of lines has them.")  # fmt: skip
    if clock.blocked:
        hours = f"{clock.size * clock.step_min / 60:g}"
        note += " " + words("Long horizon: sums over {hours} h are drawn.", hours=hours)
    return Chart(
        key="profit",
        title=words("Profit, hour by hour"),
        figure=figure,
        table=table_over_time(clock, words, labels),
        said=note,
        over_time=True,
    )


def profit_by_step(plan: PlanTables, times: pd.DatetimeIndex) -> Array:
    """Return the ledger of every step, CNY; shape (T,)."""
    ledger = plan.ledger
    place = pd.Index([time.isoformat() for time in times]).get_indexer(pd.Index(ledger["period"]))
    weights = ledger["amount_cny"].to_numpy(dtype=float)
    found = np.bincount(place[place >= 0], weights=weights[place >= 0], minlength=len(times))
    return np.asarray(found, dtype=float)


def columns_chart(
    a: PlanTables,
    b: PlanTables,
    names: Sequence[str],
    clock: Clock,
    times: pd.DatetimeIndex,
    words: Language,
) -> Chart | None:
    """Return the columns that differ most, A beside B; None where none differs.

    Args:
        a: the one plan.
        b: the other plan.
        names: columns, the one that differs most first.
        clock: the steps that both have.
        times: their starts.
        words: the language of the texts.
    """
    panels = []
    for name in names[:MOST_COLUMNS]:
        label = words.label(name)
        measured = words(unit(name) or "")
        panel = Panel(text(label), text(measured), 90)
        state = name.partition(".")[2].partition("[")[0].startswith(STATES)
        for side, plan, colour, width in (("A", a, SKY, 4.5), ("B", b, VERMILLION, 1.8)):
            known = name in plan.schedule
            values = (
                plan.schedule.loc[times, name].to_numpy(dtype=float)
                if known
                else np.zeros(len(times))
            )
            drawn = clock.state(values) if state else clock.flow(values)
            line = {"shape": "hv", "width": width, "color": colour}
            trace = stepped(clock, drawn, side, measured, legendgroup=side, line=line)
            panel.add(trace, f"{label}, {side}", drawn)
        panels.append(panel)
    if not panels:
        return None
    left = len(names) - len(panels)
    said = words(
        "The columns of the schedule that differ most relative to their size: A broad, B thin."
    )
    if left > 0:
        said += " " + words("{n} more differ; the table of columns has all of them.", n=left)
    return Chart(
        key="columns",
        title=words("What changed most"),
        figure=chart_over_time(panels, clock, legend_once(panels)),
        table=table_over_time(clock, words, columns_of(panels)),
        said=f"{said} {clock.said(words)}".strip(),
        over_time=True,
    )
