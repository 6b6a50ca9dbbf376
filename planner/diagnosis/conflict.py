"""Which rules of a scenario contradict each other: an irreducible set, in the components' words.

A component says in `rules` which of its rows and variable bounds are rules a user can be told of;
every other row is physics or bookkeeping and always holds. Names with the same words are one rule.

Rules are left out by halves as long as the rest stays without a point (QuickXplain, Junker 2004):
first whole rules, then steps, then single rules in single steps. What is asked is a mixed-integer
program where the contradiction needs integers. Scenarios often break in several ways at once, so
the search begins from the irreducible set that HiGHS finds for the LP relaxation (where that has
no point), then from all rules with the components in order and in reverse, and the smallest set is
told. A component's first rules are kept rather than its last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from planner.scenario.scenario_file import SolverSettings
from planner.solver.highs import Session
from planner.solver.model import Model
from planner.solver.program import Indices, Program

CHECK_LIMIT_S = 5.0

Item = TypeVar("Item")


@dataclass(frozen=True)
class Rule:
    """A rule of a component, in one step or (None) over the horizon."""

    component: str
    name: str
    step: int | None


@dataclass
class Place:
    """Where the program holds a rule: rows, and columns whose bounds it sets."""

    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Conflict:
    """Rules that contradict each other; `proven` where every single one of them is needed."""

    rules: tuple[Rule, ...]
    proven: bool


def places(model: Model) -> dict[Rule, Place]:
    """Return every rule of a compiled model that a user can be told of."""
    steps = set(model.window)
    by_rule: dict[Rule, Place] = {}
    by_day: dict[int, bool] = {}  # rows over days or months, by the id of their container

    def rule(part: object, *, is_row: bool) -> Rule | None:
        container = part.parent_component()  # type: ignore[attr-defined]  # a Pyomo row or variable
        component = container.parent_block().index()
        name = container.local_name
        descriptions = {} if component is None else model.scenario.components[component].rules
        if name not in descriptions:
            return None
        first = next(other for other in descriptions if descriptions[other] == descriptions[name])
        if is_row and id(container) not in by_day:  # steps begin at 1
            by_day[id(container)] = any(_last(index) == 0 for index in container)
        last = _last(part.index())  # type: ignore[attr-defined]
        stepwise = last in steps and not (is_row and by_day[id(container)])
        return Rule(component, first, last if stepwise and isinstance(last, int) else None)

    for i, (row, _) in enumerate(model.rows):
        if (key := rule(row, is_row=True)) is not None:
            by_rule.setdefault(key, Place()).rows.append(i)
    for j, column in enumerate(model.columns):
        if (key := rule(column, is_row=False)) is not None:
            by_rule.setdefault(key, Place()).columns.append(j)
    return by_rule


def _last(index: object) -> object:
    return index[-1] if isinstance(index, tuple) else index


class Check:
    """Asks whether the program has a point when only some of its rules hold."""

    def __init__(
        self, program: Program, where: dict[Rule, Place], settings: SolverSettings, until: float
    ) -> None:
        self.program, self.where, self.until = program, where, until
        self.session = Session(program.feasibility, threads=settings.threads, seed=settings.seed)
        self.integer = program.all_integer
        self.integral = False
        self.unsure = False
        self.at = {rule: place for place, rule in enumerate(where)}
        self.rows, self.row_rules = _pairs([place.rows for place in where.values()])
        self.columns, self.column_rules = _pairs([place.columns for place in where.values()])

    def infeasible(self, rules: Sequence[Rule]) -> bool:
        """Whether no point obeys these rules and the physics; unsure counts as feasible."""
        program, session = self.program, self.session
        dropped = np.ones(len(self.at), dtype=bool)
        dropped[[self.at[rule] for rule in rules]] = False
        rows = self.rows[dropped[self.row_rules]]
        columns = self.columns[dropped[self.column_rules]]
        row_lower, row_upper = program.row_lower.copy(), program.row_upper.copy()
        row_lower[rows], row_upper[rows] = -np.inf, np.inf
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        lower[columns] = np.minimum(lower[columns], 0.0)
        upper[columns] = np.where(self.integer[columns], 1.0, np.inf)
        session.integrality(self.integer & self.integral)
        session.bounds(np.arange(len(lower)), lower, upper)
        session.row_bounds(row_lower, row_upper)
        limit = min(CHECK_LIMIT_S, max(self.until - time.perf_counter(), 0.1))
        result = session.run(time_limit_s=limit)
        self.unsure |= result.x is None and result.status != "infeasible"
        return result.status == "infeasible"

    def late(self) -> bool:
        """Whether the time for explaining is over."""
        return time.perf_counter() > self.until


def _pairs(parts: Sequence[Sequence[int]]) -> tuple[Indices, Indices]:
    """Return all members and, for each, the number of the part it is in."""
    members = np.array([member for part in parts for member in part], dtype=np.int64)
    return members, np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def conflict(model: Model, program: Program, settings: SolverSettings, until: float) -> Conflict:
    """Return rules that contradict each other, sorted; none where they alone do not explain it."""
    began = time.perf_counter()
    by_rule = places(model)
    check = Check(program, by_rule, settings, until)
    order = {name: list(part.rules) for name, part in model.scenario.components.items()}
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
        if best is not None and time.perf_counter() - began > (until - began) / 3:
            break
        check.unsure = False
        thinned = _thinned(check, start)
        if best is None or _size(thinned) <= _size(best):
            best = thinned
    assert best is not None
    rules = sorted(best.rules, key=lambda rule: (rule.component, rule.name, rule.step or 0))
    return Conflict(tuple(rules), best.proven)


def _size(conflict: Conflict) -> tuple[bool, int, int]:
    names = {(rule.component, rule.name) for rule in conflict.rules}
    return not conflict.proven, len(names), len(conflict.rules)


def _by_solver(check: Check, all_rules: list[Rule]) -> list[Rule]:
    """Return the rules in the irreducible set that HiGHS finds for an LP just found infeasible."""
    rows, columns = check.session.irreducible()
    irreducible = [
        rule
        for rule in all_rules
        if rows & set(check.where[rule].rows) or columns & set(check.where[rule].columns)
    ]
    return irreducible if check.infeasible(irreducible) else all_rules


def _thinned(check: Check, rules: Sequence[Rule]) -> Conflict:
    """Leave out whole rules, then steps, then rules in single steps."""

    def of_names(some: Sequence[tuple[str, str]]) -> list[Rule]:
        return [rule for rule in rules if (rule.component, rule.name) in some]

    names = list(dict.fromkeys((rule.component, rule.name) for rule in rules))
    rules = of_names(thin_out(check, names, of_names))

    def at_steps(some: Sequence[int]) -> list[Rule]:
        kept_steps = set(some)
        return [rule for rule in rules if rule.step is None or rule.step in kept_steps]

    steps = list(dict.fromkeys(rule.step for rule in rules if rule.step is not None))
    if steps:
        rules = at_steps(thin_out(check, steps, at_steps))
    rules = thin_out(check, rules, lambda some: some)
    proven = not (check.late() or check.unsure)
    return Conflict(tuple(rules), proven)


def thin_out(
    check: Check, items: Sequence[Item], rules: Callable[[Sequence[Item]], Sequence[Rule]]
) -> list[Item]:
    """Return an irreducible part of `items` that still has no point (QuickXplain)."""

    def fails(some: Sequence[Item]) -> bool:
        return check.infeasible(rules(some))

    def thin(held: list[Item], fresh: bool, rest: list[Item]) -> list[Item]:
        if fresh and fails(held):
            return []
        if len(rest) == 1 or check.late():
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        of_second = thin(held + first, True, second)
        of_first = thin(held + of_second, bool(of_second), first)
        return of_first + of_second

    return thin([], False, list(items))
