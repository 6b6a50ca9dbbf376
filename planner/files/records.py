"""Records of finished work: a run that is killed resumes after the last of them.

A file begins with its mark (see `format_mark`). Then it holds one JSON object a line, appended and
synced before the next piece of work counts as done. A run that is killed leaves at most a torn last
line, which the next run drops. The `key` of a record is a hash of all that its result depends on.
Numbers survive exactly.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from planner.errors import PlanError
from planner.files.format_mark import format_of, is_torn_mark, mark_line, require_readable
from planner.files.output_folder import NOT_OURS, cannot_write, sync
from planner.message import Message

Record = dict[str, Any]
T = TypeVar("T")
NUMBER = (int, float)
FIELDS: dict[str, Any] = {
    "key": str, "at": str, "status": str, "gap": (*NUMBER, type(None)), "message": str,
    "seconds": NUMBER, "figures": dict,
}  # fmt: skip
"""What every record holds, and of what type."""
KEYS = (frozenset(FIELDS),)
"""Of the first line of a file of format 0, which had no mark."""


def record_of(
    key: str,
    at: str,
    status: str,
    seconds: float,
    gap: float | None = None,
    figures: Mapping[str, float] | None = None,
    **more: Any,
) -> Record:
    """Return a record: its key, the place of the work, its status, seconds, gap and figures."""
    return {
        "key": key, "at": at, "status": status, "gap": gap, "message": "",
        "seconds": round(seconds, 4), "figures": dict(figures or {}), **more,
    }  # fmt: skip


class Records:
    """The records in a file that no other run writes to.

    by_key: those in the file when it was opened, the latest of each key.
    forgotten: those that a fresh start has discarded.
    """

    def __init__(self, path: Path, damage: str, *, fresh: bool = False) -> None:
        """Open a file of records; `fresh` discards those in it. `damage` as in `read_records`.

        Raises:
            PlanError: it cannot be read or written, holds something else, or one of its lines is
                broken.
        """
        self.path, self._damage = path, damage
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_foreign(path):
                raise PlanError(Message(NOT_OURS, path=path))
            known: dict[str, Record] = {}
            whole = 0
            with suppress(PlanError) if fresh else nullcontext():
                known, whole = read_records(path, damage)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            os.ftruncate(self._file, 0 if fresh else whole)
            if fresh or not whole:
                self._append(mark_line())
            sync(path.parent)
        except OSError as error:
            raise cannot_write(path.parent, error) from None
        self.by_key, self.forgotten = ({}, known) if fresh else (known, {})

    def use(self, key: str, read: Callable[[Record], T]) -> T | None:
        """Take the record of a key and return the result of `read`; None where there is none.

        Raises:
            PlanError: the record does not hold what is read.
        """
        record = self.by_key.pop(key, None)
        if record is None:
            return None
        try:
            return read(record)
        except (LookupError, TypeError, ValueError):
            place = f"{self.path}: {record['at']!r}"
            raise PlanError(Message(self._damage, path=place)) from None

    def add(self, record: Record) -> None:
        """Append a record; it is on disk when this returns. Raises PlanError."""
        line = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        try:
            self._append(line.encode() + b"\n")
        except OSError as error:
            raise cannot_write(self.path.parent, error) from None

    def _append(self, content: bytes) -> None:
        while content:
            content = content[os.write(self._file, content) :]
        os.fsync(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def read_records(path: Path, damage: str) -> tuple[dict[str, Record], int]:
    """Read records by key, and how many bytes of the file are whole: a killed run tears the last.

    Args:
        path: the file, which need not exist.
        damage: template of the error for a line that is no record, {path}.

    Raises:
        PlanError: a line before the last is no record, or the file is of a later format.
    """
    require_readable(path)
    by_key: dict[str, Record] = {}
    whole = 0
    if not path.exists():
        return by_key, whole
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if number == 1 and line.endswith(b"\n") and format_of(path) is not None:
                whole += len(line)
                continue
            record = _record(line)
            if record is None:
                if file.read(1):
                    raise PlanError(Message(damage, path=f"{path}:{number}"))
                break
            whole += len(line)
            by_key[record["key"]] = record
    return by_key, whole


def is_foreign(path: Path) -> bool:
    """Return whether a path has anything but a file of records, or the torn beginning of one."""
    ours = format_of(path, *KEYS) is not None or is_torn_mark(path)
    return os.path.lexists(path) and not ours


def _record(line: bytes) -> Record | None:
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not record.keys() >= FIELDS.keys():
        return None
    typed = all(isinstance(record[name], kind) for name, kind in FIELDS.items())
    if not typed or not all(isinstance(figure, NUMBER) for figure in record["figures"].values()):
        return None
    return record
