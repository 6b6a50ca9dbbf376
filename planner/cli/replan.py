"""The command that plans the rest of a plan again: replan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import planner
from planner.cli.options import (
    IN_ENGLISH,
    Changes,
    Formats,
    Gap,
    Page,
    Quiet,
    Request,
    TimeLimit,
    Words,
    known_formats,
    limited,
)
from planner.cli.outcome import JsonDocument, Outcome
from planner.cli.terminal import claimed, diagnosis_left_in, finish, open_console, spinner, warn

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language.language import Language


def replan(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the plan that is being executed.")
    ],
    at: Annotated[str, typer.Option(metavar="TIME", help="Start of the first step to plan again.")],
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="YAML file of the measured state by component: battery: {energy_mwh: 22}.",
            show_default="as planned",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Plan folder of the rest.", show_default="DIR_rest"),
    ] = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    formats: Formats = "csv",
    page: Page = True,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Plan the rest of a plan again, from what has happened; what was promised is kept."""
    from planner.report.cautions import cautions_of
    from planner.report.terminal.plan import show
    from planner.report.terminal.studies import show_replanned

    schedule_formats, changes = known_formats(formats), limited(set_, gap, time_limit)
    whole = folder.resolve()
    target = out or whole.with_name(f"{whole.name}_rest")
    with claimed(target):
        text = words("solving {name}", name=whole.name)
        with diagnosis_left_in(target), spinner(open_console(), quiet, text):
            output = planner.Output(target, schedule_formats, words.code, page)
            rest = planner.replan(folder, at, state, set=changes, out=output)
        request = Request(rest.plan.scenario, words, target, schedule_formats, quiet=quiet)

        def describe(_: planner.Plan, written: Path | None) -> JsonDocument:
            from planner.cli.document_builders import replan_document

            return replan_document(rest, written, cautions_of(folder, unaudited=True))

        def show_both(plan: planner.Plan, console: Console, words: Language) -> None:
            warn(console, words, cautions_of(folder, unaudited=True))
            show(plan, console, words)
            show_replanned(plan, rest.as_planned, console, words)

        return finish(rest.plan, request, show_both, describe=describe)
