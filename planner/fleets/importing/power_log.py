"""Logs of the power of GPUs: CSV of nvidia-smi or a DCGM exporter, and `dcgmi dmon`.

A row is a sample of one GPU, or of all in columns of their own. What cannot be read, such as [N/A],
a blank value of DCGM (above 1e15) or a last line that was cut off, is left out; runs that the rest
does not cover are named.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import wrong
from planner.files.csv_file import read_csv
from planner.files.input_file import read_bytes, text_of
from planner.message import Message, template

if TYPE_CHECKING:
    import pandas as pd

TIMES = ("timestamp", "time", "datetime", "date", "ts", "unix_time", "epoch")
INDICES = ("index", "gpu", "gpu_index", "gpu_id", "device", "uuid", "gpu_uuid")
POWERS = (
    "power.draw", "power.draw.average", "power.draw.instant", "dcgm_fi_dev_power_usage", "power",
    "power_w", "gpu_power_w", "power_usage", "powerusage",
)  # fmt: skip
NAMES, VALUES = ("metric", "name", "__name__", "field"), ("value", "values")
DCGM = "dcgm_fi_dev_power_usage"
UNIT_W = {"": 1.0, "w": 1.0, "watt": 1.0, "watts": 1.0, "kw": 1e3, "mw": 1e-3}  # mW, as NVML has it
BLANK = 1e15  # and above: what DCGM gives for no value
OTHER_GPUS = template(
    "has the power of {n} GPUs, and a replica has {gpus}: choose those that served with --gpu-index"
)
EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)
_CELL = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([a-zA-Z]*)")
_HEAD = re.compile(r"(?s)\s*(.*?)\s*(?:\[([a-zA-Z]+)\]\s*)?")
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_DMON = re.compile(r"^(?P<before>.*?)\bGPU(?:-I)?\s+(?P<gpu>\d+)\s+(?P<cells>.*)$")


@dataclass(frozen=True)
class PowerLog:
    """Samples of power.

    samples: columns at_s (since 1970, by its clock), gpu and w. times: "zone" where the times have
    one, "clock" where they are of a local clock, "none" where there are none.
    """

    file: Path
    samples: pd.DataFrame
    times: str

    def gpus(self) -> list[str]:
        """Return the GPUs that the log has."""
        return sorted(self.samples["gpu"].unique(), key=lambda gpu: (len(gpu), gpu))

    def moments_s(self, zone: dt.tzinfo | None) -> np.ndarray:
        """Return when samples were taken, s since 1970; a local clock is of a zone, or UTC."""
        import pandas as pd

        if zone is None or self.times != "clock":
            return self.samples["at_s"].to_numpy()
        clock = pd.DatetimeIndex(pd.to_datetime(self.samples["at_s"], unit="s"))
        moments = clock.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
        return ((moments - EPOCH) / dt.timedelta(seconds=1)).to_numpy(float)

    def of(self, gpus: Iterable[str]) -> PowerLog:
        """Return the log of some GPUs. Raises ScenarioError where one is missing."""
        known, chosen = self.gpus(), list(gpus)
        if missing := [gpu for gpu in chosen if gpu not in known]:
            message = Message(
                "has no GPU {name}; it has {known}", name=missing[0], known=", ".join(known)
            )
            raise wrong("--gpu-index", message, file=str(self.file))
        rows = self.samples["gpu"].isin(chosen)
        return PowerLog(self.file, self.samples[rows], self.times)


def is_power_log(text: str) -> bool:
    """Return whether a text looks like a log of power."""
    head = text[:2000].lower()
    return any(name in head for name in ("power.draw", DCGM, "#entity")) or bool(
        re.match(r"\s*gpu\s+\d+\s", head)
    )


def read_power_logs(paths: Sequence[Path]) -> PowerLog:
    """Read a log that may be in several files. Raises ScenarioError."""
    import pandas as pd

    logs = [parse_power_log(text_of(read_bytes(path), path), path) for path in paths]
    if len({log.times for log in logs}) > 1:
        message = Message("has times of another kind than {path}", path=logs[0].file)
        raise wrong("", message, file=str(logs[1].file))
    by_time = sorted(logs, key=lambda log: log.samples["at_s"].min())
    for before, after in pairwise(by_time):
        if after.times == "none" or after.samples["at_s"].min() <= before.samples["at_s"].max():
            message = Message(
                "has times of {path} too: of another server? Import its runs by themselves",
                path=before.file,
            )
            raise wrong("", message, file=str(after.file))
    return PowerLog(logs[0].file, pd.concat([log.samples for log in logs]), logs[0].times)


def parse_power_log(text: str, path: Path) -> PowerLog:
    """Read the text of a log; its last line counts where it has ended. Raises ScenarioError."""
    import pandas as pd

    whole = text.rpartition("\n")[0]
    first = next((line for line in whole.splitlines() if line.strip()), "")
    is_dmon = "#Entity" in first or _DMON.match(first) is not None
    rows = _dmon(whole, path) if is_dmon else _csv(whole, path)
    frame, times = _timed(rows[rows["w"].notna()])
    if frame.empty:
        message = Message("has no line with a power that can be read")
        raise wrong("", message, file=str(path))
    frame = frame.astype({"gpu": str, "w": float})
    assert isinstance(frame, pd.DataFrame)
    return PowerLog(path, frame, times)


def _timed(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return rows with their times, and of what kind these are."""
    import pandas as pd

    texts = rows["time"]
    if (texts == "").all():
        return rows.assign(at_s=0.0), "none"
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().mean() > 0.5:
        size = numbers.max()  # s, ms, us or ns
        factor = 1.0 if size < 1e11 else 1e-3 if size < 1e14 else 1e-6 if size < 1e17 else 1e-9
        at_s, kind = numbers * factor, "zone"
    else:
        zoned = bool(texts.str.contains(_ZONE).mean() > 0.5)
        times = pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)
        at_s, kind = (times - EPOCH) / dt.timedelta(seconds=1), "zone" if zoned else "clock"
    frame = rows.assign(at_s=at_s)
    return frame[frame["at_s"].notna()], kind


