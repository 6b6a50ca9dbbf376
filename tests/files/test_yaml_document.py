"""YAML as users expect it, with the line of every value."""

from __future__ import annotations

import math

import pytest

from planner.errors import ScenarioError, dotted
from planner.files.yaml_document import parse_value, parse_yaml, scalar
from planner.scenario.paths import override, parse_path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("no", "no"), ("NO", "NO"),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("11:30", "11:30"), ("1:30:00", "1:30:00"), ("2026-10-01", "2026-10-01"),
        ("2-9", "2-9"), ("07-15/08-31", "07-15/08-31"),
        ("1", 1), ("-1", -1), ("+7", 7), ("010", 10), ("1e-3", 0.001), ("1.e3", 1000.0),
        (".5", 0.5), ("-1.5E+2", -150.0), ("1_000", "1_000"), ("0x10", "0x10"), ("1,5", "1,5"),
        ("5%", "5%"), (".inf", math.inf), ("-.inf", -math.inf), ("9" * 400, math.inf),
        ("inf", "inf"), ("e5", "e5"), (".", "."),
    ],
)  # fmt: skip
def test_scalars_are_read_as_yaml_1_2(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_nan_is_a_number_that_validation_refuses() -> None:
    assert math.isnan(scalar(".nan"))
    assert scalar("nan") == "nan"


def test_quoted_scalars_stay_texts() -> None:
    document = parse_yaml("a: '1'\nb: \"on\"\nc: |\n  2\nd: 'null'\n", "x")
    assert document.data == {"a": "1", "b": "on", "c": "2\n", "d": "null"}


def test_every_value_knows_its_line() -> None:
    document = parse_yaml("a: 1\nb:\n  c: [1,\n      2]\n  d:\n    - e: 5\n    - e: 6\n", "x")
    places = {
        ("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "c", 1): 4, ("b", "d", 1, "e"): 7,
        ("b", "missing"): 2, ("b", "d", 9, "e"): 5, ("other",): 1,
    }  # fmt: skip
    assert {path: document.line(path) for path in places} == places
    assert str(document.problem(("b", "d", 1, "e"), "is wrong")) == "x:7: b.d[1].e: is wrong"


def test_aliases_repeat_what_they_name() -> None:
    document = parse_yaml("a: &price [1, 2]\nb: *price\n", "x")
    assert document.data == {"a": [1, 2], "b": [1, 2]}
    assert document.line(("b",)) == 2


def test_a_merge_key_adds_the_fields_of_another_mapping() -> None:
    lines = ["a: &a {x: 1, deep: {y: 2}, x: 3}", "b: &b", "  <<: *a", "  z: 4", "  deep: {w: 5}",
             "c:", "  x: 6", "  <<: [{v: 7}, *b]", "d: {<<: *a, <<: *b}"]  # fmt: skip
    document = parse_yaml("\n".join(lines), "x")
    a = {"x": 1, "deep": {"y": 2}}
    assert document.data == {
        "a": a, "b": {"z": 4, "deep": {"w": 5}, "x": 1},
        "c": {"x": 6, "v": 7, "z": 4, "deep": {"w": 5}}, "d": a,
    }  # fmt: skip
    places = (("c", "x"), 7), (("c", "v"), 8), (("c", "z"), 4), (("c", "deep", "w"), 5), (("c",), 6)
    assert all(document.line(path) == line for path, line in places)
    assert document.line(("b", "deep", "y")) == 5  # of `deep` here, which has no y
    assert [str(problem) for problem in document.problems] == [
        "x:1: a.x: appears twice; first on line 1",
        "x:9: d: << stands here twice; write a list: `<<: [*a, *b]`",
    ]
    chain = "".join(f"a{i}: &a{i} {{<<: *a{i - 1}}}\n" for i in range(1, 60))
    with pytest.raises(ScenarioError, match="too large or nested too deeply"):
        parse_yaml(f"a0: &a0 {{x: 1}}\n{chain}", "x")


def test_all_broken_keys_are_told_at_once() -> None:
    document = parse_yaml("a: 1\na: 2\nb: {<<: 3}\n[c]: 1\nd: !!set {}\n", "x")
    assert document.data == {"a": 1, "b": {}, "d": None}  # what could be read
    assert [str(problem) for problem in document.problems] == [
        "x:2: a: appears twice; first on line 1",
        "x:3: b: << takes a mapping, as in `<<: *coal_1`, or a list of them",
        "x:4: keys must be words",
        "x:5: d: YAML tag !!set is not allowed; leave it out",
    ]


def test_alias_bombs_and_deep_nesting_end_at_once() -> None:
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    repeated = f"a: &a [{', '.join('1' * 1000)}]\nb: [{', '.join(['*a'] * 101)}]\n"
    for text in (bomb, repeated, "{a: " * 100_000, "- " * 100_000, "a: &a {b: *a}"):
        with pytest.raises(ScenarioError, match="too large or nested too deeply"):
            parse_yaml(text, "x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300", 300), ("{scale: 0.8}", {"scale": 0.8}), ("[1, 2]", [1, 2]), ("on", "on"),
        ("", None), ("'5'", "5"), ("2026-07-15T00:00:00+08:00", "2026-07-15T00:00:00+08:00"),
    ],
)  # fmt: skip
def test_values_of_overrides_are_yaml(text: str, value: object) -> None:
    assert parse_value(text) == value


