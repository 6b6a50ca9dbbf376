"""Where the nodes of a fleet are, and what they draw: rows that tie counts to power.

Expression: it_kw[t].  Variables where a job names the fleet: job_nodes[t], job_kw[t].

    total           sum_k nodes[m,k,t] + prefill_nodes[m,t] = awake[m,t]
    count           sum_m awake[m,t] + job_nodes[t] + asleep[t] = nodes available_pu[t]
    power           sum_o draw_mw[o,t] = pue[t] / 1000 it_kw[t]
                    it_kw: node_kw and sleep_kw, summed over the nodes at points, reading, asleep,
                    and job_kw[t]

job_nodes and job_kw balance what the jobs of the fleet hold. Nodes leave sleep with their job and
return to it: waking for a job costs neither time nor money.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from planner.components.base import Balance, ByStep, Expression, Site, Time
from planner.components.job import Job
from planner.components.serving import Serving

if TYPE_CHECKING:
    import pyomo.environ as pyo


def _has_jobs(site: Site) -> bool:
    """Whether a job names this fleet."""
    jobs = (c for c in site.components.values() if isinstance(c, Job))
    return any(job.fleet == site.name for job in jobs)


def hold_nodes(
    b: pyo.Block,
    site: Site,
    serves: Mapping[str, Serving],
    *,
    available: Mapping[int, float],
    pue: Mapping[int, float],
    sleep_kw: float,
) -> dict[Balance, ByStep]:
    """Declare the rows; return what the fleet supplies to the balances of its jobs."""
    import pyomo.environ as pyo

    time, jobs = site.clock, _has_jobs(site)
    if jobs:
        b.job_nodes = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.job_kw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
    _count(b, time, serves, available, jobs=jobs)
    _power(b, site, serves, pue, sleep_kw, jobs=jobs)
    if not jobs:
        return {}
    return {
        Balance("nodes", site.name): lambda t: b.job_nodes[t],
        Balance("it_kw", site.name): lambda t: b.job_kw[t],
    }


def _count(
    b: pyo.Block,
    time: Time,
    serves: Mapping[str, Serving],
    available: Mapping[int, float],
    *,
    jobs: bool,
) -> None:
    """Every node is at a point, reads input, is on a job, or sleeps."""
    import pyomo.environ as pyo

    def held(m: str, t: int) -> Expression:
        working = sum(b.nodes[m, point.key, t] for point in serves[m].points)
        return working + (b.prefill_nodes[m, t] if serves[m].prefill else 0.0)

    def everywhere(t: int) -> Expression:
        awake = sum(b.awake[m, t] for m in serves)
        return awake + b.asleep[t] + (b.job_nodes[t] if jobs else 0.0)

    b.total = pyo.Constraint(
        list(serves), time.steps, rule=lambda b, m, t: held(m, t) == b.awake[m, t]
    )
    b.count = pyo.Constraint(time.steps, rule=lambda _, t: everywhere(t) == available[t])


def _power(
    b: pyo.Block,
    site: Site,
    serves: Mapping[str, Serving],
    pue: Mapping[int, float],
    sleep_kw: float,
    *,
    jobs: bool,
) -> None:
    import pyomo.environ as pyo

    readers = {m: serving.prefill for m, serving in serves.items() if serving.prefill}

    def it_kw(b: pyo.Block, t: int) -> Expression:
        at_points = sum(
            point.node_kw * b.nodes[m, point.key, t]
            for m, serving in serves.items()
            for point in serving.points
        )
        reading = sum(prefill.node_kw * b.prefill_nodes[m, t] for m, prefill in readers.items())
        on_jobs = b.job_kw[t] if jobs else 0.0
        return at_points + reading + sleep_kw * b.asleep[t] + on_jobs

    def power(b: pyo.Block, t: int) -> Expression:
        return sum(b.draw_mw[o, t] for o in site.origins) == pue[t] / 1000 * b.it_kw[t]

    b.it_kw = pyo.Expression(site.clock.steps, rule=it_kw)
    b.power = pyo.Constraint(site.clock.steps, rule=power)
