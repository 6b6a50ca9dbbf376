"""A line that carries power between two nodes and loses part of it.

Variables: forward_mw[o,t] sent at `from_node`, backward_mw[o,t] sent at `to_node` (with
`both_ways`), forward[t]: which way the line works (binary only where needed).

    forward_limit     sum_o forward_mw[o,t] <= capacity_mw forward[t]
    backward_limit    sum_o backward_mw[o,t] <= capacity_mw (1 - forward[t])

What is sent leaves its node whole and (1 - loss_share) of it arrives, origin by origin. The two
ways exclude each other over the sum of origins: else green energy could go one way and other energy
the other at no net flow, and the colours change places for nothing. A line of one way has no
`forward[t]`; forward_limit holds with 1 in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from planner.components.component import Complaint, Component, Site, Supply, Values, summed
from planner.components.late import pyo
from planner.components.terms import Balance, Exclusive, Expression, State, Terms, Tidy, Use, sum_of
from planner.errors import did_you_mean
from planner.fields import AtLeastZero, Fraction, Name
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array


class PowerLine(Component):
    """A power line between two nodes."""

    kind: Literal["line"]
    rules: ClassVar[Mapping[str, str]] = {
        "forward_limit": "carries at most capacity_mw {capacity_mw} MW, one way at a time",
        "backward_limit": "carries at most capacity_mw {capacity_mw} MW, one way at a time",
    }
    uses: ClassVar[Mapping[str, Use]] = {"loss": Use(order=5)}
    states: ClassVar[tuple[State, ...]] = (
        State("forward", "forward", "backward", ("forward_mw",), ("backward_mw",), order=4),
    )
    facts: ClassVar[frozenset[str]] = frozenset({"loss_share"})
    from_node: Name
    """Node at which what goes forward is sent."""
    to_node: Name
    """Node at which it arrives."""
    capacity_mw: AtLeastZero
    """Most power sent, at the sending end, whichever way."""
    loss_share: Fraction = 0.0
    """Part of the power sent that does not arrive."""
    both_ways: bool = True
    """Whether energy may also go from `to_node` to `from_node`."""

    @model_validator(mode="after")
    def _consistent(self) -> PowerLine:
        if self.from_node == self.to_node:
            raise ValueError(f"to_node must differ from from_node, is {self.to_node!r} too")
        return self

    @property
    def _sends(self) -> tuple[str, ...]:
        """The nodes it can take energy from."""
        return (self.from_node, self.to_node) if self.both_ways else (self.from_node,)

    @property
    def _arrives(self) -> tuple[str, ...]:
        """The nodes it can bring energy to."""
        return (self.to_node, self.from_node) if self.both_ways else (self.to_node,)

    def supplies(self) -> dict[Supply, float]:
        return {("power", node): self._arriving_mw for node in self._arrives}

    def max_supply_mw(self, horizon: Horizon) -> dict[str, Array]:
        return {node: np.full(horizon.steps, self._arriving_mw) for node in self._arrives}

    def absorbs(self) -> set[str]:
        return set(self._sends)

    @property
    def _arriving_mw(self) -> float:
        return (1 - self.loss_share) * self.capacity_mw

    def check(self, site: Site) -> Iterator[Complaint]:
        known = sorted({n for c in site.components.values() if c is not self for n in _nodes(c)})
        ends = {"from_node": self.from_node, "to_node": self.to_node}
        strange = {field: n for field, n in ends.items() if n not in {*known, *site.mentioned}}
        for field, node in strange.items():
            others = f" (there is {', '.join(map(repr, known))})" if known else ""
            hint = did_you_mean(node, known)
            yield (field,), f"nothing else stands at node {node!r}{hint or others}"
        sources = _connected(site, self._sends, upstream=True)
        if not strange and not sources & _own(site, _fed) and not sources & site.mentioned:
            yield (
                ("from_node",),
                f"nothing feeds node {self.from_node!r}, the line can carry nothing",
            )

    def warn(self, site: Site) -> Iterator[str]:
        if not _connected(site, self._arrives, upstream=False) & _own(site, lambda c: c.absorbs()):
            yield "nothing it leads to can use or sell energy"
        ends = {self.from_node, self.to_node}
        for name, other in site.components.items():
            twin = isinstance(other, PowerLine) and {other.from_node, other.to_node} == ends
            if twin and site.trace and site.name < name:
                yield (
                    f"{name} joins the same nodes: energy of one origin may go there on one of them"
                    " and of another come back on the other; write them as one line"
                )

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, origins = site.clock, site.origins
        arriving = 1 - self.loss_share
        b.forward_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        if self.both_ways:
            b.backward_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
            b.forward = pyo.Var(time.steps, bounds=(0, 1))

        forward = sum_of(b.forward_mw, origins)

        def backward(t: int) -> Expression:
            return sum(back(o, t) for o in origins)

        def back(o: str, t: int) -> Expression:
            return b.backward_mw[o, t] if self.both_ways else 0.0

        def at_from(o: str, t: int) -> Expression:
            return arriving * back(o, t) - b.forward_mw[o, t]

        def at_to(o: str, t: int) -> Expression:
            return arriving * b.forward_mw[o, t] - back(o, t)

        def lost(o: str, t: int) -> Expression:
            return self.loss_share * (b.forward_mw[o, t] + back(o, t))

        def most(t: int) -> Any:
            return self.capacity_mw * (b.forward[t] if self.both_ways else 1.0)

        b.forward_limit = pyo.Constraint(time.steps, rule=lambda _, t: forward(t) <= most(t))
        if self.both_ways:
            b.backward_limit = pyo.Constraint(
                time.steps,
                rule=lambda b, t: backward(t) <= self.capacity_mw * (1 - b.forward[t]),
            )
        return Terms(
            flows={Balance("power", self.from_node, o): partial(at_from, o) for o in origins}
            | {Balance("power", self.to_node, o): partial(at_to, o) for o in origins},
            uses={("loss", o): partial(lost, o) for o in origins},
            exclusive=[Exclusive(b.forward, forward, backward)] if self.both_ways else [],
            tidy={Tidy.STORAGE_THROUGHPUT: sum(forward(t) + backward(t) for t in time.steps)},
        )

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        sent = {
            way: float(summed(f"{way}_mw", values).sum() * horizon.step_h)
            for way in ("forward", "backward")
        }
        most = self.capacity_mw * horizon.hours
        return {
            "forward_mwh": sent["forward"],
            "backward_mwh": sent["backward"],
            "loss_mwh": self.loss_share * sum(sent.values()),
            "utilisation_share": sum(sent.values()) / most if most else 0.0,
        }


def _nodes(component: Component) -> set[str]:
    """Return the nodes a component stands at."""
    if isinstance(component, PowerLine):
        return {component.from_node, component.to_node}
    return _fed(component) | component.absorbs()


def _fed(component: Component) -> set[str]:
    return {name for what, name in component.supplies() if what == "power"}


def _own(site: Site, nodes_of: Callable[[Component], set[str]]) -> set[str]:
    """Return nodes by what stands there itself, lines aside."""
    others = (c for c in site.components.values() if not isinstance(c, PowerLine))
    return {node for component in others for node in nodes_of(component)}


def _connected(site: Site, nodes: tuple[str, ...], *, upstream: bool) -> set[str]:
    """Return the nodes whose energy can come to some nodes through lines, or go from there."""
    found, more = set(nodes), set(nodes)
    while more:
        near = set()
        for line in (c for c in site.components.values() if isinstance(c, PowerLine)):
            ways = [(line.from_node, line.to_node)]
            ways += [(line.to_node, line.from_node)] if line.both_ways else []
            near |= {a if upstream else b for a, b in ways if (b if upstream else a) in more}
        more = near - found
        found |= more
    return found
