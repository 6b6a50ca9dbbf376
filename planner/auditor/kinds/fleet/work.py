"""Audit of the work of a fleet: its capacity, and the reserve of nodes that may pause.

Work answered, for every model, with 0.0036 to turn tokens/s into Mtok/h:

    prefill        nodes that read input keep up with the input that is not in the cache
    decode         for every set of points that together meet the latency limits of some services,
                   and for all points: the work of the services that may use no others fits on the
                   nodes at these points
    decode_burst   the same for interactive work alone with its headroom

Reserve offered, which is power saved by pausing nodes:

    paused_nodes, paused_readers   the nodes paused for all reserves are at most those at work
    put_off        the work put off for all reserves is at most the batch and market work answered
    paused_work, paused_input      the work of the nodes paused for a reserve is at most what it
                   puts off
    reserve_power  each reserve is at most the power saved if its paused nodes sleep, in the level
                   without drain_min that draws least; if there is none, if they idle
    decode_kept, decode_burst_kept, prefill_kept
                   the nodes not paused suffice for the work not put off, for interactive work with
                   its headroom, and for their input
    decode_caught_up, prefill_caught_up   with the nodes that catch up, the nodes of the plan
                   suffice for interactive work, batch work and the batch work caught up with
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.auditor.findings import Array, Notes
from planner.auditor.kinds.fleet.levels import pause_level
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


def jobs_on(plan: Plan, part: Part) -> list[Part]:
    """Return the jobs of a fleet."""
    return [job for job in plan.of_kind("job") if job["fleet"] == part.name]


def available_nodes(part: Part) -> Array:
    """Return the available nodes by step."""
    return part.number("nodes") * part.series("available_pu")


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


def _is_interactive(service: Part) -> bool:
    return service["demand_mtok_per_h"] is not None


def _is_batch(service: Part) -> bool:
    return service["arrivals_mtok_per_h"] is not None


ByPart = dict[Part, Array]  # nodes by operating point, or Mtok/h by service


def check_answers(plan: Plan, part: Part, note: Notes) -> None:
    """Note where the nodes could not answer, or could not provide the reserve offered."""
    saved_kw = {reserve.name: part.zeros for reserve in reserves_of(plan, part)}
    for name in part.under("serves").fields:
        services = [service for service in services_of(plan, part) if service["model"] == name]
        idle, *decoders = points_of(part, name)
        model = _Model(part, name, idle, decoders, prefill_of(part, name), services, note)
        nodes, answered = model.nodes("nodes", "prefill_nodes"), model.work("answered_mtok_per_h")
        model.check_fits(answered, nodes)
        model.check_headroom(answered, nodes)
        if saved_kw:
            model.check_paused(answered, nodes, saved_kw)
            model.check_caught_up(answered, nodes)
    for name, kw in saved_kw.items():
        what, reserve = Message("reserve for {name} is", name=name), part.column("reserve_mw", name)
        note.at_most("reserve_power", what, reserve, pue_of(part) / 1000 * kw, "MW")


@dataclass(frozen=True)
class _Model:
    """A model of a fleet: the points at which its nodes decode, and read, and its services."""

    fleet: Part
    name: str
    idle: Part
    decoders: list[Part]
    readers: list[Part]
    services: list[Part]
    note: Notes

    def nodes(self, decoding: str, reading: str, *index: str) -> ByPart:
        """Return two quantities of nodes by operating point: decoding and reading ones."""
        column, name = self.fleet.optional, self.name
        counts = {p: column(decoding, *index, name, key_of(p)) for p in self.decoders}
        return counts | {p: column(reading, *index, name) for p in self.readers}

    def work(self, quantity: str, *index: str) -> ByPart:
        """Return a quantity of tokens by service, Mtok/h."""
        return {s: self.fleet.optional(quantity, *index, s.name) for s in self.services}

    def check_fits(self, work: ByPart, nodes: ByPart, suffix: str = "") -> None:
        """Note where work and its input do not fit on nodes; the rules end in `suffix`."""
        self._check_decode(work, nodes, "decode" + suffix)
        if self.readers:
            what = Message("{name}: reads", name=self.name)
            read = self._tokens(nodes, self.readers)
            self.note.at_least("prefill" + suffix, what, read, self._input(work), "Mtok/h")

    def check_headroom(self, work: ByPart, nodes: ByPart, suffix: str = "") -> None:
        """Note where interactive work does not fit on nodes with its headroom."""
        with_headroom = {
            s: (1 + s.number("headroom_share")) * mtok
            for s, mtok in work.items()
            if _is_interactive(s)
        }
        self._check_decode(with_headroom, nodes, "decode_burst" + suffix)

    def _check_decode(self, work: ByPart, nodes: ByPart, rule: str) -> None:
        usable = {s: frozenset(p for p in self.decoders if _meets(p, s)) for s in work}
        unions = {frozenset(self.decoders)} if work else set[frozenset[Part]]()
        for points in usable.values():
            unions |= {points | union for union in unions} | {points}
        for union in sorted(unions, key=len):
            inside = [s for s, points in usable.items() if points <= union]
            names = ", ".join(s.name for s in inside)
            what = Message("{name}: work of {names} is", name=self.name, names=names)
            asked, within = sum(work[s] for s in inside), [p for p in self.decoders if p in union]
            self.note.at_most(rule, what, asked, self._tokens(nodes, within), "Mtok/h")

    def check_paused(self, answered: ByPart, nodes: ByPart, saved_kw: dict[str, Array]) -> None:
        """Note where more pauses than there is, or too little stays at work.

        saved_kw: the IT power that pausing saves, by reserve; that of this model is added.
        """
        left, kept, pause = nodes, answered, pause_level(self.fleet)
        asleep_kw = pause.node_kw if pause else self.idle.number("node_kw")
        for reserve in saved_kw:
            paused = self.nodes("paused", "paused_prefill", reserve)
            put_off = self.work("put_off_mtok_per_h", reserve)
            what = Message("{name}: pauses work of", name=self.name)
            total, stopped = self._sum(put_off), self._tokens(paused, self.decoders)
            self.note.at_most("paused_work", what, stopped, total, "Mtok/h")
            if self.readers:
                what = Message("{name}: pauses input of", name=self.name)
                total, stopped = self._input(put_off), self._tokens(paused, self.readers)
                self.note.at_most("paused_input", what, stopped, total, "Mtok/h")
            saved_kw[reserve] = saved_kw[reserve] + self._sum({
                p: max(p.number("node_kw") - asleep_kw, 0.0) * count for p, count in paused.items()
            })  # fmt: skip
            left = {p: count - paused[p] for p, count in left.items()}
            kept = {s: mtok - put_off[s] for s, mtok in kept.items()}
        for p in self.decoders:
            what = Message(
                "paused nodes of {name} at {speed} tokens/s:", name=self.name, speed=key_of(p)
            )
            self.note.at_most("paused_nodes", what, nodes[p] - left[p], nodes[p], "nodes")
        for p in self.readers:
            what = Message("paused readers of {name}:", name=self.name)
            self.note.at_most("paused_readers", what, nodes[p] - left[p], nodes[p], "nodes")
        for service, work in kept.items():
            what = Message("work of {name} that is not put off:", name=service.name)
            self.note.at_least("put_off", what, work, 0.0, "Mtok/h")
        self.check_fits(kept, left, "_kept")
        self.check_headroom(kept, left, "_kept")

    def check_caught_up(self, answered: ByPart, nodes: ByPart) -> None:
        """Note where work could not be caught up with as fast as stated."""
        more = self.work("catch_up_mtok_per_h")
        work = {
            s: mtok + more[s] for s, mtok in answered.items() if _is_interactive(s) or _is_batch(s)
        }
        besides = self.nodes("catch_up_nodes", "catch_up_prefill_nodes")
        self.check_fits(work, {p: n + besides[p] for p, n in nodes.items()}, "_caught_up")

    def _sum(self, amounts: ByPart) -> Array:
        return sum(amounts.values(), self.fleet.zeros)

    def _tokens(self, nodes: ByPart, points: list[Part]) -> Array:
        """Return the tokens that nodes answer, or read, at some points, Mtok/h."""
        return self._sum({p: MTOK_PER_H * p.number("tokens_per_s") * nodes[p] for p in points})

    def _input(self, work: ByPart) -> Array:
        """Return the input to be read for answers, Mtok/h."""
        return self._sum({
            s: s.series("input_per_output") * (1 - s.series("cached_share")) * mtok
            for s, mtok in work.items()
        })  # fmt: skip


def _meets(point: Part, service: Part) -> bool:
    """Return whether the latencies of a point are within the limits of a service, where given."""
    return all(
        service[f"max_{latency}"] is None
        or (
            point[latency] is not None and point.number(latency) <= service.number(f"max_{latency}")
        )
        for latency in ("inter_token_ms", "first_token_ms")
    )
