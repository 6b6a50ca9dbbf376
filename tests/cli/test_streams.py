"""The work is done though nobody can read what it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

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


@pytest.mark.parametrize("to", [">&-", ">&- 2>&-", "> /dev/full", "> /dev/full 2> /dev/full"])
def test_a_command_whose_output_is_closed_or_full_ends_well(to: str):
    command = f"exec {sys.executable} -m planner schema {to}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=HANGS_S)
    assert (done.returncode, done.stderr) == (0, b"")
