"""JSON Schema of sweep files, for editors."""

from __future__ import annotations

from typing import Any

from planner.sweeps.file import SweepFile

REFS = "#/$defs/{model}"


def sweep_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a sweep file."""
    schema = SweepFile.model_json_schema(ref_template=REFS)
    axes = schema["properties"]["axes"]
    values = {
        "type": "array",
        "minItems": 1,
        "items": {"type": ["number", "string", "boolean"]},
        "description": "Values, one after the other.",
    }
    forms = axes["additionalProperties"].pop("oneOf")
    axes["additionalProperties"] = {"anyOf": [values, *forms]}
    inputs = schema["$defs"]["Expression"]["properties"]["from"]
    names = {"type": "array", "items": {"type": "string"}}
    mapping = {key: inputs.pop(key) for key in ("type", "additionalProperties") if key in inputs}
    inputs["anyOf"] = [names, mapping]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Sweep",
    }
