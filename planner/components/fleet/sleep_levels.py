"""Levels of sleep: ways in which a node sleeps, shallow first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from planner.fields import AtLeastZero, Frozen, Name, exceeds
from planner.message import Message
from planner.timeseries.horizon import Horizon

Minutes = Annotated[float, Field(ge=0, le=1440)]


class SleepLevel(Frozen):
    """A way in which nodes sleep."""

    name: Name
    """Its name, in columns and in `initial`."""
    node_kw: AtLeastZero
    """Power of a node that sleeps."""
    wake_min: Minutes = 0.0
    """Minutes a node needs to wake, at the power of the idle point."""
    wake_cost_cny: AtLeastZero = 0.0
    """Cost of waking a node."""
    drain_min: Minutes = 0.0
    """Minutes a node still draws the power of the idle point before it sleeps; it is not woken
    before."""

    def drains(self, horizon: Horizon) -> int:
        """Return the number of past steps from which nodes may still drain."""
        return max(len(shares_of(self.drain_min, horizon)) - 1, 0)


def shares_of(minutes: float, horizon: Horizon) -> list[float]:
    """Return the part of each step that a time takes which begins with the first of them."""
    steps = minutes / horizon.step_min
    return [min(1.0, steps - i) for i in range(int(np.ceil(steps - 1e-9)))]


class SleepLevels(NamedTuple):
    """The levels in which a fleet may sleep, and whether columns tell them apart.

    ramped: whether its nodes awake may change only slowly.
    """

    levels: Sequence[SleepLevel]
    apart: bool
    ramped: bool

    def key(self, level: SleepLevel, *index: str) -> tuple[str, ...]:
        """Return the index of a column of a level."""
        return (level.name, *index) if self.apart else index

    @property
    def names(self) -> list[str]:
        """The names of the levels."""
        return [level.name for level in self.levels]

    def reaches(
        self, models: Iterable[str], horizon: Horizon
    ) -> Iterator[tuple[SleepLevel, str, str, int]]:
        """Yield a level, a model, their index of `woken`, and the past steps that still matter."""
        for level in self.levels:
            reach = max(len(shares_of(level.wake_min, horizon)) - 1, 0)
            for model in models:
                yield level, model, "|".join(self.key(level, model)), reach

    @property
    def pause(self) -> SleepLevel | None:
        """The level into which nodes pause at once when reserve is called; None if none can."""
        at_once = [level for level in self.levels if not (level.drain_min or self.ramped)]
        return min(at_once, key=lambda level: level.node_kw, default=None)

    @property
    def pause_wake_min(self) -> float:
        """Minutes in which nodes that have paused wake."""
        return self.pause.wake_min if self.pause else 0.0

    def paused_kw(self, idle_kw: float) -> float:
        """Return the power of a paused node: asleep, or at the idle point of its model."""
        return self.pause.node_kw if self.pause else idle_kw

    @property
    def catching_up(self) -> list[SleepLevel]:
        """The levels from which nodes wake as fast as those that have paused."""
        if self.ramped:
            return []
        return [level for level in self.levels if level.wake_min <= self.pause_wake_min]

    def warn(self, model: str, *, initial: bool) -> Iterator[Message]:
        """Yield warnings of levels that no node would choose, and of a start nobody has chosen.

        model: one that nodes may hold. initial: whether it is given where nodes are at the start.
        """
        if len(self.levels) > 1 and not initial:
            names = [level.name for level in self.levels]
            yield Message(
                "initial does not say where nodes are: all are taken to sleep in {name!r}, and must"
                " wake before they sleep in another level; write it: initial: {{awake: {{{model}:"
                " NODES}}, asleep: {{{text}}}}}",
                name=names[0], model=model, text=", ".join(f"{name}: NODES" for name in names),
            )  # fmt: skip
        for upper, lower in pairwise(self.levels):
            if exceeds(lower.node_kw, upper.node_kw):
                yield Message(
                    "sleep level {name!r} draws {kw:g} kW, more than {other!r} before it, {less:g}"
                    " kW; shallow levels, which draw more, come first",
                    name=lower.name, kw=lower.node_kw, other=upper.name, less=upper.node_kw,
                )  # fmt: skip
