"""Unions of a JSON Schema as branches, so that a validator reports one error for one mistake.

Of `anyOf` and `oneOf` a validator reports what is wrong with every alternative, and an editor shows
all of it. A branch is chosen by what tells the alternatives apart (`kind` or another constant, the
type, the keys of a mapping), and only its errors are reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

REST = "Series"  # takes whatever no other alternative is for


def branched(schema: Schema) -> Schema:
    """Return a schema with branches in place of its unions."""
    return dict(_single(_branched(schema, schema["$defs"])))


def _single(part: Any) -> Any:
    """Return a schema without the types of constants, which would report the same mistake."""
    if isinstance(part, list):
        return [_single(item) for item in part]
    if not isinstance(part, dict):
        return part
    doubled = "type" in part and bool(part.keys() & {"const", "enum"})
    return {key: _single(value) for key, value in part.items() if key != "type" or not doubled}


def _branched(part: Any, defs: Schema) -> Any:
    """Return a part of a schema with branches; `defs` holds what it refers to."""
    if isinstance(part, list):
        return [_branched(item, defs) for item in part]
    if not isinstance(part, dict):
        return part
    key = next((key for key in ("oneOf", "anyOf") if key in part), None)
    besides = {name: _branched(value, defs) for name, value in part.items() if name != key}
    alternatives = [] if key is None else part[key]
    if not all(_is_alternative(one) for one in alternatives):
        return part  # of required fields
    options = [_branched(one, defs) for one in alternatives]
    return besides | _branches(options, defs) if options else besides


def _is_alternative(part: Schema) -> bool:
    return bool(part.keys() & {"$ref", "type", "const", "enum"})


def _branches(options: list[Schema], defs: Schema) -> Schema:
    """Return keywords that choose among the alternatives of a union."""
    null = {"type": "null"}
    values = [option for option in options if option != null]
    rest = next((v for v in values if _name(v) == REST), None) if len(values) > 1 else None
    chosen = [value for value in values if value is not rest]
    objects = [value for value in chosen if _type(value, defs) == "object"]
    models = [_resolved(value, defs) for value in objects]
    if tag := _tag(models):
        words = [_constant(model, tag) for model in models]
        objects = [_by_constant(tag, dict(zip(words, objects, strict=True)))]
        chosen = [value for value in chosen if _type(value, defs) != "object"] + objects
    if rest is None and len(chosen) == 1:
        return _or_null(chosen[0]) if null in options else chosen[0]
    by_keys = len(objects) > 1 or (rest is not None and bool(objects))
    keys = _own_keys(models) if by_keys else []
    branch = rest or {"type": list(dict.fromkeys(_type(option, defs) for option in options))}
    if rest is None and by_keys:
        branch |= _one_of(key for own in keys for key in own)
    for value in reversed(chosen):
        guard: Schema = {"type": _type(value, defs)}
        if by_keys and value in objects:
            guard |= _one_of(keys[objects.index(value)])
        branch = {"if": guard, "then": value, "else": branch}
    return {"if": null, "else": branch} if null in options and rest else branch


def _or_null(value: Schema) -> Schema:
    """Return a schema that takes null as well."""
    if "$ref" in value:
        return {"if": {"not": {"type": "null"}}, "then": value}
    words = {"enum": [*value["enum"], None]} if "enum" in value else {}
    return value | words | {"type": [value["type"], "null"]}


def _by_constant(tag: str, options: dict[str, Schema]) -> Schema:
    """Return keywords that choose a mapping by its constant `tag`."""
    kinds = [
        {"if": {"type": "object", "properties": {tag: {"const": word}}, "required": [tag]}}
        | {"then": option}
        for word, option in options.items()
    ]
    known = {tag: {"enum": list(options)}}
    return {"type": "object", "required": [tag], "properties": known, "allOf": kinds}


def _tag(models: list[Schema]) -> str | None:
    """Return the property that has another constant in each of some mappings, if there is one."""
    properties = [set(model.get("properties", {})) for model in models]
    names = set.intersection(*properties) if len(models) > 1 else set[str]()
    for name in sorted(names):
        words = [_constant(model, name) for model in models]
        if None not in words and len(set(words)) == len(words):
            return name
    return None


def _constant(model: Schema, name: str) -> Any:
    return model["properties"][name].get("const")


def _own_keys(models: list[Schema]) -> list[list[str]]:
    """Return the keys by which each of some mappings is known: required ones, else its own."""
    keys = []
    for model in models:
        fields = [other.get("properties", {}) for other in models if other is not model]
        own = [key for key in model.get("properties", {}) if not any(key in f for f in fields)]
        keys.append([key for key in model.get("required", []) if key in own] or own)
    return keys


def _one_of(keys: Iterable[str]) -> Schema:
    return {"anyOf": [{"required": [key]} for key in keys]}


def _name(option: Schema) -> str:
    return str(option.get("$ref", "")).rpartition("/")[2]


def _resolved(option: Schema, defs: Schema) -> Schema:
    return dict(defs[_name(option)]) if "$ref" in option else option


def _type(option: Schema, defs: Schema) -> str:
    return str(_resolved(option, defs).get("type", "string"))
