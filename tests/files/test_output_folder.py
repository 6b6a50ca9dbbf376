"""The folder a run writes to: judged first, kept from others, replaced only by a whole plan."""

from __future__ import annotations

import errno
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import planner
from planner.errors import PlanError
from planner.files import output_folder as target_module
from planner.files.format_mark import mark_line, marked
from planner.files.output_folder import check_target, claim, replace_folder
from planner.plan.output import Output
from planner.plan.stochastic_plan import STOCHASTIC_FOLDER
from planner.plan_tables import files as files_module
from planner.plan_tables.files import FILES, PLAN_FOLDER
from planner.plan_tables.folder import write_diagnosis
from tests.support.build import battery, grid, solve


@pytest.fixture(scope="module")
def plan() -> planner.Plan:
    prices = {"import_price_cny_per_mwh": [10, 50], "export_price_cny_per_mwh": [10, 50]}
    return solve({"grid": grid(resale=True, **prices), "battery": battery()}, 2)


def beside(folder: Path) -> list[str]:
    """Everything in the parent of a folder, the hidden too."""
    return sorted(path.name for path in folder.parent.iterdir())


MARKS = {"summary.json", "stochastic.json", "infeasible.json"}


def put(folder: Path, *names: str) -> Path:
    """A folder with some files; those that can mark it are the planner's."""
    folder.mkdir(parents=True)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(marked({})) if path.name in MARKS else "kept")
    return folder


# how the target is made ready; what must be said
REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "file": (lambda p: p.write_text(""), "is a file, not a folder; choose another name"),
    "other content": (lambda p: put(p, "notes.txt"), "exists and is no plan folder; choose"),
    "more than a plan": (
        lambda p: put(p, "summary.json", "notes.txt"), r"holds more than a plan \(notes.txt\)",
    ),
    "scenario folder": (lambda p: put(p, "scenario.yaml"), "is no plan folder; choose another"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_target_is_judged_before_the_solve(case: str, tmp_path: Path, plan: planner.Plan) -> None:
    make, words = REFUSED[case]
    make(tmp_path / "out")
    before, content = beside(tmp_path / "out"), files_below(tmp_path)
    for use in (
        lambda out: check_target(out, PLAN_FOLDER),
        plan.write,
        lambda out: write_diagnosis({}, out),
    ):
        with pytest.raises(PlanError, match=words):
            use(tmp_path / "out")
    assert beside(tmp_path / "out") == before
    assert files_below(tmp_path) == content


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_names_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for name, words in {
        "x" * 300: "File name too long; choose a shorter name",
        "x" * 252: "File name too long; choose a shorter name",  # the lock's name is longer
        "a\0b": "null character",
        "file/out": "file is a file, so .*out cannot be made; choose another folder",
        "/": "is the top of a file system; name a folder in it",
        "/proc": "is the top of a file system; name a folder in it",
        "/sys/none/out": "cannot be written|read-only",
    }.items():
        with pytest.raises(PlanError, match=words), claim(tmp_path / name, PLAN_FOLDER):
            pass
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(PlanError, match=r"is read-only, so .*out cannot be made; choose another"):
        check_target(tmp_path / "out", PLAN_FOLDER)
    assert beside(tmp_path / "out") == ["file"]


@pytest.mark.parametrize("names", [(), ("infeasible.json",), (".DS_Store",), ("summary.json",)])
def test_what_a_plan_may_replace(
    names: tuple[str, ...], tmp_path: Path, plan: planner.Plan
) -> None:
    out = put(tmp_path / "out", *names)
    plan.write(out)
    assert planner.read_plan(out) == plan
    assert not (out / "infeasible.json").exists()
    assert beside(out) == ["out"]


# what the folder of a stochastic plan may hold to be replaced by another
STOCHASTIC: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "why there was none": ("infeasible.json",),
    "members": ("stochastic.json", "members/wet/summary.json", "members/wet/schedule.csv"),
}


@pytest.mark.parametrize("case", STOCHASTIC)
def test_what_a_stochastic_plan_may_replace(case: str, tmp_path: Path) -> None:
    put(tmp_path / "out", *STOCHASTIC[case])
    assert check_target(tmp_path / "out", STOCHASTIC_FOLDER) == tmp_path / "out"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["summary.json"], "out exists and holds no stochastic plan; choose another"),
        (["stochastic.json", "b.txt"], r"stochastic plan \(b.txt\), which a new one would"),
        (["stochastic.json", "members/wet"], r"stochastic plan \(members/wet\), which a"),
        (["stochastic.json", "members/wet/a.txt"], r"plan \(members/wet/a.txt\), which"),
    ],
)
def test_what_no_stochastic_plan_may_replace(names: list[str], words: str, tmp_path: Path) -> None:
    put(tmp_path / "out", *names)
    with pytest.raises(PlanError, match=words):
        check_target(tmp_path / "out", STOCHASTIC_FOLDER)


