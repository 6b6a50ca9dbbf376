"""A year in windows: sums in one's head, the same as one program, and runs that are stopped.

The horizons are a few hours here: windows that give prices are of 12 h and overlap by six.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import planner
from planner import InfeasibleError, NoPlanError, ScenarioError
from planner.message import Message
from planner.solver.compiler import program_of
from planner.solver.rounds import InfeasibleProgramError
from planner.studies import year_run
from planner.studies.year import YearProgress
from planner.studies.year_search import YearSearch
from planner.studies.year_summary import year_summary
from planner.studies.year_task import WindowTask, work_on
from planner.timeseries.horizon import Window
from tests.support import build, compute
from tests.support.committed import room, site_of_units
from tests.support.kills import content

Parts = dict[str, dict[str, Any]]
GAP = 0.05
LOAD_MW = [20, 18, 17, 17, 18, 22, 30, 38, 42, 44, 45, 44, 42, 40, 40, 42, 46, 52, 55, 50, 42, 34,
           28, 24]  # fmt: skip
SUN_MW = [0] * 6 + [2, 8, 16, 24, 30, 34, 35, 33, 28, 20, 12, 5] + [0] * 6
PRICE = [30] * 7 + [60] * 4 + [45] * 5 + [90] * 5 + [50] * 3


@pytest.fixture(autouse=True)
def _short_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.studies.year_search.OVERLAP_H", 6.0)
    monkeypatch.setattr("planner.studies.year_search.LONGER", 2.0)


def day(**more: dict[str, Any]) -> Parts:
    """A day of a town with a unit, a battery, a plant and a grid."""
    unit = build.thermal(
        min_power_mw=12, max_power_mw=40, fuel_price_cny_per_gj=38, min_up_h=4, min_down_h=4,
        curve=[{"power_mw": 12, "fuel_gj_per_h": 18}, {"power_mw": 40, "fuel_gj_per_h": 48}],
        startups=[{"off_h": 0, "cost_cny": 900}], emission_tco2_per_gj=0.1, startup_ramp_mw=15,
        shutdown_ramp_mw=15, ramp_up_mw_per_h=15, ramp_down_mw_per_h=15,
    )  # fmt: skip
    cell = build.battery(
        capacity_mwh=30, charge_power_mw=10, discharge_power_mw=10, charge_efficiency=0.95,
        initial={"energy_mwh": 10},
    )  # fmt: skip
    return {
        "unit": unit, "cell": cell, "sun": build.renewable(*SUN_MW),
        "town": build.load(*LOAD_MW, shed_cost_cny_per_mwh=2000),
        "grid": build.grid(import_limit_mw=60, export_limit_mw=30, import_price_cny_per_mwh=PRICE,
                           export_price_cny_per_mwh=20, import_emission_tco2_per_mwh=0.5),
    } | more  # fmt: skip


def arbitrage(hours: int = 4) -> planner.Scenario:
    """4 MW are bought at 10 in one hour and sold at 50 in the next."""
    prices = [10, 50] * (hours // 2)
    market = build.grid(
        resale=True, import_price_cny_per_mwh=prices, export_price_cny_per_mwh=prices
    )
    return build.scenario({"cell": build.battery(), "market": market}, hours)


def planned(scenario: planner.Scenario, window_h: float = 6, **more: Any) -> planner.Plan:
    return planner.plan_year(scenario, window_h=window_h, **{"gap": GAP, "workers": 1} | more)


def earned(plan: planner.Plan) -> float:
    return float(plan.summary["objective_cny"])


class Works:
    """What is worked on: the tasks by stage and window, with an error or a stop at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error_at: int | None = None) -> None:
        self.tasks: list[WindowTask] = []
        self.error_at = error_at
        monkeypatch.setattr(year_run, "work_on", self._work_on)

    def _work_on(self, task: WindowTask) -> Any:
        if len(self.tasks) == self.error_at:
            raise KeyboardInterrupt
        self.tasks.append(task)
        return work_on(task)

    @property
    def keys(self) -> list[str]:
        return [task.key for task in self.tasks]


# --- by hand


