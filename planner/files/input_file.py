"""Files that users give, as bytes and as text; errors name the file."""

from __future__ import annotations

from pathlib import Path

from planner.errors import cause, wrong
from planner.message import Message


def read_bytes(path: Path, most: int = -1) -> bytes:
    """Return the content of a regular file, at most a number of bytes. Raises ScenarioError."""
    try:
        if is_pipe_or_device(path):
            raise wrong("", Message("is not a regular file"), file=str(path))
        with path.open("rb") as handle:
            return handle.read(most)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        message = Message("cannot be read: {text}", text=cause(error))
        raise wrong("", message, file=str(path)) from None


def is_pipe_or_device(path: Path) -> bool:
    """Return whether a path exists and is no file or folder: reading it may never end."""
    return path.exists() and not path.is_file() and not path.is_dir()


def text_of(content: bytes, path: Path) -> str:
    """Return the content of a file as text. Raises ScenarioError."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        message = Message("is not a UTF-8 text file; save it as UTF-8")
        raise wrong("", message, file=str(path)) from None
