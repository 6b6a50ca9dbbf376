"""One plan for several futures: what is decided now, what each member does, what it is worth.

The coal unit burns 10 CNY/MWh between 20 and 100 MW and costs 1000 CNY to start; the grid only buys
(see `tests.support.build`).
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

import planner
from planner import InfeasibleError, PlanError, ScenarioError
from planner.auditor.audit import audit
from planner.cli.app import app
from planner.errors import NoPlanError
from planner.files.format_mark import mark_line
from planner.language.language import language
from planner.report.terminal.studies import show_stochastic
from planner.scenario.scenario import members_of
from planner.scenario.uncertainty.fields import Risk, cvar, worth
from planner.solver.compiler import program_of
from planner.solver.pinning import pin
from planner.solver.rounds import optimise_uninterrupted
from planner.studies.settle import settle
from planner.studies.solve_stochastic import solve_member
from planner.studies.two_stage import plan_window
from planner.timeseries.horizon import Window
from tests.support import build, compute
from tests.support.build import column, grid, load, market, renewable, scenario, thermal
from tests.support.sites import random_site

PRICE = "components.grid.export_price_cny_per_mwh"
SUN = "components.sun.availability_pu"
STARTUP = [{"off_h": 0, "cost_cny": 1000}]


def member(probability: float, name: str | None = None, **changes: Any) -> dict[str, Any]:
    """A member; `changes` are paths with __ for the dots."""
    paths = {f"components.{path.replace('__', '.')}": value for path, value in changes.items()}
    return {"probability": probability, "set": paths} | ({"name": name} if name else {})


def uncertain(
    components: Any, *members: dict[str, Any], hours: float = 1, **more: Any
) -> planner.Scenario:
    """A scenario with listed members; `risk` and `awake` go into its uncertainty."""
    inside = {name: more.pop(name) for name in ("risk", "awake") if name in more}
    said = {"members": list(members)} | inside
    return scenario(components, hours, uncertainty=said, **more)


def coal_or_not(
    dear: float = 0.5, base: float = 12, risk: Any = None, **more: Any
) -> planner.Scenario:
    """An hour in which the price is 40 with probability `dear`, else 5; the file says `base`."""
    return uncertain(
        {"coal": thermal(startups=STARTUP), "grid": market(base)},
        member(dear, "dear", grid__export_price_cny_per_mwh=40),
        member(1 - dear, "cheap", grid__export_price_cny_per_mwh=5),
        risk=risk,
        **more,
    )


def test_a_start_is_decided_for_all_futures_at_once():
    # on: 100 (40 - 10) - 1000 = 2000 where dear, 20 (5 - 10) - 1000 = -1100 where cheap
    plan = planner.solve_stochastic(coal_or_not())
    assert plan.summary["status"] == "optimal"
    assert plan.expected_cny == pytest.approx(0.5 * 2000 - 0.5 * 1100)
    assert column_of(plan, "coal.on") == [1]
    assert column(plan.members["dear"], "coal.power_mw") == [100]
    assert column(plan.members["cheap"], "coal.power_mw") == [20]
    # alone: 2000 and 0; the file's own price of 12 is not worth a start: nothing is earned
    assert plan.summary["ws_cny"] == pytest.approx(1000)
    assert plan.summary["eev_cny"] == pytest.approx(0)
    assert plan.evpi_cny == pytest.approx(1000 - 450)
    assert plan.vss_cny == pytest.approx(450 - 0)
    rows = plan.table.set_index("name")
    assert rows.loc["cheap", ["profit_cny", "alone_cny", "base_cny"]].tolist() == [-1100, 0, 0]
    assert rows["starts"].tolist() == [1, 1]


def column_of(plan: planner.StochasticPlan, name: str) -> list[float]:
    return [round(value, 6) + 0.0 for value in plan.here_and_now[name].tolist()]


def test_an_improbable_chance_is_let_go():
    plan = planner.solve_stochastic(coal_or_not(dear=0.3))  # 0.3 x 2000 < 0.7 x 1100
    assert plan.expected_cny == 0
    assert column_of(plan, "coal.on") == [0]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("share", "weight", "planned_for", "on"),
    [
        (0.5, 0.0, 450, 1),
        (0.5, 0.25, 0.75 * 450 - 0.25 * 1100, 1),  # 62.5
        (0.5, 0.5, 0, 0),  # on: 0.5 x 450 - 0.5 x 1100 = -325
        (0.8, 1.0, (-0.5 * 1100 + 0.3 * 2000) / 0.8, 1),  # 62.5
        (1.0, 1.0, 450, 1),  # the worst of all futures are all futures
    ],
)
def test_bad_futures_weigh_as_said(share: float, weight: float, planned_for: float, on: int):
    risk = {"cvar_share": share, "weight": weight}
    plan = planner.solve_stochastic(coal_or_not(risk=risk))
    assert plan.summary["objective_cny"] == pytest.approx(planned_for)
    assert plan.summary["bound_cny"] == pytest.approx(planned_for)
    assert column_of(plan, "coal.on") == [on]
    if on:
        assert plan.expected_cny == pytest.approx(450)
    if share == 0.5 and on:
        assert plan.cvar_cny == pytest.approx(-1100)


def test_cvar_is_the_mean_of_the_worst():
    probabilities, profits = [0.5, 0.25, 0.25], [40.0, -10.0, 20.0]
    assert cvar(probabilities, profits, 0.25) == -10
    assert cvar(probabilities, profits, 0.5) == (-10 + 20) / 2
    assert cvar(probabilities, profits, 0.75) == pytest.approx((-10 + 20 + 40) / 3)
    assert cvar(probabilities, profits, 1.0) == 22.5
    assert worth(probabilities, profits, Risk(cvar_share=0.5, weight=0.2)) == 0.8 * 22.5 + 0.2 * 5


@pytest.mark.parametrize(("over", "under", "declared"), [(20, 5, 20), (10, 10, 50), (5, 20, 80)])
def test_a_declaration_is_the_quantile_that_its_costs_ask_for(over, under, declared):
    # Sold at 30 in both markets; a MW short of the declaration costs `over`, one above it `under`.
    # Best is the quantile under / (over + under) of 20, 50 and 80 MW: 0.2, 0.5 and 0.8.
    connection = grid(
        import_price_cny_per_mwh=30,
        real_time_price_cny_per_mwh=30,
        declaration={"exchange_mw": "decide", "over_cost_cny_per_mwh": over,
                     "under_cost_cny_per_mwh": under},
    )  # fmt: skip
    sun, chances = (20, 50, 80), (0.3, 0.4, 0.3)
    members = [member(p, sun__availability_pu=mw / 100) for p, mw in zip(chances, sun, strict=True)]
    plan = planner.solve_stochastic(uncertain({"grid": connection, "sun": renewable(50)}, *members))
    assert column_of(plan, "grid.declared_export_mw") == [declared]
    off = [over * max(declared - mw, 0) + under * max(mw - declared, 0) for mw in sun]
    earned = sum(p * (30 * mw - cost) for p, mw, cost in zip(chances, sun, off, strict=True))
    assert plan.expected_cny == pytest.approx(earned)
    assert plan.evpi_cny == pytest.approx(np.dot(chances, off))


def test_equal_members_are_the_deterministic_plan():
    site = {"coal": thermal(startups=STARTUP), "grid": market(12, 30, 8), "city": load(5, 5, 5)}
    twins = uncertain(site, member(0.25), member(0.75), hours=3)
    plan, alone = planner.solve_stochastic(twins), build.solve(site, 3)
    assert plan.expected_cny == pytest.approx(alone.summary["objective_cny"])
    for name in plan.here_and_now:
        assert column_of(plan, name) == column(alone, name)
    for twin in plan.members.values():
        pd.testing.assert_frame_equal(twin.schedule, alone.schedule)
        pd.testing.assert_frame_equal(twin.ledger, alone.ledger)
        assert twin.summary["status"] == "settled"
        assert twin.summary["gap"] == 0
    assert plan.vss_cny == plan.evpi_cny == 0
    assert "all members are equal" in " ".join(plan.summary["warnings"])


def best_by_hand(prices: np.ndarray, chances: np.ndarray, risk: Risk | None) -> float:
    """Try every commitment of the coal unit: prices of shape (members, hours)."""
    on_hour = np.maximum(20 * (prices - 10), 100 * (prices - 10))
    return max(
        worth(chances.tolist(), (on_hour @ np.array(on) - 1000 * starts(on)).tolist(), risk)
        for on in itertools.product((0, 1), repeat=prices.shape[1])
    )


def starts(on: tuple[int, ...]) -> int:
    return sum(now and not before for before, now in itertools.pairwise((0, *on)))


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(4))
def test_the_best_commitment_of_all_is_found(seed: int):
    rng = np.random.default_rng(seed)
    prices = rng.uniform(0, 30, (3, 4)).round(2)
    chances = np.array([0.2, 0.3, 0.5])
    risk = None if seed % 2 else Risk(cvar_share=float(rng.uniform(0.2, 0.9)), weight=0.6)
    members = [
        member(p, grid__export_price_cny_per_mwh=row.tolist())
        for p, row in zip(chances.tolist(), prices, strict=True)
    ]
    base = chances @ prices
    plan = planner.solve_stochastic(
        uncertain(
            {"coal": thermal(startups=STARTUP), "grid": market(*base)},
            *members,
            hours=4,
            risk=risk and risk.model_dump(),
        )
    )
    summary = plan.summary
    assert summary["objective_cny"] == pytest.approx(best_by_hand(prices, chances, risk), abs=1e-4)
    alone = [best_by_hand(row[None], np.ones(1), None) for row in prices]
    assert summary["ws_cny"] == pytest.approx(worth(chances.tolist(), alone, risk), abs=1e-4)
    assert summary["ws_cny"] >= summary["objective_cny"] - 1e-6
    assert summary["objective_cny"] >= summary["eev_cny"] - 1e-6
    assert plan.vss_cny == pytest.approx(summary["objective_cny"] - summary["eev_cny"], abs=1e-5)
    assert plan.evpi_cny == pytest.approx(summary["ws_cny"] - summary["objective_cny"], abs=1e-5)


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", [4, 15])
def test_planning_for_all_lies_between_the_base_and_perfect_information(seed: int):
    rng, site, members = np.random.default_rng(seed), random_site(seed, 4), []
    varied = {"availability_pu": 1, "export_price_cny_per_mwh": 3, "fuel_price_cny_per_gj": 3}
    for chance in (0.2, 0.3, 0.5):
        scales = {
            f"components.{name}.{field}": {"scale": round(float(rng.uniform(0.1, most)), 3)}
            for name, part in site.items()
            for field, most in varied.items()
            if field in part
        }
        members.append({"probability": chance, "set": scales})
    found = scenario(site, 4, uncertainty={"members": members}, solver={"gap": 1e-5})
    summary = planner.solve_stochastic(found).summary
    slack = 1e-6 * summary["turnover_cny"]
    assert summary["status"] == "optimal"
    assert summary["ws_cny"] >= summary["objective_cny"] - slack
    assert summary["objective_cny"] >= summary["eev_cny"] - slack
    assert summary["evpi_cny"] > 0


def test_what_the_gaps_leave_open_is_told(monkeypatch: pytest.MonkeyPatch):
    def loose(program: Any) -> Any:
        found = optimise_uninterrupted(program)
        return dataclasses.replace(found, bound=found.bound - 600)  # 600 CNY are not ruled out

    monkeypatch.setattr("planner.studies.solve_stochastic.optimise_uninterrupted", loose)
    monkeypatch.setattr("planner.solver.pinning.optimise", lambda program, _: loose(program))
    plan = planner.solve_stochastic(coal_or_not())
    assert plan.evpi_cny == pytest.approx(550)
    assert plan.summary["evpi_open_cny"] == pytest.approx(600)
    assert [note.split(" is ")[0] for note in plan.summary["notes"]] == [
        "VSS of 450.00 CNY", "EVPI of 550.00 CNY"
    ]  # fmt: skip
    assert plan.members["dear"].summary["bound_cny"] == pytest.approx(2000 + 600)


def test_ctrl_c_after_the_joint_plan_keeps_it(monkeypatch: pytest.MonkeyPatch):
    def stopped(program: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.studies.solve_stochastic.optimise_uninterrupted", stopped)
    plan = planner.solve_stochastic(coal_or_not())
    assert plan.expected_cny == pytest.approx(450)
    assert plan.summary["status"] == "interrupted"
    assert plan.vss_cny is plan.evpi_cny is None
    assert plan.members["dear"].summary["bound_cny"] is None


def test_a_base_that_leaves_a_future_without_a_plan_is_told():
    # The city draws 50 MW; the grid sells at 5 and fails in one future, where coal alone is left.
    site = {
        "coal": thermal(startups=STARTUP),
        "grid": grid(import_price_cny_per_mwh=5, export_limit_mw=0),
        "city": load(50),
    }
    plan = planner.solve_stochastic(
        uncertain(site, member(0.9), member(0.1, "dark", grid__import_limit_mw=0))
    )
    # coal must be on: 20 MW of it and 30 of the grid, or all 50
    assert plan.expected_cny == pytest.approx(-1000 - 0.9 * (200 + 150) - 0.1 * 500)
    assert plan.vss_cny is None
    assert any("leaves no plan in dark" in note for note in plan.summary["notes"])
    assert plan.evpi_cny == pytest.approx(0.9 * (1000 + 350 - 250))
    assert plan.table["base_cny"].isna().tolist() == [False, True]
    assert [row["base_cny"] for row in plan.summary["members"]] == [-250, None]


def test_members_that_cannot_share_a_decision_are_told_apart():
    site = {"coal": thermal(), "grid": grid()}
    outage = uncertain(
        site, member(0.5, "kept", coal__must_run=True), member(0.5, "out", coal__available=0)
    )
    with pytest.raises(InfeasibleError, match=r"coal\.on at 07-15 00:00.*kept.*out"):
        planner.solve_stochastic(outage)


def test_members_that_decide_other_things_are_told_apart():
    kinds = [{"off_h": 0, "cost_cny": 5}, {"off_h": 9, "cost_cny": 7}]
    apart = uncertain(
        {"coal": thermal(), "grid": grid()}, member(0.5), member(0.5, "cold", coal__startups=kinds)
    )
    with pytest.raises(ScenarioError, match=r"member_1 and cold.*coal\.start_kind\[1\]"):
        planner.solve_stochastic(apart)


def test_the_decisions_of_the_base_are_taken_where_they_earn_more(monkeypatch: pytest.MonkeyPatch):
    def poor(found: Any, *arguments: Any, **more: Any) -> Any:
        joint = plan_window(found, *arguments, **more)
        off = 0 * joint.here_and_now
        points = tuple(solve_member(member, off) for member in joint.members)
        return joint._replace(here_and_now=off, points=points)

    monkeypatch.setattr("planner.studies.solve_stochastic.plan_window", poor)
    plan = planner.solve_stochastic(coal_or_not(base=40))  # at 40 the file alone is for starting
    assert plan.expected_cny == pytest.approx(450)
    assert column_of(plan, "coal.on") == [1]
    assert plan.vss_cny == 0


def test_a_member_without_a_plan_is_named():
    site = {"grid": grid(), "city": load(50), "coal": thermal(max_power_mw=40)}
    with pytest.raises(InfeasibleError, match="member dark: ") as raised:
        planner.solve_stochastic(
            uncertain(site, member(0.9), member(0.1, "dark", grid__import_limit_mw=0), hours=1)
        )
    assert raised.value.diagnosis["member"] == "dark"
    assert "city" in str(raised.value)


def test_futures_without_a_common_plan_are_told():
    site = {"coal": thermal(), "city": load(30), "sun": renewable(30)}
    apart = uncertain(
        site,
        member(0.5, sun__availability_pu=0),  # coal alone can feed the city
        member(0.5, "still", city__demand_mw=10, sun__availability_pu=0.1),  # 20 MW are too many
    )
    with pytest.raises(InfeasibleError, match="no plan serves every member"):
        planner.solve_stochastic(apart)


def test_nodes_may_be_woken_before_the_future_is_known():
    # A node at work earns 180 - 100 an hour, costs 20 to wake and 20 to idle; chat asks for the
    # work of 2 nodes or of 10. k awake in both: 160 - 20 k - 20 (k - 2) in one, 60 k in the other.
    site = compute.site(
        gpus=compute.fleet(wake_cost_cny=20), chat=compute.chat(demand=18), coal=thermal()
    )
    members = member(0.5), member(0.5, "busy", chat__demand_mtok_per_h=90)
    free = planner.solve_stochastic(uncertain(site, *members))
    assert free.expected_cny == pytest.approx(0.5 * 2 * 60 + 0.5 * 10 * 60)
    ahead = planner.solve_stochastic(uncertain(site, *members, awake="here_and_now"))
    assert ahead.expected_cny == pytest.approx(0.5 * (160 - 200 - 160) + 0.5 * 600)
    assert column_of(ahead, "gpus.awake[chatty]") == [10]
    for plan in ahead.members.values():
        assert column(plan, "gpus.awake[chatty]") == column_of(ahead, "gpus.awake[chatty]")


def test_a_window_is_planned_for_several_futures():
    site = {"coal": thermal(startups=STARTUP), "grid": market(12, 40, 40)}
    whole = scenario(site, 3)
    cheap = scenario(site | {"grid": market(12, 40, 5)}, 3)
    decided = plan_window(whole, [(0.75, whole), (0.25, cheap)], Window(2, 3))
    assert decided.here_and_now["coal.on"].tolist() == [1, 1]
    assert list(decided.here_and_now.index) == list(whole.horizon.starts[1:])
    assert decided.solution.status == "optimal"
    # start 1000; 3000 + 3000 or 3000 - 100
    assert -decided.solution.bound == pytest.approx(0.75 * 5000 + 0.25 * 1900)
    program = program_of(cheap, Window(2, 3))
    alone = optimise_uninterrupted(pin(program, decided.here_and_now).program)
    assert -program.objective(alone.x) == pytest.approx(1900)


def test_no_time_is_no_plan():
    with pytest.raises(NoPlanError):
        planner.solve_stochastic(coal_or_not(solver={"time_limit_s": 1e-9}))


# Folders and commands.

FILE = """\
name: twofold
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 2}
uncertainty:
  members:
    - {name: calm, probability: 0.5, set: {components.sun.availability_pu: {scale: 0.5}}}
    - {name: bright, probability: 0.5, set: {components.sun.availability_pu: [0.8, 1]}}
