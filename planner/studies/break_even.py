"""The break-even search: the value of one path at which two figures of the best plan are equal.

Bisection over solves: both ends are solved, then the middle of the bracket, until it is no wider
than the tolerance. The difference of the figures may jump (a use is switched off as a whole); the
search then ends at the jump and says so. Every value solved is kept with its figures.

The search ends early, and says with which bracket, where the solver's gap leaves the sign of the
difference open, where a value has no plan, and where a plan does not have the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import NoPlanError, Problem, ScenarioError, SolveError, did_you_mean
from planner.files.output_folder import replace_file
from planner.plan_tables.files import json_text
from planner.scenario.scenario import Scenario, load
from planner.studies.solve import solve
from planner.sweeps.analysis.analyses import BREAK_EVEN
from planner.sweeps.analysis.condition import Condition, Reading, flat, parse_condition
from planner.sweeps.axes import Axis, Scale, Values
from planner.sweeps.design import design

if TYPE_CHECKING:
    from planner.studies.sweep_plan import Prepared

TOLERANCE = 1e-3  # of high - low
FEWEST = 1e-12  # a finer tolerance than numbers can show
JUMP = 0.05  # a difference left over, relative to that at the ends, from which on it is a jump


@dataclass(frozen=True)
class Point:
    """One value tried: the status of its plan, both figures and the plan's profit and gap."""

    value: float
    status: str
    left: float | None = None
    right: float | None = None
    objective_cny: float | None = None
    gap: float | None = None
    message: str = ""
    reading: Reading | None = field(default=None, repr=False, compare=False)

    @property
    def sign(self) -> int | None:
        """The sign of left - right; None where it is not known."""
        return None if self.reading is None else self.reading.sign

    @property
    def text(self) -> str:
        """Both figures, or why there are none."""
        if self.objective_cny is None:
            return f"{self.value:g}: {self.status}, {self.message.splitlines()[0]}"
        return f"{self.value:g}: {_shown(self.left)} against {_shown(self.right)}"


