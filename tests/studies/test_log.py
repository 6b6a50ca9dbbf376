"""What runs log: stages at INFO, fall-backs as warnings, nothing where nobody asks."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app

TINY = Path(__file__).parents[2] / "scenarios" / "tiny_arbitrage"


def no_arrays() -> Any:
    raise RuntimeError("this one needs Pyomo")


def test_a_solve_logs_its_stages(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with caplog.at_level(logging.INFO, logger="planner"):
        planner.solve(planner.load(TINY), out=planner.Output(tmp_path / "plan", page=False))
    texts = {record.name: record.getMessage() for record in caplog.records}
    assert "integer, for 2 steps" in texts["planner.studies.settle"]
    assert "optimal: profit 160.00 CNY, at most 160.00 CNY" in texts["planner.solver.progress"]
    assert texts["planner.studies.to_plan"] == f"written to {tmp_path / 'plan'}"
    assert all(record.levelno == logging.INFO for record in caplog.records)


def test_windows_are_logged_one_by_one_and_their_rounds_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, logger="planner"):
        planner.roll(planner.load(TINY), 1, 1)
    rounds = [r.levelno for r in caplog.records if r.getMessage().startswith("round 1:")]
    assert rounds[:2] == [logging.DEBUG, logging.DEBUG]
    assert any(r.getMessage().startswith("roll: window 2 of 2, optimal") for r in caplog.records)


def test_why_a_model_is_built_in_pyomo_is_a_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.solver.model.ArrayDeclared", no_arrays)
    assert planner.solve(planner.load(TINY)).summary["objective_cny"] == 160
    planner.solve(planner.load(TINY))
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert "RuntimeError: this one needs Pyomo" in warning


def test_nothing_is_printed_by_itself(capfd: pytest.CaptureFixture[str]) -> None:
    handlers = logging.getLogger("planner").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)
    planner.solve(planner.load(TINY))
    assert capfd.readouterr() == ("", "")


def test_verbose_prints_the_stages_on_stderr_in_the_language_of_the_command(
    tmp_path: Path,
) -> None:
    out = ("--out", str(tmp_path / "plan"), "--no-page")
    done = CliRunner().invoke(app, ["solve", str(TINY), *out, "--verbose", "--lang", "zh"])
    assert done.exit_code == 0
    assert "第 1 轮：利润 160.00 元" in done.stderr
    assert "轮：" not in done.stdout
    done = CliRunner().invoke(app, ["solve", str(TINY), *out])
    assert done.stderr == ""
    assert logging.getLogger("planner").level == logging.NOTSET
