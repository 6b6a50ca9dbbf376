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
put_off, put_off_late   batch: work that fleets put off in a call of reserve, which may begin at the
             start or the end of a step, still meets its deadlines within the horizon: nothing is
             caught up with before the call is over and nodes have woken, then as much as fleets can
room         batch: more work may wait than planned, up to the room: no deadline is missed in its
             step, and what is not caught up with in the next step is within the room of that
ending       batch: waiting work at the end is at most that at the start, or at_most_mtok
served, least   the running total of served tokens, and its minimum share
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from planner.auditor.findings import AT, Array, Notes
from planner.auditor.kinds.fleet.levels import pause_wake_min
from planner.auditor.kinds.reserve import reserves_of
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


def _columns(plan: Plan, part: Part) -> set[str]:
    columns = {"answered_mtok_per_h"}
    if part["demand_mtok_per_h"] is not None:
        columns |= {"unserved_mtok_per_h"}
    elif part["arrivals_mtok_per_h"] is not None:
        columns |= {"accepted_mtok_per_h", "refused_mtok_per_h", "waiting_mtok", "taken_mtok"}
        columns |= {"room_mtok"} if _pausing_fleets(plan, part) else set()
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
        _check_batch(plan, part, answered, note)
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


def _check_batch(plan: Plan, part: Part, answered: Array, note: Notes) -> None:
    clock = plan.clock
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
    _check_put_off(plan, part, not_due - left, note)
    max_waiting = start
    if isinstance(part["ending"], Mapping):
        max_waiting = part.under("ending").number("at_most_mtok")
    what, last = Message("waiting at the end is"), clock.times[-1]
    note.at_most("ending", what, waiting[-1:], max_waiting, "Mtok", when=last)


def _check_put_off(plan: Plan, part: Part, slack: Array, note: Notes) -> None:
    """Note where a call of reserve makes work late; `slack`: what may wait besides, by step."""
    clock, fleets = plan.clock, _pausing_fleets(plan, part)
    if not fleets:
        return
    put_off: dict[float, Array] = {}
    for fleet in fleets:
        for reserve in reserves_of(plan, fleet):
            hours = reserve.number("duration_h")
            work = fleet.column("put_off_mtok_per_h", reserve.name, part.name)
            put_off[hours] = put_off.get(hours, part.zeros) + work
    steps = clock.steps
    pause = max(1, clock.up(_pause_h(plan)))
    for k in range(1, min(pause, steps) + 1):
        work = sum((min(k * clock.step_h, h) * mtok for h, mtok in put_off.items()), part.zeros)
        what = Message("put off after {n} steps:", n=k)
        when = clock.times[: steps - k + 1]
        note.at_most("put_off", what, work[: steps - k + 1], slack[k - 1 :], "Mtok", when=when)
    room, stated = slack.copy(), part.column("room_mtok")
    catch_up = clock.step_h * plan.sum(
        fleet.column("catch_up_mtok_per_h", part.name) for fleet in fleets
    )
    for t in range(steps - 2, -1, -1):
        room[t] = min(room[t], room[t + 1] + catch_up[t + 1])
    note.at_most("room", Message("work that may be late is"), stated, room, "Mtok")
    ends = np.minimum(np.arange(steps) + pause, steps - 1)
    work = sum((hours * mtok for hours, mtok in put_off.items()), part.zeros)
    note.at_most("put_off_late", Message("put off by a call:"), work, stated[ends], "Mtok")


def _pausing_fleets(plan: Plan, part: Part) -> list[Part]:
    """Return the fleets that answer a service and may pause its work for reserve."""
    fleets = plan.of_kind("fleet")
    return [f for f in fleets if reserves_of(plan, f) and part in services_of(plan, f)]


def _pause_h(plan: Plan) -> float:
    """Return the longest time from a call of reserve until all fleets work again, hours."""
    fleets = plan.of_kind("fleet")
    longest = max(r.number("duration_h") for f in fleets for r in reserves_of(plan, f))
    return longest + max(pause_wake_min(fleet) for fleet in fleets) / 60


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
        figures["waiting_at_start_mtok"] = _waiting_at_start(part)
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
        "earns_the_same": dropped > 0,
        "held": dropped > 0,
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
    carried={"waiting_mtok": "ending.value_cny_per_mtok"},
)
