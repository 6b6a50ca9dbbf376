"""Fleets on curves of the library: points of a node are those of its replicas, power is the host's.

A replica on 4 GPUs answers 1250 tokens/s at 3 kW. A host of 8 GPUs draws 1 kW + 1.5 x GPU kW, so a
node answers 2500 tokens/s, 9 Mtok in an hour, at 1 + 1.5 x 6 = 10 kW; idle 1 + 1.5 x 0.8 = 2.2 kW.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.fleets.hosts import known_hosts
from planner.fleets.library import library_curves
from planner.scenario.plain_data import plain_scenario
from tests.support.build import scenario
from tests.support.compute import chat, fleet, site

CURVE = """\
{hardware: X1, gpus: 4, model: chatty, precision: fp8, source: {title: A test}, licence: MIT,
 date: 2026-11-01, measured: MEASURED, points: [
   {tokens_per_s: 1250, KW: 3, inter_token_ms: 20, first_token_ms: 300},
   {tokens_per_s: 1250.0001, KW: 3.1, inter_token_ms: 40}],
 prefill: {tokens_per_s: 2500, KW: 3}}
"""
HAND = [{"tokens_per_s": 0, "gpu_kw": 0.8}, {"tokens_per_s": 2500, "gpu_kw": 6}]
HOST = {"idle_kw": 1, "gpu_wall_factor": 1.5, "gpus": 8, "gpu_idle_kw": 0.1}
PATH = "components.fleet"


def serves(**serving: Any) -> dict[str, Any]:
    return {"serves": {"chatty": {"library": "curve.yaml", **serving}}, "host": HOST}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for measured, kw in (("gpu", "gpu_kw"), ("wall", "node_kw")):
        text = CURVE.replace("MEASURED", measured).replace("KW", kw)
        (tmp_path / ("curve.yaml" if measured == "gpu" else "wall.yaml")).write_text(text)
    (tmp_path / "none.yaml").write_text(
        CURVE.replace("MEASURED", "none").replace("KW: 3.1, ", "").replace("KW: 3, ", "")
        .replace(", KW: 3}", "}")
    )  # fmt: skip
    return tmp_path


def made(folder: Path, **fields: Any) -> planner.Scenario:
    parts = site(fleet=fleet(**(serves() | fields)), chat=chat())
    horizon = {"start": "2026-07-15T00:00:00+08:00", "hours": 1}
    return planner.Scenario.from_mapping(
        {"name": "s", "horizon": horizon, "components": parts}, folder
    )


def fleet_of(found: planner.Scenario) -> Any:
    return found.components["fleet"]


def test_points_of_a_node_equal_those_scaled_by_hand(folder: Path) -> None:
    """18 Mtok at 20 take 2 nodes at 10 kW: 360 - 0.02 MW x 100 = 358."""
    found = made(folder)
    plan = planner.solve(found)
    assert plan.summary["objective_cny"] == pytest.approx(358)
    serving = fleet_of(found).serves["chatty"]
    by_hand = [(0, 2.2, None, None), (2500, 10, 20, 300)]
    assert [(p.tokens_per_s, p.node_kw, p.inter_token_ms, p.first_token_ms)
            for p in serving.points] == by_hand  # fmt: skip
    assert (serving.prefill.tokens_per_s, serving.prefill.node_kw) == (5000, 10)
    assert plan.summary["sources"] == {"curve.yaml": {"title": "A test", "licence": "MIT"}}
    # the folder of a plan holds the points, and needs the curve no more
    (folder / "curve.yaml").unlink()
    read = planner.read_plan(plan.write(folder / "plan"))
    assert read.scenario == found
    assert planner.audit(folder / "plan") == []
    assert not any("library curve" in text for text in read.scenario.warnings())
    page = (folder / "plan" / "report.html").read_text()
    assert re.search("curve.yaml<.*A test<.*MIT<", page)
    assert planner.solve(read.scenario).summary["sources"] == {"curve.yaml": {}}


def test_fields_that_replace_those_of_a_curve_are_named(folder: Path) -> None:
    points = [{"tokens_per_s": 0, "node_kw": 2}, {"tokens_per_s": 2000, "node_kw": 9}]
    prefill = {"tokens_per_s": 4000, "node_kw": 9}
    found = made(folder, **serves(points=points, prefill=prefill))
    assert [text for text in found.warnings() if "library curve" in text] == [
        f"components.fleet: serves.chatty.{field} is given and replaces that of the library curve"
        " curve.yaml"
        for field in ("points", "prefill")
    ]
    assert found.components["fleet"].published_sources() == {}


@pytest.mark.parametrize("kind", known_hosts())
def test_a_host_may_be_the_name_of_a_kind_of_server(folder: Path, kind: str) -> None:
    found = made(folder, host=kind)
    assert fleet_of(found).host == known_hosts()[kind]
    assert plain_scenario(found)["components"]["fleet"]["host"]["gpus"] == fleet_of(found).host.gpus


def test_what_follows_follows_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = made(folder)
    assert not any("library" in text for text in found.warnings())
    changed = found.with_values({f"{PATH}.host.idle_kw": 3})
    assert fleet_of(changed).serves["chatty"].points[1].node_kw == 12
    changed = found.with_values({f"{PATH}.host.gpus": 4})
    assert fleet_of(changed).serves["chatty"].points[1].tokens_per_s == 1250
    wall = found.with_values({f"{PATH}.serves.chatty.library": "wall.yaml"})
    assert [point.node_kw for point in fleet_of(wall).serves["chatty"].points] == [2.2, 6]
    # and where the file holds them, as the folder of a plan does
    by_hand = {"serves": {"chatty": {"points": HAND}}}
    for one in (found, made(folder, **by_hand)):
        plan = planner.solve(one).write(folder / "plan")
        changed = planner.load(plan, {f"{PATH}.host.idle_kw": 3})
        assert fleet_of(changed).serves["chatty"].points[1].node_kw == 12
    (planner.solve(wall).write(folder / "of_wall") / "scenario.yaml").rename(
        folder / "wall_of.yaml"
    )
    changed = planner.load(folder / "wall_of.yaml", {f"{PATH}.host.idle_kw": 2})
    assert [point.node_kw for point in fleet_of(changed).serves["chatty"].points] == [3.2, 6]
    with pytest.raises(planner.ScenarioError, match="node_kw 9 does not go with gpu_kw 6"):
        planner.load(plan, {f"{PATH}.serves.chatty.points[1].node_kw": 9})


def test_a_host_that_decides_nothing_is_a_caution(folder: Path) -> None:
    wall = [{"tokens_per_s": 0, "node_kw": 2}, {"tokens_per_s": 2500, "node_kw": 6}]
    for points, cautions in ((wall, 1), (HAND, 0)):
        texts = made(folder, serves={"chatty": {"points": points}}).warnings()
        assert sum("host has no effect" in text for text in texts) == cautions


def test_the_host_of_a_library_curve_and_every_curve_with_power_serve() -> None:
    name = "h100_qwen3_235b_a22b_2507_fp8_4gpu"
    found = scenario(site(fleet=fleet(serves={"chatty": {"library": name}}), chat=chat()))
    assert fleet_of(found).host.idle_kw == 1.608
    points = fleet_of(found).serves["chatty"].points
    assert points[0].node_kw == pytest.approx(1.608 + 1.164 * 8 * 0.115)
    assert points[1].tokens_per_s == pytest.approx(2 * 223.84)
    assert points[1].node_kw == pytest.approx(1.608 + 1.164 * 2 * 2.1201)
    known = {name for name, curve in library_curves().items() if curve.measured != "none"}
    every = fleet(serves={name: {"library": name} for name in known}, host=HOST)
    assert len(fleet_of(scenario(site(fleet=every))).serves) == len(known)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (serves(library="no_such"), "serves.chatty.library: there is no curve 'no_such'"),
        (serves(library="no.yaml"), "no.yaml: cannot be read: No such file"),
        (serves(library="none.yaml"), "chatty.library: the power of this curve is not known"),
        ({"host": "h100_dxg"}, "host: there is no kind of server 'h100_dxg'; did you mean h100_dgx?"
         "; kinds are h100_dgx, h100_xe9680, h200_hgx, b200_air"),
        ({"host": None}, "library: no kind of server is known for it (X1); give the fleet a host:"),
        ({"host": HOST | {"gpus": 6}}, "a replica of it takes 4 GPUs, and a node of 6 does not"),
        ({"host": HOST | {"gpu_idle_kw": None}}, "the curve has no point at 0 tokens/s; give"),
        ({"serves": {"a": {"points": HAND}}, "host": None},
         "host: is required, as points of model 'a' have gpu_kw and no node_kw"),
        ({"serves": {"a": {"points": [HAND[0], {"tokens_per_s": 9}]}}},
         "serves.a.points[1].node_kw: is required, or gpu_kw with the host of the fleet"),
        ({"serves": {"a": {"points": [HAND[0], HAND[1] | {"node_kw": 11}]}}},
         "at 2500 tokens/s, node_kw 11 does not go with gpu_kw 6, which makes 10"),
        ({"serves": {"a": {}}}, "serves.a.points: is required, or library instead"),
        ({"serves": {"a": {"library": "h200_dense_8b_bf16_1gpu"},
                     "b": {"library": "h100_llama_3_1_8b_bf16_1gpu"}}, "host": None},
         "host: is required: the curves of the library are of different kinds of servers, h100_dgx,"
         " h200_hgx; write one of h100_dgx, h100_xe9680, h200_hgx"),
        ({"serves": {"a": {"library": "h200_dense_8b_bf16_1gpu"},
                     "b": {"library": "curve.yaml"}}, "host": None},
         "different kinds of servers, h200_hgx, not known; write one of h100_dgx"),
    ],
)  # fmt: skip
def test_what_a_library_cannot_give(folder: Path, fields: Any, message: str) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        made(folder, **fields)
    texts = [str(problem) for problem in caught.value.problems if "no fleet" not in str(problem)]
    assert len(texts) == 1, texts
    assert message in texts[0]
