"""The library of curves: one YAML file a curve, in the package or anywhere else."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from planner import errors
from planner.errors import ScenarioError, did_you_mean, wrong
from planner.files.output_folder import replace_file
from planner.files.yaml_document import read_yaml
from planner.fleets.curve import Curve
from planner.message import Message

LIBRARY = Path(__file__).parent / "library"


@cache
def library_names() -> tuple[str, ...]:
    """Return the names of the curves that come with the planner."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.yaml")))


def is_path(name: str | Path) -> bool:
    """Return whether a name is that of a file of its own, not one in the library."""
    return Path(name).suffix in (".yaml", ".yml")


def curve_named(name: str, folder: Path | None = None) -> Curve:
    """Return a curve by its name in the library, or by the path of its file.

    Args:
        name: a path ends in .yaml or .yml.
        folder: what a path is relative to [the working folder].

    Raises:
        ScenarioError: there is none, or its file has problems.
    """
    if is_path(name):
        return read_curve((folder or Path()) / name)
    if name in library_names():
        return _library_curve(name)
    message = Message(
        "there is no curve {name!r} in the library{hint}; `planner fleet list` lists them, and a"
        " file of your own ends in .yaml",
        name=name, hint=did_you_mean(name, library_names()),
    )  # fmt: skip
    raise wrong("", message)


@cache
def _library_curve(name: str) -> Curve:
    return read_curve(LIBRARY / f"{name}.yaml")


def library_curves() -> dict[str, Curve]:
    """Return every curve of the library by its name."""
    return {name: _library_curve(name) for name in library_names()}


def read_curve(path: Path) -> Curve:
    """Read a curve file.

    Raises:
        ScenarioError: with every problem, each with file, line and path.
    """
    document = read_yaml(path)
    try:
        curve: Curve = errors.read_outside(Curve, document.data)
    except ScenarioError as error:
        problems = [document.problem(_key_of(one.path), one.message) for one in error.problems]
        raise ScenarioError([*document.problems, *problems]) from None
    if document.problems:
        raise ScenarioError(document.problems)
    return curve


def _key_of(path: str) -> errors.Key:
    parts = re.findall(r"[^.\[\]]+", path)
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def write_curve(path: Path, curve: Curve) -> None:
    """Write a curve file with a point on a line, whole or not at all.

    Raises:
        PlanError: it cannot be written; then nothing has changed.
    """
    replace_file(path, yaml.dump(
        plain_curve(curve), Dumper=_CurveDumper, sort_keys=False, allow_unicode=True, width=96,
        default_flow_style=None,
    ))  # fmt: skip


def plain_curve(curve: Curve) -> dict[str, Any]:
    """Return a curve as its file holds it, without what is a default."""
    return curve.model_dump(exclude_defaults=True)


class _CurveDumper(yaml.SafeDumper):
    """Writes whole numbers without a point."""


_CurveDumper.add_representer(
    float,
    lambda dumper, value: (
        dumper.represent_int(int(value)) if value.is_integer() else dumper.represent_float(value)
    ),
)
