"""The mark of the planner's own files: `planner_format`, their first key, is the format's version.

A folder is the planner's only if its content says so, whatever the names in it. Files written
before there was a mark are of format 0; they are known by their keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from planner.errors import PlanError
from planner.message import Message

FORMAT = 1
MARK, WRITER = "planner_format", "planner"
MOST_BYTES = 100_000_000  # of a file without a mark
_BEGIN = re.compile(rb'\s*\{\s*"planner_format"\s*:\s*(\d{1,9})\s*[,}]')
_WRITER = re.compile(rb'"planner"\s*:\s*"([^"\\]{0,40})"')

Keys = frozenset[str]


def marked(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a file that is the planner's, with its mark first."""
    return {MARK: FORMAT, WRITER: planner_version()} | dict(data)


def unmarked(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a file without its mark."""
    return {key: value for key, value in data.items() if key not in (MARK, WRITER)}


@cache
def planner_version() -> str:
    """Return the version of this planner."""
    return version("dispatch-planner")  # looked up in every folder that Python imports from


def mark_line() -> bytes:
    """Return the first line of a file of records."""
    return json.dumps(marked({})).encode() + b"\n"


def format_of(path: Path, *before: Keys) -> int | None:
    """Return the format of a file by its content; None if it is missing or of others.

    Args:
        path: a JSON file, or one of records, whose first line counts.
        before: keys of a file of format 0, all of any of these sets.
    """
    if begin := _BEGIN.match(_beginning(path, 1000)):
        return int(begin[1])
    text = _beginning(path) if before else b""
    for part in (text.partition(b"\n")[0], text):
        with suppress(ValueError, RecursionError):
            data = json.loads(part)
            if isinstance(data, dict) and any(keys <= data.keys() for keys in before):
                return 0
    return None


def require_readable(path: Path) -> None:
    """Require that a file is of no later format than this planner reads.

    Raises:
        PlanError: it is of a later one.
    """
    number = format_of(path)
    if number is not None and number > FORMAT:
        raise PlanError(of_another_format(path, number))


def of_another_format(path: Path, number: int) -> Message:
    """Return that the folder of a file is of a format that this planner does not read."""
    writer = _WRITER.search(_beginning(path))
    return Message(
        "{path} was written in format {n} by planner {version}, and this planner reads format"
        " {most}: use that planner, or solve again",
        path=path.parent,
        n=number,
        version=writer[1].decode(errors="replace") if writer else "?",
        most=FORMAT,
    )


def is_torn_mark(path: Path) -> bool:
    """Return whether a run was killed while it wrote the first line of a file."""
    if not path.is_file():
        return False
    return path.stat().st_size < len(mark_line()) and mark_line().startswith(path.read_bytes())


def _beginning(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the start of a file; empty where it is none."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return b""
        with path.open("rb") as file:
            return file.read(most)
    except OSError:
        return b""
