"""AIPerf results, profile_export_aiperf.json: a file a load, with the power of GPUs in some."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, AliasPath, Field

from planner.errors import wrong
from planner.fleets.importing.benchmark_run import (
    BenchmarkRun,
    Foreign,
    Format,
    at_a_time,
    read_as,
)
from planner.message import Message

MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "sec": 1e3}
W = {"mW": 1e-3, "W": 1.0, "kW": 1e3}
POWER = ("nvidia_power_usage", "amd_power", "amd_power_usage", "gpu_power_usage")


class AiperfMetric(Foreign):
    """A metric: its unit, its mean and, where it is of each request, its median."""

    unit: str
    avg: float | None = None
    p50: float | None = None


class Gpu(Foreign):
    """A GPU whose power was measured."""

    gpu_name: str = ""
    metrics: dict[str, AiperfMetric] = Field(default_factory=dict)


class PowerSource(Foreign):
    """A source of the power of GPUs."""

    gpus: dict[str, Gpu] = Field(default_factory=dict)


class Profile(Foreign):
    """A run."""

    output_token_throughput: AiperfMetric
    inter_token_latency: AiperfMetric
    time_to_first_token: AiperfMetric | None = None
    request_throughput: AiperfMetric | None = None
    request_latency: AiperfMetric | None = None
    input_sequence_length: AiperfMetric | None = None
    output_sequence_length: AiperfMetric | None = None
    error_request_count: AiperfMetric | None = None
    nvidia_total_gpu_power: AiperfMetric | None = None
    amd_total_gpu_power: AiperfMetric | None = None
    power_sources: dict[str, PowerSource] = Field(
        default_factory=dict, validation_alias=AliasPath("telemetry_data", "endpoints")
    )
    was_cancelled: bool | None = False
    concurrency: float | None = Field(
        None, validation_alias=AliasPath("input_config", "loadgen", "concurrency")
    )
    models: list[str] | str | None = Field(
        None,
        validation_alias=AliasChoices(
            AliasPath("input_config", "endpoint", "model_names"),
            AliasPath("input_config", "endpoint", "model"),
        ),
    )
    start_time: dt.datetime | None = None
    end_time: dt.datetime | None = None


def _matches(data: Any) -> bool:
    speed = data.get("output_token_throughput") if isinstance(data, dict) else None
    return isinstance(speed, dict) and "unit" in speed


def _read(data: Any, file: Path, place: str) -> BenchmarkRun:
    run = read_as(Profile, data, file, place)
    if run.was_cancelled:
        raise wrong("was_cancelled", Message("is true: the run did not end"), file=str(file))
    if not run.output_token_throughput.avg:
        raise wrong("output_token_throughput", Message("no request was answered"), file=str(file))
    sources = run.power_sources.values()
    gpus = [gpu for source in sources for gpu in source.gpus.values() if _power_of(gpu)]
    names = {gpu.gpu_name for gpu in gpus if gpu.gpu_name}
    power_w, name = _power(run, gpus, file)
    models = [run.models] if isinstance(run.models, str) else run.models
    latency_ms = None
    if run.request_latency is not None and run.request_latency.avg is not None:
        latency_ms = run.request_latency.avg * MS.get(run.request_latency.unit, 1.0)
    return BenchmarkRun(
        file=file, software="AIPerf", model=models[0] if models else None,
        hardware=min(names) if len(names) == 1 else None, gpus=len(gpus) or None,
        input_tokens=_average(run.input_sequence_length),
        output_tokens=_average(run.output_sequence_length),
        concurrency=run.concurrency or at_a_time(_average(run.request_throughput), latency_ms),
        tokens_per_s=run.output_token_throughput.avg, gpu_w=power_w,
        inter_token_ms=_in(MS, run.inter_token_latency, "inter_token_latency", file),
        first_token_ms=_in(MS, run.time_to_first_token, "time_to_first_token", file),
        failed=int(_average(run.error_request_count) or 0),
        start=run.start_time, end=run.end_time,
        fields={
            "gpu_w": name, "inter_token_ms": "inter_token_latency",
            "first_token_ms": "time_to_first_token",
        },
    )  # fmt: skip


def _power_of(gpu: Gpu) -> AiperfMetric | None:
    return next((gpu.metrics[name] for name in POWER if name in gpu.metrics), None)


def _power(run: Profile, gpus: list[Gpu], file: Path) -> tuple[float | None, str]:
    """Return the power of all GPUs, and the name of what gives it."""
    each = [_in(W, _power_of(gpu), "telemetry_data", file) for gpu in gpus]
    if each and None not in each:
        return sum(filter(None, each)), "telemetry_data"
    for name in ("nvidia_total_gpu_power", "amd_total_gpu_power"):
        if (metric := getattr(run, name)) is not None:
            return _in(W, metric, name, file), name
    return None, ""


def _in(
    factors: dict[str, float], metric: AiperfMetric | None, name: str, file: Path
) -> float | None:
    """Return the median of a metric, else its mean, in our unit. Raises ScenarioError."""
    if metric is None:
        return None
    if metric.unit not in factors:
        units = ", ".join(factors)
        message = Message("must be one of {names}, is {text}", names=units, text=metric.unit)
        raise wrong(f"{name}.unit", message, file=str(file))
    value = metric.avg if factors is W or metric.p50 is None else metric.p50
    return None if value is None else value * factors[metric.unit]


def _average(metric: AiperfMetric | None) -> float | None:
    return None if metric is None else metric.avg


AIPERF = Format("AIPerf", _matches, _read)
