"""Scenarios without a plan, each for a cause of its own.

`conflict` names the rules that contradict each other and nothing else, `when` the hours in which
the first of them does; `changes` are proposals that must be among those made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import planner
from tests.support import build, compute

Site = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """A scenario without a plan, and what must be said of it."""

    name: str
    components: Site
    hours: int
    conflict: set[tuple[str, str]]
    changes: dict[str, Any]
    when: str | None = None
    top: Mapping[str, Any] = field(default_factory=dict)

    def scenario(self) -> planner.Scenario:
        """Return the scenario."""
        return build.scenario(self.components, self.hours, **self.top)


def only_buys(**fields: Any) -> dict[str, Any]:
    """A grid that sells to the site and takes nothing."""
    return build.grid(export_limit_mw=0) | fields


def only_sells(**fields: Any) -> dict[str, Any]:
    """A grid that takes energy and gives none."""
    return build.grid(import_limit_mw=0) | fields


def coal(**fields: Any) -> dict[str, Any]:
    """A unit of 140 to 350 MW that has run at its minimum for 3 of its 24 hours."""
    curve = [{"power_mw": 20, "fuel_gj_per_h": 200}, {"power_mw": 350, "fuel_gj_per_h": 3500}]
    return build.thermal(
        min_power_mw=140, max_power_mw=350, curve=curve, min_up_h=24,
        startup_ramp_mw=140, shutdown_ramp_mw=140,
        initial={"on": True, "power_mw": 140, "hours": 3},
    ) | fields  # fmt: skip


def training(**fields: Any) -> dict[str, Any]:
    """A job of two hours that must end within the second and third."""
    return {
        "kind": "job", "fleet": "gpu", "nodes": 1, "node_kw": 1000, "duration_h": 2,
        "release_h": 1, "deadline_h": 3, "value_cny": 0,
    } | fields  # fmt: skip


CASES = [
    Case(
        "capacity",  # 100 + 40 MW of supply, 150 MW of load
        {
            "grid": only_buys(import_limit_mw=100),
            "sun": build.renewable(40, 40, 40, 40),
            "city": build.load(60, 150, 150, 60),
        },
        4,
        {("city", "supply")},
        {"components.grid.import_limit_mw": [100, 110, 110, 100]},
        "01:00-03:00",
    ),
    Case(
        "ramp",  # 40 MW at midnight and 20 MW more an hour; the load rises by 50
        {
            "unit": build.thermal(
                ramp_up_mw_per_h=20, initial={"on": True, "power_mw": 40, "hours": 9}
            ),
            "city": build.load(40, 90, 90, 90),
        },
        4,
        {("city", "demand"), ("unit", "ramp_up")},
        {"components.unit.ramp_up_mw_per_h": 50.0},
    ),
    Case(
        "exchange_ramp",  # 10 MW at midnight and 20 MW more an hour; the load rises by 50
        {"grid": only_buys(ramp_mw_per_h=20), "city": build.load(10, 60, 60)},
        3,
        {("city", "demand"), ("grid", "exchange_ramp")},
        {"components.grid.ramp_mw_per_h": 50.0},
    ),
    Case(
        "swing",  # 100 MW at noon need 60 MW all day; the sun leaves 40 MW for the grid
        {
            "grid": only_buys(max_swing_share=0.4),
            "sun": build.renewable(0, 30, 0, must_take_pu=[0, 0.3, 0]),
            "city": build.load(80, 70, 100),
        },
        3,
        {("city", "demand"), ("grid", "swing"), ("sun", "power_mw")},
        {"components.grid.max_swing_share": 0.6},
    ),
    Case(
        "minimum_time",  # 140 MW for 21 more hours; from 04:00 on load and export take 100
        {
            "coal_1": coal(),
            "city": build.load(*[90] * 4, *[40] * 4),
            "grid": build.grid(import_limit_mw=50, export_limit_mw=60),
        },
        8,
        {("city", "demand"), ("coal_1", "stay_on"), ("grid", "export_limit")},
        {
            "components.grid.export_limit_mw": [60, 60, 60, 60, 100, 100, 100, 100],
            "components.coal_1.min_up_h": 7.0,
        },
        "04:00-05:00",
    ),
    Case(
        "energy",  # 4 hours of 3 MW in the dark need 12 MWh, the battery holds 10
        {
            "sun": build.renewable(10, 10, 10, 0, 0, 0, 0, 10, cost_cny_per_mwh=1),
            "battery": build.battery(),
            "city": build.load(*[3] * 8),
        },
        8,
        {("battery", "capacity"), ("city", "demand"), ("sun", "power_mw")},
        {"components.battery.capacity_mwh": 12.0},
    ),
    Case(
        "ending",  # 1 MW is left over in 4 hours, and 8 MWh are to be there at the end
        {
            "grid": only_buys(import_limit_mw=4),
            "battery": build.battery(ending={"at_least_mwh": 8}),
            "city": build.load(3, 3, 3, 3),
        },
        4,
        {("battery", "ending"), ("city", "demand"), ("grid", "import_limit")},
        {"components.battery.ending.at_least_mwh": 4.0},
    ),
    Case(
        "deadline",  # 20 Mtok at midnight, 9 an hour can be answered: the third hour is too late
        compute.site(
            gpu=compute.fleet(1),
            jobs=compute.batch([20, 0, 0, 0], deadline_h=1, min_served_share=1),
        ),
        4,
        {("gpu", "count"), ("gpu", "decode"), ("jobs", "deadline"), ("jobs", "least")},
        {"components.jobs.deadline_h": 2.0},
    ),
    Case(
        "reserve",  # 10 MW wanted; of 20 MW of import 15 are in use
        {
            "grid": only_buys(import_limit_mw=20),
            "city": build.load(15, 15, 15, 15),
            "spinning": build.reserve(up_mw=10),
        },
        4,
        {("city", "demand"), ("grid", "spare_import"), ("spinning", "reserve")},
        {"components.spinning.up_mw": 5.0, "components.grid.import_limit_mw": 25.0},
    ),
    Case(
        "duration",  # 3 MW for 2 hours are wanted of 4 MWh
        {
            "grid": only_buys(import_limit_mw=5),
            "city": build.load(5),
            "store": build.battery(initial={"energy_mwh": 4}, charge_power_mw=0),
            "spinning": build.reserve(up_mw=3, providers=["store"], duration_h=2),
        },
        1,
        {("spinning", "reserve"), ("store", "reserve_energy")},
        {"components.spinning.up_mw": 2.0, "components.spinning.duration_h": 1.0},
    ),
    Case(
        "response",  # 20 MW are wanted in half an hour of a unit that rises by 30 MW/h
        {
            "unit": build.thermal(must_run=True, ramp_up_mw_per_h=30,
                                  initial={"on": True, "power_mw": 20, "hours": 9}),
            "city": build.load(20),
            "spinning": build.reserve(up_mw=20, providers=["unit"], response_min=30),
        },
        1,
        {("spinning", "reserve"), ("unit", "reserve_response")},
        {"components.spinning.up_mw": 15.0, "components.unit.ramp_up_mw_per_h": 40.0,
         "components.spinning.response_min": 40.0},
    ),
    Case(
        "put_off",  # work due an hour later cannot pause for an hour that may begin any time
        compute.site(
            gpu=compute.fleet(10),
            jobs=compute.batch([18, 0, 0], 60, deadline_h=1, min_served_share=1),
            spinning=build.reserve(up_mw=[2, 0, 0], providers=["gpu"]),
        ),
        3,
        {("gpu", "reserve_power"), ("jobs", "put_off"), ("spinning", "reserve")},
        {"components.jobs.deadline_h": 2.0},
    ),
    Case(
        "latency",  # at 10 ms a node answers half of what it can at 20 ms
        compute.site(
            gpu=compute.fleet(2, serves={"chatty": compute.serving(compute.FAST, compute.WORK)}),
            chat=compute.chat(18, max_inter_token_ms=12, min_served_share=0.9),
        ),
        4,
        {("chat", "least"), ("gpu", "count"), ("gpu", "decode")},
        {"components.chat.max_inter_token_ms": 20.0},
    ),
    Case(
        "export_cap",  # 80 MW must be taken, 60 MW go out and 10 are used
        {
            "sun": build.renewable(50, 80, 50, must_take_pu=[0.5, 0.8, 0.5]),
            "city": build.load(10, 10, 10),
            "grid": only_sells(export_limit_mw=60),
        },
        3,
        {("city", "demand"), ("grid", "export_limit"), ("sun", "power_mw")},
        {"components.grid.export_limit_mw": [60, 70, 60]},
        "01:00-02:00",
    ),
    Case(
        "integers",  # half a unit could give 50 MW, a whole one gives 60 or nothing
        {
            "unit": coal(min_power_mw=60, initial={"on": False, "hours": 100}, min_up_h=1),
            "city": build.load(50),
        },
        1,
        {("city", "demand"), ("unit", "ceiling")},
        {"components.unit.min_power_mw": 50.0},
    ),
    Case(
        "two_rules",  # must run and must take: each alone fits, both together do not
        {
            "unit": coal(min_power_mw=60, must_run=True, min_up_h=0,
                         initial={"on": True, "power_mw": 60, "hours": 9}),
            "sun": build.renewable(60, 60, must_take_pu=0.6),
            "city": build.load(30, 30),
            "grid": only_sells(export_limit_mw=70),
        },
        2,
        {("city", "demand"), ("grid", "export_limit"), ("sun", "power_mw"), ("unit", "on")},
        {"components.unit.must_run": False},
    ),
    Case(
        "time_dependent",  # the line is weak for four hours of the second morning
        {
            "grid": only_buys(import_limit_mw=[*[10] * 26, *[2] * 4, 10, 10]),
            "battery": build.battery(initial={"energy_mwh": 5}),
            "city": build.load(*[5] * 32),
        },
        32,
        {("battery", "capacity"), ("city", "demand"), ("grid", "import_limit")},
        {"components.battery.capacity_mwh": 12.0},
        "07-16 02:00-06:00",
    ),
    Case(
        "line",  # 12 MWh in two hours, of which the line brings 8 and the battery 3
        {
            "grid": only_buys(node="west"),
            "link": {"kind": "line", "from_node": "west", "to_node": "east", "capacity_mw": 4},
            "battery": build.battery(
                node="east", initial={"energy_mwh": 3}, ending={"at_least_mwh": 0}
            ),
            "town": build.load(6, 6, node="east"),
        },
        2,
        {("link", "forward_limit"), ("town", "demand")},
        {"components.link.capacity_mw": 4.5},
    ),
    Case(
        "job_nodes",  # 8 nodes are wanted; in the hours of the run 6 of 10 are there
        compute.site(
            gpu=compute.fleet(10, available_pu=[1, 0.6, 0.6, 1]),
            training=training(nodes=8, mandatory=True),
        ),
        4,
        {("gpu", "count"), ("training", "mandatory")},
        {"components.gpu.nodes": 13.34, "components.training.mandatory": False},
    ),
    Case(
        "job_power",  # 8 nodes take 8 MW; 5 MW are there in the third hour
        compute.site(
            gpu=compute.fleet(10), training=training(nodes=8, mandatory=True)
        ) | {"grid": compute.grid(import_limit_mw=[9, 9, 5, 9])},
        4,
        {("grid", "import_limit"), ("training", "mandatory"), ("training", "start")},
        {"components.grid.import_limit_mw": [9, 9, 8, 9]},
    ),
    Case(
        "job_runs_on",  # half of its run is behind it and it holds 8 nodes for an hour more
        compute.site(
            gpu=compute.fleet(10, available_pu=[0.6, 1, 1, 1]),
            training=training(nodes=8, initial={"hours_run": 1}),
        ),
        4,
        {("gpu", "count"), ("training", "run_on")},
        {"components.gpu.nodes": 13.34},
        "00:00-01:00",
    ),
    Case(
        "green_rule",  # 10 MWh of sun in the first hour, 5 of which the city can take
        {
            "sun": build.renewable(10, 0),
            "grid": only_buys(),
            "city": build.load(5, 5),
            "green": build.green_rule(min_load_share=0.8),
        },
        2,
        {("city", "demand"), ("green", "load_share"), ("sun", "power_mw")},
        {"components.green.min_load_share": 0.5},
    ),
    Case(
        "self_use",  # 8 of 10 MWh are to be used; the city takes 4 and there is no other use
        {
            "sun": build.renewable(10),
            "grid": only_sells(),
            "city": build.load(4),
            "green": build.green_rule(min_self_use_share=0.8),
        },
        1,
        {("city", "demand"), ("green", "self_use")},
        {"components.green.min_self_use_share": 0.4},
    ),
    Case(
        "export_share",  # what must be taken and is not used goes out: 6 of 10 MWh, 2 may
        {
            "sun": build.renewable(10, must_take_pu=0.1),
            "grid": only_sells(),
            "city": build.load(4),
            "green": build.green_rule(max_export_share=0.2),
        },
        1,
        {("city", "demand"), ("green", "export"), ("sun", "power_mw")},
        {"components.green.max_export_share": 0.6},
    ),
    Case(
        "budget",  # 8 MWh at 0.5 tCO2 and 1 tCO2 before; 4 tCO2 are allowed
        {
            "grid": only_buys(import_emission_tco2_per_mwh=0.5),
            "city": build.load(4, 4),
            "ets": build.carbon(budget_tco2=4, so_far_tco2=1),
        },
        2,
        {("city", "demand"), ("ets", "budget")},
        {"components.ets.budget_tco2": 5.0},
    ),
]  # fmt: skip
