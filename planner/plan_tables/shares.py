"""Shares of renewable energy, and what a plan emits; from the energy by origin and use.

Own use = available - exported - curtailed: losses of storage count as use. self-use share = own use
/ available; load share = renewable drawn / drawn by loads and compute; official load share = own
use / drawn; export share = exported / available (NDRC/NEA 650, 2025). Energy that was stored is
used in the hour in which it is stored, and own use is below zero in an hour in which it is exported
from storage. Pooled energy has no shares; nor has less than 1e-6 MWh in an hour.

A MWh of thermal energy carries the gross emission of the units over what they put in at the nodes,
a MWh from the grid the emission of its import, renewable energy nothing; both over the horizon.
Pooled energy carries all emission over all that is put in and not curtailed. What loads and compute
draw carries the factor of its origin, from storage too; tokens carry the energy of compute less
what jobs drew of it. Where energy of an origin is drawn of which nothing was put in, its emission
is not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.components.terms import Use
from planner.timeseries.series import Array


def by_pair(table: pd.DataFrame, first: str, second: str, of: str) -> dict[tuple[str, str], Array]:
    """Return the numbers of every pair in the order of the rows; pairs as they first appear."""
    rows, row_names = pd.factorize(table[first])
    columns, column_names = pd.factorize(table[second])
    pair = rows * len(column_names) + columns
    found, at, count = np.unique(pair, return_index=True, return_counts=True)
    numbers = table[of].to_numpy()[np.argsort(pair, kind="stable")]
    parts = np.split(numbers, np.cumsum(count)[:-1])
    keys = [(str(row_names[p // len(column_names)]), str(column_names[p % len(column_names)]))
            for p in found.tolist()]  # fmt: skip
    return {keys[i]: parts[i] for i in np.argsort(at).tolist()}


def sums_by_pair(
    table: pd.DataFrame, first: str, second: str, of: str
) -> dict[tuple[str, str], float]:
    """Return the sum of every pair, exact before it is rounded; pairs as they first appear."""
    return {key: math.fsum(part) for key, part in by_pair(table, first, second, of).items()}


COLUMNS = (
    "time", "available_mwh", "self_use_mwh", "exported_mwh", "curtailed_mwh", "drawn_mwh",
    "renewable_drawn_mwh", "self_use_share", "load_share", "official_load_share", "export_share",
)  # fmt: skip
LEAST_MWH = 1e-6
DECIMALS = 9


def green_table(
    allocation: pd.DataFrame, times: pd.DatetimeIndex, uses: Mapping[str, Use], *, trace: bool
) -> pd.DataFrame:
    """Return the energy and the shares of every step, in the columns of `COLUMNS`.

    `uses` are those of the plan. A share of nothing is not a number; pooled plans have no rows.
    """
    if not trace:
        return pd.DataFrame({name: [] for name in COLUMNS})
    mwh = by_pair(allocation, "origin", "use", "mwh")

    def of(*keys: tuple[str, str]) -> Array:
        return np.asarray(sum((mwh[key] for key in keys if key in mwh), np.zeros(len(times))))

    available = of(*(key for key in mwh if key[0] == "renewable"))
    exported, curtailed = of(("renewable", "export")), of(("renewable", "curtailed"))
    drawn = of(*(key for key in mwh if uses[key[1]].drawn))
    own = available - exported - curtailed
    green = of(*(key for key in mwh if key[0] == "renewable" and uses[key[1]].drawn))
    energy = (available, own, exported, curtailed, drawn, green)
    shares = ((own, available), (green, drawn), (own, drawn), (exported, available))
    columns = [*energy, *(_share(part, whole) for part, whole in shares)]
    rounded = (np.round(column, DECIMALS) + 0.0 for column in columns)
    return pd.DataFrame(dict(zip(COLUMNS, (times, *rounded), strict=True)))


def _share(part: Array, whole: Array) -> Array:
    none = np.full(len(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=none, where=whole > LEAST_MWH), dtype=float)


def energy_sums(allocation: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return MWh over the horizon by origin and use."""
    return sums_by_pair(allocation, "origin", "use", "mwh")


