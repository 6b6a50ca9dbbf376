"""Export formats: those that are known, and Parquet, which needs a package of its own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from planner.errors import PlanError, wrong
from planner.message import Message
from planner.version import install_line

PARQUET = "parquet"


def format_names(given: Sequence[str]) -> tuple[str, ...]:
    """Return the names of formats, of which a text has commas between them."""
    names = given.split(",") if isinstance(given, str) else given
    return tuple(filter(None, (name.strip() for name in names)))


def checked_formats(given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the names of formats that are known and can be written.

    Raises:
        PlanError: one is not known.
        ScenarioError: the package that writes it is missing.
    """
    formats = format_names(given)
    for name in formats:
        if name not in known:
            names = ", ".join(known)
            message = Message(
                "format {name!r} is not known; there are {names}", name=name, names=names
            )
            raise PlanError(message)
    if PARQUET in formats and find_spec("pyarrow") is None:
        message = Message("Parquet needs pyarrow: {line}", line=install_line("parquet"))
        raise wrong("", message)
    return formats
