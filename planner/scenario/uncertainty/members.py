"""The members of a scenario as scenarios: checked one by one, told apart by what differs in them.

A checked scenario lists its members, whatever made them, with the values that they have instead of
its own: validated ones, so that a member of a scenario is made by putting them in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from planner.components.component import Component
from planner.errors import Key, Problem, ScenarioError, dotted
from planner.fields import Frozen
from planner.files.yaml_document import Document
from planner.scenario.paths import parse_path, replaced, value_at, with_value
from planner.scenario.uncertainty.draws import FieldError, draw
from planner.scenario.uncertainty.fields import Member, Uncertainty
from planner.timeseries.forms import Context
from planner.timeseries.series import Array

HERE: Key = ("uncertainty", "members")


class HasMembers(Protocol):
    """What of a scenario is needed here."""

    @property
    def name(self) -> str:
        """Short name."""

    @property
    def components(self) -> dict[str, Any]:
        """Components by name."""

    @property
    def uncertainty(self) -> Uncertainty | None:
        """Futures."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with fields replaced."""


S = TypeVar("S", bound=HasMembers)


def resolved(
    document: Document, base: HasMembers, context: Context, check: Callable[[Document], HasMembers]
) -> Uncertainty:
    """Return the uncertainty of a scenario with every member listed, named and checked.

    Args:
        document: the scenario file.
        base: what it says without its uncertainty.
        context: what its series are read with.
        check: makes a checked scenario of a changed document.

    Raises:
        ScenarioError: with every problem of every member.
    """
    said = base.uncertainty
    assert said is not None
    data = {key: part for key, part in document.data.items() if key != "uncertainty"}
    plain = Document(document.file, data, document.lines)
    problems: list[Problem] = []
    members: list[Member] = []
    for number, (place, member) in enumerate(_written(document, base, context), 1):
        name = member.name or f"member_{number}"
        try:
            values = _checked(plain, base, member.set, check)
        except ScenarioError as error:
            problems += [_at(document, place, name, problem) for problem in error.problems]
            continue
        members.append(Member(name=name, probability=member.probability, set=values))
    if problems:
        raise ScenarioError(problems)
    return said.model_copy(update={"members": tuple(members)})


def _written(
    document: Document, base: HasMembers, context: Context
) -> Iterator[tuple[Key, Member]]:
    """Yield members and the place they stand at: listed ones, or as their method makes them."""
    assert base.uncertainty is not None
    how = base.uncertainty.members
    if isinstance(how, tuple):
        for i, member in enumerate(how):
            yield (*HERE, i, "set"), member
        return
    own: dict[str, Array] = {}
    problems = []
    for path in how.fields:
        try:
            key = _reached(base.components, _component_path(document.data, path))
            value = value_at(base.components, key)
            if not isinstance(value, np.ndarray):
                raise ValueError("is no series, and only a series can err")
            own[path] = value
        except ValueError as error:
            problems.append(document.problem((*HERE, "fields", path), str(error)))
    if problems:
        raise ScenarioError(problems)
    try:
        drawn = draw(how, own, context)
    except FieldError as error:
        raise ScenarioError([document.problem((*HERE, "fields", error.path), str(error))]) from None
    for found in drawn:
        values = dict(found.series)
        yield HERE, Member(name=found.name, probability=found.probability, set=values)


def _checked(
    plain: Document,
    base: HasMembers,
    changes: Mapping[str, Any],
    check: Callable[[Document], HasMembers],
) -> dict[str, Any]:
    """Return the validated values that a member has instead of the scenario's own, by path."""
    problems = []
    for text in changes:
        try:
            _component_path(plain.data, text)
        except ValueError as error:
            problems.append(Problem(str(error), text))
    if problems:
        raise ScenarioError(problems)
    data, keys = replaced(plain.data, changes)
    member = check(Document(plain.file, data, plain.lines, keys))
    for name, component in member.components.items():
        if said := _other_site(base.components[name], component):
            problems.append(Problem(said, f"components.{name}"))
    if problems:
        raise ScenarioError(problems)
    reached = [_shorter(base.components, member.components, key[1:]) for key in keys]
    return {dotted(("components", *key)): value_at(member.components, key) for key in reached}


