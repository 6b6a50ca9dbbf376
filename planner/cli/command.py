"""Commands as typer runs them: their outcome as text or as a document, errors as exit codes."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import wraps
from inspect import Parameter
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from planner.cli.log_lines import log_lines
from planner.cli.options import naming_options
from planner.cli.outcome import Failure, InputProblem, JsonDocument, Outcome, write_document
from planner.cli.streams import require_written
from planner.cli.terminal import Interrupted, open_console, print_error, telling_what_is_kept
from planner.errors import InfeasibleError, PlannerError, ScenarioError, SolveError
from planner.files.output_folder import REMEDIES, cannot_write
from planner.language.language import ENGLISH, Language
from planner.message import Message
from planner.outside import package_at_fault

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, errors too, and nothing else.")
]
BUG = PlannerError.exit_code
USAGE_ERROR: Any = typer.BadParameter.__base__  # of click, or of the copy of it in typer


class Command(TyperCommand):
    """A command that --lang before it sets the language of too."""

    def make_context(self, info_name: Any, args: list[str], *more: Any, **extra: Any) -> Any:
        """Read the arguments."""
        parent = extra.get("parent")
        group = "" if parent is None or parent.parent is None else f"{parent.info_name}-"
        with usage_errors(f"{group}{self.name}", args):
            return super().make_context(info_name, args, *more, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, in the language given after it, else in that given before it."""
        after = ctx.get_parameter_source("words").name == "COMMANDLINE"
        if not after and (words := ctx.find_root().params["words"]) is not None:
            ctx.params["words"] = words
        return super().invoke(ctx)


class CommandGroup(TyperGroup):
    """The commands, and what is wrong before one of them is known."""

    def make_context(self, info_name: Any, args: list[str], *more: Any, **extra: Any) -> Any:
        """Read the options before a command."""
        with usage_errors(None, args):
            return super().make_context(info_name, args, *more, **extra)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments name."""
        with usage_errors(None, args):
            return super().resolve_command(ctx, args)


@contextmanager
def usage_errors(command: str | None, arguments: Sequence[str]) -> Iterator[None]:
    """Write the document of a command line that cannot be read, where it asks for one."""
    options = takewhile("--".__ne__, arguments)
    as_json = any(option.partition("=")[0] == "--json" for option in options)
    try:
        yield
    except USAGE_ERROR as error:
        if as_json:
            failure = Failure(
                type="UsageError", message=error.format_message(), problems=[], diagnosis=None
            )
            write_document(JsonDocument(), command, ENGLISH, error.exit_code, failure)
        raise


def runnable(command: Callable[..., Outcome]) -> Callable[..., None]:
    """Return what typer runs of a command: it has --json, prints the outcome and sets exit codes.

    With --json all else that is printed, progress and warnings, goes to standard error.
    """
    name = command.__name__.replace("_", "-")

    @wraps(command)
    def run(*, as_json: bool, **given: Any) -> None:
        with exit_codes(name, given, as_json=as_json):
            with log_lines(given), redirect_stdout(sys.stderr) if as_json else nullcontext():
                outcome = command(**given)
            kept = outcome.kept and Message("the result is in {path}", path=outcome.kept)
            with telling_what_is_kept(kept or None):
                conclude(name, outcome, given, as_json=as_json)

    signature = inspect.signature(command, eval_str=True)
    option = Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AsJson)
    parameters = [*signature.parameters.values(), option]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run


def conclude(command: str, outcome: Outcome, given: Mapping[str, Any], *, as_json: bool) -> None:
    """Print an outcome as text or as a document, and exit as it says."""
    words: Language = given["words"]
    exit_code, failure = 0, None
    if outcome.error is not None:
        exit_code, failure = failure_of(outcome.error, words)
    if as_json:
        write_document(outcome.document(), command, words, exit_code, failure)
    elif not given.get("quiet"):
        outcome.show(open_console(), words)
    if failure is not None:
        print_error(failure.message)
    if as_json or outcome.kept is None:
        require_written()
    if exit_code:
        raise typer.Exit(exit_code)


@contextmanager
def exit_codes(command: str, given: Mapping[str, Any], *, as_json: bool) -> Iterator[None]:
    """Turn errors into messages on standard error, documents if asked for, and exit codes.

    `given` are the parameters of the command.
    """
    words: Language = given["words"]
    try:
        yield
    except typer.Exit:
        raise
    except (Exception, KeyboardInterrupt) as caught:
        error: BaseException = caught
        if isinstance(caught, ScenarioError):
            error = naming_options(caught, given)
        elif isinstance(caught, OSError) and caught.errno in REMEDIES:
            error = cannot_write(Path(caught.filename or "."), caught)
        exit_code, failure = failure_of(error, words)
        if exit_code == BUG and os.environ.get("PLANNER_TRACEBACK"):
            raise
        print_error(failure.message)
        if (count := len(failure.problems)) > 1:
            print_error(words("{n} problems", n=count))
        if exit_code == BUG:
            print_error(words("set PLANNER_TRACEBACK=1 to see the traceback, and please report it"))
        if as_json:
            write_document(JsonDocument(), command, words, exit_code, failure)
        if isinstance(error, KeyboardInterrupt):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(exit_code)  # without waiting for the solver's thread
        raise typer.Exit(exit_code) from None


def failure_of(error: BaseException, words: Language) -> tuple[int, Failure]:
    """Return the exit code of an error, and the error as a part of a document."""
    name = type(error).__name__
    if isinstance(error, PlannerError):
        exit_code, message = error.exit_code, error.message
    elif isinstance(error, KeyboardInterrupt):
        exit_code = 130
        name = KeyboardInterrupt.__name__
        message = error.message if isinstance(error, Interrupted) else Message("interrupted")
    elif isinstance(error, MemoryError):
        exit_code = SolveError.exit_code
        message = Message("not enough memory; a shorter horizon or longer steps need less")
    else:
        exit_code, text = BUG, f"{name}: {error}".splitlines()[0]
        package = package_at_fault(error) or "planner"
        message = Message(
            "planner failed, which is a bug in {name}: {text}", name=package, text=text
        )
    problems = error.problems if isinstance(error, ScenarioError) else ()
    return exit_code, Failure(
        type=name,
        message=words.sentence(message),
        problems=[*map(InputProblem.of, problems)],
        diagnosis=error.diagnosis if isinstance(error, InfeasibleError) else None,
    )
