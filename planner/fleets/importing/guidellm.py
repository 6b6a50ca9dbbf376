"""GuideLLM reports, benchmarks.json of versions 0.2 to 0.7: a point a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, AliasPath, Field

from planner.errors import Problem, wrong
from planner.fleets.importing.benchmark_point import (
    BenchmarkPoint,
    Foreign,
    Format,
    day_of,
    each_of,
    from_epoch,
    numbered,
    read_as,
)
from planner.message import Message


class Distribution(Foreign):
    """Of a metric."""

    mean: float
    median: float
    count: int | None = None


class GuidellmMetric(Foreign):
    """A metric of the requests that succeeded, and of those that did not."""

    successful: Distribution
    errored: Distribution | None = None


class GuidellmMetrics(Foreign):
    """What is read of the metrics of a benchmark."""

    request_concurrency: GuidellmMetric
    request_latency: GuidellmMetric | None = None
    prompt_token_count: GuidellmMetric | None = None
    output_token_count: GuidellmMetric | None = None
    output_tokens_per_second: GuidellmMetric
    inter_token_latency_ms: GuidellmMetric
    time_to_first_token_ms: GuidellmMetric | None = None


STREAMS = AliasChoices(
    AliasPath("config", "strategy", "streams"),
    AliasPath("args", "strategy", "streams"),
    AliasPath("scheduler", "strategy", "streams"),
)
TIMES = {
    end: AliasChoices(f"{end}_time", AliasPath("run_stats", f"{end}_time"))
    for end in ("start", "end")
}


class Benchmark(Foreign):
    """A benchmark: requests at one load."""

    metrics: GuidellmMetrics
    streams: float | None = Field(None, validation_alias=STREAMS)
    start: float | None = Field(None, validation_alias=TIMES["start"])
    end: float | None = Field(None, validation_alias=TIMES["end"])


def _matches(data: Any) -> bool:
    benchmarks = data.get("benchmarks") if isinstance(data, dict) else None
    return isinstance(benchmarks, list) and all(
        isinstance(one, dict) and "metrics" in one for one in benchmarks
    )


def _read(data: Any, file: Path) -> Iterator[BenchmarkPoint | Problem]:
    model = _model_in(data)

    def read(one: Any, place: str) -> BenchmarkPoint:
        benchmark = read_as(Benchmark, one, file, place)
        metrics = benchmark.metrics
        speed = metrics.output_tokens_per_second.successful.mean
        if not speed:
            raise wrong(place, Message("no request was answered"), file=str(file))
        end = from_epoch(benchmark.end)
        first = metrics.time_to_first_token_ms
        errored = metrics.request_latency and metrics.request_latency.errored
        return BenchmarkPoint(
            file=file, place=place, model=model or _model_in(one), software="GuideLLM",
            input_tokens=_mean(metrics.prompt_token_count),
            output_tokens=_mean(metrics.output_token_count),
            concurrency=benchmark.streams or metrics.request_concurrency.successful.mean,
            tokens_per_s=speed, failed=(errored and errored.count) or 0,
            inter_token_ms=metrics.inter_token_latency_ms.successful.median,
            first_token_ms=first.successful.median if first else None,
            start=from_epoch(benchmark.start), end=end, date=day_of(end),
            fields={
                "inter_token_ms": "metrics.inter_token_latency_ms.successful.median",
                "first_token_ms": "metrics.time_to_first_token_ms.successful.median",
            },
        )  # fmt: skip

    yield from each_of(read, numbered(data["benchmarks"], "benchmarks"))


def _mean(metric: GuidellmMetric | None) -> float | None:
    return None if metric is None else metric.successful.mean


def _model_in(data: Any) -> str | None:
    """Return the model that the arguments of a run, or of its backend, name."""
    for key in ("args", "config", "spec", "backend", "backend_kwargs"):
        part = data.get(key) if isinstance(data, dict) else None
        if isinstance(part, dict):
            model = part.get("model") or _model_in(part)
            if isinstance(model, str):
                return model
    return None


GUIDELLM = Format("GuideLLM", _matches, _read)
