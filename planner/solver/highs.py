"""HiGHS behind arrays: the only module that imports highspy; it knows no component."""

from __future__ import annotations

import math
import time
from _thread import start_new_thread
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, current_thread, main_thread
from typing import Any

import highspy
import numpy as np
from highspy import _Highs  # type: ignore[attr-defined]  # `Highs` shares its locks

from planner.errors import SolveError
from planner.message import Message
from planner.solver.linear_program import LinearArrays
from planner.timeseries.series import Array

MIN_VERSION = (1, 16, 0)  # before, presolve returns wrong optima and "infeasible" for some programs

SCALE_STRATEGY = 2  # of the simplex: that of HiGHS
LP_ITERATIONS = 5_000_000  # of the simplex: an LP that takes more has no optimum for us
MOST = 2**31 - 1  # iterations or nodes: no limit

_STATUS = highspy.HighsModelStatus
_LIMITS = {
    _STATUS.kTimeLimit: "time_limit",
    _STATUS.kIterationLimit: "iteration_limit",
    _STATUS.kSolutionLimit: "node_limit",
    _STATUS.kInterrupt: "interrupted",
}
_CALLBACKS = highspy.cb.HighsCallbackType
_INTERRUPTS = (
    _CALLBACKS.kCallbackSimplexInterrupt,
    _CALLBACKS.kCallbackIpmInterrupt,
    _CALLBACKS.kCallbackMipInterrupt,
)


@dataclass(frozen=True)
class Result:
    """The result of one run of the solver.

    `status` is optimal, time_limit, iteration_limit, node_limit, interrupted, infeasible or
    unbounded, that of `search` also work_limit; `x` is None where no feasible point is known;
    `bound` is the proven lower bound of the minimum; `best` a point of the program where the
    directions of `x` are still to be decided.
    """

    status: str
    x: Array | None
    objective: float
    bound: float
    best: Array | None = None


@dataclass
class Watch:
    """What the solver asks while it runs: whether to stop, and who wants to hear how far it is.

    report: gets the cost of the best point and the bound of a search over integers, unscaled.
    """

    stop: Event
    report: Callable[[float, float], None] | None = None
    scale: float = 1.0


@dataclass
class Spent:
    """What models that work on one thing have spent, and whether Ctrl-C has stopped one."""

    seconds: float = 0.0
    stopped: bool = False


