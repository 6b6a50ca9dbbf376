"""Simulations by hand: what a wrong forecast costs, who knows what when, and the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.files.format_mark import mark_line
from planner.plan_tables.simulation import DAYS, read_simulation
from planner.scenario.forecast_fields import Ar1, DrawnForecast, drawn_forecast
from planner.scenario.series_errors import ErringSeries
from planner.studies import chain as chains
from planner.studies.policy import DETERMINISTIC, PERFECT, POLICIES, STOCHASTIC, DayPolicy
from planner.timeseries.series import SeriesBounds
from tests.support import build, compute
from tests.support.build import column, scenario

PLANNED = (PERFECT, DETERMINISTIC)


def simulate(
    components: dict[str, Any],
    hours: int,
    forecast: dict[str, Any] | None = None,
    policies: tuple[str, ...] = PLANNED,
    every_h: float | None = None,
    **more: Any,
) -> planner.Simulation:
    """Simulate components over some hours, planned as a whole unless `every_h` says otherwise."""
    site = scenario(components, hours, forecast=forecast or {})
    options = {"every_h": every_h or hours, "window_h": hours} | more
    return planner.simulate(site, policies=policies, **options)


def of(found: planner.Simulation, name: str) -> list[float]:
    """Return a column of the table, in the order of the policies."""
    return [round(float(value), 4) for value in found.table[name]]


def declaring(**fields: Any) -> dict[str, Any]:
    """A grid that declares: 30 CNY/MWh a day ahead, 35 in real time, 10 for what is off."""
    costs = {"over_cost_cny_per_mwh": 10, "under_cost_cny_per_mwh": 10}
    return build.grid(
        import_limit_mw=0, import_price_cny_per_mwh=30, export_price_cny_per_mwh=30,
        real_time_price_cny_per_mwh=35, declaration={"exchange_mw": "decide"} | costs,
    ) | fields  # fmt: skip


def test_wind_that_does_not_come_is_bought_back_and_fined() -> None:
    found = simulate(
        {"wind": build.renewable(20), "grid": declaring()}, 1,
        {"components.wind.availability_pu": [0.5]},
    )  # fmt: skip
    # Known: 20 declared and delivered at 30. Believed: 50 are declared, 30 are missing.
    assert of(found, "profit_cny") == [20 * 30, 50 * 30 - 30 * 35 - 30 * 10]
    assert of(found, "capture_share") == [1, 0.25]
    assert column(found.plans[DETERMINISTIC], "grid.declared_export_mw") == [50]
    assert column(found.plans[DETERMINISTIC], "grid.export_mw[renewable]") == [20]


def store() -> dict[str, Any]:
    """A battery with 4 MWh that one hour can sell, and nothing to come back."""
    return build.battery(initial={"energy_mwh": 4}, ending={"at_least_mwh": 0})


def test_waiting_for_a_price_that_does_not_come_costs_the_difference() -> None:
    found = simulate(
        {"battery": store(), "grid": build.market(20, 10, 15, resale=True)}, 3,
        {"components.grid.export_price_cny_per_mwh": [20, 40, 15]},
    )  # fmt: skip
    # 4 MWh wait for 40; when the hour comes it pays 10, so they wait again and are sold at 15.
    assert of(found, "profit_cny") == [4 * 20, 4 * 15]
    assert column(found.plans[DETERMINISTIC], "battery.discharge_mw[grid]") == [0, 0, 4]


def test_a_step_is_known_when_it_comes() -> None:
    found = simulate(
        {"battery": store(), "grid": build.market(50, 10, 30, resale=True)}, 3,
        {"components.grid.export_price_cny_per_mwh": [20, 10, 30]},
    )  # fmt: skip
    # Planned for the third hour at 30; but the first pays 50 when it comes.
    assert of(found, "profit_cny") == [4 * 50, 4 * 50]


def test_a_rule_of_thumb_goes_by_the_tariff_that_is_believed() -> None:
    def charged(price: float) -> list[float]:
        prices = [20, 30, price, 40]
        grid = build.grid(resale=True, import_price_cny_per_mwh=prices)
        found = simulate(
            {"battery": build.battery(ending={"at_least_mwh": 0}), "grid": grid}, 4,
            {"components.grid.import_price_cny_per_mwh": [20, 30, 40, 50]},
            policies=["tariff_battery"], every_h=4, window_h=4,
        )  # fmt: skip
        return column(found.plans["tariff_battery"], "battery.charge_mw[grid]")[:2]

    # Of 20 to 50 the lowest third ends at 30, whatever the third hour will turn out to cost.
    assert charged(25) == charged(1000) == [4, 4]


def test_forecasts_are_issued_anew_when_the_window_is_planned_anew() -> None:
    parts = {"battery": store(), "grid": build.market(20, 10, 15, resale=True)}
    drawn = {"components.grid.export_price_cny_per_mwh": {"ar1": {"error": 0}}}
    assert of(simulate(parts, 3, drawn, every_h=1), "profit_cny") == [80, 80]


def unit_and_wind(**unit: Any) -> dict[str, Any]:
    """A town of 50 MW on wind that blows 50, then 20, and a unit of 20 to 100 MW at rest."""
    return {
        "wind": build.renewable(50, 20),
        "coal": build.thermal(**unit),
        "town": build.load(50, 50),
    }


CALM = {"components.wind.availability_pu": [0.5, 0.5]}


def test_a_commitment_that_leaves_no_dispatch_is_changed_and_counted() -> None:
    found = simulate(unit_and_wind(startups=[{"off_h": 0, "cost_cny": 70}]), 2, CALM)
    # Nobody foresaw the 30 MW missing in the second hour: 30 x 10 for coal and 70 for the start.
    assert of(found, "profit_cny") == [-370, -370]
    assert of(found, "commitment_changes") == [0, 1]
    assert of(found, "forced_steps") == [0, 0]
    assert of(found, "starts") == [1, 1]


def test_where_nothing_is_possible_the_breach_is_named_and_nothing_raised() -> None:
    found = simulate(unit_and_wind(available=0), 2, CALM)
    # Perfect foresight finds no plan either: both leave 30 MW of the town unserved.
    assert of(found, "forced_steps") == [2, 1]
    assert of(found, "breaches") == [1, 1]
    assert found.bound_cny is None
    assert any("breaks rules" in note for note in found.notes)
    (breach,) = found.plans[DETERMINISTIC].summary["breaches"]
    assert breach["rule"] == "demand"
    assert breach["missed"] == pytest.approx(30, abs=1e-3)


def test_a_share_that_cannot_be_kept_gives_way_before_any_limit_of_the_plant() -> None:
    site = {
        "wind": build.renewable(2, 2, 1),
        "fleet": compute.fleet(),
        "chat": compute.chat(demand=18, price=20, min_served_share=0.9),
    }
    found = simulate(site, 3, {"components.wind.availability_pu": [0.02, 0.02, 0.02]})
    # 5 MWh answer 45 of 54 Mtok; the share asks for 48.6, too much as the third hour shows.
    assert of(found, "profit_cny") == pytest.approx([900, 900], abs=1e-2)
    assert of(found, "forced_steps") == [3, 1]
    for plan in found.plans.values():
        (breach,) = plan.summary["breaches"]
        assert (breach["rule"], breach["missed"]) == ("least", pytest.approx(3.6, abs=1e-2))


def random_site() -> dict[str, Any]:
    """Wind, a store and a unit beside a town, on prices that move."""
    price = [10, 30, 15, 40, 12, 35, 20, 45]
    return {
        "wind": build.renewable(30, 60, 10, 50, 40, 5, 70, 20),
        "coal": build.thermal(startups=[{"off_h": 0, "cost_cny": 200}]),
        "battery": build.battery(charge_efficiency=0.9),
        "grid": build.grid(import_price_cny_per_mwh=[p + 20 for p in price],
                           export_price_cny_per_mwh=price, import_limit_mw=40),
        "town": build.load(*[40.0] * 8),
    }  # fmt: skip


ERRING = {
    "components.wind.availability_pu": {"ar1": {"error": 0.2, "correlation_per_h": 0.8}},
    "components.grid.export_price_cny_per_mwh": {"ar1": {"error": 0.4}, "seed": 3},
}


def test_with_perfect_forecasts_planning_on_them_is_perfect_foresight() -> None:
    found = simulate(random_site(), 8, every_h=4, policies=(PERFECT, DETERMINISTIC, STOCHASTIC))
    perfect, other, third = (found.plans[name] for name in found.table["policy"])
    assert perfect.schedule.equals(other.schedule)
    assert perfect.schedule.equals(third.schedule)
    assert of(found, "capture_share") == [1, 1, 1]
    assert found.notes == ["the scenario has no `forecast`: forecasts are perfect"]


@pytest.fixture(scope="module")
def every() -> planner.Simulation:
    """All policies on forecasts that err."""
    return simulate(random_site(), 8, ERRING, every_h=4, policies=POLICIES, members=2)


def test_no_policy_beats_the_bound_and_all_pass_their_audit(every: planner.Simulation) -> None:
    assert list(every.table["policy"]) == list(POLICIES)
    assert every.bound_cny is not None
    assert max(every.table["profit_cny"]) <= every.bound_cny + 1e-6
    assert of(every, "breaches") == [0] * len(POLICIES)
    for name, plan in every.plans.items():
        figures = every.table.set_index("policy").loc[name]
        assert figures["profit_cny"] == pytest.approx(plan.ledger["amount_cny"].sum(), abs=1e-3)


def test_the_rate_above_the_baseline_counts_from_the_first_rule_of_thumb(
    every: planner.Simulation,
) -> None:
    profit = every.table.set_index("policy")["profit_cny"]
    above = every.table.set_index("policy")["above_baseline_share"]
    assert every.baseline == "grid_first"
    assert above["grid_first"] == 0
    assert above["perfect"] == 1
    gained = profit["perfect"] - profit["grid_first"]
    expected = (profit["deterministic"] - profit["grid_first"]) / gained
    assert above["deterministic"] == pytest.approx(expected, abs=1e-6)


def test_a_loss_has_no_capture_rate() -> None:
    found = simulate({"grid": build.grid(), "town": build.load(1)}, 1)
    assert found.table["capture_share"].isna().all()
    assert found.table["of_bound_share"].isna().all()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_table_and_another_one_another() -> None:
    policies = (DETERMINISTIC,)
    tables = [
        simulate(random_site(), 8, ERRING, every_h=4, policies=policies, seed=seed)
        .plans[DETERMINISTIC]
        .schedule
        for seed in (1, 1, 2)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


@pytest.mark.slow
def test_a_killed_simulation_goes_on_and_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: planner.Simulation
) -> None:
    site = scenario(random_site(), 8, forecast=ERRING)
    policies = (PERFECT, DETERMINISTIC, "grid_first")
    options: dict[str, Any] = {
        "every_h": 4, "window_h": 8, "policies": policies, "members": 2
    }  # fmt: skip
    out = tmp_path / "sim"

    def kill(done: int, total: int) -> None:
        assert total == 6
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        planner.simulate(site, out, progress=kill, **options)
    whole = (out / DAYS).read_bytes()
    (out / DAYS).write_bytes(whole + b'{"key": "torn')
    ran: list[str] = []
    plan_next = chains.plan_next

    def counted(policy: DayPolicy, *rest: Any) -> Any:
        if isinstance(policy, DayPolicy):  # and not a step of a day
            ran.append(policy.name)
        return plan_next(policy, *rest)

    monkeypatch.setattr(chains, "plan_next", counted)
    found = planner.simulate(site, out, **options)
    assert ran == [DETERMINISTIC, "grid_first", "grid_first"]
    expected = every.table.set_index("policy").loc[list(policies)]
    assert found.table.set_index("policy")["profit_cny"].equals(expected["profit_cny"])
    for name in policies:
        assert found.plans[name].schedule.equals(every.plans[name].schedule)
        assert planner.audit(out / "plans" / name) == []
    planner.simulate(site, out, **options)
    assert len(ran) == 3
    planner.simulate(site, out, fresh=True, **options | {"policies": (PERFECT,)})
    assert len(ran) == 5


def test_a_simulation_stopped_before_its_first_day_leaves_no_file_of_its_own(
    tmp_path: Path,
) -> None:
    site, out = scenario({"grid": build.grid()}, 2), tmp_path / "sim"
    options: dict[str, Any] = {"every_h": 1, "window_h": 2, "policies": (PERFECT,)}

    def stop(done: int, _: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        planner.simulate(site, out, progress=stop, **options)
    assert not list(tmp_path.iterdir())
    planner.simulate(site, out, **options)
    with pytest.raises(KeyboardInterrupt):
        planner.simulate(site, out, fresh=True, progress=stop, **options)
    assert (out / DAYS).read_bytes() == mark_line()  # it marks the folder
    planner.simulate(site, out, **options)


@pytest.mark.slow
def test_days_of_another_forecast_seed_or_length_are_never_used(tmp_path: Path) -> None:
    parts = {"battery": store(), "grid": build.market(20, 10, 15, resale=True)}
    price = "components.grid.export_price_cny_per_mwh"
    options: dict[str, Any] = {"policies": (DETERMINISTIC,), "every_h": 3, "window_h": 3}
    for believed in ([20, 40, 15], [20, 10, 40], [20, 10, 15]):
        site = scenario(parts, 3, forecast={price: believed})
        planner.simulate(site, tmp_path / "sim", **options)
        planner.simulate(site, tmp_path / "sim", **options)
        planner.simulate(site, tmp_path / "sim", seed=1, **options)
    planner.simulate(site, tmp_path / "sim", **options | {"every_h": 2})
    mark, *days = (tmp_path / "sim" / DAYS).read_text().splitlines()
    assert mark == mark_line().decode().rstrip()
    assert len({json.loads(day)["key"] for day in days}) == len(days) == 3 * 2 + 2


@pytest.mark.slow
def test_workers_find_the_same(every: planner.Simulation) -> None:
    site = scenario(random_site(), 8, forecast=ERRING)
    found = planner.simulate(site, every_h=4, window_h=8, members=2, workers=2)
    assert found.table.equals(every.table)


SITE = """\
name: two hours
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 2}
components:
  wind: {kind: renewable, technology: wind, capacity_mw: 100, availability_pu: [0.5, 0.2]}
  grid:
    kind: grid
    import_limit_mw: 0
    export_limit_mw: 100
    import_price_cny_per_mwh: 30
    export_price_cny_per_mwh: 30
