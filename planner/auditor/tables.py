"""Audit of the tables of a plan: schedule, allocation, ledger and green are complete and agree.

schedule, step by step and column by column:

    time         the times are the starts of the steps of the horizon
    columns      every column that the scenario calls for is there, and no other
    number       every value is a finite number
    not_negative no value is below zero (flows, states and counts point one way)

allocation:

    balance      per node, origin and step: injection equals withdrawal
    allocation   per origin, use and step: the table equals the schedule
    conserved    per origin and step: the uses of the table sum to the energy injected at the nodes,
                 the available energy for renewables
    rows         the table has every step of a use once, and no other row

ledger; lines outside the objective (levelized cost, amortisation, fixed payments) are not in it,
the summary shows them:

    LINE         the amount of a line in a step (a month, or once) is quantity times price; revenue
                 is positive
    LINE.cash    end values and penalties (shed, unserved, refused, shortfall) are not cash
    LINE.rows    a line has one row for each of its periods; a missing one counts as zero
    lines        the ledger has no line that the scenario does not know

green, where available is the sum of all uses of renewable energy, own use is that less the energy
exported and curtailed, and drawn is the energy of every origin in the uses that consume it:

    columns, rows   the table has its columns, and every step of the horizon once, in order
    COLUMN          energy by step, and its shares; a share of no energy is empty
"""

from __future__ import annotations

import numpy as np

from planner.auditor.findings import PLAN, Array, Findings, column_is, measurable
from planner.auditor.plan_files import GREEN, SCHEDULE, as_times
from planner.auditor.reading import ONCE, TRACED, Line, Plan
from planner.auditor.shares import SHARES, energy_by_step
from planner.message import Message


def check_schedule(plan: Plan, findings: Findings) -> bool:
    """Note what is wrong with the form of the schedule; return whether the rest can be checked."""
    clock, path = plan.clock, plan.files.folder / SCHEDULE
    times = as_times(plan.files.schedule["time"], path)
    if not times.equals(clock.index):
        missing, unknown = (
            len(clock.index.difference(times)), len(times.difference(clock.index))
        )  # fmt: skip
        message = Message(
            "should be the {steps} steps of the horizon in order, are {rows} steps, {missing}"
            " missing and {unknown} of no step",
            steps=clock.steps, rows=len(times), missing=missing, unknown=unknown,
        )  # fmt: skip
        findings.of(PLAN).add("time", message, amount=float(max(missing + unknown, 1)))
        return False
    complete = True
    for name, part in plan.parts.items():
        note, expected = findings.of(name), plan.audit(part).columns(plan, part)
        for column in sorted(expected - part.columns.keys()):
            message = Message(
                "{name} is missing: nothing else was checked", name=f"{name}.{column}"
            )
            note.add("columns", message)
            complete = False
        for column in sorted(part.columns.keys() - expected):
            note.add(
                "columns", Message("{name} is no column of this scenario", name=f"{name}.{column}")
            )
        for column, values in part.columns.items():
            if not np.isfinite(values).all():
                time = clock.times[int(np.flatnonzero(~np.isfinite(values))[0])]
                message = Message("{name} holds no number: nothing else was checked", name=column)
                note.add("number", message, when=time)
                complete = False
            elif values.min() < 0:
                note.at_least("not_negative", column_is(column), values, 0.0)
    for column in map(str, plan.files.schedule):
        if column != "time" and column.partition(".")[0] not in plan.parts:
            findings.of(PLAN).add("columns", Message("{name} belongs to no component", name=column))
    return complete


def check_nodes(plan: Plan, findings: Findings) -> None:
    """Note where a node does not balance, in MW."""
    nodes: dict[str, dict[str, list[Array]]] = {}
    for part in plan.parts.values():
        for node, origin, mw in plan.audit(part).flows(plan, part):
            nodes.setdefault(node, {o: [] for o in plan.origins})[origin].append(mw)
    for node, by_origin in nodes.items():
        for origin, flows in by_origin.items():
            injected = plan.sum(np.maximum(flow, 0) for flow in flows)
            withdrawn = plan.sum(np.maximum(-flow, 0) for flow in flows)
            what = Message("{origin} energy put in is", origin=origin)
            findings.of(node).equal(f"balance[{origin}]", what, injected, withdrawn, "MW")


