"""The tables of a comparison as people read them, on its page and on a terminal."""

from __future__ import annotations

from typing import Any

import pandas as pd

from planner.language.language import Language
from planner.language.section import Quantity, Section
from planner.report.charts.ledger import said
from planner.report.comparison.compare import Comparison
from planner.report.sweep_page.words import titled

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