@dataclass(frozen=True)
class BreakEven:
    """What a break-even search found.

    status: found | not_bracketed | hidden_by_gap | no_plan | no_figure.
    value: the break-even value, the middle of the bracket; None unless found.
    bracket: the narrowest values known to have it between them; None where the ends do not.
    text: the result in words; points: every value tried, in order.
    """

    path: str
    where: str
    low: float
    high: float
    status: str
    value: float | None
    bracket: tuple[float, float] | None
    text: str
    points: tuple[Point, ...]

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, ready for JSON."""
        data = asdict(self)
        for point in data["points"]:
            del point["reading"]
        return data | {
            "bracket": None if self.bracket is None else list(self.bracket),
            "points": list(data["points"]),
        }


def break_even(
    base: str | Path,
    path: str,
    where: str,
    low: float,
    high: float,
    *,
    scale: bool = False,
    set: Mapping[str, Any] | None = None,  # noqa: A002  # the word of the command line
    tolerance: float = TOLERANCE,
) -> BreakEven:
    """Find the value of a path at which two figures of the best plan are equal.

    Args:
        base: the base scenario's file or folder.
        path: the path that is moved, such as components.chat.price_cny_per_mtok.
        where: the condition, `LEFT = RIGHT`; see planner.sweeps.analysis.condition.
        low: the lowest value.
        high: the highest value.
        scale: the values multiply what the base says at the path, instead of replacing it.
        set: other changes to the base, by path.
        tolerance: width of the bracket at which the search ends, relative to high - low.

    Raises:
        ScenarioError: a wrong condition, a scenario that is wrong at an end, or an unknown figure.
    """

    def at(value: float) -> Scenario:
        return load(base, dict(set or {}) | {path: {"scale": value} if scale else value})

    return search(at, path, where, low, high, tolerance=tolerance)


def find(prepared: Prepared) -> BreakEven | None:
    """Search the break-even that a sweep file asks for; None where it asks for none.

    Its path is moved by itself, the axes of the sweep at their base. Where the path is the key of
    an axis, the values are those of the axis: factors where it scales, and what follows from it
    follows. Raises as `break_even`.
    """
    sweep = prepared.description
    if sweep.find is None:
        return None
    path, of = sweep.find.path, sweep.axes.get(sweep.find.path)

    def at(value: float) -> Scenario:
        moved: Axis = (
            Scale(scale=(value,), base=value)
            if isinstance(of, Scale)
            else Values(values=(value,), base=value)
        )
        alone = sweep.model_copy(
            update={"design": "one_at_a_time", "samples": None, "axes": {**sweep.axes, path: moved}}
        )
        folder = Path(prepared.document.file).parent
        _, cases = design(alone, prepared.document, folder, prepared.base.at)
        return prepared.base.scenario(cases[0].changes)  # every axis at its base

    wanted = sweep.find
    return search(at, path, wanted.where, wanted.low, wanted.high)


def write_break_even(result: BreakEven, folder: Path) -> Path:
    """Write breakeven.json into a sweep folder. Raises PlanError."""
    replace_file(folder / BREAK_EVEN, json_text(result.plain()))
    return folder / BREAK_EVEN


def search(
    at: Callable[[float], Scenario],
    path: str,
    where: str,
    low: float,
    high: float,
    *,
    tolerance: float = TOLERANCE,
) -> BreakEven:
    """Find where a condition holds among the scenarios `at` makes; as `break_even`."""
    condition = parse_condition(where)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        message = f"low must be below high, are {low:g} and {high:g}"
        raise ScenarioError([Problem(message, path="find")])
    if not FEWEST <= tolerance < 1:
        message = f"must be at least {FEWEST:g} and below 1, is {tolerance:g}"
        raise ScenarioError([Problem(message, path="tolerance")])
    ends = {low: at(low), high: at(high)}  # both are checked before the first solve

    def solved(value: float) -> Point:
        return _solved(value, ends[value] if value in ends else at(value), condition)

    points = tuple(bisected(solved, low, high, tolerance * (high - low)))
    status, text, bracket, value = verdict(points, where)
    return BreakEven(path, where, low, high, status, value, bracket, f"{path}: {text}", points)


def bisected(
    solved: Callable[[float], Point], low: float, high: float, width: float
) -> Iterator[Point]:
    """Yield both ends, then the middles of a bracket until it is no wider than `width`.

    No more are solved once one has no sign, or is the break-even.
    """
    ends = solved(low), solved(high)
    yield from ends
    below, above = ends
    if {below.sign, above.sign} != {1, -1}:
        return
    while above.value - below.value > width:
        middle = (below.value + above.value) / 2
        if middle in (below.value, above.value):
            return  # neighbouring numbers
        point = solved(middle)
        yield point
        if not point.sign:
            return
        below, above = (point, above) if point.sign == below.sign else (below, point)


Bracket = tuple[float, float]


def verdict(points: Sequence[Point], where: str) -> tuple[str, str, Bracket | None, float | None]:
    """Return status, text, bracket and value of a search, as in `BreakEven`, from its points."""
    ends, middles = (points[0], points[1]), points[2:]
    for point in points:
        if point.sign == 0:
            return "found", f"{where} at {point.value:g}", (point.value, point.value), point.value
    if lost := [end for end in ends if end.sign is None]:
        text = f"{_why(lost[0])} at an end of the range: {_pair(ends)}"
        return _lost(lost[0]), text, None, None
    below, above = ends
    if below.sign == above.sign:
        side = "above" if below.sign == 1 else "below"
        text = f"no break-even in the range: left is {side} right at both ends ({_pair(ends)})"
        return "not_bracketed", text, None, None
    for point in middles:
        if point.sign == below.sign:
            below = point
        elif point.sign == above.sign:
            above = point
    bracket = below.value, above.value
    if middles and middles[-1].sign is None:
        point = middles[-1]
        text = f"{_why(point)} at {point.text}; it lies between {_pair((below, above))}"
        return _lost(point), text, bracket, None
    text = f"{where} between {below.value:.6g} and {above.value:.6g}"
    if _jumps(ends, (below, above)):
        text += f"; the figures jump there: {_pair((below, above))}"
    if gap := max(point.gap or 0.0 for point in points):
        text += f"; plans have a gap of up to {gap:.1e}, within which figures may differ"
    return "found", text, bracket, (below.value + above.value) / 2


def _solved(value: float, scenario: Scenario, condition: Condition) -> Point:
    try:
        summary = solve(scenario).summary
    except SolveError as error:
        status = "time_limit" if isinstance(error, NoPlanError) else "infeasible"
        return Point(value, status, message=str(error))
    if unknown := condition.unknown(summary):
        known = [name for name, _ in flat(summary)]
        raise ScenarioError(
            Problem(f"plans have no such figure{did_you_mean(name, known)}", name, "find.where")
            for name in unknown
        )
    reading = condition.read(summary)
    figures = dict(flat(summary))
    left, right = (
        figures.get(side) if isinstance(side, str) else side
        for side in (condition.left, condition.right)
    )
    profit, gap = summary["objective_cny"], summary["gap"]
    return Point(value, summary["status"], left, right, profit, gap, reading=reading)


def _lost(point: Point) -> str:
    if point.objective_cny is None:
        return "no_plan"
    return "no_figure" if point.reading is None else "hidden_by_gap"


def _why(point: Point) -> str:
    return {
        "no_plan": "there is no plan",
        "no_figure": "the plan has neither figure",
        "hidden_by_gap": "the solver's gap hides which side is larger; ask for a smaller gap",
    }[_lost(point)]


def _jumps(first: tuple[Point, Point], last: tuple[Point, Point]) -> bool:
    """Say whether the figures are still apart at the ends of the last bracket."""

    def apart(point: Point) -> float:
        assert point.reading is not None
        return abs(point.reading.low)

    return max(map(apart, last)) > JUMP * max(map(apart, first)) or math.inf in map(apart, last)


def _pair(points: tuple[Point, Point]) -> str:
    return "; ".join(point.text for point in points)


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"
