"""The rolling horizon: what a policy is given, which steps are executed, what is recorded.

A battery of 10 MWh that charges 1 MW in every executed step: its state counts the steps behind it.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from planner.errors import PlanError
from planner.files.records import Records, read_records, record_of
from planner.scenario.scenario import Scenario
from planner.studies.chain import Chain, Cut, ExecutedSteps, run, step_by_step
from planner.timeseries.horizon import Window
from tests.support.build import battery, grid, scenario

CUTS = [
    Cut(Window(1, 4), Window(1, 2)),
    Cut(Window(3, 5), Window(3, 3)),
    Cut(Window(4, 6), Window(4, 6)),
]
DAMAGE = "{path} is no window"


class Charging:
    """Charges 1 MW in every executed step and notes what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[int, float, int]] = []  # first step, MWh stored, recent rows

    def __call__(self, state: Scenario, cut: Cut, recent: pd.DataFrame) -> ExecutedSteps:
        stored = state.components["battery"].initial.total()
        self.given.append((cut.window.first, stored, len(recent)))
        times = state.horizon.starts[cut.executed.first - 1 : cut.executed.last]
        columns = {
            "battery.charge_mw[grid]": 1.0, "battery.discharge_mw[grid]": 0.0,
            "battery.energy_mwh[grid]": [stored + k for k in range(1, len(times) + 1)],
            "grid.import_mw": 1.0,
        }  # fmt: skip
        rows = pd.DataFrame(columns, index=times)
        return ExecutedSteps(rows, "time_limit", 0.5, {"steps": len(times)})


def chain(policy: Charging, cuts: list[Cut] = CUTS, content: str = "this site") -> Chain:
    site = scenario({"battery": battery(), "grid": grid()}, 6)
    return Chain("charging", site, cuts, policy, content, counted=("steps",))


def test_a_window_begins_at_the_state_after_the_executed_steps() -> None:
    policy = Charging()
    charged = chain(policy)
    run([charged])
    assert policy.given == [(1, 0, 0), (3, 2, 2), (4, 3, 3)]
    assert list(charged.schedule.index) == list(charged.state.horizon.starts)
    assert charged.state.components["battery"].initial.total() == 6
    assert charged.total("steps") == 6


def test_only_the_rows_of_the_last_day_are_passed_on() -> None:
    policy = Charging()
    site = scenario({"battery": battery(capacity_mwh=99), "grid": grid()}, 30)
    whole = site.horizon.window
    run([Chain("charging", site, step_by_step(Cut(whole, whole)), policy)])
    assert [recent for *_, recent in policy.given] == [min(t, 24) for t in range(30)]


def test_a_window_step_by_step_sees_to_its_end() -> None:
    cuts = step_by_step(Cut(Window(3, 9), Window(3, 5)))
    assert [(c.window.first, c.window.last, c.executed.last) for c in cuts] == [
        (3, 9, 3), (4, 9, 4), (5, 9, 5),
    ]  # fmt: skip


@pytest.mark.parametrize("finished", range(4))
def test_what_is_recorded_is_not_planned_again(finished: int, tmp_path: Path) -> None:
    whole, policy, progress = chain(Charging()), Charging(), list[tuple[int, int]]()
    run([whole])

    def stop(done: int, _: int) -> None:
        if done == finished:
            raise KeyboardInterrupt

    with Records(tmp_path / "file", DAMAGE) as records, pytest.raises(KeyboardInterrupt):
        run([chain(Charging())], records, stop)
    again = chain(policy)
    with Records(tmp_path / "file", DAMAGE) as records:
        run([again], records, lambda *counts: progress.append(counts))
    assert [first for first, *_ in policy.given] == [1, 3, 4][finished:]
    assert progress == [(done, 3) for done in range(finished, 4)]
    assert again.schedule.equals(whole.schedule)
    assert again.state == whole.state
    assert [(steps.status, steps.gap, steps.figures) for steps in again.executed] == [
        (steps.status, steps.gap, steps.figures) for steps in whole.executed
    ]


def test_records_of_other_content_are_not_used(tmp_path: Path) -> None:
    with Records(tmp_path / "file", DAMAGE) as records:
        run([chain(Charging())], records)
        other = Charging()
        run([chain(other, content="another site")], records)
        assert len(other.given) == 3
    assert len(read_records(tmp_path / "file", DAMAGE)[0]) == 6


@pytest.mark.parametrize(
    "rows", [None, [], {}, "x", {"grid.import_mw": [1.0]}, {"battery": [None, 1]}]
)
def test_a_record_that_does_not_fit_its_window_is_told(rows: object, tmp_path: Path) -> None:
    one = chain(Charging())
    record = record_of(one.key, "charging 1", "optimal", 0, figures={"steps": 2}, rows=rows)
    with Records(tmp_path / "file", DAMAGE) as records:
        records.add(record)
    with (
        Records(tmp_path / "file", DAMAGE) as records,
        pytest.raises(PlanError, match="file: 'charging 1' is no window"),
    ):
        run([one], records)


def test_a_record_without_what_is_counted_is_told(tmp_path: Path) -> None:
    one = chain(Charging())
    rows = Charging()(one.state, CUTS[0], pd.DataFrame()).rows.to_dict("list")
    with Records(tmp_path / "file", DAMAGE) as records:
        records.add(record_of(one.key, "charging 1", "optimal", 0, rows=rows))
    with (
        Records(tmp_path / "file", DAMAGE) as records,
        pytest.raises(PlanError, match="'charging 1' is no window"),
    ):
        run([one], records)


def test_a_window_that_cannot_be_recorded_is_not_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise PlanError("full")

    one = chain(Charging())
    with Records(tmp_path / "file", DAMAGE) as records:
        monkeypatch.setattr(records, "add", full)
        with pytest.raises(PlanError, match="full"):
            run([one], records)
    assert one.executed == []
