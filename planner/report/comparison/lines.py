"""From the profit of A to that of B, line by line: the chart, and its table to the cent."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.ledger import Entry, waterfall
from planner.report.charts.style import BLUE, GREY, ORANGE
from planner.report.comparison.compare import Comparison
from planner.report.comparison.tables import SIDES, amounts_by_line

MOST_BARS = 14


def lines_chart(comparison: Comparison, words: Language) -> Chart:
    """Return the waterfall from A to B with its table, whose amounts add up to the cent."""
    amounts = amounts_by_line(comparison, words)
    *lines, total = amounts
    bars = [
        (": ".join(filter(None, (line["component"], line["line"]))), line["difference"])
        for line in lines
    ]
    count = len(comparison.money)
    if count > MOST_BARS + 1:
        rest = sum(change for _, change in bars[MOST_BARS:count])
        label = f"{words('other lines')} ({count - MOST_BARS})"
        bars[MOST_BARS:count] = [(label, rest)]
    entries, reached = [Entry(words("profit of A"), total["a"], "total")], total["a"]
    for name, change in bars:
        entries.append(Entry(name, change, "more" if change > 0 else "less", reached))
        reached += change
    entries.append(Entry(words("profit of B"), total["b"], "total"))
    kinds = {
        "more": (words("B earns more"), BLUE, ""),
        "less": (words("B earns less"), ORANGE, "/"),
        "total": (words("sum"), GREY, ""),
    }
    figure = waterfall(entries, kinds, words)
    for trace in figure["data"]:
        trace["text"] = [_written(entries[i], words) for i in trace["y"]]
    _narrow(figure, entries)
    low, high = figure["layout"]["xaxis"].get("range", (0, 0))
    return Chart(
        key="lines",
        title=words("From A to B, line by line"),
        figure=figure,
        table=_table(amounts, words),
        said=words("Each bar is what a ledger line of B is above or below that of A.")
        if low <= 0 <= high
        else words(
            "Each bar is what a ledger line of B is above or below that of A. The axis begins"
            " where the differences are, not at zero."
        ),
    )


def _table(amounts: list[dict[Any, Any]], words: Language) -> pd.DataFrame:
    """Return the amounts as texts to the cent, headed as people read them."""
    cny, difference = words("CNY"), words("difference")
    heads = [words("component"), words("line"), f"A [{cny}]", f"B [{cny}]", f"{difference} [{cny}]"]
    rows = [
        (row["component"], row["line"],
         *(_cents(row[name], "+" if name == "difference" else "") for name in SIDES))
        for row in amounts
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=heads)


def _cents(amount: float | None, sign: str = "") -> str:
    if amount is None:
        return ""
    return f"{amount + 0.0:{sign},.2f}" if round(amount, 2) else "0.00"


def _written(entry: Entry, words: Language) -> str:
    sign = "+" if entry.kind == "more" else ""
    return sign + words.amount(entry.amount, "CNY").replace("-", "−")


def _narrow(figure: dict[str, Any], entries: list[Entry]) -> None:
    """Let the axis begin where differences are: they may be a hundredth of the profits."""
    ends = [entry.base + entry.amount for entry in entries]
    low, high = min(ends), max(ends)
    room = 0.35 * (high - low)
    if not room or low - room <= 0 <= high + 2 * room:
        return
    drawn = figure["data"][-1]  # the totals, in the unit of the chart
    scale = float(drawn["x"][0]) / entries[0].amount if entries[0].amount else 1.0
    figure["layout"]["xaxis"]["range"] = [(low - room) * scale, (high + 2 * room) * scale]
