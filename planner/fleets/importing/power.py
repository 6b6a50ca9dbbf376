"""Power of GPUs joined to the runs of a benchmark by time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np

from planner.errors import Problem, ScenarioError, collecting, wrong
from planner.fleets.importing.benchmark_run import BenchmarkRun
from planner.fleets.importing.power_log import EPOCH, PowerLog
from planner.message import Message

LEAST_COVERED = 0.9  # of a run, by the log
GAP = (0.05, 2.0)  # of the run and of the usual time between samples: longer is not covered
SHIFTS_H = (np.arange(-14.0, 14.5), np.arange(-14.0, 14.25, 0.25))  # of clocks: whole hours first


@dataclass(frozen=True, kw_only=True)
class Zones:
    """The zones of times without one, of runs and of the log; None where they are not known."""

    runs: ZoneInfo | None = None
    log: ZoneInfo | None = None


def join_power(
    runs: Sequence[BenchmarkRun], log: PowerLog, zones: Zones
) -> tuple[list[BenchmarkRun], list[Problem]]:
    """Return runs with the mean power of the GPUs of a log during each run.

    Args:
        runs: those without power get it; those with power keep theirs.
        log: of the GPUs that served.
        zones: of times without one.

    Returns:
        The runs, and problems of those that the log does not cover; these are left out.

    Raises:
        ScenarioError: the times cannot be compared.
    """
    joined: list[BenchmarkRun] = []
    problems: list[Problem] = []
    without = [run for run in runs if run.gpu_w is None]
    moments_s = log.moments_s(zones.log)
    offset_h = _offset_h([_span_s(run, zones) for run in without], moments_s)
    _require_comparable(without, log, zones, offset_h)
    samples = {
        str(gpu): (rows.index.to_numpy(), rows.to_numpy())
        for gpu, of_gpu in log.samples.assign(at_s=moments_s).groupby("gpu")
        if len(rows := of_gpu.groupby("at_s")["w"].mean())
    }
    for run in runs:
        if run.gpu_w is not None:
            joined.append(run)
            continue
        with collecting(problems):
            gpu_w = _mean_w(run, samples, log, zones, offset_h)
            fields = {**run.fields, "gpu_w": str(log.file)}
            joined.append(replace(run, gpu_w=gpu_w, fields=fields, is_joined=True))
    return joined, problems


def _span_s(run: BenchmarkRun, zones: Zones) -> tuple[float, float] | None:
    """Return when a run began and ended, s since 1970; by its clock where that is of no zone."""
    if run.start is None or run.end is None:
        return None
    start, end = (
        (time if time.tzinfo else time.replace(tzinfo=zones.runs or dt.UTC)).timestamp()
        for time in (run.start, run.end)
    )
    return start, end


def _offset_h(spans: Sequence[tuple[float, float] | None], moments_s: np.ndarray) -> float | None:
    """Return by how much the log is later where it covers all runs then, and at no other offset."""
    first_s, last_s = np.nanmin(moments_s), np.nanmax(moments_s)
    known = [span for span in spans if span is not None]
    for shifts_h in SHIFTS_H if known else ():
        fits = [
            float(hours)
            for hours in shifts_h
            if all(first_s <= a + 3600 * hours and b + 3600 * hours <= last_s for a, b in known)
        ]
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _require_comparable(
    runs: Sequence[BenchmarkRun], log: PowerLog, zones: Zones, offset_h: float | None
) -> None:
    """Require that runs and log are both by a clock or of moments; or a single run."""
    if log.times == "none":
        if len(runs) <= 1:
            return
        message = Message(
            "has no times, so that {n} runs cannot be told apart; write them before each line"
            " (dcgmi dmon ... | ts '%FT%T%z') or import each run with the log of its own",
            n=len(runs),
        )
        raise wrong("", message, file=str(log.file))
    is_moment = log.times == "zone" or zones.log is not None
    for run in runs:
        if run.start is None or is_moment == (run.start.tzinfo is not None or bool(zones.runs)):
            continue
        naive, other = (run.file, log.file) if is_moment else (log.file, run.file)
        hint = Message("")
        if offset_h is not None:
            offset_h = -offset_h if is_moment else offset_h
            hint = Message(
                "; with an offset of {hours:+g} h the log covers the runs", hours=offset_h
            )
        message = Message(
            "has times without a zone, and {other} has moments: give --timezone, such as UTC or"
            " Asia/Shanghai{hint}",
            other=other, hint=hint,
        )  # fmt: skip
        raise wrong("", message, file=str(naive))


def _mean_w(
    run: BenchmarkRun,
    samples: Mapping[str, tuple[np.ndarray, np.ndarray]],
    log: PowerLog,
    zones: Zones,
    offset_h: float | None,
) -> float:
    """Return the mean power of all GPUs during a run.

    Raises:
        ScenarioError: the log does not cover the run.
    """
    if log.times == "none":  # which has the run alone
        return float(log.samples.groupby("gpu")["w"].mean().sum())
    if (span := _span_s(run, zones)) is None:
        message = Message("has no times, so that {path} cannot be joined to it", path=log.file)
        raise ScenarioError([run.problem(message)])
    powers = [_over(times, watts, *span) for times, watts in samples.values()]
    covered = min(share for _, share in powers)
    if covered >= LEAST_COVERED:
        return sum(mean_w for mean_w, _ in powers)
    first_s = min(float(times[0]) for times, _ in samples.values())
    last_s = max(float(times[-1]) for times, _ in samples.values())
    zone = zones.runs if run.start is None or run.start.tzinfo is None else run.start.tzinfo
    clock = {
        name: (EPOCH + dt.timedelta(seconds=at_s)).astimezone(zone or dt.UTC).strftime("%F %T")
        for name, at_s in {
            "start": span[0], "end": span[1], "first": first_s, "last": last_s,
        }.items()
    }  # fmt: skip
    if last_s < span[0] or span[1] < first_s:
        hint = Message("; are the zones of both right (--timezone, --power-timezone)?")
        if offset_h:
            early = Message("; the log is {hours:g} h earlier", hours=-offset_h)
            late = Message("; the log is {hours:g} h later", hours=offset_h)
            hint = Message(
                "{hint}: give the zone of its clock with --power-timezone, and that of the runs"
                " with --timezone",
                hint=early if offset_h < 0 else late,
            )
        message = Message(
            "ran from {start} to {end}, and {path} has power from {first} to {last}: no time of"
            " both{hint}",
            path=log.file, hint=hint, **clock,
        )  # fmt: skip
    else:
        message = Message(
            "ran from {start} to {end}, of which {path} covers {share:.0%} with all its GPUs, from"
            " {first} to {last}",
            path=log.file, share=covered, **clock,
        )  # fmt: skip
    raise ScenarioError([run.problem(message)])


def _over(
    times: np.ndarray, watts: np.ndarray, start_s: float, end_s: float
) -> tuple[float, float]:
    """Return the mean of samples over a run, each weighed by its time, and the share they cover."""
    usual_s = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    inside = (start_s <= times) & (times <= end_s)
    if not inside.any():
        return 0.0, 0.0
    at_s = np.concatenate(([start_s], times[inside], [end_s]))
    at_w = np.pad(watts[inside], 1, mode="edge")
    gaps_s = np.diff(at_s)
    length_s = end_s - start_s
    mean_w = float(gaps_s @ (at_w[1:] + at_w[:-1])) / 2 / length_s
    gap_s = max(GAP[0] * length_s, GAP[1] * usual_s)
    return mean_w, 1 - float(gaps_s[gaps_s > gap_s].sum()) / length_s
