"""The tables of a comparison as people read them, on its page and on a terminal."""

from __future__ import annotations

import pandas as pd

from planner.language.language import Language
from planner.report.comparison.compare import Comparison
from planner.report.sweep_page.words import titled

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
