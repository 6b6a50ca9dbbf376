"""Make the synthetic year 2026 of the Huainan scenarios: weather, spot price, tokens, campus load.

Why synthetic: no measured series of a site at Huainan may be shipped with the project, and Anhui
spot statistics were not found. Everything here is an estimate (mark E in the design facts) with a
plausible shape and a calibrated mean. Replace the CSV files by measured series for real work.

The year is made once, in quarters of an hour. Values are rounded first; an hourly value is the
mean of its four rounded quarters, rounded again. The files therefore agree with each other:

    scenarios/huainan/data/site.csv              2026, hourly                       8,760 rows
    scenarios/huainan_year/data/site.csv         the same
    scenarios/huainan_winter/data/site.csv       January and February 2026, hourly  1,416 rows
    scenarios/huainan_96/data/site.csv           July 2026, every 15 minutes        2,976 rows
    scenarios/green_direct_supply/data/site.csv  July 2026, hourly                    744 rows

`time` names the start of the interval, in local time (UTC+8). Shares are per unit of capacity.

The same versions of numpy, scipy and pvlib give the same bytes: each series draws from its own
seeded stream, so tuning one leaves the random numbers of the others alone. Public holidays are not
modelled: a holiday on a Tuesday is a Tuesday.

Run it with `python scenarios/huainan/build_data.py`; it needs the extra `pv` (pvlib).
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
from scipy.optimize import brentq
from scipy.signal import lfilter
from scipy.special import log_ndtr

Array = np.ndarray

# The site (E: a flat place near the city). Its clock has no summer time.
LATITUDE_DEG, LONGITUDE_DEG, ALTITUDE_M = 32.63, 117.0, 25.0
TIME_ZONE = dt.timezone(dt.timedelta(hours=8))
YEAR = 2026
STEP_H = 0.25
STEPS_A_DAY = 96

# One stream per name; append new names, a changed order changes the figures.
SEED = 2026
STREAMS = ("cloud", "temperature", "wind", "spot", "chat", "assistant", "batch", "load")

# Means of the year: the figures to tune. All E; the capacity factors are the middle of 12-13 % for
# PV and of 23-25 % for wind in Anhui, the spot mean lies between agency prices of 303 and 314.
PV_CAPACITY_FACTOR = 0.125
WIND_CAPACITY_FACTOR = 0.24
SPOT_MEAN_CNY_PER_MWH = 308.0
CHAT_MEAN_MTOK_PER_H = 20_000.0
ASSISTANT_MEAN_MTOK_PER_H = 9_000.0
BATCH_MEAN_MTOK_PER_H = 12_000.0
LOAD_MEAN_MW = 18.0

# Factors of weekdays and weekends before the mean is set (E). An assistant for work rests more.
CHAT_WEEKDAY, CHAT_WEEKEND = 1.05, 0.90
ASSISTANT_WEEKDAY, ASSISTANT_WEEKEND = 1.10, 0.75
BATCH_WEEKDAY, BATCH_WEEKEND = 1.02, 0.95
LOAD_WEEKDAY, LOAD_WEEKEND = 1.04, 0.90

TOKEN_NOISE = 0.03  # standard deviation, share of the value (E)
LOAD_NOISE = 0.015

# The photovoltaic plant (E): capacity is the inverter's rating, modules are 10 % larger, losses as
# PVWatts has them (14 %).
TILT_DEG, AZIMUTH_DEG = 28.0, 180.0
MODULES_PER_INVERTER = 1.10
PV_LOSSES = 0.14
POWER_PER_C = -0.0035
INVERTER_EFFICIENCY = 0.96
WIND_AT_MODULES_M_PER_S = 2.0

# The sky of a day: probabilities of clear, partly cloudy and overcast by month (E), and those of
# the plum rain (meiyu), which hangs over the Huai river from mid June to mid July.
SKY_BY_MONTH = (
    (0.30, 0.28, 0.42), (0.27, 0.30, 0.43), (0.30, 0.34, 0.36), (0.35, 0.37, 0.28),
    (0.37, 0.38, 0.25), (0.33, 0.39, 0.28), (0.38, 0.43, 0.19), (0.40, 0.43, 0.17),
    (0.35, 0.35, 0.30), (0.40, 0.30, 0.30), (0.34, 0.30, 0.36), (0.34, 0.28, 0.38),
)  # fmt: skip
SKY_IN_PLUM_RAIN = (0.08, 0.32, 0.60)
PLUM_RAIN = (dt.date(YEAR, 6, 15), dt.date(YEAR, 7, 13))  # the end is exclusive
SKY_PERSISTENCE = 0.4  # probability that the sky stays; otherwise it is drawn anew
CLEAR, PARTLY, OVERCAST = range(3)
# Clearness is a logistic function of level + spread x noise, so it stays in its range unclamped.
# A little above 1 is real: the edge of a cloud adds light to the direct sun.
CLEARNESS_LEVEL = np.array([3.2, 0.6, -1.5])
CLEARNESS_SPREAD = np.array([0.35, 1.1, 0.6])
CLEARNESS_LOWEST, CLEARNESS_HIGHEST = 0.04, 1.05

# Temperature (E): 2 °C mean in January, 28 °C in July.
TEMPERATURE_BY_MONTH_C = (2.0, 4.6, 9.6, 16.3, 21.8, 25.8, 28.2, 27.4, 23.0, 17.3, 10.3, 4.2)
TEMPERATURE_RANGE_C = (-8.0, 39.0)

# Wind at hub height (E): stronger in spring and, mildly, at night; a low-wind turbine.
WIND_BY_MONTH = (1.02, 1.06, 1.10, 1.10, 1.03, 0.97, 0.95, 0.92, 0.92, 0.93, 0.98, 1.02)
WIND_AT_NIGHT = 0.06
WEIBULL_SHAPE = 2.1
WIND_CORRELATION_H = 12.0
# A farm's curve: rounder than one turbine's and never above 0.96 (wakes, electrical losses).
CURVE_SPEED_M_PER_S = (0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 20.0, 24.0)
CURVE_PU = (0, 0, 0.015, 0.06, 0.135, 0.25, 0.40, 0.57, 0.74, 0.87, 0.94, 0.96, 0.96, 0)

# Spot price before its mean is set, CNY/MWh by hour (E): morning and evening peaks, a noon trough
# that the sun of the day deepens.
SPOT_BY_HOUR = (
    -25, -35, -45, -50, -45, -25, 15, 60, 65, 25, 0, -15,
    -25, -20, -5, 10, 30, 75, 130, 150, 125, 75, 25, -5,
)  # fmt: skip
SPOT_DROP_PER_PV_PU = 230.0
SPOT_DROP_PER_WIND_PU = 110.0
SPOT_RISE_PER_C = 5.0  # above 27 °C and below 3 °C
SPOT_DROP_AT_WEEKENDS = 22.0
SPOT_RANGE = (0.0, 1_000.0)

# Nodes in service at DeepSeek by local time, CC0: (from hour, nodes). Their mean is 226.75.
CHAT_NODES = (
    (0.0, 218), (1.25, 188), (2.0, 158), (2.75, 128), (3.0, 98), (3.5, 68),
    (6.5, 98), (7.0, 128), (7.5, 188), (8.0, 218), (8.5, 278),
)  # fmt: skip
# Hourly shapes (E), before the mean is set: office hours with a lunch dip; work handed in at the
# end of the day; a campus with offices, laboratories and dormitories.
ASSISTANT_BY_HOUR = (
    0.40, 0.30, 0.24, 0.20, 0.20, 0.22, 0.30, 0.55, 1.10, 1.65, 1.80, 1.65,
    1.15, 1.30, 1.75, 1.85, 1.80, 1.60, 1.20, 1.05, 1.05, 1.00, 0.80, 0.55,
)  # fmt: skip
BATCH_BY_HOUR = (
    0.95, 0.93, 0.92, 0.92, 0.92, 0.92, 0.92, 0.93, 0.95, 0.96, 0.97, 0.97,
    0.96, 0.96, 0.97, 0.98, 0.98, 1.00, 1.25, 1.35, 1.28, 1.16, 1.05, 0.98,
)  # fmt: skip
LOAD_BY_HOUR = (
    0.80, 0.77, 0.75, 0.74, 0.74, 0.76, 0.82, 0.92, 1.06, 1.14, 1.18, 1.18,
    1.10, 1.12, 1.17, 1.18, 1.17, 1.13, 1.12, 1.13, 1.10, 1.05, 0.95, 0.86,
)  # fmt: skip
LOAD_RISE_PER_COOLING_C = 0.025  # per °C above 22
LOAD_RISE_PER_HEATING_C = 0.012  # per °C below 10

# What a buyer in the market pays on top of spot at 220 kV (C): line loss, system cost, funds.
MARKET_CHARGES_CNY_PER_MWH = 12.6 + 147.8 + 28.87

DECIMALS = {
    "temperature_c": 1,
    "pv_pu": 4,
    "wind_pu": 4,
    "spot_cny_per_mwh": 1,
    "chat_mtok_per_h": 0,
    "assistant_mtok_per_h": 0,
    "batch_mtok_per_h": 0,
    "load_mw": 1,
}

SCENARIOS = Path(__file__).resolve().parent.parent


def stream(name: str) -> np.random.Generator:
    """The random numbers of one series, independent of those of all others."""
    return np.random.Generator(np.random.PCG64([SEED, STREAMS.index(name)]))


def year_in_quarters() -> pd.DatetimeIndex:
    """The starts of all quarters of an hour of the year."""
    start = pd.Timestamp(YEAR, 1, 1, tz=TIME_ZONE)
    end = pd.Timestamp(YEAR + 1, 1, 1, tz=TIME_ZONE)
    return pd.date_range(start, end, freq="15min", inclusive="left")


def autoregression(
    random: np.random.Generator, steps: int, correlation_h: float, smoothing_h: float = 0.0
) -> Array:
    """Gaussian AR(1) noise of mean 0 and standard deviation 1 over the year.

    `smoothing_h` passes it through a second AR(1): a farm or a province is smoother than a point.
    """
    warm_up = 30 * STEPS_A_DAY
    noise = random.standard_normal(warm_up + steps)
    for hours in (correlation_h, smoothing_h):
        if hours > 0:
            noise = lfilter([1.0], [1.0, -np.exp(-STEP_H / hours)], noise)
    noise = noise[warm_up:]
    return (noise - noise.mean()) / noise.std()


def middle_hour(times: pd.DatetimeIndex) -> Array:
    """The local hour of day at the middle of each quarter."""
    return times.hour.to_numpy() + times.minute.to_numpy() / 60 + STEP_H / 2


def by_hour(values: Sequence[float], times: pd.DatetimeIndex) -> Array:
    """Values that hold at the middle of each hour of the day, joined by straight lines."""
    return np.interp(middle_hour(times), np.arange(24) + 0.5, values, period=24)


def by_month(values: Sequence[float], times: pd.DatetimeIndex) -> Array:
    """Values that hold at the middle of each month, joined by straight lines."""
    month = times.month - 1 + (times.day - 1 + middle_hour(times) / 24) / times.days_in_month
    return np.interp(month, np.arange(12) + 0.5, values, period=12)


def smoothed(values: Array, width: int) -> Array:
    """A centred moving mean over an odd number of quarters; the year closes on itself."""
    half = width // 2
    return np.convolve(np.pad(values, half, mode="wrap"), np.full(width, 1 / width), mode="valid")


def calibrated(series_of: Callable[[float], Array], mean: float, low: float, high: float) -> Array:
    """The series whose parameter, between `low` and `high`, gives the year the wanted mean."""
    parameter = brentq(lambda value: series_of(value).mean() - mean, low, high, xtol=1e-10)
    return series_of(parameter)


def weekday_factor(times: pd.DatetimeIndex, weekday: float, weekend: float) -> Array:
    """One factor from Monday to Friday, another on Saturday and Sunday."""
    return np.where(times.day_of_week < 5, weekday, weekend)


def skies(random: np.random.Generator, times: pd.DatetimeIndex) -> Array:
    """The sky of each day: CLEAR, PARTLY or OVERCAST.

    A Markov chain whose long-run shares are the probabilities of the season.
    """
    days = times[::STEPS_A_DAY].date
    chain = []
    for day in days:
        plum_rain = PLUM_RAIN[0] <= day < PLUM_RAIN[1]
        probability = SKY_IN_PLUM_RAIN if plum_rain else SKY_BY_MONTH[day.month - 1]
        stays, drawn = random.random(), random.choice(3, p=probability)
        chain.append(chain[-1] if chain and stays < SKY_PERSISTENCE else int(drawn))
    return np.array(chain)


def temperature(times: pd.DatetimeIndex, sky: Array) -> Array:
    """Air temperature, °C: season + day (wider under a clear sky) + weather of several days."""
    hour = middle_hour(times)
    # The half-width of a day in °C; joined from noon to noon, so midnight has no jump.
    half_width = np.select([sky == CLEAR, sky == PARTLY], [5.0, 4.2], 2.0)
    day = np.arange(len(times)) / STEPS_A_DAY
    half_width = np.interp(day, np.arange(len(sky)) + 0.5, half_width)
    # Two harmonics: coldest at 05:00, warmest at 15:00.
    daily = np.cos(2 * np.pi * (hour - 16) / 24) + 0.15 * np.cos(4 * np.pi * (hour - 1) / 24)
    # Weather is stronger in winter. The tangent bends it softly below 1.8 standard deviations:
    # Gaussian tails would leave the range of temperatures the place has known.
    weather = 1.8 * np.tanh(autoregression(stream("temperature"), len(times), 60, 3) / 1.8)
    spread = by_month((2.8, 3.0, 3.2, 3.0, 2.6, 2.4, 2.2, 2.2, 2.4, 2.6, 3.0, 2.8), times)
    return by_month(TEMPERATURE_BY_MONTH_C, times) + half_width * daily + spread * weather


def clear_sky_on_plane(times: pd.DatetimeIndex) -> Array:
    """Irradiance of the modules without clouds at the middle of each quarter, W/m².

    The model of Ineichen with pvlib's table of Linke turbidity (by month, interpolated).
    """
    middles = times + pd.Timedelta(hours=STEP_H / 2)
    # The times carry their offset; the place needs no time zone of its own.
    place = pvlib.location.Location(LATITUDE_DEG, LONGITUDE_DEG, altitude=ALTITUDE_M)
    with warnings.catch_warnings():
        # pvlib 0.16 asks pandas 3 for a name that pandas 4 drops; nothing here can help it.
        warnings.filterwarnings("ignore", message="DatetimeIndex.dayofyear is deprecated")
        sun = place.get_solarposition(middles)
        light = place.get_clearsky(middles, model="ineichen", solar_position=sun)
    return pvlib.irradiance.get_total_irradiance(
        TILT_DEG,
        AZIMUTH_DEG,
        sun["apparent_zenith"],
        sun["azimuth"],
        light["dni"],
        light["ghi"],
        light["dhi"],
    )["poa_global"].to_numpy()


def photovoltaic(
    random: np.random.Generator, times: pd.DatetimeIndex, sky: Array, temperature_c: Array
) -> Array:
    """Photovoltaic availability: clear sky on the tilted plane x clearness, then PVWatts.

    Clearness scales the whole irradiance of the plane: beam and diffuse light are not told apart
    below clouds. The level of clearness is what gets calibrated.
    """
    plane = clear_sky_on_plane(times)
    # Half of the noise is the day's own, half moves within the day.
    of_day = np.repeat(random.standard_normal(len(sky)), STEPS_A_DAY)
    within_day = autoregression(random, len(times), 1.0)
    noise = np.sqrt(0.4) * of_day + np.sqrt(0.6) * within_day
    state = np.repeat(sky, STEPS_A_DAY)
    exponent = CLEARNESS_LEVEL[state] + CLEARNESS_SPREAD[state] * noise

    def power(offset: float) -> Array:
        share = 1 / (1 + np.exp(-(exponent + offset)))
        irradiance = plane * (CLEARNESS_LOWEST + (CLEARNESS_HIGHEST - CLEARNESS_LOWEST) * share)
        cell = pvlib.temperature.faiman(irradiance, temperature_c, WIND_AT_MODULES_M_PER_S)
        direct = pvlib.pvsystem.pvwatts_dc(irradiance, cell, MODULES_PER_INVERTER, POWER_PER_C)
        # The inverter limits its output to its rating, 1.0. That is physical clipping; with these
        # losses and modules the sun never gets there.
        limit = 1 / INVERTER_EFFICIENCY
        return pvlib.inverter.pvwatts(direct * (1 - PV_LOSSES), limit, INVERTER_EFFICIENCY)

    return calibrated(power, PV_CAPACITY_FACTOR, -5.0, 5.0)


def wind(times: pd.DatetimeIndex) -> Array:
    """Wind availability: correlated noise -> Weibull speeds -> the farm's power curve.

    Speed = scale x (−ln(1 − Φ(noise)))^(1/shape); the mean scale is what gets calibrated.
    """
    noise = autoregression(stream("wind"), len(times), WIND_CORRELATION_H, 1.0)
    hour = middle_hour(times)
    season = by_month(WIND_BY_MONTH, times)
    night = 1 + WIND_AT_NIGHT * np.cos(2 * np.pi * (hour - 2) / 24)
    speed_per_scale = season * night * (-log_ndtr(-noise)) ** (1 / WEIBULL_SHAPE)
    return calibrated(
        lambda scale: np.interp(scale * speed_per_scale, CURVE_SPEED_M_PER_S, CURVE_PU),
        WIND_CAPACITY_FACTOR,
        2.0,
        12.0,
    )


def spot(times: pd.DatetimeIndex, temperature_c: Array, pv_pu: Array, wind_pu: Array) -> Array:
    """Spot price, CNY/MWh: a shape of the day, less sun and wind, plus heat, cold and noise.

    Entirely synthetic: Anhui spot statistics were not found. The site's weather stands for that
    of the province, smoothed because the province is wide.
    """
    random = stream("spot")
    slow = autoregression(random, len(times), 36.0, 2.0)
    quick = autoregression(random, len(times), 1.5)
    scarcity = np.exp(0.3 * autoregression(random, len(times), 48.0, 6.0))
    shape = by_hour(SPOT_BY_HOUR, times)
    price = (
        np.where(shape > 0, shape * scarcity, shape)
        - SPOT_DROP_PER_PV_PU * smoothed(pv_pu, 9)
        - SPOT_DROP_PER_WIND_PU * smoothed(wind_pu, 17)
        + SPOT_RISE_PER_C * np.maximum(temperature_c - 27, 0)
        + SPOT_RISE_PER_C * np.maximum(3 - temperature_c, 0)
        - SPOT_DROP_AT_WEEKENDS * smoothed(weekday_factor(times, 0.0, 1.0), 17)
        + 28.0 * slow
        + 10.0 * quick
    )
    # The market's floor and cap cut the price, as rules do; `main` prints how often. The level is
    # calibrated after the cut, so the mean holds.
    return calibrated(
        lambda level: np.clip(level + price, *SPOT_RANGE), SPOT_MEAN_CNY_PER_MWH, 0.0, 900.0
    )


def with_noise(name: str, shape: Array, noise: float, mean: float) -> Array:
    """The shape with its noise, correlated over two hours, at the wanted mean of the year."""
    series = shape * (1 + noise * autoregression(stream(name), len(shape), 2.0))
    return series * mean / series.mean()


def chat(times: pd.DatetimeIndex) -> Array:
    """Chat tokens: nodes in service through the day, the only published shape of demand.

    Nodes are switched in blocks of 30; a moving mean of 75 minutes gives back the slope between.
    The plateau from 08:30 to 24:00 is that of the nodes and may hide a peak above them.
    """
    starts, nodes = zip(*CHAT_NODES, strict=True)
    shape = np.array(nodes)[np.searchsorted(starts, middle_hour(times)) - 1]
    shape = smoothed(shape * weekday_factor(times, CHAT_WEEKDAY, CHAT_WEEKEND), 5)
    return with_noise("chat", shape, TOKEN_NOISE, CHAT_MEAN_MTOK_PER_H)


def assistant(times: pd.DatetimeIndex) -> Array:
    """Tokens of an assistant for work: office hours."""
    shape = by_hour(ASSISTANT_BY_HOUR, times)
    shape = smoothed(shape * weekday_factor(times, ASSISTANT_WEEKDAY, ASSISTANT_WEEKEND), 5)
    return with_noise("assistant", shape, TOKEN_NOISE, ASSISTANT_MEAN_MTOK_PER_H)


def batch(times: pd.DatetimeIndex) -> Array:
    """Batch tokens as they arrive: nearly flat, with a bump when the office day ends."""
    shape = by_hour(BATCH_BY_HOUR, times)
    shape = smoothed(shape * weekday_factor(times, BATCH_WEEKDAY, BATCH_WEEKEND), 5)
    return with_noise("batch", shape, TOKEN_NOISE, BATCH_MEAN_MTOK_PER_H)


def load(times: pd.DatetimeIndex, temperature_c: Array) -> Array:
    """The campus: its day and week, cooling in summer, some electric heating in winter."""
    shape = by_hour(LOAD_BY_HOUR, times) * weekday_factor(times, LOAD_WEEKDAY, LOAD_WEEKEND)
    # Buildings answer to the temperature of the last hours, not of the quarter.
    felt = smoothed(temperature_c, 13)
    cooling = LOAD_RISE_PER_COOLING_C * np.maximum(felt - 22, 0)
    heating = LOAD_RISE_PER_HEATING_C * np.maximum(10 - felt, 0)
    shape = smoothed(shape, 5) * (1 + cooling + heating)
    return with_noise("load", shape, LOAD_NOISE, LOAD_MEAN_MW)


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Each column at its decimals; tokens as integers; no negative zero."""
    columns = {}
    for name, decimals in DECIMALS.items():
        values = frame[name].to_numpy(dtype=float).round(decimals) + 0.0
        columns[name] = values.astype(np.int64) if decimals == 0 else values
    return pd.DataFrame(columns, index=frame.index)


