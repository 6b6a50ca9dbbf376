"""Sleep in levels: sums that can be done in the head, and flows of nodes between their states.

Nodes and prices as in `tests.support.compute`: a node at work takes 1 MW at 100 CNY and earns 180
an hour, awake and idle it takes 0.2 MW.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import planner
from planner.components.fleet.fleet import Fleet
from planner.timeseries.horizon import Window
from tests.support.build import column, profit, scenario, solve
from tests.support.compute import batch, chat, fleet, serving, site

SOFT = {"name": "soft", "node_kw": 100}
OFF = {"name": "off", "node_kw": 0, "wake_cost_cny": 25}


def sleeper(nodes: float = 1, *levels: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A fleet with levels of sleep, soft and off by default."""
    base = {name: value for name, value in fleet(nodes).items() if name != "sleep_kw"}
    return base | {"sleep": list(levels or (SOFT, OFF))} | more


@pytest.mark.parametrize(("quiet", "rest"), [(1, -10), (4, -25)])
def test_a_node_sleeps_as_deep_as_the_pause_is_long(quiet: int, rest: float) -> None:
    """Soft sleep takes 10 CNY an hour, off nothing and 25 to wake."""
    demand = [9, *[0] * quiet, 9]
    awake = {"initial": {"awake": {"chatty": 1}}}
    plan = solve(site(fleet=sleeper(**awake), chat=chat(demand)), hours=len(demand))
    assert plan.summary["objective_cny"] == pytest.approx(160 + rest)


def test_no_node_moves_between_levels_unless_it_wakes() -> None:
    """One node is in soft sleep: to be off it would have to idle for an hour, 20 against 3 x 10."""
    waking = sleeper(1, SOFT | {"wake_min": 60}, OFF)
    plan = solve(site(fleet=waking, chat=chat(0)), hours=3)
    assert plan.summary["objective_cny"] == pytest.approx(-20)
    assert column(plan, "fleet.asleep[soft]") == [0, 0, 0]
    assert column(plan, "fleet.nodes[chatty|0]") == [1, 0, 0]
    there = waking | {"initial": {"asleep": {"off": 1}}}
    assert profit(site(fleet=there, chat=chat(0)), hours=3) == pytest.approx(0)


def test_a_node_draws_idle_power_until_it_has_drained() -> None:
    """90 minutes before it is off: 20 in the first hour and 10 in the second."""
    drained = sleeper(1, OFF | {"drain_min": 90}, initial={"awake": {"chatty": 1}})
    plan = solve(site(fleet=drained, chat=chat(0)), hours=3)
    assert column(plan, "fleet.it_kw") == [200, 100, 0]
    past = drained | {"initial": {"asleep": {"off": 1}, "slept": {"off": [1]}}}
    assert profit(site(fleet=past, chat=chat(0)), hours=3) == pytest.approx(-10)


def test_a_node_is_not_woken_before_it_has_drained() -> None:
    """Slept an hour ago for two hours: it idles for one, 20, and then works, 80."""
    off = OFF | {"drain_min": 120, "wake_cost_cny": 0}
    past = {"initial": {"asleep": {"off": 1}, "slept": {"off": [1]}}}
    plan = solve(site(fleet=sleeper(1, off, **past), chat=chat(9)), hours=2)
    assert column(plan, "chat.answered_mtok_per_h") == [0, 9]
    assert plan.summary["objective_cny"] == pytest.approx(80 - 20)
    two = sleeper(2, OFF | {"drain_min": 1440})
    plan = solve(site(-100, fleet=two, chat=chat(9)), hours=6)
    assert max(column(plan, "fleet.it_kw")) <= 2000  # both at work, and no other drains


def test_an_outage_may_take_nodes_that_drain() -> None:
    """Both drain, 0.2 MW each; one is lost, and the rest of its time is counted too."""
    off = OFF | {"drain_min": 180}
    past = {"initial": {"asleep": {"off": 2}, "slept": {"off": [2]}}}
    hit = sleeper(2, off, available_pu=[1, 0.5, 1], **past)
    assert profit(site(fleet=hit, chat=chat(0)), hours=3) == pytest.approx(-80)


