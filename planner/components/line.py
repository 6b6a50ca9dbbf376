"""A power line between two nodes, with proportional losses.

Variables: forward_mw[o,t] sent at `from_node`, backward_mw[o,t] sent at `to_node` (with
`both_ways`), forward[t]: the direction of the flow (binary only where needed).

    forward_limit     sum_o forward_mw[o,t] <= capacity_mw forward[t]
    backward_limit    sum_o backward_mw[o,t] <= capacity_mw (1 - forward[t])

Of the power sent, (1 - loss_share) arrives, by origin. The two directions exclude each other over
the sum of origins: otherwise green energy could flow one way and other energy the other at no net
flow, and origins would be swapped for free. A one-way line has no `forward[t]`; forward_limit holds
with 1 in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import ClassVar, Literal

import numpy as np
from pydantic import model_validator

from planner.components.component import Complaint, Component, Site, Supply, Values, summed
from planner.components.terms import (
    Balance,
    Exclusive,
    Expression,
    Link,
    Meter,
    State,
    Terms,
    Use,
    of,
    sum_of,
)
from planner.errors import did_you_mean
from planner.fields import AtLeastZero, FieldError, Fraction, Name
from planner.message import Message, template
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

BOTH = template("carries {first} MW forward and {second} MW backward at once")


class PowerLine(Component):
    """A power line between two nodes."""

    kind: Literal["line"] = "line"
    also_called: ClassVar[str] = "cable transmission interconnector 线路"
    rules: ClassVar[Mapping[str, str]] = {
        "forward_limit": "carries at most capacity_mw {capacity_mw} MW, one way at a time",
        "backward_limit": "carries at most capacity_mw {capacity_mw} MW, one way at a time",
    }
    less_is_better: ClassVar[tuple[str, ...]] = ("loss_mwh",)
    priced: ClassVar[Mapping[str, tuple[str, ...]]] = {"capacity_mw": ("capacity_mw",)}
    uses: ClassVar[Mapping[str, Use]] = {"loss": Use(order=5, lost=True)}
    states: ClassVar[tuple[State, ...]] = (
        State("forward", "forward", "backward", ("forward_mw",), ("backward_mw",), order=4),
    )
    facts: ClassVar[frozenset[str]] = frozenset({"loss_share"})
    from_node: Name
    """Node at the sending end."""
    to_node: Name
    """Node at the receiving end."""
    capacity_mw: AtLeastZero
    """Most power sent in either direction, at the sending end."""
    loss_share: Fraction = 0.0
    """Part of the power sent that is lost on the way."""
    both_ways: bool = True
    """Whether power may also flow from `to_node` to `from_node`."""

    @model_validator(mode="after")
    def _consistent(self) -> PowerLine:
        if self.from_node == self.to_node:
            message = Message("must differ from from_node, is {name!r} too", name=self.to_node)
            raise FieldError(message, "to_node")
        return self

    @property
    def _sends(self) -> tuple[str, ...]:
        """The nodes it can draw power from."""
        return (self.from_node, self.to_node) if self.both_ways else (self.from_node,)

    @property
    def _arrives(self) -> tuple[str, ...]:
        """The nodes it can supply."""
        return (self.to_node, self.from_node) if self.both_ways else (self.to_node,)

    def supplies(self) -> dict[Supply, float]:
        return {("power", node): self._arriving_mw for node in self._arrives}

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {node: np.full(horizon.steps, self._arriving_mw) for node in self._arrives}

    def links(self) -> tuple[Link, ...]:
        ways = zip(self._sends, self._arrives, strict=True)
        return tuple(Link(start, end, 1 - self.loss_share) for start, end in ways)

    def absorbs(self) -> set[str]:
        return set(self._sends)

    @property
    def _arriving_mw(self) -> float:
        return (1 - self.loss_share) * self.capacity_mw

    def check(self, site: Site) -> Iterator[Complaint]:
        others = (other for other in site.components.values() if other is not self)
        known = sorted({node for other in others for node in _supplied(other) | other.absorbs()})
        ends = {"from_node": self.from_node, "to_node": self.to_node}
        unknown = {field: n for field, n in ends.items() if n not in {*known, *site.mentioned}}
        for field, node in unknown.items():
            hint = did_you_mean(node, known)
            if known and not hint:
                hint = Message(" (there is {names})", names=", ".join(map(repr, known)))
            yield (
                (field,),
                Message("nothing else stands at node {name!r}{hint}", name=node, hint=hint),
            )
        sources = _occupied(site, _supplied) | site.mentioned
        if not unknown and not sources & _connected(site, self._sends, upstream=True):
            message = Message(
                "nothing feeds node {name!r}, the line can carry nothing", name=self.from_node
            )
            yield ("from_node",), message

    def warn(self, site: Site) -> Iterator[Message]:
        consumers = _occupied(site, lambda component: component.absorbs())
        if not _connected(site, self._arrives, upstream=False) & consumers:
            yield Message("nothing it leads to can use or sell energy")
        ends = {self.from_node, self.to_node}
        for name, other in site.components.items():
            parallel = isinstance(other, PowerLine) and {other.from_node, other.to_node} == ends
            if parallel and site.trace and site.name < name:
                yield Message(
                    "{name} joins the same nodes: energy of one origin may flow out on one line and"
                    " energy of another origin back on the other; write them as one line",
                    name=name,
                )

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, origins = site.clock, site.origins
        b.forward_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        sent = {self.from_node: {o: of(b.forward_mw, o) for o in origins}}
        forward, exclusive = sum_of(b.forward_mw, origins), []
        if self.both_ways:
            b.backward_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
            b.forward = pyo.Var(time.steps, bounds=(0, 1))
            sent[self.to_node] = {o: of(b.backward_mw, o) for o in origins}
            backward = sum_of(b.backward_mw, origins)
            exclusive = [Exclusive(b.forward, forward, backward, BOTH)]

        def leaving(node: str, o: str, t: int) -> Expression:
            return sent[node][o](t) if node in sent else 0.0

        def net(node: str, other: str, o: str, t: int) -> Expression:
            return (1 - self.loss_share) * leaving(other, o, t) - leaving(node, o, t)

        def lost(o: str, t: int) -> Expression:
            return self.loss_share * sum(by_origin[o](t) for by_origin in sent.values())

        b.forward_limit = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                forward(t) <= self.capacity_mw * (b.forward[t] if self.both_ways else 1.0)
            ),
        )
        if self.both_ways:
            b.backward_limit = pyo.Constraint(
                time.steps, rule=lambda b, t: backward(t) <= self.capacity_mw * (1 - b.forward[t])
            )
        ends = (self.from_node, self.to_node), (self.to_node, self.from_node)
        return Terms(
            flows={
                Balance("power", node, o): partial(net, node, other, o)
                for node, other in ends
                for o in origins
            },
            uses={("loss", o): partial(lost, o) for o in origins},
            meters={
                Meter("sent_mw", node, o): mw
                for node, by_origin in sent.items()
                for o, mw in by_origin.items()
            },
            exclusive=exclusive,
        )

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        forward, backward = (
            float(summed(quantity, values).sum() * horizon.step_h)
            for quantity in ("forward_mw", "backward_mw")
        )
        most = self.capacity_mw * horizon.hours
        return {
            "forward_mwh": forward,
            "backward_mwh": backward,
            "loss_mwh": self.loss_share * (forward + backward),
            "utilisation_share": (forward + backward) / most if most else 0.0,
        }


def _supplied(component: Component) -> set[str]:
    return {name for what, name in component.supplies() if what == "power"}


def _occupied(site: Site, nodes_of: Callable[[Component], set[str]]) -> set[str]:
    """Return the nodes of all components other than lines."""
    others = (c for c in site.components.values() if not isinstance(c, PowerLine))
    return {node for component in others for node in nodes_of(component)}


def _connected(site: Site, nodes: tuple[str, ...], *, upstream: bool) -> set[str]:
    """Return the nodes with a path over lines to some nodes (upstream), or from them."""
    arcs = {
        arc
        for line in site.components.values()
        if isinstance(line, PowerLine)
        for arc in zip(line._sends, line._arrives, strict=True)
    }
    reached: set[str] = set()
    frontier = set(nodes)
    while frontier:
        reached |= frontier
        near = {a if upstream else b for a, b in arcs if (b if upstream else a) in frontier}
        frontier = near - reached
    return reached
