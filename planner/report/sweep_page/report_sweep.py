"""What a sweep says, on a terminal and as report.html and answers.json in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.files.output_folder import replace_file
from planner.language.language import ENGLISH, Language
from planner.report.sweep_page.words import (
    design_text,
    failed,
    heading,
    status_text,
    told,
    wanted_text,
    with_axes,
)
from planner.sweeps.analysis.analyses import Answers, answer, read_answers

PAGE = "report.html"
BEST = 5
MOST_AXES = 4  # of the table of best cases
WIDEST = 12  # rows of a tornado or of indices


def report_sweep(folder: str | Path, words: Language = ENGLISH) -> list[Path]:
    """Write answers.json and report.html of a sweep folder; the page in a language.

    Returns:
        The files written.

    Raises:
        PlanError: the folder is no sweep folder, or cannot be read or written.
    """
    from planner.report.sweep_page.page import sweep_page

    found = read_answers(folder)
    written = answer(folder)
    page = Path(folder) / PAGE
    replace_file(page, sweep_page(found, words, Path(folder)))
    return [*written, page]


def show_sweep(found: Answers, console: Console, words: Language = ENGLISH) -> None:
    """Print what a sweep says, in a language."""
    plain: dict[str, Any] = {"highlight": False, "soft_wrap": True}
    said = words("{n} cases by design {design}, {solved} with a plan", n=len(found.cases),
                 design=design_text(found.sweep.design, words), solved=found.solved)  # fmt: skip
    console.print(f"[bold]{_safe(found.sweep.name)}[/]  {said}", **plain)
    if not found.failures.empty:
        _table(console, words("Cases without a plan"), failed(found.failures, words), words)
    for note in found.notes:
        console.print(f"[yellow]{words('note')}[/] {_safe(words.sentence(note))}", **plain)
    if found.baseline:
        _table(console, words("Base case"), pd.DataFrame([found.baseline]), words)
    if found.break_even is not None:
        said = words("break-even: {found}", found=words.sentence(found.break_even["text"]))
        console.print(_safe(said), **plain)
    first = found.outputs[:1]
    if len(found.outputs) > 1:
        names = ", ".join(told(name, words) for name in found.outputs[1:])
        console.print(_safe(words("tables of {names}: {page}", names=names, page=PAGE)), **plain)
    for output, table in _of(found.tornados, first):
        columns = ["axis", "low", "high", "output_low", "output_high", "swing", "status_low",
                   "status_high"]  # fmt: skip
        shown = table[columns].head(WIDEST)
        if (table[["status_low", "status_high"]] == "optimal").all(axis=None):
            shown = shown.drop(columns=["status_low", "status_high"])
        title = words("Tornado of {output}: each axis alone", output=told(output, words))
        _table(console, title, with_axes(shown, words), words)
    for output, indices in _of(found.indices, first):
        title = words(
            "Sobol indices of {output}, ± at {confidence} confidence",
            output=told(output, words),
            confidence=f"{indices.confidence:.0%}",
        )
        _table(console, title, with_axes(indices.table.head(WIDEST), words), words)
        if indices.note:
            said = _safe(words.sentence(indices.note))
            console.print(f"[yellow]{words('note')}[/] {said}", **plain)
    for _, grid in _of(found.maps, first):
        if max(grid.values.shape) <= WIDEST:
            held = "".join(f", {told(name, words)} = {v}" for name, v in grid.at.items())
            empty = words(", {n} empty", n=grid.missing) if grid.missing else ""
            title = words("{output} over {x} (across) and {y}", output=told(grid.output, words),
                          x=told(grid.x, words), y=told(grid.y, words))  # fmt: skip
            _table(console, title + held + empty, grid.values.reset_index(), words)
    if found.cost_curve is not None and len(found.cost_curve):
        columns = ["to_value", "share", "cost_cny", "cost_cny_per_point", "cost_cny_per_mwh",
                   "cost_cny_per_tco2", "hidden"]  # fmt: skip
        title = words("What each further step of {axis} costs", axis=told(found.cost_axis, words))
        _table(console, title, found.cost_curve[columns], words)
    if found.front is not None:
        ways = words(", ").join(
            wanted_text(name, way, words) for name, way in found.directions.items()
        )
        numbers = ", ".join(str(n) for n in found.front["case"].head(WIDEST))
        said = words("Pareto front ({ways}): cases {numbers}", ways=ways, numbers=numbers)
        console.print(_safe(said), **plain)
    if found.solved:
        axes = found.axes if len(found.axes) <= MOST_AXES else ()  # too wide: cases.csv has them
        columns = ["case", *axes, "status", *found.outputs]
        title = words("Best cases by {output}", output=told(found.outputs[0], words))
        _table(console, title, found.best[columns].head(BEST), words)


def _of(tables: dict[str, Any], outputs: Sequence[str]) -> list[tuple[str, Any]]:
    return [(name, tables[name]) for name in outputs if name in tables]


def _table(console: Console, title: str, frame: pd.DataFrame, words: Language) -> None:
    table = Table(title=_safe(title), title_justify="left")
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        text = heading(str(name), words)
        table.add_column(_safe(text), justify="right" if numeric else "left", overflow="fold")
    for row in frame.astype(object).itertuples(index=False, name=None):
        cells = zip(frame.columns, row, strict=True)
        table.add_row(*(_cell(status_text(n, value, words), words) for n, value in cells))
    console.print(table)


def _cell(value: Any, words: Language) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return words("yes") if value else words("no")
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value + 0.0:.4g}"
    return _safe(str(value))


def _safe(text: str) -> str:
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
