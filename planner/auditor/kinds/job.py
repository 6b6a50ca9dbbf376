"""Whether a job ran in one piece, once, and when it may.

states       start, started and running are 0 or 1 (not in a relaxed plan)
window       it starts where the whole run lies between release_h and deadline_h and within the
             horizon
one_start    it starts once at most; not at all where it had started before the horizon
mandatory    it starts where it must
started      started counts the start
running      from the start on it runs for all steps of its duration and no other; one that had
             started before the horizon runs on for the rest

That its fleet keeps the nodes and the power of its run is for the fleet to show.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Notes
from planner.auditor.reading import KindAudit, Line, Part, Plan


def _check(plan: Plan, part: Part, note: Notes) -> None:
    clock = plan.clock
    start, started, running = (part.column(c) for c in ("start", "started", "running"))
    for column in ("start", "started", "running"):
        note.at_most("states", f"{column} is", part.column(column), 1.0)
        if not plan.relaxed:
            note.whole("states", f"{column} is", part.column(column))

    steps, left = _steps(plan, part)
    begun = part.under("initial").number("hours_run") > 0
    number = np.arange(1, clock.steps + 1)
    ends = number + steps - 1
    late = (ends > clock.down(part.number("deadline_h"))) | (ends > clock.steps)
    outside = late | (number <= clock.up(part.number("release_h")))
    note.at_most("window", "outside its time start is", start * outside, 0.0)
    in_all, when = np.array([float(begun) + start.sum()]), clock.times[-1]
    note.at_most("one_start", "starts in all are", in_all, 1.0, when=when)
    if part["mandatory"]:
        note.at_least("mandatory", "starts in all are", in_all, 1.0, when=when)

    count = float(begun) + np.cumsum(start)
    note.equal("started", "started is", started, count)
    sums = np.concatenate([np.zeros(steps), np.cumsum(start)])
    right = sums[steps:] - sums[: clock.steps]  # the starts of the last `steps` steps
    if begun:
        right = right + (number <= left)
    note.equal("running", "running is", running, right)


def _steps(plan: Plan, part: Part) -> tuple[int, int]:
    """Return the steps of the run, and those still to come when the horizon begins."""
    duration, run = part.number("duration_h"), part.under("initial").number("hours_run")
    return plan.clock.up(duration), max(0, plan.clock.up(duration - run))


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the value of a job, evenly over the steps of its run."""
    steps, _ = _steps(plan, part)
    rate = part.number("value_cny") / steps
    yield Line(
        part.name, "job", rate * part.column("running"), plan.clock.stamps, rate, use="compute"
    )


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    run_h = plan.clock.step_h * float(part.column("running").sum())
    done = part.under("initial").number("hours_run") + run_h >= part.number("duration_h") - 1e-6
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
