"""What the commands are told: arguments and options that several share, and how they are read.

What the commands say: errors in words with their exit codes, tables, progress.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.errors import PlannerError, Problem, ScenarioError
from planner.plan_tables.files import FORMATS

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language.language import Language


@contextmanager
def told_errors() -> Iterator[None]:
    """Turn what went wrong into words on stderr and an exit code."""
    try:
        yield
    except PlannerError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        problems = getattr(error, "problems", ())
        if len(problems) > 1:
            sys.stderr.write(f"{len(problems)} problems\n")
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
        os._exit(130)  # the solver's thread need not be waited for
    except (typer.Exit, BrokenPipeError):
        raise
    except MemoryError:
        sys.stderr.write("not enough memory; a shorter horizon or longer steps need less\n")
        raise typer.Exit(4) from None
    except Exception as error:
        if os.environ.get("PLANNER_TRACEBACK"):
            raise
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        sys.stderr.write(f"planner failed, which is a mistake in planner: {said}\n")
        sys.stderr.write("set PLANNER_TRACEBACK=1 to see where, and please report it\n")
        raise typer.Exit(1) from None


def printable(text: str) -> str:
    """Spell out control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def open_console() -> Console:
    """Return where tables and progress go."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 120
    return Console(width=wide, emoji=False)


@contextmanager
def bar(
    console: Console, quiet: bool, name: str, beside: str = "", **fields: Any
) -> Iterator[Callable[..., None] | None]:
    """Show a bar with a count, what stands `beside` it and the time left, on a terminal.

    Gives who is told how far it is, as `rich.progress.Progress.update`; `again=True` begins the
    estimate anew. None where nothing is shown.
    """
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    text = TextColumn("{task.description}", markup=False)
    parts = (text, BarColumn(), MofNCompleteColumn(), TextColumn(beside), TimeRemainingColumn())
    with Progress(*parts, console=console) as shown:
        task = shown.add_task(name, total=None, **fields)

        def tell(*, again: bool = False, **done: Any) -> None:
            (shown.reset if again else shown.update)(task, **done)

        yield tell


@contextmanager
def progress(console: Console, quiet: bool, text: str) -> Iterator[None]:
    """Show that something is being done, on a terminal."""
    if quiet or not console.is_terminal:
        yield
        return
    from rich.markup import escape

    with console.status(escape(text)):
        yield


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
    given = [f"{path}={value}" for path, value in limits.items() if value is not None]
    return changes_of([*(texts or ()), *given])


def known_formats(text: str) -> tuple[str, ...]:
    """Return the formats that --formats names."""
    wanted = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [part for part in wanted if part not in FORMATS]
    if unknown or not wanted:
        said = f"must be some of {', '.join(FORMATS)}, is {unknown[0] if unknown else text!r}"
        raise ScenarioError([Problem(said, path="--formats")])
    return wanted


def known_language(text: str) -> Language:
    """Return the language that --lang names."""
    from planner.language.language import LANGUAGES, language

    if text not in LANGUAGES:
        said = f"must be one of {', '.join(LANGUAGES)}, is {text!r}"
        raise ScenarioError([Problem(said, path="--lang")])
    return language(text)
