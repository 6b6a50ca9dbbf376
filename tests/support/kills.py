"""Runs of the command line that record what they finish, killed and started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

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


class RecordedRun:
    """A command that records windows beside the plan folder `out` until that is written."""

    def __init__(self, out: Path, *words: str) -> None:
        self.out, self._words = out, [*words, "--out", str(out)]

    def start(self, *python: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *python, *self._words], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True,
        )  # fmt: skip

    def windows(self) -> list[bytes]:
        """Return the finished windows, as they are recorded; a torn one is none."""
        for file in self.out.parent.glob(f".{self.out.name}.windows/*.jsonl"):
            with suppress(FileNotFoundError):  # the plan has been written just now
                lines = file.read_bytes().splitlines(True)
                whole = [line for line in lines if line.endswith(b"\n")]
                places = [json.loads(line).get("at") for line in whole]
                return [line for at, line in zip(places, whole, strict=True)
                        if at not in (None, "relaxation")]  # fmt: skip
        return []

    def finish(self) -> None:
        process = self.start("-m", "planner")
        printed = process.communicate()
        assert process.returncode == 0, printed

    def kill(self, calls: int) -> None:
        """Start or go on, and be killed so many calls after a new window."""
        before = self.windows()
        process = self.start("-c", KILLED, str(calls))
        self.demand_kept(before, process, -signal.SIGKILL)

    def demand_kept(
        self, before: list[bytes], process: subprocess.Popen[str], returncode: int
    ) -> None:
        """Demand that a stopped process kept the windows from before it, and added some."""
        _, errors = process.communicate()
        if self.out.exists():  # it was quicker, or in its last moments
            return
        assert process.returncode == returncode
        assert "Traceback" not in errors
        after = self.windows()
        assert after[: len(before)] == before
        assert len(after) > len(before)


def content(folder: Path) -> dict[str, object]:
    """Return the files of a plan folder, runtimes aside."""
    files: dict[str, object] = {path.name: path.read_bytes() for path in folder.iterdir()}
    summary = json.loads((folder / "summary.json").read_text())
    del summary["runtimes_s"]
    return files | {"summary.json": summary}
