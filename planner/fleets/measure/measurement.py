"""The measurement of a model server: idle, each load, and asleep, with the power of its GPUs."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from planner.errors import MeasurementError, wrong
from planner.fleets.curve import Curve, CurvePoint, CurveSource, Parallel, six_digits
from planner.fleets.importing.power_log import OTHER_GPUS
from planner.fleets.measure.closed_loop import SteadyLoad, run_load
from planner.fleets.measure.endpoint import Answer, Endpoint
from planner.fleets.measure.power_meter import PowerMeter
from planner.message import Message

SAMPLE_S = 0.5
SETTLE_S = 2.0  # until power is that of a new state
IDLE_S = 10.0  # at most


OtherProgram = Callable[[int], Awaitable[SteadyLoad]]
"""Loads a server with a number of requests at a time. Raises MeasurementError."""


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """What to measure. level: of sleep, if any; key: of the server, if it wants one."""

    url: str
    model: str
    concurrencies: Sequence[int]
    seconds: float = 30.0
    input_tokens: int = 512
    output_tokens: int = 128
    level: int | None = None
    key: str | None = None


@dataclass(frozen=True)
class Sleep:
    """A sleep of a server: its level, the power of its GPUs, and the time to the first token."""

    level: int
    gpu_kw: float
    wake_s: float

    @property
    def text(self) -> Message:
        """The sleep in words."""
        return Message(
            "asleep at level {level} its GPUs draw {gpu_kw:g} kW; it answers again {s:.3g} s after"
            " the call that wakes it",
            level=self.level, gpu_kw=self.gpu_kw, s=self.wake_s,
        )  # fmt: skip


@dataclass
class Measured:
    """What has been measured so far, and what must be known of it.

    hardware, gpus: as given, else of the meter.
    """

    hardware: str | None = None
    gpus: int | None = None
    idle: CurvePoint | None = None
    points: list[CurvePoint] = field(default_factory=list)
    sleep: Sleep | None = None
    cautions: list[Message] = field(default_factory=list)

    def know(self, meter: PowerMeter) -> None:
        """Take from a meter what it knows. Raises ScenarioError where it is not the GPUs given."""
        self.hardware = self.hardware or meter.hardware
        if not self.hardware:
            message = Message("{text} does not know the hardware: name it", text="--power")
            raise wrong("", message, file="--hardware")
        if self.gpus not in (None, meter.gpus):
            message = Message(OTHER_GPUS, n=meter.gpus, gpus=self.gpus)
            raise wrong("", message, file="--power")
        self.gpus = meter.gpus


async def measure(
    measuring: Measuring,
    endpoint: Endpoint,
    meter: PowerMeter,
    measured: Measured,
    *,
    program: OtherProgram | None = None,
    note: Callable[..., None] | None = None,
) -> None:
    """Measure a server, step by step into `measured`.

    Args:
        measuring: what to measure.
        endpoint: the server.
        meter: the power of its GPUs.
        measured: gets each figure as soon as it is known.
        program: loads the server instead of the closed loop.
        note: is told of the loads that are done, and of their number.

    Raises:
        ScenarioError: the address, the key or the model is wrong.
        MeasurementError: the server or the power stopped; `measured` has what was before.
    """
    await endpoint.prepare(measuring.input_tokens)
    measured.cautions += endpoint.cautions
    sampling = asyncio.create_task(_sample(meter, endpoint.clock))
    try:
        idle_w = await _resting_w(measuring, endpoint, meter)
        measured.idle = CurvePoint.measured(0, idle_w)
        loads = sorted(set(measuring.concurrencies))
        for i, concurrency in enumerate(loads):
            if note is not None:
                note(i, len(loads))
            point = None
            if program is not None:
                try:
                    point = await _point(measuring, await program(concurrency), meter, measured)
                except MeasurementError as error:
                    measured.cautions.append(
                        Message("{text}: its own loop measures instead", text=error.message)
                    )
                    program = None
            if point is None:
                own = await run_load(
                    endpoint, concurrency, measuring.seconds,
                    measuring.input_tokens, measuring.output_tokens,
                )  # fmt: skip
                point = await _point(measuring, own, meter, measured)
            measured.points.append(point)
        if measuring.level is not None:
            measured.sleep = await _asleep(measuring, measuring.level, endpoint, meter, measured)
    finally:
        measured.cautions += meter.cautions
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling


def measured_curve(
    measuring: Measuring, measured: Measured, *, precision: str, licence: str, day: dt.date
) -> Curve:
    """Return the curve of what was measured. Raises ScenarioError where it is none."""
    assert measured.hardware is not None
    assert measured.gpus is not None
    idle = () if measured.idle is None else (measured.idle,)
    return Curve(
        hardware=measured.hardware, gpus=measured.gpus, model=measuring.model, precision=precision,
        parallel=Parallel(tensor=measured.gpus),
        task=f"{measuring.input_tokens} in {measuring.output_tokens} out",
        points=[*idle, *measured.points],
        source=CurveSource(title="own measurement", url=measuring.url), date=day, licence=licence,
        note="" if measured.sleep is None else str(measured.sleep.text),
    )  # fmt: skip


async def _sample(meter: PowerMeter, clock: Callable[[], float]) -> None:
    while True:
        await meter.sample(clock())
        await asyncio.sleep(SAMPLE_S)


async def _resting_w(measuring: Measuring, endpoint: Endpoint, meter: PowerMeter) -> float:
    """Return the power of GPUs that answer nothing."""
    await asyncio.sleep(SETTLE_S)
    start = endpoint.clock()
    await asyncio.sleep(min(IDLE_S, measuring.seconds))
    return await meter.mean_w(start, endpoint.clock())


async def _point(
    measuring: Measuring, load: SteadyLoad, meter: PowerMeter, measured: Measured
) -> CurvePoint:
    """Return the point of a load, once its power is known."""
    gpu_w = await meter.mean_w(load.start, load.end)
    n = load.concurrency
    if load.failed:
        message = Message("at concurrency {n} {k} requests failed", n=n, k=load.failed)
        measured.cautions.append(message)
    if load.inter_token_ms is None:
        message = Message(
            "at concurrency {n} no answer ended in {s:g} s, so that the time between tokens is not"
            " known; give it more --seconds",
            n=n, s=measuring.seconds,
        )  # fmt: skip
        measured.cautions.append(message)
    return CurvePoint.measured(
        load.tokens_per_s, gpu_w, concurrency=n,
        inter_token_ms=load.inter_token_ms, first_token_ms=load.first_token_ms,
    )  # fmt: skip


async def _asleep(
    measuring: Measuring, level: int, endpoint: Endpoint, meter: PowerMeter, measured: Measured
) -> Sleep | None:
    """Return a sleep of the server, which is awake again afterwards; None where it has none."""
    try:
        sleeps = await endpoint.sleep(level)
        if not sleeps:
            measured.cautions.append(
                Message(
                    "the server has no /sleep: vLLM offers it with --enable-sleep-mode and"
                    " VLLM_SERVER_DEV_MODE=1"
                )
            )
            return None
        asleep_w = await _resting_w(measuring, endpoint, meter)
    finally:
        start = endpoint.clock()
        await endpoint.wake(level)
    answer = Answer(start)
    await endpoint.ask(answer, 1, 1)
    return Sleep(level, six_digits(asleep_w / 1000), six_digits(endpoint.clock() - start))
