"""Fleets: sums that can be done in the head. Nodes and prices as in `tests.support.compute`."""

from __future__ import annotations

from typing import Any

import pytest

import planner
from tests.support.build import column, profit, scenario, solve, total
from tests.support.compute import FAST, WORK, batch, chat, fleet, market, serving, site

BIG = {"tokens_per_s": 5000, "node_kw": 1200, "inter_token_ms": 40}  # 18 Mtok/h


def test_two_nodes_answer_eighteen_mtok() -> None:
    """18 Mtok need 2 nodes: 18 x 20 for tokens - 2 MW x 100 for energy = 160; 8 nodes sleep."""
    plan = solve(site(fleet=fleet(), chat=chat()))
    assert plan.summary["objective_cny"] == pytest.approx(160)
    assert column(plan, "fleet.nodes[chatty|2500]") == [2]
    assert column(plan, "fleet.asleep") == [8]
    assert column(plan, "fleet.it_kw") == [2000]
    assert column(plan, "fleet.draw_mw[grid]") == [2]


def test_tokens_worth_less_than_their_energy_are_not_made() -> None:
    """A node earns 9 x 11 = 99 an hour and takes energy for 100."""
    assert profit(site(fleet=fleet(), chat=chat(price=11))) == pytest.approx(0)
    assert profit(site(fleet=fleet(), chat=chat(price=12))) == pytest.approx(18 * 12 - 200)


def test_sleeping_nodes_take_power() -> None:
    """8 of 10 nodes sleep at 0.1 MW: 160 - 8 x 0.1 x 100 = 80."""
    assert profit(site(fleet=fleet(sleep_kw=100), chat=chat())) == pytest.approx(80)


def test_spare_nodes_are_awake_and_idle() -> None:
    """3 spare nodes at 0.2 MW: 160 - 60 = 100."""
    plan = solve(site(fleet=fleet(spare_nodes=3), chat=chat()))
    assert plan.summary["objective_cny"] == pytest.approx(100)
    assert column(plan, "fleet.nodes[chatty|0]") == [3]


def test_spare_nodes_are_counted_over_all_models() -> None:
    """3 spare nodes in all, not 3 a model: they idle where idling takes less, 0.1 MW."""
    lean = {"points": [{"tokens_per_s": 0, "node_kw": 100}, WORK]}
    both = fleet(spare_nodes=3, serves={"chatty": serving(), "lean": lean})
    plan = solve(site(fleet=both, chat=chat()))
    assert plan.summary["objective_cny"] == pytest.approx(160 - 30)
    assert column(plan, "fleet.nodes[lean|0]") == [3]


def test_work_moves_to_the_point_that_takes_least() -> None:
    """18 Mtok: two nodes at 9 take 2 MW, one at 18 takes 1.2 MW."""
    two = fleet(serves={"chatty": serving(WORK, BIG)})
    assert profit(site(fleet=two, chat=chat())) == pytest.approx(360 - 120)


def test_few_nodes_are_pushed_to_a_faster_point() -> None:
    """One node decodes 9 for 0.5 MW or 18 for 1.2 MW; 13.5 Mtok take it for half an hour of each.

    13.5 x 20 - (0.25 + 0.6) x 100 = 185.
    """
    thrifty = WORK | {"node_kw": 500}
    one = fleet(1, serves={"chatty": serving(thrifty, BIG)})
    assert profit(site(fleet=one, chat=chat(13.5))) == pytest.approx(185)


def test_half_a_node_serves_unless_nodes_are_whole() -> None:
    """4.5 Mtok: half a node at 1 MW, or a whole one that could answer 9: 90 - 50 or 90 - 100.

    With the 4.5 Mtok point at 0.8 MW a whole node chooses that one: 90 - 80.
    """
    small = chat(4.5)
    assert profit(site(fleet=fleet(), chat=small)) == pytest.approx(40)
    assert profit(site(fleet=fleet(whole_nodes=True), chat=small)) == pytest.approx(0)
    bound = small | {"min_served_share": 1.0}
    assert profit(site(fleet=fleet(whole_nodes=True), chat=bound)) == pytest.approx(-10)
    choosy = fleet(whole_nodes=True, serves={"chatty": serving(FAST, WORK)})
    assert profit(site(fleet=choosy, chat=bound)) == pytest.approx(10)


