"""The plan of a year or any long horizon, with a proven gap.

The windows are worked on by processes, as the cases of a sweep are. What is found for a window is
recorded as it comes, in `.NAME.windows/KEY.jsonl` beside the plan folder NAME until that is
written; KEY is a hash of the scenario, the length of windows and the versions of the solver.
`year_search` has the method.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from planner.diagnosis.infeasible import infeasible, obvious_contradictions, unbounded
from planner.diagnosis.wording import time_span
from planner.errors import (
    InfeasibleError,
    NoPlanError,
    PlannerError,
    ScenarioError,
    SolveError,
    wrong,
)
from planner.files.output_folder import beside
from planner.files.records import Records
from planner.message import Message, MessageList, template
from planner.plan.plan import Plan
from planner.plan_tables.files import PLAN_FOLDER
from planner.plan_tables.summary import proof
from planner.scenario.scenario import Scenario
from planner.scenario.scenario_key import scenario_key
from planner.scenario.uncertainty.members import require_one_member
from planner.solver.compiler import program_of
from planner.solver.program import Duals, Program
from planner.solver.rounds import MAX_VIOLATION, InfeasibleProgramError, UnboundedError
from planner.solver.solution import Solution
from planner.solver.totals import WithoutTotals, without_totals
from planner.studies.chain import recording
from planner.studies.solve import solve_program
from planner.studies.to_plan import Out, output_of, publish, to_plan
from planner.studies.window import length_problems
from planner.studies.workers import cluster, run_tasks
from planner.studies.year_search import FIRST_SHARE, YearSearch, cut
from planner.studies.year_task import WindowResult, WindowTask, recorded_result, work_on
from planner.timeseries.horizon import Window

DAMAGE = template("{path} is no window of a year; remove the line or use --fresh")


@dataclass(frozen=True)
class YearProgress:
    """How far a run is: windows done of a stage, and the profit and its bound so far."""

    stage: str
    done: int
    total: int
    profit_cny: float | None = None
    bound_cny: float | None = None


Progress = Callable[[YearProgress], None]


def plan_year(
    scenario: Scenario,
    out: Out = None,
    *,
    gap: float | None = None,
    window_h: float = 168.0,
    workers: int | None = None,
    scheduler: str | None = None,
    time_limit_s: float | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Plan a year, or any horizon too long for one program, with a proven gap.

    Args:
        scenario: the site and its horizon; its time limit holds for each window.
        out: the plan folder to write: an `Output`, or its path. What is found for windows is
            recorded beside it until it is written, and a run of the same scenario uses it again.
        gap: of turnover, at which the search ends [that of the scenario].
        window_h: hours in a window, about.
        workers: processes of the local cluster [one a core]; with 1 this process does the work.
        scheduler: address of a Dask scheduler to use instead.
        time_limit_s: of the run, after which the best plan so far is returned [none].
        fresh: forget what is recorded.
        progress: called as the run advances.

    Returns:
        The plan, with `year` in its summary: status "optimal" within the gap, "work_limit" where
        the search could not narrow it further, "time_limit" or "interrupted".

    Raises:
        ScenarioError: the window length does not fit the horizon, or Dask is not installed.
        InfeasibleError: no plan satisfies the scenario, or a window has none.
        NoPlanError: the time limit struck before a first plan.
        SolveError: the scheduler or its workers were lost; what is finished is recorded.
        PlanError: the folder cannot be written, or the plan fails its audit.
        KeyboardInterrupt: Ctrl-C before a first plan.
    """
    require_one_member(scenario)
    if gap is not None:
        scenario = scenario.with_values({"solver.gap": gap})
    if problems := length_problems(scenario.horizon, window_h=window_h):
        raise ScenarioError(problems)
    if scenario.solver.relax:
        raise wrong("solver.relax", Message("must be false: a year is planned with whole states"))
    if contradictions := obvious_contradictions(scenario):
        raise infeasible(scenario, contradictions)
    cuts = cut(scenario.horizon, window_h)
    key = f"{scenario_key(scenario)}-{window_h:g}"

    def file_of(target: Path) -> Path:
        return beside(target, "windows") / f"{key}.jsonl"

    output = output_of(out)
    folder = None if output is None else output.folder
    with recording(folder, PLAN_FOLDER, file_of, DAMAGE, fresh=fresh) as (target, records):
        run = _Run(
            scenario, cuts, scenario.solver.gap, records, progress or (lambda _: None),
            time_limit_s, workers, scheduler,
        )  # fmt: skip
        with run.resources:
            plan = run.plan()
        publish(plan, output)
        if target is not None:
            shutil.rmtree(beside(target, "windows"), ignore_errors=True)
        return plan


