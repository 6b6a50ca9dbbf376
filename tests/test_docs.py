"""The documentation: blocks run and print what they show, links and generated pages are current.

A block ```sh exit=3 exits with that code; ```text output is what the line before it prints.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import fields
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.cli.documents import DOCUMENTS
from planner.cli.outcome import JsonDocument
from planner.components.registry import KINDS
from planner.files.yaml_document import read_yaml
from planner.fleets.library import read_curve
from planner.outside import packages
from planner.plan.stochastic_plan import STOCHASTIC_FOLDER
from planner.plan_tables.files import PLAN_FOLDER
from planner.scenario.json_schema import scenario_schema
from planner.studies.sweep_plan import prepare
from tests.support.beside import beside

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
LONG = {"a_year", "beyond_a_day", "forecasts", "infeasible", "prices", "settling", "sweeps",
        "tariff", "tutorial.zh", "uncertainty", "your_site.zh"}  # fmt: skip  # a second or more
OTHER_FILES = {"sweep": prepare, "curve": read_curve}
LINKING = [
    *PAGES,
    *ROOT.glob("C*.md"),
    *ROOT.glob("benchmarks/*.md"),
    *ROOT.glob("scenarios/*/*.md"),
]


def blocks(page: Path) -> list[tuple[str, dict[str, str], str]]:
    """Return (language, options, text) of every fenced block."""
    fenced = []
    for language, options, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        pairs = (word.partition("=") for word in options.split())
        fenced.append((language, {key: value for key, _, value in pairs}, text))
    return fenced


def run(line: str, exit_code: int) -> str:
    """Run a line in the working directory and in this process; return what it prints."""
    words = shlex.split(line)
    if words[0] == "make":
        subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, check=True, capture_output=True)
        return ""
    if words[:2] == ["pip", "install"]:  # tests/package does
        return ""
    assert words[0] in ("planner", ".venv/bin/planner"), f"cannot run {line!r}"
    result = CliRunner().invoke(app, words[1:])
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.output


@cache
def _schema(_: frozenset[str]) -> jsonschema.Draft202012Validator:
    """Return the schema of scenarios with the kinds that some packages bring."""
    return jsonschema.Draft202012Validator(scenario_schema())


@pytest.mark.parametrize("page", [
    pytest.param(page, marks=pytest.mark.slow if page.stem in LONG else ()) for page in PAGES
], ids=lambda page: page.name)  # fmt: skip
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    with beside(tmp_path / "packages") if page.stem == "outside_kinds" else nullcontext():
        _run_blocks(page, tmp_path)


def _run_blocks(page: Path, tmp_path: Path) -> None:
    schema = _schema(frozenset(packages()))
    names: dict[str, object] = {}
    output = ""
    for language, options, text in blocks(page):
        if language == "yaml":
            target = tmp_path / options.get("file", "block.yaml")
            target.write_text(text, encoding="utf-8")
            if other := OTHER_FILES.get(options.get("kind", "")):
                other(target)
                continue
            schema.validate(read_yaml(target).data)
            result = CliRunner().invoke(app, ["check", str(target)])
            assert result.exit_code == 0, result.output
        elif language == "python":
            exec(compile(text, page.name, "exec"), names)
        elif language == "sh":
            for line in text.splitlines():
                output = run(line, int(options.get("exit", "0")))
        elif language == "text" and "output" in options:
            assert text in output


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_and_picture_is_linked() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in LINKING)
    for path in [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "pictures").iterdir()]:
        assert path.name in text


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").glob("*.zh.md")), ids=lambda page: page.name
)
def test_a_chinese_page_has_the_blocks_of_the_english_one(page: Path) -> None:
    english = page.with_name(page.name.replace(".zh.md", ".md"))
    heads = [
        [(language, options) for language, options, _ in blocks(one)] for one in (page, english)
    ]
    assert heads[0] == heads[1]


def test_the_site_has_every_page() -> None:
    nav = (ROOT / "docs" / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        name = page.name.replace(".zh.md", ".md")
        assert f" {name}\n" in nav, f"{name} is missing in the navigation, docs/site/mkdocs.yml"


@pytest.mark.parametrize("page", ["gallery.md", "gallery.zh.md"])
def test_the_gallery_shows_every_scenario_and_what_it_earns(page: str) -> None:
    _, *parts = re.split(r"^##+ (\w+)\n", (ROOT / "docs" / page).read_text("utf-8"), flags=re.M)
    shown = dict(zip(parts[::2], parts[1::2], strict=True))
    for file in (ROOT / "scenarios").glob("*/expected.yaml"):
        expected = yaml.safe_load(file.read_text(encoding="utf-8"))
        wanted = expected["figures"].get("expected_cny", {}).get("value", expected["objective_cny"])
        profit = re.findall(r"^\| (?!---).*? \| ([^|]+) \|", shown[file.parent.name], re.M)[1]
        assert float(profit.replace(",", "")) == pytest.approx(wanted, rel=2e-3)


def test_generated_pages_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, write in generate.PAGES.items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == write(), "run make docs"


def test_readme_names_every_command_and_scenario() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in (*app.registered_commands, *app.registered_groups):
        assert f"| `planner {command.name or command.callback.__name__}`" in text  # type: ignore[union-attr]
    for file in (ROOT / "scenarios").glob("*/scenario.yaml"):
        folder = file.parent
        if not folder.name.startswith("tiny_"):
            assert f"`{folder.name}`" in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_stands_in_the_pages_and_in_a_golden_program(kind: str) -> None:
    assert f"\n| {kind} |" in (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    assert f"`{kind}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert any(kind in file.stem for file in (ROOT / "tests" / "golden").glob("*.lp"))


def test_every_command_has_an_example() -> None:
    for command in app.registered_commands:
        assert command.epilog
        assert "Example: planner" in command.epilog


# docs/reference.md: its tables are compared with the code.

REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")
FILE_NAME = re.compile(r"\w+\.(csv|json|jsonl|yaml|html|parquet|xlsx)")
TEMPLATES = {path.name for path in (ROOT / "planner" / "report" / "templates").iterdir()}
SITE = """
name: site
horizon: {start: %s, hours: 1}
components:
  grid:
    kind: grid
    import_limit_mw: 9
    export_limit_mw: 0
    import_price_cny_per_mwh: 1
    export_price_cny_per_mwh: 0
  town: {kind: load, demand_mw: {csv: demand.csv, column: mw, stamp: %s}}
