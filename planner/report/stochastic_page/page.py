"""report.html of a stochastic plan: what it is worth, what is decided now, how its members differ.

Everything shown is read from the tables of the folder. Members lead to their own pages.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.language.language import Language
from planner.language.titles import title_of
from planner.message import Message
from planner.plan_tables.files import PAGE, SCENARIO
from planner.plan_tables.stochastic import (
    HERE_AND_NOW,
    MEMBERS,
    MEMBERS_CSV,
    STOCHASTIC,
    StochasticTables,
)
from planner.report.charts.view import View
from planner.report.plan_sections import vat_text
from planner.report.plan_texts import span_text
from planner.report.stochastic_page.charts import decided_charts, profits_chart, spread_chart
from planner.report.stochastic_page.sections import decided_section
from planner.report.template import MOST_ROWS, drawn, drawn_of_plans, fill, page_clock, rows_of

FILES = (MEMBERS_CSV, HERE_AND_NOW, STOCHASTIC, SCENARIO)


def stochastic_page(
    plan: StochasticTables, words: Language, cautions: Sequence[Message] = ()
) -> str:
    """Return the page of a stochastic plan in a language; `cautions` are said at its top."""
    words = words.in_currency(plan.scenario.currency)
    summary = plan.summary
    views = {name: View(member) for name, member in plan.members.items()}
    links = {name: f"{MEMBERS}/{name}/{PAGE}" for name in plan.members}
    profits = profits_chart(plan, words)
    targets = [links.get(row["name"]) for row in summary["members"][:MOST_ROWS]]
    members = rows_of(profits.table, {0: targets})
    decided = decided_section(plan, words)
    every = plan.table["profit_cny"]
    others = [
        *decided_charts(plan, next(iter(views.values())), words), spread_chart(plan, views, words)
    ]  # fmt: skip
    return fill(
        "stochastic.html",
        words,
        title_of(plan.scenario),
        cautions=cautions,
        summary=summary,
        count=len(plan.table),
        span=span_text(summary, words),
        vat=vat_text(summary["vat"], words),
        lowest=float(every.min()),
        highest=float(every.max()),
        members=members,
        decided=decided,
        notes=[*summary["notes"], *summary["warnings"]],
        charts=[drawn(profits, members), *(drawn_of_plans(chart, words) for chart in others)],
        most_rows=MOST_ROWS,
        links=links,
        files=FILES,
        clock=page_clock(next(iter(views.values())).clock),
    )
