"""Official shares of renewable energy, and emission factors of energy and tokens.

The factor of thermal energy is the emission of the units per MWh injected, that of energy from the
grid the emission of its import, that of renewable energy 0; that of pooled energy all emission per
MWh injected and not curtailed. An origin of which nothing was injected has no factor. The emission
of tokens is that of the energy compute drew, less the part of jobs.
"""

from __future__ import annotations

from typing import Any

from planner.auditor.findings import Array, Flags
from planner.auditor.plan_files import sums
from planner.auditor.reading import Plan

MIN_MWH = 1e-6
MIN_TCO2 = 1e-9
SHARES = {  # share -> a part, and what it is a part of
    "self_use_share": ("self_use_mwh", "available_mwh"),
    "load_share": ("renewable_drawn_mwh", "drawn_mwh"),
    "official_load_share": ("self_use_mwh", "drawn_mwh"),
    "export_share": ("exported_mwh", "available_mwh"),
}


def green(plan: Plan) -> dict[str, float | None]:
    """Return the official shares of renewable energy as they should be; none where it is pooled.

    Own use is the available energy less the exported and curtailed: losses of storage count as use.
    NDRC/NEA 650 (2025).
    """
    if plan.origins == ("pooled",):
        return {}
    mwh = {name: float(by_step.sum()) for name, by_step in energy_by_step(plan).items()}
    shares = SHARES | {"curtailed_share": ("curtailed_mwh", "available_mwh")}
    return {
        name: mwh[part] / mwh[whole] if mwh[whole] > MIN_MWH else None
        for name, (part, whole) in shares.items()
    }


def energy_by_step(plan: Plan) -> dict[str, Array]:
    """Return renewable energy, and what it is a share of, MWh by step."""
    use = plan.files.allocation["use"]
    green = (plan.files.allocation["origin"] == "renewable").to_numpy()
    drawn = use.isin(plan.drawn_uses).to_numpy()

    def of_use(name: str) -> Flags:
        return green & (use == name).to_numpy()

    available = plan.allocated(green)
    exported, curtailed = plan.allocated(of_use("export")), plan.allocated(of_use("curtailed"))
    return {
        "available_mwh": available,
        "self_use_mwh": available - exported - curtailed,
        "exported_mwh": exported,
        "curtailed_mwh": curtailed,
        "drawn_mwh": plan.allocated(drawn),
        "renewable_drawn_mwh": plan.allocated(drawn & green),
    }


def carbon(plan: Plan) -> dict[str, Any]:
    """Return the emissions of the summary as they should be; nothing where there are none."""
    gross, imported, free = (
        float(plan.total(quantity).sum())
        for quantity in ("emission_tco2", "import_emission_tco2", "allowance_tco2")
    )
    if gross + imported <= MIN_TCO2:
        return {}
    mwh = sums(plan.files.allocation, "origin", "use", "mwh")
    factors = _factors(plan, mwh)
    compute = {o: mwh.get((o, "compute"), 0.0) for o in plan.origins}
    drawn = {
        o: sum(mwh.get((o, use), 0.0) for use in sorted(plan.drawn_uses)) for o in plan.origins
    }
    step_h = plan.clock.step_h
    mtok = step_h * float(plan.total("answered_mtok_per_h").sum())
    answering = {
        o: compute[o] - step_h * float(plan.total("jobs_mw", o).sum()) for o in plan.origins
    }
    return {
        "emission_tco2": gross,
        "import_emission_tco2": imported,
        "allowance_tco2": free,
        "factor_tco2_per_mwh": factors,
        "drawn_tco2_per_mwh": _per(_emission(drawn, factors), sum(drawn.values())),
        "compute_tco2_per_mwh": _per(_emission(compute, factors), sum(compute.values())),
        "answered_tco2_per_mtok": _per(_emission(answering, factors), mtok),
    }


def _factors(plan: Plan, mwh: dict[tuple[str, str], float]) -> dict[str, float | None]:
    """Return the emission of a MWh of each origin, tCO2; None where none was injected."""
    factors: dict[str, float | None] = {}
    for o in plan.origins:
        injected = sum(x for (of, use), x in mwh.items() if of == o and use != "curtailed")
        emitted = plan.total("emission_tco2", o) + plan.total("import_emission_tco2", o)
        factors[o] = 0.0 if o == "renewable" else _per(float(emitted.sum()), injected)
    return factors


def _emission(mwh: dict[str, float], factors: dict[str, float | None]) -> float | None:
    """Return the emission of energy by its origins, tCO2; None where one has no factor."""
    total = 0.0
    for origin, amount in mwh.items():
        factor = factors[origin]
        if amount > MIN_MWH and factor is None:
            return None
        total += amount * (factor or 0.0)
    return total


def _per(tco2: float | None, amount: float) -> float | None:
    return tco2 / amount if tco2 is not None and amount > MIN_MWH else None
