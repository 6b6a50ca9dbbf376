"""The summary of a plan as people see it on a terminal.

The prices of a plan as people see them on a terminal.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.language.language import ENGLISH, Language, number
from planner.plan_tables.tables import USES, PlanTables
from planner.units import label, unit


def show(plan: PlanTables, console: Console, words: Language = ENGLISH) -> None:
    """Print the summary of a plan in a language."""
    summary = plan.summary
    _head(summary, console, words)
    _allocation(summary, console, words)
    _ledger(summary, console, words)
    _figures(summary, console, words)
    _green(summary, console, words)
    _carbon(summary, console, words)
    _worst(summary, console, words)
    if plan.prices is not None:
        show_prices(plan, console, words)
    for warning in summary["warnings"]:
        console.print(f"[yellow]{words('note')}[/] {_text(words.sentence(warning))}")


def status_text(status: str, words: Language) -> str:
    """Return how a solve ended, in words."""
    if status == "relaxed":
        return words("LP relaxation: a bound, not a schedule that can be run")
    if status == "settled":
        return words("settled as given")
    return words.term(status)


def green_text(share: str, words: Language) -> str:
    """Return what a share of renewable energy divides by what."""
    return {
        "self_use_share": words("own use / available"),
        "load_share": words("renewable drawn / drawn by load and compute"),
        "official_load_share": words("own use / drawn (official formula)"),
        "export_share": words("exported / available"),
        "curtailed_share": words("curtailed / available"),
    }[share]


def _head(summary: dict[str, Any], console: Console, words: Language) -> None:
    good = summary["status"] == "optimal"
    colour = "green" if good else "yellow"
    ended = f"[{colour}]{status_text(summary['status'], words)}[/]"
    if rolling := summary.get("rolling"):
        ended = words("{n} windows of {hours} h put together", n=rolling["windows"],
                      hours=f"{rolling['window_h']:g}")  # fmt: skip
    turnover, known = _cny(summary["turnover_cny"], words), summary["bound_cny"] is not None
    if known:
        gap = f"[{colour}]{summary['gap']:.2e}[/]"
        said = words("gap {gap} of turnover {turnover}", gap=gap, turnover=turnover)
    else:
        said = words("no bound is known; turnover {turnover}", turnover=turnover)
    console.print(f"[bold]{_text(summary['name'])}[/]  {ended}{words(', ')}{said}")
    plain: dict[str, Any] = {"highlight": False}
    console.print(
        words("{start}, {hours} h in steps of {minutes} min; prices with VAT {vat}",
              start=summary["start"], hours=f"{summary['hours']:g}", minutes=summary["step_min"],
              vat=words.term(summary["vat"])),
        **plain,
    )  # fmt: skip
    profit, cash = (_cny(summary[name], words) for name in ("objective_cny", "cash_profit_cny"))
    bold, _, measured = profit.partition(" ")
    parts = {"profit": f"[bold]{bold}[/] {measured}", "cash": _bare(cash, words)}
    if known:
        parts["most"] = _bare(_cny(summary["bound_cny"], words), words)
        said = words("profit {profit} (at most {most}), of it cash {cash}", **parts)
    else:
        said = words("profit {profit}, of it cash {cash}", **parts)
    console.print(said, **plain)
    if summary["outside_objective_cny"]:
        said = words(
            "cash after costs outside the plan's reach (amortisation, levelized and fixed costs)"
            " {cash}",
            cash=_cny(summary["net_after_outside_cny"], words),
        )
        console.print(said, **plain)
    by_use = summary["value_by_use_cny_per_kwh"]
    if by_use["compute"] is not None:
        sale = by_use["compute_at_sale_price"]
        earned = f"[bold]{by_use['compute']:.3f}[/]"
        text = words("a kWh in compute earns {earned} CNY gross", earned=earned)
        if sale is not None:
            text += words(", on the grid it would earn {sale}", sale=f"{sale:.3f}")
        if summary["uplift"] is not None:
            text += words(": {times} times as much", times=f"[bold]{summary['uplift']:.1f}[/]")
        console.print(text, **plain)
    console.print()


def _allocation(summary: dict[str, Any], console: Console, words: Language) -> None:
    """The allocation table: MWh and CNY/kWh, origin by use."""
    allocation, values = summary["allocation_mwh"], summary["value_cny_per_kwh"]
    uses = [use for use in USES if any(use in by_use for by_use in allocation.values())]
    if not uses:
        return
    largest = max(sum(by_use.values()) for by_use in allocation.values())
    divisor, measured = words.scale("MWh", largest)
    title = words("Where the energy went [{energy}] and what a kWh earned [{money}]",
                  energy=measured, money=words("CNY"))  # fmt: skip
    table = Table(title=escape(title), title_justify="left")
    table.add_column(words("origin"))
    for use in uses:
        table.add_column(words.term(use), justify="right")
    table.add_column(words("total"), justify="right")
    for origin, by_use in allocation.items():
        cells = []
        for use in uses:
            cell = _number(by_use[use] / divisor) if use in by_use else "–"
            if use in values.get(origin, {}):
                cell += f"\n{values[origin][use]:.3f}"
            cells.append(cell)
        table.add_row(words.term(origin), *cells, _number(sum(by_use.values()) / divisor))
    totals = [sum(row.get(use, 0.0) for row in allocation.values()) / divisor for use in uses]
    table.add_section()
    table.add_row(words("all"), *map(_number, totals), _number(sum(totals)))
    console.print(table)


def _ledger(summary: dict[str, Any], console: Console, words: Language) -> None:
    every = [a for lines in summary["ledger_cny"].values() for a in lines.values()]
    divisor, measured = words.scale("CNY", max(map(abs, every), default=0.0))

    def money(amount: float) -> str:
        return _money(amount) if divisor == 1.0 else f"{amount / divisor:,.2f}"

    title = words("Profit by line [{money}]", money=measured)
    table = Table(title=escape(title), title_justify="left")
    table.add_column(words("component"))
    table.add_column(words("line"))
    table.add_column(words("amount"), justify="right")
    for component, lines in summary["ledger_cny"].items():
        shown = {line: amount for line, amount in lines.items() if abs(amount) >= 0.005}
        for line, amount in shown.items():
            table.add_row(_text(component), _text(_line(line, words)), money(amount))
    table.add_section()
    table.add_row(words("profit"), "", money(summary["objective_cny"]))
    for component, lines in summary["outside_objective_cny"].items():
        for line, amount in lines.items():
            said = words("{line} (outside the plan)", line=_line(line, words))
            table.add_row(_text(component), _text(said), money(amount))
    console.print(table)


def _line(line: str, words: Language) -> str:
    return line if words.code == "en" else words.term(line)


def _figures(summary: dict[str, Any], console: Console, words: Language) -> None:
    table = Table(title=words("Key figures"), title_justify="left", show_header=False)
    for component, figures in summary["figures"].items():
        texts = [_figure(name, value, words) for name, value in figures.items()]
        table.add_row(_text(component), words(",  ").join(texts))
    console.print(table)


def _figure(name: str, value: float, words: Language) -> str:
    if name.endswith("_share"):
        return f"{_text(words.term(name))} [bold]{value:.1%}[/]"
    if words.code == "en":
        return f"{_text(label(name))} [bold]{_number(value)}[/]"
    measured = unit(name)
    shown = number(value) if measured is None else words.amount(value, measured)
    return f"{_text(words.term(name))} [bold]{shown}[/]"


def _green(summary: dict[str, Any], console: Console, words: Language) -> None:
    shares = {k: v for k, v in summary["green"].items() if v is not None}
    if not shares:
        return
    texts = [f"{green_text(name, words)} [bold]{share:.1%}[/]" for name, share in shares.items()]
    console.print(words("Renewable energy: ") + words(",  ").join(texts), highlight=False)


def _carbon(summary: dict[str, Any], console: Console, words: Language) -> None:
    carbon = summary["carbon"]
    told = {name: value for name, value in carbon.items() if isinstance(value, float)}
    if told:
        texts = [_figure(name, value, words) for name, value in told.items()]
        console.print(words("Carbon: ") + words(",  ").join(texts), highlight=False)


def _worst(summary: dict[str, Any], console: Console, words: Language) -> None:
    if not summary["worst_hours"]:
        return
    table = Table(title=words("What was scarce, at worst"), title_justify="left")
    for name in (words("time"), words("component"), words("line")):
        table.add_column(name)
    table.add_column(escape(words("cost [{money}]", money=words("CNY"))), justify="right")
    for row in summary["worst_hours"]:
        line = _text(_line(row["line"], words))
        table.add_row(row["time"], _text(row["component"]), line, _money(row["cost_cny"]))
    console.print(table)


def _cny(amount: float, words: Language) -> str:
    return f"{_money(amount)} CNY" if words.code == "en" else words.amount(amount, "CNY")


def _bare(amount: str, words: Language) -> str:
    """Return an amount without the unit, which English does not repeat."""
    return amount.removesuffix(" CNY") if words.code == "en" else amount


def _text(text: str) -> str:
    """Show a text as it is: no markup in it, and control characters spelt out."""
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


def _money(amount: float) -> str:
    return f"{amount:,.2f}" if abs(amount) < 1000 else f"{amount:,.0f}"


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value + 0.0:.4g}" if abs(value) >= 5e-5 else "0"


ONCE = "once"


def show_prices(plan: PlanTables, console: Console, words: Language = ENGLISH) -> None:
    """Print the prices over the horizon, with the lowest and the highest of a step."""
    prices = plan.prices
    assert prices is not None
    hold = words("prices: {hold}", hold=words.sentence(str(plan.summary["prices"]["hold"])))
    console.print(f"[bold]{escape(plan.scenario.name)}[/]  {escape(hold)}", highlight=False)
    if not len(prices):
        return
    worth = words("What a MWh is worth and a Mtok costs [{money}]", money=words("CNY"))
    _table(prices, "per", worth, console, words)
    more = words("What one more unit would earn [{money}]", money=words("CNY"))
    _table(prices, "limit", more, console, words)


def _table(prices: pd.DataFrame, which: str, title: str, console: Console, words: Language) -> None:
    per_amount = prices["quantity"].str.contains("_cny_per_")
    rows = prices[per_amount if which == "per" else ~per_amount]
    rows = rows[~rows["index"].str.endswith(ONCE)]
    if rows.empty:
        return
    table = Table(title=escape(title), title_justify="left")
    for name in ("", words("quantity")):
        table.add_column(name)
    over = words("mean") if which == "per" else words("horizon")
    for name in (over, words("lowest step"), words("highest step")):
        table.add_column(name, justify="right")
    table.add_column(words("unit"))
    keys = ["component", "quantity", "index", "unit"]
    for (component, quantity, index, per), mine in rows.groupby(keys, sort=False):
        steps = mine.loc[mine["time"].notna(), "value"]
        total = float(mine.loc[mine["time"].isna(), "value"].iloc[0])
        if which == "limit" and not total and not steps.any():
            continue
        name = f"{quantity}[{index}]" if index else str(quantity)
        ends = (f"{steps.min():,.2f}", f"{steps.max():,.2f}") if len(steps) else ("–", "–")
        said = name if words.code == "en" else words.term(name)
        cells = (escape(str(component)), escape(said), f"{total:,.2f}", *ends)
        table.add_row(*cells, words(str(per)))
    console.print(table)
