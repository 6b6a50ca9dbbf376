"""Whether the schedule is whole: every step once and in order, every column, every value a number.

time         the times are the starts of the steps of the horizon
columns      every column that the scenario calls for is there, and no other
number       every value is a finite number
not_negative no value is below zero (flows, states and counts point one way)
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import PLAN, Findings
from planner.auditor.kinds.carbon import carbon_columns
from planner.auditor.kinds.contract import CONTRACT_COLUMNS
from planner.auditor.kinds.declaration import declaration_columns
from planner.auditor.kinds.demand_response import response_columns
from planner.auditor.kinds.green_rule import green_columns
from planner.auditor.kinds.job import fleet_job_columns, job_columns
from planner.auditor.kinds.line import line_columns
from planner.auditor.kinds.self_use_charge import self_use_origins
from planner.auditor.reading import Part, Plan, column_of, schedule_times

ABLE = ("battery", "fleet", "grid", "thermal")  # to provide reserve
SLOPE = 1e-12


def check_schedule(plan: Plan, found: Findings) -> bool:
    """Note what is wrong with the form of the schedule; return whether the rest can be checked."""
    times, clock = schedule_times(plan), plan.clock
    if not times.equals(clock.index):
        missing, unknown = clock.index.difference(times), times.difference(clock.index)
        said = f"{len(times)} steps, {len(missing)} missing and {len(unknown)} of no step"
        message = f"should be the {clock.steps} steps of the horizon in order, are {said}"
        found.add(PLAN, "time", message, amount=float(max(len(missing) + len(unknown), 1)))
        return False
    right = {name: _columns(plan, part) for name, part in plan.parts.items()}
    whole = True
    for name, part in plan.parts.items():
        for column in sorted(right[name] - part.columns.keys()):
            found.add(name, "columns", f"{name}.{column} is missing: nothing else was checked")
            whole = False
        for column in sorted(part.columns.keys() - right[name]):
            found.add(name, "columns", f"{name}.{column} is no column of this scenario")
        for column, values in part.columns.items():
            if not np.isfinite(values).all():
                at = clock.times[int(np.flatnonzero(~np.isfinite(values))[0])]
                found.add(
                    name, "number", f"{column} holds no number: nothing else was checked", when=at
                )
                whole = False
            elif values.min() < 0:
                found.at_least(name, "not_negative", f"{column} is", values, 0.0)
    for text in plan.files.schedule.columns.drop("time"):
        if str(text).partition(".")[0] not in plan.parts:
            found.add(PLAN, "columns", f"{text} belongs to no component")
    return whole


def reserves_of(plan: Plan, part: Part) -> list[str]:
    """Return the reserve requirements that a component may serve."""
    if part.kind not in ABLE:
        return []
    asked = []
    for reserve in plan.of_kind("reserve"):
        providers = reserve["providers"]
        if providers is None or part.name in providers:
            asked.append(reserve.name)
    return asked


def sold_origins(plan: Plan, grid: Part) -> list[str]:
    """Return the origins that may be exported: energy from the grid only with `resale`."""
    return [o for o in plan.origins if grid["resale"] or o != "grid"]


def services_of(plan: Plan, fleet: Part) -> list[Part]:
    """Return the services whose model a fleet serves."""
    return [s for s in plan.of_kind("service") if s["model"] in fleet.under("serves").fields]


def fuel_points(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Return powers and fuel of the fuel curve of a unit."""
    points = part.rows("curve")
    return (
        np.array([point.number("power_mw") for point in points]),
        np.array([point.number("fuel_gj_per_h") for point in points]),
    )


def is_convex(powers: np.ndarray, fuel: np.ndarray) -> bool:
    """Whether every next segment of a fuel curve is at least as steep."""
    slopes = np.diff(fuel) / np.diff(powers)
    return bool((np.diff(slopes) >= -SLOPE).all())


