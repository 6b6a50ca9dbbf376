"""A long horizon in windows: what it may earn, what rules over the horizon count on, what is told.

Windows are a few hours here, so that every sum can be done in the head.
"""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

import planner
from planner import InfeasibleError, NoPlanError, PlanError, ScenarioError
from planner.cli.app import app
from planner.cli.terminal import bar
from planner.solver.model import assemble
from planner.studies import roll as rolling
from planner.studies.roll import overlapping
from planner.timeseries.horizon import Window
from tests.support import compute, full_site
from tests.support.build import *
from tests.support.sites import random_site

ROOT = Path(__file__).parent.parent.parent
Parts = dict[str, dict[str, Any]]


def roll(
    parts: Parts, hours: int, window: float, forward: float, *, bound: bool = True, **top: Any
) -> planner.Plan:
    return planner.roll(scenario(parts, hours, **top), window, forward, bound=bound)


def earned(plan: planner.Plan) -> float:
    return float(plan.summary["objective_cny"])


# --- windows


@pytest.mark.parametrize(
    ("hours", "window", "forward", "spans", "executed"),
    [
        (6, 2, 2, [(1, 2), (3, 4), (5, 6)], [(1, 2), (3, 4), (5, 6)]),
        (6, 4, 2, [(1, 4), (3, 6)], [(1, 2), (3, 6)]),
        (5, 3, 1, [(1, 3), (2, 4), (3, 5)], [(1, 1), (2, 2), (3, 5)]),
        (5, 4, 3, [(1, 4), (4, 5)], [(1, 3), (4, 5)]),
        (3, 48, 24, [(1, 3)], [(1, 3)]),
    ],
)
def test_windows_overlap_and_the_last_reaches_the_end(
    hours: int, window: int, forward: int, spans: list[Any], executed: list[Any]
):
    cuts = overlapping(scenario({"grid": grid()}, hours).horizon, window, forward)
    assert [(c.window.first, c.window.last) for c in cuts] == spans
    assert [(c.executed.first, c.executed.last) for c in cuts] == executed


@pytest.mark.parametrize(
    ("window", "forward", "words"),
    [
        (0, 1, "window_h: must be more than 0 hours, is 0"),
        (2, -1, "advance_h: must be more than 0 hours, is -1"),
        (float("nan"), 1, "window_h: must be more than 0 hours, is nan"),
        (2, float("inf"), "advance_h: must be more than 0 hours, is inf"),
        (2.5, 1, "window_h: must be a whole number of 60 min steps, is 2.5"),
        (2, 3, "advance_h: must not exceed window_h 2, is 3: steps would be left out"),
    ],
)
def test_lengths_that_do_not_fit_are_told(window: float, forward: float, words: str):
    with pytest.raises(ScenarioError) as error:
        roll({"grid": grid()}, 6, window, forward)
    assert str(error.value) == words


def test_both_lengths_are_told_at_once_and_a_relaxation_is_refused():
    with pytest.raises(ScenarioError) as error:
        roll({"grid": grid()}, 6, -1, 0.5)
    assert len(error.value.problems) == 2
    with pytest.raises(ScenarioError, match=r"solver.relax: must be false"):
        roll({"grid": grid()}, 6, 2, 1, solver={"relax": True})


def test_a_window_of_a_long_horizon_is_no_larger_than_that_of_a_short_one():
    parts = compute.site(
        gpu=compute.fleet(2), chat=compute.chat(18, min_served_share=0.5),
        cell=battery(cycles_per_day=1), unit=thermal(), green=green_rule(max_export_share=1),
    )  # fmt: skip

    def rows(hours: int) -> int:
        model = assemble(scenario(parts, hours), Window(5, 10))
        return len(model.rows.low) + len(model.columns.fixed)

    assert rows(12) == rows(60)


# --- what it earns


