"""Whether the work of every service is accounted for, and done in time.

answered     what the fleets answer of a service is what it says was answered
demand       interactive: what is answered and what is not add up to the demand
market       market: what is answered is what is sold, and no price step sells beyond its depth
arrivals     batch: what is accepted and refused adds up to the arrivals
waiting      batch: what waits grows by what is accepted and shrinks by what is answered
taken        batch: the running total of what has come in, what waited at the start included
deadline     batch: first in, first out, everything is answered by the end of the step in which
             it falls due; age counts from the end of the step of arrival, and what would have
             been due before the first step ends is due then
ending       batch: no more waits at the end than at the start, or than at_most_mtok
served, least   the running total of what is served, and its least share
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.reading import Clock, Part, Plan
from planner.auditor.schedule import services_of


def check_service(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule that a service breaks."""
    answered = part.column("answered_mtok_per_h")
    fleets = [
        fleet.column("answered_mtok_per_h", part.name)
        for fleet in plan.of_kind("fleet")
        if part in services_of(plan, fleet)
    ]
    total = np.sum(fleets, axis=0) if fleets else np.zeros(plan.clock.steps)
    found.equal(part.name, "answered", "fleets answer", total, answered, "Mtok/h")
    if part["demand_mtok_per_h"] is not None:
        demand, lost = part.series("demand_mtok_per_h"), part.column("unserved_mtok_per_h")
        what = "answered and unserved sum to"
        found.equal(part.name, "demand", what, answered + lost, demand, "Mtok/h")
    elif part["arrivals_mtok_per_h"] is not None:
        _check_batch(plan.clock, part, answered, found)
    else:
        for i, step in enumerate(part.rows("market")):
            sold, what = part.column("sold_mtok_per_h", i), f"price step {i} sells"
            found.at_most(part.name, "market", what, sold, step.series("mtok_per_h"), "Mtok/h")
        sold = np.asarray(part.total("sold_mtok_per_h"))
        found.equal(part.name, "market", "sold in all", sold, answered, "Mtok/h")
    if part.number("min_served_share"):
        _check_least(plan.clock, part, found)


def wanted(part: Part) -> Array:
    """Return the most that a service could sell, Mtok/h: demand, arrivals or market depth."""
    for field in ("demand_mtok_per_h", "arrivals_mtok_per_h"):
        if part[field] is not None:
            return part.series(field)
    return np.asarray(sum(step.series("mtok_per_h") for step in part.rows("market")))


def served(part: Part) -> Array:
    """Return what counts as served: what is answered, or accepted of batch work, Mtok/h."""
    batch = part["arrivals_mtok_per_h"] is not None
    return part.column("accepted_mtok_per_h" if batch else "answered_mtok_per_h")


def waiting_at_start(part: Part) -> float:
    """Return the work that waits when the horizon begins, Mtok."""
    return sum(work.number("mtok") for work in part.under("initial").rows("waiting"))


def _check_batch(clock: Clock, part: Part, answered: Array, found: Findings) -> None:
    accepted, refused = part.column("accepted_mtok_per_h"), part.column("refused_mtok_per_h")
    arrivals = part.series("arrivals_mtok_per_h")
    what = "accepted and refused sum to"
    found.equal(part.name, "arrivals", what, accepted + refused, arrivals, "Mtok/h")
    waiting, start = part.column("waiting_mtok"), waiting_at_start(part)
    before = np.concatenate([[start], waiting[:-1]])
    right = before + clock.step_h * (accepted - answered)
    size = np.maximum(before, clock.step_h * answered)
    found.equal(part.name, "waiting", "waiting is", waiting, right, "Mtok", size=size)
    taken = part.column("taken_mtok")
    right = np.concatenate([[start], taken[:-1]]) + clock.step_h * accepted
    found.equal(part.name, "taken", "taken is", taken, right, "Mtok")

    left = start + clock.step_h * np.cumsum(accepted - answered)
    young = start + clock.step_h * np.cumsum(accepted) - _due(clock, part, accepted)
    found.at_most(part.name, "deadline", "not yet answered:", left, young, "Mtok")
    ending = part["ending"]
    most = part.under("ending").number("at_most_mtok") if isinstance(ending, Mapping) else start
    what, last = "waiting at the end is", clock.times[-1]
    found.at_most(part.name, "ending", what, waiting[-1:], most, "Mtok", when=last)


def _due(clock: Clock, part: Part, accepted: Array) -> Array:
    """Return what must be answered by the end of each step, Mtok; shape (steps,)."""
    late = clock.down(part.number("deadline_h"))
    due = np.zeros(clock.steps)
    due[late:] = clock.step_h * accepted[: max(clock.steps - late, 0)]
    for work in part.under("initial").rows("waiting"):
        step = max(late - clock.up(work.number("age_h")), 1)  # 1 is the first step
        if step <= clock.steps:
            due[step - 1] += work.number("mtok")
    return np.asarray(np.cumsum(due))


def _check_least(clock: Clock, part: Part, found: Findings) -> None:
    initial, total = part.under("initial"), part.column("served_mtok")
    before = np.concatenate([[initial.number("served_so_far_mtok")], total[:-1]])
    right = before + clock.step_h * served(part)
    found.equal(part.name, "served", "served so far is", total, right, "Mtok")
    asked = initial.number("wanted_so_far_mtok") + clock.step_h * float(wanted(part).sum())
    least, last = part.number("min_served_share") * asked, clock.times[-1]
    found.at_least(part.name, "least", "served is", total[-1:], least, "Mtok", when=last)
