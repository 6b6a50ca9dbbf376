"""Every shipped sweep is valid as it stands, and runs in small to answers and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.files.yaml_document import read_yaml
from planner.report.sweep_page.report_sweep import report_sweep
from planner.studies.break_even import find
from planner.studies.sweep import run
from planner.studies.sweep_plan import prepare
from planner.sweeps.analysis.analyses import Analyses, read_analyses
from planner.sweeps.analysis.case_table import AxisCurve, failures
from planner.sweeps.analysis.cost_curve import CostCurve
from planner.sweeps.analysis.maps import Map
from planner.sweeps.analysis.sobol import Indices
from planner.sweeps.analysis.tornado import Tornado
from planner.sweeps.design import design
from planner.sweeps.sweep_file import read_sweep
from planner.sweeps.variants import check_cases, read_base

FOLDER = Path(__file__).parent.parent.parent / "scenarios" / "sweeps"
FILES = sorted(FOLDER.glob("*.yaml"))
NAMES = {
    "token_price": 8, "battery_size": 12, "coal_and_carbon": 20, "green_share": 6,
    "cell_efficiency": 5, "everything": 64 * 14,
}  # fmt: skip
LOOSE = {"gap": 0.02}
MOST = 28  # cases checked of a sweep


def test_the_sweeps_are_those_of_the_contract() -> None:
    assert {path.stem for path in FILES} == set(NAMES)


@pytest.mark.few(3)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sweep_is_valid_named_and_says_what_it_asks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "?" in text.splitlines()[0] + text.splitlines()[1]
    sweep, document = read_sweep(path)
    assert sweep.name == path.stem
    assert sweep.description.endswith(".")
    assert sweep.set["horizon.hours"] == 24
    base = read_base(sweep, document, path.parent)
    _, cases = design(sweep, document, path.parent, base.at)
    assert len(cases) == NAMES[path.stem]
    _, wrong = check_cases(sweep, document, base, cases[:MOST])
    assert not wrong


def small(name: str, tmp_path: Path, change: dict[str, Any]) -> Analyses:
    """Run a shipped sweep with fewer cases and a loose gap."""
    data = dict(read_yaml(FOLDER / f"{name}.yaml").data)
    data["base"] = str(FOLDER.parent / "huainan" / "scenario.yaml")
    data["solver"] = LOOSE
    data["axes"] = data["axes"] | change.pop("axes", {})
    file = tmp_path / f"{name}.yaml"
    file.write_text(json.dumps({k: v for k, v in (data | change).items() if v is not None}))
    folder = run(prepare(file), tmp_path / name, 1, None).folder
    assert {path.name for path in report_sweep(folder)} == {"answers.json", "report.html"}
    found = read_analyses(folder)
    assert found.solved == len(found.cases), failures(found.cases)
    return found


@pytest.mark.slow
def test_a_shipped_sweep_runs_to_its_page(tmp_path: Path) -> None:
    """More coal is burnt where it is cheap."""
    axes = {"components.coal_1.fuel_price_cny_per_gj": [15, 40],
            "components.carbon.price_cny_per_tco2": [95]}  # fmt: skip
    found = small("coal_and_carbon", tmp_path, {"axes": axes})
    burnt = found.of(AxisCurve)[0].table["figures.coal_1.gross_mwh"].tolist()
    assert burnt[0] > 2 * burnt[1]


@pytest.mark.slow
def test_token_price_has_its_break_even_far_below_todays_prices(tmp_path: Path) -> None:
    axes = {"token_price": {"values": [0.01, 1], "base": 1}}
    found = small("token_price", tmp_path, {"axes": axes, "find": None})
    value = found.of(AxisCurve)[0].table["value_by_use_cny_per_kwh.compute"].tolist()
    assert value[0] < 0.17 < value[1]
    # A thirtieth of the price: 0.0332 to 0.0342 at a gap of 5e-3 of turnover, 20 solves.
    wanted = {"path": "token_price", "where": "profit by compute = profit by export",
              "low": 0.02, "high": 0.06}  # fmt: skip
    file = tmp_path / "token_price.yaml"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"find": wanted}))
    prepared = prepare(file)
    result = find(prepared)
    assert result is not None
    assert result.value == pytest.approx(0.0337, abs=0.006)


@pytest.mark.slow
def test_battery_size_earns_more_with_more_energy(tmp_path: Path) -> None:
    axes = {"components.battery.capacity_mwh": [200, 800],
            "battery_power_mw": {"values": [100, 200], "base": 100}}  # fmt: skip
    found = small("battery_size", tmp_path, {"axes": axes, "solver": {"gap": 1e-3}})
    grid = found.of(Map)[0].table
    assert (grid[800] > grid[200]).all()
    swing = found.of(Tornado)[0].table.set_index("axis")["swing"]
    assert swing["components.battery.capacity_mwh"] > swing["battery_power_mw"]


@pytest.mark.slow
def test_green_share_costs_more_with_each_step(tmp_path: Path) -> None:
    axes = {"components.rule.min_load_share": [0.6, 0.75, 0.85]}
    found = small("green_share", tmp_path, {"axes": axes, "solver": {"gap": 5e-4}})
    (curve,) = found.of(CostCurve)
    per_point = curve.table["cost_cny_per_point"].tolist()
    assert 0 < per_point[0] < per_point[1]
    assert curve.table["share"].tolist() == pytest.approx([0.75, 0.85], abs=1e-3)


@pytest.mark.slow
def test_cell_efficiency_cheapens_sun_by_seven_per_cent_a_point(tmp_path: Path) -> None:
    axes = {"cell_efficiency_percent": {"values": [24, 30], "base": 24}}
    found = small("cell_efficiency", tmp_path, {"axes": axes, "solver": {"gap": 5e-4}})
    curve = found.of(AxisCurve)[0].table
    paid = curve["outside_objective_cny.pv.levelized"].tolist()
    assert paid[1] / paid[0] == pytest.approx(0.93**6 * 30 / 24, rel=1e-6)
    profit = curve["objective_cny"].tolist()
    assert profit[1] > profit[0]


@pytest.mark.slow
def test_everything_needs_blocks_enough_for_indices_of_twelve_axes(tmp_path: Path) -> None:
    found = small("everything", tmp_path, {"samples": 2})
    assert len(found.cases) == 28
    assert not found.of(Indices)
    assert any("32 whole blocks of 14 cases are needed" in note for note in found.notes)
