"""How a plan is found: what is promised of the gap and of directions holds on every path."""

from __future__ import annotations

import pytest

from tests.auditor.test_mutations import HOURS, everything
from tests.support import build
from tests.support.sites import random_site


def test_tidying_keeps_the_gap_that_was_asked_for():
    """Here tidying would turn over less and leave 0.0100076 for a gap of 0.01."""
    plan = build.solve(everything(), HOURS, solver={"gap": 0.01}, start="2026-07-31T16:00:00+08:00")
    assert plan.summary["status"] == "optimal"
    assert plan.summary["gap"] <= 0.01


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_that_cannot_be_settled_has_directions_too(
    seed: int, monkeypatch: pytest.MonkeyPatch
):
    """Solving audits the plan: a switch of 0.34 would fail it."""
    monkeypatch.setattr("planner.solver.rounds.settle", lambda *_: None)
    summary = build.solve(random_site(seed, 12), 12).summary
    assert not summary["solving"]["tidied"]
