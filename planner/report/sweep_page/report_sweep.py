"""What a sweep says: report.html and answers.json in its folder, and the same on a terminal."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console

from planner.files.output_folder import replace_file
from planner.language.language import ENGLISH, Language
from planner.plan_tables.files import PAGE
from planner.report.sweep_page.charts import main_charts
from planner.report.sweep_page.page import base_and_best, sweep_page
from planner.report.sweep_page.words import design_text, failures_table, path_text, readable
from planner.report.terminal.tables import print_frame, print_notes, safe, table
from planner.sweeps.analysis.analyses import Analyses, read_analyses, write_analyses

BEST = 5
MOST_AXES = 4  # of the table of best cases
MOST_ROWS, MOST_COLUMNS = 12, 14


def report_sweep(folder: str | Path, words: Language = ENGLISH) -> list[Path]:
    """Write answers.json and report.html of a sweep folder; the page in a language.

    Returns:
        The files written.

    Raises:
        PlanError: the folder is no sweep folder, or cannot be read or written.
    """
    analyses = read_analyses(folder)
    written = write_analyses(analyses, folder)  # first: the page links what lies beside it
    page = Path(folder) / PAGE
    replace_file(page, sweep_page(analyses, words, Path(folder)))
    return [written, page]


def show_sweep(analyses: Analyses, console: Console, words: Language = ENGLISH) -> None:
    """Print what a sweep says, in a language: what its page shows, of the first output."""

    def show(title: str, frame: pd.DataFrame, most: int) -> None:
        if (across := frame.columns.name) is not None:
            axis = path_text(str(across), words)
            title = words("{title}; across: {axis}", title=title, axis=axis)
        statuses = [name for name in frame if str(name).startswith("status")]
        proven = [name for name in statuses if (frame[name] == "optimal").all()]
        shown = readable(frame.drop(columns=proven), words, analyses.factors)
        print_frame(title, shown, console, words, most)

    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    sweep, outputs = analyses.sweep, analyses.outputs
    counts = words("{n} cases by design {design}, {solved} with a plan", n=len(analyses.cases),
                   design=design_text(sweep.design, words), solved=analyses.solved)  # fmt: skip
    say(f"[bold]{safe(sweep.name)}[/]  {counts}")
    lost = failures_table(analyses, words)
    if len(lost):
        show(words("Cases without a plan"), lost, MOST_ROWS)
    print_notes(analyses.notes, console, words)
    if (both := base_and_best(analyses, words)) is not None:
        console.print(table(both, words))
    for analysis, chart in main_charts(analyses, words):
        frame = chart.table[list(analysis.columns or chart.table)]
        if frame.shape[1] <= MOST_COLUMNS:
            show(chart.title, frame, MOST_ROWS)
        else:
            say(safe(words("tables of {names}: {page}", names=chart.title, page=PAGE)))
        if chart.caption:
            say(safe(chart.caption))
    if len(outputs) > 1:
        names = ", ".join(path_text(name, words) for name in outputs[1:])
        say(safe(words("tables of {names}: {page}", names=names, page=PAGE)))
    if analyses.solved:
        axes = analyses.axes if len(analyses.axes) <= MOST_AXES else ()  # cases.csv has them
        title = words("Best cases by {output}", output=path_text(outputs[0], words))
        show(title, analyses.best[["case", *axes, "status", *outputs]], BEST)
