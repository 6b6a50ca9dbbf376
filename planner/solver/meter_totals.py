"""Sums of schedule columns, as meters know them: accepted wherever a schedule is read.

A quantity without its index is the sum over it, such as `battery.energy_mwh` over origins. The
totals of a kind (`Component.totals`) add quantities up with a factor, such as `battery.power_mw`,
discharge less charge. They are never columns of a plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from planner.components.component import ORIGINS, Component
from planner.solver.program import Indices, Program
from planner.timeseries.series import Array


@dataclass(frozen=True)
class Sum:
    """A sum of schedule columns: column -> factor."""

    factors: Mapping[str, float]

    def of(self, schedule: pd.DataFrame) -> pd.Series[float]:
        """Return the sum in a schedule that has its columns, by step."""
        return schedule[list(self.factors)] @ pd.Series(self.factors)

    def rows(self, program: Program, places: Indices) -> tuple[sparse.csr_array, Array]:
        """Return the sum at some places of the window: rows over the columns, and constants."""
        width = program.matrix.shape[1]
        rows, offset = sparse.csr_array((len(places), width)), np.zeros(len(places))
        for name, factor in self.factors.items():
            if name in program.schedule_rows:
                reports = program.schedule_rows[name][places]
                rows += factor * program.reports[reports]
                offset += factor * program.report_offset[reports]
                continue
            index, constant = program.schedule[name]
            column = index[places]
            which = np.flatnonzero(column >= 0)
            entries = np.full(len(which), factor), (which, column[which])
            rows += sparse.csr_array(entries, shape=(len(places), width))
            offset += factor * np.where(column >= 0, 0.0, constant[places])
        return sparse.csr_array(rows), offset


def sums_of(program: Program) -> dict[str, Sum]:
    """Return the sums that a schedule of a program may have as columns, by name."""
    names = (*program.schedule, *program.schedule_rows)
    return schedule_sums(names, program.scenario.components)


def schedule_sums(columns: Iterable[str], components: Mapping[str, Component]) -> dict[str, Sum]:
    """Return the sums of the columns of a schedule, by name; none that is a column itself."""
    parts: dict[str, list[str]] = {}
    names = dict.fromkeys(columns)
    for name in names:
        parts.setdefault(name.partition("[")[0], []).append(name)
    sums = {name: Sum(dict.fromkeys(of, 1.0)) for name, of in parts.items() if name not in names}
    for component, part in components.items():
        for total, factors in part.totals().items():
            summed = {
                column: factor
                for quantity, factor in factors.items()
                for column in parts.get(f"{component}.{quantity}", ())
            }
            if summed and f"{component}.{total}" not in names:
                sums[f"{component}.{total}"] = Sum(summed)
    return sums


def meter_of(column: str) -> str:
    """Return a schedule column without the origin of its energy."""
    head, bracket, index = column.removesuffix("]").partition("[")
    *outer, last = index.split("|")
    if not bracket or last not in ORIGINS:
        return column
    return f"{head}[{'|'.join(outer)}]"


def origins_left_open(program: Program, given: Collection[str]) -> list[str]:
    """Return the sums among the given columns whose columns by origin are not all given too."""
    return [
        name
        for name, total in sums_of(program).items()
        if name in given
        and any(column not in given and column != meter_of(column) for column in total.factors)
    ]
