"""The charts of a stochastic plan: profits of members, the first stage, the spread of flows."""

from __future__ import annotations

import dataclasses

import pandas as pd

from planner.language.language import Language
from planner.plan_tables.stochastic import StochasticTables
from planner.report.charts.chart import Chart
from planner.report.charts.commitment import commitment_chart
from planner.report.charts.dots import Dots, Level, dot_rows
from planner.report.charts.flows import band, cumulated_profit, look_of, main_flows
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import BLUE, GREEN, GREY, ORANGE, VERMILLION
from planner.report.charts.view import View
from planner.report.plan_sections import paragraph, quantity_label
from planner.report.stochastic_page.sections import members_section
from planner.units import unit


def profits_chart(plan: StochasticTables, words: Language) -> Chart:
    """Return the profit of each member, the worst first, with the mean, and CVaR if it weighs."""
    table = plan.table.sort_values("profit_cny", kind="stable")
    rows = {
        str(name): words("{name}, probability {share}", name=name, share=f"{share:.3g}")
        for name, share in zip(table["name"], table["probability"], strict=True)
    }
    dots = [
        Dots(words("planned for all members"), table["profit_cny"].tolist(), "circle", BLUE),
        Dots(words("planned alone"), table["alone_cny"].tolist(), "diamond-open", GREEN),
        Dots(
            words("with the decisions of the base scenario"), table["base_cny"].tolist(),
            "x-thin", ORANGE,
        ),
    ]  # fmt: skip
    known = [one for one in dots if any(amount == amount for amount in one.amounts)]
    levels = [Level(words("expected profit"), plan.summary["expected_cny"], GREY, "dash")]
    if (risk := plan.summary["risk"]) is not None:
        name = words("mean of the worst {share} (CVaR)", share=f"{risk['cvar_share']:.0%}")
        levels.append(Level(name, plan.summary["cvar_cny"], VERMILLION, "dot"))
    section = members_section(plan.summary["members"], words)
    members = pd.DataFrame(list(section.rows), columns=list(section.heads))
    return Chart(
        "profits",
        words("Profit of each member"),
        dot_rows(rows, known, levels, words),
        members.astype(dict.fromkeys(section.heads[1:], float)),
        words(
            "The worst member first. Planned alone, a member earns what it would earn if its future"
            " were certain."
        ),
    )


def decided_charts(plan: StochasticTables, view: View, words: Language) -> list[Chart]:
    """Return the states and the power that are decided before the future is known."""
    shared, scenario = plan.here_and_now, plan.scenario
    columns = {str(column).partition("[")[0] for column in shared}
    stated = {
        name: part
        for name, part in scenario.components.items()
        if any(f"{name}.{state.column}" in columns for state in part.states)
    }
    charts = []
    if stated:
        first_stage = dataclasses.replace(
            view.plan,
            scenario=scenario.revised({"components": stated}),
            schedule=shared,
        )
        if (states := commitment_chart(View(first_stage), words)) is not None:
            title = words("States decided now")
            caption = words("The same for all members.")
            charts.append(dataclasses.replace(states, key="decided", title=title, caption=caption))
    panels: dict[str, Panel] = {}
    for column in shared:
        name, _, quantity = str(column).partition(".")
        if unit(quantity) == "MW":
            panel = panels.setdefault(name, Panel(view.clock, name, "MW", 130, name))
            label, values = quantity_label(quantity, words), shared[column].to_numpy(dtype=float)
            look = look_of(len(panel.traces))
            panel.line(label, view.clock.flow(values), quantity, width=1.8, **look)
    if panels:
        title = words("Power decided now")
        caption = words("The same for all members.")
        charts.append(chart_over_time("declared", title, caption, [*panels.values()], words))
    return charts


def spread_chart(plan: StochasticTables, views: dict[str, View], words: Language) -> Chart:
    """Return the spread over the members of the main flows and of the profit so far."""
    view = next(iter(views.values()))
    shares = plan.table["probability"].tolist()
    flows = [*main_flows(views, words), cumulated_profit(views, words)]
    panels = [band(flow, shares, view, words) for flow in flows]
    several = words("From the lowest to the highest of the members in each step; the line is their"
                    " median by probability.")  # fmt: skip
    what = paragraph(
        words, several if len(views) > 1 else "",
        words("Amounts of a month or of the whole horizon belong to no step."),
    )  # fmt: skip
    return chart_over_time("spread", words("Spread of the members"), what, panels, words)
