"""Paths such as `components.chat.market[0].price_cny_per_mtok`: parsed, followed, set to values.

A path leads through the data of a scenario file (mappings and lists) and through a checked scenario
(values, mappings and tuples) alike. A mapping may have keys with dots in them, names of models: the
parts of a path that make up such a key count as one (`resolve`).

Nothing is changed in place: the old value and the new share all that the change does not touch. A
new value of a scenario file may be `{scale: 0.8}`, which multiplies the number or series at the
path, in whatever form it is written; whether a new value is valid is checked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from typing import Any

from planner.errors import OVERRIDE, Key, Problem, ScenarioError, as_written, did_you_mean, dotted
from planner.fields import FieldError, Frozen, is_number
from planner.files.yaml_document import Document
from planner.message import Message
from planner.scenario.python_values import plain_value
from planner.timeseries.timed_series import TimedSeries


@lru_cache(4096)  # cases of a sweep change the same paths
def parse_path(text: str) -> Key:
    """Read `components.chat.market[0].price_cny_per_mtok` into its parts.

    Raises:
        FieldError: the text is not a path.
    """
    parts: list[str | int] = []
    for piece in str(text).strip().split("."):
        match = re.fullmatch(r"([^\[\]]+)((?:\[[0-9]{1,9}\])*)", piece)
        if match is None:
            raise FieldError(Message("is not a path such as components.pv.capacity_mw"))
        parts.append(match[1])
        parts.extend(int(index) for index in re.findall(r"[0-9]+", match[2]))
    return tuple(parts)


def resolve(holder: Any, text: str) -> Key:
    """Return the parts of a path below a value; a key with dots in it is one part.

    Raises:
        FieldError: the text is not a path.
    """
    return tuple(part for part, _ in _parts(holder, parse_path(text)))


def reach(holder: Any, text: str) -> Key:
    """Return the parts of a path as far as they lead to something below a value.

    Raises:
        FieldError: the text is not a path.
    """
    steps = _parts(holder, parse_path(text))
    return tuple(part for part, _ in takewhile(lambda step: step[1], steps))


def _parts(holder: Any, path: Key) -> Iterator[tuple[str | int, bool]]:
    """Yield every part of a path, and whether it leads to something."""
    while path:
        part, below = path[0], path[1:]
        if isinstance(holder, dict):
            key = str(part)
            for count, more in enumerate(below, 1):
                if isinstance(more, int):
                    break
                key = f"{key}.{more}"
                if key in holder:  # the longest key is meant
                    part, below = key, path[count + 1 :]
        path = below
        try:
            holder, exists = _below(holder, part), True
        except LookupError:
            holder, exists = None, False
        yield part, exists


def _below(holder: Any, part: Any) -> Any:
    """Return the value one part below a value. Raises LookupError where there is none."""
    if isinstance(holder, Frozen):
        if part in type(holder).model_fields:
            return getattr(holder, part)
    elif isinstance(holder, dict) or (isinstance(holder, list | tuple) and isinstance(part, int)):
        return holder[part]
    raise LookupError(part)


def value_at(holder: Any, path: Key) -> Any:
    """Return the value at a path below a value; None where there is none."""
    try:
        for part in path:
            holder = _below(holder, part)
    except LookupError:
        return None
    return holder


def with_value(holder: Any, path: Key, value: Any) -> Any:
    """Return a copy of a value with the value at a path below it replaced, unchecked.

    Raises:
        LookupError: nothing is at the path; only the last part may be a new key of a mapping.
    """
    if not path:
        return value
    part, below = path[0], path[1:]
    if below or not isinstance(holder, dict):
        value = with_value(_below(holder, part), below, value)
    if isinstance(holder, Frozen):
        return holder.revised({str(part): value})
    if isinstance(holder, dict):
        return holder | {part: value}
    items = list(holder)
    items[int(part)] = value
    return type(holder)(items)


def with_raised(holder: Any, values: Mapping[Key, Any], amount: float) -> Any:
    """Return a checked value with the values at some paths below it raised by an amount."""
    for path, value in values.items():
        holder = with_value(holder, path, value + amount)
    return holder


def places(holder: Any, pattern: str) -> Iterator[tuple[str, Key]]:
    """Yield every path that matches a dotted one with `*`, with the keys that match `*`."""
    part, _, below = pattern.partition(".")
    if not pattern:
        yield "", ()
    elif part == "*" and holder is not None:
        for key in range(len(holder)) if isinstance(holder, tuple) else holder:
            for index, path in places(holder[key], below):
                yield "|".join(filter(None, (str(key), index))), (key, *path)
    elif holder is not None:
        for index, path in places(value_at(holder, (part,)), below):
            yield index, (part, *path)


def override(document: Document, changes: Mapping[str, Any]) -> tuple[Document, tuple[Key, ...]]:
    """Return a document with values replaced, `{path: value}`, and the paths in parts.

    Raises:
        ScenarioError: a path that cannot be followed, a scale of something without numbers, or a
            value that no scenario holds.
    """
    changed, paths, problems = overridden(document, changes)
    if problems:
        raise ScenarioError(problems)
    return changed, paths


def overridden(
    document: Document, changes: Mapping[str, Any]
) -> tuple[Document, tuple[Key, ...], list[Problem]]:
    """Return a document with values replaced as far as they can be, as `override`; the problems."""
    data, paths, problems = _replaced(document.data, changes)
    places = (*document.overridden, *paths)
    return replace(document, data=data, overridden=places), paths, problems


def replaced(
    data: dict[str, Any], changes: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Key, ...]]:
    """Return plain data with values replaced, `{path: value}`, and the paths in parts.

    Raises:
        ScenarioError: as `override`.
    """
    data, paths, problems = _replaced(data, changes)
    if problems:
        raise ScenarioError(problems)
    return data, paths


def _replaced(
    data: dict[str, Any], changes: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Key, ...], list[Problem]]:
    problems: list[Problem] = []
    paths: list[Key] = []
    if not isinstance(changes, Mapping):
        message = Message(
            "must be a mapping of paths to values, is {text}", text=as_written(changes)
        )
        return data, (), [Problem(message, file=OVERRIDE)]
    for text, value in changes.items():
        try:
            path = resolve(data, text)
            data = _replaced_at(data, path, plain_value(value))
        except FieldError as error:
            for one in (error, *error.others):
                place = dotted((str(text), *parse_path(one.path))) if one.path else str(text)
                problems.append(Problem(one.message, place, OVERRIDE))
            continue
        paths.append(path)
    return data, tuple(paths), problems


def _replaced_at(data: dict[str, Any], path: Key, value: Any) -> Any:
    """Return plain data with a value replaced; missing mappings on the path are added."""
    components = data.get("components")
    within = len(path) > 2 and path[0] == "components"
    if within and isinstance(components, dict) and path[1] not in components:
        hint = did_you_mean(path[1], components)
        raise FieldError(Message("there is no component {name!r}{hint}", name=path[1], hint=hint))
    here: Any = data
    missing = len(path)  # the first part below which there is nothing yet
    for depth, part in enumerate(path):
        if isinstance(here, dict) and isinstance(part, str):
            here = here.get(part)
            if here is None:
                missing = min(missing, depth)
                here = {}
        elif not isinstance(here, list) or not isinstance(part, int):
            entry = f"{dotted(path[:depth])}[{part if str(part).isdigit() else 0}]"
            hint = Message("; an entry of a list is written {path}", path=entry)
            raise FieldError(
                Message(
                    "there is nothing at {path}{hint}",
                    path=dotted(path[: depth + 1]),
                    hint=hint if isinstance(here, list) else "",
                )
            )
        elif part >= len(here):
            raise FieldError(
                Message(
                    "there is nothing at {path}: the length of the list is {count}",
                    path=dotted(path[: depth + 1]),
                    count=len(here),
                )
            )
        else:
            here = here[part]
    if isinstance(value, dict) and set(value) == {"scale"}:
        if missing < len(path):
            raise FieldError(
                Message("there is nothing to scale: the scenario does not set this field")
            )
        factor = value["scale"]
        if not is_number(factor):
            raise FieldError(Message("scale must be a number, is {text}", text=as_written(factor)))
        value = _scaled(here, factor)
    for part in reversed(path[missing + 1 :]):
        value = {part: value}
    return with_value(data, path[: missing + 1], value)


def _scaled(spec: Any, factor: float) -> Any:
    """Multiply a number or series in whatever form it is written."""
    if is_number(spec):
        return spec * factor
    if isinstance(spec, TimedSeries):
        return spec.scaled(factor)
    if isinstance(spec, list) and all(is_number(item) for item in spec):
        return [_scaled(item, factor) for item in spec]
    if isinstance(spec, dict) and "csv" in spec:
        return {**spec, "scale": _scaled(spec.get("scale", 1.0), factor)}
    if isinstance(spec, dict) and isinstance(spec.get("calendar"), list):
        entries = spec["calendar"]
        if all(isinstance(entry, dict) and "value" in entry for entry in entries):
            scaled = [{**e, "value": _scaled(e["value"], factor)} for e in entries]
            return {**spec, "calendar": scaled}
    elif isinstance(spec, dict) and spec:  # by hour, by origin, by month
        return {key: _scaled(item, factor) for key, item in spec.items()}
    raise FieldError(
        Message("only numbers and series can be scaled, not {text}", text=as_written(spec))
    )
