"""What a sweep says, on a terminal and as report.html and answers.json in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.answers import Answers, answer
from planner.answers.gathered import read_answers
from planner.target import replace_file

PAGE = "report.html"
BEST = 5
MOST_AXES = 4  # of the table of best cases
WIDEST = 12  # rows of a tornado or of indices


def report_sweep(folder: str | Path) -> list[Path]:
    """Write answers.json and report.html of a sweep folder.

    Returns:
        The files written.

    Raises:
        PlanError: the folder is no sweep folder, or cannot be read or written.
    """
    from planner.report.sweep_page import sweep_page

    found = read_answers(folder)
    written = answer(folder)
    page = Path(folder) / PAGE
    replace_file(page, sweep_page(found))
    return [*written, page]


def show_sweep(found: Answers, console: Console) -> None:
    """Print what a sweep says."""
    plain: dict[str, Any] = {"highlight": False, "soft_wrap": True}
    console.print(
        f"[bold]{_safe(found.sweep.name)}[/]  {len(found.cases)} cases by design"
        f" {found.sweep.design}, {found.solved} with a plan",
        **plain,
    )
    if not found.failures.empty:
        _table(console, "Cases without a plan", found.failures)
    for note in found.notes:
        console.print(f"[yellow]note[/] {_safe(note)}", **plain)
    if found.baseline:
        _table(console, "Base case", pd.DataFrame([found.baseline]))
    if found.break_even is not None:
        console.print(f"break-even: {_safe(found.break_even['text'])}", **plain)
    first = found.outputs[:1]
    if len(found.outputs) > 1:
        names = ", ".join(found.outputs[1:])
        console.print(f"tables of {_safe(names)}: {PAGE}", **plain)
    for output, table in _of(found.tornados, first):
        columns = ["axis", "low", "high", "output_low", "output_high", "swing", "status_low",
                   "status_high"]  # fmt: skip
        shown = table[columns].head(WIDEST)
        if (table[["status_low", "status_high"]] == "optimal").all(axis=None):
            shown = shown.drop(columns=["status_low", "status_high"])
        _table(console, f"Tornado of {output}: each axis alone", shown)
    for output, indices in _of(found.indices, first):
        title = f"Sobol indices of {output}, ± at {indices.confidence:.0%} confidence"
        _table(console, title, indices.table.head(WIDEST))
        if indices.note:
            console.print(f"[yellow]note[/] {_safe(indices.note)}", **plain)
    for _, grid in _of(found.maps, first):
        if max(grid.values.shape) <= WIDEST:
            held = "".join(f", {name} = {value}" for name, value in grid.at.items())
            empty = f", {grid.missing} empty" if grid.missing else ""
            title = f"{grid.output} over {grid.x} (across) and {grid.y}{held}{empty}"
            _table(console, title, grid.values.reset_index())
    if found.cost_curve is not None and len(found.cost_curve):
        columns = ["to_value", "share", "cost_cny", "cost_cny_per_point", "cost_cny_per_mwh",
                   "cost_cny_per_tco2", "hidden"]  # fmt: skip
        _table(console, f"What each further step of {found.cost_axis} costs",
               found.cost_curve[columns])  # fmt: skip
    if found.front is not None:
        ways = ", ".join(f"{way} {name}" for name, way in found.directions.items())
        numbers = ", ".join(str(n) for n in found.front["case"].head(WIDEST))
        console.print(f"Pareto front ({_safe(ways)}): cases {numbers}", **plain)
    if found.solved:
        axes = found.axes if len(found.axes) <= MOST_AXES else ()  # too wide: cases.csv has them
        columns = ["case", *axes, "status", *found.outputs]
        _table(console, f"Best cases by {found.outputs[0]}", found.best[columns].head(BEST))


def _of(tables: dict[str, Any], outputs: Sequence[str]) -> list[tuple[str, Any]]:
    return [(name, tables[name]) for name in outputs if name in tables]


def _table(console: Console, title: str, frame: pd.DataFrame) -> None:
    table = Table(title=_safe(title), title_justify="left")
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        text = str(name).removeprefix("components.")
        table.add_column(_safe(text), justify="right" if numeric else "left", overflow="fold")
    for row in frame.astype(object).itertuples(index=False, name=None):
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value + 0.0:.4g}"
    return _safe(str(value))


def _safe(text: str) -> str:
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