def test_nodes_in_no_level_may_enter_any() -> None:
    """Where initial.asleep is given one of two nodes comes back, and is off at once."""
    back = sleeper(2, SOFT | {"wake_min": 60}, OFF, initial={"asleep": {"off": 1}})
    assert profit(site(fleet=back, chat=chat(0)), hours=3) == pytest.approx(0)


def test_nodes_wake_in_the_time_of_their_level() -> None:
    """Of two nodes the one in soft sleep works at once, the one that is off after an hour."""
    two = sleeper(2, SOFT, OFF | {"wake_min": 60}, initial={"asleep": {"off": 1}})
    plan = solve(site(fleet=two, chat=chat(18)), hours=2)
    assert column(plan, "chat.answered_mtok_per_h") == [9, 18]
    assert column(plan, "fleet.woken[off|chatty]") == [1, 0]
    assert plan.summary["objective_cny"] == pytest.approx(80 - 20 - 25 + 160)


def test_an_outage_takes_nodes_from_any_level_and_returns_them_to_any() -> None:
    """Of two nodes one is lost and comes back: the one in soft sleep, and is off afterwards."""
    initial = {"asleep": {"soft": 1, "off": 1}}
    hit = sleeper(2, available_pu=[1, 0.5, 1], initial=initial)
    plan = solve(site(fleet=hit, chat=chat(0)), hours=3)
    assert column(plan, "fleet.asleep[off]") == [1, 1, 2]
    assert column(plan, "fleet.asleep[soft]") == [1, 0, 0]
    assert column(plan, "fleet.outage_nodes[soft]") == [0, 1, 0]
    assert plan.summary["objective_cny"] == pytest.approx(-10)


def test_a_job_wakes_its_nodes_from_any_level_and_no_others() -> None:
    """The job runs on the node in soft sleep, which is off after it: 10 and energy for 50."""
    job = {"kind": "job", "fleet": "fleet", "nodes": 1, "node_kw": 250, "duration_h": 2,
           "deadline_h": 3, "release_h": 1, "value_cny": 90, "mandatory": True}  # fmt: skip
    parts = site(fleet=sleeper(2, initial={"asleep": {"soft": 1, "off": 1}}), job=job, chat=chat(0))
    plan = solve(parts, hours=5)
    assert plan.summary["objective_cny"] == pytest.approx(90 - 50 - 10)
    assert column(plan, "fleet.woken_for_jobs[soft]") == [0, 1, 0, 0, 0]
    assert column(plan, "fleet.asleep[off]") == [1, 1, 1, 2, 2]


def test_the_nodes_awake_change_slowly() -> None:
    """Three nodes would work in the second hour; one more an hour, up and down.

    At 0.5 h a step half as many: two in steps 3 and 4, one and a half awake on each side of them.
    """
    slow = sleeper(3, ramp_nodes_per_h=1)
    plan = solve(site(fleet=slow, chat=chat([0, 27, 0, 0])), hours=4)
    assert column(plan, "fleet.awake[chatty]") == [1, 2, 1, 0]
    plan = solve(site(fleet=slow, chat=chat([0, 0, 27, 27])), hours=2, step_min=30)
    assert column(plan, "fleet.awake[chatty]") == [0.5, 1, 1.5, 2]
    hit = slow | {"available_pu": [1, 0.0], "initial": {"awake": {"chatty": 3}}}
    assert column(solve(site(fleet=hit, chat=chat(27)), hours=2), "fleet.awake[chatty]") == [3, 0]


def test_the_nodes_of_jobs_and_those_awake_are_no_more_than_there_are() -> None:
    job = {"kind": "job", "fleet": "fleet", "nodes": 2, "node_kw": 500, "duration_h": 3,
           "deadline_h": 3, "value_cny": 90, "initial": {"hours_run": 1}}  # fmt: skip
    full = site(fleet=sleeper(2, initial={"awake": {"chatty": 1}}), chat=chat(0), job=job)
    with pytest.raises(planner.ScenarioError, match="sums to 3 with the nodes of jobs that run on"):
        scenario(full, hours=3)
    # one of four is lost while two are on the job, and one of two that were waking idles on
    waking = {"awake": {"chatty": 2}, "woken": {"soft|chatty": [2]}}
    hit = sleeper(4, SOFT | {"wake_min": 180}, OFF, initial=waking, available_pu=0.75)
    plan = solve(site(fleet=hit, chat=chat(0), job=job), hours=2)
    assert column(plan, "fleet.nodes[chatty|0]") == [1, 1]


