"""The command that makes the folder of a new scenario: new."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.options import IN_ENGLISH, Quiet, Words
from planner.cli.streams import require_written
from planner.cli.terminal import open_console, say
from planner.errors import wrong
from planner.message import Message


def new(
    name: Annotated[
        Path | None, typer.Argument(metavar="NAME", help="Folder to make, such as sites/north.")
    ] = None,
    source: Annotated[
        str, typer.Option("--from", metavar="SCENARIO", help="Shipped scenario to begin with.")
    ] = "starter",
    list_: Annotated[
        bool, typer.Option("--list", help="List the shipped scenarios instead.")
    ] = False,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> None:
    """Make a folder with a scenario to change: its file, its data and what to do next."""
    from planner.scenario.shipped import (
        README,
        SCENARIO,
        make_folder,
        shipped_scenario,
        shipped_scenarios,
    )

    if list_ and name is not None:
        raise wrong("--list", Message("goes without NAME"))
    if name is None and not list_:
        raise wrong("planner new", Message("needs a NAME, such as mysite, or --list"))
    console = open_console()
    if name is None:
        for shipped in shipped_scenarios().values():
            say(console, f"{shipped.name}{words(': ')}{words(shipped.description)}")
        require_written()
        return
    scenario = shipped_scenario(source)
    make_folder(name, scenario, words)
    if not quiet:
        say(console, words("{folder}: made from {name}; next:", folder=name, name=scenario.name))
        for command in ("check", scenario.command):
            say(console, f"  planner {command} {shlex.quote(str(name))}")
        say(console, words("change {file}; {readme} says how your editor completes and checks it",
                           file=name / SCENARIO, readme=name / README))  # fmt: skip
