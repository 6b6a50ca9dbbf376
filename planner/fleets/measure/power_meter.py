"""Meters of the power of GPUs: NVML on this machine, a DCGM exporter, a CSV that is being written.

Times are those of the clock of the measurement.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import MeasurementError, ScenarioError, cause, wrong
from planner.fleets.importing.power_log import BLANK, PowerLog, read_power_logs
from planner.message import Message
from planner.version import install_line

if TYPE_CHECKING:
    import httpx

POWER_USAGE = re.compile(r"^DCGM_FI_DEV_POWER_USAGE\{(.*)\}\s+(\S+)", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
LATE_S = 15.0  # that a CSV may lag behind
STALE_SHARE = 0.2  # of the time of a mean, that a reading may stand unchanged


class PowerMeter(ABC):
    """A source of the power of GPUs.

    hardware: their name, where it is known. gpus: their number, known after the first sample.
    cautions: what must be known of the means so far.
    """

    hardware: str | None = None
    gpus: int = 0
    cautions: Sequence[Message] = ()

    @abstractmethod
    async def sample(self, now: float) -> None:
        """Take a sample."""

    @abstractmethod
    async def mean_w(self, start: float, end: float) -> float:
        """Return the mean of all GPUs between two times. Raises MeasurementError."""


class NvmlMeter(PowerMeter):
    """GPUs of this machine: the difference of their energy counters, else samples of power."""

    def __init__(self, indices: Sequence[str], clock: Callable[[], float]) -> None:
        self._clock = clock
        try:
            import pynvml  # type: ignore[import-untyped, import-not-found, unused-ignore]
        except ImportError:
            message = Message("NVML needs nvidia-ml-py: {line}", line=install_line("measure"))
            raise wrong("", message) from None
        self._nvml: Any = pynvml
        try:
            pynvml.nvmlInit()
            count = pynvml.nvmlDeviceGetCount()
            chosen = [int(index) for index in indices] if indices else range(count)
            self._handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in chosen]
            name = pynvml.nvmlDeviceGetName(self._handles[0])
        except (pynvml.NVMLError, IndexError, ValueError) as error:
            message = Message("NVML gives no power on this machine: {text}", text=error)
            raise wrong("", message, file="--power") from None
        self.hardware = name if isinstance(name, str) else name.decode()
        self.gpus = len(self._handles)
        self._counts_energy = True
        self._times: list[float] = []
        self._values: list[float] = []  # J since the driver was loaded, or W

    async def sample(self, now: float) -> None:
        """Take a sample. Raises MeasurementError."""
        try:
            value = self._read()
        except self._nvml.NVMLError as error:
            message = Message("NVML gives no power any more: {text}", text=error)
            raise MeasurementError(message) from None
        self._times.append(now)
        self._values.append(value)

    def _read(self) -> float:
        """Return the energy of all GPUs so far, J; where they do not count it their power, W."""
        if self._counts_energy:
            read = self._nvml.nvmlDeviceGetTotalEnergyConsumption
            try:
                return float(sum(map(read, self._handles)) / 1000)
            except self._nvml.NVMLError_NotSupported:
                self._counts_energy = False
        return float(sum(map(self._nvml.nvmlDeviceGetPowerUsage, self._handles)) / 1000)

    async def mean_w(self, start: float, end: float) -> float:
        """Return the mean of all GPUs between two times."""
        await self.sample(self._clock())
        if not self._counts_energy:
            return mean_between(self._times, self._values, start, end)
        first, last = np.interp([start, end], self._times, self._values)
        return float((last - first) / (end - start))


class DcgmMeter(PowerMeter):
    """GPUs of a DCGM exporter."""

    def __init__(self, client: httpx.AsyncClient, url: str, indices: Sequence[str]) -> None:
        self._client, self._url, self._indices = client, url, tuple(indices)
        if not url.rstrip("/").endswith("/metrics"):
            self._url = f"{url.rstrip('/')}/metrics"
        self._times: list[float] = []
        self._values: list[float] = []
        self._problem = Message("no sample was taken")

    async def sample(self, now: float) -> None:
        """Take a sample; what the exporter does not give is missing."""
        import httpx

        try:
            response = await self._client.get(self._url)
            watts, names = parse_power_usage(response.text, self._indices)
        except (httpx.HTTPError, ValueError) as error:
            self._problem = Message(
                "{url} gives no power: {text}", url=self._url, text=cause(error)
            )
            return
        if not watts or (self.gpus and len(watts) != self.gpus):
            self._problem = Message(
                "{url} has DCGM_FI_DEV_POWER_USAGE of {n} GPUs", url=self._url, n=len(watts)
            )
            return
        self.gpus = len(watts)
        self.hardware = names.pop() if len(names) == 1 else None
        self._times.append(now)
        self._values.append(sum(watts.values()))

    async def mean_w(self, start: float, end: float) -> float:
        """Return the mean of all GPUs between two times. Raises MeasurementError."""
        try:
            mean_w = mean_between(self._times, self._values, start, end)
        except MeasurementError:
            raise MeasurementError(self._problem) from None
        stale_s = longest_unchanged(self._times, self._values, start, end)
        if stale_s > STALE_SHARE * (end - start):
            message = Message(
                "{url} gave the same power for {stale_s:.2g} s of the {s:.2g} s of a mean, so that"
                " it may be of the time before; let the exporter read every second (-c 1000)",
                url=self._url, stale_s=stale_s, s=end - start,
            )  # fmt: skip
            self.cautions = (message,)
        return mean_w


def parse_power_usage(
    text: str, indices: Sequence[str] = ()
) -> tuple[dict[tuple[str, str], float], set[str]]:
    """Return W by host and GPU out of the text of a DCGM exporter, and the names of the GPUs."""
    watts, names = {}, set()
    for labels, value in POWER_USAGE.findall(text):
        known = dict(LABEL.findall(labels))
        gpu, host = known.get("gpu", ""), known.get("Hostname") or known.get("hostname", "")
        if float(value) < BLANK and (not indices or gpu in indices):
            watts[host, gpu] = float(value)
            names |= {known["modelName"]} if "modelName" in known else set()
    return watts, names


class CsvMeter(PowerMeter):
    """GPUs of a log that another program is writing on this machine."""

    def __init__(self, path: Path, indices: Sequence[str], clock: Callable[[], float]) -> None:
        self._path, self._indices = path, tuple(indices)
        self._epoch_s = time.time() - clock()
        self._clock = clock
        self.gpus = len(self._log().gpus())

    async def sample(self, now: float) -> None:
        """Leave it to the other program."""

    async def mean_w(self, start: float, end: float) -> float:
        """Return the mean of all GPUs between two times. Raises MeasurementError."""
        while True:
            try:
                times, values = self._samples()
            except ScenarioError as error:  # of a file that could be read before
                raise MeasurementError(error.message) from None
            if (len(times) and times[-1] >= end) or self._clock() > end + LATE_S:
                break
            await asyncio.sleep(0.5)
        if not len(times) or times[-1] < start:
            last = dt.datetime.fromtimestamp(times[-1] + self._epoch_s) if len(times) else "-"
            message = Message(
                "{path} has no power of the time of the measurement, the last at {last}; is it"
                " being written, by the clock of this machine?",
                path=self._path, last=last,
            )  # fmt: skip
            raise MeasurementError(message)
        return mean_between(times, values, start, end)

    def _log(self) -> PowerLog:
        """Return the log as far as it is written. Raises ScenarioError."""
        log = read_power_logs([self._path])
        if log.times == "none":
            message = Message("has no times; write them before each line: | ts '%FT%T%z'")
            raise wrong("", message, file=str(self._path))
        return log.of(self._indices) if self._indices else log

    def _samples(self) -> tuple[Sequence[float], Sequence[float]]:
        """Return the times of samples and the power of all GPUs at them."""
        log = self._log()
        local = dt.datetime.now().astimezone().tzinfo
        frame = log.samples.assign(at_s=log.moments_s(local) - self._epoch_s)
        wide = frame.pivot_table(index="at_s", columns="gpu", values="w")
        wide = wide.interpolate("index").dropna()
        return wide.index.tolist(), wide.sum(axis=1).tolist()


async def meter_named(
    text: str, client: httpx.AsyncClient, indices: Sequence[str], clock: Callable[[], float]
) -> PowerMeter:
    """Return the meter that nvml, dcgm=URL or csv=FILE names, which has given a first sample.

    Raises:
        ScenarioError: it names none, or gives no power.
    """
    kind, _, where = text.partition("=")
    meter: PowerMeter
    if kind == "nvml" and not where:
        meter = NvmlMeter(indices, clock)
    elif kind == "dcgm" and where:
        meter = DcgmMeter(client, where, indices)
    elif kind == "csv" and where:
        meter = CsvMeter(Path(where), indices, clock)
    else:
        message = Message("must be nvml, dcgm=URL or csv=FILE, is {text!r}", text=text)
        raise wrong("", message, file="--power")
    now = clock()
    try:
        await meter.sample(now)
        if not meter.gpus:
            await meter.mean_w(now, now)
    except MeasurementError as error:
        raise wrong("", error.message, file="--power") from None
    return meter


def mean_between(
    times: Sequence[float], values: Sequence[float], start: float, end: float
) -> float:
    """Return the mean of samples between two times. Raises MeasurementError where there is none."""
    inside = [value for at, value in zip(times, values, strict=True) if start <= at <= end]
    if not inside:
        raise MeasurementError(Message("no sample of power was taken in {s:g} s", s=end - start))
    return float(np.mean(inside))


def longest_unchanged(
    times: Sequence[float], values: Sequence[float], start: float, end: float
) -> float:
    """Return the longest time for which samples between two times did not change, s."""
    longest, since = 0.0, start
    for (_, before), (at, value) in itertools.pairwise(zip(times, values, strict=True)):
        if start <= at <= end:
            since = since if value == before else at
            longest = max(longest, at - since)
    return longest
