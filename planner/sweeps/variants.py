"""The cases of a sweep as variants of its base scenario: all are checked before any is solved."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from planner.errors import Problem, ScenarioError
from planner.files.yaml_document import Document, read_yaml
from planner.message import Message, MessageList
from planner.scenario.paths import override, resolve, value_at
from planner.scenario.scenario import Scenario, Variants
from planner.scenario.scenario_file import SolverSettings, scenario_path
from planner.scenario.scenario_key import digest, scenario_key
from planner.sweeps.design import Case
from planner.sweeps.sweep_file import SweepFile, paths_of

ONE_CURRENCY = Message("is the same in all cases; the base has it, or `set`")
MAX_PROBLEMS = 20  # different problems of cases that one error lists


class Base(Variants):
    """A base scenario that cases are made from; the file and its tables are read once.

    exact: solver limits of the base itself, where the sweep explores with others.
    """

    def __init__(self, document: Document, folder: Path, exact: dict[str, Any]) -> None:
        super().__init__(document, folder)
        self.exact = exact

    def at(self, path: str) -> Any:
        """Return the value of the base at a path, None where it has none."""
        return value_at(self.document.data, resolve(self.document.data, path))

    def key(self, scenario: Scenario) -> str:
        """Return a hash of the content of a scenario and of the versions that solve it."""
        shared = self.shared.on_horizon(scenario)
        digests = {}
        for name, component in scenario.components.items():
            if shared.components.get(name) is component:
                if name not in shared.digests:
                    shared.digests[name] = digest(component)
                digests[name] = shared.digests[name]
        return scenario_key(scenario, digests)


def read_base(sweep: SweepFile, document: Document, folder: Path) -> Base:
    """Read the base scenario of a sweep, with its `set` and solver settings.

    Raises:
        ScenarioError: the base cannot be read, or is no valid scenario.
    """
    path = scenario_path(folder / sweep.base)
    file = read_yaml(path)
    settings = sweep.solver.model_dump(exclude_none=True)
    misplaced = [
        document.problem(("set", name), Message("belongs under `solver` of the sweep"))
        for name in sweep.set
        if name.removeprefix("solver.") in settings and name != "solver"
    ]
    if misplaced:
        raise ScenarioError(misplaced)
    try:
        changed, _ = override(file, sweep.set)
    except ScenarioError as error:
        problems = [document.problem(("set", p.path), p.message) for p in error.problems]
        raise ScenarioError(problems) from None
    own = changed.data.get("solver") or {}
    default = SolverSettings()
    exact = {name: own.get(name, getattr(default, name)) for name in ("gap", "time_limit_s")}
    exploring, _ = override(changed, {f"solver.{name}": v for name, v in settings.items()})
    base = Base(exploring, path.parent, exact)
    if base.scenario().uncertainty is not None:
        message = Message("is stochastic, and each case is planned for one member: add {text}",
                          text="`set: {uncertainty: null}`")  # fmt: skip
        raise ScenarioError([document.problem(("base",), message)])
    return base


def check_cases(
    sweep: SweepFile, document: Document, base: Base, cases: Iterable[Case]
) -> tuple[list[str], dict[int, Message]]:
    """Check every case in full, before anything is solved.

    `sweep` has all its axes, also those of a list of cases; `document` is that of its file.

    Returns:
        The key of each case, empty where it is wrong; and the problems of wrong cases by number,
        where the sweep keeps them as rows.

    Raises:
        ScenarioError: some cases are no valid scenarios; each problem names its first case.
    """
    keys: list[str] = []
    wrong: dict[int, Message] = {}
    faulty: dict[tuple[str, Message], list[Case]] = {}
    currency = base.scenario().currency
    for case in cases:
        try:
            scenario = base.scenario(case.changes)
            if scenario.currency != currency:
                raise ScenarioError([Problem(ONE_CURRENCY, "currency")])
            keys.append(base.key(scenario))
        except ScenarioError as error:
            keys.append("")
            messages = (Problem(p.message, p.path).with_place() for p in error.problems)
            wrong[case.number] = MessageList("; ", messages)
            for problem in error.problems:
                faulty.setdefault((problem.path, problem.message), []).append(case)
    if not wrong or sweep.invalid == "row":
        return keys, wrong
    problems = []
    for (path, message), (first, *others) in list(faulty.items())[:MAX_PROBLEMS]:
        values = {"sentence": message, "case": first.label(sweep.varied)}
        message = Message("{sentence}, in {case}", **values)
        if others:
            message = Message("{sentence}, in {case}; other cases with this problem: {n}",
                              n=len(others), **values)  # fmt: skip
        line = document.line(("axes", _axis_of(sweep, path)))
        problems.append(Problem(message, path, document.file, line))
    if len(faulty) > MAX_PROBLEMS:
        message = Message("{n} cases are wrong in all", n=len(wrong))
        problems.append(Problem(message, "axes", document.file))
    raise ScenarioError(problems)


def _axis_of(sweep: SweepFile, path: str) -> str:
    """Return the axis that sets a path, or one above or below it; empty where none does."""
    for name, axis in sweep.axes.items():
        if any(path.startswith(p) or p.startswith(path) for p in paths_of(name, axis)):
            return name
    return ""
