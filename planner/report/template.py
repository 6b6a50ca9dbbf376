"""Templates of pages: one base for all, filled with everything that comes from outside escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from planner.language import Language, number
from planner.report.charts import Chart
from planner.report.charts.encoding import encoded
from planner.report.packed import packed, packed_plotly

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


def rows_of(table: pd.DataFrame, links: Mapping[int, Sequence[str | None]] | None = None) -> Markup:
    """Return the head and the first rows of a table; the first column heads its rows.

    Args:
        table: what is shown.
        links: by column, counted from 0, where each of its cells leads.
    """
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
    head = "".join(
        f'<th scope="col"{_RIGHT * right}>{html.escape(str(name))}</th>'
        for name, right in zip(table.columns, numeric, strict=True)
    )
    columns = []
    for i, right in enumerate(numeric):
        values = table.iloc[:MOST_ROWS, i].tolist()
        leading = (links or {}).get(i, [None] * len(values))
        opened, closed = (f"<td{_RIGHT * right}>", "</td>") if i else (_HEAD, "</th>")
        columns.append(
            [f"{opened}{_written(*pair)}{closed}" for pair in zip(values, leading, strict=True)]
        )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    return Markup(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


_RIGHT = ' class="number"'
_HEAD = '<th scope="row">'


def _written(value: Any, target: str | None) -> str:
    """Return what a cell holds, with where it leads."""
    said = html.escape(cell(value))
    return said if target is None else f'<a href="{html.escape(target)}">{said}</a>'


def drawn(chart: Chart, table: Markup | None = None) -> dict[str, Any]:
    """Return what the template needs of a chart; `table` are its rows where they hold links."""
    return {
        "key": chart.key,
        "title": chart.title,
        "said": chart.said,
        "over_time": chart.over_time,
        "figure": packed(encoded(chart.figure).encode(), 6),
        "height": int(chart.figure["layout"].get("height", 450)),
        "rows": rows_of(chart.table) if table is None else table,
        "count": len(chart.table),
    }
