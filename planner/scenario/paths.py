"""Overrides: values of a scenario replaced by path, or scaled, before anything is checked.

`components.chat.market[0].price_cny_per_mtok` is a path; a value `{scale: 0.8}` multiplies what the
scenario says there, in whatever form a number or series is written.

Values below components by path: read, and changed in a copy; nothing is checked here.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from planner.errors import Key, Problem, ScenarioError, did_you_mean, dotted, shown
from planner.fields import Frozen
from planner.files.yaml_document import Document


def value_at(held: Any, path: Key) -> Any:
    """Return what stands at a path below a value.

    Raises:
        AttributeError, LookupError, TypeError: nothing stands there.
    """
    for key in path:
        held = getattr(held, str(key)) if isinstance(held, Frozen) else held[key]
    return held


def with_value(held: Any, path: Key, value: Any) -> Any:
    """Return a copy of a value with what stands at a path below it changed."""
    if not path:
        return value
    key, *below = path
    if isinstance(held, tuple):
        return tuple(
            with_value(part, tuple(below), value) if i == key else part
            for i, part in enumerate(held)
        )
    if isinstance(held, dict):
        return held | {key: with_value(held[key], tuple(below), value)}
    part = with_value(getattr(held, str(key)), tuple(below), value)
    return held.model_copy(update={str(key): part})


def override(document: Document, changes: Mapping[str, Any]) -> Document:
    """Return the document with values replaced: `{path: value}`.

    Raises:
        ScenarioError: a path that cannot be followed, or a scale of something without numbers.
    """
    data, done = replaced(document.data, changes)
    lines = dict(document.lines)
    for path in done:
        for known in [key for key in lines if key[: len(path)] == path]:
            del lines[known]
    return Document(document.file, data, lines, (*document.overridden, *done))


def replaced(
    data: dict[str, Any], changes: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Key, ...]]:
    """Return plain data with values replaced, and the paths; what stays the same is shared.

    Raises:
        ScenarioError: as `override`.
    """
    problems: list[Problem] = []
    done: list[Key] = []
    data = dict(data)
    for text, value in changes.items():
        try:
            path = _in_data(data, parse_path(text))
            _own(data, path)
            _put(data, path, value)
        except ValueError as error:
            problems.append(Problem(str(error), text, "override"))
            continue
        done.append(path)
    if problems:
        raise ScenarioError(problems)
    return data, tuple(done)


def _own(data: dict[str, Any], path: Key) -> None:
    """Copy what holds a path, level by level, so that a change below it stays ours."""
    here: Any = data
    for part in path[:-1]:
        try:
            held = here[part]
        except (LookupError, TypeError):
            return
        if not isinstance(held, dict | list):
            return
        here[part] = held = copy.copy(held)
        here = held


def parse_path(text: str) -> Key:
    """Read `components.chat.market[0].price_cny_per_mtok` into its parts.

    Raises:
        ValueError: the text is not a path.
    """
    parts: list[str | int] = []
    for piece in text.strip().split("."):
        match = re.fullmatch(r"([^\[\]]+)((?:\[[0-9]{1,9}\])*)", piece)
        if match is None:
            raise ValueError("is not a path such as components.pv.capacity_mw")
        parts.append(match[1])
        parts.extend(int(index) for index in re.findall(r"[0-9]+", match[2]))
    return tuple(parts)


def _in_data(data: Any, path: Key) -> Key:
    """Join parts that the data holds as one key: names of models may have dots in them."""
    joined: list[str | int] = []
    here, rest = data, list(path)
    while rest:
        taken = 1
        if isinstance(here, dict) and rest[0] not in here:
            ends = [n for n in range(2, len(rest) + 1) if ".".join(map(str, rest[:n])) in here]
            taken = max(ends, default=1)
        part = rest[0] if taken == 1 else ".".join(map(str, rest[:taken]))
        joined.append(part)
        rest = rest[taken:]
        held = isinstance(here, dict) or (isinstance(here, list) and isinstance(part, int))
        try:
            here = here[part] if held else None
        except LookupError:
            here = None
    return tuple(joined)


def _put(data: dict[str, Any], path: Key, value: Any) -> None:
    parts = data.get("components")
    within = len(path) > 2 and path[0] == "components"
    if within and isinstance(parts, dict) and path[1] not in parts:
        raise ValueError(f"there is no component {path[1]!r}{did_you_mean(path[1], parts)}")
    here: Any = data
    for depth, part in enumerate(path[:-1]):
        if isinstance(here, dict) and isinstance(part, str):
            if here.get(part) is None:
                here[part] = {}
            here = here[part]
        else:
            here = _item(here, path[: depth + 1])
    last = path[-1]
    inside = isinstance(here, dict) and isinstance(last, str)
    if not inside:
        _item(here, path)
    if isinstance(value, dict) and set(value) == {"scale"}:
        if inside and here.get(last) is None:
            raise ValueError("there is nothing to scale: the scenario does not set this field")
        factor = value["scale"]
        if not _is_number(factor):
            raise ValueError(f"scale must be a number, is {shown(factor)}")
        value = _scaled(here[last], factor)
    here[last] = value


def _item(here: Any, path: Key) -> Any:
    """Return the list item that `path` ends in."""
    index = path[-1]
    if not isinstance(here, list) or not isinstance(index, int):
        raise ValueError(f"there is nothing at {dotted(path)}")
    if index >= len(here):
        raise ValueError(f"there is nothing at {dotted(path)}: the list has {len(here)} entries")
    return here[index]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scaled(spec: Any, factor: float) -> Any:
    """Multiply whatever form a series or number is written in."""
    if _is_number(spec):
        return spec * factor
    if isinstance(spec, list) and all(_is_number(item) for item in spec):
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
    raise ValueError(f"only numbers and series can be scaled, not {shown(spec)}")
