"""The ML.ENERGY leaderboard: task and model files of v3, points of v2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, AliasPath, Field

from planner.errors import wrong
from planner.fleets.curve import Parallel
from planner.fleets.importing.benchmark_run import (
    HARDWARE,
    PRECISIONS,
    BenchmarkRun,
    Foreign,
    Format,
    numbered,
    read_as,
)
from planner.message import Message

THROUGHPUT = "output_throughput_tokens_per_sec"


def _split(name: str) -> Any:
    return Field(1, validation_alias=AliasChoices(name, AliasPath("parallelization", name)))


class Configuration(Foreign):
    """A point of v3."""

    task: str
    model_id: str
    weight_precision: str
    gpu_model: str
    num_gpus: int = Field(gt=0)
    tensor_parallel: int = _split("tensor_parallel")
    expert_parallel: int = _split("expert_parallel")
    data_parallel: int = _split("data_parallel")
    requests: float = Field(validation_alias=AliasChoices("avg_batch_size", "max_num_seqs"))
    output_throughput_tokens_per_sec: float
    avg_power_watts: float
    median_itl_ms: float


class SecondVersion(Foreign):
    """A point of v2, whose times are in s."""

    model: str = Field(validation_alias="Model")
    gpu: str = Field(validation_alias="GPU")
    tensor_parallel: int = Field(validation_alias="TP", gt=0)
    pipeline_parallel: int = Field(1, validation_alias="PP", gt=0)
    request_j: float = Field(validation_alias="Energy/req (J)")
    token_s: float = Field(validation_alias="Avg TPOT (s)")
    tokens_per_s: float = Field(validation_alias="Token tput (tok/s)")
    answer_tokens: float = Field(validation_alias="Avg Output Tokens", gt=0)
    requests: float = Field(validation_alias=AliasChoices("Avg BS (reqs)", "Max BS (reqs)"))


def _is_third(data: Any) -> bool:
    if not (isinstance(data, dict) and isinstance(data.get("configurations"), list)):
        return False
    return all(isinstance(one, dict) and "num_gpus" in one for one in data["configurations"])


def _configurations(data: Any) -> Iterator[tuple[str, Any]]:
    of_all = {key: data[key] for key in ("model_id", "weight_precision") if key in data}
    for place, one in numbered(data["configurations"], "configurations"):
        yield place, {**of_all, **one, "task": str(data.get("task", ""))}


def _read_third(data: Any, file: Path, place: str) -> BenchmarkRun:
    if THROUGHPUT not in data:
        message = Message(
            "has no {name}: a model of pictures or video answers no tokens", name=THROUGHPUT
        )
        raise wrong(place, message, file=str(file))
    point = read_as(Configuration, data, file, place)
    return BenchmarkRun(
        file=file, place=place, task=point.task, gpus=point.num_gpus, model=point.model_id,
        hardware=_hardware(point.gpu_model),
        precision=PRECISIONS.get(point.weight_precision, point.weight_precision),
        parallel=Parallel(
            tensor=point.tensor_parallel,
            expert=_beyond_one(point.expert_parallel), data=_beyond_one(point.data_parallel),
        ),
        concurrency=point.requests, tokens_per_s=point.output_throughput_tokens_per_sec,
        gpu_w=point.avg_power_watts, inter_token_ms=point.median_itl_ms,
        fields={"gpu_w": "avg_power_watts", "inter_token_ms": "median_itl_ms"},
    )  # fmt: skip


def _hardware(name: str) -> str:
    """Return the name of a GPU with its maker, NVIDIA where it has none."""
    is_whole = name.startswith(("NVIDIA", "AMD", "Intel"))
    return name if is_whole else HARDWARE.get(name.lower(), f"NVIDIA {name}")


def _beyond_one(count: int) -> int | None:
    return count if count > 1 else None


def _is_second(data: Any) -> bool:
    _, first = next(iter(numbered(data)), ("", None))
    return isinstance(first, dict) and "Token tput (tok/s)" in first


def _read_second(data: Any, file: Path, place: str) -> BenchmarkRun:
    point = read_as(SecondVersion, data, file, place)
    return BenchmarkRun(
        file=file, place=place, gpus=point.tensor_parallel * point.pipeline_parallel,
        model=point.model, hardware=_hardware(point.gpu),
        parallel=Parallel(tensor=point.tensor_parallel), concurrency=point.requests,
        tokens_per_s=point.tokens_per_s,
        gpu_w=point.request_j / point.answer_tokens * point.tokens_per_s,
        inter_token_ms=1000 * point.token_s,
        fields={"gpu_w": "Energy/req (J)", "inter_token_ms": "Avg TPOT (s)"},
    )  # fmt: skip


MLENERGY = (
    Format("ML.ENERGY leaderboard v3", _is_third, _read_third, _configurations),
    Format("ML.ENERGY leaderboard v2", _is_second, _read_second),
)
