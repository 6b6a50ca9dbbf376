"""The text of a CSV file, and its split into a header and rows.

Read as it is in the world where there is one reading: any of four separators, comment lines, byte
order marks, empty cells at the ends of lines, the header repeated. Everything else is an error
that says what the file looks like and what to write.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from planner.errors import as_written, cause
from planner.fields import FieldError
from planner.message import Message, MessageList
from planner.timeseries.csv_layouts import MOST_ABOVE, looks_like, other_kind

MAX_BYTES = 100_000_000
SEPARATORS = ",;\t|"
WESTERN = {*"€°²³µ–ŠšŽžŒœŸ"} | set(map(chr, range(0xC0, 0x100))) - {*"×÷"}  # letters of words
MOST_LISTED = 5  # lines that one message names
SPREADSHEET_ERROR = re.compile(r"#(N/A|NA|DIV/0!|REF!|NAME\?|VALUE!|NUM!|NULL!)")

Rows = list[tuple[int, list[str]]]  # the line each row ends on, and its cells


@dataclass(frozen=True)
class CsvText:
    """A CSV file split into cells; rows without any content are left out.

    faults: what is wrong with the lines that are neither the header nor among the rows.
    """

    header: list[str]
    rows: Rows
    separator: str = ","
    faults: tuple[FieldError, ...] = ()


def read_inside(folder: Path, name: str, encoding: str | None) -> str:
    """Return the text of a file in a folder or below.

    The encoding is None where nothing can name another than UTF-8.

    Raises:
        FieldError: the file is missing, outside the folder, too large or no text.
    """
    if "\0" in name + (encoding or ""):
        raise FieldError(Message("the name may not hold a null character"), "csv")
    try:
        root = folder.resolve()
        path = (root / name).resolve()
        if Path(name).is_absolute() or not path.is_relative_to(root):
            raise FieldError(Message("{file} is outside the scenario's folder", file=name))
        if not name:
            raise FieldError(Message("the empty name is a folder, not a file"))
        if path.is_dir():
            raise FieldError(Message("{file} is a folder, not a file", file=name))
        if path.exists() and not path.is_file():  # a pipe may never end
            raise FieldError(Message("{file} is not a regular file", file=name))
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise FieldError(Message("there is no file {file}", file=name)) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead back to themselves
        is_loop = isinstance(error, RuntimeError)
        text = Message("its links form a loop") if is_loop else cause(error)
        raise FieldError(
            Message("{file} cannot be read: {text}", file=name[:80], text=text)
        ) from None
    if len(content) > MAX_BYTES:
        raise FieldError(
            Message(
                "{file} is larger than {most} MB; keep the columns and years in use",
                file=name,
                most=MAX_BYTES // 1_000_000,
            )
        )
    return decoded(content, name, encoding)


def decoded(content: bytes, name: str, encoding: str | None) -> str:
    """Return the content of a CSV file as text, without byte order marks.

    Raises:
        FieldError: it is another kind of file, or has another encoding.
    """
    if kind := other_kind(content):
        raise FieldError(MessageList(" ", (name, kind)))
    if content.startswith(codecs.BOM_UTF8):
        marked = "utf-8"
    else:
        utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        marked = "utf-16" if utf_16 else ""
    try:
        text = content.decode(marked or encoding or "utf-8")
    except LookupError:
        message = Message("{name!r} is not known; utf-8 and gb18030 are", name=encoding)
        raise FieldError(message, "encoding") from None
    except UnicodeError:
        raise FieldError(_other_encoding(content, name, encoding)) from None
    if "\0" in text:
        wide = content[:2].count(0) == 1  # a letter of two bytes, one of them 0
        name_of = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
        if wide and encoding is not None:
            remedy = Message("is it `encoding: {other}`?", other=name_of)
        else:
            remedy = Message("save it again as CSV UTF-8")
        line = text[: text.index("\0")].count("\n") + 1
        raise at_line(name, line, Message("holds a null character; {remedy}", remedy=remedy))
    return text.replace("\ufeff", "")


def _other_encoding(content: bytes, name: str, encoding: str | None) -> Message:
    """Return the message of a file in another encoding, with those that it may have."""
    if encoding is None:
        return Message("{file} is not utf-8 text; save it as CSV UTF-8", file=name)
    return Message(
        "{file} is not {name} text; is it `encoding: {other}`?",
        file=name,
        name=encoding,
        other=_likely_encoding(content),
    )


def _likely_encoding(content: bytes) -> str:
    """Return the encoding that a text probably has: Chinese, or Western European."""
    if _decodes(content, "utf-8"):
        return "utf-8"
    if not _decodes(content, "gb18030"):
        return "cp1252"
    words = re.findall(r"[^\x00-\x7f]+", content.decode("cp1252", "replace"))
    western = any(len(word) % 2 or word.islower() for word in words)  # Chinese ones are pairs
    return "cp1252" if western and {*"".join(words)} <= WESTERN else "gb18030"


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeError:
        return False
    return True


def at_line(file: str, line: int, message: Message) -> FieldError:
    """Return the error of a line of a file."""
    return FieldError(MessageList(": ", (f"{file}:{line}", message)))


def split_csv(text: str, name: str, key: str | None = None) -> CsvText:
    """Split a CSV into its header and its rows; comment lines and empty rows are left out.

    The header is the row with the column `key`, or the first one where no column is required.

    Raises:
        FieldError: it is empty, no CSV, or has no such header.
    """
    separator, lines = _separated(text, key)
    rows = _rows(lines, name, separator)
    if not rows:
        raise FieldError(Message("{file} is empty", file=name))
    first = next((i for i, (_, cells) in enumerate(rows) if key in cells), 0)
    header_line, header = rows[first]
    if key is not None and key not in header:
        raise FieldError(looks_like(name, rows, key, _commented(text, key)))
    above = [_above(name, rows[0], separator, header_line)] if first else []
    names = header.copy()
    while names and not names[-1]:
        names.pop()
    data = [(line, cells) for line, cells in rows[first + 1 :] if cells != header]
    width = len(names)
    fitting, misfits = [], []
    for line, cells in data:
        if len(cells) >= width and not any(cells[width:]):
            fitting.append((line, cells[:width]))
        else:
            misfits.append((line, cells))
    counts = [_wrong_count(name, misfits, width)] if misfits else []
    return CsvText(names, fitting, separator, (*above, *counts))


def _above(name: str, row: tuple[int, list[str]], separator: str, header: int) -> FieldError:
    """Return the error of lines above the header."""
    line, cells = row
    message = Message(
        "{text} stands before the header, which is line {line}: remove the lines above it or begin"
        " each with #; mind what they say of units and of the offset of the times",
        text=as_written(separator.join(cells)),
        line=header,
    )
    return at_line(name, line, message)


def _separated(text: str, key: str | None) -> tuple[str, list[str]]:
    """Return the separator of the cells, and the lines; comments are empty ones."""
    lines = list(_without_comments(io.StringIO(text, newline="")))
    if lines and (match := re.fullmatch(r"sep=(.)", lines[0].rstrip("\r\n"))):  # Excel's own mark
        return match[1], ["\n", *lines[1:]]
    beginning = [line for line in lines if line.strip()][: 1 if key is None else MOST_ABOVE]
    for separator in SEPARATORS:
        for line in beginning:
            cells = [cell.strip(' "\r\n') for cell in line.split(separator)]
            if key in cells or (key is None and len(cells) > 1):
                return separator, lines
    counts = {mark: sum(line.count(mark) for line in beginning) for mark in SEPARATORS}
    return max(counts, key=lambda mark: counts[mark]), lines


def _without_comments(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, empty ones for comments, which begin with # outside of a quoted cell."""
    quoted = False
    for line in lines:
        comment = not quoted and line.startswith("#") and not SPREADSHEET_ERROR.match(line)
        yield "\n" if comment else line
        if not comment and line.count('"') % 2:
            quoted = not quoted


