"""--json: one document on standard output, whatever happens, with the keys that format 1 promises.

Tests of commands elsewhere validate theirs (`tests.support.documents`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import planner
from planner.cli.app import COMMANDS, app
from planner.cli.documents import DOCUMENTS, documents_schema
from planner.errors import NoPlanError
from planner.message import Message
from tests.cli.test_foreign_files import inputs as inputs
from tests.support.documents import document, promised

ROOT = Path(__file__).parent.parent.parent
TINY = ROOT / "scenarios" / "tiny_arbitrage"
CAUTIONED = "components.battery.ending={at_least_mwh: 0}"


def run(*arguments: object, lang: str = "en") -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--json", "--lang", lang])


def broken(promise: Any, now: Any, at: str = "$") -> Iterator[str]:
    """Yield what a JSON Schema no longer keeps of another one; texts for people may change."""
    if isinstance(promise, dict) and isinstance(now, dict):
        for key, part in promise.items():
            if key in ("title", "description") and isinstance(part, str):
                continue
            if key in now:
                yield from broken(part, now[key], f"{at}.{key}")
            else:
                yield f"{at}.{key} is gone"
    elif at.endswith(".required") or at == "$.anyOf":
        yield from (f"{at}: {name} is gone" for name in promise if name not in now)
    elif promise != now:
        yield f"{at} is {now}, was {promise}"


def test_every_key_of_format_1_is_kept() -> None:
    assert not list(broken(promised(), documents_schema()))


def test_a_removed_or_renamed_key_breaks_the_promise_and_an_added_one_does_not() -> None:
    now = deepcopy(promised())
    plan = now["$defs"]["PlanDocument"]
    plan["properties"]["more"] = {"type": "string", "title": "More"}
    plan["required"].append("more")
    assert not list(broken(promised(), now))
    plan["properties"]["path"] = plan["properties"].pop("folder")
    plan["required"].remove("folder")
    assert list(broken(promised(), now)) == [
        "$.$defs.PlanDocument.properties.folder is gone",
        "$.$defs.PlanDocument.required: folder is gone",
    ]
    other = deepcopy(promised())
    other["$defs"]["PlanSummary"]["properties"]["objective_cny"] = {"type": "string"}
    assert list(broken(promised(), other)) == [
        "$.$defs.PlanSummary.properties.objective_cny.type is string, was number"
    ]


def test_every_command_has_a_document() -> None:
    assert DOCUMENTS.keys() == {command.__name__.replace("_", "-") for command in COMMANDS}


# ---- of commands on scenarios; test_foreign_files runs all those that write folders


def test_check_prints_its_warnings_in_the_language_asked_for(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text((TINY / "scenario.yaml").read_text())
    english = run("check", TINY, "--set", CAUTIONED)
    found = document(english)
    assert (english.stderr, found["scenario"], found["title"]) == ("", "tiny_arbitrage", None)
    assert found["horizon"] == {
        "start": "2026-07-15T00:00:00+08:00", "hours": 2.0, "step_min": 60, "steps": 2,
        "timezone": None,
    }  # fmt: skip
    assert found["components"][0]["kind"] == "battery"
    assert "energy left at the end has no value" in found["warnings"][0]
    chinese = document(run("check", TINY, "--set", CAUTIONED, "--quiet", lang="zh"))
    assert "末" in chinese["warnings"][0]
    assert chinese | {"warnings": []} == found | {"warnings": []}


def test_prices_are_rows_with_times_and_units() -> None:
    found = document(run("prices", TINY))
    assert found["folder"] is None
    first = found["prices"][0]
    assert first.keys() == {"time", "component", "quantity", "index", "value", "unit"}
    assert first["time"] == "2026-07-15T00:00:00+08:00"
    assert {row["time"] for row in found["prices"]} >= {None}  # over the horizon
    assert found["end_values"][0].keys() == first.keys()
    assert found["binding"][0].keys() == {"component", "code", "hours"}


def test_a_schedule_that_breaks_rules_has_a_document_and_exit_code_5(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text("time,grid.import_mw\n2026-07-15T00:00,9\n2026-07-15T01:00,0\n")
    result = run("settle", TINY, "--schedule", file)
    found = document(result)
    assert (result.exit_code, found["error"]["type"]) == (5, "PlanError")
    assert found["error"]["message"].startswith("the schedule breaks\n  - ")
    assert result.stderr == found["error"]["message"] + "\n"
    assert found["summary"]["breaches"][0]["components"]


# ---- of commands on folders


def test_commands_on_a_plan_folder(inputs: Path) -> None:
    plan = inputs / "plan"
    assert document(run("audit", plan))["breaches"] == []
    same = document(run("compare", plan, plan))
    assert (same["comparison"]["equal"], same["comparison"]["hours"]) == (True, [])
    assert document(run("schema", "sweep"))["schema"]["title"] == "Sweep"


def test_an_audit_that_fails_has_its_findings(inputs: Path, tmp_path: Path) -> None:
    planner.read_plan(inputs / "plan").write(tmp_path / "plan", page=False)
    ledger = tmp_path / "plan" / "ledger.csv"
    ledger.write_text(ledger.read_text().replace("-", "-1", 1))
    result = run("audit", tmp_path / "plan")
    found = document(result)
    assert result.exit_code == 5
    first = found["breaches"][0]
    assert first.keys() == {"component", "rule", "time", "amount", "unit", "message"}
    assert first["message"] in found["error"]["message"]


# ---- of errors


def test_every_problem_of_a_wrong_input_has_its_place(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    text = (TINY / "scenario.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("capacity_mwh: ", "capacity_mwh: -") + "more: 1\n")
    result = run("solve", file, "--gap", "x", lang="zh")
    found = document(result, failed=True)
    assert result.exit_code == 2
    assert found["command"] == "solve"
    assert found["error"]["type"] == "ScenarioError"
    assert found["error"]["message"] in result.stderr
    places = [(one["file"], one["path"]) for one in found["error"]["problems"]]
    assert set(places) == {
        ("--gap", "solver.gap"),
        (str(file), "components.battery.capacity_mwh"),
        (str(file), "more"),
    }
    assert all(one["line"] for one in found["error"]["problems"] if one["file"] == str(file))
    assert "须" in found["error"]["problems"][0]["message"]


def test_an_infeasible_scenario_has_its_diagnosis(tmp_path: Path) -> None:
    town = "components.town={kind: load, demand_mw: 100}"
    result = run("solve", TINY, "--set", town, "--out", tmp_path / "plan", lang="zh")
    found = document(result, failed=True)
    assert (result.exit_code, found["error"]["type"]) == (3, "InfeasibleError")
    diagnosis = found["error"]["diagnosis"]
    stored = json.loads((tmp_path / "plan" / "infeasible.json").read_text())
    assert diagnosis.keys() == stored.keys() - {"planner_format", "planner"}
    assert "用电须满足" in diagnosis["conflict"][0]["text"]
    assert diagnosis["changes"][0]["set"]


@pytest.mark.parametrize(
    ("arguments", "command", "message"),
    [
        (("solve", TINY, "--nope"), "solve", "No such option: --nope"),
        (("solve",), "solve", "Missing argument 'SCENARIO'"),
        (("compare", "a", "--top", "x"), "compare", "Invalid value for '--top'"),
        (("slove", TINY), None, "No such command 'slove'"),
        (("--nope", "solve", TINY), None, "No such option: --nope"),
    ],
)
def test_a_wrong_command_line_has_a_document(
    arguments: tuple[object, ...], command: str | None, message: str
) -> None:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    found = document(result, failed=True)
    assert (result.exit_code, found["command"], found["error"]["type"]) == (
        2,
        command,
        "UsageError",
    )
    assert message in found["error"]["message"]
    assert "Usage" in result.stderr
    after = CliRunner().invoke(app, [*map(str, arguments), "--", "--json"])
    assert (after.exit_code, after.stdout) == (2, "")


@pytest.mark.parametrize(
    ("error", "exit_code", "name"),
    [
        (NoPlanError(Message("no plan was found")), 4, "NoPlanError"),
        (MemoryError(), 4, "MemoryError"),
        (ZeroDivisionError("by zero"), 1, "ZeroDivisionError"),
        (KeyboardInterrupt(), 130, "KeyboardInterrupt"),
        (OSError(28, "No space left on device", "/x"), 5, "PlanError"),
    ],
)
def test_whatever_happens_has_a_document(
    error: BaseException, exit_code: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []

    def fail(*_: object) -> None:
        print("on the way")
        raise error

    monkeypatch.setattr("planner.load", fail, raising=False)
    monkeypatch.setattr("os._exit", exits.append)
    monkeypatch.delenv("PLANNER_TRACEBACK", raising=False)
    result = run("check", TINY)
    found = document(result, failed=True)
    assert (result.exit_code, found["error"]["type"]) == (exit_code, name)
    assert exits == [130] * (exit_code == 130)
    assert result.stderr.startswith(f"on the way\n{found['error']['message']}\n")


def test_a_plan_that_was_interrupted_is_in_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planner.solve(planner.load(TINY))
    stopped = plan.summary | {"status": "interrupted"}
    monkeypatch.setattr("planner.solve", lambda *_: planner.Plan(
        plan.scenario, plan.schedule, plan.allocation, plan.ledger, stopped
    ), raising=False)  # fmt: skip
    result = run("solve", TINY, "--out", "plans/x")
    found = document(result)
    assert (result.exit_code, found["error"]["type"]) == (130, "KeyboardInterrupt")
    assert found["error"]["message"].startswith("interrupted; the best plan so far is in ")
    assert found["summary"]["objective_cny"] == 160


def test_numbers_that_are_none_are_null_and_names_are_utf_8(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        (TINY / "scenario.yaml").read_text().replace("name: tiny_arbitrage", "name: 淮南"),
        encoding="utf-8",
    )
    result = CliRunner(charset="ascii").invoke(app, ["settle", str(tmp_path / "s.yaml"),
                                                     "--rule", "grid_first", "--json"])  # fmt: skip
    found = document(result)
    assert found["scenario"] == "淮南"
    assert found["summary"]["bound_cny"] is None
    assert "淮南".encode() in result.stdout_bytes


# ---- the version


def test_the_version_is_that_of_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import PackageNotFoundError

    from planner.version import install_line, planner_version

    def unknown(name: str) -> str:
        raise PackageNotFoundError(name)

    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.stdout.split()[:2]) == (0, ["planner", planner.__version__])
    assert document(run("check", TINY))["planner"] == planner.__version__
    monkeypatch.setattr("planner.version.version", lambda name: f"7 of {name}")
    assert planner_version.__wrapped__() == "7 of dispatch-planner"
    monkeypatch.setattr("planner.version.version", unknown)
    assert planner_version.__wrapped__() == "0+source"
    assert install_line("measure").endswith("-m pip install 'dispatch-planner[measure]'")
    monkeypatch.setattr("planner.version.planner_version", lambda: "0+source")
    assert install_line("measure").endswith("-m pip install '.[measure]'")
