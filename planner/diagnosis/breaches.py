"""Which rules a given schedule breaks, by how much and when, in the components' words.

Every row of the program may be missed at a price: little for the rules a user can be told of, much
for balances, most for physics and bookkeeping. What the cheapest way to keep to the schedule misses
is what the schedule breaks (an elastic program, Chinneck 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from planner.diagnosis.conflict import Place, Rule, places
from planner.diagnosis.infeasible import conflict_rule
from planner.diagnosis.wording import time_spans
from planner.errors import NoPlanError
from planner.solver.elastic import least_miss, row_sizes
from planner.solver.model import Model
from planner.solver.pinning import Misfit, Pinned
from planner.solver.program import Program
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

RULE, BOTH_WAYS, BALANCE, PHYSICS = 1.0, 3.0, 1e2, 1e4  # prices of a miss
ROOM = 1e-6  # for the solver's tolerances, in every row
MISSED = 1e-5  # of the size of a row: a smaller miss is none
LEAST = 1e-9  # a smaller miss is the solver's


@dataclass(frozen=True)
class Breach:
    """A rule that a schedule breaks; `missed` is by how much at worst, in the rule's own unit."""

    components: tuple[str, ...]
    rule: str
    when: str
    missed: float
    text: str


def breaches(model: Model, pinned: Pinned, time_limit_s: float) -> tuple[list[Breach], Program]:
    """Return what a schedule breaks, and its program with just these rows given way.

    The directions of its two-way flows are settled with that: they may be what is broken.

    Raises:
        NoPlanError: the time limit struck.
    """
    program, rules = _opened(pinned, places(model))
    scale = 1.0 / row_sizes(program)
    price = np.full(len(scale), PHYSICS)
    price[np.isin(program.row_families, list(program.balances.values()))] = BALANCE
    price[list(rules)] = RULE
    switched = abs(program.matrix[:, program.switches]).sum(axis=1) > 0
    price[switched & (price == RULE)] = BOTH_WAYS  # no site runs a flow both ways to keep a limit
    point = least_miss(program, np.arange(len(scale)), price * scale, time_limit_s)
    if point is None:
        raise NoPlanError("the time limit struck before it was known what the schedule breaks")
    x, *misses = point
    below, above = (np.where(miss > LEAST, miss, 0.0) for miss in misses)
    missed = np.maximum(below, above)
    size = np.maximum(1.0, np.where(np.isfinite(program.row_upper), abs(program.row_upper), 0.0))
    relative = missed * scale / np.minimum(size, 1e3)
    broken = np.flatnonzero(relative > MISSED).tolist()
    if not broken and not pinned.misfits:  # no plan keeps it: then small misses are what it breaks
        broken = np.flatnonzero(relative > 0).tolist()
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[program.switches] = upper[program.switches] = np.round(x[program.switches])
    none = program.switches[:0]
    loose = replace(
        program,
        column_lower=lower,
        column_upper=upper,
        switches=none,
        first_flow=none,
        second_flow=none,
        row_lower=program.row_lower - below - np.where(below > 0, MISSED, ROOM),
        row_upper=program.row_upper + above + np.where(above > 0, MISSED, ROOM),
    )
    where = _components(program)
    named = {(rules[i].component, rules[i].step) for i in broken if i in rules}
    misfits = [m for m in pinned.misfits if (_component(m), m.step) not in named]
    contradicting = {(_component(m), m.step) for m in misfits}
    rows = [i for i in broken if i not in rules and where(i) not in contradicting]
    return [
        *_rule_breaches(model, [(rules[i], missed[i]) for i in broken if i in rules]),
        *_row_breaches(model, program, rows, missed),
        *_misfit_breaches(model, misfits),
    ], loose


