"""Levels of sleep of a fleet, as the audit reads them."""

from __future__ import annotations

from typing import NamedTuple

from planner.auditor.reading import Part


class Level(NamedTuple):
    """A level of sleep; `key` is the index of its columns, empty where there is no other."""

    key: tuple[str, ...]
    node_kw: float
    wake_min: float
    wake_cost_cny: float
    drain_min: float


def levels_of(part: Part) -> list[Level]:
    """Return the levels of sleep of a fleet, shallow first."""
    rows = part.rows("sleep")
    if not rows:
        kw, minutes, cost = map(part.number, ("sleep_kw", "wake_min", "wake_cost_cny"))
        return [Level((), kw, minutes, cost, 0.0)]
    apart = len(rows) > 1 or rows[0].number("drain_min") > 0
    return [
        Level((str(row["name"]),) if apart else (), *map(row.number, Level._fields[1:]))
        for row in rows
    ]


def pause_level(part: Part) -> Level | None:
    """Return the level into which nodes pause for reserve; None where they can only idle."""
    slow = part["ramp_nodes_per_h"] is not None
    at_once = [level for level in levels_of(part) if level.drain_min == 0 and not slow]
    return min(at_once, key=lambda level: level.node_kw) if at_once else None


def pause_wake_min(part: Part) -> float:
    """Return the minutes in which nodes that have paused wake."""
    level = pause_level(part)
    return level.wake_min if level else 0.0
