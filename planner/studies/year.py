"""The plan of a year or any long horizon, with a proven gap.

The windows are worked on by processes, as the cases of a sweep are. The result of each is recorded
as it comes, in `.NAME.windows/KEY.jsonl` beside the plan folder NAME until that is
written; KEY is a hash of the scenario, the length of windows and the versions of the solver.
`year_search` has the method.
"""

from __future__ import annotations

from planner.diagnosis.infeasible import infeasible, obvious_contradictions
from planner.errors import ScenarioError, wrong
from planner.message import Message, template
from planner.plan.plan import Plan
from planner.scenario.scenario import ScenarioLike, scenario_of
from planner.scenario.scenario_key import scenario_key
from planner.scenario.uncertainty.members import require_one_member
from planner.studies.chain import window_records
from planner.studies.prices import prices as marginal_prices
from planner.studies.solve import solve
from planner.studies.to_plan import Out, output_of, publish
from planner.studies.window import length_problems
from planner.studies.year_run import Progress, YearProgress, YearRun
from planner.timeseries.horizon import cut

__all__ = ["YearProgress", "plan_year"]
DAMAGE = template("{path} is no window of a year; remove the line or use --fresh")


def plan_year(
    scenario: ScenarioLike,
    out: Out = None,
    *,
    gap: float | None = None,
    window_h: float = 60.0,
    workers: int | None = None,
    scheduler: str | None = None,
    time_limit_s: float | None = None,
    prices: bool = False,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Plan a year, or any horizon too long for one program, with a proven gap.

    Args:
        scenario: the site and its horizon; its time limit holds for each window.
        out: the plan folder to write: an `Output`, or its path. Results of windows are
            recorded beside it until it is written, and a run of the same scenario uses it again.
        gap: of turnover, at which the search ends [that of the scenario].
        window_h: hours in a window that is bounded, about; longer ones give the prices.
        workers: processes of the local cluster [one a core]; with 1 this process does the work.
        scheduler: address of a Dask scheduler to use instead.
        time_limit_s: of the run, after which the best plan so far is returned [none].
        prices: add marginal prices and end values to the plan.
        fresh: forget what is recorded.
        progress: called as the run advances.

    Returns:
        The plan, with `year` in its summary: status "optimal" within the gap, "work_limit" where
        the search could not narrow it further, "time_limit" or "interrupted".

    Raises:
        ScenarioError: an argument is out of its range, or Dask is not installed.
        InfeasibleError: no plan satisfies the scenario, or a window has none.
        NoPlanError: the time limit struck before a first plan.
        SolveError: the scheduler or its workers were lost; what is finished is recorded.
        PlanError: the folder cannot be written, or the plan fails its audit.
        KeyboardInterrupt: Ctrl-C before a first plan.
    """
    scenario = scenario_of(scenario)
    require_one_member(scenario)
    if gap is not None:
        scenario = scenario.with_values({"solver.gap": gap})
    if problems := length_problems(scenario.horizon, window_h=window_h):
        raise ScenarioError(problems)
    if scenario.solver.relax:
        raise wrong("solver.relax", Message("must be false: a year is planned with whole states"))
    if contradictions := obvious_contradictions(scenario):
        raise infeasible(scenario, contradictions)
    limited = scenario
    if time_limit_s is not None:
        least = min(time_limit_s, scenario.solver.time_limit_s)
        limited = scenario.with_values({"solver.time_limit_s": least})
    if workers is not None and workers < 1:
        raise wrong("workers", Message("must be 1 or more, is {n}", n=workers))
    if len(cut(scenario.horizon, window_h)) == 1:
        return marginal_prices(limited, out).plan if prices else solve(limited, out=out)
    key = f"{scenario_key(scenario)}-{window_h:g}"

    output, report = output_of(out), progress or (lambda _: None)
    with window_records(output, key, DAMAGE, fresh=fresh) as (records, remove):
        run = YearRun(scenario, window_h, records, report, time_limit_s, workers, scheduler)
        with run.resources:
            plan = run.plan(prices=prices)
        publish(plan, output)
        if run.stopped is None:  # else it may go on from there
            remove()
        return plan
