"""Power of GPUs joined to the runs of a benchmark by time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from planner.errors import Problem, ScenarioError, wrong
from planner.fleets.importing.benchmark_point import BenchmarkPoint
from planner.fleets.importing.power_log import PowerLog
from planner.message import Message

if TYPE_CHECKING:
    import pandas as pd

LEAST_COVERED = 0.9  # of a run, by the log


def join_power(
    readings: Sequence[BenchmarkPoint], log: PowerLog, zone: ZoneInfo | None
) -> tuple[list[BenchmarkPoint], list[Problem]]:
    """Return readings with the mean power of the GPUs of a log during each run.

    Args:
        readings: those without power get it; those with power keep theirs.
        log: of the GPUs that served.
        zone: of times without one, in the log and in the readings.

    Returns:
        The readings, and problems of those that the log does not cover; these are left out.

    Raises:
        ScenarioError: the times cannot be compared.
    """
    _require_comparable([one for one in readings if one.gpu_w is None], log, zone)
    joined, problems = [], []
    samples = log.samples.assign(at_s=log.moments_s(zone)).sort_values("at_s")
    for reading in readings:
        if reading.gpu_w is not None:
            joined.append(reading)
            continue
        try:
            gpu_w = _mean_w(reading, samples, log, zone)
        except ScenarioError as error:
            problems += error.problems
        else:
            fields = {**reading.fields, "gpu_w": str(log.file)}
            joined.append(replace(reading, gpu_w=gpu_w, fields=fields))
    return joined, problems


def _require_comparable(
    readings: Sequence[BenchmarkPoint], log: PowerLog, zone: ZoneInfo | None
) -> None:
    """Require that runs and log are both by a clock or of moments, or a zone; or a single run."""
    if log.times == "none":
        if len(readings) <= 1:
            return
        message = Message(
            "has no times, so that {n} runs cannot be told apart; write them before each line"
            " (dcgmi dmon ... | ts '%FT%T%z') or import each run with the log of its own",
            n=len(readings),
        )
        raise wrong("", message, file=str(log.file))
    run = next((one.start for one in readings if one.start is not None), None)
    if zone is not None or run is None or (run.tzinfo is None) == (log.times == "clock"):
        return
    naive, other = (log.file, readings[0].file) if run.tzinfo else (readings[0].file, log.file)
    shifts = (
        [hours for hours in range(-12, 15) if _covers(readings, log, hours)] if run.tzinfo else []
    )
    hint = Message("")
    if len(shifts) == 1:
        hint = Message("; with an offset of {hours:+d} h it covers the runs", hours=shifts[0])
    message = Message(
        "has times without a zone, and {other} has moments: give --timezone, such as UTC or"
        " Asia/Shanghai{hint}",
        other=other, hint=hint,
    )  # fmt: skip
    raise wrong("", message, file=str(naive))


def _covers(readings: Sequence[BenchmarkPoint], log: PowerLog, hours: int) -> bool:
    zone = dt.timezone(dt.timedelta(hours=hours))
    moments = log.moments_s(zone)
    return all(
        one.start is not None
        and one.end is not None
        and moments.min() <= one.start.timestamp() <= one.end.timestamp() <= moments.max()
        for one in readings
    )


def _mean_w(
    reading: BenchmarkPoint, samples: pd.DataFrame, log: PowerLog, zone: ZoneInfo | None
) -> float:
    """Return the mean power of all GPUs during a run, each the mean of its samples.

    Raises:
        ScenarioError: the log does not cover the run.
    """
    if log.times == "none":  # which has the run alone
        return float(samples.groupby("gpu")["w"].mean().sum())
    if reading.start is None or reading.end is None:
        message = Message("has no times, so that {path} cannot be joined to it", path=log.file)
        raise ScenarioError([reading.problem(message)])
    start, end = (
        time if time.tzinfo else time.replace(tzinfo=zone or dt.UTC)
        for time in (reading.start, reading.end)
    )
    start_s, end_s = start.timestamp(), end.timestamp()
    first_s, last_s = float(samples["at_s"].min()), float(samples["at_s"].max())
    inside = samples[samples["at_s"].between(start_s, end_s)].groupby("gpu")
    counts = inside.size().reindex(samples["gpu"].unique(), fill_value=0)
    interval_s = float(samples.groupby("gpu")["at_s"].diff().median())
    covered = min((int(counts.min()) + 1) * interval_s / max(end_s - start_s, 1e-9), 1.0)
    covered = covered if counts.min() else 0.0
    if covered >= LEAST_COVERED:
        return float(inside["w"].mean().sum())
    span = {
        name: dt.datetime.fromtimestamp(at_s, start.tzinfo).strftime("%Y-%m-%d %H:%M:%S")
        for name, at_s in
        {"start": start_s, "end": end_s, "first": first_s, "last": last_s}.items()
    }  # fmt: skip
    if last_s < start_s or end_s < first_s:
        message = Message(
            "ran from {start} to {end}, and {path} has power from {first} to {last}: no time of"
            " both; is --timezone right?",
            path=log.file, **span,
        )  # fmt: skip
    else:
        message = Message(
            "ran from {start} to {end}, of which {path} covers {share:.0%} with all its GPUs, from"
            " {first} to {last}",
            path=log.file, share=covered, **span,
        )  # fmt: skip
    raise ScenarioError([reading.problem(message)])
