"""Directions that become binary only where a plan overlaps: the optimum is that of all binaries."""

from __future__ import annotations

import numpy as np
import pytest

from planner.studies.single import OVERLAP_MW, optimise
from tests.exclusivity import program, with_every_binary

HOURS = 12
FEW = range(8)


def check(seed: int) -> int:
    """Compare both ways of solving; return how many rounds the directions took."""
    lazy = program(seed, HOURS)
    settings = lazy.scenario.solver
    found = optimise(lazy, settings)
    full = optimise(with_every_binary(lazy), settings)
    worth = [-float(lazy.cost @ solution.x + lazy.offset) for solution in (found, full)]
    assert found.status == full.status == "optimal"
    assert worth[0] == pytest.approx(worth[1], abs=1e-6 * lazy.turnover(full.x) + 1e-3)
    values = lazy.values(found.x)
    both = np.minimum(values[lazy.first_flow], values[lazy.second_flow])
    assert both.max() <= OVERLAP_MW
    return found.rounds


@pytest.mark.parametrize("seed", FEW)
def test_binaries_where_needed_find_the_optimum_of_all_binaries(seed: int):
    check(seed)


def test_the_sites_do_tempt():
    """Else the comparison would be one of two equal programs."""
    rounds = [optimise(one := program(seed, HOURS), one.scenario.solver).rounds for seed in FEW]
    assert max(rounds) > 1


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_two_hundred_sites_have_the_same_optimum_with_all_binaries(block: int):
    for seed in range(20 * block, 20 * block + 20):
        check(seed)
