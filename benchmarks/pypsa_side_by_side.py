"""The same site in `planner` and in PyPSA, side by side: same optimum, time and memory of each.

Why: that a tool of this kind is quick enough means nothing without another tool on the same data,
the same machine and the same solver. PyPSA is the best known one. The site is the subset that both
can state without a trick: PV, wind, two committed coal units, a battery, a grid with two prices and
a load that may be shed at its price. The equations are the same, row by row of the table below; the
formulations are each tool's own.

    here                                        PyPSA
    pv, wind                                    generators with p_max_pu
    curve of two points, fuel price             marginal_cost and stand_by_cost
    min_power_mw, min_up_h, min_down_h          p_min_pu, min_up_time, min_down_time
    one entry of startups                       start_up_cost
    ramps, with SU = SD = minimum power         ramp_limit_*; start and stop limits = p_min_pu
    initial on, power_mw, hours                 up_time_before, p_init
    battery, ending same_as_start (>=)          storage unit, last state of charge set (=)
    grid, import and export                     generators of sign 1 and -1
    load with shed_cost_cny_per_mwh             load, and a generator at that cost

The ramps are the same for whole commitments only, so the year, an LP, has coal units without
commitment in both tools: minimum power, minimum times and start cost 0.

Every run has a process of its own, which measures itself from before its first import to results in
pandas tables. Run it as `python benchmarks/pypsa_side_by_side.py` (see README.md).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

GAP = 1e-4  # of turnover, the planner's measure; PyPSA gets the same number of CNY
SEEDS = {24: 3, 168: 5, 8760: 2}  # hours: repetitions, each with a seed of its own for HiGHS
YEAR = 8760
TOOLS = ("planner", "pypsa", "planner traced")
DATA_SEED = 20260715
RESULTS = Path(__file__).with_name("RESULTS.md")
BEGIN, END = "<!-- measured -->", "<!-- end -->"
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
    found = {"pv": pv, "wind": wind, "bought": bought, "sold": sold, "demand": demand}
    return {name: values[:hours].round(6) for name, values in found.items()}


def scenario(hours: int, trace: bool, seed: int) -> dict[str, Any]:
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
            "startup_ramp_mw": low if committed else unit["high"],
            "shutdown_ramp_mw": low if committed else unit["high"],
            "min_up_h": unit["hours"] if committed else 0,
            "min_down_h": unit["hours"] if committed else 0,
            "startups": [{"off_h": 0, "cost_cny": unit["start"] if committed else 0}],
            "initial": {"on": True, "power_mw": unit["power"], "hours": 24},
        }  # fmt: skip
    return {
        "name": f"side_by_side_{hours}",
        "horizon": {"start": START, "hours": hours},
        "trace": trace,
        "solver": {"gap": GAP, "time_limit_s": 1800, "threads": 1, "seed": seed,
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
            "min_down_time": unit["hours"], "up_time_before": 24, "ramp_limit_start_up": least,
            "ramp_limit_shut_down": least,
        }  # fmt: skip
        n.add("Generator", name, bus="site", p_nom=unit["high"],
              marginal_cost=FUEL_CNY_PER_GJ * unit["slope"], ramp_limit_up=ramp,
              ramp_limit_down=ramp, p_init=unit["power"],
              **(commitment if committed else {}))  # fmt: skip
    return n


def run_planner(hours: int, seed: int, trace: bool) -> dict[str, Any]:
    """Solve with the planner; its parts are those it reports itself."""
    began = time.perf_counter()
    import numpy as np

    import planner

    find, check = planner.solve, planner.Scenario.from_mapping  # imports what they need
    imported = time.perf_counter()
    site = check(scenario(hours, trace, seed))
    checked = time.perf_counter()
    plan = find(site)
    ended = time.perf_counter()
    seconds, summary, table = plan.summary["runtimes_s"], plan.summary, plan.schedule
    origins = ("renewable", "thermal", "grid") if trace else ("pooled",)

    def total(quantity: str) -> Any:
        return sum(table[f"{quantity}[{origin}]"].to_numpy() for origin in origins)

    return {
        "import_s": imported - began,
        "build_s": checked - imported + seconds["build_s"] + seconds["compile_s"],
        "solve_s": seconds["solver_s"],
        "rest_s": ended
        - checked
        - sum(seconds[f"{part}_s"] for part in ("build", "compile", "solver")),
        "total_s": ended - began,
        "objective_cny": summary["objective_cny"],
        "bound_cny": summary["bound_cny"],
        "turnover_cny": summary["turnover_cny"],
        "status": summary["status"],
        "rounds": summary["solving"]["rounds"],
        "rows": summary["solving"]["rows"],
        "columns": summary["solving"]["columns"],
        "integers": summary["solving"]["integers"] if hours < YEAR else 0,
        "tidy_s": seconds.get("tidy_s", 0.0),
        "overlap_mw": {
            "import and export": float(
                np.minimum(table["grid.import_mw"], total("grid.export_mw")).max()
            ),
            "charge and discharge": float(
                np.minimum(total("battery.charge_mw"), total("battery.discharge_mw")).max()
            ),
        },
        "starts": int(sum(table[f"{name}.start"].round().sum() for name in COAL)),
        "shed_mwh": float(table["load.shed_mw"].sum()),
    }


def run_pypsa(hours: int, seed: int, absolute_gap: float) -> dict[str, Any]:
    """Solve with PyPSA, as its users do, with the solver options of the planner."""
    began = time.perf_counter()
    import logging
    import warnings

    import highspy  # noqa: F401  # linopy would import it later; count it with the imports
    import numpy as np
    import pypsa

    imported = time.perf_counter()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    pypsa.options.general.allow_network_requests = False
    n = network(hours)
    model = n.optimize.create_model(include_objective_constant=False)
    built = time.perf_counter()
    status, condition = n.optimize.solve_model(
        solver_name="highs",
        io_api="direct",  # quicker than the default, a file
        log_to_console=False,
        threads=1,
        random_seed=seed,
        mip_rel_gap=0.0,
        mip_abs_gap=absolute_gap,
        mip_feasibility_tolerance=1e-7,
    )
    ended = time.perf_counter()
    highs = model.solver_model
    power, storage = n.generators_t.p, n.storage_units_t
    bound = highs.getInfo().mip_dual_bound if hours < YEAR else n.objective
    return {
        "import_s": imported - began,
        "build_s": built - imported,
        "solve_s": highs.getRunTime(),
        "rest_s": ended - built - highs.getRunTime(),
        "total_s": ended - began,
        "objective_cny": -float(n.objective),
        "bound_cny": -float(bound),
        "status": condition if status == "ok" else status,
        "rows": highs.getNumRow(),
        "columns": highs.getNumCol(),
        "integers": sum(int(kind) for kind in highs.getLp().integrality_),
        "overlap_mw": {
            "import and export": float(np.minimum(power["import"], power["export"].abs()).max()),
            "charge and discharge": float(
                np.minimum(storage.p_store["battery"], storage.p_dispatch["battery"]).max()
            ),
        },
        "starts": int(n.generators_t.start_up.round().sum().sum()) if hours < YEAR else 0,
        "shed_mwh": float(power["shed"].sum()),
    }


def work(tool: str, hours: int, seed: int, absolute_gap: float) -> None:
    """Be the process that runs one tool once."""
    if tool == "pypsa":
        found = run_pypsa(hours, seed, absolute_gap)
    else:
        found = run_planner(hours, seed, trace=tool == "planner traced")
    used = resource.getrusage(resource.RUSAGE_SELF)
    found["cpu_s"] = used.ru_utime + used.ru_stime
    found["peak_mb"] = used.ru_maxrss / 1024
    print(json.dumps(found))


def measure(tool: str, hours: int, seed: int, absolute_gap: float = 0.0) -> dict[str, Any]:
    """Run one tool in a process of its own; return what it measured of itself."""
    command = [sys.executable, __file__, "--worker", tool, "--hours", str(hours)]
    command += ["--seed", str(seed), "--absolute-gap", repr(absolute_gap)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{tool}, {hours} h failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{hours:>5} h  seed {seed}  {tool:<14} {found['total_s']:7.2f} s"
        f"  {found['cpu_s']:7.2f} s CPU"
        f"  {found['peak_mb']:6.0f} MB  {found['objective_cny']:.2f} CNY",
        flush=True,
    )
    return found


def compare(hours: int, seeds: int) -> dict[str, list[dict[str, Any]]]:
    """Run every tool on one case, back to back for each seed, and check what they found.

    The gap of PyPSA in CNY needs the turnover of the planner's plan: a first run, not counted,
    finds it. The order turns from seed to seed, so that no tool always comes first.
    """
    turnover = measure("planner", hours, 0)["turnover_cny"]
    measure("pypsa", min(hours, 24), 0)  # warms the file cache, as the run above did
    runs: dict[str, list[dict[str, Any]]] = {tool: [] for tool in TOOLS}
    for seed in range(seeds):
        for tool in TOOLS[:: 1 if seed % 2 == 0 else -1]:
            runs[tool].append(measure(tool, hours, seed, GAP * turnover))
    every = [run for found in runs.values() for run in found]
    for run in every:
        if run["status"] not in ("optimal", "relaxed"):
            raise SystemExit(f"{hours} h: a run ended as {run['status']}")
        if max(run["overlap_mw"].values()) > 1e-6:
            raise SystemExit(
                f"{hours} h: flows that exclude each other overlap: {run['overlap_mw']}"
            )
    best = [run["objective_cny"] for run in every]
    if max(best) - min(best) > (GAP * turnover if hours < YEAR else 0.0) + 1.0:
        raise SystemExit(f"{hours} h: the optima differ: {sorted(best)}")
    if max(best) > min(run["bound_cny"] for run in every) + 1.0:
        raise SystemExit(f"{hours} h: a plan beats the bound another run has proven")
    return runs


def table(results: dict[int, dict[str, list[dict[str, Any]]]]) -> str:
    """Return the medians as a table in markdown, and what the planner takes over PyPSA."""
    parts = ("total_s", "cpu_s", "import_s", "build_s", "solve_s", "rest_s", "peak_mb")
    head = ["hours", "tool", "total s", "CPU s", "import s", "build s", "HiGHS s", "rest s",
            "peak MB", "rows", "columns", "integers", "cost, CNY", "gap, CNY"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "| ---: | --- |" + " ---: |" * (len(head) - 2)]
    for hours, runs in results.items():
        middle = {
            tool: {part: statistics.median(run[part] for run in found) for part in parts}
            for tool, found in runs.items()
        }
        for tool, found in runs.items():
            figures = [f"{middle[tool][part]:.2f}" for part in parts[:-1]]
            if hours < YEAR:
                spread = [run["solve_s"] for run in found]
                figures[4] += f" ({min(spread):.2f} to {max(spread):.2f})"
            gap = max(run["bound_cny"] - run["objective_cny"] for run in found)
            cells = [f"{hours:,}", tool, *figures, f"{middle[tool]['peak_mb']:.0f}"]
            cells += [f"{found[0][size]:,}" for size in ("rows", "columns", "integers")]
            cells += [f"{-max(run['objective_cny'] for run in found):,.2f}", f"{max(gap, 0):,.0f}"]
            lines.append("| " + " | ".join(cells) + " |")
        lines += [
            "| "
            + " | ".join(
                ["", f"*{tool} / PyPSA*"]
                + [f"*{middle[tool][part] / middle['pypsa'][part]:.2f}*" for part in parts]
                + [""] * 5
            )
            + " |"
            for tool in TOOLS
            if tool != "pypsa"
        ]
    return "\n".join(lines)


def machine() -> str:
    """Return what the figures were measured on and with."""
    processor = platform.processor() or platform.machine()
    names = Path("/proc/cpuinfo")
    if names.exists():
        lines = names.read_text(encoding="utf-8").splitlines()
        processor = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    packages = ("planner", "pypsa", "linopy", "pyomo", "highspy", "numpy", "pandas", "xarray")
    found = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Processor {processor}, {os.cpu_count()} cores shared with other work; Python"
        f" {platform.python_version()}; {found}."
    )


def main() -> None:
    """Run every case, print the table and write RESULTS.md between its marks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=int, nargs="*", default=list(SEEDS), choices=list(SEEDS))
    parser.add_argument("--worker", choices=TOOLS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--absolute-gap", type=float, default=0.0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, given.hours[0], given.seed, given.absolute_gap)
        return
    results = {hours: compare(hours, SEEDS[hours]) for hours in given.hours}
    text = f"{table(results)}\n\n{machine()}\n"
    print("\n" + text)
    if set(given.hours) == set(SEEDS):
        before, rest = RESULTS.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        RESULTS.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
