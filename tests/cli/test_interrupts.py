"""Ctrl-C: exit code 130, and words that say what was kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from tests.cli.test_foreign_files import COMMANDS, everything
from tests.cli.test_foreign_files import inputs as inputs

GOES_ON = "finished {} are kept: the same command goes on with them"
KEPT = {"roll": "windows", "year": "windows", "simulate": "days", "sweep": "cases"}
STUDIES = {
    "solve": "planner.solve", "several": "planner.solve_stochastic", "prices": "planner.prices",
    "settle": "planner.settle", "replan": "planner.replan", "roll": "planner.roll",
    "year": "planner.plan_year", "simulate": "planner.simulate",
    "sweep": "planner.studies.sweep.run",
}  # fmt: skip


@pytest.fixture
def interrupted(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, Path, Callable[[], Any]], str]:
    """Run a command whose study is interrupted after some work, and return what it says."""
    exits: list[int] = []
    monkeypatch.setattr("os._exit", exits.append)
    monkeypatch.chdir(inputs)

    def invoke(name: str, out: Path, work: Callable[[], Any], *more: str) -> str:
        def stopped(*_: Any, **__: Any) -> None:
            work()
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(STUDIES[name], stopped, raising=False)
            done = CliRunner().invoke(app, [*COMMANDS[name], "--out", str(out), "-q", *more])
        assert exits.pop() == 130
        return done.stderr

    return invoke


@pytest.mark.parametrize("name", COMMANDS)
def test_an_interrupted_command_says_what_it_kept(
    name: str, interrupted: Callable[..., str], inputs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = interrupted(name, out, lambda: None)
    goes_on = GOES_ON.format(KEPT[name]) if name in KEPT else ""
    folder = "" if name in ("simulate", "sweep") else f"{out} was not written"
    assert said == "; ".join(filter(None, ("interrupted", folder, goes_on))) + "\n"
    assert not everything(tmp_path)
    if name in ("simulate", "sweep", "several"):
        return
    planner.read_plan(inputs / "plan").write(out)
    before = everything(tmp_path)
    said = interrupted(name, out, lambda: None)
    assert said.startswith(f"interrupted; {out} is as it was")
    assert ("finished" in said, goes_on in said) == (name in KEPT, True)
    assert everything(tmp_path) == before
    said = interrupted(name, out, lambda: planner.read_plan(inputs / "plan").write(out))
    assert said == f"interrupted; the new plan is in {out}\n"


@pytest.mark.parametrize("name", KEPT)
def test_after_a_fresh_start_it_does_not_start_over(
    name: str, interrupted: Callable[..., str], tmp_path: Path
) -> None:
    said = interrupted(name, tmp_path / "out", lambda: None, "--fresh")
    assert f"finished {KEPT[name]} are kept: the same command without --fresh goes on" in said


@pytest.mark.parametrize("name", ["simulate", "roll"])
def test_it_is_said_in_chinese_too(
    name: str, interrupted: Callable[..., str], tmp_path: Path
) -> None:
    said = interrupted(name, tmp_path / "out", lambda: None, "--lang", "zh")
    assert said.startswith("已中断；")
    assert "均已保留：再次运行同一命令即可从中继续" in said
