"""Why a scenario has no plan, and what would make one possible, as messages and plain data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from planner.diagnosis.conflict import Rule, conflict, families
from planner.diagnosis.repair import Change, Repair
from planner.diagnosis.wording import at_times, listed, spans, time_span, time_spans
from planner.errors import InfeasibleError
from planner.fields import value_text
from planner.message import Message, MessageList
from planner.scenario.cautions import likely_units
from planner.scenario.scenario import Scenario
from planner.solver.budget import Budget
from planner.solver.compiler import program_of
from planner.solver.highs import LP_ITERATIONS
from planner.solver.program import Program
from planner.solver.rounds import InfeasibleProgramError, UnboundedError, optimise
from planner.solver.scaling import rescaled
from planner.solver.session import Session
from planner.solver.solution import Solution
from planner.timeseries.horizon import Window

CONFLICT_WORK, CHANGE_WORK = 750_000, 1_000_000  # simplex iterations, as `Budget` counts them
BOX = 1e7  # bounds of all columns when looking for the revenue without limit
ALWAYS = "the whole horizon"


@dataclass(frozen=True)
class ConflictRule:
    """A rule in a conflict as text; `components` are those it concerns, its own first."""

    components: tuple[str, ...]
    rule: str
    when: str
    text: Message


def obvious_contradictions(scenario: Scenario) -> list[ConflictRule]:
    """Return what no plan can satisfy, found without a solver."""
    impossible = [
        ConflictRule((name,), "impossible", ALWAYS, _of_component(name, message))
        for name, component in scenario.components.items()
        for message in component.impossible(scenario.site(name))
    ]
    return impossible + list(_unmet_loads(scenario))


def _unmet_loads(scenario: Scenario) -> Iterator[ConflictRule]:
    """Yield the nodes whose loads in some steps exceed the power of all sources there."""
    horizon, components = scenario.horizon, scenario.components
    needs = {name: part.must_draw_mw(horizon) for name, part in components.items()}
    gives = {name: part.max_supply_mw(horizon) for name, part in components.items()}
    for node in sorted({node for by_node in needs.values() for node in by_node}):
        drawn = {name: by_node[node] for name, by_node in needs.items() if node in by_node}
        sources = {name: by_node[node] for name, by_node in gives.items() if node in by_node}
        least = np.asarray(sum(drawn.values()))
        most = np.asarray(sum(sources.values(), 0.0 * least))
        short = np.flatnonzero(least > most + 1e-6)
        if short.size:
            first, last = next(spans((short + 1).tolist()))
            steps, when = range(first, last + 1), time_spans(horizon, (short + 1).tolist())
            loads = [name for name, mw in drawn.items() if mw.any()]
            message = Message(
                "{names} must get {value} MW and all supply of node {other!r} ({text}) is at"
                " most {most} MW",
                names=" and ".join(loads), value=value_text(least, steps), other=node,
                text=", ".join(sources) or Message("none"), most=value_text(most, steps),
            )  # fmt: skip
            yield ConflictRule(
                (*loads, *(name for name in sources if name not in loads)),
                "supply",
                when,
                at_times(message, time_span(horizon, first, last)),
            )


def infeasible(
    scenario: Scenario,
    contradictions: Sequence[ConflictRule] = (),
    window: Window | None = None,
    program: Program | None = None,
) -> InfeasibleError:
    """Return the error of a scenario without a plan: the conflict and the changes that solve it.

    Args:
        scenario: the scenario without a plan.
        contradictions: the conflict, where it is known.
        window: the steps without a plan [all of the horizon].
        program: of these steps, whatever comes before and after them [that of the scenario]; a
            change that helps these steps need not help the others, so that none are sought.
    """
    is_own = program is None
    if program is None:
        program = program_of(scenario, window)
    rules, proven = list(contradictions), True
    if not rules:
        contradiction = conflict(program, Budget(CONFLICT_WORK))
        rules = [
            conflict_rule(scenario, family) for family in families(contradiction.rules).values()
        ]
        proven = contradiction.proven
    changes = _changes(scenario, program, rules, window) if is_own else []
    lines = [Message("no plan satisfies every rule of the scenario")]
    if rules:
        several = Message("these rules contradict each other:")
        lines.append(several if len(rules) > 1 else Message("this is impossible:"))
        lines += listed(rule.text for rule in rules)
        if not proven:
            lines.append(Message("the search ended at its limit of work; some may not be needed"))
    if changes:
        first, *others = (change.text for change in changes)
        alternatives = [first, *(Message("or {sentence}", sentence=text) for text in others)]
        lines += [Message("a plan becomes possible with"), *listed(alternatives)]
    elif is_own:
        lines.append(
            Message("no change of the fields in conflict was found that makes a plan possible")
        )
    else:
        lines.append(
            Message("changes are sought where `planner solve` plans these hours by themselves")
        )
    if doubts := [*likely_units(scenario.components, scenario.horizon, scenario.currency)]:
        lines += [Message("a unit may be wrong:"), *listed(doubts)]
    diagnosis = {
        "status": "infeasible",
        "name": scenario.name,
        "conflict": [asdict(rule) | {"components": list(rule.components)} for rule in rules],
        "irreducible": proven,
        "changes": [
            {"set": {p: _plain(v) for p, v in change.values.items()}, "text": change.text}
            for change in changes
        ],
    }
    return InfeasibleError(MessageList("\n", lines), diagnosis)


def _changes(
    scenario: Scenario,
    program: Program,
    rules: Sequence[ConflictRule],
    window: Window | None,
) -> list[Change]:
    """Return changes that make a plan possible: of the components in conflict, else of others."""
    repair = Repair(scenario, program, Budget(CHANGE_WORK), window)
    named = sorted({name for rule in rules for name in rule.components})
    others = [name for name in scenario.components if name not in named]
    return repair.single(named) or repair.together() or repair.single(others) or repair.together()


def unbounded(program: Program) -> InfeasibleError:
    """Return the error of a scenario whose profit is unbounded, with the ledger lines at fault."""
    program = rescaled(program).program
    boxed = program.with_bounds(
        slice(None),
        np.maximum(program.column_lower, -BOX),
        np.minimum(program.column_upper, BOX),
    )
    result = Session(boxed).run(iterations=LP_ITERATIONS)
    lines: list[str] = []
    if result.x is not None:
        values = program.values(result.x)
        revenue = defaultdict[str, float](float)
        for cost in program.costs:
            if not cost.reported:
                revenue[f"{cost.component}: {cost.line}"] -= float(values[cost.rows].sum())
        largest = max(revenue.values(), default=0.0)
        lines = [name for name, amount in revenue.items() if amount > 1e-3 * largest > 0]
    text = Message("the profit has no bound: something can be sold without limit")
    if lines:
        text = Message("the profit has no bound: {text}; give it a limit", text=", ".join(lines))
    return InfeasibleError(text, {"status": "unbounded", "lines": lines})


def optimise_or_explain(program: Program) -> Solution:
    """Return the solution of a scenario's program within its settings.

    Raises:
        InfeasibleError: with its diagnosis.
        NoPlanError, SolveError, KeyboardInterrupt: as `optimise`.
    """
    try:
        return optimise(program, program.scenario.solver)
    except UnboundedError:
        raise unbounded(program) from None
    except InfeasibleProgramError:
        raise infeasible(program.scenario) from None


def conflict_rule(scenario: Scenario, family: Sequence[Rule]) -> ConflictRule:
    """Return the conflict rule of a component's rule over the steps of the conflict."""
    name, rule = family[0].component, family[0].name
    steps = sorted(single.step for single in family if single.step is not None)
    described = scenario.components[name].describe_rule(rule, scenario.horizon, steps)
    when = time_spans(scenario.horizon, steps)
    text = at_times(_of_component(name, described), when)
    return ConflictRule((name,), rule, when or ALWAYS, text)


def _of_component(name: str, message: Message) -> Message:
    return Message("{name} {sentence}", name=name, sentence=message)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return float(value[0]) if (value == value[0]).all() else value.tolist()
    return value
