"""Where power comes from, above zero, and where it goes, below; both sides are equal in each step.

What comes in is named by its source: renewable energy available, thermal units net of their own
draw, import, discharge. What goes out is named by use, or by use and origin. The sides balance as
the site does: energy put into a battery is a use when it is charged and comes in when discharged,
so that of the losses only those outside of batteries stand here.
"""

from __future__ import annotations

import numpy as np

from planner.errors import PlanError
from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import (
    BLUE,
    GREEN,
    GREY,
    ORIGIN_COLOURS,
    OTHER,
    PURPLE,
    USE_STYLES,
    VERMILLION,
    YELLOW,
    Style,
    menu,
)
from planner.report.charts.view import LEAST, View
from planner.timeseries.series import Array

SUPPLY_STYLES: dict[str, Style] = {
    "pv": (YELLOW, ""), "wind": (GREEN, ""), "thermal": (VERMILLION, "|"), "import": (BLUE, ""),
    "discharge": (PURPLE, ""),
}  # fmt: skip
ROUNDING_MW = 1e-6  # of a remainder of sums
EQUAL_MW = 1e-3  # a difference of both sides that a solver may leave
Parts = dict[tuple[str, str], Array]  # MW by step, by source or use and origin


def supplied(view: View) -> Parts:
    """Return what comes in, by source and origin; nothing that is always 0.

    A source brings its import, or its power and what was curtailed of it. What the uses of an
    origin take beyond that comes from its sources without such columns: thermal units, net of
    their own draw.
    """
    incoming: Parts = {}
    unmeasured: dict[str, set[str]] = {}
    for name, (source, origin) in view.sources.items():
        if view.has(name, "import_mw"):
            power = view.total(name, "import_mw")
        elif view.has(name, "curtailed_mw"):
            power = view.total(name, "power_mw") + view.total(name, "curtailed_mw")
        else:
            unmeasured.setdefault(view.followed(origin), set()).add(source)
            continue
        key = source, view.followed(origin)
        incoming[key] = incoming.get(key, 0.0) + power
    for origin in view.origins:
        measured = sum(power for (_, of), power in incoming.items() if of == origin)
        sources = unmeasured.get(origin, set())
        key = sources.pop() if len(sources) == 1 else "other", origin
        incoming[key] = incoming.get(key, 0.0) + _rounded(view.used(origin=origin) - measured)
    _, discharge = stored(view)
    return _in_order(
        incoming | {("discharge", o): mw for o, mw in discharge.items()}, SUPPLY_STYLES
    )


def used(view: View) -> Parts:
    """Return what goes out, by use and origin; nothing that is always 0."""
    outgoing = {(use, origin): power for (origin, use), power in view.used_mw.items()}
    charge, discharge = stored(view)
    for origin in view.origins:
        net = charge[origin] - discharge[origin]
        lost = view.used("loss", origin) + outgoing.pop(("storage", origin), 0.0)
        outgoing["loss", origin] = _rounded(lost - net)
        outgoing["charge", origin] = charge[origin]
    return _in_order(outgoing, USE_STYLES)


def stored(view: View) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return what is put into stores and what is taken out, MW by step and origin.

    Where a store does not say so by origin, it is the net of all: what the use `storage` has.
    """
    stores = [name for name, part in view.components.items() if "storage" in part.uses]
    ways = [view.by_index(way, stores) for way in ("charge_mw", "discharge_mw")]
    if all(view.has(name, "charge_mw") for name in stores) and {*ways[0]} <= {*view.origins}:
        none = np.zeros(view.clock.steps)
        charge, discharge = ({o: way.get(o, none) for o in view.origins} for way in ways)
        return charge, discharge
    net = {origin: view.used("storage", origin) for origin in view.origins}
    return (
        {origin: np.maximum(power, 0.0) for origin, power in net.items()},
        {origin: np.maximum(-power, 0.0) for origin, power in net.items()},
    )


def _rounded(values: Array) -> Array:
    return np.asarray(np.where(np.abs(values) < ROUNDING_MW, 0.0, values))


def _in_order(parts: Parts, styles: dict[str, Style]) -> Parts:
    """Return parts in the order of their styles, what has none last, and none that is always 0."""
    names = [*styles, *(name for name, _ in parts)]
    keys = sorted(parts, key=lambda key: names.index(key[0]))
    return {key: parts[key] for key in keys if np.abs(parts[key]).max() > LEAST}


def by_name(parts: Parts) -> dict[str, Array]:
    """Return MW by step by source or use, whatever the origin."""
    sums: dict[str, Array] = {}
    for (name, _), power in parts.items():
        sums[name] = sums.get(name, 0.0) + power
    return sums


def sides(view: View) -> tuple[Parts, Parts]:
    """Return what comes in and what goes out: equal in every step, and nothing below zero.

    A settled schedule may break these rules too; then its breaches tell so.

    Raises:
        PlanError: the schedule and the allocation of the plan do not agree.
    """
    incoming, outgoing = supplied(view), used(view)
    if view.plan.summary.get("breaches"):
        return incoming, outgoing
    none = np.zeros(view.clock.steps)
    apart = np.abs(sum(incoming.values(), none) - sum(outgoing.values(), none))
    parts = {
        f"{name} of {origin}": power for (name, origin), power in (incoming | outgoing).items()
    }
    for label, power in ({"use less supply": -apart} | parts).items():
        step = int(np.argmin(power))
        if power[step] < -EQUAL_MW:
            start = view.plan.schedule.index[step]
            raise PlanError(
                f"schedule and allocation of the plan do not agree: {label} is"
                f" {power[step]:.6g} MW in the step of {start:%Y-%m-%d %H:%M}"
            )
    return incoming, outgoing


def supply_chart(view: View, words: Language) -> Chart | None:
    """Where power comes from and where it goes, MW by step."""
    incoming, outgoing = sides(view)
    if not incoming and not outgoing:
        return None
    clock = view.clock
    panel = Panel(clock, "", "MW", 380, axis={"zeroline": True, "zerolinewidth": 2})
    sources, uses = by_name(incoming), by_name(outgoing)
    split = outgoing if len({origin for _, origin in outgoing}) > 1 else {}
    for source, power in sources.items():
        style = SUPPLY_STYLES.get(source, OTHER)
        panel.area(words.term(source), clock.flow(power), "in", style)
    for use, power in uses.items():
        panel.area(words.term(use), -clock.flow(power), "uses", USE_STYLES.get(use, OTHER))
    for (use, origin), power in split.items():
        label = words("{use} from {origin}", use=words.term(use), origin=words.term(origin))
        style = ORIGIN_COLOURS.get(origin, GREY), USE_STYLES.get(use, OTHER)[1]
        panel.area(label, -clock.flow(power), "parts", style, visible=False)
    sentence = words(
        "Above zero what comes in, renewable energy as far as it was available; below zero where"
        " it goes. Both sides are equal in every step. Losses inside batteries stand in the table"
        " of origins and uses."
    )
    chart = chart_over_time(
        "supply", words("Supply and use of power"), sentence, [panel], words,
        legend=len(sources) + max(len(uses), len(split)), top=34 if split else 0,
    )  # fmt: skip
    if split:
        groups = ("in",) * len(sources) + ("uses",) * len(uses) + ("parts",) * len(split)
        shown = {
            words("by use"): [group != "parts" for group in groups],
            words("by use and origin"): [group != "uses" for group in groups],
        }
        buttons = menu("buttons", "right", {"t": 0, "b": 4}, shown)
        chart.figure["layout"]["updatemenus"] = [buttons]
    return chart
