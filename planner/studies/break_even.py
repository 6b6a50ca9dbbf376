"""The break-even search: the value of one path at which two figures of the best plan are equal.

Bisection over solves: both ends are solved, then the middle of the bracket, until it is no wider
than the tolerance. The difference of the figures may jump, where a use is switched off as a whole;
the search then ends at the jump and reports it. Every value solved is stored with its figures.

The search ends early, and reports its bracket, where the solver's gap leaves the sign of the
difference open, where a value has no plan, and where a plan lacks the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import NoPlanError, Problem, ScenarioError, SolveError, did_you_mean, wrong
from planner.files.output_folder import replace_file
from planner.message import Message, MessageList, template
from planner.plan_tables.files import json_text
from planner.scenario.scenario import Scenario, ScenarioLike, scenario_of
from planner.studies.solve import solve
from planner.sweeps.analysis.analyses import BREAK_EVEN
from planner.sweeps.analysis.condition import Condition, Reading, flat, parse_condition
from planner.sweeps.axes import Axis, Scale, Values
from planner.sweeps.design import design

if TYPE_CHECKING:
    from planner.studies.sweep_plan import CheckedSweep

TOLERANCE = 1e-3  # of high - low
MIN_TOLERANCE = 1e-12  # a finer one is beyond the precision of numbers
JUMP = 0.05  # a remaining difference, relative to that at the ends, that counts as a jump
UNDECIDED = {
    "no_plan": template("there is no plan at {value}"),
    "no_figure": template("the plan at {value} has neither figure"),
    "hidden_by_gap": template(
        "at {value} the solver's gap hides which side is larger: ask for a smaller gap"
    ),
}
"""Why the sign at a value is not known, by the status of a search that ends there."""
FIGURES = {
    (True, True): template("at {value}: {left} against {right}"),
    (True, False): template("at {value}: {left} against nothing"),
    (False, True): template("at {value}: nothing against {right}"),
    (False, False): template("at {value}: nothing against nothing"),
}
"""Both figures of a point, by whether its plan has the left and the right one."""


@dataclass(frozen=True)
class Point:
    """One value solved: the status of its plan, both figures, its profit and its gap."""

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
    def text(self) -> Message:
        """Both figures, or the status of a value without a plan."""
        if self.objective_cny is None:
            return Message("at {value:g}: {kind}", value=self.value, kind=self.status)
        known = self.left is not None, self.right is not None
        figures = {"left": self.left, "right": self.right}
        texts = {
            name: f"{figure + 0.0:.6g}" for name, figure in figures.items() if figure is not None
        }
        return Message(FIGURES[known], value=f"{self.value:g}", **texts)

    @property
    def undecided(self) -> str | None:
        """The status of a search that ends here as the sign is not known, as in `BreakEven`."""
        if self.reading is None:
            return "no_plan"
        if self.sign is not None:
            return None
        return "no_figure" if math.isinf(self.reading.low) else "hidden_by_gap"


@dataclass(frozen=True)
class BreakEven:
    """The result of a break-even search.

    status: found | not_bracketed | hidden_by_gap | no_plan | no_figure.
    value: the break-even value, the middle of the bracket; None unless found.
    bracket: the narrowest values known to have it between them; None where the ends do not.
    text: the result as a text; points: every value solved, in order.
    """

    path: str
    where: str
    low: float
    high: float
    status: str
    value: float | None
    bracket: tuple[float, float] | None
    text: Message
    points: tuple[Point, ...]

    def plain(self) -> dict[str, Any]:
        """Return the result as plain data, ready for JSON."""
        data = asdict(self)
        for point in data["points"]:
            del point["reading"]
        return data


def break_even(
    base: ScenarioLike,
    path: str,
    where: str,
    low: float,
    high: float,
    *,
    scale: bool = False,
    set: Mapping[str, Any] | None = None,  # noqa: A002  # the word of the command line
    tolerance: float = TOLERANCE,
) -> BreakEven:
    """Search the value of a path at which two figures of the best plan are equal.

    Args:
        base: the base scenario, its file or folder, or a mapping such as its file holds.
        path: the path to search, such as components.chat.price_cny_per_mtok.
        where: the condition, `LEFT = RIGHT`; see planner.sweeps.analysis.condition.
        low: the lowest value.
        high: the highest value.
        scale: the values multiply that of the base at the path, instead of replacing it.
        set: other changes to the base, by path.
        tolerance: width of the bracket at which the search ends, relative to high - low.

    Raises:
        ScenarioError: a wrong condition, a scenario that is wrong at an end, or an unknown figure.
    """

    def at(value: float) -> Scenario:
        return scenario_of(base, dict(set or {}) | {path: {"scale": value} if scale else value})

    return search(at, path, where, low, high, tolerance=tolerance)


def find(checked_sweep: CheckedSweep) -> BreakEven | None:
    """Search the break-even that a sweep file asks for; None where it asks for none.

    Only its path varies, the axes of the sweep are at their base. Where the path is the key of an
    axis, the values are those of the axis: factors where it scales, and what is computed from it
    follows. Raises as `break_even`.
    """
    sweep, base = checked_sweep.description, checked_sweep.base
    if (asked := sweep.find) is None:
        return None
    scales = isinstance(sweep.axes.get(asked.path), Scale)

    def at(value: float) -> Scenario:
        axis: Axis = (
            Scale(scale=(value,), base=value) if scales else Values(values=(value,), base=value)
        )
        axes = {**sweep.axes, asked.path: axis}
        alone = sweep.revised({"design": "one_at_a_time", "samples": None, "axes": axes})
        _, cases = design(alone, checked_sweep.document, Path(), base.at)
        return base.scenario(cases[0].changes)  # every axis at its base

    return search(at, asked.path, asked.where, asked.low, asked.high)


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
    """Search where a condition holds among the scenarios that `at` returns; as `break_even`."""
    condition = parse_condition(where)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        message = Message("low must be below high, are {low:g} and {high:g}", low=low, high=high)
        raise wrong("find", message)
    if not MIN_TOLERANCE <= tolerance < 1:
        message = Message("must be at least {min:g} and below 1, is {value:g}",
                          min=MIN_TOLERANCE, value=tolerance)  # fmt: skip
        raise wrong("tolerance", message)
    ends = {low: at(low), high: at(high)}  # both are checked before the first solve

    def solved(value: float) -> Point:
        return _solved(value, ends[value] if value in ends else at(value), condition)

    points = tuple(bisected(solved, low, high, tolerance * (high - low)))
    status, text, bracket, value = verdict(points, where)
    text = Message("{path}: {sentence}", path=path, sentence=text)
    return BreakEven(path, where, low, high, status, value, bracket, text, points)


def bisected(
    solved: Callable[[float], Point], low: float, high: float, width: float
) -> Iterator[Point]:
    """Yield both ends, then the middles of a bracket until it is no wider than `width`.

    Ends at a point without a sign, and at the break-even itself.
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


