"""A sweep file: a base scenario, the axes that are varied, and how cases are drawn from them.

`read_sweep` reads a file and checks its form. Whether its cases are valid scenarios is checked when
they are designed (`design`) and made (`variants`), all of them before the first solve. `cautions`
warns of capacities that are swept without their cost, and `sweep_schema` returns the JSON Schema.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from planner.components.registry import Way, better
from planner.errors import Key, ScenarioError, as_written, did_you_mean, wrong
from planner.fields import FieldError, Frozen, Title
from planner.files.yaml_document import Document, read_yaml
from planner.message import Message
from planner.scenario.paths import parse_path
from planner.scenario.scenario_file import ScenarioFile
from planner.scenario.validation_messages import explain
from planner.sweeps.axes import (
    AnyAxis,
    Axis,
    Bundle,
    Formula,
    Scale,
    levels_of,
    range_of,
    require_order,
)

TOP = (*ScenarioFile.model_fields, "components")
RESERVED = ("case", "key", "status", "gap", "message", "seconds", "refined")
"""Columns of the case table that no axis may be called."""
SAMPLED = ("latin_hypercube", "sobol")
LEAST_BLOCKS = 32  # of a Sobol design
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
    """Number of the best cases to solve again."""
    by: str = "objective_cny"
    """The figure that ranks them."""
    lowest: bool | None = None
    """Whether the lowest figure is the best [as `outputs` says]."""
    cases: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)] = ()
    """Numbers of further cases to solve again."""
    gap: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Their gap relative to turnover [that of the base scenario]."""
    time_limit_s: Annotated[float, Field(gt=0)] | None = None
    """Most seconds in the solver for one of them [as the base scenario]."""

    @model_validator(mode="after")
    def _some(self) -> Refine:
        if self.best is None and not self.cases:
            raise FieldError(Message("needs best (how many) or cases (which)"))
        return self


class Find(Frozen):
    """A break-even search: the value of a path at which two figures are equal."""

    path: str
    """The path whose value is searched."""
    where: Annotated[str, Field(min_length=1)]
    """The condition: `profit by compute = profit by export`."""
    low: float
    """Lowest value of the path."""
    high: float
    """Highest value of the path."""

    @model_validator(mode="after")
    def _in_order(self) -> Find:
        require_order(self.low, self.high)
        return self


