"""Progress in a log: plain lines on stderr now and then, none with --quiet."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from planner.cli import terminal
from planner.cli.app import app
from tests.support.build import HANGS_S

LINE = re.compile(r"\d\d:\d\d:\d\d (.*) \(\d:\d\d:\d\d\)")
TINY = str(Path(__file__).parent.parent.parent / "scenarios" / "tiny_arbitrage")


class Log(io.StringIO):
    """A stream that wakes who waits for a text."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Condition()

    def write(self, text: str) -> int:
        with self.written:
            count = super().write(text)
            self.written.notify_all()
        return count

    def until(self, text: str) -> str:
        """Wait until the stream holds a text; return all of it."""
        with self.written:
            assert self.written.wait_for(lambda: text in self.getvalue(), HANGS_S)
            return self.getvalue()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """What waits until stderr holds a text; lines come as often as the machine writes them."""
    monkeypatch.setattr(terminal, "FIRST_LINE_S", 0.0)
    monkeypatch.setattr(terminal, "LINE_EVERY_S", 1e-3)
    stream = Log()
    monkeypatch.setattr(terminal, "sys", SimpleNamespace(stderr=stream))
    return stream.until


def log() -> Console:
    return Console(file=io.StringIO())


def test_a_solve_prints_what_it_does_and_how_long(
    written: Callable[[str], str],
) -> None:
    with terminal.spinner(log(), quiet=False, text="solving 淮南\x07"):
        lines = written("\n").splitlines()
    match = LINE.fullmatch(lines[0])
    assert match is not None
    assert match[1] == "solving 淮南\\x07"  # no control characters


def test_a_long_study_prints_its_stage_and_count(
    written: Callable[[str], str],
) -> None:
    with terminal.bar(log(), quiet=False, name="year", unit="days") as update:
        assert update is not None
        written("year (")
        update(3, 20)
        written("year 3/20 days (")
        update(4, 20, "plan")
        text = written("year: plan 4/20 days (")
    assert {bool(LINE.fullmatch(line)) for line in text.splitlines()} == {True}
    assert all(line.isprintable() for line in text.splitlines())


def test_quiet_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: object) -> None:
        raise AssertionError("a line was printed")

    monkeypatch.setattr(terminal, "print_error", never)
    monkeypatch.setattr(terminal, "logged", never)
    with terminal.spinner(log(), quiet=True, text="solving"):
        pass
    with terminal.bar(log(), quiet=True, name="year") as update:
        assert update is None


def test_an_error_ends_the_lines(written: Callable[[str], str]) -> None:
    def fails() -> None:
        with terminal.logged(lambda: "work"):
            written("work")
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        fails()
    count = len(written("work"))
    assert len(written("work")) == count


@pytest.mark.parametrize("command", ["solve", "roll", "year"])
def test_what_ends_soon_prints_no_line(command: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [command, TINY, "--out", str(tmp_path / "plan"), "--no-page"])
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
