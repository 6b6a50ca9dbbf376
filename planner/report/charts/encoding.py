"""Figures as JSON that may stand inside a <script> element and that plotly.js reads.

Arrays of numbers are written as text or as base64 of 32-bit floats or small integers, whichever is
shorter. Both hold seven significant digits. What is no number is null; as base64 it stays NaN,
which plotly.js leaves out alike.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

DIGITS = 7  # what a 32-bit float holds
SHORTEST = 24  # arrays below this many numbers are always text
# What would end a script element, or a line of JavaScript.
UNSAFE = {
    "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"
}  # fmt: skip


def encoded(figure: dict[str, Any]) -> str:
    """Return a figure, plain values and NumPy arrays, as JSON safe inside a <script> element."""
    written = json.dumps(_plain(figure), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escape in UNSAFE.items():  # these stand in strings only, as JSON goes
        written = written.replace(character, escape)
    return written


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return _rounded(float(value))
    return value


def _rounded(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _array(values: np.ndarray) -> Any:
    if values.dtype.kind not in "fiub":
        return [_plain(item) for item in values.tolist()]
    listed = _plain(values.tolist())
    if values.size < SHORTEST or values.dtype.kind == "b":
        return listed
    packed = _packed(values)
    text = len(json.dumps(listed, separators=(",", ":")))
    return listed if text <= len(packed["bdata"]) + 40 else packed


def _packed(values: np.ndarray) -> dict[str, Any]:
    """Return an array as plotly.js reads typed ones: little-endian bytes in base64."""
    kind = "f4"
    if np.isfinite(values).all() and (values == np.round(values)).all():
        largest = float(np.abs(values).max())
        kind = "i1" if largest < 128 else "i2" if largest < 32_768 else "f4"
    data = np.ascontiguousarray(values.astype(f"<{kind}"))
    packed = {"dtype": kind, "bdata": base64.b64encode(data.tobytes()).decode("ascii")}
    if values.ndim > 1:
        packed["shape"] = ", ".join(map(str, values.shape))
    return packed