def check_allocation(plan: Plan, findings: Findings) -> None:
    """Note where the allocation differs from the schedule, or is incomplete."""
    allocation, note = plan.allocation, findings.of("allocation")
    zero = np.zeros(plan.clock.steps)
    expected = _uses(plan)
    uses = {use for kind in plan.kinds.values() for use in kind.uses}
    known = {(origin, use) for origin in plan.origins for use in uses}
    unknown_rows = 0
    total = {origin: zero.copy() for origin in plan.origins}
    for (origin, use), rows in allocation.rows.items():
        if (origin, use) not in known:
            unknown_rows += len(rows)
            continue
        rule, steps = f"{origin}.{use}", allocation.steps[rows]
        count = np.bincount(steps[steps >= 0], minlength=plan.clock.steps)
        note.equal(f"{rule}.rows", Message("rows are"), count.astype(float), 1.0)
        if (steps < 0).any() or not (count == 1).all():
            note.add(f"{rule}.rows", Message("should be one row for every step"))
            return
        mwh = allocation.by_step[origin, use]
        total[origin] += mwh
        note.equal(rule, Message("is"), mwh, expected.pop((origin, use), zero), "MWh")
    for (origin, use), mwh in expected.items():
        note.equal(f"{origin}.{use}", Message("has no rows: is"), 0.0, mwh, "MWh")
    if unknown_rows:
        note.add("rows", Message("{n} rows of no origin and use", n=unknown_rows))
    for origin in plan.origins:
        injected = plan.clock.step_h * plan.injected(origin)
        what = Message("uses of {origin} energy sum to", origin=origin)
        note.equal(f"{origin}.conserved", what, total[origin], injected, "MWh", size=injected)


def _uses(plan: Plan) -> dict[tuple[str, str], Array]:
    """Return MWh by origin and use, from the schedule."""
    result: dict[tuple[str, str], Array] = {}
    for part in plan.parts.values():
        for use, measure in plan.audit(part).uses.items():
            for origin, mwh in measure(plan, part).items():
                result[origin, use] = result.get((origin, use), 0.0) + mwh
    return result


ROUNDED = 2e-9  # error of a product per unit of price: both the plan and the amount are rounded


def check_ledger(plan: Plan, findings: Findings) -> None:
    """Note where the ledger does not follow from the schedule and the prices."""
    table = plan.files.ledger
    expected = {(line.component, line.name): line for line in plan.lines}
    periods, cash = table["period"].to_numpy(), table["cash"].to_numpy()
    for (component, name), rows in plan.ledger.rows.items():
        line, note = expected.pop((component, name), None), findings.of(component)
        if line is None:
            note.add("lines", Message("{name} is no line of this scenario", name=name))
            continue
        at = plan.ledger.steps[rows]
        if line.periods is not plan.clock.stamps:
            known = {period: i for i, period in enumerate(line.periods)}
            at = np.array([known.get(period, -1) for period in periods[rows]])
        count = np.bincount(at[at >= 0], minlength=len(line.periods))
        if (at < 0).any() or (count > 1).any():
            note.add(f"{name}.rows", Message("has rows of no period, or more than one of a period"))
            continue
        if (cash[rows] != line.cash).any():
            message = (
                Message("should be cash in every row")
                if line.cash
                else Message("is an end value or a penalty, should not be cash in any row")
            )
            note.add(f"{name}.cash", message)
        booked = np.zeros(len(line.periods))
        booked[at] = plan.ledger.amounts[rows]
        _compare(plan, line, Message("amount is"), booked, findings)
    for line in expected.values():
        none = np.zeros(len(line.periods))
        _compare(plan, line, Message("amount has no rows: is"), none, findings)


def _compare(plan: Plan, line: Line, what: Message, booked: Array, findings: Findings) -> None:
    when = plan.clock.times if line.periods is plan.clock.stamps else line.periods
    if line.periods == [ONCE]:
        when = ""
    findings.of(line.component).equal(line.name, what, booked, line.amounts, "CNY",
                                      when=when, slack=ROUNDED * line.price)  # fmt: skip


def outside(plan: Plan) -> dict[str, dict[str, float]]:
    """Return the money outside the objective, CNY by component and line."""
    money = {name: plan.audit(part).outside(plan, part) for name, part in plan.parts.items()}
    return {name: dict(amounts) for name, amounts in money.items() if amounts}


def check_green(plan: Plan, findings: Findings) -> None:
    """Note where the table does not follow from the allocation; a pooled plan has none."""
    table, note = plan.files.green, findings.of("green")
    if table is None:
        return
    energy = energy_by_step(plan)
    known = {"time", *energy, *SHARES}
    if plan.origins != TRACED:
        note.add("columns", Message("pooled energy has no shares: nothing else was checked"))
        return
    if set(table.columns) != known:
        names = ", ".join(sorted(known ^ set(table.columns)))
        note.add(
            "columns", Message("{names} missing or unknown: nothing else was checked", names=names)
        )
        return
    if not as_times(table["time"], plan.files.folder / GREEN).equals(plan.clock.index):
        note.add("rows", Message("should be the steps of the horizon in order"))
        return
    for name, expected in energy.items():
        size = energy["available_mwh"]
        note.equal(name, Message("is"), table[name].to_numpy(float), expected, "MWh", size=size)
    for name, (part, whole) in SHARES.items():
        share, defined = table[name].to_numpy(float), measurable(energy[whole])
        expected = np.divide(energy[part], energy[whole], out=np.zeros(len(defined)), where=defined)
        note.equal(name, Message("is"), np.where(defined, share, 0.0), expected)
        for i in np.flatnonzero(~defined & ~np.isnan(share)).tolist():
            message = Message("should be empty: there is no energy to have a share of")
            note.add(name, message, when=plan.clock.times[i], amount=abs(float(share[i])))
