"""Validation errors as messages about the scenario: the place, the mistake, what would be right.

A validator of a whole mapping names the field at fault by its path:
`raise FieldError(Message("must lie between ..."), "initial.energy_mwh")`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from planner.errors import Key, as_written, did_you_mean
from planner.fields import NAME, TITLE, FieldError, Frozen
from planner.message import Message, MessageList, places_of, template
from planner.scenario.paths import parse_path
from planner.timeseries.series import CONSTANT, SERIES_MODELS

LATER_FIELDS = {
    "capital_cny_per_mw", "capital_cny_per_mwh", "capital_cny_per_node", "finance",
    "fixed_cny_per_mw_year", "life_years",
}  # fmt: skip

_RULES = {  # by the type of the error
    "greater_than_equal": template("must be {ge:g} or more"),
    "greater_than": template("must be above {gt:g}"),
    "less_than_equal": template("must be {le:g} or less"),
    "less_than": template("must be below {lt:g}"),
    "finite_number": template("must be a finite number"),
    "float_type": template("must be a number"),
    "int_type": template("must be a whole number"),
    "int_parsing_size": template("must be a smaller number"),
    "bool_type": template("must be true or false"),
    "string_type": template("must be a text"),
    "string_too_short": template("may not be empty"),
    "tuple_type": template("must be a list"),
    "dict_type": template("must be a mapping"),
    "model_type": template("must be a mapping"),
    "date_type": template("must be a date such as 2026-10-01"),
    "invalid_key": template("keys must be words"),
    # patterns of texts
    NAME: template("must be small letters, digits and _, beginning with a letter"),
    TITLE: template("may not be empty"),
    r"^\d{4}-(0[1-9]|1[0-2])$": template("must be a month such as 2026-07"),
}


def explain(
    error: ValidationError, model: type[Frozen], *, form_only: bool = False
) -> Iterator[tuple[Key, Message]]:
    """Yield every problem of a validation as its path below the model and its message.

    With `form_only`, leave out the errors of our own validators: they may rest on the horizon.
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
        yield from _problems(detail, model)


def _problems(detail: ErrorDetails, model: type[Frozen]) -> Iterator[tuple[Key, Message]]:
    *before, last = detail["loc"] or ("",)
    path = tuple(part for part in before if not str(part).startswith("="))
    tagged = str(last).startswith("=") and detail["type"] != "extra_forbidden"
    if detail["loc"] and not tagged and last != "[key]":
        path = (*path, last)
    if detail["type"] == "extra_forbidden":
        yield path, _unknown(str(last), _models_at(model, path[:-1]))
    elif detail["type"] not in ("value_error", "assertion_error"):
        yield path, _message(detail)
    elif isinstance(error := detail["ctx"]["error"], FieldError):
        for one in (error, *error.others):
            yield (*path, *(parse_path(one.path) if one.path else ())), one.message
    else:  # of a kind from outside
        yield path, MessageList("", [str(error)])


def _unknown(field: str, models: set[type[Frozen]]) -> Message:
    if field in LATER_FIELDS:
        return Message("is not yet available")
    known = sorted({name for model in models for name in model.model_fields})
    if field in known:
        return Message("cannot go with the other fields here")
    return Message("is not a field here{hint}", hint=did_you_mean(field, known))


def _message(detail: ErrorDetails) -> Message:
    kind, value, limits = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return Message("is required")
    if kind in ("too_short", "too_long"):
        return _wrong_length(limits, limits.get("actual_length") or len(value))
    rule, hint = Message("is not valid here"), ""
    if kind == "float_type" and detail["loc"][-1] == CONSTANT:
        rule = Message(
            "must be a number, a list, or a mapping with csv and column, hours, or calendar"
        )
        if isinstance(value, dict) and set(value) == {"scale"}:
            hint = Message("; a scale alone belongs in an override")
    elif kind == "form":
        rule = limits["message"]
    elif kind == "literal_error":
        *most, last = re.split(", | or ", limits["expected"])
        rule = Message("must be {name}", name=last)
        if most:
            rule = Message("must be {names} or {other}", names=", ".join(most), other=last)
    elif rule_template := _RULES.get(limits.get("pattern", kind)):
        rule = Message(rule_template, **{name: limits[name] for name in places_of(rule_template)})
    return Message("{sentence}, is {text}{hint}", sentence=rule, text=as_written(value), hint=hint)


def _wrong_length(limits: dict[str, Any], length: int) -> Message:
    low, high = limits.get("min_length"), limits.get("max_length")
    if 24 in (low, high):
        return Message("must have 24 entries, one an hour, has {count}", count=length)
    if high is None:
        return Message("must have {low} or more entries, has {count}", low=low, count=length)
    return Message("must have {high} entries, has {count}", high=high, count=length)


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
