"""What the commands are told: arguments and options that several share, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.errors import Problem, ScenarioError
from planner.plan_tables.files import FORMATS

if TYPE_CHECKING:
    import planner
    from planner.language.language import Language

ScenarioPath = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="Scenario file, or the folder that holds it.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Replace a value, such as components.pv.capacity_mw=300, or scale it: ={scale: 0.8}.",
    ),
]
Gap = Annotated[str | None, typer.Option(metavar="G", help="Largest gap relative to turnover.")]
TimeLimit = Annotated[str | None, typer.Option(metavar="S", help="Most seconds in the solver.")]
Formats = Annotated[
    str, typer.Option(help=f"Schedule files to write: {', '.join(FORMATS)}; comma separated.")
]
Lang = Annotated[
    str,
    typer.Option(
        "--lang",
        metavar="en|zh",
        envvar="PLANNER_LANG",
        help="Language of pages, workbooks and tables; errors, check and audit speak English.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say where the time went.")]


def changes_of(texts: list[str] | None) -> dict[str, Any]:
    """Return what --set replaces, by path."""
    from planner.files.yaml_document import parse_value

    changes: dict[str, Any] = {}
    problems = []
    for text in texts or ():
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            problems.append(Problem(f"must be PATH=VALUE, is {text!r}", file="--set"))
            continue
        path = path.strip()
        if path in changes:
            problems.append(Problem("is set twice", path, "override"))
        try:
            changes[path] = parse_value(value, path)
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return changes


def limited(texts: list[str] | None, gap: str | None, time_limit: str | None) -> dict[str, Any]:
    """Return what --set, --gap and --time-limit replace."""
    limits = {"solver.gap": gap, "solver.time_limit_s": time_limit}
    limiting = [f"{path}={value}" for path, value in limits.items() if value is not None]
    return changes_of([*(texts or ()), *limiting])


def known_formats(text: str) -> tuple[str, ...]:
    """Return the formats that --formats names."""
    wanted = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [part for part in wanted if part not in FORMATS]
    if unknown or not wanted:
        message = f"must be some of {', '.join(FORMATS)}, is {unknown[0] if unknown else text!r}"
        raise ScenarioError([Problem(message, path="--formats")])
    return wanted


def known_language(text: str) -> Language:
    """Return the language that --lang names."""
    from planner.language.language import LANGUAGES, language

    if text not in LANGUAGES:
        message = f"must be one of {', '.join(LANGUAGES)}, is {text!r}"
        raise ScenarioError([Problem(message, path="--lang")])
    return language(text)


@dataclass(frozen=True)
class Request:
    """A scenario to plan, and what is to become of the plan.

    target: folder to write, if any; formats: of its schedule.
    words: language of what is shown.
    declare: file to write with what each grid declares.
    prices: whether marginal prices are wanted.
    fix, until: a schedule to keep, and up to when.
    """

    scenario: planner.Scenario
    words: Language
    target: Path | None = None
    formats: tuple[str, ...] = ("csv",)
    declare: Path | None = None
    prices: bool = False
    fix: Path | None = None
    until: str | None = None
    quiet: bool = False
    verbose: bool = False


def plan_folder(out: Path | None, scenario: planner.Scenario) -> Path:
    """Return where a plan is written: where --out says, else plans/NAME."""
    from planner.files.output_folder import file_name

    return out or Path("plans") / file_name(scenario.name)
