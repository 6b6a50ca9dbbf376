"""A solution of a program."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.solver.origins import Ranges
from planner.solver.program import Duals
from planner.timeseries.series import Array


@dataclass
class Solution:
    """A feasible point of a program, its status and the proven bound.

    status: optimal, time_limit, interrupted or relaxed; of a year also work_limit.
    settled: whether an LP found it, with its integers and directions fixed.
    rounds: solves until no exclusive flows overlapped.
    duals: of the LP with its integers and directions fixed, in a relaxed scenario of the
        relaxation; None where that LP has no optimum.
    tidied: whether the tidiest plan of the same profit was chosen.
    ranges: as of `attribute`; None where energy is pooled, its origins are given, or no LP
        attributed it.
    """

    x: Array
    status: str
    bound: float
    settled: bool = False
    rounds: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    duals: Duals | None = None
    tidied: bool = False
    ranges: Ranges | None = None
