"""One site in `planner`, PyPSA and oemof-solph, and how each solves it, for `side_by_side.py`.

The site is the subset that all can state without a trick: PV, wind, two committed coal units, a
battery, a grid with two prices and a load that may be shed at its price. The equations are the
same, row by row of the table; the formulations are each tool's own.

    planner                      PyPSA                              oemof-solph
    pv, wind                     generators with p_max_pu           sources with maximum
    curve of two points, fuel    marginal_cost, stand_by_cost       variable_costs, activity_costs
    min_power_mw, max_power_mw   p_min_pu, p_nom                    minimum, nominal_capacity
    min_up_h, min_down_h         min_up_time, min_down_time         minimum_uptime, minimum_downtime
    one entry of startups        start_up_cost                      startup_costs
    ramps                        ramp_limit_*                       gradient limits of the flow
    initial on, power_mw, hours  up_time_before, p_init             limits of the first hour
    battery, same_as_start (>=)  last state of charge set (=)       storage, balanced (=)
    grid, import and export      generators of sign 1 and -1        source and sink
    shed_cost_cny_per_mwh        a generator at that cost           a source at that cost

A unit starts at no more than its ramp and stops from no more, since oemof-solph has no other limit
of starts and stops. The ramps are the same for whole commitments only, so the year, an LP, has coal
units without commitment in all tools: minimum power, minimum times and start cost 0.

oemof-solph knows no power before the horizon, and a unit that is on at the start stays on for its
minimum_uptime. Here both units run too high to stop in the first hour, so a minimum_uptime of 1 in
that hour is exact; the ramp from the power before limits the power of that hour. A start within
minimum_uptime of the end would be forbidden, so it is cut there, as the other tools do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

GAP = 1e-4  # of turnover, the planner's measure; the others get the same number of CNY
LIMIT_S = 600.0  # of a search
YEAR = 8760
DATA_SEED = 20260715
START = "2026-01-01T00:00:00+08:00"
SHED_CNY_PER_MWH = 640.0
FUEL_CNY_PER_GJ = 34.0
WEAR_CNY_PER_MWH = 30.0
COAL = {  # MW, GJ/h when idling, GJ/MWh, CNY a start, hours, MW/h, MW at the start
    "coal_1": {"low": 60, "high": 150, "idle": 150, "slope": 7.9, "start": 30_000, "hours": 6,
               "ramp": 60, "power": 100},
    "coal_2": {"low": 40, "high": 120, "idle": 130, "slope": 8.5, "start": 18_000, "hours": 4,
               "ramp": 70, "power": 80},
}  # fmt: skip
BATTERY = {"power": 80.0, "hours": 4.0, "into": 0.95, "out": 0.95, "start": 120.0}
IMPORT_LIMIT_MW, EXPORT_LIMIT_MW = 160.0, 120.0
PV_MW, WIND_MW = 280.0, 240.0


def series(hours: int) -> dict[str, Any]:
    """Return the seeded data of the site: arrays over the hours, the first `hours` of one year."""
    import numpy as np

    random = np.random.default_rng(DATA_SEED)
    clock, day = np.arange(YEAR) % 24, np.arange(YEAR) // 24
    season = np.cos(2 * np.pi * (day - 196) / 365)
    sky = np.repeat(random.uniform(0.35, 1.0, 365), 24)
    sun = np.maximum(0.0, np.sin(np.pi * (clock - 6 + season / 2) / (12 + season)))
    pv = np.clip(sun * sky * (0.85 + 0.1 * season) + random.normal(0, 0.02, YEAR) * (sun > 0), 0, 1)
    gusts = np.empty(YEAR)
    gusts[0] = 0.0
    for t, push in enumerate(random.normal(0, 1, YEAR - 1), start=1):
        gusts[t] = 0.95 * gusts[t - 1] + 0.31 * push
    wind = np.clip(0.34 - 0.06 * season + 0.26 * gusts, 0.0, 1.0)
    tariff = np.select([clock < 8, (clock >= 17) & (clock < 22)], [330.0, 960.0], 610.0)
    bought = tariff + random.uniform(-40, 40, YEAR)
    sold = bought * random.uniform(0.45, 0.7, YEAR)
    demand = 240 + 110 * np.sin(np.pi * (clock - 5) / 14) * (clock > 5) + 25 * season**2
    demand += random.normal(0, 8, YEAR)
    data = {"pv": pv, "wind": wind, "bought": bought, "sold": sold, "demand": demand}
    return {name: values[:hours].round(6) for name, values in data.items()}


def scenario(hours: int, seed: int, trace: bool) -> dict[str, Any]:
    """Return the site as a scenario of the planner."""
    data = {name: values.tolist() for name, values in series(hours).items()}
    committed = hours < YEAR
    parts: dict[str, Any] = {
        "pv": {"kind": "renewable", "technology": "pv", "capacity_mw": PV_MW,
               "availability_pu": data["pv"]},
        "wind": {"kind": "renewable", "technology": "wind", "capacity_mw": WIND_MW,
                 "availability_pu": data["wind"]},
        "battery": {"kind": "battery", "capacity_mwh": BATTERY["power"] * BATTERY["hours"],
                    "charge_power_mw": BATTERY["power"], "discharge_power_mw": BATTERY["power"],
                    "charge_efficiency": BATTERY["into"], "discharge_efficiency": BATTERY["out"],
                    "wear_cny_per_mwh": WEAR_CNY_PER_MWH,
                    "initial": {"energy_mwh": BATTERY["start"]}, "ending": "same_as_start"},
        "grid": {"kind": "grid", "import_limit_mw": IMPORT_LIMIT_MW, "resale": True,
                 "export_limit_mw": EXPORT_LIMIT_MW, "import_price_cny_per_mwh": data["bought"],
                 "export_price_cny_per_mwh": data["sold"]},
        "load": {"kind": "load", "demand_mw": data["demand"],
                 "shed_cost_cny_per_mwh": SHED_CNY_PER_MWH},
    }  # fmt: skip
    for name, unit in COAL.items():
        low, idle = (unit["low"], unit["idle"]) if committed else (0, 0)
        parts[name] = {
            "kind": "thermal", "min_power_mw": low, "max_power_mw": unit["high"],
            "curve": [{"power_mw": p, "fuel_gj_per_h": idle + unit["slope"] * p}
                      for p in (low, unit["high"])],
            "fuel_price_cny_per_gj": FUEL_CNY_PER_GJ,
            "ramp_up_mw_per_h": unit["ramp"], "ramp_down_mw_per_h": unit["ramp"],
            "startup_ramp_mw": unit["ramp"] if committed else unit["high"],
            "shutdown_ramp_mw": unit["ramp"] if committed else unit["high"],
            "min_up_h": unit["hours"] if committed else 0,
            "min_down_h": unit["hours"] if committed else 0,
            "startups": [{"off_h": 0, "cost_cny": unit["start"] if committed else 0}],
            "initial": {"on": True, "power_mw": unit["power"], "hours": 24},
        }  # fmt: skip
    return {
        "name": f"side_by_side_{hours}",
        "horizon": {"start": START, "hours": hours},
        "trace": trace,
        "solver": {"gap": GAP, "time_limit_s": LIMIT_S, "threads": 1, "seed": seed,
                   "relax": not committed},
        "components": parts,
    }  # fmt: skip


def network(hours: int) -> Any:
    """Return the site as a PyPSA network."""
    import pandas as pd
    import pypsa

    data, committed = series(hours), hours < YEAR
    n = pypsa.Network()
    n.set_snapshots(pd.date_range(START[:19], periods=hours, freq="h"))

    def profile(values: Any) -> Any:
        return pd.Series(values, n.snapshots)

    n.add("Bus", "site")
    n.add("Generator", "pv", bus="site", p_nom=PV_MW, p_max_pu=profile(data["pv"]))
    n.add("Generator", "wind", bus="site", p_nom=WIND_MW, p_max_pu=profile(data["wind"]))
    n.add("Generator", "import", bus="site", p_nom=IMPORT_LIMIT_MW,
          marginal_cost=profile(data["bought"]))  # fmt: skip
    n.add("Generator", "export", bus="site", sign=-1, p_nom=EXPORT_LIMIT_MW,
          marginal_cost=profile(-data["sold"]))  # fmt: skip
    n.add("Load", "load", bus="site", p_set=profile(data["demand"]))
    most = float(data["demand"].max())
    n.add("Generator", "shed", bus="site", p_nom=most, p_max_pu=profile(data["demand"] / most),
          marginal_cost=SHED_CNY_PER_MWH)  # fmt: skip
    ends = pd.Series(float("nan"), n.snapshots)
    ends.iloc[-1] = BATTERY["start"]
    n.add("StorageUnit", "battery", bus="site", p_nom=BATTERY["power"],
          max_hours=BATTERY["hours"], efficiency_store=BATTERY["into"],
          efficiency_dispatch=BATTERY["out"], marginal_cost=WEAR_CNY_PER_MWH,
          state_of_charge_initial=BATTERY["start"], state_of_charge_set=ends)  # fmt: skip
    for name, unit in COAL.items():
        least, ramp = unit["low"] / unit["high"], unit["ramp"] / unit["high"]
        commitment = {
            "committable": True, "p_min_pu": least, "stand_by_cost": FUEL_CNY_PER_GJ * unit["idle"],
            "start_up_cost": unit["start"], "min_up_time": unit["hours"],
            "min_down_time": unit["hours"], "up_time_before": 24, "ramp_limit_start_up": ramp,
            "ramp_limit_shut_down": ramp,
        }  # fmt: skip
        n.add("Generator", name, bus="site", p_nom=unit["high"],
              marginal_cost=FUEL_CNY_PER_GJ * unit["slope"], ramp_limit_up=ramp,
              ramp_limit_down=ramp, p_init=unit["power"],
              **(commitment if committed else {}))  # fmt: skip
    return n


def energy_system(hours: int) -> Any:
    """Return the site as an energy system of oemof-solph."""
    import numpy as np
    import pandas as pd
    from oemof import solph

    Flow, Source, Sink = solph.Flow, solph.components.Source, solph.components.Sink  # noqa: N806
    data, committed = series(hours), hours < YEAR
    bus = solph.Bus(label="site")
    most = float(data["demand"].max())
    parts = [
        bus,
        Source(label="pv", outputs={bus: Flow(PV_MW, maximum=data["pv"])}),
        Source(label="wind", outputs={bus: Flow(WIND_MW, maximum=data["wind"])}),
        Source(label="import", outputs={bus: Flow(IMPORT_LIMIT_MW, variable_costs=data["bought"])}),
        Sink(label="export", inputs={bus: Flow(EXPORT_LIMIT_MW, variable_costs=-data["sold"])}),
        Sink(label="load", inputs={bus: Flow(1.0, fix=data["demand"])}),
        Source(label="shed", outputs={bus: Flow(most, maximum=data["demand"] / most,
                                  variable_costs=SHED_CNY_PER_MWH)}),
        solph.components.GenericStorage(
            label="battery", inputs={bus: Flow(BATTERY["power"])},
            outputs={bus: Flow(BATTERY["power"], variable_costs=WEAR_CNY_PER_MWH)},
            nominal_capacity=BATTERY["power"] * BATTERY["hours"],
            initial_storage_level=BATTERY["start"] / (BATTERY["power"] * BATTERY["hours"]),
            inflow_conversion_factor=BATTERY["into"], outflow_conversion_factor=BATTERY["out"],
            balanced=True),
    ]  # fmt: skip
    for name, unit in COAL.items():
        low, high = np.full(hours, unit["low"] if committed else 0), np.full(hours, unit["high"])
        low[0] = max(low[0], unit["power"] - unit["ramp"])
        high[0] = min(high[0], unit["power"] + unit["ramp"])
        ramp = unit["ramp"] / unit["high"]
        least_up = np.minimum(unit["hours"], hours - np.arange(hours))
        least_up[0] = 1
        commitment = solph.NonConvex(
            initial_status=1, minimum_uptime=least_up, minimum_downtime=unit["hours"],
            startup_costs=unit["start"], activity_costs=FUEL_CNY_PER_GJ * unit["idle"],
        )  # fmt: skip
        flow = Flow(unit["high"], minimum=low / unit["high"], maximum=high / unit["high"],
                    variable_costs=FUEL_CNY_PER_GJ * unit["slope"], positive_gradient_limit=ramp,
                    negative_gradient_limit=ramp,
                    nonconvex=commitment if committed else None)  # fmt: skip
        parts.append(Source(label=name, outputs={bus: flow}))
    steps = pd.date_range(START[:19], periods=hours + 1, freq="h")
    system = solph.EnergySystem(timeindex=steps, infer_last_interval=False)
    system.add(*parts)
    return system


def options(seed: int, absolute_gap: float) -> dict[str, Any]:
    """Return the solver options of the planner, for the other tools."""
    return {
        "output_flag": False, "threads": 1, "random_seed": seed, "time_limit": LIMIT_S,
        "mip_rel_gap": 0.0, "mip_abs_gap": absolute_gap, "mip_feasibility_tolerance": 1e-7,
    }  # fmt: skip


def run_planner(hours: int, seed: int, _: float, *, trace: bool) -> dict[str, Any]:
    """Solve with the planner."""
    import planner

    find, check = planner.solve, planner.Scenario.from_mapping  # imports what they need
    imported = time.process_time()
    plan = find(check(scenario(hours, seed, trace)))
    summary, table = plan.summary, plan.schedule

    def total(quantity: str) -> Any:
        return table.filter(regex=rf"^{re.escape(quantity)}\[").sum(axis=1)

    return {
        "imported_s": imported,
        "status": summary["status"],
        "objective_cny": summary["objective_cny"],
        "bound_cny": summary["bound_cny"],
        "turnover_cny": summary["turnover_cny"],
        "exclusive": {
            "import and export": (table["grid.import_mw"], total("grid.export_mw")),
            "charge and discharge": (total("battery.charge_mw"), total("battery.discharge_mw")),
        },
        "starts": table.filter(regex=r"\.start$").round().sum().sum() if hours < YEAR else 0,
        "shed_mwh": table["load.shed_mw"].sum(),
    }


def run_pypsa(hours: int, seed: int, absolute_gap: float) -> dict[str, Any]:
    """Solve with PyPSA, as its users do."""
    import logging
    import warnings

    import pypsa

    imported = time.process_time()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    pypsa.options.general.allow_network_requests = False
    n = network(hours)
    n.optimize.create_model(include_objective_constant=False)
    status, condition = n.optimize.solve_model(
        solver_name="highs",
        io_api="direct",  # quicker than the default, a file
        **options(seed, absolute_gap),
    )
    power, storage = n.generators_t.p, n.storage_units_t
    return {
        "imported_s": imported,
        "status": condition if status == "ok" else status,
        "objective_cny": -n.objective,
        "exclusive": {
            "import and export": (power["import"], power["export"].abs()),
            "charge and discharge": (storage.p_store["battery"], storage.p_dispatch["battery"]),
        },
        "starts": n.generators_t.start_up.round().sum().sum() if hours < YEAR else 0,
        "shed_mwh": power["shed"].sum(),
    }


def run_oemof(hours: int, seed: int, absolute_gap: float) -> dict[str, Any]:
    """Solve with oemof-solph, as its users do; it raises an error where there is no optimum."""
    import logging

    from oemof import solph

    imported = time.process_time()
    logging.disable(logging.WARNING)
    model = solph.Model(energy_system(hours))
    results = model.solve(solver="highs", cmdline_options=options(seed, absolute_gap))
    committed = ("status", "startup") if hours < YEAR else ()
    tables = {name: results[name] for name in ("flow", "storage_content", *committed)}
    flow = tables["flow"]
    flow.columns = [f"{source.label} to {target.label}" for source, target in flow.columns]
    return {
        "imported_s": imported,
        "status": "optimal",
        "objective_cny": -results["objective"],
        "exclusive": {
            "import and export": (flow["import to site"], flow["site to export"]),
            "charge and discharge": (flow["site to battery"], flow["battery to site"]),
        },
        "starts": tables["startup"].round().sum().sum() if hours < YEAR else 0,
        "shed_mwh": flow["shed to site"].sum(),
    }


TOOLS: dict[str, Callable[[int, int, float], dict[str, Any]]] = {
    "planner": partial(run_planner, trace=False),
    "planner traced": partial(run_planner, trace=True),
    "PyPSA": run_pypsa,
    "oemof-solph": run_oemof,
}
