"""Random sites with every kind of component and a random choice of their optional fields."""

from __future__ import annotations

import random
from typing import Any

import planner
from tests.support import build, compute
from tests.support.sites import random_site

STARTS = ("2026-07-15T00:00:00+08:00", "2026-07-31T15:00:00+08:00", "2026-12-31T21:20:00+08:00")

OPTIONAL: dict[str, list[dict[str, Any]]] = {
    "unit": [
        {"max_up_h": 6}, {"max_starts_per_day": 1}, {"ending": "off", "must_run": False},
        {"startup_ramp_mw": None}, {"variable_cost_cny_per_mwh": 3}, {"auxiliary_share": 0.06},
        {"startups": [{"off_h": 0, "cost_cny": 9}]}, {"curve": "convex"}, {"curve": "bent"},
    ],
    "battery": [
        {"ramp_mw_per_h": 30}, {"min_charge_power_mw": 2}, {"start_cost_cny": 7},
        {"charge_from": ["renewable"]}, {"discharge_to_grid": False},
        {"min_discharge_power_mw": 3, "start_cost_cny": 5}, {"available": "outages"},
    ],
    "grid": [
        {"resale": True, "export_price_cny_per_mwh": 31}, {"ramp_mw_per_h": 45},
        {"max_swing_share": 0.7, "initial": {}}, {"demand_interval_min": 60},
        {"demand_interval_min": 30, "demand_hours": ["8-22"]}, {"declared": "decide"},
        {"declared": 12, "response": True}, {"response": True}, {"fixed_cny_per_month": 100},
    ],
    "sun": [{"must_take_pu": 0.0}, {"levelized_cost_cny_per_mwh": 200}, {"cost_cny_per_mwh": 2}],
    "fleet": [
        {"wake_min": 25, "wake_cost_cny": 4}, {"wake_min": 90}, {"spare_nodes": 1},
        {"whole_nodes": True}, {"amortisation_cny_per_node_h": 9}, {"available_pu": "outages"},
        {"initial": {"awake": {"chatty": 3}}},
    ],
    "chat": [{"headroom_share": 0.3}, {"min_served_share": 0.4}, {"max_inter_token_ms": 20}],
    "night": [{"refusal_cost_cny_per_mtok": 2}, {"ending": "value"}, {"deadline_h": 0}],
    "hold": [
        {"largest_unit": True}, {"duration_h": 3, "response_min": 20}, {"renewable_share": 0.1},
    ],
    "cable": [{"both_ways": True}, {"loss_share": 0.0}],
}  # fmt: skip


def any_site(seed: int) -> planner.Scenario:
    """Return a checked site: the same for the same seed."""
    rnd = random.Random(seed)
    step_min = rnd.choice([60, 60, 30, 15, 20])
    hours = rnd.choice([4, 9, 13, 30]) if step_min >= 30 else rnd.choice([3, 6])
    steps = hours * 60 // step_min
    outages = [rnd.choice([1, 1, 1, 0.5, 0]) for _ in range(steps)]
    site = random_site(seed, steps) | {
        "fleet": compute.fleet(9, pue=1.2, sleep_kw=90, serves={"chatty": compute.serving(
            compute.FAST, compute.WORK,
            **({"prefill": {"tokens_per_s": 9000, "node_kw": 800}} if rnd.random() < 0.4 else {}),
        )}),
        "chat": compute.chat(
            [rnd.randint(0, 20) for _ in range(steps)], unserved_cost_cny_per_mtok=3
        ),
        "night": compute.batch(deadline_h=rnd.choice([1, 2, 5]), initial={"waiting": []}),
        "spot": compute.market((3, 15), (4, 9)),
        "train": {
            "kind": "job", "fleet": "fleet", "nodes": 2, "node_kw": 700,
            "duration_h": rnd.choice([1, 2]), "deadline_h": hours, "value_cny": 900,
            "release_h": rnd.choice([0, 1]), "mandatory": rnd.random() < 0.3,
        },
        "cable": {
            "kind": "line", "from_node": "site", "to_node": "east", "capacity_mw": 8,
            "loss_share": 0.04,
        },
        "farm": build.load(*[float(rnd.randint(1, 4)) for _ in range(steps)]) | {"node": "east"},
        "hedge": {
            "kind": "contract", "mw": rnd.choice([5, -5]), "price_cny_per_mwh": 50,
            "reference_price_cny_per_mwh": 40,
        },
    }  # fmt: skip
    for name, choices in OPTIONAL.items():
        for fields in rnd.sample(choices, rnd.choice([0, 1, 1, 2])):
            site[name] = {**site[name], **_written(fields, outages)}
    for name in ("train", "cable", "night", "spot", "hold", "ets", "green", "hedge", "sun"):
        if rnd.random() < 0.15:
            del site[name]
    if "cable" not in site:
        del site["farm"]
    try:
        return build.scenario(site, hours, step_min, rnd.choice(STARTS))
    except planner.ScenarioError:
        return any_site(seed + 1000)


def _written(fields: dict[str, Any], outages: list[float]) -> dict[str, Any]:
    """Return fields as they stand in a file, without those that stand for several."""
    written = {name: value for name, value in fields.items() if value is not None}
    if (declared := written.pop("declared", None)) is not None:
        written["declaration"] = {
            "exchange_mw": declared, "over_cost_cny_per_mwh": 9, "band_share": 0.1
        }  # fmt: skip
        written |= {"real_time_price_cny_per_mwh": 33, "export_price_cny_per_mwh": 30}
    if written.pop("response", None):
        event = {"baseline_mw": 20, "reward_cny_per_mwh": 900, "max_mw": 10}
        written["response"] = [event | {"hours": ["1-2", "16-18"]}]
    for name in ("available", "available_pu"):
        if name in written:
            written[name] = outages
    if written.get("ending") == "value":
        written["ending"] = {"value_cny_per_mtok": 1, "at_most_mtok": 500}
    curves = {
        "convex": [(20, 60), (60, 120), (100, 190)], "bent": [(20, 60), (60, 130), (100, 170)],
    }  # fmt: skip
    if written.get("curve") in curves:
        written["curve"] = [
            {"power_mw": mw, "fuel_gj_per_h": gj} for mw, gj in curves[written["curve"]]
        ]
    return written