def test_pue_multiplies_the_draw() -> None:
    """2 MW of IT take 2 MW in the first hour and 3 MW in the second: 2 x 360 - 500 = 220."""
    assert profit(site(fleet=fleet(pue=[1, 1.5]), chat=chat()), hours=2) == pytest.approx(220)


def test_pue_follows_the_temperature() -> None:
    """15 °C lies halfway between 10 (1.1) and 20 (1.3): 2 MW x 1.2; 10 °C gives 2 MW x 1.1."""
    points = [{"temperature_c": 10, "pue": 1.1}, {"temperature_c": 20, "pue": 1.3}]
    weather = {"temperature_c": [15, 10], "points": points}
    plan = solve(site(fleet=fleet(pue=weather), chat=chat()), hours=2)
    assert column(plan, "fleet.draw_mw[grid]") == [2.4, 2.2]


def test_an_outage_leaves_fewer_nodes() -> None:
    """A tenth of 10 nodes is one: 9 of 18 Mtok, 180 - 100 = 80, after an hour with 160."""
    plan = solve(site(fleet=fleet(available_pu=[1, 0.1]), chat=chat()), hours=2)
    assert plan.summary["objective_cny"] == pytest.approx(160 + 80)
    assert column(plan, "chat.unserved_mtok_per_h") == [0, 9]
    assert column(plan, "fleet.asleep") == [8, 0]


def test_amortisation_is_reported_and_never_optimised() -> None:
    """10 nodes at 7 CNY an hour for 2 hours: 140, running or not, whatever the step."""
    parts = site(fleet=fleet(amortisation_cny_per_node_h=7), chat=chat())
    plan = solve(parts, hours=2, step_min=30)
    assert plan.summary["objective_cny"] == pytest.approx(320)
    assert plan.summary["outside_objective_cny"] == {"fleet": {"amortisation": -140}}
    assert plan.summary["net_after_outside_cny"] == pytest.approx(180)


# Waking


def test_waking_costs() -> None:
    """Two nodes wake at 30 each: 160 - 60; were both awake before, nothing."""
    asleep = fleet(wake_cost_cny=30)
    plan = solve(site(fleet=asleep, chat=chat()))
    assert plan.summary["objective_cny"] == pytest.approx(100)
    assert total(plan, "fleet", "wake") == pytest.approx(-60)
    awake = asleep | {"initial": {"awake": {"chatty": 2}}}
    assert profit(site(fleet=awake, chat=chat())) == pytest.approx(160)


@pytest.mark.parametrize(("wake_cost", "pause"), [(30, 20), (10, 10)])
def test_a_node_idles_through_a_quiet_hour_where_that_is_cheaper(
    wake_cost: float, pause: float
) -> None:
    """Idling through the middle hour costs 0.2 MW x 100 = 20 a node, waking again `wake_cost`.

    Two nodes work in hours 1 and 3: 320 in all, less 2 wakes, less 2 of the cheaper.
    """
    plan = solve(site(fleet=fleet(wake_cost_cny=wake_cost), chat=chat([18, 0, 18])), hours=3)
    assert plan.summary["objective_cny"] == pytest.approx(320 - 2 * wake_cost - 2 * pause)


def test_waking_within_a_step_takes_its_part_of_the_step() -> None:
    """30 of 60 minutes: one node idles half the hour and answers 4.5: 90 - (0.1 + 0.5) x 100 = 30.

    In the second hour it answers 9: 180 - 100 = 80.
    """
    slow = fleet(1, wake_min=30)
    plan = solve(site(fleet=slow, chat=chat(9)), hours=2)
    assert plan.summary["objective_cny"] == pytest.approx(30 + 80)
    assert column(plan, "fleet.nodes[chatty|0]") == [0.5, 0]
    assert column(plan, "chat.answered_mtok_per_h") == [4.5, 9]


def test_waking_longer_than_a_step() -> None:
    """90 minutes: an hour idle, then half an hour, then at work: answers 0, 4.5, 9."""
    slow = fleet(1, wake_min=90)
    plan = solve(site(fleet=slow, chat=chat(9)), hours=3)
    assert column(plan, "chat.answered_mtok_per_h") == [0, 4.5, 9]
    assert plan.summary["objective_cny"] == pytest.approx(-20 + 30 + 80)


