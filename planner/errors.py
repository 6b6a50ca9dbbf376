"""Everything that can go wrong, drawn as a tree; only `cli` catches these.

PlannerError
├── ScenarioError        the input is wrong: every problem with file, line and path   exit 2
├── SolveError           the solver ended without a plan                              exit 4
│   ├── InfeasibleError  no plan can satisfy the scenario, or its profit is unbounded  exit 3
│   └── NoPlanError      no feasible plan was found within the limits                 exit 4
├── PlanError            a stored plan cannot be read or written, or fails its audit   exit 5
└── MeasurementError     a server that is measured, or its power, stops answering     exit 5
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from planner.message import Message, MessageList

Key = tuple[str | int, ...]
OVERRIDE = "override"  # the file of a problem with a value that replaces one of the file
read_outside: Callable[..., Any]
"""Returns a value of a class from what a program gives it, or raises ScenarioError in our words.
`planner` sets it, which knows the package `scenario` that can; classes below call it."""


class PlannerError(Exception):
    """Base of every error a user can cause; `exit_code` is what the command line returns."""

    exit_code = 1

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input: its place and what would be right."""

    message: Message
    path: str = ""
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        return self.with_place()

    def with_place(self) -> Message:
        """Return the message after its file, line and path."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return MessageList(": ", [part for part in (place, self.path, self.message) if part])


def dotted(path: Key) -> str:
    """Write a path as users do: ("components", "pv", "points", 2) is components.pv.points[2]."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


OS_TEXTS = {
    errno.ENOENT: Message("No such file or directory"),
    errno.EISDIR: Message("Is a directory"),
    errno.EACCES: Message("Permission denied"),
    errno.ENOSPC: Message("No space left on device"),
}


def cause(error: Exception) -> str:
    """Return why the operating system or a library failed, without the file's name."""
    if isinstance(error, OSError):
        return OS_TEXTS.get(error.errno or 0, error.strerror or str(error))
    return str(error) or type(error).__name__


def close_to(word: object, known: Iterable[str]) -> str:
    """Return the known word closest to a wrong one; empty where none is close."""
    return next(iter(difflib.get_close_matches(str(word), list(known), 1)), "")


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a hint with the known word closest to a wrong one; empty where none is close."""
    close = close_to(word, known)
    return Message("; did you mean {name}?", name=close) if close else ""


def as_written(value: object) -> str:
    """Return a value as its author wrote it, shortened."""
    if value is None:
        return Message("empty")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        keys = ", ".join(map(str, value))
        return (
            Message("a mapping of {text}", text=keys[:60]) if keys else Message("an empty mapping")
        )
    if isinstance(value, list | tuple):
        return Message("a list")
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


class ScenarioError(PlannerError):
    """The scenario, an override or one of its files is wrong; `problems` lists every problem."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(
            set(problems), key=lambda p: (p.file, p.line or 0, p.path, p.message)
        )
        super().__init__(MessageList("\n", (one.with_place() for one in self.problems)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)  # what a process pool sends


def wrong(path: str, message: Message, *, file: str = "", line: int | None = None) -> ScenarioError:
    """Return the error of a single problem."""
    return ScenarioError([Problem(message, path, file, line)])


class SolveError(PlannerError):
    """The solver ended without a plan."""

    exit_code = 4


class InfeasibleError(SolveError):
    """No plan satisfies every rule of the scenario, or its profit has no bound.

    `diagnosis` holds the conflict and the changes that make a plan possible, as plain data.
    """

    exit_code = 3

    def __init__(self, message: Message, diagnosis: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis or {"status": "infeasible", "text": message}


class NoPlanError(SolveError):
    """The solver's limits ended before a first plan was found."""


class PlanError(PlannerError):
    """A stored plan cannot be read or written."""

    exit_code = 5


class MeasurementError(PlannerError):
    """The measurement of a server cannot go on; what was measured before is kept."""

    exit_code = 5
