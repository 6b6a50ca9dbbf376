"""Operating points of a node, and how it serves a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from planner.components.completion import FOLLOWS, INSTEAD
from planner.components.component import Latencies
from planner.errors import ScenarioError
from planner.field_types import Listed
from planner.fields import (
    AtLeastZero,
    FieldError,
    Frozen,
    HorizonNeededError,
    Positive,
    raise_all,
)
from planner.fleets.curve import Curve
from planner.fleets.library import curve_named, is_path
from planner.message import Message
from planner.timeseries.forms import Context

MTOK_PER_H = 0.0036  # of one token/s
Limits = Latencies  # None is no limit


class NodePower(Frozen):
    """The power of a node, given or from that of its GPUs."""

    follows: ClassVar[Mapping[str, str]] = {"node_kw": "gpu_kw"}
    tokens_per_s: float
    """Tokens."""
    node_kw: AtLeastZero = FOLLOWS
    """Power of the whole server, before PUE; from `gpu_kw` and the `host` of the fleet unless
    given."""
    gpu_kw: AtLeastZero | None = None
    """Power of all GPUs of the server."""

    @model_validator(mode="after")
    def _has_power(self) -> Self:
        if vars(self).get("node_kw") is None and self.gpu_kw is None:
            message = Message("is required, or gpu_kw with the host of the fleet")
            raise FieldError(message, "node_kw")
        return self

    @property
    def mtok_per_h(self) -> float:
        """Throughput of a node."""
        return MTOK_PER_H * self.tokens_per_s


class OperatingPoint(NodePower):
    """A measured operating point of a node."""

    tokens_per_s: Annotated[float, Field(ge=0, le=1e7)]
    """Output tokens decoded; 0 is the awake idle point."""
    inter_token_ms: Positive | None = None
    """Inter-token latency; not needed at the idle point."""
    first_token_ms: Positive | None = None
    """Time to the first token, as measured with the whole answer: on nodes that read the input too,
    and with it on the `prefill` of nodes of its own."""

    @property
    def key(self) -> str:
        """The name of the point in columns."""
        return f"{self.tokens_per_s:g}"

    @property
    def latencies(self) -> Latencies:
        """Its times, None where not known."""
        return self.inter_token_ms, self.first_token_ms

    def meets(self, limits: Limits) -> bool:
        """Whether its latencies are known, and within limits."""
        return all(
            limit is None or (ms is not None and ms <= limit)
            for ms, limit in zip(self.latencies, limits, strict=True)
        )


class Prefill(NodePower):
    """The prefill of a node: reading input tokens."""

    tokens_per_s: Annotated[float, Field(gt=0, le=1e7)]
    """Input tokens that are not in the cache."""


class Serving(Frozen):
    """How a node of the fleet serves one model."""

    follows: ClassVar[Mapping[str, str]] = {"points": "library", "prefill": "library"}
    library: Annotated[str, Field(min_length=1)] | None = None
    """Curve of the library by its name, or the file of a curve, relative to the scenario: its
    points, as many replicas as fit on the GPUs of the `host`."""
    points: Listed[OperatingPoint] = FOLLOWS
    """Operating points, among them the awake idle point (tokens_per_s: 0); beside `library` they
    replace those of the curve."""
    prefill: Prefill | None = None
    """Prefill on nodes of its own; without it the points are taken to include prefill."""
    _curve: Curve | None = PrivateAttr(default=None)

    @field_validator("points")
    @classmethod
    def _points(cls, points: tuple[OperatingPoint, ...]) -> tuple[OperatingPoint, ...]:
        points = tuple(sorted(points, key=lambda point: point.tokens_per_s))
        speeds = [point.tokens_per_s for point in points]
        if not speeds or speeds[0] != 0:
            raise FieldError(Message("must hold the awake idle point, tokens_per_s: 0"))
        if len(speeds) < 2:
            raise FieldError(Message("must hold a point that decodes tokens"))
        if len({point.key for point in points}) < len(points):
            raise FieldError(Message("no two points may have the same tokens_per_s"))
        return points

    @model_validator(mode="after")
    def _read_library(self, info: ValidationInfo) -> Self:
        given = "points" in self.model_fields_set
        if self.library is None:
            if not given:
                raise FieldError(Message(INSTEAD, name="library"), "points")
            return self
        context = info.context
        folder = context.folder if isinstance(context, Context) else None
        if folder is None and is_path(self.library):
            raise HorizonNeededError(path="library")
        try:
            self._curve = curve_named(self.library, folder)
        except ScenarioError as error:
            if not given:  # points that are given need no library: those of a plan, say
                raise_all(FieldError(one.with_place(), "library") for one in error.problems)
        return self

    @property
    def curve(self) -> Curve | None:
        """The curve of the library, where it was read."""
        return self._curve

    @property
    def replaced(self) -> list[str]:
        """The fields that are given and differ from those of its library curve, where it is known.

        What a plan has written of the curve does not count as given.
        """
        given = sorted(self.follows.keys() & self.model_fields_set)
        return [name for name in given if getattr(self._curve, name, None) is not None]

    @property
    def published_source(self) -> dict[str, dict[str, str]]:
        """What its figures are from, by the name of its library curve; none without one."""
        if self.library is None or "points" in self.replaced:
            return {}
        curve = self._curve
        source = {} if curve is None else {"title": curve.source.title, "licence": curve.licence}
        return {self.library: source}

    @property
    def needs_host(self) -> bool:
        """Whether the host of the fleet may decide a power of it."""
        given = [*self.points, *filter(None, [self.prefill])]
        return self.library is not None or any(point.gpu_kw is not None for point in given)

    @property
    def decoding(self) -> tuple[OperatingPoint, ...]:
        """The points that decode tokens."""
        return self.points[1:]

    def within(self, limits: Limits) -> list[OperatingPoint]:
        """Return the decoding points that meet latency limits."""
        return [point for point in self.decoding if point.meets(limits)]


def prefill_by_model(serves: Mapping[str, Serving]) -> dict[str, Prefill]:
    """Return the prefill of the models that have nodes of their own for it."""
    return {m: serving.prefill for m, serving in serves.items() if serving.prefill}
