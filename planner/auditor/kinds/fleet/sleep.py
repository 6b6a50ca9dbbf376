"""Audit of the sleep of a fleet: its levels, the moves between them, and waking.

    waking_up     a rise of the nodes awake from one step to the next has been woken, from any level
    waking        nodes that still wake idle; those of the past too, unless an outage took them
    spare         spare_nodes are awake and idle besides those that wake, over all models
    woken_from    nodes leave a level only woken, for a model or a job, or in an outage
    fallen_asleep   nodes enter a level with drain_min only if slept says so, or after an outage
    slept_asleep  nodes that go to a level are there until they have drained, unless an outage took
                  them
    woken_awake   nodes that wake are awake in that step
    outage        nodes that outages bring to levels, or take from them, are at most those that the
                  nodes available rise or fall by
    for_jobs      nodes woken for jobs are at most those of the jobs that start
    ramp_up, ramp_down   the nodes awake change by ramp_nodes_per_h at most, outages aside
    catch_up_free   nodes that could catch up with work sleep in the plan, in a level that wakes no
                  slower than the one in which nodes pause, or idle and neither wake nor are spare;
                  none sleep where ramp_nodes_per_h is given

A fleet with one level without drain_min has columns without the name of the level, and of these
rules only those on waking, spare nodes, ramps and catching up.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from planner.auditor.findings import Array, Notes
from planner.auditor.kinds.fleet.levels import Level, levels_of, pause_wake_min
from planner.auditor.kinds.fleet.work import available_nodes, jobs_on, key_of, points_of
from planner.auditor.kinds.reserve import reserve_columns
from planner.auditor.plan_files import Clock
from planner.auditor.reading import Part, Plan, column_of
from planner.message import Message


def sleep_columns(part: Part, *, has_jobs: bool) -> set[str]:
    """Return the columns of nodes that sleep and wake."""
    columns = set()
    for level in levels_of(part):
        columns |= {column_of("asleep", *level.key)}
        columns |= {column_of("woken", *level.key, m) for m in part.under("serves").fields}
        if level.key:
            columns |= {column_of("outage_nodes", *level.key)}
            columns |= {column_of("woken_for_jobs", *level.key)} if has_jobs else set()
            columns |= {column_of("slept", *level.key)} if level.drain_min else set()
    return columns


def asleep_in(part: Part, levels: Iterable[Level]) -> Array:
    """Return the nodes asleep in some levels by step."""
    return sum((part.column("asleep", *level.key) for level in levels), part.zeros)


def asleep_kw(clock: Clock, part: Part) -> Array:
    """Return the power of nodes that sleep, or drain before they do."""
    idle_kw = max(points_of(part, m)[0].number("node_kw") for m in part.under("serves").fields)
    kw = part.zeros
    for level in levels_of(part):
        kw = kw + level.node_kw * part.column("asleep", *level.key)
        if level.drain_min:
            past = _latest_first(part, "slept", *level.key)
            draining = _still(clock, level.drain_min, part.column("slept", *level.key), past)
            kw = kw + max(idle_kw - level.node_kw, 0.0) * draining
    return kw


def wake_cost(part: Part) -> tuple[Array, float]:
    """Return the cost of waking by step, and the highest of a node."""
    models, levels = part.under("serves").fields, levels_of(part)
    woken = [(v, part.column("woken", *v.key, m)) for v in levels for m in models]
    cost = sum((level.wake_cost_cny * nodes for level, nodes in woken), part.zeros)
    return cost, max(level.wake_cost_cny for level in levels)


def check_sleep(plan: Plan, part: Part, note: Notes) -> None:
    """Note every rule on sleeping and waking nodes."""
    available = available_nodes(part)
    _check_waking(plan, part, available, note)
    change = np.diff(available, prepend=max(available[0], _known_before(plan, part)))
    levels = levels_of(part)
    if levels[0].key:
        _check_levels(plan, part, change, note)
    if part["ramp_nodes_per_h"] is not None:
        awake = sum((part.column("awake", m) for m in part.under("serves").fields), part.zeros)
        rise = np.diff(awake, prepend=sum(_numbers(part, "awake").values()))
        most = part.number("ramp_nodes_per_h") * plan.clock.step_h
        what = Message("nodes awake rise by")
        note.at_most("ramp_up", what, rise, most, "nodes", size=awake)
        what = Message("nodes awake fall by")
        note.at_most("ramp_down", what, -rise, most + np.maximum(-change, 0.0), "nodes", size=awake)


def _numbers(part: Part, field: str) -> dict[str, float]:
    """Return the nodes that `initial` names in a field."""
    named = part.under("initial", field)
    return {name: named.number(name) for name in named.fields}


def _known_before(plan: Plan, part: Part) -> float:
    """Return the nodes that are known to be there just before the horizon."""
    named = (*_numbers(part, "awake").values(), *_numbers(part, "asleep").values())
    return float(_on_jobs(plan, part)[0]) + sum(named)


def _on_jobs(plan: Plan, part: Part) -> Array:
    """Return the nodes of jobs that run on when the horizon begins, by step."""
    running = part.zeros.copy()
    for job in jobs_on(plan, part):
        run_h = job.under("initial").number("hours_run")
        if run_h > 0:
            running[: max(plan.clock.up(job.number("duration_h") - run_h), 0)] += job.number(
                "nodes"
            )
    return running


def _check_levels(plan: Plan, part: Part, change: Array, note: Notes) -> None:
    """Note where nodes move between levels without waking, or sleep without draining."""
    named, levels, models = _numbers(part, "asleep"), levels_of(part), part.under("serves").fields
    spread, jobs = part.zeros, part.zeros
    size = part.number("nodes")
    for i, level in enumerate(levels):
        (name,) = level.key
        asleep, drains = part.column("asleep", name), level.drain_min > 0
        start = named.get(name, 0.0)
        if i == 0 and not named:
            known = _known_before(plan, part)
            start += max(available_nodes(part)[0] - known, 0.0)
        rise = np.diff(asleep, prepend=start)
        outage = part.column("outage_nodes", name)
        brought, spread = np.sign(change) * outage, spread + outage
        woken = sum((part.column("woken", name, m) for m in models), part.zeros)
        for_jobs = part.optional("woken_for_jobs", name)
        jobs = jobs + for_jobs
        slept = part.column("slept", name) if drains else part.zeros
        what = Message("nodes woken from {name}:", name=name)
        least = slept + brought - rise
        note.at_least("woken_from", what, woken + for_jobs, least, "nodes", size=size)
        if drains:
            what = Message("nodes that went to {name}:", name=name)
            note.at_least("fallen_asleep", what, slept, rise - brought, "nodes", size=size)
            past, lost = _latest_first(part, "slept", name), np.maximum(-brought, 0.0)
            for k in range(1, len(_shares(plan.clock, level.drain_min)) + 1):
                draining = _still(plan.clock, k * plan.clock.step_min, slept, past)
                lost_since = _still(plan.clock, (k - 1) * plan.clock.step_min, lost, np.zeros(0))
                still = draining - lost_since + np.maximum(brought, 0.0)
                note.at_most("slept_asleep", what, still, asleep, "nodes", size=size)
    what = Message("nodes of outages that sleep:")
    note.at_most("outage", what, spread, np.abs(change), "nodes", size=size)
    starting = plan.sum(job.number("nodes") * job.column("start") for job in jobs_on(plan, part))
    what = Message("nodes woken for jobs:")
    note.at_most("for_jobs", what, jobs, starting, "nodes", size=size)


def _check_waking(plan: Plan, part: Part, available: Array, note: Notes) -> None:
    clock, levels, spare = plan.clock, levels_of(part), part.number("spare_nodes")
    idle, initial = part.zeros, _numbers(part, "awake")
    left = _left_of_past(clock, part, available - spare - _on_jobs(plan, part))
    for model in part.under("serves").fields:
        awake, woken, waking = part.column("awake", model), part.zeros, part.zeros
        for level in levels:
            nodes = part.column("woken", *level.key, model)
            past = left * _latest_first(part, "woken", *level.key, model)
            woken, waking = woken + nodes, waking + _still(clock, level.wake_min, nodes, past)
        risen = np.diff(awake, prepend=initial.get(model, 0.0))
        what = Message("nodes of {name} woken:", name=model)
        note.at_least("waking_up", what, woken, risen, "nodes", size=awake)
        if levels[0].key:
            note.at_most("woken_awake", what, woken, awake, "nodes", size=awake)
        resting = part.column("nodes", model, key_of(points_of(part, model)[0]))
        what = Message("nodes of {name} awake and idle:", name=model)
        note.at_least("waking", what, resting, waking, "nodes")
        idle = idle + resting - waking
    what = Message("nodes kept awake and idle:")
    note.at_least("spare", what, idle, spare, "nodes", size=available)
    if reserve_columns(plan, part):
        ready = [level for level in levels if level.wake_min <= pause_wake_min(part)]
        ready = ready if part["ramp_nodes_per_h"] is None else []
        catching = part.total("catch_up_nodes") + part.total("catch_up_prefill_nodes")
        what, free = Message("nodes that could catch up:"), asleep_in(part, ready) + idle - spare
        note.at_most("catch_up_free", what, catching, free, "nodes", size=available)


def _shares(clock: Clock, minutes: float) -> list[float]:
    """Return the share of each step that a time takes, from the step in which it begins."""
    steps = minutes / clock.step_min
    return [min(1.0, steps - i) for i in range(int(np.ceil(steps - 1e-9)))]


def _still(clock: Clock, minutes: float, nodes: Array, past: Array) -> Array:
    """Return the nodes that are still at something which takes minutes, as a mean of each step.

    nodes: that begin with it, by step. past: the same before the horizon, latest first.
    """
    shares = _shares(clock, minutes)
    before = np.zeros(len(shares))
    count = min(len(past), len(shares))
    before[len(shares) - count :] = past[:count][::-1]
    all_nodes, still = np.concatenate([before, nodes]), np.zeros(len(nodes))
    for i, share in enumerate(shares):
        start = len(shares) - i
        still = still + share * all_nodes[start : start + len(nodes)]
    return still


def _latest_first(part: Part, field: str, *index: str) -> Array:
    """Return the nodes of the steps before the horizon at an index, latest first."""
    named, key = part.under("initial", field), "|".join(index)
    return np.array(list(map(float, named[key])) if key in named.fields else [], dtype=float)


def _left_of_past(clock: Clock, part: Part, room: Array) -> float:
    """Return the share of the nodes woken before the horizon that outages leave.

    They are awake and idle until they have woken; an outage that leaves no room for them besides
    the spare nodes and those of jobs that run on takes the same share of them from all models and
    levels.
    """
    left, longest = 1.0, 0
    pasts = []
    for level in levels_of(part):
        reach = len(_shares(clock, level.wake_min))
        longest = max(longest, reach)
        pasts += [
            (reach, _latest_first(part, "woken", *level.key, model))
            for model in part.under("serves").fields
        ]
    for t in range(min(longest - 1, clock.steps)):
        waking = sum(float(past[: max(reach - 1 - t, 0)].sum()) for reach, past in pasts)
        if waking > 0:
            left = min(left, room[t] / waking)
    return left
