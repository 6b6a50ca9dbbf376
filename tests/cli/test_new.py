"""planner new: a folder that runs at once, made whole or not at all, over nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import planner
from planner.scenario.shipped import linked_here, named, shipped_scenarios
from planner.sweeps.sweep_file import read_sweep
from tests.cli.test_cli import run

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"


def test_a_new_folder_runs_and_is_called_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("new", "sites/north", "--from", "huainan")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1:3] == [
        "  planner check sites/north", "  planner solve sites/north",
    ]  # fmt: skip
    folder = tmp_path / "sites" / "north"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    sweeps = {f"sweeps/{path.name}" for path in (SCENARIOS / "sweeps").iterdir()}
    assert files == {
        "scenario.yaml", "data/site.csv", "README.md", "planner.schema.json", *sweeps,
    }  # fmt: skip
    assert planner.load(folder).name == "north"
    for sweep in sweeps:
        assert read_sweep(folder / sweep)[0].base == "../scenario.yaml"
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# north\n")
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert all("://" in link or (folder / link).exists() for link in links)

    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = run("new", "sites/north")
    assert again.exit_code == 5
    assert "sites/north exists and is not empty; choose another name" in again.output
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_the_default_is_the_scenario_to_begin_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "由 starter 生成" in run("new", "mysite", "--lang", "zh").output
    assert planner.load("mysite").name == "mysite"
    assert "在此文件夹中运行" in Path("mysite/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("words", "message"), [
    ((), "planner new: needs a NAME, such as mysite, or --list"),
    (("x", "--list"), "--list: goes without NAME and --from"),
    (("--from", "huainan", "--list"), "--list: goes without NAME and --from"),
    (("x", "--from", "huaina"), "there is no scenario 'huaina'; did you mean huainan?"),
    (("x", "--from", "../huainan"), "there is no scenario '../huainan'"),
    (("sites/x.yaml",), "NAME: a scenario is a folder here: write sites/x"),
    (("a b",), "NAME: must begin with a letter or digit"),
    (("..",), "NAME: must begin with a letter or digit"),
])  # fmt: skip
def test_what_cannot_be_made_is_said_with_what_would_be_right(
    words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("new", *words)
    assert result.exit_code == 2
    assert message in result.output
    assert not list(tmp_path.iterdir())


def test_the_list_names_every_scenario() -> None:
    lines = run("new", "--list").output.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(shipped_scenarios())
    assert "tiny_arbitrage: Buy 4 MWh at 10, sell 4 MWh at 50, earn 160." in lines


def test_names_that_yaml_takes_for_something_else_are_quoted() -> None:
    assert named("name: x\n", "2026").endswith('name: "2026"\n')
    assert named("name: x\n", "1e5").endswith('name: "1e5"\n')
    assert named("name: x\n", "北站").endswith("name: 北站\n")


def test_links_that_lead_nowhere_become_text(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    page = "[a](../b.md) [c](data) [d](https://e.org) [f](#g)"
    assert linked_here(page, tmp_path) == "a [c](data) [d](https://e.org) [f](#g)"
