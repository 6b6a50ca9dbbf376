"""The rules that a schedule breaks, by how much and when, as texts.

Two opposite flows at once break a direction, whatever row is missed (`planner.diagnosis.misses`);
the limits of the two flows are judged without it. A rule on switches alone is missed by no
quantity: the text says what the schedule does instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.components.terms import Balance
from planner.diagnosis.conflict import Place, Rule, families
from planner.diagnosis.infeasible import conflict_rule
from planner.diagnosis.misses import MIN_BREACH, Misses, misses
from planner.diagnosis.wording import at_times, time_spans
from planner.message import Message
from planner.solver.pinning import Misfit, Pinned
from planner.solver.program import Program
from planner.timeseries.horizon import Horizon
from planner.timeseries.schedule import columns_of
from planner.timeseries.series import Array
from planner.units import unit


@dataclass(frozen=True)
class Breach:
    """A rule that a schedule breaks; `missed` is by how much at worst, in the rule's own unit."""

    components: tuple[str, ...]
    rule: str
    when: str
    missed: float
    text: Message


def breaches(pinned: Pinned, tolerance: float = 0.0) -> tuple[list[Breach], Program]:
    """Return what a schedule breaks, and its program with only these rows relaxed, by their misses.

    Args:
        pinned: the schedule in its program.
        tolerance: how far given values may move, as in `pin`.

    Raises:
        NoPlanError: the time limit struck.
    """
    missing = misses(pinned, tolerance)
    program, rules = missing.program, missing.rules
    directions = list(_overlaps(missing))
    missed, broken = missing.missed.copy(), missing.broken(any_miss=not pinned.misfits)
    for row, limit_missed in _limits_missed(missing, directions).items():
        missed[row] = min(missed[row], limit_missed)
    by_direction = (missed <= MIN_BREACH) & (missed < missing.missed)
    broken = [row for row in broken if not by_direction[row]]
    by_rule: dict[Rule, float] = {}
    for row in broken:
        if row in rules:
            by_rule[rules[row]] = max(by_rule.get(rules[row], 0.0), float(missed[row]))
    misfits = [m for m in pinned.misfits if not _is_explained(m, missing, broken)]
    at_misfit = {(m.component, m.step) for m in misfits}
    owners = {family: component for (component, *_), family in program.families.items()}
    contradictory = set(missing.given.tolist()).intersection(broken)
    rows = [
        row
        for row in broken
        if row not in rules
        and row not in contradictory
        and (owners.get(program.row_families[row], ""), program.row_steps[row]) not in at_misfit
    ]
    return [
        *_rule_breaches(by_rule, missing),
        *_direction_breaches(program, directions),
        *_row_breaches(program, rows, missed),
        *_misfit_breaches(program, [*misfits, *missing.given_misfits(contradictory)]),
    ], missing.relaxed()


def _is_explained(misfit: Misfit, missing: Misses, broken: Sequence[int]) -> bool:
    """Return whether a value above its bound breaks a rule of its step that is reported anyway."""
    program = missing.program
    rows = [row for row in broken if row in missing.rules and program.row_steps[row] == misfit.step]
    columns = set(program.matrix[rows].nonzero()[1].tolist())
    return misfit.value > misfit.high and bool(misfit.columns) and misfit.columns <= columns


@dataclass(frozen=True)
class Overlap:
    """Two flows at once that exclude each other: their component, step and MW, and the switch."""

    component: str
    both: str
    step: int
    first_mw: float
    second_mw: float
    switch: int


def _overlaps(missing: Misses) -> Iterator[Overlap]:
    """Yield every pair of opposite flows that the point has at once."""
    program, values = missing.program, missing.program.values(missing.x)
    for k in np.flatnonzero(program.overlaps(missing.x)):
        switch = int(program.switches[k])
        first, second = (values[flow[k]] for flow in (program.first_flow, program.second_flow))
        step = int(program.column_steps[switch])
        yield Overlap(*program.pairs[k], step, float(first), float(second), switch)


def _limits_missed(missing: Misses, directions: Sequence[Overlap]) -> dict[int, float]:
    """Return by how much rows with a switch of overlapping flows are missed in any direction."""
    missed: dict[int, float] = {}
    program, matrix = missing.program, missing.program.matrix
    activity = matrix @ missing.x
    for overlap in directions:
        part = slice(matrix.indptr[overlap.switch], matrix.indptr[overlap.switch + 1])
        for row, factor in zip(matrix.indices[part].tolist(), matrix.data[part], strict=True):
            rest = activity[row] - factor * missing.x[overlap.switch]
            over = rest + min(factor, 0.0) - program.row_upper[row]
            under = program.row_lower[row] - rest - max(factor, 0.0)
            missed[row] = max(float(over), float(under), 0.0)
    return missed


