"""Make the synthetic wind of the western site: three days of July 2026, hourly.

An autoregressive wind speed with a slow swell of 32 hours under it, so that wind and calm follow
each other within the horizon, through the rounded curve of a farm. Nothing here is measured. The
same version of numpy gives the same bytes.

Run it with `python scenarios/two_sites/build_data.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

SEED = 7
HOURS = 72
MEAN_M_PER_S, SWELL_M_PER_S, SWELL_H = 7.0, 3.5, 32.0
NOISE_M_PER_S, CORRELATION_H = 1.2, 6.0
CURVE_SPEED_M_PER_S = (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20)
CURVE_PU = (0, 0, 0.015, 0.06, 0.135, 0.25, 0.40, 0.57, 0.74, 0.87, 0.94, 0.96, 0.96)


def main() -> None:
    random = np.random.default_rng(SEED)
    kept = np.exp(-1 / CORRELATION_H)
    noise = np.zeros(HOURS)
    for hour in range(1, HOURS):
        fresh = np.sqrt(1 - kept**2) * NOISE_M_PER_S * random.standard_normal()
        noise[hour] = kept * noise[hour - 1] + fresh
    swell = SWELL_M_PER_S * np.sin(2 * np.pi * np.arange(HOURS) / SWELL_H)
    speed = np.maximum(MEAN_M_PER_S + swell + noise, 0)
    power = np.interp(speed, CURVE_SPEED_M_PER_S, CURVE_PU)
    rows = [
        f"2026-07-{15 + hour // 24} {hour % 24:02d}:00,{value:.4f}"
        for hour, value in enumerate(power)
    ]
    path = Path(__file__).parent / "data" / "wind.csv"
    path.write_text("time,wind_pu\n" + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
