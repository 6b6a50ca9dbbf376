"""Series that err keep the limits of their own field, whatever it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import ValidationError, create_model

import planner
from planner.components.registry import KINDS
from planner.errors import Key, dotted
from planner.fields import Frozen
from planner.scenario.forecast_fields import Ar1, DrawnForecast, drawn_forecast
from planner.scenario.paths import value_at
from planner.scenario.scenario import members_of
from planner.scenario.series_errors import ErringSeries, autoregressive
from planner.scenario.uncertainty.draws import draw
from planner.scenario.uncertainty.fields import Autoregressive, AutoregressiveError
from planner.timeseries.forms import Context
from planner.timeseries.horizon import Calendar
from planner.timeseries.series import SeriesBounds
from tests.support import full_site
from tests.support.build import grid, load, scenario

# What the full site leaves out: fields that are none, and the other form of fields that have two.
BY_ORIGIN = {
    "components.grid.export_price_cny_per_mwh.grid": 1,
    "components.grid.self_use_charge_cny_per_mwh": {"renewable": 5, "thermal": 6, "grid": 7},
}
PLAIN = {
    "components.grid.declaration": {"exchange_mw": -5, "over_cost_cny_per_mwh": 9},
    "components.grid.real_time_price_cny_per_mwh": 500,
    "components.grid.export_price_cny_per_mwh": 400,
    "components.grid.self_use_charge_cny_per_mwh": 5,
    "components.gpus.pue": 1.3,
}


def models(annotation: Any) -> Iterator[type[Frozen]]:
    """Every model that a field may hold, and those below it."""
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(annotation):
        yield from models(part)


def is_series(*parts: Any) -> bool:
    return any(isinstance(part, SeriesBounds) or is_series(*get_args(part)) for part in parts)


ALL = {
    (model.__name__, name)
    for kind in KINDS.values()
    for model in models(kind.component)
    for name, field in model.model_fields.items()
    if is_series(field.annotation, *field.metadata)
}


def paths(value: Any, path: Key = ()) -> Iterator[Key]:
    """The path of every series below a value."""
    if isinstance(value, np.ndarray):
        yield path
    elif isinstance(value, Frozen):
        for name in type(value).model_fields:
            yield from paths(getattr(value, name), (*path, name))
    elif isinstance(value, dict | tuple):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(part, (*path, key))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> list[planner.Scenario]:
    file = full_site.write(tmp_path_factory.mktemp("full"))
    return [planner.load(file, set=changes) for changes in (BY_ORIGIN, PLAIN)]


def field_at(site: planner.Scenario, path: Key) -> Callable[[Any], Any]:
    """Return what validates values by the field at a path alone."""
    field = type(value_at(site, path[:-1])).model_fields[str(path[-1])]
    model: Any = create_model("One", __base__=Frozen, value=(field.annotation, field))
    context = Context(site.horizon, Calendar((), ()), Path())
    return lambda values: model.model_validate({"value": values}, context=context)


def made(site: planner.Scenario, series: ErringSeries, sigma: float) -> np.ndarray:
    """Values drawn both ways, as members and as forecasts; shape (draws, steps)."""
    error = AutoregressiveError(sigma=sigma, hourly_correlation=0.5)
    method = Autoregressive(method="ar1", count=20, seed=1, fields={"x": error})
    context = Context(site.horizon, Calendar((), ()), Path())
    members = [member.set["x"] for member in draw(method, {"x": series}, context)]
    spec = DrawnForecast(ar1=Ar1(error=sigma / series.size))
    forecasts = [
        drawn_forecast(series, spec, known=0, step_h=1.0, path="x", key=(i,)) for i in range(20)
    ]
    return np.array(members + forecasts)


def test_every_series_of_every_kind_errs_within_the_limits_of_its_field(
    sites: list[planner.Scenario],
):
    seen: set[tuple[str, str]] = set()
    for site in sites:
        for path in paths(site.components, ("components",)):
            field = type(value_at(site, path[:-1])).__name__, str(path[-1])
            if field in seen:
                continue
            seen.add(field)
            limits, validate = ErringSeries.at(site, path).limits, field_at(site, path)
            try:  # does the field itself take a negative value?
                validate(np.full(12, -5.0))
                centre, may_fall = -5.0, True
            except ValidationError:
                centre, may_fall = (0.5 if limits.le == 1 else 5.0), False
            assert may_fall == (limits.ge is None and limits.gt is None), dotted(path)
            values = np.full(12, centre)
            if not may_fall and limits.ge == 0:
                values[3] = 0.0
            series = ErringSeries(values, limits)
            far = made(site, series, 5 * abs(centre))
            for row in far:
                validate(row)  # raises where one is beyond the limits of the field
            near = made(site, series, 0.01 * abs(centre))
            assert (np.sign(near) == np.sign(values)).all(), dotted(path)
            if may_fall:
                assert far.min() < -5 < 5 < far.max(), dotted(path)  # not cut at all
            else:
                assert not far[:, values == 0].any(), dotted(path)
    assert seen == ALL


def test_what_is_declared_or_contracted_below_0_keeps_its_sign():
    """-5 MW that errs by 0.01 MW is about -5 MW in every member, never 0."""
    site = {
        "grid": grid(
            declaration={"exchange_mw": -5, "over_cost_cny_per_mwh": 7},
            real_time_price_cny_per_mwh=3,
        ),
        "city": load(3),
        "hedge": {"kind": "contract", "mw": -5, "price_cny_per_mwh": 2,
                  "reference_price_cny_per_mwh": 3},
    }  # fmt: skip
    error = {"sigma": 0.01, "hourly_correlation": 0}
    fields = {"components.grid.declaration.exchange_mw": error, "components.hedge.mw": error}
    drawn = {"method": "ar1", "count": 3, "seed": 1, "fields": fields}
    members = members_of(scenario(site, uncertainty={"members": drawn})).values()
    for _, member in members:
        declared = member.components["grid"].declaration.exchange_mw
        assert declared == pytest.approx([-5], abs=0.1)
        assert member.components["hedge"].mw == pytest.approx([-5], abs=0.1)
        assert declared != [-5]


def test_an_error_fades_and_takes_in_a_shock_a_step():
    """Half of 4 and a shock of 1 are 3, half of 3 and none are 1.5."""
    assert autoregressive(np.array([4.0, 1.0, 0.0]), 0.5).tolist() == [4.0, 3.0, 1.5]
    both = autoregressive(np.array([[4.0, 1.0, 0.0], [0.0, 2.0, -1.0]]), 0.5)
    assert both.tolist() == [[4.0, 3.0, 1.5], [0.0, 2.0, 0.0]]


@pytest.mark.parametrize(
    ("limits", "values", "kept"),
    [
        (SeriesBounds(), [-9.0, 9.0, 9.0], [-9.0, 9.0, 9.0]),
        (SeriesBounds(ge=0), [-9.0, 9.0, 9.0], [0.0, 0.0, 9.0]),  # the 0 in the middle stays 0
        (SeriesBounds(ge=0, le=1), [-9.0, 9.0, 9.0], [0.0, 0.0, 1.0]),
        (SeriesBounds(ge=1), [-9.0, 9.0, 9.0], [1.0, 9.0, 9.0]),
        (SeriesBounds(gt=0), [-9.0, 9.0, 9.0], [0.04, 9.0, 9.0]),  # a hundredth of the mean amount
    ],
)
def test_values_beyond_a_limit_are_set_to_it(
    limits: SeriesBounds, values: list[float], kept: list[float]
):
    series = ErringSeries(np.array([4.0, 0.0, 8.0]), limits)
    assert series.within_limits(np.array(values)) == pytest.approx(kept)
