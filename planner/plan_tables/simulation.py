"""The tables of a simulation: what each policy earns, and what was forecast; and its folder.

simulation.csv    the table: a row a policy
simulation.json   the same with the options, the bound and the errors of the forecasts
forecasts.csv     a row for each step and series with a forecast
days.jsonl        the finished days
plans/POLICY      the settled plan of each policy
report.html       the page of all policies

The capture rate of a policy is its profit over that of perfect foresight: the same windows, planned
on the actuals. That is an estimate of the best possible profit, for a window does not see what
comes after it. The LP bound of the whole horizon is a proven bound for all operation that breaks no
rule, and too high by the cost of integers. Where profits may be negative, or any operation would
earn most of them, the rate above a baseline is more telling: the profit above that of the first
rule of thumb in the table, over the same of perfect foresight. Rates over a denominator of zero or
less are left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from planner.errors import PlanError
from planner.files.format_mark import require_readable
from planner.files.output_folder import Content, Mark
from planner.files.records import KEYS
from planner.message import Message, template
from planner.plan_tables.folder import read_facts, read_table, read_tables, reading, times_of
from planner.plan_tables.several_plans import SeveralPlans
from planner.plan_tables.tables import LEAST_CNY, PlanTables
from planner.scenario.scenario import Scenario
from planner.units import CNY

TABLE, FACTS, PLANS = "simulation.csv", "simulation.json", "plans"
DAYS, FORECASTS = "days.jsonl", "forecasts.csv"
FORECAST_COLUMNS = ("time", "issued", "path", "forecast", "actual")
PLANNING = ("perfect", "deterministic", "stochastic")
"""The policies that plan, the first of them on the actuals; all others are rules of thumb."""
SETTINGS = ("every_h", "window_h", "members", "seed", "forecasts")
SIMULATION_FOLDER = Content(
    mark=Mark(DAYS, KEYS),
    foreign=template("{path} exists and is no folder of a simulation; choose another"),
)


@dataclass(frozen=True, eq=False)
class SimulationTable(SeveralPlans):
    """What several policies earn on the same actuals.

    table: a row a policy: profit_cny, cash_profit_cny, capture_share, above_baseline_share,
        of_bound_share, unserved_mtok, load_share, self_use_share, starts, cycles, curtailed_mwh,
        commitment_changes, forced_steps, breaches.
    settings: the options, and the paths that have a forecast.
    bound_cny: the LP bound of the horizon; None where none was found.
    baseline: the policy that `above_baseline_share` is relative to, if there is one.
    folder: the folder it was written to, if any.
    plans: the settled plan of each policy; their tables, one below the other, begin with `policy`.
    forecasts: a row for each series with a forecast and step: time, issued, path, forecast, actual;
        the forecast is the one that the window of the step was planned on, issued at its start.
        None where a folder of an earlier version does not hold them.
    """

    table: pd.DataFrame
    settings: dict[str, Any]
    bound_cny: float | None
    baseline: str | None
    folder: Path | None
    plans: Mapping[str, PlanTables]
    forecasts: pd.DataFrame | None

    level: ClassVar[str] = "policy"

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: what was derived from them is derived again."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def scenario(self) -> Scenario:
        """The scenario, with the actuals."""
        return next(iter(self.plans.values())).scenario

    @property
    def members(self) -> Mapping[str, PlanTables]:
        """The settled plan of each policy, as `plans`."""
        return self.plans

    @property
    def summary(self) -> dict[str, Any]:
        """The options, the bound, the table and the errors of the forecasts; plain values."""
        return facts_of(self)

    @property
    def currency(self) -> str:
        """The currency of its plans."""
        return next((plan.scenario.currency for plan in self.plans.values()), CNY)

    @property
    def notes(self) -> list[Message]:
        """What a reader of the table must know."""
        notes = []
        if not self.settings["forecasts"]:
            notes.append(Message("the scenario has no `forecast`: forecasts are perfect"))
        broken = self.table.loc[self.table["breaches"] > 0, "policy"]
        if len(broken):
            notes.append(
                Message(
                    "{names}: the profit is of an operation that breaks rules (breaches)",
                    names=", ".join(broken),
                )
            )
        return notes


def table_of(
    plans: Mapping[str, PlanTables],
    counts: Mapping[str, tuple[int, int]],
    bound: float | None,
    *,
    perfect: str,
    baseline: str | None,
) -> pd.DataFrame:
    """Return the table of settled plans, a row a policy.

    Args:
        plans: the settled plan of each policy.
        counts: changes of commitment and forced steps of each.
        bound: the LP bound of the profit, CNY, if known.
        perfect: the policy of perfect foresight, for the capture rate; it need not be there.
        baseline: the policy for the rate above a baseline, if any.
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
                "unserved_mtok": round(plan.unserved_mtok, 6) + 0.0,
                "load_share": summary["green"].get("load_share"),
                "self_use_share": summary["green"].get("self_use_share"),
                "starts": round(plan.figure("starts"), 6) + 0.0,
                "cycles": round(plan.figure("cycles"), 6) + 0.0,
                "curtailed_mwh": round(plan.used_mwh("curtailed"), 6) + 0.0,
                "commitment_changes": counts[name][0],
                "forced_steps": counts[name][1],
                "breaches": len(summary["breaches"]),
            }
        )
    return pd.DataFrame(rows)


