"""A week to a year of one scenario in windows: time and memory of each stage of a roll.

Why: a window costs the same wherever it lies, so that the time of the windows should grow with the
horizon and their memory should not. The relaxation before them, of a long horizon in windows too,
and the settlement after them hold the program of the whole horizon once.

    python benchmarks/rolling.py scenarios/huainan --hours 168 744
    python benchmarks/rolling.py scenarios/huainan --start 2026-01-01 --hours 8760

Each horizon has a process of its own. Peaks are those until the end of a stage. Processor time
counts all threads. Seconds depend on the machine and on what else it does; the load is shown.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

HOURS = (168, 744, 2208)


def roll(scenario: Path, start: str, hours: int, changes: list[str]) -> None:
    """Roll a horizon and print a row for each stage."""
    import planner

    fields = {"horizon.start": f"{start}T00:00:00+08:00", "horizon.hours": hours}
    site = planner.load(scenario, fields | dict(text.split("=", 1) for text in changes))
    began: dict[str, tuple[float, float]] = {}

    def show(stage: str) -> None:
        cpu_s, wall_s = (now - then for now, then in zip(clocks(), began[stage], strict=True))
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        load = os.getloadavg()[0]
        row = f"| {hours} | {stage} | {wall_s:.1f} | {cpu_s:.1f} | {peak_mb:.0f} | {load:.1f} |"
        print(row, flush=True)

    def progress(stage: str, _: int, __: int) -> None:
        if stage not in began:
            if began:
                show([*began][-1])
            began[stage] = clocks()

    try:
        summary = planner.roll(site, progress=progress).summary
    except planner.NoPlanError as error:
        summary = {"error": str(error)}
    show([*began][-1])
    names = ("objective_cny", "bound_cny", "gap", "gap_of_profit", "error")
    print("  ", {name: summary[name] for name in names if name in summary}, flush=True)


def clocks() -> tuple[float, float]:
    """Return processor and wall seconds."""
    return time.process_time(), time.perf_counter()


def main() -> None:
    """Print a row for each stage of each horizon."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--hours", type=int, nargs="+", default=HOURS)
    parser.add_argument("--start", default="2026-07-01", help="the first day")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        roll(given.scenario, given.start, given.hours[0], given.set)
        return
    print("| hours | stage | wall s | processor s | peak MB | load |", flush=True)
    print("| ---: | --- | ---: | ---: | ---: | ---: |", flush=True)
    for hours in given.hours:
        line = [sys.executable, __file__, str(given.scenario), "--alone", "--hours", str(hours)]
        line += ["--start", given.start, *(f"--set={text}" for text in given.set)]
        subprocess.run(line, check=True)


if __name__ == "__main__":
    main()