@pytest.mark.parametrize(
    ("levels", "ramp", "offered", "caught_up"),
    [
        ((SOFT, OFF), None, 2, True),  # off at once: 1 MW a node
        ((SOFT, OFF | {"drain_min": 10}), None, 1.8, True),  # soft sleep at once: 0.9 MW
        ((SOFT | {"drain_min": 1}, OFF | {"drain_min": 1}), None, 1.6, True),  # idle: 0.8 MW
        ((SOFT, OFF), 0, 1.6, True),  # no node may go to sleep
        ((SOFT | {"drain_min": 1}, OFF | {"wake_min": 90}), None, 2, False),  # awake too late
    ],
)
def test_reserve_is_what_pausing_saves_at_once(
    levels: tuple[dict[str, Any], ...], ramp: float | None, offered: float, caught_up: bool
) -> None:
    """Two nodes on work that is due in two hours; reserve for 15 minutes."""
    ask = {"kind": "reserve", "up_mw": 9, "providers": ["fleet"], "duration_h": 0.25,
           "shortfall_cost_cny_per_mwh": 1000}  # fmt: skip
    awake = {"initial": {"awake": {"chatty": 2}}, "spare_nodes": 0, "ramp_nodes_per_h": ramp}
    rested = sleeper(4, *levels, **awake)
    parts = site(fleet=rested, work=batch([18, 0, 0, 0], deadline_h=2, min_served_share=1), ask=ask)
    plan = solve(parts, hours=4)
    best = float(plan.schedule["fleet.reserve_mw[ask]"].iloc[0])
    assert (best == pytest.approx(offered)) == caught_up
    if not caught_up:
        assert best < offered - 0.1


def test_what_is_left_of_a_plan_is_its_state() -> None:
    levels = SOFT | {"wake_min": 90}, OFF | {"wake_min": 150, "drain_min": 200}
    whole = scenario(site(fleet=sleeper(4, *levels), chat=chat(9)), hours=3)
    passed = {
        "awake[chatty]": np.array([1.0, 1.0]), "asleep[soft]": np.array([3.0, 2.0]),
        "asleep[off]": np.array([0.0, 1.0]), "slept[off]": np.array([0.0, 1.0]),
        "woken[soft|chatty]": np.array([0.5, 0.0]), "woken[off|chatty]": np.array([0.5, 0.25]),
    }  # fmt: skip
    part = whole.components["fleet"]
    assert isinstance(part, Fleet)
    assert part.after(passed, Window(1, 2), whole.horizon).initial.model_dump() == {
        "awake": {"chatty": 1.0}, "asleep": {"soft": 2.0, "off": 1.0},
        "woken": {"soft|chatty": (0.0,), "off|chatty": (0.25, 0.5)},
        "slept": {"off": (1.0, 0.0)},
    }  # fmt: skip