def _columns(plan: Plan, part: Part) -> set[str]:
    """Return the columns that a component must have, without its name."""
    reserves = {column_of("reserve_mw", j) for j in reserves_of(plan, part)}
    by_kind = {
        "renewable": lambda: {"power_mw", "curtailed_mw"},
        "thermal": lambda: _thermal(part),
        "battery": lambda: (
            {"charging"} | _by_origin(plan, "charge_mw", "discharge_mw", "energy_mwh")
        ),
        "grid": lambda: _grid(plan, part),
        "job": lambda: job_columns(),
        "line": lambda: line_columns(plan, part),
        "load": lambda: (
            _by_origin(plan, "draw_mw")
            | ({"shed_mw"} if part["shed_cost_cny_per_mwh"] is not None else set())
        ),
        "contract": lambda: set(CONTRACT_COLUMNS),
        "fleet": lambda: _fleet(plan, part, offers=bool(reserves)),
        "service": lambda: _service(part),
        "green_rule": lambda: green_columns(part),
        "carbon": lambda: carbon_columns(part),
        "reserve": lambda: (
            {"required_mw", "provided_mw"}
            | ({"shortfall_mw"} if part["shortfall_cost_cny_per_mwh"] is not None else set())
        ),
    }
    if part.kind not in by_kind:
        raise plan.wrong(f"components.{part.name}.kind {part.kind!r} is not known to the audit")
    return by_kind[part.kind]() | reserves


def _by_origin(plan: Plan, *quantities: str) -> set[str]:
    return {column_of(quantity, o) for quantity in quantities for o in plan.origins}


def _thermal(part: Part) -> set[str]:
    found = {"on", "start", "stop", "power_above_min_mw", "fuel_gj_per_h", "power_mw"}
    found |= {"emission_tco2", "allowance_tco2"}
    found |= {column_of("start_kind", s) for s in range(len(part["startups"]))}
    powers, fuel = fuel_points(part)
    if not is_convex(powers, fuel):
        segments = len(powers) - 1
        found |= {column_of("segment_mw", k) for k in range(segments)}
        found |= {column_of("segment_full", k) for k in range(segments - 1)}
    return found


def _grid(plan: Plan, part: Part) -> set[str]:
    found = {"import_mw", "importing"}
    found |= {column_of("export_mw", o) for o in sold_origins(plan, part)}
    found |= declaration_columns(part) | response_columns(part)
    found |= {column_of("self_use_mw", o) for o in self_use_origins(plan, part)}
    return found | (
        {"import_emission_tco2"} if part.number("import_emission_tco2_per_mwh") else set()
    )


def _fleet(plan: Plan, part: Part, *, offers: bool) -> set[str]:
    found = {"asleep", "it_kw"} | _by_origin(plan, "draw_mw") | fleet_job_columns(plan, part)
    found |= {column_of("answered_mtok_per_h", s.name) for s in services_of(plan, part)}
    for model in part.under("serves").fields:
        found |= {column_of("awake", model), column_of("woken", model)}
        keys = [point_key(point) for point in part.under("serves", model).rows("points")]
        found |= {column_of("nodes", model, key) for key in keys}
        reads = part.under("serves", model)["prefill"] is not None
        found |= {column_of("prefill_nodes", model)} if reads else set()
        if offers:
            found |= {column_of("paused", model, key) for key in keys if key != "0"}
            found |= {column_of("paused_prefill", model)} if reads else set()
    return found


def point_key(point: Part) -> str:
    """Return how an operating point is named in columns: its tokens/s."""
    return f"{point.number('tokens_per_s'):g}"


def _service(part: Part) -> set[str]:
    found = {"answered_mtok_per_h"}
    if part["demand_mtok_per_h"] is not None:
        found |= {"unserved_mtok_per_h"}
    elif part["arrivals_mtok_per_h"] is not None:
        found |= {"accepted_mtok_per_h", "refused_mtok_per_h", "waiting_mtok", "taken_mtok"}
    else:
        found |= {column_of("sold_mtok_per_h", i) for i in range(len(part["market"]))}
    return found | ({"served_mtok"} if part.number("min_served_share") else set())
