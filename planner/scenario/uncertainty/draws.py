"""Members made of forecast errors: random but reproducible, each with its own series by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pandas as pd

from planner.fields import FieldError
from planner.message import Message
from planner.scenario.series_errors import ErringSeries, autoregressive
from planner.scenario.uncertainty.fields import (
    Autoregressive,
    AutoregressiveError,
    Bootstrap,
    Member,
    PastErrors,
    Quantile,
)
from planner.timeseries.forms import Context, CsvSeries
from planner.timeseries.horizon import Horizon
from planner.timeseries.matched_rows import unequal_steps
from planner.timeseries.series import Array

Erring = Mapping[str, ErringSeries]


def draw(
    method: Autoregressive | Bootstrap | Quantile, base: Erring, context: Context
) -> list[Member]:
    """Make the members of a method; each sets series by path.

    Args:
        method: the method of the scenario, with its fields.
        base: the scenario's own series by path, with their limits.
        context: what CSV columns are read with.

    Raises:
        FieldError: a file or column cannot be used; its path is that of the series and below it.
    """
    if isinstance(method, Autoregressive):
        return _autoregressive(method, base, context.horizon)
    if isinstance(method, Bootstrap):
        return _bootstrap(method, base, context)
    return _quantiles(method, base, context)


def _autoregressive(method: Autoregressive, base: Erring, horizon: Horizon) -> list[Member]:
    rng = np.random.default_rng(method.seed)
    shape = method.count, horizon.steps
    common = rng.standard_normal(shape)
    errors: dict[str, Array] = {}
    for path, error in sorted(method.fields.items()):
        own, weight = rng.standard_normal(shape), error.common_correlation
        shocks = weight * common + np.sqrt(1 - weight**2) * own
        sizes = _sizes(error, base[path].values)
        errors[path] = sizes * _unit_errors(shocks, error, horizon.step_h)
    return [
        _drawn(method, i, {path: base[path].with_error(errors[path][i]) for path in method.fields})
        for i in range(method.count)
    ]


def _drawn(method: Autoregressive | Bootstrap, i: int, series: dict[str, Array]) -> Member:
    return Member(name=f"draw_{i + 1}", probability=1 / method.count, set=series)


def _sizes(error: AutoregressiveError, base: Array) -> Array:
    if error.sigma is not None:
        return np.full(len(base), error.sigma)
    assert error.error_share is not None
    return error.error_share * np.abs(base)


def _unit_errors(shocks: Array, error: AutoregressiveError, step_h: float) -> Array:
    """Return errors with standard deviation 1 in every step; shape (members, steps)."""
    correlation = error.hourly_correlation**step_h
    scaled = np.sqrt(1 - correlation**2) * shocks
    scaled[:, 0] = shocks[:, 0]
    return autoregressive(scaled, correlation)


def _bootstrap(method: Bootstrap, base: Erring, context: Context) -> list[Member]:
    horizon = context.horizon
    past = {}
    for path, field in sorted(method.fields.items()):
        with _below(path):
            past[path] = past_days(field, context)
    days = sorted(set.intersection(*(set(by_day) for by_day in past.values())))
    if not days:
        message = Message("no whole day has both forecast and actual for every field")
        raise FieldError(message, min(past))
    rng = np.random.default_rng(method.seed)
    step_of_day = horizon.minute_of_day // horizon.step_min
    members = []
    for i in range(method.count):
        errors = {path: np.zeros(horizon.steps) for path in past}
        for steps in horizon.days:
            day = days[int(rng.integers(len(days)))]
            indices = np.array(steps) - 1
            for path, by_day in past.items():
                errors[path][indices] = by_day[day][step_of_day[indices]]
        series = {path: base[path].with_error(errors[path]) for path in past}
        members.append(_drawn(method, i, series))
    return members


@contextmanager
def _below(path: str) -> Iterator[None]:
    """Put the path of a series before that of an error."""
    try:
        yield
    except FieldError as error:
        raise FieldError(error.message, f"{path}.{error.path}".rstrip(".")) from None


def past_days(field: PastErrors, context: Context) -> dict[str, Array]:
    """Return the errors of every whole local day of a file, by date; shape (steps of a day,).

    Raises:
        FieldError: the file cannot be read, or its step is not that of the horizon.
    """
    horizon = context.horizon
    table = context.table(field.csv, field.encoding)
    if table.step_min != horizon.step_min:
        remedy = Message("they must be the same")
        raise FieldError(unequal_steps(field.csv, [table.step_min or 0], horizon, remedy))
    errors = field.scale * (table.column(field.actual) - table.column(field.forecast))
    times = table.times
    if field.stamp == "end":
        times = times - pd.Timedelta(minutes=horizon.step_min)
    a_day = 24 * 60 // horizon.step_min
    return {
        str(date): part.to_numpy()
        for date, part in pd.Series(errors).groupby(times.strftime("%Y-%m-%d"))
        if len(part) == a_day and np.isfinite(part).all()  # times ascend: whole, and in order
    }


def _quantiles(method: Quantile, base: Erring, context: Context) -> list[Member]:
    first, *others = sorted(method.fields)
    levels = sorted(method.fields[first].columns.values())
    for path in others:
        if sorted(method.fields[path].columns.values()) != levels:
            message = Message(
                "must have the levels of {path}, {levels}",
                path=first,
                levels=", ".join(f"{level:g}" for level in levels),
            )
            raise FieldError(message, f"{path}.columns")
    twice = [a for a, b in pairwise(levels) if a == b]
    if twice:
        message = Message("level {level:g} is given twice", level=twice[0])
        raise FieldError(message, f"{first}.columns")
    members = []
    for level, probability in zip(levels, between(levels), strict=True):
        series = {}
        for path, field in method.fields.items():
            column = next(name for name, quantile in field.columns.items() if quantile == level)
            form = CsvSeries(column=column, **field.model_dump(exclude={"columns"}))
            with _below(path):
                series[path] = base[path].within_limits(form.resolve(context))
        name = f"p{100 * level:g}".replace(".", "_")
        members.append(Member(name=name, probability=probability, set=series))
    return members


def between(levels: list[float]) -> list[float]:
    """Return the part of 0..1 that is nearest to each of some ascending levels."""
    middles = [(a + b) / 2 for a, b in pairwise(levels)]
    return [b - a for a, b in pairwise([0.0, *middles, 1.0])]
