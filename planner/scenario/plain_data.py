"""A checked scenario as plain data that can be read again, and the numbers of plain data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from planner.fields import Frozen
from planner.scenario.scenario_file import ScenarioFile
from planner.timeseries.series import Array


def plain_scenario(scenario: ScenarioFile) -> dict[str, Any]:
    """Return a scenario as plain data with every default; series that vary become lists."""
    return dict(plain_data(scenario, lambda values, _: values.tolist()))


def plain_data(value: Any, varying: Callable[[Array, str], Any], path: str = "") -> Any:
    """Return a value as plain data; `varying` converts a series that varies, from its path too."""

    def below(key: object, item: Any) -> Any:
        return plain_data(item, varying, f"{path}.{key}" if path else str(key))

    if isinstance(value, np.ndarray):
        return float(value[0]) if (value == value[0]).all() else varying(value, path)
    if isinstance(value, Frozen):
        return {name: below(name, getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {key: below(key, item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain_data(item, varying, f"{path}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value


def flat(summary: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float | None]]:
    """Yield the numbers of a summary by dotted path; None for a figure without a value."""
    for key, value in summary.items():
        path = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping):
            yield from flat(value, path)
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield path, value
