"""The audit of a plan folder: every promise of a plan derived again from its files.

`audit` reads a plan folder and nothing else (the resolved scenario, schedule, allocation, ledger
and summary), derives every promise again with NumPy and pandas, and returns what is broken. It
shares no code with the model; docs/promises.md lists what it checks.
"""

from __future__ import annotations

from pathlib import Path

from planner.auditor.end_values import check_end_values
from planner.auditor.findings import Breach, Findings
from planner.auditor.format import readable_format
from planner.auditor.plan_files import SUMMARY, Files, read_files
from planner.auditor.prices import check_prices, check_reasons
from planner.auditor.reading import Plan, understand
from planner.auditor.registry import audits_for
from planner.auditor.stochastic import STOCHASTIC, audit_members
from planner.auditor.summary import check_summary
from planner.auditor.tables import (
    check_allocation,
    check_green,
    check_ledger,
    check_nodes,
    check_schedule,
)
from planner.message import Message, MessageList

__all__ = ["Breach", "audit", "audit_files", "describe_breaches"]

MAX_DESCRIBED = 20
CHECKS = (
    check_nodes, check_allocation, check_green, check_ledger, check_summary, check_reasons,
    check_prices, check_end_values,
)  # fmt: skip


def audit(folder: str | Path) -> list[Breach]:
    """Check a plan folder, or that of a stochastic plan, against every promise a plan makes.

    Returns:
        Every breach, by component, rule and time; none for a good plan.

    Raises:
        PlanError: a file is missing, cannot be read, or leaves out what an audit needs; or another
            planner wrote the folder, in a format that this one does not read.
    """
    folder = Path(folder)
    of_members = (folder / STOCHASTIC).is_file()
    with readable_format(folder / (STOCHASTIC if of_members else SUMMARY)):
        if of_members:
            return audit_members(folder, audit_files)
        return audit_files(read_files(folder))


def audit_files(files: Files) -> list[Breach]:
    """Check a plan folder that has been read. Raises as `audit`."""
    plan, findings = _plan_and_findings(files)
    if check_schedule(plan, findings):
        for part in plan.parts.values():
            for check in plan.audit(part).checks:
                check(plan, part, findings.of(part.name))
        for check_table in CHECKS:
            check_table(plan, findings)
    return findings.sorted()


def _plan_and_findings(files: Files) -> tuple[Plan, Findings]:
    plan = understand(files, audits_for(files))
    return plan, Findings(plan.clock.times, relaxed=plan.relaxed, currency=files.currency)


def describe_breaches(head: Message, breaches: list[Breach]) -> Message:
    """Return the first breaches in full, one a line, below a head."""
    first = (breach.with_place() for breach in breaches[:MAX_DESCRIBED])
    lines = [
        Message("{head}:", head=head),
        *(MessageList("", ("  - ", message)) for message in first),
    ]
    if len(breaches) > MAX_DESCRIBED:
        more = Message("and {n} more", n=len(breaches) - MAX_DESCRIBED)
        lines.append(MessageList("", ("  ", more)))
    return MessageList("\n", lines)
