"""What a plan emits, and what a MWh and a million tokens carry of it.

A MWh of thermal energy carries the gross emission of the units over what they put in at the nodes,
a MWh from the grid the emission of its import, renewable energy nothing; both over the horizon.
Pooled energy carries all emission over all that is put in and not curtailed. What loads and compute
draw carries the factor of its origin, from storage too; tokens carry the energy of compute less
what jobs drew of it. Where energy of an origin is drawn of which nothing was put in, its emission
is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.green import energy_sums

LEAST_TCO2 = 1e-9
LEAST_MWH = 1e-6
DECIMALS = 9


def carbon_summary(
    schedule: pd.DataFrame, allocation: pd.DataFrame, step_h: float
) -> dict[str, Any]:
    """Return emissions, factors by origin, and per MWh and Mtok; nothing where none is emitted."""
    gross, imported, allowance = (
        _total(schedule, name)
        for name in ("emission_tco2", "import_emission_tco2", "allowance_tco2")
    )
    if gross + imported <= LEAST_TCO2:
        return {}
    mwh = energy_sums(allocation)
    factors = _factors(mwh, gross, imported)
    compute, load = (
        {origin: mwh.get((origin, use), 0.0) for origin in factors} for use in ("compute", "load")
    )
    drawn = {origin: compute[origin] + load[origin] for origin in factors}
    of_compute = _carried(compute, factors)
    jobs = _drawn_by_jobs(schedule, step_h)
    answers = {origin: compute[origin] - jobs.get(origin, 0.0) for origin in factors}
    mtok = step_h * _total(schedule, "answered_mtok_per_h")
    return {
        "emission_tco2": round(gross, DECIMALS),
        "import_emission_tco2": round(imported, DECIMALS),
        "allowance_tco2": round(allowance, DECIMALS),
        "factor_tco2_per_mwh": {origin: _rounded(factor) for origin, factor in factors.items()},
        "drawn_tco2_per_mwh": _rounded(_per(_carried(drawn, factors), sum(drawn.values()))),
        "compute_tco2_per_mwh": _rounded(_per(of_compute, sum(compute.values()))),
        "answered_tco2_per_mtok": _rounded(_per(_carried(answers, factors), mtok)),
    }


def _total(schedule: pd.DataFrame, quantity: str) -> float:
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
