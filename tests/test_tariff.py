"""The tariff page: its prices follow from components, its calendar is right in every season."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import planner
from tests.test_docs import blocks

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tariff.md"

# Anhui, July 2026, CNY/MWh: the published prices and what they are made of
AGENCY, LINE_LOSS, SYSTEM, FUNDS = 303.06, 12.6, 147.8, 28.87
TRANSPORT = {220: 67.3, 110: 92.4}  # kV; the second is derived from its flat price
PEAK, LOW_PEAK, VALLEY = 1.843, 1.74, 0.382
PUBLISHED = {
    220: {"tip": 1008.4, "peak": 871.9, "flat": 559.7, "valley": 330.8},
    110: {"tip": 1063.9, "peak": 918.1, "flat": 584.8, "valley": 340.4},
}
FACTOR = {"tip": 1.2 * PEAK, "peak": PEAK, "flat": 1.0, "valley": VALLEY}


def price(kilovolts: int, factor: float) -> float:
    return (AGENCY + TRANSPORT[kilovolts]) * factor + LINE_LOSS + SYSTEM + FUNDS


@pytest.mark.parametrize("kilovolts", PUBLISHED)
@pytest.mark.parametrize("period", FACTOR)
def test_the_published_prices_follow_from_their_components(kilovolts: int, period: str) -> None:
    assert price(kilovolts, FACTOR[period]) == pytest.approx(PUBLISHED[kilovolts][period], abs=0.1)


def data_of(file: str) -> dict[str, Any]:
    """Return a scenario of the page as plain data."""
    (text,) = [text for _, options, text in blocks(PAGE) if options.get("file") == file]
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def calendar_of(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["components"]["grid"]["import_price_cny_per_mwh"]
    return found


@pytest.fixture(scope="module")
def year() -> pd.Series:
    """The price of every half hour of 2026."""
    data = data_of("agency.yaml")
    horizon = {"start": "2026-01-01T00:00:00+08:00", "hours": 8760, "step_min": 30}
    connection = {
        "kind": "grid", "import_limit_mw": 1, "export_limit_mw": 0,
        "import_price_cny_per_mwh": calendar_of(data), "export_price_cny_per_mwh": 0,
    }  # fmt: skip
    parts = {"grid": connection, "town": {"kind": "load", "demand_mw": 1}}
    found = planner.Scenario.from_mapping(
        {"name": "year", "horizon": horizon, "holidays": data["holidays"], "components": parts}
    )
    prices = found.components["grid"].import_price_cny_per_mwh
    return pd.Series(prices, index=found.horizon.starts.tz_localize(None))


TIP, PEAK_PRICE, FLAT, VALLEY_PRICE = PUBLISHED[220].values()
DEEP = round(price(220, VALLEY * 0.8), 1)
SPRING_PEAK = round(price(220, LOW_PEAK), 1)

HOURS = [
    ("2026-07-20 20:30", TIP),
    ("2026-07-20 19:30", PEAK_PRICE),
    ("2026-07-20 22:00", PEAK_PRICE),
    ("2026-07-14 20:30", PEAK_PRICE),  # tip begins on the 15th
    ("2026-09-01 20:30", PEAK_PRICE),  # and ends with August
    ("2026-07-20 03:00", VALLEY_PRICE),
    ("2026-07-20 01:30", FLAT),
    ("2026-07-20 12:00", VALLEY_PRICE),
    ("2026-12-15 19:30", TIP),
    ("2026-01-31 20:30", TIP),
    ("2026-02-01 20:30", SPRING_PEAK),
    ("2026-12-14 19:30", PEAK_PRICE),
    ("2026-10-01 12:00", DEEP),
    ("2026-10-01 14:30", DEEP),
    ("2026-10-01 15:00", FLAT),
    ("2026-10-08 12:00", VALLEY_PRICE),
    ("2026-01-02 11:30", DEEP),
]


@pytest.mark.parametrize(("time", "value"), HOURS)
def test_hand_picked_hours(year: pd.Series, time: str, value: float) -> None:
    assert year[time] == value


def hours(*spans: tuple[int, int]) -> list[int]:
    return [hour for first, last in spans for hour in range(first, last)]


# the tables of the notice, in days without tip and holidays
SEASONS = {
    "2026-09-10": (hours((16, 24)), hours((0, 2), (9, 11), (13, 16)), hours((2, 9), (11, 13))),
    "2026-12-10": (hours((15, 23)), hours((6, 12), (14, 15)), hours((12, 14), (23, 24), (0, 6))),
    "2026-04-15": (
        hours((6, 8), (16, 22)), hours((8, 11), (14, 16), (22, 23)),
        hours((11, 14), (23, 24), (0, 6)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("day", SEASONS)
def test_the_periods_of_every_season(year: pd.Series, day: str) -> None:
    peak, flat, valley = SEASONS[day]
    assert sorted(peak + flat + valley) == list(range(24))
    high = SPRING_PEAK if day == "2026-04-15" else PEAK_PRICE
    value = dict.fromkeys(peak, high) | dict.fromkeys(flat, FLAT)
    value |= dict.fromkeys(valley, VALLEY_PRICE)
    assert year[day].tolist() == [value[step // 2] for step in range(48)]


def test_the_year_has_as_many_hours_of_tip_and_deep_valley_as_the_notice_says(
    year: pd.Series,
) -> None:
    assert (year == TIP).sum() / 2 == 2 * (17 + 31) + 2 * (31 + 17)
    assert (year == DEEP).sum() / 2 == 4 * len(data_of("agency.yaml")["holidays"])
    assert set(np.unique(year)) == {TIP, PEAK_PRICE, SPRING_PEAK, FLAT, VALLEY_PRICE, DEEP}


def test_the_scenario_huainan_has_the_calendar_of_the_page() -> None:
    text = (ROOT / "scenarios" / "huainan" / "scenario.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    mine, page = (calendar_of(found)["calendar"] for found in (data, data_of("agency.yaml")))
    assert [entry | {"value": 0} for entry in mine] == [entry | {"value": 0} for entry in page]
    # the deep valley is the only price there that was rounded down
    values = [[entry["value"] for entry in entries] for entries in (mine, page)]
    assert values[0] == pytest.approx(values[1], abs=0.11)
    assert data["holidays"] == data_of("agency.yaml")["holidays"]


def test_market_buyers_pay_the_components_that_know_no_hours() -> None:
    """Document 1192: import pays market + 189.27, own use the funds, where fees go by capacity."""
    prices = [entry["value"] for entry in calendar_of(data_of("market.yaml"))["calendar"]]
    market = [entry - (LINE_LOSS + SYSTEM + FUNDS) for entry in prices]
    assert market == pytest.approx([300, 250, 420])
    charge = data_of("market.yaml")["components"]["grid"]["self_use_charge_cny_per_mwh"]
    assert charge == FUNDS
    assert TRANSPORT[220] + FUNDS == pytest.approx(96.2, abs=0.1)