def test_one_window_is_the_plan_itself():
    parts = random_site(2, 12)
    once, rolled = solve(parts, 12), roll(parts, 12, 48, 24)
    assert earned(rolled) == pytest.approx(earned(once), abs=1e-5)
    same = ["component", "line", "period", "cash"]
    assert rolled.ledger[same].equals(once.ledger[same])
    amounts = rolled.ledger["amount_cny"].tolist()
    assert amounts == pytest.approx(once.ledger["amount_cny"].tolist(), abs=1e-4)
    assert rolled.summary["status"] == "settled"
    assert rolled.summary["rolling"] == {
        "window_h": 48.0, "advance_h": 24.0, "windows": 1, "at_time_limit": 0,
        "largest_window_gap": pytest.approx(0, abs=1e-6), "left_open": [],
    }  # fmt: skip


TWO_DAYS: Parts = {
    "battery": battery(capacity_mwh=4),
    "grid": grid(
        resale=True,
        import_price_cny_per_mwh=[10 if hour in (2, 23) else 100 for hour in range(48)],
        export_price_cny_per_mwh=[{10: 30, 24: 50}.get(hour, 0) for hour in range(48)],
    ),
}


def test_two_days_earn_more_with_overlap():
    """4 MWh go from 2:00 to 10:00, and from 23:00 over midnight, which no first day sees alone."""
    first, night = 4 * (30 - 10), 4 * (50 - 10)
    assert earned(roll(TWO_DAYS, 48, 24, 24)) == pytest.approx(first)
    assert earned(roll(TWO_DAYS, 48, 25, 24)) == pytest.approx(first + night)
    assert profit(TWO_DAYS, 48) == pytest.approx(first + night)


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", [0, 3])
def test_windows_never_beat_the_bound_and_the_audit_holds_over_seams(seed: int, tmp_path: Path):
    parts = random_site(seed, 14)
    start = "2026-07-31T17:00:00+08:00"  # a day and a month end in it
    rolled = roll(parts, 14, 6, 3, start=start)
    best = solve(parts, 14, start=start)
    slack = 1e-6 * rolled.summary["turnover_cny"]
    assert earned(rolled) <= earned(best) + slack
    assert earned(best) <= rolled.summary["bound_cny"] + slack
    open_cny = rolled.summary["gap"] * rolled.summary["turnover_cny"]
    assert open_cny >= 0
    share = rolled.summary["gap_of_profit"]
    assert share * abs(earned(rolled)) == pytest.approx(open_cny, abs=1e-5)
    assert rolled.summary["breaches"] == []
    assert planner.audit(rolled.write(tmp_path / "plan")) == []
    assert len(rolled.schedule) == 14


def test_every_kind_of_component_holds_over_seams(tmp_path: Path):
    file = full_site.write(tmp_path, ("demand_charge_cny_per_mw_month: 0",
                                      "demand_charge_cny_per_mw_month: 900"))  # fmt: skip
    rolled = planner.roll(planner.load(file), 6, 3, tmp_path / "plan")
    assert rolled.summary["rolling"]["windows"] == 3
    assert planner.audit(tmp_path / "plan") == []
    assert planner.read_plan(tmp_path / "plan") == rolled
    assert earned(rolled) <= rolled.summary["bound_cny"]


# --- rules over the horizon


PEAK: Parts = {
    "grid": grid(export_limit_mw=0, demand_charge_cny_per_mw_month=25),
    "city": load(10, 10, 10, 10, shed_cost_cny_per_mwh=50),
}


def test_the_peak_of_a_month_is_paid_once_and_windows_do_not_fight_about_it():
    """A MW for four hours saves 4 x (50 - 40) and costs 25; two hours would not pay for it."""
    plan = roll(PEAK, 4, 2, 1)
    assert total(plan, "grid", "demand_charge") == pytest.approx(-25 * 10)
    assert earned(plan) == pytest.approx(-4 * 10 * 40 - 25 * 10)
    assert plan.summary["gap"] == pytest.approx(0, abs=1e-9)
    alone = roll(PEAK, 4, 2, 1, bound=False)
    assert earned(alone) == pytest.approx(-4 * 10 * 50)


