"""Sources and uses of energy told apart by component: the units of a plant, several batteries.

Allocation and balance know sources and uses alone. A source or use is told apart where columns of
the schedule, one quantity for all its components, add up to it in every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from planner.report.charts.view import LEAST, View
from planner.solver.meter_totals import schedule_sums
from planner.timeseries.series import Array

EQUAL_MW = 1e-3  # largest difference that a solver may leave
MOST = 12  # components of a source or use told apart; above it, the smallest are one
WHOLE = ("curtailed", "loss")  # uses that nobody plans by component

ByComponent = dict[str, Array]  # MW by step, by component; "" for the smallest together


def sources_apart(view: View, sources: Mapping[str, Array]) -> dict[str, ByComponent]:
    """Return the power of the components of each source; none of those with a single component.

    `sources` is the supply by source, MW by step, as a chart has it.
    """
    parts: dict[str, ByComponent] = {source: {} for source in sources}
    for name, (source, _) in view.sources.items():
        if source in parts:
            parts[source][name] = _injected(view, name)
    parts["discharge"] = _columns(view, _stores(view), "discharge_mw")
    return _told_apart(parts, sources)


def uses_apart(view: View, uses: Mapping[str, Array]) -> dict[str, ByComponent]:
    """Return the power of the components of each use; none of those with a single component.

    `uses` is the use of energy, MW by step, as a chart has it.
    """
    parts = {}
    for use, power in uses.items():
        names = [name for name, part in view.components.items() if use in part.uses]
        names = _stores(view) if use == "charge" else names
        if use not in WHOLE and names:
            parts[use] = _adding_up(view, names, power)
    return _told_apart(parts, uses)


def _stores(view: View) -> list[str]:
    return [name for name, part in view.components.items() if "storage" in part.uses]


def _injected(view: View, name: str) -> Array:
    """Return the power that a source brings: import, available power, or a total of its meters."""
    if view.has(name, "import_mw"):
        return view.total(name, "import_mw")
    if view.has(name, "curtailed_mw"):
        return view.total(name, "power_mw") + view.total(name, "curtailed_mw")
    part = view.components[name]
    sums = schedule_sums(map(str, view.plan.schedule.columns), {name: part})
    for total in part.totals():
        if f"{name}.{total}" in sums:
            return np.asarray(sums[f"{name}.{total}"].of(view.plan.schedule), dtype=float)
    return view.total(name, "power_mw")


def _columns(view: View, names: list[str], quantity: str) -> ByComponent:
    return {name: view.total(name, quantity) for name in names}


def _adding_up(view: View, names: list[str], power: Array) -> ByComponent:
    """Return the quantity in MW of some components that adds up to a power, if any."""
    known = [{q.partition("[")[0] for q in view.values[name]} for name in names]
    for quantity in sorted(set.intersection(*known)):
        parts = _columns(view, names, quantity)
        if quantity.endswith("_mw") and _equal(parts, power):
            return parts
    return {}


def _equal(parts: ByComponent, power: Array) -> bool:
    return bool(np.abs(sum(parts.values(), np.zeros(len(power))) - power).max() <= EQUAL_MW)


def _told_apart(
    by_name: Mapping[str, ByComponent], powers: Mapping[str, Array]
) -> dict[str, ByComponent]:
    """Return the parts that add up to their power, without components that are always 0."""
    apart = {}
    for name, power in powers.items():
        parts = by_name.get(name, {})
        active = {part: mw for part, mw in parts.items() if np.abs(mw).max() > LEAST}
        if len(active) > 1 and _equal(parts, power):
            apart[name] = dict(_largest(active))
    return apart


def _largest(parts: ByComponent) -> Iterator[tuple[str, Array]]:
    """Yield the parts in their order; of more than `MOST`, the smallest are added up at the end."""
    by_size = sorted(parts, key=lambda name: -float(np.abs(parts[name]).sum()))
    kept = by_size if len(parts) <= MOST else by_size[: MOST - 1]
    yield from ((name, mw) for name, mw in parts.items() if name in kept)
    if len(kept) < len(parts):
        yield "", np.sum([parts[name] for name in by_size[MOST - 1 :]], axis=0)
