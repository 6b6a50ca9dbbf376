"""What nodes can answer: latency classes, headroom and the reading of input."""

from __future__ import annotations

from typing import Any

import pytest

import planner
from tests.support.build import column, profit, solve
from tests.support.compute import WORK, batch, chat, fleet, market, serving, site

BIG = {"tokens_per_s": 5000, "node_kw": 1200, "inter_token_ms": 40}  # 18 Mtok/h
READ = {"tokens_per_s": 5000, "node_kw": 1000}  # 18 Mtok of input in an hour

BOTH = serving(WORK, BIG)


def test_a_latency_limit_keeps_work_off_slow_points() -> None:
    """18 Mtok: one node at 18 and 40 ms takes 1.2 MW, two nodes at 9 and 20 ms take 2 MW."""
    two = fleet(serves={"chatty": BOTH})
    assert profit(site(fleet=two, chat=chat(max_inter_token_ms=40))) == pytest.approx(360 - 120)
    assert profit(site(fleet=two, chat=chat(max_inter_token_ms=39))) == pytest.approx(360 - 200)


def test_a_point_without_a_latency_meets_no_limit() -> None:
    unknown = serving(WORK, BIG | {"inter_token_ms": None})
    two = fleet(serves={"chatty": unknown})
    assert profit(site(fleet=two, chat=chat(max_inter_token_ms=1000))) == pytest.approx(360 - 200)
    assert profit(site(fleet=two, chat=chat())) == pytest.approx(360 - 120)


def test_services_with_other_latencies_have_nodes_of_their_own() -> None:
    """Two nodes: 9 Mtok smooth on one and 18 prompt on the other; no point meets both limits."""
    points = WORK | {"first_token_ms": 300}, BIG | {"first_token_ms": 100}
    two = fleet(2, serves={"chatty": serving(*points)})
    smooth, prompt = chat(18, max_inter_token_ms=20), chat(18, max_first_token_ms=100)
    plan = solve(site(fleet=two, smooth=smooth, prompt=prompt))
    assert column(plan, "smooth.answered_mtok_per_h") == [9]
    assert column(plan, "prompt.answered_mtok_per_h") == [18]
    with pytest.raises(planner.ScenarioError) as caught:
        solve(site(fleet=two, chat=chat(max_inter_token_ms=20, max_first_token_ms=100)))
    assert (
        "components.chat.max_first_token_ms: no operating point of model 'chatty' meets it: within"
        " max_inter_token_ms 20 the fastest has 300 ms, the limit is 100 ms"
    ) in str(caught.value)


def test_two_latency_classes_have_their_own_nodes() -> None:
    """9 Mtok within 20 ms on one node at 1 MW, 18 within 50 ms on one node at 1.2 MW."""
    plan = solve(
        site(
            fleet=fleet(serves={"chatty": BOTH}),
            quick=chat(9, max_inter_token_ms=20),
            slow=chat(18, max_inter_token_ms=50),
        )
    )
    assert plan.summary["objective_cny"] == pytest.approx(27 * 20 - 220)
    assert column(plan, "fleet.nodes[chatty|2500]") == [1]
    assert column(plan, "fleet.nodes[chatty|5000]") == [1]


def test_two_latency_classes_share_a_whole_node() -> None:
    """One node at 20 ms answers 4.5 quick and 4.5 slow Mtok: 180 - 100."""
    plan = solve(
        site(
            fleet=fleet(whole_nodes=True, serves={"chatty": BOTH}),
            quick=chat(4.5, max_inter_token_ms=20),
            slow=chat(4.5, max_inter_token_ms=50),
        )
    )
    assert plan.summary["objective_cny"] == pytest.approx(80)
    assert column(plan, "fleet.nodes[chatty|2500]") == [1]


def test_limits_that_differ_by_a_hair_are_two_classes() -> None:
    """Only the point at 33.333330 ms serves the tighter one: 9 Mtok at 1 MW and 18 at 1.2 MW."""
    near = serving(WORK | {"inter_token_ms": 33.33333}, BIG | {"inter_token_ms": 33.333334})
    parts = {
        "a": chat(9, max_inter_token_ms=33.33333),
        "b": chat(18, max_inter_token_ms=33.333334),
    }
    found = profit(site(fleet=fleet(serves={"chatty": near}), **parts))
    assert found == pytest.approx(27 * 20 - 220)


@pytest.mark.parametrize("name", ["any", "chat"])
def test_a_limit_on_the_first_token_holds_whatever_the_service_is_called(name: str) -> None:
    """Two nodes at 9 Mtok/h: 360 less energy for 200; one that answers 18 is too slow."""
    quick, slow = WORK | {"first_token_ms": 100}, BIG | {"first_token_ms": 900}
    limited = {name: chat(18, max_first_token_ms=100)}
    assert profit(site(fleet=fleet(serves={"chatty": serving(quick, slow)}), **limited)) == (
        pytest.approx(18 * 20 - 200)
    )


