"""Whether the figures of a point can be true: power and times in their units."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import Problem
from planner.fleets.curve import LEAST_KW, MOST_KW
from planner.fleets.importing.benchmark_run import BenchmarkRun
from planner.message import Message, template

LEAST_MS = 1.0  # of a median time between tokens, or to the first, that is in ms
LEAST_BUSY, MOST_BUSY = 0.01, 10.0
"""Of tokens/s x s between tokens / requests at a time, 1 where all decode, in the right unit."""
TOO_SHORT = template(
    "is {value:g} ms, too short for {tokens:g} tokens/s at concurrency {n:g}; is it in s, not ms?"
)
TOO_LONG = template(
    "is {value:g} ms, too long for {tokens:g} tokens/s at concurrency {n:g}; is it in ms, not s?"
)
UNITS_W = {"kW": 1e3, "mW": 1e-3, "MW": 1e6}


def unlikely(run: BenchmarkRun) -> Iterator[Problem]:
    """Yield what is wrong with the units of a point."""
    if run.gpu_w is not None and run.gpus is not None:
        least_w, most_w = 1e3 * LEAST_KW, 1e3 * MOST_KW["gpu_kw"]
        each_w = run.gpu_w / run.gpus
        if not least_w <= each_w <= most_w:
            meant = next((u for u, w in UNITS_W.items() if least_w <= each_w * w <= most_w), None)
            hint = Message("; its unit is likely {name}", name=meant) if meant else ""
            message = Message(
                "is {each:g} W for each of {gpus} GPUs, and a loaded one draws {least:g} to"
                " {most:g} W{hint}",
                each=each_w, gpus=run.gpus, least=least_w, most=most_w, hint=hint,
            )  # fmt: skip
            yield run.problem(message, "gpu_w")
    for name in ("inter_token_ms", "first_token_ms"):
        value_ms = getattr(run, name)
        text = None if value_ms is None else _unit_slip(run, name, value_ms)
        if text is not None:
            message = Message(text, value=value_ms, tokens=run.tokens_per_s, n=run.concurrency or 1)
            yield run.problem(message, name)


def _unit_slip(run: BenchmarkRun, name: str, value_ms: float) -> str | None:
    """Return the template for a time that is likely in another unit."""
    if name == "first_token_ms" or not run.concurrency:
        return TOO_SHORT if value_ms < LEAST_MS else None
    busy = run.tokens_per_s * value_ms / 1000 / run.concurrency
    return TOO_SHORT if busy < LEAST_BUSY else TOO_LONG if busy > MOST_BUSY else None
