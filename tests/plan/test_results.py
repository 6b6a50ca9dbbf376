"""One shape of result: what every study returns is used alike, whether of one future or several."""

from __future__ import annotations

import pickle
from pathlib import Path

import pandas as pd
import pytest

import planner
from planner import PlanError, PlannerError
from planner.plan.output import Output
from tests.studies.test_solve_stochastic import coal_or_not

TINY = Path(__file__).parents[2] / "scenarios" / "tiny_arbitrage"
LONG = ["time", "component", "quantity", "index", "value", "unit"]
FIGURES = ["component", "figure", "value", "unit"]
SHARED = {
    "name", "description", "status", "objective_cny", "bound_cny", "gap", "gap_of_profit",
    "turnover_cny", "vat", "start", "hours", "step_min", "warnings", "solving", "runtimes_s",
    "versions",
}  # fmt: skip


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    return planner.solve(planner.load(TINY))


@pytest.fixture(scope="module")
def several() -> planner.Plan:
    return planner.solve(coal_or_not())


@pytest.fixture(scope="module")
def results(plan: planner.Plan, several: planner.Plan) -> dict[str, planner.Plan]:
    site = plan.scenario
    return {
        "solve": plan,
        "several": several,
        "settle": planner.settle(site, plan),
        "prices": planner.prices(site),
        "replan": planner.replan(plan, "2026-07-15T01:00"),
        "rule_of_thumb": planner.rule_of_thumb(site, "grid_first"),
        "roll": planner.roll(site, 1, 1),
    }


@pytest.fixture(scope="module")
def simulation(plan: planner.Plan) -> planner.Simulation:
    policies = ["perfect", "grid_first"]
    return planner.simulate(plan.scenario, policies=policies, every_h=2, window_h=2)


def test_the_long_schedule_holds_each_value_with_its_unit(plan: planner.Plan) -> None:
    long = plan.long_schedule()
    assert list(long) == LONG
    assert str(long["time"].dt.tz) == str(plan.schedule.index.tz)
    first = long[(long["quantity"] == "charge_mw") & (long["index"] == "grid")].iloc[0]
    assert first.tolist()[1:] == ["battery", "charge_mw", "grid", 4.0, "MW"]  # buys 4 MW at 10
    index = long["index"].map(lambda text: f"[{text}]" if text else "")
    wide = long.assign(column=long["component"] + "." + long["quantity"] + index).pivot_table(
        index="time", columns="column", values="value", sort=False
    )
    assert wide.to_numpy().tolist() == plan.schedule.to_numpy().tolist()
    assert list(wide) == list(plan.schedule)


def test_key_figures_are_one_table(plan: planner.Plan, several: planner.Plan) -> None:
    figures = plan.key_figures()
    assert list(figures) == FIGURES
    by_name = figures.set_index(["component", "figure"])
    assert by_name.loc[("", "objective_cny")].tolist() == [160.0, "CNY"]
    assert by_name.loc[("grid", "import_mwh")].tolist() == [4.0, "MWh"]
    assert not {"hours", "step_min"} & set(figures["figure"])
    profits = several.key_figures().query("figure == 'objective_cny' and component == ''")
    assert profits[["member", "value"]].to_numpy().tolist() == [
        ["", 450.0], ["dear", 2000.0], ["cheap", -1100.0],
    ]  # fmt: skip


