"""The rules that a schedule breaks, by how much and when.

Every row of the program gets a slack (an elastic program, Chinneck 2008), at a low price for the
rules of the scenario, a higher one for balances and the highest for physics and bookkeeping. The
rows with a slack at the least cost are what the schedule breaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from planner.components.terms import Balance
from planner.diagnosis.conflict import Place, Rule, families, rule_places
from planner.diagnosis.infeasible import conflict_rule
from planner.diagnosis.wording import at_times, time_spans
from planner.errors import NoPlanError
from planner.message import Message
from planner.solver.elastic import least_miss, row_sizes
from planner.solver.model import Model
from planner.solver.pinning import Misfit, Pinned
from planner.solver.program import Program
from planner.timeseries.horizon import Horizon
from planner.timeseries.series import Array

RULE_PRICE, BOTH_WAYS_PRICE, BALANCE_PRICE, PHYSICS_PRICE = 1.0, 3.0, 1e2, 1e4  # of a slack
ROW_SLACK = 1e-6  # that every row gets for the solver's tolerances
MIN_BREACH = 1e-5  # of the size of a row: a smaller miss is no breach
SOLVER_TOLERANCE = 1e-9  # a smaller slack is none


@dataclass(frozen=True)
class Breach:
    """A rule that a schedule breaks; `missed` is by how much at worst, in the rule's own unit."""

    components: tuple[str, ...]
    rule: str
    when: str
    missed: float
    text: Message


def breaches(model: Model, pinned: Pinned) -> tuple[list[Breach], Program]:
    """Return what a schedule breaks, and its program with only these rows relaxed.

    The directions of opposite flows are fixed in it.

    Raises:
        NoPlanError: the time limit struck.
    """
    program, rules = _opened(pinned, rule_places(model))
    scale = 1.0 / row_sizes(program)
    price = np.full(len(scale), PHYSICS_PRICE)
    price[np.isin(program.row_families, list(program.balances.values()))] = BALANCE_PRICE
    price[list(rules)] = RULE_PRICE
    switched = abs(program.matrix[:, program.switches]).sum(axis=1) > 0
    price[switched & (price == RULE_PRICE)] = BOTH_WAYS_PRICE  # rather than flows both ways at once
    limit_s = model.scenario.solver.time_limit_s
    point = least_miss(program, np.arange(len(scale)), price * scale, limit_s)
    if point is None:
        raise NoPlanError(
            Message("the time limit struck before it was known what the schedule breaks")
        )
    x, *slacks = point
    below, above = (np.where(slack > SOLVER_TOLERANCE, slack, 0.0) for slack in slacks)
    missed = np.maximum(below, above)
    size = np.maximum(1.0, np.where(np.isfinite(program.row_upper), abs(program.row_upper), 0.0))
    relative = missed * scale / np.minimum(size, 1e3)
    broken = np.flatnonzero(relative > MIN_BREACH).tolist()
    if not broken and not pinned.misfits:  # no plan keeps the schedule: small misses are breaches
        broken = np.flatnonzero(relative > 0).tolist()
    directions = np.round(x[program.switches])
    none = program.switches[:0]
    relaxed = replace(
        program.with_bounds(program.switches, directions, directions),
        row_lower=program.row_lower - below - np.where(below > 0, MIN_BREACH, ROW_SLACK),
        row_upper=program.row_upper + above + np.where(above > 0, MIN_BREACH, ROW_SLACK),
        switches=none, first_flow=none, second_flow=none,
    )  # fmt: skip
    by_rule: dict[Rule, float] = {}
    for i in broken:
        if i in rules:
            by_rule[rules[i]] = max(by_rule.get(rules[i], 0.0), float(missed[i]))
    rule_breaches = {(rule.component, rule.step) for rule in by_rule}
    misfits = [m for m in pinned.misfits if (m.component, m.step) not in rule_breaches]
    misfit_places = {(m.component, m.step) for m in misfits}
    owners = {family: component for (component, *_), family in program.families.items()}
    rows = [
        i
        for i in broken
        if i not in rules
        and (owners.get(program.row_families[i], ""), program.row_steps[i]) not in misfit_places
    ]
    return [
        *_rule_breaches(model, by_rule),
        *_row_breaches(model, program, rows, missed),
        *_misfit_breaches(model, misfits),
    ], relaxed


