"""The gap of a year by month: how far the profit may be below the bound."""

from __future__ import annotations

import pandas as pd

from planner.language.language import Language
from planner.plan_tables.summary import HALF_FEN
from planner.report.charts.chart import Chart
from planner.report.charts.ledger import ProfitBar, waterfall
from planner.report.charts.style import BLUE, GREY, ORANGE
from planner.report.charts.view import View
from planner.report.year_sections import months


def gap_chart(view: View, words: Language) -> Chart | None:
    """How far the profit of each month may be below the bound, CNY."""
    if "year" not in view.plan.summary:
        return None
    year, section = view.plan.summary["year"], months(view.plan, words)
    bars = [ProfitBar(of["month"], of["missing_cny"], "month") for of in year["months"]]
    if abs(year["shared_cny"]) > HALF_FEN:
        bars.append(ProfitBar(words("over the horizon"), year["shared_cny"], "shared"))
    bars.append(ProfitBar(words("total"), sum(bar.amount for bar in bars), "total"))
    styles = {
        "month": (words("month"), BLUE, ""),
        "shared": (words("rules, peaks and windows of several months"), ORANGE, "/"),
        "total": (words("sum"), GREY, ""),
    }
    columns = [f"{head} [{words('CNY')}]" for head in section.heads[1:3]]
    return Chart(
        key="gap",
        title=section.title,
        figure=waterfall(bars, styles, words),
        table=pd.DataFrame(
            section.every_row(), columns=[words("month"), *columns, *section.heads[3:]]
        ),
        caption=words(
            "From top to bottom: how far the profit of each month may be below what any plan can"
            " earn; more work of the solver pays where a bar is long."
        ),
    )
