"""The tables of a stochastic plan: its first stage, its members and its summary.

Its folder holds

    stochastic.json      summary
    here_and_now.csv     the first stage, decided before the future is known: a row a step
    members.csv          a row a member: its profit and key figures
    scenario.yaml        the scenario as resolved, with every member listed; series.csv beside it
    members/NAME/        the plan folder of each member, which `planner audit` checks as any other
    report.html          the page of all members
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pandas as pd

from planner.errors import PlanError
from planner.files.format_mark import require_readable
from planner.message import Message
from planner.plan_tables.files import SCENARIO
from planner.plan_tables.folder import read_facts, read_schedule, read_table, read_tables, reading
from planner.plan_tables.long_tables import key_figures
from planner.plan_tables.several_plans import SeveralPlans
from planner.plan_tables.tables import PlanTables
from planner.scenario.scenario import load

STOCHASTIC, HERE_AND_NOW = "stochastic.json", "here_and_now.csv"
MEMBERS_CSV, MEMBERS, MEMBER = "members.csv", "members", "member"
NEEDED = ("name", "start", "hours", "step_min", "vat", "status", "members")
"""Keys of the summary that readers of a folder rely on, beside the figures of money."""


@dataclass(frozen=True, eq=False, repr=False)
class StochasticTables(SeveralPlans, PlanTables):
    """The tables of a stochastic plan; `planner.StochasticPlan` documents them."""

    level: ClassVar[str] = MEMBER

    schedule: pd.DataFrame = field(init=False)
    allocation: pd.DataFrame = field(init=False)
    ledger: pd.DataFrame = field(init=False)
    reasons: pd.DataFrame = field(init=False)
    prices: None = field(init=False, default=None)
    end_values: None = field(init=False, default=None)
    here_and_now: pd.DataFrame
    table: pd.DataFrame
    by_member: Mapping[str, PlanTables]

    @property
    def members(self) -> Mapping[str, PlanTables]:
        """The settled plan of each member."""
        return self.by_member

    @property
    def probabilities(self) -> Mapping[str, float]:
        """The probability of each member."""
        return dict(zip(self.table["name"], self.table["probability"], strict=True))

    def key_figures(self) -> pd.DataFrame:
        """Return the key figures of all together, whose `member` is empty, and of each member."""
        of_members = {name: plan.key_figures() for name, plan in self.by_member.items()}
        return self._joined({"": key_figures(self.summary), **of_members})

    def used_mwh(self, use: str) -> float:
        """Return the mean energy of the members put to a use, by probability."""
        return self._mean(lambda plan: plan.used_mwh(use))

    def figure(self, name: str) -> float:
        """Return the mean of a key figure of the members, by probability."""
        return self._mean(lambda plan: plan.figure(name))

    @property
    def unserved_mtok(self) -> float:
        """The mean of the members, by probability."""
        return self._mean(lambda plan: plan.unserved_mtok)

    def _mean(self, figure: Callable[[PlanTables], float]) -> float:
        shares = self.probabilities
        return float(sum(shares[name] * figure(plan) for name, plan in self.by_member.items()))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, StochasticTables)
            and self.scenario == other.scenario
            and self.here_and_now.equals(other.here_and_now)
            and self.table.equals(other.table)
            and self.summary == other.summary
            and self.by_member == other.by_member
        )

    __hash__ = None  # a plan holds tables


def require_single(plan: PlanTables, source: str) -> None:
    """Raise PlanError where a plan, named by its source, is of several members."""
    if isinstance(plan, StochasticTables):
        names = ", ".join(plan.members)
        raise PlanError(Message(
            "{path} is a plan of several members; take one of them: {names}",
            path=source, names=names,
        ))  # fmt: skip


def read_stochastic(folder: Path) -> StochasticTables:
    """Read the folder of a stochastic plan back.

    Raises:
        PlanError: a file is missing or cannot be read, or a member has no plan folder.
    """
    require_readable(folder / STOCHASTIC)
    with reading(folder):
        scenario = load(folder / SCENARIO)
        summary = read_facts(folder / STOCHASTIC, *NEEDED)
        here_and_now = read_schedule(folder / HERE_AND_NOW, scenario)
        table = read_table(folder / MEMBERS_CSV, "name", dtype={"name": "str"})
    members = {name: read_tables(folder / MEMBERS / name) for name in table["name"]}
    return StochasticTables(scenario, summary, here_and_now, table, members)
