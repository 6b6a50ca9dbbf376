"""A run of a benchmark at one load as its file has it, in our units, and how files are read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from planner.errors import Problem, ScenarioError, as_written, dotted, wrong
from planner.fleets.curve import Parallel
from planner.message import Message

KINDS = {
    "float": Message("a number"), "int": Message("a whole number"), "string": Message("a text"),
    "list": Message("a list"), "dict": Message("a mapping"), "model": Message("a mapping"),
    "datetime": Message("a time"), "greater": Message("above 0"),
    "finite": Message("a finite number"),
}  # fmt: skip
"""What a value must be, by the first word of the type of its error."""
HARDWARE = {
    "h100": "NVIDIA H100", "h200": "NVIDIA H200", "b200": "NVIDIA B200", "b300": "NVIDIA B300",
    "gb200": "NVIDIA GB200 NVL72", "gb300": "NVIDIA GB300 NVL72", "mi300x": "AMD MI300X",
    "mi325x": "AMD MI325X", "mi355x": "AMD MI355X",
}  # fmt: skip
"""GPUs by their short names."""
PRECISIONS = {"bfloat16": "bf16", "float16": "fp16", "half": "fp16"}


@dataclass(frozen=True, kw_only=True)
class BenchmarkRun:
    """A run at one load; None where its file does not say.

    place: in the file. start, end: with a zone or by the local clock. day: where its end is not
    known. fields: the names that the file gives `gpu_w`, `inter_token_ms` and `first_token_ms`.
    """

    file: Path
    tokens_per_s: float
    place: str = ""
    hardware: str | None = None
    gpus: int | None = None
    model: str | None = None
    precision: str | None = None
    parallel: Parallel | None = None
    task: str = ""
    software: str = ""
    input_tokens: float | None = None
    output_tokens: float | None = None
    concurrency: float | None = None
    gpu_w: float | None = None
    inter_token_ms: float | None = None
    first_token_ms: float | None = None
    failed: int = 0
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    day: dt.date | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def date(self) -> dt.date | None:
        """The day on which the run ended, as far as it is known."""
        return self.day if self.end is None else self.end.date()

    def problem(self, message: Message, name: str = "") -> Problem:
        """Return a problem of the run, or of one of its fields."""
        inside = ".".join(filter(None, (self.place, self.fields.get(name, name))))
        return Problem(message, inside, str(self.file))


def numbered(rows: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    """Return the rows of a list of some name with their places; what is no list is one row."""
    if not isinstance(rows, list):
        return [(name, rows)]
    return [(f"{name}[{i}]", row) for i, row in enumerate(rows)]


class Format(NamedTuple):
    """A format of results.

    matches: whether a JSON value is of it. read: returns the run of a row, given its file and its
    place there; raises ScenarioError where it cannot be used. rows: of a value, with their places.
    """

    name: str
    matches: Callable[[Any], bool]
    read: Callable[[Any, Path, str], BenchmarkRun]
    rows: Callable[[Any], Iterable[tuple[str, Any]]] = numbered


class Foreign(BaseModel):
    """A part of a file of others: the fields that are read, by their names in the file."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)


F = TypeVar("F", bound=Foreign)


def read_as(model: type[F], data: Any, file: Path, place: str = "") -> F:
    """Read a part of a file.

    Raises:
        ScenarioError: a field is missing or is none of its kind.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = []
        for each in error.errors():
            path = dotted(tuple(each["loc"]))
            inside = f"{place}.{path}" if place and path else place or path
            message = Message("is required")
            if each["type"] != "missing":
                name = KINDS.get(each["type"].partition("_")[0], Message("of another form"))
                value = as_written(each["input"])
                message = Message("must be {name}, is {value}", name=name, value=value)
            problems.append(Problem(message, inside, str(file)))
        raise ScenarioError(problems) from None


def values_in(text: str, path: Path) -> tuple[list[tuple[str, Any]], list[Problem]]:
    """Return the JSON values of a text, one or one a line, with their places; and cut lines.

    There is no value where the text is no JSON.

    Raises:
        ScenarioError: the text is cut off.
    """
    if not text.lstrip().startswith(("{", "[")):
        return [], []
    try:
        return [("", json.loads(text))], []
    except json.JSONDecodeError as error:
        whole = error
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    values: list[tuple[str, Any]] = []
    cut: list[Problem] = []
    for i, line in lines if len(lines) > 1 else ():
        try:
            values.append((Message("line {n}", n=i), json.loads(line)))
        except json.JSONDecodeError:
            cut.append(Problem(Message("is cut off or no JSON"), file=str(path), line=i))
    if values and len(cut) <= 1 and all(isinstance(value, dict) for _, value in values):
        return values, cut
    last = len(text.rstrip())
    unclosed = whole.pos >= last or whole.msg.startswith("Unterminated string")
    if not unclosed:
        return [], []
    message = Message("is cut off here: its JSON does not close; copy the file again, whole")
    raise wrong("", message, file=str(path), line=whole.lineno)


def at_a_time(requests_per_s: float | None, latency_ms: float | None) -> float | None:
    """Return the mean number of requests at a time, by Little's law."""
    if requests_per_s is None or latency_ms is None:
        return None
    return requests_per_s * latency_ms / 1000


def from_epoch(seconds: float | None) -> dt.datetime | None:
    """Return the moment of a time in s since 1970."""
    try:
        return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError, ValueError):  # no time of a benchmark
        return None
