"""The solver behind arrays: right optima, honest statuses, refused versions, believed points."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
from planner.errors import SolveError
from planner.solver.highs import _STATUS, check_version, version
from planner.solver.program import Program
from planner.solver.session import Session
from tests.support.build import HANGS_S, profit
from tests.support.compute import IDLE, WORK, chat, fleet, serving, site
from tests.support.programs import program

ROOT = Path(__file__).parent.parent.parent
INF = np.inf


def solved(p: Program) -> Any:
    session = Session(p, threads=1, seed=0)
    session.integrality(p.integer)
    return session.run(time_limit_s=HANGS_S)


def test_the_optimum_that_highs_1_14_missed():
    """Two periods, a machine of 20 a period that must be on (19, 28), a store of 6 and purchase.

    On in the first period: 7 made cost 7 + 19, 6 of them are stored and earn 12, so 14; the
    second period needs 7: 6 from the store and 1 bought at 14. In all 28. HiGHS 1.14.0 says 44.
    """
    p = program(
        #     x1 x2  y1  y2  s1 s2  u1  u2
        cost=[1, 2, 19, 28, -2, 3, 15, 14],
        rows=[
            ([1, 0, -20, 0, 0, 0, 0, 0], -INF, 0),
            ([1, 0, 0, 0, -1, 0, 1, 0], 1, 1),
            ([0, 1, 0, -20, 0, 0, 0, 0], -INF, 0),
            ([0, 1, 0, 0, 1, -1, 0, 1], 7, 7),
        ],
        upper=[INF, INF, 1, 1, 6, 7, 10, 10],
        integer=[2, 3],
    )
    assert solved(p).objective == pytest.approx(28)


def test_nodes_that_cannot_change_their_number_stay_awake():
    """A tenth of a node an hour is none: 3 hours of 9 x 20 - 100 - 20. HiGHS 1.15.1: infeasible."""
    steady = fleet(2, whole_nodes=True, ramp_nodes_per_h=0.1, initial={"awake": {"chatty": 2}})
    assert profit(site(fleet=steady, chat=chat(9)), hours=3) == pytest.approx(180)


def test_nodes_that_must_stay_awake_idle_where_it_takes_least():
    """11.6 x 20 - 2 x 40 = 152, then 2 x 0.2 MW for two hours: 152 - 40 - 40.

    HiGHS 1.15.1 says 40: the nodes idle at 0.3 MW before the other model takes them.
    """
    points = {model: serving(WORK | {"node_kw": 400}) for model in ("chatty", "lean")}
    points["chatty"]["points"][0] = IDLE | {"node_kw": 300}
    steady = fleet(
        3, whole_nodes=True, ramp_nodes_per_h=0.5, wake_min=10, serves=points,
        initial={"awake": {"chatty": 2}},
    )  # fmt: skip
    other = chat(0, model="lean")
    parts = site(fleet=steady, chat=chat([11.6, 0, 0]), other=other)
    assert profit(parts, hours=3) == pytest.approx(72)


def test_whole_nodes_sleep_in_two_levels():
    """Of 3 nodes 2 wake, for 2 x 5, so that one is ready at once; the third sleeps at 0.25 MW.

    Half-hours of 0.65 MW at 100, 0.2 at 200, some at 0 and 0.2 at 100: 10 + 32.5 + 20 + 10. HiGHS
    1.15.1 pays 5 more.
    """
    sleep = [
        {"name": "soft", "node_kw": 250, "wake_min": 15, "wake_cost_cny": 5},
        {"name": "off", "node_kw": 0, "wake_cost_cny": 30},
    ]
    spare = fleet(3, whole_nodes=True, spare_nodes=1, available_pu=[1, 0.5, 1, 0.5], sleep=sleep)
    del spare["sleep_kw"]
    parts = site([100, 200, 0, 100], fleet=spare, chat=chat(0))
    assert profit(parts, hours=2, step_min=30) == pytest.approx(-72.5)


@pytest.mark.parametrize("wrong", ["1.15.1", "1.14.0", "0.9.0"])
def test_versions_with_wrong_optima_are_refused(wrong: str):
    with pytest.raises(SolveError, match=wrong):
        check_version(wrong)


def test_the_version_in_use_is_accepted():
    check_version(version())


def test_statuses_are_told_apart():
    box = program([-1], [([1], -INF, 3)], [INF])
    assert (solved(box).status, solved(box).objective) == ("optimal", -3)
    assert solved(program([1], [([1], 5, INF)], [4])).status == "infeasible"
    assert solved(program([-1], [([1], 0, INF)], [INF])).status == "unbounded"


def test_an_unknown_option_is_an_error_not_a_silence():
    session = Session(program([1], [([1], 1, INF)], [4]), threads=1, seed=0)
    with pytest.raises(SolveError, match="no_such_option"):
        session._option("no_such_option", 1)


def test_a_point_that_misses_a_row_a_bound_or_an_integer_is_seen():
    p = program([1, 1], [([1, 1], 2, 2)], [1, 5], integer=[0])
    assert p.violation(np.array([1.0, 1.0])) == 0
    assert p.violation(np.array([1.0, 1.5])) == pytest.approx(0.5 / 2.5)
    assert p.violation(np.array([2.0, 0.0])) == pytest.approx(0.5)
    assert p.violation(np.array([0.5, 1.5])) == pytest.approx(0.5)
    relaxed = replace(p, integer=np.zeros(2, dtype=bool))
    assert relaxed.violation(np.array([0.5, 1.5])) == 0


def test_a_plan_the_solver_got_wrong_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Program, "violation", lambda *_: 0.25)
    with pytest.raises(SolveError, match="not to be used"):
        planner.solve(planner.load(ROOT / "scenarios" / "tiny_arbitrage"))


def test_the_best_face_keeps_the_optimum():
    """Minimise x + y with x + y >= 2: then maximise x without leaving the optimum."""
    session = Session(program([1, 1], [([1, 1], 2, INF)], [5, 5]), threads=1, seed=0)
    session.run(time_limit_s=HANGS_S)
    session.stay_optimal()
    session.cost(np.array([-1.0, 0.0]))
    x = session.run(time_limit_s=HANGS_S).x
    assert x is not None
    assert x.tolist() == pytest.approx([2, 0])


def worked_s(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return math.inf
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_leaves_no_half_plan(tmp_path: Path):
    """Two months to a gap of 0 take long: interrupted, there is a whole plan or none."""
    command = [
        sys.executable, "-m", "planner", "solve", str(ROOT / "scenarios" / "huainan"), "--out",
        str(tmp_path / "plan"), "--set", "horizon.hours=1440", "--gap", "0",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    begun, busy = tmp_path / ".plan.lock", None
    while process.poll() is None and (busy is None or worked_s(process.pid) < busy + 2):
        if busy is None and begun.exists():
            busy = worked_s(process.pid)
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=HANGS_S)
    assert process.returncode == 130
    assert b"Traceback" not in said
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left in ([], ["plan"])
    if left:
        assert planner.read_plan(tmp_path / "plan").summary["status"] == "interrupted"


class Mistaken:
    """A solver that claims a status until its state is dropped."""

    def __init__(self, highs: Any, claim: Any) -> None:
        self.highs, self.claim = highs, claim

    def __getattr__(self, name: str) -> Any:
        return getattr(self.highs, name)

    def clearSolver(self) -> Any:  # noqa: N802
        self.claim = None
        return self.highs.clearSolver()

    def getModelStatus(self) -> Any:  # noqa: N802
        return self.claim or self.highs.getModelStatus()


@pytest.mark.parametrize(("claim", "integer"), [(_STATUS.kUnknown, 0), (_STATUS.kInfeasible, 1)])
def test_an_lp_that_stalls_and_an_infeasible_presolve_are_solved_afresh(claim: Any, integer: int):
    """At most 3 of x and y for 1 and 2 each: 6 of y. HiGHS 1.15.1 ends LPs of two days so."""
    session = Session(program([-1, -2], [([1, 1], -INF, 3)], [INF, INF]), threads=1, seed=0)
    session.integrality(np.full(2, integer, dtype=bool))
    session._highs = Mistaken(session._highs, claim)
    assert session.run(time_limit_s=HANGS_S).objective == -6
