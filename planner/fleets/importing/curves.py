"""Curves out of benchmark results: what files do not say is given, points are put together."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from zoneinfo import ZoneInfo

from planner.errors import Problem, ScenarioError, collecting, wrong
from planner.fields import FieldError
from planner.files.input_file import read_bytes
from planner.fleets.curve import Curve, CurvePoint, CurveSource, Parallel
from planner.fleets.importing.benchmark_run import BenchmarkRun
from planner.fleets.importing.checks import unlikely, wrong_text
from planner.fleets.importing.formats import ResultFile, digest, read_results
from planner.fleets.importing.power import Zones, join_power
from planner.fleets.importing.power_log import OTHER_GPUS, read_power_logs
from planner.local_time import check_zone
from planner.message import Message, printable

OPTIONS = {
    "hardware": Message("the hardware"), "gpus": Message("the number of GPUs of a replica"),
    "model": Message("the model"), "precision": Message("the precision of the weights"),
    "date": Message("the day of the measurement"),
}  # fmt: skip
ALIKE = 1.2  # lengths of input or output of one curve, the longest by the shortest


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a user says of results, where their files do not; the names may be spelled anew."""

    hardware: str | None = None
    gpus: int | None = None
    model: str | None = None
    precision: str | None = None
    licence: str | None = None
    date: str | None = None


