"""Logs of the power of GPUs: CSV of nvidia-smi or a DCGM exporter, and `dcgmi dmon`.

A row is a sample of one GPU, or of all in columns of their own. A GPU is its index, and its server
where the log is of several. What cannot be read, such as [N/A], a blank value of DCGM (above 1e15)
or a last line that was cut off, is left out; runs that the rest does not cover are named.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import Problem, ScenarioError, collecting, wrong
from planner.files.input_file import read_bytes, text_of
from planner.message import Message, template

if TYPE_CHECKING:
    import pandas as pd

TIMES = ("timestamp", "time", "datetime", "date", "ts", "unix_time", "epoch")
UUIDS = ("uuid", "gpu_uuid")
INDICES = ("index", "gpu", "gpu_index", "gpu_id", "device", *UUIDS)
SERVERS = ("hostname", "host", "node", "nodename", "server", "instance", *UUIDS)
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
LATEST_S = 8e9  # since 1970, of a log
ALIKE = 0.1  # of the mean, two samples of a GPU at one time
EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)
_CELL = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([a-zA-Z]*)")
_HEAD = re.compile(r"(?s)\s*(.*?)\s*(?:\[([a-zA-Z]+)\]\s*)?")
_ZONE = re.compile(r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$")
_DMON = re.compile(r"^(?P<before>.*?)\bGPU(?:-I)?\s+(?P<gpu>\d+)\s+(?P<cells>.*)$")


@dataclass(frozen=True)
class PowerLog:
    """Samples of power.

    samples: columns at_s (since 1970, by its clock), gpu and w. times: "zone" where the times have
    one, "clock" where they are of a local clock, "none" where there are none. unread: GPUs without
    a power that can be read.
    """

    file: Path
    samples: pd.DataFrame
    times: str
    unread: frozenset[str] = frozenset()

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

    def of(self, gpus: Sequence[str]) -> PowerLog:
        """Return the log of some GPUs, or of all. Raises ScenarioError where one is missing."""
        known = self.gpus()
        if missing := [gpu for gpu in gpus or sorted(self.unread) if gpu not in known]:
            message = Message(
                "has no power of GPU {name}; it has that of {known}: choose with --gpu-index",
                name=missing[0], known=", ".join(known),
            )  # fmt: skip
            raise wrong("", message, file=str(self.file))
        if not gpus:
            return self
        return PowerLog(self.file, self.samples[self.samples["gpu"].isin(gpus)], self.times)


def is_power_log(text: str) -> bool:
    """Return whether a text looks like a log of power."""
    head = text[:2000].lower()
    return any(name in head for name in ("power.draw", DCGM, "#entity")) or bool(
        re.match(r"\s*gpu\s+\d+\s", head)
    )


def read_power_logs(paths: Sequence[Path]) -> PowerLog:
    """Read a log that may be in several files. Raises ScenarioError with every problem."""
    import pandas as pd

    problems: list[Problem] = []
    logs = []
    for path in dict.fromkeys(paths):
        with collecting(problems):
            logs.append(parse_power_log(text_of(read_bytes(path), path), path))
    if problems:
        raise ScenarioError(problems)
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
    samples = pd.concat([log.samples for log in logs])
    unread = frozenset[str]().union(*(log.unread for log in logs)) - {*samples["gpu"]}
    return PowerLog(logs[0].file, samples, logs[0].times, unread)


def parse_power_log(text: str, path: Path) -> PowerLog:
    """Read the text of a log; its last line counts where it has ended. Raises ScenarioError."""
    whole = text.rpartition("\n")[0]
    first = next((line for line in whole.splitlines() if line.strip()), "")
    is_dmon = "#Entity" in first or _DMON.match(first) is not None
    rows = (_dmon if is_dmon else _csv)(whole, path).astype({"gpu": str, "w": float})
    if (rows.groupby("gpu")["server"].nunique() > 1).any():  # else an index is of one server
        rows["gpu"] = rows["server"] + "/" + rows["gpu"]
    frame, times = _timed(rows[rows["w"].notna()])
    if frame.empty:
        message = Message("has no line with a power that can be read")
        raise wrong("", message, file=str(path))
    _require_one_source(frame, path)
    return PowerLog(path, frame, times, frozenset(rows["gpu"]) - frozenset(frame["gpu"]))


def _require_one_source(samples: pd.DataFrame, path: Path) -> None:
    """Require that a GPU has one power at a time, as far as clocks of whole seconds show it.

    Raises:
        ScenarioError: the first and the last of its samples at each time differ throughout.
    """
    at_once = samples.groupby(["gpu", "at_s"])["w"].agg(["first", "last", "count"])
    repeated = at_once[at_once["count"] > 1].groupby("gpu")
    for gpu, pairs in repeated:
        steps_w = pairs["last"] - pairs["first"]
        step_w, error_w = abs(steps_w.mean()), steps_w.std() / len(steps_w) ** 0.5
        if step_w > ALIKE * pairs["first"].mean() and step_w > 3 * error_w:
            message = Message(
                "has two powers of GPU {name} at a time, {step:g} W apart: of several servers? Add"
                " a column hostname",
                name=str(gpu), step=step_w,
            )  # fmt: skip
            raise wrong("", message, file=str(path))


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
    return frame[frame["at_s"].between(0, LATEST_S)], kind


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
            rows.append((match["before"].strip(" ,|"), "", match["gpu"], _watts(cell, "")))
    return pd.DataFrame(rows, columns=["time", "server", "gpu", "w"])


def _csv(text: str, path: Path) -> pd.DataFrame:
    """Return the rows of a CSV, whatever its columns are called. Raises ScenarioError."""
    import pandas as pd

    table = _table(text, path)
    heads = [match for name in table.columns if (match := _HEAD.fullmatch(name))]
    table.columns = pd.Index([head[1] for head in heads])
    units = {head[1]: head[2] or "" for head in heads}
    if twice := [name for name in units if name and [*table.columns].count(name) > 1]:
        message = Message("has several columns {name}", name=twice[0])
        raise wrong("", message, file=str(path))
    time, gpu, server = (_one_of(names, units) for names in (TIMES, INDICES, SERVERS))
    metric, value = _one_of(NAMES, units), _one_of(VALUES, units)
    power = _one_of(POWERS, units)
    if metric is not None and value is not None:  # a row a metric
        table = table[table[metric].str.lower().str.split("{").str[0] == DCGM]
        power = value
    if power is not None:
        if gpu is None:
            message = Message(
                "does not say which GPU a line is of: log index too, as in"
                " --query-gpu=timestamp,index,power.draw"
            )
            raise wrong("", message, file=str(path))
        columns = {power: ("" if server is None else table[server], table[gpu])}
    else:
        columns = _wide(units, text, path)
    parts = [
        pd.DataFrame({
            "time": "" if time is None else table[time], "server": of_server, "gpu": of_gpu,
            "w": [_watts(cell, units[column]) for cell in table[column]],
        }, index=table.index)
        for column, (of_server, of_gpu) in columns.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _table(text: str, path: Path) -> pd.DataFrame:
    """Return the cells of a CSV by the names in its first line. Raises ScenarioError."""
    import pandas as pd

    lines = (line for line in text.splitlines() if not line.startswith("#"))
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(lines, skipinitialspace=True)
            if row
        ]
    except csv.Error:
        rows = []
    if not rows:
        raise wrong("", Message("is empty or no CSV"), file=str(path))
    head = [name.lower() for name in rows[0]]
    cells = [row for row in rows[1:] if row != rows[0]]  # which stands again after a restart
    wide = [row for row in cells if any(row[len(head) :])]
    if 2 * len(wide) > len(cells):
        message = Message(
            "has {n} cells in most lines, and {count} in the first: commas for decimal points?",
            n=len(wide[0]), count=len(head),
        )  # fmt: skip
        raise wrong("", message, file=str(path))
    whole = [
        row[: len(head)] for row in cells if len(row) >= len(head) and not any(row[len(head) :])
    ]
    return pd.DataFrame(whole, columns=head, dtype=str)


def _wide(columns: Iterable[str], text: str, path: Path) -> dict[str, tuple[Any, Any]]:
    """Return the columns that are the power of a GPU each, with its server and its index.

    Raises:
        ScenarioError: there is none, or a GPU has several.
    """
    gpus = {
        column: (_label(SERVERS, column) or "", gpu)
        for column in columns
        if (gpu := _label(INDICES, column)) is not None
    }
    wide = [column for column in gpus if column.partition("{")[0] == DCGM]
    wide = wide or [column for column in gpus if "power" in column]
    if not wide:
        message = Message(
            "has no column of power, but {names}; nvidia-smi writes power.draw [W], a DCGM exporter"
            " DCGM_FI_DEV_POWER_USAGE",
            names=", ".join(columns) or as_line(text),
        )
        raise wrong("", message, file=str(path))
    if len({gpus[column] for column in wide}) < len(wide):
        message = Message("has several columns of power of a GPU: {names}", names=", ".join(wide))
        raise wrong("", message, file=str(path))
    return {column: gpus[column] for column in wide}


def _label(names: Iterable[str], column: str) -> str | None:
    """Return the value of the first of some labels that a column has."""
    matches = (re.search(rf'\b{name}="?([^",}}]+)', column) for name in names)
    return next((match[1] for match in matches if match), None)


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
