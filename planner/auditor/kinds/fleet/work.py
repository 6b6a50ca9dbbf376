"""Audit of the work of a fleet: its capacity, and the reserve of nodes that may pause.

Work answered, for every model, with 0.0036 to turn tokens/s into Mtok/h:

    prefill        nodes that read input keep up with the input that is not in the cache
    decode         for every latency limit of the services, and for none: the work within that
                   limit fits on the nodes at points within it
    decode_burst   the same for interactive work alone with its headroom

Reserve offered, which is power saved by pausing nodes:

    paused_nodes, paused_readers   the nodes paused for all reserves are at most those at work
    put_off        the work put off for all reserves is at most the batch and market work answered
    paused_work, paused_input      the work of the nodes paused for a reserve is at most what it
                   puts off
    reserve_power  each reserve is at most the power saved if its paused nodes sleep
    decode_kept, decode_burst_kept, prefill_kept
                   the nodes not paused suffice for the work not put off, for interactive work with
                   its headroom, and for their input
    decode_caught_up, prefill_caught_up   with the nodes that catch up, the nodes of the plan
                   suffice for interactive work, batch work and the batch work caught up with
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planner.auditor.findings import Array, Notes
from planner.auditor.kinds.reserve import reserves_of
from planner.auditor.kinds.service import services_of
from planner.auditor.reading import Part, Plan, column_of
from planner.message import Message

MTOK_PER_H = 0.0036  # of one token/s


def points_of(part: Part, model: str) -> list[Part]:
    """Return the operating points of a model by tokens/s; the first is awake and idle."""
    points = part.under("serves", model).rows("points")
    return sorted(points, key=lambda point: point.number("tokens_per_s"))


def prefill_of(part: Part, model: str) -> list[Part]:
    """Return the point at which nodes of a model read input; none if they read none."""
    served = part.under("serves", model)
    return [] if served["prefill"] is None else [served.under("prefill")]


def key_of(point: Part) -> str:
    """Return the name of an operating point in columns: its tokens/s."""
    return f"{point.number('tokens_per_s'):g}"


def pue_of(part: Part) -> Array:
    """Return the facility power over the IT power; shape (steps,)."""
    if not part.is_mapping("pue"):
        return part.series("pue")
    weather = part.under("pue")
    points = weather.rows("points")
    known, factors = ([point.number(f) for point in points] for f in ("temperature_c", "pue"))
    return np.asarray(np.interp(weather.series("temperature_c"), known, factors))


def columns_of_pausing(plan: Plan, part: Part, model: str) -> set[str]:
    """Return the columns of the work and nodes of a model that pause for reserve."""
    services = [s for s in services_of(plan, part) if s["model"] == model]
    others = [s.name for s in services if not _is_interactive(s)]
    keys, reads = [key_of(point) for point in points_of(part, model)[1:]], prefill_of(part, model)
    columns = set()
    for reserve in reserves_of(plan, part):
        columns |= {column_of("paused", reserve.name, model, key) for key in keys}
        columns |= {column_of("paused_prefill", reserve.name, model) for _ in reads}
        columns |= {column_of("put_off_mtok_per_h", reserve.name, name) for name in others}
    if any(_is_batch(s) for s in services_of(plan, part)):
        columns |= {column_of("catch_up_nodes", model, key) for key in keys}
        columns |= {column_of("catch_up_prefill_nodes", model) for _ in reads}
        columns |= {column_of("catch_up_mtok_per_h", s.name) for s in services if _is_batch(s)}
    return columns


Nodes = dict[Part, Array]  # by operating point; or Mtok/h by service


def check_answers(plan: Plan, part: Part, note: Notes) -> None:
    """Note where the nodes could not answer, or could not provide the reserve offered."""
    services = services_of(plan, part)
    saved_kw = {reserve.name: part.zeros for reserve in reserves_of(plan, part)}
    for model in part.under("serves").fields:
        of_model = [service for service in services if service["model"] == model]
        nodes = {p: part.column("nodes", model, key_of(p)) for p in points_of(part, model)[1:]}
        readers = {p: part.column("prefill_nodes", model) for p in prefill_of(part, model)}
        answered = {s: part.column("answered_mtok_per_h", s.name) for s in of_model}
        _check_fits(part, model, answered, nodes, readers, note)
        _check_headroom(part, model, answered, nodes, note)
        paused, resting = dict.fromkeys(nodes, part.zeros), dict.fromkeys(readers, part.zeros)
        kept = answered
        for name in saved_kw:
            pausing = _Pausing(
                {p: part.column("paused", name, model, key_of(p)) for p in nodes},
                {p: part.column("paused_prefill", name, model) for p in readers},
                {s: part.column("put_off_mtok_per_h", name, s.name)
                 for s in of_model if not _is_interactive(s)},
            )  # fmt: skip
            _check_paused(part, model, pausing, note)
            saved_kw[name] = saved_kw[name] + _saved_kw(part, pausing)
            paused = {p: count + pausing.nodes[p] for p, count in paused.items()}
            resting = {p: count + pausing.readers[p] for p, count in resting.items()}
            kept = {s: work - pausing.put_off.get(s, 0.0) for s, work in kept.items()}
        if saved_kw:
            _check_kept(part, model, kept, nodes, paused, readers, resting, note)
            _check_caught_up(part, model, answered, nodes, readers, note)
    for name, kw in saved_kw.items():
        what, reserve = Message("reserve for {name} is", name=name), part.column("reserve_mw", name)
        note.at_most("reserve_power", what, reserve, pue_of(part) / 1000 * kw, "MW")


class _Pausing(NamedTuple):
    """What pauses of a model for a reserve: nodes, readers, and the work put off by service."""

    nodes: Nodes
    readers: Nodes
    put_off: Nodes


def _saved_kw(part: Part, pausing: _Pausing) -> Array:
    saved, sleep_kw = part.zeros, part.number("sleep_kw")
    for p, count in (pausing.nodes | pausing.readers).items():
        saved = saved + max(p.number("node_kw") - sleep_kw, 0.0) * count
    return saved


def _check_fits(
    part: Part, model: str, answered: Nodes, nodes: Nodes, readers: Nodes, note: Notes,
    suffix: str = "",
) -> None:  # fmt: skip
    """Note where work, by service, and its input do not fit on nodes; the rules end in `suffix`."""
    _check_decode(part, model, answered, nodes, note, "decode" + suffix)
    if readers:
        what, fresh = Message("{name}: reads", name=model), _input(part, answered)
        note.at_least("prefill" + suffix, what, _work(part, readers), fresh, "Mtok/h")


def _check_headroom(
    part: Part, model: str, answered: Nodes, nodes: Nodes, note: Notes, suffix: str = ""
) -> None:
    """Note where interactive work does not fit on nodes with its headroom."""
    with_headroom = {
        s: (1 + s.number("headroom_share")) * work
        for s, work in answered.items()
        if _is_interactive(s)
    }
    _check_decode(part, model, with_headroom, nodes, note, "decode_burst" + suffix)


def _check_decode(
    part: Part, model: str, answered: Nodes, nodes: Nodes, note: Notes, rule: str
) -> None:
    limits = {s["max_inter_token_ms"] for s in answered}
    for limit in limits | {None} if answered else set():
        work = sum(mtok for s, mtok in answered.items() if _within(s, limit))
        within = {p: n for p, n in nodes.items() if _within(p, limit, "inter_token_ms")}
        if limit is None:
            what = Message("{name} at any pace: work of", name=model)
        else:
            what = Message("{name} within {limit:g} ms: work of", name=model, limit=limit)
        note.at_most(rule, what, work, _work(part, within), "Mtok/h")


def _is_interactive(service: Part) -> bool:
    return service["demand_mtok_per_h"] is not None


def _is_batch(service: Part) -> bool:
    return service["arrivals_mtok_per_h"] is not None


def _work(part: Part, nodes: Nodes) -> Array:
    """Return the tokens that nodes answer, or read, at their points, Mtok/h."""
    work = (MTOK_PER_H * p.number("tokens_per_s") * count for p, count in nodes.items())
    return np.asarray(sum(work, part.zeros))


def _within(part: Part, limit: float | None, field: str = "max_inter_token_ms") -> bool:
    """Return whether the limit of a service, or the latency of a point, is within a limit."""
    return limit is None or (part[field] is not None and part.number(field) <= limit)


def _input(part: Part, answered: Nodes) -> Array:
    """Return the input to be read for answers, by service, Mtok/h."""
    total = part.zeros
    for service, work in answered.items():
        fresh = service.series("input_per_output") * (1 - service.series("cached_share"))
        total = total + fresh * work
    return total


def _check_paused(part: Part, model: str, pausing: _Pausing, note: Notes) -> None:
    """Note where more nodes or readers are to be paused for a reserve than the work put off."""
    what = Message("{name}: pauses work of", name=model)
    total = sum(pausing.put_off.values(), part.zeros)
    note.at_most("paused_work", what, _work(part, pausing.nodes), total, "Mtok/h")
    if pausing.readers:
        what, fresh = Message("{name}: pauses input of", name=model), _input(part, pausing.put_off)
        note.at_most("paused_input", what, _work(part, pausing.readers), fresh, "Mtok/h")


def _check_kept(
    part: Part, model: str, kept: Nodes, nodes: Nodes, paused: Nodes, readers: Nodes,
    resting: Nodes, note: Notes,
) -> None:  # fmt: skip
    """Note where more pauses, for all reserves, than there is, or too little is left at work."""
    for p, count in nodes.items():
        what = Message("paused nodes of {name} at {speed} tokens/s:", name=model, speed=key_of(p))
        note.at_most("paused_nodes", what, paused[p], count, "nodes")
    for p, count in readers.items():
        what = Message("paused readers of {name}:", name=model)
        note.at_most("paused_readers", what, resting[p], count, "nodes")
    for service, work in kept.items():
        what = Message("work of {name} that is not put off:", name=service.name)
        note.at_least("put_off", what, work, 0.0, "Mtok/h")
    nodes_left = {p: count - paused[p] for p, count in nodes.items()}
    readers_left = {p: count - resting[p] for p, count in readers.items()}
    _check_fits(part, model, kept, nodes_left, readers_left, note, "_kept")
    _check_headroom(part, model, kept, nodes_left, note, "_kept")


def _check_caught_up(
    part: Part, model: str, answered: Nodes, nodes: Nodes, readers: Nodes, note: Notes
) -> None:
    """Note where work could not be caught up with as fast as stated."""
    work = {
        s: mtok + part.optional("catch_up_mtok_per_h", s.name)
        for s, mtok in answered.items()
        if _is_interactive(s) or _is_batch(s)
    }
    nodes = {p: n + part.optional("catch_up_nodes", model, key_of(p)) for p, n in nodes.items()}
    readers = {p: n + part.optional("catch_up_prefill_nodes", model) for p, n in readers.items()}
    _check_fits(part, model, work, nodes, readers, note, "_caught_up")
