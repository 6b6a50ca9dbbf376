"""All charts of a plan, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable

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

CHARTS: dict[str, Callable[[View, Language], Chart | None]] = {
    "supply": supply_chart,
    "compute": compute_chart,
    "storage": storage_chart,
    "prices": prices_chart,
    "commitment": commitment_chart,
    "allocation": allocation_chart,
    "ledger": ledger_chart,
    "heat": heat_chart,
}


def charts_of(plan: PlanTables, words: Language) -> list[Chart]:
    """Return the charts of a plan; one with nothing to show is left out."""
    view = View(plan)
    made = (make(view, words) for make in CHARTS.values())
    return [chart for chart in made if chart is not None]
