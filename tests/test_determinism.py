"""The same input gives the same files: in any process, in any order of components, at any speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import planner
from planner.files.yaml_document import read_yaml
from tests.support import build
from tests.support.clock import UNLIMITED, make_the_clock_jump

SCENARIOS = Path(__file__).parent.parent / "scenarios"
CUT = {"tiny_origin": None, "huainan": 12}  # hours of the horizon; the shortened solves exactly
TABLES = ("schedule.csv", "allocation.csv", "ledger.csv", "scenario.yaml", "series.csv")
CODE = (
    "import sys, planner\n"
    "for scenario, out in zip(sys.argv[1::2], sys.argv[2::2]):\n"
    "    planner.solve(planner.load(scenario)).write(out)\n"
)


def prepared(name: str, folder: Path, *, backwards: bool) -> Path:
    """Write a scenario, cut short, with its components in the file's order or backwards."""
    data = read_yaml(SCENARIOS / name / "scenario.yaml").data
    if CUT[name]:
        data["horizon"]["hours"] = CUT[name]
    if backwards:
        data["components"] = dict(reversed(data["components"].items()))
    folder.mkdir(parents=True)
    if (SCENARIOS / name / "data").is_dir():
        (folder / "data").mkdir()
        for path in (SCENARIOS / name / "data").iterdir():
            (folder / "data" / path.name).write_bytes(path.read_bytes())
    (folder / "scenario.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return folder


def solved(scenarios: Path, out: Path, hash_seed: str) -> dict[tuple[str, str], Any]:
    """Solve all in a process of their own; return the bytes of every table and the summaries."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    pairs = [str(folder / name) for name in CUT for folder in (scenarios, out)]
    subprocess.run([sys.executable, "-c", CODE, *pairs], check=True, env=environment)
    found: dict[tuple[str, str], Any] = {}
    for name in CUT:
        summary = json.loads((out / name / "summary.json").read_text())
        assert summary.pop("runtimes_s")
        found[name, "summary"] = json.dumps(summary)
        there = (table for table in TABLES if (out / name / table).exists())
        found |= {(name, table): (out / name / table).read_bytes() for table in there}
    return found


@pytest.mark.slow
def test_two_processes_and_two_orders_write_the_same_bytes(tmp_path: Path) -> None:
    for name in CUT:
        prepared(name, tmp_path / "a" / name, backwards=False)
        prepared(name, tmp_path / "b" / name, backwards=True)
    one = solved(tmp_path / "a", tmp_path / "one", "1")
    two = solved(tmp_path / "a", tmp_path / "two", "2")
    three = solved(tmp_path / "b", tmp_path / "three", "3")
    for key, content in one.items():
        assert two[key] == content, key
        assert three[key] == content, key
    assert two.keys() == three.keys() == one.keys()


def test_a_plan_solved_again_from_its_own_folder_is_the_same(tmp_path: Path) -> None:
    first = planner.solve(planner.load(SCENARIOS / "tiny_origin")).write(tmp_path / "one")
    again = planner.solve(planner.load(first)).write(tmp_path / "two")
    for name in (name for name in TABLES if (first / name).exists()):
        assert (again / name).read_bytes() == (first / name).read_bytes()


def test_a_machine_of_any_speed_makes_the_same_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the time limit that users give may end a search by the clock."""
    prices = [30, 12, 6, 4, 9, 26, 31, 8] * 3
    curve = [{"power_mw": 20, "fuel_gj_per_h": 60}, {"power_mw": 100, "fuel_gj_per_h": 110}]
    unit = build.thermal(
        curve=curve, min_up_h=3, min_down_h=2, ramp_up_mw_per_h=30, ramp_down_mw_per_h=30,
        startup_ramp_mw=40, shutdown_ramp_mw=40, startups=[{"off_h": 0, "cost_cny": 400}],
    )  # fmt: skip
    site = {"unit": unit, "battery": build.battery(), "grid": build.market(*prices)}
    scenario = build.scenario(site, len(prices), solver=UNLIMITED | {"gap": 1e-6})
    first = planner.solve(scenario).write(tmp_path / "one")
    make_the_clock_jump(monkeypatch)
    again = planner.solve(scenario).write(tmp_path / "two")
    for name in (name for name in TABLES if (first / name).exists()):
        assert (again / name).read_bytes() == (first / name).read_bytes()
