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

The codes of the decision `sleep` agree with the nodes: where some `wakes` or `goes_to_sleep` they
leave or enter a level, outages aside; where some idle (`idles`, `held`) they neither wake nor are
spare, and none enters or leaves a level; `sleeps`: some do, and none enters or leaves one;
`all_awake`: none sleeps.

A fleet with one level without drain_min has columns without the name of the level, and of these
rules only those on waking, spare nodes, ramps and catching up.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from planner.auditor.findings import AT, Array, Notes
from planner.auditor.kinds.fleet.levels import Level, levels_of, pause_wake_min
from planner.auditor.kinds.fleet.work import available_nodes, jobs_on, key_of, points_of
from planner.auditor.kinds.reserve import reserve_columns
from planner.auditor.plan_files import Clock
from planner.auditor.reading import Codes, Part, Plan, column_of
from planner.message import Message

SOME = 2e-3  # nodes: where no more move, a reason may say that none does


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
    change = np.diff(available, prepend=_before(plan, part))
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
            steps = max(plan.clock.up(job.number("duration_h") - run_h), 0)
            running[:steps] += job.number("nodes")
    return running


def _before(plan: Plan, part: Part) -> float:
    """Return the nodes available just before the horizon.

    Where `initial` names nodes asleep, those that it names; others come back from an outage.
    """
    known = _known_before(plan, part)
    return known if _numbers(part, "asleep") else max(available_nodes(part)[0], known)


def _asleep_before(plan: Plan, part: Part, level: Level, *, first: bool) -> float:
    """Return the nodes in a level just before the horizon.

    The first has those not named, where no level is.
    """
    named = _numbers(part, "asleep")
    start = named.get(level.key[0], 0.0) if level.key else sum(named.values())
    return start + (_before(plan, part) - _known_before(plan, part) if first else 0.0)


def sleep_codes(plan: Plan, part: Part) -> Codes:
    """Return where each code of the decision `sleep` may stand."""
    available = available_nodes(part)
    change = np.diff(available, prepend=_before(plan, part))
    enter = leave = part.zeros
    levels = levels_of(part)
    for i, level in enumerate(levels):
        asleep = part.column("asleep", *level.key)
        rise = np.diff(asleep, prepend=_asleep_before(plan, part, level, first=i == 0))
        if level.key:
            outage = np.sign(change) * part.column("outage_nodes", *level.key)
        else:  # those that return sleep first; those that are lost were awake as far as fewer are
            outage = np.where(change > 0, change, np.minimum(np.maximum(rise, change), 0.0))
        enter = enter + np.maximum(rise - outage, 0.0)
        leave = leave + np.maximum(outage - rise, 0.0)
    rested = sum(_rested(plan, part, available).values(), part.zeros)
    idle, asleep = rested - part.number("spare_nodes"), asleep_in(part, levels)
    still = (enter <= SOME) & (leave <= SOME)
    return {
        "wakes": leave > AT,
        "goes_to_sleep": enter > AT,
        "held": still & (idle > AT),
        "idles": still & (idle > AT),
        "sleeps": still & (asleep > AT),
        "all_awake": asleep <= SOME,
    }


def _check_levels(plan: Plan, part: Part, change: Array, note: Notes) -> None:
    """Note where nodes move between levels without waking, or sleep without draining."""
    levels, models = levels_of(part), part.under("serves").fields
    spread, jobs = part.zeros, part.zeros
    size = part.number("nodes")
    for i, level in enumerate(levels):
        (name,) = level.key
        asleep, drains = part.column("asleep", name), level.drain_min > 0
        rise = np.diff(asleep, prepend=_asleep_before(plan, part, level, first=i == 0))
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
    levels, spare = levels_of(part), part.number("spare_nodes")
    initial = _numbers(part, "awake")
    rested = _rested(plan, part, available)
    for model, idle in rested.items():
        awake = part.column("awake", model)
        woken = sum((part.column("woken", *level.key, model) for level in levels), part.zeros)
        risen = np.diff(awake, prepend=initial.get(model, 0.0))
        what = Message("nodes of {name} woken:", name=model)
        note.at_least("waking_up", what, woken, risen, "nodes", size=awake)
        if levels[0].key:
            note.at_most("woken_awake", what, woken, awake, "nodes", size=awake)
        resting = _resting(part, model)
        what = Message("nodes of {name} awake and idle:", name=model)
        note.at_least("waking", what, resting, resting - idle, "nodes")
    what, idle = Message("nodes kept awake and idle:"), sum(rested.values(), part.zeros)
    note.at_least("spare", what, idle, spare, "nodes", size=available)
    if reserve_columns(plan, part):
        ready = [level for level in levels if level.wake_min <= pause_wake_min(part)]
        ready = ready if part["ramp_nodes_per_h"] is None else []
        catching = part.total("catch_up_nodes") + part.total("catch_up_prefill_nodes")
        what, free = Message("nodes that could catch up:"), asleep_in(part, ready) + idle - spare
        note.at_most("catch_up_free", what, catching, free, "nodes", size=available)


def _resting(part: Part, model: str) -> Array:
    """Return the nodes of a model that are awake and idle."""
    return part.column("nodes", model, key_of(points_of(part, model)[0]))


def _rested(plan: Plan, part: Part, available: Array) -> dict[str, Array]:
    """Return the nodes by model that are awake and idle and do not wake."""
    clock, rested = plan.clock, {}
    room = available - part.number("spare_nodes") - _on_jobs(plan, part)
    left = _left_of_past(clock, part, room)
    for model in part.under("serves").fields:
        waking = part.zeros
        for level in levels_of(part):
            nodes = part.column("woken", *level.key, model)
            past = left * _latest_first(part, "woken", *level.key, model)
            waking = waking + _still(clock, level.wake_min, nodes, past)
        rested[model] = _resting(part, model) - waking
    return rested


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
