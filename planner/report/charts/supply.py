"""The supply of power, above zero, and its use, below; both sides are equal in each step.

Supply is named by source: available renewable energy, thermal units net of their own draw, import,
discharge. Use is named by use, or by use and origin. The sides balance as the site does: charging a
battery is a use and discharging it a supply, so that losses are only those outside of batteries.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.errors import PlanError
from planner.language.language import Language
from planner.local_time import clock_text
from planner.message import Message
from planner.report.charts.by_component import (
    EQUAL_MW,
    ByComponent,
    sources_apart,
    uses_apart,
)
from planner.report.charts.chart import Chart
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import (
    GREY,
    ORIGIN_COLOURS,
    SUPPLY_STYLES,
    USE_STYLES,
    Style,
    menu,
    tones,
)
from planner.report.charts.view import LEAST, View
from planner.timeseries.series import Array

Parts = dict[tuple[str, str], Array]  # MW by step, by source or use and origin


def supplied(view: View) -> Parts:
    """Return the supply by source and origin, without sources that are always 0.

    The supply of a source is its import, or its power and curtailment. The rest of what the uses of
    an origin draw comes from its sources without such columns: thermal units, net of their own
    draw.
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
    discharge = {("discharge", origin): power for origin, power in stored(view)[1].items()}
    return _in_order(incoming | discharge, SUPPLY_STYLES)


def used(view: View) -> Parts:
    """Return the use by use and origin, without uses that are always 0."""
    outgoing = {(use, origin): power for (origin, use), power in view.used_mw.items()}
    charge, discharge = stored(view)
    for origin in view.origins:
        net = charge[origin] - discharge[origin]
        lost = view.used("loss", origin) + outgoing.pop(("storage", origin), 0.0)
        outgoing["loss", origin] = _rounded(lost - net)
        outgoing["charge", origin] = charge[origin]
    return _in_order(outgoing, USE_STYLES)


def stored(view: View) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return charge and discharge of all stores, MW by step and origin.

    Where a store has no such columns by origin, they are the two signs of the use `storage`.
    """
    stores = [name for name, part in view.components.items() if "storage" in part.uses]
    ways = [view.by_index(way, stores) for way in ("charge_mw", "discharge_mw")]
    if all(view.has(name, "charge_mw") for name in stores) and {*ways[0]} <= {*view.origins}:
        none = np.zeros(view.clock.steps)
        charge, discharge = ({o: way.get(o, none) for o in view.origins} for way in ways)
    else:
        charge, discharge = (
            {o: np.maximum(sign * view.used("storage", o), 0.0) for o in view.origins}
            for sign in (1, -1)
        )
    return charge, discharge


def _rounded(values: Array) -> Array:
    return np.asarray(np.where(np.abs(values) < LEAST, 0.0, values))


def _in_order(parts: Parts, styles: dict[str, Style]) -> Parts:
    """Return the parts that are not always 0 in the order of the styles, others last."""
    names = [*styles, *(name for name, _ in parts)]
    keys = sorted(parts, key=lambda key: names.index(key[0]))
    return {key: parts[key] for key in keys if np.abs(parts[key]).max() > LEAST}


def by_name(parts: Parts) -> dict[str, Array]:
    """Return MW by step by source or use, summed over origins."""
    sums: dict[str, Array] = {}
    for (name, _), power in parts.items():
        sums[name] = sums.get(name, 0.0) + power
    return sums


def sides(view: View) -> tuple[Parts, Parts]:
    """Return supply and use, which are equal in every step and never below zero.

    A settled schedule may break these rules; then its breaches report it.

    Raises:
        PlanError: the schedule and the allocation of the plan do not agree.
    """
    incoming, outgoing = supplied(view), used(view)
    if view.plan.summary.get("breaches"):
        return incoming, outgoing
    none = np.zeros(view.clock.steps)
    apart = np.abs(sum(incoming.values(), none) - sum(outgoing.values(), none))
    parts = {
        Message("{kind} of {origin}", kind=name, origin=origin): power
        for (name, origin), power in (incoming | outgoing).items()
    }
    for label, power in ({Message("use minus supply"): -apart} | parts).items():
        step = int(np.argmin(power))
        if power[step] < -EQUAL_MW:
            raise PlanError(
                Message(
                    "schedule and allocation of the plan do not agree: {sentence} is {mw:.6g} MW in"
                    " the step of {when}",
                    sentence=label,
                    mw=power[step],
                    when=clock_text(view.plan.schedule.index[step], "%Y-%m-%d %H:%M"),
                )
            )
    return incoming, outgoing


def supply_chart(view: View, words: Language) -> Chart | None:
    """Supply and use of power, MW by step."""
    incoming, outgoing = sides(view)
    if not incoming and not outgoing:
        return None
    clock = view.clock
    panel = Panel(clock, "", "MW", 380, axis={"zeroline": True, "zerolinewidth": 2})
    sources, uses = by_name(incoming), by_name(outgoing)
    split = outgoing if len({origin for _, origin in outgoing}) > 1 else {}
    for label, power, style in _areas(
        view, sources, sources_apart(view, sources), view.source_styles, words
    ):
        panel.area(label, clock.flow(power), "in", style)
    for label, power, style in _areas(view, uses, uses_apart(view, uses), view.use_styles, words):
        panel.area(label, -clock.flow(power), "uses", style)
    shown = len(panel.traces)
    for (use, origin), power in split.items():
        label = words("{use} from {origin}", use=words.term(use), origin=words.term(origin))
        style = ORIGIN_COLOURS.get(origin, GREY), view.use_styles[use][1]
        panel.area(label, -clock.flow(power), "parts", style, visible=False)
    caption = words(
        "Above zero: supply, with renewable energy as available. Below zero: use. Both sides are"
        " equal in every step. Losses inside batteries are only in the table of origins and uses."
    )
    chart = chart_over_time(
        "supply", words("Supply and use of power"), caption, [panel], words,
        legend=max(shown, len(sources) + len(split)), top=34 if split else 0,
    )  # fmt: skip
    if split:
        stacks = [trace["stackgroup"] for trace in panel.traces]
        choices = {
            words("by use"): [stack != "parts" for stack in stacks],
            words("by use and origin"): [stack != "uses" for stack in stacks],
        }
        buttons = menu("buttons", "right", {"t": 0, "b": 4}, choices)
        chart.figure["layout"]["updatemenus"] = [buttons]
    return chart


def _areas(
    view: View, powers: dict[str, Array], apart: dict[str, ByComponent], styles: dict[str, Style],
    words: Language,
) -> Iterator[tuple[str, Array, Style]]:  # fmt: skip
    """Yield label, MW by step and style of each source or use, or of each of its components."""
    for name in powers:
        (colour, shape), parts = styles[name], apart.get(name)
        if parts is None:
            yield words.term(name), powers[name], (colour, shape)
            continue
        for (component, power), tone in zip(parts.items(), tones(colour, len(parts)), strict=True):
            owner = view.plan.titled(component) if component else words("others")
            yield f"{words.term(name)}{words(': ')}{owner}", power, (tone, shape)
