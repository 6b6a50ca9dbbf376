"""A plan in a notebook: its summary in HTML, and its charts: `plan.figures.supply()`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.errors import PlannerError
from planner.language.language import LANGUAGES, Language, language
from planner.language.section import Quantity, reader_language, section_html, table_html
from planner.message import Message, MessageList
from planner.plan_tables.tables import PlanTables
from planner.report import plan_sections
from planner.report.charts.registry import CHARTS
from planner.report.charts.view import View
from planner.report.plan_texts import span_text
from planner.report.year_sections import year_sections
from planner.scenario.scenario import Scenario

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Figures:
    """The charts of one plan; each method makes a new figure that may be changed freely.

    There is a method for every chart of the registry. `lang` is the language of the texts, en or
    zh. Each raises PlannerError where the plan has nothing to show.
    """

    def __init__(self, plan: PlanTables) -> None:
        self._view = View(plan)

    def dispatch(self, lang: str = "en") -> go.Figure:
        """Return the same as `supply`."""
        return self._figure("supply", lang)

    def _figure(self, key: str, lang: str) -> go.Figure:
        words = known_language(lang, self._view.plan.scenario)
        chart = CHARTS[key].chart(self._view, words)
        if chart is None:
            raise PlannerError(
                Message(
                    "plan {name!r} has nothing to show for {text}: {sentence}",
                    name=self._view.plan.scenario.name,
                    text=key,
                    sentence=CHARTS[key].nothing,
                )
            )
        import plotly.graph_objects as go

        return go.Figure(chart.figure)

    if TYPE_CHECKING:  # the methods below, for type checkers

        def __getattr__(self, key: str) -> Callable[..., go.Figure]: ...


def known_language(lang: str, scenario: Scenario) -> Language:
    """Return the language of a code, in the currency of a scenario; PlannerError if unknown."""
    if lang not in LANGUAGES:
        names = MessageList(" or ", LANGUAGES)
        raise PlannerError(Message("lang must be {names}, is {text!r}", names=names, text=lang))
    return language(lang).in_currency(scenario.currency)


def _method(key: str) -> Callable[[Figures, str], go.Figure]:
    def figure(self: Figures, lang: str = "en") -> go.Figure:
        return self._figure(key, lang)

    figure.__name__, figure.__qualname__ = key, f"Figures.{key}"
    figure.__doc__ = CHARTS[key].chart.__doc__
    return figure


for _key in CHARTS:
    setattr(Figures, _key, _method(_key))


def plan_html(plan: PlanTables) -> str:
    """Return status, gaps, profit, the income of a kWh, allocation and year of a plan."""
    words = reader_language().in_currency(plan.scenario.currency)
    worth = plan_sections.worth(plan, words)
    known = [row for row in worth.rows if isinstance(row[1], Quantity) and row[1].value is not None]
    sections = (
        replace(plan_sections.outcome(plan, words), title=""),
        replace(worth, rows=tuple(known)),
        plan_sections.energy(plan, words),
        *year_sections(plan, words),
        plan_sections.sources(plan, words),
    )
    tables = (table_html(section, words) for section in sections if section.rows)
    span = span_text(plan.summary, words)
    return section_html(plan.title, span, *tables)
