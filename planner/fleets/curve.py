"""A measured curve: what a model server on some GPUs answers at each load, and what that draws.

A replica is one copy of the model on `gpus` GPUs. Powers and tokens are those of the replica, so
that a node with twice the GPUs holds two and has twice of both.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from planner.field_types import Listed, ListedOrNone
from planner.fields import AtLeastZero, FieldError, Frozen, Positive, Title, raise_all
from planner.fleets.hosts import host_named
from planner.message import Message, template

Count = Annotated[int, Field(ge=1)]
MOST_KW = {"gpu_kw": 2.0, "node_kw": 5.0}  # of a GPU, or of its part of a server
LEAST_KW = 0.02  # of a GPU that works
LEAST_IDLE_KW = 0.005


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

    remedies: ClassVar[Mapping[str, str]] = {
        "licence": template("where the source states none, write: none stated")
    }
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

    @field_validator("host")
    @classmethod
    def _known(cls, host: str | None) -> str | None:
        if host is not None:
            host_named(host)
        return host

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[FieldError]:
        rows = {f"points[{i}]": point for i, point in enumerate(self.points)}
        prefill = {} if self.prefill is None else {"prefill": self.prefill}
        for path, row in (rows | prefill).items():
            for name in MOST_KW:
                if (message := self._wrong_power(row, name)) is not None:
                    yield FieldError(message, f"{path}.{name}")
        if not any(point.tokens_per_s for point in self.points):
            yield FieldError(Message("must hold a point that answers tokens"), "points")

    def _wrong_power(self, row: CurvePoint | CurvePrefill, name: str) -> Message | None:
        """Return what is wrong with a power: missing, not as measured, or in another unit."""
        power_kw, measured = getattr(row, name), {"gpu": "gpu_kw", "wall": "node_kw"}
        if name != measured.get(self.measured):
            wrong = Message("does not go with measured: {text}; leave it out", text=self.measured)
            return None if power_kw is None else wrong
        if power_kw is None:
            return Message("is required with measured: {text}", text=self.measured)
        least, most = LEAST_KW if row.tokens_per_s else LEAST_IDLE_KW, MOST_KW[name]
        each_kw = power_kw / self.gpus
        if least <= each_kw <= most:
            return None
        unit, factor = ("W", 1e-3) if each_kw > most else ("MW", 1e3)
        hint = Message("; in {unit}? Then write {meant:g}", unit=unit, meant=power_kw * factor)
        return Message(
            "is {each_kw:g} kW for each GPU of {gpus}, and one draws {least:g} to {most:g}"
            " kW{hint}",
            each_kw=each_kw, gpus=self.gpus, least=least, most=most,
            hint=hint if least <= each_kw * factor <= most else "",
        )  # fmt: skip

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
