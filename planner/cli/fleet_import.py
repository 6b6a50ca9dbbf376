"""The command that makes curves of benchmark results: fleet import."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.options import IN_ENGLISH, Quiet, Words
from planner.cli.outcome import Outcome
from planner.cli.terminal import open_console, say, spinner, warn
from planner.errors import Problem, ScenarioError, wrong
from planner.message import Message

if TYPE_CHECKING:
    from rich.console import Console

    from planner.fleets.curve import Curve
    from planner.fleets.importing.curves import Imported
    from planner.language.language import Language

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Results of ML.ENERGY, InferenceX, AIPerf, GuideLLM or vllm bench serve.",
    ),
]
Hardware = Annotated[
    str | None, typer.Option(metavar="TEXT", help="GPU as it is sold, such as NVIDIA H200.")
]
Gpus = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="GPUs of a replica, one copy of the model.")
]
Precision = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Of the weights: bf16, fp8, mxfp4.")
]
Licence = Annotated[
    str | None, typer.Option(metavar="TEXT", help='Of the figures, or "none stated".')
]
GpuIndex = Annotated[
    str | None,
    typer.Option(metavar="I,J", help="GPUs that serve, by their index.", show_default="all"),
]
Day = Annotated[
    str | None, typer.Option(metavar="DAY", help="Of the measurement, such as 2026-07-15.")
]


def fleet_import(
    files: Files,
    power: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Log of the power of GPUs: CSV of nvidia-smi or a DCGM exporter, dcgmi dmon.",
        ),
    ] = None,
    gpu_index: GpuIndex = None,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Of times without one, such as UTC or Asia/Shanghai."),
    ] = None,
    hardware: Hardware = None,
    gpus: Gpus = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Model as it is published, such as Qwen/Qwen3-32B."),
    ] = None,
    precision: Precision = None,
    date: Day = None,
    licence: Licence = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="File of one curve (.yaml), or folder of several.",
            show_default="fleets/",
        ),
    ] = None,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Import curves from benchmark results; a log gives the power where they have none.

    Files are known by their content. What they do not say is asked for.
    """
    from planner.cli.fleet_documents import import_document
    from planner.fleets.importing.curves import Facts, import_curves
    from planner.fleets.library import write_curve

    facts = Facts(
        hardware=hardware, gpus=gpus, model=model, precision=precision, licence=licence,
        date=day_named(date),
    )  # fmt: skip
    with spinner(open_console(), quiet, words("reading {n} files", n=len(files))):
        imported = import_curves(
            files, facts, power=power or (), gpu_indices=gpus_named(gpu_index),
            timezone=timezone, today=dt.date.today(),
        )  # fmt: skip
    written = _targets(out, imported.curves)
    for name, path in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_curve(path, imported.curves[name])
    return Outcome(
        lambda: import_document(imported, written),
        partial(_show, imported, written),
        out or next(iter(written.values())).parent,
    )


def day_named(text: str | None) -> dt.date | None:
    """Return the day of a text. Raises ScenarioError."""
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        message = Message("must be a date such as 2026-10-01, is {text!r}", text=text)
        raise wrong("", message, file="--date") from None


def gpus_named(text: str | None) -> list[str]:
    """Return the indices of GPUs that a text lists."""
    return (text or "").replace(",", " ").split()


def require_curve_file(path: Path) -> None:
    """Require that a file to be written is new or a curve. Raises ScenarioError."""
    from planner.fleets.library import is_path, read_curve

    if not is_path(path) or path.is_dir():
        message = Message("must be a file that ends in .yaml, is {path}", path=path)
        raise wrong("", message, file="--out")
    try:
        if path.exists():
            read_curve(path)
    except ScenarioError:
        message = Message("{path} is no file of a curve; choose another name", path=path)
        raise wrong("", message, file="--out") from None


def _targets(out: Path | None, curves: dict[str, Curve]) -> dict[str, Path]:
    """Return the file of each curve. Raises ScenarioError where one may not be written."""
    from planner.fleets.library import is_path

    if out is not None and is_path(out):
        if len(curves) > 1:
            message = Message(
                "is one file, and there are {n} curves; name a folder instead", n=len(curves)
            )
            raise wrong("", message, file="--out")
        targets = dict.fromkeys(curves, out)
    else:
        targets = {name: (out or Path("fleets")) / f"{name}.yaml" for name in curves}
    for path in targets.values():
        require_curve_file(path)
    return targets


def _show(imported: Imported, written: dict[str, Path], console: Console, words: Language) -> None:
    """Print the curves and their files, then what could not be used and what must be known."""
    for name, path in written.items():
        say(console, f"{path}{words(': ')}{curve_line(imported.curves[name], words)}")
    for problem, count in _grouped(imported.left_out):
        text = words.sentence(problem.with_place())
        more = words(" (and {n} more)", n=count - 1) if count > 1 else ""
        say(console, words("left out: {text}", text=f"{text}{more}"))
    warn(console, words, (problem.with_place() for problem in imported.cautions))


def curve_line(curve: Curve, words: Language) -> str:
    """Return what a curve is of, in a line."""
    parts = (f"{curve.hardware} x {curve.gpus}", curve.model, curve.precision, curve.task)
    count = words("{n} points", n=len(curve.points))
    return words(", ").join([*filter(None, parts), count])


def _grouped(problems: Sequence[Problem]) -> Iterator[tuple[Problem, int]]:
    """Yield problems, the first of those alike in a file, with their count."""
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.file, problem.message), []).append(problem)
    yield from ((group[0], len(group)) for group in alike.values())
