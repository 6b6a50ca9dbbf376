"""Output of the commands: errors with exit codes, progress, plans and their folders."""

from __future__ import annotations

import datetime as dt
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import planner
from planner.cli.options import naming_options
from planner.cli.streams import require_written
from planner.errors import InfeasibleError, PlannerError, ScenarioError, SolveError
from planner.files.output_folder import REMEDIES, cannot_write, claim
from planner.message import Message, MessageList, printable
from planner.outside import package_at_fault

FIRST_LINE_S, LINE_EVERY_S = 10.0, 60.0  # of the progress in a log

if TYPE_CHECKING:
    from rich.console import Console

    from planner.cli.options import Request
    from planner.files.output_folder import Content
    from planner.language.language import Language


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with what was kept of the work."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


@contextmanager
def exit_codes(words: Language, given: Mapping[str, Any]) -> Iterator[None]:
    """Turn errors into messages on stderr and exit codes; `given`: parameters of the command."""
    try:
        yield
    except PlannerError as wrong:
        error = naming_options(wrong, given) if isinstance(wrong, ScenarioError) else wrong
        _print_error(words.sentence(error.message))
        if (count := len(getattr(error, "problems", ()))) > 1:
            _print_error(words("{n} problems", n=count))
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt as interrupt:
        kept = interrupt.message if isinstance(interrupt, Interrupted) else Message("interrupted")
        _print_error(words.sentence(kept))
        sys.stderr.flush()
        os._exit(130)  # without waiting for the solver's thread
    except typer.Exit:
        raise
    except MemoryError:
        _print_error(words("not enough memory; a shorter horizon or longer steps need less"))
        raise typer.Exit(4) from None
    except Exception as error:
        if os.environ.get("PLANNER_TRACEBACK"):
            raise
        if isinstance(error, OSError) and error.errno in REMEDIES:
            full = cannot_write(Path(error.filename or "."), error)
            _print_error(words.sentence(full.message))
            raise typer.Exit(full.exit_code) from None
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        name = package_at_fault(error) or "planner"
        _print_error(
            words("planner failed, which is a bug in {name}: {text}", name=name, text=text)
        )
        _print_error(words("set PLANNER_TRACEBACK=1 to see the traceback, and please report it"))
        raise typer.Exit(1) from None


def _print_error(text: str) -> None:
    sys.stderr.write("\n".join(map(printable, text.split("\n"))) + "\n")


def finished_are_kept(pieces: Message, *, resume: bool) -> Message:
    """Return that finished pieces of work are kept, and how to go on with them."""
    if resume:
        return Message(
            "finished {words} are kept: the same command goes on with them", words=pieces
        )
    return Message(
        "finished {words} are kept: the same command without --fresh goes on with them",
        words=pieces,
    )


@contextmanager
def telling_what_is_kept(kept: Message) -> Iterator[None]:
    """Say after Ctrl-C what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(_interrupted(kept)) from None


@contextmanager
def claimed(
    target: Path | None, content: Content | None = None, kept: Message | None = None
) -> Iterator[None]:
    """Lock the folder to be written, if any; say after Ctrl-C whether it has changed.

    Args:
        target: the folder.
        content: what it may hold [a plan].
        kept: what else is kept then.
    """
    if target is None:
        yield
        return
    from planner.plan_tables.files import PLAN_FOLDER

    with claim(target, content or PLAN_FOLDER) as folder:
        before = _identity(folder)
        try:
            yield
        except KeyboardInterrupt:
            if (now := _identity(folder)) is None:
                text = Message("{path} was not written", path=target)
            elif now == before:
                text = Message("{path} is as it was", path=target)
            else:
                text, kept = Message("the new plan is in {path}", path=target), None
            raise Interrupted(_interrupted(text, kept)) from None


def _identity(folder: Path) -> int | None:
    """Return what tells a folder from another that takes its place; None where there is none."""
    return folder.stat().st_ino if folder.exists() else None


@contextmanager
def diagnosis_left_in(target: Path | None) -> Iterator[None]:
    """Write infeasible.json into the folder where no plan exists.

    An older plan there stays, and the error says so.
    """
    try:
        yield
    except SolveError as error:
        from planner.plan_tables.files import SUMMARY
        from planner.plan_tables.folder import write_diagnosis
        from planner.plan_tables.stochastic import STOCHASTIC

        if target is not None:
            of_members = (target / STOCHASTIC).exists()
            if of_members or (target / SUMMARY).exists():
                text = Message("the plan in {path} is that of an earlier run", path=target)
                error.message = MessageList("\n", (error.message, text))
            if isinstance(error, InfeasibleError) and not of_members:
                write_diagnosis(error.diagnosis, target)
        raise


def finish(
    plan: planner.Plan | planner.StochasticPlan,
    request: Request,
    show: Callable[[Any, Console, Language], None],
    seconds: Mapping[str, float] | None = None,
    kept: Message | None = None,
) -> None:
    """Write the declaration, print a plan and its folder, and exit as the plan ended.

    Args:
        plan: the plan, or the one for several members.
        request: what was asked for; the plan is in its folder, if it has one.
        show: prints the plan.
        seconds: runtimes beside those of the plan.
        kept: what else is kept after Ctrl-C.

    Raises:
        typer.Exit: 5 where a given schedule breaks rules, 130 after Ctrl-C.
    """
    words, target = request.words, request.target
    folder = target and Path(os.path.abspath(target))  # noqa: PTH100  # with links
    if isinstance(plan, planner.StochasticPlan):
        declaring = next(iter(plan.members.values()))  # every member declares the same
        where = words("folder: {folder}", folder=folder)
    else:
        declaring = plan
        where = words("plan folder: {folder}", folder=folder)
    if request.declare is not None:
        from planner.report.declaration import write_declaration

        write_declaration(declaring, request.declare)
    if not request.quiet:
        console = open_console()
        show(plan, console, words)
        if request.verbose:
            runtimes = plan.summary["runtimes_s"] | dict(seconds or {})
            parts = (f"{name.removesuffix('_s')} {s:.2f} s" for name, s in runtimes.items())
            say(console, words("runtimes: {parts}", parts=words(", ").join(parts)))
        if folder is not None:
            say(console, where)
    if breaches := plan.summary.get("breaches"):
        lines = [f"  - {words.sentence(breach['text'])}" for breach in breaches]
        _print_error("\n".join([words("the schedule breaks"), *lines]))
        raise typer.Exit(5)
    if plan.summary["status"] == "interrupted":
        best = Message("the best plan so far is in {path}", path=folder)
        raise ended_by_interrupt(words, best if folder else None, kept)
    if target is None:
        require_written()


def ended_by_interrupt(words: Language, *kept: Message | None) -> typer.Exit:
    """Print that a command that ended in order was interrupted; return its exit code."""
    _print_error(words.sentence(_interrupted(*kept)))
    return typer.Exit(130)


def _interrupted(*kept: Message | None) -> Message:
    return MessageList("; ", (Message("interrupted"), *filter(None, kept)))


def open_console() -> Console:
    """Return the console that prints tables and progress."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 120
    return Console(width=wide, emoji=False)


