"""The plan of a solution: its tables, the reasons for its decisions, and its audit.

Reasons come from the duals of the LP with the integers and directions of the plan fixed, which was
solved to settle the plan: they need no further solve. Every plan that a study returns has passed
its audit: `publish` has the auditor read the very files that are published.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from planner.auditor.audit import audit, describe_breaches
from planner.auditor.findings import Breach
from planner.components.registry import KINDS, uses_of
from planner.errors import PlanError, SolveError
from planner.message import Message
from planner.plan.output import Output
from planner.plan.plan import Plan
from planner.plan.stochastic_plan import StochasticPlan
from planner.plan_tables.summary import summarise
from planner.plan_tables.tables import ONCE, WHY, clean
from planner.solver.program import NO_INDICES, Duals, Program
from planner.solver.solution import Solution
from planner.solver.step_prices import step_prices
from planner.timeseries.schedule import VALUE_DECIMALS, columns_by_component
from planner.timeseries.series import Array

Out = Output | str | Path | None
"""Where a study writes its plan; None where it writes no folder."""


def output_of(out: Out) -> Output | None:
    """Return the output that a path stands for."""
    return out if out is None or isinstance(out, Output) else Output(out)


def publish(plan: Plan | StochasticPlan, out: Out = None) -> None:
    """Audit a plan where its tables lie, which then become the folder `out`.

    Without `out` they lie in a temporary folder. A plan that breaks rules, as its summary says,
    would not pass and is not audited.

    Raises:
        PlanError: the plan fails its audit, or the folder cannot be written.
    """
    output, broken = output_of(out), bool(plan.summary.get("breaches"))
    if output is not None:
        output.write(plan, (lambda _: None) if broken else _require_audit)
    elif not broken:
        _require_audit_of_tables(plan)


def _require_audit_of_tables(plan: Plan | StochasticPlan) -> None:
    with _tables_in_a_folder(plan) as folder:
        _require_audit(folder)


def _require_audit(folder: Path) -> None:
    if breaches := audit(folder):
        raise failed_audit(breaches)


def failed_audit(breaches: list[Breach]) -> PlanError:
    """Return the error of a plan that fails its audit."""
    head = Message("the plan fails its own audit and is not to be used")
    return PlanError(describe_breaches(head, breaches))


def audited(plan: Plan) -> list[Breach]:
    """Return the breaches that the audit of a plan finds."""
    with _tables_in_a_folder(plan) as folder:
        return audit(folder)


@contextmanager
def _tables_in_a_folder(plan: Plan | StochasticPlan) -> Iterator[Path]:
    with TemporaryDirectory(prefix="planner-audit-") as name:
        folder = Path(name)
        plan.write_tables(folder)
        yield folder


def to_plan(
    program: Program, solution: Solution, seconds: Mapping[str, float], *, whole: bool = True
) -> Plan:
    """Return the plan of a solution.

    Args:
        program: the program solved.
        solution: its duals give the reasons; without them, and in a relaxation, there are none.
        seconds: runtimes by part.
        whole: whether energy must add up; it need not where a schedule breaks balances.
    """
    x, scenario = solution.x, program.scenario
    reports, schedule = program.values(x), program.schedule_at(x)
    booked = clean(reports)
    ledger, reported = _ledger(program, booked)
    allocation = _allocation(program, reports)
    if whole:
        _check_allocation(program, reports)
    summary = summarise(
        scenario,
        schedule,
        allocation,
        ledger,
        reported,
        compute=_compute_revenue(program, booked),
        export=_export_revenue(program, booked),
        status=solution.status,
        objective=-program.objective(x),
        bound=-solution.bound,
        ranges=solution.ranges,
        solving={"tidied": solution.tidied, "rounds": solution.rounds,
                 "columns": program.matrix.shape[1], "rows": program.matrix.shape[0],
                 "integers": int(program.integer.sum())},
        seconds=seconds,
    )  # fmt: skip
    if solution.duals is None or solution.status == "relaxed":
        return Plan(scenario, schedule, allocation, ledger, summary)
    reasons = reason_table(program, solution.duals, x, schedule)
    return Plan(scenario, schedule, allocation, ledger, summary, reasons)


def _ledger(program: Program, booked: Array) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the ledger and the lines outside the objective, revenue positive, of rounded costs."""
    starts = [moment.isoformat() for moment in program.scenario.horizon.starts]

    def table(reported: bool) -> pd.DataFrame:
        costs = [cost for cost in program.costs if cost.reported == reported]
        sizes = np.array([len(cost.rows) for cost in costs], dtype=int)

        def repeated(values: list[Any]) -> Any:
            return np.repeat(np.array(values, dtype=object), sizes)

        texts: dict[str, Any] = {
            "component": repeated([cost.component for cost in costs]),
            "line": repeated([str(cost.line) for cost in costs]),
            "period": [
                starts[period - 1] if isinstance(period, int) else period or ONCE
                for cost in costs
                for period in cost.periods
            ],
        }
        cash = repeated([cost.line.cash for cost in costs]).astype(bool)
        amounts = 0.0 - booked[np.concatenate([NO_INDICES, *(cost.rows for cost in costs)])]
        return pd.DataFrame(_texts(texts) | {"cash": cash, "amount_cny": amounts})

    return table(False), table(True)


