"""Templates of pages: one base for all, filled with everything that comes from outside escaped."""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from planner.language import Language, number
from planner.report.packed import packed_plotly

TEMPLATES = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
)
MOST_ROWS = 96  # of a table on a page: a day of quarter hours


def fill(name: str, words: Language, title: str, **values: Any) -> str:
    """Fill a template that extends layout.html.

    Args:
        name: the file of the template.
        words: the language of the page.
        title: of the page.
        values: what the template names; texts are escaped in it.
    """
    style, script = (
        Markup((TEMPLATES / part).read_text(encoding="utf-8")) for part in ("page.css", "page.js")
    )
    return _template(name).render(
        words=words,
        title=title,
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
    environment.filters["cell"] = cell
    environment.globals["percent"] = percent
    return environment.get_template(name)


def cell(value: Any) -> str:
    """Return a value of a table as people read it."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return number(float(value))
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def percent(share: float | None, decimals: int = 1) -> str:
    """Return a share in percent; what is not nothing never reads as nothing."""
    if share is None:
        return "–"
    text = f"{share + 0.0:.{decimals}%}"
    while share and float(text[:-1]) == 0 and decimals < 6:
        decimals += 1
        text = f"{share:.{decimals}%}"
    return text


def rows_of(table: pd.DataFrame) -> Markup:
    """Return the head and the first rows of a table; the first column heads its rows."""
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
    head = "".join(
        f'<th scope="col"{_RIGHT * right}>{html.escape(str(name))}</th>'
        for name, right in zip(table.columns, numeric, strict=True)
    )
    columns = [
        [
            f"<td{_RIGHT * right}>{html.escape(cell(value))}</td>"
            if i
            else f'<th scope="row">{html.escape(cell(value))}</th>'
            for value in table.iloc[:MOST_ROWS, i].tolist()
        ]
        for i, right in enumerate(numeric)
    ]
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    return Markup(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


_RIGHT = ' class="number"'
