"""Every field of fleets and services counts: a case for each in which changing it changes the sum.

A field without a case fails. Nodes and prices as in `tests.support.compute`: a node at work takes
1 MW at 100 CNY and answers 9 Mtok, idle 0.2 MW; 18 Mtok of chat at 20 leave 160.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from planner.components.fleet.fields import FleetInitial
from planner.components.fleet.fleet import Fleet
from planner.components.fleet.operating_points import OperatingPoint, Prefill, Serving
from planner.components.fleet.pue import PueByTemperature, PuePoint
from planner.components.fleet.sleep_levels import SleepLevel
from planner.components.service.queue import EndingValue, MarketStep, ServiceInitial, Waiting
from planner.components.service.service import Service
from planner.fleets.hosts import Host
from tests.support.build import profit, solve
from tests.support.compute import FAST, WORK, batch, chat, fleet, grid, market, serving, site

CLASSES = [
    Fleet, FleetInitial, Host, SleepLevel, Serving, OperatingPoint, Prefill,
    PueByTemperature, PuePoint,
    Service, ServiceInitial, MarketStep, Waiting, EndingValue,
]  # fmt: skip

SLOW = {"tokens_per_s": 5000, "node_kw": 1200, "inter_token_ms": 40}
READ = {"tokens_per_s": 5000, "node_kw": 1000}
INPUT = {"input_per_output": 2, "cached_share": 0.5}
PAID = INPUT | {"price_input_cny_per_mtok": 1, "price_cached_cny_per_mtok": 0.5}

Parts = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Two values of a field, the profit with each, and the components that hold it."""

    values: tuple[Any, Any]
    profits: tuple[float, float]
    parts: Callable[[Any], Parts]
    hours: int = 1


def of_fleet(name: str) -> Callable[[Any], Parts]:
    return lambda value: site(fleet=fleet() | {name: value}, chat=chat())


def of_chat(name: str, **more: Any) -> Callable[[Any], Parts]:
    return lambda value: site(fleet=fleet(), chat=chat(**more) | {name: value})


def of_point(name: str) -> Callable[[Any], Parts]:
    """One of two points changes; work must be answered within 40 ms."""
    return lambda value: site(
        fleet=fleet(serves={"chatty": serving(WORK, SLOW | {name: value})}),
        chat=chat(max_inter_token_ms=40),
    )


def of_prefill(name: str) -> Callable[[Any], Parts]:
    """18 Mtok with 18 of input to read."""
    return lambda value: site(
        fleet=fleet(serves={"chatty": serving(prefill=READ | {name: value})}),
        chat=chat(input_per_output=1),
    )


def of_host(host: dict[str, float], gpu_kw: float = 500, **prefill: Any) -> Parts:
    """GPUs of a node at work draw 500 kW: on a host of 500 kW, 1 MW."""
    points = [{"tokens_per_s": 0, "node_kw": 200}, {"tokens_per_s": 2500, "gpu_kw": gpu_kw}]
    host = {"idle_kw": 500, "gpu_wall_factor": 1} | host
    reads = {"input_per_output": 1} if prefill else {}
    return site(
        fleet=fleet(serves={"chatty": {"points": points} | prefill}, host=host), chat=chat(**reads)
    )


def of_weather(temperature: float, points: Any) -> Parts:
    pue = {"temperature_c": temperature, "points": points}
    return site(fleet=fleet(pue=pue), chat=chat())


def weather(*points: tuple[float, float]) -> list[dict[str, float]]:
    return [{"temperature_c": temperature, "pue": pue} for temperature, pue in points]


def two_nodes(node: str) -> Parts:
    west = grid(40) | {"node": "west"}
    return site(west=west, fleet=fleet(node=node), chat=chat())


def two_models(model: str) -> Parts:
    lean = serving(WORK | {"node_kw": 500})
    both = fleet(serves={"chatty": serving(), "lean": lean})
    return site(fleet=both, chat=chat(model=model))


def of_queue(work: Waiting | dict[str, Any], **more: Any) -> Parts:
    """Energy for 100, then for 40; a deadline of 2 hours."""
    waiting = {"waiting": [work]}
    return site([100, 40], fleet=fleet(), work=batch(0, deadline_h=2, initial=waiting, **more))


def of_ending(**change: float) -> Parts:
    """18 Mtok arrive; a Mtok left waiting is worth more than the 80/9 an answer leaves."""
    ending = {"value_cny_per_mtok": 15, "at_most_mtok": 9} | change
    return site(fleet=fleet(), work=batch(18, ending=ending))


