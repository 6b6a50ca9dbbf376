"""Whether the exchange with the public grid moves no faster and no further than it may.

exchange_ramp    from one step to the next, and into the first where initial.exchange_mw is given
swing            the lowest of a local day, with what it was before the horizon, is at least
                 1 - max_swing_share of the day's highest, which is zero at least
"""

from __future__ import annotations

import numpy as np

from planner.auditor.breach import Array, Findings
from planner.auditor.reading import Part, Plan


def exchange_of(part: Part) -> Array:
    """Return import less export of a grid, MW."""
    exchange: Array = part.column("import_mw") - np.asarray(part.total("export_mw"))
    return exchange


def check_exchange(plan: Plan, part: Part, found: Findings) -> None:
    """Note where the exchange of a grid moves too fast or too far."""
    exchange, past = exchange_of(part), part.under("initial")
    if part["ramp_mw_per_h"] is not None:
        start = exchange[0] if past["exchange_mw"] is None else past.number("exchange_mw")
        moved = np.abs(np.diff(exchange, prepend=start))
        most = plan.clock.step_h * part.number("ramp_mw_per_h")
        size, what = np.abs(exchange), "exchange moves by"
        found.at_most(part.name, "exchange_ramp", what, moved, most, "MW", size=size)
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
        found.at_least(part.name, "swing", what, exchange[at], least, "MW", when=when)
        if begun and past["lowest_today_mw"] is not None:
            low, what = past.number("lowest_today_mw"), "lowest exchange of the day so far is"
            found.at_least(part.name, "swing", what, low, least, "MW", when=when[:1])
