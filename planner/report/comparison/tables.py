"""A comparison as tables and as a waterfall, and its output on a terminal.

The waterfall leads from the profit of A to that of B, line by line; its table is to the cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Console

from planner.language.language import ENGLISH, Language
from planner.language.section import SHARE, Quantity, Section, text
from planner.message import Message
from planner.report.charts.chart import Chart
from planner.report.charts.ledger import ProfitBar, waterfall
from planner.report.charts.style import BLUE, GREY, ORANGE
from planner.report.comparison.compare import Comparison
from planner.report.plan_sections import line_label, paragraph, quantity_label
from planner.report.sweep_page.words import is_percent, titled
from planner.report.terminal.tables import more_rows, print_frame, print_notes, safe, table

MOST_BARS = 14
CENT = 0.01
TOP = 15  # rows of a table on a terminal
TOTALS = "prices.totals."  # marginal prices among the figures of a plan

Labelled = tuple[str, str]  # a label and an amount or a change
TitledTable = tuple[str, str, pd.DataFrame, str]  # key, title, rows, text if empty


class LineChange(NamedTuple):
    """A ledger line in A and in B, to the cent; None for the line of the rounding."""

    component: str
    line: str
    a: float | None
    b: float | None
    difference: float


def side_label(side: str, words: Language) -> str:
    """Return the name of A or B: a plan, a folder, or a case of a folder."""
    return words.sentence(side) if isinstance(side, Message) else side


def amount_texts(rows: Sequence[tuple[str, Quantity]], words: Language) -> list[Labelled]:
    """Return labelled amounts as texts, those of a unit in the unit of the largest."""
    section = Section("", (), tuple(rows)).scaled(words)
    return [(str(label), text(amount, words)) for label, amount in section.rows]


def cny_text(words: Language, amount: float, *, signed: bool = False) -> str:
    """Return an amount of money with two decimals of its unit."""
    return amount_texts([("", Quantity(amount, "CNY", 2, signed))], words)[0][1]


def line_changes(comparison: Comparison, words: Language) -> list[LineChange]:
    """Return the lines that differ, a line for their rounding, and last the profits."""
    lines = [
        LineChange(str(row["component"]), line_label(str(row["line"]), words),
                   row["a"], row["b"], row["difference_cny"])
        for row in comparison.money.round(2).to_dict("records")
    ]  # fmt: skip
    a, b = round(comparison.profit_a_cny, 2), round(comparison.profit_b_cny, 2)
    left = round(b - a - sum(line.difference for line in lines), 2)
    if abs(left) >= CENT:
        label = words("lines below half a fen, and rounding")
        lines.append(LineChange("", label, None, None, left))
    return [*lines, LineChange(words("profit"), "", a, b, b - a)]


def lines_section(comparison: Comparison, words: Language, most: int | None = None) -> Section:
    """Return A, B and their difference by line, and the profits; the `most` largest lines."""
    *rows, total = (
        (change.component, change.line, Quantity(change.a, "", 2), Quantity(change.b, "", 2),
         Quantity(change.difference, "", 2, signed=True))
        for change in line_changes(comparison, words)
    )  # fmt: skip
    heads = (words("component"), words("line"), "A", "B", words("difference"))
    title = words("From A to B, line by line")
    return Section(title, heads, tuple(rows[:most]), "CNY", labels=2, total=total)


def lines_chart(comparison: Comparison, words: Language) -> Chart:
    """Return the waterfall from A to B, and its table, whose amounts add up to the cent."""
    changes = line_changes(comparison, words)
    bars = [
        (words(": ").join(filter(None, (change.component, change.line))), change.difference)
        for change in changes[:-1]
    ]
    count = len(comparison.money)
    if count > MOST_BARS + 1:
        rest = sum(change for _, change in bars[MOST_BARS:count])
        label = words("{label} ({n})", label=words("other lines"), n=count - MOST_BARS)
        bars[MOST_BARS:count] = [(label, rest)]
    steps = [
        ProfitBar(words("profit of A"), round(comparison.profit_a_cny, 2), "total"),
        *(ProfitBar(name, change, "more" if change > 0 else "less") for name, change in bars),
        ProfitBar(words("profit of B"), round(comparison.profit_b_cny, 2), "total"),
    ]
    kinds = {
        "more": (words("B earns more"), BLUE, ""),
        "less": (words("B earns less"), ORANGE, "/"),
        "total": (words("sum"), GREY, ""),
    }
    figure = waterfall(steps, kinds, words, signed=("more", "less"), from_zero=False)
    caption = words("Each bar is the difference of a ledger line, B less A.")
    low, high = figure["layout"]["xaxis"]["range"]
    if not low <= 0 <= high:
        caption = paragraph(words, caption, words("The axis does not begin at zero."))
    section = lines_section(comparison, words)
    unit = f" [{words('CNY')}]"
    heads = [head + (unit if i >= section.labels else "") for i, head in enumerate(section.heads)]
    table = pd.DataFrame(list(section.every_row()), columns=heads, dtype=object)
    return Chart("lines", section.title, figure, table, caption)


def input_labels(comparison: Comparison, words: Language) -> list[str]:
    """Return the labels of the inputs that differ, with their units."""
    return [
        titled(str(path), words, factor=path in comparison.factors)
        for path in comparison.inputs["path"]
    ]


def tables_of(comparison: Comparison, words: Language) -> list[TitledTable]:
    """Return the tables of a comparison except the lines; empty where nothing differs."""
    inputs, figures, columns = comparison.inputs, comparison.figures, comparison.columns
    inputs = inputs.assign(
        path=input_labels(comparison, words),
        **{side: [words.sentence(value) for value in inputs[side]] for side in ("a", "b")},
    )
    figures = _figures(figures, words)
    tables = [
        ("inputs", words("Inputs that differ"), inputs, words("no input differs")),
        ("figures", words("Figures that differ"), figures, words("no figure differs")),
    ]
    if not comparison.hours_unknown:
        columns = columns.assign(column=[words.label(str(name)) for name in columns["column"]])
        tables += [
            ("hours", words("Hours that differ, most money moved first"), comparison.hours,
             words("no hour differs")),
            ("columns", words("Schedule columns that differ, at their largest difference"), columns,
             words("the schedules are equal")),
        ]  # fmt: skip
    return [(key, title, _headed(table, key, words), none) for key, title, table, none in tables]


def _figures(figures: pd.DataFrame, words: Language) -> pd.DataFrame:
    """Return the figures as people read them, shares in percent."""
    names = [str(name) for name in figures["figure"]]
    labels = [_figure_label(name, words) for name in names]
    columns: dict[str, Any] = {
        column: [Quantity(value, SHARE, 4) if is_percent(name) else value
                 for name, value in zip(names, figures[column], strict=True)]
        for column in ("a", "b", "difference")
    }  # fmt: skip
    return figures.assign(figure=labels, **columns)


def _figure_label(name: str, words: Language) -> str:
    """Return the name of a figure with its unit; of a limit, the value of one more unit."""
    if not name.startswith(TOTALS):
        return titled(name, words)
    column = name.removeprefix(TOTALS)
    if "_cny_per_" in column:
        return words.label(column)
    label = words("one more unit: {quantity}", quantity=quantity_label(column, words))
    return f"{label} [{words('CNY')}]"


def _headed(table: pd.DataFrame, key: str, words: Language) -> pd.DataFrame:
    """Return a table with its columns headed in a language."""
    heads = {
        "path": words("input"), "figure": words("figure"), "a": "A", "b": "B",
        "difference": words("difference"), "column": words("column"), "steps": words("steps"),
        "moved": words("mean difference"), "time": words("time"),
        "columns": words("columns that differ"),
    }  # fmt: skip
    if key == "hours":
        cny = words("CNY")
        heads |= {
            "difference_cny": f"{words('difference')} [{cny}]",
            "moved_cny": f"{words('money moved')} [{cny}]", "a": f"A [{cny}]", "b": f"B [{cny}]",
        }  # fmt: skip
    return table.rename(columns=heads)


def show_comparison(
    comparison: Comparison, console: Console, top: int = TOP, words: Language = ENGLISH
) -> None:
    """Print what differs between two plans; `top` rows of each table."""
    words = words.in_currency(comparison.currency)

    def say(sentence: str) -> None:
        console.print(sentence, highlight=False, soft_wrap=True)

    say(f"A{words(': ')}{safe(side_label(comparison.a, words))}")
    say(f"B{words(': ')}{safe(side_label(comparison.b, words))}")
    print_notes(comparison.notes, console, words)
    if comparison.equal:
        say(words("the two plans are equal in inputs, money, figures and hours"))
        return
    change = cny_text(words, comparison.change_cny, signed=True)
    a, b = (cny_text(words, of) for of in (comparison.profit_a_cny, comparison.profit_b_cny))
    say(words("profit {a} in A, {b} in B: {change}", a=a, b=b, change=f"[bold]{change}[/]"))
    if count := len(comparison.money):
        section = lines_section(comparison, words, top)
        console.print(table(section, words, more_rows(count, top, words)))
    else:
        say(words("no ledger line differs"))
    for _, title, frame, none in tables_of(comparison, words):
        if len(frame):
            print_frame(title, frame, console, words, top)
        else:
            say(none)
