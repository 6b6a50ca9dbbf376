"""The cases of a sweep: which values the axes take, and what each case changes in the base.

grid: every combination, the first axis slowest. one_at_a_time: case 0 is the base, then each axis
alone takes its values, or the two ends of its range. latin_hypercube: `samples` cases (McKay et al.
1979, scipy.stats.qmc). sobol: samples x (axes + 2) cases in the order that first- and total-order
indices need (Saltelli 2010, SALib; no second order). list: the rows of a CSV whose columns are
paths or axes.
An axis with listed values in a sampling design takes each of them equally often.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from planner.errors import Problem, ScenarioError, as_written, cause, wrong
from planner.fields import FieldError, raise_all
from planner.files.csv_file import as_typed
from planner.files.input_file import is_pipe_or_device
from planner.files.yaml_document import Document, parse_value
from planner.message import Message, MessageList
from planner.sweeps.analysis.case_table import is_number, value_text
from planner.sweeps.analysis.sobol import unit_cube
from planner.sweeps.arithmetic import evaluate, parse
from planner.sweeps.axes import (
    Axis,
    Bundle,
    Formula,
    Range,
    Scalar,
    Scale,
    Values,
    base_values,
    levels_of,
    range_of,
    require_scalar,
)
from planner.sweeps.sweep_file import SweepFile, is_path
from planner.timeseries.csv_numbers import NumberMarks, number_hint
from planner.timeseries.csv_text import CsvText, decoded, split_csv
from planner.version import install_line

MAX_CASES = 1_000_000
MAX_LIST_BYTES = 100_000_000

Setting = dict[str, Scalar | None]
"""The value of every axis in a case; None where it is as in the base scenario."""


@dataclass(frozen=True)
class Case:
    """One case: its number, the value of each axis, and its changes of the base by path."""

    number: int
    values: Setting
    changes: dict[str, Any]

    @property
    def at(self) -> str:
        """The values of its axes as a text, by which later runs recognise it."""
        return json.dumps(self.values, ensure_ascii=False)

    def label(self, axes: Iterable[str]) -> Message:
        """Return its number and the values of some axes."""
        values = [MessageList(" = ", (axis, value_text(self.values[axis]))) for axis in axes]
        if not values:
            return Message("case {number}", number=self.number)
        values_text = MessageList(", ", values)
        return Message("case {number} ({values})", number=self.number, values=values_text)


def design(
    sweep: SweepFile, document: Document, folder: Path, at_base: Callable[[str], Any]
) -> tuple[SweepFile, list[Case]]:
    """Return the cases of a sweep.

    `document` and `folder` are those of the sweep file; `at_base` returns the value of the base
    scenario at a path, None where it has none.

    Returns:
        The sweep with the base value of every axis filled in, and its cases.

    Raises:
        ScenarioError: too many cases, a wrong list of cases, an expression without a value.
    """
    settings: Iterable[Setting]
    if sweep.design == "list":
        sweep, settings = _from_csv(sweep, folder)
    else:
        settings = _settings(sweep, document)
    described = sweep.revised({"axes": _with_bases(sweep.axes, at_base)})
    bases = base_values(described.axes)
    cases, problems = [], []
    for number, setting in enumerate(settings):
        try:
            cases.append(_case(number, setting, sweep.axes, bases))
        except ScenarioError as error:
            for problem in error.problems:
                problems.append(document.problem(("axes", problem.path), problem.message))
            if len(problems) > 20:
                break
    if problems:
        raise ScenarioError(problems)
    return described, cases


def _with_bases(axes: Mapping[str, Axis], at_base: Callable[[str], Any]) -> dict[str, Axis]:
    """Return the axes with the value that the base scenario has, where it is one value."""
    described: dict[str, Axis] = {}
    for name, axis in axes.items():
        if isinstance(axis, Values | Range) and axis.base is None and is_path(name):
            value = at_base(name)
            if is_number(value) or (isinstance(axis, Values) and isinstance(value, bool | str)):
                axis = axis.revised({"base": value})
        described[name] = axis
    return described


def _settings(sweep: SweepFile, document: Document) -> Iterable[Setting]:
    axes = sweep.varied
    count = _count(sweep, axes)
    if count > MAX_CASES:
        message = Message(
            "makes {count:.3g} cases; the most is {max:,}", count=count, max=MAX_CASES
        )
        raise ScenarioError([document.problem(("design",), message)])
    if sweep.design == "one_at_a_time":
        return _one_at_a_time(axes)
    rows: Iterable[Sequence[Scalar]]
    if sweep.design == "grid":
        rows = itertools.product(*map(_tried, axes.values()))
    else:
        rows = (list(map(_at, axes.values(), point)) for point in _points(sweep).tolist())
    return (dict(zip(axes, row, strict=True)) for row in rows)


def _count(sweep: SweepFile, axes: Mapping[str, Axis]) -> int:
    sizes = [len(_tried(axis)) for axis in axes.values()]
    if sweep.design == "grid":
        return math.prod(sizes)
    if sweep.design == "one_at_a_time":
        return 1 + sum(sizes)
    return (sweep.samples or 1) * (len(axes) + 2 if sweep.design == "sobol" else 1)


def _one_at_a_time(axes: Mapping[str, Axis]) -> Iterator[Setting]:
    base = base_values(axes)
    yield base
    for name, axis in axes.items():
        for value in _tried(axis):
            yield {**base, name: value}


def _tried(axis: Axis) -> tuple[Scalar, ...]:
    """Return the values of an axis that are taken one after the other."""
    return levels_of(axis) or _ends(axis)


def _ends(axis: Axis) -> tuple[float, float]:
    """Return the ends of a range, whole numbers where it takes no others."""
    ends = range_of(axis)
    assert ends is not None
    if isinstance(axis, Range) and axis.whole:
        return math.ceil(ends.low), math.floor(ends.high)
    return ends.low, ends.high


def _points(sweep: SweepFile) -> np.ndarray[Any, Any]:
    """Return points of the unit cube, in the order of Saltelli's scheme for the design sobol."""
    if sweep.design == "latin_hypercube":
        from scipy.stats import qmc

        return np.asarray(
            qmc.LatinHypercube(len(sweep.varied), rng=sweep.seed).random(sweep.samples)
        )
    try:
        from SALib.sample import sobol
    except ImportError:
        message = Message("Sobol indices need SALib: {line}", line=install_line("sensitivity"))
        raise wrong("design", message) from None
    cube = unit_cube(sweep.varied)
    return np.asarray(sobol.sample(cube, sweep.samples, calc_second_order=False, seed=sweep.seed))


