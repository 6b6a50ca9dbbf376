"""All charts of a plan, in the order of the page; `plan.figures` has a method for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from planner.language.language import Language
from planner.plan_tables.tables import PlanTables
from planner.report.charts.allocation import allocation_chart
from planner.report.charts.chart import Chart
from planner.report.charts.commitment import commitment_chart
from planner.report.charts.compute import compute_chart
from planner.report.charts.heat import heat_chart
from planner.report.charts.ledger import ledger_chart
from planner.report.charts.prices import prices_chart
from planner.report.charts.storage import storage_chart
from planner.report.charts.supply import supply_chart
from planner.report.charts.view import View


class ChartEntry(NamedTuple):
    """A chart of a plan.

    chart: makes it, None where the plan has nothing to show; its docstring says what it shows.
    nothing: why a plan has nothing to show.
    """

    chart: Callable[[View, Language], Chart | None]
    nothing: str


CHARTS = {
    "supply": ChartEntry(supply_chart, "no energy flows in it"),
    "compute": ChartEntry(compute_chart, "it has neither a service nor a fleet"),
    "storage": ChartEntry(storage_chart, "it has no battery"),
    "prices": ChartEntry(prices_chart, "it has no grid, no service and no marginal prices"),
    "commitment": ChartEntry(
        commitment_chart, "nothing in it is ever switched on or turned around"
    ),
    "allocation": ChartEntry(allocation_chart, "no energy flows in it"),
    "ledger": ChartEntry(ledger_chart, "no money moves in it"),
    "heat": ChartEntry(heat_chart, "days are set side by side from four days on"),
}


def charts_of(plan: PlanTables, words: Language) -> list[Chart]:
    """Return the charts of a plan; one with nothing to show is left out."""
    view = View(plan)
    charts = (entry.chart(view, words) for entry in CHARTS.values())
    return [chart for chart in charts if chart is not None]
