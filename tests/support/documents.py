"""Documents of --json against tests/golden/json_format_1.json, the keys that format 1 promises.

Where a key was added, the promise is written again by

    planner schema json > tests/golden/json_format_1.json

A key that was removed, renamed or given another meaning makes format 2.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from jsonschema import Draft202012Validator

PROMISE = Path(__file__).parent.parent / "golden" / "json_format_1.json"


@cache
def promised() -> dict[str, Any]:
    """What format 1 promises."""
    return dict(json.loads(PROMISE.read_text(encoding="utf-8")))


def document(result: Result, *, failed: bool = False) -> dict[str, Any]:
    """The document that a command printed, which is what format 1 promises of it."""
    assert result.exception is None or isinstance(result.exception, SystemExit)
    text = result.stdout_bytes.decode()
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert [*found][:4] == ["format", "command", "planner", "exit_code"]
    assert text.startswith('{\n  "format": 1,\n')
    assert found["exit_code"] == result.exit_code
    assert (found["error"] is None) == (result.exit_code == 0)
    name = "JsonDocument" if failed else found["command"]
    schema = {"$ref": f"#/$defs/{name}", "$defs": promised()["$defs"]}
    for error in Draft202012Validator(schema).iter_errors(found):
        pytest.fail(f"{found['command']}: {error.json_path}: {error.message}")
    return dict(found)
