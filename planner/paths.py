"""Values below components by path: read, and changed in a copy; nothing is checked here."""

from __future__ import annotations

from typing import Any

from planner.errors import Key
from planner.horizon import Frozen


def value_at(held: Any, path: Key) -> Any:
    """Return what stands at a path below a value.

    Raises:
        AttributeError, LookupError, TypeError: nothing stands there.
    """
    for key in path:
        held = getattr(held, str(key)) if isinstance(held, Frozen) else held[key]
    return held


def with_value(held: Any, path: Key, value: Any) -> Any:
    """Return a copy of a value with what stands at a path below it changed."""
    if not path:
        return value
    key, *below = path
    if isinstance(held, tuple):
        return tuple(
            with_value(part, tuple(below), value) if i == key else part
            for i, part in enumerate(held)
        )
    if isinstance(held, dict):
        return held | {key: with_value(held[key], tuple(below), value)}
    part = with_value(getattr(held, str(key)), tuple(below), value)
    return held.model_copy(update={str(key): part})
