"""The texts of the project that have to be translated, and the catalogue brought in line with them.

`python -m tests.support.words` (`make words`) adds to zh.po what it lacks, with nothing said yet,
and drops what no source says any more; what is there keeps its place.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

import typer
import yaml
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from planner.cli.app import app
from planner.components.registry import KINDS
from planner.language.language import CATALOGUES, FIELD, SENTENCE, WORD
from planner.message import catalogue_key
from planner.scenario.json_schema import scenario_schema
from planner.sweeps.sweep_file import sweep_schema
from planner.units import SUFFIXES, price_unit, unit

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "planner"
ZH = CATALOGUES / "zh.po"
METHODS = [
    ("**.py", "tests.support.words:by_syntax"),
    ("**/templates/**.html", "jinja2.ext:babel_extract"),
]
SAME = {"PUE"}  # words that people write in Latin letters


def by_syntax(
    file: IO[bytes], keywords: Collection[str], tags: Any, options: Any
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the texts of a Python file, as Babel asks for them: those inside f-strings too."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            for text in _literals(node.args[0]) if name in keywords else ():
                yield node.lineno, name, text, []


def _literals(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an argument may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


@cache
def messages(root: Path = ROOT) -> list[str]:
    """Return every template that the sources make messages of, without formats, once each."""
    found = extract_from_dir(
        root / "planner", method_map=METHODS[:1], keywords={"Message": None, "template": None}
    )
    marked = [str(message) for _, _, message, _, _ in sorted(found, key=lambda one: one[:2])]
    kinds = [kind.component for kind in KINDS.values()]
    rules = (text for kind in kinds for text in (*kind.rules.values(), *kind.end_rows.values()))
    return list(dict.fromkeys(map(catalogue_key, (*marked, *rules))))


def every_price() -> list[str]:
    """Return the quantities of which one unit more has a price."""
    return [name for kind in KINDS.values() for name in kind.component.priced]


def helps(command: Any = None) -> Iterator[str]:
    """Yield the help texts of the command line: of commands, arguments, options and defaults."""
    command = typer.main.get_command(app) if command is None else command
    yield inspect.cleandoc(command.help)
    for parameter in command.params:
        if text := getattr(parameter, "help", None):
            yield text
        default = getattr(parameter, "show_default", None)
        if isinstance(default, str) and not re.search("[/_]", default):  # which is a file
            yield default
    for subcommand in getattr(command, "commands", {}).values():
        yield from helps(subcommand)


def descriptions(root: Path = ROOT) -> Iterator[str]:
    """Yield what `planner new --list` says of each shipped scenario."""
    for file in sorted((root / "scenarios").glob("*/scenario.yaml")):
        lines = file.read_text(encoding="utf-8").splitlines()
        line = next(line for line in lines if line.startswith("description:"))
        yield yaml.safe_load(line)["description"]


@cache
def texts(root: Path = ROOT) -> list[str]:
    """Return every text the sources say through `words(...)`, and every unit, once each."""
    found = extract_from_dir(root / "planner", method_map=METHODS, keywords={"words": None})
    said = [message for _, _, message, _, _ in sorted(found, key=lambda one: (one[0], one[1]))]
    assert all(isinstance(text, str) for text in said)
    priced = (unit(name) or name.removesuffix("s") for name in every_price())
    units = [*SUFFIXES.values(), *(price_unit(per) for per in priced if per != "Mtok/h")]
    return list(
        dict.fromkeys(str(text) for text in [*said, *helps(), *descriptions(root), *units] if text)
    )


@cache
def fields() -> tuple[str, ...]:
    """Return what editors say of the fields of scenarios and sweeps, in one line, once each."""
    said = [*descriptions_in(scenario_schema()), *descriptions_in(sweep_schema())]
    return tuple(dict.fromkeys(said))


def descriptions_in(part: Any) -> Iterator[str]:
    """Yield the descriptions of a JSON Schema, each in one line."""
    if isinstance(part, dict) and isinstance(text := part.get("description"), str):
        yield " ".join(text.split())
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for item in inside:
        yield from descriptions_in(item)


@cache
def sources(root: Path = ROOT) -> str:
    """Return all source text, with strings that stand side by side joined."""
    whole = "\n".join(path.read_text() for path in sorted((root / "planner").rglob("*.py")))
    return re.sub(r"(\\\\n)?[\"']\s*\n\s*f?[\"']", "", whole)


def in_sources(context: str, text: str) -> bool:
    """Return whether sources still know a word, the template of a message, or a description."""
    if context == FIELD:
        return text in fields()
    if context == WORD:
        text = (
            text.removeprefix("components.").removeprefix("design.").replace("first_case", "first")
        )
        return text in names() or re.search(rf"\b{re.escape(text)}\b", sources()) is not None
    return text in messages()


@cache
def names() -> frozenset[str]:
    """Return the names in all sources, and those put together: f"{LINES[rule]}_mwh" and such."""
    names = set(re.findall(r"[a-z][a-z_]+", sources()))
    pieces = re.findall(r"\}((?:_[a-z0-9]+)+)\b", sources())
    heads = re.findall(r"\b((?:[a-z]+_)+)\{", sources())
    made = {f"{name}{tail}" for name in names for tail in set(pieces)}
    whole = set(re.findall(r"\b\w+\b", sources()))
    return frozenset(whole | made | {f"{head}{name}" for name in names for head in set(heads)})


@cache
def catalogue() -> Catalog:
    """Return the Chinese catalogue."""
    with ZH.open("rb") as source:
        return read_po(source, locale="zh")


def update(path: Path = ZH) -> tuple[list[str], list[str]]:
    """Bring the catalogue in line with the sources; return what was added and what dropped."""
    from tests.support.plan_words import words  # solves plans: not for those who read texts alone

    old, wanted = catalogue(), texts()
    new = Catalog(locale="zh", project="planner", fuzzy=False)
    dropped = []
    for message in old:
        if not message.id:
            continue
        text = str(message.id)
        keep = text in wanted if message.context is None else in_sources(message.context, text)
        if keep:
            new.add(text, message.string, context=message.context)
        else:
            dropped.append(text)
    added = [text for text in wanted if old.get(text) is None]
    for text in added:
        new.add(text, "")
    for text in messages():
        if old.get(text, context=SENTENCE) is None:
            new.add(text, "", context=SENTENCE)
            added.append(text)
    for text in fields():
        if old.get(text, context=FIELD) is None:
            new.add(text, "", context=FIELD)
            added.append(text)
    for word in sorted({word.partition("[")[0] for word in words()}):
        if old.get(word, context=WORD) is None:
            new.add(word, "", context=WORD)
            added.append(word)
    write_catalogue(new, path)
    return added, dropped


def write_catalogue(new: Catalog, path: Path) -> None:
    """Write a catalogue with the plainest of headers."""
    lines = [
        "Project-Id-Version: planner", "Language: zh", "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit",
    ]  # fmt: skip
    head = "".join(f'"{line}\\n"\n' for line in lines)
    with path.open("wb") as target:
        target.write(f'msgid ""\nmsgstr ""\n{head}\n'.encode())
        write_po(target, new, omit_header=True, width=100)


def main() -> None:
    """Say what was added and dropped."""
    added, dropped = update()
    for sign, found in (("+", added), ("-", dropped)):
        for text in found:
            print(sign, text)
    print(f"{ZH.name}: {len(added)} added, {len(dropped)} dropped")


if __name__ == "__main__":
    main()