@pytest.mark.parametrize("window_h", [1, 2])
def test_a_battery_over_windows_earns_what_it_does_as_one(window_h: float):
    plan = planned(arbitrage(), window_h, gap=1e-6)
    assert earned(plan) == pytest.approx(2 * (4 * 50 - 4 * 10))
    assert plan.summary["bound_cny"] == pytest.approx(320)
    assert plan.summary["status"] == "optimal"
    parts = plan.summary["year"]
    assert parts["windows"] == round(4 / window_h)
    (month,) = parts["months"]
    assert (month["month"], month["missing_cny"]) == ("2026-07", pytest.approx(0))
    assert parts["shared_cny"] == pytest.approx(0)
    assert parts["interrupted"] is False


def test_a_town_of_one_month_and_the_next():
    """2 hours of July and 2 of August at 40 CNY/MWh, 3 MW: -480, and a peak of 3 MW each."""
    parts = {
        "town": build.load(3, 3, 3, 3),
        "grid": build.grid(demand_charge_cny_per_mw_month=100),
    }
    site = build.scenario(parts, 4, start="2026-07-31T22:00:00+08:00")
    plan = planned(site, 2, gap=1e-6)
    assert earned(plan) == pytest.approx(-(12 * 40) - 2 * 3 * 100)
    assert plan.summary["bound_cny"] == pytest.approx(-1080, abs=1e-3)
    assert [month["month"] for month in plan.summary["year"]["months"]] == ["2026-07", "2026-08"]


def test_what_a_window_of_two_months_leaves_open_belongs_to_neither():
    """Of 4 + 5 + 1 CNY left open the middle window, of 31 July and 1 August, has 5."""
    site = build.scenario({"grid": build.grid()}, 72, start="2026-07-30T12:00:00+08:00")
    plan = planner.solve(site)
    of_plan = SimpleNamespace(
        scenario=site, ledger=plan.ledger, summary={"bound_cny": 10.0, "objective_cny": 0.0}
    )
    search: Any = SimpleNamespace(
        cuts=[Window(1, 24), Window(25, 48), Window(49, 72)],
        plan=SimpleNamespace(x=None),
        excess=lambda _: np.array([4.0, 5.0, 1.0]),
    )
    program = program_of(site)
    none: Any = SimpleNamespace(rows=np.zeros(program.matrix.shape[0]))
    year = year_summary(search, program, cast("planner.Plan", of_plan), none)
    assert [month["missing_cny"] for month in year["months"]] == [4.0, 1.0]
    assert year["shared_cny"] == 5.0


# --- equivalences


def test_one_window_is_the_plan_of_solve_to_the_last_digit():
    site = build.scenario(day(), 24, solver={"gap": GAP})
    plan, same = planned(site, 24, gap=None), planner.solve(site)
    assert plan.schedule.equals(same.schedule)
    assert plan.ledger.equals(same.ledger)
    aside = {"runtimes_s", "year"}
    assert {name: value for name, value in plan.summary.items() if name not in aside} == {
        name: value for name, value in same.summary.items() if name not in aside
    }


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(day(), id="plain"),
        pytest.param(day(ets=build.carbon(budget_tco2=160)), id="budget"),
        pytest.param(day(green=build.green_rule(min_load_share=0.288)), id="green"),
        pytest.param({k: v for k, v in day().items() if k != "unit"}, id="no unit"),
        pytest.param(day(**{f"unit_{n}": day()["unit"] | {"max_power_mw": 20 + n, "curve": [
            {"power_mw": 12, "fuel_gj_per_h": 18}, {"power_mw": 20 + n, "fuel_gj_per_h": 30}]}
            for n in range(4)}), id="five units"),
    ],
)  # fmt: skip
def test_a_plan_within_the_gap_of_the_optimum_and_of_its_bound(parts: Parts, tmp_path: Path):
    site = build.scenario(parts, 24, solver={"gap": 1e-4})
    best, plan = planner.solve(site), planned(site, out=tmp_path / "plan")
    summary = plan.summary
    assert summary["status"] == "optimal"
    turnover = summary["turnover_cny"]
    assert earned(best) - GAP * turnover <= earned(plan) <= best.summary["bound_cny"] + 0.01
    assert summary["bound_cny"] >= earned(best) - 0.01
    assert summary["gap"] <= GAP
    assert planner.audit(tmp_path / "plan") == []
    assert summary["year"]["windows"] <= 4
    adds_up(plan)


