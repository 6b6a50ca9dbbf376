"""A rolling plan that is killed or stopped goes on, and its folder is as if nothing had been."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
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
CALLS = 250_000  # about four windows

# The command line, killed so many calls of Python functions after its first new window is recorded.
KILLED = """
import os, runpy, signal, sys
from planner.files.records import Records

left, add = int(sys.argv.pop(1)), Records.add

def count(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def add_and_count(records, record):
    add(records, record)
    if record["at"] != "relaxation":
        sys.setprofile(count)

Records.add = add_and_count
runpy.run_module("planner", run_name="__main__")
"""


def written(folder: Path) -> Path:
    write_scenario(scenario(SITE, HOURS), folder)
    return folder / "scenario.yaml"


def command(file: Path, out: Path, *python: str) -> subprocess.Popen[str]:
    lengths = ["--window-h", "2", "--advance-h", "1"]
    return subprocess.Popen(
        [sys.executable, *python, "roll", str(file), "--out", str(out), *lengths],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip


def windows(out: Path) -> list[bytes]:
    """Return the finished windows beside a folder, as they are recorded; a torn one is none."""
    for file in out.parent.glob(f".{out.name}.windows/*.jsonl"):
        with suppress(FileNotFoundError):  # the plan has been written just now
            return [line for line in file.read_bytes().splitlines(True)[1:] if line.endswith(b"\n")]
    return []


def finish(file: Path, out: Path) -> None:
    process = command(file, out, "-m", "planner")
    printed = process.communicate()
    assert process.returncode == 0, printed


def content(folder: Path) -> dict[str, object]:
    """Return the files of a plan folder, runtimes aside."""
    found: dict[str, object] = {path.name: path.read_bytes() for path in folder.iterdir()}
    summary = json.loads((folder / "summary.json").read_text())
    del summary["runtimes_s"]
    return found | {"summary.json": summary}


def stop(file: Path, out: Path) -> None:
    """Start or go on, and press Ctrl-C once there is a new window."""
    before = windows(out)
    process = command(file, out, "-m", "planner")
    while process.poll() is None and len(windows(out)) <= len(before):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    demand_kept(out, before, process, 130)


def kill(file: Path, out: Path, calls: int) -> None:
    """Start or go on, and be killed so many calls after a new window."""
    before = windows(out)
    process = command(file, out, "-c", KILLED, str(calls))
    demand_kept(out, before, process, -signal.SIGKILL)


def demand_kept(
    out: Path, before: list[bytes], process: subprocess.Popen[str], returncode: int
) -> None:
    """Demand that a stopped process kept the windows from before it, and added some."""
    _, errors = process.communicate()
    if out.exists():  # it was quicker, or in its last moments
        return
    assert process.returncode == returncode
    assert "Traceback" not in errors
    after = windows(out)
    assert after[: len(before)] == before
    assert len(after) > len(before)


def test_control_c_is_exit_130_and_a_killed_run_goes_on(tmp_path: Path) -> None:
    file = written(tmp_path)
    stop(file, tmp_path / "plan")
    for calls in (0, 70_000):
        kill(file, tmp_path / "plan", calls)
    for name in ("plan", "whole"):
        planner.roll(planner.load(file), 2, 1, tmp_path / name)
    assert content(tmp_path / "plan") == content(tmp_path / "whole")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_twenty_kills_at_random_points_lose_nothing(tmp_path: Path) -> None:
    file, rnd = written(tmp_path), random.Random(0)
    finish(file, tmp_path / "whole")
    kills = 0
    for number in range(20):
        if kills >= 20:
            break
        out = tmp_path / f"plan_{number}"
        for _ in range(5):
            kill(file, out, rnd.randrange(CALLS))
            if out.exists():
                break
            kills += 1
        finish(file, out)
        assert content(out) == content(tmp_path / "whole")
    assert kills >= 20
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