def _at(axis: Axis, share: float) -> Scalar:
    """Return the value at a share 0..1 of an axis."""
    if (levels := levels_of(axis)) is not None:
        return levels[min(int(share * len(levels)), len(levels) - 1)]
    low, high = _ends(axis)
    if isinstance(axis, Range) and axis.whole:
        return min(low + int(share * (high - low + 1)), high)
    return float(f"{low + share * (high - low):.12g}")


def _from_csv(sweep: SweepFile, folder: Path) -> tuple[SweepFile, list[Setting]]:
    """Read the CSV of cases.

    Returns:
        The sweep with an axis for every column, and the rows; empty cells have the base value.

    Raises:
        ScenarioError: with every problem, each with its line.
    """
    path = folder / (sweep.cases or "")
    text = _read_cases(path)
    header, columns = text.header, zip(*(cells for _, cells in text.rows), strict=True)
    marks = [NumberMarks(column, text.separator) for column in columns]
    problems = [
        Problem(message, column, str(path), 1) for column, message in _wrong_columns(sweep, header)
    ]
    settings: list[Setting] = []
    for line, cells in text.rows:
        setting = base_values(sweep.varied)
        for column, cell, numbers in zip(header, cells, marks, strict=True):
            try:
                setting[column] = _cell(sweep.axes.get(column), cell, numbers)
            except FieldError as error:
                problems.append(Problem(error.message, column, str(path), line))
        settings.append(setting)
    if not settings and not problems:
        problems.append(Problem(Message("has no cases"), "cases", str(path)))
    if problems:
        raise ScenarioError(problems)
    new: dict[str, Axis] = {}
    for column in header:
        if column not in sweep.axes:
            levels = dict.fromkeys(setting[column] for setting in settings)
            values = tuple(value for value in levels if value is not None)
            if not values:
                message = Message("has no value in any case")
                raise ScenarioError([Problem(message, column, str(path), 1)])
            new[column] = Values.unchecked(values=values, base=None)
    return sweep.revised({"axes": {**new, **sweep.axes}}), settings


