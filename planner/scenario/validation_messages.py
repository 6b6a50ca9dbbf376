"""Validation errors as messages about the scenario: the place, the mistake, what would be right.

A validator of a whole mapping names the field at fault by its path:
`raise FieldError(Message("must lie between ..."), "initial.energy_mwh")`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

import numpy as np
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from planner.errors import Key, as_written, close_to, did_you_mean
from planner.fields import NAME, TITLE, FieldError, Frozen, HorizonNeededError, LimitError
from planner.local_time import zone_named
from planner.message import Message, MessageList, places_of, template
from planner.scenario.paths import parse_path, value_at
from planner.scenario.remedies import UNCLEAR, Remedy, remedy, time_meant
from planner.timeseries.series import CONSTANT, SERIES_MODELS
from planner.timeseries.timed_series import Frame

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
    "int_from_float": template("must be a whole number"),
    "int_parsing_size": template("must be a smaller number"),
    "bool_type": template("must be true or false"),
    "string_type": template("must be a text"),
    "string_too_short": template("may not be empty"),
    "tuple_type": template("must be a list"),
    "dict_type": template("must be a mapping"),
    "model_type": template("must be a mapping"),
    **dict.fromkeys(
        ("date_type", "date_from_datetime_parsing"), template("must be a date such as 2026-10-01")
    ),
    "invalid_key": template("keys must be words"),
    # patterns of texts
    NAME: template("must be small letters, digits and _, beginning with a letter"),
    TITLE: template("may not be empty"),
    r"^\d{4}-(0[1-9]|1[0-2])$": template("must be a month such as 2026-07"),
}
_SIZES = {"greater_than_equal", "greater_than", "less_than_equal", "less_than"}


class KeyMeant(NamedTuple):
    """The name that a key was meant to be; none where it can only be left out."""

    name: str | None = None


class Fault(NamedTuple):
    """A problem of a validation: its path below the model, its message, and what was meant."""

    path: Key
    message: Message
    meant: Any = UNCLEAR


def explain(error: ValidationError, model: type[Frozen]) -> Iterator[tuple[Key, Message]]:
    """Yield every problem of a validation as its path below the model and its message."""
    for fault in faults(error, model):
        yield fault.path, fault.message


def faults(error: ValidationError, model: type[Frozen], data: Any = None) -> list[Fault]:
    """Return every problem of a validation of plain data.

    A field that is required is none where another key was meant to be it.
    """
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details]
    together: list[Fault] = []
    required: list[Fault] = []
    for detail in details:
        place = detail["loc"]
        if detail["type"] == "too_short" and any(
            other[: len(place)] == place and other != place for other in places
        ):
            continue  # counted without the entries that are wrong themselves
        listed = required if detail["type"] == "missing" else together
        listed += _faults(detail, model, data)
    keys = {
        (*fault.path[:-1], fault.meant.name)
        for fault in together
        if isinstance(fault.meant, KeyMeant)
    }
    return [*together, *(fault for fault in required if fault.path not in keys)]


def place_of(detail: ErrorDetails) -> Key:
    """Return the path of a problem below the model that was validated."""
    *before, last = detail["loc"] or ("",)
    path = tuple(part for part in before if not str(part).startswith("="))
    tagged = str(last).startswith("=") and detail["type"] != "extra_forbidden"
    return (*path, last) if detail["loc"] and not tagged and last != "[key]" else path


def _faults(detail: ErrorDetails, model: type[Frozen], data: Any) -> Iterator[Fault]:
    path, kind = place_of(detail), detail["type"]
    if kind == "extra_forbidden":
        yield _unknown(path, _models_at(model, path[:-1]), value_at(data, path[:-1]))
    elif kind == "missing":
        form = _form_at(model, path)
        message = Message("is required: {text}", text=form) if form else Message("is required")
        yield Fault(path, with_remedy(message, _own_remedy(model, path)))
    elif kind not in ("value_error", "assertion_error"):
        yield _refused(detail, path, model)
    elif isinstance(error := detail["ctx"]["error"], FieldError):
        for one in (error, *error.others):
            if isinstance(one, HorizonNeededError):
                continue  # a scenario reads it
            place = (*path, *(parse_path(one.path) if one.path else ()))
            own = _own_remedy(model, place) if isinstance(one, LimitError) else None
            meant = _time_meant(detail["input"], place, data) if place and not one.path else None
            if meant is not None:
                yield Fault(place, with_remedy(one.message, meant.message), meant.value)
            else:
                yield Fault(place, with_remedy(one.message, own))
    else:  # of a kind from outside
        yield Fault(path, MessageList("", [str(error)]))


def _time_meant(value: Any, place: Key, data: Any) -> Remedy | None:
    beside = value_at(data, place[:-1])
    zone = zone_named(beside.get("timezone")) if isinstance(beside, dict) else None
    return time_meant(value, str(place[-1]), zone)


def _unknown(path: Key, models: set[type[Frozen]], beside: Any) -> Fault:
    """Return the problem of a key that is no field, with the field that it was meant to be."""
    key = str(path[-1])
    if key in LATER_FIELDS:
        return Fault(path, Message("is not yet available; leave it out"), KeyMeant())
    known = sorted({name for model in models for name in model.model_fields})
    if key in known:
        return Fault(
            path, Message("cannot go with the other fields here; leave one of them out"), KeyMeant()
        )
    if holders := [
        name
        for model in models
        for name, info in model.model_fields.items()
        if any(key in below.model_fields for below in _models_in(info.annotation))
    ]:
        message = Message("is not a field here; it belongs under {name}", name=holders[0])
        return Fault(path, message, KeyMeant())
    close = close_to(key, known)
    free = close and not (isinstance(beside, dict) and close in beside)
    message = Message("is not a field here{hint}", hint=did_you_mean(key, known))
    if not close and known and len(known) <= 8:
        message = Message(
            "is not a field here; fields are {names}",
            names=", ".join(known),
        )
    return Fault(path, message, KeyMeant(close if free else None))


def _refused(detail: ErrorDetails, path: Key, model: type[Frozen]) -> Fault:
    """Return the problem of a value that breaks a rule, and what it was meant to be."""
    kind, value, limits = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in ("too_short", "too_long"):
        return Fault(path, _wrong_length(limits, limits.get("actual_length") or len(value)))
    rule = Message("is not valid here")
    last = str((detail["loc"] or ("",))[-1])
    if kind == "float_type" and last == CONSTANT:
        rule = Message(
            "must be a number, a list, or a mapping with csv and column, hours, or calendar"
        )
    elif kind == "form":
        rule = limits["message"]
    elif kind == "literal_error":
        rule = Message("must be {text}", text=_expected(limits["expected"]))
        if last.startswith("=") and (form := _form_at(model, path)):
            rule = Message("must be {text}", text=form)
    elif kind in ("model_type", "dict_type") and (form := _form_at(model, path)):
        rule = Message("must be {text}", text=form)
    elif rule_template := _RULES.get(limits.get("pattern", kind)):
        rule = Message(rule_template, **{name: limits[name] for name in places_of(rule_template)})
    message = Message("{sentence}, is {text}", sentence=rule, text=as_written(value))
    if isinstance(value, Frame) and kind == "float_type":
        columns = Message("a DataFrame with the columns {names}", names=", ".join(value))
        message = Message("{sentence}, is {text}", sentence=rule, text=columns)
        one = Message("give one of them, such as {text}", text=f"frame[{next(iter(value), '')!r}]")
        return Fault(path, with_remedy(message, one))
    meant = remedy(kind, value, str(path[-1]) if path else "", limits)
    if kind == "float_type" and last == CONSTANT and isinstance(value, dict):
        scaled = set(value) == {"scale"}
        hint = Message("a scale alone belongs in an override") if scaled else None
        return Fault(path, with_remedy(message, hint))
    if meant is None:
        own = _own_remedy(model, path) if kind in (*_SIZES, "literal_error", "form") else None
        return Fault(path, with_remedy(message, own))
    of_key = detail["loc"][-1:] == ("[key]",)
    return Fault(
        path, with_remedy(message, meant.message), KeyMeant(meant.value) if of_key else meant.value
    )


def with_remedy(message: Message, remedy: Message | None) -> Message:
    """Return a message followed by what to write instead, if that is known."""
    if remedy is None:
        return message
    return Message("{sentence}; {remedy}", sentence=message, remedy=remedy)


def _own_remedy(model: type[Frozen], path: Key) -> Message | None:
    """Return what a field says itself about values that it refuses."""
    if not path:
        return None
    owners, name = _models_at(model, path[:-1]), str(path[-1])
    texts = [owner.remedies[name] for owner in owners if name in owner.remedies]
    return Message(texts[0]) if texts else None


def _expected(expected: str) -> str:
    """Return the values that a field may have, from the library's list of them."""
    *most, last = re.split(", | or ", expected)
    if not most:
        return last
    return Message("{names} or {other}", names=", ".join(most), other=last)


