"""Days and weeks: what a plan costs, and how near it is to its bound, case by case.

Processor seconds (user and system) of `planner solve` as a whole, with audit, tables, page and the
choice among equal plans, and of `optimise` alone, each in a process of its own; gaps, profit and
status are those of the plan folder. With `--tree` another checkout of the planner solves the same
files, by turns with this one, and every figure stands twice: there, then here.

    python benchmarks/days.py --only huainan_48 huainan_168 --repeat 3
    python benchmarks/days.py --tree ../before

The time limit is so long that the clock ends no search on a machine that is not too busy.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.instances import (
    ROOT,
    SCENARIOS,
    WEEK_H,
    coal_units,
    every_rule,
    half_carbon,
    kazarlis_units,
)
from planner.files.yaml_document import read_yaml
from planner.plan_tables.folder import write_scenario

LIMIT_S = 600.0
SMALLER = 0.4  # the third unit, of the size of the first
SOLVER = """\
import sys, time
import planner
from planner.solver.compiler import program_of
from planner.solver.rounds import optimise
scenario = planner.load(sys.argv[1])
program = program_of(scenario)
began = time.process_time()
optimise(program, scenario.solver)
print(time.process_time() - began)
"""  # of either checkout: it imports nothing from here


class Case(NamedTuple):
    """A scenario file and what is changed in it; the gap is that of turnover."""

    scenario: Path
    gap: float
    changes: Mapping[str, Any]


class Run(NamedTuple):
    """Processor seconds of the command and of the solver, and the summary of the plan."""

    command_s: float
    solver_s: float
    summary: Mapping[str, Any]


FIGURES: dict[str, Callable[[Run], str]] = {
    "command, s": lambda run: f"{run.command_s:.2f}",
    "solver, s": lambda run: f"{run.solver_s:.2f}",
    "gap": lambda run: relative_gap(run, run.summary["turnover_cny"]),
    "gap of profit": lambda run: relative_gap(run, run.summary["objective_cny"]),
    "profit, CNY": lambda run: f"{run.summary['objective_cny']:,.0f}",
    "status": lambda run: str(run.summary["status"]),
}


def relative_gap(run: Run, amount: float) -> str:
    """Return the distance of the plan from its bound, as a fraction of an amount."""
    summary = run.summary
    share = (summary["bound_cny"] - summary["objective_cny"]) / max(1.0, abs(amount))
    return f"{share:.1e}" if share > 1e-9 else "0"


def different_units(count: int) -> dict[str, Any]:
    """Return the changes for a second coal unit with cheaper fuel, and a third that is smaller.

    The second runs when the horizon begins. The third needs 5 % more fuel for its size and may
    start and stop after 6 h. Reserve is that of the first alone.
    """
    first = read_yaml(SCENARIOS / "huainan" / "scenario.yaml").data["components"]["coal_1"]
    second = first | {
        "fuel_price_cny_per_gj": 22,
        "initial": {"on": True, "power_mw": 280, "hours": 100},
    }
    powers = [name for name in first if name.endswith(("_mw", "_mw_per_h"))]
    third = first | {name: SMALLER * first[name] for name in powers} | {
        "curve": [
            {
                "power_mw": SMALLER * point["power_mw"],
                "fuel_gj_per_h": SMALLER * 1.05 * point["fuel_gj_per_h"],
            }
            for point in first["curve"]
        ],
        "startups": [
            start | {"cost_cny": SMALLER * start["cost_cny"]} for start in first["startups"]
        ],
        "min_up_h": 6,
        "min_down_h": 6,
    }  # fmt: skip
    units = {"components.coal_2": second, "components.coal_3": third}
    return dict(list(units.items())[: count - 1])


def cases(folder: Path) -> dict[str, Case]:
    """Return the cases by name, and write those without a shipped file into a folder."""

    def huainan(hours: int, asked: float, changes: Mapping[str, Any] | None = None) -> Case:
        return Case(SCENARIOS / "huainan", asked, {"horizon.hours": hours} | dict(changes or {}))

    def kazarlis(times: int) -> Case:
        file = folder / f"kazarlis_{times}"
        file.mkdir()
        write_scenario(kazarlis_units(times), file)
        return Case(file, 1e-6, {})

    return {
        **{
            f"huainan_{hours}" + ("" if gap == 1e-3 else "_fine"): huainan(hours, gap)
            for hours in (24, 48, WEEK_H)
            for gap in (1e-3, 1e-4)
        },
        **{
            name: Case(SCENARIOS / name, 1e-3, {})
            for name in ("huainan_96", "huainan_winter", "green_direct_supply", "two_sites")
        },
        "islanded": Case(SCENARIOS / "islanded", 1e-3, {}),
        "islanded_fine": Case(SCENARIOS / "islanded", 1e-6, {}),
        "huainan_168_rules": huainan(WEEK_H, 1e-3, every_rule()),
        "huainan_168_half_carbon": huainan(WEEK_H, 1e-3, half_carbon()),
        "huainan_168_two_equal": huainan(WEEK_H, 1e-3, coal_units(2)),
        "huainan_168_three_equal": huainan(WEEK_H, 1e-3, coal_units(3)),
        "huainan_168_two_different": huainan(WEEK_H, 1e-3, different_units(2)),
        "huainan_168_three_different": huainan(WEEK_H, 1e-3, different_units(3)),
        "kazarlis_10": kazarlis(1),
        "kazarlis_20": kazarlis(2),
    }


def run(case: Case, tree: Path, folder: Path) -> Run:
    """Solve a case with the planner of a checkout: the command, then the solver alone."""
    changes = {**case.changes, "solver.gap": case.gap, "solver.time_limit_s": LIMIT_S}
    words = [
        text for path, value in changes.items() for text in ("--set", f"{path}={json.dumps(value)}")
    ]
    plan = folder / "plan"
    command_s, _ = _child(
        tree, folder, "-m", "planner", "solve", str(case.scenario), *words, "--out", str(plan)
    )
    summary = json.loads((plan / "summary.json").read_text(encoding="utf-8"))
    _, printed = _child(tree, folder, "-c", SOLVER, str(plan))
    return Run(command_s, float(printed.splitlines()[-1]), summary)


def _child(tree: Path, folder: Path, *words: str) -> tuple[float, str]:
    """Return the processor seconds of a Python process, and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, *words], cwd=folder, env=os.environ | {"PYTHONPATH": str(tree)},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, ended.stdout


