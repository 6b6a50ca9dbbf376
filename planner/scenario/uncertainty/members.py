"""The members of a scenario, checked one by one.

A checked scenario lists its members, whatever method made them. Each has the validated values that
replace those of the scenario, by path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planner.components.component import Component
from planner.errors import Key, Problem, ScenarioError, did_you_mean, dotted, wrong
from planner.fields import FieldError
from planner.files.yaml_document import Document
from planner.message import Message, MessageList
from planner.scenario.paths import parse_path, reach, resolve, value_at, with_value
from planner.scenario.scenario_file import ScenarioFile
from planner.scenario.series_errors import ErringSeries
from planner.scenario.uncertainty.draws import draw
from planner.scenario.uncertainty.fields import Member, Uncertainty
from planner.timeseries.forms import Context

HERE: Key = ("uncertainty", "members")
Components = Mapping[str, Any]


def check_members(
    document: Document,
    uncertainty: Uncertainty,
    components: Components,
    context: Context,
    check: Callable[[Mapping[str, Any]], Components],
) -> Uncertainty:
    """Return an uncertainty with every member listed, named and checked.

    Args:
        document: the scenario file.
        uncertainty: its uncertainty, as written.
        components: its components without uncertainty.
        context: what its series are read with.
        check: returns the components with values replaced by path, checked in full.

    Raises:
        ScenarioError: with every problem of every member.
    """
    problems: list[Problem] = []
    members: list[Member] = []
    written = _written(document, uncertainty, components, context)
    for number, (place, member) in enumerate(written, 1):
        name = member.name or f"member_{number}"
        try:
            values = _values(components, member.set, check)
        except ScenarioError as error:
            problems += [at_member(document, place, name, problem) for problem in error.problems]
            continue
        members.append(Member(name=name, probability=member.probability, set=values))
    if problems:
        raise ScenarioError(problems)
    return uncertainty.revised({"members": tuple(members)})


def _written(
    document: Document, uncertainty: Uncertainty, components: Components, context: Context
) -> Iterator[tuple[Key, Member]]:
    """Yield the members that are listed or made by a method, each with its place in the file."""
    method = uncertainty.members
    if isinstance(method, tuple):
        for i, member in enumerate(method):
            yield (*HERE, i, "set"), member
        return
    erring: dict[str, ErringSeries] = {}
    problems = []
    for path in method.fields:
        try:
            erring[path] = ErringSeries.at(components, _reached(components, path))
        except FieldError as error:
            problems.append(document.problem((*HERE, "fields", path), error.message))
    if problems:
        raise ScenarioError(problems)
    try:
        drawn = draw(method, erring, context)
    except FieldError as error:
        place = (*HERE, "fields", *resolve(dict(method.fields), error.path))
        raise ScenarioError([document.problem(place, error.message)]) from None
    for member in drawn:
        yield HERE, member


def _values(
    components: Components,
    changes: Mapping[str, Any],
    check: Callable[[Mapping[str, Any]], Components],
) -> dict[str, Any]:
    """Return the validated values that a member has instead of the scenario's own, by path."""
    problems = []
    for text in changes:
        try:
            require_field(components, text)
        except FieldError as error:
            problems.append(Problem(error.message, text))
    if problems:
        raise ScenarioError(problems)
    changed = check(changes)
    problems = [
        Problem(message, f"components.{name}")
        for name, component in changed.items()
        if (message := _other_site(components[name], component)) is not None
    ]
    if problems:
        raise ScenarioError(problems)
    values = {}
    for text in changes:
        paths = _reached(components, text), _reached(changed, text)
        path = min(paths, key=len)  # leads to a value in the scenario as well as in the member
        values[dotted(("components", *path))] = value_at(changed, path)
    return values


def require_field(components: Components, text: str) -> None:
    """Raise FieldError for a path that is not that of a field of a component."""
    path = parse_path(text)
    if path[0] != "components" or len(path) < 3:
        raise FieldError(
            Message(
                "a member may change fields of components only, such as"
                " components.wind.availability_pu"
            )
        )
    if path[1] not in components:
        hint = did_you_mean(path[1], components)
        raise FieldError(Message("there is no component {name!r}{hint}", name=path[1], hint=hint))


def _reached(components: Components, text: str) -> Key:
    """Return the part of a path below `components` that leads to a validated value.

    It leads to the series, not into the form that a series is written in.
    """
    require_field(components, text)
    path = reach({"components": components}, text)[1:]
    if len(path) < 2:
        raise FieldError(Message("there is nothing at {path}", path=dotted(parse_path(text))))
    return path


def _other_site(base: Component, member: Component) -> Message | None:
    """Return why a component makes a member another site; None where it does not."""
    if base.kind != member.kind:
        return Message("kind must be the same in every member, is {name}", name=member.kind)
    nodes = [
        {which for what, which in (*c.supplies(), *c.demands()) if what == "power"}
        for c in (base, member)
    ]
    if nodes[0] != nodes[1]:
        return Message("must be at the same nodes in every member")
    if base.here_and_now(awake=True) != member.here_and_now(awake=True):
        return Message("must have the same decisions before the future is known in every member")
    return None


def at_member(document: Document, place: Key, name: str, problem: Problem) -> Problem:
    """Return a problem of a member at the place of the member."""
    parts = (Message("member {name}", name=name), problem.path, problem.message)
    return document.problem(place, MessageList(": ", filter(None, parts)))


def in_member(components: Components, member: Member) -> Components:
    """Return the components of a checked scenario as they are in one of its members."""
    for text, value in member.set.items():
        components = with_value(components, _reached(components, text), value)
    return components


def require_one_member(scenario: ScenarioFile) -> None:
    """Raise ScenarioError where a scenario has several members."""
    if scenario.uncertainty is not None:
        message = Message(
            "has several members, and this makes one plan: use `planner solve`"
            " (planner.solve_stochastic), or leave them out with --set uncertainty=null"
        )
        raise wrong("uncertainty", message)


def pointless(uncertainty: Uncertainty | None, components: Components) -> Iterator[Message]:
    """Yield a warning for each reason why the uncertainty of a scenario may change nothing."""
    if uncertainty is None:
        return
    first, *others = [in_member(components, member) for member in uncertainty.checked_members]
    if all(other == first for other in others):
        yield Message("uncertainty: all members are equal, so that one plan without it is the same")
    awake = uncertainty.awake == "here_and_now"
    if not any(c.here_and_now(awake=awake) for c in components.values()):
        yield Message(
            "uncertainty: nothing in the site is decided before the future is known, so that each"
            " member is planned as if it were certain; a thermal unit, a declaration to `decide` or"
            " `awake: here_and_now` would be"
        )
    if uncertainty.risk is not None and not uncertainty.risk.weight:
        yield Message("uncertainty.risk.weight is 0, so that only the mean counts")