def test_every_study_returns_a_plan(results: dict[str, planner.Plan], tmp_path: Path) -> None:
    for name, result in results.items():
        assert isinstance(result, planner.Plan), name
        assert set(result.summary) >= SHARED, name
        of_several = isinstance(result, planner.StochasticPlan)
        first = ["member"] if of_several else []
        assert list(result.long_schedule()) == [*first, *LONG], name
        assert list(result.key_figures()) == [*first, *FIGURES], name
        assert list(result.ledger)[-1] == "amount_cny"
        for table in (result.ledger, result.allocation, result.green, result.reasons):
            assert list(table)[:1] == (first or list(table)[:1]), name
        steps = sum(len(one.schedule) for one in result.members.values())
        assert len(result.schedule) == steps, name
        assert list(result.schedule.index.names) == [*first, "time"], name
        assert "<table>" in result._repr_html_(), name
        assert repr(result).endswith(" CNY>"), name
        assert result == pickle.loads(pickle.dumps(result)), name
        if name in ("several", "settle"):
            folder = result.write(tmp_path / name, page=False)
            assert planner.read_plan(folder) == result, name
            assert planner.audit(folder) == [], name


def test_what_all_futures_share_is_a_mean(several: planner.Plan) -> None:
    assert several.figure("export_mwh") == 0.5 * 100 + 0.5 * 20
    assert several.used_mwh("export") == 60
    assert several.unserved_mtok == 0
    assert several.figures.profits().data
    assert several.figures.spread().data
    with pytest.raises(PlannerError, match=r"plan\.members\['dear'\]\.figures\.supply\(\)"):
        several.figures.supply()


def test_one_plan_is_asked_for_where_there_are_several(
    several: planner.Plan, plan: planner.Plan, tmp_path: Path
) -> None:
    folder = several.write(tmp_path / "several", page=False)
    for call in (
        lambda: planner.settle(plan.scenario, several),
        lambda: planner.replan(folder, "2026-07-15T01:00"),
        lambda: planner.with_end_values(plan.scenario, several),
        lambda: planner.compare(plan, several),
    ):
        with pytest.raises(PlanError, match="several members; take one of them: dear, cheap"):
            call()


def test_a_simulation_is_used_as_plans_are(simulation: planner.Simulation, tmp_path: Path) -> None:
    assert list(simulation.members) == ["perfect", "grid_first"]
    assert list(simulation.long_schedule()) == ["policy", *LONG]
    assert list(simulation.key_figures()) == ["policy", *FIGURES]
    profits = simulation.ledger.groupby("policy")["amount_cny"].sum()
    assert profits.round(6).to_dict() == {"perfect": 160.0, "grid_first": 0.0}
    assert simulation.schedule.loc["perfect"].equals(simulation.plans["perfect"].schedule)
    assert simulation.summary["baseline"] == "grid_first"
    assert simulation.figures.profits().data
    assert simulation.figures.operation().data
    with pytest.raises(PlannerError, match="single day"):
        simulation.figures.days()
    assert "<table>" in simulation._repr_html_()
    again = pickle.loads(pickle.dumps(simulation))
    assert again.plans == simulation.plans
    assert again.table.equals(simulation.table)
    folder = simulation.write(tmp_path / "simulation", page=False)
    assert planner.read_plan(folder / "plans" / "perfect") == simulation.plans["perfect"]
    simulation.write(folder, page=False)  # such a folder is ours and may be written again


def test_no_two_plans_share_a_table(plan: planner.Plan) -> None:
    """Pandas copies what is shared when it is changed."""
    settled = plan.settled(None, {})
    settled.schedule.iloc[0, 0] = -1.0
    settled.ledger["amount_cny"] = 0.0
    assert plan.schedule.iloc[0, 0] != -1.0
    assert plan.ledger["amount_cny"].sum() == 160.0


def test_formats_may_be_one_text() -> None:
    assert Output("x", "csv, xlsx").formats == ("csv", "xlsx")
    assert Output("x", ["parquet"]).formats == ("parquet",)
    with pytest.raises(PlanError, match="format 'xls' is not known"):
        Output("x", "csv,xls")


def test_prices_keep_their_own_tables(results: dict[str, planner.Plan]) -> None:
    prices = results["prices"]
    assert isinstance(prices, planner.Prices)
    assert prices.plan is prices
    assert prices.table is prices.prices
    assert list(prices.table) == LONG
    assert isinstance(prices.hourly, pd.DataFrame)
