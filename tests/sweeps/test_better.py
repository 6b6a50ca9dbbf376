"""Which way figures are better: by default, and as a sweep file says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import planner
from planner.components.registry import KINDS, better
from planner.errors import ScenarioError
from planner.scenario.plain_data import flat
from planner.studies.sweep_plan import cases_to_refine, prepare
from planner.sweeps.analysis.analyses import analyse
from planner.sweeps.analysis.pareto import Front
from planner.sweeps.sweep_file import SweepFile
from planner.units import unit
from tests.support.full_site import write

LEAST = (
    "figures.campus.shed_mwh figures.pv.curtailed_mwh figures.spinning.shortfall_mwh "
    "figures.work.refused_mtok figures.cable.loss_mwh figures.grid.import_mwh "
    "figures.grid.peak_import_mw figures.grid.billed_peak_mw figures.coal.emission_tco2 "
    "figures.coal.fuel_gj carbon.emission_tco2 carbon.import_emission_tco2 "
    "carbon.factor_tco2_per_mwh.thermal carbon.drawn_tco2_per_mwh carbon.answered_tco2_per_mtok "
    "figures.ets.to_be_paid_tco2 allocation_mwh.renewable.curtailed allocation_mwh.grid.loss "
    "green.curtailed_share green.most.curtailed_share gap gap_of_profit seconds "
    "investment_cost investment_cost_cny components.pv.cost_cny_per_mwh total_costs_cny "
)
MOST = (
    "objective_cny cash_profit_cny net_after_outside_cny figures.battery.cycles green.load_share "
    "green.self_use_share figures.chat.answered_mtok figures.chat.served_share uplift "
    "value_by_use_cny_per_kwh.compute allocation_mwh.renewable.export figures.grid.export_mwh "
    "carbon.allowance_tco2 figures.ets.budget_left_tco2 ledger_cny.grid.import "
    "ledger_cny.load.shed ledger_cny.coal.fuel outside_objective_cny.pv.levelized bound_cny "
)


@pytest.mark.parametrize("figure", LEAST.split())
def test_less_is_better(figure: str) -> None:
    assert better(figure) == "least"


@pytest.mark.parametrize("figure", MOST.split())
def test_more_is_better(figure: str) -> None:
    """A line of the ledger is income: -5 for import is better than -9."""
    assert better(figure) == "most"


def test_every_emission_of_a_plan_is_better_when_less(tmp_path: Path) -> None:
    plan = planner.solve(planner.load(write(tmp_path)))
    emissions = [
        path
        for path, _ in flat(plan.summary)
        if any((unit(part) or "").startswith("tCO2") for part in path.split("."))
        and "allowance" not in path
        and "budget_left" not in path
        and not path.startswith(("ledger", "outside"))
    ]
    assert len(emissions) >= 5
    assert {better(path) for path in emissions} == {"least"}


def test_kinds_list_figures_that_they_have(tmp_path: Path) -> None:
    """What a kind calls better when less is a figure of a plan, or of another's summary."""
    listed = {name for kind in KINDS.values() for name in kind.component.less_is_better}
    assert all(name == name.lower() and " " not in name for name in listed)
    plan = planner.solve(planner.load(write(tmp_path)))
    known = {path.rpartition(".")[2] for path, _ in flat(plan.summary)}
    rare = {"billed_peak_mw", "to_be_paid_tco2"}
    assert listed - rare <= known


def sweep(outputs: object) -> SweepFile:
    axes = {"components.pv.capacity_mw": [1, 2]}
    return SweepFile.model_validate({"name": "x", "base": "b", "axes": axes, "outputs": outputs})


def test_a_list_leaves_the_way_to_the_figures_and_a_mapping_says_it() -> None:
    assert sweep(["objective_cny", "carbon.emission_tco2"]).outputs == {
        "objective_cny": "most", "carbon.emission_tco2": "least",
    }  # fmt: skip
    own = {"figures.battery.cycles": "least", "objective_cny": "most"}
    assert sweep(own).outputs == own
    assert sweep(own).better("figures.battery.cycles") == "least"
    assert sweep(own).better("figures.campus.shed_mwh") == "least"


def test_the_front_and_the_best_case_go_by_what_the_file_says() -> None:
    """Cycles 1 to 4, profit 10 to 40: with fewest cycles best, every case is on the front."""
    rows = [{"case": n, "components.pv.capacity_mw": n, "status": "optimal", "message": "",
             "cycles": float(n), "objective_cny": 10.0 * n} for n in (1, 2, 3, 4)]  # fmt: skip
    cases = pd.DataFrame(rows)

    def front(way: str) -> list[int]:
        analyses = analyse(cases, sweep({"cycles": way, "objective_cny": "most"}))
        (found,) = analyses.of(Front)
        assert found.plain()["better"] == {"cycles": way, "objective_cny": "most"}
        assert analyses.best["case"].iloc[0] == (1 if way == "least" else 4)
        return sorted(found.table["case"])

    assert front("least") == [1, 2, 3, 4]
    assert front("most") == [4]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"objective_cny": "max"}, "outputs.objective_cny"),
        ("objective_cny", "must be a list of figures, or figures with `most` or `least`"),
        ([1], "must be a list of figures"),
        ({}, "outputs"),
        ([], "outputs"),
    ],
)
def test_wrong_outputs_are_told(tmp_path: Path, outputs: object, message: str) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(f"name: x\nbase: b.yaml\naxes: {{components.a.b: [1]}}\noutputs: {outputs}\n")
    with pytest.raises(ScenarioError, match=message.replace(".", r"\.")):
        prepare(file)


BASE = """\
name: base
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 1}
components:
  grid: {kind: grid, import_limit_mw: 9, export_limit_mw: 0,
         import_price_cny_per_mwh: 10, export_price_cny_per_mwh: 5}
  town: {kind: load, demand_mw: 1}
"""


@pytest.mark.parametrize(
    ("refine", "best"),
    [("", 0), ("lowest: false, ", 2), ("lowest: true, ", 0)],
)
def test_what_is_refined_is_the_best_as_outputs_say(tmp_path: Path, refine: str, best: int) -> None:
    """Emission is better when less; only `lowest: false` refines the case with most of it."""
    (tmp_path / "base.yaml").write_text(BASE)
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "name: x\nbase: base.yaml\naxes: {components.town.demand_mw: [1, 2, 3]}\n"
        f"refine: {{{refine}best: 1, by: carbon.emission_tco2}}\n"
    )
    checked = prepare(file)
    results = {
        key: {"figures": {"carbon.emission_tco2": float(case.number)}}
        for key, case in checked.distinct.items()
    }
    (case,) = cases_to_refine(checked, results)
    assert case.number == best
