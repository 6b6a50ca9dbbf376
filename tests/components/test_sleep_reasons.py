"""Why nodes sleep, wake or idle: sums that can be done in the head.

Nodes and prices as in `tests.support.compute`: awake and idle a node takes 0.2 MW at 100 CNY.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.test_reasons import reasons_of
from tests.components.test_sleep_levels import OFF, SOFT, sleeper
from tests.support.build import solve
from tests.support.compute import chat, fleet, site

AWAKE = {"initial": {"awake": {"chatty": 1}}}
WORKS = "all_awake: none is left to sleep: all work, wake or are spare"


def why(nodes: dict[str, Any], *demand: float, price: Any = 100) -> list[str]:
    """The reasons of a fleet with this demand."""
    parts = site(price, fleet=nodes, chat=chat(list(demand)))
    return reasons_of(solve(parts, hours=len(demand)), "fleet", "sleep")


def test_nodes_sleep_in_the_level_that_earns_most_until_they_wake() -> None:
    """Off saves 20 an hour and costs 25 to wake: 80 - 25; soft sleep saves 10 an hour: 40."""
    pause = "sleep of 4 h saves 80 > 25 of waking; in soft it would earn 15 less"
    assert why(sleeper(**AWAKE), 9, 0, 0, 0, 0, 9) == [
        WORKS,
        f"goes_to_sleep: off: 1 nodes go to sleep, which saves 20 a node and hour; {pause}",
        *[
            f"sleeps: off: 1 nodes sleep, which saves 20 a node and hour; the next wake in {h} h;"
            f" {pause}"
            for h in (3, 2, 1)
        ],
        f"wakes: off: 1 nodes wake; {pause}",
    ]


def test_nodes_idle_where_waking_costs_more_than_sleep_would_save() -> None:
    idles = "idles: 1 nodes idle; off: sleep of 1 h would save 20 < 25 of waking"
    assert why(sleeper(1, OFF, **AWAKE), 9, 0, 9) == [WORKS, idles, WORKS]


def test_what_a_node_draws_as_it_drains_is_not_saved() -> None:
    """Half an hour at 200 kW less: 40 - 10."""
    drained = sleeper(1, OFF | {"drain_min": 30}, **AWAKE)
    assert why(drained, 9, 0, 0, 9)[1] == (
        "goes_to_sleep: off: 1 nodes go to sleep, which saves 20 a node and hour;"
        " sleep of 2 h saves 30 > 25 of waking"
    )


def test_the_time_to_wake_has_its_price() -> None:
    """At PUE 1.5 a node saves 30 an hour.

    It wakes in 6 minutes, for which a ninth of a node more wakes, for 5 and 30: 5 + 35 / 9.
    """
    nodes = fleet(2, pue=1.5, wake_cost_cny=5, wake_min=6, **AWAKE)
    assert why(nodes, 9, 0, 9) == [
        "sleeps: 1 nodes sleep, which saves 30 a node and hour; the next wake in 2 h",
        "goes_to_sleep: 1 nodes go to sleep, which saves 30 a node and hour;"
        " sleep of 1 h saves 30 > 8.89 of waking",
        "wakes: 1.11 nodes wake, 0.889 sleep on; sleep of 1 h saves 30 > 8.89 of waking",
    ]


def test_a_ramp_holds_nodes_awake() -> None:
    """One more node awake an hour: the second of two wakes when it is needed, the first before."""
    slow = sleeper(2, OFF | {"wake_cost_cny": 0}, ramp_nodes_per_h=1)
    texts = why(slow, 0, 0, 18)
    assert texts[1] == (
        "wakes: off: 1 nodes wake, 1 sleep on; waking for chatty costs 0 a node; also"
        " ramp_nodes_per_h"
    )


def test_a_fleet_without_sleep_and_one_without_nodes() -> None:
    assert why(fleet(2, sleep_kw=200), 9) == []
    assert why(fleet(2, available_pu=[1, 0]), 0, 9) == [
        "sleeps: 2 nodes sleep, which saves 20 a node and hour", WORKS
    ]  # fmt: skip


@pytest.mark.parametrize("other", [{}, {"node_kw": 90}])
def test_levels_that_earn_the_same_and_to_the_end(other: dict[str, Any]) -> None:
    """Of two alike either may be chosen; the deeper saves 1 more."""
    levels = SOFT, SOFT | {"name": "deep"} | other
    text = why(sleeper(1, *levels, **AWAKE), 0)[0]
    assert text.endswith("in soft it would earn 1 less" if other else "it would earn the same")
    assert "none of them wakes before the end" in text
