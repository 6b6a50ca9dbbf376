"""The auditor on fleets: each promise broken by hand is found where it was broken."""

from __future__ import annotations

from planner.auditor.audit import audit_files
from planner.auditor.plan_files import Files
from tests.support import compute
from tests.support.audited import (
    Broken,
    Kept,
    both,
    cell,
    each_is_found,
    each_is_kept,
    levels,
    nodes,
    pausing,
    rule,
    said,
    solved,
    step,
    with_figure,
)

ONE = {"name": "one", "node_kw": 100, "wake_min": 30, "wake_cost_cny": 1, "drain_min": 0}

# plan, edit, component, rule, time of a breach that must be among those found
BROKEN: list[Broken] = [
    (nodes, cell("fleet.nodes[chatty|0]", 1, 3), "fleet", "total", step(1)),
    (nodes, cell("fleet.awake[chatty]", 1, 3), "fleet", "count", step(1)),
    (nodes, cell("fleet.asleep", 1, 9), "fleet", "count", step(1)),
    (nodes, rule("fleet", "nodes", to=11), "fleet", "count", step(1)),
    (nodes, rule("fleet", "available_pu", to=0.9), "fleet", "count", step(2)),
    (nodes, cell("fleet.it_kw", 1, 3), "fleet", "it_kw", step(1)),
    (nodes, rule("fleet", "sleep_kw", to=50), "fleet", "it_kw", step(1)),
    (nodes, rule("fleet", "pue", to=1.1), "fleet", "power", step(1)),
    (nodes, rule("fleet", "whole_nodes", to=True), "fleet", "whole", step(1)),
    (nodes, rule("fleet", "spare_nodes", to=2), "fleet", "spare", step(2)),
    (nodes, cell("fleet.woken[chatty]", 1, 0), "fleet", "waking_up", step(1)),
    (nodes, both(rule("fleet", "wake_min", to=120), rule("fleet", "spare_nodes", to=0)),
     "fleet", "waking", step(2)),
    # nodes that wake are idle, and no spare ones
    (nodes, rule("fleet", "wake_min", to=60), "fleet", "spare", step(1)),
    # woken in the step before the horizon for two hours, they idle in its first
    (nodes, both(rule("fleet", "wake_min", to=120),
                 rule("fleet", "initial", "woken", to={"chatty": [9]}),
                 cell("fleet.woken[chatty]", 1, 0)),
        "fleet", "waking", step(1)),
    # nodes that sleep still draw: two that pause give 0.4 MW, and 0.5 MW are offered
    (nodes, rule("fleet", "sleep_kw", to=800), "fleet", "reserve_power", step(1)),
    (nodes, rule("fleet", "pue", to=0.2), "fleet", "reserve_power", step(1)),
    (nodes, rule("fleet", "wake_cost_cny", to=2), "fleet", "wake", step(1)),
    (nodes, rule("chat", "max_inter_token_ms", to=10), "fleet", "decode", step(1)),
    (nodes, rule("chat", "max_first_token_ms", to=100), "fleet", "decode", step(1)),
    (nodes, rule("chat", "headroom_share", to=9), "fleet", "decode_burst", step(1)),
    (nodes, rule("chat", "input_per_output", to=2), "fleet", "prefill", step(1)),
    (nodes, rule("chat", "cached_share", to=-1), "fleet", "prefill", step(1)),
    (nodes, rule("chat", "headroom_share", to=0.8), "fleet", "decode_burst_kept", step(1)),
    (nodes, cell("fleet.paused[hold|chatty|2500]", 1, 5), "fleet", "paused_nodes", step(1)),
    (nodes, cell("fleet.paused[hold|chatty|2500]", 1, 1.5), "fleet", "paused_work", step(1)),
    (nodes, cell("fleet.paused[hold|chatty|2500]", 1, 0.1), "fleet", "reserve_power", step(1)),
    (nodes, cell("fleet.paused_prefill[hold|chatty]", 1, 3), "fleet", "paused_readers", step(1)),
    (nodes, cell("fleet.paused_prefill[hold|chatty]", 1, 0.4), "fleet", "paused_input", step(1)),
    (nodes, cell("fleet.paused_prefill[hold|chatty]", 1, 0.4), "fleet", "prefill_kept", step(1)),
    (pausing, cell("fleet.put_off_mtok_per_h[hold|work]", 1, 19), "fleet", "put_off", step(1)),
    (pausing, cell("fleet.put_off_mtok_per_h[hold|work]", 1, 9), "fleet", "paused_work", step(1)),
    (pausing, cell("fleet.put_off_mtok_per_h[hold|work]", 1, 9), "fleet", "decode_kept", step(1)),
    (pausing, cell("fleet.catch_up_nodes[chatty|2500]", 3, 0),
        "fleet", "decode_caught_up", step(3)),
    (pausing, cell("fleet.asleep", 3, 0), "fleet", "catch_up_free", step(3)),
    (pausing, rule("fleet", "sleep", to=[ONE | {"node_kw": 500}]),
        "fleet", "reserve_power", step(1)),
    (levels, cell("fleet.asleep[soft]", 1, 4), "fleet", "count", step(1)),
    (levels, cell("fleet.woken[off|chatty]", 7, 0), "fleet", "woken_from", step(7)),
    (levels, cell("fleet.woken_for_jobs[soft]", 2, 0), "fleet", "woken_from", step(2)),
    (levels, cell("fleet.woken_for_jobs[soft]", 4, 1), "fleet", "for_jobs", step(4)),
    (levels, cell("fleet.slept[off]", 2, 0), "fleet", "fallen_asleep", step(2)),
    (levels, cell("fleet.slept[off]", 2, 4), "fleet", "slept_asleep", step(2)),
    # three still drain when two of them are woken
    (levels, both(rule("fleet", "sleep", 1, "drain_min", to=500),
                  rule("fleet", "initial", "slept", to={"off": [1]})),
        "fleet", "slept_asleep", step(7)),
    (levels, cell("fleet.woken[soft|chatty]", 3, 1), "fleet", "woken_awake", step(3)),
    (levels, cell("fleet.outage_nodes[off]", 5, 2), "fleet", "outage", step(5)),
    (levels, cell("fleet.outage_nodes[off]", 5, 0), "fleet", "fallen_asleep", step(5)),
    (levels, rule("fleet", "ramp_nodes_per_h", to=1), "fleet", "ramp_up", step(7)),
    (levels, rule("fleet", "ramp_nodes_per_h", to=1), "fleet", "ramp_down", step(2)),
    (levels, rule("fleet", "sleep", 1, "drain_min", to=40), "fleet", "it_kw", step(2)),
    (levels, rule("fleet", "sleep", 0, "node_kw", to=40), "fleet", "it_kw", step(1)),
    (levels, rule("fleet", "sleep", 1, "wake_min", to=90), "fleet", "waking", step(8)),
    (levels, rule("fleet", "sleep", 0, "wake_cost_cny", to=9), "fleet", "wake", step(8)),
    (levels, rule("fleet", "initial", "asleep", to={"off": 3}), "fleet", "woken_from", step(1)),
    (levels, both(rule("fleet", "sleep", 1, "drain_min", to=90),
                  rule("fleet", "initial", "slept", to={"off": [1]})),
        "fleet", "it_kw", step(1)),
]  # fmt: skip