def of_past(**past: float) -> Parts:
    """Tokens at 10 lose 10 a node-hour; half of what was and is wanted must be served."""
    past = {"wanted_so_far_mtok": 18, "served_so_far_mtok": 9} | past
    return site(fleet=fleet(), chat=chat(price=10, min_served_share=0.5, initial=past))


def sold(depth: float = 9, price: float = 12) -> Parts:
    return site(fleet=fleet(), open=market((9, 20), (depth, price)))


def sheltered(value: Any) -> Parts:
    """Work within 15 ms goes to nodes at 4.5 Mtok and 0.8 MW."""
    quick = fleet(serves={"chatty": serving(FAST, WORK)})
    return site(fleet=quick, chat=chat(max_inter_token_ms=value))


def waking(value: list[float]) -> Parts:
    """One node, 90 minutes to wake, woken in the step before or long ago."""
    initial = {"awake": {"chatty": 1}, "woken": {"chatty": value}}
    return site(fleet=fleet(1, wake_min=90, initial=initial), chat=chat(9))


def levelled(*levels: dict[str, Any], nodes: float = 10, **more: Any) -> dict[str, Any]:
    """Nodes with levels of sleep."""
    base = {name: value for name, value in fleet(nodes).items() if name != "sleep_kw"}
    return base | {"sleep": list(levels)} | more


def one_level(nodes: float = 10, demand: float = 18, initial: Any = None, **level: Any) -> Parts:
    only = {"name": "off", "node_kw": 0} | level
    return site(fleet=levelled(only, nodes=nodes, initial=initial or {}), chat=chat(demand))


COLD, WARM = {"awake": {}}, {"awake": {"chatty": 2}}

