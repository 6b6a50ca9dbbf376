"""Whether what why.csv says a component does is what the schedule says it does.

time, component, decision   each stands for a step, a component, and a decision its kind takes; a
               decision that is told at all is told in every step, once
CODE           the code agrees with the schedule: who discharges gives power, who is full holds all
               it can, who is at a limit is there

The figures of the reasons are prices; they follow from no table and are not checked.
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import PLAN, Findings
from planner.auditor.plan_files import WHY, as_times, groups
from planner.auditor.reading import Plan


def check_why(plan: Plan, found: Findings) -> None:
    """Note every row of why.csv that the schedule does not bear out."""
    table = plan.files.why
    if table is None or not len(table):
        return
    steps = plan.clock.index.get_indexer(as_times(table["time"], plan.files.folder / WHY))
    if (steps < 0).any():
        text = table["time"].iloc[int(np.flatnonzero(steps < 0)[0])]
        found.of(PLAN).add("why.time", f"{text} is the start of no step")
        return
    for (name, decision), rows in groups(table, "component", "decision").items():
        part, note, own_steps = plan.parts.get(name), found.of(name), steps[rows].tolist()
        known = {} if part is None else plan.audit(part).codes(plan, part)
        if decision not in known:
            note.add("why", f"no such component takes a decision {decision!r}")
            continue
        if len(own_steps) != plan.clock.steps or len(set(own_steps)) != len(own_steps):
            counted = f"{len(own_steps)} of {plan.clock.steps} steps"
            note.add("why", f"{decision} stands for {counted}, each once")
        for code, at in zip(table["code"].to_numpy()[rows].tolist(), own_steps, strict=True):
            allowed = known[decision].get(code)
            when = plan.clock.times[at]
            if allowed is None:
                note.add("why", f"{decision} knows no code {code!r}", when=when)
            elif not allowed[at]:
                message = f"{decision} is said to be {code}, the schedule says otherwise"
                note.add(f"why.{code}", message, when=when)