def _opened(pinned: Pinned, by_rule: Mapping[Rule, Place]) -> tuple[Program, dict[int, Rule]]:
    """Turn the bounds that are rules into rows; return the program and the rule of each row.

    Bounds of pinned columns, of integers (a unit in outage does not start to keep another rule),
    and lower bounds of 0 stay.
    """
    program = pinned.program
    rules = {row: rule for rule, place in by_rule.items() for row in place.rows}
    upper, integer = program.column_upper, program.all_integer
    bounded = [
        (column, rule)
        for rule, place in by_rule.items()
        for column in place.columns
        if column not in pinned.columns and np.isfinite(upper[column]) and not integer[column]
    ]
    columns = np.array([column for column, _ in bounded], dtype=np.int64)
    rows = program.matrix.shape[0]
    rules |= {rows + k: rule for k, (_, rule) in enumerate(bounded)}
    low, high = program.column_lower[columns], upper[columns]
    pick = sparse.eye_array(len(upper), format="csr")[columns]
    opened = program.with_bounds(columns, np.minimum(low, 0.0), np.inf)
    return opened.with_rows(pick, low, high, program.column_steps[columns]), rules


def _rule_breaches(model: Model, missed: Mapping[Rule, float]) -> Iterator[Breach]:
    for family in families(missed).values():
        broken = conflict_rule(model.scenario, family)
        worst = max(missed[rule] for rule in family)
        text = Message(
            "{sentence}; largest violation {value:.4g}", sentence=broken.text, value=worst
        )
        yield Breach(broken.components, broken.rule, broken.when, worst, text)


def _row_breaches(
    model: Model, program: Program, rows: Sequence[int], missed: Array
) -> Iterator[Breach]:
    """Yield balances, and other rows that are no rules: the schedule contradicts itself there."""
    balances = {family: balance for balance, family in program.balances.items()}
    names = {family: key for key, family in program.families.items()}
    by_family: dict[int, list[int]] = {}
    for row in rows:
        by_family.setdefault(int(program.row_families[row]), []).append(row)
    for family, family_rows in by_family.items():
        worst = float(missed[family_rows].max())
        when = _when(model.scenario.horizon, [int(program.row_steps[row]) for row in family_rows])
        components: tuple[str, ...] = ()
        rule, text = "given", Message("the schedule contradicts itself")
        if family in balances:
            components, rule = (balances[family].name,), "balance"
            text = _unbalanced(balances[family])
        elif family in names:
            component, rule, _ = names[family]
            components = (component,)
            text = Message(
                "{name}: the schedule contradicts itself ({other})",
                name=component, other=rule.replace("_", " "),
            )  # fmt: skip
        text = Message(
            "{sentence}; largest deviation {value:.4g}", sentence=at_times(text, when), value=worst
        )
        yield Breach(components, rule, when, worst, text)


def _unbalanced(balance: Balance) -> Message:
    if balance.origin is None:
        return Message(
            "{name}: the balance of {kind} does not add up", name=balance.name, kind=balance.kind
        )
    return Message(
        "{name}: the balance of {origin} power does not add up",
        name=balance.name, origin=balance.origin,
    )  # fmt: skip


def _misfit_breaches(model: Model, misfits: Sequence[Misfit]) -> Iterator[Breach]:
    by_column: dict[str, list[Misfit]] = {}
    for misfit in misfits:
        by_column.setdefault(misfit.column, []).append(misfit)
    for column, of_column in by_column.items():
        worst = max(of_column, key=lambda misfit: misfit.distance)
        when = _when(model.scenario.horizon, [misfit.step for misfit in of_column])
        places = {"name": column, "value": worst.value, "when": when}
        if worst.low == worst.high:
            text = Message(
                "{name} is {value:.6g} and can only be {only:.6g}, at {when}",
                only=worst.low, **places,
            )  # fmt: skip
        elif not np.isfinite(worst.high):
            text = Message(
                "{name} is {value:.6g} and must be {least:.6g} or more, at {when}",
                least=worst.low, **places,
            )  # fmt: skip
        else:
            text = Message(
                "{name} is {value:.6g} and may be {least:.6g} to {most:.6g}, at {when}",
                least=worst.low, most=worst.high, **places,
            )  # fmt: skip
        yield Breach((worst.component,), "limits", when, float(worst.distance), text)


def _when(horizon: Horizon, steps: Sequence[int]) -> str:
    return time_spans(horizon, [step for step in steps if step > 0])