components:
  sun: {kind: renewable, technology: pv, capacity_mw: 100, availability_pu: [0.2, 0.5]}
  grid:
    kind: grid
    import_limit_mw: 100
    export_limit_mw: 100
    import_price_cny_per_mwh: 300
    export_price_cny_per_mwh: 300
    real_time_price_cny_per_mwh: 300
    declaration: {exchange_mw: decide, over_cost_cny_per_mwh: 200, under_cost_cny_per_mwh: 20}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(FILE)
    return path


def test_solve_writes_a_folder_whose_members_are_plan_folders(file: Path, tmp_path: Path):
    out, declared = tmp_path / "plans", tmp_path / "day.csv"
    done = run("solve", file, "--out", out, "--declare", declared)
    assert done.exit_code == 0, done.output
    assert "VSS" in done.output
    assert {path.name for path in out.iterdir()} == {
        "stochastic.json", "here_and_now.csv", "members.csv", "scenario.yaml", "series.csv",
        "members", "report.html",
    }  # fmt: skip
    assert run("audit", out).exit_code == 0
    again = run("report", out, "--lang", "zh")
    assert again.exit_code == 0, again.output
    for name in ("calm", "bright"):
        page = out / "members" / name / "report.html"
        assert str(page) in again.output.replace("\n", "")
        assert 'lang="zh"' in page.read_text(encoding="utf-8")
    for name in ("calm", "bright"):
        assert run("audit", out / "members" / name).exit_code == 0
        assert planner.read_plan(out / "members" / name).scenario.name == f"twofold ({name})"
    summary = json.loads((out / "stochastic.json").read_text())
    # declared 10 and 25 MW, what is sure; 70 and 75 MW more in one future cost 20 each
    assert summary["objective_cny"] == pytest.approx(0.5 * 300 * (35 + 180) - 0.5 * 20 * 145)
    assert pd.read_csv(declared)["grid.exchange_mw"].tolist() == [-10, -25]
    here = pd.read_csv(out / "here_and_now.csv")
    assert here["grid.declared_export_mw"].tolist() == [10, 25]
    assert run("solve", file, "--out", out, "-q").exit_code == 0  # replaced whole
    again = planner.load(out)
    assert again == planner.load(file)
    assert planner.solve_stochastic(again).table.equals(pd.read_csv(out / "members.csv"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    risk = {"cvar_share": 0.5, "weight": 0.25}
    return planner.solve_stochastic(coal_or_not(risk=risk)).write(
        tmp_path_factory.mktemp("written") / "plans"
    )


def edit_json(**values: Any) -> Any:
    def change(folder: Path) -> None:
        path = folder / "stochastic.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def edit(file: str, old: str, new: str) -> Any:
    def change(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edit_json(expected_cny=460), "plan: expected_cny: is 460 CNY, should be 450"),
        (edit_json(cvar_cny=-1000), "plan: cvar_cny: is -1000 CNY, should be -1100"),
        (edit_json(objective_cny=63), "plan: objective_cny: is 63 CNY, should be 62.5"),
        (edit_json(turnover_cny=0), "plan: turnover_cny"),
        (edit_json(bound_cny=62), "plan: bound_cny: is 62 CNY, at least 62.5"),
        (edit_json(bound_cny=99, gap=0), "plan: gap"),
        (edit_json(bound_cny=75), "plan: gap_of_profit: is 0, should be 0.2"),  # 12.5 of 62.5
        (edit_json(gap_of_profit=0.01), "plan: gap_of_profit: is 0.01, should be 0"),
        (edit_json(gap_of_profit=None), "plan: gap_of_profit: is empty, should be 0"),
        (edit_json(objective_cny=0), "plan: gap_of_profit: is 0.0, should be empty"),
        (edit_json(bound_cny="much"), "plan: bound_cny: is nan CNY, at least 62.5"),
        (edit_json(vss_cny=62), "plan: vss_cny"),
        (edit_json(evpi_cny=None), "plan: evpi_cny: is empty"),
        (edit_json(ws_cny=10), "plan: ws_cny"),
        (edit_json(eev_cny=10), "plan: eev_cny"),
        (edit("members.csv", "dear,0.5,2000.0", "dear,0.5,2100.0"), "plan: profit_cny: dear"),
        (edit("members.csv", "dear,0.5,2000.0,2000.0", "dear,0.5,2000.0,1900.0"),
         "plan: alone_cny: dear earns 2000 CNY, at most 1900"),
        (edit("members.csv", "dear,0.5", "dear,0.6"), "plan: members: probabilities sum to 1.1"),
        (edit("members.csv", ",1.0\n", ",2.0\n"), "plan: starts: dear"),
        (edit("here_and_now.csv", "0,1.0", "0,0.0"), "plan: here_and_now at"),
        (edit("here_and_now.csv", "coal.stop", "coal.halt"), "leaves out coal.stop"),
        (edit("scenario.yaml", "name: dear", "name: deer"), "plan: members: the table has cheap"),
        (edit("members/dear/schedule.csv", "100.0", "110.0"), "dear/coal: "),
    ],
)  # fmt: skip
def test_the_audit_finds_what_a_folder_of_futures_says_wrongly(
    written: Path, tmp_path: Path, change: Any, said: str
):
    folder = tmp_path / "copy"
    shutil.copytree(written, folder)
    change(folder)
    breaches = [str(breach) for breach in audit(folder)]
    assert any(said in breach for breach in breaches), breaches


