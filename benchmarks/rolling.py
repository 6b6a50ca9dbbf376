"""A week, a month and a quarter of one scenario in windows: time and memory of each phase.

Why: a window costs the same wherever it lies, so that the time of the windows should grow with the
horizon and their memory should not. The relaxation before them and the settlement after them hold
the whole horizon once. Every phase runs in a process of its own, so that its peak is its own:

    bound     LP relaxation of the whole horizon
    windows   every window, with what the relaxation lets it count on
    settle    settlement, audit and plan folder of the whole
    all       the three in one process, as `planner roll` does (only with --all)

    python benchmarks/rolling.py scenarios/huainan --hours 168 744

The month and the quarter begin on 1 July of the scenario's year, the week on its 15th. Processor
time counts all threads. Seconds depend on the machine and on what else it does; the load is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

HOURS = (168, 744, 2208)
WINDOW_H, ADVANCE_H = 48, 24
PHASES = ("bound", "windows", "settle")


def work(scenario: Path, hours: int, phase: str, folder: Path, gap: float) -> dict[str, Any]:
    """Run a phase; what the phases before it left lies beside the folder."""
    import planner
    from planner.studies import chain as engine
    from planner.studies import roll

    day = 15 if hours <= 168 else 1
    start = planner.load(scenario).horizon.start.replace(month=7, day=day, hour=0, minute=0)
    changes = {
        "horizon.hours": hours, "horizon.start": start.isoformat(), "solver.gap": gap,
        "solver.time_limit_s": 3600.0,
    }  # fmt: skip
    site = planner.load(scenario, changes)
    key = roll.run_key(site, WINDOW_H, ADVANCE_H, bound=True)
    found: dict[str, Any] = {}
    before, clock = time.process_time(), time.perf_counter()
    if phase != "settle":
        with roll.finished_windows(folder, key, fresh=False) as records:
            found["bound_cny"], lookahead = roll.recorded_relaxation(site, records)
            if phase == "windows":
                cuts = roll.overlapping(site.horizon, WINDOW_H, ADVANCE_H)
                chain = roll.windows_chain(site, cuts, lookahead, key)
                engine.run([chain], records)
                found = roll.window_facts(chain)
    else:
        summary = planner.roll(site, WINDOW_H, ADVANCE_H, folder).summary
        found = {name: summary[name] for name in ("objective_cny", "bound_cny", "gap")}
    return found | {
        "wall_s": time.perf_counter() - clock,
        "cpu_s": time.process_time() - before,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Print a row for each phase of each horizon."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--hours", type=int, nargs="+", default=HOURS)
    parser.add_argument("--gap", type=float, default=5e-3)
    parser.add_argument("--all", action="store_true", help="all phases in one process too")
    parser.add_argument("--phase", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase:
        found = work(given.scenario, given.hours[0], given.phase, given.folder, given.gap)
        print(json.dumps(found))
        return
    print("| hours | phase | wall s | processor s | peak MB | load |", flush=True)
    print("| ---: | --- | ---: | ---: | ---: | ---: |", flush=True)
    for hours in given.hours:
        with tempfile.TemporaryDirectory() as above:
            for phase in (*PHASES, "all") if given.all else PHASES:
                folder = Path(above) / ("whole" if phase == "all" else "plan")
                line = [sys.executable, __file__, str(given.scenario), "--hours", str(hours)]
                line += ["--gap", str(given.gap), "--phase", phase, "--folder", str(folder)]
                done = subprocess.run(line, check=True, capture_output=True, text=True)
                row = json.loads(done.stdout)
                said = " | ".join(f"{row.pop(n):.1f}" for n in ("wall_s", "cpu_s", "peak_mb"))
                print(f"| {hours} | {phase} | {said} | {os.getloadavg()[0]:.1f} |", flush=True)
                print(f"  {row}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
