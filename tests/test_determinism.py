"""The same input gives the same files, in any process and in any order of components."""

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
from planner.document import read_yaml

SCENARIOS = Path(__file__).parent.parent / "scenarios"
CUT = {"tiny_origin": None, "huainan": 12}  # hours of the horizon; the shortened solves exactly
TABLES = ("schedule.csv", "allocation.csv", "ledger.csv", "scenario.yaml", "series.csv")
CODE = (
    "import sys, planner\n"
    "planner.solve(planner.load(sys.argv[1])).write(sys.argv[2])\n"
)  # fmt: skip


def prepared(name: str, folder: Path, *, backwards: bool) -> Path:
    """Write a scenario, cut short, with its components in the file's order or backwards."""
    data = read_yaml(SCENARIOS / name / "scenario.yaml").data
    if CUT[name]:
        data["horizon"]["hours"] = CUT[name]
    if backwards:
        data["components"] = dict(reversed(data["components"].items()))
    folder.mkdir()
    if (SCENARIOS / name / "data").is_dir():
        (folder / "data").mkdir()
        for path in (SCENARIOS / name / "data").iterdir():
            (folder / "data" / path.name).write_bytes(path.read_bytes())
    (folder / "scenario.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return folder


def solved(scenario: Path, out: Path, hash_seed: str) -> dict[str, Any]:
    """Solve in a process of its own; return the bytes of every table and the summary."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", CODE, str(scenario), str(out)]
    subprocess.run(command, check=True, env=environment)
    summary = json.loads((out / "summary.json").read_text())
    assert summary.pop("runtimes_s")
    tables = {name: (out / name).read_bytes() for name in TABLES if (out / name).exists()}
    return tables | {"summary": json.dumps(summary)}


@pytest.mark.parametrize("name", CUT)
def test_two_processes_and_two_orders_write_the_same_bytes(name: str, tmp_path: Path) -> None:
    one = solved(prepared(name, tmp_path / "a", backwards=False), tmp_path / "one", "1")
    assert solved(tmp_path / "a", tmp_path / "two", "2") == one
    assert solved(prepared(name, tmp_path / "b", backwards=True), tmp_path / "three", "3") == one


def test_a_plan_solved_again_from_its_own_folder_is_the_same(tmp_path: Path) -> None:
    first = planner.solve(planner.load(SCENARIOS / "tiny_origin")).write(tmp_path / "one")
    again = planner.solve(planner.load(first)).write(tmp_path / "two")
    for name in (name for name in TABLES if (first / name).exists()):
        assert (again / name).read_bytes() == (first / name).read_bytes()
