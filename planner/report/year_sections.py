"""What the plan of a year proves, as sections: its gap by month, prices of rules, and its log."""

from __future__ import annotations

from typing import Any

from planner.language.language import Language
from planner.language.section import SHARE, Quantity, Row, Section
from planner.plan_tables.summary import HALF_FEN
from planner.plan_tables.tables import PlanTables


def year_sections(plan: PlanTables, words: Language) -> tuple[Section, ...]:
    """Return the gap by month, then the other sections that have rows; none without a year."""
    year = plan.summary.get("year")
    if year is None:
        return ()
    sections = months(plan, words), rule_prices(plan, words), steps(year, words)
    return tuple(section for section in sections if section.rows)


def months(plan: PlanTables, words: Language) -> Section:
    """Return the profit of each month, and how far it may be below the bound.

    What belongs to no month has a row of its own.
    """
    summary, year = plan.summary, plan.summary["year"]
    missing = summary["bound_cny"] - summary["objective_cny"]

    def row(name: str, profit: float | None, missing_cny: float) -> Row:
        share = missing_cny / missing if missing > HALF_FEN else None
        return name, profit, missing_cny, Quantity(share, SHARE)

    rows = [row(month["month"], month["profit_cny"], month["missing_cny"])
            for month in year["months"]]  # fmt: skip
    beside = summary["objective_cny"] - sum(month["profit_cny"] for month in year["months"])
    if max(abs(year["shared_cny"]), abs(beside)) > HALF_FEN:
        profit = beside if abs(beside) > HALF_FEN else None
        rows.append(
            row(words("rules, peaks and windows of several months"), profit, year["shared_cny"])
        )
    heads = "", words("profit"), words("left open"), words("part of the gap")
    total = row(words("total"), summary["objective_cny"], missing)
    return Section(words("Gap by month"), heads, tuple(rows), "CNY", total=total)


def rule_prices(plan: PlanTables, words: Language) -> Section:
    """Return the price of each rule over the horizon."""
    components = plan.scenario.components
    heads = words("component"), words("rule"), words("price"), words("unit")
    rows = (
        (
            plan.titled(price["component"]),
            words.sentence(components[price["component"]].end_rows[price["rule"]]),
            Quantity(price["value"]),
            words(price["unit"]),
        )
        for price in plan.summary["year"]["rule_prices"]
    )
    return Section(words("Prices of rules over the horizon"), heads, tuple(rows), labels=2)


def steps(year: dict[str, Any], words: Language) -> Section:
    """Return the log of the work: plan and bound as they improved."""
    heads = (
        words("work"), words("profit"), words("upper bound of the profit"),
        words("share of turnover"), words("share of profit or loss"),
    )  # fmt: skip
    rows = (
        (
            work_text(step["work"], words), step["profit_cny"], step["bound_cny"],
            Quantity(step["gap"], SHARE, 4), Quantity(step["gap_of_profit"], SHARE, 4),
        )
        for step in year["steps"]
    )  # fmt: skip
    return Section(words("Plan and bound as they improved"), heads, tuple(rows), "CNY")


def work_text(work: str, words: Language) -> str:
    """Return what is done in a stage of a year."""
    texts = {
        "prices": words("seam prices"),
        "rules": words("prices of rules"),
        "bounds": words("bounds of windows"),
        "plan": words("plan of the year"),
        "refinement": words("refinement"),
        "tidying": words("tidying"),
    }
    return texts.get(work, work)
