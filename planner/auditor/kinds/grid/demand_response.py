"""Audit of demand response: paid only for import below the baseline, in the hours of its event.

event            no power is paid for outside the hours, and at most max_mw within
responding       0 or 1 (not in a relaxed plan); where the import could exceed the baseline no power
                 is paid for while it is 0
response         power paid for and import sum to the baseline at most

The hours are read again here: months, dates, kind of day and local hours must all fit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np

from planner.auditor.findings import Flags, Notes
from planner.auditor.reading import Line, Part, Plan, by_step, column_of
from planner.message import Message


def columns_of(part: Part) -> set[str]:
    """Return the columns that a grid has for demand response."""
    names = ("responded_mw", "responding")
    return {column_of(name, i) for i in range(len(part.rows("response"))) for name in names}


def check(plan: Plan, part: Part, note: Notes) -> None:
    """Note what is wrong with the demand response of a grid."""
    limit, bought = part.series("import_limit_mw"), part.column("import_mw")
    for i, event in enumerate(part.rows("response")):
        active, base = _active(plan, event), event.series("baseline_mw")
        max_paid = np.where(active, event.number("max_mw"), 0.0)
        paid, responding = part.column("responded_mw", i), part.column("responding", i)
        chosen = active & (limit > base)
        what = Message("event {i}: paid for", i=i)
        note.at_most("event", what, paid, max_paid, "MW")
        max_paid = np.where(chosen, max_paid * responding, max_paid)
        note.at_most("responding", what, paid, max_paid, "MW")
        note.binary("responding", "responding", responding)
        room = np.where(chosen, base + (limit - base) * (1 - responding), base)
        room = np.where(active, room, np.inf)
        what = Message("event {i}: paid for and imported sum to", i=i)
        note.at_most("response", what, paid + bought, room, "MW", size=limit)


def lines_of(plan: Plan, part: Part) -> Iterator[Line]:
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


def figures_of(plan: Plan, part: Part) -> dict[str, float]:
    """Return the energy for which demand response is paid."""
    if not part.rows("response"):
        return {}
    return {"responded_mwh": plan.clock.step_h * float(np.sum(part.total("responded_mw")))}


def _active(plan: Plan, event: Part) -> Flags:
    """Return the steps in which an event is active."""
    starts = [dt.datetime.fromisoformat(stamp) for stamp in plan.clock.stamps]
    holidays, workdays = (
        set(map(str, plan.files.scenario.get(name) or ())) for name in ("holidays", "workdays")
    )

    def kind(day: dt.date) -> str:
        if str(day) in holidays:
            return "holiday"
        return "workday" if str(day) in workdays or day.weekday() < 5 else "weekend"

    months, days = event["months"], event["days"]
    return np.array(
        [
            (months is None or at.month in months)
            and (days is None or kind(at.date()) == days)
            and _any(event["dates"], lambda text, at=at: _on(str(text), at.date()))
            and _any(event["hours"], lambda text, at=at: within(str(text), at))
            for at in starts
        ]
    )


def _any(texts: Any, fits: Any) -> bool:
    return texts is None or any(fits(text) for text in texts)


def _on(text: str, day: dt.date) -> bool:
    """Return whether a day is the date, or within the dates, of a text, with or without a year."""
    first, _, last = text.partition("/")
    last = last or first
    date = f"{day:%m-%d}" if len(first) == len("07-15") else f"{day:%Y-%m-%d}"
    if first <= last:
        return first <= date <= last
    return date >= first or date <= last  # over the turn of the year


def within(text: str, at: dt.datetime | dt.time) -> bool:
    """Return whether a time is within hours such as 8-12, 11:30-13 or 23-6, the end exclusive."""
    first, last = (_minutes(part) for part in text.split("-"))
    minute = at.hour * 60 + at.minute
    return first <= minute < last if first < last else minute >= first or minute < last


def _minutes(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    return 60 * int(hours) + int(minutes or 0)
