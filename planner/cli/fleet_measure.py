"""The command that measures a model server: fleet measure."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable
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
from planner.errors import PlannerError, Problem, ScenarioError, wrong
from planner.message import Message

if TYPE_CHECKING:
    from rich.console import Console

    from planner.fleets.curve import Curve
    from planner.fleets.measure.measurement import Measured, Measuring
    from planner.language.language import Language

OWN = "own measurement"


def fleet_measure(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Server of the OpenAI API: http://localhost:8000.")
    ],
    model: Annotated[str, typer.Option(metavar="NAME", help="Model, as the server names it.")],
    power: Annotated[
        str,
        typer.Option(
            metavar="nvml|dcgm=URL|csv=FILE",
            help="Power of the GPUs: of this machine, an exporter, or a log being written.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File of the curve (.yaml).")],
    precision: Precision = None,
    hardware: Hardware = None,
    gpus: Gpus = None,
    concurrency: Annotated[
        str, typer.Option(metavar="N,N", help="Requests at a time.")
    ] = "1,4,16,64",
    input_tokens: Annotated[int, typer.Option(min=1, help="Tokens of a prompt.")] = 512,
    output_tokens: Annotated[int, typer.Option(min=2, help="Tokens of an answer.")] = 128,
    seconds: Annotated[
        float, typer.Option(min=1.0, help="Time of the steady state of each load, s.")
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
    from planner.fleets.measure.measurement import Measured, Measuring, measured_curve

    require_curve_file(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(out.parent, os.W_OK):
        message = Message(
            "{path} is read-only, so {other} cannot be made; choose another folder",
            path=out.parent, other=out,
        )  # fmt: skip
        raise wrong("", message, file="--out")
    key = os.environ.get(api_key_env or "")
    measuring = Measuring(
        url=url, model=model, key=key, seconds=seconds, level=sleep,
        concurrencies=_checked(concurrency, precision, api_key_env, aiperf),
        input_tokens=input_tokens, output_tokens=output_tokens,
    )  # fmt: skip
    measured = Measured(hardware=hardware, gpus=gpus)
    error: PlannerError | KeyboardInterrupt | None = None
    try:
        with bar(open_console(), quiet, words("measuring {name}", name=model)) as note:
            asyncio.run(
                _measure(measuring, power, gpus_named(gpu_index), measured, note, aiperf != "never")
            )
    except ScenarioError:
        raise
    except PlannerError as stopped:
        error = stopped
    except KeyboardInterrupt:
        if not measured.points:
            raise interrupted(Message("{path} was not written", path=out)) from None
        error = interrupted(Message("what was measured is in {path}", path=out))
    if error is not None and not measured.points:
        raise error
    curve = measured_curve(
        measuring, measured, precision=precision or "", licence=licence or OWN, day=dt.date.today()
    )
    measured.cautions += curve.cautions()
    write_curve(out, curve)
    return Outcome(
        lambda: measure_document(out, curve, measured),
        partial(_show, out, curve, measured),
        out,
        error,
    )


def _checked(
    concurrency: str, precision: str | None, api_key_env: str | None, aiperf: str
) -> list[int]:
    """Return the requests at a time, once all options are right. Raises ScenarioError."""
    problems = []
    parts = concurrency.replace(",", " ").split()
    numbers = [int(part) for part in parts if part.isdecimal() and int(part)]
    if len(numbers) < max(1, len(parts)):
        message = Message("must be numbers such as 1,4,16,64, is {text!r}", text=concurrency)
        problems.append(Problem(message, file="--concurrency"))
    if not (precision or "").strip():
        message = Message("no server says the precision of its weights: give it, such as fp8")
        problems.append(Problem(message, file="--precision"))
    if api_key_env and not os.environ.get(api_key_env):
        message = Message("there is no environment variable {name}", name=api_key_env)
        problems.append(Problem(message, file="--api-key-env"))
    if aiperf not in ("auto", "never"):
        message = Message("must be auto or never, is {text!r}", text=aiperf)
        problems.append(Problem(message, file="--aiperf"))
    if problems:
        raise ScenarioError(problems)
    return numbers


async def _measure(
    measuring: Measuring, power: str, indices: list[str], measured: Measured,
    note: Callable[..., None] | None, with_aiperf: bool,
) -> None:  # fmt: skip
    """Measure, step by step into `measured`. Raises ScenarioError and MeasurementError."""
    import asyncio

    from planner.fleets.measure.aiperf_program import run_aiperf
    from planner.fleets.measure.endpoint import Endpoint, http_client
    from planner.fleets.measure.measurement import measure
    from planner.fleets.measure.power_meter import meter_named

    clock = asyncio.get_running_loop().time
    async with http_client(measuring.key, max(measuring.concurrencies)) as client:
        meter = await meter_named(power, client, indices, clock)
        measured.know(meter)
        endpoint = Endpoint(client, measuring.url, measuring.model, clock)
        program = None  # a key would stand in its command line, for others to read
        if with_aiperf and measuring.key is None and (aiperf := shutil.which("aiperf")):
            program = partial(run_aiperf, aiperf, endpoint, measuring)
        await measure(measuring, endpoint, meter, measured, program=program, note=note)


def _show(out: Path, curve: Curve, measured: Measured, console: Console, words: Language) -> None:
    """Print the points, sleep, what must be known and the file."""
    from planner.report.curve_page.node_curve import node_points, points_section
    from planner.report.terminal.tables import table

    console.print(table(points_section(curve, node_points(curve, None), words), words))
    if measured.sleep is not None:
        say(console, words.sentence(measured.sleep.text))
    warn(console, words, measured.cautions)
    say(console, f"{out}{words(': ')}{curve_line(curve, words)}")
