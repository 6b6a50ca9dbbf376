"""What a field of the scenario does to the program, measured: move it a little, compile again.

A program answers to most fields as a straight line, so the difference of the arrays per unit moved
is exact; only at a kink, such as max(peak_so_far_mw, expected_peak_mw), it is the upward slope.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.horizon import Frozen
from planner.program import Program
from planner.scenario import Scenario
from planner.series import Array

Path = tuple[str | int, ...]  # component, field, and what lies below it


@dataclass(frozen=True)
class Shift:
    """What moves in a program per unit of a field; limits that are infinite do not move."""

    matrix: Any
    row_lower: Array
    row_upper: Array
    column_lower: Array
    column_upper: Array
    cost: Array
    offset: float


def shift_of(program: Program, moved: Program, amount: float) -> Shift | None:
    """Measure what `amount` moved; None where the program has another shape."""
    if moved.matrix.shape != program.matrix.shape:
        return None

    def gap(name: str) -> Array:
        new, old = getattr(moved, name), getattr(program, name)
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(old), (new - old) / amount, 0.0)

    return Shift(
        (moved.matrix - program.matrix).tocsr() / amount,
        gap("row_lower"), gap("row_upper"), gap("column_lower"), gap("column_upper"),
        gap("cost"), (moved.offset - program.offset) / amount,
    )  # fmt: skip


def value_at(scenario: Scenario, path: Path) -> Any:
    """Return the value at a path below `components`."""
    found: Any = scenario.components
    for key in path:
        inside = isinstance(found, Frozen)
        found = getattr(found, str(key)) if inside else found[key]
    return found


def with_value(scenario: Scenario, path: Path, value: Any) -> Scenario:
    """Return the scenario with the value at a path changed, unchecked."""
    components = _replaced(scenario.components, path, value)
    return scenario.model_copy(update={"components": components})


def _replaced(held: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    key, *below = path
    if isinstance(held, tuple):
        return tuple(
            _replaced(part, tuple(below), value) if i == key else part
            for i, part in enumerate(held)
        )
    if isinstance(held, dict):
        return held | {key: _replaced(held[key], tuple(below), value)}
    assert isinstance(held, Frozen)
    part = _replaced(getattr(held, str(key)), tuple(below), value)
    return held.model_copy(update={str(key): part})


def places(held: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield every path below a value that a dotted one with `*` means, and what `*` stands for."""
    if not words:
        yield "", ()
        return
    if held is None:
        return
    if words[0] == "*":
        keys: Any = range(len(held)) if isinstance(held, tuple) else held
        for key in keys:
            for index, below in places(held[key], words[1:]):
                yield "|".join(filter(None, (str(key), index))), (key, *below)
        return
    inner = held.get(words[0]) if isinstance(held, dict) else getattr(held, words[0])
    for index, below in places(inner, words[1:]):
        yield index, (words[0], *below)
