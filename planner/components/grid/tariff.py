"""What a connection costs beside its energy: demand charge, fixed payments, fees on own energy.

Variables: peak_mw[m] per month where there is a demand charge.
Expressions: self_use_mw[o,t] where own energy pays a fee: what loads and compute at the node draw.

    peak            import_mw[t] <= peak_mw[m]             for t in month m

The demand charge of a month is paid on what its peak exceeds max(peak_so_far_mw,
expected_peak_mw); fixed payments are spread over the hours of their month and only reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Discriminator, Field, Tag

from planner.components.component import Complaint, Time, Values
from planner.components.late import pyo
from planner.components.terms import Amounts, Line, Meters, Period
from planner.fields import AtLeastZero, Frozen, form
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array, NonNegative, Series

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
PeakSoFar = Annotated[
    Annotated[AtLeastZero, Tag("=number")] | Annotated[dict[Month, AtLeastZero], Tag("=months")],
    Discriminator(lambda value: "=months" if isinstance(value, dict) else "=number"),
]
LEAST_MWH = 1e-3  # less energy than a kWh has no price per kWh


class ByOrigin(Frozen):
    """A price or charge for each origin of energy."""

    renewable: Series
    """For renewable energy."""
    thermal: Series
    """For thermal energy."""
    grid: Series | None = None
    """For energy that came from the grid."""

    def of(self, origin: str) -> Array | None:
        """Return the series of one origin."""
        value: Array | None = getattr(self, origin)
        return value


class NonNegativeByOrigin(ByOrigin):
    """A charge for each origin of energy; what is not named is free."""

    renewable: NonNegative | None = None  # type: ignore[assignment]  # may be free here
    """For renewable energy."""
    thermal: NonNegative | None = None  # type: ignore[assignment]  # may be free here
    """For thermal energy."""
    grid: NonNegative | None = None
    """For energy that came from the grid."""


SeriesByOrigin = Annotated[
    Annotated[Series, Tag("=series")] | Annotated[ByOrigin, Tag("=by_origin")],
    form(by_origin="renewable thermal grid", series=""),
]
NonNegativeSeriesByOrigin = Annotated[
    Annotated[NonNegative, Tag("=series")] | Annotated[NonNegativeByOrigin, Tag("=by_origin")],
    form(by_origin="renewable thermal grid", series=""),
]


def peaks_by_month(so_far: float | Mapping[str, float], horizon: Horizon) -> dict[str, float]:
    """Return the peaks already set by month; a number is meant for the month that has begun."""
    return dict(so_far) if isinstance(so_far, Mapping) else {next(iter(horizon.months)): so_far}


def free_peaks(
    so_far: PeakSoFar, expected_mw: float, values: Values, window: Window, horizon: Horizon
) -> PeakSoFar:
    """Return the peaks that cost nothing in a window, where a relaxation of the horizon is given.

    A month that goes on after the window is paid for once, with the whole.
    """
    if not values:
        return so_far
    peaks = peaks_by_month(so_far, horizon)
    for month, steps in horizon.months.items():
        if steps[0] <= window.last < steps[-1]:
            highest = float(values["import_mw"][steps[0] - 1 : steps[-1]].max())
            peaks[month] = max(peaks.get(month, 0.0), expected_mw, highest)
    return peaks


def peaks_after(
    so_far: float | Mapping[str, float], imported: Array, kept: Window, horizon: Horizon
) -> dict[str, float]:
    """Return the peaks by month once the kept steps have imported so many MW."""
    peaks = peaks_by_month(so_far, horizon)
    for month, steps in horizon.months.items():
        inside = [t - kept.first for t in steps if kept.first <= t <= kept.last]
        if inside:
            peaks[month] = max(peaks.get(month, 0.0), float(imported[inside].max()))
    return peaks


def demand_charge(
    b: pyo.Block,
    time: Time,
    rate: float,
    peak_so_far: float | Mapping[str, float],
    expected: float,
) -> dict[Line, Amounts]:
    """Declare the peaks of the months; return what they cost beyond what is paid anyway."""
    if not rate:
        return {}
    so_far = peaks_by_month(peak_so_far, time.horizon)
    months = time.months()
    month_of = {t: month for month, steps in months.items() for t in steps}
    paid = {month: max(so_far.get(month, 0.0), expected) for month in months}
    b.peak_mw = pyo.Var(list(months), bounds=lambda _, m: (paid[m], None))
    b.peak = pyo.Constraint(time.steps, rule=lambda b, t: b.import_mw[t] <= b.peak_mw[month_of[t]])
    return {Line("demand_charge"): {m: rate * (b.peak_mw[m] - paid[m]) for m in months}}


def warn_of_peak(rate: float, step_min: int) -> Iterator[str]:
    """Yield what a careful colleague would ask about."""
    if rate and step_min > 15:
        yield (
            f"the demand charge is billed on 15 min averages; steps of {step_min} min understate"
            " the peak"
        )


def fixed_payments(
    rate: float, months: Mapping[str, Sequence[int]], step_h: float
) -> dict[Line, dict[Period, float]]:
    """Return the part of the fixed payments of each month that its steps make up, CNY."""
    if not rate:
        return {}
    hours = {month: 24 * pd.Period(month, "M").days_in_month for month in months}
    return {Line("fixed"): {m: rate * len(months[m]) * step_h / hours[m] for m in months}}


def charges(charge: Array | ByOrigin, origins: Sequence[str]) -> dict[str, Array]:
    """Return the fee on each origin of energy that has one, CNY/MWh by step.

    One number is meant for own energy: what was bought pays its fees in its price.
    """
    each = isinstance(charge, ByOrigin)
    series = {o: charge.of(o) if isinstance(charge, ByOrigin) else charge for o in origins}
    return {
        o: rate
        for o, rate in series.items()
        if rate is not None and rate.any() and (each or o != "grid")
    }


def check_charges(charge: Array | ByOrigin, sold: Array | ByOrigin) -> Iterator[Complaint]:
    """Yield the prices that cannot be told apart when energy is pooled."""
    for name, given in (
        ("export_price_cny_per_mwh", sold), ("self_use_charge_cny_per_mwh", charge)
    ):  # fmt: skip
        if isinstance(given, ByOrigin):
            yield (name,), "cannot differ by origin when `trace: false` pools the energy"
    if not isinstance(charge, ByOrigin) and charge.any():
        said = "is paid on own energy, which `trace: false` cannot tell from the grid's"
        yield ("self_use_charge_cny_per_mwh",), said


def self_use(
    b: pyo.Block, time: Time, node: str, rates: Mapping[str, Array], meters: Meters
) -> dict[Line, Amounts]:
    """Declare what pays the fees on energy used at the node; return what they cost."""
    if not rates:
        return {}
    drawn = {
        o: meters.total("drawn_mw", node=node, origin=o)
        for o in dict.fromkeys(("renewable", "thermal", *rates))
    }
    b.self_use_mw = pyo.Expression(list(drawn), time.steps, rule=lambda _, o, t: drawn[o](t))
    costs: dict[Line, Amounts] = {}
    for o, series in rates.items():
        rate = time.of(series)
        costs[Line("self_use", origin=o)] = {
            t: rate[t] * time.step_h * b.self_use_mw[o, t] for t in time.steps
        }
    return costs


def charge_figures(
    charge: Array | ByOrigin, fixed: float, values: Values, horizon: Horizon
) -> dict[str, float]:
    """Return the mean fee on own energy used at the node, and fixed payments per kWh imported."""
    found: dict[str, float] = {}
    rates = charges(charge, ("renewable", "thermal", "grid"))
    own: dict[str, Any] = {o: values.get(f"self_use_mw[{o}]") for o in ("renewable", "thermal")}
    mwh = horizon.step_h * sum(float(mw.sum()) for mw in own.values() if mw is not None)
    if rates and mwh > LEAST_MWH:
        paid = sum(float(np.dot(rates[o], mw)) for o, mw in own.items() if o in rates)
        found["self_use_cny_per_kwh"] = paid * horizon.step_h / mwh / 1000
    bought = horizon.step_h * float(values["import_mw"].sum())
    for payments in fixed_payments(fixed, horizon.months, horizon.step_h).values():
        if bought > LEAST_MWH:
            found["fixed_cny_per_kwh"] = sum(payments.values()) / bought / 1000
    return found
