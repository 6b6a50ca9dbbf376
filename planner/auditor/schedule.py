"""Whether the schedule is whole: every step once and in order, every column, every value a number.

time         the times are the starts of the steps of the horizon
columns      every column that the scenario calls for is there, and no other
number       every value is a finite number
not_negative no value is below zero (flows, states and counts point one way)
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import PLAN, Findings
from planner.auditor.reading import Plan, schedule_times


def check_schedule(plan: Plan, found: Findings) -> bool:
    """Note what is wrong with the form of the schedule; return whether the rest can be checked."""
    times, clock = schedule_times(plan), plan.clock
    if not times.equals(clock.index):
        missing, unknown = clock.index.difference(times), times.difference(clock.index)
        said = f"{len(times)} steps, {len(missing)} missing and {len(unknown)} of no step"
        message = f"should be the {clock.steps} steps of the horizon in order, are {said}"
        found.of(PLAN).add("time", message, amount=float(max(len(missing) + len(unknown), 1)))
        return False
    right = {name: plan.audit(part).columns(plan, part) for name, part in plan.parts.items()}
    whole = True
    for name, part in plan.parts.items():
        note = found.of(name)
        for column in sorted(right[name] - part.columns.keys()):
            note.add("columns", f"{name}.{column} is missing: nothing else was checked")
            whole = False
        for column in sorted(part.columns.keys() - right[name]):
            note.add("columns", f"{name}.{column} is no column of this scenario")
        for column, values in part.columns.items():
            if not np.isfinite(values).all():
                at = clock.times[int(np.flatnonzero(~np.isfinite(values))[0])]
                note.add("number", f"{column} holds no number: nothing else was checked", when=at)
                whole = False
            elif values.min() < 0:
                note.at_least("not_negative", f"{column} is", values, 0.0)
    for text in plan.files.schedule.columns.drop("time"):
        if str(text).partition(".")[0] not in plan.parts:
            found.of(PLAN).add("columns", f"{text} belongs to no component")
    return whole
