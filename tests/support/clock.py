"""A clock under which no limit in seconds holds, as on a machine that is hardly running."""

from __future__ import annotations

import time
from itertools import count

import pytest

JUMP_S = 1000.0
UNLIMITED = {"time_limit_s": 1e9}  # of the solver: what users limit, the clock decides


def make_the_clock_jump(patch: pytest.MonkeyPatch) -> None:
    """Let every reading of the clock come 1000 s after the one before."""
    readings = count(time.perf_counter(), JUMP_S)
    patch.setattr(time, "perf_counter", lambda: next(readings))
