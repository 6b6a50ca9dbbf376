"""An irreducible infeasible set of a scenario's rules.

A component lists in `rules` which of its rows and variable bounds are rules of the scenario; every
other row is physics or bookkeeping and always holds. Names with the same template are one rule.

Rules are removed by halves as long as the rest stays infeasible (QuickXplain, Junker 2004): first
whole rules, then steps, then single rules in single steps. The check is a mixed-integer program
where the LP relaxation of all rules is feasible. Scenarios are often infeasible in several ways at
once, so the search starts from the irreducible set that HiGHS finds for the LP (where that is
infeasible), then from all rules with the components in order and in reverse, and returns the
smallest set. Of a component's rules the first ones are preferred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from planner.solver.budget import Budget
from planner.solver.program import Family, Indices, Program
from planner.solver.scaling import rescaled
from planner.solver.session import Session

FURTHER_STARTS = 2 / 3  # of the budget that must be left for the search to start once more

Item = TypeVar("Item")


@dataclass(frozen=True)
class Rule:
    """A rule of a component, in one step or (None) over the horizon."""

    component: str
    name: str
    step: int | None

    @property
    def family(self) -> tuple[str, str]:
        """The rule whatever the step: its component and name."""
        return self.component, self.name


@dataclass
class Place:
    """The rows of a rule in the program, and the columns whose bounds it sets."""

    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Conflict:
    """Rules that contradict each other; `proven` if the set is irreducible."""

    rules: tuple[Rule, ...]
    proven: bool


def rule_places(program: Program) -> dict[Rule, Place]:
    """Return the rows and columns of every rule of a program."""
    by_rule: dict[Rule, Place] = {}
    rows = list(program.families), program.row_families, program.row_steps
    for row, rule in _rules(program, *rows):
        by_rule.setdefault(rule, Place()).rows.append(row)
    columns = program.variable_families, program.column_families, program.column_steps
    for column, rule in _rules(program, *columns):
        by_rule.setdefault(rule, Place()).columns.append(column)
    return by_rule


def _rules(
    program: Program, families: Sequence[Family], family_of: Indices, steps: Indices
) -> Iterator[tuple[int, Rule]]:
    """Yield the rows or columns that are rules of the scenario, with their rules."""
    names: list[tuple[str, str] | None] = []
    for component, name, _ in families:
        part = program.scenario.components.get(component)
        templates = {} if part is None else part.rules
        same = [rule for rule in templates if templates[rule] == templates.get(name)]
        names.append((component, same[0]) if same else None)
    for number, (family, step) in enumerate(zip(family_of.tolist(), steps.tolist(), strict=True)):
        if (rule := names[family]) is not None:
            yield number, Rule(rule[0], rule[1], step or None)


class Check:
    """Checks a program for feasibility when only some of its rules hold."""

    def __init__(self, program: Program, by_rule: dict[Rule, Place], budget: Budget) -> None:
        self.program, self.by_rule, self.budget = rescaled(program).program, by_rule, budget
        settings = program.scenario.solver
        checked = self.program.feasibility
        self.session = Session(checked, threads=settings.threads, seed=settings.seed)
        self.integral = False
        self.unsure = False
        self.numbers = {rule: number for number, rule in enumerate(by_rule)}
        self.rows, self.row_rules = _pairs([place.rows for place in by_rule.values()])
        self.columns, self.column_rules = _pairs([place.columns for place in by_rule.values()])

    def infeasible(self, rules: Sequence[Rule]) -> bool:
        """Return whether these rules and the physics have no point; unsure counts as feasible."""
        program, session, integer = self.program, self.session, self.program.all_integer
        kept = [self.numbers[rule] for rule in rules]
        rows = self.rows[~np.isin(self.row_rules, kept)]
        columns = self.columns[~np.isin(self.column_rules, kept)]
        opened = program.with_row_bounds(rows, -np.inf, np.inf).with_bounds(
            columns,
            np.minimum(program.column_lower[columns], 0.0),
            np.where(integer[columns], 1.0, np.inf),
        )
        session.integrality(integer & self.integral)
        session.bounds(np.arange(len(integer)), opened.column_lower, opened.column_upper)
        session.row_bounds(opened.row_lower, opened.row_upper)
        result = self.budget.run(session)
        self.unsure |= result.x is None and result.status != "infeasible"
        return result.status == "infeasible"


def _pairs(parts: Sequence[Sequence[int]]) -> tuple[Indices, Indices]:
    """Return all entries of the parts and, for each, the number of its part."""
    entries = np.array([entry for part in parts for entry in part], dtype=np.int64)
    return entries, np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def conflict(program: Program, budget: Budget) -> Conflict:
    """Return rules that contradict each other, sorted; none if the search finds none."""
    enough = FURTHER_STARTS * budget.left
    by_rule = rule_places(program)
    check = Check(program, by_rule, budget)
    order = {name: list(part.rules) for name, part in program.scenario.components.items()}
    all_rules = sorted(by_rule, key=lambda r: (order[r.component].index(r.name), r.step or 0))
    starts = [
        sorted(all_rules, key=lambda rule: rule.component),
        sorted(all_rules, key=lambda rule: rule.component, reverse=True),
    ]
    if check.infeasible(all_rules):
        starts.insert(0, _by_solver(check, all_rules))
    else:
        check.integral = True
        if not check.infeasible(all_rules):
            return Conflict((), proven=False)
    best: Conflict | None = None
    for start in starts:
        if best is not None and budget.left < enough:
            break
        check.unsure = False
        thinned = _thinned(check, start)
        if best is None or _size(thinned) <= _size(best):
            best = thinned
    assert best is not None
    rules = sorted(best.rules, key=lambda rule: (rule.component, rule.name, rule.step or 0))
    return Conflict(tuple(rules), best.proven)


def _size(conflict: Conflict) -> tuple[bool, int, int]:
    return not conflict.proven, len(families(conflict.rules)), len(conflict.rules)


def families(rules: Iterable[Rule]) -> dict[tuple[str, str], list[Rule]]:
    """Return rules by component and name."""
    by_family: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        by_family.setdefault(rule.family, []).append(rule)
    return by_family


def _by_solver(check: Check, all_rules: list[Rule]) -> list[Rule]:
    """Return the rules of the irreducible set that HiGHS finds for an LP found infeasible."""
    rows, columns = check.session.irreducible()
    irreducible = [
        rule
        for rule in all_rules
        if rows & set(check.by_rule[rule].rows) or columns & set(check.by_rule[rule].columns)
    ]
    return irreducible if check.infeasible(irreducible) else all_rules


def _thinned(check: Check, rules: Sequence[Rule]) -> Conflict:
    """Remove whole rules, then steps, then rules in single steps."""

    def of_families(some: Sequence[tuple[str, str]]) -> list[Rule]:
        return [rule for rule in rules if rule.family in some]

    rules = of_families(thin_out(check, list(families(rules)), of_families))

    def at_steps(some: Sequence[int]) -> list[Rule]:
        chosen = {None, *some}
        return [rule for rule in rules if rule.step in chosen]

    steps = list(dict.fromkeys(rule.step for rule in rules if rule.step is not None))
    if steps:
        rules = at_steps(thin_out(check, steps, at_steps))
    rules = thin_out(check, rules, lambda some: some)
    return Conflict(tuple(rules), proven=not (check.budget.is_spent or check.unsure))


def thin_out(
    check: Check, items: Sequence[Item], rules: Callable[[Sequence[Item]], Sequence[Rule]]
) -> list[Item]:
    """Return an irreducible infeasible subset of `items` (QuickXplain)."""

    def fails(some: Sequence[Item]) -> bool:
        return check.infeasible(rules(some))

    def thin(required: list[Item], fresh: bool, rest: list[Item]) -> list[Item]:
        if fresh and fails(required):
            return []
        if len(rest) == 1 or check.budget.is_spent:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        of_second = thin(required + first, True, second)
        of_first = thin(required + of_second, bool(of_second), first)
        return of_first + of_second

    return thin([], False, list(items))
