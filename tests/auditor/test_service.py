"""The auditor on services: each promise broken by hand is found where it was broken."""

from __future__ import annotations

from tests.support.audited import (
    Broken,
    Kept,
    cell,
    each_is_found,
    each_is_kept,
    nodes,
    pausing,
    queue,
    rule,
    step,
)

# plan, edit, component, rule, time of a breach that must be among those found
BROKEN: list[Broken] = [
    (nodes, cell("chat.answered_mtok_per_h", 1, 8), "chat", "answered", step(1)),
    (nodes, cell("chat.unserved_mtok_per_h", 1, 1), "chat", "demand", step(1)),
    (nodes, cell("chat.served_mtok", 2, 17), "chat", "served", step(2)),
    (nodes, cell("chat.served_mtok", 2, 17), "chat", "least", step(2)),
    (nodes, rule("work", "market", 0, "mtok_per_h", to=8), "work", "market", step(1)),
    (nodes, cell("work.sold_mtok_per_h[0]", 1, 8), "work", "market", step(1)),
    (nodes, rule("work", "market", 0, "price_cny_per_mtok", to=50), "work", "tokens", step(1)),
    (nodes, rule("chat", "price_cny_per_mtok", to=50), "chat", "tokens", step(1)),
    (nodes, rule("chat", "price_input_cny_per_mtok", to=1), "chat", "input_tokens", step(1)),
    (queue, cell("work.accepted_mtok_per_h", 1, 8), "work", "arrivals", step(1)),
    (queue, cell("work.waiting_mtok", 1, 8), "work", "waiting", step(1)),
    (queue, cell("work.taken_mtok", 1, 8), "work", "taken", step(1)),
    (queue, rule("work", "deadline_h", to=0), "work", "deadline", step(1)),
    (queue, rule("work", "initial", "waiting", 0, "mtok", to=3), "work", "waiting", step(1)),
    (queue, rule("work", "ending", to={"value_cny_per_mtok": 1, "at_most_mtok": 9}),
     "work", "end_value", ""),
    (queue, rule("work", "price_cny_per_mtok", to=5), "work", "tokens", step(2)),
    # 18 Mtok/h put off for 2 hours are 36 by the end of hour 2, and 18 may wait
    (pausing, rule("hold", "duration_h", to=2), "work", "put_off", step(1)),
    # an hour of pause and one of waking: nothing may be late after the third
    (pausing, rule("fleet", "wake_min", to=60), "work", "put_off_late", step(1)),
    (pausing, cell("work.room_mtok", 2, 1), "work", "put_off_late", step(1)),
    (pausing, rule("work", "deadline_h", to=1), "work", "room", step(2)),
    (pausing, cell("fleet.catch_up_mtok_per_h[work]", 3, 0), "work", "room", step(2)),
    (queue, cell("work.served_mtok", 4, 19), "work", "served", step(4)),
    (queue, cell("work.waiting_mtok", 4, 5), "work", "ending", step(4)),
    (queue, rule("work", "initial", "wanted_so_far_mtok", to=9), "work", "least", step(4)),
    (queue, rule("work", "initial", "served_so_far_mtok", to=1), "work", "served", step(1)),
]  # fmt: skip

# changes that these plans survive: the auditor must not cry wolf
KEPT: list[Kept] = [
    (queue, rule("work", "initial", "waiting", 0, "age_h", to=1)),
    (queue, rule("work", "refusal_cost_cny_per_mtok", to=5)),
]  # fmt: skip


test_a_broken_promise_is_found = each_is_found(BROKEN)
test_what_keeps_every_promise_is_no_breach = each_is_kept(KEPT)