def test_a_longer_wake_time_of_a_level_remembers_more() -> None:
    levels = SOFT | {"wake_min": 60}, OFF
    before, later = (
        scenario(site(fleet=sleeper(1, *of), chat=chat()), hours=3).components["fleet"]
        for of in (levels, (SOFT | {"wake_min": 180}, OFF))
    )
    passed = {f"{q}[{key}]": np.array([1.0, 0.0]) for q, key in (
        ("awake", "chatty"), ("asleep", "soft"), ("asleep", "off"),
        ("woken", "soft|chatty"), ("woken", "off|chatty"),
    )}  # fmt: skip
    remembering = before.with_memory_of(later)
    state = remembering.after(passed, Window(1, 2), scenario(site(), hours=3).horizon)
    assert isinstance(state, Fleet)
    assert state.initial.woken == {"soft|chatty": (0.0, 1.0)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sleep_kw": 5}, "fleet.sleep_kw: does not go with sleep; write it in the levels"),
        ({"wake_min": 5}, "fleet.wake_min: does not go with sleep"),
        ({"wake_cost_cny": 5}, "fleet.wake_cost_cny: does not go with sleep"),
        ({"sleep": [SOFT, SOFT]}, "sleep[1].name: no two levels may have the same name, 'soft'"),
        ({"initial": {"asleep": {"deep": 1}}}, "names sleep level 'deep', which the fleet does not"
         " have; it has soft, off"),
        ({"initial": {"slept": {"deep": [1]}}}, "fleet.initial.slept.deep: names sleep level"),
        ({"initial": {"woken": {"chatty": [1]}}}, "names 'chatty'; nodes that woke are by"
         " LEVEL|MODEL here: soft|chatty, off|chatty"),
        ({"initial": {"asleep": {"off": 1}, "awake": {"chatty": 1}}}, "initial.asleep: sums to 2"),
        ({"sleep": [SOFT, OFF | {"drain_min": 120}], "initial": {"slept": {"off": [1]}}},
         "fleet.initial.slept.off: 1 nodes still drain, more than sleep there, 0"),
    ],
)  # fmt: skip
def test_wrong_levels_are_told_what_is_wrong(change: dict[str, Any], said: str) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(site(fleet=sleeper() | change, chat=chat()))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ({}, True),
        ({"sleep": [OFF | {"drain_min": 3}]}, False),
        ({"initial": {"awake": {"chatty": 1}}}, False),
        ({"initial": {"asleep": {"off": 1}}}, False),
    ],
)
def test_levels_ask_where_nodes_are_at_the_start(more: dict[str, Any], warned: bool) -> None:
    warnings = scenario(site(fleet=sleeper() | more, chat=chat())).warnings()
    text = (
        "components.fleet: initial does not say where nodes are: all are taken to sleep in 'soft',"
        " and must wake before they sleep in another level; write it: initial: {awake: {chatty:"
        " NODES}, asleep: {soft: NODES, off: NODES}}"
    )
    assert (text in warnings) == warned
    assert any("initial does not say" in warning for warning in warnings) == warned


def test_levels_warn_of_a_deeper_one_that_draws_more() -> None:
    parts = site(fleet=sleeper(1, OFF, SOFT | {"node_kw": 150}), chat=chat())
    found = "\n".join(scenario(parts).warnings())
    assert "sleep level 'soft' draws 150 kW, more than 'off' before it, 0 kW" in found


# Flows of nodes


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(20))
def test_levels_are_worth_what_flows_of_nodes_between_states_earn(seed: int) -> None:
    """An independent program moves nodes along arcs: stay, sleep, wake, change, fail and return."""
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(3, 7))
    names = ("a", "b", "c")[: int(rng.integers(2, 4))]
    wakes, costs = sorted(rng.choice([0, 30, 90], size=3)), sorted(rng.integers(0, 40, size=3))
    levels = [
        {
            "name": name, "node_kw": float(rng.integers(0, 150)), "wake_min": float(wakes[i]),
            "wake_cost_cny": float(costs[i]), "drain_min": float(rng.choice([0, 20, 90])),
        }
        for i, name in enumerate(names)
    ]  # fmt: skip
    available = rng.choice([0.5, 0.75, 1.0], size=steps) if seed % 2 else np.ones(steps)
    price = rng.uniform(-40, 200, size=steps).round(1)
    demand = {
        m: (rng.uniform(0, 25, size=steps) * (rng.random(steps) < 0.6)).round(1) for m in "xy"
    }
    start = {"x": 1.0, "y": float(rng.integers(0, 2)), levels[-1]["name"]: 1.0}
    ramp = float(rng.choice([0.5, 1, 9]))
    initial = {"awake": {m: start[m] for m in "xy"}, "asleep": {levels[-1]["name"]: 1.0}}
    nodes = sleeper(4, *levels, initial=initial, available_pu=available.tolist(),
                    serves={"x": serving(), "y": serving()}, ramp_nodes_per_h=ramp)  # fmt: skip
    parts = {m: chat(demand[m].tolist(), model=m) for m in "xy"}
    found = profit(site(price.tolist(), nodes=nodes, **parts), hours=steps)
    wanted = by_flows(levels, 4 * available, price, demand, start, ramp)
    assert found == pytest.approx(wanted, abs=1e-5)


