"""What the rules cost in time: huainan without them, with each, and with all of them.

Every rule is set so that it binds or is at work; the gap is the scenario's, 1e-3 of turnover.
Seconds are processor time of `optimise` (relaxation, search, settling, tidying) in one process;
other work on the machine disturbs it less than the clock.

    python benchmarks/rules.py --hours 168 --seeds 0 1 2
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import planner
from planner.solver.compiler import program_of
from planner.solver.rounds import optimise

HUAINAN = Path(__file__).parent.parent / "scenarios" / "huainan"
LIMIT_S = 300.0


def base(hours: int) -> dict[str, Any]:
    """Return the changes common to all cases."""
    return {"horizon.hours": hours, "solver.time_limit_s": LIMIT_S}


def rules(hours: int) -> dict[str, dict[str, Any]]:
    """Return the rules by name, as changes; the year has used up its export so far."""
    year = {"available_mwh": 740_000, "used_mwh": 450_000, "load_mwh": 1_400_000,
            "load_renewable_mwh": 425_000, "exported_mwh": 148_000}  # fmt: skip
    return {
        "green_rule": {
            "components.direct_supply": {
                "kind": "green_rule", "min_self_use_share": 0.6, "min_load_share": 0.3,
                "max_export_share": 0.2, "so_far": year,
            }
        },
        "carbon price": {
            "components.market": {
                "kind": "carbon", "price_cny_per_tco2": 95, "price_imports": True
            }
        },
        "exchange limits": {
            "components.grid.ramp_mw_per_h": 120,
            "components.grid.response": [
                {"hours": ["18-20"], "baseline_mw": 80, "reward_cny_per_mwh": 800, "max_mw": 60}
            ],
        },
        "served share": {
            "components.chat.min_served_share": 0.98,
            "components.assistant.min_served_share": 0.9,
        },
        "jobs": {
            f"components.tuning_{i}": {
                "kind": "job", "fleet": "b200", "nodes": 600, "node_kw": 9, "duration_h": 8,
                "release_h": 6 * i, "deadline_h": hours - 2 * i, "value_cny": 60_000,
                "mandatory": i == 0,
            }
            for i in range(3)
        },
        "carbon budget": {
            # about nine tenths of what the plan would emit without it
            "components.cap": {"kind": "carbon", "budget_tco2": 130.0 * hours}
        },
    }  # fmt: skip


def timed(hours: int, changes: dict[str, Any], seed: int) -> tuple[float, float, str]:
    """Return processor seconds, the gap and the status of one solve."""
    scenario = planner.load(HUAINAN, base(hours) | {"solver.seed": seed} | changes)
    program = program_of(scenario)
    began = time.process_time()
    found = optimise(program, scenario.solver)
    taken = time.process_time() - began
    short = float(program.cost @ found.x + program.offset) - found.bound
    return taken, short / program.turnover(found.x), found.status


def main() -> None:
    """Print a table: seconds by seed, their median, and the worst gap."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=int, default=168)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--only", nargs="*", help="cases to run")
    given = parser.parse_args()
    found = rules(given.hours)
    every = {path: value for changes in found.values() for path, value in changes.items()}
    cases = {"none": {}} | found | {"all": every}
    print("| rules | seconds by seed | median | worst gap | status |")
    print("| --- | --- | ---: | ---: | --- |", flush=True)
    for name, changes in cases.items():
        if given.only and name not in given.only:
            continue
        runs = [timed(given.hours, changes, seed) for seed in given.seeds]
        seconds = ", ".join(f"{taken:.1f}" for taken, _, _ in runs)
        median = statistics.median(taken for taken, _, _ in runs)
        worst = max(gap for _, gap, _ in runs)
        states = ", ".join(sorted({status for _, _, status in runs}))
        print(f"| {name} | {seconds} | {median:.1f} | {worst:.1e} | {states} |", flush=True)


if __name__ == "__main__":
    main()
