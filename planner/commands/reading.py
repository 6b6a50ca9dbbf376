"""Commands that read what was written: audit, report, schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from planner.errors import Problem, ScenarioError
from planner.options import Lang, Quiet, known_language
from planner.terminal import open_console, told_errors


def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Plan folder.")],
    quiet: Quiet = False,
) -> None:
    """Check a plan folder again, without the model that made it."""
    with told_errors():
        from planner.auditor import audit as audit_folder
        from planner.auditor import told
        from planner.errors import PlanError

        breaches = audit_folder(folder)
        if breaches:
            raise PlanError(told(f"{folder} breaks {len(breaches)} promises", breaches))
        if not quiet:
            open_console().print(f"{folder}: every rule and every figure holds", highlight=False)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that was written.")],
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write the pages of a plan, sweep or simulation folder again; print the answers of a sweep."""
    with told_errors():
        from planner.answering import report_folder

        report_folder(folder, known_language(lang), quiet=quiet)


def schema(
    what: Annotated[
        str, typer.Argument(metavar="[scenario|sweep]", help="What to describe.")
    ] = "scenario",
) -> None:
    """Print the JSON Schema of scenario or sweep files, for editors."""
    with told_errors():
        import json

        if what not in ("scenario", "sweep"):
            said = f"must be scenario or sweep, is {what!r}"
            raise ScenarioError([Problem(said, path="planner schema")])
        from planner.schema import scenario_schema
        from planner.sweeps.schema import sweep_schema

        found = scenario_schema() if what == "scenario" else sweep_schema()
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
