"""The ten-unit unit commitment of Kazarlis, Bakirtzis & Petridis (1996), keyed in again.

IEEE Transactions on Power Systems 11(1), 83-92. Production costs a + b p + c p² dollars an hour
(p in MW); a start after at most min_down + cold_start hours off costs `hot`, later `cold`; state at
the start in hours on (+) or off (-). Spinning reserve: committed capacity of 1.1 times the load. No
ramp limits. Proven optimum of the ten units: 563,937.687 dollars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

OPTIMUM = 563_937.687
POINTS = 13

LOAD = (
    700, 750, 850, 950, 1000, 1100, 1150, 1200, 1300, 1400, 1450, 1500,
    1400, 1300, 1200, 1050, 1000, 1100, 1200, 1400, 1300, 1100, 900, 800,
)  # fmt: skip


@dataclass(frozen=True)
class Unit:
    low: float
    high: float
    a: float
    b: float
    c: float
    least_h: int  # on and off
    hot: float
    cold: float
    cold_start_h: int
    state_h: int

    def cost(self, p: float) -> float:
        return self.a + self.b * p + self.c * p * p


UNITS = (
    Unit(150, 455, 1000, 16.19, 0.00048, 8, 4500, 9000, 5, 8),
    Unit(150, 455, 970, 17.26, 0.00031, 8, 5000, 10000, 5, 8),
    Unit(20, 130, 700, 16.60, 0.00200, 5, 550, 1100, 4, -5),
    Unit(20, 130, 680, 16.50, 0.00211, 5, 560, 1120, 4, -5),
    Unit(25, 162, 450, 19.70, 0.00398, 6, 900, 1800, 4, -6),
    Unit(20, 80, 370, 22.26, 0.00712, 3, 170, 340, 2, -3),
    Unit(25, 85, 480, 27.74, 0.00079, 3, 260, 520, 2, -3),
    Unit(10, 55, 660, 25.92, 0.00413, 1, 30, 60, 0, -1),
    Unit(10, 55, 665, 27.27, 0.00222, 1, 30, 60, 0, -1),
    Unit(10, 55, 670, 27.79, 0.00173, 1, 30, 60, 0, -1),
)


def scenario_data(gap: float = 1e-7) -> dict[str, Any]:
    """The instance as a scenario: a GJ of fuel stands for a dollar."""
    components: dict[str, Any] = {
        "city": {"kind": "load", "demand_mw": [float(mw) for mw in LOAD]},
        "spinning": {"kind": "reserve", "load_share": 0.1},
    }
    for i, unit in enumerate(UNITS, 1):
        powers = np.linspace(unit.low, unit.high, POINTS)
        components[f"unit_{i:02d}"] = {
            "kind": "thermal",
            "min_power_mw": unit.low,
            "max_power_mw": unit.high,
            "curve": [{"power_mw": float(p), "fuel_gj_per_h": unit.cost(float(p))} for p in powers],
            "fuel_price_cny_per_gj": 1.0,
            "ramp_up_mw_per_h": 1000.0,
            "ramp_down_mw_per_h": 1000.0,
            "startup_ramp_mw": unit.high,
            "shutdown_ramp_mw": unit.high,
            "min_up_h": unit.least_h,
            "min_down_h": unit.least_h,
            "startups": [
                {"off_h": 0, "cost_cny": unit.hot},
                {"off_h": unit.least_h + unit.cold_start_h + 1, "cost_cny": unit.cold},
            ],
            "initial": {
                "on": unit.state_h > 0,
                "power_mw": unit.low if unit.state_h > 0 else 0.0,
                "hours": abs(unit.state_h),
            },
        }
    return {
        "name": "kazarlis10",
        "horizon": {"start": "2026-01-01T00:00:00+08:00", "hours": 24},
        "solver": {"gap": gap, "time_limit_s": 300.0},
        "components": components,
    }


def exact_cost(on: np.ndarray, starts: float) -> float:
    """The quadratic cost of a commitment (units x hours) with its own economic dispatch."""
    return starts + sum(_dispatch(on[:, hour], float(LOAD[hour])) for hour in range(24))


def _dispatch(on: np.ndarray, load: float) -> float:
    """Equal marginal cost within limits, by bisection on the price."""
    units = [unit for unit, running in zip(UNITS, on, strict=True) if running]

    def powers(price: float) -> list[float]:
        return [min(max((price - u.b) / (2 * u.c), u.low), u.high) for u in units]

    low, high = 0.0, 1000.0
    for _ in range(200):
        price = (low + high) / 2
        low, high = (price, high) if sum(powers(price)) < load else (low, price)
    return sum(unit.cost(p) for unit, p in zip(units, powers(high), strict=True))
