"""A plan with all that users do with it: its tables, folder, page, workbook and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from planner.files.output_folder import Content
from planner.plan.output import Output, write_views
from planner.plan_tables.files import PLAN_FOLDER
from planner.plan_tables.folder import fill_folder
from planner.plan_tables.summary import proof
from planner.plan_tables.tables import PlanTables

if TYPE_CHECKING:
    from planner.report.figures import Figures


@dataclass(frozen=True, eq=False, repr=False)
class Plan(PlanTables):
    """An hourly dispatch plan and its accounts: what every study returns, or a kind of it.

    schedule: a row a step, indexed by `time` (its start); columns `component.quantity_unit[index]`.
    allocation: long; time, origin, use, mwh.
    green: a row a step; renewable energy and its shares, derived from the allocation.
    ledger: long; component, line, period, cash, amount_cny (revenue positive).
    summary: status, objective, bound, gaps, totals and key figures; plain values. Bound and gaps
        are None if a schedule was settled and no bound is known.
    reasons: long; time, component, decision, code, reason: why each component decides as it does,
        in English. Empty without prices. Its file is why.csv.
    prices: long; time, component, quantity, index, value, unit. None unless requested.
    end_values: the same, for what a MWh stored or a Mtok waiting at the end of a step is worth
        then. None unless a study gives them.
    """

    content: ClassVar[Content] = PLAN_FOLDER

    @property
    def members(self) -> Mapping[str, Plan]:
        """The plan of each future by name: of one future the plan itself, by its scenario's."""
        return {self.scenario.name: self}

    @cached_property
    def figures(self) -> Figures:
        """The charts of the plan as Plotly figures: `plan.figures.supply()`."""
        from planner.report.figures import Figures

        return Figures(self)

    def write(
        self,
        folder: str | Path,
        formats: Sequence[str] = ("csv",),
        lang: str = "en",
        page: bool = True,
    ) -> Path:
        """Write the plan folder, whole or not at all, see `Output`; return its path.

        Raises:
            PlanError: the folder holds something else, or cannot be written.
        """
        return Output(folder, formats, lang, page).write(self)

    def write_tables(self, folder: Path, formats: Sequence[str] = ("csv",)) -> None:
        """Write the tables into an existing empty folder."""
        fill_folder(self, folder, formats)

    def write_views(self, folder: Path, output: Output) -> None:
        """Write the page and the workbook beside the tables, as far as `output` has them."""
        write_views(self, folder, output)

    def settled(self, bound_cny: float | None, more: Mapping[str, Any]) -> Plan:
        """Return the plan of a pinned schedule: without reasons, with `more` in its summary.

        `bound_cny` is a proven upper bound of the profit; None if none is known.
        """
        objective, turnover = self.summary["objective_cny"], self.summary["turnover_cny"]
        bound = None if bound_cny is None else max(bound_cny, objective)
        changes = {"status": "settled"} | proof(objective, bound, turnover)
        summary = self.summary | changes | dict(more)
        return replace(self, summary=summary, reasons=self.reasons.iloc[:0])

    def _repr_html_(self) -> str:
        from planner.report.figures import plan_html

        return plan_html(self)


P = TypeVar("P", bound=Plan)


def plan_as(kind: type[P], plan: PlanTables, **more: Any) -> P:
    """Return a plan of a kind with the tables of another, and what the kind holds besides."""
    return kind(**{field.name: getattr(plan, field.name) for field in fields(PlanTables)}, **more)
