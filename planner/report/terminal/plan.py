"""The summary and the marginal prices of a plan on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from rich.console import Console
from rich.table import Table

from planner.language.language import ENGLISH, Language
from planner.language.section import Quantity, Row, Section, percent, text
from planner.plan_tables.tables import PlanTables
from planner.report import plan_sections
from planner.report.plan_texts import profit_share_text, range_text, rest_text, span_text
from planner.report.terminal.tables import print_notes, safe, table
from planner.report.year_sections import year_sections

HALF_CENT = 0.005


def show(plan: PlanTables, console: Console, words: Language = ENGLISH) -> None:
    """Print the summary of a plan in a language."""
    words = words.in_currency(plan.scenario.currency)
    summary = plan.summary
    _head(plan, console, words)
    _line(plan_sections.worth(plan, words), console, words)
    console.print()
    ledger = plan_sections.ledger(plan, words, HALF_CENT)
    energy, earned = plan_sections.energy(plan, words), plan_sections.earned(plan, words)
    _tables((energy, earned, ledger), console, words)
    _figures(plan_sections.figures(plan, words).scaled(words), console, words)
    green = plan_sections.green(plan, words)
    if green.heads and green.rows:
        _tables([green], console, words)
        console.print(range_text(words), highlight=False, soft_wrap=True)
    else:
        _line(green, console, words)
    _line(plan_sections.carbon(plan, words), console, words)
    scarce = [plan_sections.scarce(plan, words), plan_sections.binding(plan, words)]
    last = *year_sections(plan, words), plan_sections.sources(plan, words)
    _tables([*scarce, *last], console, words)
    if plan.prices is not None:
        show_prices(plan, console, words)
    print_notes(summary["warnings"], console, words)


def _tables(sections: Iterable[Section], console: Console, words: Language) -> None:
    """Print the sections that have rows, each in the unit of its largest amount."""
    for section in sections:
        if section.rows:
            console.print(table(section.scaled(words), words))


def show_prices(plan: PlanTables, console: Console, words: Language = ENGLISH) -> None:
    """Print the marginal prices over the horizon, with the lowest and the highest of a step."""
    assert plan.prices is not None
    words = words.in_currency(plan.scenario.currency)
    hold = words("prices: {hold}", hold=words.sentence(str(plan.summary["prices"]["hold"])))
    console.print(f"[bold]{safe(plan.title)}[/]  {safe(hold)}", highlight=False)
    _tables(plan_sections.prices(plan, words), console, words)
    first = plan.summary["prices"].get("first_unit", {})  # plans of earlier versions have none
    entries = [entry for by_quantity in first.values() for entry in by_quantity.values()]
    if entries:
        text = words(
            "first unit, decided anew: the profit of the scenario solved again with one unit more"
            " in every step, less that of this plan, known to within {amount}",
            amount=words.amount(max(entry["within"] for entry in entries), "CNY"),
        )
        console.print(safe(text), highlight=False, soft_wrap=True)


def _head(plan: PlanTables, console: Console, words: Language) -> None:
    """Print status and gaps, horizon and profit."""
    summary = plan.summary

    def cny(name: str) -> str:
        return words.amount(summary[name], "CNY")

    def say(sentence: str) -> None:
        console.print(sentence, highlight=False)

    colour = "green" if summary["status"] == "optimal" else "yellow"
    status = f"[{colour}]{plan_sections.status_text(summary['status'], words)}[/]"
    if rolling := summary.get("rolling"):
        status = words("{n} windows of {hours} h put together", n=rolling["windows"],
                       hours=f"{rolling['window_h']:g}")  # fmt: skip
    parts = {"profit": f"[bold]{cny('objective_cny')}[/]", "cash": cny("cash_profit_cny")}
    if summary["bound_cny"] is None:
        proof = words("no bound is known; turnover {turnover}", turnover=cny("turnover_cny"))
        profit = words("profit {profit}, of which cash {cash}", **parts)
    else:
        gap = f"[{colour}]{percent(summary['gap'], 4)}[/]"
        proof = words("gap {gap} of turnover {turnover}", gap=gap, turnover=cny("turnover_cny"))
        if (of_profit := summary.get("gap_of_profit")) is not None:
            share = f"[{colour}]{percent(of_profit, 4)}[/]"
            cny_of = summary["objective_cny"]
            proof += words(", ") + profit_share_text(words, share, cny_of)
        profit = words("profit {profit} (at most {most}), of which cash {cash}",
                       most=cny("bound_cny"), **parts)  # fmt: skip
    say(f"[bold]{safe(plan.title)}[/]  {status}{words(', ')}{proof}")
    say(words("{span}. {vat}", span=span_text(summary, words),
              vat=plan_sections.vat_text(summary["vat"], words)))  # fmt: skip
    say(profit)
    if rest := rest_text(summary, words):
        say(safe(rest))
    if summary["outside_objective_cny"]:
        label = words("cash after amortisation, levelized and fixed costs")
        say(f"{label} {cny('net_after_outside_cny')}")


def _figures(figures: Section, console: Console, words: Language) -> None:
    """Print the figures of each component side by side, in a row."""
    rows = Table(title=figures.title, title_justify="left", show_header=False)
    rows.add_column(overflow="fold")
    rows.add_column(overflow="fold")
    for component, facts in groupby(figures.rows, itemgetter(0)):
        rows.add_row(safe(str(component)), _side_by_side((fact[1:] for fact in facts), words))
    console.print(rows)


def _line(facts: Section, console: Console, words: Language) -> None:
    """Print facts in one line."""
    if side_by_side := _side_by_side(facts.rows, words):
        console.print(f"{facts.title}{words(': ')}{side_by_side}", highlight=False)


def _side_by_side(rows: Iterable[Row], words: Language) -> str:
    """Return labels and amounts in one line, without shares and rates that are not known."""
    return words(",  ").join(
        f"{safe(str(label))} [bold]{text(cell, words)}[/]"
        for label, cell in rows
        if not (isinstance(cell, Quantity) and cell.value is None)
    )
