"""Several plans in a notebook, those of members or of policies: their tables and charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.errors import PlannerError
from planner.language.language import Language
from planner.language.section import Quantity, Section, reader_language, section_html, table_html
from planner.language.titles import title_of
from planner.message import Message
from planner.plan_tables.simulation import SimulationTable
from planner.plan_tables.stochastic import StochasticTables
from planner.report import plan_sections
from planner.report.charts.chart import Chart
from planner.report.charts.view import View
from planner.report.figures import Figures, known_language
from planner.report.plan_texts import span_text
from planner.report.simulation_page.charts import days_chart, operation_chart, profits_chart
from planner.report.simulation_page.sections import policies_section
from planner.report.stochastic_page import charts as of_members
from planner.report.stochastic_page.sections import members_section

if TYPE_CHECKING:
    import plotly.graph_objects as go


class StochasticFigures(Figures):
    """The charts of all members together; those of one are `plan.members[NAME].figures`."""

    def __init__(self, plan: StochasticTables) -> None:
        self._plan = plan

    def profits(self, lang: str = "en") -> go.Figure:
        """Return the profit of each member, the worst first."""
        return _figure(
            of_members.profits_chart(self._plan, known_language(lang, self._plan.scenario))
        )

    def spread(self, lang: str = "en") -> go.Figure:
        """Return the spread over the members of the main flows and of the profit so far."""
        views = {name: View(plan) for name, plan in self._plan.members.items()}
        return _figure(
            of_members.spread_chart(self._plan, views, known_language(lang, self._plan.scenario))
        )

    def _figure(self, key: str, lang: str) -> go.Figure:  # noqa: ARG002  # as of one plan
        name = next(iter(self._plan.members))
        raise PlannerError(Message(
            "{key} is a chart of one member: plan.members[{name!r}].figures.{key}()",
            key=key, name=name,
        ))  # fmt: skip


class SimulationFigures:
    """The charts of all policies together; those of one are `simulation.plans[NAME].figures`."""

    def __init__(self, simulation: SimulationTable) -> None:
        self._simulation = simulation

    def _words(self, lang: str) -> Language:
        return known_language(lang, self._simulation.scenario)

    def profits(self, lang: str = "en") -> go.Figure:
        """Return the profit of each policy with its share of perfect foresight."""
        return _figure(profits_chart(self._simulation, self._words(lang)))

    def days(self, lang: str = "en") -> go.Figure:
        """Return the profit of each day by policy. Raises PlannerError for a single day."""
        chart = days_chart(self._simulation, self._words(lang))
        if chart is None:
            raise PlannerError(Message("a simulation of a single day has no chart of its days"))
        return _figure(chart)

    def operation(self, lang: str = "en") -> go.Figure:
        """Return what was executed, by policy: the profit so far and the main flows."""
        views = {name: View(plan) for name, plan in self._simulation.plans.items()}
        return _figure(operation_chart(views, self._words(lang)))


def _figure(chart: Chart) -> go.Figure:
    import plotly.graph_objects as go

    return go.Figure(chart.figure)


def stochastic_html(plan: StochasticTables) -> str:
    """Return the result of a stochastic plan, its values and its members as HTML."""
    words, summary = reader_language().in_currency(plan.scenario.currency), plan.summary
    mean = (words("expected profit"), summary["expected_cny"])
    worth = (
        *((mean,) if summary["risk"] else ()),  # else it is the objective
        (words("value of the stochastic solution (VSS)"), summary["vss_cny"]),
        (words("expected value of perfect information (EVPI)"), summary["evpi_cny"]),
    )
    rows = tuple((label, Quantity(cny, "CNY")) for label, cny in worth)
    members = members_section(summary["members"], words)
    sections = (plan_sections.outcome(plan, words), Section("", (), rows), members)
    return _html(plan.title, span_text(summary, words), sections, words)


def simulation_html(simulation: SimulationTable) -> str:
    """Return the table of a simulation, a column a policy, as HTML."""
    first = next(iter(simulation.plans.values()))
    words = reader_language().in_currency(first.scenario.currency)
    sections = (policies_section(simulation, words),)
    return _html(title_of(first.scenario), span_text(first.summary, words), sections, words)


def _html(title: str, span: str, sections: tuple[Section, ...], words: Language) -> str:
    return section_html(title, span, *(table_html(section, words) for section in sections))