def _wrong_length(limits: Mapping[str, Any], length: int) -> Message:
    low, high = limits.get("min_length"), limits.get("max_length")
    if 24 in (low, high):
        return Message("must have 24 entries, one an hour, has {count}", count=length)
    if high is None:
        return Message("must have {low} or more entries, has {count}", low=low, count=length)
    return Message("must have {high} entries, has {count}", high=high, count=length)


def _form_at(model: type[Frozen], path: Key) -> str:
    """Return the forms that a field may be written in; "" where the path leads to no field."""
    for owner in _models_at(model, path[:-1]) if path else ():
        if (info := owner.model_fields.get(str(path[-1]))) is not None:
            forms = list(dict.fromkeys(_forms(info.annotation)))
            if forms:
                first, *others = forms
                for other in others:
                    first = Message("{text}, or {other}", text=first, other=other)
                return first
    return ""


def _forms(annotation: Any) -> Iterator[str]:
    """Yield every form in which a value of a type is written."""
    if annotation is np.ndarray:
        yield Message("a number or a series")
    elif get_origin(annotation) is Literal:
        words = get_args(annotation)
        yield _expected(", ".join(map(repr, words[:-1])) + f" or {words[-1]!r}"
                        if len(words) > 1 else repr(words[0]))  # fmt: skip
    elif get_origin(annotation) is tuple:
        yield Message("a list")
    elif get_origin(annotation) is dict:
        yield Message("a mapping")
    elif isinstance(annotation, type):
        if issubclass(annotation, Frozen):
            fields = annotation.model_fields
            needed = [name for name, info in fields.items() if info.is_required()]
            yield Message("a mapping of {text}", text=", ".join(needed or list(fields)[:4]))
        elif plain := _PLAIN.get(annotation):
            yield plain
    else:
        for part in get_args(annotation):
            yield from _forms(part)


_PLAIN = {
    float: Message("a number"),
    int: Message("a whole number"),
    bool: Message("true or false"),
    str: Message("a text"),
}


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
