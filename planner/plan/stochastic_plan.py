"""The plan for several futures: what is decided before it is known, and a plan for each of them.

Its folder holds

    stochastic.json      summary
    here_and_now.csv     what is decided before the future is known: a row a step
    members.csv          a row a member: what it earns and what happens in it
    scenario.yaml        the scenario as resolved, every member listed; series.csv beside it
    members/NAME/        the plan folder of each member, which `planner audit` checks by itself
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from planner.files.output_folder import Content, replace_folder
from planner.language.language import language
from planner.plan.plan import Plan, write_page_and_workbook
from planner.plan_tables.files import (
    INFEASIBLE,
    PLAN_FOLDER,
    SCENARIO,
    SERIES,
    json_text,
    write_csv,
)
from planner.plan_tables.folder import fill_folder, write_scenario
from planner.plan_tables.shares import sum_of
from planner.scenario.scenario import Scenario

STOCHASTIC, HERE_AND_NOW = "stochastic.json", "here_and_now.csv"
MEMBERS_CSV, MEMBERS = "members.csv", "members"

STOCHASTIC_FOLDER = Content(
    mark=STOCHASTIC,
    foreign="exists and holds no plan for several futures",
    known=frozenset({STOCHASTIC, HERE_AND_NOW, MEMBERS_CSV, MEMBERS, SCENARIO, SERIES, INFEASIBLE}),
    surplus="holds more than the plan for several futures ({path}), which a new one would remove",
    alone=INFEASIBLE,
    inside={MEMBERS: PLAN_FOLDER},
)


@dataclass(frozen=True, eq=False)
class StochasticPlan:
    """One plan for several futures.

    scenario: with its members listed.
    here_and_now: what is decided before the future is known; a row a step, indexed by `time`, the
        columns of a plan's schedule.
    members: a settled plan for each future, by name; its bound is that of planning for it alone.
    table: a row a member; name, probability, profit_cny, alone_cny (planned for it alone), base_cny
        (with the decisions of the base scenario; empty where they leave no plan), unserved_mtok,
        shed_mwh, export_mwh, starts.
    summary: status, objective, bound, gap, expected profit, CVaR, VSS, EVPI; plain values.
    """

    scenario: Scenario
    here_and_now: pd.DataFrame
    members: dict[str, Plan]
    table: pd.DataFrame
    summary: dict[str, Any]

    @property
    def expected_cny(self) -> float:
        """The mean profit of the members by probability."""
        return float(self.summary["expected_cny"])

    @property
    def cvar_cny(self) -> float | None:
        """The mean profit of the bad futures; None without `risk`."""
        value: float | None = self.summary["cvar_cny"]
        return value

    @property
    def vss_cny(self) -> float | None:
        """The value of the stochastic solution; None where it has no limit or is not known."""
        value: float | None = self.summary["vss_cny"]
        return value

    @property
    def evpi_cny(self) -> float | None:
        """The expected value of perfect information; None where it is not known."""
        value: float | None = self.summary["evpi_cny"]
        return value

    def write(
        self, folder: str | Path, formats: tuple[str, ...] = ("csv",), lang: str = "en"
    ) -> Path:
        """Write the folder, whole or not at all; an older one of several futures is replaced.

        Raises:
            PlanError: the folder holds something else, or cannot be written.
        """
        words = language(lang)

        def fill(new: Path) -> None:
            self.fill(new, formats)
            for name, plan in self.members.items():
                write_page_and_workbook(plan, new / MEMBERS / name, formats, words)

        return replace_folder(folder, STOCHASTIC_FOLDER, fill)

    def fill(self, folder: Path, formats: tuple[str, ...] = ("csv",)) -> None:
        """Write the files into an existing empty folder."""
        write_scenario(self.scenario, folder)
        write_csv(self.here_and_now, folder / HERE_AND_NOW)
        write_csv(self.table, folder / MEMBERS_CSV)
        (folder / STOCHASTIC).write_text(json_text(self.summary), encoding="utf-8")
        (folder / MEMBERS).mkdir()
        for name, plan in self.members.items():
            (folder / MEMBERS / name).mkdir()
            fill_folder(plan, folder / MEMBERS / name, formats)


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
        alone: what each earns planned for it alone, CNY; None where that is not known.
        base: what each earns with the decisions of the base scenario, CNY; None where nothing.
    """
    rows = []
    for i, (name, plan) in enumerate(plans.items()):
        step_h, uses, schedule = plan.scenario.horizon.step_h, plan.allocation, plan.schedule
        unserved = sum_of(schedule, "unserved_mtok_per_h") + sum_of(schedule, "refused_mtok_per_h")
        rows.append(
            {
                "name": name,
                "probability": probabilities[i],
                "profit_cny": plan.summary["objective_cny"],
                "alone_cny": None if alone is None else alone[i],
                "base_cny": base[i],
                "unserved_mtok": step_h * unserved,
                "shed_mwh": step_h * sum_of(schedule, "shed_mw"),
                "export_mwh": float(uses.loc[uses["use"] == "export", "mwh"].sum()),
                "starts": sum(f.get("starts", 0.0) for f in plan.summary["figures"].values()),
            }
        )
    found = pd.DataFrame(rows)
    numbers = [name for name in found if name != "name"]
    return found.astype(dict.fromkeys(numbers, float)).round(dict.fromkeys(numbers[1:], 6))
