"""Plans of a rest, stochastic plans and simulations on a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rich.console import Console

from planner.language.language import Language
from planner.language.section import percent
from planner.message import Message
from planner.plan_tables.simulation import SimulationTable
from planner.plan_tables.tables import PlanTables
from planner.report.comparison.compare import Comparison, compare
from planner.report.comparison.tables import show_comparison
from planner.report.plan_sections import status_text, vat_text
from planner.report.plan_texts import span_text
from planner.report.simulation_page.sections import policies_section
from planner.report.stochastic_page.sections import members_section
from planner.report.terminal.tables import print_notes, safe, table
from planner.units import CNY

DIFFERENCES = 5  # rows of each table of the rest of a plan


def show_replanned(
    plan: PlanTables, as_planned: PlanTables, console: Console, words: Language
) -> None:
    """Print what a new plan of a rest keeps, and how it differs from the rest as planned."""
    promised = plan.summary["replanned"]["promised"]
    parts = [f"{words.path(path)} {value}" for path, value in promised.items()]
    if parts:
        line = words("kept from the plan: {parts}", parts="; ".join(parts))
        console.print(safe(line), highlight=False, soft_wrap=True)
    if as_planned.summary["breaches"]:
        text = Message("the rest as it was planned breaks rules: its steps before were changed")
        print_notes([text], console, words)
    show_comparison(rest_compared(plan, as_planned), console, DIFFERENCES, words)


def rest_compared(plan: PlanTables, as_planned: PlanTables) -> Comparison:
    """Return how a new plan of a rest (B) differs from the rest as planned (A)."""
    a, b = Message("the rest as it was planned"), Message("the rest as planned now")
    return replace(compare(as_planned, plan), a=a, b=b)


def show_stochastic(summary: dict[str, Any], console: Console, words: Language) -> None:
    """Print the summary of a stochastic plan in a language."""
    words = words.in_currency(summary.get("currency", CNY))
    colour = "green" if summary["status"] == "optimal" else "yellow"
    status = status_text(summary["status"], words)
    gap = words(
        "gap {gap} of the expected turnover of {turnover}",
        gap=f"[{colour}]{percent(summary['gap'], 4)}[/]",
        turnover=words.amount(summary["turnover_cny"], "CNY"),
    )
    if (of_profit := summary["gap_of_profit"]) is not None:
        share = words(
            "{gap} of the objective" if summary["risk"] else "{gap} of the expected profit",
            gap=f"[{colour}]{percent(of_profit, 4)}[/]",
        )
        gap += words(", ") + share
    span = words(
        "{span}, {n} members. {vat}",
        span=span_text(summary, words),
        n=len(summary["members"]),
        vat=vat_text(summary["vat"], words),
    )
    head = f"[bold]{safe(summary['name'])}[/]  [{colour}]{status}[/]{words(', ')}{gap}"
    for sentence in (head, span, *_worth(summary, words), ""):
        console.print(sentence, highlight=False)
    console.print(table(members_section(summary["members"], words), words))
    print_notes((*summary["notes"], *summary["warnings"]), console, words)


def _worth(summary: dict[str, Any], words: Language) -> list[str]:
    """Return sentences on the expected profit, its bound, and the values VSS and EVPI."""

    def cny(value: float) -> str:
        return words.amount(value, "CNY")

    profit = f"[bold]{cny(summary['expected_cny'])}[/]"
    sentences = [words("expected profit {profit}", profit=profit)]
    if (risk := summary["risk"]) is not None:
        sentences.append(
            words(
                "mean profit of the worst {share} of the members {profit} (CVaR, weight {weight});"
                " objective {objective}",
                share=f"{risk['cvar_share']:.0%}",
                profit=cny(summary["cvar_cny"]),
                weight=f"{risk['weight']:g}",
                objective=f"[bold]{cny(summary['objective_cny'])}[/]",
            )
        )
    sentences.append(words("at most {bound}", bound=cny(summary["bound_cny"])))
    for label, value in (
        (words("value of the stochastic solution (VSS)"), summary["vss_cny"]),
        (words("expected value of perfect information (EVPI)"), summary["evpi_cny"]),
    ):
        worth = words("unknown or unlimited") if value is None else cny(value)
        sentences.append(f"{label}{words(': ')}{worth}")
    return sentences


def show_simulation(simulation: SimulationTable, console: Console, words: Language) -> None:
    """Print the table, what its rates refer to, the notes and the folder."""
    words = words.in_currency(simulation.currency)

    def say(sentence: str) -> None:
        console.print(safe(sentence), highlight=False, soft_wrap=True)

    console.print(table(policies_section(simulation, words), words))
    if simulation.bound_cny is not None:
        bound = words.amount(simulation.bound_cny, "CNY")
        say(words("LP bound of the profit: {bound}", bound=bound))
    if simulation.baseline is not None:
        say(words("baseline: {policy}", policy=words.term(simulation.baseline)))
    print_notes(simulation.notes, console, words)
    if simulation.folder is not None:
        say(words("folder: {folder}", folder=simulation.folder))
