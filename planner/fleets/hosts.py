"""Servers: what one draws at the wall when its GPUs draw so much, by kind, with the measurements.

The model is additive: node_kw = idle_kw + gpu_wall_factor x power of its GPUs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from planner import errors
from planner.errors import did_you_mean
from planner.field_types import Given, Listed
from planner.fields import AtLeastZero, FieldError, Frozen, Title
from planner.files.yaml_document import read_yaml
from planner.message import Message

GPUS_OF_A_NODE = 8
Factor = Annotated[float, Field(ge=1, le=2)]
Mark = Literal["V", "S", "C", "E"]


class Host(Frozen):
    """A server without its GPUs: node_kw = idle_kw + gpu_wall_factor x power of its GPUs."""

    idle_kw: AtLeastZero
    """Power of the server without its GPUs: processors, memory, network, fans."""
    gpu_wall_factor: Factor
    """Power at the wall for each kW of its GPUs: losses of power supplies, and fans."""
    gpus: Annotated[int, Field(ge=1)] = GPUS_OF_A_NODE
    """GPUs of the server."""
    gpu_idle_kw: AtLeastZero | None = None
    """Power of each GPU that holds a model and answers nothing; where it is not given, that of the
    kind of server of a library curve."""

    def node_kw(self, gpu_kw: float) -> float:
        """Return the power at the wall where all its GPUs together draw `gpu_kw`."""
        return round(self.idle_kw + self.gpu_wall_factor * gpu_kw, 6)


class ServerKind(Frozen):
    """A kind of server whose power at the wall has been measured."""

    title: Title
    """The server as it is sold."""
    idle_kw: AtLeastZero
    """Power of the server without its GPUs."""
    gpus: Annotated[int, Field(ge=1)]
    """GPUs of the server."""
    gpu_idle_kw: AtLeastZero
    """Power of each GPU that holds a model and answers nothing."""
    gpu_asleep_kw: AtLeastZero
    """Power of each GPU without a process."""
    note: str = ""
    """What is estimated."""


class RestingState(Frozen):
    """A state of a node without work."""

    name: Title
    """Short name."""
    gpus: Literal["idle", "asleep"] | None = None
    """What its GPUs draw; none where the node is switched off."""
    node_kw: AtLeastZero = 0.0
    """Power of a node that is switched off."""
    wake_min: AtLeastZero
    """Minutes until it answers."""
    mark: Mark
    """How well its figures are known."""
    note: Title
    """What it is."""


class WallReading(Frozen):
    """A machine measured at the wall, with the power of its GPUs as far as it is known."""

    machine: Title
    """The machine."""
    kind: str
    """The kind of server whose constants it is compared with."""
    state: Title
    """What it did."""
    use: Literal["fit", "held_out"]
    """Whether the constants are from it, or are checked by it."""
    wall_kw: AtLeastZero
    """Power at the wall."""
    gpu_kw: AtLeastZero
    """Power of its GPUs together, which is not measured on the same machine."""
    mark: Mark
    """How well the power at the wall is known."""
    gpu: Title
    """What the power of its GPUs is from."""
    source: Title
    """Where the power at the wall is from."""


class Hosts(Frozen):
    """Every kind of server, and what its constants are from."""

    gpu_wall_factor: Factor
    """Power at the wall for each kW of GPUs, of all kinds."""
    kinds: dict[str, ServerKind]
    """Kinds of servers by name."""
    sleep: Listed[RestingState]
    """What a node without work can be."""
    wall: Listed[WallReading]
    """The measurements."""

    def host(self, kind: str) -> Host:
        """Return a server of a kind. Raises FieldError where there is none."""
        if kind not in self.kinds:
            message = Message(
                "there is no kind of server {name!r}{hint}; kinds are {names}",
                name=kind, hint=did_you_mean(kind, self.kinds), names=", ".join(self.kinds),
            )  # fmt: skip
            raise FieldError(message)
        server = self.kinds[kind]
        return Host(
            idle_kw=server.idle_kw,
            gpu_wall_factor=self.gpu_wall_factor,
            gpus=server.gpus,
            gpu_idle_kw=server.gpu_idle_kw,
        )

    def resting(self, kind: str) -> dict[str, float]:
        """Return the power of a node of a kind at each level of sleep, kW by name."""
        server, host = self.kinds[kind], self.host(kind)
        gpu_kw = {"idle": server.gpu_idle_kw, "asleep": server.gpu_asleep_kw}
        return {
            level.name: level.node_kw
            if level.gpus is None
            else host.node_kw(server.gpus * gpu_kw[level.gpus])
            for level in self.sleep
        }


@cache
def known_hosts() -> Hosts:
    """Return the kinds of servers that come with the planner."""
    document = read_yaml(Path(__file__).with_suffix(".yaml"))
    hosts: Hosts = errors.read_outside(Hosts, document.data)
    return hosts


def _of_kind(value: Any) -> Any:
    return known_hosts().host(value) if isinstance(value, str) else value


@dataclass(frozen=True)
class _OrKind:
    """Marks a field that holds a host and also takes the name of a kind of server."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_of_kind, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = handler(schema)
        described["anyOf"].insert(0, {"type": "string", "enum": list(known_hosts().kinds)})
        return described


if TYPE_CHECKING:
    HostOrNone = Given[Host | None, Host | str | None]
else:
    HostOrNone = Annotated[Host | None, _OrKind()]
