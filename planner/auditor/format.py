"""The format of a folder: the audit reads one, and names it where it cannot read another.

`planner_format` is the first key of the summary; folders without it are of format 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from planner.auditor.plan_files import read_mapping
from planner.errors import PlanError
from planner.message import Message, MessageList

FORMAT = 1


@contextmanager
def readable_format(summary: Path) -> Iterator[None]:
    """Refuse files of others, a later format, and an earlier one if its use raises `PlanError`."""
    if not summary.is_file():
        yield
        return
    content = read_mapping(summary, json.loads)
    number, versions = content.get("planner_format", 0), content.get("versions")
    writer = versions.get("planner") if isinstance(versions, dict) else None
    error = Message(
        "{path} was written in format {n} by planner {version}, and this planner reads format"
        " {most}: use that planner, or solve again",
        path=summary.parent,
        n=number,
        version=content.get("planner", writer),
        most=FORMAT,
    )
    if "planner_format" not in content and writer is None:
        raise PlanError(
            Message(
                "{path} is no plan folder: its {file} is not one of the planner",
                path=summary.parent,
                file=summary.name,
            )
        )
    if not isinstance(number, int) or number > FORMAT:
        raise PlanError(error)
    try:
        yield
    except PlanError as reason:
        if number == FORMAT:
            raise
        raise PlanError(MessageList("\n", (error, reason.message))) from None
