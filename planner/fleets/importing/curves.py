"""Curves out of benchmark results: what files do not say is given, points are put together."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from zoneinfo import ZoneInfo

from planner.errors import Problem, ScenarioError, wrong
from planner.fields import FieldError
from planner.files.input_file import read_bytes
from planner.fleets.curve import Curve, CurvePoint, CurveSource, Parallel
from planner.fleets.importing.benchmark_run import BenchmarkRun
from planner.fleets.importing.checks import unlikely
from planner.fleets.importing.formats import ResultFile, digest, read_results
from planner.fleets.importing.power import join_power
from planner.fleets.importing.power_log import OTHER_GPUS, read_power_logs
from planner.local_time import check_zone
from planner.message import Message

OPTIONS = {
    "hardware": Message("the hardware"), "gpus": Message("the number of GPUs of a replica"),
    "model": Message("the model"), "precision": Message("the precision of the weights"),
    "date": Message("the day of the measurement"),
}  # fmt: skip
ALIKE = 1.2  # lengths of input or output of one curve, the longest by the shortest


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a user says of results, where their files do not."""

    hardware: str | None = None
    gpus: int | None = None
    model: str | None = None
    precision: str | None = None
    licence: str | None = None
    date: dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Curves with their names, the points left out, and what must be known of the rest."""

    curves: dict[str, Curve]
    left_out: list[Problem] = field(default_factory=list)
    cautions: list[Problem] = field(default_factory=list)


def import_curves(
    files: Sequence[Path],
    facts: Facts,
    *,
    power: Sequence[Path] = (),
    gpu_indices: Sequence[str] = (),
    timezone: str | None = None,
    today: dt.date,
) -> Imported:
    """Return the curves of files of results.

    Args:
        files: of any formats.
        facts: what the files do not say.
        power: logs of the power of GPUs, for points without.
        gpu_indices: GPUs of the log that served [all].
        timezone: of times without one.
        today: the day of the import.

    Raises:
        ScenarioError: a file is of no known format, a figure is in another unit, a fact is missing
            or contradicts a file, or no point can be used; with every problem.
    """
    results, problems = _read_all(files)
    left_out = [problem for result in results for problem in result.problems]
    runs = [run for result in results for run in result.runs]
    sources = {result.path: result.digest for result in results}
    runs, conflicts = _with_facts(runs, facts)
    problems += conflicts
    if facts.licence is None or not facts.licence.strip():
        message = Message(
            "no file says under which licence its figures are: give it, or that none is stated"
        )
        problems.append(Problem(message, file="--licence"))
    if power:
        try:
            runs, missed = _joined(runs, power, gpu_indices, _zone(timezone))
            sources |= {path: digest(read_bytes(path)) for path in power}
            left_out += missed
        except ScenarioError as error:
            problems += error.problems
    problems += (problem for run in runs for problem in unlikely(run))
    if not runs:
        problems += left_out
    if problems:
        raise ScenarioError(problems)
    formats = {result.path: result.format for result in results}
    curves: dict[str, Curve] = {}
    cautions = [
        run.problem(Message("{n} requests failed, and are left out", n=run.failed))
        for run in runs
        if run.failed
    ]
    for group in _groups(runs):
        points, powerless = _points(group)
        left_out += powerless
        curve = _curve(group, points, facts, _source(group, formats, sources, today))
        name = _new_name(curve_name(curve), curves)
        curves[name] = curve
        cautions += (Problem(text, file=name) for text in curve.cautions())
    return Imported(curves=curves, left_out=left_out, cautions=cautions)


def _read_all(files: Sequence[Path]) -> tuple[list[ResultFile], list[Problem]]:
    results, problems = [], []
    for path in dict.fromkeys(files):
        try:
            results.append(read_results(path))
        except ScenarioError as error:
            problems += error.problems
    return results, problems


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(check_zone(name))
    except FieldError as error:
        raise wrong("", error.message, file="--timezone") from None


def _with_facts(
    runs: Sequence[BenchmarkRun], facts: Facts
) -> tuple[list[BenchmarkRun], list[Problem]]:
    """Return runs with what the user says of them, and what is missing or contradicts them."""
    problems = []
    values: dict[str, object] = {}
    for name, text in OPTIONS.items():
        given = getattr(facts, name)
        known = sorted({str(each) for run in runs if (each := getattr(run, name))})
        if given is None:
            without = [*dict.fromkeys(run.file for run in runs if not getattr(run, name))]
            if without:
                more = Message(", nor do {n} more", n=len(without) - 1) if without[1:] else ""
                message = Message(
                    "does not say {text}{more}: give it with --{option}",
                    text=text, more=more, option=name,
                )  # fmt: skip
                problems.append(Problem(message, file=str(without[0])))
        elif name == "date":
            runs = [replace(run, day=given) for run in runs]
        elif len(known) > 1 or (name == "gpus" and known not in ([], [str(given)])):
            message = Message(
                "is {value}, and the files hold {names}", value=given, names=", ".join(known)
            )
            problems.append(Problem(message, file=f"--{name}"))
        else:
            values[name] = given
    return [replace(run, **values) for run in runs], problems  # type: ignore[arg-type]


def _joined(
    runs: list[BenchmarkRun],
    power: Sequence[Path],
    gpu_indices: Sequence[str],
    zone: ZoneInfo | None,
) -> tuple[list[BenchmarkRun], list[Problem]]:
    log = read_power_logs(power)
    log = log.of(gpu_indices) if gpu_indices else log
    logged = len(log.gpus())
    counts = {run.gpus for run in runs if run.gpu_w is None and run.gpus is not None}
    if others := counts - {logged}:
        raise wrong("", Message(OTHER_GPUS, n=logged, gpus=min(others)), file=str(log.file))
    return join_power(runs, log, zone)


def _groups(runs: Sequence[BenchmarkRun]) -> list[list[BenchmarkRun]]:
    """Return runs by curve: alike in all but the load, lengths nearly."""
    by_key: dict[object, list[list[BenchmarkRun]]] = {}
    for run in runs:
        parts = (run.hardware, run.gpus, run.model, run.precision, repr(run.parallel), run.task)
        known = by_key.setdefault((*parts, run.software), [])
        group = next((group for group in known if _alike(group[0], run)), None)
        if group is None:
            known.append(group := [])
        group.append(run)
    return [group for known in by_key.values() for group in known]


def _alike(a: BenchmarkRun, b: BenchmarkRun) -> bool:
    pairs = ((a.input_tokens, b.input_tokens), (a.output_tokens, b.output_tokens))
    return all(x is y or (x and y and 1 / ALIKE <= x / y <= ALIKE) for x, y in pairs)


def _points(group: Sequence[BenchmarkRun]) -> tuple[list[CurvePoint], list[Problem]]:
    """Return the points of a curve by load; without power none is where others have it."""
    by_load = sorted(group, key=lambda run: (run.concurrency or 0, run.tokens_per_s))
    has_power = any(run.gpu_w is not None for run in by_load)
    powerless = [run for run in by_load if has_power and run.gpu_w is None]
    message = Message("has no power, which other points of its curve have")
    points = [
        CurvePoint.measured(
            run.tokens_per_s,
            run.gpu_w,
            inter_token_ms=run.inter_token_ms,
            first_token_ms=run.first_token_ms,
            concurrency=run.concurrency,
        )
        for run in by_load
        if run not in powerless
    ]
    return points, [run.problem(message) for run in powerless]


def _source(
    group: Sequence[BenchmarkRun],
    formats: dict[Path, str],
    sources: dict[Path, str],
    today: dt.date,
) -> CurveSource:
    used = {run.file for run in group} | (sources.keys() - formats.keys())
    return CurveSource(
        title=", ".join(dict.fromkeys(formats[run.file] for run in group)),
        files=[f"{path.name} sha256:{text}" for path, text in sources.items() if path in used],
        imported=today,
    )


def _curve(
    group: Sequence[BenchmarkRun], points: list[CurvePoint], facts: Facts, source: CurveSource
) -> Curve:
    first = group[0]
    assert first.hardware and first.gpus and first.model and first.precision  # noqa: PT018
    return Curve(
        hardware=first.hardware, gpus=first.gpus, model=first.model, precision=first.precision,
        parallel=first.parallel or Parallel(tensor=first.gpus), task=_task(group), points=points,
        measured="none" if points[0].gpu_kw is None else "gpu", source=source,
        date=max(run.date for run in group if run.date is not None),
        licence=facts.licence or "", note=first.software,
    )  # fmt: skip


def _task(group: Sequence[BenchmarkRun]) -> str:
    """Return the kind of requests, else the lengths of input and output."""
    lengths = [
        sum(values) / len(values)
        for name in ("input_tokens", "output_tokens")
        if (values := [value for run in group if (value := getattr(run, name)) is not None])
    ]
    text = "{:.0f} in {:.0f} out".format(*lengths) if len(lengths) == 2 else ""
    return " ".join(filter(None, (group[0].task, text)))


def curve_name(curve: Curve) -> str:
    """Return a name for the file of a curve: hardware, model, precision, GPUs and task."""
    hardware, model = curve.hardware.split(" ", 1)[-1], curve.model.rpartition("/")[2]
    parts = (hardware, model, curve.precision, f"{curve.gpus}gpu", curve.task)
    return "_".join(re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_") for part in parts if part)


def _new_name(name: str, names: dict[str, Curve]) -> str:
    """Return a name that no other has."""
    numbered = (f"{name}_{number}" for number in count(2))
    return next(new for new in chain([name], numbered) if new not in names)