def test_two_months_pay_two_peaks():
    plan = roll(PEAK, 4, 2, 1, start="2026-07-31T22:00:00+08:00")  # two hours of each do not pay
    assert total(plan, "grid", "demand_charge") == 0
    parts = PEAK | {"city": load(10, 10, 8, 8)}
    plan = roll(parts, 4, 3, 1, start="2026-07-31T22:00:00+08:00")
    charged = plan.ledger[plan.ledger["line"] == "demand_charge"]
    assert charged["amount_cny"].tolist() == pytest.approx([-25 * 10, -25 * 8])


NO_BOUND = "without a bound every window only saw what came before it"


def test_without_a_bound_no_bound_is_claimed_and_what_that_means_is_told():
    parts = PEAK | {
        "ets": carbon(budget_tco2=99), "green": green_rule(max_export_share=1),
        "sun": renewable(0, 0, 1, 1), "free": carbon(price_cny_per_tco2=0),
    }  # fmt: skip
    plan = roll(parts, 4, 2, 1, bound=False)
    assert plan.summary["bound_cny"] is None
    assert plan.summary["gap"] is None
    told = [text for text in plan.summary["warnings"] if NO_BOUND in text]
    assert told == [
        f"components.ets.budget_tco2: {NO_BOUND}",
        f"components.green.max_export_share: {NO_BOUND}",
        f"components.grid.demand_charge_cny_per_mw_month: {NO_BOUND}",
    ]
    known = roll(parts, 4, 2, 1).summary["warnings"]
    assert not [text for text in known if NO_BOUND in text]


GREEN: Parts = {
    "sun": renewable(0, 0, 10, 10),
    "city": load(5, 5, 5, 5),
    "buy": grid(export_limit_mw=0),
    "sell": grid(import_limit_mw=0, export_price_cny_per_mwh={"renewable": 60, "thermal": 0}),
    "green": green_rule(min_load_share=0.5),
}


def test_a_green_rule_is_reached_at_the_end_and_windows_count_on_later_sun():
    """10 of 20 MWh must be green, all in the last hours: 10 are bought at 40, 10 sold at 60."""
    best = 10 * 60 - 10 * 40
    plan = roll(GREEN, 4, 2, 1)
    assert earned(plan) == pytest.approx(best)
    assert plan.summary["figures"]["green"]["load_share"] == pytest.approx(0.5)
    assert plan.summary["rolling"]["left_open"] == []
    assert profit(GREEN, 4) == pytest.approx(best)


def test_a_rule_that_a_window_cannot_keep_alone_is_left_open_and_named():
    """Two dark hours have no green share, the third not what three need; the last window has."""
    plan = roll(GREEN, 4, 2, 1, bound=False)
    assert plan.summary["rolling"]["left_open"] == ["00:00-02:00", "01:00-03:00"]
    assert earned(plan) == pytest.approx(10 * 60 - 10 * 40)
    assert plan.summary["figures"]["green"]["load_share"] == pytest.approx(0.5)


def test_a_green_rule_with_a_penalty_pays_it_once():
    """A MWh sold at 60 and bought back at 40 earns 20, and the penalty is 10."""
    soft = GREEN | {"green": green_rule(min_load_share=0.5, penalty_cny_per_mwh=10)}
    plan = roll(soft, 4, 2, 1)
    assert total(plan, "green", "load_share_short") == pytest.approx(-10 * 10)
    assert earned(plan) == pytest.approx(20 * 60 - 20 * 40 - 10 * 10)


def test_a_carbon_budget_is_kept_for_the_hours_that_need_it_most():
    """2 t are 2 MWh of import, best bought at 10; who sees two hours only buys at 40 before."""
    parts = {
        "grid": grid(
            export_limit_mw=0,
            import_price_cny_per_mwh=[40, 40, 10, 10],
            import_emission_tco2_per_mwh=1,
        ),
        "city": load(1, 1, 1, 1, shed_cost_cny_per_mwh=100),
        "ets": carbon(budget_tco2=2),
    }
    assert earned(roll(parts, 4, 2, 1)) == pytest.approx(-2 * 10 - 2 * 100)
    assert earned(roll(parts, 4, 2, 1, bound=False)) == pytest.approx(-40 - 10 - 2 * 100)


