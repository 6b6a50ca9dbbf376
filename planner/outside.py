"""Kinds of component that other packages bring, by their entry points, and where each is from.

An entry point has the name of the kind, so that a package is imported only when its kind is used.
What is wrong with a package is a message, and no matter to scenarios without its kind.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from planner.message import Message

if TYPE_CHECKING:  # its import takes as long as that of the command line
    from importlib.metadata import EntryPoint

COMPONENTS, AUDITS = "planner.components", "planner.audits"


class Package(NamedTuple):
    """The distribution that brings a kind, and its version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Entry(NamedTuple):
    """What an entry point brings, or a message why it brings nothing."""

    package: Package
    value: Any = None
    problem: Message | None = None


@cache
def _entry_points() -> dict[tuple[str, str], list[EntryPoint]]:
    """Return the entry points of both groups, by group and name."""
    from importlib.metadata import entry_points

    by_name: dict[tuple[str, str], list[EntryPoint]] = {}
    for entry in (*entry_points(group=COMPONENTS), *entry_points(group=AUDITS)):
        by_name.setdefault((entry.group, entry.name), []).append(entry)
    return by_name


def _package(entry: EntryPoint) -> Package:
    assert entry.dist is not None  # one that has been discovered is of a distribution
    return Package(entry.dist.name, entry.dist.version)


@cache
def packages() -> dict[str, Package]:
    """Return the package of each kind that others bring; of several the first."""
    entries = _entry_points().items()
    return {kind: _package(one[0]) for (group, kind), one in entries if group == COMPONENTS}


def package_at_fault(error: BaseException) -> Package | None:
    """Return the package with a kind whose code an error comes through, the innermost."""
    points = [entry for entries in _entry_points().values() for entry in entries]
    owners = {entry.module.partition(".")[0]: _package(entry) for entry in points}
    package, trace = None, error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        package = owners.get(module.partition(".")[0], package)
        trace = trace.tb_next
    return package


@cache
def entry_named(group: str, kind: str) -> Entry | None:
    """Return what the entry point of a kind brings; None where there is no such entry point."""
    entries = _entry_points().get((group, kind), [])
    if not entries:
        return None
    package = _package(entries[0])
    if len(entries) > 1:
        names = " and ".join(sorted(str(_package(entry)) for entry in entries))
        message = Message(
            "{names} both bring the kind {other}: uninstall one of them", names=names, other=kind
        )
        return Entry(package, problem=message)
    try:
        return Entry(package, entries[0].load())
    except (Exception, SystemExit) as error:  # no matter to scenarios without the kind
        message = Message(
            "{name} cannot be imported ({path} of {other}): {text}",
            name=package, path=group, other=kind, text=f"{type(error).__name__}: {error}",
        )  # fmt: skip
        return Entry(package, problem=message)
