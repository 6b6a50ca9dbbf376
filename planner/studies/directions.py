"""Which way the two-way flows of a point go, and where they go both ways at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.program import Program
from planner.series import Array

OVERLAP_MW = 1e-6


def directions(program: Program, x: Array) -> Array:
    """Return 0 or 1 for every switch: the way the larger of its flows goes, or as it stands."""
    values = program.values(x)
    first, second = values[program.first_flow], values[program.second_flow]
    idle = np.maximum(first, second) <= OVERLAP_MW
    return np.where(idle, np.round(x[program.switches]), first > second)


def overlaps(program: Program, x: Array | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the switches whose flows go both ways at once."""
    if x is None:
        return np.zeros(len(program.switches), dtype=bool)
    values = program.values(x)
    both = np.minimum(values[program.first_flow], values[program.second_flow])
    return np.asarray(both > OVERLAP_MW)
