"""Audit of the folder of a stochastic plan: its members, their shared decisions, its sums.

members          the scenario's members, their probabilities (which sum to 1) and the plan
                 folders are the same; every plan folder passes its own audit
here_and_now     the decisions taken before the future is known are listed, and are the same in
                 every member's schedule: on, start, stop and start_kind of thermal units, the
                 declaration of a grid with `decide`, and with `awake: here_and_now` the nodes awake
profit_cny, unserved_mtok, shed_mwh, export_mwh, starts      as in the member's plan
alone_cny        no member earns more than with a plan for it alone
expected_cny, cvar_cny, objective_cny, turnover_cny          of the members' profits
bound_cny        at least the objective
gap              of the turnover; within `solver.gap` where the status is optimal
gap_of_profit    the same of the objective or, below 0, the loss; none where that is 0
eev_cny, vss_cny, ws_cny, evpi_cny           of the columns base_cny and alone_cny
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.findings import PLAN, Array, Breach, Findings, Notes, number
from planner.auditor.plan_files import (
    SCENARIO,
    Files,
    read_files,
    read_mapping,
    read_numbers,
    read_scenario,
    read_table,
    unreadable,
)
from planner.auditor.reading import Plan, understand
from planner.auditor.registry import audits_for
from planner.auditor.summary import gap_of_profit
from planner.errors import as_written
from planner.message import Message

STOCHASTIC, HERE_AND_NOW, TABLE, MEMBERS = (
    "stochastic.json", "here_and_now.csv", "members.csv", "members",
)  # fmt: skip
NUMBERS = (
    "probability", "profit_cny", "alone_cny", "base_cny", "unserved_mtok", "shed_mwh",
    "export_mwh", "starts",
)  # fmt: skip
LOOSE = 1e-4  # a pinned decision may move by 1e-5, and a plan rounds it


def audit_members(folder: Path, audit_files: Callable[[Files], list[Breach]]) -> list[Breach]:
    """Check the folder of a stochastic plan, and its members one by one with `audit_files`.

    Raises:
        PlanError: a file is missing or cannot be read.
    """
    summary = read_mapping(folder / STOCHASTIC, json.loads)
    table = read_table(folder / TABLE, "name", blank=[""], **dict.fromkeys(NUMBERS, float))
    shared = read_numbers(folder / HERE_AND_NOW)
    uncertainty = _uncertainty(folder)
    files = {str(name): read_files(folder / MEMBERS / str(name)) for name in table["name"]}
    members = {name: understand(of_one, audits_for(of_one)) for name, of_one in files.items()}
    times, currencies = map(str, shared["time"]), [of_one.currency for of_one in files.values()]
    findings = Findings([*times], currency=next(iter(currencies), "CNY"))
    note, together = findings.of(PLAN), uncertainty.get("awake") == "here_and_now"
    _check_members(folder, uncertainty, table, note)
    for name, plan in members.items():
        _check_shared(name, plan, shared, together, note)
    _check_table(table, members, together, note)
    _check_summary(summary, table, members, note)
    of_members = [
        replace(breach, component=f"{name}/{breach.component}")
        for name, plan in members.items()
        for breach in audit_files(plan.files)
    ]
    return [*findings.sorted(), *of_members]


def _uncertainty(folder: Path) -> Mapping[str, Any]:
    scenario = read_scenario(folder)
    try:
        uncertainty: Mapping[str, Any] = scenario["uncertainty"]
        complete = all("name" in m and "probability" in m for m in uncertainty["members"])
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable(folder / SCENARIO, error) from None
    if not complete:
        raise unreadable(folder / SCENARIO, Message("a member has no name or probability"))
    return uncertainty


def _check_members(
    folder: Path, uncertainty: Mapping[str, Any], table: pd.DataFrame, note: Notes
) -> None:
    expected = {str(m["name"]): float(m["probability"]) for m in uncertainty["members"]}
    rows = dict(zip(table["name"], table["probability"], strict=True))
    folders = {path.name for path in (folder / MEMBERS).iterdir() if path.is_dir()}
    if not set(expected) == set(rows) == folders or len(rows) != len(table):
        listed, stored, names = (", ".join(sorted(each)) for each in (rows, folders, expected))
        message = Message(
            "the table has {names}, the folders are {other}, the scenario has {expected}",
            names=listed, other=stored, expected=names,
        )  # fmt: skip
        note.add("members", message)
    for name in set(expected) & set(rows):
        what = Message("the probability of {name} is", name=name)
        note.equal("members", what, rows[name], expected[name], when="")
    total = float(table["probability"].sum())
    note.equal("members", Message("probabilities sum to"), total, 1.0, when="")


def _check_shared(name: str, plan: Plan, shared: pd.DataFrame, together: bool, note: Notes) -> None:
    """Note where a member deviates from a decision taken before the future is known."""
    rule, schedule = "here_and_now", plan.files.schedule
    for part in plan.parts.values():
        decided = plan.audit(part).here_and_now(part, together)
        for column in part.columns:
            if column.partition("[")[0] in decided and f"{part.name}.{column}" not in shared:
                note.add(rule, Message("leaves out {name}", name=f"{part.name}.{column}"))
    if list(shared["time"]) != list(schedule["time"]):
        note.add(rule, Message("has other steps than member {name}", name=name))
        return
    for column in shared.columns.drop("time"):
        if column not in schedule:
            note.add(rule, Message("{path} is no column of member {name}", path=column, name=name))
            continue
        values, expected = schedule[column].to_numpy(float), shared[column].to_numpy(float)
        what = Message("{path} of {name} is", path=column, name=name)
        note.equal(rule, what, values, expected, slack=LOOSE)


def _check_table(
    table: pd.DataFrame, members: Mapping[str, Plan], together: bool, note: Notes
) -> None:
    for row in table.to_dict("records"):
        member = str(row["name"])
        plan = members[member]
        files, step_h = plan.files, plan.clock.step_h
        uses, turnover = files.allocation, float(np.abs(files.ledger["amount_cny"]).sum())
        starts = sum(  # of units: those of jobs are not decided first
            float(part.column("start").sum()) for part in plan.parts.values()
            if "start" in plan.audit(part).here_and_now(part, together)
        )  # fmt: skip
        lost = _sum(files, "unserved_mtok_per_h") + _sum(files, "refused_mtok_per_h")
        expected = {
            "profit_cny": float(files.ledger["amount_cny"].sum()),
            "unserved_mtok": step_h * lost,
            "shed_mwh": step_h * _sum(files, "shed_mw"),
            "export_mwh": float(uses.loc[uses["use"] == "export", "mwh"].sum()),
            "starts": starts,
        }
        for name, value in expected.items():
            size = turnover if name.endswith("_cny") else 0.0
            what = Message("{name}: {path} is", name=member, path=name)
            note.equal(name, what, float(row[name]), value, when="", size=size)
        if row["alone_cny"] == row["alone_cny"]:
            what, profit = Message("{name} earns", name=member), float(row["profit_cny"])
            alone = float(row["alone_cny"])
            note.at_most("alone_cny", what, profit, alone, "CNY", when="", size=turnover)


def _sum(files: Files, quantity: str) -> float:
    names = [name for name in files.schedule if str(name).partition(".")[2] == quantity]
    return float(files.schedule[names].to_numpy(float).sum())


def _check_summary(
    summary: Mapping[str, Any],
    table: pd.DataFrame,
    members: Mapping[str, Plan],
    note: Notes,
) -> None:
    probabilities = table["probability"].to_numpy()
    turnovers = [np.abs(members[name].files.ledger["amount_cny"]).sum() for name in table["name"]]
    turnover = float(probabilities @ np.array(turnovers))
    risk = summary.get("risk")

    def compare(
        name: str, expected: float | None, unit: str = "CNY", size: float = turnover,
        slack: float = 0.0,
    ) -> None:  # fmt: skip
        value = summary.get(name)
        if expected is None or value is None:
            if (expected is None) != (value is None):
                message = Message(
                    "is {value}, should be {expected}",
                    value=as_written(value), expected=as_written(expected),
                )  # fmt: skip
                note.add(name, message)
            return
        note.equal(
            name, Message("is"), number(value), expected, unit, when="", size=size, slack=slack
        )

    profits = table["profit_cny"].to_numpy()
    objective = _risk_adjusted(probabilities, profits, risk)
    compare("expected_cny", float(probabilities @ profits))
    compare("cvar_cny", None if risk is None else _cvar(probabilities, profits, risk["cvar_share"]))
    compare("objective_cny", objective)
    compare("turnover_cny", turnover)
    alone, base = table["alone_cny"].to_numpy(), table["base_cny"].to_numpy()
    ws = None if np.isnan(alone).any() else _risk_adjusted(probabilities, alone, risk)
    eev = None if np.isnan(base).any() else _risk_adjusted(probabilities, base, risk)
    compare("ws_cny", ws)
    compare("evpi_cny", None if ws is None else ws - objective)
    compare("eev_cny", eev)
    compare("vss_cny", None if eev is None else objective - eev)
    bound, gap = number(summary.get("bound_cny")), number(summary.get("gap"))
    note.at_least("bound_cny", Message("is"), bound, objective, "CNY", when="", size=turnover)
    expected_gap = max(bound - objective, 0.0) / max(turnover, 1.0)
    note.equal("gap", Message("is"), gap, expected_gap, when="")
    of_profit, slack = gap_of_profit(number(summary.get("objective_cny")), bound)
    compare("gap_of_profit", of_profit, "", 0.0, slack)
    if summary.get("status") == "optimal":
        solver = next(iter(members.values())).files.scenario.get("solver") or {}
        max_gap = float(solver.get("gap", 1e-3)) + float(solver.get("smoothing_cost_share", 0.0))
        note.at_most("gap", Message("is"), gap, max_gap, when="")


def _risk_adjusted(probabilities: Array, profits: Array, risk: Mapping[str, float] | None) -> float:
    """Return the mean profit; with `risk` the weighted sum of mean and CVaR."""
    mean = float(probabilities @ profits)
    if risk is None:
        return mean
    cvar = _cvar(probabilities, profits, risk["cvar_share"])
    return (1 - risk["weight"]) * mean + risk["weight"] * cvar


def _cvar(probabilities: Array, profits: Array, share: float) -> float:
    """Return the CVaR as Rockafellar and Uryasev define it; its best eta is one of the profits."""
    return max(
        float(eta - probabilities @ np.maximum(eta - profits, 0.0) / share)
        for eta in profits.tolist()
    )
