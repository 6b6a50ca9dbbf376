"""What the commands say: errors in words with their exit codes, tables, progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from planner.errors import PlannerError

if TYPE_CHECKING:
    from rich.console import Console


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
