"""A job on the nodes of a fleet: it runs in one piece once started, and ends within the horizon.

Variables: start[t] (binary, 1 in the first step of the run), started[t] on points with its past,
running[t].  D is duration_h in steps, rounded up.

    starts       started[t] = started[t-1] + start[t]
    runs         running[t] = started[t] - started[t-D]          it started in the last D steps
    run_on       the same row of a job that was started before
    mandatory    started[t] >= 1 at the last step in which it may start      with `mandatory`

started[t] <= 1: one start at most. It may start where the whole run lies between release_h (rounded
up to steps) and deadline_h (rounded down), hours from the start of the horizon, and within the
horizon. A job with hours_run of its duration_h behind it was started in the fixed past: it runs on
for what is left, rounded up to steps, or is done. Where that is D steps still, it began a step
before them, and D + 1 stands for D in run_on.

While it runs it holds `nodes` of its fleet and draws nodes x node_kw behind the fleet's meter; the
fleet pays the PUE and chooses the energy. value_cny is earned evenly over the D steps, in each step
of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from planner.components.component import Complaint, Component, Site, Supply, Values
from planner.components.late import pyo
from planner.components.terms import Balance, Line, State, Terms
from planner.errors import did_you_mean
from planner.fields import AtLeastZero, Frozen, Hours, Positive
from planner.timeseries.horizon import Horizon, Window

JOBS: Supply = ("jobs", "nodes")  # what a fleet that jobs can run on supplies: nodes


class JobInitial(Frozen):
    """The job when the horizon begins."""

    hours_run: Hours = 0.0
    """Hours of its run behind it; 0: not started; duration_h or more: done."""


class Job(Component):
    """Work that holds nodes of a fleet for some hours in one piece."""

    kind: Literal["job"]
    rules: ClassVar[Mapping[str, str]] = {
        "mandatory": "must run once for duration_h {duration_h} h, mandatory {mandatory}",
        "start": (
            "may not start: the run of {duration_h} h lies between release_h {release_h} and"
            " deadline_h {deadline_h}, and within the horizon"
        ),
        "run_on": "runs on, hours_run {initial.hours_run} of duration_h {duration_h} are behind it",
    }
    earns: ClassVar[Mapping[str, str]] = {"job": "compute"}
    states: ClassVar[tuple[State, ...]] = (State("running", "running", whole=True, order=5),)
    facts: ClassVar[frozenset[str]] = frozenset({"initial", "node_kw", "duration_h"})
    fleet: str
    """Fleet whose nodes it runs on."""
    nodes: Positive
    """Nodes it holds while it runs."""
    node_kw: AtLeastZero
    """Power of each of them while it runs, before PUE."""
    duration_h: Annotated[float, Field(gt=0, le=26352)]
    """Length of the run."""
    release_h: Hours = 0.0
    """Earliest start, from the start of the horizon."""
    deadline_h: Hours
    """Latest end, from the start of the horizon."""
    value_cny: AtLeastZero
    """What the whole run earns."""
    mandatory: bool = False
    """Whether it must run, even at a loss."""
    initial: JobInitial = JobInitial()
    """State when the horizon begins."""

    @property
    def _begun(self) -> bool:
        return self.initial.hours_run > 0

    def _left(self, horizon: Horizon) -> int:
        """The steps of its run that are still to come, 0 where it is done."""
        return max(0, horizon.steps_up(self.duration_h - self.initial.hours_run))

    def _starts(self, horizon: Horizon) -> range:
        """The steps in which it may start; none where it has."""
        if self._begun:
            return range(0)
        last = min(horizon.steps_down(self.deadline_h), horizon.steps)
        return range(
            horizon.steps_up(self.release_h) + 1, last - horizon.steps_up(self.duration_h) + 2
        )

    def check(self, site: Site) -> Iterator[Complaint]:
        yield from self._check_fleet(site)
        horizon = site.horizon
        step_h, end = horizon.step_h, horizon.steps_down(self.deadline_h)
        if not self._begun:
            run = horizon.steps_up(self.release_h) + horizon.steps_up(self.duration_h)
            if run > end:
                yield (
                    ("deadline_h",),
                    f"leaves no room: from release_h {self.release_h:g} on the run of"
                    f" {self.duration_h:g} h, in whole steps of {horizon.step_min} min, ends at"
                    f" {run * step_h:g} h, is {self.deadline_h:g}",
                )
        elif (left := self._left(horizon)) > min(end, horizon.steps):
            last = min(self.deadline_h, horizon.hours)
            yield (
                ("initial", "hours_run"),
                f"leaves {left * step_h:g} h of the run, and deadline_h and horizon leave {last:g}",
            )

    def _check_fleet(self, site: Site) -> Iterator[Complaint]:
        supplied = {name: part.supplies() for name, part in site.components.items()}
        fleets = {name: by_key[JOBS] for name, by_key in supplied.items() if JOBS in by_key}
        if self.fleet not in site.components:
            if self.fleet not in site.mentioned:
                others = f" (there is {', '.join(map(repr, fleets))})" if fleets else ""
                hint = did_you_mean(self.fleet, fleets) or others
                yield ("fleet",), f"there is no fleet {self.fleet!r}{hint}"
        elif self.fleet not in fleets:
            hint = did_you_mean(self.fleet, fleets)
            kind = site.components[self.fleet].kind
            yield ("fleet",), f"{self.fleet!r} is a {kind}, not a fleet{hint}"
        elif self.nodes > fleets[self.fleet] + 1e-9:
            yield (
                ("nodes",),
                f"may not exceed the nodes of {self.fleet}, {fleets[self.fleet]:g}, is"
                f" {self.nodes:g}",
            )

    def impossible(self, site: Site) -> Iterator[str]:
        if self.mandatory and not self._begun and not self._starts(site.horizon):
            yield f"must run (mandatory true), and {self._late(site.horizon)}"

    def warn(self, site: Site) -> Iterator[str]:
        horizon = site.horizon
        if self._begun or self.deadline_h <= horizon.hours:
            return
        if self._starts(horizon):
            yield (
                f"deadline_h {self.deadline_h:g} lies beyond the horizon of {horizon.hours:g} h;"
                " the run must end within it"
            )
        else:
            yield f"can never run: {self._late(horizon)}"

    def _late(self, horizon: Horizon) -> str:
        return (
            f"a run of duration_h {self.duration_h:g} h from release_h {self.release_h:g} on does"
            f" not end within the horizon of {horizon.hours:g} h"
        )

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, horizon = site.clock, site.horizon
        duration, allowed = horizon.steps_up(self.duration_h), self._starts(horizon)
        left = self._left(horizon)
        span = max(duration, left + 1) if self._begun else duration  # less than a step ran: one
        behind = span - left if self._begun else 0  # steps run before the window

        b.start = pyo.Var(
            time.steps, domain=pyo.Binary, bounds=lambda _, t: (0, 1 if t in allowed else 0)
        )
        b.started = pyo.Var(time.back(span), bounds=(0, 1))
        b.running = pyo.Var(time.steps, bounds=(0, 1))
        for p in range(time.first - span, time.first):
            b.started[p].fix(1.0 if p >= time.first - behind else 0.0)
        b.starts = pyo.Constraint(
            time.steps, rule=lambda b, t: b.started[t] == b.started[t - 1] + b.start[t]
        )
        runs = pyo.Constraint(
            time.steps, rule=lambda b, t: b.running[t] == b.started[t] - b.started[t - span]
        )
        b.add_component("run_on" if self._begun else "runs", runs)
        last = max(allowed.stop - 1, time.first)
        if self.mandatory and last <= time.last:  # else a later window will see to it
            b.mandatory = pyo.Constraint(expr=b.started[last] >= 1)
        value = self.value_cny / duration

        def drawn(kind: str, amount: float) -> dict[Balance, Any]:
            return {Balance(kind, self.fleet): lambda t: -amount * b.running[t]}

        return Terms(
            flows=drawn("nodes", self.nodes) | drawn("it_kw", self.nodes * self.node_kw),
            costs={Line("job", use="compute"): {t: -value * b.running[t] for t in time.steps}},
        )

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        run_h = float(values["running"].sum() * horizon.step_h)
        done = self.initial.hours_run + run_h >= self.duration_h - 1e-6
        figures = {"started": float(values["started"][-1]), "run_h": run_h, "finished": float(done)}
        begins = np.flatnonzero(values["start"] > 0.5)
        return figures | ({"start_h": float(begins[0] * horizon.step_h)} if begins.size else {})

    def after(self, values: Values, kept: Window, horizon: Horizon) -> Self:
        run = int(np.round(values["running"].sum()))  # a solver's 0.9999999 is a step
        hours_run = self.initial.hours_run + run * horizon.step_h
        return self.model_copy(update={"initial": JobInitial(hours_run=hours_run)})