def test_the_least_share_of_a_service_is_served_when_energy_is_cheap():
    """18 Mtok earn 180 and take 2 MWh, at 300 or at 100: half must be served, in the last hours."""
    parts = compute.site(
        [300, 300, 100, 100], gpu=compute.fleet(2),
        chat=compute.chat(18, price=10, min_served_share=0.5),
    )  # fmt: skip
    plan = roll(parts, 4, 2, 1)
    assert column(plan, "chat.answered_mtok_per_h") == [0, 0, 18, 18]
    assert earned(plan) == pytest.approx(2 * (180 - 200))
    assert earned(plan) == pytest.approx(profit(parts, 4))


ONE_UNIT: Parts = {
    "unit": thermal(fuel_price_cny_per_gj=[9, 10, 10, 10]),
    "battery": battery(ending={"at_least_mwh": 4}),
    "grid": grid(import_limit_mw=[0, 0, 0, 4], export_limit_mw=0),
}


def test_a_window_that_cannot_follow_the_relaxation_is_told_and_goes_on():
    """It charges 4 MWh with a fifth of the unit, at 9; in truth only the grid can, later, at 40."""
    plan = roll(ONE_UNIT, 4, 2, 1)
    assert plan.summary["rolling"]["left_open"] == ["00:00-02:00", "01:00-03:00"]
    assert earned(plan) == pytest.approx(-4 * 40)
    assert plan.summary["bound_cny"] == pytest.approx(-4 * 9)


def test_a_unit_must_end_off_at_the_end_of_the_horizon_only():
    """It earns 30 - 10 in each of six hours at 100 MW, and must be off in the last."""
    parts = {"unit": thermal(ending="off"), "grid": market(30, 30, 30, 30, 30, 30)}
    plan = roll(parts, 6, 2, 2)
    assert column(plan, "unit.on") == [1, 1, 1, 1, 1, 0]
    assert earned(plan) == pytest.approx(5 * 100 * 20)


# --- over seams


@pytest.mark.parametrize(("window", "forward"), [(2, 1), (3, 3), (4, 2)])
def test_a_job_over_a_seam_runs_in_one_piece_and_once(window: int, forward: int):
    run = {
        "kind": "job", "fleet": "gpu", "nodes": 2, "node_kw": 1000, "duration_h": 3,
        "deadline_h": 7, "value_cny": 0, "mandatory": True,
    }  # fmt: skip
    parts = compute.site([90, 90, 90, 90, 20, 20, 20], gpu=compute.fleet(2), run=run)
    plan = roll(parts, 7, window, forward)
    assert sum(column(plan, "run.start")) == 1
    assert column(plan, "run.running") == [0, 0, 0, 0, 1, 1, 1]
    assert earned(plan) == pytest.approx(-3 * 2 * 20)


def test_batch_work_taken_on_is_answered_by_its_deadline_over_seams():
    """18 Mtok an hour may wait two hours for energy at 10; nodes answer 36 in an hour."""
    prices = [100, 100, 10, 100, 100, 10, 100, 10]
    parts = compute.site(prices, gpu=compute.fleet(6), work=compute.batch(18, deadline_h=2))
    rolled, best = roll(parts, 8, 4, 1), solve(parts, 8)
    answered = column(rolled, "work.answered_mtok_per_h")
    assert answered[:5] == [0, 0, 54, 0, 0]
    assert answered[6] == 0
    assert sum(answered) == 8 * 18  # those that come at 05:00 may be answered then or at 07:00
    assert earned(rolled) == pytest.approx(8 * 18 * 20 - 16 * 10)
    assert earned(rolled) == pytest.approx(earned(best))
    assert column(rolled, "work.waiting_mtok") == column(best, "work.waiting_mtok")


