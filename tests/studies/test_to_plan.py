"""Plans are audited where their tables lie, once, and only what passed is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.auditor.audit import audit
from planner.plan_tables import files
from planner.studies import to_plan
from tests.support.build import battery, grid, load, renewable, scenario

STUDIES: dict[str, Callable[[Any, Any], Any]] = {
    "solve": lambda site, out: planner.solve(site, out=out),
    "fixed": lambda site, out: planner.solve(site, planner.solve(site), out=out),
    "prices": lambda site, out: planner.prices(site, out).plan,
    "roll": lambda site, out: planner.roll(site, 2, 1, out),
    "rule_of_thumb": lambda site, out: planner.rule_of_thumb(site, "grid_first", out),
    "settle": lambda site, out: planner.settle(site, planner.solve(site), out=out).plan,
    "replan": lambda site, out: (
        planner.replan(planner.solve(site), site.horizon.starts[1].isoformat(), out=out).plan
    ),
}


@pytest.fixture
def site() -> planner.Scenario:
    parts = {"grid": grid(), "sun": renewable(5, 1, 3), "town": load(2, 2, 2), "store": battery()}
    return scenario(parts, 3)


@pytest.mark.few(4)
@pytest.mark.parametrize("study", STUDIES)
def test_a_study_writes_the_plan_that_it_returns(
    study: str, site: planner.Scenario, tmp_path: Path
) -> None:
    out = tmp_path / "plan"
    plan = STUDIES[study](site, out)
    assert planner.read_plan(out) == plan
    assert audit(out) == []
    assert (out / "report.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_tables_are_written_once_and_audited_where_they_are_published_from(
    site: planner.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, audited = [], []
    write_csv = files.write_csv
    monkeypatch.setattr(files, "write_csv", lambda t, p: (written.append(p), write_csv(t, p)))
    monkeypatch.setattr(to_plan, "audit", lambda folder: audited.append(folder) or audit(folder))
    planner.prices(site, planner.Output(tmp_path / "plan", page=False))
    assert audited == [tmp_path / ".plan.new" / "new"]
    assert len(written) == len({*written}) == 7  # series.csv is another module's
    assert {path.parent for path in written} == set(audited)
    assert not (tmp_path / "plan" / "report.html").exists()


def test_a_plan_that_fails_its_audit_leaves_the_older_folder(
    site: planner.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "plan"
    older = planner.solve(site, out=out)
    monkeypatch.setattr(files, "json_text", lambda _: '{"status": "optimal"}')
    with pytest.raises(planner.PlanError):
        planner.solve(site.with_values({"components.town.demand_mw": [3, 3, 3]}), out=out)
    monkeypatch.undo()
    assert planner.read_plan(out) == older
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_an_output_is_checked_before_anything_is_solved(tmp_path: Path) -> None:
    with pytest.raises(planner.PlanError, match="format 'docx' is not known"):
        planner.Output(tmp_path, ("csv", "docx"))
    with pytest.raises(planner.PlanError, match="language 'fr' is not known"):
        planner.Output(tmp_path, lang="fr")
