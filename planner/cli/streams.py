"""Standard output and error of a command: closed, full or unread, they do not stop its work."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Any

from planner.errors import PlanError, cause
from planner.message import Message


class Stream(io.TextIOWrapper):
    """A text stream that goes nowhere as soon as it cannot be written to.

    error: why it could not be, if it could not.
    """

    error: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write text, or drop it."""
        self._try(super().write, text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, or drop it."""
        self._try(super().flush)

    def _try(self, write: Callable[..., Any], *texts: str) -> None:
        try:
            write(*texts)
        except OSError as error:
            self.error = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())  # what is still buffered goes there too
            os.close(nowhere)


def prepare() -> None:
    """Replace stdout and stderr by streams that take any text and never fail."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed before Python began
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            encoding, is_terminal = stream.encoding, stream.isatty()
            safe = Stream(
                stream.detach(), encoding, "replace", line_buffering=is_terminal or name == "stderr"
            )
            setattr(sys, name, safe)


def require_written() -> None:
    """Require that what a command printed, where that is all its work, has left the process.

    Raises:
        PlanError: the disk was full, say. Where nobody reads any more, nothing is missed.
    """
    sys.stdout.flush()
    error = getattr(sys.stdout, "error", None)
    if error is not None and error.errno != errno.EPIPE:
        raise PlanError(Message("the output cannot be written: {text}", text=cause(error)))
