"""Two cases of a sweep side by side, from the table of cases: axes, ledger lines and figures.

Hours are in plan folders, which a sweep keeps with `plans: all`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.answers.cases import SOLVED, same
from planner.errors import Problem, ScenarioError
from planner.report.comparison import FEN, TINY, Comparison
from planner.sweeps.design import told
from planner.sweeps.result import read_cases

LEDGER = "ledger_cny."


def compare_cases(folder: str | Path, first: int, second: int) -> Comparison:
    """Say what differs between two cases of a sweep folder.

    Raises:
        PlanError: the folder is no sweep folder.
        ScenarioError: there is no such case, or it has no plan.
    """
    sweep = read_cases(folder)
    rows = [_row(sweep.cases, number) for number in (first, second)]
    axes = list(sweep.description.axes)
    inputs = [
        (name, *(told(row[name]) for row in rows)) for name in axes if not same(*_both(rows, name))
    ]
    known = [str(n) for n in sweep.cases.columns if pd.api.types.is_float_dtype(sweep.cases[n])]
    start = list(sweep.cases.columns).index("refined") + 1
    figures = [name for name in known if list(sweep.cases.columns).index(name) >= start]
    money, other = [], []
    for name in figures:
        a, b = _both(rows, name)
        if name.startswith(LEDGER):
            a, b = (0.0 if np.isnan(x) else x for x in (a, b))
            component, _, line = name.removeprefix(LEDGER).partition(".")
            if abs(b - a) >= FEN:
                money.append((component, line, a, b, b - a))
        elif not (np.isnan(a) and np.isnan(b)) and not abs(b - a) <= TINY:
            other.append((name, a, b, b - a))
    table = pd.DataFrame(money, columns=["component", "line", "a", "b", "difference_cny"])
    order = table["difference_cny"].abs().sort_values(ascending=False, kind="stable").index
    return Comparison(
        f"{folder}, case {first}",
        f"{folder}, case {second}",
        float(rows[0]["objective_cny"]),
        float(rows[1]["objective_cny"]),
        pd.DataFrame(inputs, columns=["path", "a", "b"]),
        table.loc[order].reset_index(drop=True),
        pd.DataFrame(other, columns=["figure", "a", "b", "difference"]),
        pd.DataFrame(),
        pd.DataFrame(columns=["column"]),
        ("a table of cases holds no hours; `plans: all` keeps plan folders to compare",),
        hours_unknown=True,
        bound_a_cny=float(rows[0].get("bound_cny", np.nan)),
        bound_b_cny=float(rows[1].get("bound_cny", np.nan)),
    )


def _row(cases: pd.DataFrame, number: int) -> dict[str, Any]:
    found = cases[cases["case"] == number].to_dict("records")
    if not found:
        said = f"there is no case {number}; the last is {len(cases) - 1}"
        raise ScenarioError([Problem(said, path="--case")])
    if found[0]["status"] not in SOLVED:
        said = f"case {number} has no plan: its status is {found[0]['status']}"
        raise ScenarioError([Problem(said, path="--case")])
    return {str(key): value for key, value in found[0].items()}


def _both(rows: list[dict[str, Any]], name: str) -> tuple[Any, Any]:
    return rows[0][name], rows[1][name]
