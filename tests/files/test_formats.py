"""Formats that are not known, or whose package is missing, are refused before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

import planner
from planner.studies.sweep import sweep

ROOT = Path(__file__).parent.parent.parent


def test_parquet_without_its_package_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.files.formats.find_spec", lambda _: None)
    refused = r"pip install 'dispatch-planner\[parquet\]'"
    with pytest.raises(planner.ScenarioError, match=refused):
        planner.Output(tmp_path / "plan", ("csv", "parquet"))
    with pytest.raises(planner.ScenarioError, match=refused):
        sweep(ROOT / "scenarios" / "sweeps" / "battery_size.yaml", tmp_path, formats="csv, parquet")
    assert not list(tmp_path.iterdir())