def _commented(text: str, key: str) -> int | None:
    """Return the line of a comment that is a header with a column."""
    for number, line in enumerate(text.splitlines()[:MOST_ABOVE], start=1):
        cells = re.split(rf"[{SEPARATORS}]", line.removeprefix("#"))
        if line.startswith("#") and key in map(str.strip, cells):
            return number
    return None


def _rows(lines: list[str], name: str, separator: str) -> Rows:
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t", strict=True)
    rows: Rows = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                rows.append((reader.line_num, stripped))
    except csv.Error as error:
        message = Message("is not valid CSV: {text}", text=error)
        raise at_line(name, reader.line_num, message) from None
    return rows


def _wrong_count(name: str, misfits: Rows, width: int) -> FieldError:
    """Return the error of rows with another number of cells than the header."""
    line, cells = misfits[0]
    hint: str = ""
    if len(cells) > width:
        hint = Message("; write 0.5 where a number has a decimal comma")
    elif not any(re.match(r"\W*\d", cell) for cell in cells):
        hint = Message(
            "; if {text} is no row of the table, remove it or begin it with #",
            text=as_written(" ".join(cells)),
        )
    others = Message("; further such lines: {lines}", lines=listed(line for line, _ in misfits[1:]))
    return at_line(
        name,
        line,
        Message(
            "the number of cells is {count}, in the header {expected}{hint}{more}",
            count=len(cells),
            expected=width,
            hint=hint,
            more=others if len(misfits) > 1 else "",
        ),
    )


def listed(lines: Iterable[int]) -> str:
    """Return the numbers of lines, the first few of many."""
    numbers = list(lines)
    more = f", ... ({len(numbers)})" if len(numbers) > MOST_LISTED else ""
    return ", ".join(map(str, numbers[:MOST_LISTED])) + more
