"""Which cases are best: the ranking by one output, and the Pareto front of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.components.registry import Way
from planner.sweeps.analysis.case_table import Analysis, numbers


@dataclass(frozen=True, eq=False, kw_only=True)
class Front(Analysis):
    """The cases that no other case beats in both of two outputs; ways: most or least of each."""

    ways: dict[str, Way]

    def plain(self) -> Any:
        """Return which way each output is better, and the numbers of the cases."""
        return {"better": self.ways, "cases": self.table["case"].tolist()}


def ranking(cases: pd.DataFrame, output: str, way: Way) -> pd.DataFrame:
    """Return every case, that with most or least of an output first.

    Cases without the output come last and keep their status.

    Raises:
        ScenarioError: an unknown output.
    """
    order = numbers(cases, output).sort_values(ascending=way == "least", kind="stable").index
    return cases.loc[order]


def pareto(cases: pd.DataFrame, ways: Mapping[str, Way]) -> Front:
    """Return the rows of `cases` on the front, the best in the first output first.

    A case is on the front unless another one is at least as good in both outputs and better in one;
    cases that are equal in both are on it together. Cases without a plan are not on it.

    `ways` holds two outputs, such as {"objective_cny": "most", "carbon.emission_tco2": "least"}.

    Raises:
        ScenarioError: an unknown column.
    """
    signs = [1.0 if way == "most" else -1.0 for way in ways.values()]
    better = pd.concat([numbers(cases, name) for name in ways], axis=1) * signs
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
        ways=dict(ways),
        columns=("case", *ways),
    )
