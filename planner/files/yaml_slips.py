"""Slips in YAML text, in words: tabs, full-width marks, missing spaces, quotes that stay open.

`mended` is for a text that cannot be parsed. It names every line whose slip it recognises, and
returns the text as it was meant, line by line, so that the rest of the file can be checked too.
What it does not recognise is told in words where the parser stops.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import yaml

from planner.message import Message

Slips = list[tuple[int, Message]]
"""Lines, from 1, and what is wrong with each."""
Parse = Callable[[str], object]

MOST_MENDS = 100  # of lines that only the parser's complaint gives away
MOST_CHARACTERS = 1_000_000  # of a text in which such lines are looked for
TAB_WIDTHS = (2, 4, 8)
KEY = r"[A-Za-z_][\w.-]*"
_LINE = rf"^(?P<before>\s*(?:- +)*)(?P<key>{KEY})"
_VALUE = (
    rf"^(?P<before>\s*(?:- +)*(?:{KEY}\s*:\s+|(?<=- )))(?P<value>[^\s\"'\[{{|>&#].*?)"
    r"(?P<after>\s*(?:\s#.*)?)$"
)
_BLOCK_TEXT = re.compile(r"(?:^|[:\-]\s+)[|>][-+0-9]*\s*(?:#.*)?$")

_TAB = Message("is indented with a tab, which YAML does not allow; write spaces")
_SPACE = Message("is indented with a wide or hard space; write ordinary ones")
_OPEN_QUOTE = Message("a quote is opened and not closed; close it on the same line")
ESCAPE = Message(
    "has \\ in double quotes, which begins an escape; write / between folders, or single quotes"
)
_DECIMAL_COMMA = Message("a comma ends a value, and a number stands alone; write 1.5, not 1,5")
_FENCE = Message("``` is no part of the scenario; leave this line out")


def _colon(key: str) -> Message:
    return Message(
        "has a full-width colon after {name}; write `{name}: ` with an ordinary colon", name=key
    )


def _comma(_: str) -> Message:
    return Message("has a full-width comma; write an ordinary one")


def _spaced(key: str) -> Message:
    return Message("needs a space after the colon: write `{name}: `", name=key)


def _equals(key: str) -> Message:
    return Message("is written with =; write `{name}: ` with a colon", name=key)


# In every line of a text that cannot be parsed: pattern, what was meant, and the message by key.
CERTAIN: tuple[tuple[re.Pattern[str], str, Callable[[str], Message]], ...] = (
    (re.compile(r"^(?P<key>```).*$"), "", lambda _: _FENCE),
    (re.compile(rf"{_LINE}\s*：\s*"), r"\g<before>\g<key>: ", _colon),
    (re.compile(rf"(?P<before>[{{,，]\s*)(?P<key>{KEY})\s*：\s*"), r"\g<before>\g<key>: ", _colon),
    (re.compile(rf"(?P<key>)，(?=\s*(?:{KEY}\s*:|[-+.\d\"'{{\[]))"), ", ", _comma),
    (re.compile(rf"{_LINE}:(?=[^\s:/\\])"), r"\g<before>\g<key>: ", _spaced),
    (re.compile(rf"{_LINE}\s*=\s*(?=[^\s=])"), r"\g<before>\g<key>: ", _equals),
)  # fmt: skip


def mended(text: str, parse: Parse) -> tuple[str, Slips, yaml.YAMLError | None]:
    """Return a text that cannot be parsed as it was meant, its slips, and what remains.

    Args:
        text: what raises the error.
        parse: raises yaml.YAMLError.

    Returns:
        the text, line by line as before; lines and messages; the error that is left, if any.
    """
    lines, slips = _certain(text.split("\n"))
    error = _error(lines, parse)
    for _ in range(MOST_MENDS):
        if error is None or len(text) > MOST_CHARACTERS:
            break
        for line, meant, message in _guesses(lines, error):
            changed = [*lines[: line - 1], meant, *lines[line:]]
            left = _error(changed, parse)
            if left is None or line_of(left) > line_of(error):
                lines, error = changed, left
                slips.append((line, message))
                break
        else:
            break
    return "\n".join(lines), slips, error


def _error(lines: list[str], parse: Parse) -> yaml.YAMLError | None:
    try:
        parse("\n".join(lines))
    except yaml.YAMLError as error:
        return error
    return None


def _certain(lines: list[str]) -> tuple[list[str], Slips]:
    """Return lines with the slips mended that can be nothing else, and their messages."""
    lines, slips, block_width = list(lines), Slips(), None
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        indent = line[: len(line) - len(line.lstrip())]
        if indent.strip(" "):
            slips.append((i + 1, _TAB if "\t" in indent else _SPACE))
            line = " " * _width(indent, lines[:i]) + line.lstrip()
        if block_width is None or _column(line) <= block_width:
            block_width = _column(line) if _BLOCK_TEXT.search(line) else None
            for pattern, meant, message in CERTAIN:
                if (match := _unquoted(pattern, line)) is not None:
                    slips.append((i + 1, message(match["key"])))
                while match is not None:
                    line = line[: match.start()] + match.expand(meant) + line[match.end() :]
                    match = _unquoted(pattern, line)
        lines[i] = line
    return lines, slips


def _column(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _width(indent: str, above: list[str]) -> int:
    """Return how many spaces an indentation with tabs or wide spaces stands for."""
    if "\t" not in indent:
        return len(indent)
    widths = [len(indent.expandtabs(width)) for width in TAB_WIDTHS]
    above = [line for line in above if line.strip()]
    last = above[-1] if above else ""
    if last.rstrip().endswith(":"):
        return next((width for width in widths if width > _column(last)), widths[0])
    columns = [_column(last), *map(_column, above)]
    return next((column for column in columns if column in widths), widths[0])


def _unquoted(pattern: re.Pattern[str], line: str) -> re.Match[str] | None:
    """Return the first match of a pattern outside quotes and comments."""
    for match in pattern.finditer(line):
        before = line[: match.start()]
        quoted = before.count('"') % 2 or before.count("'") % 2
        if not quoted and not re.search(r"(^|\s)#", before):
            return match
    return None


def line_of(error: yaml.YAMLError) -> int:
    """Return the line that a parser complains about: where a key or bracket began, if it says so.

    A text without a colon, a quote or a bracket is noticed only where something else follows.
    """
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", ""))
    began = ("could not find expected ':'", "unexpected end of stream", "expected ',' or")
    if context is not None and any(words in problem for words in began):
        mark = context
    return 0 if mark is None else int(mark.line) + 1


def _guesses(lines: list[str], error: yaml.YAMLError) -> Iterator[tuple[int, str, Message]]:
    """Yield lines as they may have been meant where a parser complains, with their messages."""
    number, problem = line_of(error), str(getattr(error, "problem", ""))
    if not 0 < number <= len(lines):
        return
    line = lines[number - 1]
    if _is_escape(problem):
        meant = re.sub(r'"[^"]*"', lambda match: match[0].replace("\\", "/"), line)
        yield number, meant, ESCAPE
    if closing := next((mark for mark in "]}" if f"or '{mark}'" in problem), None):
        missing = line.count("[{"["]}".index(closing)]) > line.count(closing)
        end = re.search(r"\s*(\s#.*)?$", line)
        if missing and end is not None:
            meant = f"{line[: end.start()].rstrip(',')}{closing}{end[0]}"
            yield number, meant, Message("{text} is missing at its end", text=closing)
    for other in range(number, 0, -1):
        if meant := _closed(lines[other - 1]):
            yield other, meant, _OPEN_QUOTE
    if match := re.match(_VALUE, line):
        value = match["value"].replace("'", "''")
        quoted = f"{match['before']}'{value}'{match['after']}"
        if value[0] in "*@`%":
            message = Message("a text that begins with {text} needs quotes", text=value[0])
            yield number, quoted, message
        elif re.search(r":(\s|$)", value):
            yield (
                number,
                quoted,
                Message(
                    "a text that holds a colon and a space needs quotes, or a line is indented too"
                    " far"
                ),
            )
    for other in (number, number - 1):
        if other and (match := re.match(rf"{_LINE}\s+(?P<value>[^\s:#].*)$", lines[other - 1])):
            yield (
                other,
                f"{match['before']}{match['key']}: {match['value']}",
                Message("needs a colon after {name}: write `{name}: ...`", name=match["key"]),
            )
    yield from _indented(lines, number)


def _is_escape(problem: str) -> bool:
    return any(word in problem for word in ("escape", "hexdecimal", "hexadecimal"))


def _closed(line: str) -> str:
    """Return a line with the quote closed that it leaves open; nothing where it leaves none."""
    opened = ""
    for i, mark in enumerate(line):
        if mark == opened:
            opened = ""
        elif not opened and mark in "\"'" and (i == 0 or line[i - 1] in " [{,:("):
            opened = mark
    if not opened:
        return ""
    end = re.search(r"[\]}]+\s*$|\s+#.*$|$", line)
    return line if end is None else f"{line[: end.start()]}{opened}{end[0]}"


def _indented(lines: list[str], number: int) -> Iterator[tuple[int, str, Message]]:
    """Yield a line as if it began in the column of a line above it, that just above first."""
    line, above = lines[number - 1], [_column(one) for one in lines[: number - 1] if one.strip()]
    others = sorted({*above}, key=lambda column: (column != above[-1], abs(column - _column(line))))
    for column in others:
        if column != _column(line):
            yield (
                number,
                " " * column + line.lstrip(" "),
                Message(
                    "begins in column {column}, where nothing above begins; fields of the same"
                    " mapping begin in the same column, here perhaps {other}",
                    column=_column(line) + 1,
                    other=column + 1,
                ),
            )


_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}")


def parted(before: object, after: str) -> tuple[str, Message]:
    """Return the number that a comma has cut in two, as it was most likely meant, and the slip."""
    text, point = str(before), f"{before}.{after}"
    if len(after) == 3 and _THOUSANDS.fullmatch(text):
        message = Message(
            "a comma ends a value, and a number stands alone; write {text} or {other}, without a"
            " comma",
            text=text + after,
            other=point,
        )
        return text + after, message
    return point, _DECIMAL_COMMA


class KeySlip(NamedTuple):
    """A key that is not what was meant: the message, and the key and value that were.

    Without a key the value is the decimal places of the one before.
    """

    message: Message
    key: str | None
    value: str = ""


def slip_of_key(text: str, *, alone: bool) -> KeySlip | None:
    """Return the slip in a key, if it has one; `alone`: without a value, as in {a:1}."""
    key = text.strip("\u00a0\u2003\u3000")
    if key != text:
        return KeySlip(_SPACE, key)
    if alone and re.fullmatch(r"\d+", text):
        return KeySlip(_DECIMAL_COMMA, None, text)
    match = re.fullmatch(rf"({KEY})\s*([：:=])\s*(\S.*)", text) if alone else None
    if match is None:
        return None
    message = {"：": _colon, ":": _spaced, "=": _equals}[match[2]]
    return KeySlip(message(match[1]), match[1], match[3])


# What the parser says, and how to say it; the first that occurs.
IN_WORDS: tuple[tuple[str, Message], ...] = (
    ("tab character", _TAB),
    ("expected ',' or ']'", Message(
        "a [ is opened and not closed, or a comma is missing after it"
    )),
    ("expected ',' or '}'", Message(
        "a {{ is opened and not closed, or a comma is missing after it"
    )),
    ("scanning a quoted scalar", _OPEN_QUOTE),
    ("expected ':'", Message("is no field: a field is written `name: value`")),
    ("mapping values are not allowed", Message(
        "is indented too far, or holds a second colon: a text with a colon and a space needs quotes"
    )),
    ("expected key", Message(
        "is not indented as the lines above it: fields of the same mapping begin in the same column"
    )),
    ("'-' indicator", Message(
        "is not indented as the lines above it: entries of a list begin with `- ` in the same"
        " column"
    )),
    ("block sequence entries", Message("a list begins on a line of its own, below its name")),
    ("escape", ESCAPE),
    ("hexdecimal", ESCAPE),  # as libyaml spells it
    ("hexadecimal", ESCAPE),
    ("cannot start any token", Message(
        "begins with a mark that YAML keeps for itself; use quotes"
    )),
    ("undefined alias", Message("a text that begins with * needs quotes")),
    ("single document", Message("holds `---`, which begins a second document; leave it out")),
    ("document start", Message("is not part of the mapping above it; mind its indentation")),
    ("end of stream", Message("ends within brackets or quotes that are not closed")),
    ("control characters", Message("holds a control character, which no text file may hold")),
)  # fmt: skip


def in_words(error: yaml.YAMLError) -> Message:
    """Return what a parser complains about as people say it."""
    parts = [getattr(error, name, None) for name in ("context", "problem", "reason")]
    text = ", ".join(filter(None, parts))
    words = next((message for part, message in IN_WORDS if part in text), None)
    return words or Message("is not valid YAML: {text}", text=text)
