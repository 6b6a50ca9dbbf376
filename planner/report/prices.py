"""The prices of a plan as people see them on a terminal."""

from __future__ import annotations

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.language import ENGLISH, Language
from planner.plan import Plan

ONCE = "once"


def show_prices(plan: Plan, console: Console, words: Language = ENGLISH) -> None:
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
    for (component, quantity, index, unit), mine in rows.groupby(keys, sort=False):
        steps = mine.loc[mine["time"].notna(), "value"]
        total = float(mine.loc[mine["time"].isna(), "value"].iloc[0])
        if which == "limit" and not total and not steps.any():
            continue
        name = f"{quantity}[{index}]" if index else str(quantity)
        ends = (f"{steps.min():,.2f}", f"{steps.max():,.2f}") if len(steps) else ("–", "–")
        said = name if words.code == "en" else words.term(name)
        cells = (escape(str(component)), escape(said), f"{total:,.2f}", *ends)
        table.add_row(*cells, words(str(unit)))
    console.print(table)