def verdict(
    points: Sequence[Point], where: str
) -> tuple[str, Message, Bracket | None, float | None]:
    """Return status, text, bracket and value of a search, as in `BreakEven`, from its points."""
    ends, middles = points[:2], points[2:]
    end_texts = [point.text for point in ends]
    for point in points:
        if point.sign == 0:
            text = Message("break-even at {value:g} for {name}", value=point.value, name=where)
            return "found", text, (point.value, point.value), point.value
    for point in ends:
        if status := point.undecided:
            return status, MessageList("; ", [_why(point), *end_texts]), None, None
    below, above = ends
    if below.sign == above.sign:
        reason = (
            Message("no break-even in the range: left is above right at both ends")
            if below.sign == 1
            else Message("no break-even in the range: left is below right at both ends")
        )
        return "not_bracketed", MessageList("; ", [reason, *end_texts]), None, None
    below = max((p for p in points if p.sign == below.sign), key=lambda p: p.value)
    above = min((p for p in points if p.sign == above.sign), key=lambda p: p.value)
    low, high = below.value, above.value
    if middles and (status := middles[-1].undecided):
        last = middles[-1]
        bracket = Message("the break-even lies between {low:.6g} and {high:.6g}",
                          low=low, high=high)  # fmt: skip
        parts = [_why(last), last.text, bracket, below.text, above.text]
        return status, MessageList("; ", parts), (low, high), None
    parts = [
        Message(
            "break-even between {low:.6g} and {high:.6g} for {name}", low=low, high=high, name=where
        )
    ]
    if _jumps(ends, (below, above)):
        parts += [Message("the figures jump there"), below.text, above.text]
    if gap := max(point.gap or 0.0 for point in points):
        parts.append(
            Message("plans have a gap of up to {gap:.1e}, within which figures may differ", gap=gap)
        )
    return "found", MessageList("; ", parts), (low, high), (low + high) / 2


def _why(point: Point) -> Message:
    """Return why the sign at a point is not known."""
    assert point.undecided is not None
    return Message(UNDECIDED[point.undecided], value=f"{point.value:g}")


def _solved(value: float, scenario: Scenario, condition: Condition) -> Point:
    try:
        summary = solve(scenario).summary
    except SolveError as error:
        status = "time_limit" if isinstance(error, NoPlanError) else "infeasible"
        return Point(value, status, message=error.message)
    figures = dict(flat(summary))
    if unknown := condition.unknown(summary):
        raise ScenarioError(
            Problem(
                Message("plans have no such figure{hint}", hint=did_you_mean(name, figures)),
                name,
                "find.where",
            )
            for name in unknown
        )
    reading = condition.read(summary)
    return Point(
        value, summary["status"], reading.left, reading.right, summary["objective_cny"],
        summary["gap"], reading=reading,
    )  # fmt: skip


def _jumps(ends: Sequence[Point], last: Sequence[Point]) -> bool:
    """Return whether the figures still differ at both ends of the last bracket."""

    def apart(point: Point) -> float:
        assert point.reading is not None
        return abs(point.reading.low)

    return max(map(apart, last)) > JUMP * max(map(apart, ends)) or math.inf in map(apart, last)
