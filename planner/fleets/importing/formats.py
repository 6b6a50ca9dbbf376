"""The formats of benchmark results, each known by the content of its files."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from planner.errors import Problem, ScenarioError, as_written, wrong
from planner.files.input_file import read_bytes, text_of
from planner.fleets.importing.aiperf import AIPERF
from planner.fleets.importing.benchmark_run import BenchmarkRun, Format, values_in
from planner.fleets.importing.guidellm import GUIDELLM
from planner.fleets.importing.inferencex import INFERENCEX
from planner.fleets.importing.mlenergy import MLENERGY
from planner.fleets.importing.power_log import as_line, is_power_log
from planner.fleets.importing.vllm_bench import VLLM_BENCH
from planner.message import Message

FORMATS: tuple[Format, ...] = (*MLENERGY, INFERENCEX, AIPERF, GUIDELLM, VLLM_BENCH)


class ResultFile(NamedTuple):
    """A file of results: its format, its points, what of it cannot be used, and its SHA-256."""

    path: Path
    format: str
    runs: list[BenchmarkRun]
    problems: list[Problem]
    digest: str


def read_results(path: Path) -> ResultFile:
    """Read a file of results in any of the formats. Raises ScenarioError."""
    content = read_bytes(path)
    text = text_of(content, path)
    values, problems = values_in(text, path)
    if not values:
        raise wrong("", _unknown(text), file=str(path))
    names: list[str] = []
    runs: list[BenchmarkRun] = []
    for place, value in values:
        known = next((each for each in FORMATS if each.matches(value)), None)
        if known is None:
            raise wrong(place, _unknown(value), file=str(path))
        names.append(known.name)
        for inside, row in known.rows(value):
            try:
                runs.append(known.read(row, path, inside))
            except ScenarioError as error:
                problems += error.problems
    return ResultFile(path, names[0], runs, problems, digest(content))


def digest(content: bytes) -> str:
    """Return the SHA-256 of the content of a file."""
    return sha256(content).hexdigest()


def _unknown(value: Any) -> Message:
    """Return the message of a content that is of no format."""
    if isinstance(value, str) and is_power_log(value):
        return Message("is a log of power, not of results: give it with --power")
    what = (
        Message("text that begins with {text}", text=as_line(value))
        if (isinstance(value, str))
        else Message("JSON, {text}", text=as_written(value))
    )
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        what = Message("JSON, a list of {text}", text=as_written(value[0]))
    return Message(
        "is of no known format: it holds {text}; known are {formats}",
        text=what, formats=", ".join(each.name for each in FORMATS),
    )  # fmt: skip
