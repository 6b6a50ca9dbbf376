"""Audit of end_values.csv: a number for every state that is left for later steps, in every step.

end_values           each row is of energy that a battery stores, by origin, or of work of a service
                     that waits, and each of these has rows
end_values.time      one for every step
end_values.number    the value is a number

Whether the values are right follows from no table: that takes the model.
"""

from __future__ import annotations

import numpy as np

from planner.auditor.amounts import groups
from planner.auditor.findings import Findings
from planner.auditor.plan_files import END_VALUES, as_times
from planner.auditor.reading import Plan
from planner.message import Message


def check_end_values(plan: Plan, findings: Findings) -> None:
    """Note what is wrong with the end values of a plan; most plans have none."""
    table = plan.files.end_values
    if table is None:
        return
    times = as_times(table["time"], plan.files.folder / END_VALUES)
    steps, values = plan.clock.index.get_indexer(times), table["value"].to_numpy()
    named = table.assign(name=table["quantity"] + "[" + table["index"] + "]")
    rows_of, states = groups(named, "component", "name"), _states(plan)
    for component, name in sorted(rows_of.keys() | states):
        note, shown = findings.of(component), name.removesuffix("[]")
        rows = rows_of.get((component, name))
        if rows is None:
            message = Message("{name} is missing in {file}", name=shown, file=END_VALUES)
            note.add("end_values", message)
            continue
        if (component, name) not in states:
            message = Message("{name} is of nothing that is left for later steps", name=shown)
            note.add("end_values", message)
        if sorted(steps[rows]) != [*range(plan.clock.steps)]:
            message = Message("{name} must have one value for each step", name=shown)
            note.add("end_values.time", message)
        if not np.isfinite(values[rows]).all():
            message = Message("{name} has a value that is not a number", name=shown)
            note.add("end_values.number", message)


def _states(plan: Plan) -> set[tuple[str, str]]:
    """Return component and end value of all that is left for later steps."""
    return {
        (part.name, f"{field}[{index.removesuffix(']')}]")
        for part in plan.parts.values()
        for carried, field in plan.audit(part).carried.items()
        for column, _, index in (name.partition("[") for name in part.columns)
        if column == carried
    }
