"""Reading scenarios: what is right loads, what is wrong is told with its place and remedy."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.errors import Key
from planner.files.yaml_document import read_yaml
from planner.message import Message
from planner.scenario.scenario import Scenario
from tests.support.bad_inputs import BAD, POINTS, SERIES
from tests.support.chinese import ZH, english_words
from tests.support.full_site import changed, line_of, write, write_text


def test_the_good_scenario_loads_with_every_kind_and_without_warnings(tmp_path: Path) -> None:
    found = planner.load(write(tmp_path))
    assert list(found.components) == sorted(found.components)
    assert found.horizon.steps == 12
    assert found.components["pv"].availability_pu.tolist() == [h / 100 for h in range(12)]
    assert found.warnings() == []


def test_a_folder_stands_for_the_scenario_in_it(tmp_path: Path) -> None:
    file = write(tmp_path)
    assert planner.load(tmp_path) == planner.load(str(file))


JARGON = re.compile(
    r"[Ii]nput should|tuple|dictionar|after validation|[Vv]alue error|NoneType|np\.|dtype|<class"
    r"|\.=(?!x)|ndarray|pydantic|None|True|False"
)


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_with_line_and_path(case: str, tmp_path: Path) -> None:
    old, new, path, words, at = BAD[case]
    good = changed(("serves:", "whole_nodes: false\n    serves:"))
    assert good.count(old), old
    text = good.replace(old, new, 1)
    file = write_text(tmp_path, text)
    (tmp_path.parent / "site.csv").write_text("time,pv_pu\n")
    (tmp_path / "link.csv").symlink_to(tmp_path.parent / "site.csv")
    (tmp_path / "out").symlink_to(tmp_path.parent)
    (tmp_path / "circle.csv").symlink_to("circle.csv")
    with pytest.raises(planner.ScenarioError) as caught:
        planner.load(file)
    found = [problem for problem in caught.value.problems if problem.path == path]
    assert found, str(caught.value)
    assert words in found[0].message
    assert found[0].file == str(file)
    assert found[0].line == line_of(text, at or new), str(caught.value)
    assert not JARGON.search(str(caught.value)), str(caught.value)
    for problem in caught.value.problems:
        assert not isinstance(problem.message, Message) or not english_words(problem.message)


# what a file holds; words of the message; line
BROKEN: dict[str, tuple[bytes, str, int | None]] = {
    "list": (b"- a\n- b\n", "must be a mapping of fields at the top", 1),
    "word": (b"hello", "must be a mapping of fields at the top", 1),
    "empty": (b"", "is empty; it must hold fields: `name: value`", None),
    "comment": (b"# nothing yet\n", "is empty; it must hold fields: `name: value`", None),
    "binary": (bytes(range(256)), "is not a UTF-8 text file", None),
    "gb18030": ("name: 淮南".encode("gb18030"), "is not a UTF-8 text file", None),
    "null": (b"name: a\nx: \x00\n", "holds a control character", 2),
    "tab": (b"name: x\n\thorizon: 5\n", "is indented with a tab", 2),
    "open bracket": (b"name: [x\nfoo: bar\n", "] is missing at its end", 1),
    "open quote": (b'name: "x\nfoo: bar\n', "a quote is opened and not closed", 1),
    "indent": (b"name: x\n  foo: bar\n", "begins in column 3, where nothing above begins", 2),
    "two documents": (b"name: x\n---\nname: y\n", "holds `---`, which begins a second", 2),
    "unknown alias": (b"name: *x\n", "a text that begins with * needs quotes", 1),
    "tag": (b"name: !!python/name:os.system x\n", "YAML tag !!python/name:os.system", 1),
    "text tag": (b"name: x\nhorizon: !!str 5\n", "YAML tag !!str is not allowed", 2),
    "tag of it all": (b"!!map {name: x}\n", "YAML tag !!map is not allowed; leave it out", 1),
    "merge key": (b"a: &a [1]\nb:\n  <<: *a\n", "<< takes a mapping, as in `<<: *coal_1`", 3),
    "deep": (b"name: " + b"[" * 300_000, "nested too deeply", 1),
    "deep list": (b"- " * 300_000, "nested too deeply", 1),
    "loop": (b"a: &a [*a]\n", "nested too deeply", 1),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_scenario(case: str, tmp_path: Path) -> None:
    content, words, line = BROKEN[case]
    file = tmp_path / "scenario.yaml"
    file.write_bytes(content)
    with pytest.raises(planner.ScenarioError) as caught:
        planner.load(file)
    problem, *_ = (problem for problem in caught.value.problems if words in problem.message)
    assert problem.line == line
    assert ZH.sentence(problem.message) != problem.message
    assert str(caught.value).startswith(str(file))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path, tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(planner.ScenarioError, match="cannot be read: "):
            planner.load(path)


@pytest.mark.parametrize("parts", ["[]", "{}", "5", "", "[a, b]"])
def test_components_must_be_a_mapping_with_one_at_least(parts: str, tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    horizon = "horizon: {start: 2026-07-15T00:00:00+08:00, hours: 1}"
    file.write_text(f"name: x\n{horizon}\ncomponents: {parts}\n")
    with pytest.raises(planner.ScenarioError, match=r":3: components: .*a mapping of names"):
        planner.load(file)


TEN_MISTAKES = [
    ("step_min: 60", "step_min: 60\n  steps: 12"),
    ("[2026-10-01]", "[2026-02-30]"),
    ("capacity_mw: 100", "capacity_mw: -1"),
    ("technology: pv", "technology: solar"),
    ("ramp_up_mw_per_h: 30", "ramp_up_mw_per_h: 0"),
    ("charge_power_mw: 25", "charge_power: 25"),
    ("import_limit_mw: 80", "import_limit_mw: .nan"),
    ("node_kw: 8, inter", "node_kw: eight, inter"),
    ("kind: load", "kind: lode"),
    ("mtok_per_h: 3, price_cny_per_mtok: 1", "mtok_per_h: 3"),
]


def test_ten_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = changed(*TEN_MISTAKES)
    file = write_text(tmp_path, text)
    with pytest.raises(planner.ScenarioError) as caught:
        planner.load(file)
    assert [(p.path, p.line) for p in caught.value.problems] == [
        ("horizon.steps", line_of(text, "steps: 12")),
        ("holidays[0]", line_of(text, "02-30")),
        ("components.pv.technology", line_of(text, "solar")),
        ("components.pv.capacity_mw", line_of(text, "capacity_mw: -1")),
        ("components.coal.ramp_up_mw_per_h", line_of(text, "ramp_up_mw_per_h: 0")),
        ("components.battery.charge_power", line_of(text, "charge_power: 25")),
        ("components.grid.import_limit_mw", line_of(text, ".nan")),
        ("components.town.kind", line_of(text, "lode")),
        (f"{POINTS}[1].node_kw", line_of(text, "eight")),
        ("components.api.market[1].price_cny_per_mtok", line_of(text, "- {mtok_per_h: 3}")),
    ]


def test_ten_mistakes_are_told_in_chinese(tmp_path: Path) -> None:
    file = write_text(tmp_path, changed(*TEN_MISTAKES))
    with pytest.raises(planner.ScenarioError) as caught:
        planner.load(file)
    for problem in caught.value.problems:
        assert not english_words(problem.message)
        text = ZH.sentence(problem.with_place())
        assert text == f"{file}:{problem.line}：{problem.path}：{ZH.sentence(problem.message)}"
    text = ZH.sentence(caught.value.message)
    assert "components.pv.technology：必须为 'pv' 或 'wind'，现为 'solar'" in text
    assert "components.battery.charge_power：不是此处的字段；是否想写 charge_power_mw？" in text


def test_a_broken_supplier_does_not_blame_its_customers(tmp_path: Path) -> None:
    # the fleet is wrong: that chat, batch and api find no fleet is no mistake of theirs
    with pytest.raises(planner.ScenarioError) as caught:
        planner.load(write(tmp_path, ("ramp_nodes_per_h: 900", "ramp_nodes_per_h: -1")))
    assert [p.path for p in caught.value.problems] == ["components.gpus.ramp_nodes_per_h"]


def test_components_are_one_list_of_problems_in_order_of_lines(tmp_path: Path) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        planner.load(write(tmp_path, ("must_take_pu: 0", "x: 1"), ("kind: load", "kind: x")))
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all(re.match(r".*scenario\.yaml:\d+: components\.", line) for line in lines)


JUNK: list[Any] = [
    None, True, -1, 5.5, 1e300, 1e-300, float("nan"), 10**25, "", "x", "2026-07-15", "9-11", [],
    [None], [[1]], [{}], {}, {"x": 1}, {"scale": 2}, {"csv": 5}, {"csv": "data", "column": "x"},
    {"hours": 5}, {"calendar": [{"value": None}]}, {"renewable": 1}, {"temperature_c": 1},
    {"value_cny_per_mwh": 1}, {"": 1}, {"=x": 1}, {"[key]": 1}, {"kind": "load"},
]  # fmt: skip


def _paths(data: Any, path: Key = ()) -> Iterator[Key]:
    if path:
        yield path
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _paths(value, (*path, key))


@pytest.mark.few(1)
@pytest.mark.parametrize("begin", range(3))
def test_junk_anywhere_is_told_in_our_words_and_never_crashes(tmp_path: Path, begin: int) -> None:
    good = read_yaml(write(tmp_path)).data
    refused = 0
    for i, path in [*enumerate(_paths(good))][begin::3]:
        junk = JUNK[(7 * i + 3) % len(JUNK)]
        data = copy.deepcopy(good)
        here: Any = data
        for part in path[:-1]:
            here = here[part]
        here[path[-1]] = junk
        try:
            Scenario.from_mapping(data, tmp_path).warnings()
        except planner.ScenarioError as error:
            refused += 1
            said = str(error).replace("=x", "").replace("[key]", "")
            assert not JARGON.search(said), (path, junk, said)
            assert "is not valid here" not in said, (path, junk, said)  # a rule for every kind
    assert refused > 33


# path and value of an override; where it is wrong; words
OVERRIDES: list[tuple[str, Any, str]] = [
    ("components.pv.capacity_mw", "x", "components.pv.capacity_mw: must be a number, is 'x'"),
    ("components.pv.capacity", 1, "components.pv.capacity: is not a field here; did you mean"),
    ("components.gid.resale", 1, "there is no component 'gid'; did you mean grid?"),
    ("component.pv.capacity_mw", 1, "component: is not a field here; did you mean components?"),
    ("components.town.demand_mw[12]", 1, "the length of the list is 12"),
    ("components[0]", 1, "there is nothing at components[0]"),
    ("components.pv..x", 1, "is not a path such as components.pv.capacity_mw"),
    ("", 1, "is not a path such as components.pv.capacity_mw"),
    ("components.pv[x]", 1, "is not a path such as components.pv.capacity_mw"),
    (f"{POINTS}[2].node_kw", -1, f"{POINTS}[2].node_kw: must be 0 or more, is -1"),
    ("horizon.hours", 0.5, "horizon.hours: must be a whole number of 60 min steps"),
    ("components.pv.availability_pu", {"scale": 20}, "must be 1 or less, is 1.2 at 07-15 06:00"),
    ("components.pv.capacity_mw", {"scale": "x"}, "scale must be a number, is 'x'"),
    ("components.pv.capacity_mw", {"scale": float("nan")}, "must be a finite number"),
    ("components.pv.cost_cny_per_mwh", {"scale": 2}, "there is nothing to scale"),
    ("components.pv.technology", {"scale": 2}, "only numbers and series can be scaled, not 'pv'"),
    ("components.coal.curve", {"scale": 2}, "only numbers and series can be scaled, not a list"),
    ("components.coal.initial", {"scale": 2}, "only numbers and series can be scaled"),
    ("components.gpus.serves", {"scale": 2}, "only numbers and series can be scaled"),
]


@pytest.mark.parametrize(("path", "value", "words"), OVERRIDES)
def test_overrides_are_checked_like_the_file(
    path: str, value: Any, words: str, tmp_path: Path
) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        planner.load(write(tmp_path), {path: value})
    assert words in str(caught.value)
    assert caught.value.problems[0].file == "override"
    assert not JARGON.search(str(caught.value))


def test_an_override_says_what_it_breaks_elsewhere(tmp_path: Path) -> None:
    file = write(tmp_path)
    with pytest.raises(planner.ScenarioError) as caught:
        planner.load(file, {"horizon.hours": 24})
    (problem,) = caught.value.problems
    assert problem.path == "components.town.demand_mw"
    assert problem.line == line_of(file.read_text(), "demand_mw:")


def test_overrides_replace_numbers_lists_and_whole_components(tmp_path: Path) -> None:
    found = planner.load(
        write(tmp_path),
        {
            "components.pv.capacity_mw": 300,
            "components.town.demand_mw[2]": 7,
            "components.battery.initial.energy_mwh.grid": 6,
            "components.coal.curve[1].fuel_gj_per_h": 600,
            "components.mill": {"kind": "load", "demand_mw": 3},
            "solver.gap": 0.01,
        },
    )
    parts = found.components
    assert parts["pv"].capacity_mw == 300
    assert parts["town"].demand_mw.tolist() == [10, 10, 7] + [10] * 9
    assert parts["battery"].initial.by_origin() == {"renewable": 10, "thermal": 0, "grid": 6}
    assert parts["coal"].curve[1].fuel_gj_per_h == 600
    assert parts["mill"].demand_mw.tolist() == [3] * 12
    assert found.solver.gap == 0.01


def test_scaling_works_on_every_form(tmp_path: Path) -> None:
    half = {"scale": 0.5}
    paths = {
        "number": "components.pv.capacity_mw",
        "csv": "components.pv.availability_pu",
        "list": "components.town.demand_mw",
        "item": "components.api.market[1].price_cny_per_mtok",
        "hours": "components.chat.demand_mtok_per_h",
        "calendar": "components.grid.import_price_cny_per_mwh",
        "origins": "components.grid.export_price_cny_per_mwh",
        "months": "components.grid.peak_so_far_mw",
    }
    before = planner.load(write(tmp_path)).components
    after = planner.load(write(tmp_path), dict.fromkeys(paths.values(), half)).components
    assert after["pv"].capacity_mw == 50
    assert after["pv"].availability_pu.tolist() == [h / 200 for h in range(12)]
    assert after["town"].demand_mw.tolist() == [5] * 12
    assert after["api"].market[1].price_cny_per_mtok[0] == 0.5
    assert (2 * after["chat"].demand_mtok_per_h == before["chat"].demand_mtok_per_h).all()
    assert after["grid"].import_price_cny_per_mwh.tolist() == [300] * 9 + [500, 500, 300]
    assert after["grid"].export_price_cny_per_mwh.renewable[0] == 200
    assert after["grid"].peak_so_far_mw == {"2026-07": 10}
    scale = "{csv: data/site.csv, column: pv_pu, scale: 2}"
    twice = planner.load(write(tmp_path, (SERIES, scale)), {paths["csv"]: half}).components
    assert (twice["pv"].availability_pu == before["pv"].availability_pu).all()


def test_overrides_reach_models_with_dots_in_their_names(tmp_path: Path) -> None:
    file = write(tmp_path, *[("qwen", "DeepSeek-V3.1")] * 5)
    path = "components.gpus.serves.DeepSeek-V3.1.points[2].node_kw"
    found = planner.load(file, {path: 11})
    assert found.components["gpus"].serves["DeepSeek-V3.1"].points[2].node_kw == 11


def test_a_scenario_from_python_is_checked_alike() -> None:
    data = {
        "name": "x",
        "horizon": {"start": "2026-07-15T00:00:00+08:00", "hours": 1},
        "components": {"town": {"kind": "load", "demand_mw": -1}},
    }
    with pytest.raises(planner.ScenarioError) as caught:
        Scenario.from_mapping(data)
    assert str(caught.value) == (
        "scenario: components.town.demand_mw: must be 0 or more, is -1; a load draws power; what"
        " feeds the site is of `kind: renewable`, `thermal` or `grid`\n"
        "scenario: components.town.node: nothing feeds node 'site'"
    )


# change; warning
WARNINGS: dict[str, tuple[str, str, str]] = {
    "battery without ending value": (
        "ending: {value_cny_per_mwh: 300}", "ending: {at_least_mwh: 5}",
        "components.battery: energy left at the end has no value: the plan will empty the battery",
    ),
    "energy that can never be sold": (
        "technology: pv", "technology: pv\n    node: far",
        "node 'far' is fed, but nothing there can use or sell the energy",
    ),
    "demand above all capacity": (
        "arrivals_mtok_per_h: 2", "arrivals_mtok_per_h: 40000",  # 1000 x 9000 x 0.0036 = 32,400
        "want up to 40012 Mtok/h of 'qwen', above the 32400 Mtok/h that all fleets could answer",
    ),
    "unit that can hardly cycle": (
        "min_up_h: 4", "min_up_h: 8",
        "components.coal: min_up_h is more than half the horizon",
    ),
    "demand charge on hourly steps": (
        "month: 0", "month: 40000",
        "components.grid: the demand charge is billed on 30 min averages; steps of 60 min",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNINGS)
def test_warnings(case: str, tmp_path: Path) -> None:
    old, new, words = WARNINGS[case]
    found = planner.load(write(tmp_path, (old, new))).warnings()
    assert len(found) == 1, found
    assert words in found[0]
