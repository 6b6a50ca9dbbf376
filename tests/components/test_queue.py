"""Batch work: sums in the head, and the optimum of an independent program by cohorts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import planner
from tests.support.build import column, profit, solve, total
from tests.support.compute import batch, fleet, site

CHEAP_LAST = [100, 100, 40]


@pytest.mark.parametrize(
    ("deadline_h", "earned"),
    [(0, 160), (0.9, 160), (1, 160), (1.9, 160), (2, 280), (24, 280)],
)
def test_work_waits_for_the_cheap_hour_until_its_deadline(deadline_h: float, earned: float) -> None:
    """18 Mtok arrive in the first hour: 360 - 2 x 100, or 360 - 2 x 40 in the third.

    Age counts from the end of the step of arrival; 1.9 hours are one step.
    """
    work = batch([18, 0, 0], deadline_h=deadline_h)
    assert profit(site(CHEAP_LAST, fleet=fleet(), work=work), hours=3) == pytest.approx(earned)


def test_what_came_first_goes_first() -> None:
    """9 arrive in each of two hours, to be answered within one: 180 - 100 and 180 - 40."""
    work = batch([9, 9, 0], deadline_h=1)
    plan = solve(site(CHEAP_LAST, fleet=fleet(), work=work), hours=3)
    assert plan.summary["objective_cny"] == pytest.approx(80 + 140)
    assert column(plan, "work.answered_mtok_per_h")[2] == 9


def test_a_deadline_counts_in_steps_of_any_length() -> None:
    """Two steps of half an hour: 18 Mtok/h for half an hour are 9 Mtok, answered in the third."""
    work = batch([18, 0, 0, 0], deadline_h=1)
    prices = [100, 100, 40, 10]
    found = profit(site(prices, fleet=fleet(), work=work), hours=2, step_min=30)
    assert found == pytest.approx(9 * 20 - 40)


@pytest.mark.parametrize(
    ("age_h", "hour"), [(0, 3), (0.5, 2), (1, 2), (1.5, 1), (2, 1), (2.5, 1), (3, 1)]
)
def test_work_that_waited_is_due_by_its_age(age_h: float, hour: int) -> None:
    """A deadline of 3 hours: work of age 0 may wait for the third hour, age 2 is due in the first.

    Energy gets cheaper by the hour, so it is answered when it is due.
    """
    work = batch(0, deadline_h=3, initial={"waiting": [{"age_h": age_h, "mtok": 9}]})
    plan = solve(site([100, 70, 40], fleet=fleet(), work=work), hours=3)
    assert column(plan, "work.answered_mtok_per_h") == [9 * (t == hour) for t in (1, 2, 3)]


def test_refusing_costs() -> None:
    """A node earns 45 and takes 100; refusing its 9 Mtok costs 90 when each costs 10."""
    poor = batch(9, price=5, deadline_h=0)
    assert profit(site(fleet=fleet(), work=poor)) == pytest.approx(0)
    plan = solve(site(fleet=fleet(0.5), work=poor | {"refusal_cost_cny_per_mtok": 10}))
    assert plan.summary["objective_cny"] == pytest.approx(4.5 * 5 - 50 - 45)
    assert total(plan, "work", "refused") == pytest.approx(-45)
    assert plan.summary["non_cash_cny"] == pytest.approx(-45)


def test_no_more_waits_at_the_end_than_at_the_start() -> None:
    """9 waited and 9 arrive; energy is dear (250 a node-hour, tokens earn 180), refusing costs 10.

    Refusing 9 costs 90, answering 9 loses 70.
    """
    queue = {"waiting": [{"age_h": 0, "mtok": 9}]}
    work = batch(9, initial=queue, refusal_cost_cny_per_mtok=10)
    plan = solve(site(250, fleet=fleet(), work=work))
    assert plan.summary["objective_cny"] == pytest.approx(-70)
    assert column(plan, "work.waiting_mtok") == [9]


def test_work_left_is_worth_its_value_up_to_a_limit() -> None:
    """18 arrive, 9 waited. Answered now 9 Mtok earn 80, left waiting they are worth 135.

    At most 18 may be left, so 9 are answered: 80 + 15 x (18 - 9) = 215, of it 80 in cash.
    """
    queue = {"waiting": [{"age_h": 0, "mtok": 9}]}
    left = {"value_cny_per_mtok": 15, "at_most_mtok": 18}
    plan = solve(site(fleet=fleet(), work=batch(18, initial=queue, ending=left)))
    assert plan.summary["objective_cny"] == pytest.approx(215)
    assert plan.summary["cash_profit_cny"] == pytest.approx(80)
    assert column(plan, "work.waiting_mtok") == [18]


def test_work_that_cannot_be_answered_in_time_has_no_plan() -> None:
    """What waited was accepted; one node answers 9 of 10 in the hour it is due."""
    queue = {"waiting": [{"age_h": 1, "mtok": 10}]}
    with pytest.raises(planner.InfeasibleError):
        solve(site(fleet=fleet(1), work=batch(0, deadline_h=1, initial=queue)))


@dataclass(frozen=True)
class Case:
    """A random queue. One node answers 9 Mtok an hour and takes 1 MWh for it."""

    steps: int
    step_min: int
    nodes: float
    arrivals: list[float]
    tokens: list[float]
    energy: list[float]
    deadline_h: float
    refusal: float
    waiting: list[tuple[float, float]]  # (age in hours, Mtok)
    ending: dict[str, float] | None

    @classmethod
    def random(cls, seed: int) -> Case:
        rng = np.random.default_rng(seed)
        steps, step_min = int(rng.integers(4, 10)), int(rng.choice([15, 30, 60]))
        step_h, nodes = step_min / 60, float(rng.integers(1, 4))
        deadline_h = float(rng.choice([0, 0.5, 1, 1.25, 2, 3, 24]))
        ages = rng.uniform(0, deadline_h, size=rng.integers(0, 3)).round(2)
        parts = 9 * step_h * nodes * rng.uniform(0.2, 0.9, size=len(ages))  # two may be too much
        start = [(float(age), float(mtok)) for age, mtok in zip(ages, parts, strict=True)]
        value = {
            "value_cny_per_mtok": float(rng.integers(0, 20)),
            "at_most_mtok": float(rng.integers(0, 20)),
        }
        return cls(
            steps,
            step_min,
            nodes,
            arrivals=rng.integers(0, 30, size=steps).astype(float).tolist(),
            tokens=rng.integers(5, 30, size=steps).astype(float).tolist(),
            energy=rng.integers(20, 300, size=steps).astype(float).tolist(),
            deadline_h=deadline_h,
            refusal=float(rng.choice([0, 5, 20])),
            waiting=start,
            ending=value if rng.random() < 0.5 else None,
        )

    @property
    def step_h(self) -> float:
        return self.step_min / 60

    @property
    def cohorts(self) -> list[tuple[int, int, float, bool]]:
        """(first step it may be answered, last step, Mtok, whether it may be refused)."""
        late = math.floor(self.deadline_h / self.step_h + 1e-9)
        found = [
            (0, max(0, late - math.ceil(age / self.step_h - 1e-9) - 1), mtok, False)
            for age, mtok in self.waiting
        ]
        found += [(t, t + late, self.arrivals[t] * self.step_h, True) for t in range(self.steps)]
        return found

    def components(self) -> dict[str, Any]:
        work = batch(
            self.arrivals,
            self.tokens,
            self.deadline_h,
            refusal_cost_cny_per_mtok=self.refusal,
            initial={"waiting": [{"age_h": age, "mtok": mtok} for age, mtok in self.waiting]},
        )
        if self.ending:
            work["ending"] = self.ending
        return site(self.energy, fleet=fleet(self.nodes), work=work)

    def optimum(self) -> float:
        """The most profit by a program that follows every cohort on its own."""
        columns: list[tuple[str, int, int]] = []
        for c, (first, last, _, refusable) in enumerate(self.cohorts):
            columns += [("answer", c, t) for t in range(first, min(last, self.steps - 1) + 1)]
            if last > self.steps - 1:
                columns.append(("leave", c, self.steps))
            if refusable:
                columns.append(("refuse", c, 0))
        value = self.ending["value_cny_per_mtok"] if self.ending else 0.0
        start = sum(mtok for _, mtok in self.waiting)
        most = self.ending["at_most_mtok"] if self.ending else start
        margin = [p - e / 9 for p, e in zip(self.tokens, self.energy, strict=True)]
        gain = {"leave": value, "refuse": -self.refusal}
        profit = [gain[w] if w in gain else margin[t] for w, _, t in columns]
        every = [[float(c == k) for _, c, _ in columns] for k in range(len(self.cohorts))]
        limits = [
            [float(w == "answer" and t == s) for w, _, t in columns] for s in range(self.steps)
        ]
        limits.append([float(w == "leave") for w, _, _ in columns])
        found = linprog(
            -np.array(profit),
            A_ub=limits,
            b_ub=[self.nodes * 9 * self.step_h] * self.steps + [most],
            A_eq=every,
            b_eq=[mtok for _, _, mtok, _ in self.cohorts],
        )
        return -found.fun - value * start if found.success else -math.inf


@pytest.mark.few(3)
@pytest.mark.parametrize("seed", range(40))
def test_the_queue_earns_what_a_program_by_cohorts_earns(seed: int) -> None:
    case = Case.random(seed)
    hours = case.steps * case.step_h
    wanted = case.optimum()
    if wanted == -math.inf:
        with pytest.raises(planner.InfeasibleError):
            solve(case.components(), hours=hours, step_min=case.step_min)
        return
    plan = solve(case.components(), hours=hours, step_min=case.step_min)
    assert plan.summary["objective_cny"] == pytest.approx(wanted, abs=1e-4)
    assert not late(case, plan)


def late(case: Case, plan: planner.Plan) -> list[int]:
    """Serve the plan's answers first in, first out; return the cohorts that end late."""
    accepted = plan.schedule["work.accepted_mtok_per_h"].to_numpy() * case.step_h
    answered = plan.schedule["work.answered_mtok_per_h"].to_numpy() * case.step_h
    olds = sorted(case.waiting, reverse=True)
    cohorts = case.cohorts
    dues = sorted(last for _, last, _, refusable in cohorts if not refusable)
    queue = [[due, mtok] for due, (_, mtok) in zip(dues, olds, strict=True)]
    missed = []
    fresh = [last for _, last, _, refusable in cohorts if refusable]
    for t in range(case.steps):
        queue.append([fresh[t], accepted[t]])
        left = answered[t]
        for entry in queue:
            part = min(entry[1], left)
            entry[1] -= part
            left -= part
        assert left == pytest.approx(0, abs=1e-6), "answered work that was not there"
        missed += [t for due, mtok in queue if due <= t and mtok > 1e-6]
    return missed
