"""Servers: what one draws at the wall when its GPUs draw so much, by kind.

The model is additive: node_kw = idle_kw + gpu_wall_factor x power of its GPUs.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from planner import errors
from planner.errors import did_you_mean
from planner.fields import AtLeastZero, FieldError, Frozen
from planner.files.yaml_document import read_yaml
from planner.message import Message

GPUS_OF_A_NODE = 8


class Host(Frozen):
    """A server without its GPUs: node_kw = idle_kw + gpu_wall_factor x power of its GPUs."""

    idle_kw: AtLeastZero
    """Power of the server without its GPUs: processors, memory, network, fans."""
    gpu_wall_factor: Annotated[float, Field(ge=1, le=2)]
    """Power at the wall for each kW of its GPUs: losses of power supplies, and fans."""
    gpus: Annotated[int, Field(ge=1)] = GPUS_OF_A_NODE
    """GPUs of the server."""
    gpu_idle_kw: AtLeastZero | None = None
    """Power of each GPU that holds a model and answers nothing; where it is not given, that of the
    kind of server of a library curve."""

    def node_kw(self, gpu_kw: float) -> float:
        """Return the power at the wall where all its GPUs together draw `gpu_kw`."""
        return round(self.idle_kw + self.gpu_wall_factor * gpu_kw, 6)


@cache
def known_hosts() -> dict[str, Host]:
    """Return the servers that come with the planner, by kind."""
    kinds = read_yaml(Path(__file__).with_suffix(".yaml")).data
    return {kind: errors.read_outside(Host, fields) for kind, fields in kinds.items()}


def host_named(kind: str) -> Host:
    """Return a server of a kind. Raises FieldError where there is none."""
    hosts = known_hosts()
    if kind not in hosts:
        message = Message(
            "there is no kind of server {name!r}{hint}; kinds are {names}",
            name=kind, hint=did_you_mean(kind, hosts), names=", ".join(hosts),
        )  # fmt: skip
        raise FieldError(message)
    return hosts[kind]
