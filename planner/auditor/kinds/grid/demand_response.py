"""Whether demand response is paid only for import below the baseline, in the hours of its event.

event            nothing is paid for outside the hours, and no more than max_mw within
responding       0 or 1 (not in a relaxed plan); where the import could exceed the baseline nothing
                 is paid for while it is 0
response         what is paid for and the import together stay within the baseline

The hours are read here once more: months, dates, kind of day and local hours must all fit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np

from planner.auditor.findings import Flags, Notes
from planner.auditor.reading import Line, Part, Plan, by_step, column_of


def response_columns(part: Part) -> set[str]:
    """Return the columns that a grid has for demand response."""
    names = ("responded_mw", "responding")
    return {column_of(name, i) for i in range(len(part.rows("response"))) for name in names}


def check_response(plan: Plan, part: Part, note: Notes) -> None:
    """Note what is wrong with the demand response of a grid."""
    limit, bought = part.series("import_limit_mw"), part.column("import_mw")
    for i, event in enumerate(part.rows("response")):
        held, base = _held(plan, event), event.series("baseline_mw")
        most = np.where(held, event.number("max_mw"), 0.0)
        paid, responding = part.column("responded_mw", i), part.column("responding", i)
        chosen = held & (limit > base)
        what = f"event {i}: paid for"
        note.at_most("event", what, paid, most, "MW")
        note.at_most("responding", what, paid, np.where(chosen, most * responding, most), "MW")
        note.at_most("responding", "responding is", responding, 1.0)
        if not plan.relaxed:
            note.whole("responding", "responding is", responding)
        room = np.where(chosen, base + (limit - base) * (1 - responding), base)
        room = np.where(held, room, np.inf)
        what = f"event {i}: paid for and imported sum to"
        note.at_most("response", what, paid + bought, room, "MW", size=limit)


def response_lines(plan: Plan, part: Part) -> Iterator[Line]:
    """Yield the line of the ledger that a grid has for demand response."""
    events = part.rows("response")
    if not events:
        return
    paid = [
        by_step(plan, part, "response", e.number("reward_cny_per_mwh"),
                part.column("responded_mw", i))
        for i, e in enumerate(events)
    ]  # fmt: skip
    amounts = np.sum([line.amounts for line in paid], axis=0)
    yield Line(part.name, "response", amounts, plan.clock.stamps, sum(p.price for p in paid))


def response_figures(plan: Plan, part: Part) -> dict[str, float]:
    """Return the energy that demand response is paid for."""
    if not part.rows("response"):
        return {}
    return {"responded_mwh": plan.clock.step_h * float(np.sum(part.total("responded_mw")))}


def _held(plan: Plan, event: Part) -> Flags:
    """Return the steps in which an event holds."""
    starts = [dt.datetime.fromisoformat(stamp) for stamp in plan.clock.stamps]
    off = {name: set(map(str, plan.files.scenario.get(name) or ())) for name in ("holidays",)}
    worked = set(map(str, plan.files.scenario.get("workdays") or ()))

    def kind(day: dt.date) -> str:
        if str(day) in off["holidays"]:
            return "holiday"
        return "workday" if str(day) in worked or day.weekday() < 5 else "weekend"

    months, days = event["months"], event["days"]
    return np.array(
        [
            (months is None or at.month in months)
            and (days is None or kind(at.date()) == days)
            and _any(event["dates"], lambda text, at=at: _on(str(text), at.date()))
            and _any(event["hours"], lambda text, at=at: _within(str(text), at))
            for at in starts
        ]
    )


def _any(texts: Any, fits: Any) -> bool:
    return texts is None or any(fits(text) for text in texts)


def _on(text: str, day: dt.date) -> bool:
    """Whether a day is the date, or within the dates, that a text names, with or without a year."""
    first, _, last = text.partition("/")
    last = last or first
    mine = f"{day:%m-%d}" if len(first) == len("07-15") else f"{day:%Y-%m-%d}"
    if first <= last:
        return first <= mine <= last
    return mine >= first or mine <= last  # over the turn of the year


def _within(text: str, at: dt.datetime) -> bool:
    """Whether a time is within hours such as 8-12, 11:30-13 or 23-6, the end exclusive."""
    first, last = (_minutes(part) for part in text.split("-"))
    mine = at.hour * 60 + at.minute
    return first <= mine < last if first < last else mine >= first or mine < last


def _minutes(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    return 60 * int(hours) + int(minutes or 0)