def test_a_folder_of_futures_that_cannot_be_read_is_an_error(written: Path, tmp_path: Path):
    for name in ("members.csv", "here_and_now.csv", "scenario.yaml"):
        folder = tmp_path / name
        shutil.copytree(written, folder)
        (folder / name).write_text("nothing\n")
        with pytest.raises(PlanError, match="cannot be read"):
            audit(folder)
    shutil.rmtree(folder / "members")
    with pytest.raises(PlanError):
        audit(folder)


def test_what_is_no_folder_of_futures_stays(file: Path, tmp_path: Path):
    out = tmp_path / "out"
    assert run("solve", file, "--out", out, "-q", "--set", "uncertainty=null").exit_code == 0
    assert "holds no stochastic plan" in run("solve", file, "--out", out).output
    assert (out / "summary.json").exists()
    futures = tmp_path / "futures"
    assert run("solve", file, "--out", futures, "-q").exit_code == 0
    (futures / "members" / "calm" / "notes.txt").write_text("mine")
    done = run("solve", file, "--out", futures)
    assert done.exit_code == 5
    assert "notes.txt" in done.output
    with pytest.raises(PlanError, match="is no plan folder"):
        planner.solve(planner.load(file, {"uncertainty": None})).write(futures)
    assert (futures / "members" / "calm" / "notes.txt").exists()