def test_a_node_that_was_waking_wakes_on() -> None:
    """Woken in the step before, with 90 minutes to go: half an hour of the first step remains."""
    waking = fleet(1, wake_min=90, initial={"awake": {"chatty": 1}, "woken": {"chatty": [1]}})
    plan = solve(site(fleet=waking, chat=chat(9)), hours=2)
    assert column(plan, "chat.answered_mtok_per_h") == [4.5, 9]
    ready = waking | {"initial": {"awake": {"chatty": 1}}}
    assert profit(site(fleet=ready, chat=chat(9)), hours=2) == pytest.approx(80 + 80)


def test_nodes_that_wake_are_no_spare_nodes() -> None:
    """A spare node idles on beside the one that wakes for half the hour and then works."""
    slow = fleet(2, wake_min=30, spare_nodes=1, initial={"awake": {"chatty": 1}})
    plan = solve(site(fleet=slow, chat=chat(9)))
    assert column(plan, "chat.answered_mtok_per_h") == [4.5]
    assert column(plan, "fleet.nodes[chatty|0]") == [1.5]


@pytest.mark.parametrize(
    ("wake_min", "spare", "idle", "answered"),
    [
        (120, 0, [4, 0], [0, 36]),  # 4 of the 10 wake on for an hour
        (90, 0, [2, 0], [18, 36]),  # or for half an hour, and work in the other half
        (120, 1, [4, 1], [0, 27]),  # one of the 4 is the spare node
    ],
)
def test_an_outage_takes_nodes_that_were_waking(
    wake_min: float, spare: float, idle: list[float], answered: list[float]
) -> None:
    """10 nodes were woken in the step before, when all but 4 fail."""
    initial = {"awake": {"chatty": 10}, "woken": {"chatty": [10]}}
    hit = fleet(available_pu=0.4, wake_min=wake_min, spare_nodes=spare, initial=initial)
    plan = solve(site(fleet=hit, chat=chat(90)), hours=2)
    assert column(plan, "fleet.nodes[chatty|0]") == idle
    assert column(plan, "chat.answered_mtok_per_h") == answered


def test_nodes_that_have_woken_are_not_lost_to_a_later_outage() -> None:
    """150 minutes; 8 of 10 were woken two steps before, 2 in the last; then all but 2 fail.

    The 8 idle for half of the first hour and the 2 for all of it; of the second they idle half.
    """
    initial = {"awake": {"chatty": 10}, "woken": {"chatty": [2, 8]}}
    hit = fleet(available_pu=[1, 0.2], wake_min=150, initial=initial)
    plan = solve(site(fleet=hit, chat=chat(90)), hours=2)
    assert column(plan, "fleet.nodes[chatty|0]") == [6, 1]
    assert column(plan, "chat.answered_mtok_per_h") == [36, 9]


def test_a_node_holds_one_model_and_wakes_to_change_it() -> None:
    """One node, `chatty` in the first hour and `coder` in the second: two wakes at 30.

    9 x 20 + 9 x 20 - 2 x 100 - 2 x 30 = 100; with the node awake on `chatty` at first, 130.
    """
    both = fleet(1, wake_cost_cny=30, serves={"chatty": serving(), "coder": serving()})
    parts = {"chat": chat([9, 0]), "code": chat([0, 9], model="coder")}
    plan = solve(site(fleet=both, **parts), hours=2)
    assert plan.summary["objective_cny"] == pytest.approx(100)
    assert column(plan, "fleet.awake[chatty]") == [1, 0]
    assert column(plan, "fleet.awake[coder]") == [0, 1]
    warm = both | {"initial": {"awake": {"chatty": 1}}}
    assert profit(site(fleet=warm, **parts), hours=2) == pytest.approx(130)