def build() -> pd.DataFrame:
    """The year in quarters of an hour: columns as in the files, index `time` (start, UTC+8).

    Raises:
        ValueError: a tuned constant moved a series out of the range it promises.
    """
    times = year_in_quarters()
    cloud = stream("cloud")
    sky = skies(cloud, times)
    temperature_c = temperature(times, sky)
    pv_pu = photovoltaic(cloud, times, sky, temperature_c)
    wind_pu = wind(times)
    frame = pd.DataFrame(
        {
            "temperature_c": temperature_c,
            "pv_pu": pv_pu,
            "wind_pu": wind_pu,
            "spot_cny_per_mwh": spot(times, temperature_c, pv_pu, wind_pu),
            "chat_mtok_per_h": chat(times),
            "assistant_mtok_per_h": assistant(times),
            "batch_mtok_per_h": batch(times),
            "load_mw": load(times, temperature_c),
        },
        index=times.rename("time"),
    )
    frame = rounded(frame)
    # Checked, not clamped: who tunes a constant too far should hear of it.
    ranges = {
        "temperature_c": TEMPERATURE_RANGE_C,
        "pv_pu": (0.0, 1.0),
        "wind_pu": (0.0, 1.0),
        "spot_cny_per_mwh": SPOT_RANGE,
        "chat_mtok_per_h": (0.0, np.inf),
        "assistant_mtok_per_h": (0.0, np.inf),
        "batch_mtok_per_h": (0.0, np.inf),
        "load_mw": (0.0, np.inf),
    }
    for name, (lowest, highest) in ranges.items():
        low, high = frame[name].min(), frame[name].max()
        if not (lowest <= low and high <= highest):
            raise ValueError(f"{name} runs from {low} to {high}, outside {lowest} to {highest}")
    return frame


