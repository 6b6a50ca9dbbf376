"""The command line: words, exit codes and streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from planner.cli.app import COMMANDS as EVERY
from planner.cli.app import app
from tests.support.documents import document
from tests.support.full_site import line_of, write

ROOT = Path(__file__).parent.parent.parent

COMMANDS = sorted(command.__name__.replace("_", " ") for command in EVERY)
TINY = """\
name: tiny
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 2}
components:
  grid: {kind: grid, import_limit_mw: 4, export_limit_mw: 4, resale: true,
         import_price_cny_per_mwh: [10, 50], export_price_cny_per_mwh: [10, 50]}
  battery: {kind: battery, capacity_mwh: 10, charge_power_mw: 4, discharge_power_mw: 4,
            charge_efficiency: 1, discharge_efficiency: 1, initial: {energy_mwh: 0},
            ending: same_as_start}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    return file


@pytest.mark.parametrize("command", [None, "fleet", *COMMANDS])
def test_every_command_has_help_with_an_example(command: str | None) -> None:
    result = run(*(command or "").split(), "--help")
    assert result.exit_code == 0
    assert command in (None, "fleet") or "--json" in result.output
    example = f"Example: planner {command or ''}".strip()
    assert example in " ".join(result.output.split())


def test_check_says_what_it_found_and_warns(tmp_path: Path) -> None:
    at_least = ("ending: {value_cny_per_mwh: 300}", "ending: {at_least_mwh: 5}")
    result = run("check", write(tmp_path, at_least))
    assert result.exit_code == 0
    assert "full_site: valid" in result.stdout
    assert "2026-07-15T00:00:00+08:00, 12 h in 12 steps of 60 min" in result.stdout
    assert "  site: supply " in result.stdout
    assert "warning: components.battery: energy left at the end has no value" in result.stdout
    assert result.stderr == ""
    assert run("check", tmp_path, "--quiet").stdout == ""


def test_bad_input_is_exit_2_with_every_problem_on_stderr(tmp_path: Path) -> None:
    file = write(tmp_path, ("capacity_mw: 100", "capacity_mw: x"), ("nodes: 1000", "nodes: -1"))
    text = file.read_text()
    for command in ("check", "solve"):
        result = run(command, file)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.splitlines() == [
            f"{file}:{line_of(text, 'capacity_mw: x')}: components.pv.capacity_mw:"
            " must be a number, is 'x'",
            f"{file}:{line_of(text, 'nodes: -1')}: components.gpus.nodes: must be 0 or more, is -1",
            "2 problems",
        ]


def test_solve_writes_a_plan_folder_and_says_where(tiny: Path) -> None:
    out = tiny.parent / "plan"
    result = run("solve", tiny, "--out", out, "--formats", "csv, parquet")
    assert result.exit_code == 0, result.stderr
    assert "profit 160 CNY (at most 160 CNY)" in result.stdout
    # 4 MWh bought at 10 and sold at 50: a turnover of 40 + 200
    assert "gap 0.0000% of turnover 240 CNY, 0.0000% of the profit" in result.stdout
    assert f"plan folder: {out}" in result.stdout.replace("\n", "")
    names = {"allocation.csv", "ledger.csv", "scenario.yaml", "schedule.csv", "summary.json"}
    assert names | {"schedule.parquet"} <= {path.name for path in out.iterdir()}


def test_overrides_options_and_quiet(tiny: Path) -> None:
    scaled = "components.grid.export_price_cny_per_mwh={scale: 2}"
    out = tiny.parent / "plan"
    result = run("solve", tiny, "--set", scaled, "--gap", "1e-6", "--time-limit", 60, "--quiet",
                 "--out", out)  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "")
    # sold at 20 and 100, bought at 10 and 50: 4 MWh through the battery earn 4 x (100 - 10)
    assert '"objective_cny": 360.0' in (out / "summary.json").read_text()


