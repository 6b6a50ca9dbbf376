"""A run over the windows of a year: who works on them, what is recorded, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from planner.diagnosis.infeasible import infeasible, unbounded
from planner.diagnosis.wording import time_span
from planner.errors import InfeasibleError, NoPlanError, PlannerError, SolveError
from planner.files.records import Records
from planner.log import logger
from planner.message import Message, MessageList
from planner.plan.plan import Plan
from planner.plan_tables.summary import proof
from planner.scenario.scenario import Scenario
from planner.solver.compiler import program_of
from planner.solver.program import Program
from planner.solver.rounds import (
    MAX_VIOLATION,
    InfeasibleProgramError,
    UnboundedError,
)
from planner.solver.solution import Solution
from planner.solver.totals import WithoutTotals, without_totals
from planner.studies.prices import with_prices
from planner.studies.to_plan import to_plan
from planner.studies.workers import cluster, run_tasks
from planner.studies.year_refinement import refine
from planner.studies.year_search import YearSearch
from planner.studies.year_summary import year_summary
from planner.studies.year_task import WindowResult, WindowTask, recorded_result, work_on

LOG = logger(__name__)
MOST_STALLED = 2  # refinements in a row that gain next to nothing


@dataclass(frozen=True)
class YearProgress:
    """How far a run is: windows done of a stage, and the profit and its bound so far."""

    stage: str
    done: int
    total: int
    profit_cny: float | None = None
    bound_cny: float | None = None


Progress = Callable[[YearProgress], None]


@dataclass
class YearRun:
    """A run: its windows, and what has come of them.

    stopped: the status of a run that was stopped. stages, count: how many stages have begun, and
    the tasks of the last. steps: the log of bound and plan.
    """

    scenario: Scenario
    window_h: float
    records: Records | None
    progress: Progress
    time_limit_s: float | None
    workers: int | None = None
    scheduler: str | None = None
    resources: ExitStack = field(default_factory=ExitStack)
    client: Any = None
    stopped: str | None = None
    stages: int = 0
    count: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        limit_s = np.inf if self.time_limit_s is None else self.time_limit_s
        self.deadline = time.monotonic() + limit_s

    def plan(self, *, prices: bool) -> Plan:
        """Return the plan, to be published, with prices if wanted. Raises as `plan_year`."""
        began = time.perf_counter()
        program = program_of(self.scenario)
        reduced = without_totals(program)
        self.search = search = YearSearch(reduced.program, self.window_h, self._work_on)
        built = time.perf_counter()
        self._find_prices()
        self._find_plan()
        with self._stopping():
            self._log("plan")
            self._take_prices()
            self._find_bound()
        search.bound_rest()
        searched = time.perf_counter()
        with self._stopping():
            if self.stopped is None:
                search.tidy()
        seconds = {
            "build_s": built - began, "search_s": searched - built,
            "tidy_s": time.perf_counter() - searched,
        }  # fmt: skip
        self.resources.close()
        return self._plan_of(program, reduced, seconds, prices=prices)

    def _find_prices(self) -> None:
        """Find the prices of rules and seams."""
        if self.search.windows.rules.size:
            self.search.price_rules()
            self._require_to_go_on()
            self._log("rules")
        self.search.find_prices()
        self._require_to_go_on()
        self._log("prices")

    def _find_plan(self) -> None:
        """Find a first plan."""
        search = self.search
        has_plan = search.plan_year()
        if not has_plan and search.windows.rules.size:
            has_plan = search.plan_with_rules()
        self._require_to_go_on()
        has_plan = has_plan or search.plan_in_order()
        self._require_to_go_on()
        if not has_plan:
            self._plan_as_one()

    def _plan_as_one(self) -> None:
        """Plan the whole horizon as one program, where windows do not fit together.

        Raises:
            InfeasibleError: it has no plan, or its profit no bound.
            NoPlanError: none was found in time, or by an LP with the integers found.
        """
        try:
            self.search.plan_as_one()
        except InfeasibleProgramError:
            raise infeasible(self.scenario) from None
        except UnboundedError:
            raise unbounded(program_of(self.scenario)) from None
        if self.search.plan is None:
            raise NoPlanError(Message("no plan was found; try a longer --time-limit"))

    def _take_prices(self) -> None:
        """Take prices from the plan, and find the others once more where they depend on these."""
        if self.search.take_prices():
            self.search.find_prices()
            self.search.plan_year()
            self._log("prices")

    def _find_bound(self) -> None:
        """Bound the windows, and narrow the gap."""
        search = self.search
        search.bound_windows()
        search.bound_rest()
        if not search.is_proven():  # the windows may have better plans by now
            search.plan_year()
        self._log("bounds")
        stalled = 0
        while self.stopped is None and not search.is_proven() and stalled < MOST_STALLED:
            stalled = 0 if refine(search) else stalled + 1
            self._log("refinement")

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Stop the run, with what it has, at Ctrl-C or where its time is over."""
        try:
            yield
        except KeyboardInterrupt:
            self.stopped = "interrupted"
        except TimeoutError:
            self.stopped = "time_limit"

    def _require_to_go_on(self) -> None:
        """Raise where the run was stopped before there is a plan."""
        if self.search.plan is not None:
            return
        if self.stopped == "interrupted":
            raise KeyboardInterrupt
        if self.stopped is not None:
            raise NoPlanError(Message(
                "no plan was found within {limit:g} s; run it again with a longer --time-limit:"
                " finished windows are kept",
                limit=self.time_limit_s,
            ))  # fmt: skip

    def _plan_of(
        self, program: Program, reduced: WithoutTotals, seconds: Mapping[str, float], *,
        prices: bool,
    ) -> Plan:  # fmt: skip
        """Return the plan of the best point."""
        search, best = self.search, self.search.plan
        assert best is not None
        x = reduced.point(best.x)
        if (violation := program.violation(x)) > MAX_VIOLATION:
            raise SolveError(Message(
                "the solver's plan violates its rows by {value:.1e}; it is not to be used",
                value=violation,
            ))  # fmt: skip
        objective = program.objective(x)
        status = "optimal" if search.is_proven() else self.stopped or "work_limit"
        duals = reduced.duals(best.duals)
        solution = Solution(
            x, status, min(search.bound, objective), settled=True, rounds=best.rounds, duals=duals,
            tidied=self.stopped is None,
        )  # fmt: skip
        plan = to_plan(program, solution, seconds)
        year = year_summary(search, program, plan, duals)
        year |= {"steps": self.steps, "interrupted": self.stopped is not None}
        plan = replace(plan, summary=plan.summary | {"year": year})
        if not prices:
            return plan
        return with_prices(plan, program, solution, further_solves=False)

    def _work_on(self, tasks: Iterator[WindowTask], count: int) -> dict[int, WindowResult]:
        """Return the results of tasks by window: recorded ones, and those that workers find."""
        results: dict[int, WindowResult] = {}
        self.stages, self.count = self.stages + 1, count

        def unfinished() -> Iterator[WindowTask]:
            for task in tasks:
                if self.stopped is not None:
                    return
                recorded = None
                if self.records is not None:
                    recorded = self.records.use(task.key, recorded_result)
                if recorded is None:
                    yield task
                else:
                    results[task.number] = recorded
                    self._report(task.work, len(results), count)

        waiting = unfinished()
        first = next(waiting, None)
        if first is None:
            return results
        with self._stopping():
            for task, result in self._results(chain([first], waiting)):
                if task.work == "plan" and isinstance(result, InfeasibleProgramError):
                    break  # of a window planned after others; the search goes on without
                if isinstance(result, Exception):
                    raise self._explained(task, result)
                if self.records is not None:
                    at = f"{task.work} {task.window.first}"
                    self.records.add(result.record(task.key, at))
                results[task.number] = result
                self._report(task.work, len(results), count)
                if time.monotonic() > self.deadline:
                    raise TimeoutError
        return results

    def _results(
        self, tasks: Iterable[WindowTask]
    ) -> Iterator[tuple[WindowTask, WindowResult | Exception]]:
        """Yield tasks with their results as workers find them, or this process as the only one."""
        if self.workers == 1 and self.scheduler is None:
            for task in tasks:
                try:
                    yield task, work_on(task)
                except PlannerError as error:
                    yield task, error
            return
        if self.client is None:
            joined = cluster("year", self.workers, self.scheduler)
            self.client = self.resources.enter_context(joined)
        left_s = None if self.time_limit_s is None else self.deadline - time.monotonic()
        yield from run_tasks(self.client, str(self.stages), work_on, tasks, left_s)

    def _explained(self, task: WindowTask, error: Exception) -> Exception:
        """Return the error of a window with its hours."""
        horizon, window = self.scenario.horizon, task.program.window
        title = Message(
            "the window {when}, whatever comes before and after it",
            when=time_span(horizon, window.first, window.last),
        )
        if isinstance(error, InfeasibleProgramError):
            if len(window) == horizon.steps:
                return infeasible(self.scenario)
            program = replace(task.program, scenario=self.scenario)
            explained = infeasible(self.scenario, window=window, program=program)
            text = MessageList("\n", (title, explained.message))
            return InfeasibleError(text, explained.diagnosis | {"window": title})
        if isinstance(error, UnboundedError):
            return unbounded(program_of(self.scenario, window))
        if isinstance(error, PlannerError):
            return type(error)(MessageList(": ", (title, error.message)))
        return error

    def _report(self, stage: str, done: int, count: int) -> None:
        self.progress(YearProgress(stage, done, count, *self._known()))

    def _known(self) -> tuple[float | None, float | None]:
        """Return the profit and its bound so far."""
        plan, bound = self.search.plan, self.search.bound
        return None if plan is None else -plan.value, -bound if np.isfinite(bound) else None

    def _log(self, work: str) -> None:
        """Add a line to the log of bound and plan."""
        profit, bound = self._known()
        if bound is None or profit is None:
            gaps: Mapping[str, Any] = {
                "bound_cny": bound if bound is None else round(bound, 6),
                "gap": None, "gap_of_profit": None,
            }  # fmt: skip
        else:
            plan = self.search.plan
            assert plan is not None
            turnover = self.search.program.turnover(plan.x)
            gaps = proof(profit, max(bound, profit), turnover)
        LOG.info(Message(
            "{work}: profit {profit}, at most {bound} {currency}",
            work=work, profit=_amount_text(profit), bound=_amount_text(bound),
            currency=self.scenario.currency,
        ))  # fmt: skip
        self.steps.append({
            "work": work, "profit_cny": profit if profit is None else round(profit, 6), **gaps
        })  # fmt: skip
        count = 1 if work == "plan" else self.count
        self.progress(YearProgress(work, count, count, profit, bound))


def _amount_text(amount: float | None) -> str:
    return Message("unknown") if amount is None else f"{amount:,.2f}"
