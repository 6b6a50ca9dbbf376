"""Costs of a connection other than energy and demand: fixed payments, fees on own energy.

Expressions: self_use_mw[o,t], drawn by loads and compute at the node, where it pays a fee.

Fixed payments are spread over the hours of their month and only reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Tag

from planner.components.component import Complaint, Values
from planner.components.terms import Amounts, Line, Meters, Period, of
from planner.components.time import Time
from planner.field_types import Given
from planner.fields import Frozen, form, measurable
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array, NonNegative, NonNegativeOrNone, Series, SeriesOrNone


class ByOrigin(Frozen):
    """A price or charge for each origin of energy."""

    renewable: Series
    """For renewable energy."""
    thermal: Series
    """For thermal energy."""
    grid: SeriesOrNone = None  # type: ignore[assignment]
    """For energy that came from the grid."""

    def of(self, origin: str) -> Array | None:
        """Return the series of one origin."""
        value: Array | None = getattr(self, origin)
        return value


class NonNegativeByOrigin(ByOrigin):
    """A charge for each origin of energy; what is not named is free."""

    renewable: NonNegativeOrNone = None  # type: ignore[assignment]  # may be free here
    """For renewable energy."""
    thermal: NonNegativeOrNone = None  # type: ignore[assignment]  # may be free here
    """For thermal energy."""
    grid: NonNegativeOrNone = None  # type: ignore[assignment]
    """For energy that came from the grid."""


if TYPE_CHECKING:
    import pandas as pd

    from planner.timeseries.series import SeriesLike

    SeriesByOrigin = Given[Array | ByOrigin, SeriesLike | pd.DataFrame | ByOrigin]
    NonNegativeSeriesByOrigin = Given[
        Array | NonNegativeByOrigin, SeriesLike | pd.DataFrame | NonNegativeByOrigin
    ]
else:
    SeriesByOrigin = Annotated[
        Annotated[Series, Tag("=series")] | Annotated[ByOrigin, Tag("=by_origin")],
        form(by_origin="renewable thermal grid", series=""),
    ]
    NonNegativeSeriesByOrigin = Annotated[
        Annotated[NonNegative, Tag("=series")] | Annotated[NonNegativeByOrigin, Tag("=by_origin")],
        form(by_origin="renewable thermal grid", series=""),
    ]


def fixed_payments(
    rate: float, months: Mapping[str, Sequence[int]], horizon: Horizon
) -> dict[Line, dict[Period, float]]:
    """Return the fixed payments of each month in proportion to its steps, CNY."""
    if not rate:
        return {}
    paid: dict[Period, float] = {
        month: rate * len(steps) * horizon.step_h / horizon.month_h(month)
        for month, steps in months.items()
    }
    return {Line("fixed"): paid}


def charges(charge: Array | ByOrigin, origins: Sequence[str]) -> dict[str, Array]:
    """Return the fee on each origin of energy that has one, CNY/MWh by step.

    A single fee is one on own energy: bought energy pays its fees in its price.
    """
    if isinstance(charge, ByOrigin):
        fees = {o: charge.of(o) for o in origins}
    else:
        fees = {o: charge for o in origins if o != "grid"}
    return {o: fee for o, fee in fees.items() if fee is not None and fee.any()}


def check_charges(charge: Array | ByOrigin, sold: Array | ByOrigin) -> Iterator[Complaint]:
    """Yield prices and fees that need the origin of energy, for energy that is pooled."""
    for name, price in (
        ("export_price_cny_per_mwh", sold), ("self_use_charge_cny_per_mwh", charge)
    ):  # fmt: skip
        if isinstance(price, ByOrigin):
            yield (name,), Message("cannot differ by origin when `trace: false` pools the energy")
    if not isinstance(charge, ByOrigin) and charge.any():
        message = Message("is paid on own energy, which `trace: false` cannot tell from the grid's")
        yield ("self_use_charge_cny_per_mwh",), message


def self_use(
    b: pyo.Block, time: Time, node: str, rates: Mapping[str, Array], meters: Meters
) -> dict[Line, Amounts]:
    """Declare the energy used at the node by origin; return the fees on it."""
    if not rates:
        return {}
    drawn = {
        o: meters.total("drawn_mw", node=node, origin=o)
        for o in dict.fromkeys(("renewable", "thermal", *rates))
    }
    b.self_use_mw = pyo.Expression(list(drawn), time.steps, rule=lambda _, o, t: drawn[o](t))
    return {
        Line("self_use", origin=o): time.cost(rate, of(b.self_use_mw, o))
        for o, rate in rates.items()
    }


def charge_figures(
    charge: Array | ByOrigin, fixed: float, values: Values, horizon: Horizon
) -> dict[str, float]:
    """Return the mean fee on own energy used at the node, and fixed payments per kWh imported."""
    figures: dict[str, float] = {}
    rates = charges(charge, ("renewable", "thermal", "grid"))
    own: dict[str, Any] = {o: values.get(f"self_use_mw[{o}]") for o in ("renewable", "thermal")}
    mwh = horizon.step_h * sum(float(mw.sum()) for mw in own.values() if mw is not None)
    if rates and measurable(mwh):
        paid = sum(float(np.dot(rates[o], mw)) for o, mw in own.items() if o in rates)
        figures["self_use_cny_per_kwh"] = paid * horizon.step_h / mwh / 1000
    bought = horizon.step_h * float(values["import_mw"].sum())
    for payments in fixed_payments(fixed, horizon.months, horizon).values():
        if measurable(bought):
            figures["fixed_cny_per_kwh"] = sum(payments.values()) / bought / 1000
    return figures
