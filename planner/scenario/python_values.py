"""Values that Python programs hand over, as plain data: what a scenario file would hold.

NumPy scalars become numbers, tuples and arrays lists, paths and dates texts, values of typed
classes the mappings that they stand for. A pandas Series keeps its times, a DataFrame becomes a
mapping of its columns. Nothing of what is handed over is kept by reference.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Key, Problem, ScenarioError, as_written, dotted, wrong
from planner.fields import SWITCHES, FieldError, Frozen, raise_all
from planner.files.yaml_document import MAX_DEPTH, TOO_LARGE, Document
from planner.message import Message
from planner.timeseries.timed_series import ArrayNumbers, Frame, TimedSeries

PLAIN = frozenset({float, int, str, bool, type(None)})
READY = (TimedSeries, Frame, ArrayNumbers)  # made by an earlier reading; nobody else has them


def document_of(data: Mapping[str, Any], name: str) -> Document:
    """Return what a program holds in the place of a YAML file; `name` is what errors call it.

    Raises:
        ScenarioError: it is no mapping, or holds values of no known type.
    """
    if not isinstance(data, Mapping):
        message = Message("must be a mapping of fields, is {text}", text=as_written(data))
        raise wrong("", message, file=name)
    try:
        return Document(name, plain_value(data))
    except FieldError as error:
        faults = (error, *error.others)
        raise ScenarioError([Problem(one.message, one.path, name) for one in faults]) from None


def plain_value(value: object) -> Any:
    """Return a value as plain data.

    Raises:
        FieldError: with each value below it that is of no known type.
    """
    problems: list[FieldError] = []
    data = _plain(value, (), problems)
    raise_all(problems)
    return data


def _plain(value: Any, path: Key, problems: list[FieldError]) -> Any:
    if type(value) in PLAIN or isinstance(value, READY):
        return value
    if len(path) > MAX_DEPTH:  # it may hold itself
        problems.append(FieldError(TOO_LARGE, dotted(path[:1])))
        return None
    try:
        if isinstance(value, Frozen):
            return _plain(_given(value), path, problems)
        if isinstance(value, pd.Series):
            return TimedSeries.of(value)
        if isinstance(value, pd.DataFrame):
            return _frame(value)
    except FieldError as error:
        problems.append(FieldError(error.message, dotted(path)))
        return None
    if isinstance(value, Mapping):
        return _mapping(value, path, problems)
    if isinstance(value, pd.Index | pd.api.extensions.ExtensionArray):
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.ndim:
        if value.dtype.kind in "fiu":
            return ArrayNumbers(value.tolist())
        value = list(value)
    if isinstance(value, list | tuple | range):
        if PLAIN.issuperset(map(type, value)):
            return list(value)
        return [_plain(item, (*path, i), problems) for i, item in enumerate(value)]
    return _scalar(value, path, problems)


def _frame(value: pd.DataFrame) -> Frame:
    if not value.columns.is_unique:
        twice = str(value.columns[value.columns.duplicated()][0])
        raise FieldError(Message("has column {name!r} more than once", name=twice))
    return Frame({str(name): TimedSeries.of(column) for name, column in value.items()})


def _scalar(value: Any, path: Key, problems: list[FieldError]) -> Any:
    if isinstance(value, np.datetime64):
        return str(value)
    if isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "biufU":
        item = value.item()  # of no dimension; a long double is a NumPy number still
        return _plain(float(item) if isinstance(item, np.floating) else item, path, problems)
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return _plain(value.item(), path, problems)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str):  # of a class derived from it, such as an Enum
        return str.__str__(value)
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) else float(value)
    message = Message(
        "is of the type {name}, which nothing is read from; a scenario is made of numbers, texts,"
        " dates, lists, mappings, NumPy arrays, pandas Series and DataFrames, and components",
        name=type(value).__name__,
    )
    problems.append(FieldError(message, dotted(path)))
    return None


def _mapping(value: Mapping[Any, Any], path: Key, problems: list[FieldError]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(key, bool | np.bool_):
            name = SWITCHES[bool(key)]
        elif isinstance(key, dt.date):
            name = key.isoformat()
        elif isinstance(key, str | int | float | np.number):
            name = str(key)
        else:
            problems.append(FieldError(Message("keys must be words"), dotted((*path, str(key)))))
            continue
        if name in data:
            message = Message("appears twice, as {first!r} and {text!r}", first=name, text=key)
            problems.append(FieldError(message, dotted((*path, name))))
        data[name] = _plain(item, (*path, name), problems)
    return data


def _given(value: Frozen) -> dict[str, Any]:
    """Return the fields that a value was made with; a series that does not vary is a number."""
    names = value.model_fields_set | {"kind"}
    fields = {name: getattr(value, name) for name in type(value).model_fields if name in names}
    return {
        name: float(field[0]) if isinstance(field, np.ndarray) and np.ptp(field) == 0 else field
        for name, field in fields.items()
    }
