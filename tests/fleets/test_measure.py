"""A model server of known behaviour is measured as it is, in virtual time and over loopback."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import re
import stat
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("httpx")

from planner.cli.app import app
from planner.cli.fleet_measure import _measure
from planner.errors import MeasurementError, PlannerError, ScenarioError
from planner.fleets.curve import Curve, CurvePoint
from planner.fleets.library import read_curve
from planner.fleets.measure.aiperf_program import arguments, run_aiperf
from planner.fleets.measure.closed_loop import SteadyLoad
from planner.fleets.measure.endpoint import Endpoint
from planner.fleets.measure.measurement import Measured, Measuring, measure, measured_curve
from planner.fleets.measure.power_meter import CsvMeter, NvmlMeter, meter_named
from planner.message import Message
from tests.fleets import samples
from tests.support.documents import document
from tests.support.model_server import FIRST_TOKEN_S, ModelServer, in_virtual_time

MEASURING = Measuring(
    url="http://server", model="lab/model", concurrencies=(16, 1, 4), seconds=8.0,
    input_tokens=64, output_tokens=32, precision="fp8", day=dt.date(2026, 7, 15),
)  # fmt: skip

ONE = Measuring(**{**vars(MEASURING), "concurrencies": (1,)})


def measured(
    server: ModelServer, measuring: Measuring = MEASURING, *, key: str | None = None
) -> tuple[Measured, PlannerError | None]:
    """Measure a server in virtual time, power by its exporter; with the error that ended it."""
    result = Measured()

    async def work() -> PlannerError | None:
        clock = asyncio.get_running_loop().time
        async with server.client() as client:
            if key is not None:
                client.headers["Authorization"] = f"Bearer {key}"
            meter = await meter_named("dcgm=http://server", client, (), clock)
            result.know(meter)
            endpoint = Endpoint(client, measuring.url, measuring.model, clock)
            try:
                await measure(measuring, endpoint, meter, result)
            except MeasurementError as error:
                return error
        return None

    return result, in_virtual_time(work)


def predicted(curve: Curve, n: float) -> float:
    """Tokens/s between two loads that were measured: the time of a token is linear in the load."""
    loads = [point for point in curve.points if point.concurrency is not None]
    low = max((p for p in loads if p.concurrency <= n), key=lambda p: p.concurrency)
    high = min((p for p in loads if p.concurrency >= n), key=lambda p: p.concurrency)
    share = (n - low.concurrency) / (high.concurrency - low.concurrency)
    each = [point.concurrency / point.tokens_per_s for point in (low, high)]
    return n / (each[0] + share * (each[1] - each[0]))


def test_the_points_are_those_of_the_server_and_predict_a_load_held_out() -> None:
    server = ModelServer()
    result, error = measured(server)
    assert error is None
    assert not result.cautions
    assert (result.hardware, result.gpus, server.prompt_tokens) == ("NVIDIA H200", 2, 64)
    assert result.idle is not None
    assert result.idle.gpu_kw == pytest.approx(0.3, rel=1e-4)
    assert [point.concurrency for point in result.points] == [1, 4, 16]
    for point in result.points:
        n = int(point.concurrency or 0)
        token_s = server.a_s + server.b_s * n
        answer_s = FIRST_TOKEN_S + 31 * token_s
        assert point.tokens_per_s == pytest.approx(32 * n / answer_s, rel=0.02)
        assert point.inter_token_ms == pytest.approx(1000 * token_s, rel=0.01)
        assert point.first_token_ms == pytest.approx(1000 * FIRST_TOKEN_S, rel=0.01)
        assert point.gpu_kw == pytest.approx(0.3 + 0.02 * n, rel=0.01)
    curve = measured_curve(MEASURING, result)
    assert (curve.task, curve.measured, len(curve.points)) == ("64 in 32 out", "gpu", 4)
    held_out = Measuring(**{**vars(MEASURING), "concurrencies": (8,)})
    (point,) = measured(server, held_out)[0].points
    assert predicted(curve, 8) == pytest.approx(point.tokens_per_s, rel=0.05)


def test_a_plain_server_is_measured_by_its_chunks_and_that_is_said() -> None:
    server = ModelServer(knows=False, chat_only=True)
    result, _ = measured(server, ONE)
    assert [str(text) for text in result.cautions] == [
        "the server does not count tokens: each chunk is taken for one",
        "the server does not know ignore_eos: answers may be shorter",
    ]
    assert result.points[0].inter_token_ms == pytest.approx(21, rel=0.01)


def test_a_server_that_dies_leaves_what_was_measured() -> None:
    result, error = measured(ModelServer(dies_after=2200))
    assert "http://server: " in str(error)
    assert [point.concurrency for point in result.points] == [1, 4]


LOADS_1_4 = Measuring(**{**vars(MEASURING), "concurrencies": (1, 4)})
SPOILT: dict[str, tuple[str, ...]] = {
    "usage.completion_tokens: Input should be greater": ('{"usage": {"completion_tokens": -8}}',),
    "usage.completion_tokens: Input should be a finite": ('{"usage": {"completion_tokens": NaN}}',),
    "answers more than the": ('{"usage": {"completion_tokens": 1000000000000000}}',),
    "answers more than the 32 tokens": 400 * ('{"choices": [{"text": "x"}]}',),
    "answers without a token": ('{"usage": {"completion_tokens": 0}}',),
    "recursion limit exceeded": (10_000 * "[",),
    "answers with an error: {'message': 'no memory'}": ('{"error": {"message": "no memory"}}',),
}


@pytest.mark.parametrize(("message", "events"), SPOILT.items(), ids=str)
def test_answers_that_cannot_be_right_fail_and_leave_what_was_measured(
    message: str, events: tuple[str, ...]
) -> None:
    result, error = measured(ModelServer(spoilt=events), LOADS_1_4)
    assert str(error).startswith("http://server")
    assert message in str(error)
    assert [point.concurrency for point in result.points] == [1]
    with pytest.raises(ScenarioError, match=f"URL: http://server.*{re.escape(message[:17])}"):
        measured(ModelServer(spoilt=events, spoilt_from=1))


def refusing(server: ModelServer, refused: str, answers: int = 20) -> ModelServer:
    """A server that answers a path with status 500 after some answers."""
    plain = server.plain

    def answer(path: str, *rest: Any) -> tuple[int, str]:
        return (500, "no") if path == refused and server.answers > answers else plain(path, *rest)

    server.plain = answer  # type: ignore[assignment,method-assign]
    return server


def low_power(server: ModelServer) -> ModelServer:
    """A server whose GPUs draw less than any after some answers."""
    server.watts = lambda: 5.0 if server.answers > 20 else 300.0  # type: ignore[method-assign]
    return server


@pytest.mark.parametrize(
    ("server", "message", "loads"),
    [
        (refusing(ModelServer(), "/metrics"), "server/metrics answers with status 500: 'no'", [1]),
        (low_power(ModelServer()), "http://server: Curve: points[2].gpu_kw: is 0.0025 kW", [1]),
        (refusing(ModelServer(), "/wake_up"), "server/wake_up answers with status 500", [1, 4]),
        (refusing(ModelServer(), "/sleep"), "server/sleep answers with status 500", [1, 4]),
    ],
)
def test_power_that_stops_and_a_server_that_does_not_wake_leave_what_was_measured(
    server: ModelServer, message: str, loads: list[int]
) -> None:
    result, error = measured(server, Measuring(**{**vars(LOADS_1_4), "level": 1}))
    assert message in str(error)
    assert [point.concurrency for point in result.points] == loads
    assert result.sleep is None
    assert measured_curve(LOADS_1_4, result).points


@pytest.mark.parametrize(
    ("server", "changes", "message"),
    [
        (ModelServer(most_tokens=8), {}, "the first such one 8 of 32 tokens"),
        (ModelServer(), {"seconds": 1.0, "output_tokens": 400, "concurrencies": (4,)},
         "at concurrency 4 some streams had no answer in the 1 s before the steady state"),
    ],
)  # fmt: skip
def test_loads_that_are_not_those_asked_for_are_named(
    server: ModelServer, changes: dict[str, Any], message: str
) -> None:
    cautions = measured(server, Measuring(**{**vars(ONE), **changes}))[0].cautions
    assert any(message in str(text) for text in cautions), cautions


def test_the_key_of_a_server_goes_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    server, result = ModelServer(key="k"), Measured()

    def http_client(key: str | None, _: int) -> Any:
        client = server.client()
        client.headers.update({} if key is None else {"Authorization": f"Bearer {key}"})
        return client

    monkeypatch.setattr("planner.fleets.measure.server_answers.http_client", http_client)
    measuring = Measuring(**{**vars(ONE), "key": "k"})
    in_virtual_time(lambda: _measure(measuring, "dcgm=http://server", [], result, None, True))
    assert len(result.points) == 1
    assert server.exporter_keys == {""}


def test_an_exporter_that_is_refreshed_too_seldom_is_named() -> None:
    cautions = measured(ModelServer(refresh_s=30), ONE)[0].cautions
    (text,) = [str(text) for text in cautions if "same power" in str(text)]
    assert text.endswith("let the exporter read every second (-c 1000)")
    assert not measured(ModelServer(refresh_s=1), ONE)[0].cautions


@pytest.mark.parametrize("level", [1, 2])
def test_sleep_is_measured_and_ended(level: int) -> None:
    server = ModelServer()
    result, _ = measured(server, Measuring(**{**vars(ONE), "level": level}))
    assert result.sleep is not None
    assert not server.asleep
    assert result.sleep.gpu_kw == pytest.approx(0.2, rel=1e-4)
    assert result.sleep.wake_s == pytest.approx(FIRST_TOKEN_S)
    wake = ["/wake_up"] if level == 1 else [
        "/wake_up?tags=weights", "/collective_rpc", "/wake_up?tags=kv_cache",
    ]  # fmt: skip
    assert server.calls == [f"/sleep?level={level}", *wake]


@pytest.mark.parametrize(
    ("server", "key", "message"),
    [
        (ModelServer(model="lab/model2"), None, "--model: http://server has no model 'lab/model';"
         " it has lab/model2; did you mean lab/model2?"),
        (ModelServer(key="k"), "no", "--api-key-env: http://server wants a key (401)"),
    ],
)  # fmt: skip
def test_the_wrong_model_or_key_is_named(server: ModelServer, key: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        measured(server, key=key)
    assert str(caught.value).startswith(message)


def test_a_server_that_is_none_is_named() -> None:
    server = ModelServer()
    server.garbage = True
    with pytest.raises(ScenarioError, match="URL: http://server: "):
        measured(server)


# ---- power


def test_nvml_takes_the_difference_of_the_energy_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoNvmlError(Exception):
        pass

    state = {"mj": 5e6}
    nvml = SimpleNamespace(
        nvmlInit=lambda: None, nvmlDeviceGetCount=lambda: 2, nvmlDeviceGetHandleByIndex=int,
        nvmlDeviceGetName=lambda _: "NVIDIA H200", NVMLError=NoNvmlError,
        NVMLError_NotSupported=NoNvmlError, nvmlDeviceGetPowerUsage=lambda _: 400_000,
        nvmlDeviceGetTotalEnergyConsumption=lambda _: state["mj"],
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "pynvml", nvml)

    async def work() -> tuple[float, float]:
        meter = NvmlMeter((), lambda: 20.0)
        await meter.sample(0.0)
        state["mj"] += 10e6  # 10 kJ on each GPU in 20 s
        by_energy = await meter.mean_w(0.0, 20.0)

        def unsupported(_: int) -> float:
            raise NoNvmlError

        nvml.nvmlDeviceGetTotalEnergyConsumption = unsupported
        meter = NvmlMeter(("1", "1"), lambda: 1.5)
        await meter.sample(1.0)
        power_w = await meter.mean_w(0.0, 2.0)
        nvml.nvmlDeviceGetPowerUsage = unsupported
        with pytest.raises(MeasurementError, match="NVML gives no power any more"):
            await meter.mean_w(0.0, 2.0)
        return by_energy, power_w

    assert in_virtual_time(work) == (1000.0, 400.0)


def test_a_log_being_written_gives_the_power_of_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = samples.write(tmp_path, log=samples.nvidia_smi().replace("timestamp", "timestamp "))
    text = path.read_text().replace(".250,", "+00:00,")
    path.write_text(text)
    monkeypatch.setattr("time.time", lambda: samples.START + 1000.0)

    async def work() -> None:
        meter = CsvMeter(path, (), lambda: 1000.0)  # seconds since START
        assert meter.gpus == 2
        assert await meter.mean_w(10.0, 90.0) == pytest.approx(1000)
        with pytest.raises(MeasurementError, match=r"log has no power for \d+ s of the"):
            await meter.mean_w(10.0, 900.0)
        with pytest.raises(MeasurementError, match="s older; is it being written"):
            await meter.mean_w(900.0, 950.0)
        path.unlink()
        with pytest.raises(MeasurementError, match="cannot be read"):
            await meter.mean_w(10.0, 90.0)

    in_virtual_time(work)


@pytest.mark.parametrize("text", ["watts", "dcgm", "csv=", "nvml=1", "dcgm=http://server"])
def test_power_of_no_source_and_of_a_missing_gpu_is_refused(text: str) -> None:
    async def work() -> None:
        async with ModelServer().client() as client:
            await meter_named(text, client, ("0", "9"), lambda: 0.0)

    message = "has no power of GPU 9" if "http" in text else "must be nvml, dcgm=URL or csv=FILE"
    with pytest.raises(ScenarioError, match=message):
        in_virtual_time(work)


# ---- AIPerf, the command


def test_aiperf_runs_as_a_program_and_its_failure_is_told(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    result.write_text(json.dumps(samples.aiperf()))
    program = tmp_path / "aiperf"
    program.write_text(f'#!/bin/sh\nfor last; do :; done\nmkdir -p "$last" && cp {result} "$last"/'
                       "profile_export_aiperf.json\n")  # fmt: skip
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    endpoint: Any = SimpleNamespace(url="http://server", clock=lambda: 0.0)
    load = asyncio.run(run_aiperf(str(program), endpoint, MEASURING, 4))
    assert (load.tokens_per_s, load.inter_token_ms, load.end - load.start) == (100, 20, 60)
    given = arguments("http://server", MEASURING, 4, "f")
    assert given[given.index("--concurrency") + 1] == "4"
    in_s = {**samples.aiperf(), "inter_token_latency": {"unit": "s", "avg": 20.0}}
    result.write_text(json.dumps(in_s))
    with pytest.raises(MeasurementError, match="is it in ms, not s"):
        asyncio.run(run_aiperf(str(program), endpoint, MEASURING, 4))
    for text, message in (("#!/bin/sh\necho no tokenizer\nexit 1\n", "no tokenizer"), ("", "Exec")):
        program.write_text(text)
        with pytest.raises(MeasurementError, match=f"AIPerf failed: {message}"):
            asyncio.run(run_aiperf(str(program), endpoint, MEASURING, 4))


def test_another_program_loads_the_server_until_it_fails() -> None:
    server, result = ModelServer(), Measured(hardware="H200", gpus=2)

    async def loaded(concurrency: int) -> SteadyLoad:
        if concurrency > 1:
            raise MeasurementError(Message("AIPerf failed: {text}", text="no memory"))
        start = asyncio.get_running_loop().time()
        await asyncio.sleep(5)
        return SteadyLoad(1, start, start + 5, 7.0, None, None, 2)

    async def work() -> None:
        clock = asyncio.get_running_loop().time
        async with server.client() as client:
            meter = await meter_named("dcgm=http://server", client, (), clock)
            endpoint = Endpoint(client, "http://server", "lab/model", clock)
            measuring = Measuring(**{**vars(MEASURING), "concurrencies": (1, 4)})
            await measure(measuring, endpoint, meter, result, program=loaded)

    in_virtual_time(work)
    assert [str(text) for text in result.cautions] == [
        "at concurrency 1 2 requests failed",
        "at concurrency 1 no answer ended in 8 s, so that the time between tokens is not known;"
        " give it more --seconds",
        "AIPerf failed: no memory: its own loop measures instead",
    ]
    assert (result.points[0].tokens_per_s, result.points[0].concurrency) == (7, 1)
    assert result.points[0].gpu_kw == pytest.approx(0.3, rel=1e-4)
    assert result.points[1].gpu_kw == pytest.approx(0.38, rel=0.01)


GIVEN = ["fleet", "measure", "http://127.0.0.1:1", "--model", "m", "--out", "c.yaml"]


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (("--power", "dcgm=http://127.0.0.1:1", "--precision", "fp8"),
         ["--power: http://127.0.0.1:1/metrics: "]),
        (("--power", "x", "--concurrency", "a", "--aiperf", "x", "--api-key-env", "NO_SUCH"),
         ["--aiperf: must be auto or never", "--api-key-env: there is no environment variable",
          "--concurrency: must be numbers", "--precision: no server says"]),
        (("--power", "csv=no.csv", "--precision", "fp8", "--hardware", "H200"),
         ["no.csv: cannot be read"]),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_named(
    options: tuple[str, ...], messages: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*GIVEN, *options])
    assert result.exit_code == 2
    assert all(text in result.output for text in messages), result.output
    assert not (tmp_path / "c.yaml").exists()


def test_everything_wrong_is_named_at_once_and_no_secret_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEY", "sk-secret\n")
    options = {
        "--power": "dcgm=http://[::1", "--precision": "", "--licence": "a\x1b[31m",
        "--hardware": " ", "--concurrency": 5000 * "9", "--api-key-env": "KEY",
    }  # fmt: skip
    given = ["fleet", "measure", "http://u:secretpw@h", *itertools.chain(*options.items())]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert "secret" not in result.output
    for text in ("URL: must be an address", "--model: is required", "--out: is required",
                 "--power: must be an address", "--precision: no server",
                 "--licence: may not hold the control", "--hardware: may not be",
                 "none above 10000", "KEY holds a space"):  # fmt: skip
        assert text in result.output, result.output
    assert not [*tmp_path.iterdir()]


def test_ctrl_c_keeps_the_points_that_are_measured_and_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points: list[CurvePoint] = []

    async def stopped(*given: Any, **_: Any) -> None:
        next(each for each in given if isinstance(each, Measured)).points.extend(points)
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.fleets.measure.measurement.measure", stopped)
    monkeypatch.chdir(tmp_path)
    samples.write(tmp_path, log=samples.nvidia_smi())
    given = [*GIVEN, "--power", "csv=log", "--precision", "fp8", "--hardware", "NVIDIA H200"]
    monkeypatch.setattr("os._exit", lambda code: (_ for _ in ()).throw(SystemExit(code)))
    result = CliRunner().invoke(app, given)
    assert (result.exit_code, [*tmp_path.glob("*.yaml")]) == (130, [])
    points.append(CurvePoint(tokens_per_s=100, gpu_kw=1, concurrency=4))
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 130
    assert "what was measured is in c.yaml" in result.output
    assert len(read_curve(tmp_path / "c.yaml").points) == 1

    async def spoilt(*given: Any, **_: Any) -> None:
        next(each for each in given if isinstance(each, Measured)).points.extend(points)
        (tmp_path / "c.yaml").unlink()
        (tmp_path / "c.yaml").mkdir()

    monkeypatch.setattr("planner.fleets.measure.measurement.measure", spoilt)
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 5
    assert "c.yaml cannot be written: Is a directory" in result.output
    assert "x 2, m, fp8, 512 in 128 out, 1 points" in result.output


@pytest.mark.slow
def test_the_command_measures_a_server_on_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("planner.fleets.measure.measurement.SETTLE_S", 0.5)
    server = ModelServer(a_s=0.04, b_s=0.004)
    with server.on_loopback() as url:
        given = ["fleet", "measure", url, "--model", "lab/model", "--power", f"dcgm={url}",
                 "--precision", "fp8", "--seconds", "3", "--input-tokens", "16",
                 "--output-tokens", "20", "--aiperf", "never"]  # fmt: skip
        some, held_out = ("--out", "c.yaml", "--concurrency", "1,2,8"), ("--concurrency", "4")
        found = document(CliRunner().invoke(app, [*given, *some, "--json"]))
        text = CliRunner().invoke(app, [*given, *held_out, "--out", "held_out.yaml"]).output
    assert "held_out.yaml: NVIDIA H200 x 2, lab/model, fp8, 16 in 20 out, 2 points" in text
    curve, other = read_curve(tmp_path / "c.yaml"), read_curve(tmp_path / "held_out.yaml")
    assert found["warnings"] == []
    assert [point.concurrency for point in curve.points] == [None, 1, 2, 8]
    for point in curve.points[1:]:
        token_s = server.a_s + server.b_s * (point.concurrency or 0)
        assert point.inter_token_ms == pytest.approx(1000 * token_s, rel=0.1)
    assert predicted(curve, 4) == pytest.approx(other.points[1].tokens_per_s, rel=0.05)
