"""The engine of sweeps: every case as `planner solve` would, nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from distributed import LocalCluster
from typer.testing import CliRunner

import planner
from planner import PlanError, ScenarioError
from planner.cli.app import app
from planner.studies.sweep import sweep
from planner.studies.sweep_case import BASES, Task, failed, solve_case, unpacked
from planner.studies.workers import cluster, run_tasks
from planner.sweeps.result import RESULTS, read_cases
from planner.sweeps.variants import Base
from tests.support.build import HANGS_S
from tests.support.documents import document
from tests.sweeps.test_sweep_file import CAPACITY, TINY, written

ROOT = Path(__file__).parent.parent.parent
POWER = "components.battery.charge_power_mw"
GRID = f"axes:\n  {CAPACITY}: [1, 2, 4, 8]\n  {POWER}: [1, 2]\n"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A scheduler with a worker in this process, as a stranger to the sweep."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as local:
        yield local.scheduler_address


def lines(folder: Path) -> list[dict[str, Any]]:
    """The results in a sweep folder; before them is the mark."""
    return [json.loads(line) for line in (folder / RESULTS).read_text().splitlines()[1:]]


def test_each_case_earns_what_one_can_compute(tmp_path: Path, scheduler: str) -> None:
    """What is bought at 10 and sold at 50 earns 40 a MWh: the smaller of MWh and MW counts."""
    found = sweep(written(tmp_path, GRID), tmp_path / "out", scheduler=scheduler)
    table = found.cases
    assert list(table.columns[:9]) == [
        "case", CAPACITY, POWER, "key", "status", "gap", "message", "seconds", "refined",
    ]  # fmt: skip
    assert list(table["case"]) == list(range(8))
    assert set(table["status"]) == {"optimal"}
    least = table[[CAPACITY, POWER]].min(axis=1)
    assert list(table["objective_cny"]) == pytest.approx(list(40 * least))
    assert list(table["ledger_cny.grid.import"]) == pytest.approx(list(-10 * least))
    assert list(table["gap"]) == list(table["gap_of_profit"]) == [0] * 8
    assert not found.interrupted
    assert not BASES  # the worker has let go of the base


def test_the_folder_reads_back_and_both_tables_are_the_same(tmp_path: Path, scheduler: str) -> None:
    file = written(tmp_path, GRID + "  vat: [included, excluded]\noutputs: [gap]\n")
    formats = ("csv", "parquet")
    found = sweep(file, tmp_path / "out", scheduler=scheduler, formats=formats)
    again = read_cases(tmp_path / "out")
    pd.testing.assert_frame_equal(found.cases, again.cases)
    typed = pd.read_parquet(tmp_path / "out" / "cases.parquet")
    pd.testing.assert_frame_equal(found.cases, typed)
    written_csv = pd.read_csv(tmp_path / "out" / "cases.csv", keep_default_na=True)
    assert list(written_csv.columns) == list(found.cases.columns)
    assert list(written_csv["objective_cny"]) == list(found.cases["objective_cny"])
    assert again.description.axes == found.description.axes
    assert again.description.outputs == {"gap": "least"}
    with pytest.raises(PlanError, match="is no sweep folder"):
        read_cases(ROOT)


def test_every_kind_of_axis_survives_the_folder(tmp_path: Path, scheduler: str) -> None:
    (tmp_path / "scenario.yaml").write_text(TINY)
    text = f"""\
name: x
base: scenario.yaml
design: latin_hypercube
samples: 2
axes:
  {CAPACITY}: {{low: 1, high: 2}}
  components.grid.import_price_cny_per_mwh: {{scale: {{low: 0.9, high: 1.1}}}}
  world: {{bundle: {{a: {{description: null}}, b: {{description: dear}}}}}}
  eff: [22, 24]
  components.grid.export_limit_mw: {{expression: eff / 11, from: [eff]}}
