"""The plan of a long horizon in overlapping windows (rolling horizon), with a bound.

1. The LP relaxation of the whole horizon gives the bound and the lookahead of the windows, for the
   rules over the horizon.
2. Each window is planned from the state after the steps executed before it (`chain`); the last one
   reaches the end of the horizon. A window without a plan under its firm lookahead is planned with
   a loose one, which requires only what later windows cannot make up for; the summary lists it.
3. The executed steps are settled once over the whole horizon, with its rules and money, and
   audited: the peak of a month is paid once, and minimum times, deadlines and cycles hold across
   windows.

Finished windows are recorded in `.NAME.windows/KEY.jsonl` beside the plan folder NAME until it is
written. KEY is a hash of the scenario, the lengths and the versions of the solver, so that a run
resumes from its own windows only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from planner.diagnosis.infeasible import infeasible, obvious_contradictions, unbounded
from planner.diagnosis.wording import listed, time_span
from planner.errors import InfeasibleError, NoPlanError, PlanError, ScenarioError, SolveError, wrong
from planner.files.records import Record, Records, record_of
from planner.message import Message, MessageList, template
from planner.plan.plan import Plan
from planner.plan_tables.summary import gap_of
from planner.scenario.scenario import Scenario, ScenarioLike, scenario_of
from planner.scenario.scenario_key import scenario_key
from planner.scenario.uncertainty.members import require_one_member
from planner.solver.compiler import program_of
from planner.solver.rounds import UnboundedError
from planner.studies.chain import Chain, Cut, ExecutedSteps, cut, recorded_rows, run, window_records
from planner.studies.settle import settle_executed
from planner.studies.to_plan import Out, output_of, publish
from planner.studies.window import (
    Lookahead,
    length_problems,
    lookahead_warnings,
    lookaheads,
    relaxation,
    solve_window,
)
from planner.timeseries.horizon import Horizon


def overlapping(horizon: Horizon, window_h: float, advance_h: float) -> list[Cut]:
    """Cut a horizon into overlapping windows; the first to reach its end is executed as a whole.

    Raises:
        ScenarioError: a length is no whole number of steps, or they do not fit together.
    """
    if problems := length_problems(horizon, window_h=window_h, advance_h=advance_h):
        raise ScenarioError(problems)
    if advance_h > window_h:
        raise wrong("advance_h", Message(
            "must not exceed window_h {most:g}, is {value:g}: steps would be left out",
            most=window_h, value=advance_h,
        ))  # fmt: skip
    cuts = cut(horizon, window_h, advance_h)
    last = next(c.window for c in cuts if c.window.last == horizon.steps)
    return [*(c for c in cuts if c.window.first < last.first), Cut(last, last)]


Progress = Callable[[str, int, int], None]
"""Called with the stage (relaxation, windows, settlement), how much of it is done and how much is
to be done."""

RELAXATION = "relaxation"
DAMAGE = template("{path} is no window of a plan; remove the line or use --fresh")


def roll(
    scenario: ScenarioLike,
    window_h: float = 48.0,
    advance_h: float = 24.0,
    out: Out = None,
    *,
    bound: bool = True,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Plan a long horizon in overlapping windows.

    Args:
        scenario: the site and its horizon; its solver settings hold for each window.
        window_h: hours planned at once.
        advance_h: hours executed of each window.
        out: the plan folder to write: an `Output`, or its path. Finished windows are recorded
            beside it until it is written, and a run with the same scenario and lengths resumes from
            them.
        bound: solve the LP relaxation of the whole horizon first. Without it the plan has no bound,
            and rules over the horizon only see what came before each window.
        fresh: forget finished windows.
        progress: called as the run advances.

    Returns:
        The plan of the whole horizon, settled and audited: status "settled", a bound from the
        relaxation, and `rolling` in its summary.

    Raises:
        ScenarioError: the lengths do not fit the horizon.
        InfeasibleError: no plan satisfies the scenario, or a window has none after those before it.
        NoPlanError: the time limit struck before a first plan of a window.
        PlanError: the folder cannot be written, or the plan fails its audit.
        KeyboardInterrupt: Ctrl-C; finished windows stay recorded beside the folder.
    """
    scenario = scenario_of(scenario)
    require_one_member(scenario)
    cuts = overlapping(scenario.horizon, window_h, advance_h)
    if scenario.solver.relax:
        raise wrong("solver.relax", Message(
            "must be false: a relaxation leaves no state that a window could begin with"
        ))  # fmt: skip
    if contradictions := obvious_contradictions(scenario):
        raise infeasible(scenario, contradictions)
    report = progress or (lambda *_: None)
    bounded = "bound" if bound else "no_bound"
    key = f"{scenario_key(scenario)}-{window_h:g}-{advance_h:g}-{bounded}"

    output = output_of(out)
    with window_records(output, key, DAMAGE, fresh=fresh) as (records, remove):
        began = time.perf_counter()
        bound_cny, lookahead = None, Lookahead()
        if bound:
            report("relaxation", 0, 1)
            bound_cny, lookahead = recorded_relaxation(scenario, records)
        relaxed = time.perf_counter()
        policy = RollingPolicy(cuts, lookahead)
        chain = Chain("roll", scenario, cuts, policy, key, counted=("left_open",))
        run([chain], records, lambda done, total: report("windows", done, total))
        rolled = time.perf_counter()
        report("settlement", 0, 1)
        plan = _settled(scenario, chain.schedule, bound_cny)
        seconds = {"bound_s": round(relaxed - began, 4), "windows_s": round(rolled - relaxed, 4)}
        warnings = lookahead_warnings(scenario) if not bound and len(cuts) > 1 else []
        more = {
            "rolling": {
                "window_h": float(window_h),
                "advance_h": float(advance_h),
                "windows": len(cuts),
                "at_time_limit": sum(steps.status != "optimal" for steps in chain.executed),
                "largest_window_gap": max(0.0, *(steps.gap or 0.0 for steps in chain.executed)),
                "left_open": [
                    time_span(scenario.horizon, cut.window.first, cut.window.last)
                    for cut, steps in zip(cuts, chain.executed, strict=True)
                    if steps.figures["left_open"]
                ],
            },
            "warnings": [*plan.summary["warnings"], *warnings],
            "runtimes_s": plan.summary["runtimes_s"] | seconds,
        }
        plan = replace(plan, summary=plan.summary | more)
        publish(plan, output)
        remove()
        return plan