def _texts(columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return columns of a table that hold texts; pandas need not find out that they do."""
    return {name: pd.array(column, dtype="str") for name, column in columns.items()}


def _allocation(program: Program, reports: Array) -> pd.DataFrame:
    """Return MWh by time, origin and use, from the traced flows of the model.

    Raises:
        SolveError: a component has a use of energy that its kind does not declare.
    """
    times, step_h = program.times, program.scenario.horizon.step_h
    uses = uses_of(program.scenario.components.values())
    if unknown := {use for use, _ in program.uses} - set(uses):
        raise SolveError(
            Message("energy goes to {name!r}, a use that no kind declares", name=min(unknown))
        )
    keys = [
        (use, origin)
        for origin in program.scenario.site().origins
        for use in uses
        if (use, origin) in program.uses
    ]
    mw = [program.sum_by_step(reports, program.uses[key]) for key in keys]
    return pd.DataFrame(
        {
            "time": times.repeat(len(keys)),
            "origin": [origin for _, origin in keys] * len(times),
            "use": [use for use, _ in keys] * len(times),
            "mwh": clean(np.array(mw).T.ravel() * step_h, VALUE_DECIMALS),
        }
    )


def _check_allocation(program: Program, reports: Array) -> None:
    """Raise SolveError unless the uses of every origin sum to its injections in every step."""
    for origin, rows in program.injected.items():
        injected = program.sum_by_step(reports, rows)
        used = sum(
            program.sum_by_step(reports, use_rows)
            for (_, of), use_rows in program.uses.items()
            if of == origin
        )
        wrong = np.abs(injected - used) > 1e-5 * np.maximum(1.0, np.abs(injected))
        if wrong.any():
            step = int(np.flatnonzero(wrong)[0]) + program.window.first
            raise SolveError(Message(
                "{origin} energy does not add up at {when}: a component leaves out one of its uses",
                origin=origin, when=program.scenario.horizon.at(step),
            ))  # fmt: skip


def _compute_revenue(program: Program, booked: Array) -> Array:
    """Return the revenue of compute by step, CNY; shape (steps,)."""
    revenue = np.zeros(len(program.window))
    for cost in program.costs:
        if cost.line.use == "compute":
            for period, row in zip(cost.periods, cost.rows, strict=True):
                if isinstance(period, int):
                    revenue[period - program.window.first] -= booked[row]
    return revenue


def _export_revenue(program: Program, booked: Array) -> dict[str, float]:
    """Return the revenue of grid sale by origin, CNY."""
    revenue = defaultdict[str, float](float)
    for cost in program.costs:
        if cost.line.use == "export" and cost.line.origin is not None:
            revenue[cost.line.origin] -= float(booked[cost.rows].sum())
    return revenue


def reason_table(program: Program, duals: Duals, x: Array, schedule: pd.DataFrame) -> pd.DataFrame:
    """Return the reasons in the order of components: time, component, decision, code, reason.

    `x` is the point of the plan.
    """
    scenario, site_prices = program.scenario, step_prices(program, duals, x)
    columns = columns_by_component(schedule)
    rows: list[tuple[Any, ...]] = []
    for name, component in scenario.components.items():
        values, prices = columns.get(name, {}), replace(site_prices, name=name)
        reasons = KINDS[component.kind].reasons(component, values, prices, scenario.horizon)
        rows += [(step - program.window.first, name, *reason) for step, *reason in reasons]
    steps, *texts = zip(*rows, strict=True) if rows else ((),) * len(WHY)
    times = schedule.index[np.array(steps, dtype=int)]
    return pd.DataFrame({"time": times} | _texts(dict(zip(WHY[1:], texts, strict=True))))
