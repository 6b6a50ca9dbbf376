"""Audit of a job: one uninterrupted run within its window.

states       start, started and running are 0 or 1 (not in a relaxed plan)
window       it starts where the whole run lies between release_h and deadline_h and within the
             horizon
one_start    it starts once at most; not at all where it had started before the horizon
mandatory    it starts if it is mandatory
started      started counts the start
running      from the start on it runs for all steps of its duration and no other; one that had
             started before the horizon runs on for the rest

The audit of its fleet checks the nodes and the power of the run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import NOTHING, Notes, column_is
from planner.auditor.reading import KindAudit, Line, Part, Plan
from planner.message import Message


def _check(plan: Plan, part: Part, note: Notes) -> None:
    clock = plan.clock
    start, started, running = (part.column(c) for c in ("start", "started", "running"))
    for column in ("start", "started", "running"):
        note.binary("states", column, part.column(column))

    steps, left = _steps(plan, part)
    begun = part.under("initial").number("hours_run") > 0
    number = np.arange(1, clock.steps + 1)
    ends = number + steps - 1
    late = (ends > clock.down(part.number("deadline_h"))) | (ends > clock.steps)
    outside = late | (number <= clock.up(part.number("release_h")))
    note.at_most("window", Message("start outside its window is"), start * outside, 0.0)
    starts, what = np.array([float(begun) + start.sum()]), Message("starts in all are")
    note.at_most("one_start", what, starts, 1.0, when=clock.times[-1])
    if part["mandatory"]:
        note.at_least("mandatory", what, starts, 1.0, when=clock.times[-1])

    count = float(begun) + np.cumsum(start)
    note.equal("started", column_is("started"), started, count)
    sums = np.concatenate([np.zeros(steps), np.cumsum(start)])
    expected = sums[steps:] - sums[: clock.steps]  # the starts of the last `steps` steps
    if begun:
        expected = expected + (number <= left)
    note.equal("running", column_is("running"), running, expected)


def _steps(plan: Plan, part: Part) -> tuple[int, int]:
    """Return the steps of the run, and those still to come when the horizon begins."""
    duration, run = part.number("duration_h"), part.under("initial").number("hours_run")
    return plan.clock.up(duration), max(0, plan.clock.up(duration - run))


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the value of a job, evenly over the steps of its run."""
    steps, _ = _steps(plan, part)
    rate = part.number("value_cny") / steps
    earned = rate * part.column("running")
    yield Line(part.name, "job", earned, plan.clock.stamps, rate, use="compute")


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    run_h = plan.clock.step_h * float(part.column("running").sum())
    done = part.under("initial").number("hours_run") + run_h >= part.number("duration_h") - NOTHING
    figures = {"started": part.column("started")[-1], "run_h": run_h, "finished": float(done)}
    begins = np.flatnonzero(part.column("start") > 0.5)
    if begins.size:
        figures["start_h"] = plan.clock.step_h * float(begins[0])
    return figures


AUDIT = KindAudit(
    columns=lambda _, __: {"start", "started", "running"},
    checks=(_check,),
    lines=_lines,
    figures=_figures,
)
