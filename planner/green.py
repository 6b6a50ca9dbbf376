"""Shares of renewable energy, by the hour and over the horizon; physical energy only.

Own use = available - exported - curtailed: losses of storage count as use. self-use share = own use
/ available; load share = renewable drawn / drawn by loads and compute; official load share = own
use / drawn; export share = exported / available (NDRC/NEA 650, 2025). Energy that was stored is
used in the hour in which it is stored, and own use is below zero in an hour in which it is exported
from storage. Pooled energy has no shares; nor has less than 1e-6 MWh in an hour.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.pairs import by_pair, sums_by_pair
from planner.series import Array

COLUMNS = (
    "time", "available_mwh", "self_use_mwh", "exported_mwh", "curtailed_mwh", "drawn_mwh",
    "renewable_drawn_mwh", "self_use_share", "load_share", "official_load_share", "export_share",
)  # fmt: skip
LEAST_MWH = 1e-6
DECIMALS = 9


def green_table(allocation: pd.DataFrame, times: pd.DatetimeIndex, *, trace: bool) -> pd.DataFrame:
    """Return the energy and the shares of every step, in the columns of `COLUMNS`.

    A share of nothing is not a number; pooled plans have no rows.
    """
    if not trace:
        return pd.DataFrame({name: [] for name in COLUMNS})
    mwh = by_pair(allocation, "origin", "use", "mwh")

    def of(*keys: tuple[str, str]) -> Array:
        return np.asarray(sum((mwh[key] for key in keys if key in mwh), np.zeros(len(times))))

    available = of(*(key for key in mwh if key[0] == "renewable"))
    exported, curtailed = of(("renewable", "export")), of(("renewable", "curtailed"))
    drawn = of(*(key for key in mwh if key[1] in ("load", "compute")))
    own = available - exported - curtailed
    green = of(("renewable", "load"), ("renewable", "compute"))
    energy = (available, own, exported, curtailed, drawn, green)
    shares = ((own, available), (green, drawn), (own, drawn), (exported, available))
    columns = [*energy, *(_share(part, whole) for part, whole in shares)]
    rounded = (np.round(column, DECIMALS) + 0.0 for column in columns)
    return pd.DataFrame(dict(zip(COLUMNS, (times, *rounded), strict=True)))


def _share(part: Array, whole: Array) -> Array:
    none = np.full(len(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=none, where=whole > LEAST_MWH), dtype=float)


def energy_sums(allocation: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return MWh over the horizon by origin and use."""
    return sums_by_pair(allocation, "origin", "use", "mwh")


def green_shares(allocation: pd.DataFrame) -> dict[str, float | None]:
    """Return the shares over the horizon, and what was curtailed; None for a share of nothing."""
    sums = energy_sums(allocation)
    if "pooled" in {origin for origin, _ in sums}:
        return {}

    def of(use: str, origin: str | None = None) -> float:
        return float(sum(v for (o, u), v in sums.items() if u == use and origin in (None, o)))

    def share(part: float, whole: float) -> float | None:
        return round(part / whole, 6) if whole > 1e-9 else None

    available = float(sum(v for (o, _), v in sums.items() if o == "renewable"))
    exported, curtailed = of("export", "renewable"), of("curtailed", "renewable")
    drawn = of("compute") + of("load")
    drawn_green = of("compute", "renewable") + of("load", "renewable")
    used = available - exported - curtailed
    return {
        "self_use_share": share(used, available),
        "load_share": share(drawn_green, drawn),
        "official_load_share": share(used, drawn),
        "export_share": share(exported, available),
        "curtailed_share": share(curtailed, available),
    }
