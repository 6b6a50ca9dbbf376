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
from planner.components.fleet.sleep_levels import SleepLevel, SleepLevels
from planner.field_types import Listed
from planner.fields import NOTHING, AtLeastZero, FieldError, Frozen, Name, exceeds, raise_all
from planner.fleets.hosts import HostOrNone
from planner.message import Message, template
from planner.timeseries.series import PerUnit

NO_MODEL = template("names model {name!r}, which the fleet does not serve; it serves {names}")
NO_KEY = template("names {name!r}; nodes that woke are by LEVEL|MODEL here: {names}")
NO_LEVEL = template("names sleep level {name!r}, which the fleet does not have; it has {names}")


class FleetInitial(Frozen):
    """The fleet when the horizon begins."""

    awake: dict[str, AtLeastZero] = Field(default_factory=dict)
    """Nodes awake by model; all others are asleep."""
    asleep: dict[str, AtLeastZero] = Field(default_factory=dict)
    """Nodes asleep by level of `sleep`. Others that are not awake may be put into any level in the
    first step; where no level is named they sleep in the first."""
    woken: dict[str, Annotated[tuple[AtLeastZero, ...], Field(strict=False)]] = Field(
        default_factory=dict
    )
    """Nodes woken in the last steps by model, latest first; matters only where waking takes longer
    than a step. By LEVEL|MODEL where `sleep` has several levels or drain_min."""
    slept: dict[str, Annotated[tuple[AtLeastZero, ...], Field(strict=False)]] = Field(
        default_factory=dict
    )
    """Nodes that went to sleep in the last steps by level, latest first; matters only where
    drain_min is longer than a step."""


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
    """Power of a sleeping node, where there is one way to sleep; that of the least idle point
    unless given, so that sleep saves nothing."""
    wake_min: Annotated[float, Field(ge=0, le=1440)] = 0.0
    """Minutes a node needs to wake, at the power of the idle point."""
    wake_cost_cny: AtLeastZero = 0.0
    """Cost of waking a node."""
    sleep: Listed[SleepLevel] = ()  # type: ignore[assignment]
    """Ways to sleep, shallow first, in place of sleep_kw, wake_min and wake_cost_cny. A node wakes
    before it sleeps in another; where nodes sleep when the horizon begins, `initial` says."""
    ramp_nodes_per_h: AtLeastZero | None = None
    """Most change of the nodes awake, of all models, per hour, up or down. With it nodes that pause
    for reserve stay awake, idle."""
    whole_nodes: bool = False
    """Whether numbers of nodes are integers; much slower to solve."""
    amortisation_cny_per_node_h: AtLeastZero = 0.0
    """Cost of a node per hour, running or not; reported, never optimised."""
    serves: Annotated[dict[str, Serving], Field(min_length=1)]
    """The models it serves, and how."""
    host: HostOrNone = FOLLOWS
    """The server of a node without its GPUs, or the name of a kind of server that the planner
    knows; that of the library curves it serves."""
    initial: FleetInitial = FleetInitial()
    """State when the horizon begins; without it all nodes are asleep, of several levels of `sleep`
    in the first."""

    def following(self) -> dict[str, Any]:
        host = host_of(self.host, self.serves)
        raise_all(follow(self.serves, host))
        idle_kw = min(serving.points[0].node_kw for serving in self.serves.values())
        return {"sleep_kw": 0.0 if self.sleep else idle_kw, "host": host}

    @property
    def sleeps(self) -> SleepLevels:
        """Its levels of sleep; columns tell them apart where there are several, or one drains."""
        ramped = self.ramp_nodes_per_h is not None
        if self.sleep:
            apart = len(self.sleep) > 1 or self.sleep[0].drain_min > 0
            return SleepLevels(self.sleep, apart, ramped)
        level = SleepLevel.unchecked(
            name="asleep", node_kw=self.sleep_kw, wake_min=self.wake_min,
            wake_cost_cny=self.wake_cost_cny, drain_min=0.0,
        )  # fmt: skip
        return SleepLevels((level,), apart=False, ramped=ramped)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[FieldError]:
        yield from self._wrong_initial()
        yield from self._wrong_sleep()
        least = float((self.nodes * self.available_pu).min())
        if exceeds(self.spare_nodes, least):
            message = Message(
                "may not exceed the nodes available, {least:g}, is {value:g}",
                least=least,
                value=self.spare_nodes,
            )
            yield FieldError(message, "spare_nodes")

    def _wrong_initial(self) -> Iterator[FieldError]:
        initial, sleep = self.initial, self.sleeps
        levels = [level.name for level in self.sleep]
        keys = ["|".join(sleep.key(level, m)) for level in sleep.levels for m in self.serves]
        for field, text, known in (
            ("awake", NO_MODEL, list(self.serves)),
            ("woken", NO_KEY if sleep.apart else NO_MODEL, keys),
            ("asleep", NO_LEVEL, levels), ("slept", NO_LEVEL, levels),
        ):  # fmt: skip
            for name in getattr(initial, field):
                if name not in known:
                    message = Message(text, name=name, names=", ".join(known) or Message("none"))
                    yield FieldError(message, f"initial.{field}.{name}")
        awake = sum(initial.awake.values())
        for field, value in (("awake", awake), ("asleep", awake + sum(initial.asleep.values()))):
            if exceeds(value, self.nodes, NOTHING):
                message = Message(
                    "sums to {value:g}, more than nodes, {nodes:g}", value=value, nodes=self.nodes
                )
                yield FieldError(message, f"initial.{field}")
                return

    def _wrong_sleep(self) -> Iterator[FieldError]:
        if not self.sleep:
            return
        for field in ("sleep_kw", "wake_min", "wake_cost_cny"):
            if getattr(self, field):
                message = Message("does not go with sleep; write it in the levels")
                yield FieldError(message, field)
        names = [level.name for level in self.sleep]
        for i, name in enumerate(names):
            if name in names[:i]:
                message = Message("no two levels may have the same name, {name!r}", name=name)
                yield FieldError(message, f"sleep[{i}].name")
