"""Pages: one base template for all; whatever comes from outside is escaped when it is filled in.

A page opens without a network, so it carries plotly.js and its figures, both as gzip in base64,
which browsers unpack themselves. plotly.js has 4.8 MB as shipped and 2.0 MB packed. A browser that
cannot unpack shows the page with its tables and a note that it cannot draw the charts.

Figures are JSON that is safe inside a <script> element. Arrays of numbers are written as text or as
base64 of 32-bit floats or small integers, whichever is shorter; both keep seven significant digits.
Missing numbers are null in text and NaN in base64; plotly.js leaves out both.
"""

from __future__ import annotations

import base64
import html
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from planner.files.csv_file import FORMULA
from planner.language.language import Language
from planner.language.section import Quantity, percent, text
from planner.message import Message
from planner.report.charts.chart import Chart
from planner.report.charts.clock import MINUTE_MS, Clock
from planner.report.plan_sections import paragraph
from planner.report.plan_texts import gap_text

GZIP = 16 + zlib.MAX_WBITS
QUICK = 4


def packed(content: bytes, level: int = 6) -> str:
    """Return bytes as gzip in base64; equal bytes give equal texts."""
    pack = zlib.compressobj(level, zlib.DEFLATED, GZIP)
    return base64.b64encode(pack.compress(content) + pack.flush()).decode("ascii")


def packed_json(value: Any) -> str:
    """Return plain data packed as JSON."""
    return packed(_json(value).encode())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@cache
def packed_plotly() -> str:
    """Return plotly.js packed, once for all pages of a process, without importing Plotly."""
    script = files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    return packed(script, QUICK)


DIGITS = 7  # of a 32-bit float
SHORTEST = 24  # arrays of fewer numbers are always text
# Characters that would end a script element or a line of JavaScript.
UNSAFE = {
    "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"
}  # fmt: skip


def encoded(figure: dict[str, Any]) -> str:
    """Return a figure, plain values and NumPy arrays, as JSON safe inside a <script> element."""
    written = _json(_plain(figure))
    for character, escape in UNSAFE.items():  # JSON has them in strings only
        written = written.replace(character, escape)
    return written


def _plain(value: Any) -> Any:
    """Return a value in the types of JSON."""
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if not isinstance(value, float | np.floating):
        return value
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _array(values: np.ndarray) -> Any:
    listed = _plain(values.tolist())
    if values.size < SHORTEST or values.dtype.kind not in "fiu":
        return listed
    packed = _packed(values)
    return listed if len(_json(listed)) <= len(packed["bdata"]) + 40 else packed


def _packed(values: np.ndarray) -> dict[str, Any]:
    """Return an array as plotly.js reads typed ones: little-endian bytes in base64."""
    whole = np.isfinite(values).all() and (values == np.round(values)).all()
    largest = float(np.abs(values).max()) if whole else np.inf
    kind = "i1" if largest < 128 else "i2" if largest < 32_768 else "f4"
    data = np.ascontiguousarray(values.astype(f"<{kind}"))
    packed = {"dtype": kind, "bdata": base64.b64encode(data.tobytes()).decode("ascii")}
    if values.ndim > 1:
        packed["shape"] = ", ".join(map(str, values.shape))
    return packed


TEMPLATES = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
)
MOST_ROWS = 96  # of a table on a page: a day of quarter hours


def fill(
    name: str, words: Language, title: str, *, cautions: Sequence[Message] = (), **values: Any
) -> str:
    """Return a page: the template of a file `name`, which extends layout.html, with its values.

    `cautions` are said at its top.
    """
    style, script = (
        Markup((TEMPLATES / f"page.{end}").read_text("utf-8")) for end in ("css", "js")
    )
    return _template(name).render(
        words=words,
        title=title,
        cautions=[words.sentence(text) for text in cautions],
        policy=POLICY,
        style=style,
        script=script,
        plotly=packed_plotly(),
        **values,
    )


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["text"] = text
    environment.globals |= {
        "percent": percent, "paragraph": paragraph, "gap_text": gap_text, "formula": FORMULA.pattern
    }  # fmt: skip
    return environment.get_template(name)


