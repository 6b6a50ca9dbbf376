"""A closed loop: a number of requests at a time, each followed by the next.

Its steady state begins when every stream has had an answer (the first ones have lengths that set
the streams apart), or after a given time without, and lasts for that time. Tokens count when their
chunk comes, so that answers that began before or end after it count with their part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from planner.errors import MeasurementError
from planner.fleets.measure.endpoint import Answer, Endpoint
from planner.message import Message

MOST_FAILURES = 3  # of one stream in a row
PAUSE_S = 0.2  # after one
MOST_ANSWERS = 100_000


@dataclass(frozen=True)
class SteadyLoad:
    """The steady state at a load; times by the clock of the endpoint.

    is_warm: whether every stream had an answer before it.
    """

    concurrency: int
    start: float
    end: float
    tokens_per_s: float
    inter_token_ms: float | None
    first_token_ms: float | None
    failed: int = 0
    is_warm: bool = True


async def run_load(
    endpoint: Endpoint, concurrency: int, seconds: float, input_tokens: int, output_tokens: int
) -> SteadyLoad:
    """Return the steady state of a number of requests at a time.

    Raises:
        MeasurementError: the server stopped answering, or no answer came.
    """
    answers: list[Answer] = []
    failed = 0
    ready = asyncio.Semaphore(0)

    async def stream(number: int) -> None:
        nonlocal failed
        length, in_a_row = max(1, output_tokens * (number + 1) // concurrency), 0
        is_ready = False
        while len(answers) < MOST_ANSWERS:
            answer = Answer(endpoint.clock())
            answers.append(answer)
            try:
                await endpoint.ask(answer, input_tokens, length)
                in_a_row = 0
            except MeasurementError:
                failed, in_a_row = failed + 1, in_a_row + 1
                if in_a_row == MOST_FAILURES:
                    raise
                await asyncio.sleep(PAUSE_S)
                continue
            if not is_ready:
                ready.release()
            length, is_ready = output_tokens, True

    async def all_ready() -> None:
        for _ in range(concurrency):
            await ready.acquire()

    streams = [asyncio.create_task(stream(number)) for number in range(concurrency)]
    warming = asyncio.create_task(all_ready())
    try:
        await _while_running(streams, [warming], seconds)
        start, is_warm = endpoint.clock(), warming.done()
        await _while_running(streams, [], seconds)
        end = endpoint.clock()
    finally:
        for task in (*streams, warming):
            task.cancel()
        await asyncio.gather(*streams, warming, return_exceptions=True)
    return replace(_steady(answers, concurrency, start, end, failed), is_warm=is_warm)


async def _while_running(
    streams: Sequence[asyncio.Task[None]], until: Sequence[asyncio.Task[None]], seconds: float
) -> None:
    """Wait for some time, or until a task has ended. Raises what a stream raises."""
    deadline = asyncio.get_running_loop().time() + seconds
    while (left := deadline - asyncio.get_running_loop().time()) > 0:
        done, _ = await asyncio.wait(
            [*streams, *until], timeout=left, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
        if any(task.done() for task in until) or all(task.done() for task in streams):
            return


def _steady(
    answers: Sequence[Answer], concurrency: int, start: float, end: float, failed: int
) -> SteadyLoad:
    """Return the figures of what came between two times."""
    counted = [one for one in answers if one.tokens is not None and one.chunks]
    chunks = sum(len(one.chunks) for one in counted)
    usual = sum(one.tokens or 0 for one in counted) / chunks if chunks else 1.0
    tokens = 0.0
    between, first = [], []
    for one in answers:
        inside = sum(start <= time < end for time in one.chunks)
        each = one.tokens / len(one.chunks) if one.tokens and one.chunks else usual
        tokens += inside * each
        count = len(one.chunks) * each
        if one.ended and inside and start <= one.chunks[-1] < end and count > 1:
            between.append((one.chunks[-1] - one.chunks[0]) / (count - 1))
        if one.chunks and start <= one.chunks[0] < end:
            first.append(one.chunks[0] - one.sent)
    if not tokens:
        message = Message(
            "at concurrency {n} no token came in {s:g} s", n=concurrency, s=end - start
        )
        raise MeasurementError(message)
    return SteadyLoad(
        concurrency, start, end, tokens / (end - start),
        1000 * median(between) if between else None, 1000 * median(first) if first else None,
        failed,
    )  # fmt: skip
