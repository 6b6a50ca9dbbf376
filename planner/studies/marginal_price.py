"""A marginal price: by step, in total, and as lines of the table of prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.plan_tables.tables import FIRST, WITHOUT_STEP, clean
from planner.studies.first_unit import FirstUnit
from planner.timeseries.series import Array
from planner.units import in_currency

MIN_PRICE = 1e-9  # a smaller price or weight is none


@dataclass(frozen=True)
class MarginalPrice:
    """A line of the table: a quantity, its prices by step if any, and its total.

    `once` is the part that belongs to no step; `first` the worth of the first unit, with decisions
    made anew. A NaN total: there is no price beside that worth.
    """

    component: str
    quantity: str
    index: str
    steps: Array
    total: float
    unit: str
    once: float = 0.0
    first: FirstUnit | None = None


def mean_of_steps(
    component: str, quantity: str, index: str, values: Array, per: str, once: float = 0.0,
    weights: Array | None = None,
) -> MarginalPrice:  # fmt: skip
    """Return a line of prices per MWh or Mtok, with their mean over the horizon."""
    steps = clean(values)
    known = np.isfinite(steps)
    weight = np.where(known, 1.0 if weights is None else weights, 0.0)
    if weight.sum() <= MIN_PRICE:
        weight = known.astype(float)
    total = float(np.where(known, steps, 0.0) @ weight / max(weight.sum(), MIN_PRICE))
    return MarginalPrice(component, quantity, index, steps, clean(total + once), per, once)


def sum_of_steps(
    component: str, quantity: str, index: str, steps: Array, per: str, once: float
) -> MarginalPrice:
    """Return a line of prices per unit of a limit, with their sum over the horizon."""
    by_step = clean(steps)
    if not by_step.any() and abs(once) > MIN_PRICE:  # it acts over the horizon only
        return MarginalPrice(component, quantity, index, by_step[:0], clean(once), per)
    total = float(by_step.sum()) + clean(once)
    return MarginalPrice(component, quantity, index, by_step, clean(total), per, once)


def price_table(lines: list[MarginalPrice], times: pd.DatetimeIndex, currency: str) -> pd.DataFrame:
    """Return the long table: for every line its steps, the part without a step, and its total."""
    no_time = pd.DatetimeIndex([pd.NaT], tz=times.tz).as_unit(times.unit)
    parts: list[tuple[MarginalPrice, pd.DatetimeIndex, str, Array]] = []
    for line in lines:
        known = np.flatnonzero(np.isfinite(line.steps))
        parts.append((line, times[known], line.index, line.steps[known]))
        once = line.once if abs(line.once) > MIN_PRICE else np.nan
        first = np.nan if line.first is None else line.first.worth
        for part, value in ((WITHOUT_STEP, once), ("", line.total), (FIRST, first)):
            if np.isfinite(value):
                index = "|".join(filter(None, (line.index, part)))
                parts.append((line, no_time, index, np.array([clean(value)])))
    sizes = [len(part[1]) for part in parts]

    def repeated(texts: list[str]) -> Any:
        return np.repeat(np.array(texts, dtype=object), sizes)

    moments = times[:0].append([part[1] for part in parts])
    return pd.DataFrame(
        {
            "time": moments.rename(None),
            "component": repeated([line.component for line, *_ in parts]),
            "quantity": repeated([line.quantity for line, *_ in parts]),
            "index": repeated([index for _, _, index, _ in parts]),
            "value": np.concatenate([np.zeros(0), *(values for *_, values in parts)]),
            "unit": repeated([in_currency(line.unit, currency) for line, *_ in parts]),
        }
    ).astype(dict.fromkeys(("component", "quantity", "index", "unit"), "str"))