def rows_of(table: pd.DataFrame, links: Mapping[int, Sequence[str | None]] | None = None) -> Markup:
    """Return the head and the first `MOST_ROWS` rows of a table; its first column names the rows.

    Args:
        table: numbers, texts and other cells of sections.
        links: the targets of the cells, by column from 0; None for a cell without a link.
    """
    numeric = [
        pd.api.types.is_numeric_dtype(values)
        or all(isinstance(value, int | float | Quantity) for value in values.head(MOST_ROWS))
        for _, values in table.items()
    ]
    head = "".join(
        f'<th scope="col"{_RIGHT * right}>{html.escape(str(name))}</th>'
        for name, right in zip(table.columns, numeric, strict=True)
    )
    columns = []
    for i, right in enumerate(numeric):
        values = table.iloc[:MOST_ROWS, i].tolist()
        targets = (links or {}).get(i, [None] * len(values))
        looks = _RIGHT * right or (
            _PROSE if any(len(str(value)) > LONG_TEXT for value in values)
            else _EXACT * any(isinstance(value, pd.Timestamp) for value in values)
        )  # fmt: skip
        opened, closed = (f"<td{looks}>", "</td>") if i else (f'<th scope="row"{looks}>', "</th>")
        columns.append([f"{opened}{cell}{closed}" for cell in map(_cell, values, targets)])
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    return Markup(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


LONG_TEXT = 32  # characters of a cell that may be broken into lines
_RIGHT, _PROSE, _EXACT = ' class="number"', ' class="prose"', ' class="exact"'


def _cell(value: Any, target: str | None) -> str:
    """Return the content of a cell, as a link if it has a target."""
    content = html.escape("" if value is None else text(value))
    return content if target is None else f'<a href="{html.escape(target)}">{content}</a>'


def drawn(chart: Chart, table: Markup | None = None) -> dict[str, Any]:
    """Return a chart as the template takes it; `table` replaces its rows where those have links."""
    return vars(chart) | {
        "figure": packed(encoded(chart.figure).encode()),
        "height": int(chart.figure["layout"].get("height", 450)),
        "rows": rows_of(chart.table) if table is None else table,
        "count": len(chart.table),
    }


def drawn_of_plans(chart: Chart, words: Language) -> dict[str, Any]:
    """Return a chart of several plans as the template takes it: their folders hold every step."""
    return drawn(chart) | {
        "rest": words(
            "The first {shown} of {n} rows; schedule.csv in the plan folders holds every step.",
            shown=MOST_ROWS,
            n=len(chart.table),
        ),
    }


def page_clock(clock: Clock, explained: int = 0, worst: int = 0) -> dict[str, Any]:
    """Return the time axis for the script of a page, local time in milliseconds as if it were UTC.

    Where the clock changes, `offsets` holds the first step of each offset from UTC, by how many
    milliseconds local time is ahead of the axis, and the offset as text.

    Args:
        clock: the steps.
        explained: number of steps, from the first, whose reasons the page holds.
        worst: the step, from 0, at which the panel of reasons opens if the page explains it.
    """
    since = clock.first.tz_localize(None) - pd.Timestamp("1970-01-01")
    changes = [(0, 0), *clock.changes] if clock.changes else []
    return {
        "start": int(since / pd.Timedelta(milliseconds=1)),
        "step": clock.step_min * MINUTE_MS,
        "steps": clock.steps,
        "offsets": [
            (step, ahead * MINUTE_MS, clock.local([step])[0].isoformat()[-6:])
            for step, ahead in changes
        ],
        "explained": explained,
        "first": worst if worst < explained else 0,
    }
