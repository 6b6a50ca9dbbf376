"""A measured curve: what a model server on some GPUs answers at each load, and what that draws.

A replica is one copy of the model on `gpus` GPUs. Powers and tokens are those of the replica, so
that a node with twice the GPUs holds two and has twice of both.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from planner.field_types import Listed, ListedOrNone
from planner.fields import AtLeastZero, FieldError, Frozen, Positive, Title, raise_all
from planner.message import Message

Count = Annotated[int, Field(ge=1)]
MOST_KW = {"gpu_kw": 2.0, "node_kw": 5.0}  # of a GPU that answers, or of its part of a server
LEAST_KW = 0.02


def six_digits(value: float) -> float:
    """Return a measured figure as a curve holds it."""
    return float(f"{value:.6g}")


class CurvePoint(Frozen):
    """A replica at one load."""

    tokens_per_s: Annotated[float, Field(ge=0, le=1e7)]
    """Output tokens of the replica; 0 is a loaded model that answers nothing."""
    gpu_kw: AtLeastZero | None = None
    """Power of its GPUs together."""
    node_kw: AtLeastZero | None = None
    """Power at the wall, of the part of the server that the replica takes."""
    inter_token_ms: Positive | None = None
    """Median time between the tokens of an answer."""
    first_token_ms: Positive | None = None
    """Median time from the request to the first token."""
    concurrency: Positive | None = None
    """Requests at a time."""

    @classmethod
    def measured(
        cls,
        tokens_per_s: float,
        gpu_w: float | None,
        *,
        inter_token_ms: float | None = None,
        first_token_ms: float | None = None,
        concurrency: float | None = None,
    ) -> Self:
        """Return a point of measured figures, which have six digits; a time of 0 is not known."""
        figures = {
            "gpu_kw": None if gpu_w is None else gpu_w / 1000,
            "inter_token_ms": inter_token_ms or None,
            "first_token_ms": first_token_ms or None,
            "concurrency": concurrency or None,
        }
        known = {name: six_digits(value) for name, value in figures.items() if value is not None}
        return cls(tokens_per_s=six_digits(tokens_per_s), **known)


class CurvePrefill(Frozen):
    """A replica that reads input only."""

    tokens_per_s: Annotated[float, Field(gt=0, le=1e7)]
    """Input tokens that are not in a cache."""
    gpu_kw: AtLeastZero | None = None
    """Power of its GPUs together."""
    node_kw: AtLeastZero | None = None
    """Power at the wall."""


class Parallel(Frozen):
    """How a model is spread over GPUs."""

    tensor: Count = 1
    """GPUs that share each layer."""
    expert: Count | None = None
    """GPUs that share the experts."""
    data: Count | None = None
    """Copies of what is not shared."""


class CurveSource(Frozen):
    """Where the figures of a curve are from."""

    title: Title
    """Name of the publication, or of the measurement."""
    url: str | None = None
    """Its address: a page, or a repository with the path of the file."""
    version: str | None = None
    """Commit or version that was read."""
    files: ListedOrNone[str] = None  # type: ignore[assignment]
    """Files that were imported, each with its SHA-256."""
    imported: Annotated[dt.date | None, Field(strict=False)] = None
    """Day of the import."""


class Curve(Frozen):
    """A measured curve with its source."""

    hardware: Title
    """GPU as it is sold, such as NVIDIA H100 80GB HBM3."""
    gpus: Count
    """GPUs of the replica."""
    model: Title
    """Model as it is published, such as Qwen/Qwen3-32B."""
    precision: Title
    """Of the weights: bf16, fp8, mxfp4."""
    parallel: Parallel = Parallel()
    """How the model is spread over the GPUs."""
    task: str = ""
    """Kind of requests, such as chat, or lengths of input and output."""
    points: Annotated[Listed[CurvePoint], Field(min_length=1)]
    """Points by ascending load, as published: tokens may fall where a server is overloaded."""
    prefill: CurvePrefill | None = None
    """Reading input on GPUs of its own; without it the points include the input of the task."""
    measured: Literal["gpu", "wall", "none"] = "gpu"
    """Whether power is that of the GPUs, that at the wall, or not known."""
    host: str | None = None
    """Kind of server of `planner fleet show --host`: it turns GPU power into power at the wall."""
    source: CurveSource
    """Where the figures are from."""
    date: Annotated[dt.date, Field(strict=False)]
    """Day of the measurement or of its publication."""
    licence: Title
    """Licence of the figures, or that none is stated."""
    note: str = ""
    """What a reader must know."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[FieldError]:
        power = {"gpu": "gpu_kw", "wall": "node_kw"}.get(self.measured)
        for i, point in enumerate(self.points):
            if power is not None and getattr(point, power) is None:
                message = Message("is required with measured: {text}", text=self.measured)
                yield FieldError(message, f"points[{i}].{power}")
            for name in ("gpu_kw", "node_kw"):
                if (doubt := self._in_watts(point, name)) is not None:
                    yield FieldError(doubt, f"points[{i}].{name}")
        if not any(point.tokens_per_s for point in self.points):
            yield FieldError(Message("must hold a point that answers tokens"), "points")

    def _in_watts(self, point: CurvePoint, name: str) -> Message | None:
        """Return the problem of a power in another unit than kW, if it is one."""
        power_kw = getattr(point, name)
        if power_kw is None or not point.tokens_per_s:
            return None
        each_kw = power_kw / self.gpus
        if each_kw > MOST_KW[name]:
            meant = power_kw / 1000
            return Message(
                "is {each_kw:g} kW for each GPU of {gpus}, more than any draws; in W? Then write"
                " {meant:g}",
                each_kw=each_kw, gpus=self.gpus, meant=meant,
            )  # fmt: skip
        if each_kw < LEAST_KW:
            return Message(
                "is {each_kw:g} kW for each GPU of {gpus}, less than any draws that answers; in MW,"
                " or of a part of the GPUs?",
                each_kw=each_kw, gpus=self.gpus,
            )  # fmt: skip
        return None

    def within(
        self, inter_token_ms: float | None, first_token_ms: float | None
    ) -> tuple[CurvePoint, ...]:
        """Return the points within limits of time; without limits all."""
        limits = {"inter_token_ms": inter_token_ms, "first_token_ms": first_token_ms}
        given = {name: most for name, most in limits.items() if most is not None}
        return tuple(
            point
            for point in self.points
            if all((getattr(point, name) or math.inf) <= most for name, most in given.items())
        )

    def falling(self) -> Iterator[CurvePoint]:
        """Yield the points that answer no more than one at less load: none is of use alone."""
        most = -1.0
        for point in self.points:
            if point.tokens_per_s <= most:
                yield point
            most = max(most, point.tokens_per_s)

    def cautions(self) -> Iterator[Message]:
        """Yield what is unusual about the curve, and allowed."""
        if falling := ", ".join(f"{point.tokens_per_s:g}" for point in self.falling()):
            yield Message(
                "it answers no more tokens at more load at {values} tokens/s: as published, and of"
                " no use but where power is to be drawn",
                values=falling,
            )  # fmt: skip
        if self.measured == "none":
            yield Message("its power is not known: it cannot serve in a fleet as it is")
