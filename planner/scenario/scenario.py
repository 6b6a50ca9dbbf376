"""A scenario: an immutable horizon and its named components, read and checked once; its variants.

Every changed scenario that is checked comes from `Variants`: `--set`, members of an uncertain
scenario, cases of a sweep, changes that are proposed, `Scenario.with_values`. Variants share what
their changes do not touch (tables, validated components), so that only the changes cost time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, PrivateAttr

from planner.components.component import Site
from planner.errors import Problem, ScenarioError, wrong
from planner.fields import FieldError
from planner.files.yaml_document import Document, read_yaml
from planner.message import Message
from planner.scenario.cautions import likely_units, mixed_scales, unsold_energy
from planner.scenario.checker import Checker
from planner.scenario.paths import overridden, override
from planner.scenario.plain_data import plain_scenario, without_following
from planner.scenario.python_values import document_of
from planner.scenario.scenario_file import ScenarioFile, scenario_path
from planner.scenario.shared_parts import Shared, Tables
from planner.scenario.uncertainty.fields import Uncertainty
from planner.scenario.uncertainty.members import (
    HERE,
    at_member,
    check_members,
    in_member,
    pointless,
    require_field,
)

IN_MEMORY = "scenario"  # the file of problems with a scenario that no file holds


class Scenario(ScenarioFile):
    """A checked scenario, from `planner.load`, `Scenario.from_mapping` or its fields by name."""

    components: dict[str, Any]
    """Components by name."""
    forecast: dict[str, Any] = Field(default_factory=dict)
    """Forecasts by the path of their series; `planner simulate` plans on them."""
    _of_file: tuple[Message, ...] = PrivateAttr(default=())
    """Warnings of what only the file shows, or what else a scenario was made from."""

    if not TYPE_CHECKING:  # which knows the fields

        def __init__(self, /, **data: Any) -> None:
            self.__setstate__(self.from_mapping(data).__getstate__())

        @classmethod
        def model_validate(cls, obj: Any, **_: Any) -> Scenario:
            """Return a mapping as a scenario, as `from_mapping`."""
            return cls.from_mapping(obj)

    @classmethod
    def from_mapping(
        cls, data: Mapping[str, Any], folder: str | os.PathLike[str] = "."
    ) -> Scenario:
        """Check the content of a scenario file, held as Python values.

        Args:
            data: what such a file holds: as any YAML or JSON reader returns it, with tuples, dates,
                paths, NumPy values, typed components such as `planner.components.Battery`. Where a
                series is asked for, also a NumPy array with one value per step, or a pandas Series
                with a time index, whose rows are matched to the steps as those of a CSV: by time,
                local where it has no offset, nothing filled or resampled. A DataFrame with such an
                index is a series by origin, by its columns. All of it is copied.
            folder: what CSV paths are relative to.

        Example:
            `planner.Scenario.from_mapping({"name": "site", "horizon": {...}, "components": {...}})`

        Raises:
            ScenarioError: with every problem found.
        """
        return Variants(document_of(data, IN_MEMORY), Path(folder)).scenario()

    def with_values(self, values: Mapping[str, Any]) -> Scenario:
        """Return the scenario with values replaced, checked in full.

        Args:
            values: new values by path, in any form that `from_mapping` takes; `{"scale": 0.8}`
                multiplies what is there. CSV paths are relative to the working folder.

        Example:
            `scenario.with_values({"components.pv.capacity_mw": 120})`

        Raises:
            ScenarioError: with every problem found.
        """
        document = Document(IN_MEMORY, plain_scenario(self))
        return Variants(document, Path(), self).scenario(values)

    def _with_fields(self, update: Mapping[str, Any]) -> Scenario:
        return self.with_values(update)

    def with_components(
        self, components: Mapping[str, Any], notes: Iterable[Message] = ()
    ) -> Scenario:
        """Return the scenario with other components, which fit it, and more warnings."""
        changed = self.revised({"components": dict(components)})
        changed._of_file = (*self._of_file, *notes)
        return changed

    def site(self, name: str = "") -> Site:
        """Return the view that the component `name` has of the scenario."""
        return Site(name, self.horizon, self.components, self.trace)

    def warnings(self) -> list[Message]:
        """Return what a careful colleague would ask about, component by component."""
        messages = [
            Message("components.{component}: {sentence}", component=name, sentence=message)
            for name, component in self.components.items()
            for message in component.warn(self.site(name))
        ]
        messages += [
            *unsold_energy(self.components),
            *likely_units(self.components, self.horizon, self.currency),
            *mixed_scales(self.components),
        ]
        return [*messages, *self._of_file, *pointless(self.uncertainty, self.components)]


class Variants:
    """A scenario file and its variants, each checked in full.

    Args:
        document: the file.
        folder: what its paths are relative to.
        base: the scenario of the file, where it has been checked already.
        tables: CSV files that have been read already.
    """

    def __init__(
        self,
        document: Document,
        folder: Path,
        base: Scenario | None = None,
        tables: dict[str, Tables] | None = None,
    ) -> None:
        self.document, self.base = document, base
        self.free: Document | None = None
        self.shared = Shared(folder, {} if tables is None else tables)
        if base is not None:
            self.shared.on_horizon(base).components.update(base.components)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker needs: the tables; it validates components again."""
        shared = Shared(self.shared.folder, self.shared.tables)
        return vars(self) | {"shared": shared, "base": None, "free": None}

    def scenario(self, changes: Mapping[str, Any] | None = None) -> Scenario:
        """Return the file with some values replaced, as a scenario.

        What the file holds of fields that follow from others, as that of a plan does, follows again
        where new values are of components.

        Args:
            changes: new values by path, as `--set` has them.

        Raises:
            ScenarioError: with every problem found.
        """
        if isinstance(changes, Mapping) and any(
            str(path).startswith("components") for path in changes
        ):
            with suppress(ScenarioError):
                return self._changed(self._free(), changes)
        return self._changed(self.document, changes or {})

    def _free(self) -> Document:
        """Return the file without fields that follow from others.

        Raises:
            ScenarioError: the file itself has problems.
        """
        if self.free is None:
            base = self.base or self._changed(self.document, {})
            self.free = replace(self.document, data=without_following(self.document.data, base))
        return self.free

    def _changed(self, document: Document, changes: Mapping[str, Any]) -> Scenario:
        """Return a document with some values replaced, as `scenario`."""
        document, paths, problems = overridden(document, changes)
        document = replace(document, problems=(*document.problems, *problems))
        checker = Checker(document, self.shared, paths)
        try:
            scenario = Scenario.unchecked(**checker.fields())
        except ScenarioError as error:
            of_members = self._problems_of_members(document, error.problems)
            raise ScenarioError([*error.problems, *of_members]) from None
        scenario._of_file = tuple(checker.warnings)
        if scenario.uncertainty is None:
            return scenario
        uncertainty = self._with_members(document, scenario, scenario.uncertainty)
        return scenario.revised({"uncertainty": uncertainty})

    def _problems_of_members(
        self, document: Document, base: Iterable[Problem]
    ) -> Iterator[Problem]:
        """Yield what is wrong with listed members besides the problems of their base."""
        data = dict(document.data)
        uncertainty, components = data.pop("uncertainty", None), data.get("components")
        listed = uncertainty.get("members") if isinstance(uncertainty, dict) else None
        known = {(problem.path, problem.message) for problem in base}
        for i, member in enumerate(listed if isinstance(listed, list) else ()):
            changes = member.get("set") if isinstance(member, dict) else None
            if not isinstance(changes, dict) or not isinstance(components, dict):
                continue
            problems: list[Problem] = []
            try:
                for path in changes:
                    require_field(components, path)
                changed, _ = override(replace(document, data=data, problems=()), changes)
                Checker(changed, Shared(self.shared.folder, self.shared.tables)).fields()
            except FieldError as error:
                problems = [Problem(error.message, path)]
            except ScenarioError as error:
                problems = [p for p in error.problems if (p.path, p.message) not in known]
            name = str(member.get("name") or f"member_{i + 1}")
            for problem in problems:
                yield at_member(document, (*HERE, i, "set"), name, problem)

    def _with_members(
        self, document: Document, base: Scenario, uncertainty: Uncertainty
    ) -> Uncertainty:
        """Return the uncertainty of a scenario with every member listed and checked."""
        if base.solver.relax:
            message = Message("must be false: what is decided for several members must be whole")
            raise ScenarioError([document.problem(("solver", "relax"), message)])
        certain = {key: part for key, part in document.data.items() if key != "uncertainty"}
        certain_document = replace(document, data=certain)
        members = Variants(certain_document, self.shared.folder, base, self.shared.tables)
        context = members.shared.on_horizon(base).context

        def check(changes: Mapping[str, Any]) -> dict[str, Any]:
            return members.scenario(changes).components

        return check_members(document, uncertainty, base.components, context, check)


