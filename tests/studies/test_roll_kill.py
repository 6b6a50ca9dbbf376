"""A rolling plan that is killed or stopped goes on, and its folder is as if nothing had been."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

import planner
from planner.plan_tables.folder import write_scenario
from tests.support.build import battery, grid, scenario, thermal
from tests.support.kills import RecordedRun, content

HOURS = 20
PRICES = [float(10 + 37 * hour % 90) for hour in range(HOURS)]
SITE = {
    "unit": thermal(fuel_price_cny_per_gj=50, min_up_h=3),
    "battery": battery(initial={"energy_mwh": 3}),
    "grid": grid(resale=True, import_price_cny_per_mwh=PRICES, export_price_cny_per_mwh=PRICES),
}
CALLS = 250_000  # about four windows


def written(folder: Path) -> Path:
    write_scenario(scenario(SITE, HOURS), folder)
    return folder / "scenario.yaml"


def run_of(file: Path, out: Path) -> RecordedRun:
    return RecordedRun(out, "roll", str(file), "--window-h", "2", "--advance-h", "1")


def stop(run: RecordedRun) -> None:
    """Start or go on, and press Ctrl-C once there is a new window."""
    before = run.windows()
    process = run.start("-m", "planner")
    while process.poll() is None and len(run.windows()) <= len(before):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    run.demand_kept(before, process, 130)


@pytest.mark.slow
def test_control_c_is_exit_130_and_a_killed_run_goes_on(tmp_path: Path) -> None:
    file = written(tmp_path)
    run = run_of(file, tmp_path / "plan")
    stop(run)
    for calls in (0, 70_000):
        run.kill(calls)
    for name in ("plan", "whole"):
        planner.roll(planner.load(file), 2, 1, tmp_path / name)
    assert content(tmp_path / "plan") == content(tmp_path / "whole")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_twenty_kills_at_random_points_lose_nothing(tmp_path: Path) -> None:
    file, rnd = written(tmp_path), random.Random(0)
    run_of(file, tmp_path / "whole").finish()
    kills = 0
    for number in range(20):
        if kills >= 20:
            break
        run = run_of(file, tmp_path / f"plan_{number}")
        for _ in range(5):
            run.kill(rnd.randrange(CALLS))
            if run.out.exists():
                break
            kills += 1
        run.finish()
        assert content(run.out) == content(tmp_path / "whole")
    assert kills >= 20
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