def test_what_a_killed_run_left_is_removed(file: Path, tmp_path: Path):
    left = tmp_path / ".out.new"
    (left / "new" / "members" / "calm").mkdir(parents=True)
    (left / "planner.json").write_bytes(mark_line())
    assert run("solve", file, "--out", tmp_path / "out", "-q").exit_code == 0
    assert not left.exists()
    assert not audit(tmp_path / "out")


def test_infeasible_futures_leave_why_behind(file: Path, tmp_path: Path):
    more = "components.city={kind: load, demand_mw: 500}"
    done = run("solve", file, "--out", tmp_path / "out", "--set", more)
    assert done.exit_code == 3
    assert "member calm: " in done.output
    assert json.loads((tmp_path / "out" / "infeasible.json").read_text())["member"] == "calm"


def test_one_plan_is_refused_in_words_where_several_futures_are_held(file: Path, tmp_path: Path):
    for arguments in (("prices", file), ("solve", file, "--prices", "--out", tmp_path / "x")):
        done = run(*arguments)
        assert done.exit_code == 2
        assert "--set uncertainty=null" in done.output
    assert run("prices", file, "--set", "uncertainty=null").exit_code == 0
    with pytest.raises(ScenarioError, match=r"planner\.solve"):
        settle(planner.load(file), pd.DataFrame())
    with pytest.raises(ScenarioError, match=r"planner\.solve"):
        planner.roll(planner.load(file), 2, 1)
    with pytest.raises(ScenarioError, match=r"planner\.solve"):
        planner.solve(planner.load(file), fixed=pd.DataFrame())
    with pytest.raises(ScenarioError, match="is required"):
        planner.solve_stochastic(planner.load(file, {"uncertainty": None}))
    sweep = tmp_path / "sweep.yaml"
    text = "name: s\nbase: scenario.yaml\naxes: {components.sun.capacity_mw: [50, 100]}\n"
    sweep.write_text(text)
    done = run("sweep", sweep, "--dry-run")
    assert done.exit_code == 2
    assert "set: {uncertainty: null}" in done.output
    sweep.write_text(text + "set: {uncertainty: null}\n")
    assert run("sweep", sweep, "--dry-run").exit_code == 0


