"""Services: what work earns, what losing it costs, least shares.

Nodes as in `tests.support.compute`.
"""

from __future__ import annotations

from typing import Any

import pytest

import planner
from tests.support.build import column, profit, scenario, solve, total
from tests.support.compute import batch, chat, fleet, market, serving, site


def test_tokens_earn_the_price_of_their_hour() -> None:
    """9 x 20 + 9 x 30 - 2 x 100 = 250."""
    assert profit(site(fleet=fleet(), chat=chat(9, [20, 30])), hours=2) == pytest.approx(250)


def test_work_that_is_not_answered_is_lost_at_its_cost() -> None:
    """One node answers 9 of 18: 180 - 100 - 9 x 10 = -10; the loss is no cash."""
    plan = solve(site(fleet=fleet(1), chat=chat(unserved_cost_cny_per_mtok=10)), step_min=30)
    assert plan.summary["objective_cny"] == pytest.approx(-10)
    assert plan.summary["cash_profit_cny"] == pytest.approx(80)
    assert total(plan, "chat", "unserved") == pytest.approx(-90)
    assert column(plan, "chat.unserved_mtok_per_h") == [9, 9]


def test_a_cost_of_losing_work_can_be_worth_an_answer() -> None:
    """A node earns 9 x 5 and takes 100; losing 9 Mtok costs 90: -55 a node beats -90."""
    poor = chat(price=5)
    assert profit(site(fleet=fleet(), chat=poor)) == pytest.approx(0)
    dear = poor | {"unserved_cost_cny_per_mtok": 10}
    assert profit(site(fleet=fleet(), chat=dear)) == pytest.approx(-110)


def test_the_market_buys_at_falling_prices() -> None:
    """9 at 20, 9 at 12 and 9 at 11, a node each for 100: 80 + 8, and the third is left."""
    plan = solve(site(fleet=fleet(), open=market((9, 20), (9, 12), (9, 11))))
    assert plan.summary["objective_cny"] == pytest.approx(88)
    sold = [column(plan, f"open.sold_mtok_per_h[{i}]")[0] for i in range(3)]
    assert sold == [9, 9, 0]


def test_the_market_changes_by_the_hour() -> None:
    """9 at 20 in the first hour; 18 at 30 in the second: 80 + 18 x 30 - 200."""
    parts = site(fleet=fleet(), open=market(([9, 18], [20, 30])))
    assert profit(parts, hours=2) == pytest.approx(80 + 340)


# The least share


def test_a_least_share_is_met_where_it_costs_least() -> None:
    """9 Mtok earn 90 for a node that takes 100, then 95: half of 36 in the second hour, 2 x -5."""
    poor = chat(price=10, min_served_share=0.5)
    assert profit(site([100, 95], fleet=fleet(), chat=poor), hours=2) == pytest.approx(-10)


def test_a_least_share_of_the_market_counts_its_depth() -> None:
    """Half of 9 + 9: the better step, 9 x 10 - 100."""
    parts = site(fleet=fleet(), open=market((9, 10), (9, 5), min_served_share=0.5))
    assert profit(parts) == pytest.approx(-10)


def test_a_least_share_of_batch_work_counts_what_is_accepted() -> None:
    """The 9 that waited must be answered anyway (-10) and are no part of the 18 that arrive."""
    queue = {"waiting": [{"age_h": 0, "mtok": 9}]}
    poor = batch(18, price=10, deadline_h=0, initial=queue)
    assert profit(site(fleet=fleet(), work=poor)) == pytest.approx(-10)
    least = poor | {"min_served_share": 0.5}
    plan = solve(site(fleet=fleet(), work=least))
    assert plan.summary["objective_cny"] == pytest.approx(-20)
    assert column(plan, "work.accepted_mtok_per_h") == [9]


def test_a_least_share_counts_what_went_before() -> None:
    """9 of 36 were served before; with 36 wanted now, half of 72 leaves 27: 3 nodes at -10."""
    before = {"wanted_so_far_mtok": 36, "served_so_far_mtok": 9}
    poor = chat(36, price=10, min_served_share=0.5, initial=before)
    plan = solve(site(fleet=fleet(), chat=poor))
    assert plan.summary["objective_cny"] == pytest.approx(-30)
    assert column(plan, "chat.served_mtok") == [36]


def test_a_least_share_that_nodes_cannot_meet_has_no_plan() -> None:
    with pytest.raises(planner.InfeasibleError):
        solve(site(fleet=fleet(1), chat=chat(18, min_served_share=0.51)))


# Figures, warnings and errors


def test_key_figures_of_interactive_work() -> None:
    """18 of 36 Mtok in 2 hours."""
    plan = solve(site([100, 300], fleet=fleet(), chat=chat()), hours=2)
    assert plan.summary["figures"]["chat"] == {
        "wanted_mtok": 36, "answered_mtok": 18, "served_share": 0.5,
    }  # fmt: skip


