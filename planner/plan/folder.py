"""Plan folders read back, those of one plan and of several members."""

from __future__ import annotations

from pathlib import Path

from planner.plan.plan import Plan, plan_as
from planner.plan.stochastic_plan import StochasticPlan
from planner.plan_tables.folder import read_tables
from planner.plan_tables.stochastic import STOCHASTIC, read_stochastic, require_single


def read_plan(folder: str | Path) -> Plan:
    """Read a plan folder back; that of a stochastic plan becomes a `StochasticPlan`.

    Raises:
        PlanError: the folder is no plan folder, or a file of it cannot be read.
    """
    folder = Path(folder)
    if not (folder / STOCHASTIC).is_file():
        return plan_as(Plan, read_tables(folder))
    tables = read_stochastic(folder)
    members = {name: plan_as(Plan, plan) for name, plan in tables.members.items()}
    return StochasticPlan(
        tables.scenario, tables.summary, tables.here_and_now, tables.table, members
    )


def single_plan(plan: Plan | str | Path) -> tuple[Plan, str]:
    """Return a plan of one future, read if it is a folder, and its name for messages.

    Raises:
        PlanError: the folder cannot be read, or the plan is of several members.
    """
    one = plan if isinstance(plan, Plan) else read_plan(plan)
    source = one.scenario.name if one is plan else str(plan)
    require_single(one, source)
    return one, source
