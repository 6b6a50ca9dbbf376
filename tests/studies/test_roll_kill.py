"""A rolling plan that is killed or stopped goes on, and its folder is as if nothing had been."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import planner
from planner.plan_tables.folder import write_scenario
from tests.support.build import battery, grid, scenario, thermal

ROOT = Path(__file__).parent.parent.parent
HOURS = 20
PRICES = [float(10 + 37 * hour % 90) for hour in range(HOURS)]
SITE = {
    "unit": thermal(fuel_price_cny_per_gj=50, min_up_h=3),
    "battery": battery(initial={"energy_mwh": 3}),
    "grid": grid(resale=True, import_price_cny_per_mwh=PRICES, export_price_cny_per_mwh=PRICES),
}


def written(folder: Path) -> Path:
    write_scenario(scenario(SITE, HOURS), folder)
    return folder / "scenario.yaml"


def command(file: Path, out: Path) -> subprocess.Popen[str]:
    lengths = ["--window-h", "2", "--advance-h", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "planner", "roll", str(file), "--out", str(out), *lengths],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip


def windows(out: Path) -> dict[str, bytes]:
    """Return the finished windows beside a folder."""
    found = out.parent.glob(f".{out.name}.windows/*/[0-9]*.json")
    return {path.name: path.read_bytes() for path in found}


def wait_for(out: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many windows are there, or the process has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None and len(windows(out)) < count:
        time.sleep(0.01)


def finish(file: Path, out: Path) -> None:
    process = command(file, out)
    said = process.communicate(timeout=120)
    assert process.returncode == 0, said


def content(folder: Path) -> dict[str, object]:
    """Return the files of a plan folder, runtimes aside."""
    found: dict[str, object] = {path.name: path.read_bytes() for path in folder.iterdir()}
    summary = json.loads((folder / "summary.json").read_text())
    del summary["runtimes_s"]
    return found | {"summary.json": summary}


def kill(file: Path, out: Path, rnd: random.Random, sign: signal.Signals) -> None:
    """Start or go on, and kill at a random point; what was finished before must stay."""
    before = windows(out)
    process = command(file, out)
    wait_for(out, len(before) + 1, process)
    time.sleep(rnd.uniform(0, 0.1))
    process.send_signal(sign)
    _, errors = process.communicate(timeout=60)
    if out.exists():  # it was quicker, or in its last moments
        return
    assert process.returncode == (130 if sign == signal.SIGINT else -sign)
    assert "Traceback" not in errors
    after = windows(out)
    assert before.items() <= after.items()
    assert len(after) > len(before)


def test_control_c_is_exit_130_and_a_killed_run_goes_on(tmp_path: Path) -> None:
    file, rnd = written(tmp_path), random.Random(1)
    kill(file, tmp_path / "plan", rnd, signal.SIGINT)
    for _ in range(2):
        kill(file, tmp_path / "plan", rnd, signal.SIGKILL)
    for name in ("plan", "whole"):
        planner.roll(planner.load(file), 2, 1, tmp_path / name)
    assert content(tmp_path / "plan") == content(tmp_path / "whole")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_twenty_kills_at_random_points_lose_nothing(tmp_path: Path) -> None:
    file = written(tmp_path)
    finish(file, tmp_path / "whole")
    kills = 0
    for seed in range(20):
        if kills >= 20:
            break
        rnd, out = random.Random(seed), tmp_path / f"plan_{seed}"
        for _ in range(5):
            kill(file, out, rnd, signal.SIGKILL)
            if out.exists():
                break
            kills += 1
        finish(file, out)
        assert content(out) == content(tmp_path / "whole")
    assert kills >= 20
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
