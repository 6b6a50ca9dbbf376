"""Fleets and services whose sums can be done in the head.

One node at work takes 1 MW and answers 2500 tokens/s, which is 9 Mtok in an hour; awake and idle it
takes 0.2 MW. Energy costs 100 CNY/MWh.
"""

from __future__ import annotations

from typing import Any

IDLE = {"tokens_per_s": 0, "node_kw": 200}
WORK = {"tokens_per_s": 2500, "node_kw": 1000, "inter_token_ms": 20}
FAST = {"tokens_per_s": 1250, "node_kw": 800, "inter_token_ms": 10}  # 4.5 Mtok/h


def grid(price: Any = 100, **more: Any) -> dict[str, Any]:
    """A grid that only sells to the site."""
    return {
        "kind": "grid", "import_limit_mw": 1000, "export_limit_mw": 0,
        "import_price_cny_per_mwh": price, "export_price_cny_per_mwh": 0,
    } | more  # fmt: skip


def serving(*points: dict[str, Any], **more: Any) -> dict[str, Any]:
    """How one model is served; the idle point comes by itself."""
    return {"points": [IDLE, *(points or (WORK,))], **more}


def fleet(nodes: float = 10, **more: Any) -> dict[str, Any]:
    """Nodes that serve `chatty`, without cooling overhead, and take nothing asleep."""
    base = {"kind": "fleet", "nodes": nodes, "pue": 1, "sleep_kw": 0}
    return base | {"serves": {"chatty": serving()}} | more


def chat(demand: Any = 18, price: Any = 20, **more: Any) -> dict[str, Any]:
    """Interactive work."""
    base = {"kind": "service", "model": "chatty", "demand_mtok_per_h": demand}
    return base | {"price_cny_per_mtok": price} | more


def batch(
    arrivals: Any = 18, price: Any = 20, deadline_h: float = 24, **more: Any
) -> dict[str, Any]:
    """Work that may wait."""
    base = {"kind": "service", "model": "chatty", "arrivals_mtok_per_h": arrivals}
    return base | {"price_cny_per_mtok": price, "deadline_h": deadline_h} | more


def market(*steps: tuple[Any, Any], **more: Any) -> dict[str, Any]:
    """Work sold into price steps of (depth, price)."""
    offers = [{"mtok_per_h": depth, "price_cny_per_mtok": price} for depth, price in steps]
    return {"kind": "service", "model": "chatty", "market": offers} | more


def site(grid_price: Any = 100, **parts: Any) -> dict[str, Any]:
    """A grid and whatever stands beside it."""
    return {"grid": grid(grid_price), **parts}