def _dmon(text: str, path: Path) -> pd.DataFrame:
    """Return the rows of `dcgmi dmon`, with a time before each line or without."""
    import pandas as pd

    column, rows = 0, []
    for line in text.splitlines():
        if "#Entity" in line:
            names = line.partition("#Entity")[2].split()
            powers = [i for i, name in enumerate(names) if name in ("POWER", "POWR", "DRAW")]
            if not powers:
                message = Message(
                    "has no column POWER, but {names}; `dcgmi dmon -e 155` has it",
                    names=", ".join(names),
                )
                raise wrong("", message, file=str(path))
            column = powers[0]
        elif match := _DMON.match(line):
            cells = match["cells"].split()
            cell = cells[column] if column < len(cells) else ""
            rows.append((match["before"].strip(" ,|"), match["gpu"], _watts(cell, "")))
    return pd.DataFrame(rows, columns=["time", "gpu", "w"])


def _csv(text: str, path: Path) -> pd.DataFrame:
    """Return the rows of a CSV, whatever its columns are called. Raises ScenarioError."""
    import pandas as pd

    try:
        table = read_csv(
            io.StringIO(text), dtype=str, skipinitialspace=True, on_bad_lines="skip", comment="#"
        ).fillna("")
    except (pd.errors.EmptyDataError, pd.errors.ParserError):
        raise wrong("", Message("is empty or no CSV"), file=str(path)) from None
    heads = [_HEAD.fullmatch(str(name).lower()) for name in table.columns]
    table.columns = pd.Index([head[1] for head in heads if head])
    table = table.loc[:, ~table.columns.duplicated(keep="last")]
    units = {head[1]: head[2] or "" for head in heads if head}
    time, gpu = _one_of(TIMES, units), _one_of(INDICES, units)
    metric, value = _one_of(NAMES, units), _one_of(VALUES, units)
    power = _one_of(POWERS, units)
    if metric is not None and value is not None:  # a row a metric
        table = table[table[metric].str.lower().str.startswith(DCGM)]
        power = value
    texts: Any = "" if time is None else table[time].str.strip()
    if power is not None:
        which: Any = "0" if gpu is None else table[gpu].str.strip()
        watts = [_watts(cell, units[power]) for cell in table[power]]
        return pd.DataFrame({"time": texts, "gpu": which, "w": watts}, index=table.index)
    wide = {column: match[1] for column in units if (match := re.search(r'gpu="?(\w+)', column))}
    if not wide or not any(DCGM in column or "power" in column for column in wide):
        message = Message(
            "has no column of power, but {names}; nvidia-smi writes power.draw [W], a DCGM exporter"
            " DCGM_FI_DEV_POWER_USAGE",
            names=", ".join(units) or as_line(text),
        )
        raise wrong("", message, file=str(path))
    parts = [
        pd.DataFrame({"time": texts, "gpu": gpu, "w": [_watts(cell, "") for cell in table[column]]})
        for column, gpu in wide.items()
    ]
    return pd.concat(parts)


def as_line(text: str) -> str:
    """Return the beginning of a text."""
    return repr(text.strip()[:40])


def _one_of(names: Iterable[str], columns: Iterable[str]) -> str | None:
    return next((name for name in names if name in columns), None)


def _watts(cell: str, unit: str) -> float | None:
    """Return the power of a cell, with its unit or in that of its column; None where it is none."""
    match = _CELL.fullmatch(cell.strip())
    if match is None:
        return None
    factor = UNIT_W.get((match[2] or unit).lower())
    value = float(match[1])
    return None if factor is None or value > BLANK else value * factor
