"""What a careful colleague would ask about a sweep."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.sweeps.axes import Axis, Bundle, Expression, Scale
from planner.sweeps.file import SweepFile, is_path

CAPACITY = re.compile(
    r"components\.[^.]+\.(capacity_mwh?|(max|charge|discharge)_power_mw|(import|export)_limit_mw"
    r"|nodes)(\[\d+\])?"
)


def cautions(sweep: SweepFile) -> Iterator[str]:
    """Yield a warning for every capacity that is swept as if it cost nothing."""
    for name, axis in sweep.axes.items():
        paths = [name]
        if isinstance(axis, Bundle):
            paths = list(dict.fromkeys(path for part in axis.bundle.values() for path in part))
        for path in paths:
            if is_path(path) and CAPACITY.fullmatch(path) and _moves(axis):
                yield (
                    f"{path} is swept without its capital cost: more is always better; weigh"
                    " profit against what the capacity costs"
                )


def _moves(axis: Axis) -> bool:
    """Say whether an axis has more than one value."""
    if isinstance(axis, Expression | Bundle | Scale):
        return True
    return axis.levels is None or len(set(axis.levels)) > 1