def test_folders_above_are_made_and_kept_only_when_used(tmp_path: Path, plan: planner.Plan) -> None:
    with claim(tmp_path / "a" / "b" / "out", PLAN_FOLDER):
        assert beside(tmp_path / "a" / "b" / "out") == [".out.lock"]
    assert list(tmp_path.iterdir()) == []
    plan.write(tmp_path / "a" / "b" / "out")
    assert beside(tmp_path / "a" / "b" / "out") == ["out"]


def test_a_linked_folder_is_written_where_it_lies(tmp_path: Path, plan: planner.Plan) -> None:
    put(tmp_path / "real" / "out")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "out")
    assert plan.write(tmp_path / "link") == tmp_path / "link"
    assert (tmp_path / "link").is_symlink()
    assert planner.read_plan(tmp_path / "real" / "out") == plan


def test_a_diagnosis_leaves_an_older_plan_alone(tmp_path: Path, plan: planner.Plan) -> None:
    out = tmp_path / "out"
    write_diagnosis({"status": "infeasible"}, out)
    write_diagnosis({"status": "unbounded"}, out)
    assert [path.name for path in out.iterdir()] == ["infeasible.json"]
    plan.write(out)
    write_diagnosis({"status": "infeasible"}, out)
    assert "infeasible" in (out / "infeasible.json").read_text()
    assert planner.read_plan(out) == plan
    plan.write(out)
    assert not (out / "infeasible.json").exists()


# ---- what goes wrong while writing


FAILURES: dict[str, tuple[BaseException, str]] = {
    "disk full": (
        OSError(errno.ENOSPC, "No space left on device"),
        "No space left on device; make room there or choose another folder",
    ),
    "read-only": (OSError(errno.EROFS, "Read-only file system"), "Read-only file system; choose"),
    "memory": (MemoryError(), "not enough memory"),
    "text": (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), "a text in it"),
    "Ctrl-C": (KeyboardInterrupt(), "^"),
}


