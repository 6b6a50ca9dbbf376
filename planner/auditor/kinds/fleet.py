"""Whether the nodes of a fleet are all somewhere, draw their power, and wake as nodes do.

    whole        counts of nodes are whole where the fleet has whole_nodes (not in a relaxed plan)
    total        the nodes of a model at its points and reading input are those that are awake
    count        those awake, on jobs and asleep are all that are available
    it_kw        the power behind the meter is that of nodes at points, reading, on jobs and asleep
    power        what is drawn is the power behind the meter times PUE
    waking_up    nodes that are more awake than in the step before were woken
    waking       nodes that still wake idle; those of the past too, unless an outage took them
    spare        spare_nodes are awake and idle beside those that wake, over all models

What the nodes can answer, and the reserve that they offer, stands in `answering`.

Whether the nodes of a fleet could answer what the plan says, and give the reserve they offer.

For every model, with 0.0036 to turn tokens/s into Mtok/h:

    prefill        nodes that read input keep up with the input that is not in the cache
    decode         for every latency limit of the services, and for none: the work that must be that
                   fast fits on the nodes at points that are
    decode_burst   the same for interactive work alone with its headroom
    paused_nodes, paused_readers   no more nodes are to be paused than are at work
    paused_work, paused_input      ... than batch and market work needs
    reserve_power  reserve is at most what sleep would save of the nodes to be paused
    decode_kept, decode_burst_kept, prefill_kept
                   interactive work keeps nodes, headroom and readers when they are
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.kinds.job import job_holds
from planner.auditor.reading import Clock, Part, Plan
from planner.auditor.schedule import point_key, reserves_of, services_of


def check_fleet(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule on the counts, power and waking of a fleet."""
    serves = part.under("serves")
    awake, job_kw = job_holds(plan, part)  # nodes on jobs are not asleep
    it_kw = job_kw + part.number("sleep_kw") * part.column("asleep")
    for model in serves.fields:
        nodes = {
            point: part.column("nodes", model, point_key(point)) for point in points_of(part, model)
        }
        held = np.sum(list(nodes.values()), axis=0)
        it_kw = it_kw + sum(point.number("node_kw") * count for point, count in nodes.items())
        counts = list(nodes.values())
        if serves.under(model)["prefill"] is not None:
            reading = part.column("prefill_nodes", model)
            held = held + reading
            it_kw = it_kw + serves.under(model, "prefill").number("node_kw") * reading
            counts.append(reading)
        what = f"nodes of {model} at points and reading are"
        found.equal(part.name, "total", what, held, part.column("awake", model), "nodes")
        awake = awake + part.column("awake", model)
        if part["whole_nodes"] and not plan.relaxed:
            for count in counts:
                found.whole(part.name, "whole", f"nodes of {model} are", count)
    available = part.number("nodes") * part.series("available_pu")
    what = "nodes awake and asleep are"
    found.equal(part.name, "count", what, awake + part.column("asleep"), available, "nodes")
    found.equal(part.name, "it_kw", "it_kw is", part.column("it_kw"), it_kw, "kW")
    drawn = np.asarray(part.total("draw_mw"))
    found.equal(part.name, "power", "draws", drawn, pue(part) / 1000 * it_kw, "MW")
    _check_waking(plan.clock, part, available, found)


def points_of(part: Part, model: str) -> list[Part]:
    """Return the operating points of a model, by tokens/s: the awake idle point comes first."""
    points = part.under("serves", model).rows("points")
    return sorted(points, key=lambda point: point.number("tokens_per_s"))


def pue(part: Part) -> Array:
    """Return the facility power over the IT power; shape (steps,)."""
    if not isinstance(part["pue"], Mapping) or "csv" in part["pue"]:
        return part.series("pue")
    weather = part.under("pue")
    points = weather.rows("points")
    known = [point.number("temperature_c") for point in points]
    found = [point.number("pue") for point in points]
    return np.asarray(np.interp(weather.series("temperature_c"), known, found))


def _check_waking(clock: Clock, part: Part, available: Array, found: Findings) -> None:
    shares, spare = _wake_shares(clock, part), part.number("spare_nodes")
    idle: Array = np.zeros(clock.steps)
    past = _woken_before(clock, part, len(shares), available, spare)
    initial = part.under("initial", "awake")
    for model in part.under("serves").fields:
        awake, woken = part.column("awake", model), part.column("woken", model)
        before = initial.number(model) if model in initial.fields else 0.0
        risen = np.diff(awake, prepend=before)
        found.at_least(part.name, "waking_up", f"nodes of {model} woken:", woken, risen, "nodes",
                       size=awake)  # fmt: skip
        ext = np.concatenate([past[model][::-1], woken])
        waking = sum(
            (share * ext[len(shares) - i : len(shares) - i + clock.steps]
             for i, share in enumerate(shares)), np.zeros(clock.steps)
        )  # fmt: skip
        resting = part.column("nodes", model, point_key(points_of(part, model)[0]))
        what = f"nodes of {model} awake and idle:"
        found.at_least(part.name, "waking", what, resting, waking, "nodes")
        idle = idle + resting - waking
    what = "nodes kept awake and idle:"
    found.at_least(part.name, "spare", what, idle, spare, "nodes", size=available)


def _wake_shares(clock: Clock, part: Part) -> list[float]:
    """Return the part of each step after waking that a node spends waking, first step first."""
    steps = part.number("wake_min") / clock.step_min
    return [min(1.0, steps - i) for i in range(int(np.ceil(steps - 1e-9)))]


