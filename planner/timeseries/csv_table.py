"""CSV files of time series: read once, checked at the edge, matched by time."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import as_written, did_you_mean

MAX_BYTES = 100_000_000

_OFFSET = r"(?:Z|[+-]\d\d(?::?\d\d)?)"

Rows = list[tuple[int, list[str]]]  # the line each row ends on, and its cells


class CsvTable:
    """One CSV file: its times, the line each row stands on, and its columns as numbers."""

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
            ValueError: the file has no such column, or two.
        """
        if name not in self._numbers:
            at = _position(self.name, self.header, name)
            numbers = [_number(cells[at]) for _, cells in self._rows]
            self._numbers[name] = np.array(numbers, dtype=float)
        return self._numbers[name]

    def cell(self, name: str, row: int) -> str:
        """Return the text of a cell."""
        return self._rows[row][1][self.header.index(name)]

    def given(self, name: str, row: int) -> str:
        """Return a cell as it was written, and what its author may have meant by it."""
        text = self.cell(name, row)
        decimal = re.fullmatch(r"[-+]?[0-9]*,[0-9]+", text)
        return as_written(text) + (f"; write {text.replace(',', '.')}" if decimal else "")


def read_csv(folder: Path, name: str, encoding: str, zone: dt.timezone) -> CsvTable:
    """Read `name` below `folder`; its `time` column is ISO 8601, naive times are in `zone`.

    Raises:
        ValueError: the file is missing, outside the folder, unreadable, or its times are wrong.
    """
    text = _read(folder, name, encoding)
    header, rows = split_csv(text, name)
    at = _position(name, header, "time")
    if not rows:
        raise ValueError(f"{name} has a header but no rows")
    texts = [cells[at] for _, cells in rows]
    lines = [line for line, _ in rows]
    times = _times(texts, lines, name, zone)
    if times.has_duplicates:
        row = int(np.flatnonzero(times.duplicated())[0])
        raise ValueError(f"{name}:{lines[row]}: time {texts[row]} appears twice")
    if not times.is_monotonic_increasing:
        row = int(np.flatnonzero(np.diff(times.asi8) < 0)[0]) + 1
        raise ValueError(f"{name}:{lines[row]}: times must ascend, and {texts[row]} does not")
    return CsvTable(name, header, rows, times)


def _read(folder: Path, name: str, encoding: str) -> str:
    try:
        if "\0" in name + encoding:
            raise ValueError("csv: the name may not hold a null character")
        root = folder.resolve()
        path = (root / name).resolve()
        if Path(name).is_absolute() or not path.is_relative_to(root):
            raise ValueError(f"{name} leaves the scenario's folder")
        if not name or path.is_dir():
            raise ValueError(f"{name or 'the empty name'} is a folder, not a file")
        if path.exists() and not path.is_file():  # a pipe may never end
            raise ValueError(f"{name} is no ordinary file")
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            most = f"{MAX_BYTES // 1_000_000} MB"
            raise ValueError(f"{name} is larger than {most}; keep the columns and years in use")
        text = content.decode(encoding)
    except FileNotFoundError:
        raise ValueError(f"there is no file {name}") from None
    except LookupError:
        raise ValueError(f"encoding: {encoding!r} is not known; utf-8 and gb18030 are") from None
    except UnicodeError:
        other = "utf-8" if "18030" in encoding else "gb18030"
        other = "utf-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else other
        raise ValueError(f"{name} is not {encoding} text; is it `encoding: {other}`?") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead back to themselves
        said = getattr(error, "strerror", None) or "its links go in a circle"
        raise ValueError(f"{name[:80]} cannot be read: {said}") from None
    return text.removeprefix("\ufeff")


def split_csv(text: str, name: str) -> tuple[list[str], Rows]:
    """Split a CSV into its header and its rows; rows without any content are left out.

    Raises:
        ValueError: it is empty, no CSV, or a row has not as many cells as the header.
    """
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    rows: Rows = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                rows.append((reader.line_num, stripped))
    except csv.Error as error:
        raise ValueError(f"{name}:{reader.line_num}: is no CSV: {error}") from None
    if not rows:
        raise ValueError(f"{name} is empty")
    (_, header), *rest = rows
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise ValueError(
            f"{name} must separate its cells by commas; the first line is {header[0][:200]!r}"
        )
    for line, cells in rest:
        if len(cells) != len(header):
            more = len(cells) > len(header)
            hint = "; write 0.5 where a number has a decimal comma" if more else ""
            raise ValueError(
                f"{name}:{line}: the number of cells is {len(cells)}, in the header"
                f" {len(header)}{hint}"
            )
    return header, rest


def _position(name: str, header: list[str], column: str) -> int:
    if column not in header:
        has = ", ".join(header)
        has = has if len(has) <= 200 else f"{has[:200]} ..."
        raise ValueError(
            f"{name} has no column {column!r}{did_you_mean(column, header)} (it has {has})"
        )
    if header.count(column) > 1:
        raise ValueError(f"{name} has column {column!r} more than once")
    return header.index(column)


def _number(text: str) -> float:
    try:
        number = float("nan" if "_" in text else text)
    except ValueError:
        return float("nan")
    return number if math.isfinite(number) else float("nan")


def _times(texts: list[str], lines: list[int], name: str, zone: dt.timezone) -> pd.DatetimeIndex:
    column = pd.Series(texts, dtype="str")
    midnight = column.str.contains(rf"[T ]24:00(?::00)?{_OFFSET}?$", regex=True)
    column = column.where(~midnight, column.str.replace(r"([T ])24:00", r"\g<1>00:00", regex=True))
    aware = column.str.contains(rf"[T ].*{_OFFSET}$", regex=True)
    if aware.any() and not aware.all():
        row = int(np.flatnonzero(~aware if aware.iloc[0] else aware)[0])
        raise ValueError(f"{name}:{lines[row]}: times with and without offset are mixed")
    stamps = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=bool(aware.any()))
    wrong = stamps.isna() | ~column.str.match(r"[0-9]{4}")  # else "now" and "today" are times
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{name}:{lines[row]}: time must be ISO 8601 such as 2026-07-15T14:00+08:00 or"
            f" 2026-07-15 14:00, is {as_written(texts[row])}{_excel(texts[row])}"
        )
    early, late = stamps.dt.year < 1800, stamps.dt.year > 2300
    if (early | late).any():
        row = int(np.flatnonzero(early | late)[0])
        raise ValueError(f"{name}:{lines[row]}: time must lie near our days, is {texts[row]!r}")
    index = pd.DatetimeIndex(stamps + pd.to_timedelta(midnight.astype(int), unit="D"))
    return index.tz_localize(zone) if index.tz is None else index.tz_convert(zone)


def _excel(text: str) -> str:
    """Explain the times that Excel writes."""
    if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", text):
        return "; Excel counts days so: format the column as yyyy-mm-dd hh:mm"
    if re.match(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}\b", text):
        return "; day or month first is ambiguous: format the column as yyyy-mm-dd hh:mm"
    return ""
