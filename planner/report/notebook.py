"""What a notebook shows of a plan or a sweep: small tables in HTML, without scripts or styles.

The notebook's theme decides how they look. Texts are English, or of the language that the variable
PLANNER_LANG names, as for the command line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner.answers.cases import OUTPUT, SOLVED
from planner.answers.gathered import direction
from planner.answers.ranking import ranking
from planner.language import LANGUAGES, Language, language, number
from planner.plan import USES, Plan

if TYPE_CHECKING:
    from planner.sweeps.result import Sweep

BEST = 3  # cases of a sweep
MOST_VALUES = 6  # of an axis of words


def _gap(gap: float | None) -> str:
    return "–" if gap is None else f"{gap:.4%}"


def plan_html(plan: Plan) -> str:
    """Return status, gap, profit, the value of a kWh and the allocation of a plan."""
    words, summary = _language(), plan.summary
    by_use = summary["value_by_use_cny_per_kwh"]
    lines = [
        (words("status"), words.term(summary["status"])),
        (words("proven gap, of turnover"), _gap(summary["gap"])),
        (words("profit"), words.amount(summary["objective_cny"], "CNY")),
        (words("profit, at most"), words.amount(summary["bound_cny"], "CNY")),
    ]
    if by_use["compute"] is not None:
        lines.append((words("a kWh in compute earns, gross"), _rate(words, by_use["compute"])))
    if by_use["export"] is not None:
        lines.append((words("a kWh sold to the grid earns"), _rate(words, by_use["export"])))
    if summary["uplift"] is not None:
        said = words("uplift of compute over grid sale")
        lines.append((said, f"{summary['uplift']:.1f} {words('times')}"))
    steps = words("{hours} h from {start}, steps of {n} min", hours=f"{summary['hours']:g}",
                  start=summary["start"], n=summary["step_min"])  # fmt: skip
    return _section(summary["name"], steps, _facts(lines), _allocation(words, summary))


def _allocation(words: Language, summary: dict[str, Any]) -> str:
    mwh: dict[str, dict[str, float]] = summary["allocation_mwh"]
    uses = [use for use in USES if any(use in by_use for by_use in mwh.values())]
    if not uses:
        return ""
    rows = []
    for origin, by_use in mwh.items():
        told = [number(by_use[use]) if use in by_use else "" for use in uses]
        rows.append([words.term(origin), *told, number(sum(by_use.values()))])
    totals = [sum(by_use.get(use, 0.0) for by_use in mwh.values()) for use in uses]
    rows.append([words("total"), *map(number, totals), number(sum(totals))])
    head = [words("origin"), *map(words.term, uses), words("total")]
    return _table(f"{words('Where the energy went')} [{words('MWh')}]", head, rows)


def sweep_html(sweep: Sweep) -> str:
    """Return how the cases of a sweep ended, its best cases, and how far its axes reach."""
    words, cases, described = _language(), sweep.cases, sweep.description
    counts = [(words.term(str(status)), str(count))
              for status, count in cases["status"].value_counts().items()]  # fmt: skip
    said = words("{n} cases by {design}", n=len(cases), design=words.term(described.design))
    if sweep.interrupted:
        said = f"{said}; {words('interrupted')}"
    axes = [name for name in described.axes if name in cases]
    solved = cases[cases["status"].isin(SOLVED)]
    output = next((name for name in (*described.outputs, OUTPUT) if name in solved), None)
    best = ""
    if output is not None and len(solved):
        smallest = direction(output) == "min"
        found = ranking(solved, output, smallest_first=smallest).head(BEST)
        columns = ["case", *axes, output]
        rows = [[_cell(value) for value in row] for row in found[columns].itertuples(index=False)]
        best = _table(words("Best cases by {output}", output=output), columns, rows)
    shown = [
        *axes,
        *(name for name in dict.fromkeys((*described.outputs, OUTPUT)) if name in solved),
    ]
    ranges = [[name, *_range(cases[name] if name in axes else solved[name])] for name in shown]
    head = [words("quantity"), words("from"), words("to")]
    reach = _table(words("Ranges"), head, ranges) if ranges else ""
    return _section(described.name, said, _facts(counts), best, reach)


def _range(column: pd.Series[Any]) -> tuple[str, str]:
    """Return the ends of a column of numbers; the first words and none for one of words."""
    known = column.dropna()
    if known.empty:
        return "–", "–"
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        return _cell(float(known.min())), _cell(float(known.max()))
    values = [str(value) for value in known.unique()]
    more = ", …" if len(values) > MOST_VALUES else ""
    return ", ".join(values[:MOST_VALUES]) + more, ""


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "–" if value != value else number(value)
    return str(value)


def _rate(words: Language, value: float) -> str:
    return f"{value:.3f} {words('CNY/kWh')}"


def _language() -> Language:
    code = os.environ.get("PLANNER_LANG", "en")
    return language(code if code in LANGUAGES else "en")


def _section(name: str, said: str, *parts: str) -> str:
    head = f"<p><strong>{escape(name)}</strong> {escape(said)}</p>"
    return f"<section>{head}{''.join(parts)}</section>"


def _facts(lines: Iterable[tuple[str, str]]) -> str:
    rows = (
        f'<tr><th scope="row">{escape(label)}</th><td>{escape(value)}</td></tr>'
        for label, value in lines
    )
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(text)}</td>" for text in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{escape(title)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
