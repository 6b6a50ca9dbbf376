"""The work is done though nobody can read what it prints."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.cli.streams import Stream
from tests.support.build import HANGS_S


def unread() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


@pytest.mark.parametrize("opened", [unread, full])
@pytest.mark.parametrize("length", [1, 100_000])  # in the buffer, and beyond it
def test_what_cannot_be_written_is_dropped(opened: Callable[[], int], length: int):
    with Stream(os.fdopen(opened(), "wb"), "utf-8") as stream:
        assert stream.write("x" * length) == length
        stream.flush()
        assert stream.write("y") == 1


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EROFS", "EFBIG"])
def test_a_full_disk_is_no_bug_wherever_it_is_met(name: str, monkeypatch: pytest.MonkeyPatch):
    number = getattr(errno, name)

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/scratch/file")

    monkeypatch.setattr("planner.load", fail, raising=False)
    done = CliRunner().invoke(app, ["solve", "any.yaml"])
    assert done.exit_code == 5
    assert done.stderr.startswith(f"/scratch/file cannot be written: {os.strerror(number)}; ")
    assert "bug" not in done.stderr


FULL = b"the output cannot be written: No space left on device\n"


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("to", "ends"),
    [(">&-", (0, b"")), (">&- 2>&-", (0, b"")), ("| true", (0, b"")), ("> /dev/full", (5, FULL)),
     ("> /dev/full 2> /dev/full", (5, b""))],
)  # fmt: skip
def test_a_command_whose_work_is_its_output_says_where_it_is_lost(to: str, ends: tuple[int, bytes]):
    command = f"exec {sys.executable} -m planner schema {to}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=HANGS_S)
    assert (done.returncode, done.stderr) == ends
