"""Which cases are best: the ranking by one output, and the Pareto front of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.sweeps.analysis.case_table import OUTPUT, Analysis, direction, numbers


@dataclass(frozen=True, eq=False, kw_only=True)
class Front(Analysis):
    """The cases that no other case beats in both of two outputs; directions: max or min of each."""

    directions: dict[str, str]

    def plain(self) -> Any:
        """Return the directions and the numbers of the cases."""
        return {"directions": self.directions, "cases": self.table["case"].tolist()}


def ranking(cases: pd.DataFrame, output: str = OUTPUT) -> pd.DataFrame:
    """Return every case, the best output by its `direction` first.

    Cases without the output come last and keep their status.

    Raises:
        ScenarioError: an unknown output.
    """
    smallest_first = direction(output) == "min"
    order = numbers(cases, output).sort_values(ascending=smallest_first, kind="stable").index
    return cases.loc[order]


def pareto(cases: pd.DataFrame, directions: Mapping[str, str]) -> Front:
    """Return the rows of `cases` on the front, the best in the first output first.

    A case is on the front unless another one is at least as good in both outputs and better in one;
    cases that are equal in both are on it together. Cases without a plan are not on it.

    `directions` holds two outputs, such as {"objective_cny": "max", "carbon.emission_tco2": "min"}.

    Raises:
        ScenarioError: an unknown column.
    """
    signs = [1.0 if way == "max" else -1.0 for way in directions.values()]
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