def by_flows(
    levels: list[dict[str, Any]],
    available: np.ndarray,
    price: np.ndarray,
    demand: dict[str, np.ndarray],
    start: dict[str, float],
    ramp: float,
) -> float:
    """The most profit of 4 nodes: arcs (from, to, step), nodes at work and tokens of each model.

    A node that drains for n steps passes n - 1 states, from which it goes on or fails.
    """
    steps, level = len(price), {v["name"]: v for v in levels}
    following, entry = dict[str, str](), dict[str, str]()
    for v in levels:
        name, n = v["name"], int(np.ceil(v["drain_min"] / 60))
        chain = [*(f"{name}{i}" for i in range(1, n)), name]
        entry[name] = chain[0]
        following |= dict(pairwise(chain))
        level |= dict.fromkeys(chain, v)
    states = [*level, *demand, "out"]
    before = dict.fromkeys(states, 0.0) | start
    known = sum(start.values())
    before["out"] = 4 - known

    def joined(a: str, b: str) -> bool:
        """Whether a node may go from a state to another one."""
        if a in following:
            return b in (following[a], "out")
        if a in level:
            return a == b or b not in level
        first = {v["name"] for v in levels} if a == "out" else set(entry.values())
        return b not in level or b in first

    out, was_out = 4 - available, np.array([before["out"], *(4 - available[:-1])])
    arcs = [(a, b, t) for a in states for b in states for t in range(steps) if joined(a, b)]
    columns = [
        *arcs,
        *[(what, m, t) for what in ("work", "mtok") for m in demand for t in range(steps)],
    ]
    place = {c: i for i, c in enumerate(columns)}
    upper, upper_b, equal, equal_b = [], [], [], []

    def row(terms: dict[tuple[Any, ...], float]) -> np.ndarray:
        made = np.zeros(len(columns))
        for c, factor in terms.items():
            made[place[c]] += factor
        return made

    def share(minutes: float, i: int) -> float:
        return float(np.clip(minutes / 60 - i, 0, 1))

    cost = np.zeros(len(columns))
    for a, b, t in arcs:
        if b in demand and a != b:  # wakes, as from the first level if it was awake
            cost[place[a, b, t]] += level.get(a, levels[0])["wake_cost_cny"]
        cost[place[a, b, t]] += price[t] / 1000 * (level[b]["node_kw"] if b in level else 0.0)
        cost[place[a, b, t]] += price[t] / 1000 * (200 if b in demand else 0.0)
        if b in level and a not in level and a != "out":  # drains
            for i in range(min(3, steps - t)):
                extra = share(level[b]["drain_min"], i) * (200 - level[b]["node_kw"])
                cost[place[a, b, t]] += price[t + i] / 1000 * extra
    for m in demand:
        for t in range(steps):
            cost[place["work", m, t]], cost[place["mtok", m, t]] = price[t] / 1000 * 800, -20
            upper += [row({("mtok", m, t): 1.0}), row({("mtok", m, t): 1.0, ("work", m, t): -9.0})]
            upper_b += [demand[m][t], 0.0]
            held = {(a, m, t): -1.0 for a in states if (a, m, t) in place} | {("work", m, t): 1.0}
            for a in states:
                wake_min = level.get(a, levels[0])["wake_min"]
                for i in range(min(3, t + 1)):
                    if a != m and (a, m, t - i) in place:
                        key = a, m, t - i
                        held[key] = held.get(key, 0.0) + share(wake_min, i)
            upper.append(row(held))
            upper_b.append(0.0)
    for t in range(steps):
        for s in states:
            leave = {(s, b, t): 1.0 for b in states if (s, b, t) in place}
            if t:
                came = {(a, s, t - 1): -1.0 for a in states if (a, s, t - 1) in place}
                equal.append(row(leave | came))
            else:
                equal.append(row(leave))
            equal_b.append(0.0 if t else before[s])
        equal.append(row({(a, "out", t): 1.0 for a in states}))
        equal_b.append(out[t])
        equal.append(row({("out", "out", t): 1.0}))  # nodes do not fail as others return
        equal_b.append(min(out[t], was_out[t]))
        awake = {(a, m, t): 1.0 for a in states for m in demand if (a, m, t) in place}
        was = {(m, b, t): -1.0 for m in demand for b in states if (m, b, t) in place}
        change = {key: awake.get(key, 0.0) + was.get(key, 0.0) for key in awake | was}
        lost = max(out[t] - was_out[t], 0.0)
        upper += [row(change), -row(change)]
        upper_b += [ramp, ramp + lost]
    found = linprog(cost, A_ub=upper, b_ub=upper_b, A_eq=equal, b_eq=equal_b)
    assert found.status == 0, found.message
    return float(-found.fun)