# Errors and warnings in the words of the scenario


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spare_nodes": 11}, "fleet.spare_nodes: may not exceed the nodes available, 10, is 11"),
        ({"spare_nodes": 6, "available_pu": 0.5}, "the nodes available, 5, is 6"),
        (
            {"initial": {"awake": {"nobody": 1}}},
            "fleet.initial.awake.nobody: names model 'nobody', which",
        ),
        ({"initial": {"awake": {"chatty": 11}}}, "sums to 11, more than nodes, 10"),
        (
            {"wake_min": 90, "initial": {"woken": {"chatty": [3]}, "awake": {"chatty": 2}}},
            "components.fleet.initial.woken.chatty: 3 nodes are still waking, more than"
            " initial.awake has, 2",
        ),
        ({"pue": 0.9}, "fleet.pue: must be 1 or more, is 0.9"),
        ({"serves": {}}, "components.fleet.serves"),
        ({"serves": {"chatty": {"points": [WORK]}}}, "must hold the awake idle point"),
        ({"serves": {"chatty": serving(WORK, WORK)}}, "no two points may have the same"),
        (
            {"pue": {"temperature_c": 30, "points": [{"temperature_c": 0, "pue": 1},
                                                     {"temperature_c": 25, "pue": 1.2}]}},
            "pue.points: cover 0 to 25 °C, the weather goes from 30 to 30 °C",
        ),
        (
            {"pue": {"temperature_c": 3, "points": [{"temperature_c": 5, "pue": 1},
                                                    {"temperature_c": 2, "pue": 1.2}]}},
            "temperature_c must ascend",
        ),
    ],
)  # fmt: skip
def test_a_wrong_fleet_is_told_what_is_wrong(change: dict[str, Any], said: str) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(site(fleet=fleet() | change, chat=chat()))
    assert said in str(caught.value)


def test_a_fleet_warns_of_a_model_that_nobody_sells() -> None:
    both = fleet(serves={"chatty": serving(), "coder": serving()})
    found = scenario(site(fleet=both, chat=chat())).warnings()
    assert found[0] == "components.fleet: model 'coder' has no service to sell it"


def test_key_figures() -> None:
    """Two of 10 nodes awake in one of two hours: mean 1, a tenth; 2 MWh drawn; 2 woken."""
    plan = solve(site(fleet=fleet(), chat=chat([18, 0])), hours=2)
    assert plan.summary["figures"]["fleet"] == {
        "awake_mean_nodes": 1, "awake_share": 0.1, "asleep_mean_nodes": 9,
        "woken_nodes": 2, "drawn_mwh": 2,
    }  # fmt: skip


# Two fleets


def test_the_leaner_of_two_fleets_works_first() -> None:
    """27 Mtok: the lean fleet's 2 nodes answer 18 at 0.6 MW each, the other one 9 at 1 MW."""
    lean = fleet(2, serves={"chatty": serving(WORK | {"node_kw": 600})})
    plan = solve(site(lean=lean, other=fleet(), chat=chat(27)))
    assert plan.summary["objective_cny"] == pytest.approx(27 * 20 - 2 * 60 - 100)
    assert column(plan, "lean.answered_mtok_per_h[chat]") == [18]
    assert column(plan, "other.answered_mtok_per_h[chat]") == [9]


def test_fleets_at_two_nodes_follow_the_price_of_energy() -> None:
    """The west pays 100 then 40, the east 60 throughout: work is routed to the cheaper."""
    parts = {
        "west_grid": site([100, 40])["grid"] | {"node": "west"},
        "east_grid": site(60)["grid"] | {"node": "east"},
        "west": fleet(node="west"),
        "east": fleet(node="east"),
        "chat": chat(),
    }
    plan = solve(parts, hours=2)
    assert column(plan, "west.answered_mtok_per_h[chat]") == [0, 18]
    assert plan.summary["objective_cny"] == pytest.approx(720 - 2 * 60 - 2 * 40)


# Several kinds of work on one fleet


def test_one_fleet_answers_chat_batch_and_market_by_price() -> None:
    """Three nodes, 27 Mtok: chat at 20 (9), the market at 18 (9), batch at 15 (9 of 18)."""
    parts = {
        "chat": chat(9), "market": market((9, 18)),
        "batch": batch(18, price=15, deadline_h=0),
    }  # fmt: skip
    plan = solve(site(fleet=fleet(3), **parts))
    assert plan.summary["objective_cny"] == pytest.approx(9 * (20 + 18 + 15) - 300)
    assert column(plan, "batch.answered_mtok_per_h") == [9]
