"""Years that are killed, done by a cluster or lose their scheduler: the same plan in the end."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from distributed import Future, LocalCluster
from distributed.comm import CommClosedError

import planner
from planner.errors import SolveError
from planner.plan_tables.folder import write_scenario
from planner.studies.year_task import WindowResult, WindowTask, work_on
from tests.support.build import battery, grid, scenario, thermal
from tests.support.kills import RecordedRun, content

HOURS = 312  # five windows that are bounded, two that give prices
PRICES = [float(10 + 37 * hour % 90) for hour in range(HOURS)]
SITE = {
    "unit": thermal(fuel_price_cny_per_gj=50, min_up_h=3),
    "battery": battery(initial={"energy_mwh": 3}),
    "grid": grid(resale=True, import_price_cny_per_mwh=PRICES, export_price_cny_per_mwh=PRICES),
}
CALLS = 100_000  # about as many as after the first recorded window


def written(folder: Path) -> Path:
    write_scenario(scenario(SITE, HOURS), folder)
    return folder / "scenario.yaml"


def left_beside(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_twenty_kills_at_random_points_lose_nothing(tmp_path: Path) -> None:
    file, rnd = written(tmp_path), random.Random(0)

    def run_of(name: str) -> RecordedRun:
        return RecordedRun(tmp_path / name, "year", str(file), "--workers", "1", "--gap", "1e-5")

    whole = run_of("whole")
    whole.finish()
    kills = 0
    for number in range(20):
        if kills >= 20:
            break
        run = run_of(f"plan_{number}")
        for _ in range(4):
            run.kill(rnd.randrange(CALLS))
            if run.out.exists():
                break
            kills += 1
        run.finish()
        assert content(run.out) == content(whole.out)
    assert kills >= 20
    assert left_beside(tmp_path) == []


def planned(folder: Path, **more: Any) -> planner.Plan:
    return planner.plan_year(scenario(SITE, HOURS), folder, gap=1e-5, **more)


@pytest.mark.slow
def test_a_cluster_of_two_gives_the_plan_of_one(tmp_path: Path) -> None:
    for workers in (1, 2):
        planned(tmp_path / str(workers), workers=workers)
    assert content(tmp_path / "1") == content(tmp_path / "2")


@pytest.mark.slow
def test_a_lost_scheduler_is_an_error_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(tmp_path / "whole", workers=1)
    result, answers = Future.result, list[Any]()

    def lost_after_three(future: Future[Any], *more: Any) -> Any:
        if len(answers) == 3:
            raise CommClosedError
        answers.append(result(future, *more))
        return answers[-1]

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as local:
        monkeypatch.setattr(Future, "result", lost_after_three)
        with pytest.raises(SolveError, match="the scheduler was lost; what is finished is stored"):
            planned(tmp_path / "plan", scheduler=local.scheduler_address)
    assert not (tmp_path / "plan").exists()
    works: list[str] = []

    def counted(task: WindowTask) -> WindowResult:
        works.append(f"{task.work} {task.window.first}")
        return work_on(task)

    monkeypatch.setattr("planner.studies.year_run.work_on", counted)
    planned(tmp_path / "plan", workers=1)
    assert works[:4] == ["bounds 73", "bounds 121", "bounds 193", "bounds 241"]
    assert content(tmp_path / "plan") == content(tmp_path / "whole")
    assert left_beside(tmp_path) == []
