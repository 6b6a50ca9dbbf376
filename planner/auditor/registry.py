"""Registry of the audited kinds of component: one line a kind.

The audits of kinds that other packages bring come through entry points of the group
`planner.audits`, each with the name of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from planner.auditor.kinds import (
    battery,
    carbon,
    contract,
    green_rule,
    job,
    line,
    load,
    renewable,
    reserve,
    service,
    thermal,
)
from planner.auditor.kinds.fleet import fleet
from planner.auditor.kinds.grid import grid
from planner.auditor.plan_files import Files
from planner.auditor.reading import KindAudit
from planner.errors import PlanError
from planner.message import Message

GROUP = "planner.audits"

KINDS: dict[str, KindAudit] = {
    "battery": battery.AUDIT,
    "carbon": carbon.AUDIT,
    "contract": contract.AUDIT,
    "fleet": fleet.AUDIT,
    "green_rule": green_rule.AUDIT,
    "grid": grid.AUDIT,
    "job": job.AUDIT,
    "line": line.AUDIT,
    "load": load.AUDIT,
    "renewable": renewable.AUDIT,
    "reserve": reserve.AUDIT,
    "service": service.AUDIT,
    "thermal": thermal.AUDIT,
}


def audits_for(files: Files) -> dict[str, KindAudit]:
    """Return the audits of our kinds, and of those that a plan has from other packages.

    Raises:
        PlanError: the package that brought a kind is not installed, or its audit cannot be used.
    """
    brought = files.summary.get("kinds_from")
    components = files.scenario.get("components")
    parts = components.values() if isinstance(components, Mapping) else ()
    kinds = {str(part.get("kind")) for part in parts if isinstance(part, Mapping)}
    outside = {kind: audit for kind in kinds - KINDS.keys() if (audit := _outside(kind))}
    for kind, package in brought.items() if isinstance(brought, Mapping) else ():
        if kind in kinds - KINDS.keys() - outside.keys():
            raise PlanError(Message(
                "the package {name} is not installed, which brings the kind {other}",
                name=package, other=kind,
            ))  # fmt: skip
    return KINDS | outside


@cache
def _outside(kind: str) -> KindAudit | None:
    """Return the audit of a kind that another package brings; None where none does."""
    audits = [entry for entry in entry_points(group=GROUP) if entry.name == kind]
    names = sorted(f"{entry.dist.name} {entry.dist.version}" for entry in audits if entry.dist)
    if not audits:
        return None
    if len(audits) > 1:
        message = Message(
            "{names} both bring the audit of {other}: uninstall one of them",
            names=" and ".join(names), other=kind,
        )  # fmt: skip
        raise PlanError(message)
    place = {"name": names[0], "other": kind, "path": GROUP}
    try:
        audit = audits[0].load()
    except (Exception, SystemExit) as error:
        text = f"{type(error).__name__}: {error}"
        message = Message("{name} cannot be imported ({path} of {other}): {text}", **place,
                          text=text)  # fmt: skip
        raise PlanError(message) from None
    if not isinstance(audit, KindAudit):
        raise PlanError(
            Message("{name}: its entry point {other} in {path} must be a KindAudit", **place)
        )
    return audit