def test_a_limit_no_point_meets_is_an_error() -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        solve(site(fleet=fleet(), chat=chat(max_inter_token_ms=15)))
    assert "the fastest has 20 ms, the limit is 15 ms" in str(caught.value)


# Headroom


def test_headroom_keeps_nodes_awake() -> None:
    """18 Mtok with half of it again kept for bursts need 27, 3 nodes: 360 - 300."""
    assert profit(site(fleet=fleet(), chat=chat(headroom_share=0.5))) == pytest.approx(60)


@pytest.mark.parametrize("filler", [batch(9, 5, deadline_h=0), market((9, 5))])
def test_batch_and_market_work_fill_headroom(filler: dict[str, Any]) -> None:
    """9 Mtok at 5 would not pay a node of their own; in the headroom they earn 45 for nothing."""
    parts = {"chat": chat(headroom_share=0.5), "filler": filler}
    assert profit(site(fleet=fleet(), **parts)) == pytest.approx(60 + 45)


def test_interactive_work_does_not_fill_headroom() -> None:
    """9 Mtok of another chat need a fourth node: 27 x 20 - 400 = 140, not 27 x 20 - 300."""
    parts = {"chat": chat(headroom_share=0.5), "other": chat(9)}
    assert profit(site(fleet=fleet(), **parts)) == pytest.approx(140)


def test_headroom_is_kept_within_the_latency_limit() -> None:
    """9 Mtok within 20 ms, doubled, need 2 nodes at 9: the slow point may not hold the headroom.

    9 Mtok without limit go to half a slow node: 9 x 40 - 200 + 9 x 20 - 0.6 x 100 = 280; as batch
    work they fill the headroom: 9 x 40 - 200 + 9 x 20 = 340.
    """
    two = fleet(serves={"chatty": BOTH})
    quick = chat(9, 40, max_inter_token_ms=20, headroom_share=1)
    assert profit(site(fleet=two, chat=quick, slow=chat(9))) == pytest.approx(280)
    assert profit(site(fleet=two, chat=quick, slow=batch(9, deadline_h=0))) == pytest.approx(340)


def test_headroom_of_one_model_asks_nothing_of_another() -> None:
    both = fleet(serves={"chatty": serving(), "coder": serving()})
    parts = {"chat": chat(headroom_share=0.5), "code": chat(9, model="coder")}
    assert profit(site(fleet=both, **parts)) == pytest.approx(60 + 80)


# Input


def test_input_is_read_by_nodes_of_its_own() -> None:
    """18 Mtok come with 36 of input, half of them cached: 18 are read by one node.

    360 + 18 x 1.5 + 18 x 0.5 (cached) - 300 = 96.
    """
    reading = fleet(serves={"chatty": serving(prefill=READ)})
    with_input = chat(
        input_per_output=2,
        cached_share=0.5,
        price_input_cny_per_mtok=1.5,
        price_cached_cny_per_mtok=0.5,
    )
    plan = solve(site(fleet=reading, chat=with_input))
    assert plan.summary["objective_cny"] == pytest.approx(96)
    assert column(plan, "fleet.prefill_nodes[chatty]") == [1]
    assert plan.summary["ledger_cny"]["chat"] == {"input_tokens": 36, "tokens": 360}


def test_without_prefill_the_points_read_too() -> None:
    """The same work: 360 + 27 + 9 - 200."""
    with_input = chat(
        input_per_output=2,
        cached_share=0.5,
        price_input_cny_per_mtok=1.5,
        price_cached_cny_per_mtok=0.5,
    )
    assert profit(site(fleet=fleet(), chat=with_input)) == pytest.approx(196)


def test_reading_bounds_what_two_nodes_answer() -> None:
    """2 nodes, 2 input tokens an output token: x decode 9 each, y read 18 each; y = x, 9 Mtok."""
    reading = fleet(2, serves={"chatty": serving(prefill=READ)})
    plan = solve(site(fleet=reading, chat=chat(90, 50, input_per_output=2)))
    assert column(plan, "chat.answered_mtok_per_h") == [9]


def test_prefill_is_shared_by_the_services_of_a_model() -> None:
    """9 Mtok with 1 input token each and 9 with 3 make 36 to read: two nodes beside two."""
    reading = fleet(serves={"chatty": serving(prefill=READ)})
    parts = {"a": chat(9, 30, input_per_output=1), "b": chat(9, 30, input_per_output=3)}
    plan = solve(site(fleet=reading, **parts))
    assert column(plan, "fleet.prefill_nodes[chatty]") == [2]
    assert plan.summary["objective_cny"] == pytest.approx(18 * 30 - 400)
