"""Mutants of the shipped scenarios and of the full site, each made from its number alone."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from planner.files.yaml_document import parse_yaml
from tests.support.full_site import CSV, GOOD

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"

Files = dict[str, bytes]
Key = tuple[Any, ...]

NUMBERS: list[Any] = [
    0, -1, 1, -0.0, 0.5, 1e-12, 1e-9, 1e-6, 1e3, 1e6, 1e9, 1e12, -1e12, 1.1e12, 1e300, -1e300,
    1e-300, float("nan"), float("inf"), float("-inf"), 10**25, 2**63, True, False,
]  # fmt: skip
TEXTS: list[Any] = [
    "", " ", "on", "no", "null", "~", "NaN", "1,5", "1.5 MW", "5%", "1e3", "0x10", "x" * 3000,
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", "[red]x[/]", "[/]", "[bold", "a\\",
    ":bomb:", "<script>alert(1)</script>", "&amp;", "淮南",
    "e\u0301", "a\u202eb", "\x1b[31m", "a\nb", "a\tb",
    "\x00", "\ufeff", "../../etc/passwd", "/dev/zero", "data", "2026-07-15", "24:00", "9-11",
    "2026-02-30T00:00:00+08:00", "site", "grid", "renewable", "same_as_start", "'", '"', "{", "%s",
    "{0}", "{x}", "a.b", "a[0]", "=constant", "components.pv", "2026/7/15 1:00", "15/07/2026 01:00",
    "46218.04", "now", "2026-07-15T01:00+99:00", "9999-12-31 24:00", "1_000", "１２",
]  # fmt: skip
SHAPES: list[Any] = [
    None, [], {}, [None], [[]], [[1]], [{}], {"": 1}, {"x": None}, {"scale": 2}, {"csv": 5},
    {"csv": "data/site.csv", "column": "pv_pu"}, {"csv": "data/site.csv", "column": "time"},
    {"csv": "none.csv", "column": "x"}, {"csv": "data/site.csv", "column": "pv_pu", "scale": 1e9},
    {"hours": [1] * 24}, {"hours": [1] * 23}, {"calendar": [{"value": 5}]}, {"calendar": []},
    {"calendar": [{"value": 1, "hours": ["2-9"]}]}, {"renewable": 1, "thermal": 2, "grid": 3},
    {"renewable": 5}, [1] * 6, [5] * 12, list(range(12)), {"at_least_mwh": 5}, "same_as_start",
    {"value_cny_per_mwh": 300}, {"temperature_c": 20, "points": []}, {"2026-07": 5},
]  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp037")
UNITS = ("_mw", "_mwh", "_h", "_min", "_pu", "_share", "_cny", "_kw", "_cny_per_mwh", "_mw_per_h")


def _huainan() -> Files:
    """The Huainan site cut to six hours, with the rows of its two days."""
    folder = SCENARIOS / "huainan"
    text = (folder / "scenario.yaml").read_text(encoding="utf-8").replace("hours: 48", "hours: 6")
    header, *rows = (folder / "data" / "site.csv").read_text(encoding="utf-8").splitlines()
    near = [row for row in rows if row.startswith("2026-07-1")]
    return {
        "scenario.yaml": text.encode(),
        "data/site.csv": "\n".join((header, *near, "")).encode(),
    }


@cache
def bases() -> list[Files]:
    """The scenarios that mutants are made of."""
    tiny = [
        {"scenario.yaml": (folder / "scenario.yaml").read_bytes()}
        for folder in sorted(SCENARIOS.glob("tiny_*"))
    ]
    full = {"scenario.yaml": GOOD.encode(), "data/site.csv": CSV.encode()}
    return [*tiny, full, full, full, _huainan(), _huainan()]


def mutant(number: int) -> Files:
    """Return the files of one mutant."""
    rnd = random.Random(number)
    files = dict(rnd.choice(bases()))
    for _ in range(rnd.choice((1, 1, 1, 1, 2, 2, 3))):
        kind = rnd.random()
        if kind < 0.8:
            files["scenario.yaml"] = _in_data(files["scenario.yaml"], rnd)
        elif kind < 0.9 or "data/site.csv" not in files:
            files["scenario.yaml"] = _in_text(files["scenario.yaml"], rnd)
        else:
            files["data/site.csv"] = _in_table(files["data/site.csv"], rnd)
    return files


# ---- the scenario as data


def _in_data(content: bytes, rnd: random.Random) -> bytes:
    try:
        data = parse_yaml(content.decode(), "mutant").data
    except Exception:
        return content  # an earlier mutation broke the text
    try:
        rnd.choice(DATA)(data, rnd)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return content  # nothing there to mutate in this way
    flow = rnd.choice((True, False, None))
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, default_flow_style=flow)
    return text.encode(errors="replace")


def _places(data: Any, path: Key = ()) -> Iterator[Key]:
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _holder(data: Any, path: Key) -> Any:
    for key in path[:-1]:
        data = data[key]
    return data


def _any(data: Any, rnd: random.Random, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
    """Return a mapping or list and a key in it whose value is wanted."""
    found = [(_holder(data, path), path[-1]) for path in _places(data)]
    return rnd.choice([(held, key) for held, key in found if wanted(held[key])])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _junk(rnd: random.Random) -> Any:
    return copy.deepcopy(rnd.choice(rnd.choice((NUMBERS, TEXTS, SHAPES))))


def _replace(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd)
    held[key] = _junk(rnd)


def _extreme(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd, _is_number)
    held[key] = rnd.choice(NUMBERS)


def _scale(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd, _is_number)
    held[key] *= rnd.choice((-1, 0.5, 0.999999, 1.000001, 2, 3, 10.0 ** rnd.randint(-9, 9)))


def _nudge(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd, _is_number)
    held[key] += rnd.choice((-1, 1, 0.5, 1e-9, 0.1))


def _retype(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd)
    wrap = rnd.choice((str, lambda v: [v], lambda v: {"value": v}, lambda v: [v] * 6, bool))
    held[key] = wrap(held[key])


def _delete(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd)
    del held[key]


def _rename(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd)
    unit = next((unit for unit in sorted(UNITS, key=len, reverse=True) if key.endswith(unit)), None)
    new = rnd.choice(TEXTS)
    if unit is not None and rnd.random() < 0.5:
        new = key.removesuffix(unit) + rnd.choice(UNITS)
    elif rnd.random() < 0.5:
        new = rnd.choice([path[-1] for path in _places(data) if isinstance(path[-1], str)])
    held[new] = held.pop(key)


def _swap(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd)
    kind = type(held[key])
    other, place = _any(data, rnd, lambda value: type(value) is kind)
    held[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(held[key])


def _relist(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd, lambda value: isinstance(value, list) and value != [])
    items = held[key]
    change = rnd.randrange(5)
    if change == 0:
        items.reverse()
    elif change == 1:
        rnd.shuffle(items)
    elif change == 2:
        items.pop(rnd.randrange(len(items)))
    elif change == 3:
        items.insert(0, copy.deepcopy(rnd.choice(items)))
    else:
        items *= 2


def _component(data: Any, rnd: random.Random) -> None:
    parts = data["components"]
    name = rnd.choice(list(parts))
    change = rnd.randrange(4)
    if change == 0:
        parts[rnd.choice(("twin", "a", "x" * 200, "b_2", "time", "load", "model", "name"))] = (
            copy.deepcopy(parts[name])
        )
    elif change == 1:
        parts[name]["kind"] = rnd.choice([part["kind"] for part in parts.values()])
    elif change == 2:
        other = parse_yaml(rnd.choice(bases())["scenario.yaml"].decode(), "other").data
        parts |= {f"other_{key}": value for key, value in other["components"].items()}
    else:
        parts[name]["node"] = rnd.choice(("site", "far", "Far", "=x", "time"))


def _horizon(data: Any, rnd: random.Random) -> None:
    change: dict[str, Any] = rnd.choice((
        {"hours": rnd.choice((1, 2, 3, 7, 24, 0.5, 0.25, 25, 26352, 1e9))},
        {"step_min": rnd.choice((5, 10, 15, 20, 30, 60, 45, 0, -5, 1.5))},
        {"step_min": 15, "hours": 1.25},
        {"start": rnd.choice((
            "2026-07-15T23:00:00+08:00", "2026-12-31T22:00:00+08:00", "2199-12-31T23:00:00+14:00",
            "1900-01-01T00:00:00-12:00", "2026-07-15T00:00:00Z", "2026-07-15T00:00:00+05:45",
            "2026-07-15T00:00:00.5+08:00", "2026-02-30T00:00:00Z", "2026-07-15", "0000-01-01T00Z",
        ))},
    ))  # fmt: skip
    data["horizon"] |= change


def _top(data: Any, rnd: random.Random) -> None:
    change: dict[str, Any] = rnd.choice((
        {"trace": False}, {"trace": "no"}, {"solver": {"relax": True}}, {"solver": {"gap": 0}},
        {"solver": {"gap": 0.99, "threads": 256, "seed": 2**31 - 1}}, {"vat": "excluded"},
        {"solver": {"time_limit_s": 1e-9}}, {"holidays": ["2026-07-15"]}, {"name": _junk(rnd)},
        {"workdays": ["2026-07-15", "2026-07-15"]}, {"description": _junk(rnd)},
    ))  # fmt: skip
    data |= change


def _deepen(data: Any, rnd: random.Random) -> None:
    held, key = _any(data, rnd)
    value = held[key]
    for _ in range(rnd.choice((1, 5, 30, 60))):
        value = [value] if rnd.random() < 0.5 else {"x": value}
    held[key] = value


DATA: list[Callable[[Any, random.Random], None]] = [
    _replace, _extreme, _scale, _scale, _scale, _scale, _scale, _scale, _nudge, _nudge, _nudge,
    _nudge, _retype, _delete, _delete, _rename, _swap, _swap, _relist, _relist, _component,
    _component, _horizon, _top, _deepen,
]  # fmt: skip


# ---- the scenario as text


def _in_text(content: bytes, rnd: random.Random) -> bytes:
    text = content.decode(errors="replace")
    lines = text.split("\n")
    at, to = rnd.randrange(len(lines)), rnd.randrange(len(lines))
    change = rnd.randrange(11)
    if change == 0:
        del lines[at]
    elif change == 1:
        lines.insert(to, lines[at])
    elif change == 2:
        lines[at], lines[to] = lines[to], lines[at]
    elif change == 3:
        lines[at] = rnd.choice(("  ", "\t", "-", "#", "- ", "? ", "&a ", "*a ", "!!x ")) + lines[at]
    elif change == 4:
        place = rnd.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:place] + str(rnd.choice(TEXTS)) + lines[at][place:]
    elif change == 5:
        lines = lines[:at]
    elif change == 6:
        return "\r\n".join(lines).encode(rnd.choice(ENCODINGS), errors="replace")
    elif change == 7:
        place = rnd.randrange(len(content) + 1)
        return content[:place] + rnd.randbytes(rnd.choice((1, 2, 50))) + content[place:]
    elif change == 8:
        lines[at] = lines[at] + rnd.choice(
            ("[" * 2000, "{a: " * 2000, "]", "}", ",", ":", "|", ">")
        )
    elif change == 9:
        bomb = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]"]
        bomb += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]" for i in range(1, 9)]
        lines += bomb
    else:
        return b""
    return "\n".join(lines).encode(errors="replace")


# ---- the table


def _in_table(content: bytes, rnd: random.Random) -> bytes:
    text = content.decode(errors="replace")
    rows = [row.split(",") for row in text.split("\n")]
    at, to = rnd.randrange(len(rows)), rnd.randrange(len(rows))
    change = rnd.randrange(12)
    if change <= 3:
        row = rows[0 if change == 0 else at]
        row[rnd.randrange(len(row))] = str(rnd.choice(rnd.choice((TEXTS, NUMBERS))))
    elif change == 4:
        del rows[at]
    elif change == 5:
        rows[at], rows[to] = rows[to], rows[at]
    elif change == 6:
        rows.insert(to, list(rows[at]))
    elif change == 7:
        rows = rows[:at]
    elif change == 8:
        rows[at] = rows[at][:-1] if rnd.random() < 0.5 else [*rows[at], "1"]
    elif change == 9:
        comma = rnd.choice((";", "\t", '","', " "))
        return "\n".join(comma.join(row) for row in rows).encode()
    elif change == 10:
        newline = rnd.choice(("\r\n", "\r", "\n\n", "\0"))
        return newline.join(",".join(row) for row in rows).encode(rnd.choice(ENCODINGS), "replace")
    else:
        place = rnd.randrange(len(content) + 1)
        return content[:place] + rnd.randbytes(rnd.choice((1, 20))) + content[place:]
    return "\n".join(",".join(row) for row in rows).encode(errors="replace")
