"""InferenceX (InferenceMAX) results: agg_*.json, one point or a list, and rows of its API.

Rates are per GPU and times in s. The time between tokens is tpot; itl is that between the chunks of
a stream, which may hold several tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field

from planner.errors import wrong
from planner.fleets.curve import Parallel
from planner.fleets.importing.benchmark_run import (
    HARDWARE,
    BenchmarkRun,
    Foreign,
    Format,
    numbered,
    read_as,
)
from planner.message import Message


class Aggregate(Foreign):
    """A point."""

    hw: str = Field(validation_alias=AliasChoices("hw", "hardware"))
    conc: float
    model: str
    framework: str = ""
    precision: str
    speculative: str = Field("none", validation_alias=AliasChoices("spec_decoding", "spec_method"))
    isl: float
    osl: float
    tp: int = Field(gt=0, validation_alias=AliasChoices("tp", "decode_tp"))
    ep: int = Field(1, validation_alias=AliasChoices("ep", "decode_ep"))
    output_tput_per_gpu: float
    median_tpot: float
    median_ttft: float | None = None
    avg_power_w: float | None = None
    avg_total_gpu_power_w: float | None = None
    power_valid: bool = True


def _matches(data: Any) -> bool:
    _, first = next(iter(numbered(data)), ("", None))
    if not isinstance(first, dict):
        return False
    metrics = first.get("metrics")
    return "output_tput_per_gpu" in (metrics if isinstance(metrics, dict) else first) or (
        {"hw", "infmax_model_prefix"} <= first.keys()
    )


def _read(data: Any, file: Path, place: str) -> BenchmarkRun:
    row = data if isinstance(data, dict) else {}
    if isinstance(row.get("metrics"), dict):
        row = {**row, **row["metrics"]}
    if row.get("disagg") or row.get("is_multinode"):
        message = Message(
            "is spread over nodes or has GPUs of its own for reading input: its rates are per GPU"
            " of either kind, and no replica has them"
        )
        raise wrong(place, message, file=str(file))
    if row.get("isl") is None and isinstance(row.get("request_metrics"), dict):
        message = Message("is of agents, whose lengths of input and output are not constant")
        raise wrong(place, message, file=str(file))
    point = read_as(Aggregate, row, file, place)
    short = point.hw.rpartition(":")[2].partition("-")[0]
    power_w, name = point.avg_total_gpu_power_w, "avg_total_gpu_power_w"
    if power_w is None and point.avg_power_w is not None:
        power_w, name = point.avg_power_w * point.tp, "avg_power_w"
    first_token_ms = None if point.median_ttft is None else 1000 * point.median_ttft
    speculative = () if point.speculative == "none" else (point.speculative,)
    return BenchmarkRun(
        file=file, place=place, hardware=HARDWARE.get(short, short), gpus=point.tp,
        model=point.model, precision=point.precision,
        software=" ".join((point.framework, *speculative)),
        parallel=Parallel(tensor=point.tp, expert=point.ep if point.ep > 1 else None),
        input_tokens=point.isl, output_tokens=point.osl, concurrency=point.conc,
        tokens_per_s=point.output_tput_per_gpu * point.tp,
        gpu_w=power_w if point.power_valid else None,
        inter_token_ms=1000 * point.median_tpot, first_token_ms=first_token_ms,
        fields={"gpu_w": name, "inter_token_ms": "median_tpot", "first_token_ms": "median_ttft"},
    )  # fmt: skip


INFERENCEX = Format("InferenceX", _matches, _read)
