"""Directions that become binary only where a plan overlaps: the optimum is that of all binaries."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from planner.solver.program import OVERLAP_MW, Program
from planner.solver.rounds import optimise
from planner.solver.solution import Solution
from tests.support.exclusivity import program, with_every_binary

HOURS = 12
FEW = range(4)


@functools.cache
def found_lazily(seed: int) -> tuple[Program, Solution]:
    lazy = program(seed, HOURS)
    return lazy, optimise(lazy, lazy.scenario.solver)


def check(seed: int) -> None:
    """Compare both ways of solving."""
    lazy, by_rounds = found_lazily(seed)
    full = optimise(with_every_binary(lazy), lazy.scenario.solver)
    worth = [-float(lazy.cost @ solution.x + lazy.offset) for solution in (by_rounds, full)]
    assert by_rounds.status == full.status == "optimal"
    assert worth[0] == pytest.approx(worth[1], abs=1e-6 * lazy.turnover(full.x) + 1e-3)
    values = lazy.values(by_rounds.x)
    both = np.minimum(values[lazy.first_flow], values[lazy.second_flow])
    assert both.max() <= OVERLAP_MW


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", FEW)
def test_binaries_where_needed_find_the_optimum_of_all_binaries(seed: int):
    check(seed)


def test_the_sites_do_tempt():
    """Else the comparison would be one of two equal programs."""
    assert max(found_lazily(seed)[1].rounds for seed in FEW) > 1


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_two_hundred_sites_have_the_same_optimum_with_all_binaries(block: int):
    for seed in range(20 * block, 20 * block + 20):
        check(seed)
