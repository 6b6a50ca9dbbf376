"""Official shares of renewable energy, and emission factors of energy and tokens.

The factor of thermal energy is the emission of the units per MWh injected, that of energy from the
grid the emission of its import, that of renewable energy 0; that of pooled energy all emission per
MWh injected and not curtailed. An origin of which nothing was injected has no factor. The emission
of tokens is that of the energy compute drew, less the part of jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from planner.auditor.amounts import Pair
from planner.auditor.findings import (
    ABSOLUTE,
    LEAST_MWH,
    NOTHING,
    Array,
    Notes,
    measurable,
    number,
)
from planner.auditor.reading import Plan
from planner.errors import as_written
from planner.message import Message

ROUNDED = 1e-6  # shares are rounded to it
FINE = 1e-8  # emissions are rounded to less
VALUE = 1e-9  # values of the tables are rounded to it
TOTALS = ("emission_tco2", "import_emission_tco2", "allowance_tco2")
SHARES = {  # share -> a part, and what it is a part of
    "self_use_share": ("self_use_mwh", "available_mwh"),
    "load_share": ("renewable_drawn_mwh", "drawn_mwh"),
    "official_load_share": ("self_use_mwh", "drawn_mwh"),
    "export_share": ("exported_mwh", "available_mwh"),
}


def green(plan: Plan) -> dict[str, float | None]:
    """Return the official shares of renewable energy as they should be; none where it is pooled.

    Own use is the available energy less the exported and curtailed: losses of storage count as use.
    NDRC/NEA 650 (2025). What is stored at the start was available too.
    """
    if plan.origins == ("pooled",):
        return {}
    mwh = _green_energy(plan)
    shares = SHARES | {"curtailed_share": ("curtailed_mwh", "available_mwh")}
    return {name: _share(mwh[part], mwh[whole]) for name, (part, whole) in shares.items()}


def check_ranges(plan: Plan, note: Notes) -> None:
    """Note where the range of a share leaves it out, or is beyond what the meters allow.

    Renewable energy may be exported up to the export of all origins, and drawn up to what is drawn
    and down to what other origins leave; own use is the least where export is the most.
    """
    written = plan.files.summary.get("green")
    if not isinstance(written, Mapping) or not {"least", "most"} & set(written):
        return
    mwh, shares = _green_energy(plan), green(plan)
    ends = {
        end: {name: number(values.get(name)) for name in SHARES}
        for end in ("least", "most")
        if isinstance(values := written.get(end), Mapping)
    }
    if len(ends) < 2:
        note.add("green", Message("has a range with one end"))
        return
    known = {name: share for name, share in shares.items() if name in SHARES and share is not None}
    by_pair = plan.allocation.by_step.items()
    exported = float(plan.sum(mwh for (_, use), mwh in by_pair if use == "export").sum())
    used = mwh["available_mwh"] - mwh["curtailed_mwh"]  # or exported
    drawn = mwh["drawn_mwh"]
    limits = {
        "export_share": (0.0, min(exported, used)),
        "load_share": (max(0.0, drawn - _other_mwh(plan)), min(drawn, used)),
    }
    for name, share in known.items():
        whole = mwh[SHARES[name][1]]
        slack = ROUNDED * (1 + mwh["available_mwh"] / whole) + ABSOLUTE / whole
        for end, other in (("least", "most"), ("most", "least")):
            value = ends[end][name]
            outside = share - value if end == "most" else value - share
            if not outside <= slack:
                _note_range(
                    note, end, name, value, Message("the share is {value:.6g}", value=share)
                )
            if name in limits or "export_share" not in known:  # of a kWh, or less
                low, high = (limit / whole for limit in limits.get(name, (0.0, used)))
                if not low - slack <= value <= high + slack:
                    text = Message("the meters allow {low:.6g} to {high:.6g}", low=low, high=high)
                    _note_range(note, end, name, value, text)
                continue
            expected = (used - ends[other]["export_share"] * mwh["available_mwh"]) / whole
            if not abs(value - expected) <= slack:
                text = Message("own use and export add up to {expected:.6g}", expected=expected)
                _note_range(note, end, name, value, text)


def _note_range(note: Notes, end: str, share: str, value: float, why: Message) -> None:
    written = as_written(None if np.isnan(value) else value)
    note.add(f"green.{end}.{share}", Message("is {value}: {why}", value=written, why=why))


def _other_mwh(plan: Plan) -> float:
    """Return the energy of other origins that was put in, or stored at the start, MWh."""
    other = plan.sum(mwh for (o, _), mwh in plan.allocation.by_step.items() if o != "renewable")
    stored = (plan.audit(part).stored(plan, part) for part in plan.parts.values())
    start = sum(mwh for by_origin in stored for o, mwh in by_origin.items() if o != "renewable")
    return float(other.sum()) + start


def _green_energy(plan: Plan) -> dict[str, float]:
    """Return renewable energy over the horizon, with what was stored at its start, MWh."""
    mwh = {name: float(by_step.sum()) for name, by_step in energy_by_step(plan).items()}
    for part in plan.parts.values():
        stored = plan.audit(part).stored(plan, part).get("renewable", 0.0)
        mwh["available_mwh"] += stored
        mwh["self_use_mwh"] += stored
    return mwh


def _share(part: float, whole: float) -> float | None:
    return part / whole if measurable(whole) else None


def energy_by_step(plan: Plan) -> dict[str, Array]:
    """Return renewable energy, and what it is a share of, MWh by step."""
    by_pair, zero = plan.allocation.by_step.items(), np.zeros(plan.clock.steps)
    drawn = {pair: mwh for pair, mwh in by_pair if pair[1] in plan.drawn_uses}
    green = {use: mwh for (origin, use), mwh in by_pair if origin == "renewable"}
    available = plan.sum(green.values())
    exported, curtailed = green.get("export", zero), green.get("curtailed", zero)
    return {
        "available_mwh": available,
        "self_use_mwh": available - exported - curtailed,
        "exported_mwh": exported,
        "curtailed_mwh": curtailed,
        "drawn_mwh": plan.sum(drawn.values()),
        "renewable_drawn_mwh": plan.sum(mwh for (o, _), mwh in drawn.items() if o == "renewable"),
    }


def carbon(plan: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the emissions of the summary as they should be, and how far they may be off.

    Nothing where there are none.
    """
    gross, imported, free = (float(plan.total(quantity).sum()) for quantity in TOTALS)
    if gross + imported <= NOTHING:
        return {}, {}
    mwh = plan.allocation.totals
    factors, slacks = _factors(plan, mwh)
    compute = {o: mwh.get((o, "compute"), 0.0) for o in plan.origins}
    drawn = {
        o: sum(mwh.get((o, use), 0.0) for use in sorted(plan.drawn_uses)) for o in plan.origins
    }
    step_h = plan.clock.step_h
    mtok = step_h * float(plan.total("answered_mtok_per_h").sum())
    answering = {
        o: compute[o] - step_h * float(plan.total("jobs_mw", o).sum()) for o in plan.origins
    }
    ratios = {
        "drawn_tco2_per_mwh": (drawn, sum(drawn.values())),
        "compute_tco2_per_mwh": (compute, sum(compute.values())),
        "answered_tco2_per_mtok": (answering, mtok),
    }
    emissions = {
        "emission_tco2": gross,
        "import_emission_tco2": imported,
        "allowance_tco2": free,
        "factor_tco2_per_mwh": factors,
        **{name: _per(_emission(part, factors), of) for name, (part, of) in ratios.items()},
    }
    off = {
        name: FINE + sum(mwh * slacks[o] for o, mwh in part.items()) / max(of, LEAST_MWH)
        for name, (part, of) in ratios.items()
    }
    totals = dict.fromkeys(TOTALS, FINE + _rounding(plan))
    return emissions, totals | off | {"factor_tco2_per_mwh": slacks}


