"""Variants of a test, of which the first few run every time and the rest with `make slow`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def first_of(variants: Iterable[Any], few: int) -> list[Any]:
    """Return the variants with the marker `slow` on all but the first few."""
    return [
        pytest.param(
            *(variant if isinstance(variant, tuple) else (variant,)),
            marks=pytest.mark.slow if number >= few else (),
        )
        for number, variant in enumerate(variants)
    ]
