"""An output over two axes of a grid: the table behind a heat map and its contours.

Every other axis stands at one value. A place without a plan stays empty and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Problem, ScenarioError
from planner.sweeps.analysis.case_table import (
    OUTPUT,
    demand_columns,
    equal,
    is_number,
    levels,
    numbers,
)


@dataclass(frozen=True, eq=False)
class Map:
    """An output over two axes.

    values: the output; a row for each value of `y`, a column for each of `x`, NaN without a plan.
    statuses: the status of the case there, the same shape; empty where no case was run.
    at: the value at which every other axis stands.
    missing: how many places have no value.
    """

    x: str
    y: str
    output: str
    values: pd.DataFrame
    statuses: pd.DataFrame
    at: dict[str, Any]
    missing: int

    @property
    def numeric(self) -> bool:
        """Whether both axes hold numbers, so that contours make sense."""
        return all(is_number(v) for v in [*self.values.index, *self.values.columns])


def grid_map(
    cases: pd.DataFrame,
    axes: Sequence[str],
    x: str,
    y: str,
    output: str = OUTPUT,
    at: Mapping[str, Any] | None = None,
) -> Map:
    """Return an output over the axes `x` and `y`.

    Args:
        cases: the table of cases.
        axes: the columns that are axes.
        x: the axis across.
        y: the axis upwards.
        output: the column to show.
        at: values of the other axes; where not given, the middle one of those tried.

    Raises:
        ScenarioError: an unknown column, x and y the same, or several cases in one place.
    """
    demand_columns(cases, [*axes, x, y], "axes")
    if x == y:
        raise ScenarioError([Problem("the two axes must differ", x, "map")])
    values = numbers(cases, output)
    held: dict[str, Any] = {}
    here = pd.Series(True, index=cases.index)
    for axis in axes:
        if axis not in (x, y):
            tried = levels(cases[axis])
            held[axis] = at[axis] if at and axis in at else tried[(len(tried) - 1) // 2]
            here &= equal(cases[axis], held[axis])
    part = cases[here]
    across, up = levels(part[x]), levels(part[y])
    table = np.full((len(up), len(across)), np.nan)
    statuses = np.full(table.shape, "", dtype=object)
    row_of, column_of = _place(part[y], up), _place(part[x], across)
    for row, i, j in zip(part.index, row_of, column_of, strict=True):
        if statuses[i, j]:
            said = f"several cases stand at {x} = {across[j]}, {y} = {up[i]}"
            raise ScenarioError([Problem(said, path="map")])
        table[i, j], statuses[i, j] = values[row], str(part.at[row, "status"])
    index, columns = pd.Index(up, name=y), pd.Index(across, name=x)
    return Map(
        x, y, output, pd.DataFrame(table, index, columns), pd.DataFrame(statuses, index, columns),
        held, int(np.isnan(table).sum()),
    )  # fmt: skip


def _place(column: pd.Series, tried: Sequence[Any]) -> list[int]:
    """Return the position of every row's value among those tried."""
    places = np.zeros(len(column), dtype=int)
    for position, value in enumerate(tried):
        places[equal(column, value).to_numpy()] = position
    return [int(place) for place in places]
