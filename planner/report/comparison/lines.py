"""From the profit of A to that of B, line by line, to the cent."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.ledger import Entry, said, waterfall
from planner.report.charts.style import BLUE, GREY, ORANGE
from planner.report.comparison.compare import Comparison

MOST_BARS = 14
CENT = 0.01


def lines_chart(found: Comparison, words: Language) -> Chart:
    """Return the waterfall from A to B with its table, whose amounts add up to the cent."""
    lines = [
        (
            str(row["component"]),
            said(words, str(row["line"])),
            round(float(row["difference_cny"]), 2),
        )
        for row in found.money.to_dict("records")
    ]
    first, last = round(found.profit_a_cny, 2), round(found.profit_b_cny, 2)
    rounding = round(last - first - sum(amount for *_, amount in lines), 2)
    bars = [(f"{name}: {line}", amount) for name, line, amount in lines]
    small = bars[MOST_BARS:] if len(bars) > MOST_BARS + 1 else []
    bars = bars[: len(bars) - len(small)]
    if small:
        rest = sum(amount for _, amount in small)
        bars.append((f"{words('other lines')} ({len(small)})", rest))
    if abs(rounding) >= CENT:
        bars.append((words("lines below half a fen, and rounding"), rounding))
    entries, reached = [Entry(words("profit of A"), first, "total")], first
    for name, amount in bars:
        entries.append(Entry(name, amount, "more" if amount > 0 else "less", reached))
        reached += amount
    entries.append(Entry(words("profit of B"), last, "total"))
    kinds = {
        "more": (words("B earns more"), BLUE, ""),
        "less": (words("B earns less"), ORANGE, "/"),
        "total": (words("sum"), GREY, ""),
    }
    figure = waterfall(entries, kinds, words)
    for trace in figure["data"]:
        trace["text"] = [_written(entries[i], words) for i in trace["y"]]
    _narrow(figure, entries)
    return Chart(
        key="lines",
        title=words("From A to B, line by line"),
        figure=figure,
        table=_table(found, lines, (first, last, rounding), words),
        said=words(
            "Each bar is what a ledger line of B is above or below that of A. The axis begins"
            " where the differences are, not at zero."
        )
        if "range" in figure["layout"]["xaxis"] and not _from_zero(figure)
        else words("Each bar is what a ledger line of B is above or below that of A."),
    )


def _written(entry: Entry, words: Language) -> str:
    sign = "+" if entry.kind == "more" else ""
    return sign + words.amount(entry.amount, "CNY").replace("-", "−")


def _from_zero(figure: dict[str, Any]) -> bool:
    low, high = figure["layout"]["xaxis"]["range"]
    return bool(low <= 0 <= high)


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


def _table(
    found: Comparison,
    lines: list[tuple[str, str, float]],
    sums: tuple[float, float, float],
    words: Language,
) -> pd.DataFrame:
    """Return A, B and their difference by line, with sums and what rounding leaves."""
    first, last, rounding = sums
    rows = [
        (name, line, _cents(row.a), _cents(row.b), _cents(amount, "+"))
        for (name, line, amount), row in zip(lines, found.money.itertuples(), strict=True)
    ]
    if abs(rounding) >= CENT:
        said = words("lines below half a fen, and rounding")
        rows.append(("", said, "", "", _cents(rounding, "+")))
    rows.append((words("profit"), "", _cents(first), _cents(last), _cents(last - first, "+")))
    cny = words("CNY")
    difference = f"{words('difference')} [{cny}]"
    labels = [words("component"), words("line"), f"A [{cny}]", f"B [{cny}]", difference]
    return pd.DataFrame(rows, columns=labels)


def _cents(value: Any, sign: str = "") -> str:
    """Return an amount to the cent."""
    return f"{float(value) + 0.0:{sign},.2f}" if round(float(value), 2) else "0.00"
