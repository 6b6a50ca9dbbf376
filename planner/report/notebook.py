"""What a notebook shows of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.language.html_tables import reader_language, section_html, table_html
from planner.language.language import Language
from planner.language.section import Section
from planner.plan_tables.tables import USES, PlanTables

if TYPE_CHECKING:
    pass


def _gap(gap: float | None) -> str:
    return "–" if gap is None else f"{gap:.4%}"


def plan_html(plan: PlanTables) -> str:
    """Return status, gap, profit, the value of a kWh and the allocation of a plan."""
    words, summary = reader_language(), plan.summary
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
    return section_html(
        summary["name"],
        steps,
        table_html(Section("", (), tuple(lines)), words),
        _allocation(words, summary),
    )


def _allocation(words: Language, summary: dict[str, Any]) -> str:
    mwh: dict[str, dict[str, float]] = summary["allocation_mwh"]
    uses = [use for use in USES if any(use in by_use for by_use in mwh.values())]
    if not uses:
        return ""
    rows = tuple(
        (words.term(origin), *(by_use.get(use) for use in uses), sum(by_use.values()))
        for origin, by_use in mwh.items()
    )
    totals = [sum(by_use.get(use, 0.0) for by_use in mwh.values()) for use in uses]
    heads = (words("origin"), *map(words.term, uses), words("total"))
    total = (words("total"), *totals, sum(totals))
    section = Section(words("Where the energy went"), heads, rows, "MWh", total=total, across=True)
    return table_html(section, words)


def _rate(words: Language, value: float) -> str:
    return f"{value:.3f} {words('CNY/kWh')}"