def test_several_futures_are_told_in_chinese(file: Path):
    console = Console(width=160, record=True, file=io.StringIO())
    show_stochastic(planner.solve_stochastic(planner.load(file)).summary, console, language("zh"))
    text = console.export_text()
    for said in ("期望利润", "随机解价值（VSS）", "各情景", "概率", "单独计划 [元]", "2 个情景"):
        assert said in text
    names = {"twofold", "calm", "bright", "grid", "decide", "VSS", "EVPI", "MWh", "min", "UTC"}
    assert set(re.findall(r"[A-Za-z]{3,}", text)) <= names


def test_what_is_declared_must_be_the_same_in_every_member(file: Path, tmp_path: Path):
    bare = FILE.replace("    declaration", "    # declaration").replace("    real_time", "    # ")
    file.write_text(bare)
    done = run("solve", file, "--declare", tmp_path / "day.csv", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "differs between members" in done.output


def test_check_lists_the_members_and_warns_of_pointless_ones(file: Path):
    done = run("check", file)
    assert "2 members: calm (0.5), bright (0.5)" in done.output
    assert "before the future is known" not in done.output
    given = run("check", file, "--set", "components.grid.declaration.exchange_mw=0")
    assert "nothing in the site is decided before the future is known" in " ".join(
        given.output.split()
    )


def test_members_are_scenarios_of_their_own(file: Path):
    members = members_of(planner.load(file))
    assert {name: chance for name, (chance, _) in members.items()} == {"calm": 0.5, "bright": 0.5}
    assert members["calm"][1].components["sun"].availability_pu.tolist() == [0.1, 0.25]
    assert members["calm"][1].uncertainty is None
    assert planner.load(file, {"uncertainty": None}).components == planner.load(file).components
