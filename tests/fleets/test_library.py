"""The library of curves: it is valid and large enough, and files say what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from planner.errors import PlanError, ScenarioError
from planner.fleets.curve import Curve
from planner.fleets.hosts import known_hosts
from planner.fleets.library import (
    LIBRARY,
    curve_named,
    library_curves,
    library_names,
    read_curve,
    require_target,
    write_curve,
)

PAGES = [LIBRARY.parents[2] / "docs" / name for name in ("fleets.md", "fleets.zh.md")]
GPU_KW_LIMITS = {"H100": 0.7, "H200": 0.7, "B200": 1.0, "MI355X": 1.4, "A100": 0.4}


def test_the_library_is_valid_and_large_enough() -> None:
    curves = library_curves()
    assert len(curves) >= 190
    sources = Counter(curve.source.title for curve in curves.values())
    assert len(sources) >= 3
    assert sources["The ML.ENERGY Leaderboard v3"] == 112
    assert len({curve.hardware for curve in curves.values()}) >= 6
    measured = Counter(curve.measured for curve in curves.values())
    assert measured["gpu"] >= 140
    assert measured["wall"] >= 5
    assert sum(path.stat().st_size for path in LIBRARY.iterdir()) < 250_000
    for name, curve in curves.items():
        assert re.fullmatch(r"[a-z0-9_]+", name)
        assert curve.source.url or curve.source.title == "One H200, measured by us"
        assert curve.host is None or curve.host in known_hosts()
        assert len(curve.points) >= 3 or curve.measured == "wall"
        known = [kw for gpu, kw in GPU_KW_LIMITS.items() if gpu in curve.hardware]
        for point in curve.points:
            assert point.gpu_kw is None or point.gpu_kw <= 1.001 * curve.gpus * known[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_has_the_counts_of_the_library_and_the_fields_of_a_file(page: Path) -> None:
    text, curves = page.read_text(encoding="utf-8"), [*library_curves().values()]
    by_hardware: dict[str, list[Curve]] = {}
    for curve in curves:
        by_hardware.setdefault(curve.hardware, []).append(curve)
    for hardware, of in by_hardware.items():
        power = {i for i, curve in enumerate(of) if curve.measured != "none"}
        timed = {i for i, curve in enumerate(of) if any(p.first_token_ms for p in curve.points)}
        counts = f"{len(of)} | {len(power)} | {len(timed)} | {len(power & timed)}"
        assert f"| {hardware} | {counts} |" in text
    for source, n in Counter(curve.source.title for curve in curves).items():
        assert f"| {source} | {n} |" in text
    for measured, n in Counter(curve.measured for curve in curves).items():
        assert re.search(rf"\b{n}\b", text.partition("\n## ")[0], re.ASCII), measured
    assert not [name for name in Curve.model_fields if f"\n| `{name}` | " not in text]


def test_curves_hold_the_published_figures() -> None:
    (deepseek,) = (
        point for point in curve_named("b200_deepseek_v3_1_fp8_8gpu").points
        if point.tokens_per_s == pytest.approx(449.9, abs=0.1)
    )  # fmt: skip
    assert (deepseek.gpu_kw, deepseek.inter_token_ms) == (
        pytest.approx(3.854, abs=0.001), pytest.approx(16.84, abs=0.01)
    )  # fmt: skip
    ours = curve_named("h200_dense_8b_bf16_1gpu")
    assert ours.prefill is not None
    assert (ours.points[0].gpu_kw, ours.prefill.tokens_per_s) == (0.12, 39826)


CURVE = """\
hardware: NVIDIA H100
gpus: 2
model: a/model
precision: fp8
points:
- {tokens_per_s: 0, gpu_kw: 0.2}
- {tokens_per_s: 100, gpu_kw: 0.8, inter_token_ms: 10}
- {tokens_per_s: 90, gpu_kw: 0.9, inter_token_ms: 30}
source: {title: A test}
date: 2026-11-01
licence: MIT
"""


def test_a_curve_file_is_written_whole_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "curve.yaml"
    file.write_text(CURVE)
    curve = read_curve(file)
    assert [point.tokens_per_s for point in curve.falling()] == [90]
    assert ["no more tokens at more load at 90 tokens/s" in text for text in curve.cautions()] == [
        True
    ]
    write_curve(tmp_path / "again.yaml", curve)
    assert curve_named("again.yaml", tmp_path) == curve
    assert (tmp_path / "again.yaml").read_text() == CURVE
    for name in library_names()[:3]:
        write_curve(tmp_path / "again.yaml", curve_named(name))
        assert (tmp_path / "again.yaml").read_text() == (LIBRARY / f"{name}.yaml").read_text()
    odd_names = curve.model_copy(update={"model": "1e5", "precision": "8", "note": "no: #x"})
    write_curve(tmp_path / "new" / "curve.yaml", odd_names)
    assert read_curve(tmp_path / "new" / "curve.yaml") == odd_names
    with pytest.raises(PlanError, match="cannot be written"):
        write_curve(file / "curve.yaml", curve)
    (tmp_path / "link.yaml").symlink_to(tmp_path / "new" / "curve.yaml")
    write_curve(tmp_path / "link.yaml", curve)
    assert (tmp_path / "link.yaml").is_symlink()


OUT: dict[str, str] = {
    "notes.txt": "notes.txt is a file, not a folder; choose another name",
    "notes.txt/c.yaml": "notes.txt is a file, not a folder; choose another name",
    "notes.yaml": "notes.yaml is no file of a curve; choose another name",
    "nowhere.yaml": "nowhere.yaml is no file of a curve; choose another name",
    "loop.yaml": "loop.yaml is no file of a curve; choose another name",
    "/proc/none/c.yaml": "/proc/none/c.yaml cannot be written",
    "/dev/full": "/dev/full is a file, not a folder; choose another name",
    f"new/{250 * 'n'}.yaml": ".yaml cannot be written: File name too long; choose a shorter name",
}


@pytest.mark.parametrize(("out", "message"), OUT.items(), ids=str)
def test_where_curves_cannot_be_written_is_said_before_and_nothing_changes(
    out: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "notes.yaml").write_text("a: 1")
    (tmp_path / "nowhere.yaml").symlink_to("none")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ScenarioError, match=re.escape(message)):
        require_target(tmp_path / out)
    require_target(tmp_path / "fleets")
    require_target(tmp_path / "new" / "c.yaml")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence: MIT", "", ":1: licence: is required: a text; where the source states none,"
         " write: none stated"),
        ("gpu_kw: 0.8", "gpu_kw: 800", ":7: points[1].gpu_kw: is 400 kW for each GPU of 2, and one"
         " draws 0.02 to 2 kW; in W? Then write 0.8"),
        ("gpu_kw: 0.9", "gpu_kw: 0.0009", ":8: points[2].gpu_kw: is 0.00045 kW for each GPU of 2,"
         " and one draws 0.02 to 2 kW; in MW? Then write 0.9"),
        ("gpu_kw: 0.8", "gpu_kw: 8.13", "4.065 kW for each GPU of 2, and one draws 0.02 to 2 kW$"),
        ("gpu_kw: 0.2", "gpu_kw: 240", ":6: points[0].gpu_kw: is 120 kW for each GPU of 2, and one"
         " draws 0.005 to 2 kW; in W? Then write 0.24"),
        ("gpu_kw: 0.2", "gpu_kw: 0.00024", ":6: points[0].gpu_kw: is 0.00012 kW"),
        ("source:", "prefill: {tokens_per_s: 9, gpu_kw: 1400}\nsource:", ":9: prefill.gpu_kw: is"
         " 700 kW for each GPU of 2"),
        ("source:", "prefill: {tokens_per_s: 9}\nsource:", ":9: prefill.gpu_kw: is required with"),
        ("gpu_kw: 0.8", "gpu_kw: 0.8, node_kw: 2.5", ":7: points[1].node_kw: does not go with"
         " measured: gpu; leave it out"),
        ("source:", "host: h100_dgxx\nsource:", ":9: host: there is no kind of server 'h100_dgxx';"
         " did you mean h100_dgx?"),
        ("gpu_kw: 0.9, ", "", ":8: points[2].gpu_kw: is required with measured: gpu"),
        ("precision", "precison", ":4: precison: is not a field here; did you mean precision?"),
        ("2026-11-01", "yesterday", ":10: date: must be a date such as"),
        ("- {tokens_per_s: 1", "- {tokens_per_s: -1", ":7: points[1].tokens_per_s: must be 0 or"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_curve_file(old: str, new: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "curve.yaml"
    file.write_text(CURVE.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        read_curve(file)
    text = f"{caught.value}$".removeprefix(str(file))
    assert text.startswith(message) if message[0] == ":" else message in text
    assert len(caught.value.problems) == 1


def test_an_unknown_name_has_the_closest_one() -> None:
    with pytest.raises(ScenarioError, match="did you mean h200_dense_8b_bf16_1gpu"):
        curve_named("h200_dense_8b_bf16_2gpu")
    with pytest.raises(ScenarioError, match=r"nowhere\.yaml: cannot be read"):
        curve_named("nowhere.yaml")


def test_points_within_limits_of_time() -> None:
    curve = read_curve(LIBRARY / "mi300x_deepseek_r1_0528_fp8_8gpu_1k1k_sglang.yaml")
    limits = ((None, None), (28, None), (40, 180), (None, 1))
    assert [len(curve.within(*most)) for most in limits] == [5, 2, 1, 0]
