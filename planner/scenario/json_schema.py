"""JSON Schema of scenario files, for editors and for the reference page."""

from __future__ import annotations

from typing import Any

from planner.components.completion import is_simpler
from planner.components.component import Component
from planner.components.registry import KINDS, every_kind
from planner.fields import NAME
from planner.scenario.forecast_fields import DrawnForecast
from planner.scenario.scenario_file import ScenarioFile
from planner.scenario.schema_branches import branched
from planner.timeseries.series import SERIES_MARK, series_json_schema

REFS = "#/$defs/{model}"


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file: one error for one mistake."""
    return branched(field_schema())


def field_schema() -> dict[str, Any]:
    """Return the schema with its unions as they are, for the reference page."""
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
    for kind, (component, *_) in sorted(every_kind().items()):
        owner = "" if kind in KINDS else f"{kind}."  # classes of other packages may share names
        part = component.model_json_schema(ref_template=REFS.replace("{", owner + "{"))
        defs |= {owner + name: inner for name, inner in part.pop("$defs", {}).items()}
        part["properties"]["kind"]["description"] = "Kind of component."
        part["properties"]["kind"].pop("default", None)  # which only its class has
        part["required"] = ["kind", *part.get("required", [])]
        defs[owner + component.__name__] = part | _following(component)
        kinds.append({"$ref": REFS.format(model=owner + component.__name__)})
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


def _following(component: type[Component]) -> dict[str, Any]:
    """Return what a kind requires of fields that follow from others."""
    required: dict[str, list[str]] = {}
    for name, other in component.follows.items():
        if is_simpler(component, other):
            required.setdefault(other, []).append(name)
    rules = [
        {"anyOf": [{"required": names}, {"required": [other]}]} for other, names in required.items()
    ]
    return {"allOf": rules} if rules else {}


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
