"""The documents of --json made from what commands return."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from planner.cli.document_parts import (
    BindingLimit,
    BrokenPromise,
    CheckedComponent,
    CheckedMember,
    Differences,
    DryRun,
    NodeEnd,
    PlanSummary,
    ShippedOne,
    SimulationSummary,
    SolvingTime,
    Span,
)
from planner.cli.documents import (
    AuditDocument,
    CheckDocument,
    CompareDocument,
    NewDocument,
    PlanDocument,
    PricesDocument,
    ReplanDocument,
    ReportDocument,
    SimulateDocument,
    SweepDocument,
)

if TYPE_CHECKING:
    import pandas as pd

    import planner
    from planner.auditor.findings import Breach
    from planner.language.language import Language
    from planner.message import Message
    from planner.report.comparison.compare import Comparison
    from planner.scenario.shipped import ShippedScenario
    from planner.studies.sweep_plan import CheckedSweep, Estimate
    from planner.sweeps.analysis.analyses import Analyses


def check_document(scenario: planner.Scenario) -> CheckDocument:
    """Return the document of a valid scenario."""
    from planner.components.registry import packages_of, warn_of_unused_kinds
    from planner.scenario.nodes import attached

    horizon, uncertainty = scenario.horizon, scenario.uncertainty
    parts = scenario.components.values()
    members = () if uncertainty is None else uncertainty.checked_members
    return CheckDocument(
        scenario=scenario.name, title=scenario.title,
        warnings=[*scenario.warnings(), *warn_of_unused_kinds(parts)],
        horizon=Span(start=horizon.starts[0], hours=float(horizon.hours), steps=horizon.steps,
                     step_min=horizon.step_min, timezone=horizon.timezone),
        components=[
            CheckedComponent(name=name, kind=component.kind, title=component.title,
                             node=getattr(component, "node", None))
            for name, component in scenario.components.items()
        ],
        nodes=[
            NodeEnd(node=row.node, role=row.role, component=row.name, sizes=row.sizes,
                    to=row.to or None)
            for row in attached(scenario)
        ],
        packages={kind: str(package) for kind, package in packages_of(parts).items()},
        members=[CheckedMember(name=str(m.name), probability=m.probability) for m in members],
    )  # fmt: skip


def new_document(folder: Path, source: ShippedScenario) -> NewDocument:
    """Return the document of a new folder."""
    return NewDocument(folder=folder, source=source.name, scenarios=[])


def list_document(every: Iterable[ShippedScenario], words: Language) -> NewDocument:
    """Return the document of the shipped scenarios."""
    scenarios = [ShippedOne(name=one.name, description=words(one.description)) for one in every]
    return NewDocument(folder=None, source=None, scenarios=scenarios)


def plan_document(
    plan: planner.Plan | planner.StochasticPlan,
    folder: Path | None,
    document: type[PlanDocument] = PlanDocument,
    cautions: Iterable[Message] = (),
    **more: Any,
) -> PlanDocument:
    """Return the document of a plan and its folder.

    Args:
        plan: the plan, or the one for several members.
        folder: its folder, if it has one.
        document: the class of the document.
        cautions: warnings before those of the plan.
        more: the keys that only this class has.
    """
    from planner.plan_tables.tables import PlanTables
    from planner.report.plan_sections import binding_hours

    binding = binding_hours(plan) if isinstance(plan, PlanTables) else {}
    return document(
        scenario=plan.summary["name"],
        warnings=[*cautions, *plan.summary["warnings"]],
        folder=folder,
        summary=cast(PlanSummary, plan.summary),
        binding=[
            BindingLimit(component=name, code=code, hours=hours)
            for (name, code), hours in binding.items()
        ],
        **more,
    )


def prices_document(plan: planner.Plan, folder: Path | None) -> PlanDocument:
    """Return the document of a plan with its marginal prices."""
    tables = {"prices": _rows(plan.prices), "end_values": _rows(plan.end_values)}
    return plan_document(plan, folder, PricesDocument, **tables)


def replan_document(
    rest: planner.Replan, folder: Path | None, cautions: Iterable[Message]
) -> PlanDocument:
    """Return the document of the rest of a plan; `cautions` are those on the plan before."""
    from planner.report.terminal.studies import rest_compared

    comparison = differences(rest_compared(rest.plan, rest.as_planned))
    return plan_document(
        rest.plan, folder, ReplanDocument, cautions=cautions, comparison=comparison
    )


def differences(comparison: Comparison) -> Differences:
    """Return a comparison as a part of a document."""
    in_cny = {"a": "a_cny", "b": "b_cny"}
    known = not comparison.hours_unknown
    return Differences(
        a=comparison.a,
        b=comparison.b,
        equal=comparison.equal,
        profit_a_cny=comparison.profit_a_cny,
        profit_b_cny=comparison.profit_b_cny,
        change_cny=comparison.change_cny,
        bound_a_cny=comparison.bound_a_cny,
        bound_b_cny=comparison.bound_b_cny,
        open_cny=comparison.open_cny,
        proven=comparison.proven,
        inputs=_rows(comparison.inputs),
        money=_rows(comparison.money.rename(columns=in_cny)),
        figures=_rows(comparison.figures),
        hours=_rows(comparison.hours.rename(columns=in_cny)) if known else None,
        columns=_rows(comparison.columns) if known else None,
        notes=[*comparison.notes],
    )


def simulate_document(simulation: planner.Simulation, name: str) -> SimulateDocument:
    """Return the document of a simulation of a scenario."""
    from planner.plan_tables.simulation import facts_of

    return SimulateDocument(
        scenario=name,
        warnings=[*simulation.notes],
        folder=simulation.folder,
        summary=cast(SimulationSummary, facts_of(simulation)),
    )


def sweep_document(sweep: planner.Sweep) -> SweepDocument:
    """Return the document of a sweep, with its analyses unless it was interrupted."""
    from planner.sweeps.analysis.analyses import read_analyses
    from planner.sweeps.sweep_file import cautions

    analyses = None if sweep.interrupted else read_analyses(sweep.folder)
    return SweepDocument(
        sweep=sweep.description.name,
        warnings=[*cautions(sweep.description)],
        folder=sweep.folder,
        cases=len(sweep.cases),
        statuses={str(name): n for name, n in sweep.cases["status"].value_counts().items()},
        dry_run=None,
        best=_best_cases(analyses),
        analyses=None if analyses is None else analyses.plain(),
    )


def _best_cases(analyses: Analyses | None) -> list[dict[str, Any]]:
    """Return the best cases of a sweep, as they are printed; none where none has a plan."""
    from planner.report.sweep_page.report_sweep import BEST

    if analyses is None:
        return []
    columns = ["case", *analyses.axes, "status", *analyses.outputs]
    return _rows(analyses.best[columns].head(BEST)) if analyses.solved else []


def dry_run_document(sweep: CheckedSweep, estimate: Estimate | None, listed: int) -> SweepDocument:
    """Return the document of a sweep that is not run; `listed`: how many cases it names."""
    from planner.sweeps.sweep_file import cautions

    description = sweep.description
    return SweepDocument(
        sweep=description.name,
        warnings=[*cautions(description)],
        folder=None,
        cases=len(sweep.cases),
        statuses={},
        dry_run=DryRun(
            design=description.design,
            distinct=len(sweep.distinct),
            invalid=len(sweep.wrong),
            first=[
                {"case": case.number} | {axis: case.values[axis] for axis in description.varied}
                for case in sweep.cases[:listed]
            ],
            estimate=None
            if estimate is None
            else SolvingTime(
                waiting=estimate.waiting,
                case_s=estimate.case_s,
                source=estimate.source,
                workers=estimate.workers,
                left_s=estimate.left_s,
            ),
        ),
        best=[],
        analyses=None,
    )


def audit_document(
    folder: Path, breaches: Iterable[Breach], warnings: Iterable[Message]
) -> AuditDocument:
    """Return the document of an audit."""
    broken = [
        BrokenPromise(component=breach.component, rule=breach.rule, time=breach.time or None,
                      amount=breach.amount, unit=breach.unit, message=breach.message)
        for breach in breaches
    ]  # fmt: skip
    return AuditDocument(folder=folder, breaches=broken, warnings=[*warnings])


def compare_document(comparison: Comparison, page: Path | None) -> CompareDocument:
    """Return the document of a comparison, and the page that was written."""
    return CompareDocument(
        comparison=differences(comparison), page=page, warnings=[*comparison.cautions]
    )


def report_document(
    folder: Path, written: list[Path], analyses: Analyses | None, cautions: list[Message]
) -> ReportDocument:
    """Return the document of pages that were written again, and the analyses of a sweep."""
    return ReportDocument(
        folder=folder,
        written=written,
        best=_best_cases(analyses),
        analyses=None if analyses is None else analyses.plain(),
        warnings=[*cautions],
    )


def _rows(table: pd.DataFrame | None) -> list[Any]:
    """Return the rows of a table by column; none where there is no table."""
    from planner.sweeps.analysis.case_table import records

    return [] if table is None else records(table)
