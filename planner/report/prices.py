"""The prices of a plan as people see them on a terminal."""

from __future__ import annotations

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.plan import Plan

ONCE = "once"


def show_prices(plan: Plan, console: Console) -> None:
    """Print the prices over the horizon, with the lowest and the highest of a step."""
    prices = plan.prices
    assert prices is not None
    hold = str(plan.summary["prices"]["hold"])
    console.print(f"[bold]{escape(plan.scenario.name)}[/]  prices: {escape(hold)}", highlight=False)
    if not len(prices):
        return
    _table(prices, "per", "What a MWh is worth and a Mtok costs [CNY]", console)
    _table(prices, "limit", "What one more unit would earn [CNY]", console)


def _table(prices: pd.DataFrame, which: str, title: str, console: Console) -> None:
    per_amount = prices["quantity"].str.contains("_cny_per_")
    rows = prices[per_amount if which == "per" else ~per_amount]
    rows = rows[~rows["index"].str.endswith(ONCE)]
    if rows.empty:
        return
    table = Table(title=title, title_justify="left")
    for name in ("", "quantity"):
        table.add_column(name)
    over = "mean" if which == "per" else "horizon"
    for name in (over, "lowest step", "highest step"):
        table.add_column(name, justify="right")
    table.add_column("unit")
    keys = ["component", "quantity", "index", "unit"]
    for (component, quantity, index, unit), mine in rows.groupby(keys, sort=False):
        steps = mine.loc[mine["time"].notna(), "value"]
        total = float(mine.loc[mine["time"].isna(), "value"].iloc[0])
        if which == "limit" and not total and not steps.any():
            continue
        name = f"{quantity}[{index}]" if index else str(quantity)
        ends = (f"{steps.min():,.2f}", f"{steps.max():,.2f}") if len(steps) else ("–", "–")
        table.add_row(escape(str(component)), escape(name), f"{total:,.2f}", *ends, str(unit))
    console.print(table)