@pytest.mark.parametrize("text", ["[1", "{a: 1", "a: b", "1\nb: 2", "!!binary x", "&a [*a]", "*a"])
def test_what_is_no_value_names_its_path(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"^override: a\.b: ") as caught:
        parse_value(text, "a.b")
    assert caught.value.problems[0].line is None


def test_paths_are_written_and_read_alike() -> None:
    path = ("components", "chat", "market", 0, "price_cny_per_mtok")
    assert dotted(path) == "components.chat.market[0].price_cny_per_mtok"
    assert parse_path(dotted(path)) == path
    assert parse_path("a[1][2].b") == ("a", 1, 2, "b")


def test_an_override_leaves_the_original_alone() -> None:
    document = parse_yaml("a: {b: 1, c: [1, 2]}\n", "x")
    after, _ = override(document, {"a.b": 5, "a.c[0]": {"scale": 3}, "a.d.e": 6})
    assert after.data == {"a": {"b": 5, "c": [3, 2], "d": {"e": 6}}}
    assert document.data == {"a": {"b": 1, "c": [1, 2]}}
    assert str(after.problem(("a", "b"), "no")) == "override: a.b: no"
    assert str(after.problem(("a", "d", "f"), "no")) == "override: a.d.f: no"
    assert str(after.problem(("a", "c", 1), "no")) == "x:1: a.c[1]: no"


def test_wrong_overrides_are_told_at_once() -> None:
    document = parse_yaml("a: {b: on, c: {calendar: [1]}}\n", "x")
    changes = {"a.b": {"scale": 2}, "a.x": {"scale": 2}, "a.c": {"scale": 2}, "a.b.c": 1, "[": 1}
    with pytest.raises(ScenarioError) as caught:
        override(document, changes)
    assert str(caught.value).splitlines() == [
        "override: [: is not a path such as components.pv.capacity_mw",
        "override: a.b: only numbers and series can be scaled, not 'on'",
        "override: a.b.c: there is nothing at a.b.c",
        "override: a.c: only numbers and series can be scaled, not a mapping of calendar",
        "override: a.x: there is nothing to scale: the scenario does not set this field",
    ]


@pytest.mark.parametrize(
    ("value", "meant"),
    [("1,000", 1000), ("12,500", 12500), ("-999,125", -999125), ("0,125", 0.125), ("1,5", 1.5),
     ("1000,125", 1000.125), ("-1,25", -1.25)],
)  # fmt: skip
def test_a_comma_in_braces_is_told_and_read_as_it_was_most_likely_meant(
    value: str, meant: float
) -> None:
    document = parse_yaml(f"a: {{x: {value}, y: 2}}\n", "f")
    assert document.data == {"a": {"x": meant, "y": 2}}
    (problem,) = document.problems
    assert f"write {meant} or " in problem.message or "write 1.5, not 1,5" in problem.message


@pytest.mark.parametrize(
    "path", ["C:\\Users\\me\\x.csv", "data\\x.csv", "data\\new.csv", "a\\z.csv"]
)
def test_a_path_of_windows_in_double_quotes_is_told(path: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_problems(f'name: a\nfile: "{path}"\n')
    (problem,) = caught.value.problems
    assert "write / between folders" in problem.message
    assert problem.line == 2


def load_problems(text: str) -> None:
    document = parse_yaml(text, "f")
    if document.problems:
        raise ScenarioError(document.problems)


def test_lines_of_a_description_are_no_path() -> None:
    document = parse_yaml('description: "Two lines.\\nSee notes.md"\n', "f")
    assert not document.problems
