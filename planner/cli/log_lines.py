"""What runs log, as lines on stderr: warnings, and with --verbose every stage."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from planner.language.language import Language
from planner.log import ROOT
from planner.message import Message, printable


class LogLines(logging.Handler):
    """Writes each record as a line with its time, in a language."""

    def __init__(self, words: Language, level: int) -> None:
        super().__init__(level)
        self._words = words

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record: to what stderr is now."""
        is_message = isinstance(record.msg, Message)
        text = self._words.sentence(record.msg if is_message else record.getMessage())
        if record.levelno >= logging.WARNING:
            text = self._words("warning: {text}", text=text)
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {printable(text)}\n")


@contextmanager
def log_lines(given: Mapping[str, Any]) -> Iterator[None]:
    """Write what is logged meanwhile, as far as the parameters of a command want to hear of it."""
    if given.get("quiet"):
        yield
        return
    level = logging.INFO if given.get("verbose") else logging.WARNING
    log, lines = logging.getLogger(ROOT), LogLines(given["words"], level)
    before = log.level
    log.addHandler(lines)
    log.setLevel(level)
    try:
        yield
    finally:
        log.removeHandler(lines)
        log.setLevel(before)
