"""Numbers of a long table by two of its columns of text, such as MWh by origin and use."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from planner.series import Array


def by_pair(table: pd.DataFrame, first: str, second: str, of: str) -> dict[tuple[str, str], Array]:
    """Return the numbers of every pair in the order of the rows; pairs as they first appear."""
    rows, row_names = pd.factorize(table[first])
    columns, column_names = pd.factorize(table[second])
    pair = rows * len(column_names) + columns
    found, at, count = np.unique(pair, return_index=True, return_counts=True)
    numbers = table[of].to_numpy()[np.argsort(pair, kind="stable")]
    parts = np.split(numbers, np.cumsum(count)[:-1])
    keys = [(str(row_names[p // len(column_names)]), str(column_names[p % len(column_names)]))
            for p in found.tolist()]  # fmt: skip
    return {keys[i]: parts[i] for i in np.argsort(at).tolist()}


def sums_by_pair(
    table: pd.DataFrame, first: str, second: str, of: str
) -> dict[tuple[str, str], float]:
    """Return the sum of every pair, exact before it is rounded; pairs as they first appear."""
    return {key: math.fsum(part) for key, part in by_pair(table, first, second, of).items()}
