"""Golden programs of fleets and services: a change of their mathematics shows as a difference."""

from __future__ import annotations

from tests.support import golden
from tests.support.build import scenario
from tests.support.compute import WORK, batch, chat, fleet, market, serving, site

SLOW = {"tokens_per_s": 5000, "node_kw": 1200, "inter_token_ms": 40}


def test_golden_fleet() -> None:
    """Two points, prefill, spare nodes, waking for 90 minutes, headroom, reserve; one model."""
    reading = serving(WORK, SLOW, prefill={"tokens_per_s": 5000, "node_kw": 900})
    nodes = fleet(
        pue=[1.1, 1.2],
        sleep_kw=50,
        wake_min=90,
        wake_cost_cny=30,
        spare_nodes=1,
        serves={"chatty": reading},
        initial={"awake": {"chatty": 3}, "woken": {"chatty": [1]}},
    )
    quick = chat([9, 18], max_inter_token_ms=20, headroom_share=0.5, input_per_output=2)
    ask = {"kind": "reserve", "up_mw": 0.5, "providers": ["fleet"]}
    parts = site(fleet=nodes, quick=quick, open=market((9, 12)), reserve=ask)
    golden.check("compute_fleet", scenario(parts, hours=2))


def test_golden_sleep_levels() -> None:
    """Two levels, one of which drains for 90 minutes, an outage, a job, ramps; a past in all."""
    nodes = {name: value for name, value in fleet(6).items() if name != "sleep_kw"} | {
        "sleep": [
            {"name": "soft", "node_kw": 100, "wake_cost_cny": 1},
            {"name": "off", "node_kw": 20, "wake_min": 90, "wake_cost_cny": 5, "drain_min": 90},
        ],
        "ramp_nodes_per_h": 2,
        "available_pu": [1, 0.5],
        "initial": {
            "awake": {"chatty": 2}, "asleep": {"off": 2},
            "woken": {"off|chatty": [1]}, "slept": {"off": [1]},
        },
    }  # fmt: skip
    job = {"kind": "job", "fleet": "fleet", "nodes": 1, "node_kw": 500, "duration_h": 1,
           "deadline_h": 2, "value_cny": 90}  # fmt: skip
    golden.check("compute_sleep", scenario(site(fleet=nodes, chat=chat(9), job=job), hours=2))


def test_golden_first_token() -> None:
    """Two services of which each may use a point that the other may not, and a third."""
    points = (WORK | {"first_token_ms": 300}, SLOW | {"first_token_ms": 100},
              SLOW | {"tokens_per_s": 3000, "node_kw": 1500, "first_token_ms": 300})  # fmt: skip
    parts = site(
        fleet=fleet(serves={"chatty": serving(*points)}),
        smooth=chat(9, max_inter_token_ms=20, headroom_share=0.5),
        prompt=chat(9, max_first_token_ms=100),
        any=market((9, 12)),
    )
    golden.check("compute_first_token", scenario(parts))


def test_golden_whole_nodes() -> None:
    """Two models on whole nodes."""
    both = fleet(2, whole_nodes=True, serves={"chatty": serving(), "coder": serving()})
    parts = site(fleet=both, chat=chat(), code=market((9, 20), model="coder"))
    golden.check("compute_whole_nodes", scenario(parts))


def test_golden_services() -> None:
    """Chat with a least share, a market of two steps, batch work with a past and an end value."""
    work = batch(
        [9, 4],
        deadline_h=1,
        refusal_cost_cny_per_mtok=3,
        initial={"waiting": [{"age_h": 0, "mtok": 2}, {"age_h": 1, "mtok": 1}]},
        ending={"value_cny_per_mtok": 10, "at_most_mtok": 5},
    )
    parts = site(
        fleet=fleet(3),
        chat=chat(min_served_share=0.5, unserved_cost_cny_per_mtok=2),
        open=market((9, [20, 21]), ([5, 6], 12)),
        work=work,
    )
    golden.check("compute_services", scenario(parts, hours=2))