@pytest.mark.parametrize("case", FAILURES)
@pytest.mark.parametrize("older", [True, False])
def test_a_failure_leaves_what_was_there(
    case: str, older: bool, tmp_path: Path, plan: planner.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure, words = FAILURES[case]
    out = tmp_path / "out"
    if older:
        plan.write(out)

    def fail(frame: pd.DataFrame, path: Path, **_: Any) -> None:
        path.write_text("half of")
        raise failure

    monkeypatch.setattr(files_module, "write_csv", fail)
    expected = KeyboardInterrupt if case == "Ctrl-C" else PlanError
    with pytest.raises(expected, match=words):
        plan.write(out)
    assert beside(out) == (["out"] if older else [])
    if older:
        assert planner.read_plan(out) == plan


@pytest.mark.parametrize("nth", [1, 2])
def test_a_failing_rename_brings_the_older_plan_back(
    nth: int, tmp_path: Path, plan: planner.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, count = tmp_path / "out", 0
    plan.write(out)
    real = Path.rename

    def rename(path: Path, to: Path) -> Path:
        nonlocal count
        count += 1
        if count == nth:
            raise OSError(errno.EIO, "Input/output error")
        return real(path, to)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(PlanError, match="Input/output error"):
        plan.write(out)
    assert beside(out) == ["out"]
    assert planner.read_plan(out) == plan


def test_every_file_and_both_folders_reach_the_disk(
    tmp_path: Path, plan: planner.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(target_module, "sync", lambda path: synced.append(path.name))
    plan.write(tmp_path / "out", ("csv", "parquet", "xlsx"))
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert sorted(synced[:-2]) == written
    assert synced[-2:] == ["new", tmp_path.name]
    assert set(written) <= {file.name for file in FILES}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    def fill(new: Path) -> None:
        with Path("/dev/full").open("w") as full:
            full.write("x" * 10_000)

    with pytest.raises(PlanError, match="No space left on device; make room there"):
        replace_folder(tmp_path / "out", PLAN_FOLDER, fill)
    assert beside(tmp_path / "out") == []


# ---- two runs at once


HOLD = (
    "import sys\n"
    "from planner.files.output_folder import claim\n"
    "from planner.plan_tables.files import PLAN_FOLDER\n"
    "with claim(sys.argv[1], PLAN_FOLDER):\n"
    "    print('claimed', flush=True)\n"
    "    sys.stdin.read()\n"
)


def holder(out: Path) -> subprocess.Popen[str]:
    """Another process that claims a folder and waits."""
    run = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "claimed\n"
    return run


def test_of_two_runs_into_one_folder_the_second_is_told(tmp_path: Path, plan: planner.Plan) -> None:
    out = tmp_path / "out"
    other = holder(out)
    try:
        with pytest.raises(PlanError, match=rf"another run \(process {other.pid}\) is writing to"):
            plan.write(out)
        assert not out.exists()
        plan.write(tmp_path / "elsewhere")
    finally:
        other.send_signal(signal.SIGKILL)
        other.communicate()
    plan.write(out)  # the lock of a dead run holds nobody
    assert beside(out) == ["elsewhere", "out"]


def killed_after(calls: int, work: Callable[[], object]) -> None:
    """Do some work in a process that is killed after so many calls of functions."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    left = calls

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    gc.disable()  # what it would finalise is counted
    sys.setprofile(count)
    work()


def calls_of(work: Callable[[], object]) -> int:
    events: list[str] = []
    gc.disable()
    sys.setprofile(lambda _, event, __: events.append(event))
    work()
    sys.setprofile(None)
    gc.enable()
    return len(events)


@pytest.mark.slow
@pytest.mark.parametrize("older", [True, False])
def test_a_run_killed_anywhere_leaves_the_older_plan_or_the_new_one(
    older: bool, tmp_path: Path, plan: planner.Plan
) -> None:
    out, new = tmp_path / "out", replace(plan, summary=plan.summary | {"description": "new"})
    write = Output(out, page=False).write
    write(plan)
    last = calls_of(lambda: write(new))
    seen = set()
    for before_the_end in (int(1.8**i) for i in range(24) if 1.8**i < last):
        shutil.rmtree(out, ignore_errors=True)
        if older:
            write(plan)
        killed_after(last - before_the_end, lambda: write(new))
        with claim(out, PLAN_FOLDER):
            assert beside(out) == [".out.lock", "out"][: 1 + out.exists()]
        left = planner.read_plan(out) if out.exists() else None
        assert left in (new, plan if older else None)
        seen.add(left == new)
    assert seen == {True, False}


MOMENTS: dict[str, tuple[str, ...]] = {  # what a run that was killed left in .out.new
    "before its mark": (),
    "within its mark": ("planner.json: torn",),
    "while writing": ("planner.json", "new/schedule.csv"),
    "between two renames": ("planner.json", "new/schedule.csv", "old"),
    "while removing": ("planner.json",),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_killed_run_left_is_put_in_order(
    moment: str, tmp_path: Path, plan: planner.Plan
) -> None:
    out, scratch = tmp_path / "out", tmp_path / ".out.new"
    plan.write(out)
    names = [name.partition(":")[0] for name in MOMENTS[moment]]
    put(scratch, *(name for name in names if name != "old"))
    if names:
        (scratch / "planner.json").write_bytes(mark_line())
    if "within" in moment:
        (scratch / "planner.json").write_bytes(mark_line()[:9])
    if "old" in names:
        out.rename(scratch / "old")
    (tmp_path / ".out.lock").write_text("99999999\n")
    with claim(out, PLAN_FOLDER):
        assert planner.read_plan(out) == plan
        with claim(out, PLAN_FOLDER):  # the same run again
            pass
    assert beside(out) == ["out"]


def test_threads_of_one_process_are_two_runs(tmp_path: Path) -> None:
    from threading import Thread

    said: list[str] = []

    def second() -> None:
        try:
            with claim(tmp_path / "out", PLAN_FOLDER):
                said.append("claimed")
        except PlanError as error:
            said.append(str(error))

    with claim(tmp_path / "out", PLAN_FOLDER):
        thread = Thread(target=second)
        thread.start()
        thread.join()
    assert len(said) == 1
    assert "another run" in said[0]


# ---- reading back


BROKEN: dict[str, tuple[str, bytes | None]] = {
    "no schedule": ("schedule.csv", None),
    "empty schedule": ("schedule.csv", b""),
    "no time": ("schedule.csv", b"a,b\n1,2\n"),
    "no times": ("schedule.csv", b"time,b\nsoon,2\n"),
    "binary": ("ledger.csv", bytes(range(256))),
    "ragged": ("allocation.csv", b"time,a\n1,2,3,4\n1\n"),
    "summary": ("summary.json", b"{"),
    "list": ("summary.json", b"[]"),
    "deep": ("summary.json", b"[" * 100_000),
    "scenario": ("scenario.yaml", b"name: 5\n"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder_is_told(case: str, tmp_path: Path, plan: planner.Plan) -> None:
    name, content = BROKEN[case]
    out = plan.write(tmp_path / "out")
    (out / name).unlink() if content is None else (out / name).write_bytes(content)
    with pytest.raises(PlanError, match=r"cannot be read: |is not one of the planner"):
        planner.read_plan(out)
