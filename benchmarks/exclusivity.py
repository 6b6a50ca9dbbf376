"""Binaries for directions only where a plan overlaps, against a binary in every step.

Random sites with negative prices and sale above purchase (tests/support/exclusivity.py) tempt a
plan to charge and discharge, or to import and export, at once. Both ways of solving go through the
same code; the full one begins with every direction binary. Time is processor time, relaxation,
search, settling and tidying included. Objectives that differ by more than both gaps stop the run.

    python benchmarks/exclusivity.py --count 200 --hours 12 --gap 0
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from planner.solver.program import Program
from planner.solver.rounds import optimise
from planner.solver.solution import Solution
from tests.support.exclusivity import program, with_every_binary


def timed(one: Program) -> tuple[float, float, Solution]:
    """Return processor seconds, profit and the solution."""
    began = time.process_time()
    found = optimise(one, one.scenario.solver)
    taken = time.process_time() - began
    return taken, -float(one.cost @ found.x + one.offset), found


def main() -> None:
    """Print the totals of both ways and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--hours", type=int, default=12)
    parser.add_argument("--gap", type=float, default=0.0)
    given = parser.parse_args()
    seconds, ratios, rounds, worst = [0.0, 0.0], [], [], 0.0
    for seed in range(given.first, given.first + given.count):
        lazy = program(seed, given.hours, gap=given.gap)
        full = with_every_binary(lazy)
        ways = [(0, lazy), (1, full)]
        taken, profit = [0.0, 0.0], [0.0, 0.0]
        for way, one in ways if seed % 2 else reversed(ways):
            taken[way], profit[way], found = timed(one)
            seconds[way] += taken[way]
            if way == 0:
                rounds.append(found.rounds)
            turnover = one.turnover(found.x)
        ratios.append(taken[1] / taken[0])
        off = abs(profit[0] - profit[1]) / max(turnover, 1.0)
        worst = max(worst, off)
        if off > given.gap + 1e-6:
            raise SystemExit(f"seed {seed}: profits {profit[0]:.6f} and {profit[1]:.6f}")
    ratios.sort()
    print(
        f"{given.count} sites of {given.hours} h to gap {given.gap:g}: where needed"
        f" {seconds[0]:.1f} s, everywhere {seconds[1]:.1f} s CPU, ratio"
        f" {seconds[1] / seconds[0]:.2f} (median site {ratios[len(ratios) // 2]:.2f}, from"
        f" {ratios[0]:.2f} to {ratios[-1]:.2f}); rounds: mean {sum(rounds) / len(rounds):.2f},"
        f" most {max(rounds)}; profits differ by {worst:.1e} of turnover at most"
    )


if __name__ == "__main__":
    main()
