"""AIPerf as a program of its own: its packages do not agree with those of the planner."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.errors import MeasurementError, ScenarioError
from planner.fleets.importing.benchmark_point import BenchmarkPoint
from planner.fleets.importing.formats import read_results
from planner.fleets.measure.measurement import Measuring
from planner.message import Message

RESULT = "profile_export_aiperf*.json"
GRACE_S = 600.0  # beyond the time of the load: for its start, its tokeniser and its last answers


def aiperf_program() -> str | None:
    """Return the program, where it is installed."""
    return shutil.which("aiperf")


@dataclass(frozen=True)
class AiperfRun:
    """AIPerf as the load of a measurement; url: of the server, without /v1."""

    program: str
    url: str
    measuring: Measuring

    def arguments(self, concurrency: int, folder: str) -> list[str]:
        """Return its command line, without the key."""
        what = self.measuring
        return [
            self.program, "profile", "--model", what.model, "--url", self.url,
            "--endpoint-type", "completions", "--streaming", "--ui", "none",
            "--concurrency", str(concurrency), "--benchmark-duration", f"{what.seconds:g}",
            "--warmup-request-count", str(concurrency), "--random-seed", "20",
            "--synthetic-input-tokens-mean", str(what.input_tokens),
            "--synthetic-input-tokens-stddev", "0",
            "--output-tokens-mean", str(what.output_tokens), "--output-tokens-stddev", "0",
            "--extra-inputs", "ignore_eos:true",
            "--extra-inputs", f"min_tokens:{what.output_tokens}",
            "--output-artifact-dir", folder,
        ]  # fmt: skip

    async def at(self, concurrency: int) -> BenchmarkPoint:
        """Return its result at a number of requests at a time.

        Raises:
            MeasurementError: it failed, or its result cannot be read.
        """
        with TemporaryDirectory() as folder:
            arguments = self.arguments(concurrency, folder)
            if self.measuring.key is not None:
                arguments += ["--api-key", self.measuring.key]
            process = await asyncio.create_subprocess_exec(
                *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"},
            )  # fmt: skip
            try:
                output, _ = await asyncio.wait_for(
                    process.communicate(), self.measuring.seconds + GRACE_S
                )
            except TimeoutError:
                raise MeasurementError(Message("AIPerf does not end")) from None
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
            result = next(Path(folder).rglob(RESULT), None)
            if process.returncode or result is None:
                last = output.decode(errors="replace").strip().splitlines()[-1:]
                message = Message(
                    "AIPerf failed: {text}", text=last[0] if last else process.returncode
                )
                raise MeasurementError(message)
            try:
                results = read_results(result)
            except ScenarioError as error:
                raise MeasurementError(error.message) from None
        if not results.readings:
            raise MeasurementError(results.problems[0].with_place())
        return results.readings[0]
