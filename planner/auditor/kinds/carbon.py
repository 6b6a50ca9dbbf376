"""Whether emissions are counted, paid and kept within their budget, and what a MWh emits.

gross, imported, free   by step they are those of the units and grids
emitted      the running total begins with so_far_tco2 and grows by gross emission and import
budget       its last point is within budget_tco2

In the summary: thermal energy emits what the units emit per MWh that they put in, energy from the
grid what its import emits, renewable energy nothing; pooled energy what all emit per MWh put in and
not curtailed. Energy of an origin of which nothing was put in has no known emission. Tokens carry
what compute drew, less the part of jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.plan_files import sums
from planner.auditor.reading import Line, Part, Plan

LEAST_MWH = 1e-6
LEAST_TCO2 = 1e-9


def carbon_columns(part: Part) -> set[str]:
    """Return the columns of a price or budget of emissions."""
    found = {"gross_tco2", "import_tco2", "free_tco2"}
    return found | ({"emitted_tco2"} if part["budget_tco2"] is not None else set())


def check_carbon(plan: Plan, part: Part, found: Findings) -> None:
    """Note where emissions are not those of the units and grids, or are too many."""
    gross, imported, free = _emissions(plan)
    for rule, column, right in (
        ("gross", "gross_tco2", gross),
        ("imported", "import_tco2", imported),
        ("free", "free_tco2", free),
    ):
        found.equal(part.name, rule, f"{column} is", part.column(column), right, "tCO2")
    if part["budget_tco2"] is None:
        return
    total = part.column("emitted_tco2")
    right = np.concatenate([[part.number("so_far_tco2")], total[:-1]]) + gross + imported
    found.equal(part.name, "emitted", "emitted_tco2 is", total, right, "tCO2")
    most, last = part.number("budget_tco2"), plan.clock.times[-1]
    found.at_most(part.name, "budget", "emitted:", total[-1:], most, "tCO2", when=last)


def carbon_lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield what emissions cost; an allowance left over earns."""
    price, parts = part.series("price_cny_per_tco2"), len(plan.parts)
    paid, largest = -price * _charged(plan, part), float(price.max()) * parts
    yield Line(part.name, "carbon", paid, plan.clock.stamps, largest)


def carbon_figures(plan: Plan, part: Part) -> dict[str, float]:
    """Return the emissions of the horizon."""
    gross, imported, free = (float(tco2.sum()) for tco2 in _emissions(plan))
    figures = {
        "emission_tco2": gross,
        "import_emission_tco2": imported,
        "allowance_tco2": free,
        "to_be_paid_tco2": float(_charged(plan, part).sum()),
    }
    if part["budget_tco2"] is not None:
        so_far = part.number("so_far_tco2")
        figures["budget_left_tco2"] = part.number("budget_tco2") - so_far - gross - imported
    return figures


def _emissions(plan: Plan) -> tuple[Array, Array, Array]:
    """Return gross emission, that of imports, and the allowance, tCO2 by step."""
    step_h, zero = plan.clock.step_h, np.zeros(plan.clock.steps)
    gross, imported, free = zero, zero, zero
    for unit in plan.of_kind("thermal"):
        net = (1 - unit.number("auxiliary_share")) * unit.column("power_mw")
        fuel = unit.column("fuel_gj_per_h")
        gross = gross + step_h * unit.number("emission_tco2_per_gj") * fuel
        free = free + step_h * unit.number("allowance_tco2_per_mwh") * net
    for grid in plan.of_kind("grid"):
        factor = step_h * grid.number("import_emission_tco2_per_mwh")
        imported = imported + factor * grid.column("import_mw")
    return gross, imported, free


def _charged(plan: Plan, part: Part) -> Array:
    gross, imported, free = _emissions(plan)
    return gross - free + (imported if part["price_imports"] else 0.0)


def carbon(plan: Plan) -> dict[str, Any]:
    """Return what the summary must say of emissions; nothing where there are none."""
    gross, imported, free = (float(tco2.sum()) for tco2 in _emissions(plan))
    if gross + imported <= LEAST_TCO2:
        return {}
    mwh = sums(plan.files.allocation, "origin", "use", "mwh")
    factors = _factors(plan, mwh, {"thermal": gross, "grid": imported})
    compute, load = (
        {o: mwh.get((o, use), 0.0) for o in plan.origins} for use in ("compute", "load")
    )
    drawn = {o: compute[o] + load[o] for o in plan.origins}
    mtok = plan.clock.step_h * sum(
        float(service.column("answered_mtok_per_h").sum()) for service in plan.of_kind("service")
    )
    answering = {o: compute[o] - _by_jobs(plan, o) for o in plan.origins}
    return {
        "emission_tco2": gross,
        "import_emission_tco2": imported,
        "allowance_tco2": free,
        "factor_tco2_per_mwh": factors,
        "drawn_tco2_per_mwh": _per(_carried(drawn, factors), sum(drawn.values())),
        "compute_tco2_per_mwh": _per(_carried(compute, factors), sum(compute.values())),
        "answered_tco2_per_mtok": _per(_carried(answering, factors), mtok),
    }


def _by_jobs(plan: Plan, origin: str) -> float:
    """Return what jobs drew of the energy of compute, MWh: their share of the IT power."""
    mwh = 0.0
    for fleet in plan.of_kind("fleet"):
        if "job_kw" in fleet.columns:
            whole = np.maximum(fleet.column("it_kw"), 1e-9)
            drawn = fleet.column("job_kw") / whole * fleet.column("draw_mw", origin)
            mwh += plan.clock.step_h * float(drawn.sum())
    return mwh


def _factors(
    plan: Plan, mwh: dict[tuple[str, str], float], emitted: dict[str, float]
) -> dict[str, float | None]:
    """Return what a MWh of each origin emits; None where none was put in."""
    put_in = {
        o: sum(x for (origin, use), x in mwh.items() if origin == o and use != "curtailed")
        for o in plan.origins
    }
    if plan.origins == ("pooled",):
        return {"pooled": _per(sum(emitted.values()), put_in["pooled"])}
    return {"renewable": 0.0} | {o: _per(tco2, put_in[o]) for o, tco2 in emitted.items()}


def _carried(mwh: dict[str, float], factors: dict[str, float | None]) -> float | None:
    """Return what energy emits by its origins; None where one of them has no factor."""
    total = 0.0
    for origin, amount in mwh.items():
        factor = factors[origin]
        if amount > LEAST_MWH and factor is None:
            return None
        total += amount * (factor or 0.0)
    return total


def _per(tco2: float | None, amount: float) -> float | None:
    return tco2 / amount if tco2 is not None and amount > LEAST_MWH else None
