"""The pages of the site in one language, made of the Markdown that a code host shows.

Links that leave docs/ lead to copies of what they name, `page.zh.md` takes the place of `page.md`
in Chinese, the notebook is executed, and names of the API become their docstrings.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
ASSETS = DOCS / "site" / "assets"
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^```.*?^```$|^#+ ([^\n]*)$", re.MULTILINE | re.DOTALL)
OTHER_LANGUAGE = re.compile(r"^\[(?:中文|English)\]\([^)]*\)\n+", re.MULTILINE)
FENCE = re.compile(r"^```(\w+)([^\n]*)$", re.MULTILINE)
API = re.compile(r"<!-- api (\S+) -->.*?<!-- end -->", re.DOTALL)
IN_ENGLISH = '\n!!! note "本页暂无中文版，以下为英文原文。"\n'
NOTEBOOK = DOCS / "first_plan.ipynb"
MORE = [ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("benchmarks/*.md")]
SCENARIOS = ROOT / "scenarios"


def copy_pages(target: Path, language: str) -> None:
    """Copy every page, and everything that a page links, to a folder."""
    shutil.copytree(ASSETS, target / "assets")
    waiting = [*DOCS.glob("*.md"), *MORE, *SCENARIOS.glob("*/README.md"), NOTEBOOK]
    done: set[Path] = set()
    while waiting:
        source = waiting.pop()
        place = target / place_of(source)
        if source in done or source.suffixes == [".zh", ".md"]:
            continue
        done.add(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if source == NOTEBOOK:
            depth = "" if language == "en" else "../"
            place.write_text(notebook_page().replace("PLOTLY_SCRIPT", f"{depth}{PLOTLY}"), "utf-8")
            if language == "en":
                copy_plotly(target / PLOTLY)
        elif source.suffix == ".md":
            text, linked = page_of(source, language)
            place.write_text(text, encoding="utf-8")
            waiting += linked
        else:
            shutil.copyfile(source, place)


def place_of(source: Path) -> Path:
    """Return where a file of the project stands among the pages."""
    if source == ROOT / "README.md":
        return Path("index.md")
    place = source.relative_to(DOCS if source.is_relative_to(DOCS) else ROOT)
    if place.suffixes == [".zh", ".md"]:
        return place.with_name(place.name.replace(".zh.md", ".md"))
    return place.with_suffix(".md") if source == NOTEBOOK else place


def page_of(source: Path, language: str) -> tuple[str, list[Path]]:
    """Return the text of a page in a language, and the files that it links."""
    own = source.with_suffix(f".{language}.md")
    page = own if own.exists() else source
    text = page.read_text(encoding="utf-8")
    if language == "zh" and page == source:
        heading, newline, rest = text.partition("\n")
        text = f"{heading}{newline}{IN_ENGLISH}{rest}"
    linked = []

    def placed(match: re.Match[str]) -> str:
        name, anchor = match[1], unquote(match[2] or "")
        file = Path(os.path.normpath(source.parent / name)) if name else page
        if not file.is_file():
            return match[0]
        if name and file != ROOT / "README.md":
            linked.append(file)
        if anchor:
            anchor = f"#{anchors(file).get(anchor, anchor)}"
        if name:
            here = place_of(source).parent
            name = Path(os.path.relpath(place_of(file), here)).as_posix()
        return f"]({name}{anchor})"

    text = LINK.sub(placed, OTHER_LANGUAGE.sub("", text))
    if page == own:
        names = iter(_anchors(source))
        text = HEADING.sub(
            lambda match: match[0] if match[1] is None else f"{match[0]} {{#{next(names)}}}", text
        )
    return API.sub(r"::: \1", FENCE.sub(_fence, text)), linked


@functools.cache
def chinese_titles() -> dict[str, str]:
    """Return what the Chinese home calls the pages, by their place in the site."""
    home = DOCS / "index.zh.md"
    links = re.findall(r"\[([^]]+)\]\(([^)#]+)\)", home.read_text(encoding="utf-8"))
    return {
        place_of(Path(os.path.normpath(DOCS / name))).as_posix(): title for title, name in links
    }


@functools.cache
def anchors(page: Path) -> dict[str, str]:
    """Return the anchors of a page on a code host, each with its name in the site.

    A Chinese page takes those of the English one, so that all pages of the site may link them.
    """
    own = _anchors(page)
    english = page.with_name(page.name.replace(".zh.md", ".md"))
    return dict(zip(own, _anchors(english), strict=True))


def _anchors(page: Path) -> list[str]:
    headings = [match[1] for match in HEADING.finditer(page.read_text(encoding="utf-8"))]
    return [
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
        if heading is not None
    ]


def _fence(match: re.Match[str]) -> str:
    """Return the head of a block with the name of its file as title, without other options."""
    title = re.search(r"\bfile=(\S+)", match[2])
    return f"```{match[1]}" + (f' title="{title[1]}"' if title else "")


# The notebook: executed, its figures drawn by a copy of Plotly in the site.

PLOTLY = "assets/plotly.min.js"


def copy_plotly(target: Path) -> None:
    """Copy the script that draws the figures."""
    from plotly.offline import get_plotlyjs

    target.write_text(get_plotlyjs(), encoding="utf-8")


@functools.cache
def notebook_page() -> str:
    """Return the notebook, executed, as a page."""
    import nbformat
    from nbclient import NotebookClient

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(DOCS)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    text = ""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            text += f"{cell.source}\n\n"
        else:
            text += f"```python\n{cell.source}\n```\n\n"
            text += "".join(_output(output, number) for output in cell.outputs)
        if number == 0:
            text += '<script src="PLOTLY_SCRIPT"></script>\n\n'
    return text


def _output(output: Any, number: int) -> str:
    """Return what a cell shows, in HTML."""
    from plotly.io import from_json, to_html

    data = output.get("data", {})
    if (figure := data.get("application/vnd.plotly.v1+json")) is not None:
        import json

        drawn = from_json(json.dumps({key: figure[key] for key in ("data", "layout")}))
        html = to_html(drawn, {"displaylogo": False, "responsive": True}, include_plotlyjs=False,
                       full_html=False, div_id=f"figure-{number}")  # fmt: skip
    elif "text/html" in data:
        html = data["text/html"].replace(' border="1" class="dataframe"', "")
    else:
        return f"```text\n{(output.get('text') or data.get('text/plain', '')).rstrip()}\n```\n\n"
    lines = "\n".join(line.strip() for line in html.splitlines() if line.strip())
    return f'<div class="output">\n{lines}\n</div>\n\n'
