"""`planner fleet list` and `show`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from planner.cli.app import COMMANDS, app
from planner.cli.fleet import matches
from planner.fleets.library import LIBRARY, library_names
from tests.support.documents import document
from tests.support.screen import DRAWN, chromium, opened, scrolled_through

NAME = "h100_qwen3_235b_a22b_2507_fp8_4gpu"
ROOT = Path(__file__).parent.parent.parent
LIKE_A_CURVE = re.compile(r"(?<![\w/])(?:a100|b200|h100|h200|mi\d+x)_\w*\dgpu\w*")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["fleet", *map(str, arguments)])


def test_list_filters_by_hardware_model_and_latency() -> None:
    asked = ("list", "--hardware", "H100", "--model", "qwen3-235b", "--max-inter-token-ms", 50)
    found = document(run(*asked, "--json"))
    names = [curve["name"] for curve in found["curves"]]
    assert NAME in names
    assert all(name.startswith("h100_qwen3_235b") for name in names)
    (curve,) = (curve for curve in found["curves"] if curve["name"] == NAME)
    assert (curve["tokens_per_s"], curve["inter_token_ms"][1]) == ([223.84, 1262.29], 49.003)
    text = run(*asked).stdout
    assert f"│ {NAME} " in text
    assert f"{len(names)} curves, each of a replica; " in text
    assert ("GPU kW" in text, "at the wall" in text) == (True, False)
    assert "kW at the wall" in run("list", "--model", "llama2-70b").stdout
    for nothing in ("nothing", "!!", ""):
        text = run("list", "--hardware", nothing).stdout
        assert f"0 curves of {len(library_names())}; their hardware: AMD MI300X, " in text
    powered = document(run("list", "--hardware", "mi300x", "--with-power", "--json"))
    assert powered["curves"] == []


@pytest.mark.parametrize(
    ("wanted", "name", "fits"),
    [
        ("7b", "mistralai/Mistral-7B-Instruct-v0.3", True),
        ("7b", "Qwen/Qwen3-235B-A22B-Instruct-2507-bf16", False),
        ("7b", "Qwen/Qwen-1.7B", False),
        ("3b", "Qwen/Qwen3-30B-A3B", False),
        ("qwen3 235b", "Qwen/Qwen3-235B-A22B", True),
        ("qwen3_235b", "Qwen/Qwen3-235B-A22B", True),
        ("qwen3 235b", "Qwen/Qwen3-VL-235B-A22B", True),
        ("qwen3_235b", "Qwen/Qwen3-VL-235B-A22B", False),
        ("llama3.1", "meta-llama/Llama-3.1-8B", True),
        ("Llama-3", "meta-llama/Llama-3.1-8B", True),
        ("h100", "NVIDIA H100", True),
        ("100", "NVIDIA H100", False),
        ("!!", "NVIDIA H100", False),
    ],
)
def test_names_are_compared_word_by_word(wanted: str, name: str, fits: bool) -> None:
    assert matches(wanted, name) is fits


def test_show_is_a_table_a_document_and_a_page(tmp_path: Path) -> None:
    page = tmp_path / "curve.html"
    shown = run("show", NAME, "--out", page)
    assert shown.exit_code == 0, shown.stderr
    assert "licence: Apache-2.0" in shown.stdout
    assert "node: 8 GPUs, as h100_dgx; kW = 1.608 + 1.164 x GPU kW" in shown.stdout
    text = page.read_text(encoding="utf-8")
    assert 'id="figure-power"' in text
    assert ("Time between tokens<" in text, "to the first token" in text) == (True, False)
    timed = "mi355x_deepseek_r1_0528_fp8_8gpu_1k1k_atom_mtp"
    run("show", timed, "--out", page)
    assert "Time between tokens and to the first token<" in page.read_text(encoding="utf-8")
    found = document(run("show", LIBRARY / f"{NAME}.yaml", "--host", "h100_xe9680", "--json"))
    first = found["points"][0]
    assert first["node_kw"] == pytest.approx(1.219 + 1.164 * 2 * 2.1201, abs=1e-6)
    assert found["curve"]["licence"] == "Apache-2.0"
    assert "许可证" in run("show", NAME, "--lang", "zh").stdout
    assert "许可证" in CliRunner().invoke(app, ["--lang", "zh", "fleet", "show", NAME]).stdout


def test_a_curve_file_to_edit_and_what_is_not_shown_of_a_node(tmp_path: Path) -> None:
    copy, library = tmp_path / "curve.yaml", LIBRARY / f"{NAME}.yaml"
    assert document(run("show", NAME, "--out", copy, "--json"))["file"] == str(copy)
    assert copy.read_text() == library.read_text()
    copy.write_text(library.read_text().replace("gpus: 4", "gpus: 3"))
    found = document(run("show", copy, "--json"))
    (caution,) = found["warnings"]
    assert "a replica takes 3 GPUs, and a node of 8 does not hold a whole number" in caution
    assert found["points"][0]["node_kw"] is None
    wall = run("show", "h200_mixtral_8x7b_8gpu_mlperf_wall", "--host", "h200_hgx").stdout
    assert "node: 8 GPUs, as h200_hgx\n" in wall  # whose power plays no part


def test_curves_that_help_and_pages_name_are_in_the_library() -> None:
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("scenarios/*/*.*")]
    texts = [*COMMANDS.values(), *(page.read_text(encoding="utf-8") for page in pages)]
    named = {name for text in texts for name in LIKE_A_CURVE.findall(text)}
    assert "h100_qwen3_235b_a22b_2507_fp8_8gpu" in named
    assert named <= {*library_names()}


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    note, pipe = tmp_path / "note.yaml", tmp_path / "pipe.html"
    note.write_text("a: 1")
    os.mkfifo(pipe)
    for arguments, message in (
        (("show", "h100_qwen"), "there is no curve 'h100_qwen' in the library"),
        (("show", NAME, "--host", "x"), "--host: there is no kind of server 'x'"),
        (("show", NAME, "--out", tmp_path / "a.pdf"), "--out: must end in .html or .yaml"),
        (("show", NAME, "--out", "a.YAML"), "--out: must be a file that ends in .yaml"),
        (("show", NAME, "--out", note), "is no file of a curve; choose another name"),
        (("show", NAME, "--out", pipe), f"--out: {pipe} is a device or a pipe, not a file"),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
    wrong = run("show", "--nothing", "--json")
    assert document(wrong, failed=True)["command"] == "fleet-show"


@pytest.mark.screen
def test_the_page_draws_on_a_phone(tmp_path: Path) -> None:
    page_file = tmp_path / "curve.html"
    name = "mi355x_deepseek_r1_0528_fp8_8gpu_1k1k_atom_mtp"
    assert run("show", name, "--out", page_file, "--lang", "zh").exit_code == 0
    with chromium() as browser, opened(browser, page_file, width=390) as page:
        scrolled_through(page)
        assert page.evaluate(DRAWN)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.complaints == []