def test_cycles_of_a_day_are_counted_over_seams():
    """Prices swing every hour and a day allows one cycle of 10 MWh."""
    prices = [10, 50] * 5
    ways = {"import_price_cny_per_mwh": prices, "export_price_cny_per_mwh": prices}
    parts = {"battery": battery(cycles_per_day=1), "grid": grid(resale=True, **ways)}
    plan = roll(parts, 10, 4, 2)
    assert sum(column(plan, "battery.discharge_mw[grid]")) == pytest.approx(10)
    assert earned(plan) == pytest.approx(10 * 40)


# --- what cannot be


BLIND: Parts = {
    "battery": battery(ending={"at_least_mwh": 0}, initial={"energy_mwh": 4}),
    "grid": grid(
        import_limit_mw=[9, 9, 9, 9, 0, 0], resale=True, export_price_cny_per_mwh=39,
    ),
    "city": load(0, 0, 0, 0, 0, 4),
}  # fmt: skip


def test_a_window_without_a_plan_is_named_with_the_usual_diagnosis():
    """The last hour needs what the battery sold before its window began."""
    with pytest.raises(InfeasibleError) as error:
        roll(BLIND, 6, 2, 2, bound=False)
    lines = str(error.value).splitlines()
    assert lines[0] == (
        "window 3 of 3, 04:00-06:00: no plan after the decisions of the windows before it;"
        " longer windows look further ahead"
    )
    assert lines[1] == "no plan satisfies every rule of the scenario"
    assert any("city" in line for line in lines[2:])
    assert error.value.diagnosis["window"] == "window 3 of 3, 04:00-06:00"
    assert error.value.diagnosis["conflict"]


def test_what_the_whole_horizon_cannot_do_is_told_before_the_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rolling, "solve_window", None)
    impossible = {"grid": grid(import_limit_mw=3), "city": load(1, 1, 1, 4)}
    with pytest.raises(InfeasibleError, match="city must get 4 MW"):
        roll(impossible, 4, 2, 1)
    cells = {"battery": battery(), "grid": grid(import_limit_mw=[1, 1, 1, 0]),
             "city": load(0, 0, 0, 3.5)}  # fmt: skip
    with pytest.raises(InfeasibleError, match="no plan satisfies every rule"):
        planner.roll(scenario(cells, 4), 2, 1, tmp_path / "plan")
    assert not list(tmp_path.iterdir())


def test_time_limits_are_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch):
    def late(*_: Any) -> Any:
        raise NoPlanError("no plan was found within 1 s")

    monkeypatch.setattr(rolling, "solve_window", late)
    with pytest.raises(NoPlanError, match="window 1 of 3, 00:00-02:00: no plan was found"):
        roll(PEAK, 4, 2, 1)


# --- nothing is lost


def same(a: planner.Plan, b: planner.Plan) -> bool:
    """Whether two plans are equal, runtimes aside."""
    return dataclasses.replace(a, summary=a.summary | {"runtimes_s": {}}) == dataclasses.replace(
        b, summary=b.summary | {"runtimes_s": {}}
    )


def recorded(out: Path) -> list[dict[str, Any]]:
    """What is kept beside a folder that is to be written."""
    (file,) = (out.parent / f".{out.name}.windows").iterdir()
    return [json.loads(line) for line in file.read_text().splitlines()[1:]]  # after the mark


def stopping(after: int) -> Any:
    def tell(what: str, done: int, total: int) -> None:
        if (what, done) == ("windows", after):
            raise KeyboardInterrupt

    return tell


def test_a_run_that_is_stopped_goes_on_with_its_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    site, out, solved = scenario(random_site(3, 10), 10), tmp_path / "plan", []
    whole = planner.roll(site, 4, 2, tmp_path / "undisturbed")
    with pytest.raises(KeyboardInterrupt):
        planner.roll(site, 4, 2, out, progress=stopping(2))
    assert [record["at"] for record in recorded(out)] == ["relaxation", "roll 1", "roll 3"]
    assert not out.exists()
    real = rolling.solve_window
    monkeypatch.setattr(rolling, "solve_window", lambda s, w: solved.append(w.first) or real(s, w))
    monkeypatch.setattr(rolling, "relaxation", None)  # it is recorded too
    assert same(planner.roll(site, 4, 2, out), whole)
    assert solved == [5, 7]
    assert not (tmp_path / ".plan.windows").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_files_of_others_beside_a_folder_stay(tmp_path: Path):
    site, beside = scenario(random_site(3, 10), 10), tmp_path / ".plan.windows"
    beside.mkdir()
    for name in ("precious.txt", "precious.jsonl"):
        (beside / name).write_text("precious")
    planner.roll(site, 4, 2, tmp_path / "plan")
    assert sorted(path.name for path in beside.iterdir()) == ["precious.jsonl", "precious.txt"]