# arguments after the scenario; what stderr says
WRONG: list[tuple[list[str], str]] = [
    (["--set", "a"], "--set: must be PATH=VALUE, is 'a'"),
    (["--set", "=5"], "--set: must be PATH=VALUE, is '=5'"),
    (["--set", "solver.gap=[1"], "--set: solver.gap: ] is missing at its end"),
    (["--set", "solver.gap=a: b"], "--set: solver.gap: a text that holds a colon and a space"),
    (["--set", "solver.gap=&a [*a]"], "--set: solver.gap: is too large or nested too deeply"),
    (["--set", "solver.gap=x"], "--set: solver.gap: must be a number, is 'x'"),
    (["--set", "solver.gap=1", "--set", "solver.gap=2"], "--set: solver.gap: is set twice"),
    (["--set", "solver.gap=0", "--gap", "0.1"], "--gap: solver.gap: is set twice"),
    (["--set", "components.bat.ending=5"], "there is no component 'bat'"),
    (["--gap", "abc"], "--gap: solver.gap: must be a number, is 'abc'"),
    (["--gap", "nan"], "--gap: solver.gap: must be a number, is 'nan'"),
    (["--gap", "-1"], "--gap: solver.gap: must be 0 or more, is -1"),
    (["--time-limit", "0"], "--time-limit: solver.time_limit_s: must be above 0, is 0"),
    (
        ["--time-limit", ".inf"],
        "--time-limit: solver.time_limit_s: must be a finite number, is inf",
    ),
    (["--formats", "xls"], "--formats: must be some of csv, parquet, xlsx, is 'xls'"),
    (["--formats", ","], "--formats: must be some of csv, parquet, xlsx, is ','"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_wrong_arguments_are_exit_2(arguments: list[str], words: str, tiny: Path) -> None:
    result = run("solve", tiny, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_a_missing_scenario_is_exit_2(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "no.yaml", tmp_path / "no.yaml"),
                       (tmp_path, tmp_path / "scenario.yaml")):  # fmt: skip
        result = run("check", path)
        assert result.exit_code == 2
        assert result.stderr == f"{said}: cannot be read: No such file or directory\n"


def test_an_infeasible_scenario_is_exit_3(tiny: Path) -> None:
    town = "components.town={kind: load, demand_mw: 100}"
    result = run("solve", tiny, "--set", town, "--out", tiny.parent / "plan")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "town must get 100 MW" in result.stderr
    assert [path.name for path in (tiny.parent / "plan").iterdir()] == ["infeasible.json"]


def test_a_limit_that_strikes_first_is_exit_4(tiny: Path) -> None:
    result = run("solve", tiny, "--time-limit", "1e-9", "--out", tiny.parent / "plan")
    assert result.exit_code == 4
    assert "no plan was found within 1e-09 s" in result.stderr


def test_schema_of_something_else_is_exit_2() -> None:
    assert "is 'plan'" in run("schema", "plan").stderr
    assert "must be scenario, sweep or json" in run("schema", "plan").stderr
    assert run("schema", "plan").exit_code == 2


def test_a_mistake_of_ours_is_told_without_a_traceback(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("planner.scenario.scenario.load", fail)
    monkeypatch.delenv("PLANNER_TRACEBACK", raising=False)
    result = run("check", tiny)
    assert result.exit_code == 1
    assert "a bug in planner: ZeroDivisionError: by zero" in result.stderr
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("PLANNER_TRACEBACK", "1")
    assert isinstance(run("check", tiny).exception, ZeroDivisionError)


def test_no_traceback_in_a_real_process_whatever_its_encoding(tmp_path: Path) -> None:
    code = "from planner.cli.app import main; main()"
    file = write(tmp_path, ("name: full_site", "name: 淮南"))
    good = python(code, "check", file, PYTHONIOENCODING="ascii")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("??: valid")
    bad = python(code, "check", write(tmp_path, ("name: full_site", "淮南: 1")))
    assert bad.returncode == 2
    assert "Traceback" not in bad.stderr
    assert "name: is required" in bad.stderr


def test_ctrl_c_is_exit_130(tiny: Path) -> None:
    code = (
        "import planner.scenario.scenario\n"
        "def load(*_): raise KeyboardInterrupt\n"
        "planner.scenario.scenario.load = load\n"
        "from planner.cli.app import main; main()\n"
    )
    done = python(code, "check", tiny)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


OF_OTHERS = {"babel", "matplotlib", "openpyxl", "plotly.graph_objects", "pyomo", "scipy.integrate",
             "scipy.optimize", "scipy.spatial", "scipy.stats", "xlsxwriter"}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "unused"),
    [
        ("--help", {"numpy", "pandas", "pydantic", "scipy", "yaml"}),
        ("check scenarios/huainan", {"highspy", "jinja2", "scipy"}),
        ("solve scenarios/tiny_arbitrage --formats csv --out", {"dask"}),
    ],
)
def test_a_command_imports_only_what_it_uses(
    command: str, unused: set[str], tmp_path: Path
) -> None:
    arguments = [*command.split(), *([str(tmp_path / "plan")] if command.endswith("--out") else [])]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "planner", *arguments],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "planner.cli.app" in imported
    assert not imported & (OF_OTHERS | unused)


