"""The summary of a plan as people see it on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.plan import USES, Plan
from planner.units import label

STATUS = {
    "optimal": "[green]optimal[/]",
    "time_limit": "[yellow]time limit[/]",
    "interrupted": "[yellow]interrupted[/]",
    "settled": "settled as given",
    "relaxed": "[yellow]LP relaxation: a bound, not a schedule that can be run[/]",
}
GREEN = {
    "self_use_share": "own use / available",
    "load_share": "renewable drawn / drawn by load and compute",
    "official_load_share": "own use / drawn (official formula)",
    "export_share": "exported / available",
    "curtailed_share": "curtailed / available",
}


def show(plan: Plan, console: Console) -> None:
    """Print the summary of a plan."""
    summary = plan.summary
    _head(summary, console)
    _allocation(summary, console)
    _ledger(summary, console)
    _figures(summary, console)
    _green(summary, console)
    _carbon(summary, console)
    _worst(summary, console)
    if plan.prices is not None:
        from planner.report.prices import show_prices

        show_prices(plan, console)
    for warning in summary["warnings"]:
        console.print(f"[yellow]note[/] {_text(warning)}")


def _head(summary: dict[str, Any], console: Console) -> None:
    gap, known = summary["gap"], summary["bound_cny"] is not None
    colour = "green" if summary["status"] == "optimal" else "yellow"
    status = STATUS[summary["status"]]
    if rolling := summary.get("rolling"):
        status = f"{rolling['windows']} windows of {rolling['window_h']:g} h put together"
    said = f"gap [{colour}]{gap:.2e}[/] of" if known else "no bound is known;"
    console.print(
        f"[bold]{_text(summary['name'])}[/]  {status},"
        f" {said} turnover {_money(summary['turnover_cny'])} CNY"
    )
    console.print(
        f"{summary['start']}, {summary['hours']:g} h in steps of {summary['step_min']} min;"
        f" prices with VAT {summary['vat']}",
        highlight=False,
    )
    most = f" (at most {_money(summary['bound_cny'])})" if known else ""
    console.print(
        f"profit [bold]{_money(summary['objective_cny'])}[/] CNY{most},"
        f" of it cash {_money(summary['cash_profit_cny'])}",
        highlight=False,
    )
    if summary["outside_objective_cny"]:
        console.print(
            f"cash after costs outside the plan's reach (amortisation, levelized and fixed costs)"
            f" {_money(summary['net_after_outside_cny'])} CNY",
            highlight=False,
        )
    by_use = summary["value_by_use_cny_per_kwh"]
    if by_use["compute"] is not None:
        sale = by_use["compute_at_sale_price"]
        text = f"a kWh in compute earns [bold]{by_use['compute']:.3f}[/] CNY gross"
        if sale is not None:
            text += f", on the grid it would earn {sale:.3f}"
        if summary["uplift"] is not None:
            text += f": [bold]{summary['uplift']:.1f}[/] times as much"
        console.print(text, highlight=False)
    console.print()


def _allocation(summary: dict[str, Any], console: Console) -> None:
    """The allocation table: MWh and CNY/kWh, origin by use."""
    allocation, values = summary["allocation_mwh"], summary["value_cny_per_kwh"]
    uses = [use for use in USES if any(use in by_use for by_use in allocation.values())]
    if not uses:
        return
    table = Table(
        title="Where the energy went [MWh] and what a kWh earned [CNY]", title_justify="left"
    )
    table.add_column("origin")
    for use in uses:
        table.add_column(use, justify="right")
    table.add_column("total", justify="right")
    for origin, by_use in allocation.items():
        cells = []
        for use in uses:
            cell = _number(by_use[use]) if use in by_use else "–"
            if use in values.get(origin, {}):
                cell += f"\n{values[origin][use]:.3f}"
            cells.append(cell)
        table.add_row(origin, *cells, _number(sum(by_use.values())))
    totals = [sum(by_use.get(use, 0.0) for by_use in allocation.values()) for use in uses]
    table.add_section()
    table.add_row("all", *map(_number, totals), _number(sum(totals)))
    console.print(table)


def _ledger(summary: dict[str, Any], console: Console) -> None:
    table = Table(title="Profit by line [CNY]", title_justify="left")
    table.add_column("component")
    table.add_column("line")
    table.add_column("amount", justify="right")
    for component, lines in summary["ledger_cny"].items():
        shown = {line: amount for line, amount in lines.items() if abs(amount) >= 0.005}
        for line, amount in shown.items():
            table.add_row(_text(component), _text(line), _money(amount))
    table.add_section()
    table.add_row("profit", "", _money(summary["objective_cny"]))
    for component, lines in summary["outside_objective_cny"].items():
        for line, amount in lines.items():
            table.add_row(_text(component), f"{_text(line)} (outside the plan)", _money(amount))
    console.print(table)


def _figures(summary: dict[str, Any], console: Console) -> None:
    table = Table(title="Key figures", title_justify="left", show_header=False)
    for component, figures in summary["figures"].items():
        texts = [_figure(name, value) for name, value in figures.items()]
        table.add_row(_text(component), ",  ".join(texts))
    console.print(table)


def _figure(name: str, value: float) -> str:
    if name.endswith("_share"):
        return f"{_text(name.replace('_', ' '))} [bold]{value:.1%}[/]"
    return f"{_text(label(name))} [bold]{_number(value)}[/]"


def _green(summary: dict[str, Any], console: Console) -> None:
    shares = {k: v for k, v in summary["green"].items() if v is not None}
    if not shares:
        return
    texts = [f"{GREEN[name]} [bold]{share:.1%}[/]" for name, share in shares.items()]
    console.print("Renewable energy: " + ",  ".join(texts), highlight=False)


def _carbon(summary: dict[str, Any], console: Console) -> None:
    carbon = summary["carbon"]
    told = {name: value for name, value in carbon.items() if isinstance(value, float)}
    if told:
        texts = [_figure(name, value) for name, value in told.items()]
        console.print("Carbon: " + ",  ".join(texts), highlight=False)


def _worst(summary: dict[str, Any], console: Console) -> None:
    if not summary["worst_hours"]:
        return
    table = Table(title="What was scarce, at worst", title_justify="left")
    for name in ("time", "component", "line"):
        table.add_column(name)
    table.add_column("cost [CNY]", justify="right")
    for row in summary["worst_hours"]:
        table.add_row(row["time"], _text(row["component"]), row["line"], _money(row["cost_cny"]))
    console.print(table)


def _text(text: str) -> str:
    """Show a text as it is: no markup in it, and control characters spelt out."""
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


def _money(amount: float) -> str:
    return f"{amount:,.2f}" if abs(amount) < 1000 else f"{amount:,.0f}"


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value + 0.0:.4g}" if abs(value) >= 5e-5 else "0"
