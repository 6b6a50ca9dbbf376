"""What a notebook shows of a plan."""

from __future__ import annotations

from dataclasses import replace

from planner.language.html_tables import reader_language, section_html, table_html
from planner.language.section import Quantity
from planner.plan_tables.tables import PlanTables
from planner.report import plan_sections


def plan_html(plan: PlanTables) -> str:
    """Return status, gap, profit, the value of a kWh and the allocation of a plan."""
    words, summary = reader_language(), plan.summary
    outcome, worth = plan_sections.outcome(plan, words), plan_sections.worth(plan, words)
    known = (row for row in worth.rows if isinstance(row[1], Quantity) and row[1].value is not None)
    facts = replace(outcome, title="", rows=(*outcome.rows, *known))
    energy = plan_sections.energy(plan, words)
    steps = words("{hours} h from {start}, steps of {n} min", hours=f"{summary['hours']:g}",
                  start=summary["start"], n=summary["step_min"])  # fmt: skip
    parts = [table_html(section, words) for section in (facts, energy) if section.rows]
    return section_html(summary["name"], steps, *parts)
