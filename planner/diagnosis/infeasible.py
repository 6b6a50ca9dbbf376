"""Why a scenario has no plan, and what would make one possible, in the scenario's own words."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from planner.diagnosis.conflict import Rule, conflict
from planner.diagnosis.repair import Change, Repair
from planner.diagnosis.wording import spans, time_span, time_spans
from planner.errors import InfeasibleError
from planner.fields import value_text
from planner.message import Message
from planner.scenario.scenario import Scenario
from planner.solver.compiler import compile_program
from planner.solver.highs import Session
from planner.solver.model import assemble
from planner.solver.program import Program
from planner.timeseries.horizon import Window

CONFLICT_LIMIT_S = 40.0
CHANGE_LIMIT_S = 60.0
BOX = 1e7  # stands for no limit when looking for what has none
ALWAYS = "the whole horizon"


@dataclass(frozen=True)
class ConflictRule:
    """A rule in a conflict, in words; `components` are those it concerns, its own first."""

    components: tuple[str, ...]
    rule: str
    when: str
    text: Message


def obvious_contradictions(scenario: Scenario) -> list[ConflictRule]:
    """Return what cannot work whatever the plan, found without a solver."""
    impossible = [
        ConflictRule(
            (name,), "impossible", ALWAYS, Message("{name} {sentence}", name=name, sentence=message)
        )
        for name, component in scenario.components.items()
        for message in component.impossible(scenario.site(name))
    ]
    return impossible + list(_unmet_loads(scenario))


def _unmet_loads(scenario: Scenario) -> Iterator[ConflictRule]:
    """Tell the steps in which a node must feed more than everything there could give."""
    horizon, components = scenario.horizon, scenario.components
    nodes = {node for c in components.values() for node in c.must_draw_mw(horizon)}
    for node in sorted(nodes):
        needs = {n: c.must_draw_mw(horizon).get(node) for n, c in components.items()}
        gives = {n: c.max_supply_mw(horizon).get(node) for n, c in components.items()}
        least = np.asarray(sum(part for part in needs.values() if part is not None))
        most = np.asarray(sum((part for part in gives.values() if part is not None), 0.0 * least))
        short = np.flatnonzero(least > most + 1e-6)
        if short.size:
            first, last = next(spans((short + 1).tolist()))
            steps, when = range(first, last + 1), time_spans(horizon, (short + 1).tolist())
            who = [n for n, part in needs.items() if part is not None and part.any()]
            sources = [n for n, part in gives.items() if part is not None]
            yield ConflictRule(
                (*who, *(name for name in sources if name not in who)),
                "supply",
                when,
                f"{' and '.join(who)} must be served {value_text(least, steps)} MW and all supply"
                " of"
                f" node {node!r} ({', '.join(sources) or 'none'}) is at most"
                f" {value_text(most, steps)} MW, at {time_span(horizon, first, last)}",
            )


def infeasible(
    scenario: Scenario, contradictions: Sequence[ConflictRule] = (), window: Window | None = None
) -> InfeasibleError:
    """Return the error that explains a scenario without a plan: the conflict and the changes.

    With a window, why there is no plan of these steps.
    """
    model, program = assemble(scenario, window), None
    with suppress(InfeasibleError):  # a row without any decision in it is broken
        program = compile_program(model)
    rules, proven = list(contradictions), True
    if not rules and program is not None:
        until = time.perf_counter() + CONFLICT_LIMIT_S
        contradiction = conflict(model, program, scenario.solver, until)
        rules = [conflict_rule(scenario, family) for family in _families(contradiction.rules)]
        proven = contradiction.proven
    changes = _changes(scenario, program, rules, window)
    del model
    lines = ["no plan satisfies every rule of the scenario"]
    if rules:
        lines.append("these rules contradict each other:" if len(rules) > 1 else "this cannot be:")
        lines += [f"  - {rule.text}" for rule in rules]
        if not proven:
            lines.append("the time for thinning them out was over; some may not matter")
    if changes:
        alternatives = "\n  - or ".join(change.said for change in changes)
        lines += ["a plan becomes possible with", f"  - {alternatives}"]
    else:
        lines.append("no change of the fields in conflict was found that makes a plan possible")
    diagnosis = {
        "status": "infeasible",
        "name": scenario.name,
        "conflict": [asdict(rule) | {"components": list(rule.components)} for rule in rules],
        "irreducible": proven,
        "changes": [
            {"set": {p: _plain(v) for p, v in change.values.items()}, "text": change.said}
            for change in changes
        ],
    }
    return InfeasibleError("\n".join(lines), diagnosis)


def _changes(
    scenario: Scenario,
    program: Program | None,
    rules: Sequence[ConflictRule],
    window: Window | None,
) -> list[Change]:
    """Return what makes a plan possible: fields of the components named, of others, or several."""
    repair = Repair(scenario, program, time.perf_counter() + CHANGE_LIMIT_S, window)
    named = sorted({name for rule in rules for name in rule.components})
    others = [name for name in scenario.components if name not in named]
    return repair.single(named) or repair.together() or repair.single(others) or repair.together()


def unbounded(program: Program) -> InfeasibleError:
    """Return the error that tells which money grows without limit."""
    boxed = replace(
        program,
        column_lower=np.maximum(program.column_lower, -BOX),
        column_upper=np.minimum(program.column_upper, BOX),
    )
    result = Session(boxed, threads=1, seed=0).run(time_limit_s=CONFLICT_LIMIT_S)
    lines: list[str] = []
    if result.x is not None:
        values = program.values(result.x)
        earned: dict[str, float] = {}
        for row, cost in program.costs.items():
            if not cost.reported:
                name = f"{cost.component}: {cost.line}"
                earned[name] = earned.get(name, 0.0) - float(values[row])
        most = max(earned.values(), default=0.0)
        lines = [name for name, amount in earned.items() if amount > 1e-3 * most > 0]
    what = ", ".join(lines) or "something can be sold without limit"
    message = f"the profit has no bound: {what}; give it a limit"
    return InfeasibleError(message, {"status": "unbounded", "lines": lines})


def _families(rules: Sequence[Rule]) -> list[list[Rule]]:
    families: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        families.setdefault((rule.component, rule.name), []).append(rule)
    return list(families.values())


def conflict_rule(scenario: Scenario, family: Sequence[Rule]) -> ConflictRule:
    """Word a rule of a component over the steps it matters in."""
    name, rule = family[0].component, family[0].name
    steps = sorted(single.step for single in family if single.step is not None)
    described = scenario.components[name].describe_rule(rule, scenario.horizon, steps)
    message = Message("{name} {sentence}", name=name, sentence=described)
    when = time_spans(scenario.horizon, steps)
    if when:
        message = Message("{sentence}, at {when}", sentence=message, when=when)
    return ConflictRule((name,), rule, when or ALWAYS, message)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return float(value[0]) if (value == value[0]).all() else value.tolist()
    return value
