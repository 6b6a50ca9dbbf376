"""The model of a scenario: what its components declare, a balance per node and origin, reports.

`assemble` calls every component and gathers each quantity that a plan reports: ledger lines, uses,
schedule expressions. The declarations are realised as arrays, and in Pyomo where arrays cannot
(`assemble_in_pyomo`); both give the same. `compiler` makes one program of them; the objective is
the sum of the ledger's rows.

Rows declared here:
    balance     sum of flows = 0       for every balance (node and origin, or service) and step
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from planner.components.component import Site
from planner.components.terms import Balance, Line, Meters, Period, Terms
from planner.components.time import Time
from planner.log import logger
from planner.message import Message
from planner.modelling import pyo
from planner.modelling.arrays import ArrayDeclared
from planner.modelling.declared import Columns, Declared, Entries, Rows
from planner.modelling.vectors import NotForVectors, Whole
from planner.scenario.scenario import Scenario
from planner.timeseries.horizon import Window

LOG = logger(__name__)


@dataclass(frozen=True)
class Cost:
    """A ledger line of a component: its periods, and the row of each.

    reported: whether it is shown only, and no part of the objective.
    """

    component: str
    line: Line
    reported: bool
    periods: Sequence[Period]
    rows: Whole


class Movement(NamedTuple):
    """A power whose movement is to be small: its order, and its row in every step.

    before_mw: just before the window, where that is known.
    """

    order: int
    rows: Whole
    before_mw: float | None


class ExclusivePair(NamedTuple):
    """Two flows that exclude each other: of a component, template of what both at once do."""

    component: str
    both: str


@dataclass
class Reports:
    """Every quantity that a plan reports, by the numbers of its rows.

    switches: by pair of flows and step, the switch between them and the rows of both.
    pairs: the pair of each.
    """

    declared: Declared
    steps: Whole
    costs: list[Cost] = field(default_factory=list)
    uses: dict[tuple[str, str], list[Whole]] = field(default_factory=dict)
    injected: dict[str, list[Whole]] = field(default_factory=dict)
    schedule: dict[str, Whole] = field(default_factory=dict)
    switches: list[Whole] = field(default_factory=list)
    pairs: list[ExclusivePair] = field(default_factory=list)
    moves: list[Movement] = field(default_factory=list)

    def add_terms(self, component: str, terms: Terms) -> None:
        """Add the terms of a component."""
        report, steps = self.declared.report, self.steps
        for lines, reported in ((terms.costs, False), (terms.reported, True)):
            for line, amounts in lines.items():
                periods: Sequence[Period] = range(steps[0], steps[-1] + 1)
                if isinstance(amounts, Mapping):
                    periods = list(amounts)
                    once = [self.declared.report_once(spent) for spent in amounts.values()]
                    rows: Whole = np.array(once, dtype=np.int64)
                else:
                    rows = report(amounts, steps)
                self.costs.append(Cost(component, line, reported, periods, rows))
        for key, by_step in terms.uses.items():
            self.uses.setdefault(key, []).append(report(by_step, steps))
        for origin, by_step in terms.injected.items():
            self.injected.setdefault(origin, []).append(report(by_step, steps))
        for pair in terms.exclusive:
            columns = self.declared.column(pair.switch, steps)
            flows = report(pair.first, steps), report(pair.second, steps)
            self.switches.append(np.column_stack([columns, *flows]))
            self.pairs += [ExclusivePair(component, pair.both)] * len(steps)
        for power in terms.moves:
            self.moves.append(Movement(power.order, report(power.mw, steps), power.before_mw))

    def add_expressions(self, component: str) -> None:
        """Add the expressions that a component declares."""
        for run in self.declared.report_declared(component):
            self.schedule[column_name(component, run.name, run.outer)] = run.numbers


@dataclass(frozen=True)
class Model:
    """The model of a window of a scenario: all that its components declare."""

    scenario: Scenario
    window: Window
    terms: Mapping[str, Sequence[Terms]]
    balances: Sequence[Balance]
    columns: Columns
    rows: Rows
    reports: Reports
    values: Entries
    every_point: bool


def assemble(
    scenario: Scenario, window: Window | None = None, *, every_point: bool = False
) -> Model:
    """Build the model of a window (the whole horizon by default), components in name order.

    every_point: whether a schedule is given that may use what no plan needs.
    """
    window = window or scenario.horizon.window
    try:
        return _assembled(ArrayDeclared(), scenario, window, every_point=every_point)
    except (Exception, NotForVectors) as error:  # what is wrong with a component shows there too
        _warn_of_pyomo(f"{type(error).__name__}: {error}")
        return assemble_in_pyomo(scenario, window, every_point=every_point)


@cache
def _warn_of_pyomo(text: str) -> None:
    """Log once why a model is built in Pyomo."""
    LOG.warning(Message(
        "a component cannot be built from arrays ({text}): its models are built in Pyomo, which"
        " takes longer",
        text=text,
    ))  # fmt: skip


def assemble_in_pyomo(
    scenario: Scenario, window: Window | None = None, *, every_point: bool = False
) -> Model:
    """Build the same model in Pyomo: the reference, and for what arrays cannot realise."""
    from planner.modelling.in_pyomo import PyomoDeclared, building

    with building():
        declared = PyomoDeclared(scenario.components)
        inside = window or scenario.horizon.window
        return _assembled(declared, scenario, inside, every_point=every_point)


def _assembled(
    declared: Declared, scenario: Scenario, window: Window, *, every_point: bool
) -> Model:
    time, components = Time(scenario.horizon, window), scenario.components
    blocks = {name: declared.block(name) for name in components}
    relaxed = scenario.solver.relax
    sites = {
        name: Site(
            name,
            scenario.horizon,
            components,
            scenario.trace,
            time,
            relaxed=relaxed,
            every_point=every_point,
        )
        for name in components
    }
    terms: dict[str, list[Terms]] = {}
    meters = Meters()
    for name, component in components.items():
        terms[name] = [component.build(blocks[name], sites[name])]
        meters.add(name, terms[name][0].meters)
    for name, component in components.items():
        terms[name].append(component.couple(blocks[name], sites[name], meters))
    balances = _balance(declared.block(""), time, terms)
    columns = declared.columns()
    reports = Reports(declared, np.arange(window.first, window.last + 1))
    for name, parts in terms.items():
        for part in parts:
            reports.add_terms(name, part)
        reports.add_expressions(name)
    return Model(
        scenario,
        window,
        terms,
        balances,
        columns,
        declared.rows(),
        reports,
        declared.reports(),
        every_point,
    )


def _balance(b: pyo.Block, time: Time, terms: Mapping[str, Sequence[Terms]]) -> list[Balance]:
    """Declare the balance rows; return the balances in the order of their first index."""
    flows: dict[Balance, list[Any]] = {}
    for parts in terms.values():
        for part in parts:
            for balance, by_step in part.flows.items():
                flows.setdefault(balance, []).append(by_step)
    balances = list(flows)
    b.balance = pyo.Constraint(
        range(len(balances)),
        time.steps,
        rule=lambda _, k, t: sum(by_step(t) for by_step in flows[balances[k]]) == 0,
    )
    return balances


def column_name(component: str, name: str, outer: tuple[Any, ...]) -> str:
    """Name a schedule column: battery.charge_mw[grid]."""
    inside = f"[{'|'.join(map(str, outer))}]" if outer else ""
    return f"{component}.{name}{inside}"
