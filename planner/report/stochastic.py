"""The plan for several futures as people see it on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from planner.report.console import status_text

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language import Language
    from planner.stochastic import StochasticPlan

ALWAYS = ("probability", "profit_cny", "alone_cny", "base_cny")


def show_stochastic(plan: StochasticPlan, console: Console, words: Language) -> None:
    """Print the summary of a plan for several futures, in a language."""
    summary = plan.summary
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
            n=len(plan.members),
            vat=words.term(summary["vat"]),
        ),
    )
    for text in _worth(summary, words):
        _say(console, text)
    console.print()
    console.print(_members(plan, words))
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


def _members(plan: StochasticPlan, words: Language) -> Table:
    """The members: those columns in which something happens."""
    rows: list[dict[str, Any]] = plan.summary["members"]
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
