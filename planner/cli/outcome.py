"""The outcome of a command: what it prints, and the document that --json prints instead.

A document is a class of plain data with a field for each key; its first fields are the same for all
commands. `format` rises where a key is removed or changes its meaning; keys are added without. Each
key stands in each document, null where it does not apply, and a number that is none is null. Times
are ISO 8601 with an offset. Texts for people are in the language of the command, keys and codes
are not.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from planner.errors import PlannerError, Problem
from planner.message import Message
from planner.version import planner_version

if TYPE_CHECKING:
    from rich.console import Console

    from planner.language.language import Language


class Record:
    """A part of a document: a field for each key."""

    __pydantic_config__ = {  # noqa: RUF012  # for its JSON Schema
        "use_attribute_docstrings": True,
        "json_schema_serialization_defaults_required": True,
    }


@dataclass(frozen=True, kw_only=True)
class InputProblem(Record):
    """One thing that is wrong with an input."""

    file: str | None
    """File or option that holds it."""
    line: int | None
    """Line of the file."""
    path: str | None
    """Path of the value, such as `components.pv.capacity_mw`, or the option."""
    message: str
    """What is wrong, and what would be right."""

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Return a problem of an input; a file, a line or a path that it does not have is null."""
        return cls(
            file=problem.file or None, line=problem.line, path=problem.path or None,
            message=problem.message,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Failure(Record):
    """Why a command did not end with exit code 0."""

    type: str
    """Name of the exception of `planner`, such as `ScenarioError`, or `UsageError`,
    `KeyboardInterrupt`, `MemoryError`; of a bug the one of Python."""
    message: str
    """What standard error says."""
    problems: list[InputProblem]
    """Every problem of a wrong input; empty for other errors."""
    diagnosis: Mapping[str, Any] | None
    """Content of `infeasible.json` where no plan exists."""


@dataclass(frozen=True, kw_only=True)
class JsonDocument(Record):
    """What every document begins with, and all of the document of a command without a result."""

    format: Literal[1] = 1
    """Version of the format."""
    command: str | None = None
    """Name of the command; null where the command line names none."""
    planner: str = ""
    """Version of the planner."""
    exit_code: int = 0
    """Exit code of the process."""
    error: Failure | None = None
    """Why the exit code is not 0."""
    warnings: list[str] = field(default_factory=list)
    """What must be known first, and what is allowed and probably not meant."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a command, of which one side is asked for.

    document: returns the document of --json.
    show: prints the result in a language.
    kept: the file or folder that holds the result; where there is none, it must not be lost on the
        way out.
    error: why the command ends with another exit code than 0, though it has a result.
    """

    document: Callable[[], JsonDocument]
    show: Callable[[Console, Language], None]
    kept: Path | None = None
    error: PlannerError | KeyboardInterrupt | None = None


def write_document(
    document: JsonDocument,
    command: str | None,
    words: Language,
    exit_code: int = 0,
    error: Failure | None = None,
) -> None:
    """Write a document of a command to standard output, in UTF-8; its messages in a language."""
    from planner.plan_tables.files import json_text

    whole = replace(
        document, command=command, planner=planner_version(), exit_code=exit_code, error=error
    )
    if isinstance(sys.stdout, io.TextIOWrapper):  # \udcff, of a name that is no text, is JSON too
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stdout.write(json_text(plain(whole, words)))


def plain(value: Any, words: Language) -> Any:
    """Return a value as JSON knows it: messages in a language, absolute paths, times, no NaN."""
    if isinstance(value, Message):
        return str(words.sentence(value))
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dt.datetime):
        return value.isoformat() if value == value else None
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Path):
        return os.path.abspath(value)  # noqa: PTH100  # with links
    if isinstance(value, list | tuple):
        return [plain(item, words) for item in value]
    if is_dataclass(value):
        value = {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item, words) for key, item in value.items()}
    return value
