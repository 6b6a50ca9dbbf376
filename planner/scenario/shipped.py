"""The scenarios that come with the planner, and folders that are made from them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from planner.errors import did_you_mean, wrong
from planner.files.output_folder import Content, Mark, replace_folder
from planner.files.yaml_document import read_yaml, scalar
from planner.language.language import Language
from planner.message import Message, template
from planner.scenario.json_schema import scenario_schema

SCENARIO, README, SCHEMA = "scenario.yaml", "README.md", "planner.schema.json"
EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA}"
OF_THE_REPOSITORY = shutil.ignore_patterns("__pycache__", "build_data.py", "expected.*")
NAME_PARTS = re.compile(r"[^\W_][\w.-]*")  # of a new folder
LONG_H = 744.0  # a month: `planner year` plans it in windows

NEW_FOLDER = Content(
    mark=Mark(SCENARIO, ()),
    foreign=template("{path} exists and is not empty; choose another name"),
)


def folder_of_scenarios() -> Path:
    """Return the folder of the scenarios: in the package, or beside it in the repository."""
    package = Path(__file__).parent.parent
    inside = package / "scenarios"
    return inside if inside.is_dir() else package.parent / "scenarios"


@dataclass(frozen=True)
class ShippedScenario:
    """One scenario that comes with the planner."""

    folder: Path

    @property
    def name(self) -> str:
        """Its name, which is that of its folder."""
        return self.folder.name

    @cached_property
    def fields(self) -> Mapping[str, object]:
        """The fields of its file, as they are written."""
        return read_yaml(self.folder / SCENARIO).data

    @property
    def description(self) -> str:
        """What it shows, in a sentence."""
        return str(self.fields.get("title") or self.fields.get("description", ""))

    @property
    def command(self) -> str:
        """The command that plans it: solve, or year where its horizon is long."""
        horizon = self.fields.get("horizon")
        hours = horizon.get("hours", 0) if isinstance(horizon, Mapping) else 0
        return "year" if float(hours) >= LONG_H else "solve"

    def sweeps(self) -> Iterator[Path]:
        """Yield the shipped sweeps of this scenario."""
        for path in sorted((self.folder.parent / "sweeps").glob("*.yaml")):
            base = read_yaml(path).data.get("base")
            if (path.parent / str(base)).resolve() == (self.folder / SCENARIO).resolve():
                yield path


def shipped_scenarios() -> dict[str, ShippedScenario]:
    """Return every shipped scenario by its name."""
    files = sorted(folder_of_scenarios().glob(f"*/{SCENARIO}"))
    return {file.parent.name: ShippedScenario(file.parent) for file in files}


def shipped_scenario(name: str) -> ShippedScenario:
    """Return a shipped scenario. Raises ScenarioError where there is none of this name."""
    known = shipped_scenarios()
    if name not in known:
        message = Message(
            "there is no scenario {name!r}{hint}; `planner new --list` lists them",
            name=name, hint=did_you_mean(name, known),
        )  # fmt: skip
        raise wrong("--from", message)
    return known[name]


def check_new_name(folder: Path) -> None:
    """Require that the last part of a path may name a scenario. Raises ScenarioError."""
    name = folder.name
    if folder.suffix in (".yaml", ".yml"):
        message = Message("a scenario is a folder here: write {name}", name=folder.with_suffix(""))
    elif not NAME_PARTS.fullmatch(name):
        message = Message(
            "must begin with a letter or digit and hold letters, digits, `_`, `-` and `.` only,"
            " is {name!r}",
            name=name,
        )
    else:
        return
    raise wrong("NAME", message)


def make_folder(folder: Path, source: ShippedScenario, words: Language) -> Path:
    """Make a folder that runs out of a shipped scenario, whole or not at all; return its path.

    The scenario is called as the folder; the sweeps of the scenario come with it.

    Raises:
        ScenarioError: the name of the folder can be no scenario's.
        PlanError: the folder exists, or cannot be written.
    """
    check_new_name(folder)

    def fill(new: Path) -> None:
        shutil.copytree(source.folder, new, ignore=OF_THE_REPOSITORY, dirs_exist_ok=True)
        file = new / SCENARIO
        file.write_text(named(file.read_text("utf-8"), folder.name), encoding="utf-8")
        for path in source.sweeps():
            (new / "sweeps").mkdir(exist_ok=True)
            text = re.sub(r"(?m)^base:.*$", f"base: ../{SCENARIO}", path.read_text("utf-8"))
            (new / "sweeps" / path.name).write_text(text, encoding="utf-8")
        schema = words.described(scenario_schema())
        (new / SCHEMA).write_text(json.dumps(schema, indent=2) + "\n", "utf-8")
        about = (new / README).read_text("utf-8") if (new / README).is_file() else ""
        (new / README).write_text(
            read_me(folder.name, source, linked_here(about, new), words), encoding="utf-8"
        )

    return replace_folder(folder, NEW_FOLDER, fill)


def named(text: str, name: str) -> str:
    """Return the text of a scenario file with a name, and with the line that editors read."""
    plain = (
        name
        if yaml.safe_load(name) == scalar(name) == name
        else json.dumps(name, ensure_ascii=False)
    )
    text = re.sub(r"(?m)^name:.*$", lambda _: f"name: {plain}", text, count=1)
    return text if EDITOR_LINE in text else f"{EDITOR_LINE}\n{text}"


def linked_here(text: str, folder: Path) -> str:
    """Return a page whose links to files that are not in a folder are plain text."""

    def link(match: re.Match[str]) -> str:
        label, target = match.groups()
        below = not target.startswith("..") and os.path.lexists(folder / target)
        return match[0] if below or "://" in target or target.startswith("#") else label

    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", link, text)


def read_me(name: str, source: ShippedScenario, about: str, words: Language) -> str:
    """Return the page of a new folder: what to do next, then what its source says of itself."""
    spoken = "" if words.code == "en" else f" --lang {words.code}"
    lines = [
        f"# {name}",
        words("Made from the scenario `{name}` of the planner. In this folder:", name=source.name),
        f"```sh\nplanner check .\nplanner {source.command} .\n```",
        words(
            "An editor with a YAML language server completes and checks `{scenario}` by `{schema}`,"
            " which its first line names. After an update of the planner write it again:",
            scenario=SCENARIO, schema=SCHEMA,
        ),
        f"```sh\nplanner schema{spoken} > {SCHEMA}\n```",
        re.sub(r"(?m)^(?=#)", "#", about).strip(),
    ]  # fmt: skip
    return "\n\n".join(filter(None, lines)) + "\n"
