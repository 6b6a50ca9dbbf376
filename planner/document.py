"""YAML files as plain data, with the line every value stands on.

Read as YAML 1.2 users expect: `on`, `off`, `yes` and `no` are words, `11:30` is a text, `1e-3` is
a number, dates stay texts. Duplicate keys, tags and runaway aliases are errors.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from planner.errors import Problem, ScenarioError

Key = tuple[str | int, ...]

MAX_VALUES = 1_000_000
MAX_DEPTH = 40

_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_PLAIN_TAGS = {"str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq"}


@dataclass
class Document:
    """The content of one YAML file: plain data, and the line each path stands on."""

    file: str
    data: dict[str, Any]
    lines: dict[Key, int] = field(default_factory=dict)

    def line(self, path: Key) -> int | None:
        """Return the line of `path`, or of the nearest part of it that the file has."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return self.lines.get((), None)

    def problem(self, path: Key, message: str) -> Problem:
        """Word a problem at `path`, with the file and line it stands on."""
        return Problem(message, dotted(path), self.file, self.line(path))


def dotted(path: Key) -> str:
    """Write a path as users do: ("components", "pv", "points", 2) is components.pv.points[2]."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_yaml(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping.

    Raises:
        ScenarioError: unreadable, empty or binary file, broken YAML, duplicate keys, tags.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ScenarioError([Problem(f"cannot be read: {error.strerror}", file=str(path))]) from None
    except UnicodeDecodeError:
        raise ScenarioError([Problem("is not a UTF-8 text file", file=str(path))]) from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str) -> Document:
    """Parse YAML text; `file` is the name that errors give. Raises as `read_yaml`."""
    loader_class = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader_class)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        line = mark.line + 1 if mark else None
        raise ScenarioError([Problem(f"is not valid YAML: {said}", file=file, line=line)]) from None
    except RecursionError:
        raise ScenarioError([Problem("is nested too deeply", file=file)]) from None
    if node is None:
        raise ScenarioError([Problem("is empty; a scenario is a mapping of fields", file=file)])
    if not isinstance(node, yaml.MappingNode):
        raise ScenarioError([Problem("must be a mapping of fields at the top", file=file, line=1)])
    reader = _Reader(Document(file, {}))
    data = reader.value(node, ())
    if reader.problems:
        raise ScenarioError(reader.problems)
    reader.document.data = data
    return reader.document


class _Reader:
    """Turns the nodes of one file into plain data, noting lines and problems."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.seen = 0

    def value(self, node: yaml.Node, path: Key) -> Any:
        self.seen += 1
        if self.seen > MAX_VALUES or len(path) > MAX_DEPTH:
            raise ScenarioError(
                [Problem("is too large or nested too deeply (aliases count each time they are used)",
                         file=self.document.file, line=node.start_mark.line + 1)]
            )  # fmt: skip
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag.rpartition(":")[2] not in _PLAIN_TAGS:
            self.problems.append(self.document.problem(path, f"YAML tag {node.tag} is not allowed"))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return node.value if node.style in ("'", '"', "|", ">") else scalar(node.value)

    def _mapping(self, node: yaml.MappingNode, path: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(
                    Problem("keys must be words", dotted(path), self.document.file, line)
                )
                continue
            key = key_node.value
            if key in result:
                first = self.document.lines[(*path, key)]
                self.problems.append(
                    Problem(f"appears twice; first on line {first}", dotted((*path, key)),
                            self.document.file, line)
                )  # fmt: skip
                continue
            self.document.lines[(*path, key)] = line
            result[key] = self.value(value_node, (*path, key))
        return result


def scalar(text: str) -> Any:
    """Read an unquoted YAML scalar: a number, true, false, null or a text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text) if len(text) < 400 else float("inf")
    return float(text) if _FLOAT.match(text) else text


def parse_value(text: str) -> Any:
    """Read one YAML value, as after `--set path=`. Raises as `read_yaml`."""
    document = parse_yaml(f"value: {text}", "--set")
    if set(document.data) != {"value"}:
        raise ScenarioError([Problem(f"must be one value, is {text!r}", file="--set")])
    return document.data["value"]


def parse_path(text: str) -> Key:
    """Read `components.chat.market[0].price_cny_per_mtok` into its parts.

    Raises:
        ValueError: the text is not a path.
    """
    parts: list[str | int] = []
    for piece in text.strip().split("."):
        match = re.fullmatch(r"([^\[\]]+)((?:\[[0-9]+\])*)", piece)
        if match is None:
            raise ValueError(f"{text!r} is not a path such as components.pv.capacity_mw")
        parts.append(match[1])
        parts.extend(int(index) for index in re.findall(r"[0-9]+", match[2]))
    return tuple(parts)


def override(document: Document, changes: Mapping[str, Any]) -> Document:
    """Return the document with values replaced: `{path: value}`.

    A value `{scale: 0.8}` multiplies what stands at the path instead.

    Raises:
        ScenarioError: a path that cannot be followed, or a scale of something without numbers.
    """
    data = copy.deepcopy(document.data)
    lines = dict(document.lines)
    problems: list[Problem] = []
    for text, value in changes.items():
        try:
            path = parse_path(text)
            _put(data, path, value)
        except ValueError as error:
            problems.append(Problem(str(error), text, "override"))
        else:
            for known in [key for key in lines if key[: len(path)] == path]:
                del lines[known]
    if problems:
        raise ScenarioError(problems)
    return Document(document.file, data, lines)


def _put(data: dict[str, Any], path: Key, value: Any) -> None:
    here: Any = data
    for depth, part in enumerate(path[:-1]):
        if isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        elif isinstance(here, dict) and isinstance(part, str):
            here = here.setdefault(part, {})
        else:
            raise ValueError(f"there is nothing at {dotted(path[: depth + 1])}")
    last = path[-1]
    inside = isinstance(here, dict) and isinstance(last, str)
    if not inside and not (isinstance(here, list) and isinstance(last, int) and last < len(here)):
        raise ValueError(f"there is nothing at {dotted(path)}")
    if isinstance(value, dict) and set(value) == {"scale"}:
        if inside and last not in here:
            raise ValueError("there is nothing to scale: the scenario does not set this field")
        factor = value["scale"]
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            raise ValueError(f"scale must be a number, is {factor!r}")
        value = _scaled(here[last], factor)
    here[last] = value


def _scaled(spec: Any, factor: float) -> Any:
    """Multiply whatever form a series or number is written in."""
    if isinstance(spec, int | float) and not isinstance(spec, bool):
        return spec * factor
    if isinstance(spec, list):
        return [_scaled(item, factor) for item in spec]
    if isinstance(spec, dict):
        if "csv" in spec:
            return {**spec, "scale": spec.get("scale", 1.0) * factor}
        if "calendar" in spec:
            entries = [{**e, "value": _scaled(e["value"], factor)} for e in spec["calendar"]]
            return {"calendar": entries}
        return {key: _scaled(item, factor) for key, item in spec.items()}
    raise ValueError(f"only numbers and series can be scaled, not {spec!r}")
