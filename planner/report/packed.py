"""What a page carries packed: gzip in base64, which browsers unpack themselves.

plotly.js is 4.8 MB as it is shipped and 2.0 MB packed; every plan gets a page, so it is packed.
A browser that cannot unpack shows the page with its tables and says that it draws no charts.
"""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from importlib.resources import files
from typing import Any

GZIP = 16 + zlib.MAX_WBITS
QUICK, SMALL = 4, 9


def packed(content: bytes, level: int = SMALL) -> str:
    """Return bytes as gzip in base64; the same bytes give the same text."""
    pack = zlib.compressobj(level, zlib.DEFLATED, GZIP)
    return base64.b64encode(pack.compress(content) + pack.flush()).decode("ascii")


def packed_json(value: Any) -> str:
    """Return plain data packed as JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return packed(text.encode(), 6)


@cache
def packed_plotly() -> str:
    """Return plotly.js packed, once for all pages of a process; Plotly's Python side stays out."""
    script = files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    return packed(script, QUICK)
