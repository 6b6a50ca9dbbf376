"""Where power comes from, above zero, and where it goes, below; both sides are equal in each step.

What comes in is told by technology: renewable energy available, thermal units net of their own
draw, import, discharge. What goes out is told by use, or by use and origin. The sides balance as
the site does: energy put into a battery is a use when it is charged and comes in when discharged,
so that of the losses only those outside of batteries stand here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.language.language import Language
from planner.report.charts.chart import Chart
from planner.report.charts.panels import Panel, chart_over_time
from planner.report.charts.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    ORIGIN_COLOURS,
    PALE,
    PURPLE,
    SKY,
    USE_PATTERNS,
    VERMILLION,
    YELLOW,
)
from planner.report.charts.view import LEAST, View
from planner.timeseries.series import Array

SUPPLY_STYLES = {
    "pv": (YELLOW, ""), "wind": (GREEN, ""), "thermal": (VERMILLION, "|"), "import": (BLUE, ""),
    "discharge": (PURPLE, ""), "other": (GREY, ""),
}  # fmt: skip
USE_COLOURS = {
    "compute": ORANGE, "load": SKY, "charge": PURPLE, "export": BLUE, "loss": BLACK,
    "curtailed": PALE,
}  # fmt: skip
ROUNDING_MW = 1e-6  # of a remainder of sums


def supplied(view: View) -> dict[str, Array]:
    """Return what comes in, MW by step, by technology; nothing that is always 0."""
    found: dict[str, Array] = {}
    for name in view.having("curtailed_mw"):
        technology = str(getattr(view.plan.scenario.components[name], "technology", "other"))
        power = view.total(name, "power_mw") + view.total(name, "curtailed_mw")
        found[technology] = found.get(technology, 0.0) + power
    found["import"] = view.every("import_mw")
    rest = sum((view.injected(origin) for origin in view.origins), np.zeros(view.clock.steps))
    rest = _rounded(rest - sum(found.values()))
    found["thermal" if view.of_kind("thermal") else "other"] = rest
    found["discharge"] = view.every("discharge_mw")
    order = [*SUPPLY_STYLES, *found]
    return {
        key: found[key]
        for key in sorted(found, key=order.index)
        if np.abs(found[key]).max() > LEAST
    }


def uses(view: View) -> dict[tuple[str, str], Array]:
    """Return what goes out, MW by step, by use and origin; nothing that is always 0."""
    charge, discharge = view.by_origin("charge_mw"), view.by_origin("discharge_mw")
    none = np.zeros(view.clock.steps)
    found: dict[tuple[str, str], Array] = {}
    for use in USE_COLOURS:
        for origin in view.origins:
            if use == "charge":
                values = charge.get(origin, none)
            elif use == "loss":
                kept = charge.get(origin, none) - discharge.get(origin, none)
                lost = view.used("loss", origin) + view.used("storage", origin)
                values = _rounded(lost - kept)
            else:
                values = view.used(use, origin)
            if np.abs(values).max() > LEAST:
                found[use, origin] = values
    return found


def _rounded(values: Array) -> Array:
    return np.asarray(np.where(np.abs(values) < ROUNDING_MW, 0.0, values))


def supply_chart(view: View, words: Language) -> Chart | None:
    """Where power comes from and where it goes, MW by step."""
    incoming, outgoing = supplied(view), uses(view)
    if not incoming and not outgoing:
        return None
    clock = view.clock
    panel = Panel(clock, "", "MW", 380, axis={"zeroline": True, "zerolinewidth": 2})
    for key, power in incoming.items():
        style = SUPPLY_STYLES.get(key, SUPPLY_STYLES["other"])
        panel.area(words.term(key), clock.flow(power), "in", style)
    by_use: dict[str, Array] = {}
    for (use, _), power in outgoing.items():
        by_use[use] = by_use.get(use, 0.0) + power
    for use, power in by_use.items():
        style = USE_COLOURS[use], USE_PATTERNS[use]
        panel.area(words.term(use), -clock.flow(power), "uses", style)
    split = outgoing if len({origin for _, origin in outgoing}) > 1 else {}
    for (use, origin), power in split.items():
        label = words("{use} from {origin}", use=words.term(use), origin=words.term(origin))
        style = ORIGIN_COLOURS[origin], USE_PATTERNS[use]
        panel.area(label, -clock.flow(power), "parts", style, visible=False)
    sentence = words(
        "Above zero what comes in, renewable energy as far as it was available; below zero where"
        " it goes. Both sides are equal in every step. Losses inside batteries stand in the table"
        " of origins and uses."
    )
    chart = chart_over_time(
        "supply", words("Supply and use of power"), sentence, [panel], words,
        legend=len(incoming) + max(len(by_use), len(split)), top=34 if split else 0,
    )  # fmt: skip
    if split:
        buttons = _buttons(words, len(incoming), len(by_use), len(split))
        chart.figure["layout"]["updatemenus"] = [buttons]
    return chart


def _buttons(words: Language, incoming: int, totals: int, parts: int) -> dict[str, Any]:
    """Return two buttons: uses as a whole, or each by the origin of its energy."""
    always = [True] * incoming
    whole = always + [True] * totals + [False] * parts
    split = always + [False] * totals + [True] * parts
    return {
        "type": "buttons", "direction": "right", "x": 0, "xanchor": "left", "y": 1,
        "yanchor": "bottom", "pad": {"t": 0, "b": 4, "l": 0, "r": 0}, "showactive": True,
        "font": {"size": 12}, "bgcolor": "#F2F2F2", "bordercolor": PALE,
        "buttons": [
            {"label": label, "method": "restyle", "args": [{"visible": shown}]}
            for label, shown in (
                (words("by use"), whole),
                (words("by use and origin"), split),
            )
        ],
    }  # fmt: skip
