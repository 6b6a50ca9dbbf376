"""What a proven gap costs over a week, a month, a quarter and a year: time, memory and gap.

Why: windows cost the same wherever they lie, so that time should grow with the horizon; only the
program and the last LP hold all of it. Each case is a run of `planner year` with its own processes.
Wall-clock and processor seconds (all processes), the peak of the memory of all processes together
(resident, sampled ten times a second), and both gaps:

    python benchmarks/year.py scenarios/huainan --hours 168 744 2160 8760 --gap 1e-3
    python benchmarks/year.py scenarios/huainan_year

The horizon begins on 1 January of the scenario's year. Seconds depend on the machine and on what
else it does; the load is shown.
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

ROOT = Path(__file__).parent.parent
HOURS = (168, 744, 2160, 8760)
EVERY_S = 0.1
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


def resident_mb(group: int) -> float:
    """Return the resident memory of all processes of a session."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == group:
                total += int((stat.parent / "statm").read_text().split()[1]) * PAGE_MB
        except (OSError, ValueError, IndexError):
            continue  # it has ended
    return total


def measure(scenario: Path, hours: int, gap: float, changes: list[str], workers: int) -> None:
    """Print a row of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "plan"
        start = f"horizon.start={year_of(scenario)}-01-01T00:00:00+08:00"
        command = [
            sys.executable, "-m", "planner", "year", str(scenario), "--hours", str(hours),
            "--gap", str(gap), "--workers", str(workers), "--out", str(folder), "--quiet",
            *(part for change in [start, *changes] for part in ("--set", change)),
        ]  # fmt: skip
        before, began, peak_mb = usage_s(), time.perf_counter(), 0.0
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        while process.poll() is None:
            peak_mb = max(peak_mb, resident_mb(process.pid))
            time.sleep(EVERY_S)
        wall_s = time.perf_counter() - began
        if process.returncode:
            raise SystemExit(f"planner year ended with {process.returncode}")
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    print(
        f"| {hours} h, {gap:g} | {wall_s:.0f} | {usage_s() - before:.0f} | {peak_mb:.0f}"
        f" | {summary['objective_cny']:,.0f} | {summary['bound_cny']:,.0f}"
        f" | {summary['gap']:.2e} | {summary['gap_of_profit']:.2e} | {summary['status']} |",
        flush=True,
    )


def year_of(scenario: Path) -> int:
    """Return the year in which a scenario begins."""
    sys.path.insert(0, str(ROOT))
    import planner

    return int(planner.load(scenario).horizon.start.year)


def usage_s() -> float:
    """Return the processor seconds of ended child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a row for each horizon."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--hours", type=int, nargs="+", default=HOURS)
    parser.add_argument("--gap", type=float, nargs="+", default=[1e-3])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], dest="changes")
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    print("| horizon, gap | wall s | processor s | peak MB | profit CNY | bound CNY | gap"
          " | of profit | status |")  # fmt: skip
    print("| --- " * 9 + "|")
    for hours in arguments.hours:
        for gap in arguments.gap:
            measure(arguments.scenario, hours, gap, arguments.changes, arguments.workers)


if __name__ == "__main__":
    main()
