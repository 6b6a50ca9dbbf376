"""A long horizon in overlapping windows, put together to one plan with a bound.

1. The LP relaxation of the whole horizon gives the bound, and what rules over the horizon may count
   on after a window (its lookahead).
2. Each window is planned on its own from the state that the steps before it left (`chain`); the
   last one reaches the end of the horizon. A window that has no plan with its lookahead is asked
   for no more than the later ones cannot make up for, and named in the summary.
3. The steps kept are settled once over the whole horizon, by its own rules and money, and audited:
   the peak of a month is paid once, and minimum times, deadlines and cycles hold across windows.

Finished windows are kept in `.NAME.windows/KEY.jsonl` beside the plan folder NAME until it is
written. KEY is a hash of the scenario, the lengths and the versions that solve it, so that a run
goes on with its own windows only.
"""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from planner.diagnosis.infeasible import infeasible, obvious_contradictions, unbounded
from planner.diagnosis.wording import time_span
from planner.errors import (
    InfeasibleError,
    NoPlanError,
    PlanError,
    Problem,
    ScenarioError,
    SolveError,
)
from planner.files.output_folder import beside, claim
from planner.files.records import Record, Records, record_of
from planner.plan.plan import Plan
from planner.plan_tables.files import PLAN_FOLDER
from planner.plan_tables.summary import gap_of
from planner.scenario.scenario import Scenario
from planner.scenario.scenario_key import scenario_key
from planner.scenario.uncertainty.members import require_one_member
from planner.solver.compiler import compile_program
from planner.solver.model import assemble
from planner.solver.rounds import UnboundedError
from planner.studies.chain import Chain, Cut, KeptSteps, cut, recorded_rows, run
from planner.studies.settle import settle
from planner.studies.window import (
    Lookahead,
    length_problems,
    lookahead_warnings,
    lookaheads,
    relaxation,
    solve_window,
)
from planner.timeseries.horizon import Horizon
from planner.timeseries.schedule import without_counters


def overlapping(horizon: Horizon, window_h: float, advance_h: float) -> list[Cut]:
    """Cut a horizon into windows that overlap; all of the first that reaches its end is kept.

    Raises:
        ScenarioError: a length is no whole number of steps, or they do not fit together.
    """
    problems = length_problems(horizon, window_h=window_h, advance_h=advance_h)
    if not problems and advance_h > window_h:
        text = f"must not exceed window_h {window_h:g}, is {advance_h:g}: steps would be left out"
        problems = [Problem(text, "advance_h")]
    if problems:
        raise ScenarioError(problems)
    cuts = cut(horizon, window_h, advance_h)
    last = next(c.window for c in cuts if c.window.last == horizon.steps)
    return [*(c for c in cuts if c.window.first < last.first), Cut(last, last)]


Progress = Callable[[str, int, int], None]
"""Told what is being done (relaxation, windows, settlement), how many are done and of how many."""

RELAXATION = "relaxation"
DAMAGE = "is no window of a plan; remove the line or use --fresh"


