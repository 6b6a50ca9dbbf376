"""Small results of each format, with invented round figures: two loads of a model on two GPUs.

Every one says 100 tokens/s at concurrency 4 and 150 at 8, 20 and 40 ms between tokens, 0.5 and
0.6 s to the first where it has it; those with power 1,000 and 1,200 W.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
LOADS = ((4, 100.0, 20.0, 500.0, 1000.0), (8, 150.0, 40.0, 600.0, 1200.0))
START = 1_780_000_000  # 2026-05-28 20:26:40 UTC
RUN_S = 100


def mlenergy() -> Json:
    flat = [
        {
            "model_id": "lab/model", "weight_precision": "bfloat16", "gpu_model": "H100",
            "num_gpus": 2, "tensor_parallel": 2, "expert_parallel": 1, "data_parallel": 1,
            "max_num_seqs": n, "output_throughput_tokens_per_sec": speed,
            "avg_power_watts": power, "median_itl_ms": ms,
        }
        for n, speed, ms, _, power in LOADS
    ]  # fmt: skip
    return {"task": "chat", "task_display_name": "Chat", "configurations": flat}


def mlenergy_of_model() -> Json:
    configurations = []
    for one in mlenergy()["configurations"]:
        split = {name: one.pop(name) for name in [*one] if name.endswith("_parallel")}
        del one["model_id"], one["weight_precision"]
        configurations.append({**one, "parallelization": split})
    return {
        "model_id": "lab/model",
        "weight_precision": "bfloat16",
        "task": "chat",
        "configurations": configurations,
    }


def mlenergy_second() -> list[Json]:
    return [
        {
            "Model": "lab/model", "GPU": "H100 80GB HBM3", "TP": 2, "PP": 1,
            "Energy/req (J)": power / speed * 50, "Avg TPOT (s)": ms / 1000,
            "Token tput (tok/s)": speed, "Avg Output Tokens": 50.0, "Max BS (reqs)": n,
        }
        for n, speed, ms, _, power in LOADS
    ]  # fmt: skip


def inferencex() -> list[Json]:
    return [
        {
            "hw": "cluster:h200-dgxc", "conc": n, "image": "i", "model": "lab/model",
            "infmax_model_prefix": "lab", "framework": "vllm", "precision": "fp8",
            "spec_decoding": "none", "disagg": False, "is_multinode": False, "isl": 1024,
            "osl": 512, "tp": 2, "ep": 1, "dp_attention": "false", "tput_per_gpu": 9 * speed,
            "output_tput_per_gpu": speed / 2, "input_tput_per_gpu": 8 * speed,
            "median_ttft": first / 1000, "median_tpot": ms / 1000, "median_itl": 1.4,
            "avg_power_w": power / 2, "avg_total_gpu_power_w": power, "power_valid": 1,
        }
        for n, speed, ms, first, power in LOADS
    ]  # fmt: skip


def aiperf(at: int = 0) -> Json:
    n, speed, ms, first, power = LOADS[at]
    return {
        "schema_version": "1.0",
        "output_token_throughput": {"unit": "tokens/sec", "avg": speed},
        "inter_token_latency": {"unit": "ms", "avg": 2 * ms, "p50": ms, "p99": None},
        "time_to_first_token": {"unit": "ms", "avg": 9.0, "p50": first},
        "request_latency": {"unit": "ms", "avg": 2000.0, "p50": 2000.0},
        "input_sequence_length": {"unit": "tokens", "avg": 1024.0},
        "output_sequence_length": {"unit": "tokens", "avg": 512.0},
        "input_config": {"loadgen": {"concurrency": n}, "endpoint": {"model_names": ["lab/model"]}},
        "was_cancelled": False,
        "start_time": f"2026-05-28T20:{27 + 5 * at}:00",
        "end_time": f"2026-05-28T20:{28 + 5 * at}:00",
        "telemetry_data": {
            "endpoints": {
                "node:9401": {
                    "gpus": {
                        f"gpu_{i}": {
                            "gpu_name": "NVIDIA H200",
                            "metrics": {"nvidia_power_usage": {"unit": "W", "avg": power / 2}},
                        }
                        for i in range(2)
                    }
                }
            }
        },
    }


def guidellm(version: int = 2) -> Json:
    """Return a report of 0.7 (version 2), of 0.4 (version 1), or of 0.2 (version 0)."""

    def metric(mean: float, median: float | None = None) -> Json:
        part = {"mean": mean, "median": median or mean, "count": 30, "percentiles": {"p99": 9.0}}
        none = dict.fromkeys(("mean", "median", "count"), 0)
        return {"successful": part, "errored": none, "incomplete": none, "total": part}

    benchmarks = []
    for i, (n, speed, ms, first, _) in enumerate(LOADS):
        start = START + 2 * RUN_S * i
        strategy: Json = {"strategy": {"type_": "concurrent", "streams": n}}
        if version == 0:
            strategy = {"strategy": "concurrent"}
        place = {2: "config", 1: "scheduler", 0: "args"}[version]
        times: Json = {"start_time": float(start), "end_time": float(start + RUN_S)}
        benchmarks.append(
            {
                "type_": "generative_benchmark",
                place: strategy,
                **({"run_stats": times} if version == 0 else times),
                "metrics": {
                    "request_concurrency": metric(n if version == 0 else n - 0.1),
                    "request_latency": metric(2.0),
                    "prompt_token_count": metric(1024),
                    "output_token_count": metric(512),
                    "output_tokens_per_second": metric(speed, 1.0),
                    "inter_token_latency_ms": metric(9.0, ms),
                    "time_to_first_token_ms": metric(9.0, first),
                },
            }
        )
    server = {"target": "http://localhost:8000", "model": "lab/model"}
    top: Json = {
        2: {"metadata": {"version": 2}, "config": {"spec": {"backend": server}}},
        1: {"args": {"backend_kwargs": server}},
        0: {},
    }[version]
    return {**top, "benchmarks": benchmarks}


def vllm(at: int = 0) -> Json:
    n, speed, ms, first, _ = LOADS[at]
    start = START + 2 * RUN_S * at
    return {
        "date": "20260528-202820" if at == 0 else "20260528-203140", "backend": "vllm",
        "model_id": "lab/model", "num_prompts": 32, "request_rate": "inf", "max_concurrency": n,
        "duration": float(RUN_S), "completed": 32, "total_input_tokens": 32 * (1024 + 9 * at),
        "total_output_tokens": 32 * 512, "request_throughput": 0.3, "request_goodput:": None,
        "output_throughput": speed, "mean_ttft_ms": 9.0, "median_ttft_ms": first,
        "median_tpot_ms": ms, "median_itl_ms": 170.0, "mean_e2el_ms": 2000.0,
        "benchmark_start_time_unix": float(start), "benchmark_end_time_unix": float(start + RUN_S),
    }  # fmt: skip


def nvidia_smi(watts: tuple[float, ...] = (500.0, 600.0), *, unit: str = "W", gpus: int = 2) -> str:
    """Return a log of both runs, each GPU at its power, cut off in its last line."""
    import datetime as dt

    lines = [f"timestamp, index, power.draw [{unit}], utilization.gpu [%]"]
    for second in range(-20, 4 * RUN_S, 5):
        moment = dt.datetime.fromtimestamp(START + second, dt.UTC)
        load = next((w for i, w in enumerate(watts) if 0 <= second - 2 * RUN_S * i <= RUN_S), 80.0)
        for gpu in range(gpus):
            cell = "[N/A]" if second == -20 else f"{load:.2f} {unit}"
            lines.append(f"{moment:%Y/%m/%d %H:%M:%S}.250, {gpu}, {cell}, 90 %")
    return "\n".join(lines) + "\n2026/05/28 20:40:00.250, 0, 4"


def write(folder: Path, **files: Any) -> list[Path]:
    """Write texts and JSON values to files of a folder, named without a meaning."""
    paths = []
    for name, value in files.items():
        path = folder / name
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        paths.append(path)
    return paths
