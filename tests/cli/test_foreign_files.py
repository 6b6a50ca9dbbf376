"""Files of others, in a folder, beside it and as input: refused in words or left as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.files.format_mark import marked
from tests.support.build import HANGS_S
from tests.support.documents import document

BASE = """\
name: first
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 4, step_min: 60}
components:
  grid: {kind: grid, import_limit_mw: 5, export_limit_mw: 5, import_price_cny_per_mwh: 500,
         export_price_cny_per_mwh: 300}
  load: {kind: load, demand_mw: 2}
"""
MEMBERS = """\
uncertainty:
  members: [{name: a, probability: 0.5}, {name: b, probability: 0.5}]
"""
SWEEP = "name: small\nbase: base.yaml\naxes: {components.load.demand_mw: [1, 2]}\n"
SCHEDULE = (
    "time,grid.import_mw\n"
    + "".join(f"2026-07-15T0{hour}:00:00+08:00,2\n" for hour in range(4))
)  # fmt: skip

COMMANDS: dict[str, tuple[str, ...]] = {
    "solve": ("solve", "base.yaml"),
    "several": ("solve", "several.yaml"),
    "prices": ("prices", "base.yaml"),
    "settle": ("settle", "base.yaml", "--schedule", "schedule.csv"),
    "replan": ("replan", "plan", "--at", "2026-07-15T02:00"),
    "roll": ("roll", "base.yaml", "--window-h", "2", "--advance-h", "2"),
    "year": ("year", "base.yaml", "--workers", "1"),
    "simulate": ("simulate", "base.yaml", "--every-h", "2", "--window-h", "2", "--policies",
                 "perfect"),
    "sweep": ("sweep", "small.yaml", "--workers", "1"),
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "base.yaml").write_text(BASE)
    (folder / "several.yaml").write_text(BASE + MEMBERS)
    (folder / "small.yaml").write_text(SWEEP)
    (folder / "schedule.csv").write_text(SCHEDULE)
    planner.solve(
        planner.load(folder / "base.yaml"), out=planner.Output(folder / "plan", page=False)
    )
    return folder


@pytest.fixture
def run(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(inputs)

    def invoke(name: str, out: Path, *more: str) -> Result:
        return CliRunner().invoke(app, [*COMMANDS[name], "--out", str(out), "-q", *more])

    return invoke


def everything(folder: Path) -> dict[str, bytes | str | None]:
    """What is below a folder: the bytes of files, the targets of links, None for the rest."""
    return {
        str(path.relative_to(folder)): os.readlink(path)  # noqa: PTH115
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in folder.rglob("*")
    }


# ---- in the folder

MARKS = ("summary.json", "stochastic.json", "simulation.json", "infeasible.json",
         "results.jsonl", "days.jsonl", "sweep.yaml")  # fmt: skip
OTHERS = ("scenario.yaml", "series.csv", "ledger.csv", "schedule.csv", "report.html",
          "schedule.xlsx", "index.html", "cases.csv", "notes.txt", ".hidden", "planner.json",
          "members/notes.txt", "plans/notes.txt")  # fmt: skip
CONTENTS = {
    "empty object": b"{}",
    "list": b"[]",
    "figure": b'{"coverage": 0.93}',
    "record": b'{"model": "mine", "score": 0.91}\n',
    "words": b"mine\n",
    "yaml": b"planner_format: 1\nname: mine\n",
    "mark not first": b'{"name": "mine", "planner_format": 1}',
    "mark as text": b'{"planner_format": "1"}',
    "mark of a fraction": b'{"planner_format": 1.5}',
    "mark in a list": b'[{"planner_format": 1}]',
    "half a mark": b'{"planner_format": one}',
    "status": b'{"status": "optimal", "objective_cny": 1}',
    "deep": b"[" * 5000,
    "binary": bytes(range(256)),
    "null": b"null",
}


def of_others() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Folders that are nobody's of ours, whatever their names say."""
    for mark in MARKS:
        for what, content in CONTENTS.items():
            yield f"{mark}: {what}", {mark: content}
    for other in OTHERS:
        yield other, {other: b"mine"}
    yield "several", {"summary.json": b'{"coverage": 0.93}', "ledger.csv": b"my,own,table\n"}
    yield "all", dict.fromkeys((*MARKS, *OTHERS), b"mine")


