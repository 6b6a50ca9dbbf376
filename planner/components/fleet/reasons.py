"""Reasons why nodes of a fleet sleep, wake or idle in a step.

Codes of the decision `sleep`:

    wakes          nodes leave a level of sleep, for a model or a job
    goes_to_sleep  nodes are put to sleep; where others wake in the same step, more of them
    held           nodes idle though sleep would pay: another rule keeps them awake
    idles          nodes idle, besides those that wake and spare_nodes: sleep would not pay
    sleeps         nodes sleep, and none of them wakes or joins them
    all_awake      no node sleeps, and none idles that could

A node that sleeps saves (idle_kw - node_kw) times PUE and the price of its energy in every step,
CNY, where idle_kw is that of the model it was awake for, less what it draws while it drains. The
price is the dual of `power`, or where the fleet draws nothing that of the cheapest source. `waking`
is the cost of waking and what the minutes cost in which the node idles: the duals of `waking` and
`spare`. Of nodes that go to sleep, sleep on or wake in a step, the sleep shown is the shortest:
that of the last ones to go to sleep, which wake first. Nodes that idle are compared with sleep for
as long as some idle, in the level in which it would save most.

That waking costs no more than the sleep saves, and no less than sleep would save where nodes idle,
follows from the LP: keeping one of these nodes awake, or putting it to sleep, is a change which the
plan allows and which earns nothing. Fleets in which sleep saves nothing have no reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from planner.components.component import Site, Values, summed
from planner.components.fleet.fleet import Fleet
from planner.components.fleet.sleep_levels import SleepLevel, shares_of
from planner.components.reasons import (
    ALSO,
    FLOW,
    PriceComparison,
    PricePair,
    Reason,
    StepPrices,
    first_that_holds,
    has_price,
    token_money,
)
from planner.components.reserve import reserves_for
from planner.components.time import Time
from planner.message import Message, MessageList, template
from planner.timeseries.horizon import Horizon, Window
from planner.timeseries.series import Array

SLEEP = PricePair(
    template("sleep of {hours} h saves {first} {than} {second} of waking"),
    template("sleep of {hours} h saves {first}, as much as waking costs: both earn the same"),
)
IDLING = PricePair(
    template("sleep of {hours} h would save {first} {than} {second} of waking"),
    template("sleep of {hours} h would save {first}, as much as waking costs: both earn the same"),
)
NODES = 1e-3  # fewer are none


class NodeSleep(NamedTuple):
    """The sleep of a node from a step to before another one, against being awake for a model.

    saved, waking: CNY of a node. known: whether it begins in the horizon with a node that goes to
    sleep, and ends with one that wakes for the same model, or with the horizon. wakes: whether a
    node wakes at its end.
    """

    first: int
    end: int
    model: str
    saved: float
    waking: float
    known: bool
    wakes: bool

    @property
    def net(self) -> float:
        """What it earns, CNY."""
        return self.saved - self.waking


def reasons(fleet: Fleet, values: Values, prices: StepPrices, horizon: Horizon) -> Iterator[Reason]:
    """Yield the reason of every step, of a fleet in which sleep saves something."""
    idle_kw = max(serving.points[0].node_kw for serving in fleet.serves.values())
    if any(level.node_kw < idle_kw for level in fleet.sleeps.levels):
        yield from _SleepingNodes(fleet, values, prices, horizon).reasons()


class _SleepingNodes:
    """The nodes of a fleet by step, those asleep by level too, and what sleep saves."""

    def __init__(self, fleet: Fleet, values: Values, prices: StepPrices, horizon: Horizon) -> None:
        self.fleet, self.values, self.prices, self.horizon = fleet, values, prices, horizon
        self.levels, self.steps = fleet.sleeps.levels, horizon.steps
        self.idle_kw = {m: serving.points[0].node_kw for m, serving in fleet.serves.items()}
        time = Time(horizon, Window(1, horizon.steps))
        sleeping = fleet.sleeping(Site(prices.name, horizon, prices.components, time=time))
        self.asleep = np.array([self.column("asleep", level) for level in self.levels])
        rise = np.diff(self.asleep, prepend=np.array(sleeping.asleep_before)[:, None])
        change = sleeping.change
        if fleet.sleeps.apart:
            outages = np.array([self.column("outage_nodes", level) for level in self.levels])
            brought = np.sign(change) * outages
        else:  # an outage takes nodes awake before others
            brought = np.where(change < 0, np.clip(rise, change, 0.0), change)
        self.woken, self.slept = np.maximum(brought - rise, 0.0), np.maximum(rise - brought, 0.0)
        self.pauses = [_pauses(asleep) for asleep in self.asleep]
        self.kw_cny = self._price() * fleet.pue_by_step() / 1000 * horizon.step_h
        self.delay = {
            m: np.abs(np.nan_to_num([prices.row("waking", m), prices.row("spare")])).sum(axis=0)
            for m in fleet.serves
        }  # what it costs that a node of a model idles in a step, CNY
        self.left = {m: self._left(m) for m in fleet.serves}
        self.idle = self._idle()
        self.ramping = has_price(prices, "ramp_up", lasting=True)
        self.ramping |= has_price(prices, "ramp_down", lasting=True)

    def column(self, quantity: str, level: SleepLevel, *index: str) -> Array:
        """Return a column of a level by step."""
        key = self.fleet.sleeps.key(level, *index)
        return self.values[f"{quantity}[{'|'.join(key)}]" if key else quantity]

    def _price(self) -> Array:
        """Return the price of the energy it draws, CNY/MWh."""
        prices, node = self.prices, self.fleet.node
        cheapest = np.fmin.reduce([prices.supply[node, origin] for origin in prices.origins])
        drawn, draws = -prices.row("power") / self.horizon.step_h, summed("draw_mw", self.values)
        return np.where((draws > FLOW) | ~np.isfinite(cheapest), drawn, cheapest)

    def _left(self, m: str) -> Array:
        """Return the nodes by step that are awake for a model no more."""
        before = self.fleet.initial.awake.get(m, 0.0)
        woken = sum(self.column("woken", level, m) for level in self.levels)
        return np.asarray(woken - np.diff(self.values[f"awake[{m}]"], prepend=before))

    def _idle(self) -> dict[str, Array]:
        """Return the nodes by model and step that idle, and neither wake nor are spare."""
        idle = {m: self.values[f"nodes[{m}|{serving.points[0].key}]"].copy()
                for m, serving in self.fleet.serves.items()}  # fmt: skip
        for level in self.levels:
            shares = shares_of(level.wake_min, self.horizon)
            for m in idle:
                key = "|".join(self.fleet.sleeps.key(level, m))
                before = [*self.fleet.initial.woken.get(key, ()), *[0.0] * len(shares)]
                past = before[: len(shares)][::-1]
                woken = np.concatenate([past, self.column("woken", level, m)])
                for i, share in enumerate(shares):
                    idle[m] -= share * woken[len(past) - i : len(woken) - i]
        rested = sum(idle.values()) - self.fleet.spare_nodes
        return {m: np.minimum(nodes, rested) for m, nodes in idle.items()}

    def reasons(self) -> Iterator[Reason]:
        """Yield the reason of every step."""
        woken, slept = self.woken.sum(axis=0), self.slept.sum(axis=0)
        idles = np.max(list(self.idle.values()), axis=0) > NODES
        idling = {t: self._would_sleep(t) for t in np.flatnonzero(idles).tolist()}
        pays = np.zeros(self.steps, dtype=bool)
        for t, (_, sleep) in idling.items():
            pays[t] = self._comparison(IDLING, sleep).signs[0] == ">"

        def text(t: int) -> Message:
            moves = woken[t] > NODES or slept[t] > NODES
            parts, unexplained = [], list[NodeSleep]()
            if not moves and t in idling:
                i, sleep = idling[t]
                nodes = token_money(max(nodes[t] for nodes in self.idle.values()))
                parts = [Message("{n} nodes idle", n=nodes)]
                parts += self._of_level(i, [self._comparison(IDLING, sleep).message(0)])
                unexplained += [sleep] if pays[t] else []
            for i in range(len(self.levels)):
                own, against = self._asleep(i, t, moves=moves)
                parts += self._of_level(i, own)
                unexplained += against
            return MessageList("; ", [*parts, *self._rules(t, unexplained)])

        yield from first_that_holds(
            "sleep",
            [
                ((woken > NODES) & (woken >= slept), "wakes", text),
                (slept > NODES, "goes_to_sleep", text),
                (pays, "held", text),
                (idles, "idles", text),
                (self.asleep.max(axis=0) > NODES, "sleeps", text),
                (True, "all_awake", Message("none is left to sleep: all work, wake or are spare")),
            ],
        )

    def _of_level(self, i: int, parts: list[Message]) -> list[Message]:
        """Return the parts of a message with the name of a level before them, if it has one."""
        if not (parts and self.fleet.sleep):
            return parts
        named = Message("{path}: {sentence}", path=self.levels[i].name, sentence=parts[0])
        return [named, *parts[1:]]

    def _asleep(self, i: int, t: int, *, moves: bool) -> tuple[list[Message], list[NodeSleep]]:
        """Return what a level does in a step, and the sleep that its figures speak against.

        moves: whether nodes wake or go to sleep in the step, in any level.
        """
        if self.woken[i, t] > NODES:
            figures = {"n": token_money(self.woken[i, t]), "left": token_money(self.asleep[i, t])}
            parts = [
                Message("{n} nodes wake, {left} sleep on", **figures)
                if self.asleep[i, t] > NODES
                else Message("{n} nodes wake", n=figures["n"])
            ]
            if t == 0 or not (sleep := self._pause(i, t - 1)).known:
                return [*parts, *self._waking_cost(i, t)], []
        else:
            goes = self.slept[i, t] > NODES
            if self.asleep[i, t] <= NODES or (moves and not goes):
                return [], []
            sleep = self._pause(i, t)
            rate = (self.idle_kw[sleep.model] - self.levels[i].node_kw) * self.kw_cny[t]
            figures = {"n": token_money((self.slept if goes else self.asleep)[i, t]),
                       "rate": token_money(rate / self.horizon.step_h)}  # fmt: skip
            parts = [
                Message("{n} nodes go to sleep, which saves {rate} a node and hour", **figures)
                if goes
                else Message("{n} nodes sleep, which saves {rate} a node and hour", **figures)
            ]
            hours = f"{(sleep.end - t) * self.horizon.step_h:g}"
            if sleep.wakes and not (goes and sleep.known):
                parts.append(Message("the next wake in {hours} h", hours=hours))
            elif sleep.end == self.steps:
                parts.append(Message("none of them wakes before the end"))
        if not sleep.known:
            return parts, []
        comparison = self._comparison(SLEEP, sleep)
        parts.append(comparison.message(0))
        less, other = self._other_level(i, sleep)
        return [*parts, *other], [sleep] if less < 0 or comparison.signs[0] == "<" else []

    def _pause(self, i: int, t: int) -> NodeSleep:
        """Return the shortest sleep of the nodes that sleep in a level in a step."""
        first, end = (int(step[t]) for step in self.pauses[i])
        wakes = end < self.steps and self.woken[i, end] > NODES
        shared = {m: left[first] for m, left in self.left.items()}
        if wakes:
            woken = {m: self.column("woken", self.levels[i], m)[end] for m in shared}
            shared = {m: min(nodes, woken[m]) for m, nodes in shared.items()}
        model = max(shared, key=lambda m: shared[m])
        known = self.slept[i, first] > NODES and shared[model] > NODES
        known &= wakes or end == self.steps
        return self._sleep(i, first, end, model, known=known, wakes=wakes)

    def _sleep(
        self, i: int, first: int, end: int, model: str, *, wakes: bool, drains: bool = True,
        known: bool = True,
    ) -> NodeSleep:  # fmt: skip
        """Return the sleep of a node in a level, from a step to before another one."""
        level = self.levels[i]
        saved = (self.idle_kw[model] - level.node_kw) * self.kw_cny[first:end].sum()
        if drains:
            shares = shares_of(level.drain_min, self.horizon)
            kw_cny = self.kw_cny[first : first + len(shares)]
            more_kw = max(max(self.idle_kw.values()) - level.node_kw, 0.0)
            saved -= more_kw * float(kw_cny @ shares[: len(kw_cny)])
        waking = self._waking(i, end, model) if wakes else 0.0
        return NodeSleep(first, end, model, float(saved), waking, known, wakes)

    def _waking(self, i: int, t: int, model: str) -> float:
        """Return what it costs to wake a node from a level in a step, CNY."""
        shares = shares_of(self.levels[i].wake_min, self.horizon)
        delay = self.delay[model][t : t + len(shares)]
        return self.levels[i].wake_cost_cny + float(delay @ shares[: len(delay)])

    def _waking_cost(self, i: int, t: int) -> list[Message]:
        """Return what it costs to wake for the model for which most nodes wake, as a text."""
        woken = {m: self.column("woken", self.levels[i], m)[t] for m in self.fleet.serves}
        name = max(woken, key=lambda m: woken[m])
        cost = token_money(self._waking(i, t, name))
        text = Message("waking for {name} costs {cost} a node", name=name, cost=cost)
        return [text] if woken[name] > NODES else []

    def _other_level(self, i: int, sleep: NodeSleep) -> tuple[float, list[Message]]:
        """Return how much less a sleep would earn in the best other level, and that as a text."""
        span = sleep.first, sleep.end, sleep.model
        sleeps = [self._sleep(j, *span, wakes=sleep.wakes) for j in range(len(self.levels))]
        nets = {level.name: one.net for level, one in zip(self.levels, sleeps, strict=True)}
        del nets[self.levels[i].name]
        if not nets:
            return 0.0, []
        name = max(nets, key=lambda name: nets[name])
        amount = token_money(abs(sleep.net - nets[name]))
        less = float(amount) * np.sign(sleep.net - nets[name])
        if less == 0:
            return 0.0, [Message("in {name} it would earn the same", name=name)]
        text = template("in {name} it would earn {amount} less")
        if less < 0:
            text = template("in {name} it would earn {amount} more")
        return less, [Message(text, name=name, amount=amount)]

    def _would_sleep(self, t: int) -> tuple[int, NodeSleep]:
        """Return the level, and the sleep, that would earn most for the nodes that idle."""
        model = max(self.idle, key=lambda m: float(self.idle[m][t]))
        stops = np.flatnonzero(self.idle[model] <= NODES)
        place = int(np.searchsorted(stops, t))
        first = int(stops[place - 1]) + 1 if place else 0
        end = int(stops[place]) if place < len(stops) else self.steps
        later = list[int]()  # levels in which the nodes sleep afterwards, and could sleep sooner
        if end < self.steps and self.left[model][end] > NODES:
            later = np.flatnonzero(self.slept[:, end] > NODES).tolist()
        wakes = end < self.steps and not later
        sleeps = [
            (i, self._sleep(i, first, end, model, wakes=wakes, drains=not later))
            for i in later or range(len(self.levels))
        ]
        return max(sleeps, key=lambda one: one[1].net)

    def _comparison(self, pair: PricePair, sleep: NodeSleep) -> PriceComparison:
        """Compare what a sleep saves with what waking costs."""
        saved, waking = np.array([sleep.saved]), np.array([sleep.waking])
        hours = [f"{(sleep.end - sleep.first) * self.horizon.step_h:g}"]
        return PriceComparison(pair, saved, waking, token_money, hours=hours)

    def _rules(self, t: int, unexplained: list[NodeSleep]) -> list[Message]:
        """Return the other rules that act in a step; more where prices speak against a sleep."""
        spans = [(t, t), *((sleep.first, sleep.end) for sleep in unexplained)]
        rules = {
            "ramp_nodes_per_h": any(self.ramping[first : end + 1].any() for first, end in spans),
            "reserve": bool(unexplained and reserves_for(self.prices)),
            "whole_nodes": bool(unexplained and self.fleet.whole_nodes),
        }
        names = [name for name, acts in rules.items() if acts]
        return [Message(ALSO, words=", ".join(names))] if names else []


def _pauses(asleep: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return by step the first step of the shortest sleep in it, and the first one after it.

    It lasts while no fewer nodes sleep than in the step.
    """
    steps, least = len(asleep), asleep - NODES
    first, end = np.zeros(steps, dtype=int), np.full(steps, steps)
    for t in range(steps):
        first[t] = t
        while first[t] > 0 and asleep[first[t] - 1] >= least[t]:
            first[t] = first[first[t] - 1]
    for t in reversed(range(steps)):
        end[t] = t + 1
        while end[t] < steps and asleep[end[t]] >= least[t]:
            end[t] = end[end[t]]
    return first, end
