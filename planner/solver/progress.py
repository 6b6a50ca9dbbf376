"""The progress of a solve, as it is logged: profit, its bound and seconds by round.

A solve of the whole horizon is logged at INFO, one of a window at DEBUG: there are many.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from planner.log import logger
from planner.message import Message
from planner.solver.program import Program
from planner.solver.solution import Solution

SEARCH_EVERY_S = 5.0  # between two lines of a search
LOG = logger(__name__)


class Progress:
    """The log of one solve, in the money of its program, as it was compiled."""

    def __init__(self, program: Program) -> None:
        whole = len(program.window) == program.scenario.horizon.steps
        self._level = logging.INFO if whole else logging.DEBUG
        self._money, self._began = program.units.money, time.perf_counter()

    @property
    def is_shown(self) -> bool:
        """Whether anybody reads it."""
        return LOG.isEnabledFor(self._level)

    def relaxed(self, bound: float) -> None:
        """Log the bound of the relaxation, as a cost in the solver's money."""
        if self.is_shown:
            self._log(Message(
                "relaxation: profit at most {bound:,.2f} CNY ({seconds:.1f} s)",
                bound=self._profit(bound), seconds=self._seconds,
            ))  # fmt: skip

    def round(self, number: int, cost: float | None, bound: float) -> None:
        """Log the plan of a round, if it has one, and its bound."""
        if not self.is_shown:
            return
        if cost is None:
            self._log(Message(
                "round {n}: no plan yet, profit at most {bound:,.2f} CNY ({seconds:.1f} s)",
                n=number, bound=self._profit(bound), seconds=self._seconds,
            ))  # fmt: skip
        else:
            self._log(Message(
                "round {n}: profit {profit:,.2f} CNY, at most {bound:,.2f} CNY ({seconds:.1f} s)",
                n=number, profit=self._profit(cost), bound=self._profit(bound),
                seconds=self._seconds,
            ))  # fmt: skip

    @property
    def searching(self) -> Callable[[float, float], None] | None:
        """What to call with cost and bound of a search, as often as one likes; None if unread."""
        if not self.is_shown:
            return None
        last = time.perf_counter()

        def report(cost: float, bound: float) -> None:
            nonlocal last
            now = time.perf_counter()
            if now - last < SEARCH_EVERY_S or not math.isfinite(cost):  # no plan yet
                return
            last = now
            self._log(Message(
                "search: profit {profit:,.2f} CNY, at most {bound:,.2f} CNY ({seconds:.1f} s)",
                profit=self._profit(cost), bound=self._profit(bound), seconds=self._seconds,
            ))  # fmt: skip

        return report

    def ended(self, solution: Solution, cost: float) -> None:
        """Log how a solve ended; the cost and the solution's bound are in CNY."""
        if self.is_shown:
            self._log(Message(
                "{status}: profit {profit:,.2f} CNY, at most {bound:,.2f} CNY ({seconds:.1f} s)",
                status=solution.status, profit=-cost, bound=-solution.bound,
                seconds=self._seconds,
            ))  # fmt: skip

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    def _profit(self, cost: float) -> float:
        return -cost / self._money

    def _log(self, message: Message) -> None:
        LOG.log(self._level, message)
