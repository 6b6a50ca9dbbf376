"""Layouts of files that are no table of times yet: what they look like, and what to write instead.

The layouts are those of exports of markets, weather services and spreadsheets. What is recognised
becomes a hint at the end of an error; nothing is read otherwise because of it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from planner.errors import as_written, did_you_mean
from planner.message import Message, MessageList

Rows = Sequence[tuple[int, list[str]]]

MAX_NAMED = 200  # letters of a header, as messages name it
MOST_AREAS = 5  # that a message names
LONGEST_TIME = 100  # letters
MOST_ABOVE = 100  # lines that may stand above a header

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_DATE = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|\d{4}年\d{1,2}月\d{1,2}日|\d{8})"
)
_ISO = re.compile(
    r"\d{4}([-/.])\d{1,2}\1\d{1,2}[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?([+-]\d{2}:?\d{2}|Z)?"
)
_DATED = re.compile(rf"{_DATE}(?!\d)")
_CLOCK_ONLY = re.compile(rf"(?:{_CLOCK}|[HhＨ]\d{{1,2}})(?:\s*[-–~]\s*{_CLOCK})?")
_INTERVAL = re.compile(rf"(.*{_CLOCK}.*?)(?:\s+(?:-|–|to|bis)\s+|/)(.*\d.*)")
_NUMBER = re.compile(r"[-+−.]?\d")
_PARTS = re.compile(r"(?i)\s*(year|month|day|hour|minute|jahr|monat|tag|stunde|[年月日时分])\s*")
_HOUR = re.compile(r"(?i).*(hour|hr\b|time|uhrzeit|stunde|period|interval|zeit|时|点|段|刻).*")
COUNTS = {23, 24, 25, 46, 47, 48, 49, 50, 92, 96, 97, 100, 288}  # values of a day
CLOCK_CHANGES = {23, 25, 46, 50, 92, 100}


def other_kind(content: bytes) -> Message | None:
    """Return what a file is and what to do, where its first bytes are those of no CSV."""
    sheet = Message("open it in a spreadsheet and save the sheet as CSV UTF-8")
    kind: str
    if content.startswith(b"PK\3\4"):
        kind, remedy = Message("an Excel workbook or another zip file"), sheet
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        kind, remedy = Message("an old Excel workbook"), sheet
    elif re.match(
        rb"(?i)(\xef\xbb\xbf)?\s*<(!|\?xml|html|head|body|meta|table|div|style)", content
    ):
        kind, remedy = Message("a web page or XML"), sheet
    elif content.startswith(b"\x1f\x8b"):
        kind, remedy = Message("a packed file (gzip)"), Message("unpack it")
    elif content.startswith((b"%PDF", b"PAR1")):
        kind, remedy = Message("a PDF or Parquet file"), Message("export its table as CSV UTF-8")
    elif re.match(rb"(\xef\xbb\xbf)?\s*(\{\s*\"|\[\s*[\[{])", content):
        kind, remedy = "JSON", Message("export its table as CSV UTF-8")
    else:
        return None
    return Message("is {kind}, whatever its name: {remedy}", kind=kind, remedy=remedy)


def no_column(name: str, header: Sequence[str], column: str, more: str = "") -> Message:
    """Return the message of a header that lacks a column."""
    columns = ", ".join(header)
    return Message(
        "{file} has no column {name!r}{hint} (it has {text}){more}",
        file=name,
        name=column,
        hint=did_you_mean(column, header),
        text=columns if len(columns) <= MAX_NAMED else f"{columns[:MAX_NAMED]} ...",
        more=more,
    )


def looks_like(name: str, rows: Rows, column: str, commented: int | None) -> Message:
    """Return the message of a file without a time column: what it looks like and what to write.

    commented: the line of a comment that looks like the header.
    """
    if commented is not None:
        hint = Message("; line {line} seems to be the header: remove its #", line=commented)
        return no_column(name, rows[0][1], column, hint)
    if {cells[0] for _, cells in rows[:50]} <= {"C", "I", "D"}:
        header = next((cells for _, cells in rows if cells[0] == "I"), rows[0][1])
        hint = Message(
            "; its rows are marked C, I and D, as AEMO's are: keep one I row as the header and its"
            " D rows of one region, and call SETTLEMENTDATE `time` (it names the end: `stamp: end`)"
        )
        return no_column(name, header, column, hint)
    at = _header(rows)
    line, header = rows[at]
    data = rows[at + 1 :]
    hints = []
    if len(data) > 1 and not any(_NUMBER.match(cell) for cell in data[0][1]):
        hints.append(Message("; line {line} seems to hold units: remove it or begin it with #",
                             line=data[0][0]))  # fmt: skip
        data = data[1:]
    hints += _hints(header, data)
    if at:
        hints.append(Message(
            "; its header seems to be line {line}: remove the lines above it or begin each with #",
            line=line,
        ))  # fmt: skip
    return no_column(name, header, column, MessageList("", hints))


def _header(rows: Rows) -> int:
    """Return which row seems to be the header: of year, month, day, or that above the times."""
    for i, (_, cells) in enumerate(rows[:MOST_ABOVE]):
        if sum(_PARTS.fullmatch(cell) is not None for cell in cells) > 2:
            return i
    beginning = rows[: 2 * MOST_ABOVE]
    first = next((i for i, (_, cells) in enumerate(beginning) if i and _times_in(cells)), 1)
    times = _times_in(rows[first][1]) if first < len(rows) else []
    named = [i for i in range(first) if times and "".join(rows[i][1][times[0] : times[0] + 1])]
    return named[-1] if named else 0


def _times_in(cells: Sequence[str]) -> list[int]:
    """Return where the cells of a row hold dates, or times of the day."""
    return [i for i, cell in enumerate(cells) if _DATED.search(cell) or _CLOCK_ONLY.match(cell)]


def _hints(header: Sequence[str], rows: Rows) -> Iterator[Message]:
    cells = rows[0][1] if rows else []
    parts = [column for column in header if _PARTS.fullmatch(column)]
    dates = [i for i in _times_in(cells) if i < len(header)]
    by_day = [column for column in header if _is_clock(column)]
    if len(header) - 3 <= len(by_day) and len(by_day) in COUNTS:
        change = Message(", as on a day on which the clock changes")
        yield Message(
            "; it has a row a day, with {count} values from {first!r} to {last!r}{change}: write a"
            " row a step, with its time in a column `time`",
            count=len(by_day),
            first=by_day[0],
            last=by_day[-1],
            change=change if len(by_day) in CLOCK_CHANGES else "",
        )
    elif len(parts) > 2:
        yield _spread(parts)
    elif dates and not _has_clock(cells[dates[0]]) and (hours := _hours(header, cells, dates[0])):
        yield _spread([header[dates[0]], hours])
    elif dates and dates[0] in _times_in(header):
        yield Message("; it has no header: write one above its rows, such as `time,price`")
    elif dates:
        text = cells[dates[0]]
        form = rewritten(text) or "yyyy-mm-dd hh:mm"
        yield Message(
            "; column {column!r} has times such as {text}: call it `time`{form}",
            column=header[dates[0]],
            text=as_written(text),
            form="" if _ISO.fullmatch(text) else Message(", and write {text}", text=form),
        )
        alike = [row for _, row in rows if row[dates[0] : dates[0] + 1] == [text]]
        if len(alike) > 1 and (areas := several(header, alike)):
            yield areas
    elif len(_times_in(header)) > 2:
        yield Message("; its times stand in a row: turn the table, so that each has a row")


def _spread(columns: Sequence[str]) -> Message:
    return Message(
        "; its times are spread over {names}: join them in a column `time`, such as"
        " 2026-07-15 14:00",
        names=", ".join(columns),
    )


def _is_clock(column: str) -> bool:
    number = re.fullmatch(
        r"(?i)\s*(?:h|hour|hr|he|p|v|点|时段)?\s*0*(\d{1,3})\s*[时点hH]?\s*", column
    )
    return bool(_CLOCK_ONLY.fullmatch(column)) or (number is not None and int(number[1]) <= 288)


def _hours(header: Sequence[str], cells: Sequence[str], date: int) -> str:
    """Return the column with the time of the day that belongs to a date; empty where none is."""
    for i, (column, cell) in enumerate(zip(header, cells, strict=False)):
        hour = _HOUR.fullmatch(column) and re.fullmatch(r"\d{1,2}", cell)
        if i != date and (_CLOCK_ONLY.fullmatch(cell) or hour):
            return column
    return ""


def _has_clock(text: str) -> bool:
    return re.search(r"\d:\d\d|T\d|\d{8}\D?\d{4}", text) is not None


def several(header: Sequence[str], alike: Sequence[Sequence[str]]) -> Message | None:
    """Return a hint on rows of the same time that are of several areas, products or sequences."""
    names, values = [], []
    for i, column in enumerate(header):
        texts = list(dict.fromkeys(row[i] for row in alike if i < len(row)))
        if len(texts) > 1 and not any(map(_NUMBER.match, texts)):
            names.append(repr(column))
            values += [repr(text) for text in texts]
    if not names:
        return None
    more = Message(" and {count} more", count=len(values) - MOST_AREAS)
    return Message(
        "; the file holds several {columns} ({names}{more}): keep the rows of one",
        columns=", ".join(names),
        names=", ".join(values[:MOST_AREAS]),
        more=more if len(values) > MOST_AREAS else "",
    )


def rewritten(text: str) -> str:
    """Return a time in the form that files need, where it can only mean one; else empty."""
    if match := re.fullmatch(r"(\d{4})(\d\d)(\d\d)\D?(\d\d)(\d\d)", text):  # PVGIS
        return f"{match[1]}-{match[2]}-{match[3]} {match[4]}:{match[5]}"
    if match := re.fullmatch(r"(\d{4})年(\d{1,2})月(\d{1,2})日\s*(\d{1,2})[:时点](\d\d)?分?", text):
        year, month, day, hour, minute = (int(part or 0) for part in match.groups())
        return f"{year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}"
    half = r"(?i)(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})[ T](\d{1,2})(:\d\d)(?::\d\d)?\s*([ap])\.?m\.?"
    if match := re.fullmatch(half, text):
        hour = int(match[2]) % 12 + (12 if match[4].lower() == "p" else 0)
        return f"{match[1]} {hour:02d}{match[3]}"
    if re.fullmatch(r"\d{10}|\d{13}", text):
        seconds = int(text[:10])
        return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%MZ}"
    return ""


def time_hint(text: str) -> str:
    """Return how to correct a text that is no time; empty where it looks like nothing known."""
    if len(text) > LONGEST_TIME:
        return ""
    if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", text):
        return Message("; this is Excel's day number: format the column as yyyy-mm-dd hh:mm")
    if form := rewritten(text):
        if text.isdigit() and len(text) in (10, 13):
            return Message("; it seems to count seconds from 1970: write {text}", text=form)
        return Message("; write {text}", text=form)
    if _INTERVAL.fullmatch(text):
        return Message("; this is an interval: write its start alone, as yyyy-mm-dd hh:mm")
    if re.match(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}\b", text):
        return Message("; day or month first is ambiguous: format the column as yyyy-mm-dd hh:mm")
    if _CLOCK_ONLY.fullmatch(text) or re.fullmatch(r"\d{1,2}", text):
        return Message("; it has no date: write date and time in one cell")
    if match := re.fullmatch(rf"({_DATE}.*{_CLOCK})\s*([A-Za-z]+(?:/\w+)?)", text):
        return Message(
            "; {zone} names no offset: write it as +08:00 at the end, or leave it out where it is"
            " that of the horizon",
            zone=match[2],
        )
    if not re.search(r"\d", text):
        return Message("; a row that is no step, such as one of units or a total, must go or begin"
                       " with #")  # fmt: skip
    return ""


def may_change_clock(year: int, month: int, day: int, hour: int) -> bool:
    """Return whether clocks are changed then somewhere: on Sundays at night in spring or autumn."""
    return month in (3, 4, 9, 10, 11) and hour <= 3 and dt.date(year, month, day).weekday() == 6


def clock_hint() -> Message:
    """Return how to write the day on which the clock changes."""
    return Message(
        "; this looks like the day on which the clock changes: give the times their offset, such as"
        " +02:00 and +01:00, or name the clock, such as `horizon.timezone: Europe/Berlin`"
    )
