"""The variants of a sweep's base scenario, one a case: all are checked before any is solved."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from planner.errors import Problem, ScenarioError
from planner.files.yaml_document import Document, read_yaml
from planner.scenario.paths import override, resolve, value_at
from planner.scenario.scenario import Scenario, Variants
from planner.scenario.scenario_file import SolverSettings, scenario_path
from planner.scenario.scenario_key import digest, scenario_key
from planner.sweeps.axes import Bundle
from planner.sweeps.design import Case
from planner.sweeps.sweep_file import SweepFile

MOST_TOLD = 20  # different problems of cases that one message lists


class Base(Variants):
    """A base scenario that cases are made from; the file and its tables are read once.

    exact: solver limits of the base itself, where the sweep explores with others.
    """

    def __init__(self, document: Document, folder: Path, exact: dict[str, Any]) -> None:
        super().__init__(document, folder)
        self.exact = exact

    def at(self, path: str) -> Any:
        """Return what the base says at a path, None where it says nothing."""
        return value_at(self.document.data, resolve(self.document.data, path))

    def key(self, scenario: Scenario) -> str:
        """Return the content of a scenario and of the versions that solve it, as a hash."""
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
    wrong = [
        document.problem(("set", name), "belongs under `solver` of the sweep")
        for name in sweep.set
        if name.removeprefix("solver.") in settings and name != "solver"
    ]
    if wrong:
        raise ScenarioError(wrong)
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
        message = (
            "holds several futures; each case is planned for one: add `set: {uncertainty: null}`"
        )
        raise ScenarioError([document.problem(("base",), message)])
    return base


def check_cases(
    sweep: SweepFile, document: Document, base: Base, cases: Iterable[Case]
) -> tuple[list[str], dict[int, str]]:
    """Check every case in full, before anything is solved.

    Returns:
        The key of each case, empty where it is wrong; and what is wrong by number of the case,
        which there is only where the sweep keeps invalid cases.

    Raises:
        ScenarioError: some cases are no valid scenarios; each problem tells its first case.
    """
    keys: list[str] = []
    wrong: dict[int, str] = {}
    seen: dict[tuple[str, str], list[Any]] = {}
    for case in cases:
        try:
            keys.append(base.key(base.scenario(case.changes)))
        except ScenarioError as error:
            keys.append("")
            wrong[case.number] = "; ".join(f"{p.path}: {p.message}" for p in error.problems)
            for problem in error.problems:
                same = seen.setdefault((problem.path, problem.message), [case, 0])
                same[1] += 1
    if not wrong or sweep.invalid == "row":
        return keys, wrong
    problems = []
    for (path, message), (case, count) in list(seen.items())[:MOST_TOLD]:
        more = f" (and in {count - 1} other cases)" if count > 1 else ""
        line = document.line(("axes", _mover(sweep, path)))
        problems.append(Problem(f"{message}, in {case}{more}", path, document.file, line))
    if len(seen) > MOST_TOLD:
        problems.append(Problem(f"{len(wrong)} cases are wrong in all", "axes", document.file))
    raise ScenarioError(problems)


def _mover(sweep: SweepFile, path: str) -> str:
    """Return the axis that moves a path, or what stands above or below it; else nothing."""
    for name, axis in sweep.axes.items():
        moved = (
            {p for part in axis.bundle.values() for p in part}
            if isinstance(axis, Bundle)
            else {name}
        )
        if any(path.startswith(p) or p.startswith(path) for p in moved):
            return name
    return ""
