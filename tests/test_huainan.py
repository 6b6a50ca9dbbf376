"""The Huainan scenarios: reserve binds, and the files agree; test_scenarios has their plans."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import planner

SCENARIOS = Path(__file__).parent.parent / "scenarios"


def test_reserve_costs_money() -> None:
    """Without the reserve the site earns more: it binds."""
    with_reserve = planner.load(SCENARIOS / "huainan", set={"solver.relax": True})
    without = planner.load(
        SCENARIOS / "huainan",
        set={
            "solver.relax": True,
            "components.spinning.up_mw": 0,
            "components.spinning.renewable_share": 0,
        },
    )
    gain = (
        planner.solve(without).summary["objective_cny"]
        - planner.solve(with_reserve).summary["objective_cny"]
    )
    assert gain > 1000


@pytest.mark.parametrize("name", ["huainan_96", "huainan_winter", "huainan_uncertain"])
def test_the_variants_are_the_same_site(name: str) -> None:
    def components(folder: str) -> object:
        text = (SCENARIOS / folder / "scenario.yaml").read_text(encoding="utf-8")
        return yaml.safe_load(text)["components"]

    assert components(name) == components("huainan")


def test_the_year_is_the_same_site_with_rules() -> None:
    def scenario(folder: str) -> dict[str, Any]:
        text = (SCENARIOS / folder / "scenario.yaml").read_text(encoding="utf-8")
        return dict(yaml.safe_load(text)["components"])

    year = scenario("huainan_year")
    assert {year.pop("emissions")["kind"], year.pop("green")["kind"]} == {"carbon", "green_rule"}
    assert year == scenario("huainan")


def test_the_uncertain_day_is_a_day_of_the_year():
    day, year = (
        (SCENARIOS / name / "data" / "site.csv").read_text(encoding="utf-8").splitlines()
        for name in ("huainan_uncertain", "huainan")
    )
    assert day == [year[0], *(line for line in year if line.startswith("2026-07-15"))]


def test_the_data_are_what_the_script_makes() -> None:
    path = SCENARIOS / "huainan" / "build_data.py"
    spec = importlib.util.spec_from_file_location("build_data", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.build()
    quarters = pd.read_csv(SCENARIOS / "huainan_96" / "data" / "site.csv", index_col="time")
    same = made.loc["2026-07-01":"2026-07-31", quarters.columns]
    assert len(same) == len(quarters) == 31 * 96
    for column in quarters:  # numpy does not promise its streams across versions: compare values
        assert np.allclose(quarters[column], same[column], rtol=1e-3, atol=1.0), column
    year = pd.read_csv(SCENARIOS / "huainan" / "data" / "site.csv", index_col="time")
    assert year["pv_pu"].mean() == pytest.approx(0.125, abs=0.003)
    assert year["wind_pu"].mean() == pytest.approx(0.24, abs=0.005)
    assert year["spot_cny_per_mwh"].mean() == pytest.approx(308, abs=5)
