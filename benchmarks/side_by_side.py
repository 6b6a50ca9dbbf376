"""The same site in `planner`, PyPSA and oemof-solph, side by side: same optimum, time and memory.

Why: that a tool of this kind is quick enough means nothing without other tools on the same data,
the same machine and the same solver. PyPSA is the best known one; oemof-solph builds with Pyomo,
as the planner does. `side_by_side_tools.py` states the site in each tool.

Every run has a process of its own, which measures itself from before its first import to results in
pandas tables. Run it as `python benchmarks/side_by_side.py` (see README.md).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from side_by_side_tools import GAP, LIMIT_S, TOOLS, YEAR

SEEDS = {24: 3, 168: 5, YEAR: 2}  # hours: repetitions, each with a seed of its own for HiGHS
RESULTS = Path(__file__).with_name("RESULTS.md")
BEGIN, END = "<!-- measured -->", "<!-- end -->"


class Runs:
    """Every run of HiGHS in this process, whoever starts it: its processor time and its program."""

    def __init__(self) -> None:
        from highspy import _Highs

        self.runs: list[dict[str, Any]] = []
        run = _Highs.run

        def measured(highs: Any) -> Any:
            began = time.process_time()
            status = run(highs)
            ended, info = time.process_time(), highs.getInfo()
            mip = info.mip_node_count >= 0
            integers = sum(map(int, highs.getLp().integrality_)) if mip else 0
            self.runs.append({
                "began_s": began, "seconds": ended - began, "integers": integers,
                "rows": highs.getNumRow(), "columns": highs.getNumCol(),
                "nonzeros": highs.getNumNz(), "objective": info.objective_function_value,
                "bound": info.mip_dual_bound if mip else info.objective_function_value,
            })  # fmt: skip
            return status

        _Highs.run = measured


def work(tool: str, hours: int, seed: int, absolute_gap: float) -> None:
    """Be the process that runs one tool once."""
    began, began_cpu = time.perf_counter(), time.process_time()
    solver = Runs()
    outcome = TOOLS[tool](hours, seed, absolute_gap)
    total, ended_cpu = time.perf_counter() - began, time.process_time()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    first, last, imported = solver.runs[0], solver.runs[-1], outcome.pop("imported_s")
    figures = {
        "total_s": total,
        "cpu_s": ended_cpu - began_cpu,
        "import_s": imported - began_cpu,
        "build_s": first["began_s"] - imported,
        "solve_s": sum(run["seconds"] for run in solver.runs),
        "peak_mb": peak_mb,
        "rows": first["rows"],
        "columns": first["columns"],
        "nonzeros": first["nonzeros"],
        "integers": max(run["integers"] for run in solver.runs),
        "bound_cny": -last["bound"],
    }
    figures["rest_s"] = figures["cpu_s"] - sum(
        figures[f"{part}_s"] for part in ("import", "build", "solve")
    )
    figures |= outcome
    figures["overlap_mw"] = {
        name: max(map(min, zip(*flows, strict=True)))
        for name, flows in figures.pop("exclusive").items()
    }
    print(json.dumps(figures, default=float))


def measure(tool: str, hours: int, seed: int, absolute_gap: float = 0.0) -> dict[str, Any]:
    """Run one tool in a process of its own; return what it measured of itself."""
    command = [sys.executable, __file__, "--worker", tool, "--hours", str(hours)]
    command += ["--seed", str(seed), "--absolute-gap", repr(absolute_gap)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * LIMIT_S)
    if done.returncode:
        raise SystemExit(f"{tool}, {hours} h failed:\n{done.stderr}")
    run: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{hours:>5} h  seed {seed}  {tool:<14} {run['total_s']:7.2f} s  {run['cpu_s']:7.2f} s CPU"
        f"  {run['peak_mb']:6.0f} MB  {-run['objective_cny']:.2f} CNY"
        f"  {run['starts']:.0f} starts  {run['shed_mwh']:.1f} MWh shed",
        flush=True,
    )
    return run


def compare(hours: int, tools: list[str], repetitions: int) -> dict[str, list[dict[str, Any]]]:
    """Run the tools on one case, back to back for each seed, and check their results.

    The gap of the other tools in CNY needs the turnover of the planner's plan: a first run, not
    counted, finds it. The order turns from seed to seed, so that no tool always comes first.
    """
    gap_cny = GAP * measure("planner", hours, 0)["turnover_cny"] if hours < YEAR else 0.0
    runs: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    for seed in range(repetitions):
        for tool in tools[:: 1 if seed % 2 == 0 else -1]:
            runs[tool].append(measure(tool, hours, seed, gap_cny))
    every = [run for of_tool in runs.values() for run in of_tool]
    for run in every:
        if run["status"] not in ("optimal", "relaxed"):
            raise SystemExit(f"{hours} h: a run ended as {run['status']}")
        if max(run["overlap_mw"].values()) > 1e-6:
            raise SystemExit(
                f"{hours} h: flows that exclude each other overlap: {run['overlap_mw']}"
            )
    best = [run["objective_cny"] for run in every]
    if max(best) - min(best) > gap_cny + 1.0:
        raise SystemExit(f"{hours} h: the optima differ: {sorted(best)}")
    if max(best) > min(run["bound_cny"] for run in every) + 1.0:
        raise SystemExit(f"{hours} h: a plan beats the bound another run has proven")
    return runs


def table(results: dict[int, dict[str, list[dict[str, Any]]]]) -> str:
    """Return the medians as a table in markdown, and the ratios of the planner to the others."""
    parts = ("total_s", "cpu_s", "import_s", "build_s", "solve_s", "rest_s", "peak_mb")
    sizes = ("rows", "columns", "nonzeros", "integers")
    head = ["hours", "tool", "total s", "CPU s", "import s", "build s", "HiGHS s", "rest s",
            "peak MB", *sizes, "cost, CNY", "gap, CNY"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "| ---: | --- |" + " ---: |" * (len(head) - 2)]
    for hours, runs in results.items():
        median = {
            tool: {part: statistics.median(run[part] for run in of_tool) for part in parts}
            for tool, of_tool in runs.items()
        }
        for tool, of_tool in runs.items():
            figures = [f"{median[tool][part]:.2f}" for part in parts[:-1]]
            if hours < YEAR:
                spread = [run["solve_s"] for run in of_tool]
                figures[4] += f" ({min(spread):.2f} to {max(spread):.2f})"
            gap = max(run["bound_cny"] - run["objective_cny"] for run in of_tool)
            cells = [f"{hours:,}", tool, *figures, f"{median[tool]['peak_mb']:.0f}"]
            cells += [f"{of_tool[0][size]:,}" for size in sizes]
            cells += [
                f"{-max(run['objective_cny'] for run in of_tool):,.2f}",
                f"{max(gap, 0):,.0f}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
        for ours, other in product(
            [t for t in runs if "planner" in t], [t for t in runs if "planner" not in t]
        ):
            ratios = [f"*{median[ours][part] / median[other][part]:.2f}*" for part in parts]
            cells = ["", f"*{ours} / {other}*", *ratios, *[""] * (len(sizes) + 2)]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> str:
    """Return what the figures were measured on and with."""
    processor = platform.processor() or platform.machine()
    names = Path("/proc/cpuinfo")
    if names.exists():
        lines = names.read_text(encoding="utf-8").splitlines()
        processor = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    packages = ("planner", "pypsa", "oemof.solph", "linopy", "pyomo", "highspy", "numpy", "pandas",
                "xarray")  # fmt: skip
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Processor {processor}, {os.cpu_count()} cores shared with other work; Python"
        f" {platform.python_version()}; {versions}."
    )


def main() -> None:
    """Run every case, print the table and write RESULTS.md between its marks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=int, nargs="*", default=list(SEEDS), choices=list(SEEDS))
    parser.add_argument("--tools", nargs="*", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--repeat", type=int, help="runs of each tool and case; writes nothing")
    parser.add_argument("--worker", choices=list(TOOLS), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--absolute-gap", type=float, default=0.0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, given.hours[0], given.seed, given.absolute_gap)
        return
    for tool in given.tools:
        measure(tool, 24, 0)  # reads its files once, so that they are in the file cache
    results = {
        hours: compare(hours, given.tools, given.repeat or SEEDS[hours]) for hours in given.hours
    }
    text = f"{table(results)}\n\n{machine()}\n"
    print("\n" + text)
    if set(given.hours) == set(SEEDS) and set(given.tools) == set(TOOLS) and not given.repeat:
        before, rest = RESULTS.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        RESULTS.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
