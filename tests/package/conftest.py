"""An empty environment with our wheel, which was built from the source distribution."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


def run(*command: str | Path, cwd: Path, exit_code: int = 0) -> str:
    """Run a command that knows nothing of the repository; return what it prints."""
    known = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    result = subprocess.run(
        [*map(str, command)], cwd=cwd, env=known, capture_output=True, text=True, check=False
    )
    assert result.returncode == exit_code, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout + result.stderr


@dataclass(frozen=True)
class Installed:
    """The environment, and the distributions that it was made from."""

    folder: Path
    wheel: Path
    source: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def planner(self) -> Path:
        return self.folder / "bin" / "planner"

    def install(self, *requirements: str | Path) -> None:
        """Install more beside our wheel."""
        run(self.python, *PIP, "install", *requirements, cwd=self.folder)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The environment, made once in a session; what a test installs in it stays."""
    folder = tmp_path_factory.mktemp("installed")
    built = folder / "dist"
    run(sys.executable, "-m", "build", "--outdir", built, ROOT, cwd=folder)
    (wheel,), (source,) = built.glob("*.whl"), built.glob("*.tar.gz")
    run(sys.executable, "-m", "venv", folder / "environment", cwd=folder)
    environment = Installed(folder / "environment", wheel, source)
    environment.install(wheel)
    return environment
