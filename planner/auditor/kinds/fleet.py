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

Work answered, for every model, with 0.0036 to turn tokens/s into Mtok/h:

    prefill        nodes that read input keep up with the input that is not in the cache
    decode         for every latency limit of the services, and for none: the work within that
                   limit fits on the nodes at points within it
    decode_burst   the same for interactive work alone with its headroom

Reserve offered, which is power saved by pausing nodes:

    paused_nodes, paused_readers   paused nodes are at most those at work
    paused_work, paused_input      their work is at most that of batch and market services
    reserve_power  reserve is at most the power saved if the paused nodes sleep
    decode_kept, decode_burst_kept, prefill_kept
                   the nodes not paused suffice for interactive work, its headroom and its input
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes, column_is
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

MTOK_PER_H = 0.0036  # of one token/s


def _columns(plan: Plan, part: Part) -> set[str]:
    reserves = reserve_columns(plan, part)
    columns = {"asleep", "it_kw"} | columns_by_origin(plan, "draw_mw") | reserves
    columns |= {"job_nodes", "job_kw"} if _jobs_on(plan, part) else set()
    columns |= {column_of("answered_mtok_per_h", s.name) for s in services_of(plan, part)}
    for model in part.under("serves").fields:
        columns |= {column_of("awake", model), column_of("woken", model)}
        keys = [_key(point) for point in _points(part, model)]
        columns |= {column_of("nodes", model, key) for key in keys}
        columns |= {column_of("prefill_nodes", model) for _ in _prefill(part, model)}
        if reserves:
            columns |= {column_of("paused", model, key) for key in keys[1:]}
            columns |= {column_of("paused_prefill", model) for _ in _prefill(part, model)}
    return columns


def _points(part: Part, model: str) -> list[Part]:
    """Return the operating points of a model by tokens/s; the first is awake and idle."""
    points = part.under("serves", model).rows("points")
    return sorted(points, key=lambda point: point.number("tokens_per_s"))


def _prefill(part: Part, model: str) -> list[Part]:
    """Return the point at which nodes of a model read input; none if they read none."""
    served = part.under("serves", model)
    return [] if served["prefill"] is None else [served.under("prefill")]


def _key(point: Part) -> str:
    """Return the name of an operating point in columns: its tokens/s."""
    return f"{point.number('tokens_per_s'):g}"


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
        counts = {point: part.column("nodes", model, _key(point)) for point in _points(part, model)}
        counts |= {point: part.column("prefill_nodes", model) for point in _prefill(part, model)}
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
    note.equal("power", Message("draws"), drawn, _pue(part) / 1000 * it_kw, "MW")
    _check_waking(plan.clock, part, available, note)


def _available(part: Part) -> Array:
    """Return the available nodes by step."""
    return part.number("nodes") * part.series("available_pu")


def _pue(part: Part) -> Array:
    """Return the facility power over the IT power; shape (steps,)."""
    if not part.is_mapping("pue"):
        return part.series("pue")
    weather = part.under("pue")
    points = weather.rows("points")
    known, factors = ([point.number(f) for point in points] for f in ("temperature_c", "pue"))
    return np.asarray(np.interp(weather.series("temperature_c"), known, factors))


def _check_waking(clock: Clock, part: Part, available: Array, note: Notes) -> None:
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
        resting = part.column("nodes", model, _key(_points(part, model)[0]))
        what = Message("nodes of {name} awake and idle:", name=model)
        note.at_least("waking", what, resting, waking, "nodes")
        idle = idle + resting - waking
    what = Message("nodes kept awake and idle:")
    note.at_least("spare", what, idle, spare, "nodes", size=available)


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


Nodes = dict[Part, Array]  # by operating point


