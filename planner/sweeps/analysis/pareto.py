"""Which cases are best: the ranking by one output, and the Pareto front of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import wrong
from planner.message import Message
from planner.sweeps.analysis.case_table import OUTPUT, Analysis, numbers

DIRECTIONS = ("max", "min")


@dataclass(frozen=True, eq=False, kw_only=True)
class Front(Analysis):
    """The cases that no other case beats in both of two outputs; directions: max or min of each."""

    directions: dict[str, str]

    def plain(self) -> Any:
        """Return the directions and the numbers of the cases."""
        return {"directions": self.directions, "cases": self.table["case"].tolist()}


def ranking(
    cases: pd.DataFrame, output: str = OUTPUT, *, smallest_first: bool = False
) -> pd.DataFrame:
    """Return every case, the largest output first, or the smallest on request.

    Cases without the output come last and keep their status.

    Raises:
        ScenarioError: an unknown output.
    """
    values = numbers(cases, output)
    order = values.sort_values(ascending=smallest_first, kind="stable", na_position="last").index
    return cases.loc[order]


def pareto(cases: pd.DataFrame, directions: Mapping[str, str]) -> Front:
    """Return the rows of `cases` on the front, the best in the first output first.

    A case is on the front unless another one is at least as good in both outputs and better in one;
    cases that are equal in both are on it together. Cases without a plan are not on it.

    Args:
        cases: the table of cases.
        directions: two outputs and the direction of each, such as
            {"objective_cny": "max", "carbon.emission_tco2": "min"}.

    Raises:
        ScenarioError: not two outputs, an unknown direction or an unknown column.
    """
    if len(directions) != 2:
        raise wrong("", Message("needs two outputs, has {n}", n=len(directions)))
    for output, direction in directions.items():
        if direction not in DIRECTIONS:
            raise wrong(output, Message("must be max or min, is {name!r}", name=direction))
    signs = [1.0 if direction == "max" else -1.0 for direction in directions.values()]
    better = pd.concat([numbers(cases, name) for name in directions], axis=1) * signs
    better.columns = pd.Index(["first", "second"])
    ranked = better.dropna().sort_values(["first", "second"], ascending=False, kind="stable")
    second = ranked["second"].to_numpy()
    # A row is beaten by the best second output among the rows with a larger first output, or among
    # those before it with the same first output.
    before = np.concatenate([[-np.inf], np.maximum.accumulate(second)])[: len(second)]
    twin = ranked.duplicated(["first", "second"], keep="first").to_numpy()
    front = np.asarray(second > before)
    for row in np.flatnonzero(twin):
        front[row] = front[row - 1]
    return Front(
        table=cases.loc[ranked.index[front]],
        directions=dict(directions),
        columns=("case", *directions),
    )
