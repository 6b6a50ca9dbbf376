"""Whether the nodes of a fleet could answer what the plan says, and give the reserve they offer.

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

import numpy as np

from planner.auditor.breach import Array, Findings
from planner.auditor.columns import point_key, reserves_of, services_of
from planner.auditor.fleet import points_of, pue
from planner.auditor.reading import Part, Plan

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
