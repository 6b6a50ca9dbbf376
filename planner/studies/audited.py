"""No plan leaves a study before the auditor has read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.auditor import audit, told
from planner.errors import PlanError


def demand_filled_audit(fill: Callable[[Path], None]) -> None:
    """Let the auditor read what `fill` writes to a passing folder.

    Raises:
        PlanError: it breaks a rule; it is not to be used.
    """
    with TemporaryDirectory(prefix="planner-audit-") as folder:
        fill(Path(folder))
        breaches = audit(folder)
    if breaches:
        raise PlanError(told("the plan fails its own audit and is not to be used", breaches))
