"""Green shares and carbon intensity of a plan, from the energy by origin and use.

Own use = available - exported - curtailed: losses of storage count as use. self-use share = own use
/ available; load share = renewable drawn / drawn by loads and compute; official load share = own
use / drawn; export share = exported / available (NDRC/NEA 650, 2025). Over the horizon, renewable
energy that is stored at the start is available too. Energy is used in the hour in which it is
stored, so own use is below zero in an hour in which stored energy is exported. Pooled energy has no
shares, and there is no share and no factor of a kWh, or a thousand tokens, or less.

Between `least` and `most` lies each share of all attributions of the same meter values that earn
the same, one after the other: they are not reached together.

A MWh of thermal energy carries the gross emission of the units over what they put in at the nodes,
a MWh from the grid the emission of its import, renewable energy nothing; both over the horizon.
Pooled energy carries all emission over all that is put in and not curtailed. What loads and compute
draw carries the factor of its origin, from storage too; tokens carry the energy of compute less
that of jobs. Where energy of an origin is drawn of which nothing was put in, its emission is not
known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.components.terms import Use
from planner.fields import NOTHING, measurable
from planner.timeseries.schedule import columns_by_component
from planner.timeseries.series import Array

Energy = Mapping[tuple[str, str], float]  # MWh over the horizon by origin and use
Columns = Mapping[str, Mapping[str, Array]]  # of a schedule, by component
Ranges = Mapping[str, tuple[float, float]]  # least and most MWh
ENERGY = (
    "available_mwh", "self_use_mwh", "exported_mwh", "curtailed_mwh", "drawn_mwh",
    "renewable_drawn_mwh",
)  # fmt: skip
SHARES = {  # share -> a part, and what it is a part of
    "self_use_share": ("self_use_mwh", "available_mwh"),
    "load_share": ("renewable_drawn_mwh", "drawn_mwh"),
    "official_load_share": ("self_use_mwh", "drawn_mwh"),
    "export_share": ("exported_mwh", "available_mwh"),
}
COLUMNS = ("time", *ENERGY, *SHARES)
DECIMALS = 9


def by_pair(table: pd.DataFrame, first: str, second: str, of: str) -> dict[tuple[str, str], Array]:
    """Return the numbers of every pair in the order of the rows; pairs as they first appear."""
    rows, row_names = pd.factorize(table[first])
    columns, column_names = pd.factorize(table[second])
    pair = rows * len(column_names) + columns
    pairs, at, count = np.unique(pair, return_index=True, return_counts=True)
    numbers = table[of].to_numpy()[np.argsort(pair, kind="stable")]
    parts = np.split(numbers, np.cumsum(count)[:-1])
    keys = [(str(row_names[p // len(column_names)]), str(column_names[p % len(column_names)]))
            for p in pairs.tolist()]  # fmt: skip
    return {keys[i]: parts[i] for i in np.argsort(at).tolist()}


def sums(parts: Mapping[tuple[str, str], Array]) -> dict[tuple[str, str], float]:
    """Return the sum of the numbers of every pair, exact before it is rounded."""
    return {pair: math.fsum(numbers) for pair, numbers in parts.items()}


def schedule_sum(schedule: pd.DataFrame, quantity: str) -> float:
    """Return the sum of a quantity over the steps and the components that have it as a column."""
    return _total(columns_by_component(schedule), quantity)


def _total(columns: Columns, quantity: str) -> float:
    parts = [by_quantity[quantity] for by_quantity in columns.values() if quantity in by_quantity]
    return float(np.concatenate([np.zeros(0), *parts]).sum())


def green_table(
    allocation: pd.DataFrame, times: pd.DatetimeIndex, uses: Mapping[str, Use], *, trace: bool
) -> pd.DataFrame:
    """Return the energy and the shares of every step, in the columns of `COLUMNS`.

    `uses` are those of the plan. A share of nothing is not a number; pooled plans have no rows.
    """
    if not trace:
        return pd.DataFrame({name: [] for name in COLUMNS})
    mwh = by_pair(allocation, "origin", "use", "mwh")
    columns = _green_energy(mwh, uses, np.zeros(len(times)))
    for share, (name, of) in SHARES.items():
        part, whole = columns[name], columns[of]
        none = np.full(len(times), np.nan)
        columns[share] = np.divide(part, whole, out=none, where=measurable(whole))
    rounded = {name: np.round(column, DECIMALS) + 0.0 for name, column in columns.items()}
    return pd.DataFrame({"time": times} | rounded)


def green_shares(
    mwh: Energy, uses: Mapping[str, Use], stored_mwh: float, ranges: Ranges | None
) -> dict[str, Any]:
    """Return the shares over the horizon, and what was curtailed; None for a share of nothing.

    Args:
        mwh: energy by origin and use.
        uses: those of the plan.
        stored_mwh: renewable energy stored at the start, which was available too.
        ranges: the least and the most of energy that `least` and `most` are the shares of; without
            them there are none.
    """
    if "pooled" in {origin for origin, _ in mwh}:
        return {}
    energy = _green_energy(mwh, uses, 0.0)
    energy["available_mwh"] += stored_mwh
    energy["self_use_mwh"] += stored_mwh
    of = SHARES | {"curtailed_share": ("curtailed_mwh", "available_mwh")}
    shares: dict[str, Any] = {name: _share(energy[a], energy[b]) for name, (a, b) in of.items()}
    if ranges is None:
        return shares
    green = energy["self_use_mwh"] + energy["exported_mwh"]
    by_part = {
        "exported_mwh": ranges["exported_mwh"],
        "renewable_drawn_mwh": ranges["drawn_mwh"],
        "self_use_mwh": [green - mwh for mwh in ranges["exported_mwh"]],
    }
    for end, pick in (("least", min), ("most", max)):
        shares[end] = {
            share: pick(shares[share], _share(pick(by_part[part]), energy[whole]) or 0.0)
            for share, (part, whole) in SHARES.items()
            if shares[share] is not None
        }
    return shares


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 6) + 0.0 if measurable(whole) else None


def _green_energy(
    mwh: Mapping[tuple[str, str], Any], uses: Mapping[str, Use], zero: Any
) -> dict[str, Any]:
    """Return the energy of `ENERGY`, in floats or, by step, in arrays as those of `mwh`."""
    drawn = {key for key in mwh if key[1] in uses and uses[key[1]].drawn}
    renewable = {key for key in mwh if key[0] == "renewable"}

    def total(keys: Any) -> Any:
        return sum((part for key, part in mwh.items() if key in keys), zero)

    exported, curtailed = total({("renewable", "export")}), total({("renewable", "curtailed")})
    available = total(renewable)
    energy = (
        available, available - exported - curtailed, exported, curtailed, total(drawn),
        total(drawn & renewable),
    )  # fmt: skip
    return dict(zip(ENERGY, energy, strict=True))


def carbon_summary(
    columns: Columns, mwh: Energy, uses: Mapping[str, Use], step_h: float
) -> dict[str, Any]:
    """Return emissions, factors by origin, and per MWh and Mtok; nothing where none is emitted.

    `columns` are those of the schedule by component.
    """
    gross, imported, allowance = (
        _total(columns, name)
        for name in ("emission_tco2", "import_emission_tco2", "allowance_tco2")
    )
    if gross + imported <= NOTHING:
        return {}
    factors = _factors(mwh, gross, imported)
    drawn = {
        origin: sum(mwh.get((origin, name), 0.0) for name, use in uses.items() if use.drawn)
        for origin in factors
    }
    compute = {origin: mwh.get((origin, "compute"), 0.0) for origin in factors}
    jobs = _drawn_by_jobs(columns, step_h)
    answers = {origin: compute[origin] - jobs.get(origin, 0.0) for origin in factors}
    mtok = step_h * _total(columns, "answered_mtok_per_h")
    ratios = {
        "drawn_tco2_per_mwh": _per(_carried(drawn, factors), sum(drawn.values())),
        "compute_tco2_per_mwh": _per(_carried(compute, factors), sum(compute.values())),
        "answered_tco2_per_mtok": _per(_carried(answers, factors), mtok),
    }
    return {
        "emission_tco2": round(gross, DECIMALS) + 0.0,
        "import_emission_tco2": round(imported, DECIMALS) + 0.0,
        "allowance_tco2": round(allowance, DECIMALS) + 0.0,
        "factor_tco2_per_mwh": _rounded(factors),
        **_rounded(ratios),
    }


def _drawn_by_jobs(columns: Columns, step_h: float) -> dict[str, float]:
    """Return MWh by origin that jobs drew: their part of the IT power of their fleet, by step."""
    mwh: dict[str, float] = {}
    for fleet in [by_quantity for by_quantity in columns.values() if "job_kw" in by_quantity]:
        it_kw = fleet["it_kw"]
        part = np.divide(fleet["job_kw"], it_kw, out=np.zeros(len(it_kw)), where=it_kw > 0)
        for column, draw_mw in fleet.items():
            quantity, _, origin = column.removesuffix("]").partition("[")
            if quantity == "draw_mw":
                mwh[origin] = mwh.get(origin, 0.0) + step_h * float((part * draw_mw).sum())
    return mwh


def _factors(mwh: Energy, gross: float, imported: float) -> dict[str, float | None]:
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
        if factor is not None:
            carried += amount * factor
        elif measurable(amount):
            return None
    return carried


def _per(tco2: float | None, amount: float) -> float | None:
    return tco2 / amount if tco2 is not None and measurable(amount) else None


def _rounded(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if v is None else round(v, DECIMALS) + 0.0 for name, v in values.items()}
