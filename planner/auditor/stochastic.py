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

from planner.auditor.findings import PLAN, Array, Breach, Findings
from planner.auditor.plan_files import Files, read_files
from planner.errors import PlanError

STOCHASTIC, HERE_AND_NOW, TABLE, MEMBERS = (
    "stochastic.json", "here_and_now.csv", "members.csv", "members",
)  # fmt: skip
COMMITMENT = ("on", "start", "stop", "start_kind")
DECLARED = ("declared_import_mw", "declared_export_mw", "declaring")
NUMBERS = (
    "probability", "profit_cny", "alone_cny", "base_cny", "unserved_mtok", "shed_mwh",
    "export_mwh", "starts",
)  # fmt: skip
LOOSE = 1e-4  # a decision that is held may move by 1e-5, and a plan rounds it


def audit_futures(folder: Path, audit_files: Callable[[Files], list[Breach]]) -> list[Breach]:
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
    members = {name: read_files(folder / MEMBERS / name) for name in names}
    found = Findings(times)
    said = _uncertainty(folder)
    _check_members(folder, said, table, found)
    for name, files in members.items():
        _check_shared(name, files, shared, said.get("awake") == "here_and_now", found)
    _check_table(table, members, found)
    _check_summary(summary, table, members, found)
    inside = [
        Breach(f"{name}/{b.component}", b.rule, b.time, b.amount, b.unit, b.message)
        for name, files in members.items()
        for b in audit_files(files)
    ]
    return [*found.sorted(), *inside]


def _uncertainty(folder: Path) -> Mapping[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load((folder / "scenario.yaml").read_text(encoding="utf-8"), Loader=loader)
        said = data["uncertainty"]
        if not all("name" in m and "probability" in m for m in said["members"]):
            raise ValueError("a member has no name or probability")
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise PlanError(f"{folder / 'scenario.yaml'} cannot be read: {error}") from None
    found: Mapping[str, Any] = said
    return found


def _check_members(
    folder: Path, said: Mapping[str, Any], table: pd.DataFrame, found: Findings
) -> None:
    listed = {str(m["name"]): float(m["probability"]) for m in said["members"]}
    mine = dict(zip(table["name"], table["probability"], strict=True))
    held = {path.name for path in (folder / MEMBERS).iterdir() if path.is_dir()}
    if not set(listed) == set(mine) == held or len(mine) != len(table):
        found.add(PLAN, "members", f"{sorted(mine)} and {sorted(held)} should be {sorted(listed)}")
    for name in set(listed) & set(mine):
        said_of = f"the probability of {name} is"
        found.equal(PLAN, "members", said_of, mine[name], listed[name], when="")
    total = float(table["probability"].sum())
    found.equal(PLAN, "members", "probabilities sum to", total, 1.0, when="")


def _check_shared(
    name: str, files: Files, shared: pd.DataFrame, awake: bool, found: Findings
) -> None:
    """Note where a member does not do what was decided before it was known."""
    for column in files.schedule.columns:
        if _decided_first(str(column), files.scenario, awake=awake) and column not in shared:
            found.add(PLAN, "here_and_now", f"leaves out {column}")
    if list(shared["time"]) != list(files.schedule["time"]):
        found.add(PLAN, "here_and_now", f"has other steps than member {name}")
        return
    for column in shared.columns.drop("time"):
        if column not in files.schedule:
            found.add(PLAN, "here_and_now", f"{column} is no column of member {name}")
            continue
        values, right = files.schedule[column].to_numpy(float), shared[column].to_numpy(float)
        words = f"{column} of {name} is"
        found.equal(PLAN, "here_and_now", words, values, right, slack=LOOSE)


def _decided_first(column: str, scenario: Mapping[str, Any], *, awake: bool) -> bool:
    """Say whether a column of the schedule is decided before the future is known."""
    component, _, rest = column.partition(".")
    part, quantity = scenario["components"].get(component, {}), rest.partition("[")[0]
    kind = part.get("kind")
    if kind == "grid":
        declared = part.get("declaration") or {}
        return quantity in DECLARED and declared.get("exchange_mw") == "decide"
    return (kind == "thermal" and quantity in COMMITMENT) or (
        awake and kind == "fleet" and quantity == "awake"
    )


def _check_table(table: pd.DataFrame, members: Mapping[str, Files], found: Findings) -> None:
    for row in table.to_dict("records"):
        files = members[str(row["name"])]
        step_h = float(files.scenario["horizon"]["step_min"]) / 60
        uses, turnover = files.allocation, float(np.abs(files.ledger["amount_cny"]).sum())
        starts = {
            f"{name}.start" for name, part in files.scenario["components"].items()
            if part.get("kind") == "thermal"
        }  # fmt: skip
        lost = _sum(files, "unserved_mtok_per_h") + _sum(files, "refused_mtok_per_h")
        right = {
            "profit_cny": float(files.ledger["amount_cny"].sum()),
            "unserved_mtok": step_h * lost,
            "shed_mwh": step_h * _sum(files, "shed_mw"),
            "export_mwh": float(uses.loc[uses["use"] == "export", "mwh"].sum()),
            "starts": float(files.schedule[sorted(starts)].to_numpy().sum()),
        }
        for name, value in right.items():
            size = turnover if name.endswith("_cny") else 0.0
            words = f"{row['name']}: {name} is"
            found.equal(PLAN, name, words, float(row[name]), value, when="", size=size)
        if row["alone_cny"] == row["alone_cny"]:
            words, alone = f"{row['name']} earns", float(row["alone_cny"])
            profit = float(row["profit_cny"])
            found.at_most(PLAN, "alone_cny", words, profit, alone, "CNY", when="", size=turnover)


def _sum(files: Files, quantity: str) -> float:
    names = [name for name in files.schedule if str(name).partition(".")[2] == quantity]
    return float(files.schedule[names].to_numpy(float).sum())


def _check_summary(
    summary: Mapping[str, Any],
    table: pd.DataFrame,
    members: Mapping[str, Files],
    found: Findings,
) -> None:
    chances = table["probability"].to_numpy()
    turnovers = [np.abs(members[name].ledger["amount_cny"]).sum() for name in table["name"]]
    turnover = float(chances @ np.array(turnovers))
    risk = summary.get("risk")

    def compare(name: str, right: float | None) -> None:
        value = summary.get(name)
        if right is None or value is None:
            if (right is None) != (value is None):
                found.add(PLAN, name, f"is {value}, should be {right}")
            return
        found.equal(PLAN, name, "is", float(value), right, "CNY", when="", size=turnover)

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
    found.at_least(PLAN, "bound_cny", "is", bound, objective, "CNY", when="", size=turnover)
    found.equal(PLAN, "gap", "is", gap, max(bound - objective, 0.0) / max(turnover, 1.0), when="")
    if summary.get("status") == "optimal":
        solver = next(iter(members.values())).scenario.get("solver") or {}
        found.at_most(PLAN, "gap", "is", gap, float(solver.get("gap", 1e-3)), when="")


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
