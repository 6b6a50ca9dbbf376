"""The effect of each axis alone: the output at its lowest and highest value, and in the base case.

    change_low  = output at the lowest value tried - output of the base case
    change_high = output at the highest value tried - output of the base case
    swing       = largest - smallest output among the base case and all cases of the axis

Only cases count in which one axis varies and every other has its base value; so the table works on
one_at_a_time and on any other design with such cases. An end without a plan keeps its row and its
status; the swing is then that of the cases with a plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import wrong
from planner.message import Message
from planner.sweeps.analysis.case_table import (
    OUTPUT,
    Analysis,
    base_row,
    is_number,
    levels,
    numbers,
    require_columns,
    standing_at,
)

COLUMNS = (
    "axis", "base", "low", "high", "output_base", "output_low", "output_high",
    "change_low", "change_high", "swing", "status_low", "status_high", "cases", "without_plan",
)  # fmt: skip
NARROW = (
    "axis", "low", "high", "output_low", "output_high", "swing", "status_low", "status_high",
)  # fmt: skip


class Tornado(Analysis):
    """The effect of each axis alone on an output: a row an axis, the widest swing first."""


def tornado(
    cases: pd.DataFrame,
    axes: Sequence[str],
    output: str = OUTPUT,
    base: Mapping[str, Any] | None = None,
) -> Tornado:
    """Return a row an axis, the widest swing first; columns as COLUMNS.

    `base` holds the value of every axis in the base case; None takes case 0 for the base case.

    Raises:
        ScenarioError: an unknown column, no base case, or a base case without the output.
    """
    require_columns(cases, axes, "axes")
    values = numbers(cases, output)
    row = base_row(cases, axes, base)
    if row is None:
        raise wrong("", Message("no case has every axis at its base value"))
    if np.isnan(values[row]):
        raise wrong("", Message("the base case has no {name}: its status is {kind}", name=output,
                                kind=cases["status"][row]))  # fmt: skip
    off_base = pd.DataFrame({a: ~standing_at(cases, {a: cases.at[row, a]}) for a in axes})
    rows = [_row(cases[~off_base.drop(columns=a).any(axis=1)], values, a, row) for a in axes]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Tornado(
        table=table.sort_values("swing", ascending=False, kind="stable", ignore_index=True),
        output=output,
        columns=NARROW,
    )


def _row(alone: pd.DataFrame, values: pd.Series, axis: str, row: Any) -> dict[str, Any]:
    """Return the row of one axis; `alone` holds its cases and the base case."""
    base, output = alone.at[row, axis], float(values[row])
    values_tried = levels(alone[axis])
    if not all(is_number(value) for value in values_tried):  # labels: base is in no order
        values_tried = [value for value in values_tried if value != base] or values_tried
    result: dict[str, Any] = {"axis": axis, "base": base, "output_base": output}
    for end, value in (("low", values_tried[0]), ("high", values_tried[-1])):
        at = alone.index[standing_at(alone, {axis: value})][0]
        result |= {
            end: value,
            f"output_{end}": float(values[at]),
            f"change_{end}": float(values[at]) - output,
            f"status_{end}": alone.at[at, "status"],
        }
    known = values[alone.index].dropna()
    result["swing"] = float(known.max() - known.min())
    result["cases"] = len(alone)
    result["without_plan"] = len(alone) - len(known)
    return result
