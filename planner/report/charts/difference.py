"""Two plans over time: the difference in profit, and the columns that differ most."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.language.language import Language
from planner.plan_tables.tables import PlanTables
from planner.report.charts.chart import Chart
from planner.report.charts.clock import Clock
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import BLACK, BLUE, ORANGE, SKY, VERMILLION, pattern, text
from planner.report.charts.view import View
from planner.report.plan_sections import paragraph
from planner.units import unit

MOST_COLUMNS = 6
STATES = ("energy_mwh", "waiting", "stored")  # beginnings of columns of states


def common_clock(a: PlanTables, b: PlanTables) -> tuple[Clock, pd.DatetimeIndex] | None:
    """Return the steps that two plans share; None unless they are one continuous period."""
    step_min = a.scenario.horizon.step_min
    times = pd.DatetimeIndex(a.schedule.index).intersection(pd.DatetimeIndex(b.schedule.index))
    times = times.tz_convert(a.scenario.horizon.zone)
    if not len(times) or step_min != b.scenario.horizon.step_min:
        return None
    if times[-1] - times[0] != pd.Timedelta(minutes=step_min * (len(times) - 1)):
        return None
    return Clock(times[0], len(times), step_min), times


def profit_chart(
    a: PlanTables, b: PlanTables, clock: Clock, times: pd.DatetimeIndex, words: Language
) -> Chart:
    """Return the chart of the difference in profit, B - A, by step and cumulated."""
    one, two = (
        View(plan).earned()[pd.DatetimeIndex(plan.schedule.index).get_indexer(times)]
        for plan in (a, b)
    )
    by_block = clock.sums(two - one)
    steps = Panel(clock, words("B − A of each step"), words("CNY"), 170, axis={"zeroline": True})
    name = words("difference")
    more, less = (np.where(sign * by_block > 0, by_block, np.nan) for sign in (1, -1))
    steps.bars(words("B earns more"), more, "more", (BLUE, ""), name)
    bars = steps.bars(words("B earns less"), less, "less", (ORANGE, ""), name)
    bars["marker"]["pattern"] = pattern("/") | {"fgcolor": BLACK}
    steps.columns = {
        f"A [{words('CNY')}]": clock.sums(one),
        f"B [{words('CNY')}]": clock.sums(two),
        f"{name} [{words('CNY')}]": by_block,
    }
    total = Panel(
        clock, words("Cumulated from the start"), words("CNY"), 120, axis={"zeroline": True}
    )
    total.line(words("cumulated"), np.cumsum(by_block), "sum", start=0.0, color=BLACK)
    caption = words("Amounts of a month or of the whole horizon belong to no step; they are in the"
                     " table of lines.")  # fmt: skip
    if clock.blocked:
        sums = words("Long horizon: the chart shows sums over {hours} h.", hours=clock.block_hours)
        caption = paragraph(words, caption, sums)
    chart = chart_over_time("profit", words("Profit, hour by hour"), caption, [steps, total], words)
    chart.figure["layout"] |= {"barmode": "overlay", "bargap": 0}
    return dataclasses.replace(chart, caption=caption)


def columns_chart(
    a: PlanTables,
    b: PlanTables,
    names: Sequence[str],
    clock: Clock,
    times: pd.DatetimeIndex,
    words: Language,
) -> Chart | None:
    """Return the chart of the columns that differ most; None where none differs.

    `names` holds the columns, the largest difference first; `clock` and `times` are those of
    `common_clock`.
    """
    panels = []
    for name in names[:MOST_COLUMNS]:
        label = words.label(name)
        panel = Panel(clock, label, text(words(unit(name) or "")), 90)
        shown = clock.state if name.partition(".")[2].startswith(STATES) else clock.flow
        for side, plan, colour, width in (("A", a, SKY, 4.5), ("B", b, VERMILLION, 1.8)):
            by_step = np.zeros(len(times))
            if name in plan.schedule:
                by_step = plan.schedule.loc[times, name].to_numpy(dtype=float)
            panel.line(
                side, shown(by_step), side, column=f"{label}, {side}", width=width, color=colour
            )
        panels.append(panel)
    if not panels:
        return None
    caption = words(
        "The schedule columns with the largest differences relative to their size: A is the broad"
        " line, B the thin one."
    )
    if (left := len(names) - len(panels)) > 0:
        more = words("{n} more differ; the table of columns lists all.", n=left)
        caption = paragraph(words, caption, more)
    return chart_over_time(
        "columns", words("Largest differences in the schedule"), caption, panels, words
    )