def _read_cases(path: Path) -> CsvText:
    """Return the header and the rows of a CSV of cases. Raises ScenarioError."""
    try:
        if is_pipe_or_device(path):
            raise wrong("", Message("is not a regular file"), file=str(path))
        if path.stat().st_size > MAX_LIST_BYTES:
            raise wrong("", Message("is too large for a list of cases"), file=str(path))
        content = path.read_bytes()
        text = split_csv(decoded(content, str(path), None), str(path))
        raise_all(text.faults)
        rows = [(line, list(map(as_typed, cells))) for line, cells in text.rows]
        return replace(text, header=list(map(as_typed, text.header)), rows=rows)
    except OSError as error:
        message = Message("cannot be read: {text}", text=cause(error))
        raise wrong("cases", message, file=str(path)) from None
    except FieldError as error:  # names the file
        raise ScenarioError([Problem(e.message) for e in (error, *error.others)]) from None


def _wrong_columns(sweep: SweepFile, header: list[str]) -> Iterator[tuple[str, Message]]:
    for column in header:
        if header.count(column) > 1:
            yield column, Message("is the name of two columns")
        elif isinstance(sweep.axes.get(column), Formula):
            yield column, Message("is computed from other axes and cannot be listed")
        elif column not in sweep.axes and not is_path(column):
            yield column, Message("is neither a path of the scenario nor an axis of the sweep")


def _cell(axis: Axis | None, cell: str, marks: NumberMarks) -> Scalar | None:
    """Return the value of a cell; an empty one has that of the base. Raises FieldError."""
    number = marks.plain(cell)
    like_a_number = number is None and re.fullmatch(r"[-+]?[\d.,]+\s*%?", cell)
    if like_a_number and not isinstance(axis, Bundle) and (hint := number_hint(cell)):
        raise FieldError(Message("must be one value, is {text!r}{hint}", text=cell, hint=hint))
    try:
        value: Scalar | None = parse_value(number or cell)
    except ScenarioError:
        raise FieldError(Message("must be one value, is {text!r}", text=cell)) from None
    if value is None:
        return getattr(axis, "base", None)
    require_scalar(value)
    if isinstance(axis, Bundle) and value not in axis.bundle:
        labels = ", ".join(axis.bundle)
        raise FieldError(Message("must be one of {names}, is {value}", names=labels,
                                 value=as_written(value)))  # fmt: skip
    if isinstance(axis, Scale | Range) and not is_number(value):
        raise FieldError(Message("must be a number, is {value}", value=as_written(value)))
    return value


def _case(number: int, setting: Setting, axes: Mapping[str, Axis], bases: Setting) -> Case:
    values: Setting = {}
    changes: dict[str, Any] = {}
    for name, axis in axes.items():
        if isinstance(axis, Formula):
            continue
        value = setting.get(name)
        if isinstance(axis, Bundle):
            changes |= axis.bundle[str(value)] if value is not None else {}
        elif is_path(name) and value is not None and not (value == 1.0 and isinstance(axis, Scale)):
            changes[name] = {"scale": value} if isinstance(axis, Scale) else value
        values[name] = bases[name] if value is None else value
    for name, axis in axes.items():
        if isinstance(axis, Formula):
            values[name] = result = _result(name, axis, values)
            if is_path(name):
                changes[name] = {"scale": result} if axis.scales else result
    return Case(number, {name: values[name] for name in axes}, changes)


def _result(name: str, axis: Formula, values: Setting) -> float:
    """Return the value of an expression. Raises ScenarioError where it has none."""
    numbers: dict[str, float] = {}
    for symbol, source in axis.inputs.items():
        value = values[source]
        if value is None:
            raise wrong(name, Message("needs a base value of {name}: give it `base`", name=source))
        if isinstance(value, bool | str):
            message = Message("needs numbers for {name}, which is {value} in a case",
                              name=source, value=as_written(value))  # fmt: skip
            raise wrong(name, message)
        numbers[symbol] = value
    try:
        return float(f"{evaluate(parse(axis.expression), numbers):.12g}")
    except FieldError as error:
        raise wrong(name, error.message) from None
