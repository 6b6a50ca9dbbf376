"""Whether the tables of a plan are whole and say the same: schedule, allocation, ledger, green.

schedule, step by step and column by column:

    time         the times are the starts of the steps of the horizon
    columns      every column that the scenario calls for is there, and no other
    number       every value is a finite number
    not_negative no value is below zero (flows, states and counts point one way)

allocation:

    balance      per node, origin and step: what is put in is what is taken out
    allocation   per origin, use and step: the table says what the schedule says
    conserved    per origin and step: the uses of the table sum to what was put in at the nodes,
                 availability for renewables
    rows         the table has every step of a use once, and no other row

ledger; lines outside the objective (levelized cost, amortisation, fixed payments) are not in it,
the summary shows them:

    LINE         the amount of a line in a step (a month, or once) is quantity times price; revenue
                 is positive
    LINE.cash    end values and penalties (shed, unserved, refused, shortfall) are not cash
    LINE.rows    a line has one row for each of its periods; one that is not there counts as zero
    lines        the ledger has no line that the scenario does not know

green, where available is all that the uses of renewable energy sum to, own use is that less what is
exported and curtailed, and drawn is what the uses that consume energy take of every origin:

    columns, rows   the table has its columns, and every step of the horizon once, in order
    COLUMN          energy by step, and the shares of it: of nothing there is no share
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.auditor.findings import PLAN, Array, Findings
from planner.auditor.plan_files import GREEN, as_times, groups
from planner.auditor.reading import ONCE, TRACED, Line, Plan, schedule_times


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


def check_nodes(plan: Plan, found: Findings) -> None:
    """Note where a node does not balance, in MW."""
    nodes: dict[str, dict[str, list[Array]]] = {}
    for part in plan.parts.values():
        for node, origin, mw in plan.audit(part).flows(plan, part):
            nodes.setdefault(node, {o: [] for o in plan.origins})[origin].append(mw)
    for node, by_origin in nodes.items():
        for origin, flows in by_origin.items():
            come = sum((np.maximum(flow, 0) for flow in flows), np.zeros(plan.clock.steps))
            gone = sum((np.maximum(-flow, 0) for flow in flows), np.zeros(plan.clock.steps))
            what = f"{origin} energy put in is"
            found.of(node).equal(f"balance[{origin}]", what, come, gone, "MW")


def check_allocation(plan: Plan, found: Findings) -> None:
    """Note where the allocation is not what the schedule says, or is not whole."""
    table, steps, note = plan.files.allocation, plan.allocation_steps, found.of("allocation")
    right = _uses(plan)
    uses = {use for kind in plan.kinds.values() for use in kind.uses}
    known = {(origin, use) for origin in plan.origins for use in uses}
    seen = np.zeros(len(table), dtype=bool)
    total = {origin: np.zeros(plan.clock.steps) for origin in plan.origins}
    for (origin, use), rows in groups(table, "origin", "use").items():
        if (origin, use) not in known:
            continue
        seen[rows] = True
        count = np.bincount(steps[rows][steps[rows] >= 0], minlength=plan.clock.steps)
        note.equal(f"{origin}.{use}.rows", "rows are", count.astype(float), 1.0)
        if (steps[rows] < 0).any() or not (count == 1).all():
            note.add(f"{origin}.{use}.rows", "should be one row for every step")
            return
        mwh = np.empty(plan.clock.steps)
        mwh[steps[rows]] = table["mwh"].to_numpy()[rows]
        total[origin] += mwh
        schedule = right.pop((origin, use), np.zeros(plan.clock.steps))
        note.equal(f"{origin}.{use}", "says", mwh, schedule, "MWh")
    for (origin, use), mwh in right.items():
        note.equal(f"{origin}.{use}", "has no rows: says", 0.0, mwh, "MWh")
    if not seen.all():
        note.add("rows", f"{int((~seen).sum())} rows of no origin and use")
    for origin in plan.origins:
        put_in, what = plan.clock.step_h * plan.injected(origin), f"uses of {origin} energy sum to"
        note.equal(f"{origin}.conserved", what, total[origin], put_in, "MWh", size=put_in)


def _uses(plan: Plan) -> dict[tuple[str, str], Array]:
    """Return MWh by origin and use, as the schedule has them."""
    result: dict[tuple[str, str], Array] = {}
    for part in plan.parts.values():
        for use, measure in plan.audit(part).uses.items():
            for origin, mwh in measure(plan, part).items():
                result[origin, use] = result.get((origin, use), 0.0) + mwh
    return result


ROUNDED = 2e-9  # what a product may be off per unit of price: both plan and amount are rounded


def check_ledger(plan: Plan, found: Findings) -> None:
    """Note where the ledger is not what the schedule and the prices make it."""
    table = plan.files.ledger
    right = {(line.component, line.name): line for line in lines(plan)}
    amounts, periods = table["amount_cny"].to_numpy(), table["period"].to_numpy()
    cash = table["cash"].to_numpy()
    by_step = {stamp: i for i, stamp in enumerate(plan.clock.stamps)}
    for (component, name), rows in groups(table, "component", "line").items():
        line, note = right.pop((component, name), None), found.of(component)
        if line is None:
            note.add("lines", f"{name} is no line of this scenario")
            continue
        known = by_step
        if line.periods is not plan.clock.stamps:
            known = {period: i for i, period in enumerate(line.periods)}
        at = np.array([known.get(period, -1) for period in periods[rows]])
        count = np.bincount(at[at >= 0], minlength=len(line.periods))
        if (at < 0).any() or (count > 1).any():
            note.add(f"{name}.rows", "rows of no period, or more than one of a period")
            continue
        if (cash[rows] != line.cash).any():
            right_word = "cash" if line.cash else "an end value or a penalty, which is not cash"
            note.add(f"{name}.cash", f"should be {right_word} in every row")
        booked = np.zeros(len(line.periods))
        booked[at] = amounts[rows]
        _compare(plan, line, booked, "is", found)
    for line in right.values():
        _compare(plan, line, np.zeros(len(line.periods)), "has no rows: is", found)


def _compare(plan: Plan, line: Line, booked: Array, what: str, found: Findings) -> None:
    when = plan.clock.times if line.periods is plan.clock.stamps else line.periods
    if line.periods == [ONCE]:
        when = ""
    found.of(line.component).equal(line.name, f"amount {what}", booked, line.amounts, "CNY",
                when=when, slack=ROUNDED * line.price)  # fmt: skip


def lines(plan: Plan) -> Iterator[Line]:
    """Yield every line that the ledger must have."""
    for part in plan.parts.values():
        yield from plan.audit(part).lines(plan, part)


def outside(plan: Plan) -> dict[str, dict[str, float]]:
    """Return the money that is shown but never optimised, CNY by component and line."""
    money = {name: plan.audit(part).outside(plan, part) for name, part in plan.parts.items()}
    return {name: dict(amounts) for name, amounts in money.items() if amounts}


LEAST_MWH = 1e-6
SHARES = {
    "self_use_share": ("self_use_mwh", "available_mwh"),
    "load_share": ("renewable_drawn_mwh", "drawn_mwh"),
    "official_load_share": ("self_use_mwh", "drawn_mwh"),
    "export_share": ("exported_mwh", "available_mwh"),
}


def check_green(plan: Plan, found: Findings) -> None:
    """Note where the table is not what the allocation makes it; a pooled plan has none."""
    table, note = plan.files.green, found.of("green")
    if table is None:
        return
    energy = _energy(plan)
    known = {"time", *energy, *SHARES}
    if plan.origins != TRACED or set(table.columns) != known:
        wrong = sorted(known ^ set(table.columns))
        words = f"{', '.join(wrong)} missing or unknown" if wrong else "pooled energy has no shares"
        note.add("columns", f"{words}: nothing else was checked")
        return
    if not as_times(table["time"], plan.files.folder / GREEN).equals(plan.clock.index):
        note.add("rows", "should be the steps of the horizon in order")
        return
    for name, right in energy.items():
        size = energy["available_mwh"]
        note.equal(name, "says", table[name].to_numpy(float), right, "MWh", size=size)
    for name, (of, whole) in SHARES.items():
        said, some = table[name].to_numpy(float), energy[whole] > LEAST_MWH
        right = np.divide(energy[of], energy[whole], out=np.zeros(len(some)), where=some)
        note.equal(name, "says", np.where(some, said, 0.0), right)
        for i in np.flatnonzero(~some & ~np.isnan(said)).tolist():
            when = plan.clock.times[i]
            what = "should be empty: there is nothing to have a share of"
            note.add(name, what, when=when, amount=abs(float(said[i])))


def _energy(plan: Plan) -> dict[str, Array]:
    """Return the columns in MWh as they should be."""
    table, steps = plan.files.allocation, plan.allocation_steps
    mwh, inside = table["mwh"].to_numpy(), steps >= 0
    green = (table["origin"] == "renewable").to_numpy() & inside
    used = table["use"]

    def sums(rows: np.ndarray) -> Array:
        found = np.bincount(steps[rows], weights=mwh[rows], minlength=plan.clock.steps)
        return np.asarray(found, dtype=float)

    drawn = used.isin(plan.drawn_uses).to_numpy() & inside
    available, exported = sums(green), sums(green & (used == "export").to_numpy())
    curtailed = sums(green & (used == "curtailed").to_numpy())
    return {
        "available_mwh": available,
        "self_use_mwh": available - exported - curtailed,
        "exported_mwh": exported,
        "curtailed_mwh": curtailed,
        "drawn_mwh": sums(drawn),
        "renewable_drawn_mwh": sums(drawn & green),
    }