def fastest(runs: Sequence[Run]) -> Run:
    """Return the least seconds of several runs, each figure by itself."""
    command_s, solver_s = (min(figure) for figure in list(zip(*runs, strict=True))[:2])
    return Run(command_s, solver_s, runs[0].summary)


def main() -> None:
    """Print the table of some cases or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", help="cases to run")
    parser.add_argument("--repeat", type=int, default=1, help="runs, of which the least counts")
    parser.add_argument("--tree", type=Path, help="another checkout of the planner")
    given = parser.parse_args()
    trees = [given.tree.resolve(), ROOT] if given.tree else [ROOT]
    times = (" before", "") if given.tree else ("",)
    columns = [f"{figure}{time}" for figure in FIGURES for time in times]
    with tempfile.TemporaryDirectory() as folder:
        known = cases(Path(folder))
        if unknown := set(given.only or ()) - known.keys():
            parser.error(f"{', '.join(sorted(unknown))}: not among {', '.join(known)}")
        print("| case | asked | " + " | ".join(columns) + " |")
        print("| --- | ---: |" + " ---: |" * len(columns), flush=True)
        for name in given.only or known:
            case = known[name]
            runs = [[run(case, tree, Path(folder)) for tree in trees] for _ in range(given.repeat)]
            best = [fastest(of_tree) for of_tree in zip(*runs, strict=True)]
            cells = [figure(one) for figure in FIGURES.values() for one in best]
            print(f"| {name} | {case.gap:.0e} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
