"""A plan with all that users do with it: its tables, folder, page, workbook and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from planner.errors import PlanError
from planner.files.output_folder import replace_folder
from planner.language.language import LANGUAGES, Language, language
from planner.message import Message, template
from planner.plan_tables.files import FORMATS, PAGE, PLAN_FOLDER, WORKBOOK
from planner.plan_tables.folder import fill_folder, read_tables
from planner.plan_tables.summary import gap_of
from planner.plan_tables.tables import PlanTables
from planner.report.figures import Figures, plan_html
from planner.report.plan_page.page import plan_page


@dataclass(frozen=True, eq=False)
class Plan(PlanTables):
    """An hourly dispatch plan and its accounts.

    schedule: a row a step, indexed by `time` (its start); columns `component.quantity_unit[index]`.
    allocation: long; time, origin, use, mwh.
    green: a row a step; renewable energy and its shares, derived from the allocation.
    ledger: long; component, line, period, cash, amount_cny (revenue positive).
    summary: status, objective, bound, gap, totals and key figures; plain values. Bound and gap are
        None if a schedule was settled and no bound is known.
    reasons: long; time, component, decision, code, reason: why each component decides as it does,
        in English. Empty without prices. Its file is why.csv.
    prices: long; time, component, quantity, index, value, unit. None unless requested.
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
        unknown_format = template("format {name!r} is not known; there are {names}")
        unknown_language = template("language {name!r} is not known; there are {names}")
        chosen = [(name, FORMATS, unknown_format) for name in formats]
        for name, known, wording in (*chosen, (lang, LANGUAGES, unknown_language)):
            if name not in known:
                raise PlanError(Message(wording, name=name, names=", ".join(known)))

        def fill(new: Path) -> None:
            fill_folder(self, new, formats)
            write_page_and_workbook(self, new, formats, language(lang))

        return replace_folder(folder, PLAN_FOLDER, fill)

    def settled(self, bound_cny: float | None, more: Mapping[str, Any]) -> Plan:
        """Return the plan of a pinned schedule: without reasons, with `more` in its summary.

        `bound_cny` is a proven upper bound of the profit; None if none is known.
        """
        objective, turnover = self.summary["objective_cny"], self.summary["turnover_cny"]
        bound = None if bound_cny is None else round(max(bound_cny, objective), 6)
        changes = {
            "status": "settled",
            "bound_cny": bound,
            "gap": None if bound is None else gap_of(objective, bound, turnover),
        }
        summary = self.summary | changes | dict(more)
        return replace(self, summary=summary, reasons=self.reasons.iloc[:0])

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
    """Write the page into a folder, and the workbook if `formats` has xlsx."""
    (folder / PAGE).write_text(plan_page(plan, words), encoding="utf-8")
    if "xlsx" in formats:
        from planner.report.workbook.workbook import write_workbook

        write_workbook(plan, folder / WORKBOOK, words)
