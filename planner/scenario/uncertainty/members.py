"""The members of a scenario: checked one by one, told apart by what differs in them.

A checked scenario lists its members, whatever made them, with the values that they have instead of
its own: validated ones, so that a member of a scenario is made by putting them in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planner.components.component import Component
from planner.errors import Key, Problem, ScenarioError, dotted
from planner.files.yaml_document import Document
from planner.scenario.paths import parse_path, reach, value_at, with_value
from planner.scenario.scenario_file import ScenarioFile
from planner.scenario.series_errors import ErringSeries
from planner.scenario.uncertainty.draws import FieldError, draw
from planner.scenario.uncertainty.fields import Member, Uncertainty
from planner.timeseries.forms import Context

HERE: Key = ("uncertainty", "members")
Components = Mapping[str, Any]


def listed_members(
    document: Document,
    uncertainty: Uncertainty,
    components: Components,
    context: Context,
    check: Callable[[Mapping[str, Any]], Components],
) -> Uncertainty:
    """Return an uncertainty with every member listed, named and checked.

    Args:
        document: the scenario file.
        uncertainty: what it says of its futures.
        components: what it says without them.
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
            problems += [_at(document, place, name, problem) for problem in error.problems]
            continue
        members.append(Member(name=name, probability=member.probability, set=values))
    if problems:
        raise ScenarioError(problems)
    return uncertainty.model_copy(update={"members": tuple(members)})


def _written(
    document: Document, uncertainty: Uncertainty, components: Components, context: Context
) -> Iterator[tuple[Key, Member]]:
    """Yield members and the place they stand at: listed ones, or as their method makes them."""
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
        except ValueError as error:
            problems.append(document.problem((*HERE, "fields", path), str(error)))
    if problems:
        raise ScenarioError(problems)
    try:
        drawn = draw(method, erring, context)
    except FieldError as error:
        raise ScenarioError([document.problem((*HERE, "fields", error.path), str(error))]) from None
    for made in drawn:
        values = dict(made.series)
        yield HERE, Member(name=made.name, probability=made.probability, set=values)


def _values(
    components: Components,
    changes: Mapping[str, Any],
    check: Callable[[Mapping[str, Any]], Components],
) -> dict[str, Any]:
    """Return the validated values that a member has instead of the scenario's own, by path."""
    problems = []
    for text in changes:
        try:
            _require_field(components, text)
        except ValueError as error:
            problems.append(Problem(str(error), text))
    if problems:
        raise ScenarioError(problems)
    changed = check(changes)
    for name, component in changed.items():
        if message := _other_site(components[name], component):
            problems.append(Problem(message, f"components.{name}"))
    if problems:
        raise ScenarioError(problems)
    values = {}
    for text in changes:
        ways = _reached(components, text), _reached(changed, text)
        path = min(ways, key=len)  # leads to a value in the scenario as well as in the member
        values[dotted(("components", *path))] = value_at(changed, path)
    return values


def _require_field(components: Components, text: str) -> None:
    """Raise ValueError for a path that is not that of a field of a component."""
    path = parse_path(text)
    if path[0] != "components" or len(path) < 3:
        raise ValueError(
            "a member may change fields of components only, such as components.wind.availability_pu"
        )
    if path[1] not in components:
        raise ValueError(f"there is no component {path[1]!r}")


def _reached(components: Components, text: str) -> Key:
    """Return the part of a path below `components` that leads to a validated value.

    It leads to the series, not into the form that a series is written in.
    """
    _require_field(components, text)
    path = reach({"components": components}, text)[1:]
    if len(path) < 2:
        raise ValueError(f"there is nothing at {dotted(parse_path(text))}")
    return path


def _other_site(base: Component, member: Component) -> str:
    """Say how a component makes a member another site, or nothing."""
    kinds = [component.kind for component in (base, member)]
    if kinds[0] != kinds[1]:
        return f"kind must be the same in every member, is {kinds[1]}"
    nodes = [
        {which for what, which in (*c.supplies(), *c.demands()) if what == "power"}
        for c in (base, member)
    ]
    if nodes[0] != nodes[1]:
        return "must stand at the same nodes in every member"
    if base.here_and_now(awake=True) != member.here_and_now(awake=True):
        return "must have the same decisions before the future is known in every member"
    return ""


def _at(document: Document, place: Key, name: str, problem: Problem) -> Problem:
    """Return a problem of a member at the place where the member stands."""
    message = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return document.problem(place, f"member {name}: {message}")


def in_member(components: Components, member: Member) -> Components:
    """Return the components of a checked scenario as they are in one of its members."""
    for text, value in member.set.items():
        components = with_value(components, _reached(components, text), value)
    return components


def require_one_member(scenario: ScenarioFile) -> None:
    """Raise ScenarioError where a scenario holds several futures."""
    if scenario.uncertainty is not None:
        message = (
            "holds several futures, and one plan is asked for: use `planner solve`"
            " (planner.solve_stochastic), or leave them out with --set uncertainty=null"
        )
        raise ScenarioError([Problem(message, "uncertainty")])


def pointless(uncertainty: Uncertainty | None, components: Components) -> Iterator[str]:
    """Yield why the uncertainty of a scenario may change nothing."""
    if uncertainty is None:
        return
    first, *others = [in_member(components, member) for member in uncertainty.listed]
    if all(other == first for other in others):
        yield "uncertainty: all members are equal, so that one plan without it is the same"
    awake = uncertainty.awake == "here_and_now"
    if not any(c.here_and_now(awake=awake) for c in components.values()):
        yield (
            "uncertainty: nothing in the site is decided before the future is known, so that each"
            " member is planned as if it were certain; a thermal unit, a declaration to `decide` or"
            " `awake: here_and_now` would be"
        )
    if uncertainty.risk is not None and not uncertainty.risk.weight:
        yield "uncertainty.risk.weight is 0, so that only the mean counts"
