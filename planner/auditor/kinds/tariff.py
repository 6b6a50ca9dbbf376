"""What a connection to the grid costs: its ledger lines, its payments, its key figures.

peak         the demand charge of a month is paid on what its highest import exceeds the larger
             of the peak so far and the peak expected
self_use     fees are paid on what loads and compute at the node draw of own energy
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from planner.auditor.kinds.declaration import declaration_figures, declaration_lines
from planner.auditor.kinds.demand_response import response_figures, response_lines
from planner.auditor.kinds.self_use_charge import OWN, drawn_at, fees_of
from planner.auditor.reading import Line, Part, Plan, by_step
from planner.auditor.schedule import sold_origins

LEAST_MWH = 1e-3


def grid_lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the lines of the ledger that a grid has."""
    bought = part.column("import_mw")
    yield by_step(plan, part, "import", -part.series("import_price_cny_per_mwh"), bought)
    for o in sold_origins(plan, part):
        price = part.by_origin("export_price_cny_per_mwh", o)
        if price is not None:
            yield by_step(plan, part, f"export[{o}]", price, part.column("export_mw", o))
    rate = part.number("demand_charge_cny_per_mw_month")
    months, at = np.unique(plan.clock.months, return_inverse=True)
    peaks = np.zeros(len(months))
    np.maximum.at(peaks, at, bought)
    paid = np.array([_paid_peak(plan, part, str(month)) for month in months])
    names = [str(month) for month in months]
    yield Line(part.name, "demand_charge", -rate * np.maximum(peaks - paid, 0.0), names, rate)
    for o, charge in fees_of(plan, part).items():
        yield by_step(plan, part, f"self_use[{o}]", -charge, drawn_at(plan, part, o))
    yield from declaration_lines(plan, part)
    yield from response_lines(plan, part)


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


def grid_figures(plan: Plan, part: Part) -> dict[str, float]:
    """Return the key figures of a grid."""
    bought, step_h = part.column("import_mw"), plan.clock.step_h
    mwh = step_h * float(bought.sum())
    figures = {
        "import_mwh": mwh,
        "export_mwh": step_h * float(np.sum(part.total("export_mw"))),
        "peak_import_mw": float(bought.max()),
        "import_emission_tco2": part.number("import_emission_tco2_per_mwh") * mwh,
    }
    fees = fees_of(plan, part)
    own = {o: drawn_at(plan, part, o) for o in OWN if o in plan.origins}
    used = step_h * float(sum(mw.sum() for mw in own.values()))
    if fees and used > LEAST_MWH:
        paid = step_h * float(sum((fees[o] * mw).sum() for o, mw in own.items() if o in fees))
        figures["self_use_cny_per_kwh"] = paid / used / 1000
    if part.number("fixed_cny_per_month") and mwh > LEAST_MWH:
        figures["fixed_cny_per_kwh"] = fixed_payments(plan, part) / mwh / 1000
    return figures | declaration_figures(plan, part) | response_figures(plan, part)
