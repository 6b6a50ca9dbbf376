"""The plan for several futures as people see it on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from planner.report.console import STATUS

if TYPE_CHECKING:
    from rich.console import Console

    from planner.stochastic import StochasticPlan

COLUMNS = {
    "probability": "probability",
    "profit_cny": "profit [CNY]",
    "alone_cny": "planned alone",
    "base_cny": "as the base decides",
    "unserved_mtok": "unserved [Mtok]",
    "shed_mwh": "shed [MWh]",
    "export_mwh": "export [MWh]",
    "starts": "starts",
}


def show_stochastic(plan: StochasticPlan, console: Console) -> None:
    """Print the summary of a plan for several futures."""
    summary = plan.summary
    colour = "green" if summary["status"] == "optimal" else "yellow"
    console.print(
        f"[bold]{escape(summary['name'])}[/]  {STATUS[summary['status']]},"
        f" gap [{colour}]{summary['gap']:.2e}[/] of expected turnover"
        f" {summary['turnover_cny']:,.0f} CNY"
    )
    console.print(
        f"{summary['start']}, {summary['hours']:g} h in steps of {summary['step_min']} min,"
        f" {len(plan.members)} futures; prices with VAT {summary['vat']}",
        highlight=False,
    )
    _say(console, f"expected profit [bold]{_money(summary['expected_cny'])}[/] CNY")
    if summary["risk"] is not None:
        risk = summary["risk"]
        _say(
            console,
            f"in the worst {risk['cvar_share']:.0%} of the futures {_money(summary['cvar_cny'])}"
            f" CNY (CVaR, weight {risk['weight']:g}); planned for"
            f" [bold]{_money(summary['objective_cny'])}[/] CNY",
        )
    _say(console, f"at most {_money(summary['bound_cny'])} CNY")
    for name, what in (
        ("vss", "planning for all futures instead of the base scenario (VSS)"),
        ("evpi", "knowing the future beforehand (EVPI)"),
    ):
        value = summary[f"{name}_cny"]
        told = "is not known or has no limit" if value is None else f"earns {_money(value)} CNY"
        _say(console, f"{what} {told}")
    console.print()
    console.print(_members(plan))
    for text in (*summary["notes"], *summary["warnings"]):
        console.print(f"[yellow]note[/] {escape(text)}")


def _members(plan: StochasticPlan) -> Table:
    """The members: those columns in which something happens."""
    rows: list[dict[str, Any]] = plan.summary["members"]
    always = ("probability", "profit_cny", "alone_cny", "base_cny")
    shown = [name for name in COLUMNS if name in always or any(row[name] for row in rows)]
    table = Table(title="Futures", title_justify="left")
    table.add_column("member")
    for name in shown:
        table.add_column(COLUMNS[name], justify="right")
    for row in rows:
        table.add_row(escape(row["name"]), *(_cell(name, row[name]) for name in shown))
    return table


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.4g}" if name in ("probability", "starts") else _money(value)


def _money(amount: float) -> str:
    return f"{amount:,.2f}" if abs(amount) < 1000 else f"{amount:,.0f}"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False)
