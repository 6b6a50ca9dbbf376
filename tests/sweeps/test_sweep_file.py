"""Sweep files: what an axis may be, how cases are drawn, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import planner
from planner import ScenarioError
from planner.files.yaml_document import parse_yaml
from planner.studies.sweep_plan import CheckedSweep, prepare
from planner.sweeps.arithmetic import evaluate, names_in, parse
from planner.sweeps.sweep_file import cautions, check_sweep

TINY = """\
name: tiny
horizon: {start: 2026-07-15T00:00:00+08:00, hours: 2}
components:
  grid: {kind: grid, import_limit_mw: 4, export_limit_mw: 4, resale: true,
         import_price_cny_per_mwh: [10, 50], export_price_cny_per_mwh: [10, 50]}
  battery: {kind: battery, capacity_mwh: 10, charge_power_mw: 4, discharge_power_mw: 4,
            charge_efficiency: 1, discharge_efficiency: 1, initial: {energy_mwh: 0},
            ending: same_as_start}
"""
CAPACITY, IMPORT, EXPORT = (
    "components.battery.capacity_mwh",
    "components.grid.import_price_cny_per_mwh",
    "components.grid.export_price_cny_per_mwh",
)


def written(folder: Path, text: str, base: str = TINY) -> Path:
    """Write a sweep file and its base scenario; return the sweep file."""
    (folder / "scenario.yaml").write_text(base)
    file = folder / "sweep.yaml"
    file.write_text(f"name: test\nbase: scenario.yaml\n{text}")
    return file


def cases(folder: Path, text: str) -> CheckedSweep:
    return prepare(written(folder, text))


def settings(folder: Path, text: str) -> list[dict[str, Any]]:
    return [dict(case.values) for case in cases(folder, text).cases]


def problems(folder: Path, text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        prepare(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


def test_a_grid_is_every_combination_with_the_first_axis_slowest(tmp_path: Path) -> None:
    found = settings(tmp_path, f"axes:\n  {CAPACITY}: [1, 2]\n  {IMPORT}: {{scale: [1, 3, 5]}}\n")
    assert [tuple(case.values()) for case in found] == [
        (1, 1), (1, 3), (1, 5), (2, 1), (2, 3), (2, 5),
    ]  # fmt: skip


def test_one_at_a_time_moves_each_axis_alone_around_the_base(tmp_path: Path) -> None:
    text = (
        f"design: one_at_a_time\naxes:\n  {CAPACITY}: {{low: 5, high: 20}}\n"
        f"  {IMPORT}: {{scale: [0.5, 2]}}\n  vat: [excluded]\n"
    )
    found = [tuple(case.values()) for case in settings(tmp_path, text)]
    assert found == [
        (10, 1.0, None), (5, 1.0, None), (20, 1.0, None), (10, 0.5, None), (10, 2, None),
        (10, 1.0, "excluded"),
    ]  # fmt: skip


def test_the_description_tells_the_base_value_of_each_axis(tmp_path: Path) -> None:
    text = f"axes: {{{CAPACITY}: [1, 2], {IMPORT}: {{scale: [1, 2]}}, {EXPORT}: [4, 9]}}\n"
    axes = cases(tmp_path, text).description.axes
    assert [getattr(axis, "base", None) for axis in axes.values()] == [10, 1.0, None]


def test_a_latin_hypercube_meets_each_part_of_each_range_once(tmp_path: Path) -> None:
    text = (
        f"design: latin_hypercube\nsamples: 8\naxes:\n  {CAPACITY}: {{low: 8, high: 16}}\n"
        f"  {IMPORT}: {{scale: {{low: 0, high: 8}}}}\n"
        "  solver.seed: {low: 1, high: 8, whole: true}\n"
    )
    found = settings(tmp_path, text)
    assert sorted(int(case[CAPACITY]) - 8 for case in found) == list(range(8))
    assert sorted(int(case[IMPORT]) for case in found) == list(range(8))
    assert sorted(case["solver.seed"] for case in found) == list(range(1, 9))
    assert found == settings(tmp_path, text)
    assert found != settings(tmp_path, f"seed: 1\n{text}")


def test_sobol_makes_samples_times_axes_plus_two_cases(tmp_path: Path) -> None:
    text = (
        f"design: sobol\nsamples: 4\naxes:\n  {CAPACITY}: {{low: 1, high: 2}}\n"
        f"  {IMPORT}: {{scale: {{low: 1, high: 2}}}}\n  world: {{bundle: {{a: {{}}, b: {{}}}}}}\n"
    )
    found = settings(tmp_path, text)
    assert len(found) == 4 * (3 + 2)
    first = [tuple(case.values()) for case in found[:5]]
    for axis in range(3):  # Saltelli: each axis in turn is taken from the second sample
        moved = [a != b for a, b in zip(first[0], first[1 + axis], strict=True)]
        assert not any(moved[:axis] + moved[axis + 1 :])


def test_a_bundle_moves_several_paths_together(tmp_path: Path) -> None:
    text = (
        f"design: one_at_a_time\naxes: {{world: {{bundle: {{cheap: {{{IMPORT}: 1, {EXPORT}: 2}},"
        f" dear: {{{IMPORT}: 90}}}}}}}}\n"
    )
    found = cases(tmp_path, text).cases
    assert [case.values["world"] for case in found] == [None, "cheap", "dear"]
    assert [case.changes for case in found] == [{}, {IMPORT: 1, EXPORT: 2}, {IMPORT: 90}]


def test_an_expression_follows_from_other_axes(tmp_path: Path) -> None:
    """A cost of 100 falls by 7 % with each per cent of efficiency above 22."""
    text = (
        "axes:\n  efficiency: [22, 24]\n"
        f'  {IMPORT}: {{expression: "100 * 0.93**(efficiency - 22)", from: [efficiency]}}\n'
        f'  {EXPORT}: {{expression: "x/11", from: {{x: efficiency}}, scales: true}}\n'
    )
    found = cases(tmp_path, text).cases
    assert [case.changes[IMPORT] for case in found] == [100, pytest.approx(86.49)]
    assert [case.changes[EXPORT]["scale"] for case in found] == [2, pytest.approx(24 / 11)]
    assert list(found[0].values) == ["efficiency", IMPORT, EXPORT]


def test_cases_from_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cases.csv")
    assert "cases.csv: is not a regular file" in problems(
        tmp_path, "design: list\ncases: cases.csv\naxes: {}\n"
    )


def test_a_list_takes_its_cases_from_a_csv(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text(f"{CAPACITY},world\n5,cheap\n\n7,\n")
    text = (
        f"design: list\ncases: cases.csv\naxes: {{world: {{bundle: {{cheap: {{{IMPORT}: 1}}}}}}}}\n"
    )
    found = cases(tmp_path, text).cases
    assert [case.changes for case in found] == [{CAPACITY: 5, IMPORT: 1}, {CAPACITY: 7}]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "cases.csv is empty"),
        ("foo\n1\n", "cases.csv:1: foo: is neither a path of the scenario nor an axis"),
        (f"{CAPACITY},{CAPACITY}\n1,2\n", "is the name of two columns"),
        (f"{CAPACITY}\n1,2\n", "cases.csv:2: the number of cells is 2, in the header 1"),
        (f"{CAPACITY},world\n1,dear\n", "cases.csv:2: world: must be one of cheap, is 'dear'"),
        (f'{CAPACITY}\n"[1, 2]"\n', f"cases.csv:2: {CAPACITY}: must be a number, a text"),
        (f"{CAPACITY}\n", "cases.csv: cases: has no cases"),
        ("vat,world\n,cheap\n", "cases.csv:1: vat: has no value in any case"),
    ],
)
def test_a_wrong_list_is_told_by_line(tmp_path: Path, rows: str, said: str) -> None:
    (tmp_path / "cases.csv").write_text(rows)
    text = "design: list\ncases: cases.csv\naxes: {world: {bundle: {cheap: {}}}}\n"
    assert said in problems(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("axes: {}", "sweep.yaml:3: axes: is required"),
        ("design: gird", "must be 'grid', 'one_at_a_time'"),
        (f"axes: {{{CAPACITY}: 3}}", f"axes.{CAPACITY}: must be a list of values, or a mapping"),
        (f"axes: {{{CAPACITY}: []}}", "must have 1 or more entries"),
        (f"axes: {{{CAPACITY}: {{low: 2, high: 1}}}}", ".high: must be above low, 2, is 1"),
        (f"axes: {{{CAPACITY}: {{low: 1, high: 2}}}}", "a range cannot be part of a grid"),
        (f"axes: {{{CAPACITY}: {{scale: [a]}}}}", ".scale[0]: must be a number, is 'a'"),
        (f"axes: {{{CAPACITY}: [{{a: 1}}]}}", "must be a number, a text, true or false"),
        ("axes: {compnents.battery.capacity_mwh: [1]}", "moves nothing: it is no path"),
        ("axes: {components.batery.capacity_mwh: [1]}", "did you mean battery?"),
        ("axes: {seconds: [1]}", "is the name of a column of every case table"),
        (f"axes: {{{CAPACITY}: [1], components.battery: [1]}}", "which the axis"),
        (f"axes: {{{CAPACITY}: {{expression: 'a+', from: [a]}}}}", "must be arithmetic"),
        (f"axes: {{{CAPACITY}: {{expression: 'a*b', from: [a]}}, a: [1]}}", "uses b, which `from`"),
        (f"axes: {{{CAPACITY}: {{expression: '1/a', from: [a]}}, a: [0]}}", "no finite value at a"),
        (f"axes: {{{CAPACITY}: {{expression: a**a**a**a, from: [a]}}, a: [9]}}", "no finite value"),
        (f"axes: {{{CAPACITY}: {{expression: '2*a', from: [a]}}, a: [x]}}", "needs numbers for a"),
        (f"samples: 3\naxes: {{{CAPACITY}: [1]}}", "samples: belongs to sampling designs"),
        (f"design: sobol\naxes: {{{CAPACITY}: [1]}}", "samples: is required for design sobol"),
        (f"design: sobol\nsamples: 3\naxes: {{{CAPACITY}: [1]}}", "must be a power of 2"),
        (f"plans: final\naxes: {{{CAPACITY}: [1]}}", "needs refine"),
        (f"refine: {{cases: [9]}}\naxes: {{{CAPACITY}: [1]}}", "there is no case 9; the last is 0"),
        (f"set: {{components.x.y: 1}}\naxes: {{{CAPACITY}: [1]}}", "set.components.x.y: there is"),
        (f"set: {{solver.gap: 0}}\nsolver: {{gap: 0.1}}\naxes: {{{CAPACITY}: [1]}}", "`solver` of"),
        ("design: list\ncases: none.csv", "none.csv: cases: cannot be read"),
        ("axes: {world: {bundle: {cheap: {'a..b': 3}}}}", "is not a path such as"),
        (
            f"axes: {{{CAPACITY}: {list(range(1, 1002))}, vat: {[*'abcdefgh'] * 130}}}",
            "sweep.yaml:1: design: makes 1.04e+06 cases; the most is 1,000,000",
        ),
    ],
)  # fmt: skip
def test_wrong_sweeps_are_told_in_words(tmp_path: Path, text: str, said: str) -> None:
    assert said in problems(tmp_path, text + "\n")


def test_a_wrong_case_is_told_with_its_number_and_values(tmp_path: Path) -> None:
    text = f"axes:\n  {CAPACITY}: [4, -1]\n  components.battery.min_energy_mwh: [0, 5]\n"
    said = problems(tmp_path, text).splitlines()
    assert len(said) == 2
    wrong = "must be above 0, is -1; leave the battery out where there is none, in case 2 ("
    assert said[0].startswith(f"sweep.yaml:4: {CAPACITY}: {wrong}")
    assert f"({CAPACITY} = 4, components.battery.min_energy_mwh = 5)" in said[1]


def test_wrong_cases_may_stay_as_rows(tmp_path: Path) -> None:
    found = cases(tmp_path, f"invalid: row\naxes: {{{CAPACITY}: [4, -1]}}\n")
    assert list(found.wrong) == [1]
    assert "must be above 0" in found.wrong[1]
    assert [bool(key) for key in found.keys] == [True, False]


def test_an_axis_may_follow_a_change_of_all_cases(tmp_path: Path) -> None:
    found = cases(tmp_path, f"set: {{{CAPACITY}: 6}}\naxes: {{{CAPACITY}: {{scale: [2]}}}}\n")
    made = found.base.scenario(found.cases[0].changes)
    assert made.components["battery"].capacity_mwh == 12


@pytest.mark.slow
def test_a_variant_is_the_scenario_that_load_would_give() -> None:
    root = Path(__file__).parent.parent.parent / "scenarios" / "huainan"
    text = f"""