def adds_up(plan: planner.Plan) -> None:
    """Demand that the gap is the sum of its parts."""
    parts, months = plan.summary["year"], plan.summary["year"]["months"]
    missing = sum(month["missing_cny"] for month in months) + parts["shared_cny"]
    gap_cny = plan.summary["bound_cny"] - earned(plan)
    assert missing == pytest.approx(gap_cny, abs=0.01 * (len(months) + 1))


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", [1, 3, 6, 10])
def test_random_sites_are_bounded(seed: int):
    site = site_of_units(seed, 1 + seed % 3, 8)
    best = earned(planner.solve(site))
    plan = planned(site, 4, gap=0.5)
    assert earned(plan) <= best + room(best)
    assert plan.summary["bound_cny"] >= best - room(best)
    adds_up(plan)


def test_budget_and_green_rule_are_kept():
    parts = day(ets=build.carbon(budget_tco2=150), green=build.green_rule(min_load_share=0.288))
    plan = planned(build.scenario(parts, 24), gap=0.9)
    carbon, green = plan.summary["carbon"], plan.summary["green"]
    assert carbon["emission_tco2"] + carbon["import_emission_tco2"] <= 150 + 1e-6
    assert green["load_share"] >= 0.288 - 1e-6
    rules = [(rule["component"], rule["rule"]) for rule in plan.summary["year"]["rule_prices"]]
    assert {("ets", "budget"), ("green", "load_share"), ("cell", "ending")} == {*rules}


def test_a_rule_over_more_than_a_window_is_priced():
    parts = day(ets=build.carbon(budget_tco2=160))
    site = build.scenario(parts, 24)
    best, plan = earned(planner.solve(site)), planned(site, gap=0.9)
    carbon = plan.summary["carbon"]
    assert carbon["emission_tco2"] + carbon["import_emission_tco2"] <= 160 + 1e-6
    assert earned(plan) <= best + room(best)
    assert plan.summary["bound_cny"] >= best - room(best)
    assert "rules" in [step["work"] for step in plan.summary["year"]["steps"]]
    adds_up(plan)


def test_quarter_hours_and_services():
    parts = compute.site(
        [30, 90, 30, 90] * 4, gpu=compute.fleet(9, wake_min=30), cell=build.battery(),
        night=compute.batch(9, deadline_h=1), chat=compute.chat(18),
    )  # fmt: skip
    site = build.scenario(parts, 4, 15)
    best, plan = earned(planner.solve(site)), planned(site, 2)
    assert earned(plan) == pytest.approx(best, rel=GAP)
    assert plan.summary["bound_cny"] >= best - room(best)
    adds_up(plan)


# --- what is reported


def test_progress_and_log_say_the_same():
    seen: list[YearProgress] = []
    plan = planned(build.scenario(day(), 24), progress=seen.append)
    assert [(s.stage, s.done, s.total) for s in seen] == [
        ("prices", 1, 2), ("prices", 2, 2), ("prices", 2, 2), ("plan", 1, 1),
        ("bounds", 1, 4), ("bounds", 2, 4), ("bounds", 3, 4), ("bounds", 4, 4), ("bounds", 4, 4),
        ("tidying", 1, 2), ("tidying", 2, 2), ("tidying", 1, 2), ("tidying", 2, 2),
    ]  # fmt: skip
    steps = plan.summary["year"]["steps"]
    assert [step["work"] for step in steps] == ["prices", "plan", "bounds"]
    bounds = [step["bound_cny"] for step in steps if step["bound_cny"] is not None]
    profits = [step["profit_cny"] for step in steps if step["profit_cny"] is not None]
    assert bounds == pytest.approx(sorted(bounds, reverse=True))
    assert profits == pytest.approx(sorted(profits))
    assert steps[0]["gap"] is None
    last = [s for s in seen if s.profit_cny is not None][-1]
    assert last.profit_cny == pytest.approx(earned(plan), abs=1e-3)
    assert last.bound_cny == pytest.approx(plan.summary["bound_cny"], abs=1e-3)


# --- runs that are stopped


class Killed(BaseException):
    """A run that ends at once, as by kill -9."""


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    site = build.scenario(day(), 24)
    works = Works(monkeypatch)
    planned(site, out=tmp_path / "once")
    every = works.keys
    assert len(every) == len({*every})
    works.tasks.clear()

    def kill(_: YearProgress) -> None:
        if len(works.tasks) in at:
            raise Killed

    at = {1, 4, 8}
    while at:
        with pytest.raises(Killed):
            planned(site, out=tmp_path / "plan", progress=kill)
        assert not (tmp_path / "plan" / "summary.json").exists()
        at.remove(len(works.tasks))
    planned(site, out=tmp_path / "plan")
    assert works.keys == every
    assert content(tmp_path / "plan") == content(tmp_path / "once")
    assert [path.name for path in tmp_path.iterdir() if "windows" in path.name] == []