def _woken_before(
    clock: Clock, part: Part, reach: int, available: Array, spare: float
) -> dict[str, Array]:
    """Return the nodes woken in the steps before the horizon by model, latest first.

    They are awake and idle until they are done; where an outage leaves no room for them beside the
    spare nodes they are lost to it, alike for all models.
    """
    woken = part.under("initial", "woken")
    past = {}
    for model in part.under("serves").fields:
        given = woken[model] if model in woken.fields else []
        past[model] = np.array([*map(float, given), *[0.0] * reach][:reach])
    left = 1.0
    for t in range(min(reach - 1, clock.steps)):
        still = sum(float(nodes[: reach - 1 - t].sum()) for nodes in past.values())
        if still > 0:
            left = min(left, (available[t] - spare) / still)
    return {model: left * nodes for model, nodes in past.items()}


MTOK_PER_H = 0.0036  # of one token/s


def check_answering(plan: Plan, part: Part, found: Findings) -> None:
    """Note every rule on what a fleet answers, and on its reserve."""
    services, offers = services_of(plan, part), bool(reserves_of(plan, part))
    for model in part.under("serves").fields:
        mine = [service for service in services if service["model"] == model]
        points = points_of(part, model)[1:]
        nodes = {p: part.column("nodes", model, point_key(p)) for p in points}
        reads = part.under("serves", model)["prefill"] is not None
        reading = part.column("prefill_nodes", model) if reads else None
        _check_fits(part, model, mine, nodes, reading, found)
        if offers:
            _check_paused(part, model, mine, nodes, reading, found)
    if offers:
        _check_reserve(part, found)


def _check_fits(
    part: Part, model: str, services: list[Part], nodes: dict[Part, Array], reading: Array | None,
    found: Findings, kept: str = "",
) -> None:  # fmt: skip
    """Note where work does not fit on nodes."""
    answered = {s: part.column("answered_mtok_per_h", s.name) for s in services}
    quick = [s for s in services if s["demand_mtok_per_h"] is not None]
    headroom = {s: 1 + s.number("headroom_share") for s in quick}
    for rule, weights in (("decode", dict.fromkeys(services, 1.0)), ("decode_burst", headroom)):
        limits = {s["max_inter_token_ms"] for s in weights}
        for limit in limits | {None} if weights else set():
            work = sum(w * answered[s] for s, w in weights.items() if _within(s, limit))
            able = sum(
                MTOK_PER_H * p.number("tokens_per_s") * count
                for p, count in nodes.items()
                if _within(p, limit, "inter_token_ms")
            )
            able = able + np.zeros(len(part.column("asleep")))
            pace = "at any pace" if limit is None else f"within {limit:g} ms"
            what = f"{model} {pace}: work of"
            found.at_most(part.name, rule + kept, what, work, able, "Mtok/h")
    if reading is not None:
        speed = part.under("serves", model, "prefill").number("tokens_per_s")
        what, able = f"{model}: reads", MTOK_PER_H * speed * reading
        found.at_least(part.name, "prefill" + kept, what, able, _input(part, services), "Mtok/h")


def _within(part: Part, limit: float | None, field: str = "max_inter_token_ms") -> bool:
    """Whether a service asks for this limit or a tighter one, or a point meets it."""
    return limit is None or (part[field] is not None and part.number(field) <= limit)


def _input(part: Part, services: list[Part]) -> Array:
    """Return the input to be read for what a fleet answers of some services, Mtok/h."""
    total: Array = np.zeros(len(part.column("asleep")))
    for service in services:
        fresh = service.series("input_per_output") * (1 - service.series("cached_share"))
        total = total + fresh * part.column("answered_mtok_per_h", service.name)
    return total


def _check_paused(
    part: Part, model: str, services: list[Part], nodes: dict[Part, Array], reading: Array | None,
    found: Findings,
) -> None:  # fmt: skip
    interactive = [s for s in services if s["demand_mtok_per_h"] is not None]
    others = [s for s in services if s not in interactive]
    paused = {p: part.column("paused", model, point_key(p)) for p in nodes}
    for p, count in nodes.items():
        what = f"paused nodes of {model} at {point_key(p)} tokens/s:"
        found.at_most(part.name, "paused_nodes", what, paused[p], count, "nodes")
    work = sum(MTOK_PER_H * p.number("tokens_per_s") * count for p, count in paused.items())
    done = sum(
        (part.column("answered_mtok_per_h", s.name) for s in others), 0.0 * part.column("asleep")
    )
    found.at_most(part.name, "paused_work", f"{model}: pauses work of", work, done, "Mtok/h")
    still = None
    if reading is not None:
        resting = part.column("paused_prefill", model)
        speed = part.under("serves", model, "prefill").number("tokens_per_s")
        what = f"paused readers of {model}:"
        found.at_most(part.name, "paused_readers", what, resting, reading, "nodes")
        what, work = f"{model}: pauses input of", MTOK_PER_H * speed * resting
        found.at_most(part.name, "paused_input", what, work, _input(part, others), "Mtok/h")
        still = reading - resting
    kept = {p: count - paused[p] for p, count in nodes.items()}
    _check_fits(part, model, interactive, kept, still, found, "_kept")


def _check_reserve(part: Part, found: Findings) -> None:
    saved: Array = np.zeros(len(part.column("asleep")))
    asleep_kw = part.number("sleep_kw")
    for model in part.under("serves").fields:
        for point in points_of(part, model)[1:]:
            kw = max(point.number("node_kw") - asleep_kw, 0.0)
            saved = saved + kw * part.column("paused", model, point_key(point))
        if part.under("serves", model)["prefill"] is not None:
            reader = part.under("serves", model, "prefill")
            kw = max(reader.number("node_kw") - asleep_kw, 0.0)
            saved = saved + kw * part.column("paused_prefill", model)
    held, most = part.total("reserve_mw"), pue(part) / 1000 * saved
    found.at_most(part.name, "reserve_power", "reserve is", held, most, "MW")
