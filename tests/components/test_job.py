"""Jobs on a fleet: sums one can do in the head. A node takes 1 MW, at work and on a job."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import planner
from planner.components.job import Job, JobInitial
from planner.timeseries.horizon import Window
from tests.support import golden
from tests.support.build import column, profit, scenario, solve, total
from tests.support.compute import batch, chat, fleet, market, serving, site
from tests.support.windows import advance, best_of, earned_by_step

Parts = dict[str, Any]
SLOW = {"tokens_per_s": 5000, "node_kw": 1200, "inter_token_ms": 40}


def job(**fields: Any) -> dict[str, Any]:
    """Two nodes for two hours, any time within four, for 200 CNY."""
    base = {"kind": "job", "fleet": "gpu", "nodes": 2, "node_kw": 1000, "duration_h": 2}
    return base | {"deadline_h": 4, "value_cny": 200} | fields


def alone(*prices: float, **fields: Any) -> Parts:
    """A fleet with nothing but a job to do."""
    return site(list(prices), gpu=fleet(2), run=job(**fields))


def test_a_job_runs_in_its_cheapest_hours_in_one_piece() -> None:
    # 4 MWh at 40 in the middle cost 160 of 200; the two cheapest hours, first and last, do not
    # touch and would cost only 40.
    plan = solve(alone(10, 40, 40, 10), 4)
    assert plan.summary["objective_cny"] == pytest.approx(200 - 2 * (10 + 40))
    plan = solve(alone(100, 40, 40, 100), 4)
    assert plan.summary["objective_cny"] == pytest.approx(200 - 160)
    assert column(plan, "run.start") == [0, 1, 0, 0]
    assert column(plan, "run.running") == [0, 1, 1, 0]
    assert column(plan, "run.started") == [0, 1, 1, 1]
    assert column(plan, "gpu.job_nodes") == [0, 2, 2, 0]
    assert column(plan, "gpu.asleep") == [2, 0, 0, 2]
    figures = plan.summary["figures"]["run"]
    assert figures == {"started": 1, "start_h": 1, "run_h": 2, "finished": 1}


def test_what_a_job_earns_counts_by_step_and_as_value_of_compute() -> None:
    plan = solve(alone(100, 40, 40, 100), 4)
    assert total(plan, "run", "job") == pytest.approx(200)
    earned = plan.ledger[plan.ledger["component"] == "run"]
    assert earned["amount_cny"].tolist() == pytest.approx([0, 100, 100, 0])
    assert earned["cash"].all()
    assert plan.summary["value_by_use_cny_per_kwh"]["compute"] == pytest.approx(200 / 4 / 1000)


def test_a_job_that_costs_more_than_it_earns_is_left_alone() -> None:
    plan = solve(alone(100, 40, 40, 100, value_cny=159), 4)
    assert plan.summary["objective_cny"] == 0
    assert plan.summary["figures"]["run"] == {"started": 0, "run_h": 0, "finished": 0}


def test_a_mandatory_job_runs_at_a_loss() -> None:
    assert profit(alone(100, 40, 40, 100, value_cny=150, mandatory=True), 4) == pytest.approx(-10)


def test_release_and_deadline_hold_the_whole_run() -> None:
    """Cheap hours stand at both ends; release and deadline allow the first two, or the middle."""
    prices = (20, 20, 90, 80, 20, 20)
    assert profit(alone(*prices, deadline_h=2), 6) == pytest.approx(200 - 80)
    late = alone(*prices, release_h=2, deadline_h=4, value_cny=400)
    assert profit(late, 6) == pytest.approx(400 - 2 * (90 + 80))


def test_hours_are_rounded_so_that_nothing_runs_outside_its_time() -> None:
    # Half past zero is step 2 of an hour each, half past five the end of step 5, and 1.5 h are two
    # steps that earn the whole value.
    cheap_ends = (5, 90, 30, 40, 90, 5)
    found = solve(alone(*cheap_ends, release_h=0.5, deadline_h=5.5, duration_h=1.5), 6)
    assert found.summary["objective_cny"] == pytest.approx(200 - 2 * (30 + 40))
    assert column(found, "run.start") == [0, 0, 1, 0, 0, 0]


def test_jobs_and_services_compete_for_nodes() -> None:
    # Chat leaves 80 an hour on a node. A job of one node for an hour that leaves 179 - 100 of
    # energy is not worth that, one that leaves 190 - 100 is.

    def parts(value: float) -> Parts:
        short = job(nodes=1, duration_h=1, deadline_h=1, value_cny=value)
        return site(gpu=fleet(2), chat=chat(), run=short)

    assert profit(parts(179)) == pytest.approx(160)
    assert profit(parts(190)) == pytest.approx(80 + 90)
    spare = parts(101) | {"gpu": fleet(3)}
    assert profit(spare) == pytest.approx(160 + 1)


def test_two_jobs_do_not_share_a_node() -> None:
    """Hours of 10 and 40: one job takes the cheap hour, the other the dear one."""
    short = job(duration_h=1, deadline_h=2)
    two = site([10, 40], gpu=fleet(2), one=short, two=short)
    assert profit(two, 2) == pytest.approx(400 - 20 - 80)
    assert profit({**two, "gpu": fleet(4)}, 2) == pytest.approx(400 - 40)


def test_a_job_pays_cooling_and_not_sleep() -> None:
    # Of 3 nodes 2 run: 1.5 x (2 x 1 MW + 0.1 MW asleep) x 10 in the hour of the run, and
    # 1.5 x 0.3 MW x 10 in the other.
    nodes = fleet(3, pue=1.5, sleep_kw=100)
    parts = site(10, gpu=nodes, run=job(duration_h=1, deadline_h=2))
    assert profit(parts, 2) == pytest.approx(200 - 31.5 - 4.5)


def test_a_job_offers_no_reserve() -> None:
    """Batch work on two nodes could pause 2 MW; a job on the same nodes gives nothing."""
    ask = {"kind": "reserve", "up_mw": 1, "providers": ["gpu"], "shortfall_cost_cny_per_mwh": 30}
    running = site(0, gpu=fleet(2), run=job(duration_h=1), hold=ask)
    assert profit(running) == pytest.approx(200 - 30)
    pausing = site(0, gpu=fleet(2), work=batch(18, 10, deadline_h=1), hold=ask)
    assert profit(pausing) == pytest.approx(180)


def test_a_job_that_runs_already_runs_on_and_earns_the_rest() -> None:
    """One of three hours is behind it: two more at 1000, whatever they cost, for 2/3 of 300."""
    parts = alone(1000, 1000, 0, 0, duration_h=3, value_cny=300, initial={"hours_run": 1})
    plan = solve(parts, 4)
    assert plan.summary["objective_cny"] == pytest.approx(200 - 4000)
    assert column(plan, "run.running") == [1, 1, 0, 0]
    assert column(plan, "run.start") == [0, 0, 0, 0]
    figures = plan.summary["figures"]["run"]
    assert figures == {"started": 1, "run_h": 2, "finished": 1}


def test_a_job_that_has_run_less_than_a_step_runs_what_is_left_in_whole_steps() -> None:
    """1.9 h are left of 2 h: two steps still, at once, for the whole 200."""
    plan = solve(alone(1000, 1000, 0, 0, initial={"hours_run": 0.1}), 4)
    assert plan.summary["objective_cny"] == pytest.approx(200 - 4000)
    assert column(plan, "run.running") == [1, 1, 0, 0]
    assert column(plan, "run.started") == [1, 1, 1, 1]


@pytest.mark.parametrize("mandatory", [False, True])
def test_a_job_that_is_done_does_not_run_again(mandatory: bool) -> None:
    done = alone(0, 0, 0, 0, mandatory=mandatory, initial={"hours_run": 2})
    plan = solve(done, 4)
    assert plan.summary["objective_cny"] == 0
    figures = plan.summary["figures"]["run"]
    assert figures == {"started": 1, "run_h": 0, "finished": 1}


def test_half_the_step_leaves_the_optimum() -> None:
    parts = site(gpu=fleet(3), chat=chat(), run=job(value_cny=500))
    assert profit(parts, 4, step_min=30) == pytest.approx(profit(parts, 4))


def test_a_mandatory_job_that_cannot_fit_is_told() -> None:
    late = alone(10, 10, 10, mandatory=True, release_h=2, deadline_h=9)
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(late, 3)
    assert (
        "run must run (mandatory true), and a run of duration_h 2 h from release_h 2 on does not"
        " end within the horizon of 3 h" in str(caught.value)
    )
    assert "components.run.mandatory: false" in str(caught.value)
    assert "components.run.release_h ≤ 1 (is 2)" in str(caught.value)
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(alone(10, 10, 10, mandatory=True, deadline_h=1), 3)
    assert "run must run (mandatory true), and from release_h 0 on the run of 2 h" in str(
        caught.value
    )
    assert "components.run.deadline_h ≥ 2 (is 1)" in str(caught.value)


def test_a_job_that_cannot_fit_or_hardly_fits_is_warned_of() -> None:
    def said(**fields: Any) -> list[str]:
        parts = alone(10, 10, 10, **fields)
        warnings = scenario({**parts, "chat": chat()}, 3).warnings()
        return [text for text in warnings if text.startswith("components.run: ")]

    assert said(release_h=2, deadline_h=9) == [
        "components.run: can never run: a run of duration_h 2 h from release_h 2 on does not end"
        " within the horizon of 3 h"
    ]
    assert said(deadline_h=9) == [
        "components.run: deadline_h 9 lies beyond the horizon of 3 h; the run must end within it"
    ]
    assert said(deadline_h=3) == []
    assert said(release_h=0.5, deadline_h=2.5) == [
        "components.run: can never run: from release_h 0.5 on the run of 2 h, in whole steps of 60"
        " min, ends at 3 h, and deadline_h is 2.5"
    ]
    assert profit(alone(10, 10, 10, release_h=2, deadline_h=9), 3) == 0


def problems(parts: Parts, hours: float = 4) -> dict[str, str]:
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(parts, hours)
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"fleet": "gpus"}, "fleet", "there is no fleet 'gpus'; did you mean gpu?"),
        ({"fleet": "nothing"}, "fleet", "there is no fleet 'nothing' (there is 'gpu')"),
        ({"fleet": "grid"}, "fleet", "'grid' is a grid, not a fleet"),
        ({"nodes": 3}, "nodes", "may not exceed the nodes of gpu, 2, is 3"),
        ({"nodes": 0}, "nodes", "must be above 0, is 0"),
        (
            {"duration_h": 9, "deadline_h": 9, "initial": {"hours_run": 4}},
            "initial.hours_run",
            "leaves 5 h of the run, and deadline_h and horizon leave 4",
        ),
        ({"duration_h": 0}, "duration_h", "must be above 0, is 0"),
        (
            {"initial": {"hours": 1}},
            "initial.hours",
            "is not a field here; did you mean hours_run?",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(fields: dict[str, Any], path: str, words: str) -> None:
    said = problems(alone(10, 10, 10, 10, **fields))
    assert said == {f"components.run.{path}": words}


def test_a_broken_fleet_is_told_alone() -> None:
    parts = alone(10, 10, 10, 10)
    parts["gpu"]["pue"] = 0.5
    assert set(problems(parts)) == {"components.gpu.pue"}


def test_golden_job() -> None:
    """Two jobs on a fleet: one free to start in two of three steps, one that runs already."""
    free = job(nodes=1, release_h=0.5, deadline_h=3, duration_h=1, mandatory=True)
    parts = site(
        [100, 40, 70], gpu=fleet(3, sleep_kw=20), free=free,
        begun=job(initial={"hours_run": 1}), chat=chat(9),
    )  # fmt: skip
    golden.check("job", scenario(parts, hours=3))


# Against an enumeration of all starts


def random_jobs(seed: int) -> tuple[Parts, int]:
    """Three jobs, some of them mandatory or running, chat on what they leave, a weak grid."""
    rng = np.random.default_rng(seed)
    hours = 7
    parts = site(
        rng.integers(0, 250, size=hours).tolist(),
        gpu=fleet(4, available_pu=rng.choice([0.75, 1], size=hours).tolist()),
        chat=chat(rng.integers(0, 36, size=hours).tolist()),
    )
    parts["grid"]["import_limit_mw"] = rng.choice([3, 4], size=hours).tolist()
    for name in ("a", "b", "c"):
        duration = int(rng.integers(1, 4))
        release = int(rng.integers(0, hours - duration))
        parts[name] = job(
            nodes=int(rng.integers(1, 3)),
            node_kw=float(rng.choice([500, 800, 1000])),
            duration_h=duration,
            release_h=release,
            deadline_h=int(rng.integers(release + duration, hours + 1)),
            value_cny=float(rng.integers(0, 900)),
            mandatory=name == "a" and bool(rng.random() < 0.4),
            initial={"hours_run": int(rng.integers(0, 3)) if name == "c" else 0},
        )
        if parts[name]["initial"]["hours_run"]:
            parts[name] |= {"release_h": 0, "deadline_h": hours}
    return parts, hours


def enumerated(parts: Parts, hours: int) -> float | None:
    """The best profit over every choice of starts; chat takes what nodes and power are left."""
    jobs = [part for part in parts.values() if part["kind"] == "job"]
    price = np.array(parts["grid"]["import_price_cny_per_mwh"])
    power = np.array(parts["grid"]["import_limit_mw"])
    nodes = 4 * np.array(parts["gpu"]["available_pu"])
    demand = np.array(parts["chat"]["demand_mtok_per_h"])

    def runs(part: dict[str, Any]) -> list[np.ndarray]:
        begun, length = part["initial"]["hours_run"], part["duration_h"]
        if begun:
            return [(np.arange(hours) < length - begun).astype(float)]
        shapes = [] if part["mandatory"] else [np.zeros(hours)]
        for first in range(part["release_h"], part["deadline_h"] - length + 1):
            shape = np.zeros(hours)
            shape[first : first + length] = 1
            shapes.append(shape)
        return shapes

    best = None
    for choice in itertools.product(*map(runs, jobs)):
        held = sum(part["nodes"] * shape for part, shape in zip(jobs, choice, strict=True))
        mw = sum(
            part["nodes"] * part["node_kw"] / 1000 * shape
            for part, shape in zip(jobs, choice, strict=True)
        )
        if (held > nodes).any() or (mw > power).any():
            continue
        value = sum(
            part["value_cny"] / part["duration_h"] * shape.sum()
            for part, shape in zip(jobs, choice, strict=True)
        )
        chatting = np.minimum(np.minimum(nodes - held, power - mw), demand / 9)
        earned = value - (price * mw).sum() + (np.maximum(180 - price, 0) * chatting).sum()
        best = earned if best is None else max(best, earned)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_starts_are_the_best_of_all_there_are(seed: int) -> None:
    parts, hours = random_jobs(seed)
    best = enumerated(parts, hours)
    if best is None:
        with pytest.raises(planner.InfeasibleError):
            solve(parts, hours)
    else:
        assert profit(parts, hours) == pytest.approx(best, abs=1e-5)


def test_most_of_the_enumerated_cases_have_a_plan_in_which_jobs_run() -> None:
    found = [enumerated(*random_jobs(seed)) for seed in range(12)]
    assert sum(best is not None for best in found) >= 8


# Two windows in a row


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5])
def test_two_parts_earn_what_the_whole_earns(seed: int) -> None:
    parts, hours = random_jobs(seed + 100)
    for name in ("a", "b", "c"):
        parts[name]["mandatory"] = False
    parts["grid"]["import_limit_mw"] = 1000
    parts["gpu"] |= {"available_pu": 1, "wake_cost_cny": 7}
    plan = solve(parts, hours)
    for k in range(1, hours):
        kept = earned_by_step(plan, k)
        rest = best_of(advance(plan, 1, k), k + 1)
        assert kept + rest == pytest.approx(plan.summary["objective_cny"], abs=1e-5), k


def test_after_counts_the_hours_of_the_run() -> None:
    plan = solve(alone(90, 40, 40, 90), 4)
    runs = [advance(plan, 1, k).components["run"].initial.hours_run for k in (1, 2, 3, 4)]
    assert runs == [0, 1, 2, 2]
    twice = advance(plan, 1, 2).components["run"].after(
        {"running": plan.schedule["run.running"].to_numpy()[2:]}, Window(3, 4),
        plan.scenario.horizon,
    )  # fmt: skip
    assert twice.initial.hours_run == 2


def test_a_mandatory_job_may_wait_for_a_later_window_until_it_may_not() -> None:
    # Hours of 100, 100 and 100 at a loss: the window of the first two need not start a job that
    # may start in the third, the window up to the third must.
    whole = scenario(alone(100, 100, 100, 100, mandatory=True), 4)
    assert best_of(whole, 1, 2) == pytest.approx(0)
    assert best_of(whole, 1, 3) == pytest.approx(100 - 200)  # one of its two hours lies in there
    assert best_of(whole, 1, 4) == pytest.approx(200 - 400)
    with pytest.raises(planner.InfeasibleError):  # too late: it should have started
        best_of(whole, 4, 4)


# Every field

FIELDS: dict[str, tuple[tuple[Parts, float], tuple[Parts, float]]] = {}


def case(field: str, one: tuple[Parts, float], other: tuple[Parts, float]) -> None:
    FIELDS[field] = (one, other)


def of_two_fleets(name: str) -> Parts:
    """The other fleet stands where energy costs 10."""
    return alone(40, 40, 40, 40, fleet=name) | {
        "far_grid": site(10)["grid"] | {"node": "far"}, "far": fleet(2, node="far"),
    }  # fmt: skip


FLAT = (40, 40, 40, 40)
case("Job.fleet", (of_two_fleets("gpu"), 200 - 160), (of_two_fleets("far"), 200 - 40))
case("Job.nodes", (alone(*FLAT), 40), (alone(*FLAT, nodes=1), 120))
case("Job.node_kw", (alone(*FLAT), 40), (alone(*FLAT, node_kw=500), 120))
case("Job.duration_h", (alone(*FLAT), 40), (alone(*FLAT, duration_h=1), 120))
case("Job.release_h", (alone(10, 10, 40, 40), 160), (alone(10, 10, 40, 40, release_h=2), 40))
case("Job.deadline_h", (alone(40, 40, 10, 10), 160), (alone(40, 40, 10, 10, deadline_h=2), 40))
case("Job.value_cny", (alone(*FLAT), 40), (alone(*FLAT, value_cny=300), 140))
case("Job.mandatory", (alone(*FLAT, value_cny=0), 0),
     (alone(*FLAT, value_cny=0, mandatory=True), -160))  # fmt: skip
case("Job.initial", (alone(90, 90, 10, 10), 160),
     (alone(90, 90, 10, 10, initial={"hours_run": 1}), 100 - 180))  # fmt: skip
case("JobInitial.hours_run", (alone(*FLAT, initial={"hours_run": 1}), 100 - 80),
     (alone(*FLAT, initial={"hours_run": 2}), 0))  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_changes_the_sum(field: str) -> None:
    (parts, one), (changed, other) = FIELDS[field]
    assert one != other
    assert profit(parts, 4) == pytest.approx(one)
    assert profit(changed, 4) == pytest.approx(other)


def test_every_field_has_a_case() -> None:
    fields = {f"{cls.__name__}.{name}" for cls in (Job, JobInitial) for name in cls.model_fields}
    assert fields - {"Job.kind", "Job.title"} == set(FIELDS)


def test_a_fleet_with_everything_and_jobs_passes_its_audit() -> None:
    """Prefill, waking, spare nodes, a market and reserve beside two jobs."""
    reading = serving(SLOW, prefill={"tokens_per_s": 5000, "node_kw": 900})
    nodes = fleet(
        6, pue=1.2, sleep_kw=30, wake_min=30, wake_cost_cny=5, spare_nodes=0.5,
        serves={"chatty": reading}, initial={"awake": {"chatty": 2}},
    )  # fmt: skip
    parts = site(
        [90, 30, 60, 20, 80, 50], gpu=nodes, chat=chat(9, input_per_output=1),
        open=market((9, 20), (9, 9)), one=job(nodes=1.5, deadline_h=6),
        two=job(duration_h=3, deadline_h=6, mandatory=True, value_cny=0),
        hold={"kind": "reserve", "up_mw": 0.5, "providers": ["gpu"],
              "shortfall_cost_cny_per_mwh": 30},
    )  # fmt: skip
    plan = solve(parts, 6)
    assert plan.summary["status"] == "optimal"
    assert plan.summary["figures"]["two"]["finished"] == 1
