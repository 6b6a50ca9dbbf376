"""A checked scenario as plain data that can be read again, and the numbers of plain data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from planner.fields import Frozen
from planner.scenario.scenario_file import ScenarioFile
from planner.timeseries.series import Array


def plain_scenario(scenario: ScenarioFile, first: int = 0) -> dict[str, Any]:
    """Return a scenario as plain data, to be changed and read again.

    Fields that follow from others are left out; series that vary become lists, which begin with
    the step after `first`.
    """
    return dict(plain_data(scenario, lambda values, _: values[first:].tolist(), following=False))


def plain_data(
    value: Any, varying: Callable[[Array, str], Any], path: str = "", *, following: bool = True
) -> Any:
    """Return a value as plain data with every default.

    `varying` converts a series that varies, from its path too; without `following`, fields that
    follow from others are left out.
    """
    plain = partial(plain_data, varying=varying, following=following)

    def below(key: object, item: Any) -> Any:
        return plain(item, path=f"{path}.{key}" if path else str(key))

    if isinstance(value, np.ndarray):
        return float(value[0]) if (value == value[0]).all() else varying(value, path)
    if isinstance(value, Frozen):
        left_out = set() if following else value.follows.keys() - value.model_fields_set
        names = [name for name in type(value).model_fields if name not in left_out]
        return {name: below(name, getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {key: below(key, item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item, path=f"{path}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value


def without_following(data: Any, value: Any) -> Any:
    """Return the plain data of a checked value without the fields that follow from others."""
    if isinstance(value, Frozen) and isinstance(data, dict):
        left_out = value.follows.keys() - value.model_fields_set
        value, data = vars(value), {key: data[key] for key in data if key not in left_out}
    if isinstance(value, dict) and isinstance(data, dict):
        return {key: without_following(item, value.get(key)) for key, item in data.items()}
    if isinstance(value, tuple) and isinstance(data, list) and len(value) == len(data):
        return [without_following(*pair) for pair in zip(data, value, strict=True)]
    return data


def flat(summary: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float | None]]:
    """Yield the numbers of a summary by dotted path; None for a figure without a value."""
    for key, value in summary.items():
        path = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping):
            yield from flat(value, path)
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield path, value
