"""Results of `vllm bench serve --save-result`: one object, or one a line with --append-result.

Some forks write times in s, without the suffix of ms.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from pydantic import Field

from planner.errors import wrong
from planner.fleets.importing.benchmark_run import (
    BenchmarkRun,
    Foreign,
    Format,
    at_a_time,
    from_epoch,
    read_as,
)
from planner.message import Message


class ServeResult(Foreign):
    """A run."""

    date: str = ""
    model_id: str | None = None
    max_concurrency: float | None = None
    duration: float | None = None
    completed: int = Field(ge=0)
    failed: int = 0
    total_input_tokens: float
    total_output_tokens: float
    request_throughput: float | None = None
    output_throughput: float
    benchmark_start_time_unix: float | None = None
    benchmark_end_time_unix: float | None = None
    median_tpot_ms: float | None = None
    median_ttft_ms: float | None = None
    mean_e2el_ms: float | None = None
    median_tpot: float | None = None
    median_ttft: float | None = None


def _matches(data: Any) -> bool:
    return isinstance(data, dict) and {"output_throughput", "total_output_tokens"} <= data.keys()


def _read(data: Any, file: Path, place: str) -> BenchmarkRun:
    run = read_as(ServeResult, data, file, place)
    if not run.completed:
        raise wrong("completed", Message("is 0: no request was answered"), file=str(file))
    inter_token_ms, between = _time(run, "median_tpot")
    first_token_ms, first = _time(run, "median_ttft")
    concurrency = run.max_concurrency  # the limit
    if concurrency is None:
        concurrency = at_a_time(run.request_throughput, run.mean_e2el_ms)
    start, end = _span(run)
    return BenchmarkRun(
        file=file, model=run.model_id, software="vllm bench serve", failed=run.failed,
        input_tokens=run.total_input_tokens / run.completed,
        output_tokens=run.total_output_tokens / run.completed,
        concurrency=concurrency, tokens_per_s=run.output_throughput,
        inter_token_ms=inter_token_ms, first_token_ms=first_token_ms, start=start, end=end,
        fields={"inter_token_ms": between, "first_token_ms": first},
    )  # fmt: skip


def _time(run: ServeResult, name: str) -> tuple[float | None, str]:
    """Return a time in ms, and the name of its field; that without a suffix is in s."""
    in_ms, in_s = getattr(run, f"{name}_ms"), getattr(run, name)
    if in_ms is None and in_s is not None:
        return 1000 * in_s, name
    return in_ms, f"{name}_ms"


def _span(run: ServeResult) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return when a run began and ended; by its date, the local time of its end, if need be."""
    if run.benchmark_start_time_unix is not None and run.benchmark_end_time_unix is not None:
        return from_epoch(run.benchmark_start_time_unix), from_epoch(run.benchmark_end_time_unix)
    try:
        end = dt.datetime.strptime(run.date, "%Y%m%d-%H%M%S")
    except ValueError:
        return None, None
    return (None if run.duration is None else end - dt.timedelta(seconds=run.duration)), end


VLLM_BENCH = Format("vllm bench serve", _matches, _read)
