"""Limits in work: a search ends in the same place on every machine, and says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner.solver.budget import INTEGRAL_COST, ROWS_AN_ITERATION, Budget
from planner.solver.program import Program
from planner.solver.session import Session
from tests.support.programs import program

INF = np.inf


def halves(n: int = 1) -> Program:
    """Maximise x of 0..3 with 2 x <= 5, in n equal rows: 2.5, as an integer 2."""
    return program([-1], [([2], -INF, 5)] * n, [3], integer=[0])


def knapsack() -> Program:
    """Twenty things under five limits, which takes eight nodes and many iterations."""
    random = np.random.default_rng(0)
    weights = random.integers(1, 100, (5, 20)).tolist()
    value = random.integers(1, 100, 20).tolist()
    rows = [(weight, -INF, 0.4 * sum(weight)) for weight in weights]
    return program([-v for v in value], rows, [1] * 20, integer=list(range(20)))


def test_a_search_of_some_nodes_ends_in_the_same_place():
    def searched() -> tuple[Any, ...]:
        session = Session(knapsack())
        session.integrality(session.program.integer)
        result = session.run(nodes=2)
        return result.status, result.objective, result.bound, session.iterations

    first = searched()
    assert first[0] == "node_limit"
    assert first[2] < first[1] < 0
    assert searched() == first


def test_a_run_costs_its_iterations_and_some_for_its_rows():
    budget, session = Budget(100.0), Session(halves(n=300))
    assert budget.run(session).objective == -2.5
    assert budget.left == 100 - session.iterations - 300 / ROWS_AN_ITERATION
    assert not budget.is_spent
    assert Budget(0.0).is_spent


def test_the_best_point_with_and_without_integers():
    assert Budget(1.0).point(Session(halves()), np.array([False])).tolist() == [2.5]
    assert Budget(1.0).point(Session(halves()), np.array([True])).tolist() == [2.0]
    never = program([1], [([1], 5, INF)], [4])
    assert Budget(1.0).point(Session(never), np.array([True])) is None


def test_an_lp_beyond_the_limit_has_no_point(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("planner.solver.budget.SOLVE_ITERATIONS", 1)
    session = Session(knapsack())
    assert Budget(1e6).point(session, session.program.integer) is None
    assert session.run(iterations=1).status == "iteration_limit"


def test_ctrl_c_ends_a_search():
    session = Session(halves())
    session.spent.stopped = True
    with pytest.raises(KeyboardInterrupt):
        Budget(1.0).run(session)


def test_an_iteration_within_a_search_over_integers_costs_more():
    budget, session = Budget(1e6), Session(knapsack())
    session.integrality(session.program.integer)
    budget.run(session)
    assert budget.left == 1e6 - INTEGRAL_COST * session.iterations - 5 / ROWS_AN_ITERATION
