"""The differences between two cases of a sweep, by its table: axes, ledger lines and figures.

Hours are only in plan folders, which a sweep keeps with `plans: all`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import wrong
from planner.message import Message
from planner.report.comparison.compare import Comparison, figure_table, money_table
from planner.sweeps.analysis.case_table import SOLVED, value_text
from planner.sweeps.axes import Formula, Scale
from planner.sweeps.result import read_cases

LEDGER = "ledger_cny."


def compare_cases(folder: str | Path, first: int, second: int) -> Comparison:
    """Compare two cases of a sweep folder.

    Raises:
        PlanError: the folder is no sweep folder.
        ScenarioError: there is no such case, or it has no plan.
    """
    sweep = read_cases(folder)
    one, two = (_row(sweep.cases, number) for number in (first, second))
    inputs = [
        (axis, value_text(one[axis]), value_text(two[axis]))
        for axis in sweep.description.axes
        if one[axis] != two[axis] and not (pd.isna(one[axis]) and pd.isna(two[axis]))
    ]
    after_refined = sweep.cases.iloc[:, list(sweep.cases.columns).index("refined") + 1 :]
    names = [str(name) for name in after_refined.select_dtypes("float")]
    sides = [{name: row[name] for name in names} for row in (one, two)]
    return Comparison(
        a=Message("{path}, case {n}", path=folder, n=first),
        b=Message("{path}, case {n}", path=folder, n=second),
        profit_a_cny=float(one["objective_cny"]),
        profit_b_cny=float(two["objective_cny"]),
        inputs=pd.DataFrame(inputs, columns=["path", "a", "b"], dtype=object),
        money=money_table(*map(_ledger, sides)),
        figures=figure_table(
            *({n: v for n, v in side.items() if not n.startswith(LEDGER)} for side in sides)
        ),
        hours=pd.DataFrame(),
        columns=pd.DataFrame(columns=["column"]),
        notes=(
            Message("a table of cases has no hours; `plans: all` keeps plan folders to compare"),
        ),
        hours_unknown=True,
        bound_a_cny=float(one.get("bound_cny", np.nan)),
        bound_b_cny=float(two.get("bound_cny", np.nan)),
        factors=frozenset(
            name for name, axis in sweep.description.axes.items()
            if isinstance(axis, Scale) or (isinstance(axis, Formula) and axis.scales)
        ),
        currency=sweep.description.currency,
    )  # fmt: skip


def _ledger(figures: Mapping[str, float]) -> pd.DataFrame:
    """Return the ledger lines of a case."""
    lines = [
        (*name.removeprefix(LEDGER).partition(".")[::2], amount)
        for name, amount in figures.items()
        if name.startswith(LEDGER) and not np.isnan(amount)
    ]
    return pd.DataFrame(lines, columns=["component", "line", "amount_cny"])


def _row(cases: pd.DataFrame, number: int) -> dict[str, Any]:
    rows = cases[cases["case"] == number].to_dict("records")
    if not rows:
        message = Message("there is no case {n}; the last is {last}", n=number, last=len(cases) - 1)
        raise wrong("--case", message)
    if (status := rows[0]["status"]) not in SOLVED:
        message = Message("case {n} has no plan: its status is {words}", n=number, words=status)
        raise wrong("--case", message)
    return {str(key): value for key, value in rows[0].items()}
