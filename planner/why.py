"""Why a plan does what it does: a code and its figures for every main decision of every step.

The figures are prices of the LP with the integers and directions of the plan fixed, which the study
has solved to settle the plan; no further solve. The rules stand with the components.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from planner.components.priced import Reason
from planner.plan import WHY, Plan
from planner.program import Duals, Program
from planner.rates import step_prices
from planner.series import Array


def why_table(plan: Plan, program: Program, duals: Duals, x: Array) -> pd.DataFrame:
    """Return the table: time, component, decision, code, reason; in order of components.

    `x` is the point that became the plan.
    """
    scenario, every = plan.scenario, step_prices(program, duals, x)
    found: list[tuple[str, Reason]] = []
    for name, component in scenario.components.items():
        start = f"{name}."
        mine = {
            str(column).removeprefix(start): plan.schedule[column].to_numpy()
            for column in plan.schedule.columns
            if str(column).startswith(start)
        }
        prices = replace(every, name=name)
        found += [(name, reason) for reason in component.why(mine, prices, scenario.horizon)]
    if not found:
        return pd.DataFrame(columns=list(WHY), dtype="str")
    steps = np.array([reason.step for _, reason in found])
    table = pd.DataFrame(
        {
            "time": plan.schedule.index[steps - program.window.first].rename(None),
            "component": [name for name, _ in found],
            "decision": [reason.decision for _, reason in found],
            "code": [reason.code for _, reason in found],
            "reason": [reason.reason for _, reason in found],
        }
    )
    return table.astype(dict.fromkeys(WHY[1:], "str"))
