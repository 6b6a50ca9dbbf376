"""YAML files as plain data, with the line of every value.

Read as YAML 1.2 users expect: `on`, `off`, `yes` and `no` are words, `11:30` is a text, `1e-3` is
a number, dates stay texts. A merge key (`<<: *coal_1`) adds the fields of another mapping, each
with the line where it is written. Duplicate keys, tags and runaway aliases are errors.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from planner.errors import OVERRIDE, Key, Problem, ScenarioError, dotted, wrong
from planner.files.input_file import read_bytes, text_of
from planner.files.yaml_slips import ESCAPE, in_words, line_of, mended, parted, slip_of_key
from planner.message import Message

MAX_BYTES = 100_000_000
MAX_VALUES = 1_000_000
MAX_REPEATED = 100_000  # values that aliases stand for: a small file holds no large scenario
MAX_DEPTH = 40
TOO_LARGE = Message("is too large or nested too deeply (aliases count each time they are used)")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_ESCAPED_NAME = re.compile(r"\S+[\n\t]\S*\.[A-Za-z]{2,5}")  # of a file
_CONTROL_OR_BREAK = re.compile(rf"{_CONTROL.pattern}|[\t\n\ud800-\udfff]")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


@dataclass
class Document:
    """The content of one YAML file: plain data, and the line of each path.

    overridden: paths whose values replace those of the file.
    problems: what is wrong with its YAML where the rest could be read all the same; whoever checks
    the data raises these too.
    """

    file: str
    data: dict[str, Any]
    lines: dict[Key, int] = field(default_factory=dict)
    overridden: tuple[Key, ...] = ()
    problems: tuple[Problem, ...] = ()

    def line(self, path: Key) -> int | None:
        """Return the line of `path`, or of its longest part that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def problem(self, path: Key, message: Message) -> Problem:
        """Return a problem at `path`, with its file and line."""
        for changed in self.overridden:
            pairs = zip(path, changed, strict=False)
            alike = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
            shared = tuple(part for part, _ in alike)
            if shared and (shared == changed or shared not in self.lines):
                return Problem(message, dotted(path), OVERRIDE)  # it wrote this value
        return Problem(message, dotted(path), self.file, self.line(path))