def test_windows_of_another_scenario_or_length_are_never_used(tmp_path: Path):
    site, out = scenario(PEAK, 4), tmp_path / "plan"
    other = scenario(PEAK | {"city": load(9, 9, 9, 9)}, 4)
    for stopped, forward in ((site, 1), (other, 1), (site, 2)):
        with pytest.raises(KeyboardInterrupt):
            planner.roll(stopped, 2, forward, out, progress=stopping(1))
    assert len(list((tmp_path / ".plan.windows").iterdir())) == 3
    assert same(planner.roll(other, 2, 1, out), planner.roll(other, 2, 1))


def test_a_damaged_window_is_told_and_fresh_starts_over(tmp_path: Path):
    site, out = scenario(PEAK, 4), tmp_path / "plan"
    with pytest.raises(KeyboardInterrupt):
        planner.roll(site, 2, 1, out, progress=stopping(2))
    (file,) = (tmp_path / ".plan.windows").iterdir()
    mark, relaxed, _, last = file.read_text().splitlines()
    for damage in ("{", "{}"):
        file.write_text("\n".join([mark, relaxed, damage, last, ""]))
        with pytest.raises(PlanError, match=r"jsonl:3 is no window .*; remove .* or use --fresh"):
            planner.roll(site, 2, 1, out)
    planner.roll(site, 2, 1, out, fresh=True)
    assert planner.audit(out) == []


# --- the command line


def cli(*words: str) -> Any:
    return CliRunner().invoke(app, ["roll", *words])


def test_the_command_writes_an_audited_folder_and_says_so(tmp_path: Path):
    site = str(ROOT / "scenarios" / "tiny_arbitrage")
    out = tmp_path / "plan"
    done = cli(site, "--window-h", "2", "--advance-h", "1", "--out", str(out))
    assert done.exit_code == 0, done.output
    summary = json.loads((out / "summary.json").read_text())
    windows = summary["rolling"]["windows"]
    assert f"{windows} windows of 2 h put together" in done.stdout
    assert f"plan folder: {out}" in done.stdout
    assert CliRunner().invoke(app, ["audit", str(out)]).exit_code == 0
    assert cli(site, "--out", str(out), "--quiet", "--no-bound").stdout == ""


def test_what_goes_wrong_has_its_exit_code(tmp_path: Path):
    site = str(ROOT / "scenarios" / "tiny_arbitrage")
    done = cli(site, "--window-h", "1", "--advance-h", "2", "--out", str(tmp_path / "plan"))
    assert done.exit_code == 2
    assert done.stderr.startswith("advance_h: must not exceed window_h 1")
    broken = ["--set", "components.battery.ending={at_least_mwh: 1}", "--set",
              "components.battery.charge_power_mw=0"]  # fmt: skip
    done = cli(site, *broken, "--out", str(tmp_path / "plan"))
    assert done.exit_code == 3
    assert json.loads((tmp_path / "plan" / "infeasible.json").read_text())["conflict"]
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_a_terminal_shows_a_bar_and_quiet_none():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    with bar(console, False, "site") as tell:
        assert tell is not None
        tell(0, 7, "windows")
        tell(3, 7, "windows")
    assert "site: windows" in screen.getvalue()
    assert "3/7" in screen.getvalue()
    for terminal in (True, False):
        with bar(Console(file=io.StringIO(), force_terminal=terminal), True, "site") as tell:
            assert tell is None
