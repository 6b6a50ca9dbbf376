"""The stochastic plan: one first stage, and a plan for each member; its folder is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from planner.files.csv_file import write_csv
from planner.files.output_folder import Content, Mark
from planner.language.language import language
from planner.message import template
from planner.plan.output import Output
from planner.plan.plan import Plan
from planner.plan_tables.files import (
    INFEASIBLE,
    NO_PLAN,
    PAGE,
    PLAN_FOLDER,
    SCENARIO,
    SERIES,
    marked_json,
)
from planner.plan_tables.folder import write_scenario
from planner.plan_tables.shares import schedule_sum
from planner.plan_tables.stochastic import (
    HERE_AND_NOW,
    MEMBERS,
    MEMBERS_CSV,
    STOCHASTIC,
    StochasticTables,
)

if TYPE_CHECKING:
    from planner.report.whole_figures import StochasticFigures

STOCHASTIC_FOLDER = Content(
    mark=Mark(STOCHASTIC, (frozenset({"status", "expected_cny", "evpi_cny"}),)),
    foreign=template("{path} exists and holds no stochastic plan; choose another"),
    known=frozenset(
        {
            STOCHASTIC,
            HERE_AND_NOW,
            MEMBERS_CSV,
            MEMBERS,
            SCENARIO,
            SERIES,
            INFEASIBLE,
            PAGE,
        }
    ),
    surplus=template(
        "{path} holds more than a stochastic plan ({names}), which a new one would remove;"
        " move that away or choose another folder"
    ),
    alone=NO_PLAN,
    inside={MEMBERS: PLAN_FOLDER},
)


@dataclass(frozen=True, eq=False, repr=False)
class StochasticPlan(StochasticTables, Plan):
    """One plan for several members, the futures of an uncertain scenario.

    scenario: with its members listed.
    here_and_now: the first stage, decided before the future is known; a row a step, indexed by
        `time`, with columns of a plan's schedule.
    members: a settled plan by member; its bound is that of planning for this member alone.
    table: a row a member; name, probability, profit_cny, alone_cny (planned for it alone), base_cny
        (with the first stage of the base scenario; empty if that leaves no plan), unserved_mtok,
        shed_mwh, export_mwh, starts.
    summary: as of every plan its status, objective, bound, gaps and turnover; expected profit,
        CVaR, VSS, EVPI; plain values.
    schedule: those of the members, indexed by `member` and `time`.
    allocation, ledger, green, reasons: those of the members, with a first column `member`.
    """

    by_member: Mapping[str, Plan]

    content: ClassVar[Content] = STOCHASTIC_FOLDER

    @property
    def members(self) -> Mapping[str, Plan]:
        """The settled plan of each member."""
        return self.by_member

    @property
    def expected_cny(self) -> float:
        """The mean profit of the members by probability."""
        return float(self.summary["expected_cny"])

    @property
    def cvar_cny(self) -> float | None:
        """The conditional value at risk, of the worst members; None without `risk`."""
        value: float | None = self.summary["cvar_cny"]
        return value

    @property
    def vss_cny(self) -> float | None:
        """The value of the stochastic solution; None if it is unbounded or not known."""
        value: float | None = self.summary["vss_cny"]
        return value

    @property
    def evpi_cny(self) -> float | None:
        """The expected value of perfect information; None if it is not known."""
        value: float | None = self.summary["evpi_cny"]
        return value

    @cached_property
    def figures(self) -> StochasticFigures:
        """The charts of all members together: `plan.figures.spread()`."""
        from planner.report.whole_figures import StochasticFigures

        return StochasticFigures(self)

    def write_tables(self, folder: Path, formats: Sequence[str] = ("csv",)) -> None:
        """Write the tables, those of the members too, into an existing empty folder."""
        write_scenario(self.scenario, folder)
        write_csv(self.here_and_now, folder / HERE_AND_NOW)
        write_csv(self.table, folder / MEMBERS_CSV)
        (folder / STOCHASTIC).write_text(marked_json(self.summary), encoding="utf-8")
        (folder / MEMBERS).mkdir()
        for name, plan in self.members.items():
            (folder / MEMBERS / name).mkdir()
            plan.write_tables(folder / MEMBERS / name, formats)

    def write_views(self, folder: Path, output: Output) -> None:
        """Write the pages of all and the workbook of each member, as far as `output` has them."""
        if output.page:
            from planner.report.stochastic_page.page import stochastic_page

            (folder / PAGE).write_text(stochastic_page(self, language(output.lang)), "utf-8")
        for name, plan in self.members.items():
            plan.write_views(folder / MEMBERS / name, output)

    def _repr_html_(self) -> str:
        from planner.report.whole_figures import stochastic_html

        return stochastic_html(self)


def member_table(
    plans: Mapping[str, Plan],
    probabilities: Sequence[float],
    alone: Sequence[float] | None,
    base: Sequence[float | None],
) -> pd.DataFrame:
    """Return a row a member, as `StochasticPlan.table` has them.

    Args:
        plans: the members' plans by name.
        probabilities: theirs, in the same order.
        alone: the profit of each planned for it alone, CNY; None if it is not known.
        base: the profit of each with the first stage of the base scenario, CNY; None without plan.
    """
    table = pd.DataFrame(
        {
            "name": name,
            "probability": probabilities[i],
            "profit_cny": plan.summary["objective_cny"],
            "alone_cny": None if alone is None else alone[i],
            "base_cny": base[i],
            "unserved_mtok": plan.unserved_mtok,
            "shed_mwh": plan.scenario.horizon.step_h * schedule_sum(plan.schedule, "shed_mw"),
            "export_mwh": plan.used_mwh("export"),
            "starts": plan.figure("starts"),
        }
        for i, (name, plan) in enumerate(plans.items())
    )
    numbers = [name for name in table if name != "name"]
    return table.astype(dict.fromkeys(numbers, float)).round(dict.fromkeys(numbers[1:], 6))