def recorded_relaxation(scenario: Scenario, records: Records | None) -> tuple[float, Lookahead]:
    """Return `relaxation`, from its record if there is one."""

    def read(record: Record) -> tuple[float, Lookahead]:
        steps = pd.RangeIndex(scenario.horizon.steps if record["rows"] else 0)
        return record["figures"]["bound_cny"], recorded_rows(record, steps)

    recorded = None if records is None else records.use(RELAXATION, read)
    if recorded is not None:
        return recorded
    began = time.perf_counter()
    bound_cny, lookahead = relaxation(scenario)
    if records is not None:
        seconds, rows = time.perf_counter() - began, lookahead.to_dict("list")
        figures = {"bound_cny": bound_cny}
        records.add(
            record_of(RELAXATION, RELAXATION, "relaxed", seconds, figures=figures, rows=rows)
        )
    return bound_cny, lookahead


@dataclass(frozen=True, eq=False)
class RollingPolicy:
    """Plans a window for the most profit, with its lookahead."""

    cuts: Sequence[Cut]
    lookahead: Lookahead

    def __call__(self, state: Scenario, cut: Cut, _: pd.DataFrame) -> ExecutedSteps:
        """Plan a window.

        Raises:
            InfeasibleError: it has no plan after the decisions of the windows before it.
            NoPlanError: the time limit struck before a first plan.
            KeyboardInterrupt: Ctrl-C.
        """
        window = cut.window
        title = Message(
            "window {n} of {count}, {when}",
            n=self.cuts.index(cut) + 1, count=len(self.cuts),
            when=time_span(state.horizon, window.first, window.last),
        )  # fmt: skip
        scenarios = lookaheads(state, window, self.lookahead)
        for is_loose, scenario in enumerate(scenarios):
            try:
                plan = solve_window(scenario, window)
            except UnboundedError:
                raise unbounded(program_of(scenario, window)) from None
            except InfeasibleError:
                continue
            except NoPlanError as error:
                raise NoPlanError(MessageList(": ", (title, error.message))) from None
            solution, rows = plan.solution, plan.schedule.iloc[: len(cut.executed)]
            gap = gap_of(plan.profit_cny, -solution.bound, plan.program.turnover(solution.x))
            return ExecutedSteps(rows, solution.status, gap, {"left_open": is_loose})
        explained = infeasible(scenarios[-1], window=window)
        head = Message(
            "{sentence}: no plan after the decisions of the windows before it; longer windows look"
            " further ahead",
            sentence=title,
        )
        text = MessageList("\n", (head, explained.message))
        raise InfeasibleError(text, explained.diagnosis | {"window": title})


def _settled(scenario: Scenario, schedule: pd.DataFrame, bound_cny: float | None) -> Plan:
    """Settle the schedule over the whole horizon.

    Raises:
        PlanError: the windows together break a rule.
    """
    settlement = settle_executed(scenario, schedule)
    if settlement.breaches:
        head = Message("the windows together break rules that each of them keeps:")
        lines = listed(breach.text for breach in settlement.breaches)
        raise PlanError(MessageList("\n", (head, *lines)))
    plan = settlement.plan
    if bound_cny is None:
        return plan
    objective, turnover = plan.summary["objective_cny"], plan.summary["turnover_cny"]
    if objective - bound_cny > max(1e-3, 1e-6 * turnover):
        raise SolveError(
            Message("the plan is better than the bound of its relaxation; neither can be trusted")
        )
    return plan.settled(max(bound_cny, objective), {})