name: x
base: {root}
set: {{horizon.hours: 24}}
solver: {{gap: 0.005}}
axes:
  components.chat.price_cny_per_mtok: {{scale: [0.5, 1]}}
  components.chat.demand_mtok_per_h: {{scale: [0.5, 1]}}
  components.b200.sleep[0].node_kw: [2.5, 2.8]
  horizon.start: [2026-07-15T00:00:00+08:00, 2026-01-15T00:00:00+08:00]
"""
    from planner.sweeps.design import design
    from planner.sweeps.variants import read_base

    document = parse_yaml(text, "sweep")
    sweep = check_sweep(document)
    base = read_base(sweep, document, Path())
    _, found = design(sweep, document, Path(), base.at)
    keys = set()
    for case in found:
        variant = base.scenario(case.changes)
        loaded = planner.load(root, {"horizon.hours": 24, "solver.gap": 0.005} | case.changes)
        assert variant == loaded
        assert base.key(variant) == base.key(loaded)
        keys.add(base.key(variant))
    assert len(keys) == 16
    assert base.exact == {"gap": 1e-3, "time_limit_s": 120}


def test_capacities_without_capital_cost_are_warned_of(tmp_path: Path) -> None:
    text = f"axes: {{{CAPACITY}: [1, 2], {IMPORT}: [1, 2], components.grid.import_limit_mw: [3]}}\n"
    (said,) = cautions(cases(tmp_path, text).description)
    assert said.startswith(f"{CAPACITY} is swept without its capital cost")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7), ("-2 ** 2", -4), ("(1 + 2) / 4", 0.75), ("max(1, x, 2)", 5),
        ("sqrt(4) + exp(0) + log(1) + abs(-x) + min(x, 3)", 11),
    ],
)  # fmt: skip
def test_arithmetic_has_its_usual_meaning(text: str, value: float) -> None:
    assert evaluate(parse(text), {"x": 5}) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "x.y", "x[0]", "[1]", "lambda: 1", "'a'", "1 if x else 2", "x < 1",
        "open('f')", "max(*x)", "x := 1", "True", "1j", "sum(x)", "f'{x}'", "", "x;y", "1 % 2",
        "x" * 501,
    ],
)  # fmt: skip
def test_nothing_but_arithmetic_is_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|may"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["1/0", "9**9**9**9", "log(0)", "sqrt(-1)", "(-1)**0.5", "exp(999)"]
)
def test_an_expression_without_a_finite_value_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="no finite value"):
        evaluate(parse(text), {})


def test_the_schema_knows_every_form_of_an_axis() -> None:
    import jsonschema
    import yaml

    from planner.sweeps.sweep_file import sweep_schema

    validator = jsonschema.Draft202012Validator(sweep_schema())
    page = (Path(__file__).parent.parent.parent / "docs" / "sweeps.md").read_text()
    blocks = [part.partition("\n```")[0] for part in page.split("kind=sweep\n")[1:]]
    assert len(blocks) == 3
    for block in blocks:
        validator.validate(yaml.safe_load(block))
    for axis in (3, {"low": 1}, {"scale": ["a"]}, {"expression": "1"}, [], [{}]):
        wrong = {"name": "x", "base": "y", "axes": {"a": axis}}
        assert len(list(validator.iter_errors(wrong))) == 1, axis


def test_names_are_found_without_functions() -> None:
    assert names_in(parse("max(a, b) * a + min")) == ["min", "a", "b"]
