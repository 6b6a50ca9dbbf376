"""Mistakes as people make them: each is told in its line, with what to write, all in one round."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.errors import ScenarioError
from planner.files.yaml_document import parse_yaml
from planner.message import Message
from tests.support.beginner_mistakes import (
    IN_FILES,
    ON_THE_COMMAND_LINE,
    SITE,
    UNITS,
    WARNED,
    Mistake,
)
from tests.support.chinese import ZH, english_words

UNINDENTED = "town:\n  kind: load\n  demand_mw: 20\n"


def _written(folder: Path, *mistakes: Mistake) -> Path:
    text = SITE
    for one in mistakes:
        assert text.count(one.old), one.old
        text = text.replace(one.old, one.new, 1)
    if IN_FILES["component not indented"] in mistakes:
        text += UNINDENTED
    file = folder / "site.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", IN_FILES)
def test_a_mistake_is_told_in_its_line_with_what_to_write(name: str, tmp_path: Path) -> None:
    mistake = IN_FILES[name]
    file = _written(tmp_path, mistake)
    if not mistake.words or mistake.at == WARNED:
        warnings = planner.load(file).warnings()
        assert [mistake.words in text for text in warnings] == [True] * bool(mistake.words)
        return
    with pytest.raises(ScenarioError) as caught:
        planner.load(file)
    problem, *_ = (one for one in caught.value.problems if mistake.words in one.message)
    at = mistake.at or mistake.new.split("\n")[0]
    lines = [i for i, line in enumerate(file.read_text().split("\n"), 1) if at in line]
    assert problem.line in lines
    assert not isinstance(problem.message, Message) or not english_words(problem.message)


@pytest.mark.parametrize("name", ON_THE_COMMAND_LINE)
def test_a_mistake_on_the_command_line(name: str, tmp_path: Path) -> None:
    arguments, words = ON_THE_COMMAND_LINE[name]
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    result = CliRunner().invoke(app, [part.format(file=file) if part == "{file}" else part
                                      for part in arguments])  # fmt: skip
    assert words in result.output


def test_the_fifty_are_fifty_and_the_site_is_good(tmp_path: Path) -> None:
    assert len(IN_FILES) + len(ON_THE_COMMAND_LINE) == 50
    assert planner.load(_written(tmp_path)).warnings() == []


APART = {"full-width commas", "components as a list"}  # told otherwise among other mistakes
TOLD = [m for n, m in IN_FILES.items() if m.words and m.at != WARNED and n not in APART]


@pytest.mark.parametrize("seed", range(50))
def test_several_mistakes_are_told_in_one_round(seed: int, tmp_path: Path) -> None:
    """Whatever finds them: the parser, a field, a file that is missing, a name, two fields."""
    chosen: list[Mistake] = []
    text = SITE
    for mistake in random.Random(seed).sample(TOLD, len(TOLD)):
        alone = text.count(mistake.old) == 1 == SITE.count(mistake.old)
        if alone and not any(mistake.old in one.old or one.old in mistake.old for one in chosen):
            chosen.append(mistake)
            text = text.replace(mistake.old, mistake.new, 1)
        if len(chosen) == 4:
            break
    with pytest.raises(ScenarioError) as caught:
        planner.load(_written(tmp_path, *chosen))
    for mistake in chosen:
        assert mistake.words.split(" (there is")[0] in str(caught.value), str(caught.value)


# what becomes of `key: value`, and what is said
SLIPS = {
    "full-width colon": ("{key}：{value}", "write `{key}: ` with an ordinary colon"),
    "no space": ("{key}:{value}", "needs a space after the colon: write `{key}: `"),
    "equals": ("{key} = {value}", "is written with =; write `{key}: ` with a colon"),
    "tab": ("\t{key}: {value}", "is indented with a tab"),
    "wide space": ("　{key}: {value}", "is indented with a wide or hard space"),
}
FIELDS = [
    (i, *line.strip().split(": "))
    for i, line in enumerate(SITE.split("\n"))
    if line.startswith("    ") and line.count(": ") == 1 and "{" not in line and "[" not in line
]


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize(("line", "key", "value"), FIELDS)
def test_slips_of_yaml_are_mended_and_told(slip: str, line: int, key: str, value: str) -> None:
    form, words = SLIPS[slip]
    lines = SITE.split("\n")
    lines[line] = ("" if slip == "tab" else "    ") + form.format(key=key, value=value)
    document = parse_yaml("\n".join(lines), "x")
    problem, *_ = document.problems
    assert problem.line == line + 1
    assert words.format(key=key) in problem.message
    assert document.data["components"].keys() == {
        "pv", "coal", "battery", "grid", "town", "gpus", "chat"
    }  # fmt: skip


# a value as it is written; the field of the good site it is written for; what to write
VALUES: list[tuple[str, str, str]] = [
    ("'100'", "capacity_mw: 100", "write 100 without quotes"),
    ("100 MW", "capacity_mw: 100", "write 100: the unit, MW, is part of the name"),
    ("100MW", "capacity_mw: 100", "write 100: the unit, MW"),
    ("0.1 GW", "capacity_mw: 100", "write 100: the unit, MW"),
    ("100000 kW", "capacity_mw: 100", "write 100: the unit, MW"),
    ("100 MWp", "capacity_mw: 100", "write the number alone, in MW"),
    ("50000 kWh", "capacity_mwh: 50", "write 50: the unit, MWh"),
    ("1,5", "capacity_mw: 100", "write 1.5, with a point"),
    ("1,500", "capacity_mw: 100", "write 1500 or 1.500, without a comma"),
    ("1,500.5", "capacity_mw: 100", "write 1500.5, without marks between digits"),
    ("1 500", "capacity_mw: 100", "write 1500, without marks between digits"),
    ("１００", "capacity_mw: 100", "write 100, without other marks"),
    ("−5", "capacity_mw: 100", "write -5, without other marks"),
    ("none", "capacity_mw: 100", "leave the field out where it has no value"),
    (".inf", "capacity_mw: 100", "leave out what has no limit, or write a large number"),
    ("[100]", "capacity_mw: 100", "write the number without brackets: 100"),
    ("{csv: a.csv, column: b}", "capacity_mw: 100", "it is one number, the same in every step"),
    ("95 %", "charge_efficiency: 0.95", "write 0.95"),
    ("2 h", "min_up_h: 2", "write 2: the unit, h"),
    ("120 min", "min_up_h: 2", "write 2: the unit, h"),
    ("no", "resale: true", "write false"),
    ("on", "resale: true", "write true"),
    ("'true'", "resale: true", "write true"),
    ("1", "resale: true", "write true"),
    ("Wind", "technology: pv", "write wind"),
    ("solar", "technology: pv", "a thermal unit is of `kind: thermal`"),
    ("7", "model: qwen", "write '7' in quotes"),
    ("-1", "import_limit_mw: 80", "limits of both directions are positive; 0 forbids one"),
    ("25㎿", "charge_power_mw: 25", "write 25: the unit, MW, is part of the name"),
    ("8²", "charge_power_mw: 25", "write the number alone, in MW"),
    ("-1", "charge_power_mw: 25", "powers in and out are both positive"),
    ("0", "ramp_up_mw_per_h: 30", "a unit with no limit has a large one"),
    ("0.8", "pue: 1.2", "1.25 for 25 % on top"),
    ("7", "demand_interval_min: 60", "must be 5, 10, 15, 20, 30 or 60, is 7"),
    ("'60'", "demand_interval_min: 60", "write 60 without quotes"),
    ("off", "ending: same_as_start", "where any energy may be left, write {at_least_mwh: 0}"),
    ("{at_least: 5}", "ending: same_as_start", "must hold one or more of at_least_mwh"),
    ("solars", "kind: renewable", "must be one of battery"),
    ("储能", "kind: battery", "did you mean battery?"),
]


@pytest.mark.parametrize(("written", "good", "words"), VALUES)
def test_a_refused_value_tells_how_to_say_what_was_meant(
    written: str, good: str, words: str, tmp_path: Path
) -> None:
    new = f"{good.split(': ')[0]}: {written}"
    with pytest.raises(ScenarioError) as caught:
        planner.load(_written(tmp_path, Mistake(good, new, words)))
    assert words in str(caught.value)


def test_everything_wrong_with_one_component_is_told_at_once(tmp_path: Path) -> None:
    battery = Mistake(
        "    capacity_mwh: 50\n    charge_power_mw: 25\n",
        "    capacity_mwh: 10\n    charge_power_mw: x\n    nod: west\n    min_energy_mwh: 15\n"
        "    min_discharge_power_mw: 30\n    energy_targets: [{time: soon, at_least_mwh: 1}]\n",
        "",
    )
    with pytest.raises(ScenarioError) as caught:
        planner.load(_written(tmp_path, battery))
    assert {str(one).split("components.battery.")[-1] for one in caught.value.problems} == {
        "min_energy_mwh: may not exceed capacity_mwh 10, is 15",
        "charge_power_mw: must be a number, is 'x'",
        "nod: is not a field here; did you mean node?",
        "min_discharge_power_mw: may not exceed discharge_power_mw 25, is 30",
        "energy_targets[0].time: must be a time such as 2026-07-15 18:00, is 'soon'",
        "node: nothing feeds node 'west' (there is 'site')",
    }


def test_a_wrong_horizon_hides_only_what_depends_on_it(tmp_path: Path) -> None:
    mistakes = [IN_FILES[name] for name in ("no such file", "unknown model", "negative load")]
    hours = Mistake("hours: 4", "hours: 0.3", "")
    with pytest.raises(ScenarioError) as caught:
        planner.load(_written(tmp_path, hours, *mistakes))
    assert [problem.path for problem in caught.value.problems] == [
        "horizon.hours",
        "components.pv.availability_pu",
        "components.town.demand_mw",
        "components.chat.model",
    ]


def test_members_are_told_beside_a_wrong_base(tmp_path: Path) -> None:
    members = (
        "uncertainty:\n  members:\n"
        "    - {name: a, probability: 0.5, set: {components.pvv.capacity_mw: 3}}\n"
        "    - {name: b, probability: 0.5, set: {components.pv.availability_pu: 2}}\n"
    )
    file = _written(tmp_path, IN_FILES["negative load"])
    file.write_text(file.read_text() + members)
    with pytest.raises(ScenarioError) as caught:
        planner.load(file)
    assert [problem.path for problem in caught.value.problems] == [
        "components.town.demand_mw", "uncertainty.members[0].set", "uncertainty.members[1].set"
    ]  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_likely_slips_of_a_unit_are_asked_about(name: str, tmp_path: Path) -> None:
    old, new, words = UNITS[name]
    warnings = planner.load(_written(tmp_path, Mistake(old, new, ""))).warnings()
    assert any(words in text for text in warnings) == bool(words), warnings
    assert all(ZH.sentence(text) != text for text in warnings)


def test_a_price_that_stands_alone_is_judged_by_itself() -> None:
    def scenario(price: float) -> Any:
        return planner.Scenario.from_mapping({
            "name": "x",
            "horizon": {"start": "2026-07-15T00:00:00+08:00", "hours": 1},
            "components": {
                "town": {"kind": "load", "demand_mw": 5},
                "grid": {
                    "kind": "grid", "import_limit_mw": 9, "export_limit_mw": 0,
                    "import_price_cny_per_mwh": price, "export_price_cny_per_mwh": 0,
                },
            },
        })  # fmt: skip

    assert "if it is in CNY/kWh" in str(scenario(0.6).warnings())
    assert scenario(2).warnings() == []  # a whole number is an example's
    assert scenario(600).warnings() == []


def test_stored_energy_that_counts_as_the_grids() -> None:
    """10 MWh that were given as a number, a good export price, no load and no `resale`."""
    battery = {
        "kind": "battery", "capacity_mwh": 10, "charge_power_mw": 5, "discharge_power_mw": 5,
        "charge_efficiency": 1, "discharge_efficiency": 1, "initial": {"energy_mwh": 10},
    }  # fmt: skip
    grid = {
        "kind": "grid", "import_limit_mw": 0, "export_limit_mw": 10,
        "import_price_cny_per_mwh": 500, "export_price_cny_per_mwh": 300,
    }  # fmt: skip
    for ending in ({"at_least_mwh": 0}, {"at_least_mwh": 5}, {"value_cny_per_mwh": 10}):
        scenario = planner.Scenario.from_mapping({
            "name": "x",
            "horizon": {"start": "2026-01-05T00:00:00+00:00", "hours": 2},
            "components": {"b": battery | {"ending": ending}, "g": grid},
        })  # fmt: skip
        (warning,) = scenario.warnings()
        assert "10 MWh of grid energy cannot be sold" in warning
        assert "{energy_mwh: {renewable: 10}}" in warning


def test_a_site_without_a_plan_is_asked_about_its_units(tmp_path: Path) -> None:
    load = Mistake("demand_mw: 20", "demand_mw: 20000", "")
    with pytest.raises(planner.InfeasibleError, match=r"a unit may be wrong:\n(.*)write 20$"):
        planner.solve(planner.load(_written(tmp_path, load)))