def load(path: str | os.PathLike[str], set: Mapping[str, Any] | None = None) -> Scenario:  # noqa: A002
    """Read and check a scenario file; `set` replaces values by path before checking.

    New values are as in `Scenario.with_values`.

    Example:
        `planner.load("scenario.yaml", set={"components.pv.capacity_mw": {"scale": 1.2}})`

    Raises:
        ScenarioError: with every problem found, each with file, line and path.
    """
    if not isinstance(path, str | os.PathLike):
        message = Message(
            "must be the path of a scenario's file or folder, is {text}; planner.Scenario and"
            " Scenario.from_mapping take what a program holds",
            text=type(path).__name__,
        )
        raise wrong("", message)
    path = scenario_path(path)
    return Variants(read_yaml(path), path.parent).scenario(set)


ScenarioLike = Scenario | str | os.PathLike[str] | Mapping[str, Any]
"""A scenario, the path of its file or folder, or the content of such a file."""


def scenario_of(source: ScenarioLike, changes: Mapping[str, Any] | None = None) -> Scenario:
    """Return what a study was given as a scenario, with some values replaced.

    Raises:
        ScenarioError: it is none, or has problems.
    """
    if isinstance(source, Scenario):
        return source.with_values(changes) if changes else source
    if isinstance(source, Mapping):
        return Variants(document_of(source, IN_MEMORY), Path()).scenario(changes)
    if isinstance(source, str | os.PathLike):
        return load(source, changes)
    message = Message(
        "a scenario is given as planner.Scenario, as the path of its file or folder, or as a"
        " mapping such as its file holds; this is {text}",
        text=type(source).__name__,
    )
    raise wrong("", message)


def members_of(scenario: Scenario) -> dict[str, tuple[float, Scenario]]:
    """Return the probability and the scenario of every member, by name; none where certain."""
    uncertainty = scenario.uncertainty
    members: dict[str, tuple[float, Scenario]] = {}
    for member in () if uncertainty is None else uncertainty.checked_members:
        update = {
            "name": f"{scenario.name} ({member.name})",
            "title": scenario.title and f"{scenario.title} ({member.name})",
            "components": in_member(scenario.components, member),
            "uncertainty": None,
        }
        members[str(member.name)] = member.probability, scenario.revised(update)
    return members
