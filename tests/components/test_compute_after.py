"""Equivalences of fleets and services: parts and whole, coarse and fine, rows and assignment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import planner
from planner.components.service.queue import EndingValue
from planner.solver.compiler import program_of
from planner.solver.rounds import optimise
from planner.timeseries.horizon import Window
from tests.support.build import profit, scenario, solve
from tests.support.compute import WORK, batch, chat, fleet, market, serving, site

SLOW = {"tokens_per_s": 5000, "node_kw": 1200, "inter_token_ms": 40}
READ = {"tokens_per_s": 5000, "node_kw": 900}


def random_site(seed: int, steps: int, step_min: int) -> dict[str, Any]:
    """A fleet with two models that wakes slowly, and every kind of work, some of it waiting.

    With an odd seed it sleeps in two levels, changes the nodes awake slowly and runs a job.
    """
    rng = np.random.default_rng(seed)

    def series(low: float, high: float) -> list[float]:
        return rng.uniform(low, high, size=steps).round(2).tolist()

    deadline_h = float(rng.choice([0, 1, 2.5, 6]))
    nodes = fleet(
        6,
        available_pu=rng.choice([0.7, 0.9, 1], size=steps).tolist(),
        sleep_kw=20,
        pue=series(1.05, 1.4),
        wake_min=float(rng.choice([0, 20, 60, 90, 150])),
        wake_cost_cny=float(rng.choice([0, 15, 60])),
        spare_nodes=float(rng.choice([0, 0.5])),
        serves={"chatty": serving(WORK, SLOW, prefill=READ), "coder": serving(WORK)},
        initial={"awake": {"chatty": 2, "coder": 1}, "woken": {"chatty": [0.5]}},
    )
    more: dict[str, Any] = {}
    if seed % 2:
        kept = {
            k: v for k, v in nodes.items() if k not in ("sleep_kw", "wake_min", "wake_cost_cny")
        }
        deep = {
            "name": "deep", "node_kw": 5, "wake_min": float(rng.choice([20, 90])),
            "wake_cost_cny": 60, "drain_min": float(rng.choice([0, 10, 70])),
        }  # fmt: skip
        soft = {"name": "soft", "node_kw": 60, "wake_min": nodes["wake_min"], "wake_cost_cny": 15}
        awake = {"awake": {"chatty": 2, "coder": 1}, "asleep": {"deep": 1}}
        past = {"woken": {"soft|chatty": [0.5]}, "slept": {"deep": [1]}}
        nodes = kept | {"sleep": [soft, deep], "initial": awake | past, "ramp_nodes_per_h": 2}
        more["job"] = {
            "kind": "job", "fleet": "nodes", "nodes": 0.5, "node_kw": 700, "duration_h": 1,
            "deadline_h": steps * step_min / 60, "value_cny": 90,
        }  # fmt: skip
    waiting = [{"age_h": float(deadline_h * rng.uniform(0, 1)), "mtok": 3}, {"age_h": 0, "mtok": 2}]
    ending = {"value_cny_per_mtok": float(rng.integers(3, 15)), "at_most_mtok": 12}
    return site(
        series(20, 250),
        nodes=nodes,
        chat=chat(
            series(5, 20),
            series(10, 30),
            max_inter_token_ms=20,
            headroom_share=0.2,
            input_per_output=1,
            min_served_share=float(rng.choice([0, 0.5])),
        ),
        code=market((series(0, 9), series(15, 30)), model="coder"),
        work=batch(
            series(0, 12),
            series(8, 25),
            deadline_h,
            initial={"waiting": waiting},
            refusal_cost_cny_per_mtok=2,
            min_served_share=float(rng.choice([0, 0.3])),
            ending=ending if rng.random() < 0.5 else "same_as_start",
        ),
        reserve={
            "kind": "reserve", "up_mw": 0.5, "providers": ["nodes"],
            "shortfall_cost_cny_per_mwh": 30,
        },
        **more,
    )  # fmt: skip


def advanced(whole: planner.Scenario, plan: planner.Plan, k: int) -> planner.Scenario:
    """Return the scenario as it stands when the first k steps of the plan have passed."""
    kept = Window(1, k)
    components = {}
    for name, component in whole.components.items():
        values = {
            column.removeprefix(f"{name}."): plan.schedule[column].to_numpy()[:k]
            for column in plan.schedule
            if column.startswith(f"{name}.")
        }
        components[name] = component.after(values, kept, whole.horizon)
    return whole.revised({"components": components})


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(8))
def test_first_part_and_rest_earn_what_the_whole_earns(seed: int) -> None:
    steps, step_min = 8, (60, 30)[seed % 2]
    parts = random_site(seed, steps, step_min)
    parts["reserve"]["duration_h"] = 0  # an earlier call binds the later steps of the whole alone
    whole = scenario(parts, hours=steps * step_min / 60, step_min=step_min)
    plan = planner.solve(whole)
    starts = [moment.isoformat() for moment in whole.horizon.starts]
    for k in range(1, steps):
        past = plan.ledger["period"].isin(starts[:k])
        earned = float(plan.ledger.loc[past, "amount_cny"].sum())
        ending = whole.components["work"].ending
        if ending != "same_as_start":  # counted from the start of each window
            grown = plan.schedule["work.waiting_mtok"].iloc[k - 1] - 5
            earned += ending.value_cny_per_mtok * grown
        rest = program_of(advanced(whole, plan, k), Window(k + 1, steps))
        found = optimise(rest, whole.solver)
        assert earned - (rest.cost @ found.x + rest.offset) == pytest.approx(
            plan.summary["objective_cny"], abs=1e-4
        )


@pytest.mark.parametrize("seed", range(4))
def test_the_ledger_is_the_objective_and_the_allocation_the_draw(seed: int) -> None:
    plan = solve(random_site(seed, 8, 60), hours=8)
    assert plan.ledger["amount_cny"].sum() == pytest.approx(plan.summary["objective_cny"])
    table = plan.allocation[plan.allocation["use"] == "compute"]
    for origin in ("renewable", "thermal", "grid"):
        mine = table.loc[table["origin"] == origin, "mwh"].to_numpy()
        assert mine == pytest.approx(plan.schedule[f"nodes.draw_mw[{origin}]"].to_numpy())
    it_mw = plan.schedule["nodes.it_kw"].to_numpy() / 1000
    pue = plan.scenario.components["nodes"].pue
    assert table.groupby("time")["mwh"].sum().to_numpy() == pytest.approx(it_mw * pue)


def test_what_waits_afterwards_is_the_youngest() -> None:
    """5 waited and 4 + 4 came in; 6 were answered, so 3 of the first and all of the last wait.

    `same_as_start` means the first start.
    """
    queue = {"waiting": [{"age_h": 1, "mtok": 5}]}
    parts = site(fleet=fleet(), work=batch([4, 4, 0], deadline_h=6, initial=queue))
    whole = scenario(parts, hours=3)
    passed = {
        "accepted_mtok_per_h": np.array([4.0, 4.0]),
        "answered_mtok_per_h": np.array([6.0, 0.0]),
        "waiting_mtok": np.array([3.0, 7.0]),
    }
    work = whole.components["work"].after(passed, Window(1, 2), whole.horizon)
    assert work.initial.model_dump()["waiting"] == (
        {"age_h": 0.0, "mtok": 4.0},
        {"age_h": 1.0, "mtok": 3.0},
    )
    assert work.ending == EndingValue(value_cny_per_mtok=0.0, at_most_mtok=5.0)


def test_advancing_step_by_step_is_advancing_at_once() -> None:
    whole = scenario(random_site(3, 8, 60), hours=8)
    plan = planner.solve(whole)
    at_once = advanced(whole, plan, 3).components
    values = {name: frame_of(plan, name) for name in ("nodes", "work", "chat")}
    for name, columns in values.items():
        component = whole.components[name]
        for k in (1, 2, 3):
            now = {column: array[k - 1 : k] for column, array in columns.items()}
            component = component.after(now, Window(k, k), whole.horizon)
        once = at_once[name].initial.model_dump()
        flat, wanted = np.array(numbers(component.initial.model_dump())), np.array(numbers(once))
        assert flat == pytest.approx(wanted, abs=1e-6)


def frame_of(plan: planner.Plan, name: str) -> dict[str, np.ndarray]:
    mine = [column for column in plan.schedule if column.startswith(f"{name}.")]
    return {column.removeprefix(f"{name}."): plan.schedule[column].to_numpy() for column in mine}


def numbers(data: Any) -> list[float]:
    """Every number in plain data, in order."""
    if isinstance(data, dict):
        return [n for value in data.values() for n in numbers(value)]
    if isinstance(data, list | tuple):
        return [n for value in data for n in numbers(value)]
    return [float(data)]


@pytest.mark.parametrize("step_min", [30, 15])
def test_half_the_step_leaves_the_optimum(step_min: int) -> None:
    """Constant data: chat with headroom and input, a market, batch work and reserve."""
    nodes = fleet(
        sleep_kw=20, wake_cost_cny=30, spare_nodes=1,
        serves={"chatty": serving(WORK, SLOW, prefill=READ)},
    )  # fmt: skip
    parts = site(
        fleet=nodes,
        chat=chat(max_inter_token_ms=20, headroom_share=0.3, input_per_output=1),
        open=market((9, 20), (9, 8)),
        work=batch(12, 14, deadline_h=2),
        reserve={"kind": "reserve", "up_mw": 0.8, "providers": ["fleet"]},
    )
    whole = profit(parts, hours=3)
    assert profit(parts, hours=3, step_min=step_min) == pytest.approx(whole)


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(24))
def test_nodes_are_spread_as_an_assignment_would_spread_them(seed: int) -> None:
    """An independent program gives every Mtok of every service to a point that may hold it."""
    rng = np.random.default_rng(seed)
    points = [
        {
            "tokens_per_s": float(rate), "node_kw": float(rng.integers(300, 1500)),
            "inter_token_ms": float(rng.choice([10, 20, 30, 40])),
            "first_token_ms": float(rng.choice([100, 200, 300])),
        }
        for rate in rng.choice(np.arange(200, 6000, 100), size=4, replace=False)
    ]  # fmt: skip
    count = int(rng.integers(2, 5))
    limits = [limits_of(points, rng, first=bool(seed % 2)) for _ in range(count)]
    demands, prices = rng.uniform(2, 20, size=count), rng.uniform(5, 30, size=count)
    heads = [float(rng.choice([0, 0.5])) if rng.random() < 0.6 else None for _ in range(count)]
    nodes, energy = 5.0, 100.0
    parts: dict[str, Any] = {}
    for s in range(count):
        more = {f"max_{latency}": ms for latency, ms in limits[s].items()}
        parts[f"s{s}"] = (
            batch(float(demands[s]), float(prices[s]), 0, **more)
            if heads[s] is None
            else chat(float(demands[s]), float(prices[s]), headroom_share=heads[s], **more)
        )
    found = profit(site(fleet=fleet(nodes, serves={"chatty": {"points": [
        {"tokens_per_s": 0, "node_kw": 200}, *points]}}), **parts))  # fmt: skip
    assert found == pytest.approx(
        assignment(points, limits, demands, prices, heads, nodes, energy), abs=1e-5
    )


def limits_of(
    points: list[dict[str, float]], rng: np.random.Generator, *, first: bool
) -> dict[str, float]:
    """Some latency limits, or none, that a point meets."""
    met = points[int(rng.integers(len(points)))]
    names = ["inter_token_ms", *(["first_token_ms"] if first else [])]
    return {name: met[name] for name in names if rng.random() < 0.7}


def assignment(
    points: list[dict[str, float]],
    limits: list[dict[str, float]],
    demands: np.ndarray,
    prices: np.ndarray,
    heads: list[float | None],
    nodes: float,
    energy: float,
) -> float:
    """The most profit of one hour: work[s,k], burst[s,k] and the nodes at each point."""
    count, width = len(demands), len(points)
    pairs = [
        (kind, s, k)
        for kind in ("work", "burst")
        for s in range(count)
        for k in range(width)
        if all(points[k][latency] <= ms for latency, ms in limits[s].items())
        if kind == "work" or heads[s] is not None
    ]
    columns = [*pairs, *[("nodes", -1, k) for k in range(width)]]
    cost = [
        energy * points[k]["node_kw"] / 1000 if kind == "nodes"
        else -prices[s] if kind == "work" else 0.0
        for kind, s, k in columns
    ]  # fmt: skip
    most = [[float(c[:2] == ("work", s)) for c in columns] for s in range(count)]
    held = [
        [
            -0.0036 * points[k]["tokens_per_s"] if c == ("nodes", -1, k)
            else float(c[0] == kind and c[2] == k)
            for c in columns
        ]
        for kind in ("work", "burst")
        for k in range(width)
    ]  # fmt: skip
    all_nodes = [float(c[0] == "nodes") for c in columns]
    bursts = [
        [float(c[:2] == ("burst", s)) - (1 + head) * float(c[:2] == ("work", s)) for c in columns]
        for s, head in enumerate(heads)
        if head is not None
    ]
    found = linprog(
        cost,
        A_ub=[*most, *held, all_nodes],
        b_ub=[*demands, *[0.0] * len(held), nodes],
        A_eq=bursts or None,
        b_eq=[0.0] * len(bursts) or None,
    )
    return -found.fun