@dataclass(frozen=True, kw_only=True)
class PowerOptions:
    """What a user says of logs of power: their files, the GPUs that served [all], and zones.

    timezone: of times without one. power_timezone: of those of the logs [timezone].
    """

    power: Sequence[Path] = ()
    gpu_index: Sequence[str] = ()
    timezone: str | None = None
    power_timezone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Curves with their names, the points left out, and what must be known of the rest."""

    curves: dict[str, Curve]
    left_out: list[Problem] = field(default_factory=list)
    cautions: list[Problem] = field(default_factory=list)


def import_curves(
    files: Sequence[Path], facts: Facts, options: PowerOptions, *, today: dt.date
) -> Imported:
    """Return the curves of files of results.

    Args:
        files: of any formats.
        facts: what the files do not say.
        options: logs of the power of GPUs, for runs without.
        today: the day of the import.

    Raises:
        ScenarioError: a file is of no known format, a figure is in another unit, a fact is missing
            or contradicts a file, or no run can be used; with every problem.
    """
    problems: list[Problem] = []
    results: list[ResultFile] = []
    for path in dict.fromkeys(files):
        with collecting(problems):
            results.append(read_results(path))
    left_out = [problem for result in results for problem in result.problems]
    runs = [run for result in results for run in result.runs]
    if not runs:
        problems += left_out
    cautions = [
        run.problem(Message("{n} requests failed, and are left out", n=run.failed))
        for run in runs
        if run.failed > 0
    ]
    runs = _with_facts(runs, facts, problems, cautions)
    with collecting(problems):
        runs, missed = _joined(runs, options)
        if not any(run.gpu_w is not None for run in runs):
            problems += missed
        left_out += missed
    problems += (problem for run in runs for problem in unlikely(run))
    if problems:
        raise ScenarioError(problems)
    digests = {result.path: result.digest for result in results}
    logs = {path: digest(read_bytes(path)) for path in options.power}
    curves: dict[str, Curve] = {}
    for group in _groups(runs):
        points, powerless = _points(group)
        left_out += powerless
        used = {path: digests[path] for path in dict.fromkeys(run.file for run in group)}
        if any(run.is_joined for run in group):
            used |= logs
        curve = _curve(group, points, facts, _source(group, used, today))
        name = _new_name(curve_name(curve), curves)
        curves[name] = curve
        cautions += (Problem(text, file=name) for text in curve.cautions())
        if not any(point.inter_token_ms for point in points):
            message = Message("its time between tokens is not known: it serves no latency limit")
            cautions.append(Problem(message, file=name))
    return Imported(curves=curves, left_out=left_out, cautions=cautions)


def _with_facts(
    runs: Sequence[BenchmarkRun], facts: Facts, problems: list[Problem], cautions: list[Problem]
) -> list[BenchmarkRun]:
    """Return runs with what the user says of them; note what is missing or contradicts them."""
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
            continue
        with collecting(problems):
            value = _checked(name, given)
            values["day" if name == "date" else name] = value
            if known not in ([], [str(value)]):
                message = Message(
                    "is {value}, and the files hold {names}", value=value, names=", ".join(known)
                )
                is_name = name not in ("gpus", "date") and len(known) == 1
                (cautions if is_name else problems).append(Problem(message, file=f"--{name}"))
    if facts.licence is None:
        message = Message(
            "no file says under which licence its figures are: give it, or that none is stated"
        )
        problems.append(Problem(message, file="--licence"))
    else:
        with collecting(problems):
            _checked("licence", facts.licence)
    return [replace(run, **values) for run in runs]  # type: ignore[arg-type]


def _checked(name: str, given: str | int) -> object:
    """Return the value of an option. Raises ScenarioError."""
    message = wrong_text(given) if isinstance(given, str) else None
    if name == "date" and message is None:
        try:
            return dt.date.fromisoformat(str(given))
        except ValueError:
            message = Message("must be a date such as 2026-10-01, is {text!r}", text=given)
    if message is not None:
        raise wrong("", message, file=f"--{name}")
    return given


def _joined(
    runs: list[BenchmarkRun], options: PowerOptions
) -> tuple[list[BenchmarkRun], list[Problem]]:
    """Return runs with the power of logs, and problems of those that no log covers.

    Raises:
        ScenarioError: an option has no use, or cannot be used; with every problem.
    """
    problems: list[Problem] = []
    zones = {}
    for name in ("timezone", "power_timezone"):
        with collecting(problems):
            zones[name] = _zone(getattr(options, name), f"--{name.replace('_', '-')}")
    if not options.power:
        message = Message("is of use with --power only")
        problems += (
            Problem(message, file=f"--{name.replace('_', '-')}")
            for name in ("gpu_index", "timezone", "power_timezone")
            if getattr(options, name)
        )
    elif runs and all(run.gpu_w is not None for run in runs):
        message = Message("is of no use: the files have the power of every run")
        problems.append(Problem(message, file="--power"))
    else:
        with collecting(problems):
            log = read_power_logs(options.power).of(options.gpu_index)
            logged = len(log.gpus())
            counts = {run.gpus for run in runs if run.gpu_w is None and run.gpus is not None}
            if others := counts - {logged}:
                message = Message(OTHER_GPUS, n=logged, gpus=min(others))
                raise wrong("", message, file=str(log.file))
    if problems:
        raise ScenarioError(problems)
    if not options.power:
        return runs, []
    of_log = zones["power_timezone"] or zones["timezone"]
    return join_power(runs, log, Zones(runs=zones["timezone"], log=of_log))


def _zone(name: str | None, option: str) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(check_zone(name))
    except FieldError as error:
        raise wrong("", error.message, file=option) from None


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


def _source(group: Sequence[BenchmarkRun], digests: dict[Path, str], today: dt.date) -> CurveSource:
    return CurveSource(
        title=", ".join(dict.fromkeys(run.format for run in group)),
        files=[f"{printable(path.name)} sha256:{text}" for path, text in digests.items()],
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
    words = [re.sub(r"[^a-z0-9]+", "_", part.lower())[:60].strip("_") for part in parts]
    if f"_{words[2]}_" in f"_{words[1]}_":  # a model that is named with it
        words[2] = ""
    return "_".join(filter(None, words))


def _new_name(name: str, names: dict[str, Curve]) -> str:
    """Return a name that no other has."""
    numbered = (f"{name}_{number}" for number in count(2))
    return next(new for new in chain([name], numbered) if new not in names)
