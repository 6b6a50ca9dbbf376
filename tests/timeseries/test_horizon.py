"""The horizon: steps, local days and months, rounding of hours."""

from __future__ import annotations

import datetime as dt

import pytest

from planner.errors import PlannerError
from planner.timeseries.horizon import Calendar, Horizon, Window


def horizon(start: str, hours: float, step_min: int = 60) -> Horizon:
    return Horizon.model_validate({"start": start, "hours": hours, "step_min": step_min})


@pytest.mark.parametrize(
    ("step_min", "steps"), [(5, 24), (10, 12), (15, 8), (20, 6), (30, 4), (60, 2)]
)
def test_two_hours_in_steps(step_min: int, steps: int) -> None:
    two = horizon("2026-07-15T00:00:00+08:00", 2, step_min)
    assert (two.steps, len(two.starts)) == (steps, steps)
    assert two.step_h == pytest.approx(2 / steps)
    assert two.starts[1] - two.starts[0] == dt.timedelta(minutes=step_min)
    assert two.window == Window(1, steps)
    assert list(two.window) == list(range(1, steps + 1))


@pytest.mark.parametrize("offset", ["+08:00", "Z", "-03:30", "+05:45"])
def test_local_time_is_the_offset_of_the_start(offset: str) -> None:
    one = horizon(f"2026-07-15T22:00:00{offset}", 4)
    assert one.minute_of_day.tolist() == [1320, 1380, 0, 60]
    assert one.at(3) == "07-16 00:00"
    assert one.starts[0].utcoffset() == one.start.utcoffset()


def test_days_and_months_are_cut_at_local_midnight() -> None:
    # 22:00, 23:00 | 0:00 ... in local time, though it is another day in UTC
    cut = horizon("2026-07-31T22:00:00+08:00", 4)
    assert cut.days == [[1, 2], [3, 4]]
    assert cut.months == {"2026-07": [1, 2], "2026-08": [3, 4]}


def test_a_year_has_its_days_and_months() -> None:
    year = horizon("2028-01-01T00:00:00+08:00", 8784)  # a leap year
    assert len(year.days) == 366
    assert [len(steps) // 24 for steps in year.months.values()] == [
        31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
    ]  # fmt: skip


def test_the_same_month_of_two_years_is_two_months() -> None:
    two_years = horizon("2026-12-31T00:00:00+08:00", 366 * 24)
    assert list(two_years.months)[:2] == ["2026-12", "2027-01"]
    assert list(two_years.months)[-1] == "2027-12"
    assert sum(len(steps) for steps in two_years.months.values()) == two_years.steps


@pytest.mark.parametrize(
    ("hours", "up", "down"), [(0, 0, 0), (0.25, 1, 1), (0.3, 2, 1), (1, 4, 4), (1.1, 5, 4)]
)
def test_hours_become_steps(hours: float, up: int, down: int) -> None:
    quarters = horizon("2026-07-15T00:00:00+08:00", 1, 15)
    assert (quarters.steps_up(hours), quarters.steps_down(hours)) == (up, down)


def test_round_off_makes_no_step() -> None:
    fives = horizon("2026-07-15T00:00:00+08:00", 1, 5)
    assert fives.steps_up(0.1 + 0.2 - 0.05) == fives.steps_down(0.25) == 3


def test_a_horizon_is_a_value() -> None:
    one, same = (horizon("2026-07-15T00:00:00+08:00", 2) for _ in range(2))
    assert one == same
    assert one != horizon("2026-07-15T00:00:00+08:00", 3)
    with pytest.raises(PlannerError, match="with_values"):
        one.hours = 3.0


def test_python_may_give_a_datetime() -> None:
    zone = dt.timezone(dt.timedelta(hours=8))
    given = Horizon(start=dt.datetime(2026, 7, 15, tzinfo=zone), hours=2.0)
    assert given == horizon("2026-07-15T00:00:00+08:00", 2)
    with pytest.raises(PlannerError, match="must be a time with an offset"):
        Horizon(start=dt.datetime(2026, 7, 15), hours=2.0)


@pytest.mark.parametrize(
    ("date", "kind"),
    [
        ("2026-10-01", "holiday"),  # a Thursday
        ("2026-10-10", "workday"),  # a Saturday, worked
        ("2026-10-11", "weekend"),  # a Sunday
        ("2026-10-12", "workday"),  # a Monday
        ("2026-10-03", "holiday"),  # a Saturday within the holidays
    ],
)
def test_kinds_of_day(date: str, kind: str) -> None:
    holidays = tuple(dt.date(2026, 10, day) for day in range(1, 8))
    assert Calendar(holidays, (dt.date(2026, 10, 10),)).kind(dt.date.fromisoformat(date)) == kind
