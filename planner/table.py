"""CSV files of time series: read once, checked at the edge, matched by time."""

from __future__ import annotations

import datetime as dt
import difflib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


class CsvTable:
    """One CSV file: its times, the line each row stands on, and its columns as numbers."""

    def __init__(self, name: str, frame: pd.DataFrame, times: pd.DatetimeIndex) -> None:
        self.name = name
        self.times = times
        self.lines = np.arange(2, len(frame) + 2)
        self._frame = frame
        self._numbers: dict[str, np.ndarray[Any, Any]] = {}
        gaps = np.diff(times.as_unit("s").asi8) / 60
        self.step_min: float | None = float(np.median(gaps)) if gaps.size else None

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """Return a column as floats; cells that are no numbers become NaN.

        Raises:
            ValueError: the file has no such column, or the column holds decimal commas.
        """
        if name not in self._numbers:
            if name not in self._frame.columns:
                close = difflib.get_close_matches(name, map(str, self._frame.columns), 1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                has = ", ".join(map(str, self._frame.columns))
                raise ValueError(f"{self.name} has no column {name!r}{hint} (it has {has})")
            column = self._frame[name]
            numbers = pd.to_numeric(column, errors="coerce")
            texts = column[numbers.isna() & column.notna()].astype(str)
            if texts.str.fullmatch(r"-?\d+,\d+").any():
                raise ValueError(f"{self.name}: column {name!r} has decimal commas; write 1.5")
            self._numbers[name] = numbers.to_numpy(dtype=float)
        return self._numbers[name]

    def text(self, name: str, row: int) -> str:
        """Return a cell as it was written."""
        value = self._frame[name].iloc[row]
        return "" if pd.isna(value) else str(value)


def read_csv(folder: Path, name: str, encoding: str, zone: dt.timezone) -> CsvTable:
    """Read `name` below `folder`; its `time` column is ISO 8601, naive times are in `zone`.

    Raises:
        ValueError: the file is missing, outside the folder, unreadable, or its times are wrong.
    """
    path = _inside(folder, name)
    try:
        frame = pd.read_csv(path, encoding=encoding, float_precision="round_trip",
                            skip_blank_lines=False, skipinitialspace=True)  # fmt: skip
    except FileNotFoundError:
        raise ValueError(f"there is no file {name}") from None
    except LookupError:
        raise ValueError(f"encoding {encoding!r} is not known; utf-8 and gb18030 are") from None
    except UnicodeError:
        raise ValueError(f"{name} is not {encoding} text; is it `encoding: gb18030`?") from None
    except pd.errors.EmptyDataError:
        raise ValueError(f"{name} is empty") from None
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error).strip().splitlines()[-1]
        raise ValueError(f"{name} cannot be read as CSV: {said}") from None
    frame.columns = [str(column).strip().lstrip("\ufeff") for column in frame.columns]
    if "time" not in frame.columns:
        has = ", ".join(map(str, frame.columns))
        raise ValueError(f"{name} has no column 'time' (it has {has})")
    times = _times(frame["time"], name, zone)
    table = CsvTable(name, frame, times)
    if times.has_duplicates:
        row = int(np.flatnonzero(times.duplicated())[0])
        raise ValueError(f"{name}:{table.lines[row]}: time {frame['time'].iloc[row]} appears twice")
    if not times.is_monotonic_increasing:
        row = int(np.flatnonzero(np.diff(times.asi8) < 0)[0]) + 1
        raise ValueError(f"{name}:{table.lines[row]}: times must ascend")
    return table


def _inside(folder: Path, name: str) -> Path:
    root = folder.resolve()
    path = (root / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(root):
        raise ValueError(f"{name} leaves the scenario's folder")
    if path.is_dir():
        raise ValueError(f"{name} is a folder, not a file")
    return path


def _times(column: pd.Series[Any], name: str, zone: dt.timezone) -> pd.DatetimeIndex:
    texts = column.fillna("").astype(str).str.strip()
    midnight = texts.str.contains(r"[T ]24:00(?::00)?(?:[+-]\d\d:?\d\d|Z)?$", regex=True)
    texts = texts.where(~midnight, texts.str.replace(r"([T ])24:00", r"\g<1>00:00", regex=True))
    aware = texts.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True)
    if aware.any() and not aware.all():
        row = int(np.flatnonzero(~aware if aware.iloc[0] else aware)[0])
        raise ValueError(f"{name}:{row + 2}: times with and without offset are mixed")
    stamps = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=bool(aware.any()))
    if stamps.isna().any():
        row = int(np.flatnonzero(stamps.isna())[0])
        raise ValueError(
            f"{name}:{row + 2}: time must be ISO 8601 such as 2026-07-15T14:00+08:00 or"
            f" 2026-07-15 14:00, is {column.iloc[row]!r}"
        )
    index = pd.DatetimeIndex(stamps + pd.to_timedelta(midnight.astype(int), unit="D"))
    return index.tz_convert(zone) if aware.any() else index.tz_localize(zone)