FOREIGN = dict(of_others())
assert len(FOREIGN) > 100


def some(first: int) -> dict[str, dict[str, bytes]]:
    """Every sixth of them, for all would take long."""
    return {what: files for i, (what, files) in enumerate(FOREIGN.items()) if (i + first) % 6 == 0}


@pytest.mark.few(5)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_of_others_is_refused_and_stays_as_it_is(
    command: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    variants = some([*COMMANDS].index(command))
    for number, (what, files) in enumerate(variants.items()):
        out = tmp_path / str(number)
        for name, content in files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        before = everything(out)
        done = run(command, out)
        assert (done.exit_code, done.exception.__class__) == (5, SystemExit), (what, done.output)
        assert "choose another" in done.output or "move" in done.output, (what, done.output)
        assert everything(out) == before, what
    assert {path.name for path in tmp_path.iterdir()} == set(map(str, range(len(variants))))


STRANGE: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: (path.mkdir(), (path / "mine.txt").write_text("mine")),
    "a pipe": os.mkfifo,
    "a link": lambda path: path.symlink_to("/etc/hostname"),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.parametrize("name", ["summary.json", "results.jsonl", "days.jsonl", "ledger.csv"])
def test_what_is_no_file_is_refused_too(
    what: str, name: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    command = {"results.jsonl": "sweep", "days.jsonl": "simulate"}.get(name, "solve")
    out = tmp_path / "out"
    out.mkdir()
    STRANGE[what](out / name)
    before = everything(out)
    assert run(command, out).exit_code == 5
    assert everything(out) == before


def test_a_folder_of_others_inside_a_plan_of_ours_is_surplus(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run("solve", out).exit_code == 0
    for name in ("ledger.csv", "report.html", ".ledger.csv.new", ".report.html.old", "mine"):
        path = out / name
        kept = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        path.mkdir()
        (path / "mine.txt").write_text("mine")
        done = run("solve", out)
        assert (done.exit_code, name in done.output) == (5, True)
        assert (path / "mine.txt").read_text() == "mine"
        (path / "mine.txt").unlink()
        path.rmdir()
        if kept is not None:
            path.write_bytes(kept)
    (out / "empty").mkdir()
    assert run("solve", out).exit_code == 5
    (out / "empty").rmdir()
    assert run("solve", out).exit_code == 0


# ---- beside the folder

NEIGHBOURS: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: (path.mkdir(), (path / "mine.txt").write_text("mine")),
    "a folder like a plan": lambda path: (path.mkdir(), (path / "ledger.csv").write_text("mine")),
    "a folder like a mark": lambda path: (path.mkdir(), (path / "planner.json").write_text("{}")),
    "a file": lambda path: path.write_text("mine"),
    "a pipe": os.mkfifo,
    "a link": lambda path: path.symlink_to("base.yaml"),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
}
ENDS = ("new", "new2", "old", "windows", "lock", "tmp")
BESIDE = [  # every neighbour and every end, each of them with a third of the others; all if slow
    pytest.param(what, end, marks=() if (i + j) % 3 == 0 else pytest.mark.slow)
    for i, what in enumerate(NEIGHBOURS)
    for j, end in enumerate(ENDS)
]


@pytest.mark.parametrize(("what", "end"), BESIDE)
@pytest.mark.few(1)
@pytest.mark.parametrize("command", ["solve", "roll"])
def test_what_others_have_beside_a_folder_stays(
    command: str, what: str, end: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    path = tmp_path / f".out.{end}"
    NEIGHBOURS[what](path)
    before = everything(tmp_path)
    done = run(command, tmp_path / "out")
    assert done.exit_code in (0, 5), done.output
    after = everything(tmp_path)
    assert {name: after.get(name) for name in before} == before
    assert {name.partition("/")[0] for name in after} <= {path.name, "out"}
    assert ("out" in after) == (done.exit_code == 0)
    if end in ("new", "new2", "old", "tmp"):
        assert done.exit_code == 0


@pytest.mark.few(2)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_leaves_what_others_have_beside_its_folder(
    command: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    """And its document, of --json, is what format 1 promises."""
    for end in ("new", "old", "tmp"):
        NEIGHBOURS["a folder like a plan"](tmp_path / f".out.{end}")
    before = everything(tmp_path)
    done = run(command, tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    assert document(done)["folder"] == str(tmp_path / "out")
    after = everything(tmp_path)
    assert {name: after.get(name) for name in before} == before
    assert {name.partition("/")[0] for name in after} == {".out.new", ".out.old", ".out.tmp", "out"}


@pytest.mark.parametrize("file", ["page.html", "declared.csv"])
@pytest.mark.parametrize("what", NEIGHBOURS)
def test_a_single_file_is_written_beside_what_others_have(
    what: str, file: str, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(inputs)
    NEIGHBOURS[what](tmp_path / f".{file}.new")
    before = everything(tmp_path)
    words = {
        "page.html": ("compare", "plan", "plan", "--out", str(tmp_path / file)),
        "declared.csv": ("solve", "base.yaml", "--out", str(tmp_path / "out"), "--no-page",
                         "--declare", str(tmp_path / file)),
    }  # fmt: skip
    assert CliRunner().invoke(app, words[file]).exit_code == 0
    after = everything(tmp_path)
    assert file in after
    assert {name: after[name] for name in before} == before


# ---- folders that are only read


@pytest.mark.parametrize("command", ["audit", "report", "compare"])
def test_a_folder_of_others_is_not_read_as_a_plan(
    command: str, inputs: Path, tmp_path: Path
) -> None:
    for number, (what, files) in enumerate(some(len(command)).items()):
        folder = tmp_path / str(number)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        before = everything(folder)
        second = [str(inputs / "plan")] if command == "compare" else []
        done = CliRunner().invoke(app, [command, str(folder), *second])
        assert (done.exit_code, done.exception.__class__) == (5, SystemExit), (what, done.output)
        assert everything(folder) == before, what


# ---- a folder of ours, of every kind, is replaced


@pytest.mark.few(2)
@pytest.mark.parametrize("command", ["solve", "several", "simulate", "sweep"])
def test_a_folder_of_ours_is_replaced_also_one_of_before_there_was_a_mark(
    command: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(command, out).exit_code == 0
    assert run(command, out).exit_code == 0
    for path in out.rglob("*.json*"):
        text = path.read_text()
        if path.suffix == ".json":
            data = json.loads(text)
            for key in marked({}):
                data.pop(key, None)
            path.write_text(json.dumps(data))
        else:
            path.write_text(text.partition("\n")[2])
    assert run(command, out).exit_code == 0


# ---- outputs and inputs that are no files


def command_line(text: str, folder: Path) -> tuple[int, str]:
    """Run `planner TEXT` in a shell; return its exit code and what it said."""
    command = f"exec {sys.executable} -m planner {text}"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, timeout=HANGS_S, cwd=folder
    )
    return done.returncode, done.stderr


@pytest.mark.few(1)
@pytest.mark.parametrize("to", [">&-", "> /dev/full"])
def test_a_plan_is_written_though_nobody_reads_about_it(
    to: str, inputs: Path, tmp_path: Path
) -> None:
    assert command_line(f"solve base.yaml --out {tmp_path}/s7 --no-page {to}", inputs) == (0, "")
    assert planner.audit(tmp_path / "s7") == []


def test_a_pipe_is_no_scenario(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.yaml")
    assert command_line("check p.yaml", tmp_path) == (2, "p.yaml: is not a regular file\n")
