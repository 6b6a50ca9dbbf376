"""Plans for several futures and simulations as people see them on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from planner.language.language import Language, number
from planner.language.section import SHARE, Quantity, Section, percent
from planner.plan_tables.simulation import SimulationTable
from planner.report.plan_sections import status_text
from planner.report.terminal.tables import print_notes, safe, table

ALWAYS = ("probability", "profit_cny", "alone_cny", "base_cny")


def show_stochastic(summary: dict[str, Any], console: Console, words: Language) -> None:
    """Print the summary of a plan for several futures, in a language."""
    colour = "green" if summary["status"] == "optimal" else "yellow"
    ended = status_text(summary["status"], words)
    gap = words(
        "gap {gap} of the expected turnover of {turnover}",
        gap=f"[{colour}]{percent(summary['gap'], 4)}[/]",
        turnover=words.amount(summary["turnover_cny"], "CNY"),
    )
    span = words(
        "{start}, {hours} h in steps of {minutes} min, {n} futures; prices with VAT {vat}",
        start=summary["start"],
        hours=f"{summary['hours']:g}",
        minutes=summary["step_min"],
        n=len(summary["members"]),
        vat=words.term(summary["vat"]),
    )
    head = f"[bold]{safe(summary['name'])}[/]  [{colour}]{ended}[/]{words(', ')}{gap}"
    for sentence in (head, span, *_worth(summary, words), ""):
        console.print(sentence, highlight=False)
    console.print(table(_members(summary["members"], words), words))
    print_notes((*summary["notes"], *summary["warnings"]), console, words)


def _worth(summary: dict[str, Any], words: Language) -> list[str]:
    """Return what is expected, what was planned for, its bound, and what the two studies found."""

    def cny(value: float) -> str:
        return words.amount(value, "CNY")

    sentences = [
        words("expected profit {profit}", profit=f"[bold]{cny(summary['expected_cny'])}[/]")
    ]
    if (risk := summary["risk"]) is not None:
        sentences.append(
            words(
                "in the worst {share} of the futures {profit} (CVaR, weight {weight});"
                " planned for {worth}",
                share=f"{risk['cvar_share']:.0%}",
                profit=cny(summary["cvar_cny"]),
                weight=f"{risk['weight']:g}",
                worth=f"[bold]{cny(summary['objective_cny'])}[/]",
            )
        )
    sentences.append(words("at most {bound}", bound=cny(summary["bound_cny"])))
    for name, what in (
        ("vss", words("planning for all futures instead of the base scenario (VSS)")),
        ("evpi", words("knowing the future beforehand (EVPI)")),
    ):
        value = summary[f"{name}_cny"]
        sentences.append(
            words("{what} is not known or has no limit", what=what)
            if value is None
            else words("{what} earns {worth}", what=what, worth=cny(value))
        )
    return sentences


def _members(members: list[dict[str, Any]], words: Language) -> Section:
    """Return a row a member: those columns in which something happens."""
    titles = _titles(words)
    shown = [name for name in titles if name in ALWAYS or any(row[name] for row in members)]
    return Section(
        words("Futures"),
        (words("member"), *(titles[name] for name in shown)),
        tuple((row["name"], *(row[name] for name in shown)) for row in members),
    )


def _titles(words: Language) -> dict[str, str]:
    return {
        "probability": words("probability"),
        "profit_cny": words("profit [CNY]"),
        "alone_cny": words("planned alone [CNY]"),
        "base_cny": words("as the base decides [CNY]"),
        "unserved_mtok": words("tokens not served [Mtok]"),
        "shed_mwh": words("shed [MWh]"),
        "export_mwh": words("export [MWh]"),
        "starts": words("starts of thermal units"),
    }


def show_simulation(simulation: SimulationTable, console: Console, words: Language) -> None:
    """Print the table, what the rates refer to, and what a reader must know."""
    console.print(table(_policies(simulation, words), words))
    below = []
    if simulation.bound_cny is not None:
        bound = number(simulation.bound_cny)
        below.append(words("LP bound of the profit: {bound} CNY", bound=bound))
    if simulation.baseline is not None:
        below.append(words("baseline: {policy}", policy=words.term(simulation.baseline)))
    for sentence in below:
        console.print(safe(sentence), highlight=False, soft_wrap=True)
    print_notes(simulation.notes, console, words)
    if simulation.folder is not None:
        folder = words("folder: {folder}", folder=simulation.folder)
        console.print(safe(folder), highlight=False, soft_wrap=True)


def _policies(simulation: SimulationTable, words: Language) -> Section:
    """Return a column a policy; a share that only rounding keeps from nothing is nothing."""
    values = simulation.table
    return Section(
        "",
        ("", *map(words.term, values["policy"])),
        tuple(
            (
                label,
                *(
                    Quantity(round(value, 6), SHARE) if name.endswith("_share") else value
                    for value in values[name].astype(float)
                ),
            )
            for name, label in _rows(words).items()
        ),
    )


def _rows(words: Language) -> dict[str, str]:
    """Return what each row of the table is called."""
    return {
        "profit_cny": words("profit [CNY]"),
        "cash_profit_cny": words("of it cash [CNY]"),
        "capture_share": words("share of perfect foresight"),
        "above_baseline_share": words("share of it above the baseline"),
        "of_bound_share": words("share of the LP bound"),
        "unserved_mtok": words("tokens not served [Mtok]"),
        "load_share": words("renewable part of the load"),
        "self_use_share": words("own use of renewable energy"),
        "starts": words("starts of thermal units"),
        "cycles": words("cycles of storage"),
        "curtailed_mwh": words("curtailed [MWh]"),
        "commitment_changes": words("changes of commitment"),
        "forced_steps": words("steps without a possible dispatch"),
        "breaches": words("rules broken"),
    }
