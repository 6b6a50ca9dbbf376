"""Values of typed classes that a program makes outside a scenario, such as `Battery(...)`.

What can be checked without a horizon is checked at once. What needs one (series that vary, times,
hours of the day) stays in the form given until the value joins a scenario, which checks it in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from planner.errors import Problem, ScenarioError, dotted
from planner.fields import Frozen
from planner.scenario.python_values import document_of, plain_value
from planner.scenario.reading import read

Value = TypeVar("Value", bound=Frozen)


def read_outside(model: type[Value], data: Mapping[str, Any], base: Value | None = None) -> Value:
    """Return a value of a class without a horizon; `base` has the fields that are not given.

    Raises:
        ScenarioError: with every problem found.
    """
    name = model.__name__
    plain = document_of(data, name).data
    if base is not None:
        plain = plain_value(base) | plain
    reading = read(model, plain)
    if reading.problems:
        raise ScenarioError([Problem(text, dotted(path), name) for path, text in reading.problems])
    if reading.value is not None:
        return reading.value
    assert reading.partial is not None, model
    valid = vars(reading.partial)
    fields = {
        key: valid[key] if key in valid else plain[key]
        for key in model.model_fields
        if key in valid or key in plain
    }
    return model.unchecked(set(plain), **fields)
