"""Whether a folder of several futures is what it says: its members, what they share, what it sums.

members          the scenario's members, their probabilities (which sum to 1) and the plan
                 folders are the same; every plan folder passes its own audit
here_and_now     what is decided before the future is known is there, and is the same in every
                 member's schedule: on, start, stop and start_kind of thermal units, what a grid
                 declares with `decide`, and with `awake: here_and_now` the nodes awake
profit_cny, unserved_mtok, shed_mwh, export_mwh, starts      as the member's plan has them
alone_cny        no member earns more than planned for it alone
expected_cny, cvar_cny, objective_cny, turnover_cny          of the members' profits
bound_cny, gap   at least the objective; within `solver.gap` where the status is optimal
eev_cny, vss_cny, ws_cny, evpi_cny           of the columns base_cny and alone_cny
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.findings import PLAN, Array, Breach, Findings, Notes
from planner.auditor.plan_files import SCENARIO, Files, read_files, read_scenario
from planner.auditor.reading import Plan, understand
from planner.auditor.registry import KINDS
from planner.errors import PlanError

STOCHASTIC, HERE_AND_NOW, TABLE, MEMBERS = (
    "stochastic.json", "here_and_now.csv", "members.csv", "members",
)  # fmt: skip
NUMBERS = (
    "probability", "profit_cny", "alone_cny", "base_cny", "unserved_mtok", "shed_mwh",
    "export_mwh", "starts",
)  # fmt: skip
LOOSE = 1e-4  # a decision that is held may move by 1e-5, and a plan rounds it


def audit_members(folder: Path, audit_files: Callable[[Files], list[Breach]]) -> list[Breach]:
    """Check a folder of several futures, its members one by one with `audit_files`.

    Raises:
        PlanError: a file is missing or cannot be read.
    """
    try:
        summary = json.loads((folder / STOCHASTIC).read_text(encoding="utf-8"))
        table = pd.read_csv(folder / TABLE, dtype={"name": str} | dict.fromkeys(NUMBERS, float))
        shared = pd.read_csv(folder / HERE_AND_NOW)
        names = [str(name) for name in table["name"]]
        times = [str(time) for time in shared["time"]]
        missing = [name for name in NUMBERS if name not in table]
        if missing or not isinstance(summary, dict):
            raise ValueError(f"{TABLE} has no column {missing[0]}" if missing else "no mapping")
    except (OSError, ValueError, KeyError) as error:
        raise PlanError(f"{folder} cannot be read: {error}") from None
    members = {name: understand(read_files(folder / MEMBERS / name), KINDS) for name in names}
    found = Findings(times)
    note, uncertainty = found.of(PLAN), _uncertainty(folder)
    _check_members(folder, uncertainty, table, note)
    together = uncertainty.get("awake") == "here_and_now"
    for name, plan in members.items():
        _check_shared(name, plan, shared, together, note)
    _check_table(table, members, together, note)
    _check_summary(summary, table, members, note)
    inside = [
        Breach(f"{name}/{b.component}", b.rule, b.time, b.amount, b.unit, b.message)
        for name, plan in members.items()
        for b in audit_files(plan.files)
    ]
    return [*found.sorted(), *inside]


def _uncertainty(folder: Path) -> Mapping[str, Any]:
    scenario = read_scenario(folder)
    try:
        uncertainty: Mapping[str, Any] = scenario["uncertainty"]
        if not all("name" in m and "probability" in m for m in uncertainty["members"]):
            raise ValueError("a member has no name or probability")
    except (ValueError, KeyError, TypeError) as error:
        raise PlanError(f"{folder / SCENARIO} cannot be read: {error}") from None
    return uncertainty


def _check_members(
    folder: Path, uncertainty: Mapping[str, Any], table: pd.DataFrame, note: Notes
) -> None:
    listed = {str(m["name"]): float(m["probability"]) for m in uncertainty["members"]}
    rows = dict(zip(table["name"], table["probability"], strict=True))
    folders = {path.name for path in (folder / MEMBERS).iterdir() if path.is_dir()}
    if not set(listed) == set(rows) == folders or len(rows) != len(table):
        note.add("members", f"{sorted(rows)} and {sorted(folders)} should be {sorted(listed)}")
    for name in set(listed) & set(rows):
        note.equal("members", f"the probability of {name} is", rows[name], listed[name], when="")
    total = float(table["probability"].sum())
    note.equal("members", "probabilities sum to", total, 1.0, when="")


def _check_shared(name: str, plan: Plan, shared: pd.DataFrame, together: bool, note: Notes) -> None:
    """Note where a member does not do what was decided before it was known."""
    schedule = plan.files.schedule
    for part in plan.parts.values():
        first = plan.audit(part).here_and_now(part, together)
        for column in part.columns:
            if column.partition("[")[0] in first and f"{part.name}.{column}" not in shared:
                note.add("here_and_now", f"leaves out {part.name}.{column}")
    if list(shared["time"]) != list(schedule["time"]):
        note.add("here_and_now", f"has other steps than member {name}")
        return
    for column in shared.columns.drop("time"):
        if column not in schedule:
            note.add("here_and_now", f"{column} is no column of member {name}")
            continue
        values, right = schedule[column].to_numpy(float), shared[column].to_numpy(float)
        note.equal("here_and_now", f"{column} of {name} is", values, right, slack=LOOSE)


def _check_table(
    table: pd.DataFrame, members: Mapping[str, Plan], together: bool, note: Notes
) -> None:
    for row in table.to_dict("records"):
        plan = members[str(row["name"])]
        files, step_h = plan.files, plan.clock.step_h
        uses, turnover = files.allocation, float(np.abs(files.ledger["amount_cny"]).sum())
        starts = sum(  # of units: those of jobs are not decided first
            float(part.column("start").sum()) for part in plan.parts.values()
            if "start" in plan.audit(part).here_and_now(part, together)
        )  # fmt: skip
        lost = _sum(files, "unserved_mtok_per_h") + _sum(files, "refused_mtok_per_h")
        right = {
            "profit_cny": float(files.ledger["amount_cny"].sum()),
            "unserved_mtok": step_h * lost,
            "shed_mwh": step_h * _sum(files, "shed_mw"),
            "export_mwh": float(uses.loc[uses["use"] == "export", "mwh"].sum()),
            "starts": starts,
        }
        for name, value in right.items():
            size = turnover if name.endswith("_cny") else 0.0
            words = f"{row['name']}: {name} is"
            note.equal(name, words, float(row[name]), value, when="", size=size)
        if row["alone_cny"] == row["alone_cny"]:
            words, alone = f"{row['name']} earns", float(row["alone_cny"])
            profit = float(row["profit_cny"])
            note.at_most("alone_cny", words, profit, alone, "CNY", when="", size=turnover)


def _sum(files: Files, quantity: str) -> float:
    names = [name for name in files.schedule if str(name).partition(".")[2] == quantity]
    return float(files.schedule[names].to_numpy(float).sum())


def _check_summary(
    summary: Mapping[str, Any],
    table: pd.DataFrame,
    members: Mapping[str, Plan],
    note: Notes,
) -> None:
    chances = table["probability"].to_numpy()
    turnovers = [np.abs(members[name].files.ledger["amount_cny"]).sum() for name in table["name"]]
    turnover = float(chances @ np.array(turnovers))
    risk = summary.get("risk")

    def compare(name: str, right: float | None) -> None:
        value = summary.get(name)
        if right is None or value is None:
            if (right is None) != (value is None):
                note.add(name, f"is {value}, should be {right}")
            return
        note.equal(name, "is", float(value), right, "CNY", when="", size=turnover)

    profits = table["profit_cny"].to_numpy()
    objective = _worth(chances, profits, risk)
    compare("expected_cny", float(chances @ profits))
    compare("cvar_cny", None if risk is None else _worst(chances, profits, risk["cvar_share"]))
    compare("objective_cny", objective)
    compare("turnover_cny", turnover)
    alone, base = table["alone_cny"].to_numpy(), table["base_cny"].to_numpy()
    ws = None if np.isnan(alone).any() else _worth(chances, alone, risk)
    eev = None if np.isnan(base).any() else _worth(chances, base, risk)
    compare("ws_cny", ws)
    compare("evpi_cny", None if ws is None else ws - objective)
    compare("eev_cny", eev)
    compare("vss_cny", None if eev is None else objective - eev)
    bound, gap = float(summary.get("bound_cny", np.nan)), float(summary.get("gap", np.nan))
    note.at_least("bound_cny", "is", bound, objective, "CNY", when="", size=turnover)
    note.equal("gap", "is", gap, max(bound - objective, 0.0) / max(turnover, 1.0), when="")
    if summary.get("status") == "optimal":
        solver = next(iter(members.values())).files.scenario.get("solver") or {}
        note.at_most("gap", "is", gap, float(solver.get("gap", 1e-3)), when="")


def _worth(chances: Array, profits: Array, risk: Mapping[str, float] | None) -> float:
    """Return the mean profit, or with `risk` the mean and that of the worst by their weights."""
    mean = float(chances @ profits)
    if risk is None:
        return mean
    worst = _worst(chances, profits, risk["cvar_share"])
    return (1 - risk["weight"]) * mean + risk["weight"] * worst


def _worst(chances: Array, profits: Array, share: float) -> float:
    """Return the CVaR as Rockafellar and Uryasev define it; its best eta is one of the profits."""
    return max(
        float(eta - chances @ np.maximum(eta - profits, 0.0) / share) for eta in profits.tolist()
    )
