"""Forecasts of series; the scenario's own series are the actuals.

A forecast is either a series in any form, the same whenever it is issued, or drawn around the
actuals. The error of a drawn forecast after l hours of lead time is

    e[l] = r e[l - Δ] + sqrt(1 - r²) size error z[l]      r = correlation_per_h^Δ, e[0] = 0

with independent standard normal z: its standard deviation grows from 0 to size x error as
size error sqrt(1 - correlation_per_h^(2 l)). The size is 1 for a series of 0..1 (so the error is
one of capacity), else the mean of the actuals' amounts over the horizon. Values are cut at the
limits of their field; what is 0 and cannot be below 0 stays 0 (sun at night, a service that rests).
Each issue has a draw of its own, which follows from the seeds and the step: the same input, the
same forecast.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationError

from planner.components.component import Component
from planner.errors import Key, ScenarioError, as_written
from planner.fields import FieldError, Frozen
from planner.message import Message
from planner.scenario.paths import replaced, value_at
from planner.scenario.series_errors import ErringSeries, autoregressive
from planner.scenario.validation_messages import explain
from planner.timeseries.forms import Context
from planner.timeseries.series import Array


class Ar1(Frozen):
    """An error that grows with the lead time and stays correlated (autoregressive, order 1)."""

    error: Annotated[float, Field(ge=0, le=10)]
    """Standard deviation far ahead: of capacity for a series of 0..1, else of the mean amount."""
    correlation_per_h: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Correlation of the errors of two hours that follow each other."""


class DrawnForecast(Frozen):
    """A forecast drawn around the actuals."""

    ar1: Ar1
    """Its error."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """Seed of its draws; series with the same seed have the same draws [each has its own]."""


Forecast = np.ndarray[Any, np.dtype[np.float64]] | DrawnForecast
Report = Callable[[Key, Message], None]


def read_forecasts(
    specs: Any,
    parts: Mapping[str, Any],
    components: Mapping[str, Component],
    context: Context,
    report: Report,
) -> dict[str, Forecast]:
    """Check the forecasts of a scenario file, by the path of their series.

    Args:
        specs: what the file holds under `forecast`.
        parts: what it holds under `components`: a forecast that is a series is checked in the place
            of the actual one, by the very same field.
        components: the valid components.
        context: what series are read with.
        report: receives every problem, with its path.
    """
    if specs is None:
        return {}
    if not isinstance(specs, dict):
        message = Message("must be a mapping of paths such as components.pv.availability_pu")
        report(("forecast",), message)
        return {}
    forecasts: dict[str, Forecast] = {}
    for path, spec in specs.items():
        forecast = _forecast(path, spec, parts, components, context, report)
        if forecast is not None:
            forecasts[path] = forecast
    return forecasts


def _forecast(
    path: Any,
    spec: Any,
    parts: Mapping[str, Any],
    components: Mapping[str, Component],
    context: Context,
    report: Report,
) -> Forecast | None:
    """Return the forecast at a path; None where it has problems, or its component has."""
    key: Key = ("forecast", str(path))
    drawn = isinstance(spec, dict) and bool({"ar1", "seed"} & set(spec))
    try:
        if not isinstance(path, str) or not path.startswith("components."):
            raise FieldError(Message("is not a path such as components.pv.availability_pu"))
        data, (where,) = replaced({"components": dict(parts)}, {path: None if drawn else spec})
        name = str(where[1])
        if name not in components:
            return None  # the component has problems of its own
        component: Any = components[name]
        if not isinstance(value_at(component, where[2:]), np.ndarray):
            raise FieldError(Message("is not a series of the scenario, which could be forecast"))
        if drawn:
            return DrawnForecast.model_validate(spec)
        changed = type(component).model_validate(data["components"][name], context=context)
        values = value_at(changed, where[2:])
        if not isinstance(values, np.ndarray):
            raise FieldError(
                Message(
                    "must be a series in any form, or ar1 with error and correlation_per_h, is"
                    " {text}",
                    text=as_written(spec),
                )
            )
        return values
    except ScenarioError as error:
        for problem in error.problems:
            report(key, problem.message)
    except ValidationError as error:
        model = DrawnForecast if drawn else type(component)
        for place, message in explain(error, model):
            report((*key, *(place if drawn else place[len(where) - 2 :])), message)
    except FieldError as error:
        report(key, error.message)
    return None


def drawn_forecast(
    series: ErringSeries,
    forecast: DrawnForecast,
    *,
    known: int,
    step_h: float,
    path: str,
    key: tuple[int, ...],
    around: Array | None = None,
) -> Array:
    """Draw a forecast of a series; shape (T,).

    Args:
        series: the actuals; the first `known` values are kept.
        forecast: its error and its seed.
        known: the steps that are known when it is issued.
        step_h: length of a step in hours.
        path: of the series; it takes the place of the seed where the forecast has none.
        key: distinguishes this draw from others.
        around: what the errors are added to, by default the actuals: members around a forecast.
    """
    actual = series.values
    centre = (actual if around is None else around)[known:]
    if not len(centre):
        return actual
    r = forecast.ar1.correlation_per_h**step_h
    own = zlib.crc32(path.encode()) if forecast.seed is None else forecast.seed
    seeds = [int(forecast.seed is None), own, known, *key]
    shocks = np.random.default_rng(seeds).standard_normal(len(centre))
    spread = np.sqrt(1 - r * r) * series.size * forecast.ar1.error
    errors = autoregressive(spread * shocks, r)
    return np.concatenate([actual[:known], series.within_limits(centre + errors, centre)])
