"""Whether every amount of the ledger follows from the schedule and the prices of the scenario.

    LINE         the amount of a line in a step (a month, or once) is quantity times price; revenue
                 is positive
    LINE.cash    end values and penalties (shed, unserved, refused, shortfall) are not cash
    LINE.rows    a line has one row for each of its periods; one that is not there counts as zero
    lines        the ledger has no line that the scenario does not know

Lines outside the objective (levelized cost, amortisation, fixed
payments) are not in the ledger; the summary shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from planner.auditor.findings import Array, Findings
from planner.auditor.kinds.battery import initial_energy
from planner.auditor.kinds.carbon import carbon_lines
from planner.auditor.kinds.contract import contract_lines
from planner.auditor.kinds.green_rule import green_lines
from planner.auditor.kinds.job import job_lines
from planner.auditor.kinds.service import waiting_at_start
from planner.auditor.kinds.tariff import fixed_payments, grid_lines
from planner.auditor.plan_files import groups
from planner.auditor.reading import ONCE, Line, Part, Plan, by_step

ROUNDED = 2e-9  # what a product may be off per unit of price: both plan and amount are rounded


def check_ledger(plan: Plan, found: Findings) -> None:
    """Note where the ledger is not what the schedule and the prices make it."""
    table = plan.files.ledger
    right = {(line.component, line.name): line for line in lines(plan)}
    amounts, periods = table["amount_cny"].to_numpy(), table["period"].to_numpy()
    cash = table["cash"].to_numpy()
    by_step = {stamp: i for i, stamp in enumerate(plan.clock.stamps)}
    for (component, name), rows in groups(table, "component", "line").items():
        line = right.pop((component, name), None)
        if line is None:
            found.add(component, "lines", f"{name} is no line of this scenario")
            continue
        known = by_step
        if line.periods is not plan.clock.stamps:
            known = {period: i for i, period in enumerate(line.periods)}
        at = np.array([known.get(period, -1) for period in periods[rows]])
        count = np.bincount(at[at >= 0], minlength=len(line.periods))
        if (at < 0).any() or (count > 1).any():
            found.add(component, f"{name}.rows", "rows of no period, or more than one of a period")
            continue
        if (cash[rows] != line.cash).any():
            said = "cash" if line.cash else "an end value or a penalty, which is not cash"
            found.add(component, f"{name}.cash", f"should be {said} in every row")
        booked = np.zeros(len(line.periods))
        booked[at] = amounts[rows]
        _compare(plan, line, booked, "is", found)
    for line in right.values():
        _compare(plan, line, np.zeros(len(line.periods)), "has no rows: is", found)


def _compare(plan: Plan, line: Line, booked: Array, what: str, found: Findings) -> None:
    when = plan.clock.times if line.periods is plan.clock.stamps else line.periods
    if line.periods == [ONCE]:
        when = ""
    found.equal(line.component, line.name, f"amount {what}", booked, line.amounts, "CNY",
                when=when, slack=ROUNDED * line.price)  # fmt: skip


def lines(plan: Plan) -> Iterator[Line]:
    """Yield every line that the ledger must have."""
    by_kind = {
        "renewable": _renewable, "thermal": _thermal, "battery": _battery, "grid": grid_lines,
        "load": _load, "fleet": _fleet, "service": _service, "reserve": _reserve,
        "job": job_lines, "line": _no_money,
        "contract": contract_lines,
        "green_rule": green_lines, "carbon": carbon_lines,
    }  # fmt: skip
    for part in plan.parts.values():
        yield from by_kind[part.kind](plan, part)


def outside(plan: Plan) -> dict[str, dict[str, float]]:
    """Return the money that is shown but never optimised, CNY by component and line."""
    step_h, steps, found = plan.clock.step_h, plan.clock.steps, {}
    for part in plan.of_kind("renewable"):
        if part["levelized_cost_cny_per_mwh"] is not None:
            mwh = step_h * part.number("capacity_mw") * float(part.series("availability_pu").sum())
            found[part.name] = {"levelized": -part.number("levelized_cost_cny_per_mwh") * mwh}
    for part in plan.of_kind("fleet"):
        rate = part.number("amortisation_cny_per_node_h")
        if rate:
            found[part.name] = {"amortisation": -rate * part.number("nodes") * step_h * steps}
    for part in plan.of_kind("grid"):
        if part.number("fixed_cny_per_month"):
            found[part.name] = {"fixed": -fixed_payments(plan, part)}
    return found


def _no_money(plan: Plan, part: Part) -> Iterator[Line]:  # noqa: ARG001
    yield from ()


def _renewable(plan: Plan, part: Part) -> Iterator[Line]:
    yield by_step(plan, part, "variable", -part.number("cost_cny_per_mwh"), part.column("power_mw"))


def _thermal(plan: Plan, part: Part) -> Iterator[Line]:
    price, power = -part.series("fuel_price_cny_per_gj"), part.column("power_mw")
    yield by_step(plan, part, "fuel", price, part.column("fuel_gj_per_h"))
    yield by_step(plan, part, "variable", -part.number("variable_cost_cny_per_mwh"), power)
    costs = [startup.number("cost_cny") for startup in part.rows("startups")]
    kinds = [part.column("start_kind", s) for s in range(len(costs))]
    paid = -np.sum([cost * kind for cost, kind in zip(costs, kinds, strict=True)], axis=0)
    yield Line(part.name, "start", paid, plan.clock.stamps, sum(costs))
    cost = part.number("shutdown_cost_cny")
    yield Line(part.name, "shutdown", -cost * part.column("stop"), plan.clock.stamps, cost)


def _battery(plan: Plan, part: Part) -> Iterator[Line]:
    discharged = np.asarray(part.total("discharge_mw"))
    yield by_step(plan, part, "wear", -part.number("wear_cny_per_mwh"), discharged)
    ending = part["ending"]
    if isinstance(ending, Mapping) and "value_cny_per_mwh" in ending:
        value = part.under("ending").number("value_cny_per_mwh")
        gained = np.asarray(part.total("energy_mwh"))[-1:] - sum(
            initial_energy(plan, part).values()
        )
        yield Line(part.name, "end_value", value * gained, [ONCE], abs(value), cash=False)


def _load(plan: Plan, part: Part) -> Iterator[Line]:
    if part["shed_cost_cny_per_mwh"] is not None:
        cost, shed = part.number("shed_cost_cny_per_mwh"), part.column("shed_mw")
        yield by_step(plan, part, "shed", -cost, shed, cash=False)


def _fleet(plan: Plan, part: Part) -> Iterator[Line]:
    cost, woken = part.number("wake_cost_cny"), np.asarray(part.total("woken"))
    yield Line(part.name, "wake", -cost * woken, plan.clock.stamps, cost)


def _service(plan: Plan, part: Part) -> Iterator[Line]:
    answered, cached = part.column("answered_mtok_per_h"), part.series("cached_share")
    price = cached * part.series("price_cached_cny_per_mtok")
    price = price + (1 - cached) * part.series("price_input_cny_per_mtok")
    price = part.series("input_per_output") * price
    yield by_step(plan, part, "input_tokens", price, answered)
    if part["demand_mtok_per_h"] is not None:
        cost, lost = part.number("unserved_cost_cny_per_mtok"), part.column("unserved_mtok_per_h")
        yield by_step(plan, part, "unserved", -cost, lost, cash=False)
    if part["arrivals_mtok_per_h"] is not None:
        cost, lost = part.number("refusal_cost_cny_per_mtok"), part.column("refused_mtok_per_h")
        yield by_step(plan, part, "refused", -cost, lost, cash=False)
        if isinstance(part["ending"], Mapping):
            value = part.under("ending").number("value_cny_per_mtok")
            gained = part.column("waiting_mtok")[-1:] - waiting_at_start(part)
            yield Line(part.name, "end_value", value * gained, [ONCE], abs(value), cash=False)
    if part["market"] is None:
        yield by_step(plan, part, "tokens", part.series("price_cny_per_mtok"), answered)
        return
    steps = part.rows("market")
    prices = [step.series("price_cny_per_mtok") * plan.clock.step_h for step in steps]
    sold = [part.column("sold_mtok_per_h", i) for i in range(len(steps))]
    earned = np.sum([price * mtok for price, mtok in zip(prices, sold, strict=True)], axis=0)
    largest = float(np.sum(np.abs(prices), axis=0).max())
    yield Line(part.name, "tokens", earned, plan.clock.stamps, largest)


def _reserve(plan: Plan, part: Part) -> Iterator[Line]:
    if part["shortfall_cost_cny_per_mwh"] is not None:
        cost, short = part.number("shortfall_cost_cny_per_mwh"), part.column("shortfall_mw")
        yield by_step(plan, part, "shortfall", -cost, short, cash=False)
