"""What a component says of a horizon that is planned in parts: what a part leaves to later ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from planner.components.priced import Priced
from planner.horizon import Horizon, Window
from planner.series import Array


class Parted(Priced):
    """The part of a component that speaks of windows; by default each can be planned by itself."""

    counters: ClassVar[tuple[str, ...]] = ()
    """Columns of its schedule that only sum up others from where the window begins."""
    over_horizon: ClassVar[tuple[str, ...]] = ()
    """Fields that ask for something over a month or the horizon, where they are given."""

    def counting_on(
        self,
        values: Mapping[str, Array],  # noqa: ARG002
        window: Window,  # noqa: ARG002
        horizon: Horizon,  # noqa: ARG002
        *,
        firm: bool,  # noqa: ARG002
    ) -> Self:
        """Return the same component for a window that leaves the rest of the horizon to later.

        Its rules count on what a relaxation of the horizon does after the window.

        Args:
            values: its schedule columns (without its name) over the horizon in that relaxation;
                empty where there is none.
            window: the steps to be planned; some of the horizon come after it.
            horizon: the whole horizon.
            firm: False where the window has no plan otherwise: what later windows may still make up
                for is then not demanded of this one.
        """
        return self