def green_shares(allocation: pd.DataFrame, uses: Mapping[str, Use]) -> dict[str, float | None]:
    """Return the shares over the horizon, and what was curtailed; None for a share of nothing."""
    sums = energy_sums(allocation)
    if "pooled" in {origin for origin, _ in sums}:
        return {}

    def of(use: str, origin: str | None = None) -> float:
        return float(sum(v for (o, u), v in sums.items() if u == use and origin in (None, o)))

    def share(part: float, whole: float) -> float | None:
        return round(part / whole, 6) if whole > 1e-9 else None

    available = float(sum(v for (o, _), v in sums.items() if o == "renewable"))
    exported, curtailed = of("export", "renewable"), of("curtailed", "renewable")
    drawn_uses = [name for name, use in uses.items() if use.drawn]
    drawn = sum(of(use) for use in drawn_uses)
    drawn_green = sum(of(use, "renewable") for use in drawn_uses)
    used = available - exported - curtailed
    return {
        "self_use_share": share(used, available),
        "load_share": share(drawn_green, drawn),
        "official_load_share": share(used, drawn),
        "export_share": share(exported, available),
        "curtailed_share": share(curtailed, available),
    }


LEAST_TCO2 = 1e-9


def carbon_summary(
    schedule: pd.DataFrame, allocation: pd.DataFrame, uses: Mapping[str, Use], step_h: float
) -> dict[str, Any]:
    """Return emissions, factors by origin, and per MWh and Mtok; nothing where none is emitted."""
    gross, imported, allowance = (
        sum_of(schedule, name)
        for name in ("emission_tco2", "import_emission_tco2", "allowance_tco2")
    )
    if gross + imported <= LEAST_TCO2:
        return {}
    mwh = energy_sums(allocation)
    factors = _factors(mwh, gross, imported)
    drawn = {
        origin: sum(mwh.get((origin, name), 0.0) for name, use in uses.items() if use.drawn)
        for origin in factors
    }
    compute = {origin: mwh.get((origin, "compute"), 0.0) for origin in factors}
    of_compute = _carried(compute, factors)
    jobs = _drawn_by_jobs(schedule, step_h)
    answers = {origin: compute[origin] - jobs.get(origin, 0.0) for origin in factors}
    mtok = step_h * sum_of(schedule, "answered_mtok_per_h")
    return {
        "emission_tco2": round(gross, DECIMALS),
        "import_emission_tco2": round(imported, DECIMALS),
        "allowance_tco2": round(allowance, DECIMALS),
        "factor_tco2_per_mwh": {origin: _rounded(factor) for origin, factor in factors.items()},
        "drawn_tco2_per_mwh": _rounded(_per(_carried(drawn, factors), sum(drawn.values()))),
        "compute_tco2_per_mwh": _rounded(_per(of_compute, sum(compute.values()))),
        "answered_tco2_per_mtok": _rounded(_per(_carried(answers, factors), mtok)),
    }


def sum_of(schedule: pd.DataFrame, quantity: str) -> float:
    """Return the sum of a quantity over the steps and the components that have it as a column."""
    names = [name for name in schedule if str(name).partition(".")[2] == quantity]
    return float(schedule[names].to_numpy().sum())


def _drawn_by_jobs(schedule: pd.DataFrame, step_h: float) -> dict[str, float]:
    """Return MWh by origin that jobs drew: their part of the IT power of their fleet, by step."""
    found: dict[str, float] = {}
    for name in [str(name) for name in schedule if str(name).endswith(".job_kw")]:
        fleet = name.removesuffix(".job_kw")
        of_jobs, in_all = (schedule[f"{fleet}.{part}"].to_numpy() for part in ("job_kw", "it_kw"))
        part = np.divide(of_jobs, in_all, out=np.zeros(len(in_all)), where=in_all > 0)
        for column in [str(c) for c in schedule if str(c).startswith(f"{fleet}.draw_mw[")]:
            origin = column.partition("[")[2].removesuffix("]")
            mwh = step_h * float((part * schedule[column].to_numpy()).sum())
            found[origin] = found.get(origin, 0.0) + mwh
    return found


def _factors(
    mwh: Mapping[tuple[str, str], float], gross: float, imported: float
) -> dict[str, float | None]:
    """Return tCO2/MWh by origin; None where nothing was put in."""

    def put_in(origin: str) -> float:
        return sum(x for (o, use), x in mwh.items() if o == origin and use != "curtailed")

    if "pooled" in {origin for origin, _ in mwh}:
        return {"pooled": _per(gross + imported, put_in("pooled"))}
    return {
        "renewable": 0.0,
        "thermal": _per(gross, put_in("thermal")),
        "grid": _per(imported, put_in("grid")),
    }


def _carried(mwh: Mapping[str, float], factors: Mapping[str, float | None]) -> float | None:
    """Return the tCO2 that energy carries by its origins; None where one is not known."""
    carried = 0.0
    for origin, amount in mwh.items():
        factor = factors[origin]
        if factor is None:
            if amount > LEAST_MWH:
                return None
            continue
        carried += amount * factor
    return carried


def _per(tco2: float | None, amount: float) -> float | None:
    return tco2 / amount if tco2 is not None and amount > LEAST_MWH else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
