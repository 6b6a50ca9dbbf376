"""The case table sorted by an output; cases without it stand at the end and keep their status."""

from __future__ import annotations

import pandas as pd

from planner.answers.cases import OUTPUT, numbers


def ranking(
    cases: pd.DataFrame, output: str = OUTPUT, *, smallest_first: bool = False
) -> pd.DataFrame:
    """Return every case, the largest output first unless told otherwise.

    Raises:
        ScenarioError: an unknown output.
    """
    values = numbers(cases, output)
    order = values.sort_values(ascending=smallest_first, kind="stable", na_position="last").index
    return cases.loc[order]
