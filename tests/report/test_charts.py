"""Charts show the numbers of the plan: balances, flows, intervals, sums done in the head."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pyomo.environ as pyo
import pytest

import planner
from planner.components.component import Component, Site, Supply
from planner.components.registry import KINDS, Kind
from planner.components.terms import Balance, Line, State, Terms, Use
from planner.errors import PlanError, PlannerError
from planner.language.language import language
from planner.plan.plan import Plan
from planner.report.charts.chart import Chart
from planner.report.charts.clock import Clock
from planner.report.charts.commitment import rows_of, spans
from planner.report.charts.difference import common_clock, profit_chart
from planner.report.charts.registry import CHARTS, charts_of
from planner.report.charts.style import (
    MORE_STYLES,
    OTHER,
    SUPPLY_STYLES,
    USE_STYLES,
    folded,
    styles_of,
    tones,
)
from planner.report.charts.supply import supplied, used
from planner.report.charts.view import View
from planner.report.template import encoded
from tests.support import compute
from tests.support.build import battery, grid, load, market, renewable, scenario, solve, thermal

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
SMALL = ["tiny_arbitrage", "tiny_origin", "tiny_market", "tiny_deadline", "tiny_wake", "tiny_start",
         "negative_prices"]  # fmt: skip
EN = language("en")


@cache
def shipped(name: str) -> Plan:
    return planner.solve(planner.load(SCENARIOS / name))


@cache
def two_nodes() -> Plan:
    """Sun at one end of a line, a load, a coal unit and a battery at the other."""
    line = {"kind": "line", "from_node": "a", "to_node": "b", "capacity_mw": 20, "loss_share": 0.1}
    return solve(
        {
            "pv": renewable(30, 30, 0, 0, node="a"),
            "tie": line,
            "coal": thermal(node="b", auxiliary_share=0.1, fuel_price_cny_per_gj=10),
            "store": battery(node="b", charge_efficiency=0.9, discharge_efficiency=0.9),
            "town": load(8, 12, 40, 9, node="b", shed_cost_cny_per_mwh=5000),
            "grid": grid(node="b", import_price_cny_per_mwh=400),
        },
        hours=4,
    )


@cache
def pooled() -> Plan:
    parts = {
        "pv": renewable(5, 0),
        "coal": thermal(min_power_mw=2, max_power_mw=10, curve=[
            {"power_mw": 2, "fuel_gj_per_h": 2}, {"power_mw": 10, "fuel_gj_per_h": 10}]),
        "store": battery(),
        "town": load(4, 8),
        "grid": grid(resale=True),
    }  # fmt: skip
    return solve(parts, hours=2, trace=False)


@cache
def many_steps() -> Plan:
    """1,512 steps of 5 minutes from 06:00 on: blocks of an hour, five and a quarter days."""
    sun = np.abs(np.sin(np.arange(1512) / 40)) * 60
    parts = {"pv": renewable(*sun.tolist()), "store": battery(leak_per_h=0.01), "town": load(20),
             "grid": grid()}  # fmt: skip
    parts["town"] = {"kind": "load", "demand_mw": 20}
    return solve(parts, hours=126, step_min=5, start="2026-07-15T06:00:00+08:00")


PLANS = [*SMALL, "two_nodes", "pooled"]


def plan_of(name: str) -> Plan:
    return {"two_nodes": two_nodes, "pooled": pooled}[name]() if name in (
        "two_nodes", "pooled") else shipped(name)  # fmt: skip


def chart(plan: Plan, key: str, lang: str = "en") -> Chart:
    found = CHARTS[key].chart(View(plan), language(lang))
    assert found is not None
    return found


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_chart_is_a_valid_figure_with_words_and_a_table(name: str, lang: str) -> None:
    charts = charts_of(plan_of(name), language(lang))
    assert {"supply", "allocation", "ledger"} <= {c.key for c in charts}
    for made in charts:
        figure = go.Figure(made.figure)  # unknown or wrong properties raise
        assert len(figure.data) > 0
        assert made.title
        assert len(made.table) > 0
        assert made.figure["layout"]["height"] > 0
        assert "width" not in made.figure["layout"]
        assert not any("://" in text for text in strings(made.figure))
        if made.over_time:
            assert made.figure["layout"]["xaxis"]["type"] == "date"
        json.loads(encoded(made.figure))


@pytest.mark.parametrize("name", PLANS)
def test_both_sides_of_the_supply_are_equal_in_every_step(name: str) -> None:
    figure = chart(plan_of(name), "supply").figure
    sides = {
        group: np.sum([t["y"] for t in figure["data"] if t["stackgroup"] == group], axis=0)
        for group in {t["stackgroup"] for t in figure["data"]}
    }
    assert np.abs(sides["in"]).max() > 0
    np.testing.assert_allclose(sides["in"] + sides["uses"], 0, atol=1e-6)
    if "parts" in sides:
        np.testing.assert_allclose(sides["parts"], sides["uses"], atol=1e-9)


class Boiler(Component):
    """A kind that no chart knows: it turns power to heat, and stores power on its own."""

    kind: Literal["boiler"]
    uses = {"heat": Use(drawn=True), "storage": Use(order=4)}  # noqa: RUF012
    states = (State("hot", "hot", whole=True),)
    power_mw: float
    """Most heat."""
    price_cny_per_mwh: float
    """Price of heat."""

    def demands(self) -> dict[Supply, str]:
        return {("power", "site"): "kind"}

    def build(self, b: Any, site: Site) -> Terms:
        time, origins = site.clock, site.origins
        b.hot = pyo.Var(time.steps, domain=pyo.Binary)
        b.heat_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.put_mw = pyo.Var(origins, time.steps, domain=pyo.Reals)  # taken where below zero
        b.kept_mwh = pyo.Var(time.points, domain=pyo.NonNegativeReals)
        for point in (time.first - 1, time.last):
            b.kept_mwh[point].fix(0)
        b.most = pyo.Constraint(
            time.steps,
            rule=lambda b, t: sum(b.heat_mw[o, t] for o in origins) <= self.power_mw * b.hot[t],
        )
        b.keeps = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                b.kept_mwh[t]
                == b.kept_mwh[t - 1] + time.step_h * sum(b.put_mw[o, t] for o in origins)
            ),
        )
        price = self.price_cny_per_mwh * time.step_h
        return Terms(
            flows={
                Balance("power", "site", o): lambda t, o=o: -b.heat_mw[o, t] - b.put_mw[o, t]
                for o in origins
            },
            costs={
                Line("heat"): {
                    t: -price * sum(b.heat_mw[o, t] for o in origins) for t in time.steps
                }
            },
            uses={("heat", o): lambda t, o=o: b.heat_mw[o, t] for o in origins}
            | {("storage", o): lambda t, o=o: b.put_mw[o, t] for o in origins},
        )


@pytest.fixture
def boil(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Plan]:
    """Of 9 MWh of sun in every other hour 4 are heat, 4 are kept for the next, 1 is curtailed.

    The 4 kept are heat an hour later: 8 MWh at 100 earn 800.
    """
    monkeypatch.setitem(KINDS, "boiler", Kind(Boiler))
    monkeypatch.setattr("planner.studies.solve.publish", lambda *_: None)
    boiler = {"kind": "boiler", "power_mw": 4, "price_cny_per_mwh": 100}
    return lambda hours: solve(
        {"pv": renewable(*([9, 0] * (hours // 2))), "boiler": boiler}, hours=hours
    )


def test_a_use_and_a_store_that_no_chart_knows_stand_in_all(
    boil: Callable[[int], Plan], tmp_path: Path
) -> None:
    boiled = boil(2)
    assert boiled.summary["objective_cny"] == pytest.approx(800)
    supply = chart(boiled, "supply")
    sides = supply.table.drop(columns="time")
    wanted = {"pv": [9, 0], "discharge": [0, 4], "charge": [-4, 0], "curtailed": [-1, 0],
              "heat": [-4, -4]}  # fmt: skip
    assert {k.removesuffix(" [MW]"): v.round(6).tolist() for k, v in sides.items()} == wanted
    heat = next(t for t in supply.figure["data"] if t["name"] == "heat")
    assert heat["fillcolor"] == MORE_STYLES[0][0]
    flows = chart(boiled, "allocation")
    assert flows.table.set_index("flow to")["energy [MWh]"].round(6)["heat"] == 8
    node = flows.figure["data"][0]["node"]
    assert node["color"][node["label"].index("heat 8.000 MWh")] == MORE_STYLES[0][0]
    hot = chart(boiled, "commitment").figure["data"]
    assert [(t["name"], t["marker"]["color"], t["x"].tolist()) for t in hot] == [
        ("hot", OTHER[0], [7_200_000])
    ]
    assert [line for line in chart(boiled, "ledger").table["line"] if line] == ["heat"]
    boiled.write(tmp_path / "plan", formats=("csv", "xlsx"))
    with zipfile.ZipFile(tmp_path / "plan" / "schedule.xlsx") as book:
        drawn = book.read("xl/charts/chart2.xml").decode()  # energy by use
    assert drawn.count("<c:ser>") == len(boiled.uses) == 3
    assert MORE_STYLES[0][0].removeprefix("#") in drawn
    days = chart(boil(96), "heat").figure["data"]
    assert [t["name"] for t in days] == ["renewable energy available", "heat"]


def test_units_batteries_and_loads_are_told_apart_in_tones_of_one_colour() -> None:
    """Two units give 4 and 6 MW gross; one draws 10 % itself, so 9.6 MW net serve two towns."""
    fields = {"min_power_mw": 0, "max_power_mw": 6, "curve": [
        {"power_mw": 0, "fuel_gj_per_h": 0}, {"power_mw": 6, "fuel_gj_per_h": 60}]}  # fmt: skip
    plan = solve({
        "cheap": thermal(**fields, fuel_price_cny_per_gj=1),
        "dear": thermal(**fields, fuel_price_cny_per_gj=9, auxiliary_share=0.1, title="2 号机"),
        "north": load(5.4), "south": load(4.2),
    })  # fmt: skip
    drawn = chart(plan, "supply")
    net = {name: float(values.iloc[0]) for name, values in drawn.table.drop(columns="time").items()}
    assert net == pytest.approx({
        "thermal: cheap [MW]": 6, "thermal: 2 号机 [MW]": 3.6,
        "load: north [MW]": -5.4, "load: south [MW]": -4.2,
    })  # fmt: skip
    looks = [trace["fillcolor"] for trace in drawn.figure["data"][:2]]
    assert looks == tones(SUPPLY_STYLES["thermal"][0], 2)
    assert len(set(looks)) == 2
    assert chart(plan, "supply", "zh").figure["data"][1]["name"] == "火电：2 号机"


def test_of_many_units_the_smallest_are_one_area() -> None:
    """The sun shines on 14 plants of 1 to 14 MW: 11 have an area, 1 + 2 + 3 MW share one."""
    parts = {f"pv_{n}": renewable(n) for n in range(1, 15)}
    table = chart(solve(parts | {"town": load(105)}), "supply").table.filter(like="pv")
    assert len(table.columns) == 12
    assert table["pv: others [MW]"].tolist() == [6]
    assert table.sum(axis=1).tolist() == [105]


@pytest.mark.parametrize("count", range(1, 9))
def test_tones_of_a_kind_are_all_different(count: int) -> None:
    for colour, _ in SUPPLY_STYLES.values():
        assert len(set(tones(colour, count))) == count
        assert all(re.fullmatch("#[0-9A-F]{6}", tone) for tone in tones(colour, count))
    assert tones("#808080", 1) == ["#808080"]


def test_each_new_use_has_a_colour_of_its_own() -> None:
    styles = styles_of(["load", "heat", "cold", "hydrogen"], USE_STYLES)
    assert styles["load"] == USE_STYLES["load"]
    colours = {colour for colour, _ in (USE_STYLES | styles).values()}
    assert len({styles[name][0] for name in ("heat", "cold", "hydrogen")} & colours) == 3
    assert OTHER[0] not in {styles[name][0] for name in ("heat", "cold", "hydrogen")}


class Tank(Component):
    """A kind that no chart knows: hydrogen is made with power, 20 kg a MWh, and kept."""

    kind: Literal["tank"]
    uses = {"hydrogen": Use(drawn=True)}  # noqa: RUF012
    carries = {"stored_kg": ""}  # noqa: RUF012
    initial: dict[str, float]
    """What it holds when the horizon begins."""

    def demands(self) -> dict[Supply, str]:
        return {("power", "site"): "kind"}

    def build(self, b: Any, site: Site) -> Terms:
        time, origins = site.clock, site.origins
        b.made_mw = pyo.Var(origins, time.steps, domain=pyo.NonNegativeReals)
        b.stored_kg = pyo.Var(time.points, domain=pyo.NonNegativeReals, bounds=(0, 100))
        b.stored_kg[time.first - 1].fix(40)
        b.keeps = pyo.Constraint(
            time.steps,
            rule=lambda b, t: (
                b.stored_kg[t]
                == b.stored_kg[t - 1] + 20 * time.step_h * sum(b.made_mw[o, t] for o in origins)
            ),
        )
        return Terms(
            flows={Balance("power", "site", o): lambda t, o=o: -b.made_mw[o, t] for o in origins},
            costs={Line("hydrogen"): {t: -sum(b.made_mw[o, t] for o in origins)
                                      for t in time.steps}},
            uses={("hydrogen", o): lambda t, o=o: b.made_mw[o, t] for o in origins},
        )  # fmt: skip


def test_what_is_stored_in_another_unit_has_a_row_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """1 and 2 MWh of sun become 20 and 40 kg beside the 40 that were there."""
    monkeypatch.setitem(KINDS, "tank", Kind(Tank))
    monkeypatch.setattr("planner.studies.solve.publish", lambda *_: None)
    tank = {"kind": "tank", "title": "H₂ <tank>", "initial": {"stored_kg": 40}}
    drawn = chart(solve({"pv": renewable(1, 2), "tank": tank}, hours=2), "storage")
    (line,) = drawn.figure["data"]
    assert line["y"].tolist() == [40, 60, 100]
    assert [note["text"] for note in drawn.figure["layout"]["annotations"]] == [
        "<b>H₂ &lt;tank&gt;: stored kg</b>"
    ]


def test_what_storage_takes_and_gives_is_not_a_loss(boil: Callable[[int], Plan]) -> None:
    """A store without columns by origin is told by the use of its energy, the net of the step."""
    view = View(boil(2))
    incoming, outgoing = supplied(view), used(view)
    assert incoming["discharge", "renewable"].round(6).tolist() == [0, 4]
    assert outgoing["charge", "renewable"].round(6).tolist() == [4, 0]
    assert not [use for use, _ in outgoing if use == "loss"]


def test_two_sides_that_are_not_equal_are_never_drawn() -> None:
    """5 MW from the sun go to the town; an allocation that knows of 3 leaves -2 for others."""
    plan = solve({"pv": renewable(5), "town": load(5)})
    short = replace(plan, allocation=plan.allocation.assign(mwh=0.6 * plan.allocation["mwh"]))
    with pytest.raises(PlanError, match="other of renewable is -2 MW in the step of 2026"):
        chart(short, "supply")


def test_four_mwh_are_bought_stored_and_sold() -> None:
    """Buy 4 MWh at 10, sell 4 MWh at 50, earn 160: import and charge, then discharge and export."""
    plan = shipped("tiny_arbitrage")
    table = chart(plan, "supply").table.set_index("time")
    assert table["import [MW]"].tolist() == [4, 0]
    assert table["discharge [MW]"].tolist() == [0, 4]
    assert table["charge [MW]"].tolist() == [-4, 0]
    assert table["export [MW]"].tolist() == [0, -4]
    assert table.index.tolist() == ["2026-07-15 00:00", "2026-07-15 01:00"]
    stored = chart(plan, "storage")
    energy = next(t for t in stored.figure["data"] if t.get("stackgroup"))
    assert energy["y"].tolist() == [0, 4, 0]  # on points: the past, and each step's end
    bars = {t["name"]: t["y"].tolist() for t in stored.figure["data"] if t["type"] == "bar"}
    assert bars == {"charge": [4, 0], "discharge": [0, -4]}
    money = chart(plan, "ledger").figure["data"]
    assert [float(t["x"].sum()) for t in money] == [200, -40, 160]
    flows = chart(plan, "allocation").table.set_index(["flow from", "flow to"])["energy [MWh]"]
    assert flows["grid energy", "export"] == 4
    assert flows["import", "grid energy"] == 4


def test_the_last_step_is_drawn_to_its_end() -> None:
    trace = chart(shipped("tiny_arbitrage"), "supply").figure["data"][0]
    assert trace["line"]["shape"] == "hv"
    assert trace["x0"] == "2026-07-15T00:00"
    assert trace["dx"] == 3_600_000
    assert trace["y"].tolist() == [4, 0, 0]


@pytest.mark.parametrize("name", PLANS)
def test_flows_from_origins_are_the_totals_of_the_allocation(name: str) -> None:
    plan = plan_of(name)
    sankey = chart(plan, "allocation").figure["data"][0]
    link = sankey["link"]
    value = np.array(link["value"])
    totals = plan.allocation.groupby(["origin", "use"])["mwh"].sum()
    outgoing = [i for i, a in enumerate(link["source"]) if a in link["target"]]
    wanted = sorted(mwh for mwh in totals if mwh > 1e-6)
    np.testing.assert_allclose(sorted(value[outgoing]), wanted, rtol=1e-9)
    for node in {link["source"][i] for i in outgoing}:  # what comes in goes out
        into = value[[t == node for t in link["target"]]].sum()
        assert into == pytest.approx(value[[s == node for s in link["source"]]].sum(), abs=1e-5)


@pytest.mark.parametrize("name", PLANS)
def test_the_waterfall_ends_at_the_profit_to_the_cent(name: str) -> None:
    plan = plan_of(name)
    bars = [
        (y, base, x)
        for t in chart(plan, "ledger").figure["data"]
        for y, base, x in zip(t["y"], t["base"], t["x"], strict=True)
    ]
    bars.sort()
    last, objective = bars[-1], plan.summary["objective_cny"]
    scale = 1e6 if abs(last[2] - objective) > abs(last[2] * 1e6 - objective) else 1.0
    assert last[1:] == (0, pytest.approx(objective / scale, abs=0.005 / scale))
    reached = 0.0
    for _, base, amount in bars:  # every bar begins where the one before ends; sums begin at 0
        assert base in (0, pytest.approx(reached))
        reached = base + amount


def test_small_lines_are_gathered_and_stand_in_the_table() -> None:
    plan = solve(
        {"pv": renewable(10, cost_cny_per_mwh=0.01), "market": market(100),
         "town": load(1, shed_cost_cny_per_mwh=1000), "wind": renewable(1, cost_cny_per_mwh=0.02)},
    )  # fmt: skip
    made = chart(plan, "ledger")
    # 10 + 1 MW, of which 1 to the town: 10 x 100 earned; 0.10 and 0.02 spent are both small
    bars = {n: x for t in made.figure["data"] for n, x in zip(t["y"], t["x"], strict=True)}
    assert bars == {0: 1000, 1: pytest.approx(-0.12), 2: pytest.approx(999.88)}
    assert made.figure["layout"]["annotations"][1]["text"] == "other costs (2)"
    assert made.table["amount [CNY]"].tolist() == [1000, -0.1, -0.02, 999.88]


def test_bars_of_the_commitment_cover_exactly_the_steps_on() -> None:
    plan = shipped("tiny_start")
    made = chart(plan, "commitment")
    on = next(t for t in made.figure["data"] if t["name"] == "on")
    wanted = plan.schedule["coal.on"].round().astype(bool).tolist()
    covered = [False] * len(wanted)
    for base, length in zip(on["base"], on["x"], strict=True):
        first = int(base[11:13])
        for step in range(first, first + round(length / 3_600_000)):
            covered[step] = True
    assert covered == wanted
    marks = [t for t in made.figure["data"] if t["type"] == "scatter"]
    assert sum(len(t["x"]) for t in marks) == plan.schedule["coal.start"].sum() == 1


def test_runs_of_a_state_leave_the_gaps_out() -> None:
    assert spans(np.array([0, 0, -1, 1, 1, 0])) == [(0, 0, 2), (1, 3, 5), (0, 5, 6)]
    for row in rows_of(View(two_nodes())):
        drawn = np.full(len(row.codes), -1)
        for code, first, after in spans(row.codes):
            drawn[first:after] = code
        assert drawn.tolist() == row.codes.tolist()


def test_answers_and_nodes_stand_in_the_chart_of_compute() -> None:
    """A node wakes an hour before each of two rushes of 9 Mtok."""
    table = chart(shipped("tiny_wake"), "compute").table
    assert table["chat: answered [Mtok/h]"].tolist() == pytest.approx([0, 9, 0, 0, 9])
    assert table["chat: demand [Mtok/h]"].tolist() == [0, 9, 0, 0, 9]
    decoding = table["fleet: small at 2500 tokens/s [nodes]"]
    assert decoding.tolist() == pytest.approx([0, 1, 0, 0, 1], abs=1e-6)


def test_a_kwh_in_compute_earns_its_tokens_over_its_energy() -> None:
    """9 Mtok at 20 CNY from 1 MWh: 0.18 CNY/kWh where it answers, nothing to show elsewhere."""
    table = chart(shipped("tiny_wake"), "prices").table
    rate = table["income of a kWh [CNY/kWh]"]
    assert rate[1] == pytest.approx(0.18, abs=1e-3)
    assert np.isnan(rate[2])


def test_marginal_values_are_drawn_where_the_plan_has_them() -> None:
    parts = {"grid": grid(import_price_cny_per_mwh=[40, 70]), "town": load(5, 5)}
    priced = planner.prices(scenario(parts, hours=2)).plan
    table = chart(priced, "prices").table
    assert table["site: value, grid [CNY/MWh]"].tolist() == pytest.approx([40, 70])
    plain = chart(solve(parts, hours=2), "prices").table
    assert not any("value" in label for label in plain.columns)


def test_what_has_nothing_to_show_is_left_out_and_says_why() -> None:
    plan = solve({"pv": renewable(5), "town": load(5)})
    assert [c.key for c in charts_of(plan, EN)] == ["supply", "allocation"]
    reasons = {"storage": "no battery", "compute": "neither", "heat": "four days", "gap": "month",
               "prices": "no grid", "commitment": "switched", "ledger": "money"}  # fmt: skip
    for key, why in reasons.items():
        with pytest.raises(PlannerError, match=rf"nothing to show for {key}: .*{why}"):
            getattr(plan.figures, key)()
    with pytest.raises(PlannerError, match="lang must be en or zh"):
        plan.figures.supply(lang="fr")


def test_every_chart_of_the_registry_is_a_method_that_says_what_it_shows() -> None:
    figures = solve({"pv": renewable(5), "town": load(5)}).figures
    for key, entry in CHARTS.items():
        method = getattr(figures, key)
        assert (method.__name__, method.__doc__) == (key, entry.chart.__doc__)
        assert key in dir(figures)
    assert figures.supply.__doc__ == "Supply and use of power, MW by step."
    with pytest.raises(AttributeError):
        _ = figures.supplies


def test_figures_are_plotly_figures_of_their_own() -> None:
    plan = shipped("tiny_arbitrage")
    first, second = plan.figures.supply(), plan.figures.dispatch(lang="zh")
    assert isinstance(first, go.Figure)
    first.data[0].y = [1.0]
    assert len(second.data[0].y) == 3


def test_names_are_shown_as_they_are_written() -> None:
    model = "<b>%{x}&small"
    fleet = {
        "kind": "fleet", "nodes": 2, "pue": 1, "sleep_kw": 0,
        "serves": {model: {"points": [{"tokens_per_s": 0, "node_kw": 1},
                                      {"tokens_per_s": 2500, "node_kw": 2}]}},
    }  # fmt: skip
    service = {
        "kind": "service", "model": model, "price_cny_per_mtok": 50, "demand_mtok_per_h": 5
    }  # fmt: skip
    plan = solve({"grid": grid(), "gpus": fleet, "chat": service})
    for made in charts_of(plan, EN):
        said = " ".join(strings(made.figure))
        assert "<b>%" not in said
        assert "%{x}&" not in said
    nodes = chart(plan, "compute")
    assert any("&lt;b&gt;%&#123;x}&amp;small" in text for text in strings(nodes.figure))
    assert any(model in label for label in nodes.table.columns)


@pytest.mark.slow
def test_blocks_keep_energy_and_take_states_at_their_end() -> None:
    plan = many_steps()
    view = View(plan)
    clock = view.clock
    assert clock.hours.tolist() == [1.0] * 126
    made = chart(plan, "supply")
    assert "means over 1 h" in made.caption
    exported = -made.table["export [MW]"].to_numpy() @ clock.hours
    total = plan.summary["allocation_mwh"]["renewable"]["export"]
    assert exported == pytest.approx(total, rel=1e-9)
    energy = chart(plan, "storage").table["store: stored at the end, from renewable [MWh]"]
    assert energy.tolist() == plan.schedule["store.energy_mwh[renewable]"][11::12].tolist()


def test_blocks_follow_the_local_clock_and_count_with_their_own_length() -> None:
    """A year from 06:00 on is drawn by local days: 18 h, 364 whole days, 6 h."""
    clock = Clock(pd.Timestamp("2026-01-01T06:00"), 8760, 60)
    assert clock.hours.tolist() == [18.0] + [24.0] * 364 + [6.0]
    values = np.arange(8760.0)
    assert clock.flow(values) @ clock.hours == pytest.approx(values.sum())
    assert clock.state(values)[[0, 1, -1]].tolist() == [17, 41, 8759]
    ends = clock.steps_x()["x"]
    assert [ends[0], ends[1], ends[-1]] == [
        "2026-01-01T06:00", "2026-01-02T00:00", "2027-01-01T06:00"
    ]  # fmt: skip
    assert clock.flow(np.where(values < 18, values, np.nan))[:2].tolist() == [8.5, pytest.approx(
        np.nan, nan_ok=True)]  # fmt: skip
    assert "means over 24 h" in clock.caption(EN)


def test_two_weeks_of_quarters_are_drawn_step_by_step() -> None:
    clock = Clock(pd.Timestamp("2026-01-01"), 14 * 96, 15)
    assert not clock.blocked
    assert clock.caption(EN) == ""
    assert clock.steps_x() == {"x0": "2026-01-01T00:00", "dx": 900_000}


def test_days_and_hours_hold_every_step_once() -> None:
    plan = many_steps()
    made = chart(plan, "heat")
    z = next(t for t in made.figure["data"] if t["name"] == "renewable energy available")["z"]
    assert z.shape == (288, 6)
    assert np.isnan(z[:72, 0]).all()  # the plan begins at 06:00
    assert np.nansum(z) / 12 == pytest.approx(
        sum(plan.summary["allocation_mwh"]["renewable"].values())
    )
    assert len(made.table) == 1512
    assert made.table["time"].iloc[0] == "2026-07-15 06:00"


def test_encoded_figures_are_safe_in_a_script_and_short() -> None:
    long = np.linspace(0, 1, 500) * 123.456789
    figure = {"a": "</script>\u2028&", "b": [1.23456789, float("nan")], "c": long,
              "d": np.zeros(500), "e": np.array([1.5, np.nan]), "f": True}  # fmt: skip
    written = encoded(figure)
    assert not re.search("[<>&\u2028\u2029]", written)
    read = json.loads(written)
    assert read["a"] == figure["a"]
    assert read["b"] == [1.234568, None]
    assert read["c"]["dtype"] == "f4"
    assert read["d"]["dtype"] == "i1"
    assert read["e"] == [1.5, None]
    assert len(written) < 4000
    back = np.frombuffer(base64.b64decode(read["c"]["bdata"]), "<f4")
    np.testing.assert_allclose(back, long, rtol=1e-6)


def test_no_chart_imports_plotly() -> None:
    for path in (Path(planner.__file__).parent / "report" / "charts").glob("*.py"):
        assert "import plotly" not in path.read_text()


def test_profits_of_two_plans_are_matched_by_moment() -> None:
    """The same hour told in two offsets: 5 MWh sold at 30 and at 40 earn 150 and 200, 50 apart."""
    one, two = (
        solve({"pv": renewable(5), "grid": market(price)}, start=start)
        for price, start in ((30, "2026-07-15T08:00:00+08:00"), (40, "2026-07-15T00:00:00+00:00"))
    )
    clock = common_clock(one, two)
    assert clock is not None
    table = profit_chart(one, two, *clock, EN).table
    assert table[["A [CNY]", "B [CNY]", "difference [CNY]"]].iloc[0].tolist() == [150, 200, 50]


def test_what_is_stored_without_an_origin_is_not_from_one() -> None:
    made = chart(pooled(), "storage", "zh")
    assert not any("来自" in text for text in strings(made.figure))
    assert "荷电量" in " ".join(strings(made.figure))


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("coal_1: fuel", ["coal_1: fuel"]),
        ("Coal unit no. 1 of the old power: fuel", ["Coal unit no. 1 of the old", "power: fuel"]),
        (
            "对话服务（华东区域用户，工作日优先：输出",
            ["对话服务（华东区域用户，工", "作日优先：输出"],
        ),
        ("x" * 60, ["x" * 26, "x" * 26, "x" * 8]),
        ("<b>", ["&lt;b&gt;"]),
        ("a" * 26 + ": b", ["a" * 26 + ":", "b"]),
        (
            "share of the profit of all [million CNY]",
            ["share of the profit of all", "[million CNY]"],
        ),
        ("", [""]),
    ],
)
def test_long_labels_are_folded_between_words_and_escaped(label: str, lines: list[str]) -> None:
    assert folded(label) == "<br>".join(lines)


def test_a_model_has_one_colour_and_another_model_another() -> None:
    """Two fleets serve a model each: their legend entries look different."""
    parts = {
        "one": compute.fleet(2), "two": compute.fleet(2, serves={"other": compute.serving()}),
        "chat": compute.chat(18), "talk": compute.chat(18, model="other"), "sun": renewable(100),
    }  # fmt: skip
    drawn = chart(solve(parts), "compute").figure["data"]
    colours = {t["name"]: t["fillcolor"] for t in drawn if t["name"].startswith("decoding")}
    assert len(colours) == len(set(colours.values())) == 2
