"""Whether a declaration is what was given or may be declared, and is settled as it should be.

declared         a given declaration stands in the schedule, import and export apart
declared_import, declared_export, declaring   a chosen one stays within the limits, one way a step
over_band, under_band   what leaves the band is what is paid for

The settlement: declared energy at the day-ahead price of its direction, the rest at the real-time
price. The ledger has physical energy at day-ahead prices in `import` and `export[o]`; what is
missing to the settlement must stand in `deviation`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import OVERLAP_MW, Array, Notes
from planner.auditor.reading import Line, Part, Plan, by_step

SIDES = ("over", "under")


def exchange_of(part: Part) -> Array:
    """Return import less export of a grid, MW."""
    exchange: Array = part.column("import_mw") - np.asarray(part.total("export_mw"))
    return exchange


def declared_first(part: Part, _: bool) -> tuple[str, ...]:
    """Return what a grid that chooses its declaration decides before the future is known."""
    if part["declaration"] is None or not _chosen(part):
        return ()
    return "declared_import_mw", "declared_export_mw", "declaring"


def _chosen(part: Part) -> bool:
    return bool(part.under("declaration")["exchange_mw"] == "decide")


def _cost(part: Part, side: str) -> float:
    return part.under("declaration").number(f"{side}_cost_cny_per_mwh")


def declaration_columns(part: Part) -> set[str]:
    """Return the columns that a grid has for its declaration."""
    if part["declaration"] is None:
        return set()
    columns = {"declared_import_mw", "declared_export_mw"}
    columns |= {"declaring"} if _chosen(part) else set()
    return columns | {f"{side}_mw" for side in SIDES if _cost(part, side)}


def check_declaration(plan: Plan, part: Part, note: Notes) -> None:
    """Note what is wrong with the declaration of a grid."""
    if part["declaration"] is None:
        return
    flows = {way: part.column(f"declared_{way}_mw") for way in ("import", "export")}
    if _chosen(part):
        declaring = part.column("declaring")
        for way, open_ in (("import", declaring), ("export", 1 - declaring)):
            most = part.series(f"{way}_limit_mw") * open_
            rule, what = f"declared_{way}", f"declared {way} is"
            note.at_most(rule, what, flows[way], most, "MW")
        if not plan.relaxed:
            note.whole("declaring", "declaring is", declaring)
            both, what = np.minimum(flows["import"], flows["export"]), "declares both ways at once:"
            note.at_most("declaring", what, both, OVERLAP_MW, "MW")
    else:
        given = part.under("declaration").series("exchange_mw")
        for way, sign in (("import", 1), ("export", -1)):
            right, what = np.maximum(sign * given, 0.0), f"declared {way} is"
            note.equal("declared", what, flows[way], right, "MW")
    for side, off in _beyond_band(part).items():
        if _cost(part, side):
            size, what = np.abs(exchange_of(part)), f"{side} the band:"
            out = part.column(f"{side}_mw")
            note.equal(f"{side}_band", what, out, off, "MW", size=size)


def _declared(part: Part) -> Array:
    """Return what is declared, MW, import positive."""
    return part.column("declared_import_mw") - part.column("declared_export_mw")


def _beyond_band(part: Part) -> dict[str, Array]:
    """Return how far the exchange is over and under the band, MW."""
    size = part.column("declared_import_mw") + part.column("declared_export_mw")
    off = exchange_of(part) - _declared(part)
    band = part.under("declaration").number("band_share") * size
    return {"over": np.maximum(off - band, 0.0), "under": np.maximum(-off - band, 0.0)}


def _settled(plan: Plan, part: Part) -> tuple[Array, Array]:
    """Return what day-ahead and real-time settlement pay the site in every step, CNY."""
    ahead = part.column("declared_export_mw") * part.series("export_price_cny_per_mwh")
    ahead = ahead - part.column("declared_import_mw") * part.series("import_price_cny_per_mwh")
    off = exchange_of(part) - _declared(part)
    real_time = -off * part.series("real_time_price_cny_per_mwh")
    return plan.clock.step_h * ahead, plan.clock.step_h * real_time


def declaration_lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the lines of the ledger that a grid has for its declaration."""
    if part["declaration"] is None:
        return
    prices = ("import_price_cny_per_mwh", "export_price_cny_per_mwh", "real_time_price_cny_per_mwh")
    bought, sold, real_time = (part.series(name) for name in prices)
    physical = np.asarray(part.total("export_mw")) * sold - part.column("import_mw") * bought
    rest = sum(_settled(plan, part)) - plan.clock.step_h * physical
    largest = float(sum(np.abs(price).max() for price in (bought, sold, 2 * real_time)))
    yield Line(part.name, "deviation", rest, plan.clock.stamps, largest)
    for side in SIDES:
        if cost := _cost(part, side):
            yield by_step(plan, part, side, -cost, part.column(f"{side}_mw"))


def declaration_figures(plan: Plan, part: Part) -> dict[str, float]:
    """Return the settlement statement of a grid."""
    if part["declaration"] is None:
        return {}
    ahead, real_time = _settled(plan, part)
    band = sum(_cost(part, side) * off for side, off in _beyond_band(part).items())
    return {
        "day_ahead_cny": float(ahead.sum()),
        "real_time_cny": float(real_time.sum()),
        "band_cny": -plan.clock.step_h * float(np.sum(band)),
    }
