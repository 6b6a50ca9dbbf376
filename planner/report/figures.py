"""The charts of a plan as Plotly figures, for notebooks: `plan.figures.supply()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.errors import PlannerError
from planner.language.language import LANGUAGES, language
from planner.plan_tables.tables import PlanTables
from planner.report.charts.registry import CHARTS
from planner.report.charts.view import View

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Why a plan has nothing to show for a chart.
NOTHING = {
    "supply": "no energy flows in it",
    "compute": "it has neither a service nor a fleet",
    "storage": "it has no battery",
    "prices": "it has no grid, no service and no marginal prices",
    "commitment": "nothing in it is ever switched on or turned around",
    "allocation": "no energy flows in it",
    "ledger": "no money moves in it",
    "heat": "days are set side by side from four days on",
}


class Figures:
    """The charts of one plan; each method makes a new figure that may be changed freely.

    `lang` is the language of the texts, en or zh. Each raises PlannerError where the plan has
    nothing to show.
    """

    def __init__(self, plan: PlanTables) -> None:
        self._view = View(plan)

    def supply(self, lang: str = "en") -> go.Figure:
        """Where power comes from and where it goes, MW by step."""
        return self._figure("supply", lang)

    def dispatch(self, lang: str = "en") -> go.Figure:
        """Return the same as `supply`."""
        return self.supply(lang)

    def compute(self, lang: str = "en") -> go.Figure:
        """Tokens answered and wanted by service, Mtok/h, and nodes by what they do."""
        return self._figure("compute", lang)

    def storage(self, lang: str = "en") -> go.Figure:
        """Stored energy by origin, MWh, charge and discharge, MW."""
        return self._figure("storage", lang)

    def prices(self, lang: str = "en") -> go.Figure:
        """Prices of energy and tokens, and marginal values where the plan has them."""
        return self._figure("prices", lang)

    def commitment(self, lang: str = "en") -> go.Figure:
        """Who runs when: units, batteries, grids, lines, jobs and fleets."""
        return self._figure("commitment", lang)

    def allocation(self, lang: str = "en") -> go.Figure:
        """Energy from its origin to its use over the horizon, MWh."""
        return self._figure("allocation", lang)

    def ledger(self, lang: str = "en") -> go.Figure:
        """How the profit comes about, CNY."""
        return self._figure("ledger", lang)

    def heat(self, lang: str = "en") -> go.Figure:
        """Days beside hours of the day; from four days on."""
        return self._figure("heat", lang)

    def _figure(self, key: str, lang: str) -> go.Figure:
        if lang not in LANGUAGES:
            raise PlannerError(f"lang must be {' or '.join(LANGUAGES)}, is {lang!r}")
        chart = CHARTS[key](self._view, language(lang))
        if chart is None:
            name = self._view.plan.scenario.name
            raise PlannerError(f"plan {name!r} has nothing to show for {key}: {NOTHING[key]}")
        import plotly.graph_objects as go

        return go.Figure(chart.figure)
