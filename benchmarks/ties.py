"""What tidying changes and costs: movement of batteries, units and exchange, with and without.

Seconds are processor time of tidying and of the attribution to origins, in the process of the
solve; the share is that of the solve, from the scenario to the audited plan.

    python benchmarks/ties.py scenarios/huainan scenarios/huainan_96
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import planner
from planner.solver import rounds
from planner.timeseries.schedule import columns_of

TIMED = ("_tidy", "attribute")
FLOWS = {  # kind -> columns out, less columns in
    "battery": ("discharge_mw", "charge_mw"),
    "thermal": ("power_mw", None),
    "grid": ("import_mw", "export_mw"),
}


def moved(plan: planner.Plan) -> tuple[float, int]:
    """Return the movement of all, MW, and how often batteries change their state."""
    movement, changes = 0.0, 0
    for name, component in plan.scenario.components.items():
        if component.kind in FLOWS:
            out, into = (_sum(plan, name, quantity) for quantity in FLOWS[component.kind])
            movement += float(np.abs(np.diff(out - into)).sum())
            if component.kind == "battery":
                changes += int((np.diff(np.sign(np.round(out - into, 6))) != 0).sum())
    return movement, changes


def _sum(plan: planner.Plan, name: str, quantity: str | None) -> Any:
    columns = columns_of(plan.schedule, name).items()
    parts = [values for column, values in columns if column.partition("[")[0] == quantity]
    return np.sum(parts, axis=0) if parts else 0.0


def timed(spent: dict[str, float], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that adds its processor time to `spent`."""

    def call(*args: Any, **more: Any) -> Any:
        began = time.process_time()
        result = function(*args, **more)
        spent[name] = time.process_time() - began
        return result

    return call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="+")
    spent: dict[str, float] = {}
    for name in TIMED:
        setattr(rounds, name, timed(spent, name, getattr(rounds, name)))
    print("| scenario | movement, MW | state changes | profit, CNY | seconds | share |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for path in parser.parse_args().scenarios:
        figures = []
        for tidy in (False, True):
            began = time.process_time()
            plan = planner.solve(planner.load(path, {"solver.tidy": tidy}))
            total = time.process_time() - began
            figures.append((*moved(plan), plan.summary["objective_cny"]))
        (before, changes, profit), (after, fewer, same) = figures
        seconds = sum(spent.values())
        print(
            f"| {plan.scenario.name} | {before:,.0f} to {after:,.0f} | {changes} to {fewer}"
            f" | {profit:,.2f} / {same:,.2f} | {seconds:.3f} | {seconds / total:.1%} |", flush=True
        )  # fmt: skip


if __name__ == "__main__":
    main()
