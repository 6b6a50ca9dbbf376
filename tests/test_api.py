"""The public names: they are what the README says, also after a solve has loaded everything."""

from __future__ import annotations

from pathlib import Path

import pytest

import planner

ROOT = Path(__file__).parent.parent


def test_every_public_name_is_there_before_and_after_a_solve(tmp_path: Path):
    plan = planner.solve(planner.load(ROOT / "scenarios" / "tiny_arbitrage"))
    folder = plan.write(tmp_path / "plan")
    assert planner.audit(folder) == []
    assert planner.read_plan(folder) == plan
    for name in planner.__all__:
        assert callable(getattr(planner, name)), name
    assert set(planner.__all__) <= set(dir(planner))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = planner.no_such_name


def test_a_plan_that_fails_its_audit_is_not_returned(monkeypatch: pytest.MonkeyPatch):
    from planner.auditor.audit import Breach

    breach = Breach("coal_1", "ramp_up", "2026-07-15T17:00+08:00", 20.0, "MW", "rises too fast")
    monkeypatch.setattr("planner.studies.to_plan.audit", lambda _: [breach])
    with pytest.raises(planner.PlanError, match="coal_1: ramp_up"):
        planner.solve(planner.load(ROOT / "scenarios" / "tiny_arbitrage"))