def roll(
    scenario: Scenario,
    window_h: float = 48.0,
    advance_h: float = 24.0,
    out: str | Path | None = None,
    *,
    bound: bool = True,
    fresh: bool = False,
    formats: tuple[str, ...] = ("csv",),
    lang: str = "en",
    progress: Progress | None = None,
) -> Plan:
    """Plan a long horizon in overlapping windows.

    Args:
        scenario: the site and its horizon; its solver settings hold for each window.
        window_h: hours planned at once.
        advance_h: hours kept of each window.
        out: plan folder to write. Finished windows are kept beside it until it is written, and a
            run with the same scenario and lengths goes on with them.
        bound: solve the LP relaxation of the whole horizon first. Without it the plan has no bound,
            and rules over the horizon only see what came before each window.
        fresh: forget finished windows.
        formats: schedule files to write, as `Plan.write`.
        lang: language of what is shown in the folder.
        progress: is told how far it is.

    Returns:
        The plan of the whole horizon, settled and audited: status "settled", a bound from the
        relaxation, and `rolling` in its summary.

    Raises:
        ScenarioError: the lengths do not fit the horizon.
        InfeasibleError: no plan satisfies the scenario, or a window has none after those before it.
        NoPlanError: the time limit struck before a first plan of a window.
        PlanError: the folder cannot be written, or the plan fails its audit.
        KeyboardInterrupt: Ctrl-C; finished windows stay beside the folder.
    """
    require_one_member(scenario)
    cuts = overlapping(scenario.horizon, window_h, advance_h)
    if scenario.solver.relax:
        text = "must be false: a relaxation leaves no state that a window could begin with"
        raise ScenarioError([Problem(text, "solver.relax")])
    if contradictions := obvious_contradictions(scenario):
        raise infeasible(scenario, contradictions)
    tell = progress or (lambda *_: None)
    with ExitStack() as stack:
        target = None if out is None else stack.enter_context(claim(out, PLAN_FOLDER))
        key = run_key(scenario, window_h, advance_h, bound=bound)
        records = stack.enter_context(finished_windows(target, key, fresh=fresh))
        began = time.perf_counter()
        bound_cny, lookahead = None, Lookahead()
        if bound:
            tell("relaxation", 0, 1)
            bound_cny, lookahead = recorded_relaxation(scenario, records)
        relaxed = time.perf_counter()
        chain = windows_chain(scenario, cuts, lookahead, key)
        run([chain], records, lambda done, total: tell("windows", done, total))
        rolled = time.perf_counter()
        tell("settlement", 0, 1)
        plan = _settled(scenario, chain.schedule, bound_cny)
        lengths_h = {"window_h": float(window_h), "advance_h": float(advance_h)}
        seconds = {"bound_s": round(relaxed - began, 4), "windows_s": round(rolled - relaxed, 4)}
        notes = lookahead_warnings(scenario) if not bound and len(cuts) > 1 else []
        more = {
            "rolling": lengths_h | window_facts(chain),
            "warnings": [*plan.summary["warnings"], *notes],
            "runtimes_s": plan.summary["runtimes_s"] | seconds,
        }
        plan = replace(plan, summary=plan.summary | more)
        if target is not None and out is not None:
            plan.write(out, formats, lang)
            shutil.rmtree(beside(target, "windows"), ignore_errors=True)
        return plan


def run_key(scenario: Scenario, window_h: float, advance_h: float, *, bound: bool) -> str:
    """Return what the finished windows of a run go by: all that they depend on."""
    relaxed = "bound" if bound else "no_bound"
    return f"{scenario_key(scenario)}-{window_h:g}-{advance_h:g}-{relaxed}"


@contextmanager
def finished_windows(target: Path | None, key: str, *, fresh: bool) -> Iterator[Records | None]:
    """Give the records of a run beside its plan folder; None without a folder.

    Where nothing has come to be recorded, nothing is left there.
    """
    if target is None:
        yield None
        return
    folder = beside(target, "windows")
    with Records(folder / f"{key}.jsonl", DAMAGE, fresh=fresh) as records:
        try:
            yield records
        finally:
            with suppress(OSError):  # it is removed, or windows of other runs are there too
                if not records.path.stat().st_size:
                    records.path.unlink()
                    folder.rmdir()


def recorded_relaxation(scenario: Scenario, records: Records | None) -> tuple[float, Lookahead]:
    """Return `relaxation`, which is solved once for all runs that go on with its record."""

    def read(record: Record) -> tuple[float, Lookahead]:
        steps = pd.RangeIndex(scenario.horizon.steps if record["rows"] else 0)
        return record["figures"]["bound_cny"], recorded_rows(record, steps)

    recorded = None if records is None else records.use(RELAXATION, read)
    if recorded is not None:
        return recorded
    began = time.perf_counter()
    bound_cny, lookahead = relaxation(scenario)
    gc.collect()  # the model of the whole horizon, before the windows begin
    if records is not None:
        seconds, rows = time.perf_counter() - began, lookahead.to_dict("list")
        figures = {"bound_cny": bound_cny}
        records.add(
            record_of(RELAXATION, RELAXATION, "relaxed", seconds, figures=figures, rows=rows)
        )
    return bound_cny, lookahead