def _direction_breaches(program: Program, directions: Sequence[Overlap]) -> Iterator[Breach]:
    by_pair: dict[tuple[str, str], list[Overlap]] = {}
    for overlap in directions:
        by_pair.setdefault((overlap.component, overlap.both), []).append(overlap)
    for (component, both), overlapping in by_pair.items():
        worst = max(overlapping, key=lambda overlap: min(overlap.first_mw, overlap.second_mw))
        when = _when(program.scenario.horizon, [overlap.step for overlap in overlapping])
        flows = Message(both, first=f"{worst.first_mw:.6g}", second=f"{worst.second_mw:.6g}")
        text = Message(
            "{name} {sentence} and may do one of the two", name=component, sentence=flows
        )
        missed = min(worst.first_mw, worst.second_mw)
        yield Breach((component,), "direction", when, missed, at_times(text, when))


def _rule_breaches(missed: Mapping[Rule, float], missing: Misses) -> Iterator[Breach]:
    """Yield rules of the scenario, with the largest violation or what the schedule does instead."""
    program = missing.program
    scenario, schedule = program.scenario, program.columns(missing.x)
    for (name, _), family in families(missed).items():
        broken = conflict_rule(scenario, family)
        worst = max(missed[rule] for rule in family)
        unit_text = row_unit(
            program, missing.places[max(family, key=missed.__getitem__)], family[0]
        )
        text = Message(
            "{sentence}; largest violation {value:.4g} {words}",
            sentence=broken.text, value=worst, words=unit_text,
        )  # fmt: skip
        if all(_is_logic(missing, rule) for rule in family):
            places = [(rule.step or program.window.first) - program.window.first for rule in family]
            columns = columns_of(pd.DataFrame(schedule), name)
            component, rule = scenario.components[name], family[0].name
            given = component.given(rule, columns, scenario.horizon, places)
            text = broken.text
            if given:
                text = Message(
                    "{sentence}; in the schedule {text}", sentence=broken.text, text=given
                )
        yield Breach(broken.components, broken.rule, broken.when, worst, text)


def row_unit(program: Program, place: Place, rule: Rule) -> str:
    """Return the unit in which a rule is missed: as its kind says, else that of its variables."""
    declared = program.scenario.components[rule.component].row_units.get(rule.name)
    return declared or _unit_of_variables(program, place.rows, place.columns)


def _unit_of_variables(program: Program, rows: Sequence[int], columns: Sequence[int] = ()) -> str:
    """Return the unit of the variables that stand in some rows as they are; empty if not one."""
    part = program.matrix[rows].tocoo()
    bare = [*part.coords[1][np.abs(part.data) == 1].tolist(), *columns]
    names, families = program.variable_families, program.column_families
    units = {unit(names[families[column]][1]) for column in bare if column < len(families)} - {None}
    return min(filter(None, units)) if len(units) == 1 else ""


def _is_logic(missing: Misses, rule: Rule) -> bool:
    """Return whether a rule holds between switches alone, so that its miss is no quantity."""
    program, place = missing.program, missing.places[rule]
    columns = {*program.matrix[place.rows].nonzero()[1].tolist(), *place.columns}
    low, high = program.column_lower, program.column_upper
    names, families = program.variable_families, program.column_families
    return all(
        low[column] >= 0 and high[column] <= 1 and unit(names[families[column]][1]) is None
        for column in columns
    )


def _row_breaches(program: Program, rows: Sequence[int], missed: Array) -> Iterator[Breach]:
    """Yield balances, and other rows that are no rules: the schedule contradicts itself there."""
    balances = {family: balance for balance, family in program.balances.items()}
    names = {family: key for key, family in program.families.items()}
    by_family: dict[int, list[int]] = {}
    for row in rows:
        by_family.setdefault(int(program.row_families[row]), []).append(row)
    for family, family_rows in by_family.items():
        worst = float(missed[family_rows].max())
        when = _when(program.scenario.horizon, [int(program.row_steps[row]) for row in family_rows])
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
        places = {"sentence": at_times(text, when), "value": worst}
        if words := _unit_of_variables(program, family_rows):
            text = Message(
                "{sentence}; largest deviation {value:.4g} {words}", words=words, **places
            )
        else:
            text = Message("{sentence}; largest deviation {value:.4g}", **places)
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


def _misfit_breaches(program: Program, misfits: Sequence[Misfit]) -> Iterator[Breach]:
    by_column: dict[str, list[Misfit]] = {}
    for misfit in misfits:
        by_column.setdefault(misfit.column, []).append(misfit)
    for column, of_column in by_column.items():
        worst = max(of_column, key=lambda misfit: misfit.distance)
        when = _when(program.scenario.horizon, [misfit.step for misfit in of_column])
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
