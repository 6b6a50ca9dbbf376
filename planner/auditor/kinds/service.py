"""Audit of a service: its tokens are accounted for, and answered in time.

answered     tokens answered by the fleets equal those answered by the service
demand       interactive: answered and unserved tokens sum to the demand
market       market: tokens sold are those answered, each price step up to its depth
arrivals     batch: accepted and refused work sums to the arrivals
waiting      batch: waiting work grows by the accepted and shrinks by the answered
taken        batch: the running total of accepted work, with the work waiting at the start
deadline     batch: first in, first out, all work is answered by the end of the step in which it
             falls due; age counts from the end of the step of arrival, and work due before the end
             of the first step is due then
ending       batch: waiting work at the end is at most that at the start, or at_most_mtok
served, least   the running total of served tokens, and its minimum share
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from planner.auditor.findings import AT, Array, Notes
from planner.auditor.plan_files import Clock
from planner.auditor.reading import (
    ONCE,
    Codes,
    KindAudit,
    Line,
    Part,
    Plan,
    at_start_of_steps,
    by_step,
    column_of,
)
from planner.message import Message


def services_of(plan: Plan, fleet: Part) -> list[Part]:
    """Return the services whose model a fleet serves."""
    return [s for s in plan.of_kind("service") if s["model"] in fleet.under("serves").fields]


def _columns(_: Plan, part: Part) -> set[str]:
    columns = {"answered_mtok_per_h"}
    if part["demand_mtok_per_h"] is not None:
        columns |= {"unserved_mtok_per_h"}
    elif part["arrivals_mtok_per_h"] is not None:
        columns |= {"accepted_mtok_per_h", "refused_mtok_per_h", "waiting_mtok", "taken_mtok"}
    else:
        columns |= {column_of("sold_mtok_per_h", i) for i in range(len(part["market"]))}
    return columns | ({"served_mtok"} if part.number("min_served_share") else set())


def _check(plan: Plan, part: Part, note: Notes) -> None:
    answered = part.column("answered_mtok_per_h")
    total = plan.sum(
        fleet.column("answered_mtok_per_h", part.name)
        for fleet in plan.of_kind("fleet")
        if part in services_of(plan, fleet)
    )
    note.equal("answered", Message("fleets answer"), total, answered, "Mtok/h")
    if part["demand_mtok_per_h"] is not None:
        demand, lost = part.series("demand_mtok_per_h"), part.column("unserved_mtok_per_h")
        what = Message("answered and unserved sum to")
        note.equal("demand", what, answered + lost, demand, "Mtok/h")
    elif part["arrivals_mtok_per_h"] is not None:
        _check_batch(plan.clock, part, answered, note)
    else:
        for i, step in enumerate(part.rows("market")):
            sold, what = part.column("sold_mtok_per_h", i), Message("price step {i} sells", i=i)
            note.at_most("market", what, sold, step.series("mtok_per_h"), "Mtok/h")
        sold = part.total("sold_mtok_per_h")
        note.equal("market", Message("sold in all"), sold, answered, "Mtok/h")
    if part.number("min_served_share"):
        _check_served(plan.clock, part, note)


def _requested(part: Part) -> Array:
    """Return the most that a service could sell, Mtok/h: demand, arrivals or market depth."""
    for field in ("demand_mtok_per_h", "arrivals_mtok_per_h"):
        if part[field] is not None:
            return part.series(field)
    return np.asarray(sum(step.series("mtok_per_h") for step in part.rows("market")))


def _served(part: Part) -> Array:
    """Return the tokens that count as served, Mtok/h: answered, or accepted of batch work."""
    batch = part["arrivals_mtok_per_h"] is not None
    return part.column("accepted_mtok_per_h" if batch else "answered_mtok_per_h")


def _waiting_at_start(part: Part) -> float:
    """Return the work that waits when the horizon begins, Mtok."""
    return sum(work.number("mtok") for work in part.under("initial").rows("waiting"))


def _check_batch(clock: Clock, part: Part, answered: Array, note: Notes) -> None:
    accepted, refused = part.column("accepted_mtok_per_h"), part.column("refused_mtok_per_h")
    arrivals = part.series("arrivals_mtok_per_h")
    what = Message("accepted and refused sum to")
    note.equal("arrivals", what, accepted + refused, arrivals, "Mtok/h")
    waiting, start = part.column("waiting_mtok"), _waiting_at_start(part)
    before = at_start_of_steps(start, waiting)
    expected = before + clock.step_h * (accepted - answered)
    size = np.maximum(before, clock.step_h * answered)
    note.equal("waiting", Message("waiting is"), waiting, expected, "Mtok", size=size)
    total = part.column("taken_mtok")
    expected = at_start_of_steps(start, total) + clock.step_h * accepted
    note.equal("taken", Message("taken is"), total, expected, "Mtok")

    left = start + clock.step_h * np.cumsum(accepted - answered)
    not_due = start + clock.step_h * np.cumsum(accepted) - _due(clock, part, accepted)
    note.at_most("deadline", Message("not yet answered:"), left, not_due, "Mtok")
    max_waiting = start
    if isinstance(part["ending"], Mapping):
        max_waiting = part.under("ending").number("at_most_mtok")
    what, last = Message("waiting at the end is"), clock.times[-1]
    note.at_most("ending", what, waiting[-1:], max_waiting, "Mtok", when=last)


def _due(clock: Clock, part: Part, accepted: Array) -> Array:
    """Return the work due by the end of each step, summed up, Mtok; shape (steps,)."""
    deadline = clock.down(part.number("deadline_h"))
    due = np.zeros(clock.steps)
    due[deadline:] = clock.step_h * accepted[: max(clock.steps - deadline, 0)]
    for work in part.under("initial").rows("waiting"):
        step = max(deadline - clock.up(work.number("age_h")), 1)  # 1 is the first step
        if step <= clock.steps:
            due[step - 1] += work.number("mtok")
    return np.asarray(np.cumsum(due))


def _check_served(clock: Clock, part: Part, note: Notes) -> None:
    initial, total = part.under("initial"), part.column("served_mtok")
    before = at_start_of_steps(initial.number("served_so_far_mtok"), total)
    expected = before + clock.step_h * _served(part)
    note.equal("served", Message("served so far is"), total, expected, "Mtok")
    requested = initial.number("wanted_so_far_mtok") + clock.step_h * float(_requested(part).sum())
    min_served, last = part.number("min_served_share") * requested, clock.times[-1]
    note.at_least("least", Message("served is"), total[-1:], min_served, "Mtok", when=last)


def _lines(plan: Plan, part: Part) -> Iterator[Line]:
    answered, cached = part.column("answered_mtok_per_h"), part.series("cached_share")
    price = cached * part.series("price_cached_cny_per_mtok")
    price = price + (1 - cached) * part.series("price_input_cny_per_mtok")
    price = part.series("input_per_output") * price
    yield by_step(plan, part, "input_tokens", price, answered, use="compute")
    if part["demand_mtok_per_h"] is not None:
        cost, lost = part.number("unserved_cost_cny_per_mtok"), part.column("unserved_mtok_per_h")
        yield by_step(plan, part, "unserved", -cost, lost, cash=False)
    if part["arrivals_mtok_per_h"] is not None:
        cost, lost = part.number("refusal_cost_cny_per_mtok"), part.column("refused_mtok_per_h")
        yield by_step(plan, part, "refused", -cost, lost, cash=False)
        if isinstance(part["ending"], Mapping):
            value = part.under("ending").number("value_cny_per_mtok")
            gained = part.column("waiting_mtok")[-1:] - _waiting_at_start(part)
            yield Line(part.name, "end_value", value * gained, [ONCE], abs(value), cash=False)
    token_price = _token_price(part)
    if token_price is not None:
        yield by_step(plan, part, "tokens", token_price, answered, use="compute")
        return
    steps = part.rows("market")
    prices = [step.series("price_cny_per_mtok") * plan.clock.step_h for step in steps]
    sold = [part.column("sold_mtok_per_h", i) for i in range(len(steps))]
    earned = np.sum([price * mtok for price, mtok in zip(prices, sold, strict=True)], axis=0)
    max_price = float(np.sum(np.abs(prices), axis=0).max())
    yield Line(part.name, "tokens", earned, plan.clock.stamps, max_price, use="compute")


def _token_price(part: Part) -> Array | None:
    """Return the price of answered tokens, CNY/Mtok; a market has one for each of its steps."""
    return part.series("price_cny_per_mtok") if part["market"] is None else None


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    step_h = plan.clock.step_h
    requested, served = step_h * _requested(part).sum(), step_h * _served(part).sum()
    figures = {
        "wanted_mtok": requested,
        "answered_mtok": step_h * part.column("answered_mtok_per_h").sum(),
        "served_share": served / requested if requested else 1.0,
    }
    if part["arrivals_mtok_per_h"] is not None:
        figures["waiting_at_end_mtok"] = part.column("waiting_mtok")[-1]
        figures["refused_mtok"] = requested - served
    return figures


def _codes(_: Plan, part: Part) -> dict[str, Codes]:
    requested = _requested(part)
    kinds = {"demand_mtok_per_h": ("answer", "all_answered"), "market": ("sell", "all_sold"),
             "arrivals_mtok_per_h": ("accept", "all_accepted")}  # fmt: skip
    decision, all_done = next(codes for field, codes in kinds.items() if part[field] is not None)
    dropped = requested - _served(part)
    codes = {
        all_done: dropped <= AT,
        "no_capacity": dropped > 0,
        "price_below_cost": dropped > 0,
        "nothing_wanted": requested <= AT,
    }
    return {decision: codes}


AUDIT = KindAudit(
    columns=_columns,
    checks=(_check,),
    lines=_lines,
    meters={"answered_mtok_per_h": lambda _, part: {"": part.column("answered_mtok_per_h")}},
    figures=_figures,
    codes=_codes,
    token_price=_token_price,
)
