"""The work where the gap of a year sits: two windows become one, with a bound and a plan anew."""

from __future__ import annotations

import numpy as np

from planner.solver.windows import WindowProgram
from planner.studies.year_search import FIRST_SHARE, LEAST_GAP, YearSearch
from planner.studies.year_task import WindowJob
from planner.timeseries.horizon import Window

FINER = 0.4  # of the gap of a window searched further
LEAST_PROGRESS = 0.02  # of the gap, by which a refinement has to narrow it
WORST = 0.7  # of the excess over the bounds, which the windows refined at once hold at most
LEFT = 0.5  # of the excess allowed, which may stay in the other windows


def refine(search: YearSearch) -> bool:
    """Narrow the gap where it is widest; return whether that gained.

    The windows that became one are planned anew where that is still to gain.
    """
    assert search.plan is not None
    before = search.plan.value - search.bound
    if len(search.cuts) == 1:
        search.plan_as_one()
        return False
    merged = _merge_worst(search)
    search.bound_each(merged)
    if not search.is_proven():
        costly = search.costly()
        _plan_anew(search, [window for window in merged if window in costly])
    return before - (search.plan.value - search.bound) > LEAST_PROGRESS * before


def _merge_worst(search: YearSearch) -> list[Window]:
    """Make one window of two neighbours where the plan costs most above their bounds."""
    assert search.plan is not None
    excess = search.excess(search.plan.x)
    total, of_pairs = float(excess.sum()), excess[:-1] + excess[1:]
    left = min(WORST * total, total - LEFT * search.allowed)
    taken: set[int] = set()
    for n in np.argsort(-of_pairs, kind="stable").tolist():
        if left <= 0:
            break
        if not {n, n + 1} & taken and not {n - 1, n + 2} & taken:
            taken |= {n, n + 1}
            left -= of_pairs[n]
    firsts = [n for n in sorted(taken) if n + 1 in taken and n - 1 not in taken]
    merged = []
    for n in reversed(firsts):
        window = Window(search.cuts[n].first, search.cuts[n + 1].last)
        search.cuts[n : n + 2] = [window]
        search.bounds[n] += search.bounds[n + 1]
        search.gaps[n] = max(FINER * min(search.gaps[n : n + 2]), LEAST_GAP)
        search.bounds, search.gaps = (np.delete(of, n + 1) for of in (search.bounds, search.gaps))
        merged.append(window)
    return merged[::-1]


def _plan_anew(search: YearSearch, windows: list[Window]) -> None:
    """Plan windows anew, a day longer on both sides.

    All else stays as planned, and the rules have the prices that they have there.
    """
    assert search.plan is not None
    x, prices = search.plan.x, search.plan.duals.rows

    def between(window: Window) -> WindowProgram:
        return search.windows.between(search.around(window), x, prices)

    gap = max(FINER * FIRST_SHARE * search.gap, LEAST_GAP)
    search.points = x.copy()
    jobs = [WindowJob("refinement", window, between, gap) for window in windows]
    for job, part, result in search.work(jobs):
        search.take(search.around(job.window), part, result.arrays["x"])
    search.plan_year()
