"""The version of this planner: that of its distribution, as it was installed."""

from __future__ import annotations

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
