"""Curves of benchmark results: each format gives its figures, power is joined by time."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.errors import ScenarioError
from planner.fleets.curve import Curve
from planner.fleets.importing.curves import Facts, Imported, PowerOptions, import_curves
from planner.fleets.importing.power_log import parse_power_log
from planner.fleets.library import read_curve
from tests.fleets import samples
from tests.support.documents import document

TODAY = dt.date(2026, 11, 29)
ALL = Facts(hardware="NVIDIA H200", gpus=2, precision="fp8", licence="none stated")
DAY = TODAY.isoformat()
LICENCE = Facts(licence="Apache-2.0", date=DAY)
LINES = f"{json.dumps(samples.vllm(0))}\n{json.dumps(samples.vllm(1))}\n"


def imported(
    folder: Path, *values: Any, facts: Facts = ALL, power: Any = None, **options: Any
) -> Imported:
    files = samples.write(folder, **{f"f{i}": value for i, value in enumerate(values)})
    logs = samples.write(folder, power=power) if power is not None else []
    return import_curves(files, facts, PowerOptions(power=logs, **options), today=TODAY)


def only(result: Imported) -> Curve:
    (curve,) = result.curves.values()
    return curve


def wrong(folder: Path, *values: Any, **options: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        imported(folder, *values, **options)
    return [str(one).replace(f"{folder}/", "") for one in caught.value.problems]


FORMATS: dict[str, tuple[list[Any], Facts]] = {
    "mlenergy": ([samples.mlenergy()], LICENCE),
    "mlenergy of a model": ([samples.mlenergy_of_model()], LICENCE),
    "mlenergy v2": ([samples.mlenergy_second()], Facts(licence="x", date=DAY, precision="bf16")),
    "inferencex": ([samples.inferencex()], LICENCE),
    "inferencex, a file a point": (samples.inferencex(), LICENCE),
    "aiperf": ([samples.aiperf(0), samples.aiperf(1)], Facts(licence="x", precision="fp8")),
    "guidellm 0.2": ([samples.guidellm(0)], Facts(licence="x", hardware="NVIDIA H200", gpus=2,
                                                  precision="fp8", model="lab/model")),
    "guidellm 0.4": ([samples.guidellm(1)], ALL),
    "guidellm 0.7": ([samples.guidellm(2)], ALL),
    "vllm": ([samples.vllm(1), samples.vllm(0)], ALL),
    "vllm, a line a run": ([LINES], ALL),
}  # fmt: skip


@pytest.mark.parametrize(("values", "facts"), FORMATS.values(), ids=FORMATS)
def test_every_format_gives_its_figures_and_its_source(
    values: list[Any], facts: Facts, tmp_path: Path
) -> None:
    has_power = "power" in json.dumps(values) or "Energy" in json.dumps(values)
    log = {} if has_power else {"power": samples.nvidia_smi(), "timezone": "UTC"}
    result = imported(tmp_path, *values, facts=facts, **log)
    curve = only(result)
    assert not result.left_out
    assert (curve.gpus, curve.model, curve.parallel.tensor) == (2, "lab/model", 2)
    assert curve.hardware.startswith("NVIDIA H")
    assert [point.concurrency for point in curve.points] == [4, 8]
    assert [point.tokens_per_s for point in curve.points] == [100, 150]
    assert [point.inter_token_ms for point in curve.points] == pytest.approx([20, 40])
    first = [point.first_token_ms for point in curve.points]
    assert first in ([500, 600], [None, None])
    assert [point.gpu_kw for point in curve.points] == pytest.approx([1, 1.2])
    assert curve.source.imported == TODAY
    assert curve.source.files is not None
    assert len(curve.source.files) == len(values) + (not has_power)
    assert all(len(text.partition("sha256:")[2]) == 64 for text in curve.source.files)
    assert curve.date == (TODAY if facts.date else dt.date(2026, 5, 28))


def test_without_power_a_curve_says_so_and_one_of_several_points_is_left_out(
    tmp_path: Path,
) -> None:
    curve = only(imported(tmp_path, samples.vllm()))
    assert (curve.measured, curve.points[0].gpu_kw) == ("none", None)
    rows = samples.inferencex()
    del rows[1]["avg_power_w"], rows[1]["avg_total_gpu_power_w"]
    result = imported(tmp_path, rows, facts=LICENCE)
    assert len(only(result).points) == 1
    assert [str(one).partition(": ")[2] for one in result.left_out] == [
        "[1]: has no power, which other points of its curve have"
    ]


def test_a_curve_is_of_one_hardware_precision_and_length(tmp_path: Path) -> None:
    rows = [*samples.inferencex(), *samples.inferencex(), *samples.inferencex()]
    for row in rows[2:4]:
        row["isl"] = 8192
    for row in rows[4:]:
        row["precision"] = "fp4"
    curves = imported(tmp_path, rows, facts=LICENCE).curves
    assert [*curves] == [
        "h200_model_fp8_2gpu_1024_in_512_out",
        "h200_model_fp8_2gpu_8192_in_512_out",
        "h200_model_fp4_2gpu_1024_in_512_out",
    ]
    assert all(len(curve.points) == 2 for curve in curves.values())


def test_a_curve_that_falls_with_load_is_kept_and_named(tmp_path: Path) -> None:
    data = samples.mlenergy()
    data["configurations"][1]["output_throughput_tokens_per_sec"] = 90.0
    result = imported(tmp_path, data, facts=LICENCE)
    assert len(only(result).points) == 2
    assert "it answers no more tokens at more load at 90 tokens/s" in str(result.cautions[0])


def test_everything_that_files_do_not_say_is_asked_for_at_once(tmp_path: Path) -> None:
    assert wrong(tmp_path, samples.vllm(0), samples.vllm(1), "x: 1", facts=Facts()) == [
        "--licence: no file says under which licence its figures are: give it, or that none is"
        " stated",
        "f0: does not say the hardware, nor do 1 more: give it with --hardware",
        "f0: does not say the number of GPUs of a replica, nor do 1 more: give it with --gpus",
        "f0: does not say the precision of the weights, nor do 1 more: give it with --precision",
        "f2: is of no known format: it holds text that begins with 'x: 1'; known are ML.ENERGY"
        " leaderboard v3, ML.ENERGY leaderboard v2, InferenceX, AIPerf, GuideLLM, vllm bench serve",
    ]


def altered(data: Any, path: str, value: Any) -> Any:
    """Return data with a value replaced at a path of keys and numbers."""
    *way, last = (int(part) if part.isdecimal() else part for part in path.split("."))
    part = data
    for key in way:
        part = part[key]
    part[last] = value
    return data


BAD: dict[str, tuple[Any, Facts, str]] = {
    "unknown": ({"a": 1, "b": 2}, ALL, "f0: is of no known format: it holds JSON, a mapping of a"),
    "cut off": (LINES[:300], ALL, "f0:1: is cut off here: its JSON does not close"),
    "a power log": (samples.nvidia_smi(), ALL, "f0: is a log of power, not of results"),
    "kW for W": (
        altered(samples.mlenergy(), "configurations.0.avg_power_watts", 1.0), LICENCE,
        "f0: configurations[0].avg_power_watts: is 0.5 W for each of 2 GPUs, and a loaded one draws"
        " 20 to 2000 W; its unit is likely kW",
    ),
    "mW for W": (
        altered(altered(samples.inferencex(), "0.avg_total_gpu_power_w", None),
                "0.avg_power_w", 5e5), LICENCE,
        "[0].avg_power_w: is 500000 W for each of 2 GPUs, and a loaded one draws 20 to"
        " 2000 W; its unit is likely mW",
    ),
    "s for ms": (
        altered(samples.vllm(), "median_tpot_ms", 0.02), ALL,
        "f0: median_tpot_ms: is 0.02 ms, too short for 100 tokens/s at concurrency 4; is it in s,",
    ),
    "first token in s": (
        altered(samples.vllm(), "median_ttft_ms", 0.5), ALL,
        "f0: median_ttft_ms: is 0.5 ms, too short for",
    ),
    "ms for s": (
        altered(samples.inferencex(), "0.median_tpot", 20.0), LICENCE,
        "[0].median_tpot: is 20000 ms, too long for 100 tokens/s at concurrency 4; is it in"
        " ms, not s?",
    ),
    "disaggregated": (
        altered(samples.inferencex()[:1], "0.disagg", True), LICENCE,
        "f0: [0]: is spread over nodes or has GPUs of its own for reading input",
    ),
    "pictures": (
        {"task": "text-to-image", "configurations": [{"num_gpus": 1}]}, LICENCE,
        "f0: configurations[0]: has no output_throughput_tokens_per_sec: a model of pictures",
    ),
    "not a number": (
        altered(samples.guidellm(), "benchmarks.0.metrics.inter_token_latency_ms", "x"), ALL, "",
    ),
    "first token in ms": (
        altered(samples.inferencex(), "0.median_ttft", 200), LICENCE,
        "[0].median_ttft: is 200000 ms, too long for 100 tokens/s at concurrency 4; is it in ms,",
    ),
    "no tokens": (
        altered(samples.vllm(), "output_throughput", 0), ALL,
        "f0: output_throughput: must be 0.001 to 1e+07, is 0",
    ),
    "negative time": (
        altered(samples.vllm(), "median_tpot_ms", -22), ALL, "f0: median_tpot_ms: must be 0 to",
    ),
    "huge time": (
        altered(samples.vllm(), "duration", 1e308), ALL, "f0: duration: must be at most 1e+09",
    ),
    "no such year": (
        {**samples.aiperf(), "start_time": "0001-01-01T00:00:00"}, ALL,
        "f0: ran from 0001-01-01 00:00:00 to 2026-05-28 20:28:00: no time by one clock",
    ),
    "many digits": (
        json.dumps(samples.vllm()).replace("150", "9" * 5000).replace("100.0", "9" * 5000), ALL,
        "f0: duration: must be a finite number, is inf",
    ),
    "deep": ('{"a":' * 5000, ALL, "f0: is nested too deeply"),
    "empty": ({"task": "c", "configurations": []}, LICENCE, "f0: holds no run of a benchmark"),
    "split over no GPU": (
        altered(samples.mlenergy(), "configurations.0.tensor_parallel", 0), LICENCE, "",
    ),
    "more GPUs than any": (altered(samples.inferencex()[:1], "0.tp", 10**30), LICENCE,
                           "f0: [0].tp: must be"),
    "power of other GPUs": (
        altered(samples.inferencex()[:1], "0.avg_power_w", 250), LICENCE,
        "[0].avg_total_gpu_power_w: is the power of 4 GPUs by avg_power_w, and 2 served",
    ),
    "control character": (
        altered(samples.vllm(), "model_id", "m\x1b[31m"), ALL,
        "f0: model: may not hold the control character '\\x1b'",
    ),
    "broken character": (
        json.dumps(samples.vllm()).replace("lab/", "\\ud800"), ALL,
        "f0: model: may not hold the control character",
    ),
    "tokens of a user": (
        altered(samples.aiperf(), "output_token_throughput.unit", "tokens/sec/user"), LICENCE,
        "f0: output_token_throughput.unit: must be one of tokens/sec, tokens/s, is tokens/sec/",
    ),
    "several models": (
        altered(samples.aiperf(), "input_config.endpoint.model_names", ["a", "b"]), LICENCE,
        "f0: model_names: are a, b: no curve is of several",
    ),
    "a GPU without power": (
        altered(samples.aiperf(), "telemetry_data.endpoints.node:9401.gpus.gpu_1.metrics", {}),
        LICENCE, "f0: telemetry_data: has the power of 1 GPUs of 2: did the others serve?",
    ),
    "two kinds of GPU": (
        altered(samples.aiperf(), "telemetry_data.endpoints.node:9401.gpus.gpu_1.gpu_name", "A"),
        LICENCE, "f0: telemetry_data: has GPUs of several kinds: A, NVIDIA H200",
    ),
    "GPUs of two sources without a name": (
        altered(samples.aiperf(), "telemetry_data.endpoints.other",
                samples.aiperf()["telemetry_data"]["endpoints"]["node:9401"]),
        LICENCE, "has several sources, and GPUs without gpu_uuid: which are the same?",
    ),
    "cancelled": (altered(samples.aiperf(), "was_cancelled", True), ALL, "was_cancelled: is true"),
    "no answers": (altered(samples.vllm(), "completed", 0), ALL, "f0: completed: must be 1 or"),
    "other GPUs": (samples.mlenergy(), Facts(licence="x", date=DAY, gpus=8),
                   "--gpus: is 8, and the files hold 2"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "facts", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_named(
    value: Any, facts: Facts, message: str, tmp_path: Path
) -> None:
    if not message:  # one point of two
        result = imported(tmp_path, value, facts=facts)
        assert len(only(result).points) == 1
        assert "[0]." in str(result.left_out[0])
    else:
        assert message in " | ".join(wrong(tmp_path, value, facts=facts))


def test_gpus_are_counted_once_and_over_every_way_to_split_a_model(tmp_path: Path) -> None:
    run = samples.aiperf()
    endpoints = run["telemetry_data"]["endpoints"]
    for name, gpu in endpoints["node:9401"]["gpus"].items():
        gpu["gpu_uuid"] = name
    endpoints["node:9400"] = endpoints["node:9401"]  # the same GPUs by another address
    curve = only(imported(tmp_path, run, facts=Facts(licence="x", precision="fp8")))
    assert (curve.gpus, curve.points[0].gpu_kw) == (2, 1)
    rows = [{**row, "tp": 1, "pp": 2, "disagg": "false"} for row in samples.inferencex()]
    curve = only(imported(tmp_path, rows, facts=LICENCE))
    assert (curve.gpus, curve.points[0].tokens_per_s, curve.points[0].gpu_kw) == (2, 100, 1)


def test_options_that_are_wrong_contradict_or_do_nothing_are_named_together(tmp_path: Path) -> None:
    facts = Facts(hardware="", gpus=8, model="a\tb", precision=" ", date="bad", licence="")
    options = {"timezone": "Mars/X", "power_timezone": "UTC", "gpu_index": ["7"]}
    assert wrong(tmp_path, samples.mlenergy(), "x", facts=facts, **options)[:-1] == [
        "--date: must be a date such as 2026-10-01, is 'bad'",
        "--gpu-index: is of use with --power only",
        "--gpus: is 8, and the files hold 2",
        "--hardware: may not be blank",
        "--licence: may not be blank",
        "--model: may not hold the control character '\\t'",
        "--power-timezone: is of use with --power only",
        "--precision: may not be blank",
        "--timezone: is of use with --power only",
        "--timezone: must be a time zone such as Europe/Berlin, is 'Mars/X'",
    ]
    assert wrong(tmp_path, samples.mlenergy(), facts=LICENCE, power="a") == [
        "--power: is of no use: the files have the power of every run"
    ]
    dated = Facts(**{**vars(ALL), "date": "2020-01-01"})
    assert wrong(tmp_path, samples.vllm(), facts=dated) == [
        "--date: is 2020-01-01, and the files hold 2026-05-28"
    ]


def test_a_name_may_be_spelled_anew_and_what_a_curve_cannot_do_is_said(tmp_path: Path) -> None:
    run = samples.vllm()
    del run["median_tpot_ms"]
    result = imported(tmp_path, run, facts=Facts(**{**vars(ALL), "model": f"Qwen3-{'x' * 300}"}))
    (name,) = result.curves
    assert len(name) < 120
    assert [str(one).partition(": ")[2] for one in result.cautions] == [
        f"is Qwen3-{'x' * 300}, and the files hold lab/model",
        "its power is not known: it cannot serve in a fleet as it is",
        "its time between tokens is not known: it serves no latency limit",
    ]
    fp8 = imported(tmp_path, samples.vllm(), facts=Facts(**{**vars(ALL), "model": "Qwen3-FP8"}))
    assert [*fp8.curves] == ["h200_qwen3_fp8_2gpu_1024_in_512_out"]


def test_lines_of_two_formats_have_the_titles_of_both(tmp_path: Path) -> None:
    lines = "\n".join(map(json.dumps, (samples.vllm(), samples.inferencex()[0])))
    curves = imported(tmp_path, lines, facts=Facts(**{**vars(ALL), "date": "2026-05-28"})).curves
    assert [curve.source.title for curve in curves.values()] == ["vllm bench serve", "InferenceX"]


def test_a_cut_last_line_of_several_is_left_out(tmp_path: Path) -> None:
    result = imported(tmp_path, LINES + LINES[:100])
    assert len(only(result).points) == 2
    assert str(result.left_out[0]).endswith("f0:3: is cut off or no JSON")


# ---- power by time


def test_times_without_a_zone_are_compared_or_asked_for(tmp_path: Path) -> None:
    (text,) = wrong(tmp_path, samples.guidellm(), power=samples.nvidia_smi())
    assert text == (
        "power: has times without a zone, and f0 has moments: give --timezone, such as UTC or"
        " Asia/Shanghai; with an offset of 0 h the log covers the runs"
    )
    runs = [samples.vllm(0), samples.vllm(1)]
    for run in runs:  # both by the same clock
        del run["benchmark_start_time_unix"], run["benchmark_end_time_unix"]
    curve = only(imported(tmp_path, *runs, power=samples.nvidia_smi()))
    assert [point.gpu_kw for point in curve.points] == pytest.approx([1, 1.2])


def test_no_time_of_both_a_gap_and_the_wrong_unit_are_named(tmp_path: Path) -> None:
    runs, log = [samples.vllm(0), samples.vllm(1)], samples.nvidia_smi()
    texts = wrong(tmp_path, *runs, power=log, timezone="Asia/Shanghai")
    assert len(texts) == 2
    assert "no time of both; the log is 8 h earlier: give the zone of its clock with" in texts[0]
    result = imported(tmp_path, *runs, power=log[: len(log) * 6 // 10], timezone="UTC")
    assert len(only(result).points) == 1
    assert "covers" in str(result.left_out[0])
    texts = wrong(tmp_path, *runs, power=samples.nvidia_smi(unit="kW"), timezone="UTC")
    assert "is 500000 W for each of 2 GPUs" in texts[0]
    texts = wrong(tmp_path, *runs, power=samples.nvidia_smi(gpus=4), timezone="UTC")
    assert "has the power of 4 GPUs, and a replica has 2" in texts[0]
    chosen = imported(tmp_path, *runs, power=samples.nvidia_smi(gpus=4), timezone="UTC",
                      gpu_index=["1", "3"])  # fmt: skip
    assert only(chosen).points[0].gpu_kw == pytest.approx(1)


DCGM = "DCGM_FI_DEV_POWER_USAGE"
LOGS: dict[str, tuple[str, str]] = {
    "without units": (
        "timestamp, index, power.draw [W]\n2026/05/28 20:00:00, 0, 100.0\n"
        "2026/05/28 20:00:00, 1, 300.0\n", "clock",
    ),
    "mW in the head": (
        "timestamp,gpu,power [mW]\n1780000000,0,100000\n1780000000,1,300000\n", "zone",
    ),
    "exporter, a column": (
        f"time,gpu,{DCGM}\n2026-05-28T20:00:00Z,0,100\n2026-05-28T20:00:00Z,1,300\n"
        "2026-05-28T20:00:00Z,1,9.223372036854775e+18\n", "zone",
    ),
    "exporter, a row a metric": (
        f"timestamp,metric,gpu,value\n1780000000000,{DCGM},0,100\n1780000000000,{DCGM},1,300\n"
        "1780000000000,DCGM_FI_DEV_GPU_UTIL,1,99\n", "zone",
    ),
    "exporter, a column a GPU": (
        f'Time,"{DCGM}{{gpu=""0""}}","{DCGM}{{gpu=""1""}}"\n2026-05-28 20:00:00,100,300 W\n',
        "clock",
    ),
    "dmon": (
        "#Entity   TOTEC   POWER\nID        mJ      W\nGPU 0   9   100.0\nGPU 1   9   300.0\n"
        "Switch 13  N/A\nGPU 1  9  N/A\n", "none",
    ),
    "dmon with times": (
        "2026-05-28T20:00:00+0000 #Entity   POWER\n2026-05-28T20:00:00+0000 GPU 0   100.0\n"
        "2026-05-28T20:00:00+0000 GPU 1   300.0\n", "zone",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "times"), LOGS.values(), ids=LOGS)
def test_every_log_of_power_is_read(text: str, times: str) -> None:
    log = parse_power_log(text, Path("log"))
    assert log.times == times
    assert dict(zip(log.samples["gpu"], log.samples["w"], strict=True)) == {"0": 100, "1": 300}
    assert log.gpus() == ["0", "1"]


def test_a_log_without_times_serves_one_run_only(tmp_path: Path) -> None:
    log = LOGS["dmon"][0]
    assert only(imported(tmp_path, samples.vllm(), power=log)).points[0].gpu_kw == 0.4
    (text,) = wrong(tmp_path, samples.vllm(), samples.vllm(1), power=log)
    assert text.startswith("power: has no times, so that 2 runs cannot be told apart")
    assert (
        "has no column of power, but a, b" in wrong(tmp_path, samples.vllm(), power="a,b\n1,2\n")[0]
    )


SECONDS = range(-2, 103)  # of the first run and around it


def logged(head: str, *rows: str, seconds: Any = SECONDS) -> str:
    """Return a log whose rows stand at every second after their time."""
    lines = (f"{samples.START + second},{row}" for second in seconds for row in rows)
    return "\n".join([f"time,{head}", *lines, ""])


SERVERS = {
    "a column": logged("Hostname,gpu,power", *(f"{s},{g},{w}" for s, w in (("a", 600), ("b", 100))
                                               for g in (0, 1))),
    "a row a metric": logged("metric,instance,gpu,value", *(
        f"{DCGM},{s},{g},{w}" for s, w in (("a", 600), ("b", 100)) for g in (0, 1))),
    "a column a GPU": logged(
        ",".join(f'"{name}{{Hostname=""{s}"",gpu=""{g}""}}"'
                 for name in (DCGM, "GPU_UTIL_power") for s in "ab" for g in (0, 1)),
        "600,600,100,100,1,1,1,1"),
    "an identity": logged("uuid,index,power.draw [W]",
                          *(f"{s},{g},{w}" for s, w in (("a", 600), ("b", 100)) for g in (0, 1))),
}  # fmt: skip


@pytest.mark.parametrize("log", SERVERS.values(), ids=SERVERS)
def test_a_gpu_is_its_server_and_its_index(log: str, tmp_path: Path) -> None:
    (text,) = wrong(tmp_path, samples.vllm(), power=log)
    assert text.startswith("power: has the power of 4 GPUs, and a replica has 2")
    (text,) = wrong(tmp_path, samples.vllm(), power=log, gpu_index=["0"])
    assert "has no power of GPU 0; it has that of a/0, a/1, b/0, b/1: choose" in text
    curve = only(imported(tmp_path, samples.vllm(), power=log, gpu_index=["a/0", "a/1"]))
    assert curve.points[0].gpu_kw == pytest.approx(1.2)


DENSE = [second / 5 for second in range(251)]
JOINED: dict[str, tuple[str, float | str]] = {
    "two a second, by a clock of whole seconds": (
        logged("gpu,power", "0,500", "1,300", "0,510", "1,310"), 0.81),
    "weighed by time": (
        logged("gpu,power", "0,800", "1,800", seconds=DENSE)
        + logged("gpu,power", "0,400", "1,400", seconds=range(51, 101)), 1.2),
    "no index": (logged("power", "700", "100"), "does not say which GPU a line is of: log index"),
    "two servers, unnamed": (
        logged("gpu,power", "0,700", "1,700", "0,300", "1,300"),
        "has two powers of GPU 0 at a time, 400 W apart: of several servers?"),
    "a gap after a dense beginning": (
        logged("gpu,power", "0,200", "1,200", seconds=[*range(-900, 0), *DENSE[:56]]),
        "covers 11% with all its GPUs"),
    "one sample": (
        logged("gpu,power", "0,200", "1,200", seconds=[50]), "covers 0% with all its GPUs"),
    "a GPU without": (
        logged("gpu,power", "0,500", "1,[N/A]"), "has no power of GPU 1; it has that of 0: choose"),
    "decimal commas": (
        logged("gpu,power", "0,500,5", "1,500,5"), "has 4 cells in most lines, and 3 in the first"),
    "columns alike": (
        logged("gpu,power,power", "0,1,2", "1,1,2"), "has several columns power"),
    "far off": (
        logged("gpu,power", "0,500", "1,500", seconds=[s + 19_800 for s in SECONDS]),
        "no time of both; the log is 5.5 h later: give the zone of its clock with"),
}  # fmt: skip


@pytest.mark.parametrize(("log", "expected"), JOINED.values(), ids=JOINED)
def test_the_power_of_a_run_is_its_mean_or_what_is_wrong_is_said(
    log: str, expected: float | str, tmp_path: Path
) -> None:
    if isinstance(expected, float):
        curve = only(imported(tmp_path, samples.vllm(), power=log))
        assert curve.points[0].gpu_kw == pytest.approx(expected, rel=0.01)
    else:
        assert expected in wrong(tmp_path, samples.vllm(), power=log)[0]


def test_the_log_may_be_of_another_zone_than_the_runs(tmp_path: Path) -> None:
    run = samples.vllm()
    del run["benchmark_start_time_unix"], run["benchmark_end_time_unix"]
    log = samples.nvidia_smi()
    (text,) = wrong(tmp_path, run, power=log.replace("2026/05/28 20:", "2026/05/28 12:"))
    assert text.endswith("the log is 8 h earlier: give the zone of its clock with --power-timezone,"
                         " and that of the runs with --timezone")  # fmt: skip
    given = {"timezone": "Asia/Shanghai", "power_timezone": "UTC"}
    log = log.replace("2026/05/28 20:", "2026/05/28 12:")
    assert only(imported(tmp_path, run, power=log, **given)).points[0].gpu_kw == pytest.approx(1)
    (text,) = wrong(tmp_path, run, power=logged("gpu,power", "0,500", "1,500"))
    assert text.startswith("f0: has times without a zone, and power has moments: give --timezone")
    assert text.endswith("with an offset of 0 h the log covers the runs")


# ---- the command


def test_the_command_writes_files_and_says_what_it_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = samples.mlenergy()
    data["configurations"].append({"num_gpus": 1})
    samples.write(tmp_path, **{"task.json": data, "no.yaml": "a: 1"})
    given = ["fleet", "import", "task.json", "--licence", "x", "--date", "2026-02-03"]
    result = CliRunner().invoke(app, given)
    name = "h100_model_bf16_2gpu_chat"
    assert result.output.splitlines() == [
        f"fleets/{name}.yaml: NVIDIA H100 x 2, lab/model, bf16, chat, 2 points",
        "left out: task.json: configurations[2]: has no output_throughput_tokens_per_sec: a model"
        " of pictures or video answers no tokens",
    ]
    curve = read_curve(tmp_path / "fleets" / f"{name}.yaml")
    assert (curve.date, curve.licence, len(curve.points)) == (dt.date(2026, 2, 3), "x", 2)
    found = document(CliRunner().invoke(app, [*given, "--out", "one.yaml", "--json"]))
    assert found["files"] == [str(tmp_path / "one.yaml")]
    assert found["left_out"][0]["path"] == "configurations[2]"
    assert found["curves"][0]["points"] == 2
    result = CliRunner().invoke(app, [*given, "--out", "no.yaml", "--lang", "zh"])
    assert result.exit_code == 2
    assert (tmp_path / "no.yaml").read_text() == "a: 1"
