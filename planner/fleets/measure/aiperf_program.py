"""AIPerf as a program of its own: its packages do not agree with those of the planner."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.errors import MeasurementError, ScenarioError, cause
from planner.fleets.importing.checks import unlikely
from planner.fleets.importing.formats import read_results
from planner.fleets.measure.closed_loop import SteadyLoad
from planner.fleets.measure.endpoint import Endpoint
from planner.fleets.measure.measurement import Measuring
from planner.message import Message

RESULT = "profile_export_aiperf*.json"
GRACE_S = 600.0  # beyond the time of the load: for its start, its tokeniser and its last answers


def arguments(url: str, measuring: Measuring, concurrency: int, folder: str) -> list[str]:
    """Return the command line after the name of the program; the address is without /v1."""
    return [
        "profile", "--model", measuring.model, "--url", url,
        "--endpoint-type", "completions", "--streaming", "--ui", "none",
        "--concurrency", str(concurrency), "--benchmark-duration", f"{measuring.seconds:g}",
        "--warmup-request-count", str(concurrency), "--random-seed", "20",
        "--synthetic-input-tokens-mean", str(measuring.input_tokens),
        "--synthetic-input-tokens-stddev", "0",
        "--output-tokens-mean", str(measuring.output_tokens), "--output-tokens-stddev", "0",
        "--extra-inputs", "ignore_eos:true",
        "--extra-inputs", f"min_tokens:{measuring.output_tokens}",
        "--output-artifact-dir", folder,
    ]  # fmt: skip


async def run_aiperf(
    program: str, endpoint: Endpoint, measuring: Measuring, concurrency: int
) -> SteadyLoad:
    """Return the load of a number of requests at a time.

    Raises:
        MeasurementError: the program failed, or its result cannot be read.
    """
    with TemporaryDirectory() as folder:
        try:
            process = await asyncio.create_subprocess_exec(
                program, *arguments(endpoint.url, measuring, concurrency, folder),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"},
            )  # fmt: skip
        except OSError as error:
            message = Message("AIPerf failed: {text}", text=cause(error))
            raise MeasurementError(message) from None
        try:
            output, _ = await asyncio.wait_for(process.communicate(), measuring.seconds + GRACE_S)
        except TimeoutError:
            raise MeasurementError(Message("AIPerf does not end")) from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        result = next(Path(folder).rglob(RESULT), None)
        if process.returncode or result is None:
            last = output.decode(errors="replace").strip().splitlines()[-1:]
            text = last[0] if last else process.returncode
            raise MeasurementError(Message("AIPerf failed: {text}", text=text))
        try:
            results = read_results(result)
        except ScenarioError as error:
            raise MeasurementError(error.message) from None
    problems = [*results.problems, *(each for run in results.runs for each in unlikely(run))]
    if problems or not results.runs:
        raise MeasurementError(ScenarioError(problems).message)
    run = results.runs[0]
    moments = [at.timestamp() for at in (run.start, run.end) if at is not None]
    if len(moments) < 2 or moments[0] >= moments[1]:
        raise MeasurementError(Message("AIPerf does not say when it measured"))
    offset_s = time.time() - endpoint.clock()  # times without a zone are of this machine
    return SteadyLoad(
        concurrency, moments[0] - offset_s, moments[1] - offset_s,
        run.tokens_per_s, run.inter_token_ms, run.first_token_ms, run.failed,
    )  # fmt: skip
