"""The command that makes the folder of a new scenario: new."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.options import IN_ENGLISH, Quiet, Words
from planner.cli.outcome import JsonDocument, Outcome
from planner.cli.terminal import say
from planner.errors import wrong
from planner.message import Message

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language.language import Language
    from planner.scenario.shipped import ShippedScenario


def new(
    name: Annotated[
        Path | None, typer.Argument(metavar="NAME", help="Folder to make, such as sites/north.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="SCENARIO", help="Shipped scenario to begin with [starter]."
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the shipped scenarios instead.")
    ] = False,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,  # noqa: ARG001
) -> Outcome:
    """Make a folder with a scenario to change: its file, its data and what to do next."""
    from planner.scenario.shipped import make_folder, shipped_scenario

    if list_ and (name is not None or source is not None):
        raise wrong("--list", Message("goes without NAME and --from"))
    if list_:
        return _list(words)
    if name is None:
        raise wrong("planner new", Message("needs a NAME, such as mysite, or --list"))
    scenario = shipped_scenario(source or "starter")
    folder = make_folder(name, scenario, words)

    def document() -> JsonDocument:
        from planner.cli.document_builders import new_document

        return new_document(folder, scenario)

    return Outcome(document, partial(_show_made, name, scenario), folder)


def _list(words: Language) -> Outcome:
    """Return the shipped scenarios."""
    from planner.scenario.shipped import shipped_scenarios

    every = [*shipped_scenarios().values()]

    def document() -> JsonDocument:
        from planner.cli.document_builders import list_document

        return list_document(every, words)

    return Outcome(document, partial(_show_list, every))


def _show_list(every: Sequence[ShippedScenario], console: Console, words: Language) -> None:
    """Print the shipped scenarios."""
    for shipped in every:
        say(console, f"{shipped.name}{words(': ')}{words(shipped.description)}")


def _show_made(folder: Path, scenario: ShippedScenario, console: Console, words: Language) -> None:
    """Print what to do with a new folder."""
    from planner.scenario.shipped import README, SCENARIO

    say(console, words("{folder}: made from {name}; next:", folder=folder, name=scenario.name))
    for command in ("check", scenario.command):
        say(console, f"  planner {command} {shlex.quote(str(folder))}")
    say(console, words("change {file}; {readme} says how your editor completes and checks it",
                       file=folder / SCENARIO, readme=folder / README))  # fmt: skip
