"""Audit of a declaration: its values and its settlement.

declared         a given declaration is in the schedule, import and export apart
declared_import, declared_export, declaring   a chosen one stays within the limits, one way a step
over_band, under_band   the exchange beyond the band is that which is paid for

The settlement: declared energy at the day-ahead price of its direction, the rest at the real-time
price. The ledger has physical energy at day-ahead prices in `import` and `export[o]`; the
difference to the settlement must be in `deviation`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import Array, Notes
from planner.auditor.reading import Line, Part, Plan, by_step
from planner.message import Message

SIDES = ("over", "under")


def exchange_of(part: Part) -> Array:
    """Return import less export of a grid, MW."""
    return part.column("import_mw") - part.total("export_mw")


def declared_first(part: Part, _: bool) -> tuple[str, ...]:
    """Return the columns that a grid which chooses its declaration decides first."""
    if part["declaration"] is None or not _chosen(part):
        return ()
    return "declared_import_mw", "declared_export_mw", "declaring"


def _chosen(part: Part) -> bool:
    return bool(part.under("declaration")["exchange_mw"] == "decide")


def _cost(part: Part, side: str) -> float:
    return part.under("declaration").number(f"{side}_cost_cny_per_mwh")


def columns_of(part: Part) -> set[str]:
    """Return the columns that a grid has for its declaration."""
    if part["declaration"] is None:
        return set()
    columns = {"declared_import_mw", "declared_export_mw"}
    columns |= {"declaring"} if _chosen(part) else set()
    return columns | {f"{side}_mw" for side in SIDES if _cost(part, side)}


def check(_: Plan, part: Part, note: Notes) -> None:
    """Note what is wrong with the declaration of a grid."""
    if part["declaration"] is None:
        return
    bought, sold = part.column("declared_import_mw"), part.column("declared_export_mw")
    import_is, export_is = Message("declared import is"), Message("declared export is")
    if _chosen(part):
        declaring = part.column("declaring")
        max_import = part.series("import_limit_mw") * declaring
        max_export = part.series("export_limit_mw") * (1 - declaring)
        note.at_most("declared_import", import_is, bought, max_import, "MW")
        note.at_most("declared_export", export_is, sold, max_export, "MW")
        note.binary("declaring", "declaring", declaring)
        note.exclusive("declaring", Message("declares both ways at once:"), bought, sold)
    else:
        declared = part.under("declaration").series("exchange_mw")
        note.equal("declared", import_is, bought, np.maximum(declared, 0.0), "MW")
        note.equal("declared", export_is, sold, np.maximum(-declared, 0.0), "MW")
    texts = {"over": Message("over the band:"), "under": Message("under the band:")}
    for side, off in _beyond_band(part).items():
        if _cost(part, side):
            size, beyond = np.abs(exchange_of(part)), part.column(f"{side}_mw")
            note.equal(f"{side}_band", texts[side], beyond, off, "MW", size=size)


def _declared(part: Part) -> Array:
    """Return the declared exchange, MW, import positive."""
    return part.column("declared_import_mw") - part.column("declared_export_mw")


def _beyond_band(part: Part) -> dict[str, Array]:
    """Return the exchange over and under the band, MW."""
    size = part.column("declared_import_mw") + part.column("declared_export_mw")
    off = exchange_of(part) - _declared(part)
    band = part.under("declaration").number("band_share") * size
    return {"over": np.maximum(off - band, 0.0), "under": np.maximum(-off - band, 0.0)}


def _settled(plan: Plan, part: Part) -> tuple[Array, Array]:
    """Return the payments of day-ahead and real-time settlement to the site by step, CNY."""
    ahead = part.column("declared_export_mw") * part.series("export_price_cny_per_mwh")
    ahead = ahead - part.column("declared_import_mw") * part.series("import_price_cny_per_mwh")
    off = exchange_of(part) - _declared(part)
    real_time = -off * part.series("real_time_price_cny_per_mwh")
    return plan.clock.step_h * ahead, plan.clock.step_h * real_time


def lines_of(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the lines of the ledger that a grid has for its declaration."""
    if part["declaration"] is None:
        return
    prices = ("import_price_cny_per_mwh", "export_price_cny_per_mwh", "real_time_price_cny_per_mwh")
    bought, sold, real_time = (part.series(name) for name in prices)
    physical = part.total("export_mw") * sold - part.column("import_mw") * bought
    rest = sum(_settled(plan, part)) - plan.clock.step_h * physical
    max_price = float(sum(np.abs(price).max() for price in (bought, sold, 2 * real_time)))
    yield Line(part.name, "deviation", rest, plan.clock.stamps, max_price)
    for side in SIDES:
        if cost := _cost(part, side):
            yield by_step(plan, part, side, -cost, part.column(f"{side}_mw"))


def figures_of(plan: Plan, part: Part) -> dict[str, float]:
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
