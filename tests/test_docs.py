"""Documentation is tested: its blocks run, its generated pages are what the code says."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.components.registry import KINDS
from planner.studies.sweep_plan import prepare

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def blocks(page: Path) -> list[tuple[str, dict[str, str], str]]:
    """Return (language, options, text) of every fenced block."""
    found = []
    for language, options, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        pairs = (word.partition("=") for word in options.split())
        found.append((language, {key: value for key, _, value in pairs}, text))
    return found


def run(line: str, expected: int) -> None:
    """Run a line in the working directory; in this process, where only imports are shared."""
    words = shlex.split(line)
    if words[0] == "make":
        subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, check=True, capture_output=True)
        return
    assert words[0] in ("planner", ".venv/bin/planner"), f"cannot run {line!r}"
    done = CliRunner().invoke(app, words[1:])
    assert done.exit_code == expected, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "Traceback" not in done.output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, options, text in blocks(page):
        if language == "yaml":
            target = tmp_path / options.get("file", "block.yaml")
            target.write_text(text, encoding="utf-8")
            if options.get("kind") == "sweep":
                prepare(target)
                continue
            result = CliRunner().invoke(app, ["check", str(target)])
            assert result.exit_code == 0, result.output
        elif language == "python":
            exec(compile(text, page.name, "exec"), names)
        elif language == "sh":
            for line in text.splitlines():
                run(line, int(options.get("exit", "0")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_generated_pages_are_current() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, write in generate.PAGES.items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == write(), "run make docs"


def test_readme_names_every_command_and_scenario() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert f"planner {command.name or command.callback.__name__}" in text  # type: ignore[union-attr]
    for file in (ROOT / "scenarios").glob("*/scenario.yaml"):
        folder = file.parent
        if not folder.name.startswith("tiny_"):
            assert f"`{folder.name}`" in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_stands_in_the_pages_and_in_a_golden_program(kind: str) -> None:
    assert f"\n| {kind} |" in (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    assert f"`{kind}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert any(kind in file.stem for file in (ROOT / "tests" / "golden").glob("*.lp"))


def test_every_command_has_an_example() -> None:
    for command in app.registered_commands:
        assert command.epilog
        assert "Example: planner" in command.epilog
