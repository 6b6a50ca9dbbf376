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

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from planner.files.format_mark import require_readable
from planner.plan_tables.files import SCENARIO
from planner.plan_tables.folder import read_facts, read_schedule, read_table, read_tables, reading
from planner.plan_tables.tables import PlanTables
from planner.scenario.scenario import Scenario, load

STOCHASTIC, HERE_AND_NOW = "stochastic.json", "here_and_now.csv"
MEMBERS_CSV, MEMBERS = "members.csv", "members"
NEEDED = ("name", "start", "hours", "step_min", "vat", "status", "members")
"""Keys of the summary that readers of a folder rely on, beside the figures of money."""


@dataclass(frozen=True, eq=False)
class StochasticTables:
    """The tables of a stochastic plan; `planner.StochasticPlan` documents them."""

    scenario: Scenario
    here_and_now: pd.DataFrame
    members: Mapping[str, PlanTables]
    table: pd.DataFrame
    summary: dict[str, Any]


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
    return StochasticTables(scenario, here_and_now, members, table, summary)