def _rounding(plan: Plan) -> float:
    """Return how far a sum over the steps of all components may be off."""
    return VALUE * plan.clock.steps * len(plan.parts)


def _factors(
    plan: Plan, mwh: Mapping[Pair, float]
) -> tuple[dict[str, float | None], dict[str, float]]:
    """Return the emission of a MWh of each origin, tCO2, and how far it may be off.

    None where nothing was injected. Emission and energy are sums of rounded values.
    """
    factors: dict[str, float | None] = {}
    slacks: dict[str, float] = {}
    for o in plan.origins:
        injected = sum(x for (of, use), x in mwh.items() if of == o and use != "curtailed")
        emitted = plan.total("emission_tco2", o) + plan.total("import_emission_tco2", o)
        factors[o] = 0.0 if o == "renewable" else _per(float(emitted.sum()), injected)
        slacks[o] = FINE + _rounding(plan) * (1 + (factors[o] or 0.0)) / max(injected, LEAST_MWH)
    return factors, slacks


def _emission(mwh: dict[str, float], factors: dict[str, float | None]) -> float | None:
    """Return the emission of energy by its origins, tCO2; None where one has no factor."""
    total = 0.0
    for origin, amount in mwh.items():
        factor = factors[origin]
        if measurable(amount) and factor is None:
            return None
        total += amount * (factor or 0.0)
    return total


def _per(tco2: float | None, amount: float) -> float | None:
    return tco2 / amount if tco2 is not None and measurable(amount) else None
