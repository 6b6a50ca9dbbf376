"""The version of this planner, that of its distribution, and how its extras are installed."""

from __future__ import annotations

import shlex
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "dispatch-planner"
NOT_INSTALLED = "0+source"  # a source tree says no version of its own


@cache
def planner_version() -> str:
    """Return the version; `0+source` for a source tree that is not installed."""
    try:
        return version(DISTRIBUTION)  # looked up in every folder that Python imports from
    except PackageNotFoundError:
        return NOT_INSTALLED


def install_line(extra: str) -> str:
    """Return the line that installs an extra for this Python, of a source tree in its folder."""
    project = "." if planner_version() == NOT_INSTALLED else DISTRIBUTION
    return f"{shlex.quote(sys.executable)} -m pip install '{project}[{extra}]'"
