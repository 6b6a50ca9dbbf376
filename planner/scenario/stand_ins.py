"""Horizons that stand in for a wrong one, so that the rest of a scenario is checked all the same.

Nothing that depends on the horizon is the same on both, its length, its steps and its dates; nor
is its clock, unless it is clear.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from planner.local_time import zone_named
from planner.timeseries.horizon import Horizon

CHANGING = "Europe/Berlin"  # a clock that changes, where the one named is unknown


def stand_ins(horizon: Any) -> tuple[Horizon, Horizon]:
    """Return two horizons in the place of one that is wrong, given as plain data."""
    given = horizon.get("timezone") if isinstance(horizon, dict) else None
    named = zone_named(given)
    clear = None if named is None else named.key
    unclear = CHANGING if given is not None and named is None else clear
    return (
        _horizon(dt.datetime(2026, 1, 1), clear, hours=24),
        _horizon(dt.datetime(2027, 8, 3, 7, 5), unclear, hours=7, step_min=5),
    )


def _horizon(clock: dt.datetime, timezone: str | None, **length: float) -> Horizon:
    zone = zone_named(timezone) or dt.timezone(dt.timedelta(hours=8))
    start = clock.replace(tzinfo=zone).isoformat()
    return Horizon.model_validate({"start": start, "timezone": timezone, **length})
