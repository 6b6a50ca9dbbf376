"""Registry of the audited kinds of component: one line a kind."""

from __future__ import annotations

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
from planner.auditor.reading import KindAudit

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
