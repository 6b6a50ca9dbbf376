"""What energy costs and earns at a connection to the grid, and whether own use is what pays fees.

demand_charge   of a month, is paid on what its highest import exceeds the larger of the peak so far
                and the peak expected
self_use     what is shown is what loads and compute at the node of the grid draw of an origin; fees
             are paid on it where the origin has one
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from planner.auditor.findings import Array, Notes
from planner.auditor.reading import Line, Part, Plan, by_step

OWN = ("renewable", "thermal")
LEAST_MWH = 1e-3


def sold_origins(plan: Plan, part: Part) -> list[str]:
    """Return the origins that may be exported: energy from the grid only with `resale`."""
    return [o for o in plan.origins if part["resale"] or o != "grid"]


def _fees(plan: Plan, part: Part) -> dict[str, Array]:
    """Return the fee on energy of each origin that has one, CNY/MWh.

    One charge for all is meant for own energy: what was bought pays its fees in its price.
    """
    given = part["self_use_charge_cny_per_mwh"]
    each = isinstance(given, Mapping) and "csv" not in given
    fees = {o: part.by_origin("self_use_charge_cny_per_mwh", o) for o in plan.origins}
    return {
        o: fee for o, fee in fees.items() if fee is not None and fee.any() and (each or o != "grid")
    }


def _drawn(plan: Plan, part: Part, origin: str) -> Array:
    """Return what is drawn of an origin at the node of a grid, MW."""
    drawn = (
        mw for user, o, mw in plan.metered("drawn_mw") if o == origin and user.node == part.node
    )
    return np.asarray(sum(drawn, np.zeros(plan.clock.steps)))


def self_use_origins(plan: Plan, part: Part) -> list[str]:
    """Return the origins whose use at the node the schedule shows: where a fee is paid."""
    fees = _fees(plan, part)
    return list(dict.fromkeys((*OWN, *fees))) if fees else []


def check_self_use(plan: Plan, part: Part, note: Notes) -> None:
    """Note where the use that pays fees is not what is drawn."""
    for o in self_use_origins(plan, part):
        right, what = _drawn(plan, part, o), f"use of {o} energy is"
        note.equal("self_use", what, part.column("self_use_mw", o), right, "MW")


def tariff_lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield what energy, peaks and own use cost and earn."""
    bought = part.column("import_mw")
    yield by_step(plan, part, "import", -part.series("import_price_cny_per_mwh"), bought)
    for o in sold_origins(plan, part):
        price = part.by_origin("export_price_cny_per_mwh", o)
        if price is not None:
            sold = part.column("export_mw", o)
            yield by_step(plan, part, f"export[{o}]", price, sold, use="export", origin=o)
    rate = part.number("demand_charge_cny_per_mw_month")
    months, at = np.unique(plan.clock.months, return_inverse=True)
    peaks = np.zeros(len(months))
    np.maximum.at(peaks, at, bought)
    paid = np.array([_paid_peak(plan, part, str(month)) for month in months])
    names = [str(month) for month in months]
    yield Line(part.name, "demand_charge", -rate * np.maximum(peaks - paid, 0.0), names, rate)
    for o, fee in _fees(plan, part).items():
        yield by_step(plan, part, f"self_use[{o}]", -fee, _drawn(plan, part, o))


def _paid_peak(plan: Plan, part: Part, month: str) -> float:
    """Return the peak of a month below which nothing more is charged, MW."""
    so_far = part["peak_so_far_mw"]
    if isinstance(so_far, Mapping):
        begun = float(so_far.get(month, 0.0))
    else:  # a number is meant for the month in which the horizon begins
        begun = part.number("peak_so_far_mw") if month == plan.clock.months[0] else 0.0
    return max(begun, part.number("expected_peak_mw"))


def fixed_payments(plan: Plan, part: Part) -> float:
    """Return the part of the fixed payments that falls on the horizon, CNY."""
    hours = (24 * pd.Period(month, "M").days_in_month for month in plan.clock.months)
    share = sum(plan.clock.step_h / total for total in hours)
    return part.number("fixed_cny_per_month") * share


def tariff_figures(plan: Plan, part: Part) -> dict[str, float]:
    """Return the key figures of energy and its price."""
    bought, step_h = part.column("import_mw"), plan.clock.step_h
    mwh = step_h * float(bought.sum())
    figures = {
        "import_mwh": mwh,
        "export_mwh": step_h * float(np.sum(part.total("export_mw"))),
        "peak_import_mw": float(bought.max()),
        "import_emission_tco2": part.number("import_emission_tco2_per_mwh") * mwh,
    }
    fees = _fees(plan, part)
    own = {o: _drawn(plan, part, o) for o in OWN if o in plan.origins}
    used = step_h * float(sum(mw.sum() for mw in own.values()))
    if fees and used > LEAST_MWH:
        paid = step_h * float(sum((fees[o] * mw).sum() for o, mw in own.items() if o in fees))
        figures["self_use_cny_per_kwh"] = paid / used / 1000
    if part.number("fixed_cny_per_month") and mwh > LEAST_MWH:
        figures["fixed_cny_per_kwh"] = fixed_payments(plan, part) / mwh / 1000
    return figures
