"""What a simulation found: one table, from settled plans, and its folder.

simulation.csv    the table: a row a policy
simulation.json   the same with the options and the bound
days.jsonl        the finished days
plans/POLICY      the settled plan of each policy

The capture rate of a policy is its profit over that of perfect foresight: the same windows, planned
on the actuals. That is an estimate of the best there is, for a window does not see what comes after
it; the LP bound of the whole horizon is a bound, which nothing that keeps the rules can beat, and
too high by what integers cost. Where profits may be negative, or mostly are what any operation
would earn, the rate above a baseline says more: what is earned above the first rule of thumb in the
table over what perfect foresight earns above it. Rates over nothing or less are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from planner.files.output_folder import Content
from planner.plan_tables.tables import PlanTables

TABLE, FACTS, PLANS = "simulation.csv", "simulation.json", "plans"
DAYS = "days.jsonl"
SIMULATION_FOLDER = Content(mark=DAYS, foreign="exists and is no folder of a simulation")
LEAST_CNY = 1e-6


@dataclass(frozen=True, eq=False)
class SimulationTable:
    """What several policies earned on the same actuals.

    table: a row a policy: profit_cny, cash_profit_cny, capture_share, above_baseline_share,
        of_bound_share, unserved_mtok, load_share, self_use_share, starts, cycles, curtailed_mwh,
        commitment_changes, forced_steps, breaches.
    settings: the options, and the paths that are forecast.
    bound_cny: the LP bound of the horizon; None where none was found.
    baseline: the policy that `above_baseline_share` counts from, if there is one.
    folder: where it was written, if it was.
    """

    table: pd.DataFrame
    settings: dict[str, Any]
    bound_cny: float | None
    baseline: str | None
    folder: Path | None

    @property
    def notes(self) -> list[str]:
        """What a reader of the table must know."""
        found = []
        if not self.settings["forecasts"]:
            found.append("the scenario has no `forecast`: forecasts are perfect")
        broken = self.table.loc[self.table["breaches"] > 0, "policy"]
        if len(broken):
            names = ", ".join(broken)
            found.append(f"{names}: the profit is of an operation that breaks rules (breaches)")
        return found


def table_of(
    plans: Mapping[str, PlanTables],
    counts: Mapping[str, tuple[int, int]],
    bound: float | None,
    *,
    perfect: str,
    baseline: str | None,
) -> pd.DataFrame:
    """Return the table of settled plans; `counts` has changes of commitment and forced steps.

    Rates are over what `perfect` earns, and above what `baseline` earns, where these policies ran.
    """
    profits = {name: float(plan.summary["objective_cny"]) for name, plan in plans.items()}
    best = profits.get(perfect)
    base = None if baseline is None else profits[baseline]
    rows = []
    for name, plan in plans.items():
        profit, summary = profits[name], plan.summary
        above = None if base is None or best is None else _share(profit - base, best - base)
        rows.append(
            {
                "policy": name,
                "profit_cny": profit,
                "cash_profit_cny": summary["cash_profit_cny"],
                "capture_share": _share(profit, best),
                "above_baseline_share": above,
                "of_bound_share": _share(profit, bound),
                "unserved_mtok": _unserved(plan),
                "load_share": summary["green"].get("load_share"),
                "self_use_share": summary["green"].get("self_use_share"),
                "starts": _figure(plan, "starts"),
                "cycles": _figure(plan, "cycles"),
                "curtailed_mwh": _curtailed(plan),
                "commitment_changes": counts[name][0],
                "forced_steps": counts[name][1],
                "breaches": len(summary["breaches"]),
            }
        )
    return pd.DataFrame(rows)


def _share(part: float, whole: float | None) -> float | None:
    return None if whole is None or whole <= LEAST_CNY else round(part / whole, 6)


def _unserved(plan: PlanTables) -> float:
    """Return what interactive services did not answer and batch services refused, Mtok."""
    lost = [
        c for c in plan.schedule if str(c).endswith((".unserved_mtok_per_h", ".refused_mtok_per_h"))
    ]
    return round(float(plan.schedule[lost].to_numpy().sum() * plan.scenario.horizon.step_h), 6)


def _figure(plan: PlanTables, name: str) -> float:
    return round(float(sum(found.get(name, 0.0) for found in plan.summary["figures"].values())), 6)


def _curtailed(plan: PlanTables) -> float:
    uses = plan.summary["allocation_mwh"].values()
    return round(float(sum(by_use.get("curtailed", 0.0) for by_use in uses)), 6)
