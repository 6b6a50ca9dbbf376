"""Whether the figures of a run can be true: in their range, power and times in their units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from planner.errors import Problem, ScenarioError
from planner.files.yaml_document import control_in
from planner.fleets.curve import LEAST_KW, MOST_KW
from planner.fleets.importing.benchmark_run import BenchmarkRun
from planner.message import Message, template

RANGES = {
    "tokens_per_s": (1e-3, 1e7), "concurrency": (0, 1e7), "gpu_w": (0, 1e12),
    "inter_token_ms": (0, 1e9), "first_token_ms": (0, 1e9), "input_tokens": (0, 1e9),
    "output_tokens": (0, 1e9),
}  # fmt: skip
"""The least and the most of a figure; a time of 0 is not known."""
TEXTS = ("hardware", "model", "precision", "task", "software")
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


def usable(run: BenchmarkRun) -> BenchmarkRun:
    """Return a run whose figures and texts a curve can hold. Raises ScenarioError."""
    problems = [
        run.problem(message, name)
        for name in TEXTS
        if (text := getattr(run, name)) and (message := wrong_text(text))
    ]
    for name, (least, most) in RANGES.items():
        value = getattr(run, name)
        if value is not None and not least <= value <= most:
            message = Message(
                "must be {least:g} to {most:g}, is {value:g}", least=least, most=most, value=value
            )
            problems.append(run.problem(message, name))
    start, end = run.start, run.end
    if start is not None and end is not None and not _in_order(start, end):
        message = Message("ran from {start} to {end}: no time by one clock", start=start, end=end)
        problems.append(run.problem(message))
    if problems:
        raise ScenarioError(problems)
    return run


def _in_order(start: dt.datetime, end: dt.datetime) -> bool:
    is_one_clock = (start.tzinfo is None) == (end.tzinfo is None)
    return is_one_clock and dt.datetime(1971, 1, 1, tzinfo=start.tzinfo) < start < end


def wrong_text(text: str) -> Message | None:
    """Return what is wrong with the text of a curve, if it is."""
    return control_in(text) if text.strip() else Message("may not be blank")


def unlikely(run: BenchmarkRun) -> Iterator[Problem]:
    """Yield what is wrong with the units of a run."""
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
        text = _unit_slip(run, name, value_ms) if value_ms else None
        if text is not None:
            message = Message(text, value=value_ms, tokens=run.tokens_per_s, n=run.concurrency or 1)
            yield run.problem(message, name)


def _unit_slip(run: BenchmarkRun, name: str, value_ms: float) -> str | None:
    """Return the template for a time that is likely in another unit."""
    each_ms = 1000 * (run.concurrency or 0) / run.tokens_per_s  # of a token of a request, mean
    if name == "inter_token_ms" and each_ms:
        busy = value_ms / each_ms
        return TOO_SHORT if busy < LEAST_BUSY else TOO_LONG if busy > MOST_BUSY else None
    if value_ms < LEAST_MS:
        return TOO_SHORT
    answer_ms = each_ms * (run.output_tokens or 0)  # a median is at most twice a mean
    return TOO_LONG if name == "first_token_ms" and 0 < 2 * answer_ms < value_ms else None
