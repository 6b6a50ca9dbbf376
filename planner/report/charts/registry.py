"""All charts of a plan in the order of the page; `plan.figures` has a method for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from planner.language.language import Language
from planner.message import Message
from planner.plan_tables.tables import PlanTables
from planner.report.charts.allocation import allocation_chart
from planner.report.charts.chart import Chart
from planner.report.charts.commitment import commitment_chart
from planner.report.charts.compute import compute_chart
from planner.report.charts.gap import gap_chart
from planner.report.charts.heat import heat_chart
from planner.report.charts.ledger import ledger_chart
from planner.report.charts.prices import prices_chart
from planner.report.charts.storage import storage_chart
from planner.report.charts.supply import supply_chart
from planner.report.charts.view import View


class ChartKind(NamedTuple):
    """A chart of a plan.

    chart: makes it, None where the plan has nothing to show; its docstring names the quantities.
    nothing: the reason why a plan has nothing to show.
    """

    chart: Callable[[View, Language], Chart | None]
    nothing: Message


CHARTS = {
    "supply": ChartKind(supply_chart, Message("no energy flows in it")),
    "compute": ChartKind(compute_chart, Message("it has neither a service nor a fleet")),
    "storage": ChartKind(storage_chart, Message("it has no battery and stores nothing else")),
    "prices": ChartKind(prices_chart, Message("it has no grid, no service and no marginal prices")),
    "commitment": ChartKind(
        commitment_chart, Message("nothing in it is switched on or changes direction")
    ),
    "allocation": ChartKind(allocation_chart, Message("no energy flows in it")),
    "ledger": ChartKind(ledger_chart, Message("no money moves in it")),
    "heat": ChartKind(heat_chart, Message("it is shorter than four days")),
    "gap": ChartKind(gap_chart, Message("its gap is not known by month")),
}


def charts_of(plan: PlanTables, words: Language) -> list[Chart]:
    """Return the charts of a plan; one with nothing to show is left out."""
    view = View(plan)
    charts = (kind.chart(view, words) for kind in CHARTS.values())
    return [chart for chart in charts if chart is not None]