def contradictions(simulation: SimulationTable) -> list[Message]:
    """Return where the table of a simulation is not what its plans say."""
    stored = simulation.table.set_index("policy")
    counts = dict.fromkeys(stored.index, (0, 0))  # what no plan says
    wanted = table_of(
        simulation.plans, counts, simulation.bound_cny,
        perfect=PLANNING[0], baseline=simulation.baseline,
    ).set_index("policy").drop(columns=["commitment_changes", "forced_steps"])  # fmt: skip
    messages = []
    for column in wanted.columns.intersection(stored.columns):
        for policy in wanted.index:
            numbers: tuple[Any, Any] = stored.at[policy, column], wanted.at[policy, column]
            value, other = (math.nan if number is None else float(number) for number in numbers)
            if not np.isclose(value, other, rtol=1e-6, atol=1e-4, equal_nan=True):
                messages.append(
                    Message(
                        "{name} of {policy} is {value:.8g}, by its plan {other:.8g}",
                        name=column, policy=policy, value=value, other=other,
                    )
                )  # fmt: skip
    return messages


def _share(part: float, whole: float | None) -> float | None:
    return None if whole is None or whole <= LEAST_CNY else round(part / whole, 6) + 0.0


def forecast_errors(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of forecasts, forecast less actual, a row a series.

    Columns: path, mean (of the actuals), mean_absolute_error, bias (the mean error), and
    largest_error (the largest amount of an error).
    """
    rows = []
    for path, series in forecasts.groupby("path", sort=False):
        errors = series["forecast"] - series["actual"]
        figures = {
            "mean": series["actual"].mean(),
            "mean_absolute_error": errors.abs().mean(),
            "bias": errors.mean(),
            "largest_error": errors.abs().max(),
        }
        rows.append({"path": path} | {name: round(x, 6) + 0.0 for name, x in figures.items()})
    columns = ["path", "mean", "mean_absolute_error", "bias", "largest_error"]
    return pd.DataFrame(rows, columns=columns)


def facts_of(simulation: SimulationTable) -> dict[str, Any]:
    """Return what simulation.json holds."""

    def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
        return list(json.loads(table.to_json(orient="records", double_precision=15)))

    facts = {
        "bound_cny": simulation.bound_cny,
        "baseline": simulation.baseline,
        "notes": simulation.notes,
        "policies": rows(simulation.table),
    }
    if simulation.forecasts is not None:
        facts["forecast_errors"] = rows(forecast_errors(simulation.forecasts))
    return simulation.settings | facts


def read_simulation(folder: Path) -> SimulationTable:
    """Read the folder of a finished simulation back.

    Raises:
        PlanError: it is not finished, a file cannot be read, or a policy has no plan folder.
    """
    if not (folder / FACTS).is_file():
        message = Message("{path} is a simulation that is not finished: run it again, and it"
                          " continues", path=folder)  # fmt: skip
        raise PlanError(message)
    require_readable(folder / FACTS)
    with reading(folder):
        facts = read_facts(folder / FACTS, *SETTINGS, "policies", "bound_cny", "baseline")
        table = pd.DataFrame(facts["policies"])
        if "policy" not in table:
            raise PlanError(Message("{file} has no key {name!r}", file=FACTS, name="policy"))
        plans = {name: read_tables(folder / PLANS / name) for name in table["policy"]}
        forecasts = _read_forecasts(folder / FORECASTS, plans)
    settings = {name: facts[name] for name in SETTINGS} | {"policies": list(plans)}
    return SimulationTable(
        table, settings, facts["bound_cny"], facts["baseline"], folder, plans, forecasts
    )


def _read_forecasts(path: Path, plans: Mapping[str, PlanTables]) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    table = read_table(path, *FORECAST_COLUMNS, dtype={"path": "str"})
    scenario = next(iter(plans.values())).scenario
    times = {name: times_of(table[name], scenario) for name in ("time", "issued")}
    return table.assign(**times).astype({"forecast": float, "actual": float})
