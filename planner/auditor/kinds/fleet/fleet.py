"""Audit of a fleet: counts, power and waking of its nodes, their work and their reserve.

    whole        counts of nodes are whole where the fleet has whole_nodes (not in a relaxed plan)
    total        the nodes of a model at its points and reading input are those that are awake
    count        nodes awake, on jobs and asleep are all available ones
    it_kw        the IT power is that of nodes at points, reading, on jobs and asleep
    power        the power drawn is the IT power times PUE
    job_nodes, job_kw   the nodes, and the power, of the jobs of the fleet are set aside for them
    waking_up    a rise of the nodes awake from one step to the next has been woken
    waking       nodes that still wake idle; those of the past too, unless an outage took them
    spare        spare_nodes are awake and idle besides those that wake, over all models
    catch_up_free   nodes that could catch up with work sleep in the plan, or idle and neither wake
                 nor are spare

`work` audits the work of the nodes and their reserve.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes, column_is
from planner.auditor.kinds.fleet.work import (
    check_answers,
    columns_of_pausing,
    key_of,
    points_of,
    prefill_of,
    pue_of,
)
from planner.auditor.kinds.reserve import reserve_columns
from planner.auditor.kinds.service import services_of
from planner.auditor.plan_files import Clock
from planner.auditor.reading import (
    KindAudit,
    Line,
    Part,
    Plan,
    column_of,
    columns_by_origin,
    drawn_flows,
    drawn_mw,
    drawn_mwh,
)
from planner.message import Message


def _columns(plan: Plan, part: Part) -> set[str]:
    reserves = reserve_columns(plan, part)
    columns = {"asleep", "it_kw"} | columns_by_origin(plan, "draw_mw") | reserves
    columns |= {"job_nodes", "job_kw"} if _jobs_on(plan, part) else set()
    columns |= {column_of("answered_mtok_per_h", s.name) for s in services_of(plan, part)}
    for model in part.under("serves").fields:
        columns |= {column_of("awake", model), column_of("woken", model)}
        keys = [key_of(point) for point in points_of(part, model)]
        columns |= {column_of("nodes", model, key) for key in keys}
        columns |= {column_of("prefill_nodes", model) for _ in prefill_of(part, model)}
        if reserves:
            columns |= columns_of_pausing(plan, part, model)
    return columns


def _jobs_on(plan: Plan, part: Part) -> list[Part]:
    return [job for job in plan.of_kind("job") if job["fleet"] == part.name]


def _check_jobs(plan: Plan, part: Part, note: Notes) -> None:
    """Note where a fleet does not set aside the nodes or the power of its jobs."""
    nodes, kw = np.zeros(plan.clock.steps), np.zeros(plan.clock.steps)
    for job in _jobs_on(plan, part):
        running = job.number("nodes") * job.column("running")
        nodes, kw = nodes + running, kw + job.number("node_kw") * running
    note.equal(
        "job_nodes", Message("nodes kept for jobs are"), part.optional("job_nodes"), nodes, "nodes"
    )
    note.equal("job_kw", Message("power kept for jobs is"), part.optional("job_kw"), kw, "kW")


def _check_nodes(plan: Plan, part: Part, note: Notes) -> None:
    """Note every rule on the counts, power and waking of the nodes."""
    awake = part.optional("job_nodes")  # they are not asleep
    it_kw = part.optional("job_kw") + part.number("sleep_kw") * part.column("asleep")
    for model in part.under("serves").fields:
        counts = {p: part.column("nodes", model, key_of(p)) for p in points_of(part, model)}
        counts |= {point: part.column("prefill_nodes", model) for point in prefill_of(part, model)}
        it_kw = it_kw + sum(point.number("node_kw") * count for point, count in counts.items())
        what = Message("decoding and prefill nodes of {name} sum to", name=model)
        total = np.sum(list(counts.values()), axis=0)
        note.equal("total", what, total, part.column("awake", model), "nodes")
        awake = awake + part.column("awake", model)
        if part["whole_nodes"]:
            for count in counts.values():
                note.whole("whole", Message("nodes of {name} are", name=model), count)
    available, what = _available(part), Message("nodes awake and asleep are")
    note.equal("count", what, awake + part.column("asleep"), available, "nodes")
    note.equal("it_kw", column_is("it_kw"), part.column("it_kw"), it_kw, "kW")
    drawn = part.total("draw_mw")
    note.equal("power", Message("draws"), drawn, pue_of(part) / 1000 * it_kw, "MW")
    _check_waking(plan, part, available, note)


def _available(part: Part) -> Array:
    """Return the available nodes by step."""
    return part.number("nodes") * part.series("available_pu")


def _check_waking(plan: Plan, part: Part, available: Array, note: Notes) -> None:
    clock = plan.clock
    shares, spare = _wake_shares(clock, part), part.number("spare_nodes")
    idle: Array = np.zeros(clock.steps)
    past = _woken_before(clock, part, len(shares), available, spare)
    initial = part.under("initial", "awake")
    for model in part.under("serves").fields:
        awake, woken = part.column("awake", model), part.column("woken", model)
        before = initial.number(model) if model in initial.fields else 0.0
        risen = np.diff(awake, prepend=before)
        what = Message("nodes of {name} woken:", name=model)
        note.at_least("waking_up", what, woken, risen, "nodes", size=awake)
        with_past = np.concatenate([past[model][::-1], woken])
        waking = sum(
            (share * with_past[len(shares) - i : len(shares) - i + clock.steps]
             for i, share in enumerate(shares)), np.zeros(clock.steps)
        )  # fmt: skip
        resting = part.column("nodes", model, key_of(points_of(part, model)[0]))
        what = Message("nodes of {name} awake and idle:", name=model)
        note.at_least("waking", what, resting, waking, "nodes")
        idle = idle + resting - waking
    what = Message("nodes kept awake and idle:")
    note.at_least("spare", what, idle, spare, "nodes", size=available)
    if reserve_columns(plan, part):
        catching = part.total("catch_up_nodes") + part.total("catch_up_prefill_nodes")
        what, free = Message("nodes that could catch up:"), part.column("asleep") + idle - spare
        note.at_most("catch_up_free", what, catching, free, "nodes", size=available)


def _wake_shares(clock: Clock, part: Part) -> list[float]:
    """Return the share of each step from the start of waking on that a node spends waking."""
    steps = part.number("wake_min") / clock.step_min
    return [min(1.0, steps - i) for i in range(int(np.ceil(steps - 1e-9)))]


def _woken_before(
    clock: Clock, part: Part, reach: int, available: Array, spare: float
) -> dict[str, Array]:
    """Return the nodes woken in the steps before the horizon by model, latest first.

    They are awake and idle until they have woken; an outage that leaves no room for them besides
    the spare nodes takes the same share of them from all models.
    """
    woken = part.under("initial", "woken")
    past = {}
    for model in part.under("serves").fields:
        counts = woken[model] if model in woken.fields else []
        past[model] = np.array([*map(float, counts), *[0.0] * reach][:reach])
    left = 1.0
    for t in range(min(reach - 1, clock.steps)):
        still_waking = sum(float(nodes[: reach - 1 - t].sum()) for nodes in past.values())
        if still_waking > 0:
            left = min(left, (available[t] - spare) / still_waking)
    return {model: left * nodes for model, nodes in past.items()}


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    cost, woken = part.number("wake_cost_cny"), part.total("woken")
    yield Line(part.name, "wake", -cost * woken, plan.clock.stamps, cost)


def _outside(plan: Plan, part: Part) -> dict[str, float]:
    rate = part.number("amortisation_cny_per_node_h")
    node_h = part.number("nodes") * plan.clock.step_h * plan.clock.steps
    return {"amortisation": -rate * node_h} if rate else {}


def _drawn_by_jobs(plan: Plan, part: Part) -> dict[str, Array]:
    """Return the power drawn by jobs by origin, MW: their share of the IT power."""
    share = part.optional("job_kw") / np.maximum(part.column("it_kw"), 1e-9)
    return {o: share * mw for o, mw in drawn_mw(plan, part).items()}


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    awake = part.total("awake")
    available = _available(part).sum()
    return {
        "awake_mean_nodes": awake.mean(),
        "awake_share": awake.sum() / max(available, 1e-9),
        "woken_nodes": np.sum(part.total("woken")),
        "drawn_mwh": plan.clock.step_h * np.sum(part.total("draw_mw")),
    }


AUDIT = KindAudit(
    columns=_columns,
    checks=(_check_nodes, check_answers, _check_jobs),
    lines=_lines,
    outside=_outside,
    flows=drawn_flows,
    uses={"compute": drawn_mwh},
    drawn={"compute"},
    meters={"drawn_mw": drawn_mw, "jobs_mw": _drawn_by_jobs},
    figures=_figures,
    reserve_share=lambda _: 1.0,
    here_and_now=lambda _, together: ("awake",) if together else (),
)