invalid: row
find: {{path: {CAPACITY}, where: a = b, low: 1, high: 3}}
"""
    (tmp_path / "sweep.yaml").write_text(text)
    found = sweep(tmp_path / "sweep.yaml", tmp_path / "out", scheduler=scheduler)
    assert read_cases(tmp_path / "out").description.axes == found.description.axes
    assert read_cases(tmp_path / "out").description.find == found.description.find


def test_a_list_of_cases_survives_the_folder(tmp_path: Path, scheduler: str) -> None:
    (tmp_path / "cases.csv").write_text(f"{CAPACITY},{POWER}\n1,4\n,2\n")
    file = written(tmp_path, "design: list\ncases: cases.csv\n")
    found = sweep(file, tmp_path / "out", scheduler=scheduler)
    assert list(found.cases["objective_cny"]) == pytest.approx([40, 80])
    again = read_cases(tmp_path / "out").description
    assert again.axes == found.description.axes
    assert Path(again.base) == tmp_path / "scenario.yaml"
    assert Path(again.cases or "") == tmp_path / "cases.csv"


def test_equal_cases_are_solved_once(tmp_path: Path, scheduler: str) -> None:
    file = written(tmp_path, f"axes: {{{CAPACITY}: [10, 10.0, 4], a: [1]}}\n")
    text = file.read_text().replace(", a: [1]", "")
    file.write_text(text)
    found = sweep(file, tmp_path / "out", scheduler=scheduler)
    assert len(found.cases) == 3
    assert len(lines(tmp_path / "out")) == 2
    assert list(found.cases["objective_cny"]) == pytest.approx([160, 160, 160])


def test_a_second_run_solves_only_what_is_new(tmp_path: Path, scheduler: str) -> None:
    out = tmp_path / "out"
    sweep(written(tmp_path, f"axes: {{{CAPACITY}: [1, 2]}}\n"), out, scheduler=scheduler)
    first = lines(out)
    more = written(tmp_path, f"axes: {{{CAPACITY}: [2, 3, 1]}}\n")
    found = sweep(more, out, scheduler=scheduler)
    assert lines(out)[:2] == first
    assert len(lines(out)) == 3
    assert list(found.cases["objective_cny"]) == pytest.approx([80, 120, 40])
    sweep(more, out, scheduler="tcp://nobody-is-asked:1")
    assert len(lines(out)) == 3
    sweep(more, out, scheduler=scheduler, fresh=True)
    assert len(lines(out)) == 3
    assert lines(out)[:2] != first


def test_results_without_a_gap_of_profit_are_still_results(tmp_path: Path, scheduler: str) -> None:
    """They are of an earlier version: the cell stays empty until the case is solved again."""
    out, axes = tmp_path / "out", f"axes: {{{CAPACITY}: [1, 2]}}\noutputs: [gap_of_profit]\n"
    sweep(written(tmp_path, axes), out, scheduler=scheduler)
    first, second = lines(out)
    assert first["figures"].pop("gap_of_profit") == 0
    (out / RESULTS).write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n")
    again = sweep(written(tmp_path, axes), out, scheduler="tcp://nobody-is-asked:1").cases
    assert sorted(again["gap_of_profit"].fillna(-1)) == [-1, 0]
    assert list(read_cases(out).cases["gap"]) == [0, 0]


def test_a_torn_last_line_is_solved_again(tmp_path: Path, scheduler: str) -> None:
    file, out = written(tmp_path, GRID), tmp_path / "out"
    whole = sweep(file, out, scheduler=scheduler).cases
    content = (out / RESULTS).read_bytes()
    (out / RESULTS).write_bytes(content[:-30])
    again = sweep(file, out, scheduler=scheduler).cases
    assert len(lines(out)) == 8
    assert (out / RESULTS).read_bytes().startswith(content[: content[:-1].rindex(b"\n") + 1])
    pd.testing.assert_series_equal(again["objective_cny"], whole["objective_cny"])
    first = content.index(b"\n", content.index(b"\n") + 1) + 1
    (out / RESULTS).write_bytes(content[:first] + b"junk\n" + content[first:])
    with pytest.raises(PlanError, match=r"results.jsonl:3 is no result"):
        sweep(file, out, scheduler=scheduler)


def test_folders_of_others_are_refused(tmp_path: Path, scheduler: str) -> None:
    file, out = written(tmp_path, f"axes: {{{CAPACITY}: [1]}}\n"), tmp_path / "out"
    sweep(file, out, scheduler=scheduler)
    file.write_text(file.read_text().replace("name: test", "name: other"))
    for fresh in (False, True):
        with pytest.raises(PlanError, match="holds the sweep 'test', not 'other'"):
            sweep(file, out, scheduler=scheduler, fresh=fresh)
    with pytest.raises(PlanError, match="is no sweep folder; choose another"):
        sweep(file, tmp_path, scheduler=scheduler)  # it holds the sweep file itself
    assert file.read_text().startswith("name: other")


def test_cases_without_a_plan_are_rows_with_words(tmp_path: Path, scheduler: str) -> None:
    ending = "components.battery.ending.at_least_mwh"
    base = TINY.replace("same_as_start", "{at_least_mwh: 1}")
    text = f"invalid: row\naxes: {{{ending}: [1, 9, 11]}}\n"  # 2 h of 4 MW bring 8 MWh
    found = sweep(written(tmp_path, text, base), tmp_path / "out", scheduler=scheduler).cases
    assert list(found["status"]) == ["optimal", "infeasible", "wrong_input"]
    assert found["message"][1] == (
        "battery must end with 9 MWh and can reach 8 MWh, charging all the time"
    )
    assert "at most" in found["message"][2] or "capacity" in found["message"][2]
    assert found["objective_cny"].isna().tolist() == [False, True, True]
    again = sweep(written(tmp_path, text, base), tmp_path / "out", scheduler="tcp://nobody:1")
    assert list(again.cases["status"]) == list(found["status"])  # an answer is not asked twice


def test_a_failed_case_is_a_row_and_tried_again_next_time(
    tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = written(tmp_path, f"axes: {{{CAPACITY}: [1, 2]}}\n"), tmp_path / "out"

    def broken(_: Any) -> None:
        raise ZeroDivisionError("by\nchance")

    with monkeypatch.context() as patch:
        patch.setattr("planner.studies.sweep_case.solve_single", broken)
        found = sweep(file, out, scheduler=scheduler).cases
    assert list(found["status"]) == ["failed", "failed"]
    assert list(found["message"]) == ["ended with an error: ZeroDivisionError: by chance"] * 2
    assert list(sweep(file, out, scheduler=scheduler).cases["status"]) == ["optimal", "optimal"]


def test_the_best_cases_are_solved_again_exactly_and_leave_plans(
    tmp_path: Path, scheduler: str
) -> None:
    text = f"{GRID}solver: {{gap: 0.5}}\nrefine: {{best: 1, cases: [0]}}\nplans: final\n"
    found = sweep(written(tmp_path, text), tmp_path / "out", scheduler=scheduler).cases
    best = found["objective_cny"].idxmax()
    assert found.index[found["refined"]].tolist() == sorted({0, best})
    assert sorted(p.name for p in (tmp_path / "out" / "plans").iterdir()) == sorted(
        {"0", str(best)}
    )
    plan = planner.read_plan(tmp_path / "out" / "plans" / "0")
    assert plan.scenario.solver.gap == 1e-3  # that of the base
    assert planner.audit(tmp_path / "out" / "plans" / "0") == []
    assert (tmp_path / "out" / "plans" / "0" / "report.html").exists()
    assert plan.summary["objective_cny"] == found["objective_cny"][0]


def test_plans_of_all_cases_are_kept_and_come_back_when_removed(
    tmp_path: Path, scheduler: str
) -> None:
    file, out = written(tmp_path, f"plans: all\naxes: {{{CAPACITY}: [1, 2]}}\n"), tmp_path / "out"
    sweep(file, out, scheduler=scheduler)
    assert not (out / "plans" / "1" / "report.html").exists()  # a page for every case is too much
    (out / "plans" / "1" / "summary.json").unlink()
    (out / "plans" / "1").rename(tmp_path / "moved")
    sweep(file, out, scheduler=scheduler)
    assert planner.read_plan(out / "plans" / "1").summary["objective_cny"] == pytest.approx(80)


def test_the_table_fills_while_the_sweep_runs(
    tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.studies.sweep.TABLE_S", 0.0)
    monkeypatch.setattr("planner.studies.sweep.TABLE_SHARE", 1e9)
    out, seen = tmp_path / "out", []

    def look(done: int, total: int) -> None:
        if (out / "cases.csv").exists():
            seen.append(list(pd.read_csv(out / "cases.csv")["status"]))

    monkeypatch.setattr("planner.studies.sweep._Driver.pause", 0.0)
    sweep(written(tmp_path, GRID), out, scheduler=scheduler, progress=look)
    assert any("waiting" in statuses and "optimal" in statuses for statuses in seen)


def test_an_interrupt_leaves_a_valid_folder(tmp_path: Path, scheduler: str) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    file, out = written(tmp_path, GRID), tmp_path / "out"
    found = sweep(file, out, scheduler=scheduler, progress=stop)
    assert found.interrupted
    assert found.cases["status"].value_counts().to_dict() == {"optimal": 3, "waiting": 5}
    pd.testing.assert_frame_equal(read_cases(out).cases, found.cases)
    assert set(sweep(file, out, scheduler=scheduler).cases["status"]) == {"optimal"}
    assert len(lines(out)) == 8


def test_no_scheduler_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.studies.workers.SCHEDULER_TIMEOUT_S", 0.5)
    with pytest.raises(ScenarioError, match="no Dask scheduler answers at tcp:"):
        sweep(written(tmp_path, GRID), tmp_path / "out", scheduler="tcp://127.0.0.1:9")


def test_workers_of_a_scheduler_are_not_ours_to_count(tmp_path: Path) -> None:
    file = written(tmp_path, GRID)
    asked = ["--workers", "2", "--scheduler", "tcp://x:1"]
    result = CliRunner().invoke(app, ["sweep", str(file), "--out", str(tmp_path / "out"), *asked])
    assert "--workers: cannot go with --scheduler" in result.stderr
    assert result.exit_code == 2


def command(file: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "planner", "sweep", str(file), "--out", str(out), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip


def workers_of(driver: int) -> list[int]:
    """Return the processes of a driver's workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            told = (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == driver and b"spawn_main" in told:
            found.append(int(folder.name))
    return found


