"""Design list: cases from the rows of a CSV, whose columns are paths or axes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from planner.document import parse_value
from planner.errors import Problem, ScenarioError, shown
from planner.sweeps.axes import Axis, Bundle, Expression, Range, Scalar, Scale, Values
from planner.sweeps.file import SweepFile, is_path

MAX_LIST_BYTES = 100_000_000

Setting = dict[str, Scalar | None]


def listed(sweep: SweepFile, folder: Path, base: Setting) -> tuple[SweepFile, list[Setting]]:
    """Read the CSV of cases.

    Returns:
        The sweep with an axis for every column, and the rows; what a row leaves out is as `base`.

    Raises:
        ScenarioError: with every problem found, each with its line.
    """
    name = sweep.cases or ""
    path = folder / name
    try:
        content = path.read_bytes()
        if len(content) > MAX_LIST_BYTES:
            raise ScenarioError([Problem("is too large for a list of cases", file=str(path))])
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except OSError as error:
        said = f"cannot be read: {error.strerror or error}"
        raise ScenarioError([Problem(said, "cases", str(path))]) from None
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise ScenarioError([Problem(f"is no CSV: {error}", "cases", str(path))]) from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    problems = [Problem(said, column, str(path), 1) for column, said in _columns(sweep, header)]
    settings: list[Setting] = []
    for line, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            said = f"has {len(cells)} cells, the header has {len(header)}"
            problems.append(Problem(said, file=str(path), line=line))
            continue
        setting = dict(base)
        for column, cell in zip(header, cells, strict=True):
            try:
                setting[column] = _cell(sweep.axes.get(column), cell)
            except ValueError as error:
                problems.append(Problem(str(error), column, str(path), line))
        settings.append(setting)
    if not settings and not problems:
        problems.append(Problem("has no cases", "cases", str(path)))
    if problems:
        raise ScenarioError(problems)
    new: dict[str, Axis] = {}
    for column in header:
        if column not in sweep.axes:
            held = [s[column] for s in settings]
            found = tuple(dict.fromkeys(value for value in held if value is not None))
            if not found:
                raise ScenarioError([Problem("has no value in any case", column, str(path), 1)])
            new[column] = Values.model_construct(values=found, base=None)
    return sweep.model_copy(update={"axes": {**new, **sweep.axes}}), settings


def _columns(sweep: SweepFile, header: list[str]) -> Iterator[tuple[str, str]]:
    if not header:
        yield "cases", "is empty; the first line names paths"
    for column in header:
        if header.count(column) > 1:
            yield column, "is the name of two columns"
        elif isinstance(sweep.axes.get(column), Expression):
            yield column, "follows from other axes and cannot be listed"
        elif column not in sweep.axes and not is_path(column):
            yield column, "is neither a path of the scenario nor an axis of the sweep"


def _cell(axis: Axis | None, cell: str) -> Scalar | None:
    """Read a cell; an empty one leaves the axis as in the base. Raises ValueError."""
    try:
        value = parse_value(cell.strip())
    except ScenarioError:
        raise ValueError(f"must be one value, is {cell!r}") from None
    if value is None:
        return getattr(axis, "base", None)
    if not isinstance(value, bool | int | float | str) or value != value:
        raise ValueError(f"must be a number, a text, true or false, is {shown(cell)}")
    if isinstance(axis, Bundle) and value not in axis.bundle:
        raise ValueError(f"must be one of {', '.join(axis.bundle)}, is {shown(value)}")
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(axis, Scale | Range) and not numeric:
        raise ValueError(f"must be a number, is {shown(value)}")
    return value
