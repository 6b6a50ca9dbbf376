"""All that the audit of a kind is made of: one import for packages that bring kinds of their own.

These names are stable, and docs/outside_kinds.md lists them. An audit imports nothing else of the
planner: it is a second opinion, written from what a kind promises and not from its code.
"""

from __future__ import annotations

from planner.auditor.findings import AT, FLOW, Array, Notes, column_is
from planner.auditor.reading import (
    ONCE,
    Codes,
    KindAudit,
    Line,
    Part,
    Plan,
    at_start_of_steps,
    by_step,
    columns_by_origin,
    drawn_flows,
    drawn_mw,
    drawn_mwh,
    of_source,
)
from planner.message import Message

__all__ = [
    "AT", "FLOW", "ONCE", "Array", "Codes", "KindAudit", "Line", "Message", "Notes", "Part", "Plan",
    "at_start_of_steps", "by_step", "column_is", "columns_by_origin", "drawn_flows", "drawn_mw",
    "drawn_mwh", "of_source",
]  # fmt: skip
