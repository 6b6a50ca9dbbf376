"""A scenario as it is believed at some moment: series that are forecast hold what is known so far,
then the forecast that was issued last."""  # noqa: D205, D209

from __future__ import annotations

import numpy as np

from planner.forecast import (
    DrawnForecast,
    drawn_forecast,
    limits_of,
    path_of,
)
from planner.paths import value_at, with_value
from planner.scenario import Scenario
from planner.series import Array


def forecasts(scenario: Scenario, issued: int, seed: int, member: int = 0) -> dict[str, Array]:
    """Return every forecast series as it is issued after so many steps, by path; shape (T,).

    Args:
        scenario: with the actuals.
        issued: the steps that are known when the forecasts are made.
        seed: of the simulation, beside those of the forecasts.
        member: 0 is the forecast, 1, 2, ... are draws of what may come around it. Series that are
            given have no error to draw from: they are the same in all members.
    """
    found: dict[str, Array] = {}
    for text, forecast in scenario.forecast.items():
        path = path_of(scenario.components, text)
        actual = value_at(scenario.components, path)
        if not isinstance(forecast, DrawnForecast):
            found[text] = np.concatenate([actual[:issued], forecast[issued:]])
            continue
        limits = limits_of(scenario.components[str(path[0])], path[1:])
        step_h = scenario.horizon.step_h
        made: Array | None = None
        for number in (0, member) if member else (0,):
            made = drawn_forecast(
                actual, forecast, limits, known=issued, step_h=step_h,
                path=text, key=(seed, number), around=made,
            )  # fmt: skip
        assert made is not None
        found[text] = made
    return found


def believed(scenario: Scenario, series: dict[str, Array], known: int) -> Scenario:
    """Return a scenario with its actuals for the first `known` steps and forecasts afterwards."""
    components = scenario.components
    for text, forecast in series.items():
        path = path_of(scenario.components, text)
        actual = value_at(scenario.components, path)
        values = np.concatenate([actual[:known], forecast[known:]])
        components = with_value(components, path, values)
    return scenario.model_copy(update={"components": components})


def as_expected(scenario: Scenario, series: dict[str, Array], step: int) -> bool:
    """Say whether every series is in a step what the forecast was."""
    return all(
        value_at(scenario.components, path_of(scenario.components, text))[step - 1]
        == forecast[step - 1]
        for text, forecast in series.items()
    )
