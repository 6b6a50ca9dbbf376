"""Whether the exchange with the public grid keeps its limits, and what it costs and earns.

import_limit, export_limit   what is drawn and delivered stays within the limits of the step
direction        importing is 0 or 1, and no step both imports and exports (not in a relaxed
                 plan)
spare_import     reserve fits into the import that is not used; export may be given up
import_emission  what is reported follows from the import
exchange_ramp    from one step to the next, and into the first where initial.exchange_mw is given
swing            the lowest of a local day, with what it was before the horizon, is at least
                 1 - max_swing_share of the day's highest, which is zero at least

What energy costs and earns at the connection:

demand_charge   of a month, is paid on what its highest import exceeds the larger of the peak so far
                and the peak expected
self_use     what is shown is what loads and compute at the node of the grid draw of an origin; fees
             are paid on it where the origin has one

What it declares, and is paid for less import, stands beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from planner.auditor.findings import AT, FLOW, OVERLAP_MW, Array, Notes
from planner.auditor.kinds.grid import declaration, demand_response
from planner.auditor.kinds.reserve import reserve_columns
from planner.auditor.reading import Codes, KindAudit, Line, Part, Plan, by_step, column_of


def _columns(plan: Plan, part: Part) -> set[str]:
    columns = {"import_mw", "importing"} | reserve_columns(plan, part)
    columns |= {column_of("export_mw", o) for o in sold_origins(plan, part)}
    columns |= declaration.columns_of(part) | demand_response.columns_of(part)
    columns |= {column_of("self_use_mw", o) for o in self_use_origins(plan, part)}
    return columns | (
        {"import_emission_tco2"} if part.number("import_emission_tco2_per_mwh") else set()
    )


def _check(plan: Plan, part: Part, note: Notes) -> None:
    bought, sold = part.column("import_mw"), np.asarray(part.total("export_mw"))
    importing = part.column("importing")
    limits = {way: part.series(f"{way}_limit_mw") for way in ("import", "export")}
    for way, flow, open_ in (("import", bought, importing), ("export", sold, 1 - importing)):
        note.at_most(f"{way}_limit", f"{way}s", flow, limits[way] * open_, "MW")
    note.at_most("direction", "importing is", importing, 1.0)
    if not plan.relaxed:
        note.whole("direction", "importing is", importing)
        both, what = np.minimum(bought, sold), "imports and exports at once"
        note.at_most("direction", what, both, OVERLAP_MW, "MW")
    reserve = part.total("reserve_mw")
    spare = limits["import"] - bought + sold
    note.at_most("spare_import", "reserve is", reserve, spare, "MW")
    if part.number("import_emission_tco2_per_mwh"):
        reported = part.column("import_emission_tco2")
        note.equal("import_emission", "emission is", reported, _emission(plan, part), "tCO2")


def _emission(plan: Plan, part: Part) -> Array:
    factor = part.number("import_emission_tco2_per_mwh")
    return factor * plan.clock.step_h * part.column("import_mw")


def _check_exchange(plan: Plan, part: Part, note: Notes) -> None:
    """Note where the exchange moves too fast or too far."""
    exchange, past = declaration.exchange_of(part), part.under("initial")
    if part["ramp_mw_per_h"] is not None:
        start = exchange[0] if past["exchange_mw"] is None else past.number("exchange_mw")
        moved = np.abs(np.diff(exchange, prepend=start))
        most = plan.clock.step_h * part.number("ramp_mw_per_h")
        size, what = np.abs(exchange), "exchange moves by"
        note.at_most("exchange_ramp", what, moved, most, "MW", size=size)
    if part["max_swing_share"] is None:
        return
    left = 1 - part.number("max_swing_share")
    for day in np.unique(plan.clock.days):
        at = np.flatnonzero(plan.clock.days == day)
        begun = day == plan.clock.days[0] and past["highest_today_mw"] is not None
        highest = max(float(exchange[at].max()), 0.0)
        if begun:
            highest = max(highest, past.number("highest_today_mw"))
        when, what = [plan.clock.times[i] for i in at], "exchange is"
        least = left * highest
        note.at_least("swing", what, exchange[at], least, "MW", when=when)
        if begun and past["lowest_today_mw"] is not None:
            low, what = past.number("lowest_today_mw"), "lowest exchange of the day so far is"
            note.at_least("swing", what, low, least, "MW", when=when[:1])


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    yield from lines_of(plan, part)
    yield from declaration.lines_of(plan, part)
    yield from demand_response.lines_of(plan, part)


def _outside(plan: Plan, part: Part) -> dict[str, float]:
    fixed = part.number("fixed_cny_per_month")
    return {"fixed": -fixed_payments(plan, part)} if fixed else {}


def _sold(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: part.column("export_mw", o) for o in sold_origins(plan, part)}


def _exported(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: plan.clock.step_h * mw for o, mw in _sold(plan, part).items()}


def _bought(plan: Plan, part: Part) -> dict[str, Array]:
    return {plan.origin("grid"): part.column("import_mw")}


def _flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    for origin, mw in _bought(plan, part).items():
        yield part.node, origin, mw
    for origin, mw in _sold(plan, part).items():
        yield part.node, origin, -mw


def _sale_price(plan: Plan, part: Part) -> dict[str, Array]:
    if not part.series("export_limit_mw").any():
        return {}
    prices = {o: part.by_origin("export_price_cny_per_mwh", o) for o in sold_origins(plan, part)}
    return {o: price for o, price in prices.items() if price is not None}


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    figures = figures_of(plan, part)
    return figures | declaration.figures_of(plan, part) | demand_response.figures_of(plan, part)


def _codes(plan: Plan, part: Part) -> dict[str, Codes]:
    bought, sold = part.column("import_mw"), np.asarray(part.total("export_mw"))
    most_in, most_out = part.series("import_limit_mw"), part.series("export_limit_mw")
    months = np.unique(plan.clock.months, return_inverse=True)[1]
    peak = np.array([bought[months == month].max() for month in range(months.max() + 1)])[months]
    brought = sum((plan.injected(o) for o in sold_origins(plan, part)), np.zeros(plan.clock.steps))
    imports = {
        "imports": bought > 0,
        "import_at_limit": (bought > 0) & (bought >= most_in - AT),
        "at_peak": (bought > 0) & (bought >= peak - AT),
        "no_import": bought <= FLOW,
        "held": bought <= FLOW,
        "closed": most_in <= AT,
    }
    exports = {
        "exports": sold > 0,
        "export_at_limit": (sold > 0) & (sold >= most_out - AT),
        "better_on_site": (sold <= FLOW) & (brought > 0),
        "held": (sold <= FLOW) & (brought > 0),
        "nothing_to_sell": (sold <= FLOW) & (brought <= AT),
        "closed": most_out <= AT,
    }
    return {"import": imports, "export": exports}


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


def lines_of(plan: Plan, part: Part) -> Iterator[Line]:
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


def figures_of(plan: Plan, part: Part) -> dict[str, float]:
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


AUDIT = KindAudit(
    columns=_columns,
    checks=(
        _check,
        _check_exchange,
        declaration.check,
        demand_response.check,
        check_self_use,
    ),
    lines=_lines,
    outside=_outside,
    flows=_flows,
    injected=_bought,
    uses={"export": _exported},
    meters={
        "exported_mw": _sold,
        "contingency_mw": _bought,
        "import_emission_tco2": lambda plan, part: {plan.origin("grid"): _emission(plan, part)},
    },
    figures=_figures,
    codes=_codes,
    reserve_share=lambda _: 1.0,
    sale_price=_sale_price,
    here_and_now=declaration.declared_first,
)
