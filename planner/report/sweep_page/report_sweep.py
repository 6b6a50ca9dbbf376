"""The results of a sweep: report.html and answers.json in its folder, and tables on a terminal."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console

from planner.files.output_folder import replace_file
from planner.language.language import ENGLISH, Language
from planner.language.titles import title_of
from planner.plan_tables.files import PAGE, json_text
from planner.report.sweep_page.charts import main_charts
from planner.report.sweep_page.page import base_and_best, gaps_text, sweep_page
from planner.report.sweep_page.words import readable
from planner.report.terminal.tables import print_frame, print_notes, safe, table
from planner.sweeps.analysis.analyses import ANALYSES, Analyses, read_analyses
from planner.sweeps.analysis.case_table import failures
from planner.sweeps.result import design_text

BEST = 5
MAX_AXES = 4  # of the table of best cases
MAX_ROWS, MAX_COLUMNS = 12, 14


def report_sweep(folder: str | Path, words: Language = ENGLISH) -> list[Path]:
    """Write answers.json and report.html of a sweep folder; the page in a language.

    Returns:
        The files written.

    Raises:
        PlanError: the folder is no sweep folder, or cannot be read or written.
    """
    analyses, folder = read_analyses(folder), Path(folder)
    replace_file(folder / ANALYSES, json_text(analyses.plain()))  # the page links it
    replace_file(folder / PAGE, sweep_page(analyses, words, folder))
    return [folder / ANALYSES, folder / PAGE]


def show_sweep(analyses: Analyses, console: Console, words: Language = ENGLISH) -> None:
    """Print the results of a sweep in a language: those of its page, for the first output."""
    words = words.in_currency(analyses.sweep.currency)

    def show(title: str, frame: pd.DataFrame, max_rows: int) -> None:
        if (across := frame.columns.name) is not None:
            axis = words.path(str(across))
            title = words("{title}; across: {axis}", title=title, axis=axis)
        statuses = [name for name in frame if str(name).startswith("status")]
        proven = [name for name in statuses if (frame[name] == "optimal").all()]
        rows = readable(frame.drop(columns=proven), words, analyses.factors)
        print_frame(title, rows, console, words, max_rows)

    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    sweep, outputs = analyses.sweep, analyses.outputs
    counts = words("{n} cases by design {design}, {solved} with a plan", n=len(analyses.cases),
                   design=design_text(sweep.design, words), solved=analyses.solved)  # fmt: skip
    say(f"[bold]{safe(title_of(sweep))}[/]  {counts}")
    lost = failures(analyses.cases)
    if len(lost):
        show(words("Cases without a plan"), lost, MAX_ROWS)
    if gaps := gaps_text(analyses, words):
        say(gaps)
    print_notes(analyses.notes, console, words)
    if (both := base_and_best(analyses, words)) is not None:
        console.print(table(both, words))
    for analysis, chart in main_charts(analyses, words):
        frame = chart.table[list(analysis.columns or chart.table)]
        if frame.shape[1] <= MAX_COLUMNS:
            show(chart.title, frame, MAX_ROWS)
        else:
            say(safe(words("tables of {names}: {page}", names=chart.title, page=PAGE)))
        if chart.caption:
            say(safe(chart.caption))
    if len(outputs) > 1:
        names = words(", ").join(map(words.path, outputs[1:]))
        say(safe(words("tables of {names}: {page}", names=names, page=PAGE)))
    if analyses.solved:
        axes = analyses.axes if len(analyses.axes) <= MAX_AXES else ()  # cases.csv has them
        title = words("Best cases by {output}", output=words.path(outputs[0]))
        show(title, analyses.best[["case", *axes, "status", *outputs]], BEST)
