"""Whether what why.csv says a component does is what the schedule says it does.

time, component, decision   each stands for a step, a component, and a decision its kind takes; a
               decision that is told at all is told in every step, once
CODE           the code agrees with the schedule: who discharges gives power, who is full holds all
               it can, who is at a limit is there

The figures of the reasons are prices; they follow from no table and are not checked.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.auditor.findings import PLAN, Findings, Flags
from planner.auditor.kinds.service import served, wanted
from planner.auditor.plan_files import WHY, as_times, groups
from planner.auditor.reading import Part, Plan
from planner.auditor.schedule import sold_origins

FLOW = 1.001e-6  # a flow as small as this is none; the table was made of the schedule as it is
AT = 2e-5  # as near as this a figure is at its limit

Codes = Mapping[str, Flags]  # where each code may stand; shape (steps,)


def check_why(plan: Plan, found: Findings) -> None:
    """Note every row of why.csv that the schedule does not bear out."""
    table = plan.files.why
    if table is None or not len(table):
        return
    steps = plan.clock.index.get_indexer(as_times(table["time"], plan.files.folder / WHY))
    if (steps < 0).any():
        text = table["time"].iloc[int(np.flatnonzero(steps < 0)[0])]
        found.add(PLAN, "why.time", f"{text} is the start of no step")
        return
    for (name, decision), rows in groups(table, "component", "decision").items():
        part = plan.parts.get(name)
        known = CODES[part.kind](plan, part) if part is not None and part.kind in CODES else {}
        if part is None or decision not in known:
            found.add(name, "why", f"no such component takes a decision {decision!r}")
            continue
        mine = steps[rows]
        if len(mine) != plan.clock.steps or len(set(mine.tolist())) != len(mine):
            said = f"{decision} stands for {len(mine)} of {plan.clock.steps} steps, each once"
            found.add(part.name, "why", said)
        for code, at in zip(table["code"].to_numpy()[rows].tolist(), mine.tolist(), strict=True):
            allowed = known[decision].get(code)
            when = plan.clock.times[at]
            if allowed is None:
                found.add(part.name, "why", f"{decision} knows no code {code!r}", when=when)
            elif not allowed[at]:
                said = f"{decision} is said to be {code}, the schedule says otherwise"
                found.add(part.name, f"why.{code}", said, when=when)


def _battery(plan: Plan, part: Part) -> dict[str, Codes]:
    charge, discharge = (np.asarray(part.total(f"{way}_mw")) for way in ("charge", "discharge"))
    stored, available = np.asarray(part.total("energy_mwh")), part.series("available")
    most_in, most_out = (part.number(f"{w}_power_mw") * available for w in ("charge", "discharge"))
    least, most = part.number("min_energy_mwh"), part.number("capacity_mwh")
    rests = (charge <= FLOW) & (discharge <= FLOW)
    charges, discharges = (charge > 0) & (charge >= discharge), discharge > charge
    days = plan.clock.days
    spent = np.bincount(days, discharge) * plan.clock.step_h
    spent[0] += part.under("initial").number("discharged_today_mwh")
    cycles = part["cycles_per_day"]
    used = np.full(plan.clock.steps, False)
    if cycles is not None:
        used = spent[days] >= part.number("cycles_per_day") * (most - least) - AT
    power = {
        "charges": charges,
        "charges_at_limit": charges & (charge >= most_in - AT),
        "discharges": discharges,
        "discharges_at_limit": discharges & (discharge >= most_out - AT),
        "unavailable": (most_in <= FLOW) & (most_out <= FLOW),
        "full": rests & (stored >= most - AT),
        "empty": rests & (stored <= least + AT),
        "held_for_reserve": rests & (np.asarray(part.total("reserve_mw")) > 0),
        "cycles_used": rests & used,
        "idle": rests,
    }
    return {"power": power}


def _thermal(plan: Plan, part: Part) -> dict[str, Codes]:
    on, power = part.column("on") > 0.5, part.column("power_mw")
    given = power + part.total("reserve_mw")
    low, available = part.series("min_power_mw"), part.series("available")
    high = part.series("max_power_mw") * available
    initial, step_h = part.under("initial"), plan.clock.step_h
    began = initial.number("power_mw") if initial["on"] else 0.0
    before = np.concatenate([[began], power[:-1]])
    rise, fall = (part.number(f"ramp_{way}_mw_per_h") * step_h for way in ("up", "down"))
    run = {
        "starts": part.column("start") > 0.5,
        "stops": part.column("stop") > 0.5,
        "off": ~on,
        "must_rest": ~on & (part.number("min_down_h") > 0),
        "must_run_on": on & (power <= low + AT) & (part.number("min_up_h") > 0),
        "outage": ~on & ((available == 0) | (high < low)),
        "at_minimum": on & (power <= low + AT),
        "at_maximum": on & (given >= np.maximum(high, low) - AT),
        "ramps_up": on & (given - before >= rise - AT),
        "ramps_down": on & (before - power >= fall - AT),
        "between": on & (power > low) & (given < np.maximum(high, low)),
    }
    return {"run": run}


def _grid(plan: Plan, part: Part) -> dict[str, Codes]:
    bought, sold = part.column("import_mw"), np.asarray(part.total("export_mw"))
    most_in, most_out = part.series("import_limit_mw"), part.series("export_limit_mw")
    highest = {m: max(b for b, of in zip(bought, plan.clock.months, strict=True) if of == m)
               for m in set(plan.clock.months)}  # fmt: skip
    peak = np.array([highest[month] for month in plan.clock.months])
    there = np.zeros(plan.clock.steps)
    for origin in sold_origins(plan, part):
        there = there + _brought(plan, origin)
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
        "better_on_site": (sold <= FLOW) & (there > 0),
        "held": (sold <= FLOW) & (there > 0),
        "nothing_to_sell": (sold <= FLOW) & (there <= AT),
        "closed": most_out <= AT,
    }
    return {"import": imports, "export": exports}


def _brought(plan: Plan, origin: str) -> np.ndarray:
    """Return what of an origin is brought to the site, MW: of sun and wind what is available."""
    total = np.zeros(plan.clock.steps)
    for part in plan.parts.values():
        if part.kind == "renewable" and origin == plan.origin("renewable"):
            total += part.number("capacity_mw") * part.series("availability_pu")
        elif part.kind == "thermal" and origin == plan.origin("thermal"):
            total += (1 - part.number("auxiliary_share")) * part.column("power_mw")
        elif part.kind == "grid" and origin == plan.origin("grid"):
            total += part.column("import_mw")
    return total


def _service(_: Plan, part: Part) -> dict[str, Codes]:
    asked = wanted(part)
    kinds = {"demand_mtok_per_h": ("answer", "all_answered"), "market": ("sell", "all_sold"),
             "arrivals_mtok_per_h": ("accept", "all_accepted")}  # fmt: skip
    decision, all_done = next(words for field, words in kinds.items() if part[field] is not None)
    dropped = asked - served(part)
    codes = {
        all_done: dropped <= AT,
        "no_capacity": dropped > 0,
        "price_below_cost": dropped > 0,
        "nothing_wanted": asked <= AT,
    }
    return {decision: codes}


CODES = {"battery": _battery, "grid": _grid, "service": _service, "thermal": _thermal}