@pytest.mark.slow
def test_a_plan_without_page_is_written_without_loading_what_draws_it(tmp_path: Path) -> None:
    code = (
        "import sys; from planner.cli.app import app\n"
        "try: app(['solve', *sys.argv[1:], '--no-page'])\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "drawing = {'jinja2', 'plotly', 'xlsxwriter', 'planner.report.charts.registry'}\n"
        "print(sorted(drawing & set(sys.modules)))\n"
    )
    out = tmp_path / "plan"
    done = python(code, ROOT / "scenarios" / "tiny_arbitrage", "--out", out)
    assert done.stdout.endswith("[]\n"), done.stderr
    assert run("audit", out).exit_code == 0
    assert not (out / "report.html").exists()
    assert document(run("report", out, "--json"))["written"] == [str(out / "report.html")]
    assert (out / "report.html").exists()


def test_prices_are_printed_and_written_where_asked(tmp_path: Path) -> None:
    runner, tiny_site = CliRunner(), str(ROOT / "scenarios" / "tiny_arbitrage")
    shown = runner.invoke(app, ["prices", tiny_site])
    assert shown.exit_code == 0, shown.output
    assert "for the starts, stops and directions of this plan" in shown.output
    assert "value_cny_per_mwh[grid]" in shown.output
    assert "power_mw" in shown.output
    out = tmp_path / "plan"
    quiet = runner.invoke(app, ["prices", tiny_site, "--out", str(out), "--quiet", "--gap", "0"])
    assert (quiet.exit_code, quiet.output) == (0, "")
    assert {"prices.csv", "why.csv", "summary.json"} <= {path.name for path in out.iterdir()}
    again = runner.invoke(app, ["solve", tiny_site, "--out", str(tmp_path / "b"), "--prices"])
    assert again.exit_code == 0, again.output
    assert "value_cny_per_mwh[grid]" in again.output
    assert (tmp_path / "b" / "prices.csv").read_text() == (out / "prices.csv").read_text()
    plain = runner.invoke(app, ["solve", tiny_site, "--out", str(tmp_path / "b"), "-q"])
    assert plain.exit_code == 0
    assert not (tmp_path / "b" / "prices.csv").exists()
    assert runner.invoke(app, ["audit", str(out)]).exit_code == 0


def test_a_plan_ends_with_the_end_values_of_another(tmp_path: Path) -> None:
    runner, tiny_site = CliRunner(), str(ROOT / "scenarios" / "tiny_arbitrage")
    folders = {name: str(tmp_path / name) for name in ("long", "plain", "short")}
    for name, option in (("long", "--prices"), ("plain", "-q")):
        again = runner.invoke(app, ["solve", tiny_site, "--out", folders[name], option])
        assert again.exit_code == 0, again.output
    words = ["solve", tiny_site, "--out", folders["short"], "--end-values"]
    shown = runner.invoke(app, [*words, folders["long"]])
    assert shown.exit_code == 0, shown.output
    assert "components.battery.ending.value_cny_per_mwh is" in shown.output
    assert "value_cny_per_mwh:" in (tmp_path / "short" / "scenario.yaml").read_text()
    refused = runner.invoke(app, [*words, folders["plain"]])
    assert refused.exit_code == 2
    assert "holds no end values" in refused.output


