"""Members made from how forecasts err: random but reproducible, each a set of series by path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from planner.scenario.series_errors import ErringSeries, autoregressive
from planner.scenario.uncertainty.fields import (
    Autoregressive,
    AutoregressiveError,
    Bootstrap,
    PastErrors,
    Quantile,
)
from planner.timeseries.forms import Context, CsvSeries
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

Erring = Mapping[str, ErringSeries]


@dataclass(frozen=True)
class Drawn:
    """A member that was made: its name, its probability and its series by path."""

    name: str
    probability: float
    series: dict[str, Array]


class FieldError(ValueError):
    """What is wrong with one of the fields, by its path."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(message)


def draw(
    method: Autoregressive | Bootstrap | Quantile, base: Erring, context: Context
) -> list[Drawn]:
    """Make the members of a method.

    Args:
        method: what the scenario says of them.
        base: the scenario's own series by path, with their limits.
        context: what CSV columns are read with.

    Raises:
        FieldError: a file or a column of it cannot be used.
    """
    if isinstance(method, Autoregressive):
        return _autoregressive(method, base, context.horizon)
    if isinstance(method, Bootstrap):
        return _bootstrap(method, base, context)
    return _quantiles(method, base, context)


def _autoregressive(method: Autoregressive, base: Erring, horizon: Horizon) -> list[Drawn]:
    rng = np.random.default_rng(method.seed)
    shape = method.count, horizon.steps
    common = rng.standard_normal(shape)
    errors: dict[str, Array] = {}
    for path, error in sorted(method.fields.items()):
        own, weight = rng.standard_normal(shape), error.common_correlation
        shocks = weight * common + np.sqrt(1 - weight**2) * own
        sizes = _sizes(error, base[path].values)
        errors[path] = sizes * _fading(shocks, error, horizon.step_h)
    return [
        Drawn(
            f"draw_{i + 1}",
            1 / method.count,
            {path: base[path].with_error(errors[path][i]) for path in method.fields},
        )
        for i in range(method.count)
    ]


def _sizes(error: AutoregressiveError, base: Array) -> Array:
    if error.sigma is not None:
        return np.full(len(base), error.sigma)
    assert error.error_share is not None
    return error.error_share * np.abs(base)


def _fading(shocks: Array, error: AutoregressiveError, step_h: float) -> Array:
    """Return errors of unit size in every step, the first one too; shape (members, steps)."""
    keep = error.hourly_correlation**step_h
    fresh = np.sqrt(1 - keep**2) * shocks
    fresh[:, 0] = shocks[:, 0]
    return autoregressive(fresh, keep)


def _bootstrap(method: Bootstrap, base: Erring, context: Context) -> list[Drawn]:
    horizon = context.horizon
    past = {}
    for path, field in sorted(method.fields.items()):
        try:
            past[path] = past_days(field, context)
        except ValueError as error:
            raise FieldError(path, str(error)) from None
    days = sorted(set.intersection(*(set(found) for found in past.values())))
    if not days:
        raise FieldError(min(past), "no whole day has both forecast and actual for every field")
    rng = np.random.default_rng(method.seed)
    place = horizon.minute_of_day // horizon.step_min
    members = []
    for i in range(method.count):
        errors = {path: np.zeros(horizon.steps) for path in past}
        for steps in horizon.days:
            day = days[int(rng.integers(len(days)))]
            mine = np.array(steps) - 1
            for path, by_day in past.items():
                errors[path][mine] = by_day[day][place[mine]]
        series = {path: base[path].with_error(errors[path]) for path in past}
        members.append(Drawn(f"draw_{i + 1}", 1 / method.count, series))
    return members


def past_days(field: PastErrors, context: Context) -> dict[str, Array]:
    """Return the errors of every whole local day of a file, by date; shape (steps of a day,).

    Raises:
        ValueError: the file cannot be read, or has another step than the horizon.
    """
    horizon = context.horizon
    table = context.table(field.csv, field.encoding)
    if table.step_min != horizon.step_min:
        said = f"{field.csv} has a step of {table.step_min or 0:g} min"
        raise ValueError(f"{said}, the horizon of {horizon.step_min} min; they must be the same")
    errors = field.scale * (table.column(field.actual) - table.column(field.forecast))
    times = table.times
    if field.stamp == "end":
        times = times - pd.Timedelta(minutes=horizon.step_min)
    a_day = 24 * 60 // horizon.step_min
    found: dict[str, Array] = {}
    for date, rows in pd.Series(np.arange(len(times))).groupby(times.strftime("%Y-%m-%d")):
        part = errors[rows.to_numpy()]
        if len(part) == a_day and np.isfinite(part).all():  # times ascend: whole, and in order
            found[str(date)] = part
    return found


def _quantiles(method: Quantile, base: Erring, context: Context) -> list[Drawn]:
    first, *others = sorted(method.fields)
    levels = sorted(method.fields[first].columns.values())
    for path in others:
        if sorted(method.fields[path].columns.values()) != levels:
            said = f"must have the levels of {first}, {', '.join(f'{v:g}' for v in levels)}"
            raise FieldError(path, f"columns: {said}")
    twice = [a for a, b in pairwise(levels) if a == b]
    if twice:
        raise FieldError(first, f"columns: level {twice[0]:g} is given twice")
    members = []
    for level, probability in zip(levels, between(levels), strict=True):
        series = {}
        for path, field in method.fields.items():
            column = next(name for name, of in field.columns.items() if of == level)
            form = CsvSeries(
                csv=field.csv, column=column, stamp=field.stamp, scale=field.scale,
                encoding=field.encoding, resample=field.resample,
            )  # fmt: skip
            try:
                series[path] = base[path].within_limits(form.resolve(context))
            except ValueError as error:
                raise FieldError(path, str(error)) from None
        members.append(Drawn(f"p{100 * level:g}".replace(".", "_"), probability, series))
    return members


def between(levels: list[float]) -> list[float]:
    """Return the part of 0..1 that is nearest to each of some ascending levels."""
    middles = [(a + b) / 2 for a, b in pairwise(levels)]
    return [b - a for a, b in pairwise([0.0, *middles, 1.0])]