def _component_path(data: dict[str, Any], text: str) -> Key:
    """Return the parts of a path below `components`. Raises ValueError for other paths."""
    key = parse_path(text)
    if key[0] != "components" or len(key) < 3:
        raise ValueError(
            "a member may change fields of components only, such as components.wind.availability_pu"
        )
    if key[1] not in (data.get("components") or {}):
        raise ValueError(f"there is no component {key[1]!r}")
    return key[1:]


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
    said = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return document.problem(place, f"member {name}: {said}")


def _reached(parts: Any, key: Key) -> Key:
    """Return the part of a path that leads to a validated value: not into the form of a series."""
    here, done, rest = parts, [], list(key)
    while rest:
        part, rest = rest[0], rest[1:]
        if isinstance(here, dict):
            while part not in here and rest:  # names of models may have dots in them
                part, rest = f"{part}.{rest[0]}", rest[1:]
        try:
            here = _step(here, part)
        except (LookupError, AttributeError, TypeError):
            break
        done.append(part)
    if len(done) < 2:
        raise ValueError(f"there is nothing at {dotted(('components', *key))}")
    return tuple(done)


def _shorter(base: Any, member: Any, key: Key) -> Key:
    """Return the part of a path that leads to a value in a scenario as well as in a member."""
    return min(_reached(base, key), _reached(member, key), key=len)


def _step(here: Any, part: str | int) -> Any:
    if isinstance(here, Frozen):
        if part not in type(here).model_fields:
            raise LookupError(part)
        return getattr(here, str(part))
    if isinstance(here, dict | tuple):
        return here[part]  # type: ignore[index]  # a tuple has whole numbers as parts
    raise LookupError(part)


def member_of(scenario: S, member: Member) -> S:
    """Return a listed member of a checked scenario as a scenario of its own, without futures."""
    parts = scenario.components
    for text, value in member.set.items():
        parts = with_value(parts, _reached(parts, parse_path(text)[1:]), value)
    name = f"{scenario.name} ({member.name})"
    return scenario.model_copy(update={"name": name, "components": parts, "uncertainty": None})


def members_of(scenario: S) -> dict[str, tuple[float, S]]:
    """Return the probability and the scenario of every future, by name; none where certain."""
    listed = scenario.uncertainty.listed if scenario.uncertainty is not None else ()
    return {str(m.name): (m.probability, member_of(scenario, m)) for m in listed}


def demand_one_future(scenario: HasMembers) -> None:
    """Raise ScenarioError where a scenario holds several futures."""
    if scenario.uncertainty is not None:
        said = (
            "holds several futures, and one plan is asked for: use `planner solve`"
            " (planner.solve_stochastic), or leave them out with --set uncertainty=null"
        )
        raise ScenarioError([Problem(said, "uncertainty")])


def pointless(scenario: HasMembers) -> Iterator[str]:
    """Yield why the uncertainty of a scenario may change nothing."""
    said = scenario.uncertainty
    if said is None:
        return
    members = [member_of(scenario, member) for member in said.listed]
    if all(member.components == members[0].components for member in members[1:]):
        yield "uncertainty: all members are equal, so that one plan without it is the same"
    awake = said.awake == "here_and_now"
    if not any(c.here_and_now(awake=awake) for c in scenario.components.values()):
        yield (
            "uncertainty: nothing in the site is decided before the future is known, so that each"
            " member is planned as if it were certain; a thermal unit, a declaration to `decide` or"
            " `awake: here_and_now` would be"
        )
    if said.risk is not None and not said.risk.weight:
        yield "uncertainty.risk.weight is 0, so that only the mean counts"