def hourly(quarters: pd.DataFrame) -> pd.DataFrame:
    """The mean of each four quarters, named by the start of the hour."""
    return rounded(quarters.resample("h").mean())


def with_purchase(frame: pd.DataFrame) -> pd.DataFrame:
    """The series and what a MWh bought in the market costs."""
    price = frame["spot_cny_per_mwh"] + MARKET_CHARGES_CNY_PER_MWH
    return frame.assign(purchase_cny_per_mwh=price.round(2))


def write(frame: pd.DataFrame, scenario: str) -> Path:
    """Write the site's CSV of one scenario, with the same bytes on every system."""
    path = SCENARIOS / scenario / "data" / "site.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    stamps = [time.isoformat() for time in frame.index]
    frame.set_axis(pd.Index(stamps, name="time")).to_csv(path, lineterminator="\n")
    return path


def main() -> None:
    """Write the files and print what the year looks like."""
    quarters = build()
    hours = hourly(quarters)
    files = {
        "huainan": hours,
        "huainan_year": hours,
        "huainan_winter": hours.loc[f"{YEAR}-01" : f"{YEAR}-02"],
        "huainan_96": quarters.loc[f"{YEAR}-07"],
        "green_direct_supply": with_purchase(hours.loc[f"{YEAR}-07"]),
    }
    for scenario, frame in files.items():
        path = write(frame, scenario)
        print(f"{path}: {len(frame):,} rows, {path.stat().st_size:,} bytes")
    print()
    print("The year in quarters of an hour")
    print(quarters.agg(["mean", "std", "min", "max"]).round(4).T.to_string())
    print()
    print("Means by month, hourly")
    print(hours.groupby(hours.index.month).mean().round(3).to_string())
    print()
    price = quarters["spot_cny_per_mwh"]
    for technology in ("pv_pu", "wind_pu"):
        captured = (price * quarters[technology]).sum() / quarters[technology].sum()
        print(f"{technology} earns {captured:.1f} CNY/MWh at the spot price")
    print(f"spot at its floor {(price <= SPOT_RANGE[0]).mean():.2%}", end=", ")
    print(f"at its cap {(price >= SPOT_RANGE[1]).mean():.2%} of the year")


if __name__ == "__main__":
    main()
