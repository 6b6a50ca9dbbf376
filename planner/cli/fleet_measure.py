"""The command that measures a model server: fleet measure."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.fleet_import import (
    GpuIndex,
    Gpus,
    Hardware,
    Licence,
    Precision,
    curve_line,
    gpus_named,
    require_curve_file,
)
from planner.cli.options import IN_ENGLISH, Quiet, Words
from planner.cli.outcome import Outcome
from planner.cli.terminal import bar, interrupted, open_console, say, warn
from planner.errors import (
    PlanError,
    PlannerError,
    Problem,
    ScenarioError,
    as_written,
    collecting,
)
from planner.message import Message

if TYPE_CHECKING:
    from rich.console import Console

    from planner.fleets.curve import Curve
    from planner.fleets.measure.measurement import Measured, Measuring
    from planner.language.language import Language

MOST = 10_000  # requests at a time


def fleet_measure(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Server of the OpenAI API: http://localhost:8000.")
    ],
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Model, as the server names it; required.")
    ] = "",
    power: Annotated[
        str,
        typer.Option(
            metavar="nvml|dcgm=URL|csv=FILE",
            help="Power of the GPUs: of this machine, an exporter, or a log being written;"
            " required.",
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of the curve (.yaml); required.")
    ] = None,
    precision: Precision = None,
    hardware: Hardware = None,
    gpus: Gpus = None,
    concurrency: Annotated[
        str, typer.Option(metavar="N,N", help="Requests at a time.")
    ] = "1,4,16,64",
    input_tokens: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Tokens of a prompt.")
    ] = 512,
    output_tokens: Annotated[
        int, typer.Option(min=2, max=100_000, help="Tokens of an answer.")
    ] = 128,
    seconds: Annotated[
        float,
        typer.Option(min=1.0, max=86_400.0, help="Time of the steady state of each load, s."),
    ] = 30.0,
    gpu_index: GpuIndex = None,
    sleep: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2,
            metavar="1|2",
            help="Measure this sleep level of vLLM too; users of the server wait meanwhile.",
        ),
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(metavar="VAR", help="Environment variable with the key.")
    ] = None,
    aiperf: Annotated[
        str,
        typer.Option(metavar="auto|never", help="Use AIPerf where it is installed."),
    ] = "auto",
    licence: Licence = None,
    words: Words = IN_ENGLISH,
    quiet: Quiet = False,
) -> Outcome:
    """Measure a model server: tokens/s, times and the power of its GPUs at each load, and idle."""
    import asyncio

    from planner.cli.fleet_documents import measure_document
    from planner.fleets.library import write_curve
    from planner.fleets.measure.measurement import OWN, Measured, Measuring, measured_curve

    key = os.environ.get(api_key_env or "")
    measuring = Measuring(
        url=url, model=model, key=key, seconds=seconds, level=sleep,
        concurrencies=_numbers(concurrency), input_tokens=input_tokens,
        output_tokens=output_tokens, precision=precision or "",
        licence=OWN if licence is None else licence,
    )  # fmt: skip
    measured = Measured(hardware=hardware, gpus=gpus)
    _require_right(measuring, measured, power, out, concurrency, api_key_env, aiperf)
    assert out is not None
    error: PlannerError | KeyboardInterrupt | None = None
    try:
        with bar(open_console(), quiet, words("measuring {name}", name=model)) as note:
            asyncio.run(
                _measure(measuring, power, gpus_named(gpu_index), measured, note, aiperf != "never")
            )
    except PlannerError as stopped:
        error = stopped
    except KeyboardInterrupt:
        if not measured.points:
            raise interrupted(Message("{path} was not written", path=out)) from None
        error = interrupted(Message("what was measured is in {path}", path=out))
    except Exception:  # a bug loses no points either
        if measured.points:
            write_curve(out, measured_curve(measuring, measured))
        raise
    if error is not None and not measured.points:
        raise error
    curve = measured_curve(measuring, measured)
    measured.cautions += curve.cautions()
    file: Path | None = out
    try:
        write_curve(out, curve)
    except PlanError as unwritten:  # what was measured is printed all the same
        file, error = None, unwritten
    return Outcome(
        lambda: measure_document(file, curve, measured),
        partial(_show, file, curve, measured),
        file,
        error,
    )


def _numbers(text: str) -> list[int]:
    """Return the requests at a time that a text lists; none where one of them cannot be."""
    parts = text.replace(",", " ").split()
    numbers = [int(part) for part in parts if part.isdecimal() and len(part) <= len(str(MOST))]
    right = len(numbers) == len(parts) and all(1 <= number <= MOST for number in numbers)
    return numbers if right else []


def _require_right(
    measuring: Measuring, measured: Measured, power: str, out: Path | None, concurrency: str,
    api_key_env: str | None, aiperf: str,
) -> None:  # fmt: skip
    """Require that all options are right. Raises ScenarioError."""
    from planner.files.yaml_document import control_in
    from planner.fleets.curve import CurvePoint
    from planner.fleets.measure.measurement import measured_curve
    from planner.fleets.measure.server_answers import is_address

    kind, _, where = power.partition("=")
    is_exporter = kind == "dcgm" and where != ""
    required = Message("is required")
    address = Message(
        "must be an address such as http://localhost:8000, without a user, a password or a query"
    )
    checks = [
        ("--model", measuring.model, required),
        ("--power", power, required),
        ("--out", out, required),
        ("--precision", measuring.precision.strip(),
         Message("no server says the precision of its weights: give it, such as fp8")),
        ("--hardware", measured.hardware or kind != "csv",
         Message("{text} does not know the hardware: name it", text="--power")),
        ("--concurrency", measuring.concurrencies,
         Message("must be numbers such as 1,4,16,64, none above {most}, is {text}",
                 most=MOST, text=as_written(concurrency))),
        ("URL", is_address(measuring.url), address),
        ("--power", not is_exporter or is_address(where), address),
        ("--api-key-env", measuring.key or not api_key_env,
         Message("there is no environment variable {name}", name=api_key_env)),
        ("--api-key-env", re.fullmatch("[!-~]*", measuring.key or ""),
         Message("{name} holds a space, a line end or what else no key holds", name=api_key_env)),
        ("--aiperf", aiperf in ("auto", "never"),
         Message("must be auto or never, is {text!r}", text=aiperf)),
    ]  # fmt: skip
    problems = [
        Problem(message, file=option) for option, is_right, message in checks if not is_right
    ]
    likely = replace(
        measured, hardware=measured.hardware or "-", gpus=1,
        points=[CurvePoint(tokens_per_s=1, gpu_kw=0.1)],
    )  # fmt: skip
    of_curve: list[Problem] = []
    with collecting(of_curve):
        measured_curve(measuring, likely)
    texts = {
        "model": measuring.model, "precision": measuring.precision,
        "hardware": measured.hardware or "", "licence": measuring.licence,
    }  # fmt: skip
    of_curve += [
        Problem(wrong, name) for name, text in texts.items() if (wrong := control_in(text))
    ]
    refused = {problem.file for problem in problems}
    of_options = [Problem(each.message, file=f"--{each.path}") for each in of_curve]
    problems += [problem for problem in of_options if problem.file not in refused]
    with collecting(problems):
        if out is not None:
            require_curve_file(out)
    if problems:
        raise ScenarioError(problems)


async def _measure(
    measuring: Measuring, power: str, indices: list[str], measured: Measured,
    note: Callable[..., None] | None, with_aiperf: bool,
) -> None:  # fmt: skip
    """Measure, step by step into `measured`. Raises ScenarioError and MeasurementError."""
    import asyncio

    from planner.fleets.measure.aiperf_program import run_aiperf
    from planner.fleets.measure.endpoint import Endpoint
    from planner.fleets.measure.measurement import measure
    from planner.fleets.measure.power_meter import meter_named
    from planner.fleets.measure.server_answers import http_client

    clock = asyncio.get_running_loop().time
    async with (
        http_client(measuring.key, max(measuring.concurrencies)) as client,
        http_client(None, 1) as without_key,
    ):
        meter = await meter_named(power, without_key, indices, clock)
        measured.know(meter)
        endpoint = Endpoint(client, measuring.url, measuring.model, clock)
        program = None  # a key would stand in its command line, for others to read
        if with_aiperf and measuring.key is None and (aiperf := shutil.which("aiperf")):
            program = partial(run_aiperf, aiperf, endpoint, measuring)
        await measure(measuring, endpoint, meter, measured, program=program, note=note)


def _show(
    out: Path | None, curve: Curve, measured: Measured, console: Console, words: Language
) -> None:
    """Print the points, sleep, what must be known and the file."""
    from planner.report.curve_page.node_curve import node_points, points_section
    from planner.report.terminal.tables import table

    console.print(table(points_section(curve, node_points(curve, None), words), words))
    if measured.sleep is not None:
        say(console, words.sentence(measured.sleep.text))
    warn(console, words, measured.cautions)
    place = "" if out is None else f"{out}{words(': ')}"
    say(console, f"{place}{curve_line(curve, words)}")
