"""Programs of a few rows and columns, written out as arrays."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from planner.solver.program import Program
from planner.timeseries.horizon import Window


def program(
    cost: list[float], rows: list[tuple[list[float], float, float]], upper: list[float],
    integer: list[int] | None = None,
) -> Program:  # fmt: skip
    """A program over columns of 0..upper; rows are (coefficients, lower, upper)."""
    width = len(cost)
    none = np.array([], dtype=np.int64)
    return Program(
        scenario=None,  # type: ignore[arg-type]  # not needed to solve
        window=Window(1, 1),
        matrix=sparse.csc_array(np.array([row for row, _, _ in rows], dtype=float)),
        row_lower=np.array([low for _, low, _ in rows]),
        row_upper=np.array([high for _, _, high in rows]),
        column_lower=np.zeros(width),
        column_upper=np.array(upper, dtype=float),
        integer=np.isin(np.arange(width), integer or []),
        cost=np.array(cost, dtype=float),
        offset=0.0,
        switches=none, first_flow=none, second_flow=none,
        reports=sparse.csr_array((0, width)), report_offset=np.array([]),
        ledger_rows=none, moves=(), costs=(), uses={}, injected={},
        row_steps=np.zeros(len(rows), dtype=np.int64),
        column_steps=np.zeros(width, dtype=np.int64),
        schedule={}, schedule_rows={},
        row_families=np.zeros(len(rows), dtype=np.int64), families={}, balances={},
        column_families=np.zeros(width, dtype=np.int64), variable_families=(), pairs=(),
    )  # fmt: skip