@dataclass
class _Run:
    """A run: its windows, and what has come of them.

    stopped: the status of a run that was stopped. steps: the log of bound and plan.
    """

    scenario: Scenario
    cuts: list[Window]
    gap: float
    records: Records | None
    progress: Progress
    time_limit_s: float | None
    workers: int | None = None
    scheduler: str | None = None
    resources: ExitStack = field(default_factory=ExitStack)
    client: Any = None
    stopped: str | None = None
    stages: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        limit_s = np.inf if self.time_limit_s is None else self.time_limit_s
        self.deadline = time.monotonic() + limit_s

    def plan(self) -> Plan:
        """Return the plan, to be published. Raises as `plan_year`."""
        if len(self.cuts) == 1:
            return self._plan_of_one()
        began = time.perf_counter()
        program = program_of(self.scenario)
        reduced = without_totals(program)
        self.search = search = YearSearch(reduced.program, self.cuts, self.gap, self._work_on)
        built = time.perf_counter()
        self._find_bound()
        self._find_plan()
        searched = time.perf_counter()
        if self.stopped is None:
            search.tidy()
        assert search.plan is not None
        seconds = {
            "build_s": built - began, "search_s": searched - built,
            "tidy_s": time.perf_counter() - searched,
        }  # fmt: skip
        self.resources.close()
        return self._published(program, reduced, seconds)

    def _find_bound(self) -> None:
        """Find the prices of seams and rules, and the bound at them."""
        search = self.search
        if search.windows.rules.size:
            search.price_rules()
            self._require_go_on()
            self._log("rules")
        search.find_prices()
        self._require_go_on()
        self._log("prices")
        search.bound_windows(range(len(self.cuts)), np.full(len(self.cuts), FIRST_SHARE * self.gap))
        search.bound_rest()
        self._log("bounds")

    def _find_plan(self) -> None:
        """Find a first plan, and narrow the gap."""
        search = self.search
        if not search.plan_year():
            raise infeasible(self.scenario)
        try:
            self._log("plan")
            while self.stopped is None and not search.is_proven() and search.refine():
                self._log("refinement")
        except KeyboardInterrupt:
            self.stopped = "interrupted"

    def _require_go_on(self) -> None:
        """Raise where the run was stopped before there can be a plan."""
        if self.stopped == "interrupted":
            raise KeyboardInterrupt
        if self.stopped is not None:
            raise NoPlanError(Message(
                "no plan was found within {limit:g} s; run it again with a longer --time-limit:"
                " finished windows are kept",
                limit=self.time_limit_s,
            ))  # fmt: skip

    def _plan_of_one(self) -> Plan:
        plan, _, _ = solve_program(self.scenario)
        return plan

    def _published(self, program: Program, reduced: WithoutTotals, seconds: Any) -> Plan:
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
            x, status, min(search.bound, objective), settled=True, rounds=self.stages, duals=duals,
            tidied=self.stopped is None,
        )  # fmt: skip
        plan = to_plan(program, solution, seconds)
        return replace(plan, summary=plan.summary | {"year": self._summary(program, duals)})

    def _work_on(self, tasks: Iterator[WindowTask]) -> dict[int, WindowResult]:
        """Return the results of tasks by window: recorded ones, and those that workers find."""
        results: dict[int, WindowResult] = {}
        self.stages += 1

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
                    self._report(task.work, len(results))

        waiting = unfinished()
        first = next(waiting, None)
        if first is None:
            return results
        try:
            for task, result in self._found(chain([first], waiting)):
                if isinstance(result, Exception):
                    raise self._explained(task, result)
                if self.records is not None:
                    at = f"{task.work} {task.window.first}"
                    self.records.add(result.record(task.key, at))
                results[task.number] = result
                self._report(task.work, len(results))
                if time.monotonic() > self.deadline:
                    self.stopped = "time_limit"
                    break
        except KeyboardInterrupt:
            self.stopped = "interrupted"
        return results

    def _found(
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
        yield from run_tasks(self.client, str(self.stages), work_on, tasks)

    def _explained(self, task: WindowTask, error: Exception) -> Exception:
        """Return the error of a window with its number and hours."""
        horizon, window = self.scenario.horizon, task.window
        title = Message(
            "window {n} of {count}, {when}",
            n=task.number + 1, count=len(self.cuts),
            when=time_span(horizon, window.first, window.last),
        )  # fmt: skip
        if isinstance(error, InfeasibleProgramError):
            explained = infeasible(self.scenario, window=window)
            text = MessageList("\n", (title, explained.message))
            return InfeasibleError(text, explained.diagnosis | {"window": title})
        if isinstance(error, UnboundedError):
            return unbounded(program_of(self.scenario, window))
        if isinstance(error, PlannerError):
            return type(error)(MessageList(": ", (title, error.message)))
        return error

    def _report(self, stage: str, done: int) -> None:
        self.progress(YearProgress(stage, done, len(self.cuts), *self._known()))

    def _known(self) -> tuple[float | None, float | None]:
        """Return the profit and its bound so far."""
        plan, bound = self.search.plan, self.search.bound
        return None if plan is None else -plan.value, -bound if np.isfinite(bound) else None

    def _log(self, work: str) -> None:
        """Add a line to the log of bound and plan."""
        profit, bound = self._known()
        if bound is None or profit is None:
            gaps: Mapping[str, Any] = {"bound_cny": bound, "gap": None, "gap_of_profit": None}
        else:
            plan = self.search.plan
            assert plan is not None
            turnover = self.search.program.turnover(plan.x)
            gaps = proof(profit, max(bound, profit), turnover)
        self.steps.append({"work": work, "profit_cny": profit, **gaps})
        self.progress(YearProgress(work, len(self.cuts), len(self.cuts), profit, bound))

    def _summary(self, program: Program, duals: Duals) -> dict[str, Any]:
        """Return what the summary says of the windows, months and rules of the year."""
        search, horizon = self.search, self.scenario.horizon
        assert search.plan is not None
        missing = search.excess(search.plan.x)
        months = [
            {
                "month": month,
                "missing_cny": round(float(sum(
                    excess
                    for window, excess in zip(self.cuts, missing, strict=True)
                    if steps[0] <= window.first <= steps[-1]
                )), 2),
            }
            for month, steps in horizon.months.items()
        ]  # fmt: skip
        shared = search.plan.value - search.bound - float(missing.sum())
        names = {number: family for family, number in program.families.items()}
        rules = [
            {"component": component, "rule": rule, "value": round(float(duals.rows[row]), 6) + 0.0}
            for row in program.end_rows.tolist()
            for component, rule, _ in [names[program.row_families[row]]]
        ]
        return {
            "windows": len(self.cuts),
            "months": months,
            "shared_cny": round(shared, 2),
            "rule_prices": rules,
            "steps": self.steps,
            "interrupted": self.stopped is not None,
        }
