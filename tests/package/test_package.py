"""What a user gets from pip: the files, the command and the library, far from the repository."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.package.conftest import ROOT, Installed, run
from tests.test_docs import blocks

pytestmark = pytest.mark.package


def test_the_wheel_holds_what_users_need_and_nothing_else(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = set(wheel.namelist())
    metadata = {name for name in names if name.startswith("dispatch_planner-")}
    tops = {name.split("/")[0] for name in names - metadata}
    assert tops == {"planner"}
    for path in (ROOT / "planner").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.relative_to(ROOT).as_posix() in names
    of_builders = {"build_data.py", "expected.yaml"}
    shipped = {path for path in (ROOT / "scenarios").rglob("*") if path.is_file()}
    expected = {path.relative_to(ROOT) for path in shipped if path.name not in of_builders}
    inside = {name for name in names if name.startswith("planner/scenarios/")}
    assert inside == {f"planner/{path.as_posix()}" for path in expected if "__" not in str(path)}


def test_the_source_distribution_holds_what_the_wheel_is_made_of(installed: Installed) -> None:
    with tarfile.open(installed.source) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} <= names
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_commands_of_the_readme_run_far_from_the_repository(
    installed: Installed, tmp_path: Path
) -> None:
    text = "import planner; print(planner.__file__)"
    package = Path(run(installed.python, "-c", text, cwd=tmp_path).strip()).parent
    assert ROOT not in package.parents
    shutil.copytree(package / "scenarios", tmp_path / "scenarios")
    for language, options, block in blocks(ROOT / "README.md"):
        if language == "sh":
            for line in block.splitlines():
                _, _, arguments = line.partition("planner ")
                if not line.startswith("make"):
                    exit_code = int(options.get("exit", "0"))
                    run(installed.planner, *arguments.split(), cwd=tmp_path, exit_code=exit_code)
        elif language == "python":
            run(installed.python, "-c", block, cwd=tmp_path)
