"""The folder a run writes to: judged before the work, kept from other runs, replaced whole.

A run claims its folder NAME by locking `.NAME.lock` beside it; the system drops the lock of a
process that dies. Files are written to `.NAME.new` and synced; then the older folder becomes
`.NAME.old`, the new one takes its place, and the older one is removed. What a killed run left of
these is put in order by the next one that claims the folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from planner.errors import PlanError

SUMMARY = "summary.json"
INFEASIBLE = "infeasible.json"
PARTS = frozenset(
    {
        "scenario.yaml", "series.csv", "schedule.csv", "schedule.parquet", "schedule.xlsx",
        "allocation.csv", "green.csv", "ledger.csv", "why.csv", "prices.csv", SUMMARY,
        INFEASIBLE, f".{INFEASIBLE}.new", "report.html", ".report.html.new", ".schedule.xlsx.new",
    }
)  # fmt: skip
"""All that a plan folder may hold; a folder with anything else in it is never replaced."""
STOCHASTIC = "stochastic.json"
STOCHASTIC_PARTS = frozenset(
    {STOCHASTIC, "here_and_now.csv", "members.csv", "members", "scenario.yaml", "series.csv"}
)
"""All that the folder of a plan for several futures may hold, those of its members aside."""
LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # file managers leave it everywhere

_REMEDY = {
    errno.ENOSPC: "; make room there or choose another folder",
    errno.EDQUOT: "; make room there or choose another folder",
    errno.ENAMETOOLONG: "; choose a shorter name",
    errno.EROFS: "; choose another folder",
    errno.EACCES: "; choose another folder",
}
_claimed: ContextVar[frozenset[Path]] = ContextVar("claimed", default=frozenset())


def check_target(folder: str | Path, judge: Callable[[Path], None] | None = None) -> Path:
    """Judge whether a plan can be written to `folder`, before a solve; changes nothing.

    `judge` raises where what the folder holds must stay; without it, unless that is a plan.

    Returns:
        The folder with links followed.

    Raises:
        PlanError: it is a file, holds something that is no plan, or cannot be written to.
    """
    try:
        target = Path(os.path.realpath(folder))
        names = (target, _beside(target, "lock")) if target.name else ()
        for path in names:
            with suppress(FileNotFoundError, NotADirectoryError):
                path.lstat()
    except ValueError:
        raise PlanError("the name of a plan folder may not hold a null character") from None
    except OSError as error:
        raise _cannot_write(Path(folder), error) from None
    if target.parent == target or target.is_mount():
        raise PlanError(f"{target} is the top of a file system; name a folder in it")
    if target.is_dir():
        (judge or _check_content)(target)
    elif target.exists():
        raise PlanError(f"{target} is a file; a plan needs a folder: choose another name")
    above = next(parent for parent in target.parents if parent.exists())
    if not above.is_dir():
        raise PlanError(f"{above} is a file, so {target} cannot be made; choose another folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise PlanError(f"{above} is read-only, so {target} cannot be made; choose another folder")
    return target


def _check_content(target: Path) -> None:
    try:
        held = {entry.name for entry in target.iterdir()} - LITTER
    except OSError as error:
        raise _cannot_write(target, error) from None
    if held and held != {INFEASIBLE} and SUMMARY not in held:
        raise PlanError(f"{target} exists and is no plan folder; choose another")
    strange = sorted(held - PARTS)
    if strange:
        some = ", ".join(strange[:3]) + (", ..." if len(strange) > 3 else "")
        raise PlanError(
            f"{target} holds more than a plan ({some}), which a new plan would remove;"
            " move that away or choose another folder"
        )


@contextmanager
def claim(folder: str | Path, judge: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Keep other runs off `folder` and give it, links followed; within a claim it may be repeated.

    Raises:
        PlanError: another run has claimed it, or as `check_target`.
    """
    target = check_target(folder, judge)
    if target in _claimed.get():
        yield target
        return
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            lock = _lock(target)
        except OSError as error:
            raise _cannot_write(target, error) from None
        token = _claimed.set(_claimed.get() | {target})
        try:
            _put_in_order(target)
            yield target
        finally:
            _claimed.reset(token)
            _beside(target, "lock").unlink(missing_ok=True)
            os.close(lock)
    finally:
        for parent in made:  # those that stayed empty
            with suppress(OSError):
                parent.rmdir()


def _lock(target: Path) -> int:
    path = _beside(target, "lock")
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(lock, 20).decode(errors="replace").strip()
            os.close(lock)
            raise PlanError(
                f"another run (process {who or 'unknown'}) is writing to {target};"
                " wait until it has ended or choose another folder"
            ) from None
        except OSError:
            pass  # a file system without locks: renaming still keeps each plan whole
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                break
        os.close(lock)  # its holder removed the file just now
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _put_in_order(target: Path) -> None:
    """Bring back or remove what a run that was killed left beside the folder."""
    old = _beside(target, "old")
    if old.is_dir() and not target.exists():
        old.rename(target)
    for left in (old, _beside(target, "new")):
        if left.is_dir() and {entry.name for entry in left.iterdir()} <= PARTS | STOCHASTIC_PARTS:
            shutil.rmtree(left, ignore_errors=True)


def windows_folder(target: Path) -> Path:
    """Return where a run that plans `target` in windows keeps those that are finished."""
    return _beside(target, "windows")


def _beside(target: Path, what: str) -> Path:
    return target.with_name(f".{target.name}.{what}")


def _cannot_write(folder: Path, error: OSError) -> PlanError:
    said = error.strerror or str(error)
    return PlanError(f"{folder} cannot be written: {said}{_REMEDY.get(error.errno or 0, '')}")


def write_whole(
    folder: str | Path,
    fill: Callable[[Path], None],
    judge: Callable[[Path], None] | None = None,
) -> Path:
    """Have `fill` write files into an empty folder, which then takes the place of `folder`.

    Raises:
        PlanError: as `claim`, or the files cannot be written; then nothing has changed.
    """
    given = Path(os.path.abspath(folder))  # noqa: PTH100  # keep links as the user gave them
    with claim(given, judge) as target:
        new, old = _beside(target, "new"), _beside(target, "old")
        try:
            new.mkdir()
            fill(new)
            for path in (*new.rglob("*"), new):
                _sync(path)
            if target.exists():
                target.rename(old)
            try:
                new.rename(target)
            except OSError:
                if old.exists():
                    old.rename(target)
                raise
            _sync(target.parent)
        except OSError as error:
            raise _cannot_write(given, error) from None
        except MemoryError:
            raise PlanError(f"{given} cannot be written: not enough memory") from None
        except UnicodeEncodeError as error:
            raise PlanError(f"{given} cannot be written: a text in it is broken: {error}") from None
        finally:
            for left in (new, old):
                if target.exists() or left == new:
                    shutil.rmtree(left, ignore_errors=True)
    return given


def replace_file(path: Path, content: str | bytes) -> None:
    """Write one file so that it appears whole; in a plan folder only while it is claimed.

    Raises:
        PlanError: it cannot be written; then nothing has changed.
    """
    new = _beside(path, "new")
    try:
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        _sync(new)
        new.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        new.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_name(name: str) -> str:
    """Return the name of a scenario or sweep as that of a folder."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".")[:60] or "plan"
