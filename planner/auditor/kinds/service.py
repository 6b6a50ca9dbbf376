"""Whether the work of every service is accounted for, and done in time.

answered     what the fleets answer of a service is what it says was answered
demand       interactive: what is answered and what is not add up to the demand
market       market: what is answered is what is sold, and no price step sells beyond its depth
arrivals     batch: what is accepted and refused adds up to the arrivals
waiting      batch: what waits grows by what is accepted and shrinks by what is answered
taken        batch: the running total of what has come in, what waited at the start included
deadline     batch: first in, first out, everything is answered by the end of the step in which
             it falls due; age counts from the end of the step of arrival, and what would have
             been due before the first step ends is due then
ending       batch: no more waits at the end than at the start, or than at_most_mtok
served, least   the running total of what is served, and its least share
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from planner.auditor.findings import AT, Array, Notes
from planner.auditor.plan_files import Clock
from planner.auditor.reading import ONCE, Codes, KindAudit, Line, Part, Plan, by_step, column_of


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
    fleets = [
        fleet.column("answered_mtok_per_h", part.name)
        for fleet in plan.of_kind("fleet")
        if part in services_of(plan, fleet)
    ]
    total = np.sum(fleets, axis=0) if fleets else np.zeros(plan.clock.steps)
    note.equal("answered", "fleets answer", total, answered, "Mtok/h")
    if part["demand_mtok_per_h"] is not None:
        demand, lost = part.series("demand_mtok_per_h"), part.column("unserved_mtok_per_h")
        note.equal("demand", "answered and unserved sum to", answered + lost, demand, "Mtok/h")
    elif part["arrivals_mtok_per_h"] is not None:
        _check_batch(plan.clock, part, answered, note)
    else:
        for i, step in enumerate(part.rows("market")):
            sold, what = part.column("sold_mtok_per_h", i), f"price step {i} sells"
            note.at_most("market", what, sold, step.series("mtok_per_h"), "Mtok/h")
        sold = np.asarray(part.total("sold_mtok_per_h"))
        note.equal("market", "sold in all", sold, answered, "Mtok/h")
    if part.number("min_served_share"):
        _check_least(plan.clock, part, note)


def _wanted(part: Part) -> Array:
    """Return the most that a service could sell, Mtok/h: demand, arrivals or market depth."""
    for field in ("demand_mtok_per_h", "arrivals_mtok_per_h"):
        if part[field] is not None:
            return part.series(field)
    return np.asarray(sum(step.series("mtok_per_h") for step in part.rows("market")))


def _served(part: Part) -> Array:
    """Return what counts as served: what is answered, or accepted of batch work, Mtok/h."""
    batch = part["arrivals_mtok_per_h"] is not None
    return part.column("accepted_mtok_per_h" if batch else "answered_mtok_per_h")


def _waiting_at_start(part: Part) -> float:
    """Return the work that waits when the horizon begins, Mtok."""
    return sum(work.number("mtok") for work in part.under("initial").rows("waiting"))


def _check_batch(clock: Clock, part: Part, answered: Array, note: Notes) -> None:
    accepted, refused = part.column("accepted_mtok_per_h"), part.column("refused_mtok_per_h")
    arrivals = part.series("arrivals_mtok_per_h")
    note.equal("arrivals", "accepted and refused sum to", accepted + refused, arrivals, "Mtok/h")
    waiting, start = part.column("waiting_mtok"), _waiting_at_start(part)
    before = np.concatenate([[start], waiting[:-1]])
    right = before + clock.step_h * (accepted - answered)
    size = np.maximum(before, clock.step_h * answered)
    note.equal("waiting", "waiting is", waiting, right, "Mtok", size=size)
    taken = part.column("taken_mtok")
    right = np.concatenate([[start], taken[:-1]]) + clock.step_h * accepted
    note.equal("taken", "taken is", taken, right, "Mtok")

    left = start + clock.step_h * np.cumsum(accepted - answered)
    young = start + clock.step_h * np.cumsum(accepted) - _due(clock, part, accepted)
    note.at_most("deadline", "not yet answered:", left, young, "Mtok")
    ending = part["ending"]
    most = part.under("ending").number("at_most_mtok") if isinstance(ending, Mapping) else start
    what, last = "waiting at the end is", clock.times[-1]
    note.at_most("ending", what, waiting[-1:], most, "Mtok", when=last)


def _due(clock: Clock, part: Part, accepted: Array) -> Array:
    """Return what must be answered by the end of each step, Mtok; shape (steps,)."""
    late = clock.down(part.number("deadline_h"))
    due = np.zeros(clock.steps)
    due[late:] = clock.step_h * accepted[: max(clock.steps - late, 0)]
    for work in part.under("initial").rows("waiting"):
        step = max(late - clock.up(work.number("age_h")), 1)  # 1 is the first step
        if step <= clock.steps:
            due[step - 1] += work.number("mtok")
    return np.asarray(np.cumsum(due))


def _check_least(clock: Clock, part: Part, note: Notes) -> None:
    initial, total = part.under("initial"), part.column("served_mtok")
    before = np.concatenate([[initial.number("served_so_far_mtok")], total[:-1]])
    right = before + clock.step_h * _served(part)
    note.equal("served", "served so far is", total, right, "Mtok")
    asked = initial.number("wanted_so_far_mtok") + clock.step_h * float(_wanted(part).sum())
    least, last = part.number("min_served_share") * asked, clock.times[-1]
    note.at_least("least", "served is", total[-1:], least, "Mtok", when=last)


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
    largest = float(np.sum(np.abs(prices), axis=0).max())
    yield Line(part.name, "tokens", earned, plan.clock.stamps, largest, use="compute")


def _token_price(part: Part) -> Array | None:
    """Return the price of what is answered, CNY/Mtok; a market has one for each of its steps."""
    return part.series("price_cny_per_mtok") if part["market"] is None else None


def _figures(plan: Plan, part: Part) -> dict[str, float]:
    step_h = plan.clock.step_h
    asked, done = step_h * _wanted(part).sum(), step_h * _served(part).sum()
    figures = {
        "wanted_mtok": asked,
        "answered_mtok": step_h * part.column("answered_mtok_per_h").sum(),
        "served_share": done / asked if asked else 1.0,
    }
    if part["arrivals_mtok_per_h"] is not None:
        figures["waiting_at_end_mtok"] = part.column("waiting_mtok")[-1]
        figures["refused_mtok"] = asked - done
    return figures


def _codes(_: Plan, part: Part) -> dict[str, Codes]:
    asked = _wanted(part)
    kinds = {"demand_mtok_per_h": ("answer", "all_answered"), "market": ("sell", "all_sold"),
             "arrivals_mtok_per_h": ("accept", "all_accepted")}  # fmt: skip
    decision, all_done = next(words for field, words in kinds.items() if part[field] is not None)
    dropped = asked - _served(part)
    codes = {
        all_done: dropped <= AT,
        "no_capacity": dropped > 0,
        "price_below_cost": dropped > 0,
        "nothing_wanted": asked <= AT,
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