def named(files: Files) -> Files:
    """Name the level in the figure of nodes asleep."""
    figures = dict(files.summary["figures"]["fleet"])
    figures["asleep_mean_nodes[one]"] = figures.pop("asleep_mean_nodes")
    return with_figure(files, ("figures", "fleet"), figures)


# changes that these plans survive: the auditor must not cry wolf
KEPT: list[Kept] = [
    (nodes, rule("fleet", "initial", "awake", to={"chatty": 1})),
    (nodes, rule("fleet", "initial", "woken", to={"chatty": [9]})),
    (nodes, rule("fleet", "serves", "chatty", "points", 1, "tokens_per_s", to=2500.001)),
    (nodes, both(rule("fleet", "sleep", to=[ONE]), named)),
    (levels, rule("fleet", "initial", "slept", to={"off": [1]})),
]  # fmt: skip


test_a_broken_promise_is_found = each_is_found(BROKEN)
test_what_keeps_every_promise_is_no_breach = each_is_kept(KEPT)


def test_nodes_that_wake_for_more_than_a_step_idle_on() -> None:
    """Woken in step 1 for 90 min, 4 nodes idle through it and through half of step 2."""
    fleet = compute.fleet(4, wake_min=90)
    files = solved(compute.site(fleet=fleet, chat=compute.chat([0, 18, 36])), 3)
    assert said(files) == []
    early = audit_files(cell("fleet.nodes[chatty|0]", 2, 1)(files))
    assert ("fleet", "waking", step(2)) in [(b.component, b.rule, b.time) for b in early]
