"""Whether the exchange with the public grid keeps its limits, and moves no faster than it may.

import_limit, export_limit   what is drawn and delivered stays within the limits of the step
direction        importing is 0 or 1, and no step both imports and exports (not in a relaxed
                 plan)
spare_import     reserve fits into the import that is not used; export may be given up
import_emission  what is reported follows from the import
exchange_ramp    from one step to the next, and into the first where initial.exchange_mw is given
swing            the lowest of a local day, with what it was before the horizon, is at least
                 1 - max_swing_share of the day's highest, which is zero at least

What it charges, declares and is paid for less import stands beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import AT, FLOW, OVERLAP_MW, Array, Notes
from planner.auditor.kinds.grid.declaration import (
    check_declaration,
    declaration_columns,
    declaration_figures,
    declaration_lines,
    declared_first,
    exchange_of,
)
from planner.auditor.kinds.grid.demand_response import (
    check_response,
    response_columns,
    response_figures,
    response_lines,
)
from planner.auditor.kinds.grid.tariff import (
    check_self_use,
    fixed_payments,
    self_use_origins,
    sold_origins,
    tariff_figures,
    tariff_lines,
)
from planner.auditor.kinds.reserve import reserve_columns
from planner.auditor.reading import Codes, KindAudit, Line, Part, Plan, column_of


def _columns(plan: Plan, part: Part) -> set[str]:
    columns = {"import_mw", "importing"} | reserve_columns(plan, part)
    columns |= {column_of("export_mw", o) for o in sold_origins(plan, part)}
    columns |= declaration_columns(part) | response_columns(part)
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
    exchange, past = exchange_of(part), part.under("initial")
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
    yield from tariff_lines(plan, part)
    yield from declaration_lines(plan, part)
    yield from response_lines(plan, part)


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
    figures = tariff_figures(plan, part)
    return figures | declaration_figures(plan, part) | response_figures(plan, part)


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


AUDIT = KindAudit(
    columns=_columns,
    checks=(_check, _check_exchange, check_declaration, check_response, check_self_use),
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
    here_and_now=declared_first,
)
