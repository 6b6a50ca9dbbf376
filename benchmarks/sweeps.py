"""Measure a sweep against the plain loop of `planner solve`, on 24 h cases of Huainan.

    python benchmarks/sweeps.py --count 60

Prints cases per minute on 2 workers, on 1 worker and in the loop, with the load of the machine;
compares every optimum; tells memory per worker and the bytes that travel. The rates leave out
starting the workers, which is told apart; the loop pays for a new interpreter each time.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from planner.plan.folder import read_plan
from planner.studies.sweep import run
from planner.studies.sweep_case import pack
from planner.studies.sweep_plan import CheckedSweep, prepare
from planner.sweeps.result import RESULTS, Sweep

ROOT = Path(__file__).parent.parent
TEXT = """\
name: benchmark
base: {base}
set: {{horizon.hours: 24}}
design: latin_hypercube
samples: {count}
seed: 1
axes:
  components.chat.price_cny_per_mtok: {{scale: {{low: 0.5, high: 2}}}}
  components.coal_1.fuel_price_cny_per_gj: {{low: 20, high: 45}}
  components.grid.import_price_cny_per_mwh: {{scale: {{low: 0.7, high: 1.3}}}}
  components.pv.availability_pu: {{scale: {{low: 0.5, high: 1}}}}
"""


def timed(prepared: CheckedSweep, out: Path, workers: int) -> tuple[Sweep, float, float]:
    """Run a sweep; return it, seconds until it began to solve, and seconds of solving."""
    moments: list[float] = []
    began = time.perf_counter()
    sweep = run(
        prepared, out, workers, None, progress=lambda *_: moments.append(time.perf_counter())
    )
    first = next(json.loads(line) for line in (out / RESULTS).open())
    start = moments[1] - first["seconds"] - began
    return sweep, start, moments[-1] - began - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--loop", type=int, default=None, help="cases of the plain loop [all]")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="planner-bench-"))
    file = folder / "sweep.yaml"
    file.write_text(TEXT.format(base=ROOT / "scenarios" / "huainan", count=asked.count))
    prepared = prepare(file)
    print(f"{asked.count} cases, load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    rates: dict[int, float] = {}
    results: dict[int, Sweep] = {}
    for workers in (2, 1):
        lo = Path("/sys/class/net/lo/statistics/tx_bytes")
        before = int(lo.read_text())
        sweep, start, seconds = timed(prepared, folder / f"out{workers}", workers)
        moved = int(lo.read_text()) - before
        rates[workers], results[workers] = 60 * asked.count / seconds, sweep
        lines = [json.loads(line) for line in (folder / f"out{workers}" / RESULTS).open()]
        memory: dict[int, float] = {}
        for line in lines:
            memory[line["process"]] = line["memory_mb"]
        busy = sum(line["seconds"] for line in lines) / seconds / workers
        told = ", ".join(f"{value:.0f} MB" for value in memory.values())
        print(
            f"{workers} workers: {rates[workers]:.1f} cases/min, start {start:.1f} s, busy"
            f" {busy:.2f}, most memory {told}, {moved / asked.count:.0f} bytes a case over"
            f" loopback in all, load {os.getloadavg()[0]:.2f}"
        )
    print(f"worker efficiency from 1 to 2: {rates[2] / rates[1] / 2:.2f}")
    a, b = (results[n].cases["objective_cny"] for n in (1, 2))
    print(
        f"largest difference of an objective between 1 and 2 workers: {(a - b).abs().max():g} CNY"
    )
    print(f"base once a worker: {len(pack(prepared.base))} bytes;", end=" ")
    case = prepared.cases[0]
    print(f"changes of a case: {len(pickle.dumps(case.changes))} bytes")
    loop(prepared, folder, asked.loop or asked.count, rates[2], a)


def loop(prepared: CheckedSweep, folder: Path, count: int, rate: float, objectives: Any) -> None:
    """Solve the same cases with one `planner solve` after the other."""
    began = time.perf_counter()
    base = str(prepared.base.document.file)
    worst = 0.0
    for case in prepared.cases[:count]:
        changes = {"horizon.hours": 24} | case.changes
        sets = [f"--set={path}={json.dumps(value)}" for path, value in changes.items()]
        out = folder / "plan"
        command = [
            sys.executable,
            "-m",
            "planner",
            "solve",
            base,
            *sets,
            "--quiet",
            "--out",
            str(out),
        ]
        subprocess.run(command, check=True)
        summary = read_plan(out).summary
        gap = abs(summary["objective_cny"] - objectives[case.number]) / summary["turnover_cny"]
        worst = max(worst, gap)
    seconds = time.perf_counter() - began
    allowed = prepared.base.exact["gap"]
    print(f"loop of planner solve: {60 * count / seconds:.1f} cases/min over {count} cases")
    print(f"2 workers against the loop: {rate * seconds / 60 / count:.1f} times")
    print(f"largest difference of an objective: {worst:.2g} of turnover (gap asked: {allowed:g})")


if __name__ == "__main__":
    main()
