"""Where the time goes: one scenario at 48 and 168 hours, and a year as an LP.

Why: the solver's time is the solver's; what we add to it is ours to keep small. So everything that
is neither HiGHS nor the start of Python (its imports, done before the clock runs) is shown as a
share of the time in HiGHS, which is the figure to watch from change to change.

    python benchmarks/sizes.py scenarios/huainan/scenario.yaml

The year is the calendar year in which the scenario begins, since data seldom reach further.
Every size runs in a process of its own, so that its peak memory is its own. The parts: validate
(YAML and CSV to a checked scenario), build (the model), compile (its matrix), HiGHS (all its runs,
the relaxation and the tidying included), plan (tables, summary, audit, and what passes between the
solver's runs), write (the plan folder, as CSV).
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

YEAR = 8760
HOURS = (48, 168, YEAR)
YEAR_LIMIT_S = 600.0  # a limit in the scenario is meant for a plan of days
PARTS = ("validate", "build", "compile", "highs", "plan", "write")


def work(scenario: Path, hours: int) -> dict[str, Any]:
    """Solve the scenario over so many hours; return seconds by part and what came of it."""
    began = time.perf_counter()
    import planner
    from planner.errors import PlannerError

    for module in pkgutil.walk_packages(planner.__path__, "planner."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[str, Any] = {"import": time.perf_counter() - began}
    changes: dict[str, Any] = {"horizon.hours": hours}
    try:
        if hours >= YEAR:
            start = planner.load(scenario).horizon.start.replace(month=1, day=1, hour=0, minute=0)
            changes |= {"horizon.start": start.isoformat()}
            changes |= {"solver.relax": True, "solver.time_limit_s": YEAR_LIMIT_S}
        began = time.perf_counter()
        site = planner.load(scenario, changes)
        found["validate"] = time.perf_counter() - began
        began = time.perf_counter()
        plan = planner.solve(site)
        solved = time.perf_counter()
    except PlannerError as error:
        return found | {"failed": str(error), "after_s": time.perf_counter() - began}
    with tempfile.TemporaryDirectory() as folder:
        plan.write(Path(folder) / "plan")
    written = time.perf_counter()
    seconds, summary = plan.summary["runtimes_s"], plan.summary
    build, compiling, highs = (seconds[f"{name}_s"] for name in ("build", "compile", "solver"))
    return found | {
        "build": build,
        "compile": compiling,
        "highs": highs,
        "plan": solved - began - build - compiling - highs,
        "write": written - solved,
        "status": summary["status"],
        "gap": summary["gap"],
        **{size: summary["solving"][size] for size in ("rows", "columns", "integers")},
    }


def row(hours: int, found: dict[str, Any]) -> str:
    """Return one line of the table."""
    cells = [f"{hours:,}" + (" (LP)" if hours >= YEAR else "")]
    if "failed" in found:
        said = found["failed"].strip().splitlines()[0]
        return f"| {cells[0]} | no plan after {found['after_s']:.1f} s: {said} |"
    ours = sum(found[part] for part in PARTS if part != "highs")
    cells += [f"{found[part]:.2f}" for part in PARTS]
    cells += [f"{ours:.2f}", f"{ours / max(found['highs'], 1e-9):.0%}"]
    cells += [f"{found['import']:.2f}", f"{found['peak_mb']:.0f}"]
    cells += [f"{found[size]:,}" for size in ("rows", "columns", "integers")]
    cells += [found["status"], f"{found['gap']:.1e}"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table of one scenario."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenario", type=Path, help="scenario file, or the folder that holds it")
    parser.add_argument("--hours", type=int, nargs="*", default=list(HOURS))
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        found = work(given.scenario, given.hours[0])
        found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found))
        return
    head = ["hours", *(f"{part} s" for part in PARTS), "ours s", "ours / HiGHS", "import s",
            "peak MB", "rows", "columns", "integers", "status", "gap"]  # fmt: skip
    print("| " + " | ".join(head) + " |")
    print("|" + " ---: |" * len(head), flush=True)
    for hours in given.hours:
        command = [sys.executable, __file__, str(given.scenario), "--worker", "--hours", str(hours)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{hours} h failed:\n{done.stderr}")
        print(row(hours, json.loads(done.stdout.splitlines()[-1])), flush=True)


if __name__ == "__main__":
    main()