forecast:
  components.wind.availability_pu: {scale: 0.5}
"""


def test_the_command_prints_the_table_and_writes_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["simulate", str(file), "--out", str(out), "--lang", "zh"])
    assert done.exit_code == 0, done.output
    assert "2,100" in done.output
    facts = json.loads((out / "simulation.json").read_text())
    assert facts["bound_cny"] == pytest.approx(2100)
    assert facts["forecasts"] == ["components.wind.availability_pu"]
    assert [row["policy"] for row in facts["policies"]] == list(POLICIES)
    assert (out / "simulation.csv").read_text().startswith("policy,profit_cny")
    again = CliRunner().invoke(app, ["report", str(out), "--lang", "zh"])
    assert again.exit_code == 0, again.output
    page = (out / "plans" / "grid_first" / "report.html").read_text(encoding="utf-8")
    assert 'lang="zh"' in page
    quiet = ["simulate", str(file), "--out", str(out), "-q", "--policies", "perfect"]
    assert CliRunner().invoke(app, quiet).output == ""
    plan = planner.read_plan(out / "plans" / "perfect")
    assert plan.scenario.forecast["components.wind.availability_pu"].tolist() == [0.25, 0.1]


def test_wrong_options_are_told_all_at_once(tmp_path: Path) -> None:
    site = scenario({"grid": build.grid()}, 4)
    with pytest.raises(planner.ScenarioError) as caught:
        planner.simulate(
            site, every_h=0.7, window_h=0, policies=("perfect", "guess"), members=0, workers=0,
            seed=-1,
        )  # fmt: skip
    told = {problem.path: problem.message for problem in caught.value.problems}
    assert told.keys() == {"every_h", "window_h", "policies", "members", "workers", "seed"}
    assert "'guess'" in told["policies"]
    with pytest.raises(planner.ScenarioError, match="window_h: must be every_h 3 or more, is 2"):
        planner.simulate(site, every_h=3, window_h=2)
    with pytest.raises(planner.ScenarioError, match="days: needs the file"):
        planner.simulate(site, days=2)
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(planner.PlanError, match="no folder of a simulation"):
        planner.simulate(site, tmp_path)


@pytest.mark.parametrize(
    ("path", "spec", "said"),
    [
        ("components.wind.capacity_mw", 3, "is not a series"),
        ("components.wind.nope", 3, "is not a series"),
        ("components.sun.availability_pu", 1, "there is no component 'sun'"),
        ("wind.availability_pu", 1, "is not a path such as"),
        ("components.wind.availability_pu", [0.5], "needs one value per step, 2, and has 1"),
        ("components.wind.availability_pu", 1.5, "must be 1 or less"),
        ("components.wind.availability_pu", {"csv": "no.csv", "column": "a"}, "no.csv"),
        ("components.wind.availability_pu", {"ar1": {"eror": 1}}, "ar1.eror: is not a field here"),
        ("components.wind.availability_pu", {"seed": 1}, "ar1: is required"),
        ("components.wind.availability_pu", {"ar1": {"error": -1}}, "must be 0 or more"),
        ("components.wind.availability_pu", {"x": 1}, "must be a number, a list"),
    ],
)
def test_wrong_forecasts_are_told_at_their_path(path: str, spec: Any, said: str) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        scenario({"wind": build.renewable(50, 20), "grid": build.grid()}, 2, forecast={path: spec})
    (problem, *_) = caught.value.problems
    assert problem.path.startswith(f"forecast.{path}")
    assert any(said in str(problem) for problem in caught.value.problems)


def test_a_forecast_that_is_no_mapping_is_told() -> None:
    with pytest.raises(planner.ScenarioError, match="forecast: must be a mapping of paths"):
        scenario({"grid": build.grid()}, 1, forecast=[1])


def draws(actual: Any, error: float, limits: SeriesBounds, known: int = 0) -> np.ndarray:
    """Return 2000 draws of a forecast, one a row."""
    spec = DrawnForecast(ar1=Ar1(error=error, correlation_per_h=0.8))
    series = ErringSeries(np.array(actual, dtype=float), limits)
    rows = [
        drawn_forecast(series, spec, known=known, step_h=0.5, path="x", key=(i,))
        for i in range(2000)
    ]
    return np.array(rows)


def test_the_error_of_a_drawn_forecast_grows_with_the_lead_time_as_stated() -> None:
    lead_h = 0.5 * np.arange(1, 25)
    stated = np.sqrt(1 - 0.8 ** (2 * lead_h))
    price = draws([-100.0, 300.0] * 12, 0.1, SeriesBounds())
    spread = (price - [-100.0, 300.0] * 12).std(axis=0)
    assert spread == pytest.approx(0.1 * 200 * stated, rel=0.08)  # 200: the mean of the amounts
    sun = draws([0.5] * 24, 0.05, SeriesBounds(ge=0, le=1))
    assert sun.std(axis=0) == pytest.approx(0.05 * stated, rel=0.08)
    errors = price - [-100.0, 300.0] * 12
    near = np.corrcoef(errors[:, -2], errors[:, -1])[0, 1]
    assert near == pytest.approx(0.8**0.5, abs=0.03)


def test_a_drawn_forecast_keeps_the_known_the_zeros_and_the_limits_of_its_field() -> None:
    made = draws([0.2, 0, 0.9, 0.1, 0], 0.5, SeriesBounds(ge=0, le=1), known=1)
    assert (made[:, 0] == 0.2).all()
    assert (made[:, [1, 4]] == 0).all()
    assert made.min() == 0
    assert made.max() == 1
    assert draws([5, 5], 3, SeriesBounds(gt=0)).min() > 0


def test_a_simulation_stopped_while_it_is_written_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"grid": build.market(30), "sun": build.renewable(5)}
    simulate(parts, 1, out=planner.Output(tmp_path / "all", page=False))
    assert read_simulation(tmp_path / "all").plans

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.studies.simulate.publish", stopped)
    with pytest.raises(KeyboardInterrupt):
        simulate(parts, 1, out=planner.Output(tmp_path / "all", page=False))
    with pytest.raises(planner.PlanError, match="not finished"):
        read_simulation(tmp_path / "all")
