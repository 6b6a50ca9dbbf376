"""Scratch folders: beside a file or folder NAME, `.NAME.new` holds what will take its place.

A file in it says that it is ours. Where something of others has that name, `.NAME.new2` serves
instead, and so on. In a scratch folder `new` is what is being written, and `old` what it replaces
for the moment between two renames.
"""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from planner.files.format_mark import format_of, is_torn_mark, mark_line

MARKER = "planner.json"
_NAME = re.compile(r"\..+\.new\d*")


def beside(target: Path, what: str) -> Path:
    """Return the hidden path beside a file or folder for its new, old, lock or windows."""
    return target.with_name(f".{target.name}.{what}")


def scratch_paths(target: Path) -> Iterator[Path]:
    """Yield the places of scratch folders beside a file or folder, the usual one first."""
    return (beside(target, f"new{n}" if n > 1 else "new") for n in itertools.count(1))


def is_scratch(path: Path) -> bool:
    """Return whether a path is a scratch folder of ours; an empty one may be anybody's."""
    if not _NAME.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    marker = path / MARKER
    if format_of(marker) is not None:
        return True
    try:  # a run may be killed before the marker is whole
        return all(inside == marker and is_torn_mark(marker) for inside in path.iterdir())
    except OSError:
        return False


def clear(scratch: Path, target: Path) -> None:
    """Remove a scratch folder; an older folder in it goes back if nothing took its place."""
    new, old = scratch / "new", scratch / "old"
    if old.exists() and not target.exists():
        old.rename(target)
    for left in (new, old):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
    (scratch / MARKER).unlink(missing_ok=True)  # last: it says that the rest is ours
    with suppress(OSError):
        scratch.rmdir()


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """Make a folder beside `target` for what will take its place, and remove it."""
    for path in scratch_paths(target):
        with suppress(FileExistsError):
            if is_scratch(path):
                clear(path, target)
            path.mkdir()
            break
    try:
        (path / MARKER).write_bytes(mark_line())
        yield path
    finally:
        clear(path, target)
