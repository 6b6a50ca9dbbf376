"""Reserve from a fleet: batch and market work may pause, interactive work keeps its nodes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.build import column, profit, solve
from tests.support.compute import WORK, batch, chat, fleet, market, serving, site

SHORT = 1000.0  # CNY per MWh of reserve that is missing


def provided(up_mw: float = 100, **parts: Any) -> float:
    """Return the most reserve the fleet gives in one hour, MW."""
    reserve = {
        "kind": "reserve", "up_mw": up_mw, "providers": ["fleet"],
        "shortfall_cost_cny_per_mwh": SHORT,
    }  # fmt: skip
    plan = solve(site(reserve=reserve, **parts))
    return column(plan, "reserve.provided_mw")[0]


@pytest.mark.parametrize("work", [batch(18, deadline_h=1), market((18, 20))])
def test_two_nodes_on_batch_or_market_work_give_two_mw(work: dict[str, Any]) -> None:
    assert provided(fleet=fleet(), work=work) == 2


def test_interactive_work_gives_none() -> None:
    assert provided(fleet=fleet(), chat=chat()) == 0


def test_interactive_work_keeps_its_node_of_two() -> None:
    assert provided(fleet=fleet(), chat=chat(9), work=batch(9, deadline_h=1)) == 1


def test_reserve_counts_what_sleep_saves_behind_the_meter() -> None:
    """2 nodes x (1 - 0.1) MW x 1.5; with 1 Mtok of input a Mtok, a third one that reads."""
    work = batch(18, 60, deadline_h=1)
    assert provided(fleet=fleet(sleep_kw=100, pue=1.5), work=work) == 2.7
    reading = {"chatty": serving(prefill={"tokens_per_s": 5000, "node_kw": 1000})}
    nodes = fleet(sleep_kw=100, pue=1.5, serves=reading)
    assert provided(fleet=nodes, work=work | {"input_per_output": 1}) == 4.05


def test_nodes_without_work_give_none() -> None:
    """Idle nodes give none, nor would nodes set to a working point for no work."""
    assert provided(fleet=fleet(spare_nodes=3), chat=chat()) == 0
    assert provided(fleet=fleet(), work=batch(0)) == 0


def test_headroom_is_kept() -> None:
    """9 Mtok of chat with as much headroom need both nodes, though batch work fills one."""
    quick = chat(9, headroom_share=1, min_served_share=1)
    filler = batch(9, deadline_h=1)
    assert provided(fleet=fleet(2), chat=quick, work=filler) == 0


def test_nodes_that_read_batch_input_pause_too() -> None:
    """9 Mtok of batch, each with 2 of input: one node decodes, one reads; those of chat stay."""
    reading = fleet(serves={"chatty": serving(prefill={"tokens_per_s": 5000, "node_kw": 1000})})
    work = batch(9, 40, deadline_h=1, input_per_output=2)
    assert provided(fleet=reading, work=work) == 2
    asking = chat(9, 40, input_per_output=2)
    assert provided(fleet=reading, work=work, chat=asking) == 2
    assert provided(fleet=reading, chat=asking) == 0


def test_fast_nodes_stay_for_work_with_a_limit() -> None:
    """9 quick Mtok keep their fast node (1 MW); the slow node on batch work (1.2 MW) may pause."""
    slow = {"tokens_per_s": 5000, "node_kw": 1200, "inter_token_ms": 40}
    two = fleet(2, serves={"chatty": serving(WORK, slow)})
    quick = chat(9, max_inter_token_ms=20, min_served_share=1)
    assert provided(fleet=two, chat=quick, work=batch(18, deadline_h=1)) == 1.2


def test_two_reserves_share_the_nodes() -> None:
    """2 MW can pause and 3 are asked for: 1 is short, 360 - 200 - 1000."""
    ask = {"kind": "reserve", "providers": ["fleet"], "shortfall_cost_cny_per_mwh": SHORT}
    parts = {"fast": ask | {"up_mw": 1}, "slow": ask | {"up_mw": 2}}
    found = profit(site(fleet=fleet(), work=batch(18, deadline_h=1), **parts))
    assert found == pytest.approx(160 - SHORT)


def test_reserve_can_be_worth_more_work() -> None:
    """Batch work at 11 a Mtok loses 1 CNY a node-hour, and gives 1 MW that a rule asks for.

    9 x 11 - 100 = -1, where nothing would be 0.
    """
    ask = {"kind": "reserve", "providers": ["fleet"], "up_mw": 1}
    work = batch(9, 11, deadline_h=1)
    assert profit(site(fleet=fleet(), work=work)) == pytest.approx(0)
    assert profit(site(fleet=fleet(), work=work, reserve=ask)) == pytest.approx(-1)


def test_nobody_asks_nothing_is_offered() -> None:
    ask = {"kind": "reserve", "up_mw": 1, "providers": ["grid"]}
    plan = solve(site(fleet=fleet(), work=batch(18, deadline_h=1), reserve=ask))
    assert not [name for name in plan.schedule if "paused" in name]
