"""A kind of component costs two files and a line in each registry, as docs/architecture.md says.

`tests/support/heat_store.py` and `tests/support/heat_store_audit.py` are the two files, the fixture
`kind` has the two lines. Nothing else knows of a heat store.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

import planner
from planner.auditor import registry as audits
from planner.components import registry as components
from planner.language.language import WORD, language
from planner.report.terminal.plan import show
from tests.support import heat_store, heat_store_audit, words
from tests.support.build import column, profit, renewable, scenario, solve, used


@pytest.fixture(autouse=True)
def kind() -> Iterator[None]:
    """A line in each of the two registries."""
    with pytest.MonkeyPatch.context() as patch:
        added = components.Kind(heat_store.HeatStore, heat_store.reasons)
        patch.setitem(components.KINDS, "heat_store", added)
        patch.setitem(audits.KINDS, "heat_store", heat_store_audit.AUDIT)
        yield


def site(**fields: Any) -> dict[str, Any]:
    """6 MW of sun in the first of two hours; 1 MW of heat is wanted in both, at 100 CNY/MWh."""
    tank = {
        "kind": "heat_store", "power_mw": 5, "min_power_mw": 2, "capacity_mwh": 3,
        "demand_mw": [1, 1], "price_cny_per_mwh": 100,
    }  # fmt: skip
    return {"sun": renewable(6, 0), "tank": tank | fields}


@pytest.fixture
def plan(kind: None) -> planner.Plan:
    """Takes 2 MW in the first hour, keeps 1 MWh for the second: earns 2 x 100."""
    return solve(site(), 2)


def test_it_is_solved(plan: planner.Plan) -> None:
    assert plan.summary["objective_cny"] == pytest.approx(200)
    assert column(plan, "tank.charge_mw[renewable]") == [2, 0]
    assert column(plan, "tank.energy_mwh[renewable]") == [1, 0]
    assert column(plan, "tank.heating") == [1, 0]


def test_its_use_and_its_ledger_line_stand_in_the_accounts(plan: planner.Plan) -> None:
    assert used(plan, "heat", "renewable") == pytest.approx(2)
    assert used(plan, "curtailed", "renewable") == pytest.approx(4)
    assert plan.summary["ledger_cny"]["tank"]["heat[renewable]"] == pytest.approx(200)
    assert plan.summary["green"]["load_share"] == 1.0
    assert plan.summary["figures"]["tank"] == {"discharge_mwh": 2.0}


def test_what_it_holds_at_the_start_counts_as_available() -> None:
    """1 MWh stored and 6 of sun, 7 in all. Solving audits the shares."""
    summary = solve(site(initial={"renewable": 1}), 2).summary
    curtailed = summary["allocation_mwh"]["renewable"]["curtailed"]
    assert summary["green"]["curtailed_share"] == pytest.approx(curtailed / 7, abs=1e-6)


def test_its_decisions_have_reasons(plan: planner.Plan) -> None:
    rows = plan.reasons[plan.reasons["component"] == "tank"]
    assert rows["code"].tolist() == ["heats", "rests"]


def test_it_is_audited(plan: planner.Plan, tmp_path: Path) -> None:
    folder = plan.write(tmp_path / "plan")
    assert planner.audit(folder) == []
    for name, row, quantity, wrong, rule in (
        ("schedule.csv", 1, "tank.energy_mwh[renewable]", 0.5, "energy"),
        ("schedule.csv", 0, "tank.charge_mw[renewable]", 2.5, "energy"),
        ("schedule.csv", 0, "tank.heating", 0.0, "power"),
        ("ledger.csv", 0, "amount_cny", 90.0, "heat[renewable]"),
        ("allocation.csv", 2, "mwh", 1.5, "renewable"),
        ("why.csv", 0, "code", "rests", "why"),
    ):
        file = folder / name
        right = file.read_text()
        table = pd.read_csv(file)
        table.loc[row, quantity] = wrong
        table.to_csv(file, index=False)
        broken = {breach.rule.partition(".")[0] for breach in planner.audit(folder)}
        assert rule in broken, (name, quantity, broken)
        file.write_text(right)


def test_it_is_charted(plan: planner.Plan) -> None:
    for chart in ("supply", "allocation", "storage", "commitment", "ledger"):
        figure = getattr(plan.figures, chart)()
        assert "heat" in figure.to_json(), chart
    traces = plan.figures.supply().data
    by_step = [
        sum(trace.y[step] for trace in traces if trace.visible is not False) for step in (0, 1)
    ]
    assert by_step == pytest.approx([0, 0])  # supply equals use


def test_it_is_worded(plan: planner.Plan, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=160)
    show(plan, console, language("en"))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "heat" in text
    page = (plan.write(tmp_path / "plan") / "report.html").read_text()
    assert "heat" in page
    with pytest.raises(planner.InfeasibleError) as error:
        solve(site(demand_mw=[1, 4]), 2)
    assert "tank delivers demand_mw" in str(error.value)
    assert "of heat, neither more nor less" in str(error.value)


def test_other_words_for_it_are_understood(kind: None) -> None:
    with pytest.raises(planner.ScenarioError, match="did you mean heat_store"):
        solve(site(kind="heat-tank"), 2)


def test_its_words_are_those_of_the_catalogue(
    plan: planner.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = copy.deepcopy(words.catalogue())  # which is cached
    for word, chinese in (("heat", "供热"), ("heats", "加热中"), ("heating", "加热")):
        more.add(word, chinese, context=WORD)
    words.write_catalogue(more, tmp_path / "zh.po")
    monkeypatch.setattr("planner.language.language.CATALOGUES", tmp_path)
    language.cache_clear()
    try:
        page = (plan.write(tmp_path / "plan", lang="zh") / "report.html").read_text()
        console = Console(file=io.StringIO(), width=160)
        show(plan, console, language("zh"))
    finally:
        language.cache_clear()
    assert "供热" in page
    assert "供热" in console.file.getvalue()  # type: ignore[attr-defined]


def test_its_state_continues_from_window_to_window() -> None:
    whole = profit(site(demand_mw=[1, 1, 1]) | {"sun": renewable(6, 0, 6)}, 3)
    parts = scenario(site(demand_mw=[1, 1, 1]) | {"sun": renewable(6, 0, 6)}, 3)
    rolled = planner.roll(parts, 2, 1)
    assert rolled.summary["objective_cny"] == pytest.approx(whole) == 300
