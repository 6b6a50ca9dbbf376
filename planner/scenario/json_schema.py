"""JSON Schema of scenario files, for editors and for the reference page."""

from __future__ import annotations

from typing import Any

from planner.components.registry import KINDS
from planner.fields import NAME
from planner.scenario.forecast_fields import DrawnForecast
from planner.scenario.scenario_file import ScenarioFile
from planner.timeseries.series import SERIES_MARK, series_json_schema

REFS = "#/$defs/{model}"


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file."""
    schema = ScenarioFile.model_json_schema(ref_template=REFS)
    defs: dict[str, Any] = schema.pop("$defs", {})
    series = series_json_schema()
    defs |= series.pop("$defs", {})
    series["description"] = (
        "A quantity by step: a number, a list with one value per step, a CSV column,"
        " 24 hourly values, or a calendar."
    )
    defs["Series"] = series
    kinds = []
    for _, (component, *_) in sorted(KINDS.items()):
        part = component.model_json_schema(ref_template=REFS)
        defs |= part.pop("$defs", {})
        part["properties"]["kind"]["description"] = "Kind of component."
        part["properties"]["kind"].pop("default", None)  # which only its class has
        part["required"] = ["kind", *part.get("required", [])]
        defs[component.__name__] = part
        kinds.append({"$ref": REFS.format(model=component.__name__)})
    schema["properties"]["components"] = {
        "type": "object",
        "description": "Components by name.",
        "minProperties": 1,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": {"oneOf": kinds},
    }
    drawn = DrawnForecast.model_json_schema(ref_template=REFS)
    defs |= drawn.pop("$defs", {})
    defs["DrawnForecast"] = drawn
    schema["properties"]["forecast"] = {
        "type": "object",
        "description": "Forecasts by the path of their series, which holds the actuals.",
        "propertyNames": {"pattern": "^components\\."},
        "additionalProperties": {
            "anyOf": [{"$ref": REFS.format(model=n)} for n in ("Series", "DrawnForecast")]
        },
    }
    schema["required"] = [*schema.get("required", []), "components"]
    schema = _with_series(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Scenario",
        "$defs": _with_series(dict(sorted(defs.items()))),
    }


def _with_series(part: Any) -> Any:
    """Replace the marks of series by the definition of a series with the limits of its values."""
    if isinstance(part, list):
        return [_with_series(item) for item in part]
    if not isinstance(part, dict):
        return part
    result = {key: _with_series(value) for key, value in part.items() if key != SERIES_MARK}
    if SERIES_MARK in part:
        result["$ref"] = REFS.format(model="Series")
        limits = part[SERIES_MARK]
        if limits:  # each keyword limits one form: the number, the list, or the mappings
            values = {"items": limits}
            entries = {"items": {"properties": {"value": limits}}}
            result |= limits | values | {"properties": {"hours": values, "calendar": entries}}
    return result