def _with_ways(value: Any) -> Any:
    """Return outputs with the way in which each is better; a list leaves that to its figures."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: better(name) for name in value}
    raise FieldError(
        Message(
            "must be a list of figures, or figures with `most` or `least`, is {value}",
            value=as_written(value),
        )
    )


class SweepFile(Frozen):
    """The fields of a sweep file."""

    name: Annotated[str, Field(min_length=1)]
    """Short name."""
    title: Title | None = None
    """What people read instead of the name, in any script."""
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
    """The axes: by path of the scenario, or by a name of your own."""
    invalid: Literal["refuse", "row"] = "refuse"
    """What to do with cases that are no valid scenarios: refuse the sweep, or keep each as a row
    with status wrong_input."""
    solver: SweepSolver = SweepSolver()
    """Solver settings of every case."""
    refine: Refine | None = None
    """Cases to solve again at the end, more exactly."""
    plans: Literal["none", "all", "final"] = "none"
    """Which cases leave a plan folder: none, all, or those refined."""
    outputs: Annotated[
        dict[str, Way],
        Field(min_length=1, default_factory=lambda: _with_ways(["objective_cny"])),
        BeforeValidator(_with_ways),
    ]
    """Figures that the analyses explain, dotted paths in summary.json [objective_cny]: a list, or
    each with `most` or `least`, whichever is better."""
    find: Find | None = None
    """A break-even search."""

    @model_validator(mode="after")
    def _fits(self) -> SweepFile:
        for field, message in self._misfits():
            raise FieldError(message, field)
        return self

    def _misfits(self) -> Iterator[tuple[str, Message]]:
        """Yield the fields that the design lacks or does not use."""
        if self.design == "list":
            if self.cases is None:
                yield "cases", Message("is required for design list: the CSV of cases")
        elif self.cases is not None:
            yield "cases", Message("belongs to design list, the design is {name}", name=self.design)
        elif not self.varied and self.find is None:
            yield "axes", Message("is required: what is varied")
        if self.design in SAMPLED:
            if self.samples is None:
                yield "samples", Message("is required for design {name}", name=self.design)
            elif self.design == "sobol" and self.samples & (self.samples - 1):
                yield "samples", Message("must be a power of 2 for sobol, is {value}",
                                         value=self.samples)  # fmt: skip
        elif self.samples is not None:
            yield "samples", Message("belongs to sampling designs, the design is {name}",
                                     name=self.design)  # fmt: skip
        if self.plans == "final" and self.refine is None:
            yield "plans", Message("final needs refine, which names the final cases")

    def better(self, output: str) -> Way:
        """Return which way an output, or any other figure, is better."""
        return self.outputs.get(output) or better(output)

    @property
    def varied(self) -> dict[str, Axis]:
        """The axes that the design varies: all but expressions."""
        return {n: axis for n, axis in self.axes.items() if not isinstance(axis, Formula)}


def is_path(name: str) -> bool:
    """Return whether the key of an axis is a path of the scenario; else it is a name."""
    return name.partition(".")[0].partition("[")[0] in TOP


def read_sweep(path: str | os.PathLike[str]) -> tuple[SweepFile, Document]:
    """Read a sweep file and check its form.

    Returns:
        The file, and its document, which knows the line of every path.

    Raises:
        ScenarioError: with every problem found.
    """
    if not isinstance(path, str | os.PathLike):
        message = Message(
            "a sweep is given as the path of its file, or as a mapping such as its file holds; this"
            " is {text}",
            text=type(path).__name__,
        )
        raise wrong("", message)
    document = read_yaml(Path(path))
    return check_sweep(document), document


def check_sweep(document: Document) -> SweepFile:
    """Return what a document holds, checked in form. Raises as `read_sweep`."""
    try:
        sweep = SweepFile.model_validate(document.data)
    except ValidationError as error:
        faults = explain(error, SweepFile)
        problems = [document.problem(path, message) for path, message in faults]
        raise ScenarioError([*document.problems, *problems]) from None
    problems = [document.problem(path, message) for path, message in _wrong_axes(sweep)]
    if problems or document.problems:
        raise ScenarioError([*document.problems, *problems])
    return sweep


def _wrong_axes(sweep: SweepFile) -> Iterator[tuple[Key, Message]]:
    """Yield what is wrong with the axes together: names without a use, paths set by two axes."""
    used = {source for axis in sweep.axes.values() for source in _inputs(axis)}
    axis_of: dict[Key, str] = {}
    for name, axis in sweep.axes.items():
        place: Key = ("axes", name)
        if name in RESERVED:
            yield place, Message("is the name of a column of every case table; choose another")
        if sweep.design == "grid" and range_of(axis) is not None:
            yield place, Message("a range cannot be part of a grid; list its values")
        for source in _inputs(axis):
            if source not in sweep.axes:
                hint = did_you_mean(source, sweep.axes)
                message = Message("there is no axis {name!r}{hint}", name=source, hint=hint)
                yield (*place, "from"), message
            elif isinstance(sweep.axes[source], Formula | Bundle):
                yield (*place, "from"), Message("{name} is no axis of numbers", name=source)
        if not isinstance(axis, Bundle) and not is_path(name) and name not in used:
            known = [known for known in (*TOP, *sweep.axes) if known != name]
            yield (
                place,
                Message(
                    "moves nothing: it is no path of a scenario, and no expression uses it{hint}",
                    hint=did_you_mean(name.partition(".")[0], known),
                ),
            )
        for path in paths_of(name, axis):
            try:
                key = parse_path(path)
            except ValueError:
                yield place, Message("{path} is not a path such as components.pv.capacity_mw",
                                     path=path)  # fmt: skip
                continue
            for other, owner in axis_of.items():
                shorter = min(len(key), len(other))
                if owner != name and key[:shorter] == other[:shorter]:
                    yield place, Message("moves {path}, which the axis {name} moves too",
                                         path=path, name=owner)  # fmt: skip
            axis_of[key] = name


def _inputs(axis: Axis) -> list[str]:
    """Return the axes that an axis is computed from."""
    return list(axis.inputs.values()) if isinstance(axis, Formula) else []


def paths_of(name: str, axis: Axis) -> list[str]:
    """Return the paths of the scenario that an axis sets."""
    if isinstance(axis, Bundle):
        return list(dict.fromkeys(path for changes in axis.bundle.values() for path in changes))
    return [name] if is_path(name) else []


def cautions(sweep: SweepFile) -> Iterator[Message]:
    """Yield a warning for too few samples, and for capacities that are swept as if free."""
    if sweep.design == "sobol" and (sweep.samples or 0) < LEAST_BLOCKS:
        yield Message(
            "samples {value} give no Sobol indices, which need {least} or more",
            value=sweep.samples, least=LEAST_BLOCKS,
        )  # fmt: skip
    for name, axis in sweep.axes.items():
        levels = levels_of(axis)  # None: a range, or computed from other axes
        moves = isinstance(axis, Bundle | Scale) or levels is None or len(set(levels)) > 1
        for path in paths_of(name, axis):
            if moves and CAPACITY.fullmatch(path):
                yield Message(
                    "{path} is swept without its capital cost: more is always better; weigh"
                    " profit against what the capacity costs",
                    path=path,
                )


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
    inputs = schema["$defs"]["Formula"]["properties"]["from"]
    names = {"type": "array", "items": {"type": "string"}}
    mapping = {key: inputs.pop(key) for key in ("type", "additionalProperties") if key in inputs}
    inputs["anyOf"] = [names, mapping]
    outputs = schema["properties"]["outputs"]
    ways = {key: outputs.pop(key) for key in ("type", "additionalProperties", "minProperties")}
    outputs["anyOf"] = [{**names, "minItems": 1}, ways]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Sweep",
    }
