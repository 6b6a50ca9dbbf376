"""The marginal abatement curve of a green share: the cost of each further step of its axis.

Between neighbouring cases along the axis, in the order of the axis' values:

    cost_cny           = profit before - profit after
    cost_cny_per_point = cost_cny / (100 * growth of the renewable share of what is drawn)
    green_mwh          = growth of the share * what loads and compute draw after
    cost_cny_per_mwh   = cost_cny / green_mwh
    cost_cny_per_tco2  = cost_cny / fall of the emission, that of imports included

`green_mwh` is the renewable energy beyond what the former share would supply; a share also grows
where less is drawn. A quotient stays empty where its divisor does not grow: the rule did not bind,
or something else gave way. `hidden`: the cost is within the solver's gap of the two cases, so that
its sign is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.components.registry import every_use
from planner.errors import wrong
from planner.message import Message
from planner.sweeps.analysis.case_table import OUTPUT, Analysis, is_number, numbers, require_columns
from planner.sweeps.analysis.condition import BOUND

SHARE = "green.load_share"
ALLOCATED = "allocation_mwh"
EMISSION = ("carbon.emission_tco2", "carbon.import_emission_tco2")
NO_GROWTH = 1e-9  # relative growth of a divisor that is none
NARROW = (
    "to_value", "share", "cost_cny", "cost_cny_per_point", "cost_cny_per_mwh", "cost_cny_per_tco2",
    "hidden",
)  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class CostCurve(Analysis):
    """The cost of each further step of an axis: a row for each step."""

    axis: str


def cost_curve(cases: pd.DataFrame, axis: str) -> CostCurve:
    """Return a row for each pair of neighbouring cases with a plan; empty where there is no pair.

    Columns: from_case, to_case, from_value, to_value, share (that of the second case), cost_cny,
    points, green_mwh, abated_tco2, cost_cny_per_point, cost_cny_per_mwh, cost_cny_per_tco2, hidden,
    skipped (cases without a plan between the two).

    Raises:
        ScenarioError: an unknown column, texts on the axis, or several cases with one value.
    """
    require_columns(cases, [axis], "axes")
    if not all(is_number(value) for value in cases[axis]):
        raise wrong(axis, Message("holds texts, and a cost curve needs numbers"))
    if cases[axis].duplicated().any():
        raise wrong(axis, Message("several cases have one value"))
    ordered = cases.sort_values(axis, kind="stable").reset_index(drop=True)
    profit, share = numbers(ordered, OUTPUT), numbers(ordered, SHARE)
    uses = {use for use, meant in every_use().items() if meant.drawn}
    allocated = [name for name in map(str, ordered) if name.startswith(f"{ALLOCATED}.")]
    drawn = _sum(ordered, [name for name in allocated if name.rpartition(".")[2] in uses])
    require_columns(ordered, EMISSION, "cost curve")
    emission = _sum(ordered, EMISSION)
    plans = pd.DataFrame({
        "place": ordered.index, "case": ordered["case"], "value": ordered[axis].astype(float),
        "profit": profit, "share": share, "drawn": drawn, "emission": emission,
        "open": numbers(ordered, BOUND) - profit,
    })[profit.notna()]  # fmt: skip
    one, two = plans[:-1].reset_index(drop=True), plans[1:].reset_index(drop=True)
    cost, growth = one["profit"] - two["profit"], two["share"] - one["share"]
    points, green, abated = 100 * growth, growth * two["drawn"], one["emission"] - two["emission"]
    steps = pd.DataFrame({
        "from_case": one["case"], "to_case": two["case"],
        "from_value": one["value"], "to_value": two["value"], "share": two["share"],
        "cost_cny": cost, "points": points, "green_mwh": green, "abated_tco2": abated,
        "cost_cny_per_point": _over(cost, points, 100.0),
        "cost_cny_per_mwh": _over(cost, green, two["drawn"]),
        "cost_cny_per_tco2": _over(cost, abated, one["emission"]),
        "hidden": cost.abs() <= np.maximum(one["open"], two["open"]),
        "skipped": two["place"] - one["place"] - 1,
    })  # fmt: skip
    return CostCurve(table=steps, axis=axis, columns=NARROW)


def _sum(cases: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Return the sum of columns by row; figures that a plan lacks are 0."""
    return sum((numbers(cases, name).fillna(0.0) for name in columns), pd.Series(0.0, cases.index))


def _over(cost: pd.Series, growth: pd.Series, size: pd.Series | float) -> pd.Series:
    """Return the quotient where its divisor grows by more than rounding of its size."""
    return (cost / growth).where(growth > NO_GROWTH * np.maximum(1.0, np.abs(size)))
