"""The fields of a fleet, and what their values must satisfy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from planner.components.completion import FOLLOWS
from planner.components.component import Component
from planner.components.fleet.library_points import follow, host_of
from planner.components.fleet.operating_points import Serving
from planner.components.fleet.pue import Pue
from planner.fields import NOTHING, AtLeastZero, FieldError, Frozen, Name, exceeds, raise_all
from planner.fleets.hosts import Host
from planner.message import Message, template
from planner.timeseries.series import PerUnit


class FleetInitial(Frozen):
    """The fleet when the horizon begins."""

    awake: dict[str, AtLeastZero] = Field(default_factory=dict)
    """Nodes awake by model; all others sleep."""
    woken: dict[str, Annotated[tuple[AtLeastZero, ...], Field(strict=False)]] = Field(
        default_factory=dict
    )
    """Nodes woken in the last steps by model, latest first; matters only where waking takes longer
    than a step."""


class FleetFields(Component):
    """The fields of a fleet of GPU nodes."""

    kind: Literal["fleet"] = "fleet"
    also_called: ClassVar[str] = (
        "gpu gpus node nodes servers cluster datacenter data_center compute 算力"
    )
    follows: ClassVar[Mapping[str, str]] = {"sleep_kw": "serves", "host": "serves"}
    remedies: ClassVar[Mapping[str, str]] = {
        "pue": template("it is facility power over IT power, 1 or more: 1.25 for 25 % on top"),
        "available_pu": template("it is part of the nodes: 0.95 for 95 %"),
    }
    node: Name = "site"
    """Electrical node."""
    nodes: AtLeastZero
    """Number of nodes (servers)."""
    available_pu: PerUnit = 1.0  # type: ignore[assignment]  # validated into a series
    """Part of the nodes that is available."""
    spare_nodes: AtLeastZero = 0.0
    """Nodes kept awake and idle, of any model."""
    pue: Pue
    """Facility power over IT power: a series, or by temperature."""
    sleep_kw: AtLeastZero = FOLLOWS
    """Power of a sleeping node; that of the least idle point unless given, so that sleep saves
    nothing."""
    wake_min: Annotated[float, Field(ge=0, le=1440)] = 0.0
    """Minutes a node needs to wake, at the power of the idle point."""
    wake_cost_cny: AtLeastZero = 0.0
    """Cost of waking a node."""
    whole_nodes: bool = False
    """Whether numbers of nodes are integers; much slower to solve."""
    amortisation_cny_per_node_h: AtLeastZero = 0.0
    """Cost of a node per hour, running or not; reported, never optimised."""
    serves: Annotated[dict[str, Serving], Field(min_length=1)]
    """The models it serves, and how."""
    host: Host | None = FOLLOWS
    """The server of a node without its GPUs; that of the library curves it serves."""
    initial: FleetInitial = FleetInitial()
    """State when the horizon begins."""

    def following(self) -> dict[str, Any]:
        host = host_of(self.host, self.serves)
        raise_all(follow(self.serves, host))
        sleep_kw = min(serving.points[0].node_kw for serving in self.serves.values())
        return {"sleep_kw": sleep_kw, "host": host}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[FieldError]:
        initial = self.initial
        for field in ("awake", "woken"):
            for name in getattr(initial, field):
                if name not in self.serves:
                    message = Message(
                        "names model {name!r}, which the fleet does not serve; it serves {names}",
                        name=name,
                        names=", ".join(self.serves),
                    )
                    yield FieldError(message, f"initial.{field}.{name}")
        if exceeds(awake := sum(initial.awake.values()), self.nodes, NOTHING):
            message = Message(
                "sums to {value:g}, more than nodes, {nodes:g}", value=awake, nodes=self.nodes
            )
            yield FieldError(message, "initial.awake")
        least = float((self.nodes * self.available_pu).min())
        if exceeds(self.spare_nodes, least):
            message = Message(
                "may not exceed the nodes available, {least:g}, is {value:g}",
                least=least,
                value=self.spare_nodes,
            )
            yield FieldError(message, "spare_nodes")
