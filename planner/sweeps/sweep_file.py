"""A sweep file: a base scenario, the axes that are varied, and how cases are drawn from them.

`read_sweep` reads and checks the form of a file. Whether its cases are valid scenarios is checked
when they are designed (`design`) and made (`variants`), all of them before the first solve.
`cautions` says what a careful colleague would ask about a sweep, and `sweep_schema` describes the
form of a file to editors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from planner.errors import Key, ScenarioError, did_you_mean
from planner.fields import Frozen
from planner.files.yaml_document import Document, read_yaml
from planner.scenario.paths import parse_path
from planner.scenario.scenario_file import ScenarioFile
from planner.scenario.validation_messages import explain
from planner.sweeps.axes import AnyAxis, Axis, Bundle, Expression, Scale, levels_of, range_of

TOP = (*ScenarioFile.model_fields, "components")
RESERVED = ("case", "key", "status", "gap", "message", "seconds", "refined")
"""Columns of the case table that no axis may be called."""
SAMPLED = ("latin_hypercube", "sobol")
CAPACITY = re.compile(
    r"components\.[^.]+\.(capacity_mwh?|(max|charge|discharge)_power_mw|(import|export)_limit_mw"
    r"|nodes)(\[\d+\])?"
)


class SweepSolver(Frozen):
    """Solver settings of every case; what is left out stays as in the base scenario."""

    gap: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Largest gap relative to turnover; looser than the final gap while exploring."""
    time_limit_s: Annotated[float, Field(gt=0)] | None = None
    """Most seconds in the solver for one case."""
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """Threads of the solver for one case; one, where there is a worker a core."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """Random seed of the solver."""
    relax: bool | None = None
    """Solve LP relaxations: bounds, quickly."""


class Refine(Frozen):
    """Which cases are solved again at the end, more exactly."""

    best: Annotated[int, Field(ge=1)] | None = None
    """So many of the best cases by `by`."""
    by: str = "objective_cny"
    """The figure that says which are best."""
    lowest: bool = False
    """The lowest figure is the best."""
    cases: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)] = ()
    """Numbers of cases to solve again besides."""
    gap: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Their gap relative to turnover [that of the base scenario]."""
    time_limit_s: Annotated[float, Field(gt=0)] | None = None
    """Most seconds in the solver for one of them [as the base scenario]."""

    @model_validator(mode="after")
    def _some(self) -> Refine:
        if self.best is None and not self.cases:
            raise ValueError("needs best (how many) or cases (which)")
        return self


class Find(Frozen):
    """A break-even search: the value of a path at which two figures are equal."""

    path: str
    """The path that is moved."""
    where: Annotated[str, Field(min_length=1)]
    """What shall hold there: `profit by compute = profit by export`."""
    low: float
    """Lowest value of the path."""
    high: float
    """Highest value of the path."""

    @model_validator(mode="after")
    def _in_order(self) -> Find:
        if not self.low < self.high:
            raise ValueError(f"high must be above low, {self.low:g}, is {self.high:g}")
        return self


class SweepFile(Frozen):
    """The fields of a sweep file."""

    name: Annotated[str, Field(min_length=1)]
    """Short name."""
    description: str = ""
    """One sentence."""
    base: Annotated[str, Field(min_length=1)]
    """The base scenario: a file or its folder, relative to the sweep file."""
    set: Annotated[dict[str, Any], Field(default_factory=dict)]
    """Changes to the base for all cases, by path; {horizon.hours: 24} makes a sweep quick."""
    design: Literal["grid", "one_at_a_time", "latin_hypercube", "sobol", "list"] = "grid"
    """How cases are drawn: every combination; one axis at a time around the base; samples;
    samples for Sobol indices; rows of a CSV."""
    samples: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Samples of the sampling designs; sobol makes samples x (axes + 2) cases."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Random seed of the sampling designs."""
    cases: Annotated[str, Field(min_length=1)] | None = None
    """The CSV of design list, relative to the sweep file: a column per path or axis."""
    axes: Annotated[dict[str, AnyAxis], Field(default_factory=dict)]
    """What is varied: by path of the scenario, or by a name of your own."""
    invalid: Literal["refuse", "row"] = "refuse"
    """What to do with cases that are no valid scenarios: refuse the sweep, or keep each as a row
    with status wrong_input."""
    solver: SweepSolver = SweepSolver()
    """Solver settings of every case."""
    refine: Refine | None = None
    """Cases to solve again at the end, more exactly."""
    plans: Literal["none", "all", "final"] = "none"
    """Which cases leave a plan folder: none, all, or those refined."""
    outputs: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] = ("objective_cny",)
    """Figures that the answers show first: dotted paths in summary.json."""
    find: Find | None = None
    """A break-even search."""

    @model_validator(mode="after")
    def _fits(self) -> SweepFile:
        varied = [axis for axis in self.axes.values() if not isinstance(axis, Expression)]
        if self.design == "list":
            if self.cases is None:
                raise ValueError("cases is required for design list: the CSV of cases")
        elif self.cases is not None:
            raise ValueError(f"cases belongs to design list, the design is {self.design}")
        elif not varied and self.find is None:
            raise ValueError("axes is required: what is varied")
        if self.design in SAMPLED:
            if self.samples is None:
                raise ValueError(f"samples is required for design {self.design}")
            if self.design == "sobol" and self.samples & (self.samples - 1):
                raise ValueError(f"samples must be a power of 2 for sobol, is {self.samples}")
        elif self.samples is not None:
            raise ValueError(f"samples belongs to sampling designs, the design is {self.design}")
        if self.plans == "final" and self.refine is None:
            raise ValueError("plans final needs refine, which says which cases are final")
        return self

    @property
    def varied(self) -> dict[str, Axis]:
        """The axes that the design moves: all but expressions."""
        return {n: axis for n, axis in self.axes.items() if not isinstance(axis, Expression)}


