"""A job on the nodes of a fleet: it runs without interruption and ends within the horizon.

Variables: start[t] (binary, 1 in the first step of the run), started[t] on points with its past,
running[t].  D is duration_h in steps, rounded up.

    starts       started[t] = started[t-1] + start[t]
    runs         running[t] = started[t] - started[t-D]          started in the last D steps
    run_on       the same row of a job that started before the horizon
    mandatory    started[t] >= 1 at the last step in which it may start      with `mandatory`

started[t] <= 1: one start at most. It may start where the whole run lies between release_h (rounded
up to steps) and deadline_h (rounded down), hours from the start of the horizon, and within the
horizon; without room for that it never runs. A job with hours_run above 0 started in the fixed
past: it runs for the rest of duration_h, rounded up to steps, or is finished. Where the rest is D
steps, it started one step before the horizon, and run_on has D + 1 in place of D.

While it runs it holds `nodes` of its fleet and draws nodes x node_kw behind the fleet's meter; the
fleet pays the PUE and chooses the energy. value_cny is earned evenly over the D steps, in each step
of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from planner.components.component import Complaint, Component, Site, Supply, Values
from planner.components.terms import Balance, Line, Meter, State, Terms
from planner.errors import did_you_mean
from planner.fields import NOTHING, AtLeastZero, Frozen, Hours, Positive, exceeds
from planner.message import Message
from planner.modelling import pyo
from planner.timeseries.horizon import Horizon, Window

JOBS: Supply = ("jobs", "nodes")  # what a fleet that jobs can run on supplies: nodes


class JobInitial(Frozen):
    """The job when the horizon begins."""

    hours_run: Hours = 0.0
    """Hours that it has run; 0: not started; duration_h or more: finished."""


class Job(Component):
    """Work that holds nodes of a fleet for some hours in one piece."""

    kind: Literal["job"] = "job"
    also_called: ClassVar[str] = "training batch_job task"
    rules: ClassVar[Mapping[str, str]] = {
        "mandatory": "must run once for duration_h {duration_h} h, mandatory true",
        "start": (
            "may not start: the run of {duration_h} h lies between release_h {release_h} and"
            " deadline_h {deadline_h}, and within the horizon"
        ),
        "run_on": (
            "continues its run: hours_run {initial.hours_run} of duration_h {duration_h} h are done"
        ),
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
    """Revenue of the whole run."""
    mandatory: bool = False
    """Whether it must run, even at a loss."""
    initial: JobInitial = JobInitial()
    """State when the horizon begins."""

    def runs_on(self, horizon: Horizon) -> int:
        """Return the steps for which it runs on when the horizon begins."""
        return self._steps_left(horizon) if self._begun else 0

    @property
    def _begun(self) -> bool:
        return self.initial.hours_run > 0

    def _steps_left(self, horizon: Horizon) -> int:
        """Return the steps of its run still to come, 0 once it is finished."""
        return max(0, horizon.steps_up(self.duration_h - self.initial.hours_run))

    def _starts(self, horizon: Horizon) -> range:
        """Return the steps in which it may start; none once it has."""
        if self._begun:
            return range(0)
        last = min(horizon.steps_down(self.deadline_h), horizon.steps)
        return range(
            horizon.steps_up(self.release_h) + 1, last - horizon.steps_up(self.duration_h) + 2
        )

    def check(self, site: Site) -> Iterator[Complaint]:
        yield from self._check_fleet(site)
        horizon = site.horizon
        end, left = horizon.steps_down(self.deadline_h), self._steps_left(horizon)
        if self._begun and left > min(end, horizon.steps):
            message = Message(
                "leaves {left:g} h of the run, and deadline_h and horizon leave {hours:g}",
                left=left * horizon.step_h,
                hours=min(self.deadline_h, horizon.hours),
            )
            yield ("initial", "hours_run"), message

    def _check_fleet(self, site: Site) -> Iterator[Complaint]:
        supplies = {name: part.supplies() for name, part in site.components.items()}
        fleets = {name: by_key[JOBS] for name, by_key in supplies.items() if JOBS in by_key}
        name, hint = self.fleet, did_you_mean(self.fleet, fleets)
        if name in fleets:
            most = fleets[name]
            if exceeds(self.nodes, most):
                message = Message(
                    "may not exceed the nodes of {name}, {nodes:g}, is {value:g}",
                    name=name,
                    nodes=most,
                    value=self.nodes,
                )
                yield ("nodes",), message
        elif name in site.components:
            kind = site.components[name].kind
            message = Message(
                "{name!r} is a {kind}, not a fleet{hint}", name=name, kind=kind, hint=hint
            )
            yield ("fleet",), message
        elif name not in site.mentioned:
            if fleets and not hint:
                hint = Message(" (there is {names})", names=", ".join(map(repr, fleets)))
            yield ("fleet",), Message("there is no fleet {name!r}{hint}", name=name, hint=hint)

    def impossible(self, site: Site) -> Iterator[Message]:
        if self.mandatory and not self._begun and not self._starts(site.horizon):
            late = self._late(site.horizon)
            yield Message("must run (mandatory true), and {sentence}", sentence=late)

    def warn(self, site: Site) -> Iterator[Message]:
        horizon = site.horizon
        if self._begun:
            return
        if not self._starts(horizon):
            yield Message("can never run: {sentence}", sentence=self._late(horizon))
        elif self.deadline_h > horizon.hours:
            yield Message(
                "deadline_h {deadline_h:g} lies beyond the horizon of {hours:g} h; the run must"
                " end within it",
                deadline_h=self.deadline_h,
                hours=horizon.hours,
            )

    def _late(self, horizon: Horizon) -> Message:
        earliest_end = horizon.steps_up(self.release_h) + horizon.steps_up(self.duration_h)
        if earliest_end > horizon.steps_down(self.deadline_h):
            return Message(
                "from release_h {release_h:g} on the run of {hours:g} h, in whole steps of"
                " {step_min} min, ends at {end_h:g} h, and deadline_h is {deadline_h:g}",
                release_h=self.release_h,
                hours=self.duration_h,
                step_min=horizon.step_min,
                end_h=earliest_end * horizon.step_h,
                deadline_h=self.deadline_h,
            )
        return Message(
            "a run of duration_h {duration_h:g} h from release_h {release_h:g} on does not end"
            " within the horizon of {hours:g} h",
            duration_h=self.duration_h,
            release_h=self.release_h,
            hours=horizon.hours,
        )

    def build(self, b: pyo.Block, site: Site) -> Terms:
        time, horizon = site.clock, site.horizon
        duration, starts = horizon.steps_up(self.duration_h), self._starts(horizon)
        allowed = time.among(starts)
        left = self._steps_left(horizon)
        span = max(duration, left + 1) if self._begun else duration  # less than a step ran: one
        steps_run = span - left if self._begun else 0

        b.start = pyo.Var(
            time.steps, domain=pyo.Binary, bounds=lambda _, t: (0, 1 if t in allowed else 0)
        )
        b.started = pyo.Var(time.back(span), bounds=(0, 1))
        b.running = pyo.Var(time.steps, bounds=(0, 1))
        for p in range(time.first - span, time.first):
            b.started[p].fix(1.0 if p >= time.first - steps_run else 0.0)
        b.starts = pyo.Constraint(
            time.steps, rule=lambda b, t: b.started[t] == b.started[t - 1] + b.start[t]
        )
        runs = pyo.Constraint(
            time.steps, rule=lambda b, t: b.running[t] == b.started[t] - b.started[t - span]
        )
        b.add_component("run_on" if self._begun else "runs", runs)
        last = max(starts.stop - 1, time.first)
        if self.mandatory and last <= time.last:  # otherwise a later window has this row
            b.mandatory = pyo.Constraint(expr=b.started[last] >= 1)
        value, it_kw = self.value_cny / duration, self.nodes * self.node_kw
        return Terms(
            flows={
                Balance("nodes", self.fleet): lambda t: -self.nodes * b.running[t],
                Balance("it_kw", self.fleet): lambda t: -it_kw * b.running[t],
            },
            meters={Meter(f"starting_nodes[{self.fleet}]"): lambda t: self.nodes * b.start[t]},
            costs={Line("job", use="compute"): lambda t: -value * b.running[t]},
        )

    def given(self, rule: str, values: Values, horizon: Horizon, places: Sequence[int]) -> str:
        if rule not in ("mandatory", "run_on"):
            return ""
        hours = self.figures(values, horizon)["run_h"]
        return Message("it runs {hours:g} h in the horizon", hours=hours)

    def figures(self, values: Values, horizon: Horizon) -> dict[str, float]:
        run_h = float(values["running"].sum() * horizon.step_h)
        finished = self.initial.hours_run + run_h >= self.duration_h - NOTHING
        figures = {
            "started": float(values["started"][-1]), "run_h": run_h, "finished": float(finished)
        }  # fmt: skip
        starts = np.flatnonzero(values["start"] > 0.5)
        return figures | ({"start_h": float(starts[0] * horizon.step_h)} if starts.size else {})

    def after(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        steps_run = int(np.round(values["running"].sum()))  # a solver's 0.9999999 is a step
        hours_run = self.initial.hours_run + steps_run * horizon.step_h
        return self.revised({"initial": JobInitial(hours_run=hours_run)})

    def remaining(self, values: Values, executed: Window, horizon: Horizon) -> Self:
        passed_h = executed.last * horizon.step_h
        times = {
            "release_h": max(self.release_h - passed_h, 0.0),
            "deadline_h": max(self.deadline_h - passed_h, 0.0),
        }
        return super().remaining(values, executed, horizon).revised(times)