CASES = {
    "Fleet.node": Case(("site", "west"), (160, 360 - 80), two_nodes),
    "Fleet.nodes": Case((1, 2), (80, 160), of_fleet("nodes")),
    "Fleet.available_pu": Case((0.1, 1), (80, 160), of_fleet("available_pu")),
    "Fleet.spare_nodes": Case((0, 3), (160, 100), of_fleet("spare_nodes")),
    "Fleet.pue": Case((1, 1.5), (160, 60), of_fleet("pue")),
    "Fleet.sleep_kw": Case((0, 100), (160, 80), of_fleet("sleep_kw")),
    "Fleet.wake_min": Case(
        (0, 30), (80, 30), lambda v: site(fleet=fleet(1, wake_min=v), chat=chat(9))
    ),
    "Fleet.wake_cost_cny": Case((0, 30), (160, 100), of_fleet("wake_cost_cny")),
    "Fleet.sleep": Case(
        ([{"name": "a", "node_kw": 0}], [{"name": "a", "node_kw": 100}]), (160, 80),
        lambda v: site(fleet=levelled(*v), chat=chat()),
    ),
    "Fleet.ramp_nodes_per_h": Case((2, 1), (160, 80), of_fleet("ramp_nodes_per_h")),
    "Fleet.whole_nodes": Case(
        (False, True), (40, 0), lambda v: site(fleet=fleet(whole_nodes=v), chat=chat(4.5))
    ),
    "Fleet.serves": Case(
        ({"chatty": serving()}, {"chatty": serving(SLOW)}), (160, 240), of_fleet("serves")
    ),
    "Fleet.host": Case(({"idle_kw": 500}, {"idle_kw": 0}), (160, 260), of_host),
    "Host.idle_kw": Case((500, 0), (160, 260), lambda v: of_host({"idle_kw": v})),
    "Host.gpu_wall_factor": Case((1, 2), (160, 60), lambda v: of_host({"gpu_wall_factor": v})),
    "Fleet.initial": Case(
        (COLD, WARM), (100, 160),
        lambda v: site(fleet=fleet(wake_cost_cny=30, initial=v), chat=chat()),
    ),
    "FleetInitial.awake": Case(
        ({"chatty": 1}, {"chatty": 2}), (130, 160),
        lambda v: site(fleet=fleet(wake_cost_cny=30, initial={"awake": v}), chat=chat()),
    ),
    "FleetInitial.woken": Case(([1], [0]), (30, 80), waking),
    "FleetInitial.asleep": Case(
        ({"off": 10}, {}), (0, -100),
        lambda v: site(fleet=levelled({"name": "soft", "node_kw": 100, "wake_cost_cny": 99},
                                      {"name": "off", "node_kw": 0}, initial={"asleep": v})),
    ),
    "FleetInitial.slept": Case(
        ({"off": [0]}, {"off": [4]}), (0, -80),
        lambda v: site(fleet=levelled(
            {"name": "off", "node_kw": 0, "drain_min": 120}, initial={"slept": v})),
    ),
    "SleepLevel.name": Case(
        ("off", "deep"), (-30, 0),
        lambda v: site(fleet=levelled(
            {"name": "soft", "node_kw": 100, "wake_cost_cny": 99},
            {"name": v, "node_kw": 0},
            {"name": "off" if v == "deep" else "deep", "node_kw": 30, "wake_cost_cny": 99},
            initial={"asleep": {"deep": 10}})),
    ),
    "SleepLevel.node_kw": Case((0, 100), (160, 80), lambda v: one_level(node_kw=v)),
    "SleepLevel.wake_min": Case(
        (0, 30), (160, 160 - 2 * 50), lambda v: one_level(wake_min=v, nodes=2)
    ),
    "SleepLevel.wake_cost_cny": Case((0, 30), (160, 100), lambda v: one_level(wake_cost_cny=v)),
    "SleepLevel.drain_min": Case(
        (0, 30), (0, -20),
        lambda v: one_level(drain_min=v, demand=0, initial={"awake": {"chatty": 2}}),
    ),
    "Serving.points": Case(
        ([{"tokens_per_s": 0, "node_kw": 0}, WORK], [{"tokens_per_s": 0, "node_kw": 0}, SLOW]),
        (160, 240),
        lambda v: site(fleet=fleet(serves={"chatty": {"points": v}}), chat=chat()),
    ),
    "Serving.prefill": Case(
        (None, READ), (160, 60),
        lambda v: site(
            fleet=fleet(serves={"chatty": serving(prefill=v)}), chat=chat(input_per_output=1)
        ),
    ),
    "OperatingPoint.tokens_per_s": Case((5000, 10000), (240, 300), of_point("tokens_per_s")),
    "OperatingPoint.node_kw": Case((1200, 1000), (240, 260), of_point("node_kw")),
    "OperatingPoint.gpu_kw": Case((500, 0), (160, 260), lambda v: of_host({}, v)),
    "OperatingPoint.inter_token_ms": Case((40, 41), (240, 160), of_point("inter_token_ms")),
    "OperatingPoint.first_token_ms": Case(
        (300, 301), (240, 160),
        lambda v: site(
            fleet=fleet(serves={"chatty": serving(
                WORK | {"first_token_ms": 100}, SLOW | {"first_token_ms": v})}),
            chat=chat(max_first_token_ms=300),
        ),
    ),
    "Prefill.tokens_per_s": Case((5000, 10000), (60, 110), of_prefill("tokens_per_s")),
    "Prefill.gpu_kw": Case(
        (500, 0), (60, 110),
        lambda v: of_host({}, prefill={"tokens_per_s": 5000, "gpu_kw": v}),
    ),
    "Prefill.node_kw": Case((1000, 500), (60, 110), of_prefill("node_kw")),
    "PueByTemperature.temperature_c": Case(
        (10, 15), (160, 140), lambda v: of_weather(v, weather((10, 1), (20, 1.2)))
    ),
    "PueByTemperature.points": Case(
        (weather((0, 1), (20, 1)), weather((0, 1), (10, 1.1), (20, 1.1))), (160, 140),
        lambda v: of_weather(20, v),
    ),
    "PuePoint.temperature_c": Case(
        (20, 30), (140, 150), lambda v: of_weather(15, weather((10, 1), (v, 1.2)))
    ),
    "PuePoint.pue": Case(
        (1.2, 1.4), (140, 120), lambda v: of_weather(15, weather((10, 1), (20, v)))
    ),
    "Service.model": Case(("chatty", "lean"), (160, 260), two_models),
    "Service.max_inter_token_ms": Case((20, 10), (160, 360 - 320), sheltered),
    "Service.max_first_token_ms": Case(
        (200, 100), (160, 360 - 320),
        lambda v: site(
            fleet=fleet(serves={"chatty": serving(
                FAST | {"first_token_ms": 100}, WORK | {"first_token_ms": 200})}),
            chat=chat(max_first_token_ms=v),
        ),
    ),
    "Service.price_cny_per_mtok": Case((20, 30), (160, 340), of_chat("price_cny_per_mtok")),
    "Service.input_per_output": Case(
        (2, 4), (160 + 18 + 9, 160 + 36 + 18), of_chat("input_per_output", **PAID)
    ),
    "Service.cached_share": Case(
        (0.5, 0), (160 + 18 + 9, 160 + 36), of_chat("cached_share", **PAID)
    ),
    "Service.price_input_cny_per_mtok": Case(
        (0, 2), (160, 160 + 36), of_chat("price_input_cny_per_mtok", **INPUT)
    ),
    "Service.price_cached_cny_per_mtok": Case(
        (0, 2), (160, 160 + 36), of_chat("price_cached_cny_per_mtok", **INPUT)
    ),
    "Service.min_served_share": Case((0, 0.5), (0, -10), of_chat("min_served_share", price=10)),
    "Service.demand_mtok_per_h": Case((18, 9), (160, 80), of_chat("demand_mtok_per_h")),
    "Service.headroom_share": Case((0, 0.5), (160, 60), of_chat("headroom_share")),
    "Service.unserved_cost_cny_per_mtok": Case(
        (0, 10), (0, -20), of_chat("unserved_cost_cny_per_mtok", price=10)
    ),
    "Service.arrivals_mtok_per_h": Case(
        (18, 9), (160, 80), lambda v: site(fleet=fleet(), work=batch(v, deadline_h=0))
    ),
    "Service.deadline_h": Case(
        (0, 1), (160, 280),
        lambda v: site([100, 40], fleet=fleet(), work=batch([18, 0], deadline_h=v)), hours=2,
    ),
    "Service.refusal_cost_cny_per_mtok": Case(
        (0, 10), (0, -20),
        lambda v: site(fleet=fleet(), work=batch(18, price=10, refusal_cost_cny_per_mtok=v)),
    ),
    "Service.initial": Case(
        ({}, {"waiting": [{"age_h": 0, "mtok": 9}]}), (0, 80),
        lambda v: site(fleet=fleet(), work=batch(0, deadline_h=0, initial=v)),
    ),
    "Service.ending": Case(
        ("same_as_start", {"value_cny_per_mtok": 15, "at_most_mtok": 18}), (160, 270),
        lambda v: site(fleet=fleet(), work=batch(18, ending=v)),
    ),
    "Service.market": Case(
        (market((9, 20))["market"], market((9, 30))["market"]), (80, 170),
        lambda v: site(fleet=fleet(), open=market() | {"market": v}),
    ),
    "ServiceInitial.waiting": Case(
        ([], [{"age_h": 0, "mtok": 18}]), (0, 160),
        lambda v: site(fleet=fleet(), work=batch(0, deadline_h=1, initial={"waiting": v})),
    ),
    "ServiceInitial.wanted_so_far_mtok": Case(
        (18, 36), (-10, -20), lambda v: of_past(wanted_so_far_mtok=v)
    ),
    "ServiceInitial.served_so_far_mtok": Case(
        (9, 0), (-10, -20), lambda v: of_past(served_so_far_mtok=v)
    ),
    "MarketStep.mtok_per_h": Case((9, 18), (88, 96), lambda v: sold(depth=v)),
    "MarketStep.price_cny_per_mtok": Case((12, 13), (88, 97), lambda v: sold(price=v)),
    "Waiting.age_h": Case(
        (0, 1), (140, 80), lambda v: of_queue({"age_h": v, "mtok": 9}), hours=2
    ),
    "Waiting.mtok": Case((9, 18), (140, 280), lambda v: of_queue({"age_h": 0, "mtok": v}), hours=2),
    "EndingValue.value_cny_per_mtok": Case(
        (15, 20), (80 + 135, 80 + 180), lambda v: of_ending(value_cny_per_mtok=v)
    ),
    "EndingValue.at_most_mtok": Case(
        (9, 18), (80 + 135, 270), lambda v: of_ending(at_most_mtok=v)
    ),
}  # fmt: skip

