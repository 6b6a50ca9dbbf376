"""AIPerf as a program of its own: its packages do not agree with those of the planner."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.errors import MeasurementError, ScenarioError
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
        process = await asyncio.create_subprocess_exec(
            program, *arguments(endpoint.url, measuring, concurrency, folder),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
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
    if not results.runs:
        raise MeasurementError(results.problems[0].with_place())
    run = results.runs[0]
    if run.start is None or run.end is None:
        raise MeasurementError(Message("AIPerf does not say when it measured"))
    offset_s = time.time() - endpoint.clock()  # times without a zone are of this machine
    return SteadyLoad(
        concurrency, run.start.timestamp() - offset_s, run.end.timestamp() - offset_s,
        run.tokens_per_s, run.inter_token_ms, run.first_token_ms, run.failed,
    )  # fmt: skip
