"""What a plan folder costs to write: tables, page and workbook, in processor seconds and memory.

Why: a year's plan has a million numbers and two hundred thousand amounts, and whoever solves it in
a minute does not wait half a minute for a workbook. The audit and the reading of the folder stand
beside, because every folder that is published is audited first.

    python benchmarks/writing.py plans/huainan

The plan is read from the folder; --scenario SCENARIO solves the LP relaxation of the calendar year
first and writes it to the folder. Each part is the least of several runs in processes of their own;
a peak is that of the process beyond the plan that it has read.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RUNS = 3
YEAR_H, YEAR_LIMIT_S = 8760, 600.0


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work(folder: Path, part: str) -> dict[str, Any]:
    """Do one part with the plan of a folder; return seconds, memory and bytes."""
    import planner
    from planner.language.language import ENGLISH
    from planner.plan_tables.folder import fill_folder
    from planner.report.plan_page.page import plan_page
    from planner.report.workbook.workbook import write_workbook

    plan = planner.read_plan(folder)
    read_mb = peak_mb()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        parts = {
            "tables": lambda: fill_folder(plan, scratch, ("csv",)),
            "page": lambda: (scratch / "page").write_text(plan_page(plan, ENGLISH), "utf-8"),
            "workbook": lambda: write_workbook(plan, scratch / "workbook", ENGLISH),
            "audit": lambda: planner.audit(folder),
            "read": lambda: planner.read_plan(folder),
        }
        began = time.process_time()
        parts[part]()
        seconds = time.process_time() - began
        size = sum(path.stat().st_size for path in scratch.iterdir())
    return {"seconds": seconds, "peak_mb": peak_mb() - read_mb, "size_mb": size / 1e6}


def solve_year(scenario: Path, folder: Path) -> None:
    import planner

    start = planner.load(scenario).horizon.start.replace(month=1, day=1, hour=0, minute=0)
    site = planner.load(scenario, {
        "horizon.hours": YEAR_H, "horizon.start": start.isoformat(),
        "solver.relax": True, "solver.time_limit_s": YEAR_LIMIT_S,
    })  # fmt: skip
    planner.solve(site, out=folder)


def main() -> None:
    """Print the table of one folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="plan folder")
    parser.add_argument("--scenario", type=Path, help="scenario whose year is planned first")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part == "year":
        solve_year(given.scenario, given.folder)
        return
    if given.part:
        print(json.dumps(work(given.folder, given.part)))
        return
    command = [sys.executable, __file__, str(given.folder)]
    if given.scenario:
        subprocess.run([*command, "--scenario", given.scenario, "--part", "year"], check=True)
    print("| part | processor s | peak MB | file MB |")
    print("| --- | ---: | ---: | ---: |")
    for part in ("tables", "page", "workbook", "audit", "read"):
        runs = []
        for _ in range(RUNS):
            done = subprocess.run(
                [*command, "--part", part], check=True, capture_output=True, text=True
            )
            runs.append(json.loads(done.stdout))
        best = min(runs, key=lambda run: float(run["seconds"]))
        row = f"| {part} | {best['seconds']:.2f} | {best['peak_mb']:.0f} | {best['size_mb']:.1f} |"
        print(row, flush=True)


if __name__ == "__main__":
    main()