def say(console: Console, text: str, **style: Any) -> None:
    """Print a line verbatim: no markup, and no line breaks but those of the terminal."""
    console.print(text, highlight=False, markup=False, soft_wrap=True, **style)


def warn(console: Console, words: Language, warnings: Iterable[str]) -> None:
    """Print warnings, one a line."""
    for text in warnings:
        say(console, words("warning: {text}", text=words.sentence(text)), style="yellow")


@contextmanager
def logged(text: Callable[[], str]) -> Iterator[None]:
    """Print a line of progress on stderr now and then: after some seconds, then once a minute."""
    began, ended = time.monotonic(), threading.Event()

    def report() -> None:
        waiting_s = FIRST_LINE_S
        while not ended.wait(waiting_s):
            passed = dt.timedelta(seconds=round(time.monotonic() - began))
            _print_error(f"{time.strftime('%H:%M:%S')} {text()} ({passed})")
            waiting_s = LINE_EVERY_S

    reporting = threading.Thread(target=report, daemon=True)
    reporting.start()
    try:
        yield
    finally:
        ended.set()
        reporting.join()


@contextmanager
def spinner(console: Console, quiet: bool, text: str) -> Iterator[None]:
    """Show a spinner on a terminal, and lines of progress where there is none."""
    if quiet:
        yield
        return
    if not console.is_terminal:
        with logged(lambda: text):
            yield
        return
    from rich.markup import escape

    with console.status(escape(text)):
        yield


@contextmanager
def bar(
    console: Console, quiet: bool, name: str, unit: str = "", *, speed: bool = False
) -> Iterator[Callable[..., None] | None]:
    """Show a progress bar on a terminal: a count with its unit or speed, and the time left.

    Where there is no terminal, lines of progress. Yields a callback (done, total, stage), `stage`
    where the work has several; None where nothing is shown.
    """
    if quiet:
        yield None
        return
    if not console.is_terminal:
        line = name

        def note(done: int, total: int, now: str = "") -> None:
            nonlocal line
            parts = (f"{name}: {now}" if now else name, f"{done}/{total}", unit)
            line = " ".join(filter(None, parts))

        with logged(lambda: line):
            yield note
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    text, beside = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[unit]}")
    columns = (text, BarColumn(), MofNCompleteColumn(), beside, TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=None, unit="" if speed else unit)
        stage = ""
        first: tuple[float, int] | None = None

        def update(done: int, total: int, now: str = "") -> None:
            nonlocal stage, first
            if now != stage:  # a new stage has a speed of its own
                stage = now
                progress.reset(task, completed=done, total=total, description=f"{name}: {now}")
            if first is None or done < first[1]:
                first = (time.monotonic(), done)
            passed_s = time.monotonic() - first[0]
            per_min = f"{60 * (done - first[1]) / passed_s:.0f} {unit}/min" if passed_s > 1 else ""
            progress.update(task, completed=done, total=total, unit=per_min if speed else unit)

        yield update
