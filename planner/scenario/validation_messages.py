"""Validation errors as messages about the scenario: where, what is wrong, what would be right.

A validator of a whole mapping may name the field at fault by beginning its message with it:
`raise ValueError("initial.energy_mwh must lie between ...")` stands at `initial.energy_mwh`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from planner.errors import Key, as_written, did_you_mean
from planner.fields import FieldError, Frozen
from planner.scenario.paths import parse_path
from planner.timeseries.series import CONSTANT, SERIES_MODELS

LATER_FIELDS = {
    "capital_cny_per_mw", "capital_cny_per_mwh", "capital_cny_per_node", "finance",
    "fixed_cny_per_mw_year", "life_years",
}  # fmt: skip

_MESSAGES = {
    "greater_than_equal": "must be {ge:g} or more",
    "greater_than": "must be above {gt:g}",
    "less_than_equal": "must be {le:g} or less",
    "less_than": "must be below {lt:g}",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "string_too_short": "may not be empty",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "date_type": "must be a date such as 2026-10-01",
    "invalid_key": "keys must be words",
    "literal_error": "must be {expected}",
}
_PATTERN_MESSAGES = {
    r"^[a-z][a-z0-9_]*$": "must be small letters, digits and _, beginning with a letter",
    r"^\d{4}-(0[1-9]|1[0-2])$": "must be a month such as 2026-07",
}
_SERIES = "must be a number, a list, or a mapping with csv and column, hours, or calendar"
_NAMED = re.compile(r"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+|\[\d+\])*):? (.*)", re.DOTALL)


def explain(
    error: ValidationError, model: type[Frozen], *, form_only: bool = False
) -> Iterator[tuple[Key, str]]:
    """Yield every problem of a validation as its path below the model and its message.

    With `form_only`, leave out what our own validators say: it may rest on the horizon.
    """
    details = error.errors(include_url=False)
    if form_only:
        details = [detail for detail in details if detail["type"] != "value_error"]
    places = [detail["loc"] for detail in details]
    for detail in details:
        place = detail["loc"]
        if detail["type"] == "too_short" and any(
            other[: len(place)] == place and other != place for other in places
        ):
            continue  # counted without the entries that are wrong themselves
        yield _place(detail, model)


def _place(detail: ErrorDetails, model: type[Frozen]) -> tuple[Key, str]:
    *before, last = detail["loc"] or ("",)
    path = tuple(part for part in before if not str(part).startswith("="))
    tagged = str(last).startswith("=") and detail["type"] != "extra_forbidden"
    if detail["loc"] and not tagged and last != "[key]":
        path = (*path, last)
    if detail["type"] == "extra_forbidden":
        return path, _unknown(str(last), _models_at(model, path[:-1]))
    if detail["type"] in ("value_error", "assertion_error"):
        error = detail["ctx"]["error"]
        if isinstance(error, FieldError):
            return (*path, *(parse_path(error.path) if error.path else ())), error.message
        message = str(error)
        named = _NAMED.fullmatch(message)
        if named:
            below = parse_path(named[1])
            if any(below[0] in m.model_fields for m in _models_at(model, path)):
                return (*path, *below), named[2]
        return path, message
    return path, _message(detail)


def _unknown(field: str, models: set[type[Frozen]]) -> str:
    if field in LATER_FIELDS:
        return "is not yet available"
    known = sorted({name for model in models for name in model.model_fields})
    if field in known:
        return "cannot go with the other fields here"
    return f"is not a field here{did_you_mean(field, known)}"


def _message(detail: ErrorDetails) -> str:
    kind, value, more = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "is required"
    if kind in ("too_short", "too_long"):
        least, most = more.get("min_length"), more.get("max_length")
        wanted = f"{least} or more entries" if most is None else f"{most} entries"
        wanted = "24 entries, one an hour" if 24 in (least, most) else wanted
        return f"must have {wanted}, has {more.get('actual_length') or len(value)}"
    if kind == "float_type" and detail["loc"][-1] == CONSTANT:
        scale_alone = isinstance(value, dict) and set(value) == {"scale"}
        hint = "; a scale alone belongs in an override" if scale_alone else ""
        return f"{_SERIES}, is {as_written(value)}{hint}"
    if kind == "form":  # worded where the forms of the field are told apart
        return f"{detail['msg']}, is {as_written(value)}"
    message = _MESSAGES.get(kind)
    if kind == "string_pattern_mismatch":
        message = _PATTERN_MESSAGES.get(more["pattern"], "must match {pattern}")
    if message is None:
        return f"is not valid here, is {as_written(value)}"
    return f"{message.format(**more)}, is {as_written(value)}"


def _models_at(model: type[Frozen], path: Key) -> set[type[Frozen]]:
    """Return the models that may describe the mapping at a path below a model."""
    models = {model}
    for part in path:
        fields = [m.model_fields[part] for m in models if part in m.model_fields]
        if fields:
            models = {below for field in fields for below in _models_in(field.annotation)}
    return models


def _models_in(annotation: Any) -> Iterator[type[Frozen]]:
    if annotation is np.ndarray:
        yield from SERIES_MODELS
    elif isinstance(annotation, type) and issubclass(annotation, Frozen):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
