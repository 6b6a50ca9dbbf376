"""An output over two axes of a grid: the table behind a heat map and its contours.

Every other axis is fixed at one value. Places without a plan stay empty and are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planner.errors import wrong
from planner.message import Message
from planner.sweeps.analysis.case_table import (
    OUTPUT,
    Analysis,
    is_number,
    levels,
    middles,
    numbers,
    plain_row,
    plain_value,
    require_columns,
    standing_at,
)

MAX_PLACES = 10_000  # of a map; a finer one cannot be seen


@dataclass(frozen=True, eq=False, kw_only=True)
class Map(Analysis):
    """An output over two axes.

    table: the output; a row for each value of `y`, a column for each of `x`, NaN without a plan.
    statuses: the status of the case there, the same shape; empty where no case was run.
    at: the value of every other axis.
    """

    statuses: pd.DataFrame
    at: dict[str, Any]

    @property
    def x(self) -> str:
        """The axis across."""
        return str(self.table.columns.name)

    @property
    def y(self) -> str:
        """The axis upwards."""
        return str(self.table.index.name)

    @property
    def missing(self) -> int:
        """The number of places without a value."""
        return int(self.table.isna().to_numpy().sum())

    @property
    def numeric(self) -> bool:
        """Whether both axes hold numbers, so that contours make sense."""
        return all(is_number(value) for value in [*self.table.index, *self.table.columns])

    def plain(self) -> Any:
        """Return the map as plain data, row by row."""
        return {
            "x": self.x,
            "y": self.y,
            "at": plain_row(self.at),
            "x_values": [plain_value(value) for value in self.table.columns],
            "y_values": [plain_value(value) for value in self.table.index],
            "values": [[plain_value(v) for v in row] for row in self.table.to_numpy().tolist()],
            "missing": self.missing,
        }


def grid_map(
    cases: pd.DataFrame,
    axes: Sequence[str],
    x: str,
    y: str,
    output: str = OUTPUT,
) -> Map:
    """Return an output over the axes `x` and `y`, the others at their middle value.

    Raises:
        ScenarioError: an unknown column, several cases in one place, or more places than can be
            seen.
    """
    require_columns(cases, [*axes, x, y], "axes")
    fixed = middles(cases, [axis for axis in axes if axis not in (x, y)])
    values = numbers(cases, output)
    part = cases[standing_at(cases, fixed)].dropna(subset=[x, y])
    across, up = levels(part[x]), levels(part[y])
    if len(across) * len(up) > MAX_PLACES:
        raise wrong("", Message("{columns} x {rows} places are too many to be seen",
                                columns=len(across), rows=len(up)))  # fmt: skip
    twice = part[part.duplicated([x, y])]
    if len(twice):
        raise wrong("", Message(
            "several cases have {name} = {value}, {other} = {text}",
            name=x, value=twice[x].iloc[0], other=y, text=twice[y].iloc[0],
        ))  # fmt: skip
    places = pd.MultiIndex.from_frame(part[[y, x]])
    table, statuses = (
        pd.Series(column[part.index].to_numpy(), places).unstack().reindex(index=up, columns=across)
        for column in (values, cases["status"])
    )
    return Map(table=table, output=output, statuses=statuses.fillna(""), at=fixed)
