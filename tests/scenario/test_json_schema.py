"""The JSON Schema that editors use: valid, complete, and of one mind with the checks."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.components.registry import KINDS
from planner.files.yaml_document import read_yaml
from planner.scenario.json_schema import field_schema, scenario_schema
from tests.support.full_site import GOOD, write_text

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).parent.parent.parent
FILES = sorted((ROOT / "scenarios").glob("*/scenario.yaml"))


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="module")
def accepts(validator: Any) -> Any:
    return validator.is_valid


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Any]:
    return read_yaml(write_text(tmp_path, GOOD)).data


def test_the_command_prints_the_schema() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.output) == scenario_schema()
    assert result.output.isascii()  # safe in any terminal and pipe
    assert scenario_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_command_describes_fields_in_chinese() -> None:
    result = CliRunner().invoke(app, ["schema", "--lang", "zh"])
    assert result.output.isascii()
    said = json.loads(result.output)
    assert _without_descriptions(said) == _without_descriptions(scenario_schema())
    capacity = said["$defs"]["Battery"]["properties"]["capacity_mwh"]
    assert capacity["description"] == "储能容量：最高荷电量。"
    assert said["properties"]["description"]["description"] == "一句话说明。"


def _without_descriptions(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_descriptions(item) for item in part]
    if not isinstance(part, dict):
        return part
    texts = {"description"} if isinstance(part.get("description"), str) else set()
    return {key: _without_descriptions(item) for key, item in part.items() if key not in texts}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_every_scenario_of_the_project_is_accepted(file: Path, accepts: Any) -> None:
    assert accepts(read_yaml(file).data)


def test_the_good_scenario_is_accepted(good: dict[str, Any], accepts: Any) -> None:
    assert accepts(good)


def _objects(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        if part.get("type") == "object" and "properties" in part:
            yield path, part
        for key, value in part.items():
            yield from _objects(value, f"{path}/{key}")
    elif isinstance(part, list):
        for i, value in enumerate(part):
            yield from _objects(value, f"{path}/{i}")


def test_every_field_is_described_and_unknown_ones_are_refused() -> None:
    found = dict(_objects(field_schema()))
    assert {"/$defs/Battery", "/$defs/CsvSeries", "/$defs/Horizon"} <= set(found)
    for path, part in found.items():
        assert part["additionalProperties"] is False, path
        for name, field in part["properties"].items():
            assert field.get("description"), f"{path}.{name}"


def test_every_kind_stands_in_the_schema() -> None:
    defs = scenario_schema()["$defs"]
    for kind, (component, *_) in KINDS.items():
        assert defs[component.__name__]["properties"]["kind"]["const"] == kind
        assert set(defs[component.__name__]["properties"]) == set(component.model_fields)


# where in the good scenario, and what to put there; both the schema and the checks refuse it
WRONG: list[tuple[str, Any]] = [
    ("x", 1),
    ("name", ""),
    ("vat", "maybe"),
    ("trace", "on"),
    ("horizon.step_min", 45),
    ("horizon.x", 1),
    ("components", {}),
    ("components.pv.x", 1),
    ("components.pv.kind", "solar"),
    ("components.pv.capacity_mw", "100"),
    ("components.pv.capacity_mw", -1),
    ("components.pv.availability_pu", 2),
    ("components.pv.availability_pu", [2] + [1] * 11),
    ("components.pv.availability_pu", {"hours": [2] + [1] * 23}),
    ("components.pv.availability_pu", {"hours": [1] * 23}),
    ("components.pv.availability_pu", {"calendar": [{"value": 2}]}),
    ("components.pv.availability_pu", {"csv": "data/site.csv"}),
    ("components.pv.availability_pu", {"calendar": [{"value": "x"}]}),
    ("components.pv", 5),
    ("components.pv", {"technology": "pv", "capacity_mw": 1, "availability_pu": 1}),
    ("vat", 1),
    ("components.battery.charge_efficiency", 2),
    ("components.battery.ending", {"at_least": 3}),
    ("components.battery.ending", {"value_cny_per_mwh": "x"}),
    ("components.battery.initial.energy_mwh", {"grid": -1}),
    ("components.grid.export_price_cny_per_mwh", {"renewable": 1}),
    ("components.grid.declaration", {"exchange_mw": "chosen"}),
    ("components.gpus.pue", {"temperature_c": 20}),
    ("components.pv.availability_pu", {"scale": 2}),
    ("components.coal.fuel_price_cny_per_gj", 0),
    ("components.gpus.pue", 0.5),
    ("components.gpus.serves", {}),
    ("components.battery.ending", "soon"),
    ("components.Town", {"kind": "load", "demand_mw": 1}),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_schema_and_checks_refuse_alike(
    path: str, value: Any, good: dict[str, Any], validator: Any, tmp_path: Path
) -> None:
    data = copy.deepcopy(good)
    *parents, last = path.split(".")
    here = data
    for part in parents:
        here = here[part]
    here[last] = value
    (error,) = validator.iter_errors(data)  # one mistake, one error
    assert all(other.validator == "required" for other in error.context)  # of no union
    with pytest.raises(planner.ScenarioError):
        planner.load(write_text(tmp_path, yaml.safe_dump(data)))


def test_a_field_or_its_simpler_form_is_required(good: dict[str, Any], validator: Any) -> None:
    battery = good["components"]["battery"]
    both = [battery.pop(name) for name in ("charge_efficiency", "discharge_efficiency")]
    (error,) = validator.iter_errors(good)
    assert error.validator == "anyOf"
    battery["round_trip_efficiency"] = both[0] * both[1]
    assert validator.is_valid(good)


def test_a_class_made_at_a_prompt_has_a_schema_without_descriptions() -> None:
    names: dict[str, Any] = {}
    exec("from planner.fields import Frozen\nclass Made(Frozen):\n    power_mw: float\n", names)
    schema = names["Made"].model_json_schema()
    assert schema["properties"] == {"power_mw": {"title": "Power Mw", "type": "number"}}
