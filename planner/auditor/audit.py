"""The second opinion: is a stored plan what it says it is?

`audit` reads a plan folder and nothing else (the resolved scenario, schedule, allocation, ledger
and summary), derives every promise again with NumPy and pandas, and returns what is broken. It
shares no code with the model; docs/promises.md lists what it checks.
"""

from __future__ import annotations

from pathlib import Path

from planner.auditor.findings import Breach, Findings
from planner.auditor.plan_files import Files, read_files
from planner.auditor.prices import check_prices, check_why
from planner.auditor.reading import understand
from planner.auditor.registry import KINDS
from planner.auditor.stochastic import STOCHASTIC, audit_members
from planner.auditor.summary import check_summary
from planner.auditor.tables import (
    check_allocation,
    check_green,
    check_ledger,
    check_nodes,
    check_schedule,
)
from planner.errors import PlanError

__all__ = ["Breach", "audit", "audit_files", "told"]

SHOWN = 20


def audit(folder: str | Path) -> list[Breach]:
    """Check a plan folder, or one of several futures, against every promise a plan makes.

    Returns:
        Every breach, by component, rule and time; none for a good plan.

    Raises:
        PlanError: a file is missing, cannot be read, or leaves out what an audit needs.
    """
    folder = Path(folder)
    if (folder / STOCHASTIC).is_file():
        return audit_members(folder, audit_files)
    return audit_files(read_files(folder))


def require_complete(folder: str | Path) -> None:
    """Demand of a plan folder only that its schedule has every step, column and number.

    Raises:
        PlanError: it has not, or a file is missing, cannot be read, or leaves out what is needed.
    """
    plan = understand(read_files(Path(folder)), KINDS)
    found = Findings(plan.clock.times)
    if not check_schedule(plan, found):
        raise PlanError(f"{folder} cannot be shown: {found.sorted()[0]}")


def audit_files(files: Files) -> list[Breach]:
    """Check a plan folder that has been read. Raises as `audit`."""
    plan = understand(files, KINDS)
    found = Findings(plan.clock.times)
    if check_schedule(plan, found):
        for part in plan.parts.values():
            for check in plan.audit(part).checks:
                check(plan, part, found.of(part.name))
        check_nodes(plan, found)
        check_allocation(plan, found)
        check_green(plan, found)
        check_ledger(plan, found)
        check_summary(plan, found)
        check_why(plan, found)
        check_prices(plan, found)
    return found.sorted()


def told(head: str, breaches: list[Breach]) -> str:
    """Say what is broken, the first breaches in full."""
    more = len(breaches) - SHOWN
    lines = [f"{head}:", *(f"  - {breach}" for breach in breaches[:SHOWN])]
    return "\n".join([*lines, f"  and {more} more"] if more > 0 else lines)
