"""A kind of component of another package: its wheel beside ours, in an empty environment."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.package.conftest import ROOT, Installed, run

pytestmark = pytest.mark.package

EXAMPLE = ROOT / "docs" / "example_kind"
SWEEP = """
name: tanks
base: example.yaml
design: grid
axes: {components.pump.capacity_mwh: [0, 3]}
outputs: [objective_cny, figures.pump.shed_mwh]
"""


def test_its_wheel_works_beside_ours(installed: Installed, tmp_path: Path) -> None:
    source, dist = tmp_path / "source", tmp_path / "dist"
    shutil.copytree(EXAMPLE, source)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", dist, source, cwd=tmp_path)
    (wheel,) = dist.glob("*.whl")
    installed.install(wheel)
    try:
        _use(installed, tmp_path)
    finally:
        run(installed.python, "-m", "pip", "uninstall", "--yes", "planner-heat-pump", cwd=tmp_path)
    text = "the package planner-heat-pump is not installed, which brings the kind heat_pump"
    for command in ("audit", "report"):
        said = run(installed.planner, command, "plan", cwd=tmp_path, exit_code=5)
        assert text in " ".join(said.split())
    said = run(installed.planner, "check", "example.yaml", cwd=tmp_path, exit_code=2)
    assert "must be one of" in said


def _use(installed: Installed, folder: Path) -> None:
    def planner(*arguments: str) -> str:
        return run(installed.planner, *arguments, cwd=folder)

    shutil.copy(EXAMPLE / "example.yaml", folder)
    assert "heat_pump comes from planner-heat-pump 0.1.0" in planner("check", "example.yaml")
    assert "用电 pump" in planner("check", "example.yaml", "--lang", "zh")
    assert "heat_pump.HeatPump" in planner("schema")
    planner("solve", "example.yaml", "--out", "plan", "--formats", "csv,xlsx")
    planner("audit", "plan")
    planner("report", "plan", "--lang", "zh")
    assert "供热" in (folder / "plan" / "report.html").read_text(encoding="utf-8")
    planner("roll", "example.yaml", "--window-h", "2", "--advance-h", "1", "--out", "rolled")
    for plan in ("plan", "rolled"):
        summary = json.loads((folder / plan / "summary.json").read_text(encoding="utf-8"))
        assert summary["objective_cny"] == pytest.approx(-850)
    (folder / "sweep.yaml").write_text(SWEEP)
    installed.install("dask>=2025.1", "distributed>=2025.1")
    planner("sweep", "sweep.yaml", "--workers", "1", "--out", "sweep")
    cases = (folder / "sweep" / "cases.csv").read_text()
    assert "-1250" in cases
    assert "-850" in cases
