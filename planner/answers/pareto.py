"""The Pareto front of two outputs: the cases that no other case beats in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.answers.cases import numbers
from planner.errors import Problem, ScenarioError

DIRECTIONS = ("max", "min")


def pareto(cases: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of `cases` on the front, the best in the first output first.

    A case is on the front unless another one is at least as good in both outputs and better in one;
    of cases that are equal in both, all are. Cases without a plan are not on it.

    Args:
        cases: the table of cases.
        wanted: two outputs and their directions, such as
            {"objective_cny": "max", "carbon.emission_tco2": "min"}.

    Raises:
        ScenarioError: not two outputs, an unknown direction or an unknown column.
    """
    if len(wanted) != 2:
        raise ScenarioError([Problem(f"needs two outputs, has {len(wanted)}", path="Pareto front")])
    signs: list[Any] = []
    for output, direction in wanted.items():
        if direction not in DIRECTIONS:
            said = f"must be max or min, is {direction!r}"
            raise ScenarioError([Problem(said, output, "Pareto front")])
        signs.append(1.0 if direction == "max" else -1.0)
    better = pd.concat([numbers(cases, name) for name in wanted], axis=1) * signs
    better.columns = pd.Index(["first", "second"])
    ranked = better.dropna().sort_values(["first", "second"], ascending=False, kind="stable")
    second = ranked["second"].to_numpy()
    # A row is beaten by the best second output among the rows whose first output is larger, or by
    # a row of the same first output that stands before it.
    before = np.concatenate([[-np.inf], np.maximum.accumulate(second)])[: len(second)]
    twin = ranked.duplicated(["first", "second"], keep="first").to_numpy()
    front = np.asarray(second > before)
    for row in np.flatnonzero(twin):
        front[row] = front[row - 1]
    return cases.loc[ranked.index[front]]