def _check_answers(plan: Plan, part: Part, note: Notes) -> None:
    """Note where the nodes could not answer, or could not provide the reserve offered."""
    services, offers = services_of(plan, part), bool(reserve_columns(plan, part))
    saved_kw, sleep_kw = part.zeros, part.number("sleep_kw")
    for model in part.under("serves").fields:
        of_model = [service for service in services if service["model"] == model]
        nodes = {p: part.column("nodes", model, _key(p)) for p in _points(part, model)[1:]}
        readers = {p: part.column("prefill_nodes", model) for p in _prefill(part, model)}
        _check_fits(part, model, of_model, nodes, readers, note)
        if offers:
            paused = {p: part.column("paused", model, _key(p)) for p in nodes}
            resting = {p: part.column("paused_prefill", model) for p in readers}
            _check_paused(part, model, of_model, nodes, paused, readers, resting, note)
            for p, count in (paused | resting).items():
                saved_kw = saved_kw + max(p.number("node_kw") - sleep_kw, 0.0) * count
    if offers:
        reserve, saved_mw = part.total("reserve_mw"), _pue(part) / 1000 * saved_kw
        note.at_most("reserve_power", Message("reserve is"), reserve, saved_mw, "MW")


def _check_fits(
    part: Part, model: str, services: list[Part], nodes: Nodes, readers: Nodes, note: Notes,
    suffix: str = "",
) -> None:  # fmt: skip
    """Note where work does not fit on nodes; the rules end in `suffix`."""
    answered = {s: part.column("answered_mtok_per_h", s.name) for s in services}
    headroom = {s: 1 + s.number("headroom_share") for s in services if _is_interactive(s)}
    for rule, weights in (("decode", dict.fromkeys(services, 1.0)), ("decode_burst", headroom)):
        limits = {s["max_inter_token_ms"] for s in weights}
        for limit in limits | {None} if weights else set():
            work = sum(w * answered[s] for s, w in weights.items() if _within(s, limit))
            within = {p: n for p, n in nodes.items() if _within(p, limit, "inter_token_ms")}
            if limit is None:
                what = Message("{name} at any pace: work of", name=model)
            else:
                what = Message("{name} within {limit:g} ms: work of", name=model, limit=limit)
            note.at_most(rule + suffix, what, work, _work(part, within), "Mtok/h")
    if readers:
        what, fresh = Message("{name}: reads", name=model), _input(part, services)
        note.at_least("prefill" + suffix, what, _work(part, readers), fresh, "Mtok/h")


def _is_interactive(service: Part) -> bool:
    return service["demand_mtok_per_h"] is not None


def _work(part: Part, nodes: Nodes) -> Array:
    """Return the tokens that nodes answer, or read, at their points, Mtok/h."""
    work = (MTOK_PER_H * p.number("tokens_per_s") * count for p, count in nodes.items())
    return np.asarray(sum(work, part.zeros))


def _within(part: Part, limit: float | None, field: str = "max_inter_token_ms") -> bool:
    """Return whether the limit of a service, or the latency of a point, is within a limit."""
    return limit is None or (part[field] is not None and part.number(field) <= limit)


def _input(part: Part, services: list[Part]) -> Array:
    """Return the input to be read for the answers of a fleet to some services, Mtok/h."""
    total = part.zeros
    for service in services:
        fresh = service.series("input_per_output") * (1 - service.series("cached_share"))
        total = total + fresh * part.column("answered_mtok_per_h", service.name)
    return total


def _check_paused(
    part: Part, model: str, services: list[Part], nodes: Nodes, paused: Nodes, readers: Nodes,
    resting: Nodes, note: Notes,
) -> None:  # fmt: skip
    """Note where more nodes or readers are to be paused than work allows."""
    others = [s for s in services if not _is_interactive(s)]
    for p, count in nodes.items():
        what = Message("paused nodes of {name} at {speed} tokens/s:", name=model, speed=_key(p))
        note.at_most("paused_nodes", what, paused[p], count, "nodes")
    answered = sum((part.column("answered_mtok_per_h", s.name) for s in others), part.zeros)
    what = Message("{name}: pauses work of", name=model)
    note.at_most("paused_work", what, _work(part, paused), answered, "Mtok/h")
    for p, count in readers.items():
        what = Message("paused readers of {name}:", name=model)
        note.at_most("paused_readers", what, resting[p], count, "nodes")
        what, fresh = Message("{name}: pauses input of", name=model), _input(part, others)
        note.at_most("paused_input", what, _work(part, resting), fresh, "Mtok/h")
    interactive = [s for s in services if _is_interactive(s)]
    nodes_left = {p: count - paused[p] for p, count in nodes.items()}
    readers_left = {p: count - resting[p] for p, count in readers.items()}
    _check_fits(part, model, interactive, nodes_left, readers_left, note, "_kept")


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
    checks=(_check_nodes, _check_answers, _check_jobs),
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
