"""Several plans of one scenario: their tables, one below the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import pandas as pd

from planner.plan_tables.long_tables import one_below_the_other
from planner.plan_tables.tables import PlanTables


class SeveralPlans(ABC):
    """The tables of several plans, with the name of the plan first; joined when asked for.

    level: the name of the column, or of the level of the index, that holds the names.
    """

    level: ClassVar[str]

    @property
    @abstractmethod
    def members(self) -> Mapping[str, PlanTables]:
        """The plans by name."""

    @cached_property
    def schedule(self) -> pd.DataFrame:
        """The schedules, indexed by the name of the plan and `time`."""
        return self._joined({name: plan.schedule for name, plan in self.members.items()})

    @cached_property
    def allocation(self) -> pd.DataFrame:
        """Energy by origin and use."""
        return self._joined({name: plan.allocation for name, plan in self.members.items()})

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Every amount of money."""
        return self._joined({name: plan.ledger for name, plan in self.members.items()})

    @cached_property
    def reasons(self) -> pd.DataFrame:
        """Why components decide as they do, where that is known."""
        return self._joined({name: plan.reasons for name, plan in self.members.items()})

    @cached_property
    def green(self) -> pd.DataFrame:
        """Renewable energy and its shares by step."""
        return self._joined({name: plan.green for name, plan in self.members.items()})

    def long_schedule(self) -> pd.DataFrame:
        """Return the schedules with one value a row, as `Plan.long_schedule` does."""
        return self._joined({name: plan.long_schedule() for name, plan in self.members.items()})

    def key_figures(self) -> pd.DataFrame:
        """Return the key figures of each, as `Plan.key_figures` does."""
        return self._joined({name: plan.key_figures() for name, plan in self.members.items()})

    def _joined(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        return one_below_the_other(tables, self.level)