def windows_chain(scenario: Scenario, cuts: Sequence[Cut], lookahead: Lookahead, key: str) -> Chain:
    """Return the windows of a roll, none of them planned yet; `key` as of `run_key`."""
    policy = RollingPolicy(cuts, lookahead)
    return Chain("roll", scenario, cuts, policy, key, counted=("left_open",))


@dataclass(frozen=True, eq=False)
class RollingPolicy:
    """Plans a window for the most profit, with what it may count on after its end."""

    cuts: Sequence[Cut]
    lookahead: Lookahead

    def __call__(self, state: Scenario, cut: Cut, _: pd.DataFrame) -> KeptSteps:
        """Plan a window.

        Raises:
            InfeasibleError: it has no plan after what the windows before it decided.
            NoPlanError: the time limit struck before a first plan.
            KeyboardInterrupt: Ctrl-C.
        """
        window, horizon = cut.window, state.horizon
        number = f"window {self.cuts.index(cut) + 1} of {len(self.cuts)}"
        name = f"{number}, {time_span(horizon, window.first, window.last)}"
        ways = lookaheads(state, window, self.lookahead)
        for way, scenario in enumerate(ways):
            try:
                plan = solve_window(scenario, window)
            except UnboundedError:
                raise unbounded(compile_program(assemble(scenario, window))) from None
            except InfeasibleError:
                continue
            except NoPlanError as error:
                raise NoPlanError(f"{name}: {error}") from None
            solution = plan.solution
            if solution.status == "interrupted":
                raise KeyboardInterrupt
            rows = plan.schedule.iloc[: len(cut.kept)]
            gap = gap_of(plan.profit_cny, -solution.bound, plan.program.turnover(solution.x))
            return KeptSteps(rows, solution.status, gap, {"left_open": way})
        why = infeasible(ways[-1], window=window)
        text = f"{name}, has no plan after what the windows before it decided; longer ones see more"
        raise InfeasibleError(f"{text}\n{why}", why.diagnosis | {"window": name})


def window_facts(chain: Chain) -> dict[str, Any]:
    """Return what the summary says of the windows."""
    horizon, pairs = chain.state.horizon, zip(chain.cuts, chain.kept, strict=True)
    return {
        "windows": len(chain.cuts),
        "at_time_limit": sum(kept.status != "optimal" for kept in chain.kept),
        "largest_window_gap": max(0.0, *(kept.gap or 0.0 for kept in chain.kept)),
        "left_open": [
            time_span(horizon, cut.window.first, cut.window.last)
            for cut, kept in pairs
            if kept.figures["left_open"]
        ],
    }


def _settled(scenario: Scenario, schedule: pd.DataFrame, bound_cny: float | None) -> Plan:
    """Settle the schedule over the whole horizon and audit it.

    Raises:
        PlanError: the windows together break a rule, or the plan fails its audit.
    """
    found = settle(scenario, without_counters(schedule, scenario.components))
    if found.breaches:
        lines = "\n".join(f"  - {breach.text}" for breach in found.breaches)
        raise PlanError(f"the windows together break rules that each of them keeps:\n{lines}")
    plan = found.plan
    if bound_cny is None:
        return plan
    objective, turnover = plan.summary["objective_cny"], plan.summary["turnover_cny"]
    if objective - bound_cny > max(1e-3, 1e-6 * turnover):
        raise SolveError("the plan beats the bound of its relaxation; neither is believed")
    return plan.settled(max(bound_cny, objective), {})
