"""The nodes of a fleet: operating points, states and power.

Every node is at an operating point of a model, in prefill of a model, on a job, or asleep.

Expression: it_kw[t].  Variables, where a job names the fleet: job_nodes[t] and job_kw[t].

    total           sum_k nodes[m,k,t] + prefill_nodes[m,t] = awake[m,t]
    count           sum_m awake[m,t] + job_nodes[t] + asleep[t] = nodes available_pu[t]
    power           sum_o draw_mw[o,t] = pue[t] / 1000 it_kw[t]
                    it_kw: node_kw and sleep_kw, summed over the nodes at points, in prefill, asleep,
                    and job_kw[t]

With several levels of sleep asleep[t] and its power are sums over the levels, see `sleeping`.

job_nodes and job_kw balance what the jobs on the fleet hold and draw. Nodes wake with their job and
sleep again after it: waking for a job takes neither time nor money.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping

from planner.components.component import Site
from planner.components.fleet.operating_points import Serving, prefill_by_model
from planner.components.job import Job
from planner.components.terms import Balance, ByStep, Expression, of
from planner.modelling import pyo


def declare_nodes(
    b: pyo.Block,
    site: Site,
    serves: Mapping[str, Serving],
    *,
    available: Mapping[int, float],
    pue: Mapping[int, float],
    asleep: ByStep,
    asleep_kw: ByStep,
) -> dict[Balance, ByStep]:
    """Declare total, count and power; return the fleet's part of the balances of its jobs."""
    time, prefill = site.clock, prefill_by_model(serves)
    points = [(m, point) for m, serving in serves.items() for point in serving.points]
    parts = site.components.values()
    has_jobs = any(isinstance(part, Job) and part.fleet == site.name for part in parts)
    if has_jobs:
        b.job_nodes = pyo.Var(time.steps, domain=pyo.NonNegativeReals)
        b.job_kw = pyo.Var(time.steps, domain=pyo.NonNegativeReals)

    def total(b: pyo.Block, m: str, t: int) -> Expression:
        at_points = sum(b.nodes[m, point.key, t] for point in serves[m].points)
        return at_points + (b.prefill_nodes[m, t] if m in prefill else 0.0) == b.awake[m, t]

    def count(b: pyo.Block, t: int) -> Expression:
        awake = sum(b.awake[m, t] for m in serves)
        return awake + asleep(t) + (b.job_nodes[t] if has_jobs else 0.0) == available[t]

    def it_kw(b: pyo.Block, t: int) -> Expression:
        at_points = sum(point.node_kw * b.nodes[m, point.key, t] for m, point in points)
        in_prefill = sum(part.node_kw * b.prefill_nodes[m, t] for m, part in prefill.items())
        on_jobs = b.job_kw[t] if has_jobs else 0.0
        return at_points + in_prefill + asleep_kw(t) + on_jobs

    def power(b: pyo.Block, t: int) -> Expression:
        return sum(b.draw_mw[o, t] for o in site.origins) == pue[t] / 1000 * b.it_kw[t]

    b.total = pyo.Constraint(list(serves), time.steps, rule=total)
    b.count = pyo.Constraint(time.steps, rule=count)
    b.it_kw = pyo.Expression(time.steps, rule=it_kw)
    b.power = pyo.Constraint(time.steps, rule=power)
    if not has_jobs:
        return {}
    return {
        Balance("nodes", site.name): of(b.job_nodes),
        Balance("it_kw", site.name): of(b.job_kw),
    }
