"""Audit of the exchange with the public grid: its limits, cost and revenue.

import_limit, export_limit   import and export are within the limits of the step
direction        importing is 0 or 1, and no step both imports and exports (not in a relaxed
                 plan)
spare_import     reserve is at most the unused import; export may be given up
import_emission  the emission follows from the import
exchange_ramp    from one step to the next, and into the first where initial.exchange_mw is given
swing            the lowest exchange of a local day, that before the horizon included, is at least
                 1 - max_swing_share of the day's highest, which is zero at least

Cost and revenue at the connection:

self_use     energy of an origin drawn by loads and compute at the node of the grid; a fee is paid
             on it where the origin has one

The demand charge, the declaration and demand response are audited beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from planner.auditor.findings import AT, FLOW, Array, Notes, measurable
from planner.auditor.kinds.grid import declaration, demand_charge, demand_response
from planner.auditor.kinds.reserve import reserve_columns
from planner.auditor.reading import (
    Codes,
    KindAudit,
    Line,
    Part,
    Plan,
    by_step,
    column_of,
    of_source,
)
from planner.message import Message

OWN = ("renewable", "thermal")


def _columns(plan: Plan, part: Part) -> set[str]:
    columns = {"import_mw", "importing"} | reserve_columns(plan, part)
    columns |= {column_of("export_mw", o) for o in _sold_origins(plan, part)}
    columns |= declaration.columns_of(part) | demand_response.columns_of(part)
    columns |= {column_of("self_use_mw", o) for o in _self_use_origins(plan, part)}
    return columns | (
        {"import_emission_tco2"} if part.number("import_emission_tco2_per_mwh") else set()
    )


def _check(plan: Plan, part: Part, note: Notes) -> None:
    bought, sold = part.column("import_mw"), part.total("export_mw")
    importing, limit = part.column("importing"), part.series("import_limit_mw")
    export_limit = part.series("export_limit_mw") * (1 - importing)
    note.at_most("import_limit", Message("imports"), bought, limit * importing, "MW")
    note.at_most("export_limit", Message("exports"), sold, export_limit, "MW")
    note.binary("direction", "importing", importing)
    note.exclusive("direction", Message("imports and exports at once"), bought, sold)
    reserve, spare = part.total("reserve_mw"), limit - bought + sold
    note.at_most("spare_import", Message("reserve is"), reserve, spare, "MW")
    if part.number("import_emission_tco2_per_mwh"):
        emission, expected = part.column("import_emission_tco2"), _emission(plan, part)
        note.equal("import_emission", Message("emission is"), emission, expected, "tCO2")


def _emission(plan: Plan, part: Part) -> Array:
    factor = part.number("import_emission_tco2_per_mwh")
    return factor * plan.clock.step_h * part.column("import_mw")


def _check_exchange(plan: Plan, part: Part, note: Notes) -> None:
    """Note where the exchange ramps too fast or swings too far."""
    exchange, past = declaration.exchange_of(part), part.under("initial")
    if part["ramp_mw_per_h"] is not None:
        start = exchange[0] if past["exchange_mw"] is None else past.number("exchange_mw")
        change, what = np.abs(np.diff(exchange, prepend=start)), Message("exchange changes by")
        max_change = plan.clock.step_h * part.number("ramp_mw_per_h")
        note.at_most("exchange_ramp", what, change, max_change, "MW", size=np.abs(exchange))
    if part["max_swing_share"] is None:
        return
    for day in np.unique(plan.clock.days):
        at = np.flatnonzero(plan.clock.days == day)
        begun = day == plan.clock.days[0] and past["highest_today_mw"] is not None
        highest = max(float(exchange[at].max()), 0.0)
        if begun:
            highest = max(highest, past.number("highest_today_mw"))
        when = [plan.clock.times[i] for i in at]
        low = (1 - part.number("max_swing_share")) * highest
        note.at_least("swing", Message("exchange is"), exchange[at], low, "MW", when=when)
        if begun and past["lowest_today_mw"] is not None:
            lowest = past.number("lowest_today_mw")
            what = Message("lowest exchange of the day so far is")
            note.at_least("swing", what, lowest, low, "MW", when=when[:1])


def _sold(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: part.column("export_mw", o) for o in _sold_origins(plan, part)}


def _exported(plan: Plan, part: Part) -> dict[str, Array]:
    return {o: plan.clock.step_h * mw for o, mw in _sold(plan, part).items()}


_bought = of_source("grid", lambda _, part: part.column("import_mw"))


def _flows(plan: Plan, part: Part) -> Iterator[tuple[str, str, Array]]:
    for origin, mw in _bought(plan, part).items():
        yield part.node, origin, mw
    for origin, mw in _sold(plan, part).items():
        yield part.node, origin, -mw


def _sale_price(plan: Plan, part: Part) -> dict[str, Array]:
    if not part.series("export_limit_mw").any():
        return {}
    prices = {o: part.by_origin("export_price_cny_per_mwh", o) for o in _sold_origins(plan, part)}
    return {o: price for o, price in prices.items() if price is not None}


def _codes(plan: Plan, part: Part) -> dict[str, Codes]:
    bought, sold = part.column("import_mw"), part.total("export_mw")
    max_in, max_out = part.series("import_limit_mw"), part.series("export_limit_mw")
    saleable = plan.sum(plan.injected(o) for o in _sold_origins(plan, part))
    imports = {
        "imports": bought > 0,
        "import_at_limit": (bought > 0) & (bought >= max_in - AT),
        "at_peak": (bought > 0) & demand_charge.at_peak(plan, part),
        "no_import": bought <= FLOW,
        "held": bought <= FLOW,
        "closed": max_in <= AT,
    }
    exports = {
        "exports": sold > 0,
        "export_at_limit": (sold > 0) & (sold >= max_out - AT),
        "better_on_site": (sold <= FLOW) & (saleable > 0),
        "held": (sold <= FLOW) & (saleable > 0),
        "nothing_to_sell": (sold <= FLOW) & (saleable <= AT),
        "closed": max_out <= AT,
    }
    return {"import": imports, "export": exports}


def _sold_origins(plan: Plan, part: Part) -> list[str]:
    """Return the origins that may be exported: energy from the grid only with `resale`."""
    return [o for o in plan.origins if part["resale"] or o != "grid"]


def _fees(plan: Plan, part: Part) -> dict[str, Array]:
    """Return the fee on energy of each origin that has one, CNY/MWh.

    A single charge is for own energy: energy bought pays its fees in its price.
    """
    field = "self_use_charge_cny_per_mwh"
    fees = {o: part.by_origin(field, o) for o in plan.origins}
    if not part.is_mapping(field):
        fees["grid"] = None
    return {o: fee for o, fee in fees.items() if fee is not None and fee.any()}


def _drawn(plan: Plan, part: Part, origin: str) -> Array:
    """Return the power of an origin drawn at the node of a grid, MW."""
    return plan.sum(
        mw for user, o, mw in plan.metered("drawn_mw") if o == origin and user.node == part.node
    )


def _self_use_origins(plan: Plan, part: Part) -> list[str]:
    """Return the origins with a column of their use at the node: where a fee is paid."""
    fees = _fees(plan, part)
    return list(dict.fromkeys((*OWN, *fees))) if fees else []


def _check_self_use(plan: Plan, part: Part, note: Notes) -> None:
    """Note where the use that pays fees is not the power drawn."""
    for o in _self_use_origins(plan, part):
        expected, what = _drawn(plan, part, o), Message("use of {origin} energy is", origin=o)
        note.equal("self_use", what, part.column("self_use_mw", o), expected, "MW")


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    bought = part.column("import_mw")
    yield by_step(plan, part, "import", -part.series("import_price_cny_per_mwh"), bought)
    for o in _sold_origins(plan, part):
        price = part.by_origin("export_price_cny_per_mwh", o)
        if price is not None:
            sold = part.column("export_mw", o)
            yield by_step(plan, part, f"export[{o}]", price, sold, use="export", origin=o)
    yield from demand_charge.lines_of(plan, part)
    for o, fee in _fees(plan, part).items():
        yield by_step(plan, part, f"self_use[{o}]", -fee, _drawn(plan, part, o))
    yield from declaration.lines_of(plan, part)
    yield from demand_response.lines_of(plan, part)


def _outside(plan: Plan, part: Part) -> dict[str, float]:
    """Return the part of the fixed payments that falls on the horizon, CNY."""
    fixed = part.number("fixed_cny_per_month")
    months = plan.clock.months
    hours = {month: _month_h(plan, month) for month in set(months)}
    share = sum(plan.clock.step_h / hours[month] for month in months)
    return {"fixed": -fixed * share} if fixed else {}


def _month_h(plan: Plan, month: str) -> float:
    """Return the hours of a local month."""
    begin = pd.Timestamp(f"{month}-01")
    first, after = (
        midnight.tz_localize(plan.clock.zone, ambiguous=True, nonexistent="shift_forward")
        for midnight in (begin, begin + pd.DateOffset(months=1))
    )
    return float((after - first) / pd.Timedelta(hours=1))


def _figures(plan: Plan, part: Part) -> dict[str, float]:
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
    if fees and measurable(used):
        paid = step_h * float(sum((fees[o] * mw).sum() for o, mw in own.items() if o in fees))
        figures["self_use_cny_per_kwh"] = paid / used / 1000
    fixed = _outside(plan, part)
    if fixed and measurable(mwh):
        figures["fixed_cny_per_kwh"] = -fixed["fixed"] / mwh / 1000
    figures |= demand_charge.figures_of(plan, part)
    return figures | declaration.figures_of(plan, part) | demand_response.figures_of(plan, part)


AUDIT = KindAudit(
    columns=_columns,
    checks=(
        _check,
        _check_exchange,
        declaration.check,
        demand_response.check,
        _check_self_use,
    ),
    lines=_lines,
    outside=_outside,
    flows=_flows,
    injected=_bought,
    uses={"export": _exported},
    meters={
        "exported_mw": _sold,
        "contingency_mw": _bought,
        "import_emission_tco2": of_source("grid", _emission),
    },
    figures=_figures,
    codes=_codes,
    reserve_share=lambda _: 1.0,
    sale_price=_sale_price,
    here_and_now=declaration.declared_first,
)
