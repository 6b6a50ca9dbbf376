"""Arguments and options that several commands share, and how they are parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.errors import OVERRIDE, Problem, ScenarioError, wrong
from planner.files.formats import format_names
from planner.language.language import LANGUAGES, Language, language
from planner.message import Message
from planner.plan_tables.files import FORMATS

if TYPE_CHECKING:
    import planner

ScenarioPath = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="Scenario file, or the folder that holds it.")
]
Out = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Plan folder.", show_default="plans/NAME")
]
OutIfGiven = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Plan folder.", show_default="none is written")
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Replace a value, such as components.pv.capacity_mw=300, or scale it: ={scale: 0.8}.",
    ),
]
Gap = Annotated[
    str | None, typer.Option(metavar="G", help="Largest MIP gap, relative to turnover.")
]
TimeLimit = Annotated[str | None, typer.Option(metavar="S", help="Time limit of the solver, s.")]
Workers = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Processes.", show_default="one a core")
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Dask scheduler to use: tcp://10.0.0.5:8786."),
]
Page = Annotated[
    bool,
    typer.Option("--page/--no-page", help="Make report.html; `planner report` makes it later."),
]
Resume = Annotated[
    bool, typer.Option("--resume/--fresh", help="Keep what an earlier run finished, or start over.")
]
Unaudited = Annotated[
    bool, typer.Option("--unaudited", help="Show a folder that fails its audit too, and say so.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print each stage on stderr, and runtimes.")
]


def parse_language(code: str) -> Language:
    """Return a language by its code. Raises typer.BadParameter for an unknown one."""
    if code not in LANGUAGES:
        raise typer.BadParameter(f"must be one of {', '.join(LANGUAGES)}, is {code!r}")
    return language(code)


Words = Annotated[
    Language,
    typer.Option(
        "--lang",
        metavar="|".join(LANGUAGES),
        envvar="PLANNER_LANG",
        parser=parse_language,
        help="Language of messages, tables, pages and workbooks.",
    ),
]
LIMITS = {
    "gap": "solver.gap",
    "time_limit": "solver.time_limit_s",
    "hours": "horizon.hours",
    "days": "horizon.hours",
}
"""The paths of the values that options of their own replace."""
IN_ENGLISH: Any = "en"  # a command gets what `parse_language` makes of it
Formats = Annotated[
    str, typer.Option(help=f"Schedule files to write: {', '.join(FORMATS)}; comma separated.")
]


def changes_of(texts: list[str] | None) -> dict[str, Any]:
    """Return the values that --set gives, by path. Raises ScenarioError."""
    from planner.files.yaml_document import parse_value

    changes: dict[str, Any] = {}
    problems = []
    for text in texts or ():
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            message = Message("must be PATH=VALUE, is {text!r}", text=text)
            problems.append(Problem(message, file="--set"))
            continue
        path = path.strip()
        if path in changes:
            problems.append(Problem(Message("is set twice"), path, OVERRIDE))
        try:
            changes[path] = parse_value(value, path)
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return changes


def limited(
    texts: list[str] | None, gap: str | None, time_limit: str | None, hours: str | None = None
) -> dict[str, Any]:
    """Return the values that --set, --gap, --time-limit and --hours give, by path.

    Raises:
        ScenarioError: one is no YAML or is given twice.
    """
    given = {"gap": gap, "time_limit": time_limit, "hours": hours}
    limiting = [
        f"{path}={given[name]}" for name, path in LIMITS.items() if given.get(name) is not None
    ]
    return changes_of([*(texts or ()), *limiting])


def naming_options(error: ScenarioError, given: Mapping[str, Any]) -> ScenarioError:
    """Return an error whose problems with values of the command line name the option.

    Args:
        error: its problems have `OVERRIDE` for a file where an option gave the value.
        given: the parameters of the command.
    """
    options = {
        LIMITS[name]: f"--{name.replace('_', '-')}"
        for name in LIMITS
        if given.get(name) is not None
    }
    return ScenarioError(
        replace(problem, file=options.get(problem.path, "--set"))
        if problem.file == OVERRIDE
        else problem
        for problem in error.problems
    )


def check_workers(workers: int | None, scheduler: str | None) -> None:
    """Require that a scheduler goes without workers of our own. Raises ScenarioError."""
    if workers is not None and scheduler is not None:
        message = Message("cannot go with --scheduler, which has workers of its own")
        raise wrong("--workers", message)


def known_formats(text: str, known: tuple[str, ...] = FORMATS) -> tuple[str, ...]:
    """Return the formats that --formats names. Raises ScenarioError."""
    formats = format_names(text)
    unknown = [part for part in formats if part not in known]
    if unknown or not formats:
        raise wrong(
            "--formats",
            Message(
                "must be some of {formats}, is {value}",
                formats=", ".join(known),
                value=repr(unknown[0] if unknown else text),
            ),
        )
    return formats


@dataclass(frozen=True)
class Request:
    """A scenario to plan, and what to do with the plan.

    words: language of the output.
    target: folder to write, if any; formats: of its schedule; page: whether it gets a page.
    declare: file to write with the declaration of each grid.
    prices: whether to compute marginal prices.
    fix, until: a schedule to fix, and up to when.
    """

    scenario: planner.Scenario
    words: Language
    target: Path | None = None
    formats: tuple[str, ...] = ("csv",)
    page: bool = True
    declare: Path | None = None
    prices: bool = False
    fix: Path | None = None
    until: str | None = None
    quiet: bool = False
    verbose: bool = False

    @property
    def output(self) -> planner.Output | None:
        """The folder to write, with what it gets beside the tables."""
        import planner

        if self.target is None:
            return None
        return planner.Output(self.target, self.formats, self.words.code, self.page)


def plan_folder(out: Path | None, scenario: planner.Scenario) -> Path:
    """Return where a plan is written: where --out says, else plans/NAME."""
    from planner.files.output_folder import file_name

    return out or Path("plans") / file_name(scenario.name)
