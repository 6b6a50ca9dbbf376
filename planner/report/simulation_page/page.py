"""report.html of a simulation: what each policy captures of perfect foresight, and from what.

Everything shown is read from the tables of the folder. Policies lead to their own pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.language.section import Section
from planner.message import Message
from planner.plan_tables.files import PAGE
from planner.plan_tables.simulation import (
    FACTS,
    FORECASTS,
    PLANNING,
    PLANS,
    TABLE,
    SimulationTable,
)
from planner.plan_tables.summary import HALF_FEN
from planner.report.charts.view import View
from planner.report.plan_sections import vat_text
from planner.report.plan_texts import span_text
from planner.report.simulation_page.charts import (
    days_chart,
    forecast_charts,
    operation_chart,
    profits_chart,
)
from planner.report.simulation_page.sections import (
    deviations,
    errors_section,
    lines_section,
    policy_rows,
)
from planner.report.template import MOST_ROWS, drawn, drawn_of_plans, fill, page_clock, rows_of


def simulation_page(
    simulation: SimulationTable, words: Language, cautions: Sequence[Message] = ()
) -> str:
    """Return the page of a simulation in a language; `cautions` are said at its top."""
    first = next(iter(simulation.plans.values()))
    words = words.in_currency(simulation.currency)
    forecasts = simulation.forecasts
    views = {name: View(plan) for name, plan in simulation.plans.items()}
    view = next(iter(views.values()))
    links = {name: f"{PLANS}/{name}/{PAGE}" for name in simulation.plans}
    policies = rows_of(policy_rows(simulation, words), {0: list(links.values())})
    earned = [drawn(profits_chart(simulation, words), policies)]
    if (by_day := days_chart(simulation, words)) is not None:
        short = words("The first {shown} of {n} rows.", shown=MOST_ROWS, n=len(by_day.table))
        earned.append(drawn(by_day) | {"rest": short})
    forecast = [drawn(chart) for chart in forecast_charts(simulation, view, words)]
    executed = [drawn_of_plans(operation_chart(views, words), words)]
    groups = [
        ("profit", words("Profit"), earned),
        ("forecast", words("Forecast against actual"), forecast),
        ("executed", words("What was executed"), executed),
    ]
    forecasting, thumb, most = best_policies(simulation)
    best = forecasting or thumb or most
    assert best is not None
    return fill(
        "simulation.html",
        words,
        first.title,
        cautions=cautions,
        simulation=simulation,
        settings=simulation.settings,
        summary=first.summary,
        span=span_text(first.summary, words),
        vat=vat_text(first.summary["vat"], words),
        best=best,
        planned=best["policy"] in PLANNING,
        thumb=thumb if thumb and thumb["profit_cny"] > best["profit_cny"] + HALF_FEN else None,
        policies=policies,
        profits=_by_policy(simulation, words),
        deviations=deviations(simulation, words),
        lines=lines_section(simulation, words).scaled(words),
        errors=None if forecasts is None else errors_section(forecasts, words),
        notes=simulation.notes,
        broken=bool(simulation.table[["breaches", "forced_steps"]].any(axis=None)),
        groups=groups,
        most_rows=MOST_ROWS,
        links=links,
        files=[TABLE, FACTS, *([] if forecasts is None else [FORECASTS])],
        clock=page_clock(view.clock),
    )


def best_policies(simulation: SimulationTable) -> list[dict[str, Any] | None]:
    """Return the best policy that plans on forecasts, the best rule of thumb, and the best of all.

    Each is a row of the table; None where there is no such policy.
    """
    table = simulation.table
    planning = table["policy"].isin(PLANNING)
    groups = (table[planning & (table["policy"] != PLANNING[0])], table[~planning], table)
    return [_best(rows) if len(rows) else None for rows in groups]


def _best(table: pd.DataFrame) -> dict[str, Any]:
    row = table.sort_values("profit_cny", ascending=False, kind="stable").iloc[0]
    return {str(name): None if value != value else value for name, value in row.items()}


def _by_policy(simulation: SimulationTable, words: Language) -> Section:
    """Return the profit of each policy and the LP bound, in the unit of the largest."""
    table = simulation.table
    rows = [(words.term(n), p) for n, p in zip(table["policy"], table["profit_cny"], strict=True)]
    bound = [] if simulation.bound_cny is None else [(words("LP bound"), simulation.bound_cny)]
    return Section("", (), (*rows, *bound), "CNY").scaled(words)
