"""The plan for several futures as people see it on a terminal.

The table of a simulation as people see it on a terminal: a column a policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.language.language import Language, number
from planner.language.section import percent
from planner.plan_tables.simulation import SimulationTable
from planner.report.terminal.plan import status_text

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language.language import Language

ALWAYS = ("probability", "profit_cny", "alone_cny", "base_cny")


def show_stochastic(summary: dict[str, Any], console: Console, words: Language) -> None:
    """Print the summary of a plan for several futures, in a language."""
    colour = "green" if summary["status"] == "optimal" else "yellow"
    ended = status_text(summary["status"], words)
    gap = words(
        "gap {gap} of the expected turnover of {turnover}",
        gap=f"[{colour}]{summary['gap']:.2e}[/]",
        turnover=words.amount(summary["turnover_cny"], "CNY"),
    )
    console.print(
        f"[bold]{escape(summary['name'])}[/]  [{colour}]{ended}[/]{words(', ')}{gap}",
        highlight=False,
    )
    _say(
        console,
        words(
            "{start}, {hours} h in steps of {minutes} min, {n} futures; prices with VAT {vat}",
            start=summary["start"],
            hours=f"{summary['hours']:g}",
            minutes=summary["step_min"],
            n=len(summary["members"]),
            vat=words.term(summary["vat"]),
        ),
    )
    for text in _worth(summary, words):
        _say(console, text)
    console.print()
    console.print(_members(summary["members"], words))
    for text in (*summary["notes"], *summary["warnings"]):
        console.print(f"[yellow]{words('note')}[/] {escape(words.sentence(text))}")


def _worth(summary: dict[str, Any], words: Language) -> list[str]:
    """Return what is expected, what was planned for, its bound, and what the two studies found."""

    def cny(value: float) -> str:
        return words.amount(value, "CNY")

    said = [words("expected profit {profit}", profit=f"[bold]{cny(summary['expected_cny'])}[/]")]
    if (risk := summary["risk"]) is not None:
        said.append(
            words(
                "in the worst {share} of the futures {profit} (CVaR, weight {weight});"
                " planned for {worth}",
                share=f"{risk['cvar_share']:.0%}",
                profit=cny(summary["cvar_cny"]),
                weight=f"{risk['weight']:g}",
                worth=f"[bold]{cny(summary['objective_cny'])}[/]",
            )
        )
    said.append(words("at most {bound}", bound=cny(summary["bound_cny"])))
    for name, what in (
        ("vss", words("planning for all futures instead of the base scenario (VSS)")),
        ("evpi", words("knowing the future beforehand (EVPI)")),
    ):
        value = summary[f"{name}_cny"]
        said.append(
            words("{what} is not known or has no limit", what=what)
            if value is None
            else words("{what} earns {worth}", what=what, worth=cny(value))
        )
    return said


def _members(rows: list[dict[str, Any]], words: Language) -> Table:
    """The members: those columns in which something happens."""
    titles = _titles(words)
    shown = [name for name in titles if name in ALWAYS or any(row[name] for row in rows)]
    table = Table(title=words("Futures"), title_justify="left")
    table.add_column(words("member"))
    for name in shown:
        table.add_column(escape(titles[name]), justify="right")
    for row in rows:
        table.add_row(escape(row["name"]), *(_cell(name, row[name], words) for name in shown))
    return table


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


def _cell(name: str, value: float | None, words: Language) -> str:
    if value is None:
        return words("none")
    if name in ("probability", "starts"):
        return f"{value:.4g}"
    return f"{value + 0.0:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False)


def show_simulation(found: SimulationTable, console: Console, words: Language) -> None:
    """Print the table, what the rates refer to, and what a reader must know."""
    plain: dict[str, Any] = {"highlight": False, "soft_wrap": True}
    table = Table()
    table.add_column("")
    for policy in found.table["policy"]:
        table.add_column(escape(words.term(policy)), justify="right", overflow="fold")
    for name, text in _rows(words).items():
        cells = (_simulated(name, value) for value in found.table[name].tolist())
        table.add_row(escape(text), *cells)
    console.print(table)
    if found.bound_cny is not None:
        bound = words("LP bound of the profit: {bound} CNY", bound=number(found.bound_cny))
        console.print(escape(bound), **plain)
    if found.baseline is not None:
        base = words("baseline: {policy}", policy=words.term(found.baseline))
        console.print(escape(base), **plain)
    for note in found.notes:
        console.print(f"[yellow]{escape(words('note'))}[/] {escape(words.sentence(note))}", **plain)
    if found.folder is not None:
        console.print(escape(words("folder: {folder}", folder=found.folder)), **plain)


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


def _simulated(name: str, value: Any) -> str:
    if value is None or value != value:
        return "–"
    if name.endswith("_share"):
        return percent(round(float(value), 6))  # what is left of a rounding reads as nothing
    return number(float(value))
