"""Whether the table of renewable energy by the hour says what the allocation says.

    columns, rows   the table has its columns, and every step of the horizon once, in order
    COLUMN          energy by step, and the shares of it: of nothing there is no share

available is all that the uses of renewable energy sum to; own use is that less what is exported and
curtailed; drawn is what the uses that consume energy take of every origin.
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.plan_files import GREEN, as_times
from planner.auditor.reading import TRACED, Plan

TABLE = "green"  # stands for the component of its columns
LEAST_MWH = 1e-6
SHARES = {
    "self_use_share": ("self_use_mwh", "available_mwh"),
    "load_share": ("renewable_drawn_mwh", "drawn_mwh"),
    "official_load_share": ("self_use_mwh", "drawn_mwh"),
    "export_share": ("exported_mwh", "available_mwh"),
}


def check_green(plan: Plan, found: Findings) -> None:
    """Note where the table is not what the allocation makes it; a pooled plan has none."""
    table, note = plan.files.green, found.of(TABLE)
    if table is None:
        return
    energy = _energy(plan)
    known = {"time", *energy, *SHARES}
    if plan.origins != TRACED or set(table.columns) != known:
        wrong = sorted(known ^ set(table.columns))
        words = f"{', '.join(wrong)} missing or unknown" if wrong else "pooled energy has no shares"
        note.add("columns", f"{words}: nothing else was checked")
        return
    if not as_times(table["time"], plan.files.folder / GREEN).equals(plan.clock.index):
        note.add("rows", "should be the steps of the horizon in order")
        return
    for name, right in energy.items():
        size = energy["available_mwh"]
        note.equal(name, "says", table[name].to_numpy(float), right, "MWh", size=size)
    for name, (of, whole) in SHARES.items():
        said, some = table[name].to_numpy(float), energy[whole] > LEAST_MWH
        right = np.divide(energy[of], energy[whole], out=np.zeros(len(some)), where=some)
        note.equal(name, "says", np.where(some, said, 0.0), right)
        for i in np.flatnonzero(~some & ~np.isnan(said)).tolist():
            when = plan.clock.times[i]
            what = "should be empty: there is nothing to have a share of"
            note.add(name, what, when=when, amount=abs(float(said[i])))


def _energy(plan: Plan) -> dict[str, Array]:
    """Return the columns in MWh as they should be."""
    table, steps = plan.files.allocation, plan.allocation_steps
    mwh, inside = table["mwh"].to_numpy(), steps >= 0
    green = (table["origin"] == "renewable").to_numpy() & inside
    used = table["use"]

    def sums(rows: np.ndarray) -> Array:
        found = np.bincount(steps[rows], weights=mwh[rows], minlength=plan.clock.steps)
        return np.asarray(found, dtype=float)

    drawn = used.isin(plan.drawn_uses).to_numpy() & inside
    available, exported = sums(green), sums(green & (used == "export").to_numpy())
    curtailed = sums(green & (used == "curtailed").to_numpy())
    return {
        "available_mwh": available,
        "self_use_mwh": available - exported - curtailed,
        "exported_mwh": exported,
        "curtailed_mwh": curtailed,
        "drawn_mwh": sums(drawn),
        "renewable_drawn_mwh": sums(drawn & green),
    }