def test_key_figures_of_batch_work() -> None:
    """9 waited; 18 arrive, 9 of them are refused at a cost; one node answers 9, so 9 wait on."""
    queue = {"waiting": [{"age_h": 0, "mtok": 9}]}
    work = batch(18, initial=queue, refusal_cost_cny_per_mtok=1)
    plan = solve(site(fleet=fleet(1), work=work))
    assert plan.summary["figures"]["work"] == {
        "wanted_mtok": 18, "answered_mtok": 9, "served_share": 0.5,
        "waiting_at_start_mtok": 9, "waiting_at_end_mtok": 9, "refused_mtok": 9,
    }  # fmt: skip


def test_demand_above_all_capacity_is_warned_of() -> None:
    """10 nodes answer 90 Mtok an hour; chat and batch together want 91."""

    def found(**parts: Any) -> list[str]:
        warnings = scenario(site(fleet=fleet(), **parts)).warnings()
        return [text for text in warnings if "Mtok/h" in text]

    assert found(chat=chat(90), work=batch(1)) == [
        "components.chat: chat and work want up to 91 Mtok/h of 'chatty', above the 90 Mtok/h"
        " that all fleets could answer"
    ]
    assert found(chat=chat(90)) == []


NO_POINT = "no operating point of model 'chatty' meets it: "


@pytest.mark.parametrize(
    ("times", "limits", "reasons"),
    [
        ([(20, None)], (None, 1000), {"first": "its points have no first_token_ms"}),
        ([(None, 90)], (1000, None), {"inter": "its points have no inter_token_ms"}),
        ([(20, 140), (10, None)], (10, 100),
         {"first": "the fastest has 140 ms, the limit is 100 ms"}),
        ([(20, 140), (30, 200)], (10, 100),
         {"inter": "the fastest has 20 ms, the limit is 10 ms",
          "first": "the fastest has 140 ms, the limit is 100 ms"}),
        ([(20, None), (30, 100)], (20, 100),
         {"first": "within max_inter_token_ms 20 its points have no first_token_ms"}),
        ([(None, 90), (20, 100), (30, 50)], (20, 95),
         {"first": "within max_inter_token_ms 20 the fastest has 100 ms, the limit is 95 ms"}),
        ([(20, 140), (30, 100)], (30, 100), {}),
    ],
)  # fmt: skip
def test_limits_of_time_that_no_point_meets(
    times: list[tuple[float | None, ...]], limits: tuple[float | None, ...], reasons: dict[str, str]
) -> None:
    names = "inter_token_ms", "first_token_ms"
    points = [
        {"tokens_per_s": 1000 + i, "node_kw": 9} | dict(zip(names, both, strict=True))
        for i, both in enumerate(times)
    ]
    asked = {f"max_{name}": limit for name, limit in zip(names, limits, strict=True)}
    parts = site(fleet=fleet(serves={"chatty": serving(*points)}), chat=chat(**asked))
    expected = {f"components.chat.max_{k}_token_ms": NO_POINT + text for k, text in reasons.items()}
    try:
        scenario(parts)
        problems = {}
    except planner.ScenarioError as error:
        problems = {problem.path: problem.message for problem in error.problems}
    assert problems == expected


@pytest.mark.parametrize(
    ("service", "message"),
    [
        (chat(arrivals_mtok_per_h=1), "needs exactly one of demand_mtok_per_h"),
        (chat(None), "has none"),
        (chat(deadline_h=3), "work.deadline_h: cannot go with demand_mtok_per_h"),
        (
            chat(initial={"waiting": [{"age_h": 0, "mtok": 1}]}),
            "work.initial.waiting: cannot go with demand_mtok_per_h",
        ),
        (chat(price=None), "work.price_cny_per_mtok: is required"),
        (batch(deadline_h=None), "work.deadline_h: is required with arrivals_mtok_per_h"),
        (
            chat(deadline_h=3, ending={"value_cny_per_mtok": 1, "at_most_mtok": 1}),
            "work.deadline_h: cannot go with demand_mtok_per_h, nor can ending",
        ),
        (batch(headroom_share=0.1), "work.headroom_share: cannot go with arrivals_mtok_per_h"),
        (
            batch(deadline_h=2, initial={"waiting": [{"age_h": 3, "mtok": 1}]}),
            "work.initial.waiting[0].age_h: must not exceed deadline_h 2, is 3",
        ),
        (market((1, 1), price_cny_per_mtok=3), "work.price_cny_per_mtok: cannot go with market"),
        (market(), "components.work.market"),
        (chat(model="nobody"), "no fleet serves model 'nobody' (there is 'chatty')"),
        (chat(-1), "work.demand_mtok_per_h: must be 0 or more, is -1"),
        (chat(min_served_share=1.5), "must be 1 or less, is 1.5"),
        (
            chat(initial={"wanted_so_far_mtok": 1, "served_so_far_mtok": 2}),
            "initial.served_so_far_mtok: may not exceed wanted_so_far_mtok 1, is 2",
        ),
    ],
)
def test_a_wrong_service_is_refused(service: dict[str, Any], message: str) -> None:
    fields = {key: value for key, value in service.items() if value is not None}
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(site(fleet=fleet(), work=fields))
    assert message in str(caught.value)