def test_only_a_run_of_the_same_scenario_that_is_not_fresh_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    works = Works(monkeypatch)

    def kill(_: YearProgress) -> None:
        if works.tasks:
            raise Killed

    cell = day()["cell"] | {"capacity_mwh": 31}
    site, other = (build.scenario(parts, 24) for parts in (day(), day(cell=cell)))
    for run, fresh, first in ((site, False, 1), (other, False, 1), (other, False, 13),
                              (other, True, 1)):  # fmt: skip
        works.tasks.clear()
        with pytest.raises(Killed):
            planned(run, out=tmp_path / "plan", fresh=fresh, progress=kill)
        assert [(task.work, task.window.first) for task in works.tasks] == [("prices", first)]


@pytest.mark.parametrize("at", [0, 1])
def test_ctrl_c_before_a_first_plan(at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Works(monkeypatch, error_at=at)
    with pytest.raises(KeyboardInterrupt):
        planned(build.scenario(day(), 24), out=tmp_path / "plan")
    assert not (tmp_path / "plan").exists()


@pytest.mark.few(1)
@pytest.mark.parametrize(("at", "status"), [(3, "interrupted"), (9, "optimal")])
def test_ctrl_c_in_bounds_or_later_gives_the_plan_so_far(
    at: int, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    works = Works(monkeypatch, error_at=at)
    plan = planned(build.scenario(day(), 24), gap=1e-6, out=tmp_path / "plan")
    assert len(works.tasks) == at
    assert plan.summary["status"] == status
    assert plan.summary["year"]["interrupted"] is True
    assert planner.audit(tmp_path / "plan") == []
    best = earned(planner.solve(build.scenario(day(), 24)))
    assert earned(plan) <= best + room(best)
    assert plan.summary["bound_cny"] >= best - room(best)
    adds_up(plan)


@pytest.mark.few(2)
@pytest.mark.parametrize("stage", ["plan", "prices", "bounds", "refinement", "tidying"])
def test_ctrl_c_anywhere_after_a_first_plan_gives_it(stage: str):
    """Also between the tasks, where this process solves the plan's LP or cuts the next window."""

    def stop(progress: YearProgress) -> None:
        if progress.profit_cny is not None and progress.stage == stage:
            raise KeyboardInterrupt

    grid = day()["grid"] | {"demand_charge_cny_per_mw_month": 1000 * (stage == "prices")}
    plan = planned(build.scenario(day(grid=grid), 24), gap=1e-3, progress=stop)
    assert plan.summary["status"] == ("optimal" if stage == "tidying" else "interrupted")
    assert plan.summary["year"]["interrupted"] is True
    adds_up(plan)


def test_ctrl_c_while_the_plan_is_tidied_gives_it(monkeypatch: pytest.MonkeyPatch):
    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.studies.year_search.YearSearch.tidy", stop)
    plan = planned(build.scenario(day(), 24))
    assert plan.summary["year"]["interrupted"]
    adds_up(plan)


def test_the_time_limit_holds_for_one_window_too(monkeypatch: pytest.MonkeyPatch):
    limits = []
    monkeypatch.setattr(
        "planner.studies.year.solve", lambda site, **_: limits.append(site.solver.time_limit_s)
    )
    planned(build.scenario(day(), 24, solver={"time_limit_s": 9}), 24, time_limit_s=7)
    planned(build.scenario(day(), 24, solver={"time_limit_s": 9}), 24, time_limit_s=70)
    assert limits == [7, 9]


def clock(monkeypatch: pytest.MonkeyPatch, is_over: Callable[[], bool]) -> None:
    """Let the time limit strike when something is so."""
    monkeypatch.setattr(year_run, "time", SimpleNamespace(
        monotonic=lambda: 1e9 if is_over() else 0.0, perf_counter=lambda: 0.0
    ))  # fmt: skip


def test_a_time_limit_before_a_first_plan_is_told(monkeypatch: pytest.MonkeyPatch):
    works = Works(monkeypatch)
    clock(monkeypatch, lambda: len(works.tasks) > 0)
    with pytest.raises(NoPlanError, match="no plan was found within 7 s"):
        planned(build.scenario(day(), 24), time_limit_s=7)


def test_a_time_limit_after_a_first_plan_gives_it(monkeypatch: pytest.MonkeyPatch):
    works = Works(monkeypatch)
    clock(monkeypatch, lambda: len(works.tasks) > 3)
    plan = planned(build.scenario(day(), 24), gap=1e-6, time_limit_s=7)
    assert plan.summary["status"] == "time_limit"
    assert plan.summary["year"]["interrupted"] is True
    assert len(works.tasks) == 4


# --- what is wrong


@pytest.mark.parametrize(
    ("window_h", "words"),
    [
        (0, "window_h: must be more than 0 hours, is 0"),
        (-6, "window_h: must be more than 0 hours, is -6"),
        (float("nan"), "window_h: must be more than 0 hours, is nan"),
        (2.5, "window_h: must be a whole number of 60 min steps, is 2.5"),
    ],
)
def test_lengths_that_do_not_fit_are_told(window_h: float, words: str):
    with pytest.raises(ScenarioError) as error:
        planned(arbitrage(), window_h)
    assert str(error.value) == words


@pytest.mark.parametrize("gap", [-0.1, 1.0, float("nan")])
def test_a_gap_that_is_none_is_told(gap: float):
    with pytest.raises(ScenarioError, match=r"solver\.gap"):
        planned(arbitrage(), gap=gap)


def test_a_relaxation_is_refused():
    with pytest.raises(ScenarioError, match=r"solver\.relax: must be false"):
        planned(build.scenario(day(), 24, solver={"relax": True}))


def test_a_window_in_which_load_exceeds_supply_is_named_with_its_reasons():
    """Until 06:00 the town needs 5 MW beside the unit, and the battery is empty."""
    text = failure_of(short_town(until=6))
    assert text.startswith(
        "the window 00:00-18:00, whatever comes before and after it\nno plan satisfies every rule"
    )
    assert "town takes demand_mw 45 MW, neither more nor less, at 00:00-01:00" in text
    assert "unit gives nothing when off and min_power_mw 12 to max_power_mw 40 MW" in text
    assert text.endswith("changes are sought where `planner solve` plans these hours by themselves")


def test_a_later_window_in_which_load_exceeds_supply_is_named_with_its_reasons():
    """From 18:00 to 24:00 six hours need 30 MWh, of which the battery holds 10."""
    text = failure_of(short_town(until=24))
    assert text.startswith("the window 06:00-24:00, whatever comes before and after it")
    assert "cell holds min_energy_mwh 0 to capacity_mwh 10 MWh, at 17:00-18:00" in text
    assert "town takes demand_mw 45 MW, neither more nor less, at 18:00-21:00" in text


def short_town(until: int) -> planner.Scenario:
    """A town that needs 5 MW more than the unit for six hours, 30 MWh."""
    parts = {
        "unit": day()["unit"] | {"initial": {"on": True, "power_mw": 40, "hours": 9}},
        "cell": build.battery(charge_power_mw=10, discharge_power_mw=10),
        "town": build.load(*[40.0] * (until - 6), *[45.0] * 6, *[40.0] * (24 - until)),
    }
    return build.scenario(parts, 24)


def failure_of(site: planner.Scenario, window_h: float = 6) -> str:
    with pytest.raises(InfeasibleError) as error:
        planned(site, window_h)
    return str(error.value)


def test_a_window_that_fails_with_its_overlap_has_its_reasons():
    """The unit cannot rise from 12 to 40 MW within the hour from 08:00."""
    parts = {
        "unit": day()["unit"] | {"ramp_up_mw_per_h": 10, "startup_ramp_mw": 12},
        "town": build.load(*[12.0] * 8, *[40.0] * 4),
    }
    assert "ramp_up_mw_per_h" in failure_of(build.scenario(parts, 12), 4)


def budget_for_five_hours() -> planner.Scenario:
    """A unit of 100 MW emits 10 t in each hour it runs; 55 t allow for five of twelve hours."""
    unit = build.thermal(
        min_power_mw=100, curve=[{"power_mw": 100, "fuel_gj_per_h": 100}], min_up_h=2,
        emission_tco2_per_gj=0.1, startups=[{"off_h": 0, "cost_cny": 100}], max_starts_per_day=1,
    )  # fmt: skip
    parts = {"unit": unit, "market": build.market(*[30] * 12), "ets": build.carbon(budget_tco2=55)}
    return build.scenario(parts, 12)


def test_a_year_is_not_called_infeasible_for_its_first_commitments():
    site = budget_for_five_hours()
    assert earned(planner.solve(site)) == 5 * 100 * 20 - 100
    assert earned(planned(site, 3, gap=0.9)) <= 9900


def test_a_year_is_not_called_infeasible_for_a_window_after_others(
    monkeypatch: pytest.MonkeyPatch,
):
    """Where windows planned in order come to an end, the whole is planned as one program."""
    works: list[str] = []

    def none_in_order(task: WindowTask) -> Any:
        works.append(task.work)
        if task.work == "plan":
            raise InfeasibleProgramError(Message("none"))
        return work_on(task)

    monkeypatch.setattr(year_run, "work_on", none_in_order)
    monkeypatch.setattr(YearSearch, "plan_with_rules", lambda _: False)
    plan_year, skipped = YearSearch.plan_year, list[bool]()

    def plan_year_but_first(search: YearSearch) -> bool:
        if not skipped:
            skipped.append(True)
            return False
        return plan_year(search)

    monkeypatch.setattr(YearSearch, "plan_year", plan_year_but_first)
    assert earned(planned(budget_for_five_hours(), 3, gap=0.9)) <= 9900
    assert works.count("plan") == 1


def test_a_rule_that_no_plan_keeps_is_diagnosed():
    parts = {
        "town": build.load(*[40.0] * 12),
        "grid": build.grid(import_emission_tco2_per_mwh=0.5),
        "ets": build.carbon(budget_tco2=200),
    }
    text = failure_of(build.scenario(parts, 12), 3)
    assert text.startswith("no plan satisfies every rule of the scenario")
    assert "components.ets.budget_tco2 ≥ 240 (is 200)" in text  # 12 h of 40 MW at 0.5 t/MWh


def test_the_state_at_the_end_has_a_price_in_money():
    unit = day()["unit"] | {"ending": "on"}
    plan = planned(build.scenario(day(unit=unit), 24), gap=0.9)
    units = {rule["component"]: rule["unit"] for rule in plan.summary["year"]["rule_prices"]}
    assert units == {"cell": "CNY/MWh", "unit": "CNY"}


def test_a_budget_that_costs_far_more_than_the_rest_is_priced(monkeypatch: pytest.MonkeyPatch):
    """Less of it is kept by shedding load at 2000, with the unit or the grid at its least."""
    monkeypatch.setattr("planner.solver.windows.MOST_SPAN_H", 20.0)
    town = build.load(*LOAD_MW, shed_cost_cny_per_mwh=2000)
    grid = build.grid(import_emission_tco2_per_mwh=0.5)
    parts = {"unit": day()["unit"], "town": town, "grid": grid, "ets": build.carbon(budget_tco2=80)}
    plan = planned(build.scenario(parts, 24), gap=1e-3)
    assert plan.summary["bound_cny"] == pytest.approx(earned(plan), rel=0.05)


def test_rules_of_a_site_without_states_are_priced(monkeypatch: pytest.MonkeyPatch):
    """Only directions are whole: a battery loses energy, and the budget leaves too little of it."""
    monkeypatch.setattr("planner.solver.windows.MOST_SPAN_H", 20.0)
    parts = {name: part for name, part in day().items() if name != "unit"}
    site = build.scenario(parts | {"ets": build.carbon(budget_tco2=150)}, 24)
    best, plan = earned(planner.solve(site)), planned(site)
    assert earned(plan) <= best + room(best)
    assert plan.summary["bound_cny"] >= best - room(best)


@pytest.mark.parametrize("at", [0, 2])
def test_a_stop_while_rules_are_priced(at: int, monkeypatch: pytest.MonkeyPatch):
    site = build.scenario(day(ets=build.carbon(budget_tco2=150)), 24)
    works = Works(monkeypatch, error_at=at)
    with pytest.raises(KeyboardInterrupt):
        planned(site)
    assert {task.work for task in works.tasks} <= {"rules"}
    works.error_at = None
    works.tasks.clear()
    clock(monkeypatch, lambda: len(works.tasks) > at)
    with pytest.raises(NoPlanError):
        planned(site, time_limit_s=7)


def test_windows_that_offer_nothing_leave_rules_unpriced(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("planner.studies.year_task.window_offers", lambda *_: [None])
    site = build.scenario(day(ets=build.carbon(budget_tco2=190)), 24)
    best, plan = earned(planner.solve(site)), planned(site, gap=0.9)
    assert earned(plan) <= best + room(best)
    assert plan.summary["bound_cny"] >= best - room(best)