"""


def reference_table(head: str) -> list[list[str]]:
    """Return the rows of the table of docs/reference.md whose head line begins so."""
    lines = REFERENCE.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(head)) + 2
    last = next(i for i in range(first, len(lines)) if not lines[i].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[first:last]]


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted((ROOT / "planner").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, node


def test_reference_names_every_exit_code() -> None:
    codes: set[object] = {0}
    for path, node in sources():
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "exit_code" for target in targets):
                codes.add(node.value.value)
        if path.parent.name == "cli" and isinstance(node, ast.Call):
            exits = ast.unparse(node.func) in ("typer.Exit", "os._exit")
            codes |= {arg.value for arg in node.args if exits and isinstance(arg, ast.Constant)}
    assert {int(row[0]) for row in reference_table("| code | means |")} == codes


def test_reference_names_every_key_of_a_document() -> None:
    head = {key for row in reference_table("| key | of every document |") for key in row[0].split()}
    assert {field.name for field in fields(JsonDocument)} == {key.strip("`") for key in head}
    rows = reference_table("| command | keys of its result")
    named = {command: row[1] for row in rows for command in CODE.findall(row[0])}
    assert named.keys() == DOCUMENTS.keys()
    for command, kind in DOCUMENTS.items():
        text = named[command] + (named["solve"] if "the same" in named[command] else "")
        own = {field.name for field in fields(kind)} - {key.strip("`") for key in head}
        assert own <= set(CODE.findall(text)), command


def test_reference_names_every_file_of_a_folder() -> None:
    names = {
        node.value
        for _, node in sources()
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and FILE_NAME.fullmatch(node.value)
    }
    assert len(names) > 20
    assert not [name for name in names - TEMPLATES if f"| `{name}` |" not in REFERENCE]
    known = {*(PLAN_FOLDER.known or ()), *(STOCHASTIC_FOLDER.known or ()), "plans"}
    assert not [name for name in known if f"| `{name}" not in REFERENCE]


def test_reference_names_the_columns_of_every_table(tmp_path: Path) -> None:
    columns = {row[0]: CODE.findall(row[1]) for row in reference_table("| table | columns |")}
    plan = planner.prices(planner.load(ROOT / "scenarios" / "tiny_arbitrage")).plan
    folder = plan.write(tmp_path / "plan", ("csv", "parquet", "xlsx"))
    for file in ("allocation", "ledger", "why", "green", "prices", "end_values"):
        head = (folder / f"{file}.csv").read_text(encoding="utf-8").partition("\n")[0]
        assert columns[f"`{file}.csv`"] == head.split(",")
    keys = [key for row in reference_table("| key | content |") for key in CODE.findall(row[0])]
    assert set(plan.summary) <= set(keys)
    for path in folder.iterdir():
        assert f"| `{path.name}` |" in REFERENCE


def test_reference_names_the_columns_of_members_and_policies(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "uncertainty.md").read_text(encoding="utf-8")
    (tmp_path / "site.yaml").write_text(BLOCK.findall(page)[0][2], encoding="utf-8")
    stochastic = planner.solve_stochastic(planner.load(tmp_path / "site.yaml"))
    policies = ("grid_first",)
    site = planner.load(ROOT / "scenarios" / "tiny_market")
    simulation = planner.simulate(site, every_h=2, window_h=2, policies=policies)
    for file, frame in (("members.csv", stochastic.table), ("simulation.csv", simulation.table)):
        row = next(line for line in REFERENCE.splitlines() if line.startswith(f"| `{file}` |"))
        assert CODE.findall(row)[1:] == list(frame)


def demand_by_time(folder: Path, rows: list[str], stamp: str, start: str) -> float:
    """Return the demand of the only step of a horizon, read from a CSV with these rows."""
    (folder / "scenario.yaml").write_text(SITE % (start, stamp), encoding="utf-8")
    lines = ["time,mw", *(f"{time},{number}" for number, time in enumerate(rows, 7))]
    (folder / "demand.csv").write_text("\n".join(lines), encoding="utf-8")
    town = planner.load(folder).components["town"]
    (mw,) = town.demand_mw
    return float(mw)


@pytest.mark.parametrize("row", reference_table("| `time` | `stamp` |"), ids=lambda row: row[0])
def test_reference_accepted_times_are_read(row: list[str], tmp_path: Path) -> None:
    time, stamp, start = (CODE.fullmatch(cell)[1] for cell in row)  # type: ignore[index]
    assert demand_by_time(tmp_path, [time], stamp, start) == 7


@pytest.mark.parametrize("row", reference_table("| refused | why |"), ids=lambda row: row[0])
def test_reference_refused_times_are_refused(row: list[str], tmp_path: Path) -> None:
    times = CODE.findall(row[0])
    with pytest.raises(planner.ScenarioError) as caught:
        demand_by_time(tmp_path, times, "start", "2026-07-15T14:00+08:00")
    assert [problem.path for problem in caught.value.problems] == ["components.town.demand_mw"]
    assert f"demand.csv:{len(times) + 1}: " in str(caught.value)


@pytest.mark.parametrize("row", reference_table("| `start` | |"), ids=lambda row: row[0])
def test_reference_starts_of_the_horizon(row: list[str], tmp_path: Path) -> None:
    start = CODE.fullmatch(row[0])[1]  # type: ignore[index]
    (tmp_path / "scenario.yaml").write_text(
        SITE.replace("{csv: demand.csv, column: mw, stamp: %s}", "1") % start, encoding="utf-8"
    )
    if row[1].startswith("accepted"):
        assert planner.load(tmp_path).horizon.steps == 1
    else:
        assert row[1].startswith("refused: ")
        with pytest.raises(planner.ScenarioError) as caught:
            planner.load(tmp_path)
        assert [problem.path for problem in caught.value.problems] == ["horizon.start"]
