"""What a refused value was probably meant to be: how to write it, and the value, where it is clear.

Each remedy goes by the rule that was broken and the value as it was written: a number in quotes or
with its unit, a decimal comma, full-width characters, yes and no, a list where one number is asked
for. What only a field knows, such as where generation belongs, is in `Frozen.remedies`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from planner.fields import is_number
from planner.files.yaml_document import scalar
from planner.message import Message
from planner.timeseries.csv_numbers import in_ascii
from planner.units import in_currency, unit

UNCLEAR = object()
"""The meant value where only the author of a file knows it."""

NUMBERS = {"float_type", "int_type", "int_from_float", "finite_number"}
TOO_LARGE = {"less_than_equal", "less_than"}
_MARKS = str.maketrans("“”‘’【】", "\"\"''[]")
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_PREFIXES = {"W": 1.0, "kW": 1e3, "MW": 1e6, "GW": 1e9}
_TIMES = {"s": 1.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86400.0}
_YES = {"yes": True, "on": True, "y": True, "true": True, "是": True, "1": True}
_NO = {"no": False, "off": False, "n": False, "false": False, "否": False, "0": False}
_NONE = {"none", "null", "nil", "n/a", "na", "-", "free", "unlimited", "inf", "infinity", "max",
         "无", "不限"}  # fmt: skip


class Remedy(NamedTuple):
    """How to write what was meant, and the value that was."""

    message: Message
    value: Any = UNCLEAR


def remedy(kind: str, value: Any, field: str, limits: Mapping[str, Any]) -> Remedy | None:
    """Return what to write for a refused value; None where there is nothing to add to the rule.

    Args:
        kind: of the error, as the library that validates names it.
        value: as it was written.
        field: the name of its field, which ends in a unit.
        limits: what the rule is made of.
    """
    if kind in NUMBERS:
        return _number(value, field, whole=kind.startswith("int"))
    if kind in TOO_LARGE and is_number(value):
        return _share(float(value), limits)
    if kind == "bool_type":
        word = str(value).strip().lower()
        meant = (_YES | _NO).get(word)
        return None if meant is None else _write(meant)
    if kind == "string_type" and value is not None and not isinstance(value, dict | list):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return Remedy(Message("write {text} in quotes", text=f"'{text}'"), text)
    if kind == "literal_error":
        return _word(value, limits["expected"])
    if kind == "string_pattern_mismatch" and isinstance(value, str):
        return _name_or_month(value, limits["pattern"])
    if kind == "tuple_type" and (isinstance(value, str | dict) or is_number(value)) and value:
        return _listed(value)
    return None


def _write(value: Any) -> Remedy:
    text = f"{value:.12g}" if is_number(value) else str(value)
    return Remedy(Message("write {text}", text=text.lower()), value)


def _number(value: Any, field: str, *, whole: bool) -> Remedy | None:
    if isinstance(value, float) and whole and value == value // 1:
        return _write(int(value))
    if isinstance(value, float) and abs(value) == float("inf"):
        return Remedy(Message("leave out what has no limit, or write a large number"))
    if isinstance(value, list):
        if len(value) == 1 and is_number(value[0]):
            return Remedy(
                Message("write the number without brackets: {text}", text=value[0]), value[0]
            )
        return Remedy(Message("it is one number, the same in every step"))
    if isinstance(value, dict):
        return Remedy(Message("it is one number, the same in every step")) if value else None
    return _text(value, field) if isinstance(value, str) else None


def _text(value: str, field: str) -> Remedy | None:
    """Return the number that a text was meant to be."""
    plain = in_ascii(value.translate(_MARKS)).strip().strip("\"'").strip()
    if plain.lower() in _NONE:
        return Remedy(Message("leave the field out where it has no value"))
    if is_number(number := scalar(plain)) and abs(number) < float("inf"):
        if plain == value.strip():
            return Remedy(Message("write {text} without quotes", text=plain), number)
        return Remedy(Message("write {text}, without other marks", text=plain), number)
    if re.fullmatch(r"[-+]?\d+,\d+", plain):
        point, whole = plain.replace(",", "."), plain.replace(",", "")
        if re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", plain):
            return Remedy(
                Message("write {text} or {other}, without a comma", text=whole, other=point)
            )
        return Remedy(Message("write {text}, with a point", text=point), scalar(point))
    if re.fullmatch(r"[-+]?\d{1,3}(?:[ ,_']\d{3})+(?:\.\d+)?", plain):
        digits = re.sub(r"[ ,_']", "", plain)
        return Remedy(Message("write {text}, without marks between digits", text=digits),
                      scalar(digits))  # fmt: skip
    if re.fullmatch(rf"{_NUMBER}(?:\s*[,;]\s*{_NUMBER})+", plain) or re.fullmatch(
        rf"{_NUMBER}(?:\s+-?{_NUMBER})+", plain
    ):
        numbers = re.findall(_NUMBER, plain)
        return Remedy(
            Message("write a list as [{numbers}], or each value on a line of its own after `- `",
                    numbers=", ".join(numbers[:3]) + (", ..." if len(numbers) > 3 else ""))
        )  # fmt: skip
    if match := re.fullmatch(rf"({_NUMBER})\s*([^\d\s].*)", plain):
        return _with_unit(float(match[1]), unicodedata.normalize("NFKC", match[2].strip()), field)
    return None


def _with_unit(number: float, written: str, field: str) -> Remedy | None:
    """Return the number in the unit of its field, from a number with a unit."""
    own = unit(field)
    if written == "%":
        share = own in (None, "0..1")
        return _write(number / 100) if share else None
    if own is None:
        return Remedy(Message("write {text}, without a unit", text=f"{number:.12g}"), number)
    for base, scales in (("h", _PREFIXES), ("", _PREFIXES), ("", _TIMES)):
        sizes = {f"{name}{base}".lower(): size for name, size in scales.items()}
        if own.lower() in sizes and written.lower() in sizes:
            factor = sizes[written.lower()] / sizes[own.lower()]
            return Remedy(
                Message("write {text}: the unit, {unit}, is part of the name",
                        text=f"{number * factor:.12g}", unit=own),
                number * factor,
            )  # fmt: skip
    if written.lower() == own.lower():
        return Remedy(
            Message("write {text}: the unit, {unit}, is part of the name",
                    text=f"{number:.12g}", unit=own),
            number,
        )  # fmt: skip
    own = in_currency(own, "`currency`")  # whichever the file has
    return Remedy(Message("write the number alone, in {unit}", unit=own))


def _share(value: float, limits: Mapping[str, Any]) -> Remedy | None:
    """Return the share that a percentage was meant to be."""
    if limits.get("le", limits.get("lt")) != 1 or not 1 < value <= 100:
        return None
    return Remedy(
        Message("for {percent:g} % write {text}", percent=value, text=f"{value / 100:.12g}"),
        value / 100,
    )


def _word(value: Any, expected: str) -> Remedy | None:
    """Return the word or number that one not among those expected was meant to be."""
    known = [scalar(part.strip("'")) for part in re.split(", | or ", expected)]
    words = {str(word).lower(): word for word in known}
    word = str(value).strip().lower()
    if word not in words and is_number(scalar(word)):
        return None
    close = get_close_matches(word.replace("-", "_").replace(" ", "_"), list(words), 1)
    if not close:
        return None
    if is_number(words[close[0]]) and isinstance(value, str):
        return Remedy(Message("write {text} without quotes", text=value), words[close[0]])
    return _write(words[close[0]])


def _name_or_month(value: str, pattern: str) -> Remedy | None:
    """Return the name in small letters, or the month with two digits, that was meant."""
    if match := re.fullmatch(r"(\d{4})[-/.年]?(\d{1,2})月?", value.strip()):
        meant = f"{match[1]}-{int(match[2]):02}"
    else:
        plain = unicodedata.normalize("NFKC", value).strip().lower()
        meant = re.sub(r"[^a-z0-9_]+", "_", plain).strip("_")
    return _write(meant) if meant != value and re.match(pattern, meant) else None


_MOMENT = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?"
    r"(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(Z|[-+]\d{2}:?\d{2})?)?"
)


def time_meant(value: Any, field: str, zone: ZoneInfo | None) -> Remedy | None:
    """Return the date or time that a text was meant to be, as files have them.

    `zone` is that whose clock `horizon.start` follows; None where it is not named.
    """
    match = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    text = f"{year}-{int(month):02}-{int(day):02}"
    if field == "start":
        text += f"T{int(hour or 0):02}:{minute or '00'}:{second or '00'}{offset or '+08:00'}"
    elif hour is not None:
        text += f" {int(hour):02}:{minute}"
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if text == value:
        return None
    if field == "start" and offset is None and zone is not None:
        by_clock = moment.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone).isoformat()
        message = Message("for the clock of {zone} write {text}", zone=zone.key, text=by_clock)
        return Remedy(message, by_clock)
    if field == "start" and offset is None:
        return Remedy(Message("for the time of China write {text}", text=text), text)
    return Remedy(Message("write {text}", text=text), text)


def _listed(value: Any) -> Remedy | None:
    if isinstance(value, dict):
        return Remedy(Message("write it as an entry of a list, after `- `"), [value])
    parts = re.split(r"\s*[,，、;]\s*", value) if isinstance(value, str) else [value]
    text = ", ".join(str(part) for part in parts)
    return Remedy(Message("write [{text}]", text=text), [scalar(str(part)) for part in parts])