class HighsModel:
    """A model inside HiGHS, and its runs.

    Models are independent of each other: each may run in any thread, beside others.

    program: as it was passed. columns: how many the model has by now.
    has_integers: whether some of them are integer.
    spent: shared by models that work on one thing.
    iterations: of the simplex, in all runs.
    report: gets cost and bound of the best point while integers are searched, if it is set; only in
        the main thread.
    """

    def __init__(
        self, program: LinearArrays, *, threads: int = 1, seed: int = 0, spent: Spent | None = None
    ) -> None:
        check_version(version())
        self.program = program
        self.spent = spent or Spent()
        self.iterations = 0
        self.has_integers = False
        self._scale = scale_of(program.cost)
        self._watch = Watch(Event())
        self.report: Callable[[float, float], None] | None = None
        self._highs = _Highs()
        self._option("output_flag", False)  # first: setting a callback prints a banner
        self._call("setCallback", _heard, self._watch)
        self._option("threads", threads)
        self._option("random_seed", seed)
        self._option("mip_rel_gap", 0.0)
        self._option("mip_feasibility_tolerance", 1e-7)
        rows, columns = program.matrix.shape
        self.columns = columns
        matrix = program.matrix
        self._call(
            "passModel", columns, rows, matrix.nnz, 1, 1, program.offset * self._scale,
            program.cost * self._scale,
            program.column_lower, program.column_upper, program.row_lower, program.row_upper,
            matrix.indptr.astype(np.int32, copy=False), matrix.indices.astype(np.int32, copy=False),
            matrix.data.astype(float, copy=False), np.zeros(columns, dtype=np.int32),
        )  # fmt: skip

    def run(
        self,
        *,
        time_limit_s: float = math.inf,
        iterations: int = MOST,
        nodes: int = MOST,
        absolute_gap: float = 0.0,
        start: Array | None = None,
    ) -> Result:
        """Solve, within limits of time, of simplex iterations and of nodes.

        Args:
            time_limit_s: of the clock: what it ends differs from machine to machine.
            iterations: of the simplex, of an LP.
            nodes: of the search over integers.
            absolute_gap: at which the search over integers ends, CNY.
            start: a feasible point of an integer program.

        Raises:
            SolveError: the solver ended without a result.
        """
        # HiGHS counts the time of an integer program from its start, that of LPs over all runs.
        spent = 0.0 if self.has_integers else self._highs.getRunTime()
        self._option("time_limit", spent + max(time_limit_s, 0.0))
        self._option("simplex_iteration_limit", iterations)
        self._option("mip_max_nodes", nodes)
        self._option("mip_abs_gap", max(absolute_gap, 0.0) * self._scale)
        if start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = start
            self._call("setSolution", solution)
        self._watch.report, self._watch.scale = self.report, self._scale
        began = time.perf_counter()
        self._run()
        info, ended = self._highs.getInfo(), self._highs.getModelStatus()
        untouched = not info.mip_node_count and not info.simplex_iteration_count
        if self.has_integers and untouched and ended in (_STATUS.kOptimal, _STATUS.kInfeasible):
            # Presolve alone has been wrong about small programs (HiGHS 1.15.1): solve again.
            self._run_afresh("presolve", "off", normal="choose")
        elif not self.has_integers and ended == _STATUS.kUnknown:
            # Some infeasible LPs end so, from a basis or afresh: unscaled they do not.
            self._run_afresh("simplex_scale_strategy", 0, normal=SCALE_STRATEGY)
        self.spent.seconds += time.perf_counter() - began
        self.iterations += info.simplex_iteration_count
        return self._result()

    def _run_afresh(self, option: str, value: Any, normal: Any) -> None:
        """Run without the state of earlier runs, with another value of an option."""
        self._option(option, value)
        self._call("clearSolver")
        self._run()
        self._option(option, normal)

    def _run(self) -> None:
        """Run in a thread of its own; the first Ctrl-C in the main thread stops it."""
        # A callback waits for the interpreter: where no Ctrl-C can come, none is made.
        use = "startCallback" if current_thread() is main_thread() else "stopCallback"
        for interrupt in _INTERRUPTS:
            self._call(use, interrupt)
        ended, errors = Event(), list[BaseException]()
        try:
            start_new_thread(self._run_here, (ended, errors))
            _wait(ended)
        except KeyboardInterrupt:
            self._watch.stop.set()
            _wait(ended)
            self.spent.stopped = True  # also where the run ended by itself in that moment
            self._watch.stop.clear()  # it would stop the short runs that follow too
        if errors:
            raise errors[0]

    def _run_here(self, ended: Event, errors: list[BaseException]) -> None:
        try:
            self._highs.run()
            _Highs.resetThreadScheduler(False)  # HiGHS has one a thread
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    def _result(self) -> Result:
        status = self._highs.getModelStatus()
        info = self._highs.getInfo()
        if status == _STATUS.kUnboundedOrInfeasible:
            self._run_afresh("presolve", "off", normal="choose")
            unbounded = self._highs.getModelStatus() == _STATUS.kUnbounded
            status = _STATUS.kUnbounded if unbounded else _STATUS.kInfeasible
        if status == _STATUS.kInfeasible:
            return Result("infeasible", None, np.inf, np.inf)
        if status == _STATUS.kUnbounded:
            return Result("unbounded", None, -np.inf, -np.inf)
        if status not in (_STATUS.kOptimal, _STATUS.kModelEmpty) and status not in _LIMITS:
            raise SolveError(
                Message(
                    "the solver ended without a result: {text}",
                    text=self._highs.modelStatusToString(status),
                )
            )
        feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        feasible = feasible or status == _STATUS.kModelEmpty
        x = np.array(self._highs.getSolution().col_value) if feasible else None
        objective = float(info.objective_function_value) / self._scale if feasible else np.inf
        if status == _STATUS.kModelEmpty:  # without a column HiGHS forgets the offset
            objective = float(self._highs.getLp().offset_) / self._scale
        exact = status in (_STATUS.kOptimal, _STATUS.kModelEmpty)
        proven = float(info.mip_dual_bound) / self._scale
        bound = proven if self.has_integers else (objective if exact else -np.inf)
        return Result(_LIMITS.get(status, "optimal"), x, objective, bound)

    def _option(self, name: str, value: Any) -> None:
        self._call("setOptionValue", name, value, text=f"option {name}")

    def _call(self, method: str, *arguments: Any, text: str = "") -> None:
        if getattr(self._highs, method)(*arguments) == highspy.HighsStatus.kError:
            raise SolveError(Message("the solver rejected {text}", text=text or method))


def _heard(*call: Any) -> None:
    """Answer the solver, which asks whether to stop, and pass on how far it is."""
    kind, _, now, answer, watch = call
    answer.user_interrupt = watch.stop.is_set()
    if watch.report is not None and kind == _CALLBACKS.kCallbackMipInterrupt:
        watch.report(now.mip_primal_bound / watch.scale, now.mip_dual_bound / watch.scale)


def _wait(ended: Event) -> None:
    """Wait in short parts: Windows hears Ctrl-C only between them."""
    while not ended.wait(0.1):
        pass


def version() -> str:
    """Return the version of HiGHS in use."""
    text: str = _Highs().version()
    return text


def check_version(text: str) -> None:
    """Refuse versions of HiGHS known to return wrong optima.

    Raises:
        SolveError: the version is too old.
    """
    parts = tuple(int(part) for part in text.split(".")[:3])
    if parts < MIN_VERSION:
        raise SolveError(Message(
            "highspy {text} returns wrong optima for some models; use {other} or later",
            text=text, other=".".join(map(str, MIN_VERSION)),
        ))  # fmt: skip


def scale_of(cost: Array) -> float:
    """Return a power of two that lifts small costs above the solver's absolute dual tolerance."""
    largest = float(np.max(np.abs(cost), initial=0.0))
    return 1.0 if largest == 0 or largest >= 1 else 2.0 ** np.ceil(np.log2(16 / largest))