def wait_for(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many results are there, or the process has ended."""
    until = time.monotonic() + HANGS_S
    while time.monotonic() < until and process.poll() is None:
        path = folder / RESULTS
        if path.exists() and path.read_bytes().count(b"\n") > count:  # after the mark
            return
        time.sleep(0.02)


def require_complete(out: Path, count: int) -> None:
    """Nothing lost, nothing twice."""
    table = read_cases(out).cases
    assert list(table["status"]) == ["optimal"] * count
    assert len(lines(out)) == len({line["key"] for line in lines(out)}) == count


MANY = f"axes:\n  {CAPACITY}: {[1 + i / 4 for i in range(24)]}\n"
LONG = f"axes:\n  {CAPACITY}: {[1 + i / 40 for i in range(240)]}\n"  # is not over in a second
SOME = f"axes:\n  {CAPACITY}: {[1 + i / 4 for i in range(12)]}\n"


def kill_drivers(tmp_path: Path, times: int, seed: int, axes: str = MANY, workers: int = 2) -> None:
    file, out, rnd = written(tmp_path, axes), tmp_path / "out", random.Random(seed)
    kept: list[dict[str, Any]] = []
    for _ in range(times):
        process = command(file, out, "--workers", str(workers), "--quiet")
        wait_for(out, len(kept) + 1, process)
        time.sleep(rnd.uniform(0, 0.3))
        theirs = workers_of(process.pid)
        process.kill()
        process.communicate()
        until = time.monotonic() + HANGS_S
        while time.monotonic() < until and any(Path(f"/proc/{pid}").exists() for pid in theirs):
            time.sleep(0.05)
        assert not any(Path(f"/proc/{pid}").exists() for pid in theirs)  # they leave with it
        if (out / RESULTS).exists():
            content = (out / RESULTS).read_bytes()
            whole = content[: content.rfind(b"\n") + 1].splitlines()
            found = [json.loads(line) for line in whole[1:]]
            assert found[: len(kept)] == kept
            kept = found
    process = command(file, out, "--workers", str(workers), "--quiet")
    said = process.communicate(timeout=HANGS_S)
    assert process.returncode == 0, said
    assert lines(out)[: len(kept)] == kept
    require_complete(out, {MANY: 24, SOME: 12}[axes])


def kill_workers(tmp_path: Path, times: int, seed: int) -> None:
    file, out, rnd = written(tmp_path, MANY), tmp_path / "out", random.Random(seed)
    for _ in range(times):
        process = command(file, out, "--workers", "2", "--quiet", "--fresh")
        wait_for(out, rnd.randint(1, 16), process)
        time.sleep(rnd.uniform(0, 0.1))
        if workers := workers_of(process.pid):
            os.kill(rnd.choice(workers), signal.SIGKILL)
        said = process.communicate(timeout=HANGS_S)
        assert process.returncode == 0, said
        assert said == ("", "")
        require_complete(out, 24)


@pytest.mark.slow
def test_a_killed_driver_loses_nothing(tmp_path: Path) -> None:
    kill_drivers(tmp_path, times=1, seed=1, axes=SOME, workers=1)


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    kill_workers(tmp_path, times=1, seed=1)


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_solve_nothing_twice(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / str(i)).mkdir()
        kill_drivers(tmp_path / str(i), times=5, seed=i)
        kill_workers(tmp_path / str(i), times=5, seed=i)


@pytest.mark.slow
def test_control_c_is_exit_130_and_leaves_no_process(tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = command(written(tmp_path, LONG), out, "--workers", "2")
    wait_for(out, 2, process)
    workers = workers_of(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers hear it too
    _, errors = process.communicate(timeout=HANGS_S)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert {"optimal"} <= set(read_cases(out).cases["status"]) <= {"optimal", "waiting"}


class Killer(Base):
    """A base whose cases end their process."""

    def __init__(self) -> None: ...

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None: ...

    def scenario(self, changes: Any) -> Any:
        if changes:
            os._exit(1)
        raise ValueError("no scenario")


@pytest.mark.slow
def test_a_case_that_kills_its_workers_is_a_failed_row() -> None:
    packed = zlib.compress(pickle.dumps(Killer()))
    tasks = [Task(str(i), "", {"kill": 1} if i == 1 else {}, False) for i in range(6)]
    with cluster("killer", 2, None, partial(unpacked, "killer", packed)) as client:
        found = {
            task.key: failed(task, solved)[0] if isinstance(solved, Exception) else solved[0]
            for task, solved in run_tasks(client, "killer", partial(solve_case, "killer"), tasks)
        }
    assert sorted(found) == list("012345")
    assert {result["status"] for result in found.values()} == {"failed"}
    messages = [found[key]["message"] for key in sorted(found)]
    assert messages[1] == "every worker that tried it died: not enough memory?"
    assert messages[:1] + messages[2:] == ["ended with an error: ValueError: no scenario"] * 5


@pytest.mark.slow
def test_a_scheduler_and_workers_started_by_hand(tmp_path: Path) -> None:
    """As with the scheduler of the tests above, in processes of their own."""
    address = tmp_path / "scheduler.json"
    cli = [sys.executable, "-m"]
    where = ["--host", "127.0.0.1", "--no-dashboard"]
    quiet: dict[str, Any] = {"stderr": subprocess.DEVNULL, "cwd": ROOT}
    commands = [
        [*cli, "distributed.cli.dask_scheduler", "--port", "0", "--scheduler-file", str(address),
         *where]
    ] + [
        [*cli, "distributed.cli.dask_worker", "--scheduler-file", str(address), "--nthreads", "1",
         "--local-directory", str(tmp_path), *where]
    ] * 2  # fmt: skip
    started = [subprocess.Popen(line, **quiet) for line in commands]
    try:
        until = time.monotonic() + HANGS_S
        while not address.exists() and time.monotonic() < until:
            time.sleep(0.1)
        found = sweep(
            written(tmp_path, GRID),
            tmp_path / "out",
            scheduler=json.loads(address.read_text())["address"],
        )
        assert set(found.cases["status"]) == {"optimal"}
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=HANGS_S)


def test_the_dry_run_counts_and_solves_nothing(tmp_path: Path) -> None:
    file, out = written(tmp_path, GRID), tmp_path / "out"
    asked = ["sweep", str(file), "--out", str(out), "--dry-run", "--workers", "2"]
    result = CliRunner().invoke(app, asked)
    said = result.stdout
    assert result.exit_code == 0, result.stderr
    assert not out.exists()
    assert "test: 8 cases, by grid; checked in" in said
    assert f"  case 0 ({CAPACITY} = 1, {POWER} = 1)\n" in said
    assert "8 to solve, " in said
    assert f"warning: {CAPACITY} is swept without its capital cost" in said
    found = document(CliRunner().invoke(app, [*asked, "--json"]))
    assert (found["cases"], found["folder"]) == (8, None)
    assert found["dry_run"]["first"][0] == {"case": 0, CAPACITY: 1, POWER: 1}
    assert found["dry_run"]["estimate"]["waiting"] == 8
    assert found["warnings"]