def _opened(pinned: Pinned, rule_places: Mapping[Rule, Place]) -> tuple[Program, dict[int, Rule]]:
    """Turn the bounds that are rules into rows; return the program and the rule of each row.

    Bounds of what is pinned, of integers (a unit in outage does not start to keep another rule),
    and that nothing is below zero, stay bounds.
    """
    program = pinned.program
    rules = {row: rule for rule, place in rule_places.items() for row in place.rows}
    pairs = [
        (column, rule)
        for rule, place in rule_places.items()
        for column in place.columns
        if column not in pinned.columns
    ]
    columns = np.array([column for column, _ in pairs], dtype=np.int64)
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    free = np.isfinite(upper[columns]) & ~program.all_integer[columns]
    columns = columns[free]
    opened_rules = [
        rule for (_, rule), is_free in zip(pairs, free.tolist(), strict=True) if is_free
    ]
    rows = program.matrix.shape[0]
    rules |= {rows + k: rule for k, rule in enumerate(opened_rules)}
    high, low = upper[columns], lower[columns]
    upper[columns] = np.inf
    lower[columns] = np.minimum(low, 0.0)
    pick = sparse.eye_array(len(upper), format="csr")[columns]
    opened = replace(program, column_lower=lower, column_upper=upper)
    return opened.with_rows(pick, low, high, program.column_steps[columns]), rules


def _rule_breaches(model: Model, missed_rules: Sequence[tuple[Rule, float]]) -> Iterator[Breach]:
    families: dict[tuple[str, str], list[tuple[Rule, float]]] = {}
    for rule, amount in missed_rules:
        families.setdefault((rule.component, rule.name), []).append((rule, float(amount)))
    for family in families.values():
        worded = conflict_rule(model.scenario, [rule for rule, _ in family])
        worst = max(amount for _, amount in family)
        text = f"{worded.text}; missed by {worst:.4g} at worst"
        yield Breach(worded.components, worded.rule, worded.when, worst, text)


def _row_breaches(
    model: Model, program: Program, rows: Sequence[int], missed: Array
) -> Iterator[Breach]:
    """Tell balances and rows that are no rules: the schedule contradicts itself there."""
    balances = {family: balance for balance, family in program.balances.items()}
    names = {family: key for key, family in program.families.items()}
    families: dict[int, list[int]] = {}
    for row in rows:
        families.setdefault(int(program.row_families[row]), []).append(row)
    for family, family_rows in families.items():
        worst = float(missed[family_rows].max())
        when = _when(model.scenario.horizon, [int(program.row_steps[row]) for row in family_rows])
        if family in balances:
            balance = balances[family]
            origin = f" of origin {balance.origin}" if balance.origin else ""
            components: tuple[str, ...] = (balance.name,)
            rule = "balance"
            text = f"{balance.name}: {balance.kind.replace('_', ' ')}{origin} does not add up"
        elif family in names:
            component, rule, _ = names[family]
            components = (component,)
            text = f"{component}: what is given contradicts itself ({rule.replace('_', ' ')})"
        else:
            components, rule, text = (), "given", "what is given contradicts itself"
        at = f", at {when}" if when else ""
        yield Breach(components, rule, when, worst, f"{text}{at}; off by {worst:.4g} at worst")


def _components(program: Program) -> Callable[[int], tuple[str, int]]:
    """Return what tells the component and the step of a row; balances are of no component."""
    names = {family: component for (component, *_), family in program.families.items()}
    return lambda row: (
        names.get(int(program.row_families[row]), ""), int(program.row_steps[row])
    )  # fmt: skip


def _misfit_breaches(model: Model, misfits: Sequence[Misfit]) -> Iterator[Breach]:
    by_column: dict[str, list[Misfit]] = {}
    for misfit in misfits:
        by_column.setdefault(misfit.column, []).append(misfit)
    for column, of_column in by_column.items():
        worst = max(of_column, key=lambda m: max(m.low - m.given, m.given - m.high))
        amount = max(worst.low - worst.given, worst.given - worst.high)
        when = _when(model.scenario.horizon, [m.step for m in of_column])
        limits = f"may be {worst.low:.6g} to {worst.high:.6g}"
        if worst.low == worst.high:
            limits = f"can only be {worst.low:.6g}"
        elif not np.isfinite(worst.high):
            limits = f"must be {worst.low:.6g} or more"
        text = f"{column} is {worst.given:.6g} and {limits}, at {when}"
        yield Breach((_component(worst),), "limits", when, float(amount), text)


def _component(misfit: Misfit) -> str:
    return misfit.column.partition(".")[0]


def _when(horizon: Horizon, steps: Sequence[int]) -> str:
    return time_spans(horizon, [step for step in steps if step > 0])
