"""Commands that work beyond a day: roll."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.options import (
    Changes,
    Formats,
    Gap,
    Lang,
    Quiet,
    ScenarioPath,
    TimeLimit,
    bar,
    known_formats,
    known_language,
    limited,
    open_console,
    told_errors,
)

if TYPE_CHECKING:
    from rich.console import Console

    from planner.studies.roll import Progress


def roll(
    scenario: ScenarioPath,
    window_h: Annotated[float, typer.Option(metavar="H", help="Hours planned at once.")] = 48.0,
    advance_h: Annotated[
        float, typer.Option(metavar="H", help="Hours kept of each window.")
    ] = 24.0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Plan folder. [default: plans/NAME]")
    ] = None,
    set_: Changes = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on with finished windows, or start over.")
    ] = True,
    bound: Annotated[
        bool,
        typer.Option(
            "--bound/--no-bound",
            help="Solve the relaxation of the whole horizon first: a bound, and what windows may"
            " count on.",
        ),
    ] = True,
    formats: Formats = "csv",
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Plan a long horizon in overlapping windows; a run that is stopped goes on where it was."""
    with told_errors(), ExitStack() as held:
        from planner.errors import InfeasibleError
        from planner.files.output_folder import claim, file_name
        from planner.plan_tables.files import PLAN_FOLDER
        from planner.plan_tables.folder import write_diagnosis
        from planner.scenario.scenario import load
        from planner.studies.roll import roll as roll_scenario

        wanted = known_formats(formats)
        words = known_language(lang)
        found = load(scenario, limited(set_, gap, time_limit))
        target = out or Path("plans") / file_name(found.name)
        held.enter_context(claim(target, PLAN_FOLDER))
        console = open_console()
        try:
            with _progress(console, quiet, found.name) as tell:
                plan = roll_scenario(
                    found, window_h, advance_h, target, bound=bound, fresh=not resume,
                    formats=wanted, lang=words.code, progress=tell,
                )  # fmt: skip
        except InfeasibleError as error:
            write_diagnosis(error.diagnosis, target)
            raise
        if not quiet:
            from planner.report.terminal.plan import show

            show(plan, console, words)
            said = words("plan folder: {folder}", folder=target)
            console.print(said, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _progress(console: Console, quiet: bool, name: str) -> Iterator[Progress | None]:
    """Show a bar of the windows with the time left, on a terminal."""
    with bar(console, quiet, name) as update:
        if update is None:
            yield None
            return
        doing = ""

        def tell(what: str, done: int, total: int) -> None:
            nonlocal doing
            if what != doing:  # the speed of what came before says nothing of this
                doing = what
                update(again=True, completed=done, total=total, description=f"{name}: {what}")
            update(completed=done)

        yield tell
