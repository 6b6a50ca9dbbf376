"""GuideLLM reports, benchmarks.json of versions 0.2 to 0.7: a point a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, AliasPath, Field

from planner.errors import wrong
from planner.fleets.importing.benchmark_run import (
    BenchmarkRun,
    Foreign,
    Format,
    from_epoch,
    numbered,
    read_as,
)
from planner.message import Message

STREAMS = AliasChoices(
    *(AliasPath(part, "strategy", "streams") for part in ("config", "args", "scheduler"))
)
TIMES = {
    end: AliasChoices(f"{end}_time", AliasPath("run_stats", f"{end}_time"))
    for end in ("start", "end")
}


def _metric(name: str, statistic: str, *of: str) -> AliasPath:
    """Return the place of a statistic of the requests that succeeded, or of others."""
    return AliasPath("metrics", name, *(of or ("successful",)), statistic)


class Benchmark(Foreign):
    """A benchmark: requests at one load."""

    model: str | None
    streams: float | None = Field(None, validation_alias=STREAMS)
    requests: float = Field(validation_alias=_metric("request_concurrency", "mean"))
    failed: int | None = Field(
        None, validation_alias=_metric("request_latency", "count", "errored")
    )
    input_tokens: float | None = Field(None, validation_alias=_metric("prompt_token_count", "mean"))
    output_tokens: float | None = Field(
        None, validation_alias=_metric("output_token_count", "mean")
    )
    tokens_per_s: float = Field(validation_alias=_metric("output_tokens_per_second", "mean"))
    inter_token_ms: float = Field(validation_alias=_metric("inter_token_latency_ms", "median"))
    first_token_ms: float | None = Field(
        None, validation_alias=_metric("time_to_first_token_ms", "median")
    )
    start: float | None = Field(None, validation_alias=TIMES["start"])
    end: float | None = Field(None, validation_alias=TIMES["end"])


def _matches(data: Any) -> bool:
    benchmarks = data.get("benchmarks") if isinstance(data, dict) else None
    return isinstance(benchmarks, list) and all(
        isinstance(one, dict) and "metrics" in one for one in benchmarks
    )


def _rows(data: Any) -> Iterator[tuple[str, Any]]:
    model = _model_in(data)
    for place, one in numbered(data["benchmarks"], "benchmarks"):
        yield place, {**one, "model": model or _model_in(one)}


def _read(data: Any, file: Path, place: str) -> BenchmarkRun:
    run = read_as(Benchmark, data, file, place)
    if not run.tokens_per_s:
        raise wrong(place, Message("no request was answered"), file=str(file))
    return BenchmarkRun(
        file=file, place=place, model=run.model, software="GuideLLM", failed=run.failed or 0,
        input_tokens=run.input_tokens, output_tokens=run.output_tokens,
        concurrency=run.streams or run.requests, tokens_per_s=run.tokens_per_s,
        inter_token_ms=run.inter_token_ms, first_token_ms=run.first_token_ms,
        start=from_epoch(run.start), end=from_epoch(run.end),
        fields={
            "inter_token_ms": "metrics.inter_token_latency_ms.successful.median",
            "first_token_ms": "metrics.time_to_first_token_ms.successful.median",
        },
    )  # fmt: skip


def _model_in(data: Any) -> str | None:
    """Return the model that the arguments of a run, or of its backend, name."""
    for key in ("args", "config", "spec", "backend", "backend_kwargs"):
        part = data.get(key) if isinstance(data, dict) else None
        if isinstance(part, dict):
            model = part.get("model") or _model_in(part)
            if isinstance(model, str):
                return model
    return None


GUIDELLM = Format("GuideLLM", _matches, _read, _rows)
