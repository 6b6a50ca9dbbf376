"""What a field of the scenario does to the program, measured: move it a little, compile again.

A program answers to most fields as a straight line, so the difference of the arrays per unit moved
is exact; only at a kink, such as max(peak_so_far_mw, expected_peak_mw), it is the upward slope.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from planner import paths
from planner.model import Model, assemble
from planner.program import Indices, Program, compile_program
from planner.scenario import Scenario
from planner.series import Array

KEPT = 1e-6  # of its size: how far a point may miss a new row and still keep it
Key = tuple[Any, ...]
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


def aligned(program: Program, moved: Program, model: Model, x: Array) -> Program | None:
    """Return the moved program with the rows and columns of the first, in its order.

    A row that only the moved one has is left out where the point `x` keeps it: it limits nothing.
    None where a row or column is gone, a column is new, or a new row would forbid the point.
    """
    if moved.matrix.shape == program.matrix.shape:
        return moved
    first = assemble(program.scenario, program.window)
    compile_program(first)
    rows, columns = _matched(_rows(first), _rows(model)), _matched(_columns(first), _columns(model))
    if rows is None or columns is None or len(columns) < len(model.columns):
        return None
    matrix = sparse.csr_array(moved.matrix)[:, columns]
    new = np.setdiff1d(np.arange(matrix.shape[0]), rows)
    activity = matrix[new] @ x
    slack = KEPT * np.maximum(1.0, np.abs(activity))
    low, high = moved.row_lower[new] - slack, moved.row_upper[new] + slack
    if not ((low <= activity) & (activity <= high)).all():
        return None
    return replace(
        moved, matrix=sparse.csc_array(matrix[rows]),
        row_lower=moved.row_lower[rows], row_upper=moved.row_upper[rows],
        column_lower=moved.column_lower[columns], column_upper=moved.column_upper[columns],
        cost=moved.cost[columns],
    )  # fmt: skip


def _rows(model: Model) -> list[Key]:
    return [(*_name(row), side) for row, side in model.rows]


def _columns(model: Model) -> list[Key]:
    return [_name(column) for column in model.columns]


def _name(part: Any) -> Key:
    owner = part.parent_component()
    return owner.parent_block().index(), owner.local_name, part.index()


def _matched(wanted: list[Key], given: list[Key]) -> Indices | None:
    """Return where each of the wanted stands in the given; None where one does not."""
    place = {key: i for i, key in enumerate(given)}
    if len(place) < len(given) or not all(key in place for key in wanted):
        return None
    return np.array([place[key] for key in wanted], dtype=np.int64)


def value_at(scenario: Scenario, path: Path) -> Any:
    """Return the value at a path below `components`."""
    return paths.value_at(scenario.components, path)


def with_value(scenario: Scenario, path: Path, value: Any) -> Scenario:
    """Return the scenario with the value at a path changed, unchecked."""
    components = paths.with_value(scenario.components, path, value)
    return scenario.model_copy(update={"components": components})


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
