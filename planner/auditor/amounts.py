"""The tables with an amount in each row: MWh by origin and use, CNY by component and line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from planner.auditor.findings import Array, Whole
from planner.auditor.plan_files import ALLOCATION, Clock, Files, as_times

Pair = tuple[str, str]


@dataclass(frozen=True)
class Amounts:
    """The amounts of a table, and the rows of each pair.

    rows: those of every pair, such as origin and use.
    steps: that of every row, from 0 on; -1 for a row of no step of the horizon.
    count: the steps of the horizon.
    """

    amounts: Array
    rows: dict[Pair, Whole]
    steps: Whole
    count: int

    @cached_property
    def totals(self) -> dict[Pair, float]:
        """The sum of every pair."""
        return {pair: float(self.amounts[rows].sum()) for pair, rows in self.rows.items()}

    @cached_property
    def by_step(self) -> dict[Pair, Array]:
        """The sums of every pair by step, without the rows of no step."""
        amounts, steps = np.where(self.steps < 0, 0.0, self.amounts), np.maximum(self.steps, 0)
        return {
            pair: np.asarray(np.bincount(steps[rows], amounts[rows], self.count), dtype=float)
            for pair, rows in self.rows.items()
        }


def ledger_of(files: Files, clock: Clock) -> Amounts:
    """Return the amounts of the ledger by component and line."""
    table, step_of = files.ledger, {stamp: step for step, stamp in enumerate(clock.stamps)}
    steps = [step_of.get(period, -1) for period in table["period"].tolist()]
    rows = groups(table, "component", "line")
    amounts = table["amount_cny"].to_numpy(float)
    return Amounts(amounts, rows, np.array(steps, dtype=np.int64), clock.steps)


def allocation_of(files: Files, clock: Clock) -> Amounts:
    """Return the energy of the allocation by origin and use.

    Raises:
        PlanError: a time cannot be read.
    """
    table = files.allocation
    texts, distinct = pd.factorize(table["time"].to_numpy())
    steps = clock.index.get_indexer(as_times(distinct, files.folder / ALLOCATION))
    rows = groups(table, "origin", "use")
    return Amounts(table["mwh"].to_numpy(float), rows, np.asarray(steps)[texts], clock.steps)


def groups(table: pd.DataFrame, first: str, second: str) -> dict[Pair, Whole]:
    """Return the row numbers of every pair of values of two columns, in order of appearance."""
    if table.empty:
        return {}
    (a, a_values), (b, b_values) = (
        pd.factorize(table[column].to_numpy()) for column in (first, second)
    )
    pair = a * len(b_values) + b
    rows = np.argsort(pair, kind="stable")
    parts = np.split(rows, np.flatnonzero(np.diff(pair[rows])) + 1)
    parts.sort(key=lambda part: int(part[0]))
    return {(a_values[a[part[0]]], b_values[b[part[0]]]): part for part in parts}
