"""What a comparison shows, on its page and on a terminal: its tables, and the chart of the money.

The chart goes from the profit of A to that of B, line by line; its table is to the cent.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console

from planner.language.language import ENGLISH, Language
from planner.language.section import Quantity, Section
from planner.report.charts.chart import Chart
from planner.report.charts.ledger import LedgerEntry, said, waterfall
from planner.report.charts.style import BLUE, GREY, ORANGE
from planner.report.comparison.compare import Comparison
from planner.report.sweep_page.words import titled
from planner.report.terminal.tables import print_frame, print_notes, safe, table

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
    entries, reached = [LedgerEntry(words("profit of A"), total["a"], "total")], total["a"]
    for name, change in bars:
        entries.append(LedgerEntry(name, change, "more" if change > 0 else "less", reached))
        reached += change
    entries.append(LedgerEntry(words("profit of B"), total["b"], "total"))
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
        caption=words("Each bar is what a ledger line of B is above or below that of A.")
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


def _written(entry: LedgerEntry, words: Language) -> str:
    sign = "+" if entry.kind == "more" else ""
    return sign + words.amount(entry.amount, "CNY").replace("-", "−")


def _narrow(figure: dict[str, Any], entries: list[LedgerEntry]) -> None:
    """Let the axis begin where differences are: they may be a hundredth of the profits."""
    ends = [entry.base + entry.amount for entry in entries]
    low, high = min(ends), max(ends)
    room = 0.35 * (high - low)
    if not room or low - room <= 0 <= high + 2 * room:
        return
    drawn = figure["data"][-1]  # the totals, in the unit of the chart
    scale = float(drawn["x"][0]) / entries[0].amount if entries[0].amount else 1.0
    figure["layout"]["xaxis"]["range"] = [(low - room) * scale, (high + 2 * room) * scale]


CENT = 0.01
SIDES = ("a", "b", "difference")

Table = tuple[str, str, pd.DataFrame, str]  # key, title, rows, and what is said if there are none


def tables_of(comparison: Comparison, words: Language) -> list[Table]:
    """Return the tables of a comparison but that of money by line; empty where nothing differs."""
    inputs, figures, columns = comparison.inputs, comparison.figures, comparison.columns
    inputs = inputs.assign(
        path=[words.path(str(path)) for path in inputs["path"]],
        **{side: [words.sentence(value) for value in inputs[side]] for side in ("a", "b")},
    )
    figures = figures.assign(figure=[titled(str(name), words) for name in figures["figure"]])
    tables = [
        ("inputs", words("Inputs that differ"), inputs, words("no input differs")),
        ("figures", words("Figures that differ"), figures, words("no figure differs")),
    ]
    if not comparison.hours_unknown:
        columns = columns.assign(column=[words.label(str(name)) for name in columns["column"]])
        title = words("Schedule, where a column differs most")
        tables += [
            ("hours", words("Hours by money moved"), comparison.hours, words("no hour differs")),
            ("columns", title, columns, words("the schedules are equal")),
        ]
    return [(key, title, _headed(table, key, words), none) for key, title, table, none in tables]


def _headed(table: pd.DataFrame, key: str, words: Language) -> pd.DataFrame:
    """Return a table headed as people read it."""
    heads = {
        "path": words("input"), "figure": words("figure"), "a": "A", "b": "B",
        "difference": words("difference"), "column": words("column"), "steps": words("steps"),
        "moved": words("moved"), "time": words("time"), "columns": words("columns that differ"),
    }  # fmt: skip
    if key == "hours":
        cny = words("CNY")
        heads |= {
            "difference_cny": f"{words('difference')} [{cny}]",
            "moved_cny": f"{words('moved')} [{cny}]", "a": f"A [{cny}]", "b": f"B [{cny}]",
        }  # fmt: skip
    return table.rename(columns=heads)


def lines_section(comparison: Comparison, words: Language, most: int) -> Section:
    """Return A, B and their difference by line, and their sums; the `most` largest lines."""
    *rows, total = (
        (row["component"], row["line"], *(Quantity(row[name], "", 2) for name in SIDES))
        for row in amounts_by_line(comparison, words)
    )
    heads = (words("component"), words("line"), "A", "B", words("difference"))
    title = words("From A to B, line by line")
    return Section(title, heads, tuple(rows[:most]), "CNY", labels=2, total=total)


def amounts_by_line(comparison: Comparison, words: Language) -> list[dict[Any, Any]]:
    """Return component, line, a, b and difference to the cent; profits and their difference last.

    The lines add up to the last row: what they leave of it, rounding, is a line of its own.
    """
    money = comparison.money.rename(columns={"difference_cny": "difference"}).round(2)
    rows: list[dict[Any, Any]] = [
        row | {"line": said(words, row["line"])} for row in money.to_dict("records")
    ]
    a, b = round(comparison.profit_a_cny, 2), round(comparison.profit_b_cny, 2)
    left = round(b - a - sum(row["difference"] for row in rows), 2)
    if abs(left) >= CENT:
        label = words("lines below half a fen, and rounding")
        rows.append({"component": "", "line": label, "a": None, "b": None, "difference": left})
    last = {"component": words("profit"), "line": "", "a": a, "b": b, "difference": b - a}
    return [*rows, last]


TOP = 15  # rows of a table, unless all are asked for


def show_comparison(
    comparison: Comparison, console: Console, top: int = TOP, words: Language = ENGLISH
) -> None:
    """Print what differs between two plans; `top` rows of each table."""

    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    say(f"A: {safe(comparison.a)}")
    say(f"B: {safe(comparison.b)}")
    print_notes(comparison.notes, console, words)
    if comparison.equal:
        say(words("the two plans are equal in inputs, money, figures and hours"))
        return
    say(words("profit {a} in A, {b} in B: {change} CNY", a=f"{comparison.profit_a_cny:,.2f}",
              b=f"{comparison.profit_b_cny:,.2f}",
              change=f"[bold]{comparison.change_cny:+,.2f}[/]"))  # fmt: skip
    if count := len(comparison.money):
        more = words("and {n} more", n=count - top) if count > top else None
        console.print(table(lines_section(comparison, words, top), words, more))
    else:
        say(words("no ledger line differs"))
    for _, title, frame, none in tables_of(comparison, words):
        if len(frame):
            print_frame(title, frame, console, words, top)
        else:
            say(none)
