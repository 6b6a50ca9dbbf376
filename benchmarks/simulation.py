"""What forecasts are worth at huainan: days of July, planned by every policy, run on the actuals.

The forecasts are those of scenarios/huainan, drawn around the actuals; its series reach the whole
of 2026, and the days begin with 15 July. Windows of 24 h are too short for the coal unit: a start
does not pay within them, so that planning on wrong forecasts may beat perfect foresight. Prints the
table and the processor time of each policy; the folder makes it resumable.

    python benchmarks/simulation.py --days 30 --out /tmp/huainan_30
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import planner
from planner.studies.policy import POLICIES

HUAINAN = Path(__file__).parent.parent / "scenarios" / "huainan"


def main() -> None:
    """Simulate policy by policy, so that each has its time; then the table of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--window-h", type=float, default=48)
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), choices=POLICIES)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    changes = {"horizon.hours": 24 * given.days, "solver.gap": given.gap}
    scenario = planner.load(HUAINAN, changes)
    for last in range(1, len(given.policies) + 1):
        began = time.process_time()
        found = planner.simulate(
            scenario, given.out, window_h=given.window_h, members=given.members, seed=given.seed,
            policies=given.policies[:last],
        )  # fmt: skip
        print(f"{given.policies[last - 1]}: {time.process_time() - began:.0f} s", flush=True)
    print(found.table.set_index("policy").T.to_string())
    print(f"LP bound {found.bound_cny:,.0f} CNY" if found.bound_cny else "no LP bound")


if __name__ == "__main__":
    main()
