"""Audit of a fleet: counts, power and waking of its nodes, their work and their reserve.

    whole        counts of nodes are whole where the fleet has whole_nodes (not in a relaxed plan)
    total        the nodes of a model at its points and reading input are those that are awake
    count        nodes awake, on jobs and asleep are all available ones
    it_kw        the IT power is that of nodes at points, reading, on jobs and asleep
    power        the power drawn is the IT power times PUE
    job_nodes, job_kw   the nodes, and the power, of the jobs of the fleet are set aside for them

`sleep` audits how nodes sleep and wake, `work` the work of the nodes and their reserve.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes, column_is
from planner.auditor.kinds.fleet.levels import levels_of
from planner.auditor.kinds.fleet.sleep import (
    asleep_in,
    asleep_kw,
    check_sleep,
    sleep_codes,
    sleep_columns,
    wake_cost,
)
from planner.auditor.kinds.fleet.work import (
    available_nodes,
    check_answers,
    columns_of_pausing,
    jobs_on,
    key_of,
    points_of,
    prefill_of,
    pue_of,
)
from planner.auditor.kinds.reserve import reserve_columns
from planner.auditor.kinds.service import services_of
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
    columns = {"it_kw"} | columns_by_origin(plan, "draw_mw") | reserves
    columns |= {"job_nodes", "job_kw"} if jobs_on(plan, part) else set()
    columns |= sleep_columns(part, has_jobs=bool(jobs_on(plan, part)))
    columns |= {column_of("answered_mtok_per_h", s.name) for s in services_of(plan, part)}
    for model in part.under("serves").fields:
        columns |= {column_of("awake", model)}
        keys = [key_of(point) for point in points_of(part, model)]
        columns |= {column_of("nodes", model, key) for key in keys}
        columns |= {column_of("prefill_nodes", model) for _ in prefill_of(part, model)}
        if reserves:
            columns |= columns_of_pausing(plan, part, model)
    return columns


def _check_jobs(plan: Plan, part: Part, note: Notes) -> None:
    """Note where a fleet does not set aside the nodes or the power of its jobs."""
    nodes, kw = np.zeros(plan.clock.steps), np.zeros(plan.clock.steps)
    for job in jobs_on(plan, part):
        running = job.number("nodes") * job.column("running")
        nodes, kw = nodes + running, kw + job.number("node_kw") * running
    note.equal(
        "job_nodes", Message("nodes kept for jobs are"), part.optional("job_nodes"), nodes, "nodes"
    )
    note.equal("job_kw", Message("power kept for jobs is"), part.optional("job_kw"), kw, "kW")


def _check_nodes(plan: Plan, part: Part, note: Notes) -> None:
    """Note every rule on the counts, power and waking of the nodes."""
    awake = part.optional("job_nodes")  # they are not asleep
    it_kw = part.optional("job_kw") + asleep_kw(plan.clock, part)
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
    available, what = available_nodes(part), Message("nodes awake and asleep are")
    note.equal("count", what, awake + asleep_in(part, levels_of(part)), available, "nodes")
    note.equal("it_kw", column_is("it_kw"), part.column("it_kw"), it_kw, "kW")
    drawn = part.total("draw_mw")
    note.equal("power", Message("draws"), drawn, pue_of(part) / 1000 * it_kw, "MW")


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    cost, highest = wake_cost(part)
    yield Line(part.name, "wake", -cost, plan.clock.stamps, highest)


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
    available = available_nodes(part).sum()
    return {
        "awake_mean_nodes": awake.mean(),
        "awake_share": awake.sum() / max(available, 1e-9),
        **_asleep_means(part),
        "woken_nodes": np.sum(part.total("woken")),
        "drawn_mwh": plan.clock.step_h * np.sum(part.total("draw_mw")),
    }


def _asleep_means(part: Part) -> dict[str, float]:
    """Return the mean numbers of nodes asleep, by the names of levels where they have names."""
    means = [asleep_in(part, [level]).mean() for level in levels_of(part)]
    names = [[str(row["name"])] for row in part.rows("sleep")] or [[]]
    return {
        column_of("asleep_mean_nodes", *name): mean for name, mean in zip(names, means, strict=True)
    }


AUDIT = KindAudit(
    columns=_columns,
    checks=(_check_nodes, check_sleep, check_answers, _check_jobs),
    lines=_lines,
    outside=_outside,
    flows=drawn_flows,
    uses={"compute": drawn_mwh},
    drawn={"compute"},
    meters={"drawn_mw": drawn_mw, "jobs_mw": _drawn_by_jobs},
    figures=_figures,
    codes=lambda plan, part: {"sleep": sleep_codes(plan, part)},
    reserve_share=lambda _: 1.0,
    here_and_now=lambda _, together: ("awake",) if together else (),
)
