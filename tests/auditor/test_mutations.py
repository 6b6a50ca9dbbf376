"""A number changed anywhere in a plan is found: a mutation test of the auditor.

Each mutation takes a good plan and changes one number of one table (schedule, allocation, ledger,
green, summary in turn) by 5 % of itself and 1 % of the largest of its kind, up or down. A checksum
would find them all; the auditor must find them by what the numbers mean. docs/promises.md explains
which numbers may be free.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import planner
from planner.auditor.audit import audit_files
from planner.auditor.plan_files import Files
from tests.auditor.test_audit import SCENARIOS
from tests.support import full_site
from tests.support.audited import leaves, said, stored, with_figure

HOURS = 16
TABLES = ("schedule", "allocation", "ledger", "green", "summary")
TINY = ("tiny_deadline", "tiny_market", "tiny_origin", "tiny_reserve", "tiny_start", "tiny_wake")
RELATIVE, ABSOLUTE = 0.05, 0.01


def day(*values: float) -> list[float]:
    """A day in blocks of equal length."""
    each = HOURS // len(values)
    return [float(v) for v in values for _ in range(each)]


def everything() -> dict[str, Any]:
    return {
        "sun": {
            "kind": "renewable",
            "technology": "pv",
            "capacity_mw": 60,
            "availability_pu": day(0.7, 0.6, 0.2, 0, 0, 0.1, 0.5, 0.7),
            "must_take_pu": day(0.2, 0.2, 0, 0, 0, 0, 0.1, 0.2),
            "cost_cny_per_mwh": 5,
            "levelized_cost_cny_per_mwh": 200,
        },
        "coal": {
            "kind": "thermal",
            "min_power_mw": 20,
            "max_power_mw": 60,
            "curve": [
                {"power_mw": 20, "fuel_gj_per_h": 200},
                {"power_mw": 40, "fuel_gj_per_h": 380},
                {"power_mw": 60, "fuel_gj_per_h": 600},
            ],
            "fuel_price_cny_per_gj": day(30, 30, 31, 31),
            "variable_cost_cny_per_mwh": 12,
            "ramp_up_mw_per_h": 12,
            "ramp_down_mw_per_h": 15,
            "startup_ramp_mw": 28,
            "shutdown_ramp_mw": 30,
            "min_up_h": 3,
            "min_down_h": 2,
            "shutdown_cost_cny": 500,
            "auxiliary_share": 0.05,
            "startups": [
                {"off_h": 0, "cost_cny": 1000},
                {"off_h": 3, "cost_cny": 1800},
                {"off_h": 8, "cost_cny": 4000},
            ],
            "emission_tco2_per_gj": 0.09,
            "allowance_tco2_per_mwh": 0.8,
            "available": [1] * 5 + [0] * 2 + [0.9] * 9,
            "ending": "same_as_start",
            "initial": {"on": True, "power_mw": 40, "hours": 2},
        },
        "gas": {
            "kind": "thermal",
            "min_power_mw": 5,
            "max_power_mw": 30,
            "node": "hall",
            "curve": [
                {"power_mw": 5, "fuel_gj_per_h": 70},
                {"power_mw": 15, "fuel_gj_per_h": 150},
                {"power_mw": 22, "fuel_gj_per_h": 190},
                {"power_mw": 30, "fuel_gj_per_h": 270},
            ],
            "fuel_price_cny_per_gj": 55,
            "ramp_up_mw_per_h": 30,
            "ramp_down_mw_per_h": 30,
            "startup_ramp_mw": 30,
            "shutdown_ramp_mw": 30,
            "min_up_h": 1,
            "min_down_h": 1,
            "startups": [{"off_h": 0, "cost_cny": 100}, {"off_h": 2, "cost_cny": 300}],
            "initial": {"on": False, "hours": 5},
        },
        "store": {
            "kind": "battery",
            "capacity_mwh": 40,
            "min_energy_mwh": 4,
            "charge_power_mw": 12,
            "discharge_power_mw": 14,
            "charge_efficiency": 0.95,
            "discharge_efficiency": 0.92,
            "leak_per_h": 0.004,
            "wear_cny_per_mwh": 20,
            "cycles_per_day": 0.8,
            "available": day(1, 1, 0.9, 1),
            "initial": {
                "energy_mwh": {"renewable": 6, "thermal": 5, "grid": 4},
                "discharged_today_mwh": 3,
            },
            "ending": {"value_cny_per_mwh": 300},
        },
        "tank": {
            "kind": "battery",
            "node": "hall",
            "capacity_mwh": 10,
            "charge_power_mw": 4,
            "discharge_power_mw": 4,
            "charge_efficiency": 0.9,
            "discharge_efficiency": 0.9,
            "initial": {"energy_mwh": 3},
            "ending": "same_as_start",
        },
        "grid": {
            "kind": "grid",
            "import_limit_mw": 45,
            "export_limit_mw": day(40, 40, 30, 40),
            "resale": True,
            "import_price_cny_per_mwh": day(500, 700, 900, 850, 300, -20, 350, 400),
            "export_price_cny_per_mwh": {
                "renewable": day(420, 380, 640, 500),
                "thermal": day(360, 500, 560, 400),
                "grid": 200,
            },
            "self_use_charge_cny_per_mwh": {"renewable": 6, "thermal": day(9, 9, 9, 9), "grid": 2},
            "demand_charge_cny_per_mw_month": 900,
            "peak_so_far_mw": {"2026-07": 22},
            "expected_peak_mw": 8,
            "import_emission_tco2_per_mwh": 0.55,
            "fixed_cny_per_month": 3000,
            "ramp_mw_per_h": 55,
            "initial": {"exchange_mw": 3},
            "response": [
                {
                    "hours": ["18-20"],
                    "baseline_mw": 30,
                    "reward_cny_per_mwh": 700,
                    "max_mw": 12,
                },
                {
                    "hours": ["23-1"],
                    "baseline_mw": 50,
                    "reward_cny_per_mwh": 90,
                    "max_mw": 20,
                },
            ],
        },
        "feed": {
            "kind": "grid",
            "node": "hall",
            "import_limit_mw": 18,
            "export_limit_mw": 6,
            "import_price_cny_per_mwh": day(600, 650, 900, 1200, 350, 300, 500, 640),
            "export_price_cny_per_mwh": 280,
            "self_use_charge_cny_per_mwh": 7,
            "demand_charge_cny_per_mw_month": 100,
            "peak_so_far_mw": 4,
            "declaration": {
                "exchange_mw": day(8, 12, 15, -2),
                "band_share": 0.1,
                "over_cost_cny_per_mwh": 90,
                "under_cost_cny_per_mwh": 40,
            },
            "real_time_price_cny_per_mwh": day(500, 700, 900, 1000, 300, 200, 450, 600),
        },
        "spare": {
            "kind": "grid",
            "node": "hall",
            "import_limit_mw": 5,
            "export_limit_mw": 4,
            "import_price_cny_per_mwh": day(620, 640, 950, 1100),
            "export_price_cny_per_mwh": 270,
            "max_swing_share": 0.7,
            "initial": {"highest_today_mw": 3, "lowest_today_mw": 2},
            "declaration": {"exchange_mw": "decide", "over_cost_cny_per_mwh": 30},
            "real_time_price_cny_per_mwh": day(610, 650, 900, 1150),
        },
        "hedge": {
            "kind": "contract",
            "grid": "feed",
            "mw": day(5, -4, 0, 6),
            "price_cny_per_mwh": day(310, 500, 420, 260),
        },
        "town": {
            "kind": "load",
            "demand_mw": day(14, 16, 22, 26, 12, 9, 11, 13),
            "shed_cost_cny_per_mwh": 1500,
        },
        "works": {"kind": "load", "node": "hall", "demand_mw": day(9, 12, 20, 10)},
        "gpu": {
            "kind": "fleet",
            "nodes": 3000,
            "available_pu": day(1, 1, 0.8, 0.96),
            "spare_nodes": 15,
            "sleep": [
                {"name": "soft", "node_kw": 1.2, "wake_min": 20, "wake_cost_cny": 1},
                {
                    "name": "off",
                    "node_kw": 0.3,
                    "wake_min": 90,
                    "wake_cost_cny": 3,
                    "drain_min": 90,
                },
            ],
            "ramp_nodes_per_h": 400,
            "pue": {
                "temperature_c": day(35, 33, 30, 27, 25, 24, 28, 33),
                "points": [
                    {"temperature_c": 0, "pue": 1.05},
                    {"temperature_c": 28, "pue": 1.2},
                    {"temperature_c": 42, "pue": 1.35},
                ],
            },
            "amortisation_cny_per_node_h": 40,
            "serves": {
                "big_v3.1": {
                    "points": [
                        {"tokens_per_s": 0, "node_kw": 2},
                        {"tokens_per_s": 900, "node_kw": 6, "inter_token_ms": 20},
                        {"tokens_per_s": 2500, "node_kw": 7.5, "inter_token_ms": 45},
                        {"tokens_per_s": 4000, "node_kw": 8, "inter_token_ms": 120},
                    ],
                    "prefill": {"tokens_per_s": 15000, "node_kw": 8.2},
                },
                "small": {
                    "points": [
                        {"tokens_per_s": 0, "node_kw": 1.9},
                        {"tokens_per_s": 3000, "node_kw": 5, "inter_token_ms": 30},
                        {"tokens_per_s": 6000, "node_kw": 5.6, "inter_token_ms": 80},
                    ]
                },
            },
            "initial": {
                "awake": {"big_v3.1": 800, "small": 400},
                "asleep": {"off": 900},
                "woken": {"off|small": [30]},
                "slept": {"off": [200]},
            },
        },
        "rack": {
            "kind": "fleet",
            "node": "hall",
            "nodes": 12,
            "pue": 1.1,
            "sleep_kw": 0.4,
            "whole_nodes": True,
            "wake_cost_cny": 2,
            "serves": {
                "small": {
                    "points": [
                        {"tokens_per_s": 0, "node_kw": 1.9},
                        {"tokens_per_s": 2800, "node_kw": 5.2, "inter_token_ms": 25},
                    ]
                }
            },
        },
        "chat": {
            "kind": "service",
            "model": "big_v3.1",
            "max_inter_token_ms": 50,
            "demand_mtok_per_h": day(6000, 7000, 8500, 5000, 1500, 1000, 4000, 7000),
            "price_cny_per_mtok": day(4, 4, 5, 4),
            "headroom_share": 0.2,
            "unserved_cost_cny_per_mtok": 1.5,
            "input_per_output": 3,
            "cached_share": 0.5,
            "price_input_cny_per_mtok": 0.6,
            "price_cached_cny_per_mtok": 0.05,
        },
        "fast": {
            "kind": "service",
            "model": "big_v3.1",
            "max_inter_token_ms": 20,
            "demand_mtok_per_h": 300,
            "price_cny_per_mtok": 15,
            "min_served_share": 0.6,
            "input_per_output": 1,
        },
        "night": {
            "kind": "service",
            "model": "big_v3.1",
            "arrivals_mtok_per_h": day(2000, 2500, 1500, 1000),
            "deadline_h": 4,
            "price_cny_per_mtok": day(1.6, 1.2, 1.6, 2),
            "refusal_cost_cny_per_mtok": 0.3,
            "input_per_output": 2,
            "price_input_cny_per_mtok": 0.1,
            "initial": {"waiting": [{"age_h": 1, "mtok": 1500}, {"age_h": 3, "mtok": 700}]},
            "ending": {"value_cny_per_mtok": 1.1, "at_most_mtok": 3000},
        },
        "queue": {
            "kind": "service",
            "model": "small",
            "arrivals_mtok_per_h": 3000,
            "deadline_h": 6,
            "price_cny_per_mtok": 0.5,
            "refusal_cost_cny_per_mtok": 0.2,
            "initial": {
                "waiting": [{"age_h": 0, "mtok": 2000}],
                "wanted_so_far_mtok": 9000,
                "served_so_far_mtok": 6000,
            },
            "min_served_share": 0.5,
        },
        "api": {
            "kind": "service",
            "model": "small",
            "min_served_share": 0.05,
            "market": [
                {"mtok_per_h": day(4000, 6000, 5000, 3000), "price_cny_per_mtok": 1.6},
                {"mtok_per_h": 8000, "price_cny_per_mtok": day(0.5, 0.25, 0.6, 0.2)},
            ],
        },
        "hold": {
            "kind": "reserve",
            "up_mw": 4,
            "load_share": 0.1,
            "renewable_share": 0.1,
            "shortfall_cost_cny_per_mwh": 250,
        },
        "cover": {
            "kind": "reserve",
            "up_mw": day(2, 2, 4, 2),
            "largest_unit": True,
            "providers": ["store", "gpu", "coal", "grid"],
            "shortfall_cost_cny_per_mwh": 40,
        },
        "green": {
            "kind": "green_rule",
            "min_self_use_share": 0.9,
            "min_load_share": 0.5,
            "max_export_share": 0.05,
            "so_far": {
                "available_mwh": 900,
                "used_mwh": 700,
                "exported_mwh": 100,
                "load_mwh": 1100,
                "load_renewable_mwh": 500,
            },
            "ahead": {
                "available_mwh": 300,
                "used_mwh": 260,
                "exported_mwh": 20,
                "load_mwh": 400,
                "load_renewable_mwh": 220,
            },
            "penalty_cny_per_mwh": 60,
        },
        "half": {"kind": "green_rule", "min_load_share": 0.1, "so_far": {"load_mwh": 50}},
        "ets": {
            "kind": "carbon",
            "price_cny_per_tco2": day(90, 95, 92, 97),
            "budget_tco2": 5000,
            "so_far_tco2": 1200,
            "price_imports": True,
        },
    }


@functools.cache
def plan_of(name: str) -> Files:
    if name == "everything":
        data = {
            "name": name,
            "horizon": {"start": "2026-07-31T16:00:00+08:00", "hours": HOURS},
            "solver": {"gap": 0.02},
            "components": everything(),
        }
        return stored(planner.solve(planner.Scenario.from_mapping(data)))
    changes = {"horizon.hours": 24, "solver.gap": 0.01} if name == "huainan" else {}
    return stored(planner.solve(planner.load(SCENARIOS / name, set=changes)))


class Mutation(NamedTuple):
    """One number of a plan, and what it becomes."""

    plan: str
    table: str
    where: tuple[Any, ...]
    old: float
    new: float

    def files(self) -> Files:
        files = plan_of(self.plan)
        if self.table == "summary":
            return with_figure(files, self.where, self.new)
        row, column = self.where
        table = getattr(files, self.table).copy()
        table[column] = table[column].astype(float)
        table.loc[row, column] = self.new
        return dataclasses.replace(files, **{self.table: table})

    def __str__(self) -> str:
        table = None if self.table == "summary" else getattr(plan_of(self.plan), self.table)
        at = self.where if table is None else (*table.loc[self.where[0]][:3], self.where[1])
        if self.table in ("schedule", "green"):
            at = (table["time"][self.where[0]], self.where[1])
        return f"{self.plan} {self.table} {at}: {self.old:g} -> {self.new:g}"


def mutation(random: np.random.Generator, name: str, table: str) -> Mutation:
    """Pick one number of a table of a plan and change it."""
    files = plan_of(name)
    if table == "summary":
        paths = leaves(files.summary)
        where: tuple[Any, ...] = paths[random.integers(len(paths))]
        old = float(functools.reduce(lambda tree, key: tree[key], where, files.summary))  # type: ignore[arg-type]
        largest = abs(old)
    else:
        frame = getattr(files, table)
        row = int(random.integers(len(frame)))
        amount = {"allocation": "mwh", "ledger": "amount_cny"}
        columns = [amount[table]] if table in amount else frame.columns.drop("time")
        where = row, columns[random.integers(len(columns))]
        old = float(np.nan_to_num(frame.loc[where]))  # a share of nothing is an empty cell
        keys = {"allocation": ["origin", "use"], "ledger": ["component", "line"]}.get(table, [])
        alike = (frame[keys] == frame.loc[row, keys]).all(axis=1)
        largest = float(np.nan_to_num(frame.loc[alike, where[1]].abs().max()))
    by = RELATIVE * abs(old) + ABSOLUTE * (largest or 1.0)
    return Mutation(name, table, where, old, old + by * float(random.choice([-1, 1])))


def score(plans: tuple[str, ...], number: int, seed: int) -> None:
    """Change numbers, print how many were found by table, require 99 %."""
    for name in plans:
        assert said(plan_of(name)) == []
    random = np.random.default_rng(seed)
    made = [
        mutation(random, plans[random.integers(len(plans))], TABLES[i % len(TABLES)])
        for i in range(number)
    ]
    survivors = [mutant for mutant in made if not audit_files(mutant.files())]
    print(f"\n{'table':12}{'changed':>9}{'found':>9}{'share':>9}")
    for table in (*TABLES, "all"):
        count = sum(mutant.table == table or table == "all" for mutant in made)
        alive = sum(mutant.table == table or table == "all" for mutant in survivors)
        print(f"{table:12}{count:9}{count - alive:9}{1 - alive / count:9.2%}")
    for mutant in survivors:
        print(f"survived: {mutant}")
    assert len(survivors) <= 0.01 * number, "\n".join(map(str, survivors))


def test_a_changed_number_is_found() -> None:
    score((*TINY[2:], "huainan", "everything"), 150, seed=1)


@pytest.mark.slow
def test_a_changed_number_is_found_in_thousands() -> None:
    score((*TINY, "huainan", "everything"), 5000, seed=2)


def test_a_number_of_every_quantity_of_every_kind_is_read(tmp_path: Path) -> None:
    """In the site that holds every kind: a kind whose audit checks nothing is found here."""
    files = stored(planner.solve(planner.load(full_site.write(tmp_path))))
    assert said(files) == []
    first = {str(column).partition("[")[0]: column for column in reversed(files.schedule.columns)}
    unread = []
    for column in (column for column in first.values() if column != "time"):
        wrong = files.schedule.astype({column: float})
        wrong.loc[6, column] += 10 * (1 + wrong[column].abs().max())
        if not audit_files(dataclasses.replace(files, schedule=wrong)):
            unread.append(column)
    assert unread == []
