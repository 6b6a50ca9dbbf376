"""Power of GPUs joined to the runs of a benchmark by time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from planner.errors import Problem, ScenarioError, wrong
from planner.fleets.importing.benchmark_run import BenchmarkRun
from planner.fleets.importing.power_log import PowerLog
from planner.message import Message

if TYPE_CHECKING:
    import pandas as pd

LEAST_COVERED = 0.9  # of a run, by the log


def join_power(
    runs: Sequence[BenchmarkRun], log: PowerLog, zone: ZoneInfo | None
) -> tuple[list[BenchmarkRun], list[Problem]]:
    """Return runs with the mean power of the GPUs of a log during each run.

    Args:
        runs: those without power get it; those with power keep theirs.
        log: of the GPUs that served.
        zone: of times without one, in the log and in the runs.

    Returns:
        The runs, and problems of those that the log does not cover; these are left out.

    Raises:
        ScenarioError: the times cannot be compared.
    """
    _require_comparable([run for run in runs if run.gpu_w is None], log, zone)
    joined, problems = [], []
    samples = log.samples.assign(at_s=log.moments_s(zone)).sort_values("at_s")
    for run in runs:
        if run.gpu_w is not None:
            joined.append(run)
            continue
        try:
            gpu_w = _mean_w(run, samples, log, zone)
        except ScenarioError as error:
            problems += error.problems
        else:
            fields = {**run.fields, "gpu_w": str(log.file)}
            joined.append(replace(run, gpu_w=gpu_w, fields=fields))
    return joined, problems


def _require_comparable(runs: Sequence[BenchmarkRun], log: PowerLog, zone: ZoneInfo | None) -> None:
    """Require that runs and log are both by a clock or of moments, or a zone; or a single run."""
    if log.times == "none":
        if len(runs) <= 1:
            return
        message = Message(
            "has no times, so that {n} runs cannot be told apart; write them before each line"
            " (dcgmi dmon ... | ts '%FT%T%z') or import each run with the log of its own",
            n=len(runs),
        )
        raise wrong("", message, file=str(log.file))
    start = next((run.start for run in runs if run.start is not None), None)
    if zone is not None or start is None or (start.tzinfo is None) == (log.times == "clock"):
        return
    naive, other = (log.file, runs[0].file) if start.tzinfo else (runs[0].file, log.file)
    shifts = (
        [hours for hours in range(-12, 15) if _covers(runs, log, hours)] if start.tzinfo else []
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


def _covers(runs: Sequence[BenchmarkRun], log: PowerLog, hours: int) -> bool:
    zone = dt.timezone(dt.timedelta(hours=hours))
    moments = log.moments_s(zone)
    return all(
        run.start is not None
        and run.end is not None
        and moments.min() <= run.start.timestamp() <= run.end.timestamp() <= moments.max()
        for run in runs
    )


def _mean_w(
    run: BenchmarkRun, samples: pd.DataFrame, log: PowerLog, zone: ZoneInfo | None
) -> float:
    """Return the mean power of all GPUs during a run, each the mean of its samples.

    Raises:
        ScenarioError: the log does not cover the run.
    """
    if log.times == "none":  # which has the run alone
        return float(samples.groupby("gpu")["w"].mean().sum())
    if run.start is None or run.end is None:
        message = Message("has no times, so that {path} cannot be joined to it", path=log.file)
        raise ScenarioError([run.problem(message)])
    start, end = (
        time if time.tzinfo else time.replace(tzinfo=zone or dt.UTC)
        for time in (run.start, run.end)
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
    raise ScenarioError([run.problem(message)])
