"""CSV files of time series: read once, checked at the edge, matched by time."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import as_written, cause, did_you_mean, wrong
from planner.fields import FieldError
from planner.local_time import localised
from planner.message import Message, MessageList

MAX_BYTES = 100_000_000

_OFFSET = r"(?:Z|[+-]\d\d?(?::?\d\d)?)"

Rows = list[tuple[int, list[str]]]  # the line each row ends on, and its cells


class CsvTable:
    """One CSV file: its times, the line of each row, and its columns as numbers."""

    def __init__(self, name: str, header: list[str], rows: Rows, times: pd.DatetimeIndex) -> None:
        self.name = name
        self.times = times
        self.lines = [line for line, _ in rows]
        self.header = header
        self._rows = rows
        self._numbers: dict[str, np.ndarray[Any, Any]] = {}
        gaps, counts = np.unique(np.diff(times.as_unit("s").asi8) / 60, return_counts=True)
        self.step_min: float | None = float(gaps[counts.argmax()]) if gaps.size else None

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """Return a column as floats; cells that are no finite numbers become NaN.

        Raises:
            FieldError: the file has no such column, or two.
        """
        if name not in self._numbers:
            position = _position(self.name, self.header, name)
            numbers = [_number(cells[position]) for _, cells in self._rows]
            self._numbers[name] = np.array(numbers, dtype=float)
        return self._numbers[name]

    def cell(self, name: str, row: int) -> str:
        """Return the text of a cell."""
        return self._rows[row][1][self.header.index(name)]

    def wrong_cell(self, name: str, row: int, rule: Message) -> FieldError:
        """Return the error of a cell that breaks a rule, with the line and the cell as written."""
        text = self.cell(name, row)
        decimal_comma = re.fullmatch(r"[-+]?[0-9]*,(?![0-9]{3}$)[0-9]+", text)
        message = Message(
            "column {name} {sentence}, is {text}{hint}",
            name=name,
            sentence=rule,
            text=as_written(text),
            hint=Message("; write {text}", text=text.replace(",", ".")) if decimal_comma else "",
        )
        return self.at_row(row, message)

    def at_row(self, row: int, message: Message) -> FieldError:
        """Return the error of a row, with its line."""
        return _at_line(self.name, self.lines[row], message)


def read_csv(folder: Path, name: str, encoding: str, zone: dt.tzinfo) -> CsvTable:
    """Read `name` below `folder`; its `time` column is ISO 8601, naive times are in `zone`.

    Raises:
        FieldError: the file is missing, outside the folder, unreadable, or its times are wrong.
    """
    text = _read(folder, name, encoding)
    header, rows = split_csv(text, name)
    position = _position(name, header, "time")
    if not rows:
        raise FieldError(Message("{file} has a header but no rows", file=name))
    texts = [cells[position] for _, cells in rows]

    def at_row(row: int, message: Message) -> FieldError:
        return _at_line(name, rows[row][0], message)

    times = read_times(texts, zone, at_row)
    if times.has_duplicates:
        row = int(np.flatnonzero(times.duplicated())[0])
        raise at_row(row, Message("time {text} appears twice", text=texts[row]))
    if not times.is_monotonic_increasing:
        row = int(np.flatnonzero(np.diff(times.asi8) < 0)[0]) + 1
        raise at_row(row, Message("times must ascend, and {text} does not", text=texts[row]))
    return CsvTable(name, header, rows, times)


def _at_line(file: str, line: int, message: Message) -> FieldError:
    """Return the error of a line of a file."""
    return FieldError(MessageList(": ", (f"{file}:{line}", message)))


def _read(folder: Path, name: str, encoding: str) -> str:
    if "\0" in name + encoding:
        raise FieldError(Message("the name may not hold a null character"), "csv")
    try:
        root = folder.resolve()
        path = (root / name).resolve()
        if Path(name).is_absolute() or not path.is_relative_to(root):
            raise FieldError(Message("{file} is outside the scenario's folder", file=name))
        if not name:
            raise FieldError(Message("the empty name is a folder, not a file"))
        if path.is_dir():
            raise FieldError(Message("{file} is a folder, not a file", file=name))
        if path.exists() and not path.is_file():  # a pipe may never end
            raise FieldError(Message("{file} is not a regular file", file=name))
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise FieldError(
                Message(
                    "{file} is larger than {most} MB; keep the columns and years in use",
                    file=name,
                    most=MAX_BYTES // 1_000_000,
                )
            )
        text = content.decode(encoding)
    except FileNotFoundError:
        raise FieldError(Message("there is no file {file}", file=name)) from None
    except LookupError:
        message = Message("{name!r} is not known; utf-8 and gb18030 are", name=encoding)
        raise FieldError(message, "encoding") from None
    except UnicodeError:
        other = "utf-8" if "18030" in encoding else "gb18030"
        other = "utf-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else other
        raise FieldError(
            Message(
                "{file} is not {name} text; is it `encoding: {other}`?",
                file=name,
                name=encoding,
                other=other,
            )
        ) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead back to themselves
        is_loop = isinstance(error, RuntimeError)
        text = Message("its links form a loop") if is_loop else cause(error)
        raise FieldError(
            Message("{file} cannot be read: {text}", file=name[:80], text=text)
        ) from None
    return text.removeprefix("\ufeff")


def split_csv(text: str, name: str) -> tuple[list[str], Rows]:
    """Split a CSV into its header and its rows; rows without any content are left out.

    Raises:
        FieldError: it is empty, no CSV, or a row has not as many cells as the header.
    """
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    rows: Rows = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                rows.append((reader.line_num, stripped))
    except csv.Error as error:
        message = Message("is not valid CSV: {text}", text=error)
        raise _at_line(name, reader.line_num, message) from None
    if not rows:
        raise FieldError(Message("{file} is empty", file=name))
    (_, header), *rest = rows
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise FieldError(
            Message(
                "{file} must separate its cells by commas; the first line is {text!r}",
                file=name,
                text=header[0][:200],
            )
        )
    for line, cells in rest:
        if len(cells) != len(header):
            more = len(cells) > len(header)
            message = Message(
                "the number of cells is {count}, in the header {expected}{hint}",
                count=len(cells),
                expected=len(header),
                hint=Message("; write 0.5 where a number has a decimal comma") if more else "",
            )
            raise _at_line(name, line, message)
    return header, rest


def _position(name: str, header: list[str], column: str) -> int:
    if column not in header:
        columns = ", ".join(header)
        raise FieldError(
            Message(
                "{file} has no column {name!r}{hint} (it has {text})",
                file=name,
                name=column,
                hint=did_you_mean(column, header),
                text=columns if len(columns) <= 200 else f"{columns[:200]} ...",
            )
        )
    if header.count(column) > 1:
        raise FieldError(
            Message("{file} has column {name!r} more than once", file=name, name=column)
        )
    return header.index(column)


def _number(text: str) -> float:
    try:
        number = float("nan" if "_" in text else text)
    except ValueError:
        return float("nan")
    return number if math.isfinite(number) else float("nan")


def read_times(
    texts: list[str], zone: dt.tzinfo, at_row: Callable[[int, Message], Exception]
) -> pd.DatetimeIndex:
    """Read ISO 8601 times, with an offset or in `zone`; 24:00 is midnight after.

    Raises:
        Exception: what `at_row` returns for the first text that is no time, or none of `zone`.
    """
    column = pd.Series(texts, dtype="str")
    midnight = column.str.contains(rf"[T ]24:00(?::00)?{_OFFSET}?$", regex=True)
    if midnight.any():
        as_zero = column.str.replace(r"([T ])24:00", r"\g<1>00:00", regex=True)
        column = column.where(~midnight, as_zero)
    aware = column.str.contains(rf"[T ].*{_OFFSET}$", regex=True)
    if aware.any() and not aware.all():
        row = int(np.flatnonzero(~aware if aware.iloc[0] else aware)[0])
        raise at_row(row, Message("times with and without offset are mixed"))
    stamps = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=bool(aware.any()))
    wrong = stamps.isna() | ~column.str.match(r"[0-9]{4}")  # else "now" and "today" are times
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        message = Message(
            "time must be ISO 8601 such as 2026-07-15T14:00+08:00 or 2026-07-15 14:00,"
            " is {text}{hint}",
            text=as_written(texts[row]),
            hint=_time_hint(texts[row]),
        )
        raise at_row(row, message)
    remote = (stamps.dt.year < 1800) | (stamps.dt.year > 2300)
    if remote.any():
        row = int(np.flatnonzero(remote)[0])
        message = Message("time must lie in the years 1800 to 2300, is {text!r}", text=texts[row])
        raise at_row(row, message)
    index = pd.DatetimeIndex(stamps + pd.to_timedelta(midnight.astype(int), unit="D"))
    return localised(index, zone, at_row) if index.tz is None else index.tz_convert(zone)


def step_start(
    starts: Sequence[pd.Timestamp], when: str | dt.datetime, zone: dt.tzinfo, field: str
) -> pd.Timestamp:
    """Read a time as CSV files have it, with an offset or in `zone`: one of the starts of steps.

    Raises:
        ScenarioError: of the field, where it is no time or none of the starts.
    """
    (moment,) = read_times([str(when)], zone, lambda _, message: wrong(field, message))
    if moment not in starts:
        message = Message(
            "must be the start of a step, {first} to {last}, is {when}",
            first=starts[0].isoformat(), last=starts[-1].isoformat(), when=str(when),
        )  # fmt: skip
        raise wrong(field, message)
    return moment


def _time_hint(text: str) -> str:
    """Return how to correct a time as Excel writes it; empty for any other text."""
    if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", text):
        return Message("; this is Excel's day number: format the column as yyyy-mm-dd hh:mm")
    if re.match(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}\b", text):
        return Message("; day or month first is ambiguous: format the column as yyyy-mm-dd hh:mm")
    return ""
