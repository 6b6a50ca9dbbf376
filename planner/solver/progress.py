"""The progress of a solve, as it is logged: profit, its bound and seconds by round.

A solve of the whole horizon is logged at INFO, one of a window at DEBUG: there are many.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from planner.log import logger
from planner.message import Message, template
from planner.solver.program import Program
from planner.solver.solution import Solution

SEARCH_EVERY_S = 5.0  # between two lines of a search
LOG = logger(__name__)


class Progress:
    """The log of one solve, in the money of its program, as it was compiled."""

    def __init__(self, program: Program) -> None:
        scenario = program.scenario
        whole = len(program.window) == scenario.horizon.steps
        self._level = logging.INFO if whole else logging.DEBUG
        self._currency, self._money = scenario.currency, program.units.money
        self._began = time.perf_counter()

    @property
    def is_shown(self) -> bool:
        """Whether anybody reads it."""
        return LOG.isEnabledFor(self._level)

    def relaxed(self, bound: float) -> None:
        """Log the bound of the relaxation, as a cost in the solver's money."""
        self._log(Message("relaxation"), None, bound / self._money)

    def round(self, number: int, cost: float | None, bound: float) -> None:
        """Log the plan of a round, if it has one, and its bound, in the solver's money."""
        cost = None if cost is None else cost / self._money
        self._log(Message("round {n}", n=number), cost, bound / self._money)

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
            self._log(Message("search"), cost / self._money, bound / self._money)

        return report

    def ended(self, solution: Solution, cost: float) -> None:
        """Log how a solve ended; the cost and the solution's bound are in CNY."""
        self._log(solution.status, cost, solution.bound)

    def _log(self, words: str, cost_cny: float | None, bound_cny: float) -> None:
        """Log profit, where there is a plan, and bound after words that say where they are from."""
        if not self.is_shown:
            return
        figures = {"words": words, "bound": -bound_cny, "currency": self._currency,
                   "seconds": time.perf_counter() - self._began}  # fmt: skip
        if cost_cny is None:
            text = template("{words}: no plan yet, profit at most {bound:,.2f} {currency}"
                            " ({seconds:.1f} s)")  # fmt: skip
        else:
            text = template("{words}: profit {profit:,.2f} {currency}, at most {bound:,.2f}"
                            " {currency} ({seconds:.1f} s)")  # fmt: skip
            figures["profit"] = -cost_cny
        LOG.log(self._level, Message(text, **figures))
