"""Batteries whose energy may not be sold: `discharge_to_grid: false`.

What these batteries discharge is used on the site, by loads and compute. At the node n of such a
battery and at every node that lines lead to from there, in each step and for each origin:

    own_use           sum_b (discharge_mw[o,t] - charge_mw[o,t]) + arriving[o,t] - leaving[o,t] <= drawn_mw[o,t]
    unsold_sent       unsold_mw[l,n,o,t] <= what line l sends from node n

b are the batteries with `discharge_to_grid: false` at the node; drawn_mw is what loads and compute
draw there. Variables: unsold_mw[l,n,o,t], the part of the power sent on line l from node n that
comes out of these batteries; leaving and arriving are its sums, arriving less the loss of the line.
Without lines there are no such variables. The rows are those of the first battery by name.

Ruled out is that the energy is exported, at its node or beyond a line, and that it charges a
battery that may export. Allowed is to export other energy in the same step, whatever the site
saves by discharging.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Collection, Iterator

from planner.components.battery.fields import BatteryFields
from planner.components.component import ORIGINS, Component, Site
from planner.components.reasons import StepPrices
from planner.components.terms import Expression, Link, Meters
from planner.message import Message
from planner.modelling import pyo

UNSOLD = "unsold_mw"
"""The meter of what a battery whose energy may not be sold discharges, less what it charges."""


def unsold_nodes(site: Site | StepPrices) -> dict[str, str]:
    """Return the nodes of the batteries whose energy may not be sold, by battery."""
    return {
        name: part.node
        for name, part in site.components.items()
        if isinstance(part, BatteryFields) and not part.discharge_to_grid
    }


def warn_of_own_use(site: Site, node: str) -> Iterator[Message]:
    """Warn if nothing can use what a battery whose energy may not be sold discharges."""
    reach, _ = _reached(site, (node,))
    if not any(
        _draws(part) and part.absorbs().intersection(reach) for part in site.components.values()
    ):
        yield Message(
            "discharge_to_grid is false and no load or compute can use its energy: it can never"
            " discharge"
        )


def _draws(part: Component) -> bool:
    return any(use.drawn for use in part.uses.values())


def unsaleable(site: Site, grid_mwh: float) -> Message | None:
    """Return why stored energy of grid origin cannot leave the site; None where it can."""
    parts = list(site.components.values())
    sold = {o for o in ORIGINS for part in parts if part.sale_price(o) is not None}
    if not grid_mwh or not site.trace or not sold or "grid" in sold or any(map(_draws, parts)):
        return None
    return Message(
        "its {mwh:g} MWh of grid energy cannot be sold: stored energy given as one number counts as"
        " grid energy, which is not exported with `resale: false`; write `initial: {text}`, or"
        " `resale: true`",
        mwh=grid_mwh,
        text=f"{{energy_mwh: {{renewable: {grid_mwh:g}}}}}",
    )


def _reached(site: Site, nodes: Collection[str]) -> tuple[list[str], list[tuple[str, Link]]]:
    """Return the nodes that energy may get to from some nodes, and the links that it may take."""
    links = [(name, link) for name, part in site.components.items() for link in part.links()]
    reach = set(nodes)
    while more := {link.end for _, link in links if link.start in reach} - reach:
        reach |= more
    return sorted(reach), [(name, link) for name, link in links if link.start in reach]


def keep_from_grid(b: pyo.Block, site: Site, nodes: Collection[str], meters: Meters) -> None:
    """Declare that what batteries at some nodes discharge is used by loads and compute."""
    time, origins = site.clock, site.origins
    reach, links = _reached(site, nodes)
    if links:
        index = [(line, link.start) for line, link in links]
        b.unsold_mw = pyo.Var(index, origins, time.steps, domain=pyo.NonNegativeReals)
        sent = {
            (line, n, o): meters.by_component("sent_mw", node=n, origin=o)[line][0]
            for line, n in index
            for o in origins
        }
        b.unsold_sent = pyo.Constraint(
            index,
            origins,
            time.steps,
            rule=lambda b, line, n, o, t: b.unsold_mw[line, n, o, t] <= sent[line, n, o](t),
        )

    def passed_on(n: str, o: str, t: int) -> Expression:
        shares = [
            (line, link.start, link.arriving_share * (link.end == n) - (link.start == n))
            for line, link in links
            if n in (link.start, link.end)
        ]
        return sum(share * b.unsold_mw[line, start, o, t] for line, start, share in shares)

    out, drawn = (
        {(n, o): meters.total(quantity, node=n, origin=o) for n in reach for o in origins}
        for quantity in (UNSOLD, "drawn_mw")
    )
    b.own_use = pyo.Constraint(
        reach,
        origins,
        time.steps,
        rule=lambda _, n, o, t: out[n, o](t) + passed_on(n, o, t) <= drawn[n, o](t),
    )