def is_path(name: str) -> bool:
    """Say whether the key of an axis is a path of the scenario, else a name."""
    return name.partition(".")[0].partition("[")[0] in TOP


def read_sweep(path: str | Path) -> tuple[SweepFile, Document]:
    """Read a sweep file and check its form.

    Returns:
        The file, and its document, which knows the line of every path.

    Raises:
        ScenarioError: with every problem found.
    """
    return check_sweep(read_yaml(Path(path)))


def check_sweep(document: Document) -> tuple[SweepFile, Document]:
    """Check the form of a sweep document. Returns and raises as `read_sweep`."""
    try:
        sweep = SweepFile.model_validate(document.data)
    except ValidationError as error:
        wrong = explain(error, SweepFile)
        raise ScenarioError([document.problem(path, message) for path, message in wrong]) from None
    problems = [document.problem(path, message) for path, message in _wrong_axes(sweep)]
    if problems:
        raise ScenarioError(problems)
    return sweep, document


def _wrong_axes(sweep: SweepFile) -> Iterator[tuple[Key, str]]:
    """Yield what is wrong with the axes together: names nobody uses, paths moved twice."""
    used = {source for axis in sweep.axes.values() for source in _inputs(axis)}
    moved: dict[Key, str] = {}
    for name, axis in sweep.axes.items():
        place: Key = ("axes", name)
        if name in RESERVED:
            yield place, "is the name of a column of every case table; choose another"
        if sweep.design == "grid" and range_of(axis) is not None:
            yield place, "a range cannot be part of a grid; list its values"
        for source in _inputs(axis):
            if source not in sweep.axes:
                message = f"there is no axis {source!r}{did_you_mean(source, sweep.axes)}"
                yield (*place, "from"), message
            elif isinstance(sweep.axes[source], Expression | Bundle):
                yield (*place, "from"), f"{source} is no axis of numbers"
        if not isinstance(axis, Bundle) and not is_path(name) and name not in used:
            message = "moves nothing: it is no path of a scenario, and no expression uses it"
            known = [known for known in (*TOP, *sweep.axes) if known != name]
            yield place, message + did_you_mean(name.partition(".")[0], known)
        for path in _paths(name, axis):
            try:
                key = parse_path(path)
            except ValueError as error:
                yield place, str(error)
                continue
            for other, by in moved.items():
                shorter = min(len(key), len(other))
                if by != name and key[:shorter] == other[:shorter]:
                    yield place, f"moves {path}, which the axis {by} moves too"
            moved[key] = name


def _inputs(axis: Axis) -> list[str]:
    """Return the axes that an expression follows from."""
    return list(axis.inputs.values()) if isinstance(axis, Expression) else []


def _paths(name: str, axis: Axis) -> list[str]:
    """Return the paths of the scenario that an axis moves."""
    if isinstance(axis, Bundle):
        return list(dict.fromkeys(path for changes in axis.bundle.values() for path in changes))
    return [name] if is_path(name) else []


def cautions(sweep: SweepFile) -> Iterator[str]:
    """Yield a warning for every capacity that is swept as if it cost nothing."""
    for name, axis in sweep.axes.items():
        for path in _paths(name, axis):
            if is_path(path) and CAPACITY.fullmatch(path) and _moves(axis):
                yield (
                    f"{path} is swept without its capital cost: more is always better; weigh"
                    " profit against what the capacity costs"
                )


def _moves(axis: Axis) -> bool:
    """Say whether an axis has more than one value."""
    if isinstance(axis, Expression | Bundle | Scale):
        return True
    levels = levels_of(axis)
    return levels is None or len(set(levels)) > 1


def sweep_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a sweep file."""
    schema = SweepFile.model_json_schema(ref_template="#/$defs/{model}")
    axes = schema["properties"]["axes"]
    values = {
        "type": "array",
        "minItems": 1,
        "items": {"type": ["number", "string", "boolean"]},
        "description": "Values, one after the other.",
    }
    forms = axes["additionalProperties"].pop("oneOf")
    axes["additionalProperties"] = {"anyOf": [values, *forms]}
    inputs = schema["$defs"]["Expression"]["properties"]["from"]
    names = {"type": "array", "items": {"type": "string"}}
    mapping = {key: inputs.pop(key) for key in ("type", "additionalProperties") if key in inputs}
    inputs["anyOf"] = [names, mapping]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Sweep",
    }
