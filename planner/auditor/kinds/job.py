"""Whether a job ran in one piece, once, when it may, on nodes that its fleet kept for it.

states       start, started and running are 0 or 1 (not in a relaxed plan)
window       it starts where the whole run lies between release_h and deadline_h and within the
             horizon
one_start    it starts once at most; not at all where it had started before the horizon
mandatory    it starts where it must
started      started counts the start
running      from the start on it runs for all steps of its duration and no other; one that had
             started before the horizon runs on for the rest
job_nodes, job_kw   the fleet keeps the nodes, and the power, of the jobs that run on it
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.reading import Line, Part, Plan


def job_columns() -> set[str]:
    """Return the columns that a job must have."""
    return {"start", "started", "running"}


def fleet_job_columns(plan: Plan, fleet: Part) -> set[str]:
    """Return the columns that a fleet must have because jobs run on it."""
    return {"job_nodes", "job_kw"} if jobs_on(plan, fleet) else set()


def jobs_on(plan: Plan, fleet: Part) -> list[Part]:
    """Return the jobs of a fleet."""
    return [job for job in plan.of_kind("job") if job["fleet"] == fleet.name]


def job_holds(plan: Plan, fleet: Part) -> tuple[Array, Array]:
    """Return the nodes that a fleet keeps for its jobs, and their power in kW, by step."""
    if not jobs_on(plan, fleet):
        return np.zeros(plan.clock.steps), np.zeros(plan.clock.steps)
    return fleet.column("job_nodes"), fleet.column("job_kw")


def check_job(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule that a job breaks."""
    clock, name = plan.clock, part.name
    start, started, running = (part.column(c) for c in ("start", "started", "running"))
    for column in ("start", "started", "running"):
        found.at_most(name, "states", f"{column} is", part.column(column), 1.0)
        if not plan.relaxed:
            found.whole(name, "states", f"{column} is", part.column(column))

    steps, left = _steps(plan, part)
    begun = part.under("initial").number("hours_run") > 0
    number = np.arange(1, clock.steps + 1)
    ends = number + steps - 1
    late = (ends > clock.down(part.number("deadline_h"))) | (ends > clock.steps)
    outside = late | (number <= clock.up(part.number("release_h")))
    found.at_most(name, "window", "outside its time start is", start * outside, 0.0)
    in_all, when = np.array([float(begun) + start.sum()]), clock.times[-1]
    found.at_most(name, "one_start", "starts in all are", in_all, 1.0, when=when)
    if part["mandatory"]:
        found.at_least(name, "mandatory", "starts in all are", in_all, 1.0, when=when)

    count = float(begun) + np.cumsum(start)
    found.equal(name, "started", "started is", started, count)
    sums = np.concatenate([np.zeros(steps), np.cumsum(start)])
    right = sums[steps:] - sums[: clock.steps]  # the starts of the last `steps` steps
    if begun:
        right = right + (number <= left)
    found.equal(name, "running", "running is", running, right)


def check_job_nodes(plan: Plan, part: Part, found: Findings) -> None:
    """Note where a fleet does not keep the nodes or the power of its jobs."""
    jobs = jobs_on(plan, part)
    if not jobs:
        return
    nodes = sum((job.number("nodes") * job.column("running") for job in jobs), _none(plan))
    kw = sum(
        (job.number("nodes") * job.number("node_kw") * job.column("running") for job in jobs),
        _none(plan),
    )
    held, drawn = job_holds(plan, part)
    found.equal(part.name, "job_nodes", "nodes kept for jobs are", held, nodes, "nodes")
    found.equal(part.name, "job_kw", "power kept for jobs is", drawn, kw, "kW")


def _none(plan: Plan) -> Array:
    return np.zeros(plan.clock.steps)


def _steps(plan: Plan, part: Part) -> tuple[int, int]:
    """Return the steps of the run, and those still to come when the horizon begins."""
    duration, run = part.number("duration_h"), part.under("initial").number("hours_run")
    return plan.clock.up(duration), max(0, plan.clock.up(duration - run))


def job_lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield what a job earns: its value, evenly over the steps of its run."""
    steps, _ = _steps(plan, part)
    rate = part.number("value_cny") / steps
    yield Line(part.name, "job", rate * part.column("running"), plan.clock.stamps, rate)


def job_figures(plan: Plan, part: Part) -> dict[str, float]:
    """Return the key figures of a job by name."""
    run_h = plan.clock.step_h * float(part.column("running").sum())
    done = part.under("initial").number("hours_run") + run_h >= part.number("duration_h") - 1e-6
    figures = {"started": part.column("started")[-1], "run_h": run_h, "finished": float(done)}
    begins = np.flatnonzero(part.column("start") > 0.5)
    if begins.size:
        figures["start_h"] = plan.clock.step_h * float(begins[0])
    return figures