REPORTED = {"Fleet.amortisation_cny_per_node_h"}
OF_CURVES = {"Serving.library", "Host.gpus", "Host.gpu_idle_kw"}  # test_library_points
SHOWN = {"OperatingPoint.first_token_ms"}
NAMES = {f"{kind}.{name}" for kind in ("Fleet", "Service") for name in ("kind", "title")}


@pytest.mark.parametrize("field", CASES)
def test_a_field_changes_the_sum(field: str) -> None:
    case = CASES[field]
    assert case.profits[0] != case.profits[1]
    for value, wanted in zip(case.values, case.profits, strict=True):
        assert profit(case.parts(value), hours=case.hours) == pytest.approx(wanted, abs=1e-6)


def test_a_reported_field_changes_the_summary_alone() -> None:
    parts = of_fleet("amortisation_cny_per_node_h")
    plans = [solve(parts(rate)) for rate in (0, 7)]
    assert [plan.summary["objective_cny"] for plan in plans] == pytest.approx([160, 160])
    assert [plan.summary["net_after_outside_cny"] for plan in plans] == pytest.approx([160, 90])


def test_every_field_has_a_case() -> None:
    fields = {f"{cls.__name__}.{name}" for cls in CLASSES for name in cls.model_fields}
    assert fields == set(CASES) | REPORTED | OF_CURVES | SHOWN | NAMES
