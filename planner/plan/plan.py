"""A plan in its user's hands: its tables, its folder, its page and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from planner.errors import PlanError
from planner.files.output_folder import replace_folder
from planner.language.language import LANGUAGES, Language, language
from planner.plan_tables.files import FORMATS, PAGE, PLAN_FOLDER, WORKBOOK
from planner.plan_tables.folder import fill_folder, read_tables
from planner.plan_tables.summary import gap_of
from planner.plan_tables.tables import PlanTables
from planner.report.figures import Figures, plan_html
from planner.report.plan_page.page import plan_page
from planner.report.workbook.workbook import write_workbook


@dataclass(frozen=True, eq=False)
class Plan(PlanTables):
    """An hourly dispatch plan and its accounts.

    schedule: a row a step, indexed by `time` (its start); columns `component.quantity_unit[index]`.
    allocation: long; time, origin, use, mwh.
    green: a row a step; renewable energy and its shares, derived from the allocation.
    ledger: long; component, line, period, cash, amount_cny (revenue positive).
    summary: status, objective, bound, gap, totals and key figures; plain values. Bound and gap are
        None where a given schedule was settled and no bound is known.
    reasons: long; time, component, decision, code, reason. Empty where the plan has no prices.
    prices: long; time, component, quantity, index, value, unit. None unless asked for.
    """

    @cached_property
    def figures(self) -> Figures:
        """The charts of the plan as Plotly figures: `plan.figures.supply()`."""
        return Figures(self)

    def write(
        self, folder: str | Path, formats: tuple[str, ...] = ("csv",), lang: str = "en"
    ) -> Path:
        """Write the plan folder, whole or not at all; an older plan there is replaced.

        `lang` is the language of the page and the workbook, en or zh.

        Raises:
            PlanError: the folder holds something else, or cannot be written.
        """
        unknown = sorted(set(formats) - set(FORMATS))
        if unknown:
            raise PlanError(f"format {unknown[0]!r} is not known; there are {', '.join(FORMATS)}")
        if lang not in LANGUAGES:
            raise PlanError(f"language {lang!r} is not known; there are {', '.join(LANGUAGES)}")

        def fill(beside: Path) -> None:
            fill_folder(self, beside, formats)
            write_page_and_workbook(self, beside, formats, language(lang))

        return replace_folder(folder, PLAN_FOLDER, fill)

    def settled(self, bound_cny: float | None, more: Mapping[str, Any]) -> Plan:
        """Return the plan as that of a given schedule, with more in its summary and no reasons.

        `bound_cny` is a proven upper bound of the profit; None where none is known.
        """
        objective, turnover = self.summary["objective_cny"], self.summary["turnover_cny"]
        bound = None if bound_cny is None else round(max(bound_cny, objective), 6)
        found = {
            "status": "settled",
            "bound_cny": bound,
            "gap": None if bound is None else gap_of(objective, bound, turnover),
        }
        nothing = self.reasons.iloc[:0]  # a given decision has no reasons
        return replace(self, summary=self.summary | found | dict(more), reasons=nothing)

    def _repr_html_(self) -> str:
        return plan_html(self)


def read_plan(folder: str | Path) -> Plan:
    """Read a plan folder back.

    Raises:
        PlanError: the folder is no plan folder, or a file of it cannot be read.
    """
    tables = read_tables(Path(folder))
    return Plan(**{field.name: getattr(tables, field.name) for field in fields(tables)})


def write_page_and_workbook(
    plan: PlanTables, folder: Path, formats: tuple[str, ...], words: Language
) -> None:
    """Write what people look at into a folder: the page, and the workbook where it is asked for."""
    (folder / PAGE).write_text(plan_page(plan, words), encoding="utf-8")
    if "xlsx" in formats:
        write_workbook(plan, folder / WORKBOOK, words)