def test_prices_of_what_has_no_plan_are_infeasible(tmp_path: Path) -> None:
    words = ["prices", str(ROOT / "scenarios" / "tiny_arbitrage")]
    words += ["--set", "components.battery.ending={at_least_mwh: 9}", "--set"]
    words += ["components.grid.import_limit_mw=0"]
    bare = CliRunner().invoke(app, words)
    assert bare.exit_code == 3
    out = tmp_path / "plan"
    assert CliRunner().invoke(app, [*words, "--out", str(out)]).exit_code == 3
    assert [path.name for path in out.iterdir()] == ["infeasible.json"]


def test_the_rest_of_a_plan_is_planned_again(tiny: Path, tmp_path: Path) -> None:
    # 4 MWh are bought at 10 to be sold at 50; only 3 have arrived
    day, rest = tmp_path / "day", tmp_path / "day_rest"
    assert run("solve", tiny, "--out", day, "--quiet").exit_code == 0
    state = tmp_path / "now.yaml"
    state.write_text("battery: {energy_mwh: 3}\n")
    result = run("replan", day, "--at", "2026-07-15T01:00", "--state", state)
    assert result.exit_code == 0, result.output
    assert "kept from the plan: battery ending at_least_mwh 0" in result.output
    assert "profit 200.00 CNY in A, 150.00 CNY in B: -50.00 CNY" in result.output
    assert run("audit", rest).exit_code == 0
    assert run("audit", day).exit_code == 0
    summary = json.loads((rest / "summary.json").read_text())
    assert summary["replanned"] == {
        "plan": str(day), "at": "2026-07-15T01:00:00+08:00", "executed_h": 1.0,
        "state": {"battery": {"energy_mwh": 3}},
        "promised": {"components.battery.ending": "at_least_mwh 0"}, "as_planned_cny": 200.0,
    }  # fmt: skip


def test_promises_that_cannot_be_kept_and_states_that_are_wrong_have_exit_codes(
    tiny: Path, tmp_path: Path
) -> None:
    day, state = tmp_path / "day", tmp_path / "now.yaml"
    assert run("solve", tiny, "--out", day, "--quiet").exit_code == 0
    replan = "replan", day, "--at", "2026-07-15T01:00", "--out", tmp_path / "rest", "--quiet"
    broken = run(*replan, "--set", "components.battery.ending.at_least_mwh=9")
    assert broken.exit_code == 3
    assert "battery must end with 9 MWh and can reach 8 MWh" in broken.output
    assert (tmp_path / "rest" / "infeasible.json").is_file()
    state.write_text("battery:\n  energy_mwh: 11\n")
    wrong = run(*replan, "--state", state, "--lang", "zh")
    assert wrong.exit_code == 2
    assert f"{state}:2：battery.energy_mwh：须在" in wrong.output.replace("\n", "")
    assert run("replan", tmp_path, "--at", "2026-07-15T01:00").exit_code == 5
    assert run("replan", day, "--at", "noon").exit_code == 2


def test_a_plan_that_fails_its_audit_is_said_to_do_so_when_it_is_planned_again(
    tiny: Path, tmp_path: Path
) -> None:
    run("solve", tiny, "--out", tmp_path / "day")
    ledger = tmp_path / "day" / "ledger.csv"
    *rows, last, end = ledger.read_text().split("\n")
    ledger.write_text("\n".join([*rows, last + "7", end]))
    result = run("replan", tmp_path / "day", "--at", "2026-07-15T01:00", "--out", tmp_path / "rest")
    assert result.exit_code == 0
    assert "fails its audit and is not to be relied on" in " ".join(result.output.split())
