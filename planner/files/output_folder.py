"""The folder a run writes to: checked before the work, locked against other runs, replaced whole.

What a folder of some kind holds is its `Content`, which every kind states once. A folder is of a
kind by the content of its mark, never by names alone.

A run claims its folder NAME by locking `.NAME.lock` beside it; the system drops the lock of a
process that dies. Files are written to `.NAME.new/new` and synced; then the older folder becomes
`.NAME.new/old`, the new one takes its place, and `.NAME.new` is removed. It holds a file that says
that it is ours: what a killed run left of it is put in order by the next one that claims the
folder, and where something of others has that name, `.NAME.new2` serves instead.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from planner.errors import PlanError, cause
from planner.files.format_mark import Keys, format_of, is_torn_mark
from planner.files.scratch import beside, clear, is_scratch, scratch_folder, scratch_paths
from planner.message import Message, template

LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # file managers leave it everywhere

_MAKE_ROOM = template("; make room there or choose another folder")
_CHOOSE_ANOTHER = template("; choose another folder")
REMEDIES = {
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EFBIG: _MAKE_ROOM,
    errno.ENAMETOOLONG: template("; choose a shorter name"),
    errno.EROFS: _CHOOSE_ANOTHER,
    errno.EACCES: _CHOOSE_ANOTHER,
}
NOT_OURS = template("{path} was not written by the planner; move it away or choose another folder")
_claimed: ContextVar[frozenset[Path]] = ContextVar("claimed", default=frozenset())


@dataclass(frozen=True)
class Mark:
    """A file that marks a folder as the planner's; `before`: the keys it had before it was marked.

    A file of records is marked as soon as it is there; killed then, it may hold half of its mark.
    """

    file: str
    before: tuple[Keys, ...]

    def format_in(self, folder: Path) -> int | None:
        """Return the format of the file in a folder; None where it is missing or of others."""
        return format_of(folder / self.file, *self.before)


@dataclass(frozen=True)
class Content:
    """What a folder of one kind holds, and the errors for folders that hold anything else.

    mark: of every folder of the kind; an empty folder may become one.
    foreign: template of the error for a folder without it, {path}.
    known: all that it may hold, where a run replaces it whole; None where a run replaces single
        files and others stay.
    surplus: template of the error for a folder that holds more: {path}, and {names} of the first.
    alone: a file that may be there without the mark, by itself.
    inside: what the folders in a folder hold, by the name of that folder.
    """

    mark: Mark
    foreign: str
    known: frozenset[str] | None = None
    surplus: str = ""
    alone: Mark | None = None
    inside: Mapping[str, Content] = field(default_factory=dict)

    def check(self, folder: Path) -> None:
        """Raise unless a folder is empty, or of this kind and holds nothing else.

        Raises:
            PlanError: it is another, or cannot be read.
        """
        if (names := _names_in(folder)) and not self._is_kind_of(folder, names):
            raise PlanError(Message(self.foreign, path=folder))
        unknown = [] if self.known is None else sorted(self.unknown_in(folder))
        if unknown:
            first = ", ".join(str(path.relative_to(folder)) for path in unknown[:3])
            names_text = first + ", ..." * (len(unknown) > 3)
            raise PlanError(Message(self.surplus, path=folder, names=names_text))

    def _is_kind_of(self, folder: Path, names: set[str]) -> bool:
        if self.mark.format_in(folder) is not None:
            return True
        if self.alone is not None and names == {self.alone.file}:
            return self.alone.format_in(folder) is not None
        mark = folder / self.mark.file
        return names == {mark.name} and mark.suffix == ".jsonl" and is_torn_mark(mark)

    def unknown_in(self, folder: Path) -> Iterator[Path]:
        """Yield what a folder holds that no folder of this kind holds."""
        for name in _names_in(folder):
            path = folder / name
            if name not in (self.known or ()):
                if not is_scratch(path):
                    yield path
            elif path.is_dir() and name not in self.inside:
                yield path
        for name, content in self.inside.items():
            above = folder / name
            for path in [above / below for below in _names_in(above)] if above.is_dir() else ():
                yield from content.unknown_in(path) if path.is_dir() else [path]


def _names_in(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in folder.iterdir()} - LITTER
    except OSError as error:
        raise cannot_write(folder, error) from None


def check_target(folder: str | Path, content: Content | None) -> Path:
    """Check that a run may write to `folder`, before a solve; change nothing.

    `content` is what the folder must hold if it holds anything; None where that does not matter.

    Returns:
        The folder with links followed.

    Raises:
        PlanError: it is a file, holds something else, or cannot be written to.
    """
    try:
        target = Path(os.path.realpath(folder))
        names = (target, beside(target, "lock")) if target.name else ()
        for path in names:
            with suppress(FileNotFoundError, NotADirectoryError):
                path.lstat()
    except ValueError:
        message = Message("the name of a plan folder may not hold a null character")
        raise PlanError(message) from None
    except OSError as error:
        raise cannot_write(Path(folder), error) from None
    if target.parent == target or target.is_mount():
        raise PlanError(
            Message("{path} is the top of a file system; name a folder in it", path=target)
        )
    if target.is_dir():
        if content is not None:
            content.check(target)
    elif target.exists():
        raise PlanError(Message("{path} is a file, not a folder; choose another name", path=target))
    above = next(parent for parent in target.parents if parent.exists())
    if not above.is_dir():
        raise PlanError(
            Message(
                "{path} is a file, so {other} cannot be made; choose another folder",
                path=above,
                other=target,
            )
        )
    if not os.access(above, os.W_OK | os.X_OK):
        raise PlanError(
            Message(
                "{path} is read-only, so {other} cannot be made; choose another folder",
                path=above,
                other=target,
            )
        )
    return target


@contextmanager
def claim(folder: str | Path, content: Content | None) -> Iterator[Path]:
    """Lock `folder` against other runs and yield it, links followed; claims may be nested.

    Raises:
        PlanError: another run has claimed it, or as `check_target`.
    """
    target = check_target(folder, content)
    if target in _claimed.get():
        yield target
        return
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            lock = _lock(target)
        except OSError as error:
            raise cannot_write(target, error) from None
        token = _claimed.set(_claimed.get() | {target})
        try:
            _put_in_order(target)
            yield target
        finally:
            _claimed.reset(token)
            beside(target, "lock").unlink(missing_ok=True)
            os.close(lock)
    finally:
        for parent in made:  # those that stayed empty
            with suppress(OSError):
                parent.rmdir()


_LOCK_TEXT = re.compile(rb"(\d{1,19}\n?)?")  # of a file of ours: a process


def _lock(target: Path) -> int:
    path = beside(target, "lock")
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        is_file = stat.S_ISREG(os.fstat(lock).st_mode)
        if not (is_file and _LOCK_TEXT.fullmatch(os.pread(lock, 40, 0))):
            os.close(lock)
            raise PlanError(Message(NOT_OURS, path=path))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(lock, 20).decode(errors="replace").strip()
            os.close(lock)
            raise PlanError(
                Message(
                    "another run (process {name}) is writing to {path};"
                    " wait until it has ended or choose another folder",
                    name=who or Message("unknown"),
                    path=target,
                )
            ) from None
        except OSError:
            pass  # a file system without locks: renaming still keeps each plan whole
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                break
        os.close(lock)  # its holder removed the file just now
    try:
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
    except OSError:
        path.unlink(missing_ok=True)
        os.close(lock)
        raise
    return lock


def _put_in_order(target: Path) -> None:
    """Bring back or remove what a run that was killed left beside the folder."""
    try:
        for path in itertools.takewhile(os.path.lexists, scratch_paths(target)):
            if is_scratch(path):
                clear(path, target)
    except OSError as error:
        raise cannot_write(target, error) from None


def cannot_write(path: Path, error: OSError) -> PlanError:
    """Return the error of a file or folder that the system does not let us write, with a remedy."""
    remedy = REMEDIES.get(error.errno or 0, "")
    return PlanError(
        Message(
            "{path} cannot be written: {text}{hint}",
            path=path,
            text=cause(error),
            hint=Message(remedy) if remedy else "",
        )
    )


def replace_folder(folder: str | Path, content: Content, fill: Callable[[Path], None]) -> Path:
    """Have `fill` write files into an empty folder, which then takes the place of `folder`.

    Raises:
        PlanError: as `claim`, or the files cannot be written; then nothing has changed.
    """
    path = Path(os.path.abspath(folder))  # noqa: PTH100  # with links, as the user wrote it
    with claim(path, content) as target:
        try:
            with scratch_folder(target) as scratch:
                new = scratch / "new"
                new.mkdir()
                fill(new)
                for written in (*new.rglob("*"), new):
                    sync(written)
                if target.exists():
                    target.rename(scratch / "old")
                new.rename(target)
                sync(target.parent)
        except OSError as error:
            raise cannot_write(path, error) from None
        except MemoryError:
            message = Message("{path} cannot be written: not enough memory", path=path)
            raise PlanError(message) from None
        except UnicodeEncodeError as error:
            message = Message(
                "{path} cannot be written: a text in it is broken: {text}", path=path, text=error
            )
            raise PlanError(message) from None
    return path


def replace_file(path: Path, content: str | bytes) -> None:
    """Write one file so that it appears whole; a file of a plan folder only within a claim.

    Raises:
        PlanError: it cannot be written; then nothing has changed.
    """
    try:
        with scratch_folder(path) as scratch:
            new = scratch / "new"
            new.write_bytes(content.encode() if isinstance(content, str) else content)
            sync(new)
            new.rename(path)
            sync(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from None


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_name(name: str) -> str:
    """Return the name of a scenario or sweep as that of a folder."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".")[:60] or "plan"