def read_yaml(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping.

    Returns:
        the document, with the problems of its YAML that still let it be read.

    Raises:
        ScenarioError: unreadable, empty or binary file, YAML that nobody can read.
    """
    content = read_bytes(path, MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise wrong("", Message("is too large for a scenario"), file=str(path))
    return parse_yaml(text_of(content, path), str(path))


def parse_yaml(text: str, file: str) -> Document:
    """Parse YAML text; `file` is the name that errors give. Returns and raises as `read_yaml`."""
    document = Document(file, {})

    def composed(text: str) -> tuple[Any, set[int]]:
        tags = _explicit_tags(text, document)  # first: it refuses what would exhaust the stack
        return yaml.compose(text, Loader=_LOADER), tags

    slips: list[Problem] = []
    try:
        node, tags = composed(text)
    except yaml.YAMLError:
        text, lines, error = mended(text, composed)
        slips = [Problem(message, file=file, line=line) for line, message in lines]
        if error is not None:
            raise ScenarioError([*slips, _broken(error, text, file)]) from None
        node, tags = composed(text)
    if node is None:
        raise wrong(
            "", Message("is empty; it must hold fields: `name: value`, line by line"), file=file
        )
    if not isinstance(node, yaml.MappingNode):
        message = Message("must be a mapping of fields at the top: `name: value`, line by line")
        raise ScenarioError([*slips, Problem(message, file=file, line=1)])
    reader = _Reader(document, tags)
    reader.measure(node)
    data = reader.value(node, ())
    document.problems = (*slips, *reader.problems)
    if data is None:  # behind a tag
        raise ScenarioError(document.problems)
    document.data = data
    return document


def _broken(error: yaml.YAMLError, text: str, file: str) -> Problem:
    line, position = line_of(error) or None, getattr(error, "position", None)
    if position is not None:  # a character that no YAML file may hold; counted in bytes by libyaml
        before = text.encode()[:position].decode(errors="replace")
        line = before.count("\n") + 1
    return Problem(in_words(error), file=file, line=line)


def _explicit_tags(text: str, document: Document) -> set[int]:
    """Return the positions of tags in the text; refuse nesting that would exhaust the stack."""
    tags, depth = set(), 0
    event: Any
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > 2 * MAX_VALUES:
            raise wrong("", TOO_LARGE, file=document.file, line=event.start_mark.line + 1)
        if getattr(event, "tag", None) is not None:
            tags.add(event.start_mark.index)
    return tags


class _Reader:
    """Turns the nodes of one file into plain data, noting lines and problems."""

    def __init__(self, document: Document, tags: set[int]) -> None:
        self.document = document
        self.tags = tags
        self.problems: list[Problem] = []
        self.sizes: dict[int, int] = {}
        self.written = 0

    def measure(self, node: Any) -> int:
        """Count the values below a node, those of aliases each time; refuse too many at once."""
        if not isinstance(node, yaml.CollectionNode):
            self.written += 1
            return 1
        if id(node) not in self.sizes:
            self.written += 1
            self.sizes[id(node)] = MAX_VALUES  # until counted: an alias inside means a loop
            items = node.value
            if isinstance(node, yaml.MappingNode):
                items = [part for pair in items for part in pair]
            size = 1 + sum(map(self.measure, items))
            if size > MAX_VALUES or size - self.written > MAX_REPEATED:
                line = node.start_mark.line + 1
                raise wrong("", TOO_LARGE, file=self.document.file, line=line)
            self.sizes[id(node)] = size
        return self.sizes[id(node)]

    def value(self, node: Any, path: Key) -> Any:
        line = node.start_mark.line + 1
        if len(path) > MAX_DEPTH:
            raise wrong("", TOO_LARGE, file=self.document.file, line=line)
        self.document.lines.setdefault(path, line)
        if node.start_mark.index in self.tags:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            message = Message("YAML tag {name} is not allowed; leave it out", name=tag)
            self.problems.append(self.document.problem(path, message))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        if control := _CONTROL.search(node.value):
            self.problems.append(self.document.problem(path, _control(control[0])))
        one_line = node.start_mark.line == node.end_mark.line
        if node.style == '"' and one_line and _ESCAPED_NAME.fullmatch(node.value):
            self.problems.append(self.document.problem(path, ESCAPE))
        return node.value if node.style in ("'", '"', "|", ">") else scalar(node.value)

    def _mapping(self, node: yaml.MappingNode, path: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[yaml.MappingNode] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            message, place = None, path
            slip = isinstance(key_node, yaml.ScalarNode) and slip_of_key(
                key_node.value, alone=value_node.value == ""
            )
            if slip:
                text_of_slip = slip.message
                for last in [*result][-1:] if slip.key is None else ():  # none before the first
                    number, text_of_slip = parted(result[last], slip.value)
                    result[last] = scalar(number)
                self.problems.append(Problem(text_of_slip, dotted(path), self.document.file, line))
                if slip.key is None:
                    continue
                key_node.value, value_node.value = slip.key, slip.value or value_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                message = Message("keys must be words")
            elif key_node.tag.endswith(":merge"):
                if not merged:
                    if merged := _mappings(value_node):
                        continue
                    message = Message("<< takes a mapping, as in `<<: *coal_1`, or a list of them")
                else:
                    message = Message("<< stands here twice; write a list: `<<: [*a, *b]`")
            elif control := control_in(key_node.value):
                message = Message("a key {sentence}", sentence=control)
            elif key_node.value in result:
                place = (*path, key_node.value)
                first = self.document.lines[place]
                message = Message("appears twice; first on line {line}", line=first)
            if message is not None:
                self.problems.append(Problem(message, dotted(place), self.document.file, line))
                continue
            key = (*path, key_node.value)
            self.document.lines[key] = line
            result[key_node.value] = self.value(value_node, key)
        if merged:
            self._merge(merged, path, result)
        return result

    def _merge(self, mappings: list[yaml.MappingNode], path: Key, result: dict[str, Any]) -> None:
        """Add the fields of mappings to another one, at `path`, that does not have them."""
        pairs = [*_new_fields(mappings, {*result})]
        known = {(problem.line, problem.message) for problem in self.problems}
        count = len(self.problems)
        result |= self._mapping(yaml.MappingNode("", pairs, mappings[0].start_mark), path)
        # where it is written, what is wrong with it has been reported
        new = [p for p in self.problems[count:] if (p.line, p.message) not in known]
        self.problems[count:] = new


def _mappings(node: yaml.Node) -> list[yaml.MappingNode]:
    """Return the mappings that a merge key names; none where it names anything else."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    mappings = [one for one in nodes if isinstance(one, yaml.MappingNode)]
    return mappings if len(mappings) == len(nodes) else []


def _new_fields(
    mappings: list[yaml.MappingNode], names: set[str], depth: int = 0
) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Yield the fields of merged mappings, and of what they merge, the first of each name."""
    if depth > MAX_DEPTH:
        raise ScenarioError([Problem(TOO_LARGE, line=mappings[0].start_mark.line + 1)])
    for mapping in mappings:
        own = [pair for pair in mapping.value if not pair[0].tag.endswith(":merge")]
        words = [key.value if isinstance(key, yaml.ScalarNode) else "" for key, _ in own]
        yield from (pair for pair, word in zip(own, words, strict=True) if word not in names)
        names.update(filter(None, words))
        for key, value in mapping.value:
            if key.tag.endswith(":merge"):
                yield from _new_fields(_mappings(value), names, depth + 1)


def control_in(text: str) -> Message | None:
    """Return the problem of a text of one line that a file cannot hold, if it is one."""
    control = _CONTROL_OR_BREAK.search(text)
    return None if control is None else _control(control[0])


def _control(character: str) -> Message:
    """Return the message of a character that a terminal or a spreadsheet would obey."""
    if character == "\0":
        return Message("may not hold a null character")
    return Message("may not hold the control character {text!a}", text=character)


def scalar(text: str) -> Any:
    """Read an unquoted YAML scalar: a number, true, false, null or a text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text) if len(text) < 20 else float(text)
    return float(text) if _FLOAT.match(text) else text


def parse_value(text: str, path: str = "") -> Any:
    """Read one YAML value, as after `--set path=`; `path` is what errors name.

    Raises:
        ScenarioError: the text is no YAML value.
    """
    try:
        document = parse_yaml(f"value: {text}", OVERRIDE)
        if document.problems:
            raise ScenarioError(document.problems)
    except ScenarioError as error:
        problems = [replace(problem, path=path, line=None) for problem in error.problems]
        raise ScenarioError(problems) from None
    if set(document.data) != {"value"}:
        raise wrong(path, Message("must be one value, is {text!r}", text=text), file=OVERRIDE)
    return document.data["value"]


def texts_in(data: Any) -> Iterator[str]:
    """Yield every text in plain data, keys and values."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            yield from texts_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from texts_in(value)
